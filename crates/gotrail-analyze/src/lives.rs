//! Earlier lives of ids that are used again: threads of C that call Go have one goroutine id after
//! the other, and the same one more than once.
//!
//! The table of goroutines holds the last life of each id, as the tracer's own summaries do. The
//! lives before it are as many as there were calls, so that only their sums are kept.

use crate::goroutine::Goroutine;
use crate::goroutines::Goroutines;
use crate::names::{Renumbering, StrId};
use crate::times::Times;
use gotrail::GoId;

/// What all earlier lives of an id that began with the same function come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// How many there were.
    pub lives: u64,
    /// How long they were in which state.
    pub times: Times,
}

impl Goroutines {
    /// What lives came to whose ids were used again, with their id and function. Of those in the
    /// scope, where there is one.
    pub fn past(&self) -> impl Iterator<Item = (GoId, StrId, &Past)> {
        self.past.iter().map(|(&(id, name), past)| (id, name, past))
    }

    /// The slot of a new goroutine; the life of one that had the same id before is over.
    pub(crate) fn add(&mut self, goroutine: Goroutine) -> usize {
        if let Some(slot) = self.slot(goroutine.id) {
            let began = goroutine.created;
            self.unheld.remove(&goroutine.id);
            let before = std::mem::replace(&mut self.list[slot], goroutine);
            self.is_over(before, began);
            return slot;
        }
        let slot = self.list.len();
        self.slots.insert(goroutine.id.0, slot);
        self.list.push(goroutine);
        slot
    }

    /// A goroutine whose id another has from this time on.
    fn is_over(&mut self, before: Goroutine, time: i64) {
        if before.head.is_some() {
            // Only an earlier fold knows what it was in the middle of.
            self.over.push(before);
            return;
        }
        // One that did not end before its id was used again had its end lost.
        let end = if before.ended == 0 { time } else { before.ended };
        let scope = self.scope.as_ref();
        if scope.is_some_and(|scope| !scope.meets(before.created, end)) {
            return;
        }
        let times = if before.settled { before.times } else { before.times_at(time, &self.scope) };
        let past = self.past.entry((before.id, before.name)).or_default();
        past.lives += 1;
        past.times.add(&times);
    }

    /// All goroutines of a later fold that it found in the middle of something.
    pub(crate) fn found(&self) -> impl Iterator<Item = &Goroutine> {
        self.over.iter().chain(&self.list).filter(|goroutine| goroutine.head.is_some())
    }

    /// Adds the sums of a later fold.
    pub(crate) fn absorb_past(&mut self, later: &mut Goroutines, to: &Renumbering) {
        for ((id, name), mut past) in std::mem::take(&mut later.past) {
            past.times.renumber(to);
            let sum = self.past.entry((id, to.string(name))).or_default();
            sum.lives += past.lives;
            sum.times.add(&past.times);
        }
    }
}
