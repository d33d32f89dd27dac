//! Tasks of the annotation API.

use crate::names::{Renumbering, StrId};
use gotrail::{GoId, TaskId};
use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::{FxBuildHasher, FxHashSet};
use smallvec::SmallVec;

/// What is known of a task. Times are nanoseconds of the trace's clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// Its type; empty if its beginning is not in the trace.
    pub name: StrId,
    /// The task that it is part of, if the trace says so.
    pub parent: Option<TaskId>,
    /// When it began.
    pub start: Option<i64>,
    /// When it ended.
    pub end: Option<i64>,
    /// The goroutine that began it.
    pub creator: Option<GoId>,
    /// How many log messages it has.
    pub logs: u64,
    /// How many regions it has.
    pub regions: u64,
    /// The goroutines that worked for it: began, ended, logged, or had a region.
    pub goroutines: GoSet,
    /// Begun and not ended.
    active: bool,
    /// Ended in a generation in which it had not begun: type and parent are those known before.
    ended_before: bool,
}

/// Goroutines, each once: hardly ever more than two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoSet {
    few: SmallVec<[GoId; 2]>,
    /// All of them, if there are more than [`FEW`].
    many: Option<Box<FxHashSet<GoId>>>,
}

/// So many goroutines are looked through one by one.
const FEW: usize = 8;

impl GoSet {
    /// Adds a goroutine.
    pub(crate) fn insert(&mut self, go: GoId) {
        if let Some(many) = &mut self.many {
            many.insert(go);
        } else if !self.few.contains(&go) {
            self.few.push(go);
            if self.few.len() > FEW {
                self.many = Some(Box::new(self.few.drain(..).collect()));
            }
        }
    }

    /// Every goroutine, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &GoId> {
        self.few.iter().chain(self.many.iter().flat_map(|many| many.iter()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.many.as_ref().map_or(self.few.len(), |many| many.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// All tasks, in the order of their first mention.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    // Boxed, so that what a later fold found changes hands without being copied.
    all: IndexMap<TaskId, Box<Task>, FxBuildHasher>,
    /// A parent that is among them.
    last_parent: Option<TaskId>,
}

impl Tasks {
    /// The task with this id.
    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.all.get(&id).map(|task| &**task)
    }

    /// All tasks.
    pub fn iter(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        self.all.iter().map(|(&id, task)| (id, &**task))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn entry(&mut self, id: TaskId) -> &mut Task {
        self.all.entry(id).or_default()
    }

    /// A goroutine works for a task.
    pub(crate) fn work(&mut self, id: TaskId, go: GoId) -> &mut Task {
        let task = self.entry(id);
        task.goroutines.insert(go);
        task
    }

    /// A task's parent, which is a task, too.
    fn know(&mut self, parent: Option<TaskId>) {
        // Most have the same one.
        if let Some(id) = parent.filter(|_| parent != self.last_parent) {
            self.entry(id);
            self.last_parent = parent;
        }
    }

    pub(crate) fn begin(&mut self, id: TaskId, parent: TaskId, name: StrId, go: GoId, time: i64) {
        let task = self.work(id, go);
        (task.name, task.start, task.active) = (name, Some(time), true);
        task.creator.get_or_insert(go);
        let parent = task.find_parent(parent);
        self.know(parent);
    }

    /// A task ends. Whether it had begun before this fold's first event is told apart by `later`.
    pub(crate) fn end(
        &mut self,
        id: TaskId,
        parent: TaskId,
        name: StrId,
        go: GoId,
        time: i64,
        later: bool,
    ) {
        let task = self.work(id, go);
        task.end = Some(time);
        if later && !task.active && task.start.is_none() {
            task.ended_before = true;
            return;
        }
        if later && task.active {
            // The end may not know what the beginning said in a generation before.
            task.active = false;
            return;
        }
        (task.name, task.active) = (name, false);
        let parent = task.find_parent(parent);
        self.know(parent);
    }

    /// Takes over what a later generation says.
    pub(crate) fn absorb(&mut self, other: Tasks, to: &Renumbering) {
        for (id, mut later) in other.all {
            let parent = later.parent.take();
            match self.all.entry(id) {
                Entry::Vacant(place) => {
                    let begun = later.start.is_some();
                    later.name = if begun { to.string(later.name) } else { StrId::EMPTY };
                    later.ended_before = false;
                    place.insert(later);
                }
                Entry::Occupied(mut task) => task.get_mut().go_on(*later, to),
            }
            if let Some(parent) = parent {
                let parent = self.entry(id).find_parent(parent);
                self.know(parent);
            }
        }
    }
}

impl Task {
    /// Takes a task for the parent, and returns it, if there is none yet.
    fn find_parent(&mut self, parent: TaskId) -> Option<TaskId> {
        if parent == TaskId::NONE || self.parent.is_some() {
            return None;
        }
        self.parent = Some(parent);
        self.parent
    }

    /// Takes over what a later generation says, but for the parent.
    fn go_on(&mut self, later: Task, to: &Renumbering) {
        self.logs += later.logs;
        self.regions += later.regions;
        later.goroutines.iter().for_each(|&go| self.goroutines.insert(go));
        if later.ended_before {
            // The end says what the beginning said, if that is in the trace.
            if !self.active {
                self.name = StrId::EMPTY;
            }
            (self.end, self.active) = (later.end, false);
        }
        if later.start.is_some() {
            (self.name, self.start) = (to.string(later.name), later.start);
            self.active = later.active;
            self.creator = self.creator.or(later.creator);
            self.end = later.end.or(self.end);
        }
    }
}
