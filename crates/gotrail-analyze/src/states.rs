//! How goroutines pass from one state to another, in any situation.

use crate::analysis::Found;
use crate::gc::What;
use crate::goroutine::{Head, Inherits, Open};
use crate::goroutines::{Goroutine, Goroutines, REASON_BEFORE};
use crate::names::{StackId, StrId};
use crate::procs::Change;
use crate::scope;
use crate::waits::{Begun, Instance, Place, WaitKey, WaitKind, Waits};
use gotrail::{Event, GoId, GoState, GoStep, ProcId};
use gotrail_format::EventType;

/// So many goroutines that a generation found and did not see created are no longer worth a fold of
/// their own: to merge them costs more than to count their events in sequence, and they take memory
/// in each generation that is read at the same time.
const MANY: u32 = 1 << 16;

impl Goroutines {
    pub(crate) fn step(&mut self, event: &Event<'_>, step: &GoStep, with: &mut Found) {
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
            procs.is_runnable(time);
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
                    if goroutine.syscall_proc == ProcId::NONE {
                        return self.unheld(id, blocked, time);
                    }
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
                if event.proc() == ProcId::NONE {
                    goroutine.blocked_since = time;
                } else {
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
}
