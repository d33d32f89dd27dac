//! Many goroutines woken at once: a broadcast, a closed channel, a released lock that all want.

use crate::names::{Renumbering, StackId};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// Bursts of wake-ups from one place. A burst is a goroutine's wake-ups that follow each other
/// within [`BURST_GAP`](crate::goroutines::BURST_GAP) in a generation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Herd {
    /// How many bursts woke at least 2 to the power of the index.
    sizes: [u64; 32],
}

impl Herd {
    /// How many bursts woke at least so many goroutines: a power of two, at least
    /// [`Herds::SMALLEST`].
    pub fn at_least(&self, size: u32) -> u64 {
        self.sizes[size.max(1).ilog2() as usize]
    }

    /// The largest power of two that any burst came to.
    pub fn largest(&self) -> u32 {
        let last = self.sizes.iter().rposition(|&number| number > 0);
        last.map_or(0, |power| 1 << power)
    }
}

/// Bursts by the stack of whoever woke the others.
#[derive(Debug, Clone, Default)]
pub struct Herds(IndexMap<StackId, Herd, FxBuildHasher>);

impl Herds {
    /// Smaller bursts are not counted.
    pub const SMALLEST: u32 = 8;

    /// A burst has grown to a power of two.
    pub(crate) fn grown(&mut self, stack: StackId, size: u32) {
        self.0.entry(stack).or_default().sizes[size.ilog2() as usize] += 1;
    }

    pub(crate) fn absorb(&mut self, later: Herds, to: &Renumbering) {
        for (stack, herd) in later.0 {
            let own = self.0.entry(to.stack(stack)).or_default();
            own.sizes.iter_mut().zip(herd.sizes).for_each(|(own, more)| *own += more);
        }
    }

    /// Every place with its bursts.
    pub fn iter(&self) -> impl Iterator<Item = (StackId, &Herd)> {
        self.0.iter().map(|(&stack, herd)| (stack, herd))
    }
}
