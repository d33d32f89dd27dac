//! What can be found out of an index only when everything was read.

use super::{Goroutine, Index, Part};
use crate::bins::{Bins, Loose};
use crate::moves::{Directory, Mover};
use crate::state::STATES;
use rustc_hash::FxHashMap;
use std::io;

/// A goroutine with that part of a block's moves is busy: to go through all of them for each look from
/// afar would take long.
const BUSY: usize = 8;

/// By how many levels the bins of busy goroutines are coarser than others: there are up to 1024.
const BUSY_LEVEL: u32 = 4;

/// What is found out when everything is read.
#[derive(Default)]
pub struct Settled {
    /// How many goroutines of each group were in each state when each part began.
    standing: Vec<Vec<[u32; STATES]>>,
    /// The bins of groups.
    groups: Vec<(u32, Bins)>,
    /// The bins of busy goroutines.
    busy: Vec<(u32, Bins)>,
}

impl Index {
    /// What can be found out when everything is read: goroutines belong to one group from their
    /// beginning to their end, also those whose function was found out late; and what those with many
    /// moves look like from afar is kept too. Others may look at the index meanwhile.
    pub fn settled(&self) -> io::Result<Settled> {
        let mut settled = Settled::default();
        if !self.late.is_empty() {
            settled.standing = self.standing()?;
            let groups: Vec<u32> = self.late.iter().copied().collect();
            let of = |goroutine: &Goroutine, _| goroutine.group;
            settled.groups = self.bins_of(&groups, self.level, of)?;
        }
        let many = (self.part / BUSY) as u32;
        let busy = self.goroutines.iter().zip(0..).filter(|(goroutine, _)| goroutine.moves >= many);
        let busy: Vec<u32> = busy.map(|(_, place)| place).collect();
        settled.busy = self.bins_of(&busy, self.level + BUSY_LEVEL, |_, place| place)?;
        settled.busy.sort_by_key(|busy| busy.0);
        Ok(settled)
    }

    /// Takes over what was found out.
    pub fn settle(&mut self, settled: Settled) {
        for (part, standing) in self.parts.iter_mut().zip(settled.standing) {
            part.standing = standing;
        }
        for (group, bins) in settled.groups {
            self.groups[group as usize].bins = bins;
        }
        self.busy = settled.busy;
        // Lists have room to grow, up to as much again.
        self.goroutines.shrink_to_fit();
        self.marks.shrink();
        self.marks.find_times();
        self.store.leave(self.known.bytes());
    }

    /// A part before all others, with what goroutines did when the trace began.
    pub fn settle_early(&mut self) {
        let Index { known, store, draft, .. } = self;
        let Some(bytes) = known.parts.first().map(|first| first.bytes.clone()) else { return };
        if draft.early.is_empty() {
            return;
        }
        let mut block = Vec::new();
        let places = known.goroutines.len();
        let directory = draft.writer.write(&mut draft.early, places, 0, &mut block);
        let early = Part {
            from: 0,
            bytes,
            standing: Vec::new(),
            directories: [directory, Directory::default(), Directory::default()],
            place: store.add(block),
        };
        known.parts.insert(0, early);
    }

    /// How many goroutines of each group were in each state when each part began.
    fn standing(&self) -> io::Result<Vec<Vec<[u32; STATES]>>> {
        let mut counts = vec![[0u32; STATES]; self.groups.len()];
        let mut standing = Vec::new();
        for part in &self.parts {
            standing.push(counts.clone());
            for (place, moves) in self.all_moves(part, Mover::Goroutines)? {
                let counts = &mut counts[self.goroutines[place as usize].group as usize];
                for moved in moves {
                    if let Some(from) = moved.from().index() {
                        counts[from] = counts[from].wrapping_sub(1);
                    }
                    if let Some(to) = moved.to().index() {
                        counts[to] = counts[to].wrapping_add(1);
                    }
                }
            }
        }
        Ok(standing)
    }

    /// The bins of some things to which goroutines belong, each goroutine to one: `of` says to which.
    fn bins_of(
        &self,
        wanted: &[u32],
        level: u32,
        of: impl Fn(&Goroutine, u32) -> u32,
    ) -> io::Result<Vec<(u32, Bins)>> {
        /// So many bins are made at a time: 120 bytes each.
        const AT_ONCE: usize = 1 << 18;
        let bins = (self.indexed >> level) as usize + 1;
        let mut found = Vec::with_capacity(wanted.len());
        for some in wanted.chunks((AT_ONCE / bins).max(1)) {
            let slots: FxHashMap<u32, usize> = some.iter().copied().zip(0..).collect();
            let mut sums = vec![Loose::new(level, bins); some.len()];
            for part in &self.parts {
                for (place, moves) in self.all_moves(part, Mover::Goroutines)? {
                    let Some(&slot) = slots.get(&of(&self.goroutines[place as usize], place))
                    else {
                        continue;
                    };
                    let sum = &mut sums[slot];
                    moves.for_each(|moved| sum.change(moved.time(), moved.from(), moved.to()));
                }
            }
            found.extend(some.iter().copied().zip(sums.into_iter().map(Loose::into_bins)));
        }
        Ok(found)
    }
}
