//! What a generation says once and its events refer to by id: strings and CPU samples, and what
//! [`stacks`](crate::stacks) need like them.

use crate::clock::Frequency;
use crate::error::Fault;
use crate::stacks::StackBuilder;
use gotrail_format::varint;
use gotrail_format::{EventType, MAX_STRING_SIZE, gosort};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Reads the numbers of one batch; positions are those of the whole generation.
pub(crate) struct Numbers<'a> {
    data: &'a [u8],
    pub(crate) at: usize,
    end: usize,
}

impl<'a> Numbers<'a> {
    /// Reads the numbers of `range`.
    pub(crate) fn new(data: &'a [u8], range: Range<usize>) -> Numbers<'a> {
        Numbers { data, at: range.start, end: range.end }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.end
    }

    #[inline]
    pub(crate) fn number(&mut self, what: &'static str) -> Result<u64, Fault> {
        match varint::read(&self.data[self.at..self.end]) {
            Ok((value, len)) => {
                self.at += len;
                Ok(value)
            }
            Err(error) => Err(Fault::Number { what, error }),
        }
    }

    /// Like [`Numbers::number`], with an error of its own if the batch ends here.
    pub(crate) fn entry_number(&mut self, what: &'static str) -> Result<u64, Fault> {
        if self.is_empty() { Err(Fault::EntryCutOff(what)) } else { self.number(what) }
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.end - self.at
    }

    /// The next bytes of the generation, even beyond the batch, if there are so many.
    #[inline]
    pub(crate) fn window<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.data[self.at..].first_chunk()
    }

    pub(crate) fn event(&mut self) -> EventType {
        self.at += 1;
        EventType(self.data[self.at - 1])
    }

    pub(crate) fn expect(&mut self, event: EventType) -> Result<(), Fault> {
        match self.event() {
            found if found == event => Ok(()),
            found => Err(Fault::UnexpectedEvent { expected: event.name(), found }),
        }
    }
}

/// Ids of a generation to whatever belongs to them.
///
/// Ids come in any order but are nearly always the numbers from 1 on, so that a plain array
/// holds them; the few outside it are hashed. No id can make it large.
#[derive(Debug)]
pub(crate) struct IdTable<T> {
    dense: Vec<Option<T>>,
    sparse: FxHashMap<u64, T>,
    /// Every id up to this one exists: answers most questions with one comparison.
    complete: u64,
}

impl<T> Default for IdTable<T> {
    fn default() -> Self {
        IdTable { dense: Vec::new(), sparse: FxHashMap::default(), complete: 0 }
    }
}

impl<T> IdTable<T> {
    /// Builds the table; the first entry that repeats an id is returned as the error. Id 0 means
    /// "none", so that it counts as taken.
    pub(crate) fn build(entries: Vec<(u64, T)>) -> (IdTable<T>, Option<u64>) {
        let limit = 2 * entries.len() as u64 + 64;
        let largest = entries.iter().map(|e| e.0).filter(|&id| id < limit).max();
        let mut table = IdTable::default();
        table.dense.resize_with(largest.map_or(0, |id| id as usize + 1), || None);
        let mut repeated = None;
        for (id, value) in entries {
            if table.contains(id) {
                repeated.get_or_insert(id);
            } else if let Some(slot) = table.dense.get_mut(id as usize) {
                *slot = Some(value);
            } else {
                table.sparse.insert(id, value);
            }
        }
        let run = table.dense.iter().skip(1).take_while(|slot| slot.is_some()).count();
        table.complete = run as u64;
        (table, repeated)
    }

    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<&T> {
        match self.dense.get(id as usize) {
            Some(slot) => slot.as_ref(),
            None => self.sparse.get(&id),
        }
    }

    /// Whether there is something with this id, told at a glance: false may be wrong.
    #[inline(always)]
    pub(crate) fn has(&self, id: u64) -> bool {
        id <= self.complete
    }

    /// Whether an event may refer to this id.
    #[inline]
    pub(crate) fn contains(&self, id: u64) -> bool {
        id <= self.complete || self.get(id).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.dense.iter().flatten().count() + self.sparse.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let dense =
            self.dense.iter().enumerate().filter_map(|(i, v)| Some((i as u64, v.as_ref()?)));
        dense.chain(self.sparse.iter().map(|(&id, value)| (id, value)))
    }
}

/// A string's bytes: where it begins in the generation, and how long it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) start: usize,
    len: u32,
}

impl Piece {
    /// The `len` bytes from `start` on; strings are shorter than 4 GiB.
    pub(crate) fn new(start: usize, len: usize) -> Piece {
        Piece { start, len: len as u32 }
    }
}

/// Gathers a generation's strings, stacks and samples as its batches are read.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    strings: Vec<(u64, Piece)>,
    pub(crate) stacks: StackBuilder,
    samples: Vec<CpuSample>,
}

/// One CPU sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CpuSample {
    pub(crate) time: i64,
    pub(crate) thread: i64,
    pub(crate) proc: i64,
    pub(crate) go: i64,
    pub(crate) stack: u64,
}

impl Tables {
    /// Adds a batch of strings.
    pub(crate) fn add_strings(&mut self, batch: &mut Numbers<'_>) -> Result<(), Fault> {
        batch.event();
        while !batch.is_empty() {
            batch.expect(EventType::STRING)?;
            let id = batch.entry_number("a string's id")?;
            let len = batch.entry_number("a string's length")?;
            let left = (batch.end - batch.at) as u64;
            if len > MAX_STRING_SIZE || len > left {
                return Err(Fault::StringTooLong(len, left.min(MAX_STRING_SIZE)));
            }
            self.strings.push((id, Piece { start: batch.at, len: len as u32 }));
            batch.at += len as usize;
        }
        Ok(())
    }

    /// Adds a batch of CPU samples.
    pub(crate) fn add_samples(&mut self, batch: &mut Numbers<'_>) -> Result<(), Fault> {
        batch.event();
        while !batch.is_empty() {
            batch.expect(EventType::CPU_SAMPLE)?;
            let time = batch.entry_number("a CPU sample's time")? as i64;
            let thread = batch.entry_number("a CPU sample's thread")? as i64;
            let proc = batch.entry_number("a CPU sample's proc")? as i64;
            let go = match batch.entry_number("a CPU sample's goroutine")? {
                0 => -1,
                id => id as i64,
            };
            let stack = batch.entry_number("a CPU sample's stack")?;
            self.samples.push(CpuSample { time, thread, proc, go, stack });
        }
        Ok(())
    }

    /// The samples in the reference's order, with times in nanoseconds.
    pub(crate) fn finish_samples(&mut self, frequency: Frequency) -> Vec<CpuSample> {
        let mut samples = std::mem::take(&mut self.samples);
        for sample in &mut samples {
            sample.time = frequency.nanos(sample.time as u64);
        }
        gosort::sort_unstable_by(&mut samples, |a, b| a.time < b.time);
        samples
    }

    /// The finished strings.
    pub(crate) fn finish_strings(&mut self) -> (Strings, Option<Fault>) {
        let (table, repeated) = IdTable::build(std::mem::take(&mut self.strings));
        let strings = Strings { table, names: None };
        (strings, repeated.map(|id| Fault::RepeatedId { what: "string", id }))
    }
}

/// The strings of a generation.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    table: IdTable<Piece>,
    /// Strings that are not in the trace, and the id of the first of them.
    names: Option<(u64, &'static [&'static str])>,
}

impl Strings {
    /// Strings with these ids, and `names` with ids from `first` on.
    pub(crate) fn with_names(
        strings: Vec<(u64, Piece)>,
        first: u64,
        names: &'static [&'static str],
    ) -> Strings {
        Strings { table: IdTable::build(strings).0, names: Some((first, names)) }
    }

    /// The string with this id, out of the bytes of the generation; empty for id 0.
    #[inline]
    pub(crate) fn get<'a>(&self, data: &'a [u8], id: u64) -> Option<&'a [u8]> {
        match self.table.get(id) {
            // In a damaged trace a string may lie in bytes that were dropped after all.
            Some(piece) => data.get(piece.start..piece.start + piece.len as usize),
            None => {
                if id == 0 {
                    Some(&[])
                } else {
                    self.name(id)
                }
            }
        }
    }

    #[inline]
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.table.contains(id) || self.name(id).is_some()
    }

    #[cold]
    fn name(&self, id: u64) -> Option<&'static [u8]> {
        let (first, names) = self.names?;
        Some(names.get(usize::try_from(id.checked_sub(first)?).ok()?)?.as_bytes())
    }

    /// Every id up to this one exists.
    pub(crate) fn complete(&self) -> u64 {
        self.table.complete
    }

    /// Whether there is a string with this id, told at a glance: false may be wrong.
    #[inline(always)]
    pub(crate) fn has(&self, id: u64) -> bool {
        self.table.has(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_any_order_and_far_apart_are_found() {
        let (table, repeated) = IdTable::build(vec![(3, 'c'), (1, 'a'), (u64::MAX, 'z'), (2, 'b')]);
        assert_eq!(repeated, None);
        assert_eq!(table.get(3), Some(&'c'));
        assert_eq!(table.get(u64::MAX), Some(&'z'));
        assert_eq!(table.get(0), None);
        assert_eq!(table.get(70), None);
        assert_eq!((table.complete, table.len()), (3, 4));
        assert!(table.contains(0) && table.contains(2) && !table.contains(4));
    }

    #[test]
    fn an_id_is_taken_once_and_zero_never() {
        assert_eq!(IdTable::build(vec![(1, ()), (9, ()), (1, ())]).1, Some(1));
        assert_eq!(IdTable::build(vec![(0, ())]).1, Some(0));
        let far = u64::MAX - 1;
        assert_eq!(IdTable::build(vec![(far, ()), (far, ())]).1, Some(far));
    }

    #[test]
    fn a_string_in_bytes_that_were_dropped_is_none() {
        let (table, _) =
            IdTable::build(vec![(1, Piece { start: 1, len: 2 }), (2, Piece { start: 2, len: 2 })]);
        let strings = Strings { table, names: None };
        assert_eq!(strings.get(b"abc", 1), Some(&b"bc"[..]));
        assert_eq!(strings.get(b"abc", 2), None);
    }
}
