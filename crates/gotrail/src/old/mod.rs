//! Traces of Go 1.11 to 1.21.
//!
//! They have no generations: the file is one stream of batches, and strings, stacks and the
//! clock's frequency stand at its end. So it is read whole, made a single [`Generation`], and its
//! events are told in the words of the newer format; nothing outside this folder knows more of it
//! than that a generation may hold [`OldEvents`].
//!
//! ```text
//!   bytes ──► index ──► merge ──► check ──► convert ──► Sink, like events of any other trace
//!            batches    rows in   marks,    newer events,
//!            by proc,   order     or the    one row at
//!            tables               first     a time
//!                                 fault
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `wire.rs` | the table of events, and how one is written |
//! | `index.rs` | where batches, strings, stacks and samples are: one walk over the bytes |
//! | `merge.rs` | one order of the procs' events, by states of goroutines and then by time |
//! | `check.rs` | whether that order makes sense; looks ahead for `convert.rs` on the way |
//! | `convert.rs` | the events of the newer format that a row means |
//! | `slots.rs` | small numbers for ids |
//!
//! A fault anywhere before `convert` means that a strict reader delivers nothing at all: this is
//! how the reference does it. A tolerant one keeps what comes before the fault.

mod check;
mod convert;
mod fault;
mod index;
mod merge;
mod slots;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use convert::Converter;
pub use fault::OldFault;

use crate::cursor::Tail;
use crate::error::{Error, Fault, Place};
use crate::generation::{Batch, Generation, NO_BATCH};
use crate::input::Bytes;
use crate::report::{Loss, Report};
use gotrail_format::Version;
use rustc_hash::FxHashSet;

/// An event in order, as compact as it can be: a trace is held whole.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// In ticks.
    time: i64,
    /// What the event is about: a number of the wire, a goroutine's slot, or a place among
    /// [`OldEvents::more`].
    arg: u64,
    /// The goroutine's slot.
    go: u32,
    stack: u32,
    /// The proc's slot.
    proc: u32,
    kind: wire::Kind,
    marks: u8,
}

/// What was found out about a row.
mod mark {
    /// A syscall that blocks.
    pub(super) const BLOCKS: u8 = 1;
    /// The goroutine that is unblocked waited for the network.
    pub(super) const NETWORK: u8 = 2;
    /// The goroutine that unblocks belongs to the runtime's timers.
    pub(super) const TIMER: u8 = 4;
    /// A syscall's end, which happened at another time than when it was written.
    pub(super) const MOVED: u8 = 8;
    /// A misused annotation, which a tolerant reader drops.
    pub(super) const DROPPED: u8 = 16;
}

/// The events of an old trace, in order and found to make sense.
#[derive(Debug)]
pub(crate) struct OldEvents {
    rows: Vec<Row>,
    /// The rows that happened at another time than their place says, by time.
    moved: Vec<u32>,
    /// The numbers of events that have several.
    more: Vec<[u64; 3]>,
    /// The ids of goroutines, by slot.
    goroutines: Vec<u64>,
    /// The ids of procs, by slot.
    procs: Vec<i32>,
    /// How many events there are to deliver.
    count: usize,
    /// Nanoseconds in a tick.
    nanos: f64,
    /// The id of the first string that stands within an event.
    inline_strings: u64,
    /// The id of the first of [`convert::NAMES`].
    names: u64,
    /// Stacks that refer to strings that do not exist.
    broken_stacks: FxHashSet<u64>,
}

/// Reads what is behind the header: all of the trace, as a generation. None if it has no events.
/// With `losses`, damage is noted there and what comes before it is kept.
pub(crate) fn load<'t>(
    data: Bytes<'t>,
    version: Version,
    offset: u64,
    mut losses: Option<&mut Report>,
) -> Result<Option<Box<Generation<'t>>>, Error> {
    let error = |fault: Fault, at: usize| {
        Error::new(fault, Place { offset: Some(offset + at as u64), ..Place::default() })
    };
    let mut known = losses.as_deref().map_or(0, |report| report.losses.len());
    let mut lose = |fault: Fault, at: usize, ranges: Vec<std::ops::Range<usize>>| {
        let error = error(fault, at);
        let Some(report) = losses.as_deref_mut() else { return Err(error) };
        let mut loss = Loss::of_error(&error);
        loss.add(offset, ranges.into_iter());
        report.add_loss(loss);
        Ok(())
    };

    let (mut index, fault) = index::index(&data, version);
    if let Some((fault, at)) = fault {
        lose(fault, at, std::iter::once(at..data.len()).collect())?;
        known += 1;
    }
    let mut merged = merge::Merged::new(&mut index, data.len());
    let mut faults = Vec::new();
    merge::merge(&data, &index, &mut merged, None, &mut faults);
    for (fault, at, ranges) in faults {
        lose(fault, at, ranges)?;
    }
    let nanos = match index.frequency {
        Some(frequency) => 1e9 / frequency as f64,
        None => {
            lose(OldFault::NoFrequency.into(), data.len(), Vec::new())?;
            1.0
        }
    };
    if let Some(first) = index.longest_string_id().checked_add(merged.inline.len() as u64) {
        if first.checked_add(convert::NAMES.len() as u64).is_none() {
            lose(OldFault::TooManyStrings.into(), 0, Vec::new())?;
        }
    } else {
        lose(OldFault::TooManyStrings.into(), 0, Vec::new())?;
    }

    let batches = index.batches();
    let (strings, inline_strings, names) = index.strings(std::mem::take(&mut merged.inline));
    let stacks = index.stacks();
    let broken_stacks = stacks.broken(&data, &strings);
    if !broken_stacks.is_empty()
        && let Err(fault) = stacks.check(&data, &strings)
        && let Some(report) = losses.as_deref_mut()
    {
        // A strict reader stops at the first event that has such a stack.
        report.add_loss(Loss::of_error(&fault.into()));
    }
    let mut events = merged.finish(nanos, inline_strings, names, broken_stacks);
    drop(index.samples);

    let generation = Generation {
        tail: Tail::of(&[]),
        offset,
        version,
        number: 1,
        strings,
        stacks,
        batches,
        data,
        ..Generation::empty(version)
    };
    let lenient = losses.is_some();
    if let Some((fault, event)) = check::check(&mut events, &generation, losses.as_deref_mut()) {
        let row = events.row_of(event);
        events.count = event;
        // Where an event stands nobody needs to know otherwise: merge again up to it.
        let (mut again, _) = index::index(&generation.data, version);
        let mut merged = merge::Merged::new(&mut again, generation.data.len());
        let stop = merge::merge(&generation.data, &again, &mut merged, Some(row), &mut Vec::new());
        let error =
            Error::new(fault, Place { offset: Some(offset + stop.at as u64), ..Place::default() });
        if !lenient {
            return Err(error);
        }
        let mut loss = Loss::of_error(&error);
        loss.add(offset, stop.rest.into_iter());
        if let Some(report) = losses {
            // What was not merged at all lies behind this, and is lost once.
            for before in report.losses.iter_mut().skip(known) {
                before.bytes_lost = 0;
                before.bytes.end = before.bytes.start;
            }
            report.add_loss(loss);
        }
    }
    if events.count == 0 {
        return Ok(None);
    }
    Ok(Some(Box::new(Generation { old: Some(Box::new(events)), ..generation })))
}

impl OldEvents {
    /// The rows in the order of their true times, as places in `rows`.
    fn order(&self) -> Order {
        Order::default()
    }

    /// The row of the event with this number.
    fn row_of(&self, event: usize) -> usize {
        let mut order = self.order();
        for _ in 0..event {
            let _ = order.next(self);
        }
        order.next(self).unwrap_or(self.rows.len())
    }

    /// The time of the last event, at least.
    pub(crate) fn end(&self) -> i64 {
        let mut order = self.order();
        let first = order.next(self).map_or(0, |row| self.rows[row].time);
        let last = self.rows.iter().map(|row| row.time).max().unwrap_or(0);
        self.nanos_between(first, last)
    }

    /// From ticks to nanoseconds. What does not fit becomes the smallest number, as on amd64.
    #[inline(always)]
    fn nanos_between(&self, first: i64, time: i64) -> i64 {
        let nanos = time.wrapping_sub(first) as f64 * self.nanos;
        let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&nanos);
        if fits { nanos as i64 } else { i64::MIN }
    }
}

/// A walk over the rows in the order of their true times: rows that were moved, and all others,
/// each sorted, merged by time and, where times are equal, by place.
#[derive(Debug, Default, Clone)]
struct Order {
    next: usize,
    next_moved: usize,
}

impl Order {
    #[inline(always)]
    fn next(&mut self, events: &OldEvents) -> Option<usize> {
        loop {
            let row = events.rows.get(self.next);
            if let Some(row) = row
                && row.marks & mark::MOVED != 0
            {
                self.next += 1;
                continue;
            }
            if let Some(&moved) = events.moved.get(self.next_moved) {
                let moved = moved as usize;
                let key = (events.rows[moved].time, moved);
                if row.is_none_or(|row| key < (row.time, self.next)) {
                    self.next_moved += 1;
                    return Some(moved);
                }
            }
            row?;
            self.next += 1;
            return Some(self.next - 1);
        }
    }
}

impl index::Index {
    /// The batches as a generation lists them.
    fn batches(&self) -> Vec<Batch> {
        let batches = self.procs.iter().flat_map(|proc| &proc.batches);
        let batch = |batch: &index::Batch| Batch {
            start: batch.start,
            end: batch.end,
            time: batch.time as u64,
            next: NO_BATCH,
        };
        batches.map(batch).collect()
    }
}
