//! The lives of goroutines: what states each was in, for how long, what regions it had, what
//! tasks it worked for.
//!
//! The rules are those of the summaries that `go tool trace` shows; docs/analyses.md has the
//! definitions. Everything is a sum that grows while a goroutine is in a state, and the times of
//! a region are the difference of the sums at its ends.
//!
//! A fold of later generations does not know what a goroutine was in the middle of. It begins
//! to count at the sync of the generation in which the goroutine is first mentioned, and keeps what
//! it cannot know as such: `merge.rs` completes it.

use crate::analysis::{Found, Limits, Options};
use crate::by_id::{ByProc, Slots};
use crate::gc::What;
use crate::goroutine::{Ended, FirstRange, Head, Inherits, Open};
pub use crate::goroutine::{Goroutine, Region, is_system};
use crate::logs::Log;
use crate::names::{Names, StackId, StrId};
use crate::procs::Change;
use crate::scope::{self, Scope};
use crate::tasks::Tasks;
use crate::times::Times;
use crate::waits::{Begun, Instance, Place, WaitKey, WaitKind, Waits};
use gotrail::{Details, Event, GoId, GoState, GoStep, Kind, ProcId, ProcState, RangeName, TaskId};
use gotrail_format::EventType;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// Why a goroutine waits that waited before the first event: only an earlier fold knows.
pub(crate) const REASON_BEFORE: StrId = StrId(u32::MAX);

/// The tracer's reason for a wait that will never end, which it takes for the goroutine's end.
const FOREVER: &[u8] = b"forever";

/// So many goroutines that a generation found and did not see created are no longer worth a fold of
/// their own: to merge them costs more than to count their events in sequence, and they take memory
/// in each generation that is read at the same time.
const MANY: u32 = 1 << 16;

/// All goroutines, with their regions and tasks.
#[derive(Debug, Clone)]
pub struct Goroutines {
    pub(crate) slots: Slots,
    pub(crate) list: Vec<Goroutine>,
    pub(crate) regions: Vec<Region>,
    /// Tasks.
    pub tasks: Tasks,
    /// Whether regions are kept.
    pub(crate) keep_regions: bool,
    /// Which times count.
    pub(crate) scope: Option<Scope>,
    /// What is short and what is many.
    pub(crate) limits: Limits,
    /// Whether there were generations before the first event.
    pub(crate) later: bool,
    /// Later folds: how many goroutines there were before.
    pub(crate) heads: u32,
    /// Whether any generation found too many to be merged. A later fold that did counts no more.
    pub(crate) too_many: bool,
    /// Who is in a system call that began on a proc.
    pub(crate) in_syscall: ByProc<GoId>,
    /// Later folds: procs that were in `in_syscall` at any time, or in `idle_before`.
    pub(crate) touched: ByProc<()>,
    /// Later folds: procs that became idle before they were in `in_syscall`, and when first.
    pub(crate) idle_before: Vec<(i64, i64)>,
    /// Later folds: ends of system calls that began before, with the procs that were then in
    /// `in_syscall`.
    pub(crate) syscalls_before: Vec<(GoId, i64, Vec<i64>)>,
    /// Who had a range of a proc begin.
    pub(crate) proc_ranges: IndexMap<(i64, StrId), GoId, FxBuildHasher>,
    /// Later folds: procs with a range that ended and had not begun.
    pub(crate) proc_ranges_before: Vec<(i64, StrId)>,
    /// Whether the table of waits has those that run.
    pub(crate) keep_running: bool,
    /// Whether common changes of state take nothing but to count time.
    pub(crate) only_times: bool,
    /// When goroutines ran and nothing says where: to be counted for the function that they began
    /// with, which is known at the end.
    pub(crate) ran_unseen: Vec<(GoId, i64, i64)>,
    /// The time of the last sync, or of the first event.
    pub(crate) sync: i64,
    pub(crate) last: i64,
    why: Whys,
    /// The names of the commonest ranges, once there was one.
    sweep: Option<StrId>,
    assist: Option<StrId>,
    /// Room for the goroutines of a later fold.
    pub(crate) spare: Vec<Goroutine>,
}

/// Why goroutines become runnable, where the tracer has no reason.
#[derive(Debug, Clone, Copy, Default)]
struct Whys {
    woken: StrId,
    created: StrId,
    syscall: StrId,
    forever: StrId,
}

impl Goroutines {
    pub(crate) fn new(names: &mut Names, options: &Options, later: bool) -> Goroutines {
        Goroutines {
            slots: Slots::default(),
            list: Vec::new(),
            regions: Vec::new(),
            tasks: Tasks::default(),
            keep_regions: options.regions,
            scope: options.scope.clone(),
            limits: options.limits,
            later,
            heads: 0,
            too_many: false,
            in_syscall: ByProc::default(),
            touched: ByProc::default(),
            idle_before: Vec::new(),
            syscalls_before: Vec::new(),
            proc_ranges: IndexMap::default(),
            proc_ranges_before: Vec::new(),
            keep_running: options.running,
            only_times: !options.running && Waits::are_plain(options),
            ran_unseen: Vec::new(),
            sync: 0,
            last: 0,
            why: Whys {
                woken: names.string_id(b"unblock"),
                created: names.string_id(b"create"),
                syscall: names.string_id(b"syscall exit"),
                forever: names.string_id(FOREVER),
            },
            sweep: None,
            assist: None,
            spare: Vec::new(),
        }
    }

    /// The goroutine with this id.
    pub fn get(&self, id: GoId) -> Option<&Goroutine> {
        self.slots.look(id.0).map(|slot| &self.list[slot])
    }

    /// All goroutines, in the order of their first mention.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Goroutine> {
        self.list.iter()
    }

    /// All regions that were kept: those of a goroutine follow in the order in which they ended.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    #[inline(always)]
    pub(crate) fn slot(&mut self, id: GoId) -> Option<usize> {
        self.slots.get(id.0)
    }

    /// The slot of a new goroutine; one that had the same id before is gone.
    pub(crate) fn add(&mut self, goroutine: Goroutine) -> usize {
        if let Some(slot) = self.slot(goroutine.id) {
            self.list[slot] = goroutine;
            return slot;
        }
        let slot = self.list.len();
        self.slots.insert(goroutine.id.0, slot);
        self.list.push(goroutine);
        slot
    }

    /// The next event, whatever it is.
    pub(crate) fn any(&mut self, event: &Event<'_>, with: &mut Found) {
        if self.sync == 0 {
            self.sync = event.time().0;
        }
        use EventType as T;
        match event.wire_type() {
            Some(T::PROC_START | T::PROC_STOP | T::PROC_STEAL | T::PROC_STATUS) => {
                self.proc(event, with);
            }
            Some(T::HEAP_ALLOC) => self.metric(event, with),
            _ => match event.go_step() {
                Some(step) => self.step(event, &step, with),
                None => self.other(event, with),
            },
        }
    }

    /// A proc changes its state.
    fn proc(&mut self, event: &Event<'_>, with: &mut Found) {
        let Some(step) = event.proc_step() else { return };
        let time = event.time().0;
        // A later fold cannot tell what a status changes. It takes a proc that its thread has
        // abandoned for idle, so that stealing it seems to change nothing.
        let changes = match event.wire_type() {
            Some(EventType::PROC_STATUS) if self.later => false,
            Some(EventType::PROC_STEAL) if self.later => true,
            _ => step.from != step.to,
        };
        if changes && step.to == ProcState::Idle {
            self.proc_idles(step.proc.0, time);
        }
        if let Some(procs) = &mut with.procs {
            let stolen = event.wire_type() == Some(EventType::PROC_STEAL);
            // One that its thread has abandoned was held, as a rule, when the generation began.
            let held = self.later && event.says_abandoned();
            let to = if held { ProcState::Running } else { step.to };
            procs.step(time, step.proc.0, step.from, to, stolen);
        }
    }

    fn step(&mut self, event: &Event<'_>, step: &GoStep, with: &mut Found) {
        if step.from == step.to {
            // A status that says nothing new.
            return;
        }
        let time = event.time().0;
        let slot = match step.from {
            GoState::Undetermined => {
                return self.first_mention(event, step, with);
            }
            GoState::NotExist => self.create(event, step),
            _ => match self.slot(step.go) {
                Some(slot) => slot,
                // Only after a loss of events.
                None => self.add(Goroutine::new(step.go, self.sync)),
            },
        };
        let goroutine = &mut self.list[slot];
        if step.from == GoState::Running && step.to == GoState::Waiting {
            let known = !goroutine.in_head;
            if scope::counts(&self.scope, step.go, time) {
                goroutine.ran(known && time - goroutine.since < self.limits.run);
            }
        } else if step.from == GoState::Waiting && step.to == GoState::Runnable {
            self.woken(event, event.stack_id(), with);
        }
        if self.keep_running && self.list[slot].state == GoState::Running {
            self.note_run(slot, event, step, with);
        }
        self.leave(slot, time, step, &mut with.waits);
        if self.list[slot].name == StrId::EMPTY && step.stack != 0 {
            let stack = with.stack(event, step.stack);
            self.list[slot].name = with.names.root(stack);
            self.collects_after_all(slot, stack, with);
        }
        if let Some(procs) = &mut with.procs {
            if step.from == GoState::Runnable {
                procs.change(time, Change::NotRunnable);
            } else if step.to == GoState::Runnable {
                procs.change(time, Change::Runnable);
            }
        }
        if self.list[slot].collects && step.from.is_executing() != step.to.is_executing() {
            let what = if step.to.is_executing() { What::Runs } else { What::Rests };
            with.gc.note(time, step.go, event.proc(), what);
        }
        let reason = with.string(event, step.reason);
        self.enter(slot, event, step, reason, with);
    }

    /// Later folds: the first stack of a goroutine says whether it is a mark worker.
    fn collects_after_all(&mut self, slot: usize, stack: StackId, with: &Found) {
        let goroutine = &mut self.list[slot];
        let Some(head) = &mut goroutine.head else { return };
        let mut said_so = with.gc.workers.iter().chain(&*with.gc.known);
        let said_so = said_so.any(|go| *go == goroutine.id);
        if goroutine.collects && !said_so && !with.names.is_mark_worker(stack) {
            let assist = with.names.known_string(b"GC mark assist");
            let ranges = goroutine.extra.as_ref().map(|extra| &extra.ranges);
            let since = ranges.zip(assist).and_then(|(ranges, assist)| ranges.get(assist));
            goroutine.collects = since.is_some();
            head.collects = false;
        }
    }

    /// A goroutine is mentioned whose state was not known.
    #[cold]
    fn first_mention(&mut self, event: &Event<'_>, step: &GoStep, with: &mut Found) {
        let time = event.time().0;
        if let Some(slot) = self.slot(step.go)
            && self.list[slot].state != GoState::NotExist
        {
            // A generation that was put in order by itself says what is known from the one before.
            if self.list[slot].state == step.to {
                return;
            }
            // Events were lost, so that nothing is known of it any more.
            self.list[slot].counts = false;
            self.leave(slot, time, step, &mut with.waits);
            let reason = with.string(event, step.reason);
            return self.enter(slot, event, step, reason, with);
        }
        let slot = self.add(Goroutine::new(step.go, self.sync));
        let reason = with.string(event, step.reason);
        let stack = with.stack(event, step.stack);
        let name = with.names.root(stack);
        let on_proc = event.proc() != ProcId::NONE;
        let sync = self.sync;
        if self.later {
            // Mark workers say what they are when they run. Those that said it before may be known
            // from an earlier generation, and else by their function, which one that runs may tell
            // only when it stops.
            let collects = with.gc.known.contains(&step.go)
                || with.names.is_mark_worker(stack)
                || stack == StackId::EMPTY;
            let goroutine = &mut self.list[slot];
            let (state, reason_before) = (step.to, REASON_BEFORE);
            self.heads += 1;
            self.too_many |= self.heads > MANY;
            goroutine.in_head = true;
            goroutine.head = Some(Box::new(Head {
                state,
                sync,
                seen: time,
                on_proc,
                name,
                stack,
                until: 0,
                then: GoState::Undetermined,
                acted: false,
                collects,
                reason,
                ran: Begun::NOTHING,
            }));
            if state == GoState::Runnable
                && let Some(procs) = &mut with.procs
            {
                procs.was_runnable(time);
            }
            (goroutine.state, goroutine.since, goroutine.counts) = (state, sync, true);
            goroutine.reason = reason_before;
            goroutine.collects = collects;
            return;
        }
        if step.to == GoState::Runnable
            && let Some(procs) = &mut with.procs
        {
            procs.change(time, Change::Runnable);
        }
        // It was in this state since the sync.
        let goroutine = &mut self.list[slot];
        goroutine.name = name;
        let nanos = scope::nanos(&self.scope, step.go, sync, time);
        goroutine.count_before(step.to, nanos, reason, on_proc);
        self.enter(slot, event, step, reason, with);
        with.waits.before(self.list[slot].wait, step.go, sync, time);
        if self.keep_running && step.to == GoState::Running {
            self.ran_unseen.push((step.go, sync, time));
        }
    }

    /// A goroutine has run, for which there is a place in the table of waits.
    #[cold]
    fn note_run(&mut self, slot: usize, event: &Event<'_>, step: &GoStep, with: &mut Found) {
        let stack = with.stack(event, step.stack);
        let ran = match stack {
            StackId::EMPTY => Begun::NOTHING,
            stack => with.waits.begin(WaitKey { kind: WaitKind::Run, why: StrId::EMPTY, stack }),
        };
        let goroutine = &mut self.list[slot];
        if let Some(head) = &mut goroutine.head
            && head.until == 0
        {
            head.ran = ran;
        } else if goroutine.counts {
            let (go, since) = (goroutine.id, goroutine.since);
            self.count_run(ran, go, since, event.time().0, &mut with.waits);
        }
    }

    /// Counts a time in which a goroutine ran.
    pub(crate) fn count_run(
        &mut self,
        ran: Begun,
        go: GoId,
        from: i64,
        until: i64,
        waits: &mut Waits,
    ) {
        match ran {
            Begun::NOTHING => self.ran_unseen.push((go, from, until)),
            ran => waits.end(ran, go, from, until),
        }
    }

    fn create(&mut self, event: &Event<'_>, step: &GoStep) -> usize {
        let time = event.time().0;
        let mut goroutine = Goroutine::new(step.go, time);
        goroutine.state = GoState::NotExist;
        goroutine.counts = false;
        goroutine.creator = event.goroutine();
        if let Some(creator) = self.slot(event.goroutine()) {
            let creator = &mut self.list[creator];
            creator.acted = true;
            let extra = creator.extra.as_deref();
            if let Some(inner) = extra.and_then(|extra| extra.regions.last()) {
                let open = Open { task: inner.task, name: StrId::EMPTY, start: time, times: None };
                goroutine.extra().regions.push(open);
            } else if self.later && (creator.head.is_some() || creator.inherits()) {
                let ended = extra.map_or(0, |extra| extra.ends.len());
                goroutine.extra().inherits = Some(Inherits { from: creator.id, ended });
            }
        }
        self.add(goroutine)
    }

    /// A goroutine leaves its state.
    fn leave(&mut self, slot: usize, time: i64, step: &GoStep, waits: &mut Waits) {
        let state = self.list[slot].state;
        if state == step.from {
            self.leave_state(slot, time, step.from, step.to, waits);
        } else {
            self.leave_other(slot, time, state, step.to, waits);
        }
    }

    /// The same if it is not the state that it should be in: events were lost.
    #[cold]
    #[inline(never)]
    fn leave_other(
        &mut self,
        slot: usize,
        time: i64,
        state: GoState,
        then: GoState,
        waits: &mut Waits,
    ) {
        self.leave_state(slot, time, state, then, waits);
    }

    fn leave_state(
        &mut self,
        slot: usize,
        time: i64,
        state: GoState,
        then: GoState,
        waits: &mut Waits,
    ) {
        let goroutine = &mut self.list[slot];
        let since = goroutine.since;
        if let Some(head) = &mut goroutine.head
            && head.until == 0
        {
            goroutine.in_head = false;
            (head.until, head.then, head.acted) = (time, then, goroutine.acted);
            if head.state == GoState::Syscall {
                let procs = self.in_syscall.iter().map(|(proc, _)| proc).collect();
                self.syscalls_before.push((goroutine.id, time, procs));
            }
        }
        if state != GoState::Running {
            waits.end(goroutine.wait, goroutine.id, since, time);
        }
        if state == GoState::Syscall {
            let until = if goroutine.blocked_since != 0 { goroutine.blocked_since } else { time };
            waits.held(goroutine.wait, goroutine.id, since, until);
        }
        goroutine.wait = Begun::NOTHING;
        if !goroutine.counts {
            return;
        }
        let id = goroutine.id;
        let nanos = scope::nanos(&self.scope, id, since, time);
        match state {
            GoState::Running => goroutine.times.running += nanos,
            GoState::Runnable => goroutine.times.runnable += nanos,
            GoState::Waiting => {
                let reason = std::mem::take(&mut goroutine.reason);
                *goroutine.times.blocked.entry(reason) += nanos;
            }
            GoState::Syscall => {
                if goroutine.blocked_since != 0 {
                    let blocked = std::mem::take(&mut goroutine.blocked_since);
                    goroutine.times.syscall_blocked += scope::nanos(&self.scope, id, blocked, time);
                    goroutine.times.syscall += scope::nanos(&self.scope, id, since, blocked);
                } else {
                    goroutine.times.syscall += nanos;
                }
                // As in the reference, this may be somebody else's system call by now.
                self.in_syscall.remove(goroutine.syscall_proc.0);
            }
            _ => {}
        }
    }

    /// The event's goroutine wakes another, at a stack.
    #[inline(always)]
    pub(crate) fn woken(&mut self, event: &Event<'_>, here: u64, with: &mut Found) {
        let time = event.time().0;
        let Some(waker) = event.goroutine().some().and_then(|go| self.slot(go)) else { return };
        let sync = self.sync;
        let waker = &mut self.list[waker];
        waker.acted = true;
        let woke = &mut waker.woke;
        // What comes before a sync may be known to another fold only.
        let goes_on = time - woke.last <= self.limits.gap
            && woke.last >= sync
            && u64::from(woke.stack) == here;
        if !goes_on {
            (woke.number, woke.begin) = (0, time);
        }
        woke.number += 1;
        // Only damaged traces have larger ids, which never equal this.
        (woke.last, woke.stack) = (time, u32::try_from(here).unwrap_or(u32::MAX));
        let (size, herd) = (woke.number, self.limits.herd.max(2));
        if size >= herd {
            let worst = Instance { go: waker.id, from: woke.begin, until: time };
            if scope::counts(&self.scope, worst.go, time) {
                // A copy, so that only here the event has to be in memory.
                let event = *event;
                let stack = with.stack(&event, here);
                with.herds.grown(stack, size, size == herd, worst);
            }
        }
    }

    /// A goroutine enters a state.
    fn enter(
        &mut self,
        slot: usize,
        event: &Event<'_>,
        step: &GoStep,
        reason: StrId,
        with: &mut Found,
    ) {
        let time = event.time().0;
        let goroutine = &mut self.list[slot];
        (goroutine.state, goroutine.since, goroutine.counts) = (step.to, time, true);
        let (kind, why) = match step.to {
            GoState::Running => {
                if goroutine.started == 0 {
                    goroutine.started = time;
                }
                goroutine.acted = step.from != GoState::Runnable;
                return;
            }
            GoState::Runnable => {
                let why = match event.wire_type() {
                    Some(EventType::GO_CREATE) => self.why.created,
                    Some(EventType::GO_SYSCALL_END_BLOCKED) => self.why.syscall,
                    Some(
                        EventType::GO_STOP | EventType::GO_STATUS | EventType::GO_STATUS_STACK,
                    ) => reason,
                    _ => self.why.woken,
                };
                (WaitKind::Sched, why)
            }
            GoState::Waiting => {
                goroutine.reason = reason;
                (WaitKind::Block, reason)
            }
            GoState::Syscall => {
                goroutine.syscall_proc = event.proc();
                if event.proc() != ProcId::NONE {
                    self.in_syscall.insert(event.proc().0, goroutine.id);
                    if self.later {
                        self.touched.insert(event.proc().0, ());
                    }
                }
                (WaitKind::Syscall, StrId::EMPTY)
            }
            GoState::NotExist => return self.end(slot, time, &with.names),
            _ => return,
        };
        let stack = with.stack(event, event.stack_id());
        let goroutine = &mut self.list[slot];
        if why == self.why.created {
            goroutine.created_by = stack;
        }
        let begun = with.waits.begin(WaitKey { kind, why, stack });
        goroutine.wait = begun;
        if why != self.why.forever
            && let Some(wire_type) = event.wire_type()
        {
            let (reason, stack) = (step.reason, event.stack_id());
            let place = Place { event: wire_type, reason, stack };
            with.waits.note_place(place, begun, why);
        }
        if kind == WaitKind::Block && reason == self.why.forever {
            self.end(slot, time, &with.names);
        }
    }

    /// A goroutine ends, or begins to wait forever.
    fn end(&mut self, slot: usize, time: i64, names: &Names) {
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
        extra.ranges = crate::times::Sums::default();
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

    /// Keeps a region, if regions are kept, or if it was left to its goroutine's end.
    pub(crate) fn keep(&mut self, region: Region) {
        if self.keep_regions {
            self.regions.push(region);
        } else if region.was_left() {
            self.regions.push(Region { times: Times::default(), ..region });
        }
    }

    /// A proc becomes idle: a system call that began on it has lost it.
    fn proc_idles(&mut self, proc: i64, time: i64) {
        if let Some(id) = self.in_syscall.remove(proc) {
            if let Some(slot) = self.slot(id) {
                self.list[slot].blocked_since = time;
            }
        } else if self.later && !self.touched.contains(proc) {
            self.touched.insert(proc, ());
            self.idle_before.push((proc, time));
        }
    }

    /// Anything but a change of state.
    fn other(&mut self, event: &Event<'_>, with: &mut Found) {
        let kind = event.kind();
        let names = &mut with.names;
        match kind {
            Kind::Sync => {
                self.sync = event.time().0;
                with.gc.syncs += 1;
            }
            Kind::Metric => self.metric(event, with),
            Kind::Label => self.label(event, with),
            Kind::RangeBegin | Kind::RangeActive | Kind::RangeEnd => {
                if let Details::Range(range) = event.details() {
                    let known = match range.name {
                        RangeName::GcMark => &mut Some(StrId::EMPTY),
                        RangeName::GcSweep => &mut self.sweep,
                        RangeName::GcMarkAssist => &mut self.assist,
                        RangeName::StopTheWorld(_) => &mut None,
                    };
                    let name = *known
                        .get_or_insert_with(|| names.string_id(range.name.to_string().as_bytes()));
                    self.collects(event, kind, &range, name, with);
                    if range.scope != gotrail::Scope::Global {
                        self.range(event, kind, range.scope, name);
                    }
                }
            }
            Kind::RegionBegin | Kind::RegionEnd => {
                if let Some((task, name)) = event.region_ids() {
                    let name = with.lookup.string(names, event, name);
                    self.region(event, kind, task, name);
                }
            }
            Kind::TaskBegin | Kind::TaskEnd => {
                if let Details::Task(task) = event.details() {
                    let name = names.string_id(task.name);
                    let (go, time) = (event.goroutine(), event.time().0);
                    if kind == Kind::TaskBegin {
                        self.tasks.begin(task.id, task.parent, name, go, time);
                    } else {
                        self.tasks.end(task.id, task.parent, name, go, time, self.later);
                    }
                }
            }
            Kind::Log => {
                if let Details::Log(log) = event.details() {
                    let (task, go, time) = (log.task, event.goroutine(), event.time().0);
                    self.tasks.work(task, go).logs += 1;
                    if let Some(logs) = &mut with.logs {
                        let category = names.string_id(log.category);
                        let message = names.string_id(log.message);
                        let stack = with.lookup.stack(names, event, event.stack_id());
                        logs.push(Log { time, task, go, category, message, stack });
                    }
                }
            }
            Kind::StackSample => {
                if let Some(samples) = &mut with.samples {
                    let stack = with.lookup.stack(names, event, event.stack_id());
                    samples.add(event.goroutine(), event.time().0, stack);
                }
            }
            _ => {}
        }
    }

    fn range(&mut self, event: &Event<'_>, kind: Kind, scope: gotrail::Scope, name: StrId) {
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

    fn region(&mut self, event: &Event<'_>, kind: Kind, task: TaskId, name: StrId) {
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
