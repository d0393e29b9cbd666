//! `goroutine_local!`: a value per goroutine; outside goroutines, per thread.
//!
//! # Invariants
//! 1. The map belongs to one goroutine (or thread) and is touched only while that runs; no borrow of it lives while
//!    user code runs.
//! 2. A value is boxed and stays in place until its goroutine ends, after the last code that could use it.

use crate::primitives::sequence;
use crate::sched::current;
use core::any::Any;
use core::cell::{Cell, RefCell};
use core::fmt;
use smallvec::SmallVec;

/// A value per goroutine, made on first use; see [`goroutine_local!`](crate::goroutine_local).
///
/// It has the methods of [`std::thread::LocalKey`]: those below, and for a `Cell` and a `RefCell` also the short forms.
///
/// ```
/// use std::cell::{Cell, RefCell};
/// gaggle::goroutine_local! {
///     static DEPTH: Cell<u32> = const { Cell::new(0) };
///     static PATH: RefCell<Vec<&'static str>> = RefCell::new(Vec::new());
/// }
/// PATH.with_borrow_mut(|path| path.push("root"));
/// assert_eq!(DEPTH.replace(1), 0);
/// // Another goroutine has values of its own.
/// let other = gaggle::spawn(|| (DEPTH.get(), PATH.with_borrow(|path| path.len())));
/// assert_eq!(other.join().unwrap(), (0, 0));
/// assert_eq!((DEPTH.take(), PATH.take()), (1, vec!["root"]));
/// ```
///
/// # Compared with Go
/// Go has none on purpose; Rust libraries count on thread locals, and this is their counterpart. A `thread_local!`
/// itself is shared by all goroutines of a thread.
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
}

/// The goroutine, or thread, is ending, and its locals are gone: what [`LocalKey::try_with`] returns as its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("using a local of an ended thread")
    }
}

impl core::error::Error for AccessError {}

struct Map {
    /// Tells this map from every other, also from one that is made in its place.
    serial: u64,
    /// Which key, and its value.
    values: SmallVec<[(usize, Box<dyn Any>); 4]>,
}

impl Map {
    fn new() -> Self {
        Self { serial: sequence(), values: SmallVec::new() }
    }
}

/// The number of the locals of the goroutine, or thread, that runs here; 0 if it has none. `None` when they are gone for
/// good.
pub(crate) fn serial() -> Option<u64> {
    let number = |map: &Box<dyn Any>| map.downcast_ref::<Map>().map_or(0, |map| map.serial);
    current::with_locals(|locals| locals.as_ref().map_or(0, number))
}

impl<T: 'static> LocalKey<T> {
    /// What `goroutine_local!` expands to.
    #[doc(hidden)]
    pub const fn __new(init: fn() -> T) -> Self {
        Self { init }
    }

    fn key(&'static self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Looks the value up, or makes it.
    fn get_or_init(&'static self) -> Result<*const T, AccessError> {
        if let Some(value) = self.find()? {
            return Ok(value);
        }
        // User code: it may use other keys, park, and on a plain thread even this key again.
        let value: Box<dyn Any> = Box::new((self.init)());
        if let Some(value) = self.find()? {
            return Ok(value);
        }
        current::with_locals(|locals| {
            let map = locals.get_or_insert_with(|| Box::new(Map::new()));
            if let Some(map) = map.downcast_mut::<Map>() {
                map.values.push((self.key(), value));
            }
        })
        .ok_or(AccessError)?;
        self.find()?.ok_or(AccessError)
    }

    fn find(&'static self) -> Result<Option<*const T>, AccessError> {
        let key = self.key();
        current::with_locals(|locals| {
            let map = locals.as_ref()?.downcast_ref::<Map>()?;
            let (_, value) = map.values.iter().find(|(k, _)| *k == key)?;
            value.downcast_ref::<T>().map(core::ptr::from_ref)
        })
        .ok_or(AccessError)
    }

    /// Calls `f` with the value.
    ///
    /// # Panics
    /// If the goroutine, or thread, is ending.
    ///
    /// ```
    /// gaggle::goroutine_local!(static NAME: String = "none".to_owned());
    /// assert_eq!(NAME.with(|name| name.len()), 4);
    /// ```
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`with`](Self::with), but returns an error where that panics.
    ///
    /// # Errors
    /// If the goroutine, or thread, is ending: a destructor may use it then.
    ///
    /// ```
    /// gaggle::goroutine_local!(static NAME: String = "none".to_owned());
    /// assert_eq!(NAME.try_with(|name| name.len()), Ok(4));
    /// ```
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        let value = self.get_or_init()?;
        // SAFETY: the value stays in place until its goroutine ends (I2), which is not before `f` has returned.
        Ok(f(unsafe { &*value }))
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the value.
    ///
    /// # Panics
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// A copy of the value.
    ///
    /// # Panics
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the value, and leaves the default.
    ///
    /// # Panics
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Sets the value and returns the one before.
    ///
    /// # Panics
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with the value, borrowed.
    ///
    /// # Panics
    /// If it is borrowed mutably; and as [`with`](Self::with).
    #[track_caller]
    pub fn with_borrow<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with the value, borrowed mutably.
    ///
    /// # Panics
    /// If it is borrowed; and as [`with`](Self::with).
    #[track_caller]
    pub fn with_borrow_mut<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&mut T) -> R,
    {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the value.
    ///
    /// # Panics
    /// If it is borrowed; and as [`with`](Self::with).
    #[track_caller]
    pub fn set(&'static self, value: T) {
        self.with(|cell| *cell.borrow_mut() = value);
    }

    /// Takes the value, and leaves the default.
    ///
    /// # Panics
    /// If it is borrowed; and as [`with`](Self::with).
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Sets the value and returns the one before.
    ///
    /// # Panics
    /// If it is borrowed; and as [`with`](Self::with).
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// Declares goroutine locals, as [`std::thread_local!`] declares thread locals.
///
/// ```
/// use std::cell::Cell;
/// gaggle::goroutine_local! {
///     static DEPTH: Cell<u32> = const { Cell::new(0) };
///     /// Docs, attributes and visibility as usual.
///     pub static NAME: std::cell::RefCell<String> = std::cell::RefCell::new("none".into());
/// }
/// DEPTH.set(7);
/// let other = gaggle::spawn(|| DEPTH.get());
/// assert_eq!((DEPTH.get(), other.join().unwrap()), (7, 0));
/// ```
#[macro_export]
macro_rules! goroutine_local {
    () => {};
    ($(#[$attr:meta])* $vis:vis static $name:ident : $t:ty = const $init:block; $($rest:tt)*) => {
        $crate::goroutine_local!($(#[$attr])* $vis static $name: $t = const $init);
        $crate::goroutine_local!($($rest)*);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident : $t:ty = const $init:block) => {
        $(#[$attr])* $vis static $name: $crate::go::LocalKey<$t> = $crate::go::LocalKey::__new(|| const $init);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident : $t:ty = $init:expr; $($rest:tt)*) => {
        $crate::goroutine_local!($(#[$attr])* $vis static $name: $t = $init);
        $crate::goroutine_local!($($rest)*);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident : $t:ty = $init:expr) => {
        $(#[$attr])* $vis static $name: $crate::go::LocalKey<$t> = $crate::go::LocalKey::__new(|| $init);
    };
}
