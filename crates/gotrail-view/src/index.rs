//! The index of a trace: what the timeline needs to know of it, made in one pass over its events.

use crate::bins::{Bins, Loose};
use crate::labels::{Labels, NO_LABEL};
use crate::marks::{Log, Marks, OPEN, Sample, Stretch, end_last, is_task};
use crate::moves::{Directory, KINDS, Move, Mover, NONE, Walk, Writer};
use crate::state::{STATES, State};
use crate::store::{Place, Store};
use gotrail::{Details, Event, GoId, GoState, GoStep, Kind, ProcState, RangeName, Time};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

/// The most bins of a lane that are kept.
const BINS: i64 = 1 << 14;

/// A goroutine with that part of a block's moves is busy: to go through all of them for each look from
/// afar would take long.
const BUSY: usize = 8;

/// By how many levels the bins of busy goroutines are coarser than others: there are up to 1024.
const BUSY_LEVEL: u32 = 4;

/// Everything that is known of a trace so far, and the moves.
pub struct Index {
    /// What is known besides the moves.
    pub known: Known,
    /// The moves.
    pub store: Store,
    draft: Draft,
    part: usize,
    /// The groups of goroutines whose function was found out late: the one they were in before and
    /// the one they are in.
    late: FxHashSet<u32>,
}

/// What is known of a trace so far, except the moves.
#[derive(Serialize, Deserialize)]
pub struct Known {
    /// The first event's time on the trace's clock.
    pub start: Option<i64>,
    /// How long the trace is, as far as its structure tells.
    pub duration: i64,
    /// Up to here everything is known.
    pub indexed: i64,
    /// Whether that is all.
    pub done: bool,
    /// What ended the pass early.
    pub error: Option<String>,
    /// What could not be read: when, and what.
    pub lost: Vec<(i64, i64, String)>,
    /// The wall-clock time of the start, in nanoseconds since 1970.
    pub wall: Option<i64>,
    /// How many events there were.
    pub events: u64,
    /// The length of a kept bin, as a power of two nanoseconds.
    pub level: u32,
    /// All texts.
    pub labels: Labels,
    /// The reasons of blocks by their number in a [`Move`]: their label and state.
    pub reasons: Vec<(u32, State)>,
    /// Goroutines, in the order of their first mention.
    pub goroutines: Vec<Goroutine>,
    #[serde(skip)]
    places: FxHashMap<i64, u32>,
    /// Goroutines by the function that they began with.
    pub groups: Vec<Group>,
    #[serde(skip)]
    group_places: FxHashMap<u32, u32>,
    /// Procs.
    pub procs: Units,
    /// Threads.
    pub threads: Units,
    /// All goroutines together.
    pub all: Bins,
    /// What goroutines with many moves look like from afar, by place.
    pub busy: Vec<(u32, Bins)>,
    /// Everything else.
    pub marks: Marks,
    /// Stretches of time, one after the other.
    pub parts: Vec<Part>,
}

impl Deref for Index {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

impl DerefMut for Index {
    fn deref_mut(&mut self) -> &mut Known {
        &mut self.known
    }
}

/// What is found out when everything is read.
#[derive(Default)]
pub struct Settled {
    /// How many goroutines of each group were in each state when each part began.
    standing: Vec<Vec<[u32; STATES]>>,
    /// The bins of groups.
    groups: Vec<(u32, Bins)>,
    /// The bins of busy goroutines.
    busy: Vec<(u32, Bins)>,
}

/// A goroutine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Goroutine {
    /// Its id.
    pub id: i64,
    /// Its group's place.
    pub group: u32,
    /// Who created it, by place, or [`NONE`].
    pub creator: u32,
    /// When it was created, or first mentioned.
    pub created: i64,
    /// When it ended, or [`OPEN`].
    pub ended: i64,
    /// Nanoseconds in each state, up to the last change.
    pub times: [i64; STATES],
    /// The state since the last change.
    pub state: State,
    /// When that was.
    pub since: i64,
    thread: u32,
    /// How often its state has changed.
    moves: u32,
}

/// The goroutines that began with one function.
#[derive(Serialize, Deserialize)]
pub struct Group {
    /// The function.
    pub label: u32,
    /// Its goroutines by place.
    pub members: Vec<u32>,
    /// What they did, from afar.
    pub bins: Bins,
    /// How many are in each state now.
    standing: [u32; STATES],
}

/// Procs, or threads.
#[derive(Default, Serialize, Deserialize)]
pub struct Units {
    /// In the order of their first mention.
    pub all: Vec<Unit>,
    #[serde(skip)]
    places: FxHashMap<i64, u32>,
}

/// A proc or thread.
#[derive(Serialize, Deserialize)]
pub struct Unit {
    /// Its id.
    pub id: i64,
    /// What it did, from afar.
    pub bins: Bins,
    state: State,
    go: u32,
}

/// A stretch of time within one generation, and who moved in it.
#[derive(Serialize, Deserialize)]
pub struct Part {
    /// When it begins.
    pub from: i64,
    /// Where its generation lies in the trace.
    pub bytes: Range<u64>,
    /// How many goroutines of each group were in each state when it began.
    pub standing: Vec<[u32; STATES]>,
    /// Who moved, by kind.
    directories: [Directory; KINDS],
    /// Where their moves are.
    place: Place,
}

/// The part that is being read.
#[derive(Default)]
struct Draft {
    from: i64,
    bytes: Range<u64>,
    goroutines: Vec<(u32, Move)>,
    procs: Vec<(u32, Move)>,
    threads: Vec<(u32, Move)>,
    standing: Vec<[u32; STATES]>,
    /// What goroutines did when the trace began.
    early: Vec<(u32, Move)>,
    /// Whether this is the trace's first generation.
    is_first: bool,
    /// From this time on bins must become longer.
    until: i64,
    /// The last event's thread: one that has none of the goroutines' is one, too.
    thread: i64,
    /// The generation's strings as reasons, its stacks as groups.
    reasons: FxHashMap<u64, (u8, State)>,
    groups: FxHashMap<u64, u32>,
    writer: Writer,
}

impl Index {
    /// The index of a trace that is so long, of which nothing was read yet. After `part` moves of
    /// goroutines a new part begins.
    pub fn new(duration: i64, store: Store, part: usize) -> Index {
        let mut level = 10;
        while duration >> level > BINS {
            level += 1;
        }
        let mut known = Known {
            start: None,
            duration,
            indexed: 0,
            done: false,
            error: None,
            lost: Vec::new(),
            wall: None,
            events: 0,
            level,
            labels: Labels::default(),
            reasons: vec![(NO_LABEL, State::OTHER)],
            goroutines: Vec::new(),
            places: FxHashMap::default(),
            groups: Vec::new(),
            group_places: FxHashMap::default(),
            procs: Units::default(),
            threads: Units::default(),
            all: Bins::new(level),
            busy: Vec::new(),
            marks: Marks::default(),
            parts: Vec::new(),
        };
        // Those of which no function is known.
        known.group(NO_LABEL);
        Index { known, store, draft: Draft::default(), part, late: FxHashSet::default() }
    }

    /// An index that was kept, with its moves in `store`.
    pub fn kept(mut known: Known, store: Store) -> Index {
        known.find_places();
        store.leave(known.bytes());
        Index { known, store, draft: Draft::default(), part: 0, late: FxHashSet::default() }
    }

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
            known.groups.iter_mut().for_each(|group| group.bins.coarsen());
            let units = known.procs.all.iter_mut().chain(&mut known.threads.all);
            units.for_each(|unit| unit.bins.coarsen());
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
            known.goroutines[place as usize].thread = if go == NONE { NONE } else { thread };
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

    fn label(&mut self, text: &[u8]) -> u32 {
        self.labels.number(text)
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
                    self.change(go, time, State::SYSCALL_NO_PROC, 0, event.stack_id(), by);
                    if thread != NONE {
                        let log = &mut self.draft.threads;
                        self.known.threads.change(thread, time, State::SYSCALL_NO_PROC, go, log);
                    }
                }
                let log = &mut self.draft.procs;
                self.known.procs.change(unit, time, State::NONE, NONE, log);
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
            Details::Task(task) if event.kind() == Kind::TaskBegin => {
                let label = self.label(task.name);
                let parent = task.parent.0;
                let task = self.marks.task_mut(task.id.0);
                (task.from, task.go, task.label, task.parent) = (time, go, label, parent);
            }
            Details::Task(task) => {
                let label = self.label(task.name);
                let task = self.marks.task_mut(task.id.0);
                task.until = time;
                if task.label == NO_LABEL {
                    task.label = label;
                }
            }
            Details::Region(region) => {
                let label = self.label(region.name);
                if event.kind() == Kind::RegionBegin {
                    let task = region.task.0;
                    self.marks.region_begins(time, go, label, task);
                    if is_task(task) {
                        self.marks.task_mut(task).regions += 1;
                    }
                } else {
                    self.marks.region_ends(time, go, label);
                }
            }
            Details::Log(log) => {
                let category = self.label(log.category);
                let (task, text) = (log.task.0, log.message.to_string().into());
                self.marks.log(Log { time, go, task, category, text });
                if is_task(task) {
                    self.marks.task_mut(task).logs += 1;
                }
            }
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

    /// What can be found out when everything is read: goroutines belong to one group from their
    /// beginning to their end, also those whose function was found out late; and what those with many
    /// moves look like from afar is kept too. Others may look at the index meanwhile.
    pub fn settled(&self) -> io::Result<Settled> {
        let mut settled = Settled::default();
        if !self.late.is_empty() {
            settled.standing = self.standing()?;
            let groups: Vec<u32> = self.late.iter().copied().collect();
            let of = |goroutine: &Goroutine, _| goroutine.group;
            settled.groups = self.bins_of(&groups, self.level, of)?;
        }
        let many = (self.part / BUSY) as u32;
        let busy = self.goroutines.iter().zip(0..).filter(|(goroutine, _)| goroutine.moves >= many);
        let busy: Vec<u32> = busy.map(|(_, place)| place).collect();
        settled.busy = self.bins_of(&busy, self.level + BUSY_LEVEL, |_, place| place)?;
        settled.busy.sort_by_key(|busy| busy.0);
        Ok(settled)
    }

    /// Takes over what was found out.
    pub fn settle(&mut self, settled: Settled) {
        for (part, standing) in self.parts.iter_mut().zip(settled.standing) {
            part.standing = standing;
        }
        for (group, bins) in settled.groups {
            self.groups[group as usize].bins = bins;
        }
        self.busy = settled.busy;
        // Lists have room to grow, up to as much again.
        self.goroutines.shrink_to_fit();
        self.marks.shrink();
        self.store.leave(self.known.bytes());
    }

    /// A part before all others, with what goroutines did when the trace began.
    pub fn settle_early(&mut self) {
        let Index { known, store, draft, .. } = self;
        let Some(bytes) = known.parts.first().map(|first| first.bytes.clone()) else { return };
        if draft.early.is_empty() {
            return;
        }
        let mut block = Vec::new();
        let places = known.goroutines.len();
        let directory = draft.writer.write(&mut draft.early, places, 0, &mut block);
        let early = Part {
            from: 0,
            bytes,
            standing: Vec::new(),
            directories: [directory, Directory::default(), Directory::default()],
            place: store.add(block),
        };
        known.parts.insert(0, early);
    }

    /// How many goroutines of each group were in each state when each part began.
    fn standing(&self) -> io::Result<Vec<Vec<[u32; STATES]>>> {
        let mut counts = vec![[0u32; STATES]; self.groups.len()];
        let mut standing = Vec::new();
        for part in &self.parts {
            standing.push(counts.clone());
            for (place, moves) in self.all_moves(part, Mover::Goroutines)? {
                let counts = &mut counts[self.goroutines[place as usize].group as usize];
                for moved in moves {
                    if let Some(from) = moved.from().index() {
                        counts[from] = counts[from].wrapping_sub(1);
                    }
                    if let Some(to) = moved.to().index() {
                        counts[to] = counts[to].wrapping_add(1);
                    }
                }
            }
        }
        Ok(standing)
    }

    /// The bins of some things to which goroutines belong, each goroutine to one: `of` says to which.
    fn bins_of(
        &self,
        wanted: &[u32],
        level: u32,
        of: impl Fn(&Goroutine, u32) -> u32,
    ) -> io::Result<Vec<(u32, Bins)>> {
        /// So many bins are made at a time: 120 bytes each.
        const AT_ONCE: usize = 1 << 18;
        let bins = (self.indexed >> level) as usize + 1;
        let mut found = Vec::with_capacity(wanted.len());
        for some in wanted.chunks((AT_ONCE / bins).max(1)) {
            let slots: FxHashMap<u32, usize> = some.iter().copied().zip(0..).collect();
            let mut sums = vec![Loose::new(level, bins); some.len()];
            for part in &self.parts {
                for (place, moves) in self.all_moves(part, Mover::Goroutines)? {
                    let Some(&slot) = slots.get(&of(&self.goroutines[place as usize], place))
                    else {
                        continue;
                    };
                    let sum = &mut sums[slot];
                    moves.for_each(|moved| sum.change(moved.time(), moved.from(), moved.to()));
                }
            }
            found.extend(some.iter().copied().zip(sums.into_iter().map(Loose::into_bins)));
        }
        Ok(found)
    }

    /// Up to where moves can be asked for.
    pub fn known_until(&self) -> i64 {
        if self.done { i64::MAX } else { self.draft.from }
    }

    /// The part that a time falls into.
    pub fn part_at(&self, time: i64) -> usize {
        self.parts.partition_point(|part| part.from <= time).saturating_sub(1)
    }

    /// The moves of one in a part.
    pub fn moves(&self, part: &Part, kind: Mover, key: u32) -> io::Result<Walk> {
        match part.moves_of(kind, key) {
            Some(range) => Ok(Walk::new(self.block(part)?, range, part.from)),
            None => Ok(Walk::NOTHING),
        }
    }

    /// The block of a part's moves.
    pub fn block(&self, part: &Part) -> io::Result<Arc<[u8]>> {
        self.store.load(part.place)
    }

    /// The moves of all that have any in a part.
    pub fn all_moves<'a>(
        &self,
        part: &'a Part,
        kind: Mover,
    ) -> io::Result<impl Iterator<Item = (u32, Walk)> + 'a> {
        let block = self.block(part)?;
        let from = part.from;
        let walk = move |(key, range)| (key, Walk::new(block.clone(), range, from));
        Ok(part.directories[kind as usize].iter().map(walk))
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

    /// The place of the goroutine with this id.
    pub fn find(&self, id: i64) -> Option<u32> {
        self.places.get(&id).copied()
    }

    /// The place of the group of a function.
    fn group(&mut self, label: u32) -> u32 {
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

    /// Where the blocks of all parts are.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.parts.iter().map(|part| part.place)
    }

    /// About how many bytes it takes in memory.
    pub fn bytes(&self) -> u64 {
        /// An entry of a hash map that is three quarters full, on average.
        const ENTRY: usize = 24;
        fn list<T>(list: &Vec<T>) -> usize {
            list.capacity() * size_of::<T>()
        }
        let groups = self.groups.iter().map(|group| list(&group.members) + group.bins.bytes());
        let units = self.procs.all.iter().chain(&self.threads.all).map(|unit| unit.bins.bytes());
        let parts = self.parts.iter().map(|part| {
            let directories = part.directories.iter().map(Directory::bytes).sum::<usize>();
            size_of::<Part>() + list(&part.standing) + directories
        });
        let busy = self.busy.iter().map(|busy| busy.1.bytes());
        let all = groups.sum::<usize>()
            + units.sum::<usize>()
            + parts.sum::<usize>()
            + busy.sum::<usize>()
            + list(&self.goroutines)
            + self.places.capacity() * ENTRY
            + self.labels.bytes()
            + self.marks.bytes();
        all as u64
    }

    /// Makes what can be found out from the rest.
    fn find_places(&mut self) {
        let goroutines = self.goroutines.iter().enumerate();
        self.places = goroutines.map(|(at, goroutine)| (goroutine.id, at as u32)).collect();
        let groups = self.groups.iter().enumerate();
        self.group_places = groups.map(|(at, group)| (group.label, at as u32)).collect();
        self.procs.find_places();
        self.threads.find_places();
        self.labels.find_numbers();
        self.marks.find_places();
    }
}

impl Part {
    /// Where the moves of one lie in the block.
    pub fn moves_of(&self, kind: Mover, key: u32) -> Option<Range<usize>> {
        self.directories[kind as usize].of(key)
    }

    /// Whether any of those have moves here.
    pub fn has_any(&self, kind: Mover, wanted: impl Fn(u32) -> bool) -> bool {
        self.directories[kind as usize].keys().iter().any(|&key| wanted(key))
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

impl Units {
    fn find_places(&mut self) {
        let all = self.all.iter().enumerate();
        self.places = all.map(|(at, unit)| (unit.id, at as u32)).collect();
    }

    /// The place of the one with this id, which may be new.
    #[inline]
    fn place(&mut self, id: i64, level: u32) -> u32 {
        let fresh = self.all.len() as u32;
        let place = *self.places.entry(id).or_insert(fresh);
        if place == fresh {
            self.all.push(Unit { id, bins: Bins::new(level), state: State::NONE, go: NONE });
        }
        place
    }

    /// The place of the one with this id.
    pub fn find(&self, id: i64) -> Option<u32> {
        self.places.get(&id).copied()
    }

    #[inline]
    fn change(&mut self, at: u32, time: i64, to: State, go: u32, log: &mut Vec<(u32, Move)>) {
        let unit = &mut self.all[at as usize];
        if (unit.state, unit.go) == (to, go) {
            return;
        }
        unit.bins.change(time, unit.state, to);
        log.push((at, Move::new(time, unit.state, to, 0, NONE, go)));
        (unit.state, unit.go) = (to, go);
    }
}
