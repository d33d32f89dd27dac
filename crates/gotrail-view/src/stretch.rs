//! What is on lanes that are no goroutine's, proc's or thread's own: mark phases, stops of the world,
//! tasks and regions, each as the answer about a span has it.

use crate::api::{Refusal, who};
use crate::index::Index;
use crate::labels::NO_LABEL;
use crate::lane::Lane;
use crate::marks::{OPEN, Stretch, Task, is_task};
use crate::moves::NONE;
use crate::state::State;
use serde_json::{Value, json};

/// One of them, and who ended it.
#[derive(Clone, Copy)]
struct Found {
    at: Stretch,
    ended_by: u32,
}

impl From<&Stretch> for Found {
    fn from(stretch: &Stretch) -> Found {
        Found { at: *stretch, ended_by: NONE }
    }
}

impl From<&Task> for Found {
    fn from(task: &Task) -> Found {
        let Task { from, until, go, label, id, ended_by, .. } = *task;
        Found { at: Stretch { from: from.max(0), until, go, label, task: id }, ended_by }
    }
}

/// The one that was under way at a time, and when those before and after it began. Of several it is
/// the one that began last: regions lie in each other, and the inner one is on top.
fn pick(all: impl Iterator<Item = Found>, time: i64) -> (Option<Found>, Vec<i64>) {
    let mut found: Option<Found> = None;
    let mut begins = Vec::new();
    for one in all {
        begins.push(one.at.from);
        // What takes no time can be asked about when it was.
        let covers = one.at.from <= time && time < one.at.until.max(one.at.from + 1);
        let inner = |other: Found| {
            (one.at.from, -i128::from(one.at.until)) > (other.at.from, -i128::from(other.at.until))
        };
        if covers && found.is_none_or(inner) {
            found = Some(one);
        }
    }
    (found, begins)
}

impl Index {
    /// What was under way on a lane at a time, and the name and state of the lane.
    pub(crate) fn stretch(&self, lane: Lane, time: i64) -> Result<Value, Refusal> {
        let marks = &self.marks;
        let missing = |why: &str| Refusal::Missing(why.to_owned());
        let nowhere = || missing("there is no such lane in the trace");
        let (name, state, (found, begins)) = match lane {
            Lane::Gc => ("gc".to_owned(), State::GC, pick(marks.gc.iter().map(Found::from), time)),
            Lane::Stops => {
                ("stw".to_owned(), State::GC, pick(marks.stops.iter().map(Found::from), time))
            }
            Lane::Task(id) => {
                let task = marks.task(id).filter(|task| task.is_one()).ok_or_else(nowhere)?;
                let one = std::iter::once(Found::from(task));
                (format!("task:{id}"), State::RUNNING, pick(one, time))
            }
            Lane::Tasks => {
                let tasks = marks.tasks.iter().filter(|task| task.is_one());
                ("tasks".to_owned(), State::RUNNING, pick(tasks.map(Found::from), time))
            }
            Lane::Regions(id) => {
                let place = self.find(id).ok_or_else(nowhere)?;
                let own = marks.regions_of(place).map(Found::from);
                (format!("regions:{id}"), State::RUNNING, pick(own, time))
            }
            Lane::AllRegions => {
                let regions = marks.regions.iter().map(Found::from);
                ("regions".to_owned(), State::RUNNING, pick(regions, time))
            }
            Lane::Named(label) => {
                let named = marks.regions.iter().filter(|region| region.label == label);
                (format!("region:{label}"), State::RUNNING, pick(named.map(Found::from), time))
            }
            _ => return Err(missing("lanes of many goroutines have no spans")),
        };
        let Some(Found { at, ended_by }) = found else {
            return Err(missing("nothing is there at that time"));
        };
        let until = self.until(at.until);
        let goroutine = self.goroutines.get(at.go as usize);
        Ok(json!({
            "lane": name,
            "go": self.go(at.go),
            "function": goroutine.map(|goroutine| self.function_of(goroutine)),
            "state": state.0,
            "label": (at.label != NO_LABEL).then(|| self.text(at.label, "")),
            "task": is_task(at.task).then_some(at.task),
            "from": at.from, "to": until, "open": at.until == OPEN,
            "proc": null, "thread": null, "stack": [],
            "began": who(self, at.go, json!([]), at.from),
            "ended": who(self, ended_by, json!([]), until),
            "creator": null,
            "previous": begins.iter().filter(|begin| **begin < at.from).max(),
            "next": begins.iter().filter(|begin| **begin > at.from).min(),
            "similar": null,
        }))
    }
}
