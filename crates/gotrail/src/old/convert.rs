//! The events of the newer format that an event means: none, one or two.
//!
//! What the old format cannot say is left out: the thread of what happens without a proc, or in
//! the background; whether a goroutine's status is that of its syscall.

use super::OldEvents;
use super::fault::OldFault;
use super::names::{reason, stop_reason};
use super::next::Event;
use super::repair::Repair;
use super::walk::Walk;
use super::wire::Kind;
use crate::error::{Error, Fault, Place};
use crate::event::Ordered;
use crate::generation::Generation;
use crate::order::{NameRef, Sink};
use gotrail_format::EventType;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

// Procs that do not exist, but on which some things are said to happen.
pub(super) const TIMERS: i64 = 1_000_001;
const NETWORK: i64 = 1_000_002;
pub(super) const SYSCALLS: i64 = 1_000_003;
const COLLECTOR: i64 = 1_000_004;
/// What must have happened, and is missing in a broken trace.
pub(super) const MISSING: i64 = 1_000_006;

const NONE: u64 = u64::MAX;

// Statuses of goroutines and procs in the newer format.
const GO_RUNNABLE: u64 = 1;
const GO_RUNNING: u64 = 2;
const GO_SYSCALL: u64 = 3;
const GO_WAITING: u64 = 4;
const PROC_RUNNING: u64 = 1;

#[derive(Debug, Clone, Copy, Default)]
struct Proc {
    seen: bool,
    thread: Option<i64>,
}

/// How many events of the newer format an event comes to, if a syscall does not block: what does is
/// one less. At the beginning it may be other.
#[inline(always)]
pub(super) fn yields(kind: Kind) -> u64 {
    match kind {
        Kind::SYSCALL | Kind::GO_START_LABEL => 2,
        Kind::SYSCALL_BLOCK => 0,
        _ => 1,
    }
}

/// Whether it needs a closer look if the event can be told.
#[inline(always)]
pub(super) fn may_be_refused(event: &Event, generation: &Generation<'_>) -> bool {
    match event.kind {
        Kind::GO_CREATE => !generation.stacks.has(event.args[1]),
        Kind::TASK_CREATE
        | Kind::REGION
        | Kind::LOG
        | Kind::GO_START_LABEL
        | Kind::FUTILE_WAKEUP => true,
        _ => false,
    }
}

/// Whether the event can stand where everything is told that exists at the beginning.
fn is_of_beginning(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::GO_CREATE
            | Kind::GO_WAITING
            | Kind::GO_IN_SYSCALL
            | Kind::PROC_START
            | Kind::GO_START
            | Kind::PROCS_CHANGE
            | Kind::CPU_SAMPLE
    )
}

/// What an event comes to.
#[derive(Default)]
struct Told(Vec<Ordered>);

impl Sink for Told {
    fn emit(&mut self, event: Ordered) {
        self.0.push(event);
    }

    fn emit_known(&mut self, event: Ordered) {
        self.0.push(event);
    }

    fn deliver(&mut self, event: Ordered) {
        self.0.push(event);
    }

    fn commit(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn has_room(&self) -> bool {
        true
    }
}

/// Tells the events of a trace one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Converter {
    walk: Walk,
    /// Where the event lies that was told last.
    at: usize,
    /// How many events were told, and how many of the newer format those come to.
    told: u64,
    yielded: u64,
    procs: Vec<Proc>,
    /// Tasks that have begun: parent and name.
    tasks: FxHashMap<u64, (u64, u64)>,
    /// The string of the reason why the world is stopped.
    stopped: u64,
    /// Before the first event that says how many procs there are, all that exists is told.
    beginning: bool,
    existing: Existing,
    /// What comes next: statuses of goroutines, and all that is left of an event of a broken trace.
    pending: VecDeque<Ordered>,
    lenient: bool,
    /// What is known of a broken trace's events.
    pub(super) repair: Repair,
}

impl Converter {
    /// How many goroutines were seen so far.
    pub(crate) fn goroutine_count(&self) -> usize {
        self.walk.goroutine_count()
    }

    /// Begins with the first event.
    pub(crate) fn new(events: &OldEvents, lenient: bool) -> Converter {
        Converter {
            walk: Walk::new(events),
            at: 0,
            told: 0,
            yielded: 0,
            procs: vec![Proc::default(); events.procs.len()],
            tasks: FxHashMap::default(),
            stopped: 0,
            beginning: true,
            existing: Existing::default(),
            pending: VecDeque::new(),
            lenient: lenient || events.lenient,
            repair: Repair::default(),
        }
    }

    /// Whether all events were told.
    pub(crate) fn is_done(&self, events: &OldEvents) -> bool {
        self.told >= events.count && self.pending.is_empty()
    }

    /// Tells events until the sink has enough; false if there are none left.
    pub(crate) fn step<S: Sink>(
        &mut self,
        events: &OldEvents,
        generation: &Generation<'_>,
        sink: &mut S,
    ) -> Result<bool, Error> {
        while !self.is_done(events) {
            if let Some(event) = self.pending.pop_front() {
                sink.emit(event);
            } else if events.mended {
                self.repaired(events, generation)?;
                continue;
            } else {
                if !self.beginning
                    && let Some(total) = events.total
                    && sink.count_unseen(total - self.yielded, events.end())
                {
                    // Nobody looks at them, and none of them can be refused.
                    self.told = events.count;
                    break;
                }
                let Some((event, number)) = self.walk.next(events, &generation.data) else { break };
                self.at = event.at;
                self.told += 1;
                self.yielded += yields(event.kind);
                let marked = events.marks.has(number);
                if marked && event.kind == Kind::SYSCALL {
                    self.yielded -= 1;
                }
                self.tell(&event, marked, events, generation, sink)?;
            }
            sink.commit()?;
            if !sink.has_room_for_turn() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next event of a broken trace becomes pending, with what must have happened before it.
    #[cold]
    #[inline(never)]
    fn repaired(&mut self, events: &OldEvents, generation: &Generation<'_>) -> Result<(), Error> {
        let Some((event, number)) = self.walk.next(events, &generation.data) else {
            self.told = events.count;
            return Ok(());
        };
        self.told += 1;
        let mut told = Told::default();
        let time = events.nanos_between(events.first, event.time);
        if self.beginning && !is_of_beginning(event.kind) {
            // The event that ends it is missing.
            self.end_beginning(time);
            told.0.extend(self.pending.drain(..));
        }
        self.tell(&event, events.marks.has(number), events, generation, &mut told)?;
        told.0.extend(self.pending.drain(..));
        for event in told.0 {
            self.repair.event(event, &mut self.pending);
        }
        Ok(())
    }

    /// Everything that exists was named: of what is left nothing else is said.
    fn end_beginning(&mut self, time: i64) {
        self.beginning = false;
        self.pending = self.existing.take(time);
    }

    #[inline(always)]
    fn tell<S: Sink>(
        &mut self,
        old: &Event,
        marked: bool,
        events: &OldEvents,
        generation: &Generation<'_>,
        sink: &mut S,
    ) -> Result<(), Error> {
        use EventType as T;
        let time = events.nanos_between(events.first, old.time);
        let place = old.proc as usize;
        let ids = &self.walk.merge.goroutines.ids;
        let (id, other) = (ids[old.go as usize], ids[old.other as usize]);
        let stack = events.stack_of(old, generation);
        let (mut proc, mut thread) = (i64::from(events.procs[place]), self.procs[place].thread);
        let make = |event, args| (event, args);
        let reason = |kind| events.names.wrapping_add(reason(kind));

        let (event, args) = match old.kind {
            Kind::GO_START if self.beginning => {
                self.existing.remove(id);
                make(T::GO_STATUS, [id, NONE, GO_RUNNING, 0])
            }
            Kind::GO_START => make(T::GO_START, [id, 0, 0, 0]),
            Kind::GO_BLOCK
            | Kind::GO_STOP
            | Kind::GO_SLEEP
            | Kind::GO_BLOCK_SEND
            | Kind::GO_BLOCK_RECV
            | Kind::GO_BLOCK_SELECT
            | Kind::GO_BLOCK_SYNC
            | Kind::GO_BLOCK_COND
            | Kind::GO_BLOCK_NET
            | Kind::GO_BLOCK_GC => make(T::GO_BLOCK, [reason(old.kind), stack, 0, 0]),
            Kind::GO_SCHED | Kind::GO_PREEMPT => make(T::GO_STOP, [reason(old.kind), stack, 0, 0]),
            Kind::GO_UNBLOCK => {
                if marked || self.walk.merge.is_timer(old.go) {
                    (proc, thread) = (if marked { NETWORK } else { TIMERS }, None);
                }
                make(T::GO_UNBLOCK, [other, 0, stack, 0])
            }
            Kind::GO_CREATE => {
                if self.beginning {
                    self.existing.insert(other);
                    return Ok(());
                }
                make(T::GO_CREATE, [other, old.args[1], stack, 0])
            }
            Kind::GO_END => make(T::GO_DESTROY, [0; 4]),
            Kind::SYSCALL => {
                let begin = make(T::GO_SYSCALL_BEGIN, [0, stack, 0, 0]);
                if !marked {
                    // It took no time worth telling: a nanosecond.
                    self.refuse_broken(old, events, generation, begin)?;
                    let begin = Ordered {
                        time,
                        thread: thread.unwrap_or(0),
                        proc,
                        go: id as i64,
                        args: begin.1,
                        event: begin.0,
                        old: 0,
                    };
                    sink.emit(begin);
                    let event = T::GO_SYSCALL_END;
                    sink.emit(Ordered { time: time.wrapping_add(1), args: [0; 4], event, ..begin });
                    return Ok(());
                }
                begin
            }
            Kind::SYSCALL_BLOCK => return Ok(()),
            Kind::SYSCALL_EXIT => {
                (proc, thread) = (SYSCALLS, None);
                make(T::GO_SYSCALL_END_BLOCKED, [0; 4])
            }
            Kind::PROC_START => {
                self.procs[place].thread = Some(old.args[0] as i64);
                thread = Some(old.args[0] as i64);
                if std::mem::replace(&mut self.procs[place].seen, true) {
                    make(T::PROC_START, [proc as u64, 0, 0, 0])
                } else {
                    make(T::PROC_STATUS, [proc as u64, PROC_RUNNING, 0, 0])
                }
            }
            Kind::PROC_STOP => {
                self.procs[place].thread = None;
                make(T::PROC_STOP, [proc as u64, 0, 0, 0])
            }
            Kind::HEAP_ALLOC => make(T::HEAP_ALLOC, [old.args[0], 0, 0, 0]),
            Kind::HEAP_GOAL => make(T::HEAP_GOAL, [old.args[0], 0, 0, 0]),
            Kind::PROCS_CHANGE => {
                if self.beginning {
                    self.end_beginning(time);
                    return Ok(());
                }
                make(T::PROCS_CHANGE, [old.args[0], stack, 0, 0])
            }
            Kind::GC_START => {
                (proc, thread) = (COLLECTOR, None);
                make(T::GC_BEGIN, [old.args[0], stack, 0, 0])
            }
            Kind::GC_DONE => make(T::GC_END, [0; 4]),
            Kind::STW_START => {
                self.stopped =
                    events.names.wrapping_add(stop_reason(old.args[0], generation.version));
                make(T::STW_BEGIN, [self.stopped, 0, 0, 0])
            }
            Kind::STW_DONE => make(T::STW_END, [self.stopped, 0, 0, 0]),
            Kind::SWEEP_START => make(T::GC_SWEEP_BEGIN, [stack, 0, 0, 0]),
            Kind::SWEEP_DONE => {
                let [swept, reclaimed, _] = old.args;
                make(T::GC_SWEEP_END, [swept, reclaimed, 0, 0])
            }
            Kind::MARK_ASSIST_START => make(T::GC_MARK_ASSIST_BEGIN, [stack, 0, 0, 0]),
            Kind::MARK_ASSIST_DONE => make(T::GC_MARK_ASSIST_END, [0; 4]),
            Kind::GO_START_LABEL => {
                let start = Ordered {
                    time,
                    thread: thread.unwrap_or(0),
                    proc,
                    go: id as i64,
                    args: [id, 0, 0, 0],
                    event: T::GO_START,
                    old: 0,
                };
                sink.emit(start);
                sink.commit()?;
                sink.emit(Ordered { args: [old.args[2], 0, 0, 0], event: T::GO_LABEL, ..start });
                return Ok(());
            }
            Kind::GO_WAITING => {
                self.existing.remove(id);
                make(T::GO_STATUS, [id, NONE, GO_WAITING, 0])
            }
            Kind::GO_IN_SYSCALL => {
                self.existing.remove(id);
                make(T::GO_STATUS, [id, NONE, GO_SYSCALL, 0])
            }
            Kind::TASK_CREATE | Kind::REGION if marked => return Ok(()),
            Kind::TASK_CREATE => {
                let [task, parent, name] = old.args;
                self.tasks.insert(task, (parent, name));
                let parent = if parent == 0 { NONE } else { parent };
                make(T::USER_TASK_BEGIN, [task, parent, name, stack])
            }
            Kind::TASK_END => {
                let (parent, name) = self.tasks.remove(&old.args[0]).unwrap_or((NONE, 0));
                make(T::USER_TASK_END, [old.args[0], stack, parent, NameRef::current(name).0])
            }
            Kind::REGION => {
                let [task, mode, name] = old.args;
                let event = if mode == 0 { T::USER_REGION_BEGIN } else { T::USER_REGION_END };
                make(event, [task, name, stack, 0])
            }
            Kind::LOG => {
                let [task, category, _] = old.args;
                let message = events.index.message_at(old.at).unwrap_or(0);
                let message = events.messages.wrapping_add(message);
                make(T::USER_LOG, [task, category, message, stack])
            }
            Kind::CPU_SAMPLE => {
                (proc, thread) = (old.args[0] as i64, None);
                // Its goroutine takes the place of a stack of its own.
                make(T::CPU_SAMPLE, [stack, 0, 0, 0])
            }
            _ if self.lenient => return Ok(()),
            kind => {
                let fault = OldFault::Unexpected(kind.name());
                return Err(error(fault.into(), old, generation));
            }
        };
        self.refuse_broken(old, events, generation, (event, args))?;
        sink.emit(Ordered {
            time,
            thread: thread.filter(|_| proc != -1).unwrap_or(-1),
            proc,
            go: if id == 0 { -1 } else { id as i64 },
            args,
            event,
            old: 0,
        });
        Ok(())
    }

    /// The reference panics where the names of a frame are missing.
    #[inline(always)]
    fn refuse_broken(
        &self,
        old: &Event,
        events: &OldEvents,
        generation: &Generation<'_>,
        (event, args): (EventType, [u64; 4]),
    ) -> Result<(), Error> {
        if events.broken_stacks.is_empty() || self.lenient {
            return Ok(());
        }
        let mut stacks = crate::deliver::stacks_of(event, &args).into_iter();
        match stacks.find(|stack| events.broken_stacks.contains(stack)) {
            Some(id) => Err(error(
                Fault::UnknownId { event, what: "frame's string of stack", id },
                old,
                generation,
            )),
            None => Ok(()),
        }
    }
}

/// Where the event lies that comes to `wanted`, but for the time.
#[cold]
pub(crate) fn position(generation: &Generation<'_>, wanted: &Ordered) -> Option<u64> {
    struct Search<'a> {
        wanted: &'a Ordered,
        found: bool,
    }
    impl Sink for Search<'_> {
        fn emit(&mut self, event: Ordered) {
            self.found |= Ordered { time: self.wanted.time, ..event } == *self.wanted;
        }

        fn emit_known(&mut self, event: Ordered) {
            self.emit(event);
        }

        fn deliver(&mut self, event: Ordered) {
            self.emit(event);
        }

        fn commit(&mut self) -> Result<(), Error> {
            Ok(())
        }

        fn has_room(&self) -> bool {
            // One step at a time.
            false
        }
    }
    let events = generation.old.as_ref()?;
    let mut converter = Converter::new(events, false);
    let mut search = Search { wanted, found: false };
    while !search.found {
        if !converter.step(events, generation, &mut search).ok()? {
            return None;
        }
    }
    Some(generation.offset + converter.at as u64)
}

fn error(fault: Fault, event: &Event, generation: &Generation<'_>) -> Error {
    let offset = Some(generation.offset + event.at as u64);
    Error::new(fault, Place { offset, ..Place::default() })
}

/// The goroutines that exist at the start and of which nothing else is said: they can run.
///
/// The reference tells them in the order of a hash map. Up to eight lie there as in a list with
/// holes, which are filled first; ours is that order, from the start of the list on. Above, any
/// order is possible.
#[derive(Debug, Clone, Default)]
struct Existing {
    list: Vec<Option<u64>>,
    places: FxHashMap<u64, usize>,
}

impl Existing {
    fn insert(&mut self, go: u64) {
        let hole = self.list.iter().take(8).position(Option::is_none);
        let place = hole.unwrap_or(self.list.len());
        if place == self.list.len() {
            self.list.push(None);
        }
        self.list[place] = Some(go);
        self.places.insert(go, place);
    }

    fn remove(&mut self, go: u64) {
        if let Some(place) = self.places.remove(&go) {
            self.list[place] = None;
        }
    }

    /// Their statuses.
    fn take(&mut self, time: i64) -> VecDeque<Ordered> {
        let status = |go| Ordered {
            time,
            args: [go, NONE, GO_RUNNABLE, 0],
            event: EventType::GO_STATUS,
            ..Ordered::EMPTY
        };
        std::mem::take(self).list.into_iter().flatten().map(status).collect()
    }
}
