//! The scheduler state machine: it alone decides what can happen next and what is broken.
//!
//! Each thread offers its next event. [`State::advance`] says whether it can happen now; if so,
//! the state moves on and one to three finished events come out. Events of a thread are in the
//! right order among themselves; between threads only the state can tell, helped by sequence
//! numbers on procs and goroutines. Times are never trusted.
//!
//! One file for each kind of resource holds one function for each event.

mod annotations;
mod go_pages;
mod goroutines;
mod procs;
mod ranges;
mod speculate;
mod state;
mod stretch;

use crate::cursor::Args;
use crate::error::{Error, Fault, Needed, Subject};
use crate::event::Ordered;
use crate::generation::Generation;
use crate::{GoId, ProcId};
use gotrail_format::EventType;
use gotrail_format::event::TIMED_ARGS;

pub(crate) use state::status::PROC_SYSCALL_ABANDONED as PROC_ABANDONED;
pub(crate) use state::{NO_SLOT, NameRef, Names, State};
pub(crate) use stretch::Stop;

/// Whether a goroutine with this status runs on the thread that says so; one in a syscall does if
/// it is `here`.
pub(crate) fn go_runs(status: u8, here: bool) -> bool {
    status == state::status::GO_RUNNING || (status == state::status::GO_SYSCALL && here)
}

/// Whether a proc with this status belongs to the thread that says so.
pub(crate) fn proc_runs(status: u8) -> bool {
    matches!(status, state::status::PROC_RUNNING | state::status::PROC_SYSCALL)
}

/// Whether an event can happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It happened.
    Advanced,
    /// Not yet: another thread must go on first.
    Retry,
}

pub(crate) type Advance = Result<Verdict, Box<Fault>>;

/// Takes finished events.
///
/// A thread's following event is read before the events that one made are delivered: they are
/// handed over first, and committed when they stay.
pub(crate) trait Sink {
    /// Takes an event; one step makes at most three.
    fn emit(&mut self, event: Ordered);

    /// Takes an event whose ids are known to exist.
    fn emit_known(&mut self, event: Ordered);

    /// Takes an event that stays, and whose ids are known to exist.
    fn deliver(&mut self, event: Ordered);

    /// The events since the last commit stay.
    fn commit(&mut self) -> Result<(), Error>;

    /// Whether the sink can take the events of another step.
    fn has_room(&self) -> bool;

    /// Whether it can take those of another thread's turn.
    #[inline(always)]
    fn has_room_for_turn(&self) -> bool {
        self.has_room()
    }

    /// Counts so many events, none later than `last_time`, if it does no more with any event.
    fn count_unseen(&mut self, _events: u64, _last_time: i64) -> bool {
        false
    }
}

/// One event that a thread offers, with what the state knows of the thread.
struct Offer<'a> {
    event: EventType,
    time: i64,
    args: [u64; 4],
    /// The state that the event found before, where a transition needs it.
    old: u8,
    /// The thread's place in the table.
    slot: u32,
    /// The context of the event: what was bound to the thread before it.
    thread: i64,
    proc: i64,
    go: i64,
    /// Where `proc` is in the table, if it is.
    proc_slot: u32,
    /// Where `go` was in the table when it was bound.
    go_hint: u32,
    generation: &'a Generation<'a>,
}

impl Offer<'_> {
    /// The event as it will be delivered.
    #[inline(always)]
    fn ordered(&self) -> Ordered {
        Ordered {
            time: self.time,
            thread: self.thread,
            proc: self.proc,
            go: self.go,
            args: self.args,
            event: self.event,
            old: self.old,
        }
    }

    #[inline(always)]
    fn has_thread(&self) -> Result<(), Box<Fault>> {
        if self.thread == -1 { Err(missing(self.event, Needed::Thread)) } else { Ok(()) }
    }

    #[inline(always)]
    fn has_proc(&self) -> Result<(), Box<Fault>> {
        if self.proc == -1 { Err(missing(self.event, Needed::Proc)) } else { Ok(()) }
    }

    #[inline(always)]
    fn has_go(&self) -> Result<(), Box<Fault>> {
        if self.go == -1 { Err(missing(self.event, Needed::Goroutine)) } else { Ok(()) }
    }

    #[inline(always)]
    fn has_no_go(&self) -> Result<(), Box<Fault>> {
        if self.go != -1 { Err(unexpected(self.event, Needed::Goroutine)) } else { Ok(()) }
    }

    /// What most events of running code need: thread, proc and goroutine.
    #[inline(always)]
    fn is_running(&self) -> Result<(), Box<Fault>> {
        self.has_thread()?;
        self.has_proc()?;
        self.has_go()
    }

    fn this_go(&self) -> Subject {
        Subject::Go(GoId(self.go))
    }

    fn this_proc(&self) -> Subject {
        Subject::Proc(ProcId(self.proc))
    }
}

// Faults are built out of line, from plain values: a reference to the offer would keep it in
// memory on the way that nearly every event takes.

#[cold]
fn missing(event: EventType, needed: Needed) -> Box<Fault> {
    Box::new(Fault::Missing { event, needed })
}

#[cold]
fn unexpected(event: EventType, needed: Needed) -> Box<Fault> {
    Box::new(Fault::Unexpected { event, needed })
}

#[cold]
fn not_existing(event: EventType, of: Subject) -> Box<Fault> {
    Box::new(Fault::NotExisting { event, of })
}

#[cold]
fn wrong_state(
    event: EventType,
    of: Subject,
    expected: &'static str,
    found: &'static str,
) -> Box<Fault> {
    Box::new(Fault::WrongState { event, of, expected, found })
}

/// Delivers the offer's event as it stands.
#[inline(always)]
fn deliver<S: Sink>(offer: &Offer<'_>, sink: &mut S) -> Advance {
    sink.emit(offer.ordered());
    Ok(Verdict::Advanced)
}

impl State {
    /// Lets the next event of the thread at `slot` happen if it can. Its arguments are read from
    /// `args`. Finished events go to `sink`.
    #[inline(never)]
    pub(crate) fn advance<S: Sink>(
        &mut self,
        event: EventType,
        args: &mut Args<'_>,
        time: i64,
        slot: u32,
        generation: &Generation<'_>,
        sink: &mut S,
    ) -> Advance {
        // The commonest events are handled here: with the type a constant, the number of
        // arguments and what there is to check are constants too. The others are handled out of
        // line.
        macro_rules! offer {
            ($event:ident, $count:literal) => {{
                const { assert!(TIMED_ARGS[EventType::$event.0 as usize] == $count) };
                self.offer(EventType::$event, args.take::<$count>(), time, slot, generation)
            }};
        }
        match event {
            EventType::GO_BLOCK => self.go_block(offer!(GO_BLOCK, 2), sink),
            EventType::GO_START => self.go_start(offer!(GO_START, 2), sink),
            EventType::GO_UNBLOCK => self.go_unblock(offer!(GO_UNBLOCK, 3), sink),
            EventType::GO_STOP => self.go_stop(offer!(GO_STOP, 2), sink),
            EventType::GO_CREATE => self.go_create(offer!(GO_CREATE, 3), sink),
            EventType::GO_DESTROY => self.go_destroy(offer!(GO_DESTROY, 0), sink),
            EventType::GO_SYSCALL_BEGIN => self.go_syscall_begin(offer!(GO_SYSCALL_BEGIN, 2), sink),
            EventType::GO_SYSCALL_END => self.go_syscall_end(offer!(GO_SYSCALL_END, 0), sink),
            EventType::PROC_START => self.proc_start(offer!(PROC_START, 2), sink),
            EventType::PROC_STOP => self.proc_stop(offer!(PROC_STOP, 0), sink),
            EventType::PROC_STEAL => self.proc_steal(offer!(PROC_STEAL, 3), sink),
            EventType::GO_SYSCALL_END_BLOCKED => {
                self.go_syscall_end_blocked(offer!(GO_SYSCALL_END_BLOCKED, 0), sink)
            }
            EventType::HEAP_ALLOC => {
                let offer = offer!(HEAP_ALLOC, 1);
                offer.has_thread()?;
                offer.has_proc()?;
                deliver(&offer, sink)
            }
            EventType::USER_REGION_BEGIN => self.region_begin(offer!(USER_REGION_BEGIN, 3), sink),
            EventType::USER_REGION_END => self.region_end(offer!(USER_REGION_END, 3), sink),
            EventType::USER_TASK_BEGIN => self.task_begin(offer!(USER_TASK_BEGIN, 4), sink),
            EventType::USER_TASK_END => self.task_end(offer!(USER_TASK_END, 2), sink),
            EventType::USER_LOG => {
                let offer = offer!(USER_LOG, 4);
                offer.is_running()?;
                deliver(&offer, sink)
            }
            EventType::GC_SWEEP_BEGIN => self.sweep_begin(offer!(GC_SWEEP_BEGIN, 1), sink),
            EventType::GC_SWEEP_END => self.sweep_end(offer!(GC_SWEEP_END, 2), sink),
            event => {
                let offer = self.offer(event, args.of(event), time, slot, generation);
                self.advance_other(offer, sink)
            }
        }
    }

    #[inline(always)]
    fn offer<'a>(
        &self,
        event: EventType,
        args: [u64; 4],
        time: i64,
        slot: u32,
        generation: &'a Generation<'a>,
    ) -> Offer<'a> {
        let bound = &self.threads.entries[slot as usize];
        Offer {
            event,
            time,
            args,
            old: 0,
            slot,
            thread: bound.id,
            proc: bound.proc,
            go: bound.go,
            proc_slot: bound.proc_slot,
            go_hint: bound.go_hint,
            generation,
        }
    }

    #[inline(never)]
    fn advance_other<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let slot = offer.slot;
        let verdict = self.dispatch_other(offer, sink);
        if slot == 0 {
            // Batches without a thread have a place among the threads, but nothing is ever bound.
            self.threads.unbind_none();
        }
        verdict
    }

    #[inline(always)]
    fn dispatch_other<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        match offer.event {
            EventType::PROC_STATUS => self.proc_status(offer, sink),

            EventType::HEAP_GOAL => {
                offer.has_thread()?;
                offer.has_proc()?;
                deliver(&offer, sink)
            }
            EventType::GO_CREATE_BLOCKED => self.go_create(offer, sink),
            EventType::GO_CREATE_SYSCALL => self.go_create_syscall(offer, sink),
            EventType::GO_DESTROY_SYSCALL => self.go_destroy_syscall(offer, sink),
            EventType::GO_STATUS | EventType::GO_STATUS_STACK => self.go_status(offer, sink),
            EventType::GO_SWITCH | EventType::GO_SWITCH_DESTROY => self.go_switch(offer, sink),

            EventType::STW_BEGIN | EventType::GC_MARK_ASSIST_BEGIN => {
                self.go_range_begin(offer, sink)
            }
            EventType::STW_END | EventType::GC_MARK_ASSIST_END => self.go_range_end(offer, sink),
            EventType::GC_MARK_ASSIST_ACTIVE => self.go_range_active(offer, sink),
            EventType::GC_SWEEP_ACTIVE => self.sweep_active(offer, sink),
            EventType::GC_ACTIVE => self.gc_active(offer, sink),
            EventType::GC_BEGIN => self.gc_begin(offer, sink),
            EventType::GC_END => self.gc_end(offer, sink),

            EventType::PROCS_CHANGE | EventType::GO_LABEL => {
                offer.is_running()?;
                deliver(&offer, sink)
            }
            event if event.spec().is_some_and(|spec| spec.experiment().0 != 0) => {
                offer.has_thread()?;
                deliver(&offer, sink)
            }
            event => Err(Box::new(Fault::NotOrdered(event))),
        }
    }
}
