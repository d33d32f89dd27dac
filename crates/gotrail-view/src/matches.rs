//! Spans that match a filter: how many there are, and some of them from any moment on.
//!
//! To count them takes a look at every move. That is done once for a filter: how many begin in each part
//! of the index is kept, and then only the parts are read in which there are some that are wanted.

use crate::api::STRIP;
use crate::index::Index;
use crate::moves::{Move, Mover};
use crate::view::View;
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Value, json};
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Which spans of goroutines are looked for: all of it must be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
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
}

/// Which of the spans that match are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first that begin between these times.
    From(i64, i64),
    /// The last that begin before this time.
    Until(i64),
}

/// What was found out about a filter.
pub struct Counted {
    wanted: Wanted,
    /// What was known of the trace then.
    known: (usize, bool),
    /// How many begin in each part.
    parts: Vec<u32>,
    strip: Vec<u32>,
    stacks: StackFilter,
}

/// The filters that were asked for lately.
pub type Lately = Mutex<Vec<Arc<Counted>>>;

/// So many filters are remembered: a few bytes for each part, and the stacks that match.
const REMEMBERED: usize = 4;

/// A span: when it begins, whose it is, when it ends, and what it is.
type Row = (i64, u32, i64, Move);

impl View {
    /// `/api/matches`.
    pub fn matches(&self, wanted: &Wanted, which: Which, limit: usize) -> io::Result<Value> {
        let index = self.index.read();
        let counted = self.counted(&index, wanted)?;
        let total: u64 = counted.parts.iter().map(|&count| u64::from(count)).sum();
        // Where none is wanted it still counts how many come before.
        let most = limit.max(1);
        let (mut before, mut rows) = match which {
            Which::From(from, to) => index.rows_from(&counted, (from, to), most)?,
            Which::Until(until) => index.rows_until(&counted, until, most)?,
        };
        if limit == 0 {
            before += if matches!(which, Which::Until(_)) { rows.len() as u64 } else { 0 };
            rows.clear();
        }
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(from, place, to, begun)| {
                let id = index.id(place);
                let label = index.reasons[usize::from(begun.reason())].0;
                json!({
                    "lane": format!("go:{id}"), "go": id, "from": from, "to": to,
                    "state": begun.to().0, "label": index.text(label, ""),
                })
            })
            .collect();
        Ok(json!({"total": total, "before": before, "rows": rows, "strip": counted.strip}))
    }

    /// What is known of a filter, found out if it was not asked for lately.
    fn counted(&self, index: &Index, wanted: &Wanted) -> io::Result<Arc<Counted>> {
        let known = (index.parts.len(), index.done);
        let found = |one: &&Arc<Counted>| one.wanted == *wanted && one.known == known;
        if let Some(found) = self.lately.lock().iter().find(found) {
            return Ok(Arc::clone(found));
        }
        let mut counted = Counted {
            wanted: wanted.clone(),
            known,
            parts: vec![0; index.parts.len()],
            strip: vec![0; STRIP],
            stacks: StackFilter::new(self, index, &wanted.stack)?,
        };
        let mut parts = std::mem::take(&mut counted.parts);
        let mut strip = std::mem::take(&mut counted.strip);
        let duration = i128::from(index.duration.max(1));
        index.each_match(&counted, 0..parts.len(), |part, (from, ..)| {
            let at = i128::from(from.max(0)) * STRIP as i128 / duration;
            parts[part] += 1;
            strip[(at as usize).min(STRIP - 1)] += 1;
        })?;
        (counted.parts, counted.strip) = (parts, strip);
        let counted = Arc::new(counted);
        let mut lately = self.lately.lock();
        lately.insert(0, Arc::clone(&counted));
        lately.truncate(REMEMBERED);
        Ok(counted)
    }
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().map(|&count| u64::from(count)).sum()
}

impl Index {
    /// The first rows that begin in a time, and how many begin before them.
    fn rows_from(
        &self,
        counted: &Counted,
        (from, to): (i64, i64),
        limit: usize,
    ) -> io::Result<(u64, Vec<Row>)> {
        // All parts that begin at that time may have some of it.
        let mut part = self.parts.partition_point(|part| part.from < from).saturating_sub(1);
        let mut before = sum(&counted.parts[..part]);
        let mut rows = Vec::new();
        while part < self.parts.len() && rows.len() < limit && self.parts[part].from < to {
            // As many parts at a time as have what is wanted.
            let mut end = part + 1;
            while end < self.parts.len()
                && sum(&counted.parts[part + 1..end]) < (limit - rows.len()) as u64
            {
                end += 1;
            }
            let mut some = self.rows_of(counted, part..end)?;
            let early = some.partition_point(|row| row.0 < from);
            before += early as u64;
            some.drain(..early);
            rows.extend(some.into_iter().take_while(|row| row.0 < to));
            part = end;
        }
        rows.truncate(limit);
        Ok((before, rows))
    }

    /// The last rows that begin before a time, and how many begin before them.
    fn rows_until(
        &self,
        counted: &Counted,
        until: i64,
        limit: usize,
    ) -> io::Result<(u64, Vec<Row>)> {
        let mut end = self.parts.partition_point(|part| part.from < until);
        let mut rows = Vec::new();
        while end > 0 && rows.len() < limit {
            let mut part = end - 1;
            while part > 0 && sum(&counted.parts[part..end - 1]) < (limit - rows.len()) as u64 {
                part -= 1;
            }
            let mut some = self.rows_of(counted, part..end)?;
            some.truncate(some.partition_point(|row| row.0 < until));
            some.append(&mut rows);
            (rows, end) = (some, part);
        }
        let more = rows.len().saturating_sub(limit);
        rows.drain(..more);
        Ok((sum(&counted.parts[..end]) + more as u64, rows))
    }

    /// The spans that match and begin in these parts, in the order of time.
    fn rows_of(&self, counted: &Counted, parts: Range<usize>) -> io::Result<Vec<Row>> {
        if sum(&counted.parts[parts.clone()]) == 0 {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        self.each_match(counted, parts, |_, row| rows.push(row))?;
        rows.sort_unstable_by_key(|row| (row.0, row.1));
        Ok(rows)
    }

    /// Shows all spans that match and begin in these parts, in which each begins.
    fn each_match(
        &self,
        counted: &Counted,
        parts: Range<usize>,
        mut each: impl FnMut(usize, Row),
    ) -> io::Result<()> {
        let wanted = &counted.wanted;
        let groups: Vec<bool> = self
            .groups
            .iter()
            .map(|group| self.text(group.label, "(unknown)").contains(&wanted.function))
            .collect();
        let reasons: Vec<bool> = self
            .reasons
            .iter()
            .map(|reason| self.text(reason.0, "").contains(&wanted.label))
            .collect();
        let of_group = |place: u32| groups[self.goroutines[place as usize].group as usize];
        let may = |part: usize, begun: Move| {
            begun.to().index().is_some_and(|state| wanted.states >> state & 1 != 0)
                && reasons[usize::from(begun.reason())]
                && counted.stacks.has(self.parts[part].bytes.start, begun.stack)
        };
        let mut end = |place: u32, (part, begun): (usize, Move), until: i64| {
            if (wanted.min..=wanted.max).contains(&(until - begun.time())) {
                each(part, (begun.time(), place, until, begun));
            }
        };
        // What matches and did not end yet.
        let mut open: FxHashMap<u32, (usize, Move)> = FxHashMap::default();
        for (at, part) in self.parts.iter().enumerate().skip(parts.start) {
            // While they are counted nothing is known of any part.
            let some = counted.parts.get(at).is_none_or(|&count| count > 0);
            let inside = at < parts.end && some;
            if at >= parts.end && open.is_empty() {
                break;
            }
            // Behind these parts only ends are of interest.
            if !inside && !part.has_any(Mover::Goroutines, |place| open.contains_key(&place)) {
                continue;
            }
            for (place, mut moves) in self.all_moves(part, Mover::Goroutines)? {
                if inside {
                    if !of_group(place) {
                        continue;
                    }
                    let mut begun = open.remove(&place);
                    for moved in moves {
                        if let Some(begun) = begun.take() {
                            end(place, begun, moved.time());
                        }
                        begun = may(at, moved).then_some((at, moved));
                    }
                    open.extend(begun.map(|begun| (place, begun)));
                } else if let Some(begun) = open.remove(&place) {
                    let until = moves.next().map_or(self.indexed, Move::time);
                    end(place, begun, until);
                }
            }
        }
        for (place, begun) in open {
            end(place, begun, self.indexed);
        }
        Ok(())
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

    #[inline]
    fn has(&self, generation: u64, stack: u32) -> bool {
        self.0.as_ref().is_none_or(|matching| matching.contains(&(generation, stack)))
    }
}
