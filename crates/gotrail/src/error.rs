//! What can be wrong with a trace: what was expected, what was found, where, and why it is likely.

use crate::OldFault;
use crate::{GoId, ProcId, TaskId, ThreadId};
use bstr::BString;
use gotrail_format::varint::VarintError;
use gotrail_format::version::HeaderError;
use gotrail_format::{EventType, Version, batch};
use std::{fmt, io};

/// Why reading a trace failed, with the place.
///
/// ```
/// let error = gotrail::Trace::from_bytes(b"go 1.22 tr".to_vec()).err().unwrap();
/// assert_eq!(error.cause(), gotrail::Cause::CutOff);
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    fault: Fault,
    place: Place,
}

/// Where in a trace something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// The byte in the (decompressed) trace.
    pub offset: Option<u64>,
    /// The number of the generation.
    pub generation: Option<u64>,
    /// The thread in whose batch it is.
    pub thread: Option<ThreadId>,
    /// How many events were delivered before.
    pub event: Option<u64>,
}

/// What is the likely reason of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The file ends too early: the program was killed or the copy is incomplete.
    CutOff,
    /// Something else was written behind the trace.
    Appended,
    /// The traced program used the annotation API wrongly.
    Misuse,
    /// The bytes were damaged, or the tracer of that Go version wrote a wrong trace.
    Damaged,
    /// The input could not be read.
    Io,
    /// Not a trace, or of a version that is not supported.
    Unsupported,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cause::CutOff => "the trace is cut off",
            Cause::Appended => "something was appended to the trace",
            Cause::Misuse => "the traced program misuses the annotation API",
            Cause::Damaged => "the data is damaged, or the tracer has a bug",
            Cause::Io => "the input cannot be read",
            Cause::Unsupported => "not a trace that this program reads",
        })
    }
}

impl Error {
    pub(crate) fn new(fault: Fault, place: Place) -> Error {
        Error(Box::new(Inner { fault, place }))
    }

    /// What is wrong.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// The likely reason.
    pub fn cause(&self) -> Cause {
        self.0.fault.cause()
    }

    pub(crate) fn with_event(mut self, event: u64) -> Error {
        self.0.place.event.get_or_insert(event);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0.fault, self.0.place)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.fault {
            Fault::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lead = " (";
        let mut part = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            let result = write!(f, "{lead}{text}");
            lead = ", ";
            result
        };
        if let Some(offset) = self.offset {
            part(f, format_args!("at byte {offset}"))?;
        }
        if let Some(generation) = self.generation {
            part(f, format_args!("generation {generation}"))?;
        }
        if let Some(thread) = self.thread {
            part(f, format_args!("thread {thread}"))?;
        }
        if let Some(event) = self.event {
            part(f, format_args!("after {event} events"))?;
        }
        if *self == Place::default() { Ok(()) } else { f.write_str(")") }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::new(fault, Place::default())
    }
}

/// One of the three things that an event happens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// A thread.
    Thread,
    /// A proc.
    Proc,
    /// A goroutine.
    Goroutine,
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Needed::Thread => "thread",
            Needed::Proc => "proc",
            Needed::Goroutine => "goroutine",
        })
    }
}

/// Everything that can be wrong with a trace.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The input could not be read.
    #[error("cannot read the input: {0}")]
    Io(#[from] io::Error),
    /// The header is wrong.
    #[error("{0}")]
    Header(#[from] HeaderError),
    /// A trace of a version that this reader does not read.
    #[error("traces of Go {0} are not supported here; this needs one of Go 1.22 or later")]
    Unsupported(Version),

    /// A batch header is wrong.
    #[error("{0}")]
    Batch(#[from] batch::HeaderError),
    /// A batch is longer than what is left of the input.
    #[error("the input ends inside a batch: expected {need} bytes, found {have}")]
    BatchCutOff {
        /// The size of the batch.
        need: usize,
        /// What is left.
        have: usize,
    },
    /// A batch of generation 0, which the runtime never writes.
    #[error("a batch of generation 0; generations count from 1")]
    GenerationZero,
    /// A batch of another generation than expected.
    #[error(
        "generations out of order or interleaved: found a batch of generation {found} in {current}"
    )]
    GenerationsMixed {
        /// The generation being read.
        current: u64,
        /// That of the batch.
        found: u64,
    },
    /// The input ends before the generation does.
    #[error("incomplete generation: the input ends before its end")]
    Incomplete,
    /// A generation without a clock frequency.
    #[error("no frequency event found in the generation")]
    NoFrequency,
    /// A generation without a clock snapshot, from format 1.25 on.
    #[error("no clock snapshot event found in the generation")]
    NoClockSnapshot,
    /// A second frequency or clock snapshot in a generation.
    #[error("found a second {0} in the generation")]
    RepeatedSync(EventType),
    /// Another event where a table's entry should be.
    #[error("expected {expected}, found {found}")]
    UnexpectedEvent {
        /// What should stand here.
        expected: &'static str,
        /// What does.
        found: EventType,
    },
    /// A number could not be read.
    #[error("cannot read {what}: {error}")]
    Number {
        /// What the number is.
        what: &'static str,
        /// Why.
        error: VarintError,
    },
    /// A batch of a table ends in the middle of an entry. The reference takes this for a clean
    /// end of the trace.
    #[error("a batch ends where {0} should be")]
    EntryCutOff(&'static str),
    /// An end of a generation where none can be.
    #[error("found the end of a generation in a batch, which traces before 1.26 don't have")]
    MisplacedEnd,
    /// A string is longer than possible, or than what is left.
    #[error("a string of {0} bytes; expected at most {1}")]
    StringTooLong(u64, u64),
    /// A stack has more frames than possible.
    #[error("a stack of {0} frames; at most 128 are possible")]
    StackTooDeep(u64),
    /// Two strings or stacks of one generation have the same id.
    #[error("two {what}s of the generation have the id {id}")]
    RepeatedId {
        /// `string` or `stack`.
        what: &'static str,
        /// The id; 0 stands for "none" and cannot be defined at all.
        id: u64,
    },
    /// A frame names a string that the generation does not have.
    #[error("stack {stack} refers to string {string}, which the generation does not have")]
    FrameString {
        /// The stack.
        stack: u64,
        /// The string.
        string: u64,
    },

    /// Something else than an event of a thread in a thread's batch.
    #[error("found {0} among a thread's events")]
    NotTimed(EventType),
    /// An event that a thread cannot have although it carries a time.
    #[error("{0} cannot be put in order")]
    NotOrdered(EventType),
    /// An event names a string or stack that the generation does not have.
    #[error("{event} refers to {what} {id}, which the generation does not have")]
    UnknownId {
        /// The event.
        event: EventType,
        /// `string` or `stack`.
        what: &'static str,
        /// The id.
        id: u64,
    },
    /// A batch of an experiment that is not known.
    #[error("a batch of the unknown experiment {0}")]
    UnknownExperiment(u8),

    /// An event happens without something that it needs.
    #[error("{event}: expected a {needed} but didn't have one")]
    Missing {
        /// The event.
        event: EventType,
        /// What it needs.
        needed: Needed,
    },
    /// An event happens with something that it must not have.
    #[error("{event}: expected no {needed} but had one")]
    Unexpected {
        /// The event.
        event: EventType,
        /// What is too much.
        needed: Needed,
    },
    /// A status number that does not exist.
    #[error("invalid status {status} for {of}")]
    InvalidStatus {
        /// The goroutine or proc.
        of: Subject,
        /// The number.
        status: u64,
    },
    /// A status that contradicts what came before.
    #[error("inconsistent status for {of}: it is {known}, the event says {found}")]
    InconsistentStatus {
        /// The goroutine or proc.
        of: Subject,
        /// What it is after the events so far.
        known: &'static str,
        /// What the event says.
        found: &'static str,
    },
    /// A proc in a syscall that no thread holds.
    #[error("failed to find the thread that holds proc {0}, which is about to be stolen")]
    NoHolder(ProcId),
    /// A status of a goroutine that should have been known.
    #[error("found goroutine status for new goroutine {0} after the first generation")]
    UnknownGoroutine(GoId),
    /// A goroutine in a syscall without a thread.
    #[error("found goroutine {0} in syscall without a thread")]
    SyscallWithoutThread(GoId),
    /// A goroutine in a syscall on a thread that runs something else.
    #[error(
        "inconsistent thread for syscalling goroutine {go}: thread {thread} has goroutine {found}"
    )]
    InconsistentThread {
        /// The goroutine.
        go: GoId,
        /// The thread that its status names.
        thread: ThreadId,
        /// The goroutine of that thread.
        found: GoId,
    },
    /// An event about something that does not exist.
    #[error("{event} for {of}, which doesn't exist")]
    NotExisting {
        /// The event.
        event: EventType,
        /// The goroutine or proc.
        of: Subject,
    },
    /// An event about something in the wrong state.
    #[error("{event} for {of} in state {found}; expected {expected}")]
    WrongState {
        /// The event.
        event: EventType,
        /// The goroutine or proc.
        of: Subject,
        /// What its state must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A proc's syscall has the wrong sequence number.
    #[error("GoSyscallBegin with sequence number {found} of proc {proc}; expected {expected}")]
    WrongSequence {
        /// The proc.
        proc: ProcId,
        /// What must come next.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A goroutine was created that exists.
    #[error("{event}: tried to create goroutine {go} that already exists")]
    AlreadyExists {
        /// The event.
        event: EventType,
        /// The goroutine.
        go: GoId,
    },
    /// A proc was stolen from a thread that does not have it.
    #[error("tried to steal proc {proc} from thread {from}, which has {found}")]
    WrongVictim {
        /// The proc.
        proc: ProcId,
        /// The thread.
        from: ThreadId,
        /// `no proc`, or the one that it has.
        found: Holding,
    },
    /// A task began that was already active.
    #[error(
        "task ID conflict: task {id} ({name:?}) begins again while it is active, on goroutine {go}"
    )]
    TaskBegunTwice {
        /// The goroutine that begins it again.
        go: GoId,
        /// The task.
        id: TaskId,
        /// Its name.
        name: BString,
    },
    /// A region ended that is not the innermost.
    #[error(
        "misuse of region in goroutine {go}: region {ended:?} of task {ended_task} ends when the \
         innermost active one is {inner:?} of task {inner_task}"
    )]
    RegionMisuse {
        /// The goroutine.
        go: GoId,
        /// The region that ends.
        ended: BString,
        /// Its task.
        ended_task: TaskId,
        /// The innermost region.
        inner: BString,
        /// Its task.
        inner_task: TaskId,
    },
    /// A range begins again, ends without having begun, or is said to be active and is not.
    #[error("{event}: the range on {of} {problem}")]
    Range {
        /// The event.
        event: EventType,
        /// The goroutine or proc.
        of: Subject,
        /// What is wrong.
        problem: &'static str,
    },
    /// A GC event contradicts the state of the GC.
    #[error("{event} with the GC {state}")]
    WrongGcState {
        /// The event.
        event: EventType,
        /// The state.
        state: &'static str,
    },
    /// Something that only traces of Go 1.11 to 1.21 have.
    #[error("{0}")]
    Old(#[from] OldFault),
    /// No thread's next event can happen.
    #[error("broken trace: failed to advance: no thread's next event can happen.{0}")]
    Stuck(Waiting),
}

impl Fault {
    /// The likely reason.
    pub fn cause(&self) -> Cause {
        match self {
            Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Cause::CutOff,
            Fault::Io(_) => Cause::Io,
            Fault::Header(HeaderError::CutOff(_)) => Cause::CutOff,
            Fault::Header(_) | Fault::Unsupported(_) => Cause::Unsupported,
            Fault::Batch(batch::HeaderError::CutOff | batch::HeaderError::CutOffExperiment) => {
                Cause::CutOff
            }
            Fault::BatchCutOff { .. } | Fault::Incomplete => Cause::CutOff,
            // Before 1.26 the sync batch is the last of a generation, so that a generation
            // without one has most likely lost its end.
            Fault::NoFrequency | Fault::NoClockSnapshot => Cause::CutOff,
            Fault::Old(fault) => fault.cause(),
            Fault::TaskBegunTwice { .. } | Fault::RegionMisuse { .. } => Cause::Misuse,
            _ => Cause::Damaged,
        }
    }
}

/// A goroutine or a proc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A goroutine.
    Go(GoId),
    /// A proc.
    Proc(ProcId),
}

impl From<GoId> for Subject {
    fn from(id: GoId) -> Subject {
        Subject::Go(id)
    }
}

impl From<ProcId> for Subject {
    fn from(id: ProcId) -> Subject {
        Subject::Proc(id)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Go(id) => write!(f, "goroutine {id}"),
            Subject::Proc(id) => write!(f, "proc {id}"),
        }
    }
}

/// What a thread holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// The thread was never seen.
    UnknownThread,
    /// A proc, or [`ProcId::NONE`].
    Proc(ProcId),
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holding::UnknownThread => f.write_str("never appeared"),
            Holding::Proc(ProcId::NONE) => f.write_str("no proc"),
            Holding::Proc(id) => write!(f, "proc {id}"),
        }
    }
}

/// The events that wait when nothing can go on: the first few threads in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Thread, event and the event's arguments.
    pub threads: Vec<(ThreadId, String)>,
    /// How many threads more.
    pub more: usize,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (thread, event)) in self.threads.iter().enumerate() {
            write!(f, "{} thread {thread} at {event}", if i == 0 { "" } else { "," })?;
        }
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        Ok(())
    }
}
