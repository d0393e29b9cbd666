//! Why a goroutine waits: recorded at each park, shown in dumps in Go's words.

use core::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a goroutine waits.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[cfg_attr(loom, allow(dead_code, reason = "no clock in a model"))]
        pub(crate) enum WaitReason { $($(#[$doc])* $name,)* }

        impl WaitReason {
            /// The reason that has this number, as it was recorded at the park.
            #[cfg_attr(loom, allow(dead_code, reason = "no dumps in a model"))]
            pub(crate) fn from_number(number: u8) -> Self {
                const ALL: &[WaitReason] = &[$(WaitReason::$name,)*];
                ALL.get(usize::from(number)).copied().unwrap_or(ALL[0])
            }

            /// The words of a dump.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(WaitReason::$name => $text,)* }
            }
        }
    };
}

reasons! {
    ChanSend = "chan send",
    ChanReceive = "chan receive",
    Select = "select",
    SelectNoCases = "select (no cases)",
    Sleep = "sleep",
    Join = "join",
    ScopeJoin = "scope join",
    MutexLock = "sync.Mutex.Lock",
    RwLockRead = "sync.RWMutex.RLock",
    RwLockWrite = "sync.RWMutex.Lock",
    CondvarWait = "sync.Cond.Wait",
    WaitGroupWait = "sync.WaitGroup.Wait",
    OnceWait = "sync.Once.Do",
    SemaphoreAcquire = "semacquire",
    BarrierWait = "barrier wait",
    Blocking = "blocking call",
    FileIo = "file I/O",
    ChildStart = "starting a process",
    ChildWait = "child process",
    StdinRead = "reading standard input",
    IoWait = "IO wait",
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
