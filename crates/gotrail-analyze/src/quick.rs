//! The commonest changes of state, where nothing but time is to be counted.
//!
//! Most events start, stop, block or wake a goroutine of which all is known, and what they say is
//! at hand: where the goroutine is, and which wait begins. These are a few additions. Anything
//! else is left, before anything has changed, to the code for any event (`goroutines.rs`), which
//! would make the same of it.

use crate::analysis::Found;
use crate::goroutines::Goroutines;
use crate::names::StrId;
use crate::procs::Change;
use crate::waits::{Begun, Place};
use gotrail::{Event, GoState, GoStep, ProcId};
use gotrail_format::EventType as T;

impl Goroutines {
    /// Counts an event if that is simple; false, with nothing changed, if it is not.
    #[inline(always)]
    pub(crate) fn quick(&mut self, event: &Event<'_>, with: &mut Found) -> bool {
        use GoState::{Runnable, Running, Syscall, Waiting};
        if !with.waits.plain | self.keep_running {
            return false;
        }
        let step = |named, from, to| event.known_step(named, from, to);
        match event.wire_type() {
            Some(T::GO_START) => self.pass(event, step(true, Runnable, Running), with),
            Some(T::GO_BLOCK) => self.pass(event, step(false, Running, Waiting), with),
            Some(T::GO_UNBLOCK) => self.pass(event, step(true, Waiting, Runnable), with),
            Some(T::GO_STOP) => self.pass(event, step(false, Running, Runnable), with),
            Some(T::GO_SYSCALL_BEGIN) => self.pass(event, step(false, Running, Syscall), with),
            Some(T::GO_SYSCALL_END) => self.pass(event, step(false, Syscall, Running), with),
            _ => false,
        }
    }

    /// A goroutine passes from one state to another; both are constants here.
    #[inline(always)]
    fn pass(&mut self, event: &Event<'_>, step: GoStep, with: &mut Found) -> bool {
        use GoState::{Runnable, Running, Syscall, Waiting};
        let time = event.time().0;
        let Some(slot) = self.slot(step.go) else { return false };
        // What it waits for from now on.
        let (begun, why) = match step.to {
            Running => (Begun::NOTHING, StrId::EMPTY),
            _ => {
                let Some(kind) = event.wire_type() else { return false };
                let place = Place::new(kind, step.reason, event.stack_id());
                let Some(found) = place.and_then(|place| with.waits.begin_at(place)) else {
                    return false;
                };
                found
            }
        };
        let goroutine = &mut self.list[slot];
        if !goroutine.is_simply(step.from) {
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
            with.waits.end_plain(goroutine.wait, nanos);
        }
        if step.from == Syscall {
            with.waits.held(goroutine.wait, nanos);
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
                goroutine.ran(nanos);
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
            self.woken(event, with);
        }
        true
    }
}
