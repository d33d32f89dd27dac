//! Checks of ordered events that go beyond what their order needs.
//!
//! The reader already guarantees that the events of a trace can have happened in this order. A
//! [`Checker`] follows them as a consumer would, knowing nothing of the reader's state, and says
//! where they do not add up: a transition from a state that was not reached, two goroutines on
//! one thread, a range that ends without having begun, clocks that go backwards.
//!
//! ```
//! # let trace = gotrail::Trace::from_bytes(gotrail::doc_trace())?;
//! let mut reader = trace.reader(gotrail::Mode::Strict)?;
//! let mut checker = gotrail::deep::Checker::new();
//! while let Some(event) = reader.next_event()? {
//!     for finding in checker.event(&event) {
//!         panic!("{finding}");
//!     }
//! }
//! # Ok::<(), gotrail::Error>(())
//! ```

use crate::{
    ClockSnapshot, Details, Event, GoId, GoState, GoTransition, Kind, ProcId, ProcState,
    ProcTransition, Range, RangeName, Scope, Stack, Subject, Sync, Task, TaskId, ThreadId, Time,
    Version,
};
use bstr::{BStr, BString};
use rustc_hash::FxHashMap;
use std::fmt;

/// Something that does not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The time of the event.
    pub time: Time,
    /// The thread of the event.
    pub thread: ThreadId,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (time {}, thread {})", self.problem, self.time, self.thread)
    }
}

/// What does not add up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Times must rise strictly.
    #[error("the time does not rise: the event before is at {0}")]
    TimeNotRising(Time),
    /// Only the innermost frame of a stack may lack something.
    #[error("frame {0} of a stack lacks its function, file, line or PC")]
    IncompleteFrame(usize),
    /// Syncs are numbered from 1 on.
    #[error("sync {found} follows sync {before}")]
    SyncNumber {
        /// The number of the last sync.
        before: u64,
        /// The number of this one.
        found: u64,
    },
    /// From format 1.25 on every generation has a clock snapshot.
    #[error("a sync without a clock snapshot")]
    NoClock,
    /// A clock shows zero.
    #[error("the {0} of a clock snapshot is zero")]
    ClockZero(&'static str),
    /// A clock does not rise from one snapshot to the next.
    #[error("the {0} of the clock snapshots does not rise")]
    ClockNotRising(&'static str),
    /// A label without text, or for a goroutine that does not exist.
    #[error("a label that is empty or for the unknown goroutine {0}")]
    BadLabel(GoId),
    /// After the first generation every state is known.
    #[error("{0} is in an undetermined state after the first generation")]
    Undetermined(Subject),
    /// No such transition is possible.
    #[error("{of} cannot go from {from} to {to}")]
    IllegalTransition {
        /// The goroutine or proc.
        of: Subject,
        /// Its state before.
        from: &'static str,
        /// Its state after.
        to: &'static str,
    },
    /// A transition from another state than the one that was reached.
    #[error("{of} is said to be {found} but is {known}")]
    WrongState {
        /// The goroutine or proc.
        of: Subject,
        /// Its state after the events so far.
        known: &'static str,
        /// The state before, says the event.
        found: &'static str,
    },
    /// Something ended within a range.
    #[error("{0} ended with an active range")]
    EndedInRange(Subject),
    /// Only one goroutine can run on a thread, and a thread can have only one proc.
    #[error("{of} begins to run on a thread that has {holds}")]
    ThreadTaken {
        /// What begins to run.
        of: Subject,
        /// What the thread has.
        holds: Subject,
    },
    /// Running needs a thread.
    #[error("{0} runs without a thread")]
    NoThread(Subject),
    /// Something stops on a thread that does not run it.
    #[error("{0} stops but was not running on any thread")]
    NotRunning(Subject),
    /// The stack of a goroutine that stops is the stack of the event.
    #[error("goroutine {0} stops with another stack than the event's")]
    StackMismatch(GoId),
    /// A range begins again.
    #[error("range \"{0}\" begins again while it is active")]
    RangeActive(String),
    /// A range ends that is not active.
    #[error("range \"{0}\" ends without having begun")]
    RangeInactive(String),
    /// A task with an id, or a parent, that no task has.
    #[error("task {0} cannot begin: it or its parent has a reserved id")]
    ReservedTask(TaskId),
    /// A task ends under another name.
    #[error("task {id} begins as {begun} and ends as {ended}")]
    TaskName {
        /// The task.
        id: TaskId,
        /// Its name at its beginning.
        begun: BString,
        /// Its name at its end.
        ended: BString,
    },
}

/// Follows the events of a trace and reports what does not add up.
#[derive(Debug, Default)]
pub struct Checker {
    last_time: Option<Time>,
    last_sync: u64,
    last_clock: Option<ClockSnapshot>,
    goroutines: FxHashMap<GoId, Life<GoState>>,
    procs: FxHashMap<ProcId, Life<ProcState>>,
    threads: FxHashMap<ThreadId, Holds>,
    ranges: FxHashMap<Scope, Vec<Name>>,
    tasks: FxHashMap<TaskId, BString>,
}

/// The state of a goroutine or proc, and the thread that runs it.
#[derive(Debug)]
struct Life<S> {
    state: S,
    thread: Option<ThreadId>,
}

#[derive(Debug, Default)]
struct Holds {
    go: Option<GoId>,
    proc: Option<ProcId>,
}

/// The name of a range, owned.
#[derive(Debug, PartialEq, Eq)]
enum Name {
    StopTheWorld(BString),
    Mark,
    Sweep,
    Assist,
}

impl Name {
    fn of(name: RangeName<'_>) -> Name {
        match name {
            RangeName::StopTheWorld(reason) => Name::StopTheWorld(reason.to_owned()),
            RangeName::GcMark => Name::Mark,
            RangeName::GcSweep => Name::Sweep,
            RangeName::GcMarkAssist => Name::Assist,
        }
    }
}

impl Checker {
    /// A checker for the events of one trace, from its first on.
    pub fn new() -> Checker {
        Checker::default()
    }

    /// Checks the next event. Nothing is allocated where nothing is wrong.
    pub fn event(&mut self, event: &Event<'_>) -> Vec<Finding> {
        let mut problems = Vec::new();
        if let Some(last) = self.last_time.replace(event.time())
            && event.time() <= last
        {
            problems.push(Problem::TimeNotRising(last));
        }
        check_stack(event.stack(), &mut problems);
        let finding = |problem| Finding { time: event.time(), thread: event.thread(), problem };
        if !event.format_version().has_generations() {
            // Traces of Go 1.21 and earlier do not tell all threads, which the rest is about.
            return problems.into_iter().map(finding).collect();
        }
        match event.details() {
            Details::Sync(sync) => self.sync(event, &sync, &mut problems),
            Details::Label(label)
                if label.label.is_empty() || !self.goroutines.contains_key(&label.go) =>
            {
                problems.push(Problem::BadLabel(label.go));
            }
            Details::Goroutine(change) => self.goroutine(event, &change, &mut problems),
            Details::Proc(change) => self.proc(event, &change, &mut problems),
            Details::Range(range) => self.range(event.kind(), &range, &mut problems),
            Details::Task(task) => self.task(event.kind(), &task, &mut problems),
            _ => {}
        }
        problems.into_iter().map(finding).collect()
    }

    fn sync(&mut self, event: &Event<'_>, sync: &Sync<'_>, problems: &mut Vec<Problem>) {
        if sync.number != self.last_sync + 1 {
            problems.push(Problem::SyncNumber { before: self.last_sync, found: sync.number });
        }
        self.last_sync = sync.number;
        let Some(clock) = sync.clock else {
            // The sync at the end of a trace belongs to no generation.
            if event.format_version() >= Version::Go125 && event.generation().is_some() {
                problems.push(Problem::NoClock);
            }
            return;
        };
        let wall = (clock.wall_seconds, clock.wall_nanos);
        let zeros = [
            ("wall time", wall == (0, 0)),
            ("monotonic time", clock.mono == 0),
            ("trace time", clock.trace == Time(0)),
        ];
        problems.extend(zeros.iter().filter(|zero| zero.1).map(|zero| Problem::ClockZero(zero.0)));
        if let Some(last) = self.last_clock.replace(clock) {
            let rising = [
                ("wall time", wall > (last.wall_seconds, last.wall_nanos)),
                ("monotonic time", clock.mono > last.mono),
                ("trace time", clock.trace > last.trace),
            ];
            let stuck = rising.iter().filter(|rising| !rising.1);
            problems.extend(stuck.map(|stuck| Problem::ClockNotRising(stuck.0)));
        }
    }

    fn goroutine(
        &mut self,
        event: &Event<'_>,
        change: &GoTransition<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let GoTransition { go, from, to, .. } = *change;
        let of = Subject::Go(go);
        if change.stack != event.stack() {
            check_stack(change.stack, problems);
        }
        if !is_legal_go(from, to) {
            let (from, to) = (from.name(), to.name());
            problems.push(Problem::IllegalTransition { of, from, to });
        }
        if self.last_sync > 1 && from == GoState::Undetermined {
            problems.push(Problem::Undetermined(of));
        }
        let known = self.goroutines.contains_key(&go);
        let life = self.goroutines.entry(go).or_insert(Life { state: from, thread: None });
        let unborn = matches!(from, GoState::Undetermined | GoState::NotExist);
        if life.state != from || (!known && !unborn) {
            let known = if known { life.state.name() } else { "unknown" };
            problems.push(Problem::WrongState { of, known, found: from.name() });
        }
        life.state = to;
        if to.is_executing() {
            let held = hold(&mut self.threads, event, of, problems, |holds| &mut holds.go, go);
            life.thread = held.or(life.thread);
        } else if from.is_executing() {
            if change.stack != event.stack() {
                problems.push(Problem::StackMismatch(go));
            }
            let thread = life.thread.take();
            release(&mut self.threads, thread, of, problems, |holds| &mut holds.go, go);
        }
        if to == GoState::NotExist {
            self.goroutines.remove(&go);
            if self.ranges.remove(&Scope::Go(go)).is_some_and(|ranges| !ranges.is_empty()) {
                problems.push(Problem::EndedInRange(of));
            }
        }
    }

    fn proc(&mut self, event: &Event<'_>, change: &ProcTransition, problems: &mut Vec<Problem>) {
        let ProcTransition { proc, from, to } = *change;
        let of = Subject::Proc(proc);
        if to == ProcState::Undetermined {
            let (from, to) = (from.name(), to.name());
            problems.push(Problem::IllegalTransition { of, from, to });
        }
        if self.last_sync > 1 && from == ProcState::Undetermined {
            problems.push(Problem::Undetermined(of));
        }
        let known = self.procs.contains_key(&proc);
        let life = self.procs.entry(proc).or_insert(Life { state: from, thread: None });
        let unborn = matches!(from, ProcState::Undetermined | ProcState::NotExist);
        if life.state != from || (!known && !unborn) {
            let known = if known { life.state.name() } else { "unknown" };
            problems.push(Problem::WrongState { of, known, found: from.name() });
        }
        life.state = to;
        if to.is_executing() {
            let held = hold(&mut self.threads, event, of, problems, |holds| &mut holds.proc, proc);
            life.thread = held.or(life.thread);
        } else if from.is_executing() {
            let thread = life.thread.take();
            release(&mut self.threads, thread, of, problems, |holds| &mut holds.proc, proc);
        }
    }

    fn range(&mut self, kind: Kind, range: &Range<'_>, problems: &mut Vec<Problem>) {
        let name = Name::of(range.name);
        let active = self.ranges.entry(range.scope).or_default();
        let at = active.iter().position(|other| *other == name);
        match (kind, at) {
            (Kind::RangeBegin, Some(_)) => {
                problems.push(Problem::RangeActive(range.name.to_string()));
            }
            (Kind::RangeBegin | Kind::RangeActive, None) => active.push(name),
            (Kind::RangeEnd, Some(at)) => drop(active.swap_remove(at)),
            (Kind::RangeEnd, None) => {
                problems.push(Problem::RangeInactive(range.name.to_string()));
            }
            _ => {}
        }
    }

    fn task(&mut self, kind: Kind, task: &Task<'_>, problems: &mut Vec<Problem>) {
        if kind == Kind::TaskBegin {
            if matches!(task.id, TaskId::NONE | TaskId::BACKGROUND)
                || task.parent == TaskId::BACKGROUND
            {
                problems.push(Problem::ReservedTask(task.id));
            }
            self.tasks.insert(task.id, task.name.to_owned());
        } else if let Some(begun) = self.tasks.remove(&task.id)
            && <BString as AsRef<BStr>>::as_ref(&begun) != task.name
        {
            let ended = task.name.to_owned();
            problems.push(Problem::TaskName { id: task.id, begun, ended });
        }
    }
}

/// The thread of the event begins to run something: it must not run another of the kind.
fn hold<Id: Copy + PartialEq + Into<Subject>>(
    threads: &mut FxHashMap<ThreadId, Holds>,
    event: &Event<'_>,
    of: Subject,
    problems: &mut Vec<Problem>,
    kind: impl Fn(&mut Holds) -> &mut Option<Id>,
    id: Id,
) -> Option<ThreadId> {
    let Some(thread) = event.thread().some() else {
        problems.push(Problem::NoThread(of));
        return None;
    };
    let held = kind(threads.entry(thread).or_default()).replace(id);
    if let Some(other) = held.filter(|&other| other != id) {
        problems.push(Problem::ThreadTaken { of, holds: other.into() });
    }
    Some(thread)
}

/// Something stops: its thread must have run it.
fn release<Id: Copy + PartialEq>(
    threads: &mut FxHashMap<ThreadId, Holds>,
    thread: Option<ThreadId>,
    of: Subject,
    problems: &mut Vec<Problem>,
    kind: impl Fn(&mut Holds) -> &mut Option<Id>,
    id: Id,
) {
    match thread.and_then(|thread| threads.get_mut(&thread)).map(kind) {
        Some(held) if *held == Some(id) => *held = None,
        _ => problems.push(Problem::NotRunning(of)),
    }
}

/// Whether a goroutine can go from one state to another; a status may also confirm a state.
fn is_legal_go(from: GoState, to: GoState) -> bool {
    use GoState::*;
    match (from, to) {
        (_, Undetermined) | (NotExist, Running | NotExist) => false,
        (Undetermined, _) | (NotExist, _) => true,
        (Running, _) => true,
        (Runnable, to) => matches!(to, Runnable | Running),
        (Waiting, to) => matches!(to, Waiting | Runnable),
        (Syscall, to) => matches!(to, Syscall | Running | Runnable | NotExist),
    }
}

/// The innermost frame may be incomplete: some stacks begin with an empty one.
fn check_stack(stack: Option<Stack<'_>>, problems: &mut Vec<Problem>) {
    let Some(stack) = stack else { return };
    let incomplete = stack.frames().skip(1).position(|frame| {
        frame.function.is_empty() || frame.file.is_empty() || frame.pc == 0 || frame.line == 0
    });
    problems.extend(incomplete.map(|at| Problem::IncompleteFrame(at + 1)));
}
