//! The scheduler state machine: it alone decides what can happen next and what is broken.
//!
//! Each thread offers its next event. [`State::advance`] says whether it can happen now; if so,
//! the state moves on and one to three finished events come out. Events of a thread are in the
//! right order among themselves; between threads only the state can tell, helped by sequence
//! numbers on procs and goroutines. Times are never trusted.
//!
//! One file for each kind of resource holds one function for each event.

mod annotations;
mod goroutines;
mod procs;
mod ranges;
mod state;

use crate::error::{Fault, Needed, Subject};
use crate::event::Ordered;
use crate::generation::Generation;
use crate::{GoId, ProcId};
use gotrail_format::EventType;

pub use state::Checkpoint;
pub(crate) use state::{NO_SLOT, NameRef, Names, State};

/// Whether an event can happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It happened.
    Advanced,
    /// Not yet: another thread must go on first.
    Retry,
}

pub(crate) type Advance = Result<Verdict, Box<Fault>>;

/// The finished events of one step: at most three.
#[derive(Debug)]
pub(crate) struct Out {
    events: [Ordered; 3],
    len: usize,
}

impl Out {
    pub(crate) fn new() -> Out {
        Out { events: [Ordered::EMPTY; 3], len: 0 }
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(crate) fn events(&self) -> &[Ordered] {
        &self.events[..self.len]
    }

    #[inline]
    pub(crate) fn push(&mut self, event: Ordered) {
        self.events[self.len] = event;
        self.len += 1;
    }
}

/// One event that a thread offers, with what the state knows of the thread before and after it.
pub(crate) struct Offer<'a> {
    pub(crate) event: EventType,
    pub(crate) time: i64,
    pub(crate) args: [u64; 4],
    /// The state that the event found before, where a transition needs it.
    old: u8,
    /// The context of the event: what was bound to the thread before it.
    thread: i64,
    proc: i64,
    go: i64,
    /// Where `proc` is in the table, if it is.
    proc_slot: u32,
    /// Where `go` was in the table when it was bound.
    go_hint: u32,
    /// What will be bound to the thread after it.
    next_proc: (i64, u32),
    next_go: (i64, u32),
    /// The generation's tag in sequence numbers.
    tag: u32,
    /// Whether this is the first generation, where nothing is known before.
    initial: bool,
    generation: &'a Generation<'a>,
}

impl Offer<'_> {
    /// The event as it will be delivered.
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

    fn has_thread(&self) -> Result<(), Box<Fault>> {
        if self.thread == -1 { Err(self.missing(Needed::Thread)) } else { Ok(()) }
    }

    fn has_proc(&self) -> Result<(), Box<Fault>> {
        if self.proc == -1 { Err(self.missing(Needed::Proc)) } else { Ok(()) }
    }

    fn has_no_proc(&self) -> Result<(), Box<Fault>> {
        if self.proc != -1 { Err(self.unexpected(Needed::Proc)) } else { Ok(()) }
    }

    fn has_go(&self) -> Result<(), Box<Fault>> {
        if self.go == -1 { Err(self.missing(Needed::Goroutine)) } else { Ok(()) }
    }

    fn has_no_go(&self) -> Result<(), Box<Fault>> {
        if self.go != -1 { Err(self.unexpected(Needed::Goroutine)) } else { Ok(()) }
    }

    /// What most events of running code need: thread, proc and goroutine.
    #[inline]
    fn is_running(&self) -> Result<(), Box<Fault>> {
        self.has_thread()?;
        self.has_proc()?;
        self.has_go()
    }

    #[cold]
    fn missing(&self, needed: Needed) -> Box<Fault> {
        Box::new(Fault::Missing { event: self.event, needed })
    }

    #[cold]
    fn unexpected(&self, needed: Needed) -> Box<Fault> {
        Box::new(Fault::Unexpected { event: self.event, needed })
    }

    #[cold]
    fn not_existing(&self, of: Subject) -> Box<Fault> {
        Box::new(Fault::NotExisting { event: self.event, of })
    }

    #[cold]
    fn wrong_state(&self, of: Subject, expected: &'static str, found: &'static str) -> Box<Fault> {
        Box::new(Fault::WrongState { event: self.event, of, expected, found })
    }

    fn this_go(&self) -> Subject {
        Subject::Go(GoId(self.go))
    }

    fn this_proc(&self) -> Subject {
        Subject::Proc(ProcId(self.proc))
    }
}

/// A thread's next event, decoded.
pub(crate) struct Decoded {
    pub(crate) event: EventType,
    pub(crate) time: i64,
    pub(crate) args: [u64; 4],
}

impl State {
    /// Lets the event of `thread` happen if it can. `slot` is the thread's place in the state,
    /// [`NO_SLOT`] for batches without a thread. Finished events are appended to `out`.
    #[inline]
    pub(crate) fn advance(
        &mut self,
        decoded: &Decoded,
        thread: i64,
        slot: u32,
        generation: &Generation<'_>,
        out: &mut Out,
    ) -> Advance {
        let bound = self.threads.bound(slot);
        let mut offer = Offer {
            event: decoded.event,
            time: decoded.time,
            args: decoded.args,
            old: 0,
            thread,
            proc: bound.proc,
            go: bound.go,
            proc_slot: bound.proc_slot,
            go_hint: bound.go_hint,
            next_proc: (bound.proc, bound.proc_slot),
            next_go: (bound.go, bound.go_hint),
            tag: self.tag,
            initial: self.initial,
            generation,
        };
        let verdict = self.dispatch(&mut offer, out)?;
        if verdict == Verdict::Advanced && slot != NO_SLOT {
            self.threads.bind(slot, offer.next_proc, offer.next_go);
        }
        Ok(verdict)
    }

    #[inline]
    fn dispatch(&mut self, offer: &mut Offer<'_>, out: &mut Out) -> Advance {
        match offer.event {
            EventType::PROC_START => self.proc_start(offer, out),
            EventType::PROC_STOP => self.proc_stop(offer, out),
            EventType::PROC_STEAL => self.proc_steal(offer, out),
            EventType::PROC_STATUS => self.proc_status(offer, out),

            EventType::GO_CREATE | EventType::GO_CREATE_BLOCKED => self.go_create(offer, out),
            EventType::GO_CREATE_SYSCALL => self.go_create_syscall(offer, out),
            EventType::GO_START => self.go_start(offer, out),
            EventType::GO_DESTROY => self.go_destroy(offer, out),
            EventType::GO_DESTROY_SYSCALL => self.go_destroy_syscall(offer, out),
            EventType::GO_STOP => self.go_stop(offer, out),
            EventType::GO_BLOCK => self.go_block(offer, out),
            EventType::GO_UNBLOCK => self.go_unblock(offer, out),
            EventType::GO_SYSCALL_BEGIN => self.go_syscall_begin(offer, out),
            EventType::GO_SYSCALL_END => self.go_syscall_end(offer, out),
            EventType::GO_SYSCALL_END_BLOCKED => self.go_syscall_end_blocked(offer, out),
            EventType::GO_STATUS | EventType::GO_STATUS_STACK => self.go_status(offer, out),
            EventType::GO_SWITCH | EventType::GO_SWITCH_DESTROY => self.go_switch(offer, out),

            EventType::STW_BEGIN | EventType::GC_MARK_ASSIST_BEGIN => {
                self.go_range_begin(offer, out)
            }
            EventType::STW_END | EventType::GC_MARK_ASSIST_END => self.go_range_end(offer, out),
            EventType::GC_MARK_ASSIST_ACTIVE => self.go_range_active(offer, out),
            EventType::GC_SWEEP_BEGIN => self.sweep_begin(offer, out),
            EventType::GC_SWEEP_ACTIVE => self.sweep_active(offer, out),
            EventType::GC_SWEEP_END => self.sweep_end(offer, out),
            EventType::GC_ACTIVE => self.gc_active(offer, out),
            EventType::GC_BEGIN => self.gc_begin(offer, out),
            EventType::GC_END => self.gc_end(offer, out),

            EventType::USER_TASK_BEGIN => self.task_begin(offer, out),
            EventType::USER_TASK_END => self.task_end(offer, out),
            EventType::USER_REGION_BEGIN => self.region_begin(offer, out),
            EventType::USER_REGION_END => self.region_end(offer, out),

            EventType::PROCS_CHANGE | EventType::GO_LABEL | EventType::USER_LOG => {
                offer.is_running()?;
                out.push(offer.ordered());
                Ok(Verdict::Advanced)
            }
            EventType::HEAP_ALLOC | EventType::HEAP_GOAL => {
                offer.has_thread()?;
                offer.has_proc()?;
                out.push(offer.ordered());
                Ok(Verdict::Advanced)
            }
            event if event.spec().is_some_and(|spec| spec.experiment().0 != 0) => {
                offer.has_thread()?;
                out.push(offer.ordered());
                Ok(Verdict::Advanced)
            }
            event => Err(Box::new(Fault::NotOrdered(event))),
        }
    }
}
