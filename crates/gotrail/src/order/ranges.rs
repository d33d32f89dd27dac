//! Ranges of time: stop-the-world and mark assist on goroutines, sweep on procs, the mark phase.

use super::state::{GcPhase, OpenRange, Ranges};
use super::{Advance, Offer, Sink, State, Verdict, deliver, not_existing};
use crate::error::{Fault, Subject};
use crate::event::Ordered;
use crate::{GoId, ProcId};
use gotrail_format::EventType;

/// The event that begins the range that this event begins, continues or ends.
fn begin_of(event: EventType) -> u8 {
    event.spec().and_then(|spec| spec.start).unwrap_or(event).0
}

/// Opens a range that must not be open.
fn open(ranges: &mut Ranges, range: OpenRange) -> Result<(), &'static str> {
    if ranges.has(range) {
        return Err("begins again while it is active");
    }
    ranges.open(range);
    Ok(())
}

/// Learns of an open range in the first generation; later it must be known.
fn confirm(ranges: &mut Ranges, range: OpenRange, initial: bool) -> Result<(), &'static str> {
    match (ranges.has(range), initial) {
        (true, true) => Err("is said twice to be active at the start of the trace"),
        (false, true) => {
            ranges.open(range);
            Ok(())
        }
        (true, false) => Ok(()),
        (false, false) => Err("is said to be active but never began"),
    }
}

#[cold]
fn range_fault(event: EventType, of: Subject, problem: &'static str) -> Box<Fault> {
    Box::new(Fault::Range { event, of, problem })
}

impl State {
    /// A stop-the-world or mark assist begins on the running goroutine.
    pub(super) fn go_range_begin<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.is_running()?;
        let slot =
            self.this_go(&offer).ok_or_else(|| not_existing(offer.event, offer.this_go()))?;
        let id = self.goroutines.entries[slot as usize].id;
        // The reason is kept as its id: the reference compares ids even between generations.
        let reason = if offer.event == EventType::STW_BEGIN { offer.args[0] } else { 0 };
        let range = OpenRange { begin: begin_of(offer.event), reason };
        open(&mut self.goroutines.extra(id).ranges, range)
            .map_err(|problem| range_fault(offer.event, offer.this_go(), problem))?;
        deliver(&offer, sink)
    }

    /// A goroutine, running or not, was in mark assist when the generation began.
    pub(super) fn go_range_active<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let id = offer.args[0] as i64;
        let of = Subject::Go(GoId(id));
        if self.goroutines.find(id).is_none() {
            return Err(not_existing(offer.event, of));
        }
        let range = OpenRange { begin: begin_of(offer.event), reason: 0 };
        confirm(&mut self.goroutines.extra(id).ranges, range, self.initial)
            .map_err(|problem| range_fault(offer.event, of, problem))?;
        if let Some(trail) = self.trail() {
            trail.go_ranges.push((id, range));
        }
        deliver(&offer, sink)
    }

    /// A stop-the-world or mark assist ends on the running goroutine.
    pub(super) fn go_range_end<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.is_running()?;
        let slot =
            self.this_go(&offer).ok_or_else(|| not_existing(offer.event, offer.this_go()))?;
        let id = self.goroutines.entries[slot as usize].id;
        let Some(reason) = self.goroutines.extra(id).ranges.close(begin_of(offer.event)) else {
            return Err(range_fault(offer.event, offer.this_go(), "ends without having begun"));
        };
        let mut args = offer.args;
        if offer.event == EventType::STW_END {
            args[0] = reason;
        }
        sink.emit(Ordered { args, ..offer.ordered() });
        Ok(Verdict::Advanced)
    }

    /// The thread's proc begins to sweep.
    pub(super) fn sweep_begin<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.has_thread()?;
        offer.has_proc()?;
        let range = OpenRange { begin: begin_of(offer.event), reason: 0 };
        open(&mut self.procs.entries[offer.proc_slot as usize].ranges, range)
            .map_err(|problem| range_fault(offer.event, offer.this_proc(), problem))?;
        deliver(&offer, sink)
    }

    /// A proc was sweeping when the generation began.
    pub(super) fn sweep_active<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let id = offer.args[0] as i64;
        let of = Subject::Proc(ProcId(id));
        let slot = self.procs.find(id).ok_or_else(|| not_existing(offer.event, of))?;
        let range = OpenRange { begin: begin_of(offer.event), reason: 0 };
        confirm(&mut self.procs.entries[slot as usize].ranges, range, self.initial)
            .map_err(|problem| range_fault(offer.event, of, problem))?;
        if let Some(trail) = self.trail() {
            trail.proc_ranges.push((id, range));
        }
        deliver(&offer, sink)
    }

    /// The thread's proc ends its sweep.
    pub(super) fn sweep_end<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.has_thread()?;
        offer.has_proc()?;
        let ranges = &mut self.procs.entries[offer.proc_slot as usize].ranges;
        if ranges.close(begin_of(offer.event)).is_none() {
            return Err(range_fault(offer.event, offer.this_proc(), "ends without having begun"));
        }
        deliver(&offer, sink)
    }

    /// The mark phase was running when the generation began.
    pub(super) fn gc_active<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let seq = offer.args[0];
        if self.initial {
            if self.gc.phase != GcPhase::Undetermined {
                return Err(self.wrong_gc_state(offer.event));
            }
            self.note_first_gc(&offer);
            (self.gc.seq, self.gc.phase) = (seq, GcPhase::Running);
            return deliver(&offer, sink);
        }
        if !self.is_next_gc(seq) {
            return Ok(Verdict::Retry);
        }
        if self.gc.phase != GcPhase::Running {
            return Err(self.wrong_gc_state(offer.event));
        }
        offer.is_running()?;
        self.gc.seq = seq;
        deliver(&offer, sink)
    }

    /// The mark phase begins.
    pub(super) fn gc_begin<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let seq = offer.args[0];
        if self.gc.phase == GcPhase::Undetermined {
            self.note_first_gc(&offer);
            (self.gc.seq, self.gc.phase) = (seq, GcPhase::Running);
            return deliver(&offer, sink);
        }
        if !self.is_next_gc(seq) {
            return Ok(Verdict::Retry);
        }
        if self.gc.phase == GcPhase::Running {
            return Err(self.wrong_gc_state(offer.event));
        }
        offer.is_running()?;
        (self.gc.seq, self.gc.phase) = (seq, GcPhase::Running);
        deliver(&offer, sink)
    }

    /// The mark phase ends. Begin and end may be on different threads, so that they are
    /// numbered: times alone could pair the wrong ones.
    pub(super) fn gc_end<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let seq = offer.args[0];
        if !self.is_next_gc(seq) {
            return Ok(Verdict::Retry);
        }
        if self.gc.phase != GcPhase::Running {
            return Err(self.wrong_gc_state(offer.event));
        }
        offer.is_running()?;
        (self.gc.seq, self.gc.phase) = (seq, GcPhase::NotRunning);
        deliver(&offer, sink)
    }

    fn note_first_gc(&mut self, offer: &Offer<'_>) {
        let running = offer.is_running().is_ok();
        if let Some(trail) = self.trail() {
            trail.gc = Some((offer.event, offer.args[0], running));
        }
    }

    fn is_next_gc(&self, seq: u64) -> bool {
        seq == self.gc.seq.wrapping_add(1)
    }

    #[cold]
    fn wrong_gc_state(&self, event: EventType) -> Box<Fault> {
        let state = match self.gc.phase {
            GcPhase::Undetermined => "in an unknown state",
            GcPhase::NotRunning => "not running",
            GcPhase::Running => "already running",
        };
        Box::new(Fault::WrongGcState { event, state })
    }
}
