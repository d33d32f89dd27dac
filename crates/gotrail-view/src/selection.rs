//! What goroutines did in a stretch of time, exactly.

use crate::index::Index;
use crate::labels::NO_LABEL;
use crate::lane::Lane;
use crate::moves::Mover;
use crate::state::{STATES, State};
use crate::view::View;
use rustc_hash::FxHashSet;
use serde_json::{Value, json};
use std::io;

impl View {
    /// `/api/selection`, without the command line. With lanes of goroutines or groups only these
    /// count; with lanes of procs or threads what goroutines did there.
    pub fn selection(&self, from: i64, to: i64, lanes: &[Lane]) -> io::Result<Value> {
        let index = self.index.read();
        let mut all = [0i64; STATES];
        let mut groups = vec![([0i64; STATES], FxHashSet::default()); index.groups.len()];
        let mut waits = [0u64; 64];
        let mut count = |place: u32, state: State, begin: i64, end: i64| {
            if let (Some(at), Some(go)) = (state.index(), index.goroutines.get(place as usize)) {
                all[at] += end - begin;
                groups[go.group as usize].0[at] += end - begin;
            }
            if let Some(go) = index.goroutines.get(place as usize) {
                groups[go.group as usize].1.insert(place);
            }
        };
        let chosen = index.chosen(lanes);
        let of = |kind| -> FxHashSet<u32> {
            let units = lanes.iter().filter_map(|&lane| index.unit(lane));
            units.filter(|unit| unit.1 == kind).map(|unit| unit.0).collect()
        };
        let (procs, threads) = (of(Mover::Procs), of(Mover::Threads));
        let time = (from, to);
        if chosen.is_none() && !(procs.is_empty() && threads.is_empty()) {
            for (kind, units) in [(Mover::Procs, procs), (Mover::Threads, threads)] {
                let wanted = |place: u32| units.contains(&place);
                index.each_span(kind, wanted, time, |_, moved, begin, end, _| {
                    count(moved.by, moved.to(), begin, end);
                })?;
            }
        } else {
            let wanted = |place: u32| {
                let goroutine = &index.goroutines[place as usize];
                goroutine.created < to
                    && goroutine.ended > from
                    && chosen.as_ref().is_none_or(|chosen| chosen.contains(&place))
            };
            (0..index.goroutines.len() as u32)
                .filter(|&place| wanted(place))
                .for_each(|place| count(place, State::NONE, 0, 0));
            index.each_span(
                Mover::Goroutines,
                wanted,
                time,
                |place, moved, begin, end, whole| {
                    count(place, moved.to(), begin, end);
                    if moved.to() == State::RUNNABLE && whole {
                        waits[(end - begin).max(1).ilog2() as usize] += 1;
                    }
                },
            )?;
        }
        let mut functions: Vec<_> =
            groups.into_iter().enumerate().filter(|(_, group)| !group.1.is_empty()).collect();
        functions.sort_by_key(|(_, (states, _))| -states[..4].iter().sum::<i64>());
        let functions: Vec<_> = functions
            .into_iter()
            .map(|(at, (states, members))| {
                let label = index.groups[at].label;
                let function =
                    if label == NO_LABEL { "(unknown)" } else { index.labels.text(label) };
                json!({"function": function, "group": at, "count": members.len(), "states": states})
            })
            .collect();
        let used = waits.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1);
        let first = waits.iter().position(|&count| count > 0).unwrap_or(0);
        let histogram: Vec<_> = (first..used)
            .map(|power| json!({"upto": 1u64 << (power + 1), "count": waits[power]}))
            .collect();
        Ok(json!({"states": all, "functions": functions, "histogram": histogram}))
    }
}

impl Index {
    /// The proc or thread of a lane.
    pub(crate) fn unit(&self, lane: Lane) -> Option<(u32, Mover)> {
        match lane {
            Lane::Proc(id) => Some((self.procs.find(id)?, Mover::Procs)),
            Lane::Thread(id) => Some((self.threads.find(id)?, Mover::Threads)),
            _ => None,
        }
    }

    /// The goroutines of lanes, by place; none if there is no lane of goroutines.
    pub(crate) fn chosen(&self, lanes: &[Lane]) -> Option<FxHashSet<u32>> {
        let mut chosen = None;
        for &lane in lanes {
            match lane {
                Lane::Go(id) | Lane::Regions(id) => {
                    let chosen: &mut FxHashSet<u32> = chosen.get_or_insert_default();
                    chosen.extend(self.find(id));
                }
                Lane::Group(group) => {
                    let chosen = chosen.get_or_insert_default();
                    let group = self.groups.get(group as usize);
                    chosen.extend(group.into_iter().flat_map(|group| &group.members));
                }
                _ => {}
            }
        }
        chosen
    }
}
