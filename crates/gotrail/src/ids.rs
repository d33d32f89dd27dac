//! Ids of the things that a trace speaks of. Each has its own type so that they cannot be mixed
//! up; each is a 64-bit number of the trace, shown signed as the reference shows it.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($inner:ty) none $none:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// None at all.
            pub const NONE: $name = $name($none);

            /// The id, or `None` for [`Self::NONE`].
            pub fn some(self) -> Option<$name> {
                (self != Self::NONE).then_some(self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A goroutine: the runtime's `goid`.
    GoId(i64) none -1;
    /// A proc: the runtime's P, of which there are GOMAXPROCS.
    ProcId(i64) none -1;
    /// A thread: the operating system's id of a runtime M. Ids can be used again.
    ThreadId(i64) none -1;
    /// A task of the annotation API.
    TaskId(u64) none u64::MAX;
}

impl TaskId {
    /// The task that everything belongs to which has no other.
    pub const BACKGROUND: TaskId = TaskId(0);
}

/// Nanoseconds on the traced machine's monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Time(pub i64);

impl Time {
    /// Nanoseconds from `earlier` to this time.
    pub fn since(self, earlier: Time) -> i64 {
        self.0.wrapping_sub(earlier.0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
