//! Completes what a fold of a later generation could not know, and adds it.
//!
//! ```text
//!   before          sync        first mention   end of the head
//!   ───────┬─────────┼────────────────┼───────────────┬──────────
//!        since       │<──────────── head ────────────>│
//!          │<─ added ┤  counted by the later fold as if it began here
//! ```
//!
//! All times of a goroutine in the later fold are sums that began at that sync, so that those of
//! before are added to each of them, and what the goroutine was in the middle of then is added once.

use crate::goroutine::{Ended, FirstRange, Goroutine, Head, Open, Region, Regions, is_system};
use crate::goroutines::{Goroutines, REASON_BEFORE};
use crate::names::{Names, Renumbering, StrId};
use crate::scope;
use crate::times::{Sums, Times};
use crate::waits::{Begun, WaitKey, WaitKind, Waits};
use gotrail::{GoId, GoState, ProcId, TaskId};
use rustc_hash::FxHashMap;

/// What a merge needs besides the goroutines.
pub(crate) struct Merge<'a> {
    pub(crate) names: &'a Names,
    /// From the numbers of the later fold to ours.
    pub(crate) to: &'a Renumbering,
    /// What its waits are here.
    pub(crate) begun: &'a [Begun],
    pub(crate) waits: &'a mut Waits,
}

/// Room for so many goroutines of a later fold is kept for the next one, so that its memory need not
/// come from the system again.
const SPARE: usize = 1 << 14;

impl Goroutines {
    /// Whether the later fold would have come to something else, had it known what came before,
    /// and it cannot be told what.
    pub(crate) fn doubts(
        &self,
        later: &Goroutines,
        to: &Renumbering,
        assist: StrId,
        unknown_workers: &[GoId],
    ) -> bool {
        // A system call that ended freed a proc that then was another's.
        let freed_another = later.syscalls_before.iter().any(|(go, _, procs)| {
            self.get(*go).is_some_and(|before| procs.contains(&before.syscall_proc.0))
        });
        let ended_range = later
            .proc_ranges_before
            .iter()
            .any(|&(proc, name)| self.proc_ranges.contains_key(&(proc, to.string(name))));
        freed_another
            || ended_range
            || later.found().any(|goroutine| self.doubts_one(goroutine, to, assist))
            || later
                .found()
                .filter(|goroutine| unknown_workers.contains(&goroutine.id))
                .any(|goroutine| goroutine.head.as_ref().is_some_and(|head| !head.collects))
    }

    fn doubts_one(&self, later: &Goroutine, to: &Renumbering, assist: StrId) -> bool {
        let Some(head) = later.head.as_deref() else { return false };
        let before = self.get(later.id).filter(|before| before.state != GoState::NotExist);
        let Some(before) = before else {
            // It would have been known to hold its proc, or to wait for one.
            return head.state == GoState::Runnable
                || head.state == GoState::Syscall && head.on_proc;
        };
        if before.state != head.state {
            return true;
        }
        let Some(was) = &before.extra else { return false };
        let said_to_be_active = |name| {
            let first = later.extra.as_ref().map_or(&[][..], |is| &is.first_ranges[..]);
            let mut first = first.iter();
            first.any(|range| to.string(range.0) == name && range.1 == FirstRange::Active)
        };
        // Times that were noted for a region lack the ranges that began before, and what an
        // assisting goroutine does must be known from its first event on.
        let noted = later.extra.as_ref().is_some_and(|is| is.noted);
        was.ranges.iter().any(|(name, _)| (noted || name == assist) && !said_to_be_active(name))
    }

    /// Adds what a later fold came to.
    pub(crate) fn absorb(&mut self, mut later: Goroutines, with: &mut Merge<'_>) {
        self.replay_syscalls(&later);
        for ((proc, name), go) in std::mem::take(&mut later.proc_ranges) {
            self.proc_ranges.insert((proc, with.to.string(name)), go);
        }
        let mut merged = Merged::default();
        self.ran_unseen.append(&mut later.ran_unseen);
        self.tasks.absorb(std::mem::take(&mut later.tasks), with.to);
        let mut list = std::mem::take(&mut later.list);
        for goroutine in std::mem::take(&mut later.over) {
            self.absorb_one(goroutine, &mut merged, with);
        }
        self.absorb_past(&mut later, with.to);
        for goroutine in list.drain(..) {
            self.absorb_one(goroutine, &mut merged, with);
        }
        if list.capacity() <= SPARE {
            self.spare = list;
        }
        for (&go, nanos) in &later.unheld {
            *self.unheld.entry(go).or_default() += nanos;
        }
        for mut region in std::mem::take(&mut later.regions) {
            region.name = with.to.string(region.name);
            region.times.renumber(with.to);
            if region.with_goroutine
                && self.get(region.go).is_some_and(|go| is_system(with.names.string(go.name)))
            {
                continue;
            }
            if let Some((reason, keys)) = merged.keys.get(&region.go) {
                rename_reason(&mut region.times, *reason);
                for (name, _) in keys.blocked.iter() {
                    region.times.blocked.entry(name);
                }
                for (name, _) in keys.ranges.iter() {
                    region.times.ranges.entry(name);
                }
            }
            self.regions.push(region);
        }
        (self.sync, self.last) = (later.sync, later.last);
    }

    /// What happened to system calls that began before the later fold.
    fn replay_syscalls(&mut self, later: &Goroutines) {
        enum Change {
            Ended(GoId),
            Idle(i64),
        }
        let ended = later.syscalls_before.iter().map(|&(go, time, _)| (time, Change::Ended(go)));
        let idle = later.idle_before.iter().map(|&(proc, time)| (time, Change::Idle(proc)));
        let mut changes: Vec<_> = ended.chain(idle).collect();
        changes.sort_by_key(|change| change.0);
        for (time, change) in changes {
            match change {
                Change::Ended(go) => {
                    if let Some(proc) = self.get(go).map(|before| before.syscall_proc) {
                        self.in_syscall.remove(proc.0);
                    }
                }
                Change::Idle(proc) => {
                    if let Some(go) = self.in_syscall.remove(proc)
                        && let Some(slot) = self.slot(go)
                    {
                        self.list[slot].blocked_since = time;
                    }
                }
            }
        }
        for (proc, ()) in later.touched.iter() {
            self.in_syscall.remove(proc);
        }
        for (proc, &go) in later.in_syscall.iter() {
            self.in_syscall.insert(proc, go);
        }
    }

    fn absorb_one(&mut self, mut later: Goroutine, merged: &mut Merged, with: &mut Merge<'_>) {
        let to = with.to;
        later.name = to.string(later.name);
        later.created_by = to.stack(later.created_by);
        later.times.renumber(to);
        if later.reason != REASON_BEFORE {
            later.reason = to.string(later.reason);
        }
        later.wait.renumber(with.begun);
        if let Some(head) = &mut later.head {
            head.ran.renumber(with.begun);
        }
        if let Some(extra) = &mut later.extra {
            extra.ranges.renumber(to);
            for open in &mut extra.regions {
                open.name = to.string(open.name);
                open.times.iter_mut().for_each(|times| times.renumber(to));
            }
            for ended in &mut extra.ends {
                ended.name = to.string(ended.name);
                ended.times.renumber(to);
            }
            if let Some((_, times)) = extra.last.as_deref_mut() {
                times.renumber(to);
            }
        }
        let before = later.head.as_ref().and_then(|_| self.slots.look(later.id.0));
        let before = before.filter(|&slot| self.list[slot].state != GoState::NotExist);
        later.in_head = false;
        match (later.head.take(), before) {
            (None, _) => self.absorb_new(later, merged, with),
            (Some(head), None) => self.absorb_unknown(*head, later, merged, with),
            (Some(head), Some(slot)) => self.continue_with(slot, *head, later, merged, with),
        }
    }

    /// A goroutine that the later fold saw created.
    fn absorb_new(&mut self, mut later: Goroutine, merged: &mut Merged, with: &Merge<'_>) {
        let inherits = later.extra.as_mut().and_then(|extra| extra.inherits.take());
        let task = inherits.and_then(|inherits| {
            let tasks = merged.tasks.get(&inherits.from)?;
            tasks.len().checked_sub(inherits.ended + 1).map(|at| tasks[at])
        });
        let base =
            task.map(|task| Open { task, name: StrId::EMPTY, start: later.created, times: None });
        let slot = self.add(later);
        self.join_regions(slot, base.into_iter().collect(), &Times::default(), merged, with);
    }

    /// A goroutine whose first mention in the whole trace is that of the later fold.
    fn absorb_unknown(
        &mut self,
        head: Head,
        mut later: Goroutine,
        merged: &mut Merged,
        with: &mut Merge<'_>,
    ) {
        let name = with.to.string(head.name);
        if name != StrId::EMPTY {
            later.name = name;
        }
        let reason = with.to.string(head.reason);
        let before = scope::nanos(&self.scope, later.id, head.sync, head.seen);
        if head.state == GoState::Running {
            later.started = head.seen;
            // Nobody knows when it began to run, so that this run does not count as short.
            later.acted |= head.until == 0;
        }
        let kind = match head.state {
            GoState::Runnable => Some(WaitKind::Sched),
            GoState::Waiting => Some(WaitKind::Block),
            GoState::Syscall => Some(WaitKind::Syscall),
            _ => None,
        };
        let begun = kind.map_or(Begun::NOTHING, |kind| {
            let why = if kind == WaitKind::Syscall { StrId::EMPTY } else { reason };
            with.waits.begin(WaitKey { kind, why, stack: with.to.stack(head.stack) })
        });
        rename_reason(&mut later.times, Some(reason));
        with.waits.before(begun, later.id, head.sync, head.seen);
        if self.keep_running && head.state == GoState::Running {
            self.ran_unseen.push((later.id, head.sync, head.seen));
            if head.until != 0 {
                self.count_run(head.ran, later.id, head.seen, head.until, with.waits);
            }
        }
        let unheld = head.state == GoState::Syscall && !head.on_proc;
        if head.until == 0 {
            later.count_before(head.state, before, reason, head.on_proc);
            (later.since, later.reason, later.wait) = (head.seen, reason, begun);
            if unheld {
                later.blocked_since = head.seen;
            }
        } else {
            if unheld {
                let all = scope::nanos(&self.scope, later.id, head.sync, head.until);
                later.times.syscall -= all;
                later.times.syscall_blocked += all;
                self.unheld(later.id, head.seen, head.until);
            }
            with.waits.end(begun, later.id, head.seen, head.until);
        }
        if later.extra.as_ref().is_some_and(|extra| extra.noted) {
            merged.keys.insert(later.id, (Some(reason), Times::default()));
        }
        let slot = self.add(later);
        self.join_regions(slot, Regions::new(), &Times::default(), merged, with);
    }

    /// A goroutine that is known already.
    fn continue_with(
        &mut self,
        slot: usize,
        head: Head,
        mut later: Goroutine,
        merged: &mut Merged,
        with: &mut Merge<'_>,
    ) {
        let sync = head.sync;
        let scope = self.scope.clone();
        let before = &mut self.list[slot];
        let nanos = |from, until| scope::nanos(&scope, later.id, from, until);
        let ended = later.ended != 0;
        let (before_since, before_acted) = (before.since, before.acted);
        // What has to be added to times that the later fold noted.
        let mut offset = before.times.clone();
        offset.total = nanos(before.created, sync);
        let reason = before.counts.then_some(before.reason);
        if before.counts {
            let missing = nanos(before.since, sync);
            match head.state {
                GoState::Running => offset.running += missing,
                GoState::Runnable => offset.runnable += missing,
                GoState::Waiting if head.until != 0 => {
                    *offset.blocked.entry(before.reason) += missing;
                }
                GoState::Syscall if before.blocked_since != 0 && head.until != 0 => {
                    let counted = nanos(sync, head.until);
                    offset.syscall += nanos(before.since, before.blocked_since) - counted;
                    offset.syscall_blocked += nanos(before.blocked_since, head.until);
                }
                GoState::Syscall => offset.syscall += missing,
                _ => {}
            }
        }
        let mut open_ranges = Sums::default();
        if let Some(extra) = &mut before.extra {
            let first = later.extra.as_ref().map_or(&[][..], |extra| &extra.first_ranges[..]);
            for (name, since) in std::mem::take(&mut extra.ranges).iter() {
                let first = first.iter().find(|range| with.to.string(range.0) == name);
                match first.map(|range| range.1) {
                    Some(FirstRange::Active) => *offset.ranges.entry(name) += nanos(since, sync),
                    Some(FirstRange::Begun) => {}
                    Some(FirstRange::Ended(time)) => {
                        *offset.ranges.entry(name) += nanos(since, time)
                    }
                    None if ended => *offset.ranges.entry(name) += nanos(since, later.ended),
                    None => *open_ranges.entry(name) = since,
                }
            }
        }
        rename_reason(&mut later.times, reason);
        if let Some(extra) = &mut later.extra {
            let begun = extra.regions.iter_mut().flat_map(|open| &mut open.times);
            begun.for_each(|times| rename_reason(times, reason));
            extra.ends.iter_mut().for_each(|end| rename_reason(&mut end.times, reason));
            if extra.noted {
                merged.keys.insert(later.id, (reason, offset.clone()));
            }
        }
        if before.name == StrId::EMPTY {
            before.name = later.name;
        }
        if before.started == 0 {
            before.started = later.started;
        }
        let ran = self.keep_running && before.counts && head.state == GoState::Running;
        let (since, until) = (before.since, head.until);
        let mut unheld = false;
        if head.until == 0 {
            // Still in the same state, since before: only ranges can have been added.
            before.acted |= later.acted;
            before.times.ranges = offset.ranges.clone();
            before.times.ranges.add(&later.times.ranges);
        } else {
            with.waits.end(before.wait, before.id, since, until);
            unheld = head.state == GoState::Syscall && before.syscall_proc == ProcId::NONE;
            if head.state == GoState::Syscall {
                let blocked = before.blocked_since;
                let until = if blocked != 0 { blocked } else { head.until };
                with.waits.held(before.wait, before.id, before.since, until);
            }
            let total = before.times.total;
            before.times = std::mem::take(&mut later.times);
            before.times.add(&offset);
            if !ended {
                before.times.total = total;
            }
            before.state = later.state;
            (before.since, before.reason, before.counts) =
                (later.since, later.reason, later.counts);
            (before.blocked_since, before.syscall_proc) = (later.blocked_since, later.syscall_proc);
            before.wait = later.wait;
            before.acted = later.acted;
        }
        before.runs += later.runs;
        before.short_runs += later.short_runs;
        if head.state == GoState::Running && head.then == GoState::Waiting {
            // It was counted, but not as short: nobody knew how long it had run.
            let acted = before_acted || head.acted;
            let short = head.until - before_since < self.limits.run && !acted;
            let counts = scope::counts(&scope, later.id, head.until);
            before.short_runs += u32::from(short && counts);
        }
        if ended {
            before.ended = later.ended;
        }
        before.collects |= later.collects;
        before.settled |= later.settled;
        let mut base = Regions::new();
        if let Some(extra) = &mut before.extra {
            base = std::mem::take(&mut extra.regions);
            extra.ranges = open_ranges;
        }
        if let Some(extra) = later.extra {
            let own = before.extra();
            extra.ranges.iter().for_each(|(name, since)| *own.ranges.entry(name) = since);
            (own.regions, own.ends, own.last) = (extra.regions, extra.ends, extra.last);
        }
        if unheld {
            self.unheld(later.id, since, until);
        }
        if ran && until != 0 {
            self.count_run(head.ran, later.id, since, until, with.waits);
        }
        if !base.is_empty() {
            merged.tasks.insert(later.id, base.iter().map(|open| open.task).collect());
        }
        self.join_regions(slot, base, &offset, merged, with);
    }

    /// Joins the regions that a goroutine was in before with those of the later fold.
    fn join_regions(
        &mut self,
        slot: usize,
        mut base: Regions,
        offset: &Times,
        merged: &mut Merged,
        with: &Merge<'_>,
    ) {
        let goroutine = &mut self.list[slot];
        if base.is_empty() && goroutine.extra.is_none() {
            return;
        }
        let (go, end) = (goroutine.id, goroutine.ended);
        let times = goroutine.times.clone();
        let system = is_system(with.names.string(goroutine.name));
        let Some(extra) = &mut goroutine.extra else {
            if end != 0 {
                self.close(go, base, end, &times, system);
            } else {
                self.list[slot].extra().regions = base;
            }
            return;
        };
        if !base.is_empty() {
            let tasks = base.iter().map(|open| open.task).collect();
            merged.tasks.entry(go).or_insert(tasks);
        }
        let ends = std::mem::take(&mut extra.ends);
        for open in &mut extra.regions {
            if self.keep_regions {
                open.times.get_or_insert_default().add(offset);
            }
        }
        let ended_itself = extra.last.take().is_some() || end != 0;
        let inner = std::mem::take(&mut extra.regions);
        for Ended { task, name, end, times: mut noted } in ends {
            noted.add(offset);
            match base.pop() {
                Some(open) => self.keep(Region {
                    go,
                    task: open.task,
                    name: open.name,
                    start: Some(open.start),
                    end: Some(end),
                    times: open.since(&noted),
                    with_goroutine: false,
                }),
                None => self.end_of_unknown(go, Ended { task, name, end, times: noted }),
            }
        }
        base.extend(inner);
        if ended_itself {
            self.close(go, base, end, &times, system);
        } else if let Some(extra) = &mut self.list[slot].extra {
            extra.regions = base;
        }
    }

    /// Regions end with their goroutine.
    fn close(&mut self, go: GoId, open: Regions, end: i64, times: &Times, system: bool) {
        if system {
            return;
        }
        for open in open {
            self.keep(Region {
                go,
                task: open.task,
                name: open.name,
                start: Some(open.start),
                end: Some(end),
                times: open.since(times),
                with_goroutine: true,
            });
        }
    }
}

/// What goroutines that were merged already were in the middle of.
#[derive(Default)]
struct Merged {
    /// The tasks of the regions that a goroutine was in.
    tasks: FxHashMap<GoId, Vec<TaskId>>,
    /// Of goroutines with regions: why it waited, and what its times knew before.
    keys: FxHashMap<GoId, (Option<StrId>, Times)>,
}

/// Gives the time of a wait that began before its reason; without one it does not count.
fn rename_reason(times: &mut Times, reason: Option<StrId>) {
    if let Some(nanos) = times.blocked.remove(REASON_BEFORE)
        && let Some(reason) = reason
    {
        *times.blocked.entry(reason) += nanos;
    }
}
