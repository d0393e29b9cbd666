//! Work for goroutines that is under way where the scheduler does not see it: a call on a pool thread, a child process.
//!
//! Who looks whether all goroutines are asleep for ever must know of it: such a goroutine will be woken.

/// Exists while the work does. Begin it before the goroutine parks, and end it after the wake.
#[derive(Debug)]
pub(crate) struct External(());

impl External {
    pub(crate) fn begin() -> Self {
        Self(())
    }
}
