//! The commonest changes of state, where nothing but time is to be counted.
//!
//! Most events start, stop, block or wake a goroutine of which all is known, and what they say is
//! at hand: where the goroutine is, and which wait begins. These are a few additions. Anything
//! else is left, before anything has changed, to the code for any event (`states.rs`), which
//! would make the same of it.

use crate::analysis::Found;
use crate::goroutines::Goroutines;
use crate::names::StrId;
use crate::procs::Change;
use crate::waits::{Begun, Instance, Place};
use gotrail::{Event, GoState, GoStep, ProcId};
use gotrail_format::EventType as T;

impl Goroutines {
    /// Counts an event if that is simple; false, with nothing changed, if it is not.
    #[inline(always)]
    pub(crate) fn quick(&mut self, event: &Event<'_>, with: &mut Found) -> bool {
        use GoState::{Runnable, Running, Syscall, Waiting};
        let step = |named, from, to| event.known_step(named, from, to);
        // Where an event of a stretch is shown its type is a constant.
        match event.wire_type() {
            _ if !self.only_times => false,
            Some(T::GO_START) => self.pass(event, step(true, Runnable, Running), with),
            Some(T::GO_BLOCK) => self.pass(event, step(false, Running, Waiting), with),
            Some(T::GO_UNBLOCK) => self.pass(event, step(true, Waiting, Runnable), with),
            Some(T::GO_STOP) => self.pass(event, step(false, Running, Runnable), with),
            Some(T::GO_SYSCALL_BEGIN) => self.pass(event, step(false, Running, Syscall), with),
            Some(T::GO_SYSCALL_END) => self.pass(event, step(false, Syscall, Running), with),
            Some(T::HEAP_ALLOC) => {
                with.gc.allocated(event);
                true
            }
            _ => false,
        }
    }

    /// A goroutine passes from one state to another; both are constants here.
    #[inline(always)]
    fn pass(&mut self, event: &Event<'_>, step: GoStep, with: &mut Found) -> bool {
        use GoState::{Runnable, Running, Syscall, Waiting};
        let wire_type = match (step.from, step.to) {
            (Waiting, _) => T::GO_UNBLOCK,
            (_, Waiting) => T::GO_BLOCK,
            (_, Syscall) => T::GO_SYSCALL_BEGIN,
            _ => T::GO_STOP,
        };
        // Only a goroutine that wakes another has a stack besides that of the one that changes.
        // What has to be looked for among the arguments would keep the event in memory.
        let stack = if step.from == Waiting { event.known_waking_stack() } else { step.stack };
        let time = event.time().0;
        let Some(slot) = self.slots.at_hand(step.go.0) else { return false };
        // What it waits for from now on.
        let (begun, why) = match step.to {
            Running => (Begun::NOTHING, StrId::EMPTY),
            _ => {
                let place = Place { event: wire_type, reason: step.reason, stack };
                let Some(found) = with.waits.begin_at(place) else { return false };
                found
            }
        };
        let goroutine = &mut self.list[slot];
        if !goroutine.is_simply(step.from) {
            return false;
        }
        if step.from == Running && goroutine.name == StrId::EMPTY {
            return false;
        }
        let nanos = time - goroutine.since;
        match step.from {
            Running => goroutine.times.running += nanos,
            Runnable => goroutine.times.runnable += nanos,
            Waiting => {
                let reason = std::mem::take(&mut goroutine.reason);
                *goroutine.times.blocked.entry(reason) += nanos;
            }
            _ => {
                if goroutine.blocked_since != 0 {
                    return false;
                }
                goroutine.times.syscall += nanos;
            }
        }
        if step.from != Running {
            let wait = Instance { go: step.go, from: goroutine.since, until: time };
            with.waits.end_plain(goroutine.wait, wait);
        }
        if step.from == Syscall {
            let call = Instance { go: step.go, from: goroutine.since, until: time };
            with.waits.held_plain(goroutine.wait, call);
            self.in_syscall.remove(goroutine.syscall_proc.0);
        }
        (goroutine.state, goroutine.since, goroutine.wait) = (step.to, time, begun);
        match step.to {
            Running => {
                if goroutine.started == 0 {
                    goroutine.started = time;
                }
                goroutine.acted = step.from != Runnable;
            }
            Waiting => {
                goroutine.ran(nanos < self.limits.run);
                goroutine.reason = why;
            }
            Syscall => {
                let proc = event.proc();
                goroutine.syscall_proc = proc;
                if proc != ProcId::NONE {
                    self.in_syscall.insert(proc.0, step.go);
                    if self.later {
                        self.touched.insert(proc.0, ());
                    }
                }
            }
            _ => {}
        }
        if let Some(procs) = &mut with.procs {
            if step.from == Runnable {
                procs.change(time, Change::NotRunnable);
            } else if step.to == Runnable {
                procs.change(time, Change::Runnable);
            }
        }
        if step.from == Waiting {
            self.woken(event, stack, with);
        }
        true
    }
}
