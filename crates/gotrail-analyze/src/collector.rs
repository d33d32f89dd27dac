//! What goroutines' events say of the garbage collector: metrics, labels of mark workers, ranges.

use crate::analysis::Found;
use crate::gc::{Cycle, StopTheWorld, What};
use crate::goroutines::Goroutines;
use crate::names::StrId;
use crate::procs::Change;
use crate::scope;
use gotrail::bstr::ByteSlice;
use gotrail::{Details, Event, Kind, ProcId, RangeName};
use gotrail_format::EventType;

/// More than any machine has: a damaged number must not take memory for each proc that it promises.
const MOST_PROCS: u64 = 1 << 20;

impl Goroutines {
    /// A metric has a new value.
    pub(crate) fn metric(&self, event: &Event<'_>, with: &mut Found) {
        let Some(value) = event.metric_value() else { return };
        let time = event.time().0;
        match event.wire_type() {
            Some(EventType::PROCS_CHANGE) => {
                let number = value.min(MOST_PROCS) as i64;
                with.gc.note(time, event.goroutine(), ProcId(number), What::Procs);
                if let Some(procs) = &mut with.procs {
                    procs.change(time, Change::Procs(number));
                }
            }
            Some(EventType::HEAP_ALLOC) => with.gc.allocated(event),
            _ => with.gc.heap.at(time).goal = value,
        }
    }

    /// A label: the runtime has some for its mark workers.
    pub(crate) fn label(&mut self, event: &Event<'_>, with: &mut Found) {
        let Details::Label(label) = event.details() else { return };
        if !label.label.starts_with(b"GC ") || label.label == "GC (idle)" {
            return;
        }
        let go = event.goroutine();
        let dedicated = label.label == "GC (dedicated)";
        with.gc.note(event.time().0, go, event.proc(), What::Worker(dedicated));
        if !with.gc.workers.contains(&go) {
            with.gc.workers.push(go);
        }
        if let Some(slot) = self.slot(go) {
            self.list[slot].collects = true;
        }
    }

    /// A range of the garbage collector, or a stop of the world.
    pub(crate) fn collects(
        &mut self,
        event: &Event<'_>,
        kind: Kind,
        range: &gotrail::Range<'_>,
        name: StrId,
        with: &mut Found,
    ) {
        let (time, go, proc) = (event.time().0, event.goroutine(), event.proc());
        let gc = &mut with.gc;
        let begins = kind == Kind::RangeBegin;
        let active = kind == Kind::RangeActive;
        // After the first generation an active range is known already.
        if active && gc.syncs > 1 {
            if let (RangeName::GcMarkAssist, gotrail::Scope::Go(go)) = (range.name, range.scope)
                && let Some(slot) = self.slot(go)
            {
                self.list[slot].collects = true;
            }
            return;
        }
        match range.name {
            RangeName::StopTheWorld(reason) => {
                // Only what is for the collector takes time from the program.
                if reason.contains_str("GC") {
                    gc.note(time, go, proc, if begins { What::StwBegin } else { What::StwEnd });
                }
                if begins {
                    let start = Some(time);
                    gc.stops.push(StopTheWorld { reason: name, start, end: None, go });
                } else {
                    gc.started_again(name, go, time);
                }
            }
            RangeName::GcMark => match kind {
                Kind::RangeBegin => gc.cycles.push(Cycle { start: Some(time), end: None }),
                Kind::RangeActive => gc.cycles.push(Cycle { start: None, end: None }),
                _ => gc.marked(time),
            },
            RangeName::GcSweep => {
                let what = match kind {
                    Kind::RangeBegin => What::SweepBegin,
                    Kind::RangeActive => What::SweepActive,
                    _ => What::SweepEnd,
                };
                gc.note(time, go, proc, what);
                if let Some((swept, reclaimed)) = range.swept
                    && scope::in_window(&self.scope, time)
                {
                    gc.swept.count += 1;
                    gc.swept.swept += swept;
                    gc.swept.reclaimed += reclaimed;
                }
            }
            RangeName::GcMarkAssist => {
                let executing =
                    self.slot(go).is_some_and(|slot| self.list[slot].state.is_executing());
                let what = match kind {
                    Kind::RangeBegin => What::AssistBegin,
                    Kind::RangeActive => What::AssistActive(executing),
                    _ => What::AssistEnd,
                };
                let gotrail::Scope::Go(of) = range.scope else { return };
                gc.note(time, of, proc, what);
                let works = gc.workers.contains(&of) || gc.known.contains(&of);
                if let Some(slot) = self.slot(of) {
                    self.list[slot].collects = works || kind != Kind::RangeEnd;
                }
            }
        }
    }
}
