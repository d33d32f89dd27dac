//! What goroutines are in besides a state: regions of the program, ranges of the runtime.

use crate::goroutine::{Ended, FirstRange, Open};
use crate::goroutines::{Goroutines, Region};
use crate::names::StrId;
use crate::scope;
use crate::times::Times;
use gotrail::{Event, GoId, Kind, TaskId};

impl Goroutines {
    pub(crate) fn range(
        &mut self,
        event: &Event<'_>,
        kind: Kind,
        scope: gotrail::Scope,
        name: StrId,
    ) {
        let time = event.time().0;
        let this = event.goroutine();
        if kind == Kind::RangeEnd {
            let id = match scope {
                gotrail::Scope::Go(id) => id,
                gotrail::Scope::Proc(proc) => {
                    let begun = self.proc_ranges.swap_remove(&(proc.0, name));
                    if begun.is_none() && self.later {
                        self.proc_ranges_before.push((proc.0, name));
                    }
                    // Only if all of it was on this goroutine is it the goroutine's.
                    if begun != Some(this) {
                        return;
                    }
                    this
                }
                gotrail::Scope::Global => return,
            };
            let Some(slot) = self.slot(id) else { return };
            let goroutine = &mut self.list[slot];
            let extra = goroutine.extra();
            if let Some(since) = extra.ranges.remove(name) {
                *goroutine.times.ranges.entry(name) += scope::nanos(&self.scope, id, since, time);
            } else if self.later {
                extra.first_range(name, FirstRange::Ended(time));
            }
            return;
        }
        let id = match scope {
            gotrail::Scope::Go(id) => id,
            gotrail::Scope::Proc(_) => this,
            gotrail::Scope::Global => return,
        };
        let Some(slot) = self.slot(id) else { return };
        if let gotrail::Scope::Proc(proc) = scope {
            self.proc_ranges.insert((proc.0, name), this);
        }
        let (later, sync) = (self.later, self.sync);
        let goroutine = &mut self.list[slot];
        let active = kind == Kind::RangeActive;
        let extra = goroutine.extra();
        if later {
            let first = if active { FirstRange::Active } else { FirstRange::Begun };
            extra.first_range(name, first);
        }
        let before = extra.ranges.get(name);
        *extra.ranges.entry(name) = if active { sync } else { time };
        if let (true, Some(since)) = (active, before) {
            *goroutine.times.ranges.entry(name) += scope::nanos(&self.scope, id, since, sync);
        }
    }

    pub(crate) fn region(&mut self, event: &Event<'_>, kind: Kind, task: TaskId, name: StrId) {
        let time = event.time().0;
        let id = event.goroutine();
        let later = self.later;
        let Some(slot) = self.slot(id) else { return };
        let goroutine = &mut self.list[slot];
        // Only regions that are kept need to know how long they were in which state.
        let keeps = self.keep_regions;
        let times = keeps.then(|| goroutine.times_at(time, &self.scope));
        if kind == Kind::RegionBegin {
            let extra = goroutine.extra();
            extra.noted |= keeps;
            extra.regions.push(Open { task, name, start: time, times: times.map(Box::new) });
            self.tasks.work(task, id).regions += 1;
            return;
        }
        let before = later && (goroutine.head.is_some() || goroutine.inherits());
        let extra = goroutine.extra();
        if let Some(open) = extra.regions.pop() {
            if !keeps {
                return;
            }
            self.keep(Region {
                go: id,
                task: open.task,
                name: open.name,
                start: Some(open.start),
                end: Some(time),
                times: open.since(&times.unwrap_or_default()),
                with_goroutine: false,
            });
        } else if before {
            extra.noted |= keeps;
            extra.ends.push(Ended { task, name, end: time, times: times.unwrap_or_default() });
        } else {
            let times = times.unwrap_or_default();
            self.end_of_unknown(id, Ended { task, name, end: time, times });
        }
    }

    /// The end of a region whose beginning is not in the trace.
    pub(crate) fn end_of_unknown(&mut self, go: GoId, ended: Ended) {
        let Ended { task, name, end, times } = ended;
        self.tasks.work(task, go).regions += 1;
        let end = Some(end);
        self.keep(Region { go, task, name, start: None, end, times, with_goroutine: false });
    }

    /// Keeps a region, if regions are kept, or if it was left to its goroutine's end.
    pub(crate) fn keep(&mut self, region: Region) {
        if self.keep_regions {
            self.regions.push(region);
        } else if region.was_left() {
            self.regions.push(Region { times: Times::default(), ..region });
        }
    }
}
