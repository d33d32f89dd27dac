//! What goroutines did in a stretch of time, exactly.

use crate::index::Index;
use crate::labels::NO_LABEL;
use crate::moves::Move;
use crate::state::{STATES, State};
use crate::view::View;
use serde_json::{Value, json};

impl View {
    /// `/api/selection`, without the command line.
    pub fn selection(&self, from: i64, to: i64) -> Value {
        let index = self.index.read();
        let mut all = [0i64; STATES];
        let mut groups = vec![([0i64; STATES], 0u64); index.groups.len()];
        let mut waits = [0u64; 64];
        for (place, goroutine) in index.goroutines.iter().enumerate() {
            if goroutine.created >= to || goroutine.ended <= from {
                continue;
            }
            let group = &mut groups[goroutine.group as usize];
            group.1 += 1;
            index.each_span(place as u32, from, to, |state, begin, end, whole| {
                if let Some(at) = state.index() {
                    all[at] += end - begin;
                    group.0[at] += end - begin;
                    if state == State::RUNNABLE && whole {
                        waits[(end - begin).max(1).ilog2() as usize] += 1;
                    }
                }
            });
        }
        let mut functions: Vec<_> =
            groups.into_iter().enumerate().filter(|(_, (_, count))| *count > 0).collect();
        functions.sort_by_key(|(_, (states, _))| -states[..4].iter().sum::<i64>());
        let functions: Vec<_> = functions
            .into_iter()
            .map(|(at, (states, count))| {
                let label = index.groups[at].label;
                let function =
                    if label == NO_LABEL { "(unknown)" } else { index.labels.text(label) };
                json!({"function": function, "group": at, "count": count, "states": states})
            })
            .collect();
        let used = waits.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1);
        let first = waits.iter().position(|&count| count > 0).unwrap_or(0);
        let histogram: Vec<_> = (first..used)
            .map(|power| json!({"upto": 1u64 << (power + 1), "count": waits[power]}))
            .collect();
        json!({"states": all, "functions": functions, "histogram": histogram})
    }
}

impl Index {
    /// Shows the spans of a goroutine in a stretch of time, cut at its ends, and whether they begin
    /// and end in it.
    fn each_span(
        &self,
        place: u32,
        from: i64,
        to: i64,
        mut each: impl FnMut(State, i64, i64, bool),
    ) {
        let mut open: Option<Move> = self.last_move(place, |part| &part.goroutines, from);
        let first = self.part_at(from).min(self.parts.len());
        for part in self.parts[first..].iter().take_while(|part| part.from < to) {
            let moves = part.goroutines.of(place);
            let after = moves.partition_point(|moved| moved.time() <= from);
            for &moved in moves[after..].iter().take_while(|moved| moved.time() < to) {
                if let Some(open) = open.replace(moved) {
                    let begin = open.time().max(from);
                    each(open.to(), begin, moved.time(), open.time() >= from);
                }
            }
        }
        if let Some(open) = open {
            let end = to.min(self.indexed);
            if open.time() < end {
                each(open.to(), open.time().max(from), end, false);
            }
        }
    }
}
