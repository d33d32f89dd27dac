//! What can be wrong with an old trace only.

use crate::GoId;
use crate::error::{Cause, Subject};
use gotrail_format::varint::VarintError;

/// What can be wrong with a trace of Go 1.11 to 1.21, besides what can be with any trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OldFault {
    /// An event type that the version does not have.
    #[error("unknown event type {0}")]
    UnknownEvent(u8),
    /// The trace ends inside an event.
    #[error("the input ends inside an event: {0}")]
    CutOff(&'static str),
    /// An event's number is malformed.
    #[error("{event}: {error}")]
    Number {
        /// The event.
        event: &'static str,
        /// What is wrong.
        error: VarintError,
    },
    /// An event has not as many arguments as it should.
    #[error("{0} has the wrong number of arguments")]
    Arguments(&'static str),
    /// An event is longer than any event can be.
    #[error("{event} of {len} bytes; at most 2048 are possible")]
    TooLong {
        /// The event.
        event: &'static str,
        /// Its length.
        len: u64,
    },
    /// An event before the first batch, or in a batch of a proc that has none.
    #[error("{0} outside of any batch")]
    NoBatch(&'static str),
    /// A proc's id is too large.
    #[error("a batch of proc {0}; ids are below 2^31")]
    ProcId(u64),
    /// A string is empty or too long.
    #[error("a string of {0} bytes; expected 1 to 1,000,000")]
    StringLength(u64),
    /// A stack has too many frames.
    #[error("a stack of {0} frames; at most 1000 are possible")]
    StackTooDeep(u64),
    /// String ids leave no room for further ones.
    #[error("the trace has strings with ids up to the largest possible")]
    TooManyStrings,
    /// The clock's frequency is missing, as it stands at the end of the trace.
    #[error("no frequency event found in the trace")]
    NoFrequency,
    /// The clock's frequency is not a positive number.
    #[error("a clock of {0} ticks a second")]
    Frequency(i64),
    /// An event is earlier than one that must come before it.
    #[error("time stamps out of order: {0} is earlier than an event before it")]
    TimeOrder(&'static str),
    /// A syscall ends that never blocked.
    #[error("goroutine {0} returns from a syscall that did not block")]
    StraySyscallExit(GoId),
    /// No proc's next event can happen.
    #[error("no consistent ordering of events possible: {0} procs have events that cannot happen")]
    Stuck(usize),
    /// Two procs have events of one goroutine that exclude each other.
    #[error("{0} after an event of another proc that excludes it")]
    Impossible(&'static str),
    /// An event contradicts those before it.
    #[error("{event}: {of} {problem}")]
    State {
        /// The event.
        event: &'static str,
        /// The goroutine or proc.
        of: Subject,
        /// What is wrong.
        problem: &'static str,
    },
    /// The garbage collection, or a stop of the world, begins again or ends without having begun.
    #[error("{event}: {problem}")]
    Phase {
        /// The event.
        event: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// Neither the begin nor the end of a region.
    #[error("a region of mode {0}")]
    RegionMode(u64),
    /// Another trace follows.
    #[error("another trace follows in the same file")]
    AnotherTrace,
    /// Something follows that is not of the trace.
    #[error("what follows the end of the trace is no event of it")]
    Trailing,
    /// The end of the trace is missing.
    #[error(
        "the trace is cut off at byte {at}, before its stacks and the frequency of its clock; all \
         procs are told up to {}.{}% of the time", complete / 10, complete % 10
    )]
    End {
        /// Where the data ends.
        at: u64,
        /// Up to which part of the time that is told every running proc is, in thousandths.
        complete: u16,
    },
    /// What events need is not in the trace.
    #[error(
        "events are missing: {assumed} were assumed that others need, such as those that wake \
         goroutines, and {dropped} dropped that make no sense without them"
    )]
    Missing {
        /// How many events are told that are not in the trace.
        assumed: u64,
        /// How many were dropped.
        dropped: u64,
    },
    /// An event that has no counterpart in newer traces.
    #[error("unexpected event {0}")]
    Unexpected(&'static str),
}

impl OldFault {
    /// The likely reason.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            OldFault::CutOff(_) | OldFault::NoFrequency | OldFault::End { .. } => Cause::CutOff,
            OldFault::AnotherTrace | OldFault::Trailing => Cause::Appended,
            _ => Cause::Damaged,
        }
    }
}
