//! How the lives of goroutines end: by themselves, by waiting forever, or with the trace.

use crate::goroutines::{Goroutines, Region, is_system};
use crate::names::{Names, StackId, StrId};
use crate::times::{Sums, Times};
use crate::waits::{WaitKey, WaitKind, Waits};
use gotrail::GoState;

impl Goroutines {
    /// A goroutine ends, or begins to wait forever.
    pub(crate) fn end(&mut self, slot: usize, time: i64, names: &Names) {
        let goroutine = &mut self.list[slot];
        goroutine.counts = false;
        goroutine.ended = time;
        self.settle(slot, time, Some(time), names);
    }

    /// A goroutine's times are complete, and its regions with it.
    pub(crate) fn settle(&mut self, slot: usize, time: i64, end: Option<i64>, names: &Names) {
        let goroutine = &mut self.list[slot];
        let mut times = std::mem::take(&mut goroutine.times);
        goroutine.count_until(time, &self.scope, &mut times);
        goroutine.times = times;
        goroutine.counts = false;
        goroutine.settled = true;
        let has_head = goroutine.head.is_some();
        let Some(extra) = &mut goroutine.extra else { return };
        extra.ranges = Sums::default();
        let regions = std::mem::take(&mut extra.regions);
        let go = goroutine.id;
        let keeps_times = self.keep_regions || extra.inherits.is_some() || has_head;
        let times = if keeps_times { goroutine.times.clone() } else { Times::default() };
        // The runtime's own goroutines are not part of regions that they were created in. A later
        // fold may not know yet whose goroutine it is.
        let counts = !is_system(names.string(goroutine.name)) || has_head;
        if has_head || extra.inherits.is_some() {
            extra.last = Some(Box::new((time, times.clone())));
        } else {
            goroutine.extra = None;
        }
        for open in regions.into_iter().filter(|_| counts) {
            self.keep(Region {
                go,
                task: open.task,
                name: open.name,
                start: Some(open.start),
                end,
                times: open.since(&times),
                with_goroutine: true,
            });
        }
    }

    /// The trace ends: what still lasts, lasts until its last event.
    pub(crate) fn finish(&mut self, names: &Names, waits: &mut Waits) {
        let somewhere = |why| WaitKey { kind: WaitKind::Run, why, stack: StackId::EMPTY };
        for (go, from, until) in std::mem::take(&mut self.ran_unseen) {
            let name = self.get(go).map_or(StrId::EMPTY, |goroutine| goroutine.name);
            let ran = waits.begin(somewhere(name));
            waits.end(ran, go, from, until);
        }
        for slot in 0..self.list.len() {
            let goroutine = &mut self.list[slot];
            if self.keep_running && goroutine.state == GoState::Running && goroutine.counts {
                goroutine.wait = waits.begin(somewhere(goroutine.name));
            }
            waits.leave_open(goroutine.wait, goroutine.id, goroutine.since, self.last);
            if !goroutine.settled || goroutine.extra.is_some() {
                self.settle(slot, self.last, None, names);
            }
        }
    }
}
