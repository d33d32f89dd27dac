//! Which part of a trace an analysis is about.

use gotrail::GoId;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Of goroutines, times from when until when, in nanoseconds of the trace's clock.
pub type Spans = FxHashMap<GoId, Vec<(i64, i64)>>;

/// Which goroutines count, and when. Cheap to copy.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// From when, in nanoseconds of the trace's clock; none for the beginning.
    pub from: Option<i64>,
    /// Until when; none for the end.
    pub until: Option<i64>,
    /// The goroutines, each with the times that count, in order and without overlap; none for
    /// all goroutines at all times.
    pub goroutines: Option<Arc<Spans>>,
}

impl Scope {
    /// Whether a moment counts for a goroutine.
    pub fn contains(&self, go: GoId, time: i64) -> bool {
        self.from.is_none_or(|from| time >= from)
            && self.until.is_none_or(|until| time < until)
            && self.goroutines.as_ref().is_none_or(|goroutines| {
                let times = goroutines.get(&go);
                times.is_some_and(|times| times.iter().any(|&(a, b)| a <= time && time < b))
            })
    }

    /// Whether anything between `from` and `until` may count.
    pub fn meets(&self, from: i64, until: i64) -> bool {
        self.until.is_none_or(|end| from < end) && self.from.is_none_or(|start| until > start)
    }

    /// How much of the time between `from` and `until` counts for a goroutine, in nanoseconds.
    pub fn overlap(&self, go: GoId, from: i64, until: i64) -> i64 {
        let from = self.from.map_or(from, |start| start.max(from));
        let until = self.until.map_or(until, |end| end.min(until));
        match &self.goroutines {
            None => (until - from).max(0),
            Some(goroutines) => goroutines.get(&go).map_or(0, |times| {
                let overlaps = times.iter().map(|&(a, b)| b.min(until) - a.max(from));
                overlaps.filter(|&nanos| nanos > 0).sum()
            }),
        }
    }
}

/// Whether anything that happens at a moment counts.
pub(crate) fn in_window(scope: &Option<Scope>, time: i64) -> bool {
    scope.as_ref().is_none_or(|scope| {
        scope.from.is_none_or(|from| time >= from) && scope.until.is_none_or(|until| time < until)
    })
}

/// Whether what a goroutine does at a moment counts.
#[inline(always)]
pub(crate) fn counts(scope: &Option<Scope>, go: GoId, time: i64) -> bool {
    scope.as_ref().is_none_or(|scope| scope.contains(go, time))
}

/// How much of the time between `from` and `until` counts for a goroutine, in nanoseconds: all of
/// it where there is no scope.
#[inline(always)]
pub(crate) fn nanos(scope: &Option<Scope>, go: GoId, from: i64, until: i64) -> i64 {
    match scope {
        None => until - from,
        Some(scope) => scope.overlap(go, from, until),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_does_not_count() {
        let all = Scope { from: Some(10), until: Some(20), goroutines: None };
        assert_eq!(all.overlap(GoId(1), 5, 15), 5);
        assert_eq!(all.overlap(GoId(1), 25, 35), 0);
        let some = FxHashMap::from_iter([(GoId(1), vec![(0, 11), (12, 14)])]);
        let some = Scope { goroutines: Some(Arc::new(some)), ..all };
        assert_eq!(some.overlap(GoId(1), 5, 30), 3);
        assert_eq!(some.overlap(GoId(2), 5, 30), 0);
        assert!(some.contains(GoId(1), 10) && !some.contains(GoId(1), 11));
        assert!(!some.contains(GoId(1), 9) && !some.contains(GoId(2), 10));
    }
}
