//! An order of what is left of a broken trace.
//!
//! In a trace that is whole, of all procs' next events the earliest can always happen: another one
//! that came first would make the time go back. So in a broken one the earliest happens whether its
//! goroutine is ready for it or not: something before it is missing, and nothing later brings that
//! back. Whole traces come out in the same order as ever, ties aside.
//!
//! Times of damaged events are not believed if they go back, or past the beginning of the proc's
//! next batch.

use super::index::{Index, LONGEST_PAUSE};
use super::merge::{Merge, Next};
use super::slots::NONE;
use super::wire::{self, Head, Kind};

/// What is missing around a gap in a proc's events.
#[derive(Debug, Clone)]
pub(super) struct Missing {
    /// Where the events end.
    pub(super) at: usize,
    /// The times of the last event before the gap, and from which the proc goes on, if it does.
    pub(super) from: i64,
    pub(super) until: Option<i64>,
}

impl Merge {
    /// Goes on to the next event of a broken trace.
    pub(super) fn next_mended(&mut self, data: &[u8], index: &Index) -> Next {
        let mut first: Option<(i64, bool, u32)> = None;
        for place in 0..self.procs.len() as u32 {
            let proc = &self.procs[place as usize];
            if !proc.has_next && (proc.done || !self.read_mended(place, data, index)) {
                continue;
            }
            let time = self.procs[place as usize].event.time;
            if first.is_some_and(|(earliest, ..)| earliest < time) {
                continue;
            }
            // Of those at the same time, one that waits for nothing goes first.
            let offer = (time, !self.is_ready(place), place);
            if first.is_none_or(|first| offer < first) {
                first = Some(offer);
            }
        }
        let Some((time, waits, place)) = first else { return Next::End };
        let now = time.max(self.time);
        let event = &mut self.procs[place as usize].event;
        event.time = now;
        if waits && event.kind == Kind::GO_CREATE {
            // It exists, so that this changes nothing.
            event.subject = NONE;
        }
        self.take(place);
        Next::Event
    }

    /// Reads a proc's next event that can be read; false if there is none.
    fn read_mended(&mut self, place: u32, data: &[u8], index: &Index) -> bool {
        loop {
            let proc = &self.procs[place as usize];
            let (before, batch, at) = (proc.time, proc.batch, proc.at);
            if at == proc.end && batch > 0 {
                self.note_missing(place, index);
            }
            let known = self.unreadable.len();
            if !self.read(place, data, index) {
                if self.unreadable.len() == known {
                    return false;
                }
                self.go_past(place, data, index);
                continue;
            }
            let proc = &mut self.procs[place as usize];
            let batches = index.procs.get(place as usize).map_or(&[][..], |proc| &proc.batches);
            let Some(batch_now) = proc.batch.checked_sub(1).and_then(|at| batches.get(at)) else {
                return true;
            };
            let start = batch_now.time;
            let next = batches.get(proc.batch).map(|next| next.time).filter(|&next| next >= start);
            let limit = next.map_or(index.latest, |next| next).saturating_add(SLACK);
            let limit = if next.is_none() { limit.saturating_add(LONGEST_PAUSE) } else { limit };
            if proc.time > limit || proc.time < start {
                // A step that leads there is none.
                proc.time = if proc.batch == batch { before } else { start };
                proc.event.time = proc.time;
            }
            return true;
        }
    }

    /// Goes past an event that cannot be read, if it can be told where it ends; else past the rest
    /// of its batch.
    #[cold]
    fn go_past(&mut self, place: u32, data: &[u8], index: &Index) {
        let proc = &mut self.procs[place as usize];
        proc.done = false;
        proc.has_next = false;
        let start = proc.at;
        let end = event_end(data, start).filter(|&end| end <= proc.end).unwrap_or(proc.end);
        proc.at = end;
        if end == proc.end {
            self.note_missing(place, index);
        }
        if let Some((_, _, ranges)) = self.unreadable.last_mut() {
            *ranges = std::iter::once(start..end).collect();
        }
    }

    /// At the end of a batch: what its proc ran is not known any more if a gap follows.
    fn note_missing(&mut self, place: u32, index: &Index) {
        let proc = &mut self.procs[place as usize];
        let batches = index.procs.get(place as usize).map_or(&[][..], |proc| &proc.batches);
        let ended = proc.batch.checked_sub(1).and_then(|at| batches.get(at));
        if ended.is_some_and(|batch| batch.broken) {
            proc.go = 0;
            let until = batches.get(proc.batch).map(|next| next.time);
            let missing = Missing { at: proc.end, from: proc.time, until };
            if self.missing.last().is_none_or(|last| last.at != missing.at) {
                self.missing.push(missing);
            }
        }
    }
}

/// A batch may begin a little before the last event of the one before.
const SLACK: i64 = 1 << 12;

/// Where the event ends that begins at `at`, whatever it is.
fn event_end(data: &[u8], at: usize) -> Option<usize> {
    let head = Head::of(*data.get(at)?);
    let end = if head.has_length() {
        head.extent(data, at + 1).ok()?.1
    } else {
        wire::skip(data, at + 1, head.count).ok()?
    };
    (end > at && head.kind != Kind::LOG).then_some(end)
}
