//! Events as they are delivered: in order, with their context, and typed.

use crate::generation::{ExperimentalBatch, Generation};
use crate::order::{NameRef, Names};
use crate::stack::Stack;
use crate::{ClockSnapshot, GoId, ProcId, TaskId, ThreadId, Time};
use bstr::BStr;
use gotrail_format::{EventType, Experiment};
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

            fn of_number(number: u8) -> $name {
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

/// What an event says, by kind.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Details<'a> {
    /// See [`Kind::Sync`].
    Sync(Sync<'a>),
    /// See [`Kind::Metric`].
    Metric(Metric),
    /// See [`Kind::Label`].
    Label(Label<'a>),
    /// See [`Kind::RangeBegin`], [`Kind::RangeActive`], [`Kind::RangeEnd`].
    Range(Range<'a>),
    /// See [`Kind::TaskBegin`], [`Kind::TaskEnd`].
    Task(Task<'a>),
    /// See [`Kind::RegionBegin`], [`Kind::RegionEnd`].
    Region(Region<'a>),
    /// See [`Kind::Log`].
    Log(Log<'a>),
    /// A goroutine's [`Kind::StateTransition`].
    Goroutine(GoTransition<'a>),
    /// A proc's [`Kind::StateTransition`].
    Proc(ProcTransition),
    /// See [`Kind::StackSample`]; the stack is the event's.
    StackSample,
    /// See [`Kind::Experimental`].
    Experimental(Experimental<'a>),
}

/// A point where everything that exists has been told.
#[derive(Debug, Clone, Copy)]
pub struct Sync<'a> {
    /// The number of the sync, from 1 on.
    pub number: u64,
    /// The clocks of the generation that follows.
    pub clock: Option<ClockSnapshot>,
    generation: &'a Generation<'a>,
}

impl PartialEq for Sync<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.number, self.clock) == (other.number, other.clock)
    }
}

impl<'a> Sync<'a> {
    /// The unparsed data of experiments in the generation that follows.
    pub fn experimental_batches(&self) -> impl Iterator<Item = ExperimentalBatch<'a>> + 'a {
        self.generation.experimental_batches()
    }
}

/// A metric's new value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The name as in Go's `runtime/metrics`, unit included.
    pub name: &'static str,
    /// The value.
    pub value: u64,
}

/// A label for a goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label<'a> {
    /// The label.
    pub label: &'a BStr,
    /// The goroutine.
    pub go: GoId,
}

/// What a range is scoped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole program.
    Global,
    /// A goroutine.
    Go(GoId),
    /// A proc.
    Proc(ProcId),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Global => f.write_str("None"),
            Scope::Go(id) => write!(f, "Goroutine({id})"),
            Scope::Proc(id) => write!(f, "Proc({id})"),
        }
    }
}

/// The name of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RangeName<'a> {
    /// The world is stopped, with the reason.
    StopTheWorld(&'a BStr),
    /// The concurrent mark phase.
    GcMark,
    /// A proc sweeps.
    GcSweep,
    /// A goroutine assists the mark phase.
    GcMarkAssist,
}

impl fmt::Display for RangeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RangeName::StopTheWorld(reason) => write!(f, "stop-the-world ({reason})"),
            RangeName::GcMark => f.write_str("GC concurrent mark phase"),
            RangeName::GcSweep => f.write_str("GC incremental sweep"),
            RangeName::GcMarkAssist => f.write_str("GC mark assist"),
        }
    }
}

/// A range of time. There is at most one of a name and scope at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range<'a> {
    /// What the range is.
    pub name: RangeName<'a>,
    /// What it is scoped to. For an active range this may not be in the event's context.
    pub scope: Scope,
    /// At the end of a sweep: the bytes swept and the bytes reclaimed.
    pub swept: Option<(u64, u64)>,
}

/// A task of the annotation API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task<'a> {
    /// Its id.
    pub id: TaskId,
    /// Its parent, or [`TaskId::NONE`].
    pub parent: TaskId,
    /// Its type; empty at the end of a task that began before the trace.
    pub name: &'a BStr,
}

/// A region of the annotation API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region<'a> {
    /// The task that it belongs to.
    pub task: TaskId,
    /// Its type.
    pub name: &'a BStr,
}

/// A log message of the annotation API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log<'a> {
    /// The task that it belongs to.
    pub task: TaskId,
    /// Its category.
    pub category: &'a BStr,
    /// The message.
    pub message: &'a BStr,
}

/// A goroutine changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoTransition<'a> {
    /// The goroutine.
    pub go: GoId,
    /// Its state before.
    pub from: GoState,
    /// Its state after.
    pub to: GoState,
    /// Why, where the trace says so; else empty.
    pub reason: &'a BStr,
    /// The stack of the goroutine that changes; for a new one, where it will start. The event's
    /// own stack is that of whoever caused the change.
    pub stack: Option<Stack<'a>>,
}

/// A [`GoTransition`] in numbers, for those who look at every one: nothing is looked up.
///
/// Ids of strings and stacks mean something in the event's generation only, see [`Event::string`]
/// and [`Event::stack_with_id`]; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoStep {
    /// The goroutine.
    pub go: GoId,
    /// Its state before.
    pub from: GoState,
    /// Its state after.
    pub to: GoState,
    /// The string that says why, or 0.
    pub reason: u64,
    /// The stack of the goroutine that changes, or 0.
    pub stack: u64,
}

/// A proc changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcTransition {
    /// The proc.
    pub proc: ProcId,
    /// Its state before.
    pub from: ProcState,
    /// Its state after.
    pub to: ProcState,
}

/// An event of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Experimental<'a> {
    /// The event's name.
    pub name: &'static str,
    /// The experiment.
    pub experiment: Experiment,
    /// The names of its arguments.
    pub arg_names: &'static [&'static str],
    /// The arguments; as many count as there are names.
    values: [u64; 4],
    generation: std::marker::PhantomData<&'a ()>,
}

impl Experimental<'_> {
    /// The arguments with their names.
    pub fn args(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.arg_names.iter().copied().zip(self.values)
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

    /// [`Event::go_step`] for those who know already which event it is, and so from what to what
    /// the goroutine goes: `named` if the event names it, and else it is the running one.
    #[doc(hidden)]
    #[inline(always)]
    pub fn known_step(&self, named: bool, from: GoState, to: GoState) -> GoStep {
        let [first, second, ..] = self.raw.args;
        let go = if named { first as i64 } else { self.raw.go };
        // The reason of a stop and of a block, and their stack; a syscall's first argument is the
        // sequence number of its proc.
        let stops = matches!((from, to), (GoState::Running, GoState::Runnable | GoState::Waiting));
        let reason = if stops { first } else { 0 };
        let begins = matches!((from, to), (GoState::Running, GoState::Syscall));
        let stack = if stops || begins { second } else { 0 };
        GoStep { go: GoId(go), from, to, reason, stack }
    }

    /// [`Event::stack_id`] for those who know already that a goroutine wakes another.
    #[doc(hidden)]
    #[inline(always)]
    pub fn known_waking_stack(&self) -> u64 {
        const { assert!(STACK_ARG[EventType::GO_UNBLOCK.0 as usize] == 2) };
        self.raw.args[2]
    }

    /// If this is a goroutine's change of state, that change in numbers.
    #[inline]
    pub fn go_step(&self) -> Option<GoStep> {
        let args = &self.raw.args;
        let step = &GO_STEPS[self.raw.event.0 as usize];
        let (from, to) = match step.who {
            Who::Nobody => return None,
            Who::Status => (
                GoState::of_number(self.raw.old),
                go_state_of_status(args[2] as u8).unwrap_or(GoState::Undetermined),
            ),
            Who::This | Who::Named => (step.from, step.to),
        };
        let go = if step.who == Who::This { self.raw.go } else { args[0] as i64 };
        let arg = |number: u8| args.get(number as usize).copied().unwrap_or(0);
        Some(GoStep { go: GoId(go), from, to, reason: arg(step.reason), stack: arg(step.stack) })
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

    /// If this is a proc's change of state, that change.
    #[inline]
    pub fn proc_step(&self) -> Option<ProcTransition> {
        use EventType as T;
        let proc =
            matches!(self.raw.event, T::PROC_START | T::PROC_STOP | T::PROC_STEAL | T::PROC_STATUS);
        proc.then(|| self.proc_transition())
    }

    /// Whether it says of a proc that its thread was lost in a system call: such a proc counts as
    /// idle, unless it is known from before to be held.
    #[doc(hidden)]
    pub fn says_abandoned(&self) -> bool {
        let abandoned = crate::order::PROC_ABANDONED;
        self.raw.event == EventType::PROC_STATUS && self.raw.args[1] as u8 == abandoned
    }

    /// What the event says.
    pub fn details(&self) -> Details<'a> {
        use EventType as T;
        let args = &self.raw.args;
        let range = |name, scope| Details::Range(Range { name, scope, swept: None });
        let this_go = Scope::Go(self.goroutine());
        let this_proc = Scope::Proc(self.proc());
        match self.raw.event {
            SYNC => Details::Sync(Sync {
                number: args[0],
                clock: self.generation.clock,
                generation: self.generation,
            }),
            T::CPU_SAMPLE => Details::StackSample,

            T::PROCS_CHANGE => metric("/sched/gomaxprocs:threads", args[0]),
            T::HEAP_ALLOC => metric("/memory/classes/heap/objects:bytes", args[0]),
            T::HEAP_GOAL => metric("/gc/heap/goal:bytes", args[0]),
            T::GO_LABEL => {
                Details::Label(Label { label: self.string(args[0]), go: self.goroutine() })
            }

            T::STW_BEGIN | T::STW_END => {
                range(RangeName::StopTheWorld(self.string(args[0])), this_go)
            }
            T::GC_BEGIN | T::GC_ACTIVE | T::GC_END => range(RangeName::GcMark, Scope::Global),
            T::GC_SWEEP_BEGIN => range(RangeName::GcSweep, this_proc),
            T::GC_SWEEP_ACTIVE => range(RangeName::GcSweep, Scope::Proc(ProcId(args[0] as i64))),
            T::GC_SWEEP_END => Details::Range(Range {
                name: RangeName::GcSweep,
                scope: this_proc,
                swept: Some((args[0], args[1])),
            }),
            T::GC_MARK_ASSIST_BEGIN | T::GC_MARK_ASSIST_END => {
                range(RangeName::GcMarkAssist, this_go)
            }
            T::GC_MARK_ASSIST_ACTIVE => {
                range(RangeName::GcMarkAssist, Scope::Go(GoId(args[0] as i64)))
            }

            T::USER_TASK_BEGIN => Details::Task(Task {
                id: TaskId(args[0]),
                parent: TaskId(args[1]),
                name: self.string(args[2]),
            }),
            T::USER_TASK_END => Details::Task(Task {
                id: TaskId(args[0]),
                parent: TaskId(args[2]),
                name: NameRef(args[3]).resolve(self.generation, self.names),
            }),
            T::USER_REGION_BEGIN | T::USER_REGION_END => {
                Details::Region(Region { task: TaskId(args[0]), name: self.string(args[1]) })
            }
            T::USER_LOG => Details::Log(Log {
                task: TaskId(args[0]),
                category: self.string(args[1]),
                message: self.string(args[2]),
            }),
            T::PROC_START | T::PROC_STOP | T::PROC_STEAL | T::PROC_STATUS => {
                Details::Proc(self.proc_transition())
            }
            T(128..) => {
                let spec = self.raw.event.spec();
                Details::Experimental(Experimental {
                    name: self.raw.event.name(),
                    experiment: spec.map_or(Experiment::NONE, |spec| spec.experiment()),
                    arg_names: spec.map_or(&[], |spec| &spec.args[1..]),
                    values: *args,
                    generation: std::marker::PhantomData,
                })
            }
            _ => Details::Goroutine(self.go_transition()),
        }
    }

    fn proc_transition(&self) -> ProcTransition {
        let args = &self.raw.args;
        let change = |proc, from, to| ProcTransition { proc, from, to };
        let named = ProcId(args[0] as i64);
        match self.raw.event {
            EventType::PROC_START => change(named, ProcState::Idle, ProcState::Running),
            EventType::PROC_STOP => change(self.proc(), ProcState::Running, ProcState::Idle),
            EventType::PROC_STEAL => {
                // A proc that was abandoned is idle already, as its status said.
                let from = proc_state_of_status(self.raw.old).unwrap_or(ProcState::Undetermined);
                change(named, from, ProcState::Idle)
            }
            _ => {
                let to = proc_state_of_status(args[1] as u8).unwrap_or(ProcState::Undetermined);
                change(named, ProcState::of_number(self.raw.old), to)
            }
        }
    }

    fn go_transition(&self) -> GoTransition<'a> {
        let nothing = GoStep {
            go: GoId::NONE,
            from: GoState::Undetermined,
            to: GoState::Undetermined,
            reason: 0,
            stack: 0,
        };
        let step = self.go_step().unwrap_or(nothing);
        GoTransition {
            go: step.go,
            from: step.from,
            to: step.to,
            reason: self.string(step.reason),
            stack: self.generation.stack(step.stack),
        }
    }
}

fn metric(name: &'static str, value: u64) -> Details<'static> {
    Details::Metric(Metric { name, value })
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
static STACK_ARG: [u8; 256] = {
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

/// Whose state an event changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// No goroutine's.
    Nobody,
    /// The running goroutine's.
    This,
    /// That of the goroutine in the first argument.
    Named,
    /// The same, to the state in the third argument.
    Status,
}

/// What an event does to a goroutine.
#[derive(Clone, Copy)]
struct Step {
    who: Who,
    from: GoState,
    to: GoState,
    /// Which argument is the reason, and which the stack of the goroutine; too large for none.
    reason: u8,
    stack: u8,
}

/// For each event, what it does to a goroutine.
static GO_STEPS: [Step; 256] = {
    use EventType as T;
    use GoState::*;
    const NO_ARG: u8 = 0xff;
    let nobody = Step {
        who: Who::Nobody,
        from: Undetermined,
        to: Undetermined,
        reason: NO_ARG,
        stack: NO_ARG,
    };
    let mut table = [nobody; 256];
    let rows = [
        (T::GO_CREATE, Who::Named, NotExist, Runnable, NO_ARG, 1),
        (T::GO_CREATE_BLOCKED, Who::Named, NotExist, Waiting, NO_ARG, 1),
        (T::GO_CREATE_SYSCALL, Who::Named, NotExist, Syscall, NO_ARG, NO_ARG),
        (T::GO_START, Who::Named, Runnable, Running, NO_ARG, NO_ARG),
        (T::GO_DESTROY, Who::This, Running, NotExist, NO_ARG, NO_ARG),
        (T::GO_DESTROY_SYSCALL, Who::This, Syscall, NotExist, NO_ARG, NO_ARG),
        (T::GO_STOP, Who::This, Running, Runnable, 0, 1),
        (T::GO_BLOCK, Who::This, Running, Waiting, 0, 1),
        (T::GO_UNBLOCK, Who::Named, Waiting, Runnable, NO_ARG, NO_ARG),
        (T::GO_SWITCH, Who::Named, Waiting, Runnable, NO_ARG, NO_ARG),
        (T::GO_SWITCH_DESTROY, Who::Named, Waiting, Runnable, NO_ARG, NO_ARG),
        (T::GO_SYSCALL_BEGIN, Who::This, Running, Syscall, NO_ARG, STACK_ARG_OF_SYSCALL),
        (T::GO_SYSCALL_END, Who::This, Syscall, Running, NO_ARG, NO_ARG),
        (T::GO_SYSCALL_END_BLOCKED, Who::This, Syscall, Runnable, NO_ARG, NO_ARG),
        (T::GO_STATUS, Who::Status, Undetermined, Undetermined, NO_ARG, NO_ARG),
        (T::GO_STATUS_STACK, Who::Status, Undetermined, Undetermined, NO_ARG, 3),
    ];
    let mut row = 0;
    while row < rows.len() {
        let (event, who, from, to, reason, stack) = rows[row];
        table[event.0 as usize] = Step { who, from, to, reason, stack };
        row += 1;
    }
    table
};

/// Behind the sequence number of the proc.
const STACK_ARG_OF_SYSCALL: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_step_is_what_the_table_says() {
        use EventType as T;
        use GoState::*;
        let generation = Generation::empty(gotrail_format::Version::Go126);
        let names = Names::default();
        for (event, named, from, to) in [
            (T::GO_START, true, Runnable, Running),
            (T::GO_UNBLOCK, true, Waiting, Runnable),
            (T::GO_BLOCK, false, Running, Waiting),
            (T::GO_STOP, false, Running, Runnable),
            (T::GO_SYSCALL_BEGIN, false, Running, Syscall),
            (T::GO_SYSCALL_END, false, Syscall, Running),
        ] {
            let raw = Ordered { event, go: 7, args: [11, 12, 13, 14], ..Ordered::EMPTY };
            let event = Event { raw, generation: &generation, names: &names };
            assert_eq!(event.go_step(), Some(event.known_step(named, from, to)));
        }
    }
}
