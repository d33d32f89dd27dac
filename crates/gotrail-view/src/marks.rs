//! What happened besides the states of goroutines: tasks, regions, logs, samples, the collector,
//! and values over time. All of it in the order of time.

use crate::labels::NO_LABEL;
use crate::moves::NONE;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::hash_map::Entry;

/// Until here, if the end is not in the trace.
pub const OPEN: i64 = i64::MAX;

/// Something with a beginning and an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// When it begins, in nanoseconds after the start.
    pub from: i64,
    /// When it ends, or [`OPEN`].
    pub until: i64,
    /// The goroutine by place, or [`NONE`].
    pub go: u32,
    /// The type or reason.
    pub label: u32,
    /// The task, or 0.
    pub task: u64,
}

/// A message of the annotation API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// When.
    pub time: i64,
    /// Who, by place.
    pub go: u32,
    /// The task, or 0.
    pub task: u64,
    /// The category.
    pub category: u32,
    /// The message.
    pub text: Box<str>,
}

/// A CPU sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub time: i64,
    /// Who, by place.
    pub go: u32,
    /// The stack in its generation.
    pub stack: u32,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: u64,
    /// The parent's id, or 0.
    pub parent: u64,
    /// Its type.
    pub label: u32,
    /// When it began, or before the trace if that is not in it.
    pub from: i64,
    /// When it ended, or [`OPEN`].
    pub until: i64,
    /// Who began it, by place.
    pub go: u32,
    /// Who ended it.
    pub ended_by: u32,
    /// How many regions and messages it has.
    pub regions: u32,
    /// How many messages it has.
    pub logs: u32,
}

/// Whether this is the id of a task: 0 is that of no task in particular, and the greatest that of
/// none.
pub fn is_task(id: u64) -> bool {
    id != 0 && id != u64::MAX
}

impl Task {
    /// Whether it is a task, and not what belongs to none.
    pub fn is_one(&self) -> bool {
        is_task(self.id)
    }
}

/// All of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Marks {
    /// Tasks, in the order of their first mention.
    pub tasks: Vec<Task>,
    #[serde(skip)]
    task_places: FxHashMap<u64, u32>,
    /// Regions, in the order of their beginnings.
    pub regions: Vec<Stretch>,
    /// Of each region the one before of the same goroutine, by place, or [`NONE`].
    before: Vec<u32>,
    /// The last region of each goroutine that has any.
    #[serde(skip)]
    last: FxHashMap<u32, u32>,
    #[serde(skip)]
    open_regions: FxHashMap<(u32, u32), Vec<u32>>,
    /// Between which times regions are, some at a time, as soon as all are known.
    #[serde(skip)]
    region_times: Vec<(i64, i64)>,
    /// The same of tasks.
    #[serde(skip)]
    task_times: Vec<(i64, i64)>,
    /// Messages.
    pub logs: Vec<Log>,
    /// The bytes of their texts.
    text: usize,
    /// CPU samples.
    pub samples: Vec<Sample>,
    /// Mark phases of the collector.
    pub gc: Vec<Stretch>,
    /// Stops of the world.
    pub stops: Vec<Stretch>,
    /// Bytes of the heap, and the collector's goal.
    pub heap: Vec<(i64, u64)>,
    /// The collector's goal.
    pub goal: Vec<(i64, u64)>,
    /// GOMAXPROCS.
    pub procs: Vec<(i64, u64)>,
}

impl Marks {
    /// The regions of a goroutine, the last one first.
    pub(crate) fn regions_of(&self, go: u32) -> impl Iterator<Item = &Stretch> {
        let first = self.last.get(&go).copied();
        let before = |at: &u32| self.before.get(*at as usize).copied().filter(|at| *at != NONE);
        std::iter::successors(first, before).filter_map(|at| self.regions.get(at as usize))
    }

    /// Makes what can be found out from the rest. Regions that are open at the end of a trace stay
    /// open.
    pub(crate) fn find_places(&mut self) {
        let regions = self.regions.iter().zip(0..);
        self.last = regions.map(|(region, at)| (region.go, at)).collect();
        let tasks = self.tasks.iter().enumerate();
        self.task_places = tasks.map(|(at, task)| (task.id, at as u32)).collect();
        self.find_times();
    }

    /// About how many bytes they take in memory.
    pub(crate) fn bytes(&self) -> usize {
        fn list<T>(list: &Vec<T>) -> usize {
            list.capacity() * size_of::<T>()
        }
        list(&self.tasks)
            + self.task_places.capacity() * 24
            + list(&self.regions)
            + list(&self.before)
            + self.last.capacity() * 12
            + list(&self.logs)
            + self.text
            + list(&self.samples)
            + list(&self.gc)
            + list(&self.stops)
            + list(&self.heap)
            + list(&self.goal)
            + list(&self.procs)
    }

    /// Who worked for these tasks, by place: who began one, first, who had regions of it or wrote
    /// messages for it, and who ended it.
    pub(crate) fn workers(&self, tasks: impl Iterator<Item = u64>) -> FxHashMap<u64, Vec<u32>> {
        let mut workers: FxHashMap<u64, Vec<u32>> = tasks.map(|task| (task, Vec::new())).collect();
        let began = self.tasks.iter().map(|task| (task.id, task.go));
        let regions = self.regions.iter().map(|region| (region.task, region.go));
        let logs = self.logs.iter().map(|log| (log.task, log.go));
        let ended = self.tasks.iter().map(|task| (task.id, task.ended_by));
        for (task, go) in began.chain(regions).chain(logs).chain(ended) {
            if let Some(workers) = workers.get_mut(&task)
                && go != NONE
                && !workers.contains(&go)
            {
                workers.push(go);
            }
        }
        workers
    }

    /// The regions that touch a time, in the order of their beginnings.
    pub(crate) fn regions_in(&self, from: i64, until: i64) -> impl Iterator<Item = &Stretch> {
        let regions = touching(&self.regions, &self.region_times, (from, until));
        regions.filter(move |region| region.from < until && region.until > from)
    }

    /// The tasks that touch a time, in the order of their first mention.
    pub(crate) fn tasks_in(&self, from: i64, until: i64) -> impl Iterator<Item = &Task> {
        let tasks = touching(&self.tasks, &self.task_times, (from, until));
        tasks.filter(move |task| task.is_one() && task.from < until && task.until > from)
    }

    /// Notes between which times tasks and regions are, now that all are known.
    pub(crate) fn find_times(&mut self) {
        self.region_times = times_of(&self.regions, |region| (region.from, region.until));
        self.task_times = times_of(&self.tasks, |task| (task.from, task.until));
    }

    /// Gives back what long lists have not used.
    pub(crate) fn shrink(&mut self) {
        self.open_regions = FxHashMap::default();
        self.tasks.shrink_to_fit();
        self.regions.shrink_to_fit();
        self.before.shrink_to_fit();
        self.logs.shrink_to_fit();
        self.samples.shrink_to_fit();
    }

    /// Keeps a message.
    pub(crate) fn log(&mut self, log: Log) {
        // What the allocator needs for a small block comes to that.
        self.text += log.text.len().next_multiple_of(16) + 8;
        self.logs.push(log);
    }

    /// The task with this id, if there is one.
    pub fn task(&self, id: u64) -> Option<&Task> {
        self.task_places.get(&id).map(|&at| &self.tasks[at as usize])
    }

    /// The same, made if there is none.
    pub fn task_mut(&mut self, id: u64) -> &mut Task {
        let fresh = self.tasks.len() as u32;
        let at = *self.task_places.entry(id).or_insert(fresh);
        if at == fresh {
            self.tasks.push(Task {
                id,
                parent: 0,
                label: NO_LABEL,
                from: i64::MIN,
                until: OPEN,
                go: NONE,
                ended_by: NONE,
                regions: 0,
                logs: 0,
            });
        }
        &mut self.tasks[at as usize]
    }

    /// A region begins.
    pub fn region_begins(&mut self, time: i64, go: u32, label: u32, task: u64) {
        let at = self.regions.len() as u32;
        self.regions.push(Stretch { from: time, until: OPEN, go, label, task });
        self.before.push(self.last.insert(go, at).unwrap_or(NONE));
        self.open_regions.entry((go, label)).or_default().push(at);
    }

    /// A region ends; one that began before the trace is not kept.
    /// Whether it is one.
    pub fn region_ends(&mut self, time: i64, go: u32, label: u32) -> bool {
        let Entry::Occupied(mut open) = self.open_regions.entry((go, label)) else { return false };
        let last = open.get_mut().pop();
        // Of goroutines that come and go nothing must stay.
        if open.get().is_empty() {
            open.remove();
        }
        if let Some(at) = last {
            self.regions[at as usize].until = time;
        }
        last.is_some()
    }
}

/// So many of a list are looked at, or passed by, at a time.
const SOME: usize = 256;

/// Between which times those of a list are, some at a time.
fn times_of<T>(list: &[T], times: impl Fn(&T) -> (i64, i64)) -> Vec<(i64, i64)> {
    let both = |all: (i64, i64), one: (i64, i64)| (all.0.min(one.0), all.1.max(one.1));
    list.chunks(SOME).map(|some| some.iter().map(&times).fold((OPEN, i64::MIN), both)).collect()
}

/// Those of a list that may touch a time.
fn touching<'a, T>(
    list: &'a [T],
    times: &'a [(i64, i64)],
    (from, until): (i64, i64),
) -> impl Iterator<Item = &'a T> {
    let some = list.chunks(SOME).enumerate();
    // As long as not all are known, all are looked at.
    let may = move |at: usize| times.get(at).is_none_or(|time| time.0 < until && time.1 > from);
    some.filter(move |(at, _)| may(*at)).flat_map(|(_, some)| some)
}

/// A range of a list of its own ends: the last that began.
pub(crate) fn end_last(list: &mut [Stretch], time: i64) {
    if let Some(last) = list.last_mut().filter(|last| last.until == OPEN) {
        last.until = time;
    }
}
