//! What goroutines did in a stretch of time, exactly.

use crate::api::STRIP;
use crate::index::Index;
use crate::labels::NO_LABEL;
use crate::lane::Lane;
use crate::moves::{Move, Mover};
use crate::state::{STATES, State};
use crate::view::View;
use rustc_hash::FxHashSet;
use serde_json::{Value, json};
use std::collections::BinaryHeap;
use std::io;
use std::ops::Range;

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

/// Which spans of goroutines are looked for: all of it must be true.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// They touch this time.
    pub from: i64,
    /// The same.
    pub to: i64,
    /// A bit for each state that they may be in.
    pub states: u16,
    /// In the name of the function that the goroutine began with.
    pub function: String,
    /// In the reason.
    pub label: String,
    /// In a function of the stack.
    pub stack: String,
    /// At least so long.
    pub min: i64,
    /// At most so long.
    pub max: i64,
    /// So many are told.
    pub limit: usize,
}

impl View {
    /// `/api/matches`.
    pub fn matches(&self, wanted: &Wanted) -> io::Result<Value> {
        let index = self.index.read();
        let strip_of = |time: i64| {
            let at = i128::from(time.max(0)) * STRIP as i128 / i128::from(index.duration.max(1));
            (at as usize).min(STRIP - 1)
        };
        let (mut total, mut strip) = (0u64, vec![0u32; STRIP]);
        // Only the earliest are kept: the latest of them is on top, and is the first to go.
        let mut rows: BinaryHeap<(i64, u32, i64, u8, u8)> = BinaryHeap::new();
        let stacks = StackFilter::new(self, &index, &wanted.stack)?;
        let groups: Vec<bool> = index
            .groups
            .iter()
            .map(|group| index.text(group.label, "(unknown)").contains(&wanted.function))
            .collect();
        let of_group = |place: u32| groups[index.goroutines[place as usize].group as usize];
        let all = (i64::MIN, i64::MAX);
        index.each_span(Mover::Goroutines, of_group, all, |place, begun, from, until, _| {
            let bytes = || &index.parts[index.part_at(from)].bytes;
            if !index.is_wanted(wanted, begun, from, until) || !stacks.has(bytes, begun.stack) {
                return;
            }
            total += 1;
            strip[strip_of(from)] += 1;
            if wanted.limit > 0 {
                rows.push((from, place, until, begun.to().0, begun.reason()));
                if rows.len() > wanted.limit {
                    rows.pop();
                }
            }
        })?;
        let rows = rows.into_sorted_vec();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(from, place, to, state, reason)| {
                let id = index.id(place);
                let label = index.reasons[usize::from(reason)].0;
                json!({
                    "lane": format!("go:{id}"), "go": id, "from": from, "to": to,
                    "state": state, "label": index.text(label, ""),
                })
            })
            .collect();
        Ok(json!({"total": total, "rows": rows, "strip": strip}))
    }
}

impl Index {
    fn is_wanted(&self, wanted: &Wanted, begun: Move, from: i64, to: i64) -> bool {
        let Some(state) = begun.to().index() else { return false };
        let length = to - from;
        wanted.states >> state & 1 != 0
            && from < wanted.to
            && to > wanted.from
            && (wanted.min..=wanted.max).contains(&length)
            && (wanted.label.is_empty() || {
                let label = self.reasons[usize::from(begun.reason())].0;
                self.text(label, "").contains(&wanted.label)
            })
    }
}

/// Which stacks have a function whose name has a text; none if there is no text.
struct StackFilter(Option<FxHashSet<(u64, u32)>>);

impl StackFilter {
    /// Goes through all stacks of moves, each generation's at a time: to open a generation takes
    /// long.
    fn new(view: &View, index: &Index, text: &str) -> io::Result<StackFilter> {
        if text.is_empty() {
            return Ok(StackFilter(None));
        }
        let mut matching = FxHashSet::default();
        for parts in index.parts.chunk_by(|one, next| one.bytes == next.bytes) {
            let bytes = &parts[0].bytes;
            let mut stacks = FxHashSet::default();
            for part in parts {
                for (_, moves) in index.all_moves(part, Mover::Goroutines)? {
                    stacks.extend(moves.map(|moved| moved.stack));
                }
            }
            let Some(generation) = view.generation(bytes) else { continue };
            let has = |stack: &u32| {
                let stack = generation.stack_with_id(u64::from(*stack));
                let mut frames = stack.into_iter().flat_map(|stack| stack.frames());
                frames.any(|frame| frame.function.to_string().contains(text))
            };
            matching.extend(stacks.into_iter().filter(has).map(|stack| (bytes.start, stack)));
        }
        Ok(StackFilter(Some(matching)))
    }

    fn has<'a>(&self, bytes: impl FnOnce() -> &'a Range<u64>, stack: u32) -> bool {
        self.0.as_ref().is_none_or(|matching| matching.contains(&(bytes().start, stack)))
    }
}
