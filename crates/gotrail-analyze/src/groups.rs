//! What waits and samples are told apart by, besides what they have in common: of each goroutine,
//! which group it belongs to when.
//!
//! Groups are made before the pass that sorts into them, so that their numbers mean the same in
//! every generation.

use gotrail::GoId;
use rustc_hash::FxHashMap;

/// The number of a group, which its maker gives a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct GroupId(pub u32);

impl GroupId {
    /// No group.
    pub const NONE: GroupId = GroupId(0);
}

/// Which group each goroutine belongs to, and when.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    /// From when until when, in order and without overlap; at other times to none.
    goroutines: FxHashMap<GoId, Vec<(i64, i64, GroupId)>>,
}

impl Groups {
    /// A goroutine belongs to a group from `from` until `until`, which may not be before the end
    /// of the time that was said last.
    pub fn push(&mut self, go: GoId, from: i64, until: i64, group: GroupId) {
        let times = self.goroutines.entry(go).or_default();
        debug_assert!(times.last().is_none_or(|last| last.1 <= from));
        if from < until && group != GroupId::NONE {
            times.push((from, until, group));
        }
    }

    /// The group at a time.
    pub fn at(&self, go: GoId, time: i64) -> GroupId {
        let times = self.after(go, time);
        times.first().filter(|first| first.0 <= time).map_or(GroupId::NONE, |first| first.2)
    }

    /// Divides a time into the times of groups, those of no group included.
    pub fn divide(&self, go: GoId, from: i64, until: i64, mut each: impl FnMut(GroupId, i64, i64)) {
        let mut at = from;
        for &(start, end, group) in self.after(go, from) {
            if at >= until || start >= until {
                break;
            }
            if at < start {
                each(GroupId::NONE, at, start);
                at = start;
            }
            each(group, at, end.min(until));
            at = end.min(until);
        }
        if at < until {
            each(GroupId::NONE, at, until);
        }
    }

    /// The times of a goroutine that end after this one.
    fn after(&self, go: GoId, time: i64) -> &[(i64, i64, GroupId)] {
        let times = self.goroutines.get(&go).map_or(&[][..], |times| times);
        &times[times.partition_point(|&(_, end, _)| end <= time)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_divided_without_loss() {
        let mut groups = Groups::default();
        groups.push(GoId(1), 10, 20, GroupId(1));
        groups.push(GoId(1), 20, 25, GroupId(2));
        groups.push(GoId(1), 40, i64::MAX, GroupId(3));
        let divide = |from, until| {
            let mut parts = Vec::new();
            groups.divide(GoId(1), from, until, |group, from, until| {
                parts.push((group.0, from, until));
            });
            parts
        };
        assert_eq!(divide(5, 8), [(0, 5, 8)]);
        assert_eq!(divide(15, 22), [(1, 15, 20), (2, 20, 22)]);
        assert_eq!(divide(0, 50), [(0, 0, 10), (1, 10, 20), (2, 20, 25), (0, 25, 40), (3, 40, 50)]);
        assert_eq!((groups.at(GoId(1), 20), groups.at(GoId(1), 30)), (GroupId(2), GroupId::NONE));
        assert_eq!(groups.at(GoId(2), 20), GroupId::NONE);
    }
}
