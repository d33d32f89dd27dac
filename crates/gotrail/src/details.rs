//! What an event says, by its kind, with names and stacks looked up.

use crate::event::{Event, SYNC};
use crate::generation::{ExperimentalBatch, Generation};
use crate::order::NameRef;
use crate::stack::Stack;
use crate::states::{GoState, ProcState, proc_state_of_status};
use crate::steps::GoStep;
use crate::{ClockSnapshot, GoId, ProcId, TaskId};
use bstr::BStr;
use gotrail_format::{EventType, Experiment};
use std::fmt;

/// What an event says, by kind.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Details<'a> {
    /// See [`Kind::Sync`](crate::Kind::Sync).
    Sync(Sync<'a>),
    /// See [`Kind::Metric`](crate::Kind::Metric).
    Metric(Metric),
    /// See [`Kind::Label`](crate::Kind::Label).
    Label(Label<'a>),
    /// See [`Kind::RangeBegin`](crate::Kind::RangeBegin), [`Kind::RangeActive`](crate::Kind::RangeActive), [`Kind::RangeEnd`](crate::Kind::RangeEnd).
    Range(Range<'a>),
    /// See [`Kind::TaskBegin`](crate::Kind::TaskBegin), [`Kind::TaskEnd`](crate::Kind::TaskEnd).
    Task(Task<'a>),
    /// See [`Kind::RegionBegin`](crate::Kind::RegionBegin), [`Kind::RegionEnd`](crate::Kind::RegionEnd).
    Region(Region<'a>),
    /// See [`Kind::Log`](crate::Kind::Log).
    Log(Log<'a>),
    /// A goroutine's [`Kind::StateTransition`](crate::Kind::StateTransition).
    Goroutine(GoTransition<'a>),
    /// A proc's [`Kind::StateTransition`](crate::Kind::StateTransition).
    Proc(ProcTransition),
    /// See [`Kind::StackSample`](crate::Kind::StackSample); the stack is the event's.
    StackSample,
    /// See [`Kind::Experimental`](crate::Kind::Experimental).
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
