//! Lanes of tasks and regions, of whatever goroutines: each of them as long as they are few, or else how
//! many are open.

use super::sums::Sum;
use super::{Lane, Look, Span, Window, read};
use crate::index::Index;
use crate::moves::{Move, NONE};
use crate::state::State;

impl Index {
    /// What a lane of tasks or regions looks like.
    pub(super) fn open(&self, lane: Lane, window: Window, most: usize) -> Look {
        let (bins, label) = match lane {
            Lane::Tasks => (Some(&self.open.tasks), None),
            Lane::Named(label) => (self.open.named(label), Some(label)),
            _ => (Some(&self.open.regions), None),
        };
        let bins = bins.filter(|bins| bins.level() <= window.level);
        // What is kept need not be counted.
        let enough = if bins.is_some() { most + 1 } else { usize::MAX };
        let (from, until) = (window.from(), window.until());
        let end = |until: i64| until.min(self.indexed);
        let state = State::RUNNING;
        let mut spans: Vec<Span> = match lane {
            Lane::Tasks => {
                let tasks = self.marks.tasks_in(from, until).take(enough);
                let span = |task: &crate::marks::Task| Span {
                    from: task.from.max(0),
                    until: end(task.until),
                    state,
                    label: task.label,
                    go: self.id(task.go),
                };
                tasks.map(span).collect()
            }
            _ => {
                let regions = self.marks.regions_in(from, until);
                let regions =
                    regions.filter(|region| label.is_none_or(|label| region.label == label));
                let span = |region: &crate::marks::Stretch| Span {
                    from: region.from,
                    until: end(region.until),
                    state,
                    label: region.label,
                    go: self.id(region.go),
                };
                regions.take(enough).map(span).collect()
            }
        };
        if spans.len() <= most {
            spans.sort_by_key(|span| (span.from, span.until));
            return Look::Spans(spans);
        }
        if let Some(bins) = bins {
            return Look::Shares(read(bins, window));
        }
        let mut sum = Sum::new(window);
        for span in spans {
            sum.add(&Move::new(span.from.max(from), State::NONE, state, 0, NONE, NONE));
            if span.until < until {
                sum.add(&Move::new(span.until, state, State::NONE, 0, NONE, NONE));
            }
        }
        Look::Shares(sum.finish(self.indexed))
    }
}
