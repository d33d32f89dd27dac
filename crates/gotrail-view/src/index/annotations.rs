//! Tasks, regions and messages while they are read, and how many of them are open.

use super::Index;
use crate::bins::Bins;
use crate::marks::{Log, OPEN, is_task};
use crate::state::State;
use gotrail::{Event, Kind};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// For so many names of regions it is kept how many are open. Those of others are counted when somebody
/// looks.
const NAMES: usize = 512;

/// How many tasks and regions are open, from afar: as if each were in the first state.
#[derive(Debug, Serialize, Deserialize)]
pub struct OpenBins {
    /// Tasks.
    pub tasks: Bins,
    /// Regions.
    pub regions: Bins,
    /// Regions of one name.
    named: Vec<(u32, Bins)>,
    #[serde(skip)]
    places: FxHashMap<u32, u32>,
}

impl OpenBins {
    pub(super) fn new(level: u32) -> OpenBins {
        OpenBins {
            tasks: Bins::new(level),
            regions: Bins::new(level),
            named: Vec::new(),
            places: FxHashMap::default(),
        }
    }

    pub(super) fn coarsen(&mut self) {
        self.tasks.coarsen();
        self.regions.coarsen();
        self.named.iter_mut().for_each(|named| named.1.coarsen());
    }

    pub(super) fn find_places(&mut self) {
        self.places = self.named.iter().zip(0..).map(|(named, at)| (named.0, at)).collect();
    }

    /// Regions of a name, if they are kept.
    pub fn named(&self, label: u32) -> Option<&Bins> {
        self.places.get(&label).map(|&at| &self.named[at as usize].1)
    }

    /// The bytes that they take in memory.
    pub(super) fn bytes(&self) -> usize {
        let named = self.named.iter().map(|named| named.1.bytes()).sum::<usize>();
        self.tasks.bytes() + self.regions.bytes() + named
    }

    fn region(&mut self, time: i64, label: u32, from: State, to: State) {
        self.regions.change(time, from, to);
        if self.named.len() < NAMES && !self.places.contains_key(&label) {
            self.places.insert(label, self.named.len() as u32);
            self.named.push((label, Bins::new(self.regions.level())));
        }
        if let Some(&at) = self.places.get(&label) {
            self.named[at as usize].1.change(time, from, to);
        }
    }
}

impl Index {
    pub(super) fn task(&mut self, event: &Event<'_>, time: i64, go: u32, task: &gotrail::Task<'_>) {
        let id = task.id.0;
        let label = self.labels.number(task.name);
        if event.kind() == Kind::TaskBegin {
            self.open_task(id, time, false);
            let parent = task.parent.0;
            let task = self.marks.task_mut(id);
            (task.from, task.go, task.label, task.parent) = (time, go, label, parent);
            return;
        }
        self.open_task(id, time, true);
        let task = self.marks.task_mut(id);
        task.ended_by = go;
        let was_open = std::mem::replace(&mut task.until, time) == OPEN;
        if task.label == crate::labels::NO_LABEL {
            task.label = label;
        }
        if is_task(id) && was_open {
            self.open.tasks.change(time, State::RUNNING, State::NONE);
        }
    }

    /// A task is open from now on if it was not mentioned yet; if this is not its begin, it was so before
    /// the trace.
    fn open_task(&mut self, id: u64, time: i64, before: bool) {
        if !is_task(id) || self.marks.task(id).is_some() {
            return;
        }
        self.open.tasks.change(time, State::NONE, State::RUNNING);
        if before {
            self.open.tasks.was_always(time, State::RUNNING);
        }
    }

    pub(super) fn region(
        &mut self,
        event: &Event<'_>,
        time: i64,
        go: u32,
        region: &gotrail::Region<'_>,
    ) {
        let label = self.labels.number(region.name);
        if event.kind() != Kind::RegionBegin {
            if self.marks.region_ends(time, go, label) {
                self.open.region(time, label, State::RUNNING, State::NONE);
            }
            return;
        }
        let task = region.task.0;
        self.marks.region_begins(time, go, label, task);
        self.open.region(time, label, State::NONE, State::RUNNING);
        if is_task(task) {
            self.open_task(task, time, true);
            self.marks.task_mut(task).regions += 1;
        }
    }

    pub(super) fn log(&mut self, time: i64, go: u32, log: &gotrail::Log<'_>) {
        let category = self.labels.number(log.category);
        let (task, text) = (log.task.0, log.message.to_string().into());
        self.marks.log(Log { time, go, task, category, text });
        if is_task(task) {
            self.open_task(task, time, true);
            self.marks.task_mut(task).logs += 1;
        }
    }
}
