//! The states of goroutines, as the timeline tells them apart.

use gotrail::GoState;
use serde::{Deserialize, Serialize};

/// How many states there are.
pub const STATES: usize = 10;

/// A state; [`State::NONE`] is that of what does not exist, or is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State(pub u8);

impl State {
    /// Runs on a proc.
    pub const RUNNING: State = State(0);
    /// Could run, and waits for a proc.
    pub const RUNNABLE: State = State(1);
    /// In a system call or in C, with a proc.
    pub const SYSCALL: State = State(2);
    /// The same after its proc was taken.
    pub const SYSCALL_NO_PROC: State = State(3);
    /// Blocked by a lock, a condition, a wait group.
    pub const SYNC: State = State(4);
    /// Blocked by a channel or a select.
    pub const CHANNEL: State = State(5);
    /// Blocked by the network.
    pub const NETWORK: State = State(6);
    /// Asleep.
    pub const SLEEP: State = State(7);
    /// Blocked by the collector, or working for it.
    pub const GC: State = State(8);
    /// Blocked by anything else.
    pub const OTHER: State = State(9);
    /// Does not exist.
    pub const NONE: State = State(15);

    /// The names, by number.
    pub const NAMES: [&str; STATES] = [
        "running",
        "runnable",
        "syscall",
        "syscall, no proc",
        "sync",
        "channel",
        "network",
        "sleep",
        "GC",
        "other",
    ];

    /// The place in an array of sums, if it has one.
    #[inline(always)]
    pub fn index(self) -> Option<usize> {
        ((self.0 as usize) < STATES).then_some(self.0 as usize)
    }

    /// Whether it is one of being blocked.
    #[inline(always)]
    pub fn is_blocked(self) -> bool {
        self.0 >= State::SYNC.0 && self != State::NONE
    }

    /// The state of a goroutine that is not blocked; one that is needs a reason.
    #[inline(always)]
    pub fn of(state: GoState) -> Option<State> {
        match state {
            GoState::Running => Some(State::RUNNING),
            GoState::Runnable => Some(State::RUNNABLE),
            GoState::Syscall => Some(State::SYSCALL),
            GoState::NotExist | GoState::Undetermined => Some(State::NONE),
            _ => None,
        }
    }

    /// The state of a goroutine that is blocked for a reason, in the words of Go's tracer.
    pub fn of_reason(reason: &[u8]) -> State {
        let has = |what: &[u8]| reason.windows(what.len()).any(|window| window == what);
        if has(b"GC") {
            State::GC
        } else if has(b"chan") || has(b"select") {
            State::CHANNEL
        } else if has(b"sync") {
            State::SYNC
        } else if has(b"network") || has(b"IO") {
            State::NETWORK
        } else if has(b"sleep") {
            State::SLEEP
        } else {
            State::OTHER
        }
    }
}
