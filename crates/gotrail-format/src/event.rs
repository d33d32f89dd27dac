//! The event table: every event's number, name and arguments, declared once.
//!
//! Everything that needs to know what an event looks like (decoder, text form, JSON, docs) asks
//! this table. Argument names are those of the reference's text form; the part after the last
//! underscore says what an argument is ([`ArgKind`]).

use crate::Version;
use std::fmt;

/// The number of a wire event. Any byte can be one: [`EventType::spec`] says what is known of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct EventType(pub u8);

impl EventType {
    /// What the table says of this event; `None` for a number that no version uses.
    pub const fn spec(self) -> Option<&'static Spec> {
        SPECS[self.0 as usize].as_ref()
    }

    /// The event's name, empty if the number is unknown.
    pub const fn name(self) -> &'static str {
        match self.spec() {
            Some(spec) => spec.name,
            None => "",
        }
    }

    /// Looks an event up by its name in the text form.
    pub fn from_name(name: &str) -> Option<EventType> {
        SPECS.iter().flatten().find(|spec| spec.name == name).map(|spec| spec.event)
    }

    /// Whether a trace of `version` may hold this event, experiments included.
    pub fn is_in(self, version: Version) -> bool {
        self.spec().is_some_and(|spec| spec.since <= version)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spec() {
            Some(spec) => f.write_str(spec.name),
            None => write!(f, "EventType({})", self.0),
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spec() {
            Some(spec) => f.write_str(spec.name),
            None => write!(f, "event type {}", self.0),
        }
    }
}

/// What one event looks like on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The event itself.
    pub event: EventType,
    /// Its name in the text form.
    pub name: &'static str,
    /// The names of its arguments in order. A timed event's first is `dt`.
    pub args: &'static [&'static str],
    /// Where the event occurs and what follows its arguments.
    pub shape: Shape,
    /// The first format version that has it.
    pub since: Version,
    /// For the end or continuation of a range or syscall: the event that begins it.
    pub start: Option<EventType>,
}

/// Where an event occurs and what follows its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Occurs in a thread's batches; its first argument is the time since the previous event.
    Timed,
    /// A timed event of an experiment.
    Experimental(Experiment),
    /// Part of the framing or of a table.
    Structural,
    /// Structural, followed by a length and that many bytes.
    Data,
    /// Structural, followed by four numbers a frame: pc, function, file, line.
    Stack,
}

impl Spec {
    /// Whether the event occurs in a thread's batches.
    pub const fn is_timed(&self) -> bool {
        matches!(self.shape, Shape::Timed | Shape::Experimental(_))
    }

    /// The experiment that the event belongs to.
    pub const fn experiment(&self) -> Experiment {
        match self.shape {
            Shape::Experimental(experiment) => experiment,
            _ => Experiment::NONE,
        }
    }

    /// The index of the argument with this name, the time included.
    pub fn arg(&self, name: &str) -> Option<usize> {
        self.args.iter().position(|&arg| arg == name)
    }
}

/// The number of an experiment; [`Experiment::NONE`] for ordinary events and batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Experiment(pub u8);

impl Experiment {
    /// No experiment.
    pub const NONE: Experiment = Experiment(0);
    /// Heap spans, heap objects and goroutine stacks (`GODEBUG=traceallocfree=1`).
    pub const ALLOC_FREE: Experiment = Experiment(1);

    /// The experiment's name, if it is known.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Experiment::NONE => Some("None"),
            Experiment::ALLOC_FREE => Some("AllocFree"),
            _ => None,
        }
    }
}

/// What an argument is, told by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// Time since the thread's previous event, in clock units.
    Dt,
    /// A goroutine id.
    Go,
    /// A proc id.
    Proc,
    /// A thread id.
    Thread,
    /// A sequence number.
    Seq,
    /// A proc status.
    ProcStatus,
    /// A goroutine status.
    GoStatus,
    /// The id of a string of the generation.
    String,
    /// The id of a stack of the generation.
    Stack,
    /// A task id.
    Task,
    /// A plain number.
    Value,
}

impl ArgKind {
    /// The kind of an argument with this name.
    pub fn of(name: &str) -> ArgKind {
        match name.rsplit('_').next().unwrap_or(name) {
            "dt" => ArgKind::Dt,
            "g" => ArgKind::Go,
            "p" => ArgKind::Proc,
            "m" => ArgKind::Thread,
            "seq" => ArgKind::Seq,
            "pstatus" => ArgKind::ProcStatus,
            "gstatus" => ArgKind::GoStatus,
            "string" => ArgKind::String,
            "stack" => ArgKind::Stack,
            "task" => ArgKind::Task,
            _ => ArgKind::Value,
        }
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $konst:ident = $number:literal $name:literal [$($arg:literal),*]
        $shape:ident $(($experiment:ident))? $since:ident $(ends $start:ident)?;)*) => {
        impl EventType {
            $($(#[$doc])* pub const $konst: EventType = EventType($number);)*
        }

        const SPECS: [Option<Spec>; 256] = {
            let mut table = [None; 256];
            $(table[$number] = Some(Spec {
                event: EventType::$konst,
                name: $name,
                args: &[$($arg),*],
                shape: Shape::$shape $((Experiment::$experiment))?,
                since: Version::$since,
                start: events!(@start $($start)?),
            });)*
            table
        };
    };
    (@start) => { None };
    (@start $start:ident) => { Some(EventType::$start) };
}

events! {
    /// A batch of one thread's events follows.
    EVENT_BATCH = 1 "EventBatch" ["gen", "m", "time", "size"] Structural Go122;
    /// The first byte of a batch of stacks.
    STACKS = 2 "Stacks" [] Structural Go122;
    /// One stack.
    STACK = 3 "Stack" ["id", "nframes"] Stack Go122;
    /// The first byte of a batch of strings.
    STRINGS = 4 "Strings" [] Structural Go122;
    /// One string.
    STRING = 5 "String" ["id"] Data Go122;
    /// The first byte of a batch of CPU samples.
    CPU_SAMPLES = 6 "CPUSamples" [] Structural Go122;
    /// One CPU sample.
    CPU_SAMPLE = 7 "CPUSample" ["time", "m", "p", "g", "stack"] Structural Go122;
    /// Clock units per second.
    FREQUENCY = 8 "Frequency" ["freq"] Structural Go122;

    /// GOMAXPROCS changed.
    PROCS_CHANGE = 9 "ProcsChange" ["dt", "procs_value", "stack"] Timed Go122;
    /// The thread begins to run a proc.
    PROC_START = 10 "ProcStart" ["dt", "p", "p_seq"] Timed Go122;
    /// The thread stops running its proc.
    PROC_STOP = 11 "ProcStop" ["dt"] Timed Go122;
    /// The thread takes a proc from a thread in a syscall.
    PROC_STEAL = 12 "ProcSteal" ["dt", "p", "p_seq", "m"] Timed Go122;
    /// A proc's status at its first mention in the generation.
    PROC_STATUS = 13 "ProcStatus" ["dt", "p", "pstatus"] Timed Go122;

    /// A goroutine was created, runnable.
    GO_CREATE = 14 "GoCreate" ["dt", "new_g", "new_stack", "stack"] Timed Go122;
    /// A goroutine appears on a C thread that calls into Go.
    GO_CREATE_SYSCALL = 15 "GoCreateSyscall" ["dt", "new_g"] Timed Go122;
    /// A goroutine begins to run.
    GO_START = 16 "GoStart" ["dt", "g", "g_seq"] Timed Go122;
    /// The running goroutine ends.
    GO_DESTROY = 17 "GoDestroy" ["dt"] Timed Go122;
    /// The goroutine of a C thread's call ends, in its syscall.
    GO_DESTROY_SYSCALL = 18 "GoDestroySyscall" ["dt"] Timed Go122;
    /// The running goroutine yields and stays runnable.
    GO_STOP = 19 "GoStop" ["dt", "reason_string", "stack"] Timed Go122;
    /// The running goroutine blocks.
    GO_BLOCK = 20 "GoBlock" ["dt", "reason_string", "stack"] Timed Go122;
    /// A waiting goroutine becomes runnable.
    GO_UNBLOCK = 21 "GoUnblock" ["dt", "g", "g_seq", "stack"] Timed Go122;
    /// The running goroutine enters a syscall.
    GO_SYSCALL_BEGIN = 22 "GoSyscallBegin" ["dt", "p_seq", "stack"] Timed Go122;
    /// A syscall ends with its proc kept.
    GO_SYSCALL_END = 23 "GoSyscallEnd" ["dt"] Timed Go122 ends GO_SYSCALL_BEGIN;
    /// A syscall ends that lost its proc.
    GO_SYSCALL_END_BLOCKED = 24 "GoSyscallEndBlocked" ["dt"] Timed Go122 ends GO_SYSCALL_BEGIN;
    /// A goroutine's status at its first mention in the generation.
    GO_STATUS = 25 "GoStatus" ["dt", "g", "m", "gstatus"] Timed Go122;

    /// The world is being stopped.
    STW_BEGIN = 26 "STWBegin" ["dt", "kind_string", "stack"] Timed Go122;
    /// The world runs again.
    STW_END = 27 "STWEnd" ["dt"] Timed Go122 ends STW_BEGIN;

    /// The mark phase was already running when the generation began.
    GC_ACTIVE = 28 "GCActive" ["dt", "gc_seq"] Timed Go122 ends GC_BEGIN;
    /// The mark phase begins.
    GC_BEGIN = 29 "GCBegin" ["dt", "gc_seq", "stack"] Timed Go122;
    /// The mark phase ends.
    GC_END = 30 "GCEnd" ["dt", "gc_seq"] Timed Go122 ends GC_BEGIN;
    /// A proc was already sweeping when the generation began.
    GC_SWEEP_ACTIVE = 31 "GCSweepActive" ["dt", "p"] Timed Go122 ends GC_SWEEP_BEGIN;
    /// The proc begins to sweep.
    GC_SWEEP_BEGIN = 32 "GCSweepBegin" ["dt", "stack"] Timed Go122;
    /// The proc ends its sweep.
    GC_SWEEP_END = 33 "GCSweepEnd" ["dt", "swept_value", "reclaimed_value"] Timed Go122 ends GC_SWEEP_BEGIN;
    /// A goroutine was already in mark assist when the generation began.
    GC_MARK_ASSIST_ACTIVE = 34 "GCMarkAssistActive" ["dt", "g"] Timed Go122 ends GC_MARK_ASSIST_BEGIN;
    /// The goroutine begins to assist the mark phase.
    GC_MARK_ASSIST_BEGIN = 35 "GCMarkAssistBegin" ["dt", "stack"] Timed Go122;
    /// The goroutine's mark assist ends.
    GC_MARK_ASSIST_END = 36 "GCMarkAssistEnd" ["dt"] Timed Go122 ends GC_MARK_ASSIST_BEGIN;
    /// Bytes in heap objects.
    HEAP_ALLOC = 37 "HeapAlloc" ["dt", "heapalloc_value"] Timed Go122;
    /// The heap size at which the next cycle ends, in bytes.
    HEAP_GOAL = 38 "HeapGoal" ["dt", "heapgoal_value"] Timed Go122;

    /// The running goroutine got a label.
    GO_LABEL = 39 "GoLabel" ["dt", "label_string"] Timed Go122;
    /// A task of the annotation API begins.
    USER_TASK_BEGIN = 40 "UserTaskBegin" ["dt", "task", "parent_task", "name_string", "stack"] Timed Go122;
    /// A task ends.
    USER_TASK_END = 41 "UserTaskEnd" ["dt", "task", "stack"] Timed Go122;
    /// A region begins on the running goroutine.
    USER_REGION_BEGIN = 42 "UserRegionBegin" ["dt", "task", "name_string", "stack"] Timed Go122;
    /// A region ends.
    USER_REGION_END = 43 "UserRegionEnd" ["dt", "task", "name_string", "stack"] Timed Go122 ends USER_REGION_BEGIN;
    /// A log message.
    USER_LOG = 44 "UserLog" ["dt", "task", "key_string", "value_string", "stack"] Timed Go122;

    /// The running goroutine hands its thread to another and blocks.
    GO_SWITCH = 45 "GoSwitch" ["dt", "g", "g_seq"] Timed Go123;
    /// The running goroutine hands its thread to another and ends.
    GO_SWITCH_DESTROY = 46 "GoSwitchDestroy" ["dt", "g", "g_seq"] Timed Go123;
    /// A goroutine was created, waiting.
    GO_CREATE_BLOCKED = 47 "GoCreateBlocked" ["dt", "new_g", "new_stack", "stack"] Timed Go123;
    /// A goroutine's status with its stack.
    GO_STATUS_STACK = 48 "GoStatusStack" ["dt", "g", "m", "gstatus", "stack"] Timed Go123;
    /// A batch of an experiment follows.
    EXPERIMENTAL_BATCH = 49 "ExperimentalBatch" ["exp", "gen", "m", "time"] Data Go123;

    /// The first byte of a batch with frequency and clocks.
    SYNC = 50 "Sync" [] Structural Go125;
    /// Trace clock, monotonic clock and wall clock read together.
    CLOCK_SNAPSHOT = 51 "ClockSnapshot" ["dt", "mono", "sec", "nsec"] Timed Go125;
    /// The generation is complete.
    END_OF_GENERATION = 52 "EndOfGeneration" [] Structural Go126;

    /// A heap span exists.
    SPAN = 128 "Span" ["dt", "id", "npages_value", "kindclass"] Experimental(ALLOC_FREE) Go123;
    /// A heap span was allocated.
    SPAN_ALLOC = 129 "SpanAlloc" ["dt", "id", "npages_value", "kindclass"] Experimental(ALLOC_FREE) Go123;
    /// A heap span was freed.
    SPAN_FREE = 130 "SpanFree" ["dt", "id"] Experimental(ALLOC_FREE) Go123;
    /// A heap object exists.
    HEAP_OBJECT = 131 "HeapObject" ["dt", "id", "type"] Experimental(ALLOC_FREE) Go123;
    /// A heap object was allocated.
    HEAP_OBJECT_ALLOC = 132 "HeapObjectAlloc" ["dt", "id", "type"] Experimental(ALLOC_FREE) Go123;
    /// A heap object was freed.
    HEAP_OBJECT_FREE = 133 "HeapObjectFree" ["dt", "id"] Experimental(ALLOC_FREE) Go123;
    /// A goroutine's stack exists.
    GOROUTINE_STACK = 134 "GoroutineStack" ["dt", "id", "order"] Experimental(ALLOC_FREE) Go123;
    /// A goroutine's stack was allocated.
    GOROUTINE_STACK_ALLOC = 135 "GoroutineStackAlloc" ["dt", "id", "order"] Experimental(ALLOC_FREE) Go123;
    /// A goroutine's stack was freed.
    GOROUTINE_STACK_FREE = 136 "GoroutineStackFree" ["dt", "id"] Experimental(ALLOC_FREE) Go123;
}

/// Marks an event that cannot stand in a thread's batches in [`TIMED_ARGS`].
pub const NOT_TIMED: u8 = 0xff;

/// For each event number: how many arguments follow the time of a timed event, or [`NOT_TIMED`].
pub static TIMED_ARGS: [u8; 256] = {
    let mut table = [NOT_TIMED; 256];
    let mut i = 0;
    while i < 256 {
        if let Some(spec) = &SPECS[i]
            && spec.is_timed()
        {
            table[i] = spec.args.len() as u8 - 1;
        }
        i += 1;
    }
    table
};

/// Every known event, by number.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    SPECS.iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for spec in all() {
            assert_eq!(EventType::from_name(spec.name), Some(spec.event));
            assert_eq!(spec.is_timed(), spec.args.first() == Some(&"dt"), "{}", spec.name);
            assert!(!spec.is_timed() || spec.args.len() <= crate::MAX_TIMED_ARGS);
            let stacks = spec.args.iter().filter(|arg| ArgKind::of(arg) == ArgKind::Stack).count();
            assert_eq!(stacks > 0, spec.arg("stack").is_some(), "{}", spec.name);
        }
        assert_eq!(all().count(), 61);
    }

    #[test]
    fn experimental_events_need_their_version() {
        assert!(!EventType::SPAN.is_in(Version::Go122));
        assert!(EventType::SPAN.is_in(Version::Go123));
        assert!(!EventType(200).is_in(Version::CURRENT));
    }
}
