//! Groups that make sense for profiles: goroutine, function, task, region.
//!
//! Task and region are those of the innermost region that a goroutine is in: of regions that
//! overlap, the one that began last. A goroutine that began a task works for it until it ends,
//! unless it is in a region of another.

use crate::analysis::Analysis;
use crate::groups::{GroupId, Groups};
use crate::names::StrId;
use bstr::BString;
use gotrail::{GoId, TaskId};
use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// What to tell apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grouping {
    /// Goroutines.
    pub goroutine: bool,
    /// The functions that they began with.
    pub function: bool,
    /// Tasks.
    pub task: bool,
    /// Types of regions.
    pub region: bool,
}

/// What a group has in common: what was not asked for is none or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Group {
    /// The goroutine.
    pub goroutine: Option<GoId>,
    /// The function that it began with.
    pub function: BString,
    /// The task with its type.
    pub task: Option<(TaskId, BString)>,
    /// The region's type.
    pub region: BString,
}

/// A stretch of time of a goroutine: a region, or a task that it began.
struct Span {
    start: i64,
    end: i64,
    task: TaskId,
    region: StrId,
}

impl Grouping {
    /// Whether nothing is told apart.
    pub fn is_nothing(self) -> bool {
        self == Grouping::default()
    }

    /// The groups of an analysis that has kept its regions, and what their numbers mean: the
    /// first, [`GroupId::NONE`], is of nothing.
    pub fn groups(self, analysis: &Analysis) -> (Groups, Vec<Group>) {
        let mut groups = Groups::default();
        let mut meanings = IndexSet::<Group, FxBuildHasher>::default();
        meanings.insert(Group::default());
        let mut spans =
            if self.task || self.region { spans(analysis) } else { FxHashMap::default() };
        for goroutine in analysis.goroutines.iter() {
            let id = goroutine.id;
            let base = Group {
                goroutine: self.goroutine.then_some(id),
                function: match self.function {
                    true => analysis.names.string(goroutine.name).to_owned(),
                    false => BString::default(),
                },
                ..Group::default()
            };
            let spans = spans.remove(&id).unwrap_or_default();
            for (from, until, task, region) in innermost(spans) {
                let mut group = base.clone();
                if self.region {
                    group.region = analysis.names.string(region).to_owned();
                }
                if self.task && task != TaskId::NONE && task != BACKGROUND {
                    let known = analysis.goroutines.tasks.get(task);
                    let name = known.map_or(StrId::EMPTY, |task| task.name);
                    group.task = Some((task, analysis.names.string(name).to_owned()));
                }
                let number = GroupId(meanings.insert_full(group).0 as u32);
                groups.push(id, from, until, number);
            }
        }
        (groups, meanings.into_iter().collect())
    }
}

/// The task of regions that belong to none.
const BACKGROUND: TaskId = TaskId(0);

/// All spans of goroutines.
fn spans(analysis: &Analysis) -> FxHashMap<GoId, Vec<Span>> {
    let mut spans = FxHashMap::<GoId, Vec<Span>>::default();
    for region in analysis.goroutines.regions() {
        let start = region.start.unwrap_or(i64::MIN);
        let end = region.end.unwrap_or(i64::MAX);
        let (task, region, go) = (region.task, region.name, region.go);
        spans.entry(go).or_default().push(Span { start, end, task, region });
    }
    for (id, task) in analysis.goroutines.tasks.iter() {
        if let (Some(go), Some(start)) = (task.creator, task.start) {
            let end = task.end.unwrap_or(i64::MAX);
            let span = Span { start, end, task: id, region: StrId::EMPTY };
            spans.entry(go).or_default().push(span);
        }
    }
    spans
}

/// Divides all time into stretches with the task and the region that count.
fn innermost(mut spans: Vec<Span>) -> Vec<(i64, i64, TaskId, StrId)> {
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut bounds: Vec<i64> = spans.iter().flat_map(|span| [span.start, span.end]).collect();
    bounds.extend([i64::MIN, i64::MAX]);
    bounds.sort_unstable();
    bounds.dedup();
    let mut stretches = Vec::<(i64, i64, TaskId, StrId)>::new();
    let mut begun = Vec::<Span>::new();
    let mut spans = spans.into_iter().peekable();
    for bound in bounds.windows(2) {
        let (from, until) = (bound[0], bound[1]);
        begun.retain(|span| span.end > from);
        begun.extend(std::iter::from_fn(|| spans.next_if(|span| span.start <= from)));
        begun.retain(|span| span.end > from);
        let mut inner = begun.iter().rev();
        let region = inner.clone().find(|span| span.region != StrId::EMPTY);
        let region = region.map_or(StrId::EMPTY, |span| span.region);
        let belongs = |span: &&Span| span.task != BACKGROUND && span.task != TaskId::NONE;
        let task = inner.find(belongs).map_or(TaskId::NONE, |span| span.task);
        match stretches.last_mut() {
            Some(last) if (last.2, last.3) == (task, region) => last.1 = until,
            _ => stretches.push((from, until, task, region)),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_region_counts() {
        let span = |start, end, task, region| Span {
            start,
            end,
            task: TaskId(task),
            region: StrId(region),
        };
        let none = TaskId::NONE;
        let spans = vec![span(10, 50, 0, 1), span(20, 30, 7, 2), span(30, 60, 8, 0)];
        assert_eq!(
            innermost(spans),
            [
                (i64::MIN, 10, none, StrId::EMPTY),
                (10, 20, none, StrId(1)),
                (20, 30, TaskId(7), StrId(2)),
                (30, 50, TaskId(8), StrId(1)),
                (50, 60, TaskId(8), StrId::EMPTY),
                (60, i64::MAX, none, StrId::EMPTY),
            ]
        );
        assert_eq!(innermost(Vec::new()), [(i64::MIN, i64::MAX, none, StrId::EMPTY)]);
    }
}
