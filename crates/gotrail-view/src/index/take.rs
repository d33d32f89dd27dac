//! Taking the events of a trace into its index, one after the other.

use super::functions::Seen;
use super::{BINS, Goroutine, Group, Index, Known, Part, Unit};
use crate::bins::Bins;
use crate::labels::NO_LABEL;
use crate::marks::{OPEN, Sample, Stretch, end_last};
use crate::moves::{Move, NONE, Writer};
use crate::state::{STATES, State};
use gotrail::{Details, Event, GoId, GoState, GoStep, Kind, ProcState, RangeName, Time};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// The part that is being read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) from: i64,
    bytes: Range<u64>,
    goroutines: Vec<(u32, Move)>,
    procs: Vec<(u32, Move)>,
    threads: Vec<(u32, Move)>,
    standing: Vec<[u32; STATES]>,
    /// What goroutines did when the trace began.
    pub(super) early: Vec<(u32, Move)>,
    /// Whether this is the trace's first generation.
    is_first: bool,
    /// From this time on bins must become longer.
    until: i64,
    /// The last event's thread: one that has none of the goroutines' is one, too.
    thread: i64,
    /// The generation's strings as reasons, its stacks as groups.
    reasons: FxHashMap<u64, (u8, State)>,
    groups: FxHashMap<u64, u32>,
    pub(super) seen: Seen,
    pub(super) writer: Writer,
}

impl Index {
    /// Takes the next event.
    #[inline]
    pub fn event(&mut self, event: &Event<'_>) {
        let start = *self.start.get_or_insert(event.time().0);
        let time = event.time().0 - start;
        self.events += 1;
        if time >= self.draft.until {
            self.coarsen(time);
        }
        let thread = event.thread();
        if thread.0 != self.draft.thread && thread.some().is_some() {
            self.draft.thread = thread.0;
            self.known.threads.place(thread.0, self.known.level);
        }
        if self.draft.goroutines.len() >= self.part {
            self.finish_part();
            self.begin_part(time);
        }
        if let Some(step) = event.go_step() {
            self.step(event, time, step);
        } else {
            self.other(event, time);
        }
        self.indexed = time;
    }

    /// The function that a goroutine began with is the outermost of any of its stacks.
    fn group_of_stack(&mut self, event: &Event<'_>, stack: u64) -> u32 {
        if let Some(&group) = self.draft.groups.get(&stack) {
            return group;
        }
        let frame = event.stack_with_id(stack).and_then(|stack| stack.frames().last());
        let label = frame.map_or(NO_LABEL, |frame| self.known.labels.number(frame.function));
        let group = self.known.group(label);
        self.draft.groups.insert(stack, group);
        group
    }

    /// A goroutine's function is known from now on. What it did before is counted with those of which
    /// nothing is known, until [`Index::settled`].
    #[cold]
    fn join_group(&mut self, place: u32, group: u32, time: i64) {
        let goroutine = &mut self.goroutines[place as usize];
        let state = goroutine.state;
        let before = std::mem::replace(&mut goroutine.group, group) as usize;
        let members = &mut self.groups[before].members;
        if members.last() == Some(&place) {
            members.pop();
        } else {
            members.retain(|&member| member != place);
        }
        if state != State::NONE {
            self.late.extend([before as u32, group]);
        }
        self.groups[before].change(time, state, State::NONE);
        self.groups[group as usize].members.push(place);
        self.groups[group as usize].change(time, State::NONE, state);
    }

    /// Makes all bins longer until there are not too many of them up to a time. The structure of a
    /// broken trace may promise less time than its events take.
    #[cold]
    fn coarsen(&mut self, time: i64) {
        let known = &mut self.known;
        while time >> known.level > 2 * BINS {
            known.level += 1;
            known.all.coarsen();
            known.open.coarsen();
            known.groups.iter_mut().for_each(|group| group.bins.coarsen());
            let units = known.procs.all.iter_mut().chain(&mut known.threads.all);
            units.for_each(|unit| {
                unit.bins.coarsen();
                unit.work.coarsen();
            });
        }
        let until = (2 * BINS as i128 + 1) << known.level.min(64);
        self.draft.until = i64::try_from(until).unwrap_or(i64::MAX);
    }

    #[inline]
    fn step(&mut self, event: &Event<'_>, time: i64, step: GoStep) {
        let place = self.place(step.go, time);
        let before = self.goroutines[place as usize].state;
        let (after, reason) = match State::of(step.to) {
            Some(state) => (state, 0),
            None if step.reason == 0 => (State::OTHER, 0),
            None => {
                let (reason, state) = self.reason(event, step.reason);
                (state, reason)
            }
        };
        // In a system call without a proc from the beginning.
        let lost = step.from == GoState::Undetermined && event.proc().some().is_none();
        let after = if lost && after == State::SYSCALL { State::SYSCALL_NO_PROC } else { after };
        let own = event.goroutine() == step.go;
        if step.from == GoState::Undetermined && before == State::NONE && self.draft.is_first {
            if step.stack != 0 && self.goroutines[place as usize].group == 0 {
                let group = self.group_of_stack(event, step.stack);
                self.join_group(place, group, time);
            }
            self.note_functions(event, step.stack);
            self.was_always(place, time, after, reason, step.stack);
            return self.bind(event, place, time, before, after);
        }
        if matches!(step.from, GoState::Undetermined) || step.from == step.to {
            // A status: what is known already is known better.
            if step.stack != 0 && self.goroutines[place as usize].group == 0 {
                let group = self.group_of_stack(event, step.stack);
                self.join_group(place, group, time);
            }
            let same = before == after
                || (before.is_blocked() && after.is_blocked())
                || (before == State::SYSCALL_NO_PROC && after == State::SYSCALL);
            if same && before != State::NONE {
                return;
            }
        } else if step.from == GoState::NotExist {
            let group = self.group_of_stack(event, step.stack);
            let creator = event.goroutine().some().map_or(NONE, |go| self.place(go, time));
            let goroutine = &mut self.goroutines[place as usize];
            (goroutine.created, goroutine.creator) = (time, creator);
            if goroutine.group != group {
                self.join_group(place, group, time);
            }
        } else if self.goroutines[place as usize].group == 0 && step.stack != 0 {
            let group = self.group_of_stack(event, step.stack);
            self.join_group(place, group, time);
        }
        let by = match event.goroutine().some() {
            Some(go) if !own => self.place(go, time),
            _ => NONE,
        };
        let stack =
            if own || step.from == GoState::Undetermined { step.stack } else { event.stack_id() };
        self.note_functions(event, stack);
        self.change(place, time, after, reason, stack, by);
        self.bind(event, place, time, before, after);
    }

    /// A goroutine that is mentioned for the first time was in this state when the trace began: the
    /// tracer tells it when it comes to it, for some at the end of the first generation.
    #[cold]
    fn was_always(&mut self, place: u32, time: i64, state: State, reason: u8, stack: u64) {
        let known = &mut self.known;
        let goroutine = &mut known.goroutines[place as usize];
        (goroutine.state, goroutine.since, goroutine.created) = (state, 0, 0);
        goroutine.moves = goroutine.moves.saturating_add(1);
        goroutine.ended = OPEN;
        let group = goroutine.group as usize;
        known.groups[group].change(time, State::NONE, state);
        known.groups[group].bins.was_always(time, state);
        known.all.change(time, State::NONE, state);
        known.all.was_always(time, state);
        if let Some(state) = state.index() {
            let parts = known.parts.iter_mut().map(|part| &mut part.standing);
            for standing in parts.chain([&mut self.draft.standing]) {
                standing.resize(standing.len().max(group + 1), [0; STATES]);
                standing[group][state] += 1;
            }
        }
        let stack = u32::try_from(stack).ok().filter(|&stack| stack != 0).unwrap_or(NONE);
        let moved = Move::new(0, State::NONE, state, reason, stack, NONE);
        self.draft.early.push((place, moved));
    }

    /// A goroutine is in another state from now on.
    #[inline]
    fn change(&mut self, place: u32, time: i64, after: State, reason: u8, stack: u64, by: u32) {
        let known = &mut self.known;
        let goroutine = &mut known.goroutines[place as usize];
        let before = std::mem::replace(&mut goroutine.state, after);
        if let Some(state) = before.index() {
            goroutine.times[state] += time - goroutine.since;
        }
        goroutine.since = time;
        goroutine.moves = goroutine.moves.saturating_add(1);
        goroutine.ended = if after == State::NONE { time } else { OPEN };
        known.groups[goroutine.group as usize].change(time, before, after);
        known.all.change(time, before, after);
        let stack = u32::try_from(stack).ok().filter(|&stack| stack != 0).unwrap_or(NONE);
        let moved = Move::new(time, before, after, reason, stack, by);
        self.draft.goroutines.push((place, moved));
    }

    /// A goroutine comes to a proc and thread, or leaves them.
    #[inline]
    fn bind(&mut self, event: &Event<'_>, place: u32, time: i64, before: State, after: State) {
        let executes =
            |state: State| state.0 <= State::SYSCALL_NO_PROC.0 && state != State::RUNNABLE;
        if !executes(before) && !executes(after) {
            return;
        }
        let (go, to) = if executes(after) { (place, after) } else { (NONE, State::NONE) };
        let known = &mut self.known;
        let go = (go, (go != NONE).then(|| known.whom(go)));
        if let Some(proc) = event.proc().some()
            && before != State::SYSCALL_NO_PROC
        {
            let unit = known.procs.place(proc.0, known.level);
            known.procs.change(unit, time, to, go, &mut self.draft.procs);
        }
        let thread = match event.thread().some() {
            Some(thread) => known.threads.place(thread.0, known.level),
            None => known.goroutines[place as usize].thread,
        };
        if thread != NONE {
            known.threads.change(thread, time, to, go, &mut self.draft.threads);
            known.goroutines[place as usize].thread = if go.0 == NONE { NONE } else { thread };
        }
    }

    fn reason(&mut self, event: &Event<'_>, id: u64) -> (u8, State) {
        if let Some(&known) = self.draft.reasons.get(&id) {
            return known;
        }
        let text = event.string(id);
        // No trace has so many; one that was made up may.
        if self.reasons.len() > usize::from(u8::MAX) {
            let known = (0, State::of_reason(text));
            self.draft.reasons.insert(id, known);
            return known;
        }
        let label = self.labels.number(text);
        let at = self.reasons.iter().position(|&(known, _)| known == label).unwrap_or_else(|| {
            self.reasons.push((label, State::of_reason(text)));
            self.reasons.len() - 1
        });
        let known = (at as u8, self.reasons[at].1);
        self.draft.reasons.insert(id, known);
        known
    }

    /// An event that is not about a goroutine's state.
    fn other(&mut self, event: &Event<'_>, time: i64) {
        let go = match event.goroutine().some() {
            Some(go) => self.place(go, time),
            None => NONE,
        };
        match event.details() {
            Details::Sync(sync) => {
                if let (None, Some(clock)) = (self.wall, sync.clock) {
                    let start = Time(self.start.unwrap_or_default());
                    self.wall = Some(clock.wall_at(start) as i64);
                }
                self.turn(event, time);
            }
            Details::Proc(step) => {
                let unit = self.known.procs.place(step.proc.0, self.known.level);
                let Unit { state, go, .. } = self.procs.all[unit as usize];
                if step.to == ProcState::Running {
                    return;
                }
                if state == State::SYSCALL && go != NONE {
                    // Its goroutine goes on in the system call without it.
                    let by = event.goroutine().some().map_or(NONE, |go| self.place(go, time));
                    let thread = self.goroutines[go as usize].thread;
                    self.note_functions(event, event.stack_id());
                    self.change(go, time, State::SYSCALL_NO_PROC, 0, event.stack_id(), by);
                    if thread != NONE {
                        let log = &mut self.draft.threads;
                        let go = (go, Some(self.known.whom(go)));
                        self.known.threads.change(thread, time, State::SYSCALL_NO_PROC, go, log);
                    }
                }
                let log = &mut self.draft.procs;
                self.known.procs.change(unit, time, State::NONE, (NONE, None), log);
            }
            Details::Metric(metric) => {
                let list = match metric.name {
                    "/memory/classes/heap/objects:bytes" => &mut self.marks.heap,
                    "/gc/heap/goal:bytes" => &mut self.marks.goal,
                    "/sched/gomaxprocs:threads" => &mut self.marks.procs,
                    _ => return,
                };
                list.push((time, metric.value));
            }
            Details::Range(range) => {
                let (list, label) = match range.name {
                    RangeName::StopTheWorld(why) => (&mut self.known.marks.stops, Some(why)),
                    RangeName::GcMark => (&mut self.known.marks.gc, None),
                    _ => return,
                };
                let is_open = list.last().is_some_and(|last| last.until == OPEN);
                match event.kind() {
                    Kind::RangeEnd => end_last(list, time),
                    _ if is_open => {}
                    _ => {
                        let label = label.map_or(NO_LABEL, |why| self.known.labels.number(why));
                        list.push(Stretch { from: time, until: OPEN, go, label, task: 0 });
                    }
                }
            }
            Details::Task(task) => self.task(event, time, go, &task),
            Details::Region(region) => self.region(event, time, go, &region),
            Details::Log(log) => self.log(time, go, &log),
            Details::StackSample => {
                let stack = u32::try_from(event.stack_id()).unwrap_or(NONE);
                self.marks.samples.push(Sample { time, go, stack });
            }
            _ => {}
        }
    }

    /// A generation begins, or the trace ends.
    fn turn(&mut self, event: &Event<'_>, time: i64) {
        self.finish_part();
        self.draft.is_first = time == 0;
        self.draft.reasons.clear();
        self.draft.groups.clear();
        self.draft.seen.clear();
        self.draft.bytes = event.generation_bytes();
        self.begin_part(time);
    }

    fn begin_part(&mut self, time: i64) {
        self.draft.from = time;
        self.draft.standing = self.known.groups.iter().map(|group| group.standing).collect();
    }

    /// Puts the moves of the part that was read where they can be asked for.
    pub fn finish_part(&mut self) {
        let Index { known, store, draft, .. } = self;
        if draft.goroutines.is_empty() && draft.procs.is_empty() && draft.threads.is_empty() {
            return;
        }
        let places = [known.goroutines.len(), known.procs.all.len(), known.threads.all.len()];
        let mut block = Vec::new();
        let mut at = 0;
        let logs = [&mut draft.goroutines, &mut draft.procs, &mut draft.threads];
        let directories = logs.map(|log| {
            at += 1;
            draft.writer.write(log, places[at - 1], draft.from, &mut block)
        });
        known.parts.push(Part {
            from: draft.from,
            bytes: draft.bytes.clone(),
            standing: std::mem::take(&mut draft.standing),
            directories,
            place: store.add(block),
        });
        store.leave(known.bytes());
    }
}

impl Known {
    /// The place of a goroutine, which may be new.
    #[inline]
    fn place(&mut self, id: GoId, time: i64) -> u32 {
        if let Some(&place) = self.places.get(&id.0) {
            return place;
        }
        self.first_mention(id, time)
    }

    #[cold]
    fn first_mention(&mut self, id: GoId, time: i64) -> u32 {
        let place = self.goroutines.len() as u32;
        self.places.insert(id.0, place);
        self.goroutines.push(Goroutine {
            id: id.0,
            group: 0,
            creator: NONE,
            created: time,
            ended: OPEN,
            times: [0; STATES],
            state: State::NONE,
            since: time,
            thread: NONE,
            moves: 0,
        });
        self.groups[0].members.push(place);
        place
    }

    /// The place of the group of a function.
    pub(super) fn group(&mut self, label: u32) -> u32 {
        let fresh = self.groups.len() as u32;
        let place = *self.group_places.entry(label).or_insert(fresh);
        if place == fresh {
            self.groups.push(Group {
                label,
                members: Vec::new(),
                bins: Bins::new(self.level),
                standing: [0; STATES],
            });
        }
        place
    }
}

impl Group {
    #[inline]
    fn change(&mut self, time: i64, from: State, to: State) {
        self.bins.change(time, from, to);
        if let Some(from) = from.index() {
            self.standing[from] = self.standing[from].wrapping_sub(1);
        }
        if let Some(to) = to.index() {
            self.standing[to] = self.standing[to].wrapping_add(1);
        }
    }
}
