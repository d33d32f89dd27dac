//! Events as they are delivered: in order, with their context. What they say is in `details.rs`.

use crate::generation::Generation;
use crate::order::{NameRef, Names};
use crate::stack::Stack;
use crate::{GoId, ProcId, TaskId, ThreadId, Time};
use bstr::BStr;
use gotrail_format::EventType;
use std::fmt;

/// An event in order, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub(crate) time: i64,
    pub(crate) thread: i64,
    pub(crate) proc: i64,
    pub(crate) go: i64,
    /// The wire arguments behind the time, with what the order found out in place of some: the
    /// status alone in a goroutine's status, parent and name in a task's end, the reason in the
    /// end of a stop-the-world. A sync has its number, a CPU sample its stack.
    pub(crate) args: [u64; 4],
    pub(crate) event: EventType,
    /// The state before, for statuses and steals.
    pub(crate) old: u8,
}

/// The event type of a sync, which is not on the wire.
pub(crate) const SYNC: EventType = EventType(0xff);

impl Ordered {
    pub(crate) const EMPTY: Ordered =
        Ordered { time: 0, thread: -1, proc: -1, go: -1, args: [0; 4], event: SYNC, old: 0 };

    pub(crate) fn sync(time: i64, number: u64) -> Ordered {
        Ordered { time, args: [number, 0, 0, 0], ..Ordered::EMPTY }
    }
}

/// One event of a trace. It borrows from its generation; copying it is cheap.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    pub(crate) raw: Ordered,
    pub(crate) generation: &'a Generation<'a>,
    pub(crate) names: &'a Names,
}

/// What kind of event this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A point where everything that exists has been told: before each generation, at the end.
    Sync,
    /// A metric has a new value.
    Metric,
    /// A label for a goroutine.
    Label,
    /// A CPU sample.
    StackSample,
    /// A range of time begins.
    RangeBegin,
    /// A range of time began before the generation.
    RangeActive,
    /// A range of time ends.
    RangeEnd,
    /// A task begins.
    TaskBegin,
    /// A task ends.
    TaskEnd,
    /// A region begins.
    RegionBegin,
    /// A region ends.
    RegionEnd,
    /// A log message.
    Log,
    /// A goroutine or proc changes its state.
    StateTransition,
    /// An event of an experiment, not interpreted.
    Experimental,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 14] = [
        Kind::Sync,
        Kind::Metric,
        Kind::Label,
        Kind::StackSample,
        Kind::RangeBegin,
        Kind::RangeActive,
        Kind::RangeEnd,
        Kind::TaskBegin,
        Kind::TaskEnd,
        Kind::RegionBegin,
        Kind::RegionEnd,
        Kind::Log,
        Kind::StateTransition,
        Kind::Experimental,
    ];

    /// The kind's name as the reference prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Sync => "Sync",
            Kind::Metric => "Metric",
            Kind::Label => "Label",
            Kind::StackSample => "StackSample",
            Kind::RangeBegin => "RangeBegin",
            Kind::RangeActive => "RangeActive",
            Kind::RangeEnd => "RangeEnd",
            Kind::TaskBegin => "TaskBegin",
            Kind::TaskEnd => "TaskEnd",
            Kind::RegionBegin => "RegionBegin",
            Kind::RegionEnd => "RegionEnd",
            Kind::Log => "Log",
            Kind::StateTransition => "StateTransition",
            Kind::Experimental => "Experimental",
        }
    }

    fn of(event: EventType) -> Kind {
        match event {
            SYNC => Kind::Sync,
            EventType::CPU_SAMPLE => Kind::StackSample,
            EventType::PROCS_CHANGE | EventType::HEAP_ALLOC | EventType::HEAP_GOAL => Kind::Metric,
            EventType::GO_LABEL => Kind::Label,
            EventType::STW_BEGIN
            | EventType::GC_BEGIN
            | EventType::GC_SWEEP_BEGIN
            | EventType::GC_MARK_ASSIST_BEGIN => Kind::RangeBegin,
            EventType::GC_ACTIVE
            | EventType::GC_SWEEP_ACTIVE
            | EventType::GC_MARK_ASSIST_ACTIVE => Kind::RangeActive,
            EventType::STW_END
            | EventType::GC_END
            | EventType::GC_SWEEP_END
            | EventType::GC_MARK_ASSIST_END => Kind::RangeEnd,
            EventType::USER_TASK_BEGIN => Kind::TaskBegin,
            EventType::USER_TASK_END => Kind::TaskEnd,
            EventType::USER_REGION_BEGIN => Kind::RegionBegin,
            EventType::USER_REGION_END => Kind::RegionEnd,
            EventType::USER_LOG => Kind::Log,
            EventType(128..) => Kind::Experimental,
            _ => Kind::StateTransition,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<'a> Event<'a> {
    /// The bytes of the trace that the event's generation takes; none for the sync at the end,
    /// which belongs to no generation.
    pub fn generation_bytes(&self) -> std::ops::Range<u64> {
        self.generation.byte_range()
    }

    /// What kind of event this is.
    pub fn kind(&self) -> Kind {
        Kind::of(self.raw.event)
    }

    /// When it happened. Times of a trace rise strictly.
    pub fn time(&self) -> Time {
        Time(self.raw.time)
    }

    /// When it happened on the wall clock, in nanoseconds since 1970 in UTC; traces have this
    /// from format 1.25 on.
    pub fn wall_clock(&self) -> Option<i128> {
        Some(self.generation.clock?.wall_at(self.time()))
    }

    /// The thread on which it happened, or [`ThreadId::NONE`].
    pub fn thread(&self) -> ThreadId {
        ThreadId(self.raw.thread)
    }

    /// The proc on which it happened, or [`ProcId::NONE`]: the one before the event, where the
    /// event changes it.
    pub fn proc(&self) -> ProcId {
        ProcId(self.raw.proc)
    }

    /// The goroutine on which it happened, or [`GoId::NONE`]: the one before the event, where
    /// the event changes it.
    pub fn goroutine(&self) -> GoId {
        GoId(self.raw.go)
    }

    /// The generation that the event belongs to; `None` for a sync that ends the trace.
    pub fn generation(&self) -> Option<u64> {
        (self.generation.number != 0).then_some(self.generation.number)
    }

    /// The format version of the trace.
    pub fn format_version(&self) -> gotrail_format::Version {
        self.generation.version
    }

    /// The wire event that this one comes from; `None` for a sync.
    pub fn wire_type(&self) -> Option<EventType> {
        (self.raw.event != SYNC).then_some(self.raw.event)
    }

    /// The stack of the running goroutine at that moment.
    pub fn stack(&self) -> Option<Stack<'a>> {
        let arg = STACK_ARG[self.raw.event.0 as usize];
        self.generation.stack(*self.raw.args.get(arg as usize)?)
    }

    /// The id of [`Event::stack`] in the event's generation; 0 if there is none.
    #[inline]
    pub fn stack_id(&self) -> u64 {
        let arg = STACK_ARG[self.raw.event.0 as usize];
        self.raw.args.get(arg as usize).copied().unwrap_or(0)
    }

    /// The stack with this id in the event's generation, unless the id is 0.
    pub fn stack_with_id(&self, id: u64) -> Option<Stack<'a>> {
        self.generation.stack(id)
    }

    /// The string with this id in the event's generation; empty where there is none.
    pub fn string(&self, id: u64) -> &'a BStr {
        self.generation.string(id)
    }

    /// If this is a [`Kind::Metric`], its value in numbers.
    #[inline]
    pub fn metric_value(&self) -> Option<u64> {
        use EventType as T;
        matches!(self.raw.event, T::PROCS_CHANGE | T::HEAP_ALLOC | T::HEAP_GOAL)
            .then(|| self.raw.args[0])
    }

    /// If a region begins or ends, its task and the string of its type.
    #[inline]
    pub fn region_ids(&self) -> Option<(TaskId, u64)> {
        matches!(self.raw.event, EventType::USER_REGION_BEGIN | EventType::USER_REGION_END)
            .then(|| (TaskId(self.raw.args[0]), self.raw.args[1]))
    }

    /// If a task begins or ends, its id, its parent and the string of its type; no string if the type is
    /// not among those of the event's generation, which only [`Event::details`] has then.
    #[inline]
    pub fn task_ids(&self) -> Option<(TaskId, TaskId, Option<u64>)> {
        let [id, first, second, name] = self.raw.args;
        match self.raw.event {
            EventType::USER_TASK_BEGIN => Some((TaskId(id), TaskId(first), Some(second))),
            EventType::USER_TASK_END => {
                Some((TaskId(id), TaskId(second), NameRef(name).of_generation()))
            }
            _ => None,
        }
    }

    /// If this is a log message, its task and the strings of its category and text.
    #[inline]
    pub fn log_ids(&self) -> Option<(TaskId, u64, u64)> {
        let [task, category, message, _] = self.raw.args;
        (self.raw.event == EventType::USER_LOG).then_some((TaskId(task), category, message))
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("kind", &self.kind())
            .field("time", &self.time())
            .field("thread", &self.thread())
            .field("proc", &self.proc())
            .field("goroutine", &self.goroutine())
            .field("details", &self.details())
            .finish()
    }
}

/// For each event: which argument behind the time is the running goroutine's stack; too large a
/// number if none is.
pub(crate) static STACK_ARG: [u8; 256] = {
    let mut table = [0xff; 256];
    // A sample carries nothing else; its other numbers are its context.
    table[EventType::CPU_SAMPLE.0 as usize] = 0;
    let mut event = 0;
    while event < 256 {
        if let Some(spec) = EventType(event as u8).spec()
            && spec.is_timed()
        {
            let mut arg = 1;
            while arg < spec.args.len() {
                if matches!(spec.args[arg].as_bytes(), b"stack") {
                    table[event] = arg as u8 - 1;
                }
                arg += 1;
            }
        }
        event += 1;
    }
    table
};
