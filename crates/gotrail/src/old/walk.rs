//! The events at their true times.
//!
//! The end of a syscall is written when the goroutine runs again, and happened before. Which ones
//! these are, is known from the first merge. All others are in order already, so that two sorted
//! sequences are left to merge.

use super::OldEvents;
use super::merge::{Merge, Next};
use super::next::Event;
use super::wire::Kind;

/// The end of a syscall that happened at another time than it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moved {
    pub(super) time: i64,
    /// The number of the event.
    pub(super) number: u64,
    pub(super) go: u32,
    pub(super) at: usize,
}

/// Merges once more, with each event at its true time.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) merge: Merge,
    /// How many events were merged.
    merged: u64,
    /// The last of them, if it did not happen yet.
    ahead: Option<Event>,
    /// How many of those that were moved happened.
    moved: usize,
}

impl Walk {
    /// How many goroutines were seen so far.
    pub(super) fn goroutine_count(&self) -> usize {
        self.merge.states.len()
    }

    pub(super) fn new(events: &OldEvents) -> Walk {
        Walk { merge: Merge::new(&events.index, false), merged: 0, ahead: None, moved: 0 }
    }

    /// The next event and its number, by which marks know it.
    #[inline(always)]
    pub(super) fn next(&mut self, events: &OldEvents, data: &[u8]) -> Option<(Event, u64)> {
        while self.ahead.is_none() && self.merged < events.merged {
            let next = if events.mended {
                self.merge.next_mended(data, &events.index)
            } else {
                self.merge.next(data, &events.index)
            };
            let Next::Event = next else { break };
            let event = self.merge.event();
            self.merged += 1;
            // Those that were moved are told in their own place.
            if event.kind != Kind::SYSCALL_EXIT || !events.marks.has(self.merged - 1) {
                self.ahead = Some(*event);
            }
        }
        let number = self.merged.wrapping_sub(1);
        if let Some(moved) = events.moved.get(self.moved)
            && self.ahead.is_none_or(|ahead| (moved.time, moved.number) < (ahead.time, number))
        {
            self.moved += 1;
            let event = Event::free(Kind::SYSCALL_EXIT, moved.time, moved.go, moved.at);
            return Some((event, moved.number));
        }
        Some((self.ahead.take()?, number))
    }
}
