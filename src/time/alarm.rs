//! The clockwork behind [`Timer`](super::Timer) and [`Ticker`](super::Ticker): at most one deadline at a time.
//!
//! # Invariants
//! 1. `generation` changes whenever the alarm is armed or disarmed. A [`Shot`] carries the generation for which it
//!    was armed, and does nothing once that is over: a deadline that could not be stopped in time is harmless.
//! 2. A value is sent only under the lock, by the current shot. Disarming, under the same lock, ends the generation
//!    and drains the channel: so afterwards no value of before is received.
//! 3. A user's closure is neither run nor dropped by who looks at the clock: both happen in a goroutine, or with the
//!    [`Timer`](super::Timer). What it does there, panics included, cannot stop other timers.
//!
//! # Locking
//! `state`: guarded by its lock (rank Time); held while sending (Chan) and while setting deadlines (Deadline).

use crate::chan::{Receiver, Sender, TrySendError};
use crate::go;
use crate::park::OnTime;
use crate::park::deadline::{self, TimerHandle};
use crate::primitives::sync::Arc;
use crate::primitives::{Lock, LockRank};
use crate::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What an alarm does when it goes off.
pub(super) enum Action {
    /// Sends the time, unless the last one has not been received yet.
    Send(Sender<Instant>),
    /// Runs the closure in a new goroutine, one run after the other.
    Run(Func),
}

pub(super) type Func = Arc<Mutex<dyn FnMut() + Send>>;

enum Armed {
    No,
    /// Armed for a time that the clock does not reach.
    Never,
    At(TimerHandle),
}

struct State {
    generation: u64,
    armed: Armed,
    /// Set: the alarm goes off again and again.
    period: Option<Duration>,
}

/// See the module's page.
pub(super) struct Alarm {
    state: Lock<State>,
    action: Action,
}

/// One deadline of an alarm.
struct Shot {
    alarm: Lock<Option<Arc<Alarm>>>,
    generation: u64,
    when: Instant,
}

/// How long to wait before trying again when there is no room for a goroutine.
const RETRY: Duration = Duration::from_millis(10);

impl Alarm {
    /// An alarm that goes off at `when` (`None`: never), and then every `period`.
    pub(super) fn new(action: Action, when: Option<Instant>, period: Option<Duration>) -> Arc<Self> {
        let state = State { generation: 0, armed: Armed::No, period };
        let alarm = Arc::new(Self { state: Lock::new(LockRank::Time, state), action });
        Self::arm(&alarm, &mut alarm.state.lock(), when);
        alarm
    }

    /// Disarms, and forgets what was sent on the channel of `stale`: true if there was something to prevent.
    pub(super) fn stop(&self, stale: &Receiver<Instant>) -> bool {
        disarm(&mut self.state.lock(), stale)
    }

    /// Disarms as [`stop`](Self::stop) does, then arms anew. (Not a method: loom's `Arc` is no receiver.)
    pub(super) fn reset(
        this: &Arc<Self>,
        stale: &Receiver<Instant>,
        when: Option<Instant>,
        period: Option<Duration>,
    ) -> bool {
        let mut state = this.state.lock();
        let prevented = disarm(&mut state, stale);
        state.period = period;
        Self::arm(this, &mut state, when);
        prevented
    }

    /// Whether the alarm runs a closure.
    pub(super) fn runs(&self) -> bool {
        matches!(self.action, Action::Run(_))
    }

    fn arm(this: &Arc<Self>, state: &mut State, when: Option<Instant>) {
        state.generation += 1;
        state.armed = match when {
            None => Armed::Never,
            Some(when) => {
                let alarm = Lock::new(LockRank::Leaf, Some(this.clone()));
                let shot = Shot { alarm, generation: state.generation, when };
                Armed::At(deadline::start(when, Arc::new(shot)))
            }
        };
    }

    /// Carries out the shot of `generation`, due at `when`, unless it is stale.
    fn go_off(this: Arc<Self>, generation: u64, when: Instant, now: Instant) {
        let mut state = this.state.lock();
        let current = state.generation == generation;
        if current {
            state.armed = Armed::No;
        }
        match &this.action {
            Action::Send(tx) => {
                let unwanted = !current || matches!(tx.try_send(now), Err(TrySendError::Closed(_)));
                if let (Some(period), false) = (state.period, unwanted) {
                    Self::arm(&this, &mut state, next_tick(when, period, now));
                }
            }
            Action::Run(f) => {
                let f = f.clone();
                drop(state);
                Self::run(this, f, current, generation, now);
            }
        }
    }

    /// Starts a run of `f`, if it is to run at all, in a goroutine that takes the alarm along: a closure that
    /// nobody else holds any more is dropped there (I3).
    fn run(this: Arc<Self>, f: Func, current: bool, generation: u64, now: Instant) {
        let parcel = Arc::new(Lock::new(LockRank::Leaf, Some((this, f))));
        let contents = parcel.clone();
        let started = go::Builder::new().spawn(move || {
            let contents = contents.lock().take();
            if let (Some((_, f)), true) = (&contents, current) {
                // A run that panicked has said so; the next one starts from what it left.
                (f.lock().unwrap_or_else(PoisonError::into_inner))();
            }
        });
        if started.is_ok() {
            return;
        }
        // No room for a goroutine: try again soon.
        let contents = parcel.lock().take();
        if let Some((alarm, f)) = contents {
            drop(f);
            let mut state = alarm.state.lock();
            if current && state.generation == generation {
                Self::arm(&alarm, &mut state, now.checked_add(RETRY));
            }
        }
    }
}

fn disarm(state: &mut State, stale: &Receiver<Instant>) -> bool {
    state.generation += 1;
    let armed = match std::mem::replace(&mut state.armed, Armed::No) {
        Armed::No => false,
        Armed::Never => true,
        // If it is too late to take it back, the generation stops it (I1).
        Armed::At(deadline) => {
            deadline.stop();
            true
        }
    };
    let drained = stale.try_recv().is_ok();
    armed || drained
}

/// The first instant after `now` that is a whole number of periods after `when`: a late ticker skips ticks rather
/// than sending them in a bunch, and keeps its phase.
fn next_tick(when: Instant, period: Duration, now: Instant) -> Option<Instant> {
    let late = now.saturating_duration_since(when).as_nanos();
    let periods = (late / period.as_nanos().max(1)).checked_add(1)?;
    let ahead = period.as_nanos().checked_mul(periods)?;
    let seconds = u64::try_from(ahead / 1_000_000_000).ok()?;
    when.checked_add(Duration::new(seconds, (ahead % 1_000_000_000) as u32))
}

impl OnTime for Shot {
    fn due(&self, now: Instant) {
        let alarm = self.alarm.lock().take();
        if let Some(alarm) = alarm {
            Alarm::go_off(alarm, self.generation, self.when, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_ticker_skips_ticks_and_keeps_its_phase() {
        // A bunch of ticks after a delay, a period that drifts, or arithmetic that overflows.
        let (when, ms) = (Instant::now(), Duration::from_millis);
        assert_eq!(next_tick(when, ms(10), when), Some(when + ms(10)));
        assert_eq!(next_tick(when, ms(10), when + ms(9)), Some(when + ms(10)));
        assert_eq!(next_tick(when, ms(10), when + ms(10)), Some(when + ms(20)));
        assert_eq!(next_tick(when, ms(10), when + ms(35)), Some(when + ms(40)));
        assert_eq!(
            next_tick(when, Duration::from_nanos(1), when + ms(5)),
            Some(when + ms(5) + Duration::from_nanos(1))
        );
        assert_eq!(next_tick(when, Duration::MAX, when), None);
    }
}
