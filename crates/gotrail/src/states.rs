//! The states of goroutines and procs.

use std::fmt;

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every state, in the order of their numbers.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The state's name as the reference prints it.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => stringify!($variant),)* }
            }

            pub(crate) fn of_number(number: u8) -> $name {
                $name::ALL.get(number as usize).copied().unwrap_or($name::Undetermined)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    )*};
}

states! {
    /// The state of a goroutine.
    GoState {
        /// Nothing is known yet.
        Undetermined,
        /// It does not exist.
        NotExist,
        /// It could run and waits for a proc.
        Runnable,
        /// It runs.
        Running,
        /// It waits for something.
        Waiting,
        /// It is in a system call, or in C.
        Syscall,
    }
    /// The state of a proc.
    ProcState {
        /// Nothing is known yet.
        Undetermined,
        /// It does not exist.
        NotExist,
        /// A thread holds it.
        Running,
        /// No thread holds it.
        Idle,
    }
}

impl GoState {
    /// Whether a goroutine in this state is bound to a thread.
    pub fn is_executing(self) -> bool {
        matches!(self, GoState::Running | GoState::Syscall)
    }
}

impl ProcState {
    /// Whether a proc in this state is bound to a thread.
    pub fn is_executing(self) -> bool {
        self == ProcState::Running
    }
}

/// The state that a goroutine's status on the wire means.
pub(crate) fn go_state_of_status(status: u8) -> Option<GoState> {
    use GoState::*;
    [Undetermined, Runnable, Running, Syscall, Waiting].get(status as usize).copied()
}

/// The state that a proc's status on the wire means: one in a syscall still runs, unless its
/// thread was lost.
pub(crate) fn proc_state_of_status(status: u8) -> Option<ProcState> {
    use ProcState::*;
    [Undetermined, Running, Idle, Running, Idle].get(status as usize).copied()
}
