//! Many goroutines woken at once: a broadcast, a closed channel, a released lock that all want.

use crate::names::{Renumbering, StackId};
use crate::waits::Instance;
use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;

/// Bursts of wake-ups from one place. A burst is a goroutine's wake-ups that follow each other
/// within [`Limits::gap`](crate::analysis::Limits::gap) in a generation; smaller ones than
/// [`Limits::herd`](crate::analysis::Limits::herd) are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Herd {
    /// How many bursts there were.
    pub bursts: u64,
    /// How many goroutines the largest woke.
    pub largest: u32,
    /// Who woke them, and when.
    pub worst: Instance,
}

impl Herd {
    /// Takes the larger one; of equals the one that began first.
    fn larger(&mut self, size: u32, of: Instance) {
        if size > self.largest || size == self.largest && of.from < self.worst.from {
            (self.largest, self.worst) = (size, of);
        }
    }
}

/// Bursts by the stack of whoever woke the others.
#[derive(Debug, Clone, Default)]
pub struct Herds(IndexMap<StackId, Herd, FxBuildHasher>);

impl Herds {
    /// A burst has grown to a size that counts; whether it has just reached the least.
    pub(crate) fn grown(&mut self, stack: StackId, size: u32, is_new: bool, worst: Instance) {
        let herd = self.0.entry(stack);
        let herd = herd.or_insert(Herd { bursts: 0, largest: size, worst });
        herd.bursts += u64::from(is_new);
        herd.larger(size, worst);
    }

    pub(crate) fn absorb(&mut self, later: Herds, to: &Renumbering) {
        for (stack, herd) in later.0 {
            match self.0.entry(to.stack(stack)) {
                Entry::Occupied(mut own) => {
                    own.get_mut().bursts += herd.bursts;
                    own.get_mut().larger(herd.largest, herd.worst);
                }
                Entry::Vacant(free) => {
                    free.insert(herd);
                }
            }
        }
    }

    /// Every place with its bursts.
    pub fn iter(&self) -> impl Iterator<Item = (StackId, &Herd)> {
        self.0.iter().map(|(&stack, herd)| (stack, herd))
    }
}
