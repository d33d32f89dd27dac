//! Small numbers for ids, in the order in which they are first met.
//!
//! Ids below the length of the trace are looked up in a list, others in a hash table: so memory
//! follows the trace, whatever its ids are.

use rustc_hash::FxHashMap;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    near: Vec<u32>,
    far: FxHashMap<u64, u32>,
    limit: u64,
    /// The ids, by slot.
    pub(super) ids: Vec<u64>,
}

impl Slots {
    /// Slots for ids that a trace of so many bytes names.
    pub(super) fn new(bytes: usize) -> Slots {
        Slots { limit: bytes as u64, ..Slots::default() }
    }

    /// The slot of an id, which gets one if it has none.
    #[inline(always)]
    pub(super) fn of(&mut self, id: u64) -> u32 {
        match self.near.get(id as usize) {
            Some(&slot) if slot != NONE => slot,
            _ => self.of_any(id),
        }
    }

    /// The slot of an id, or [`NONE`] if it has none or it takes longer to find.
    #[inline(always)]
    pub(super) fn near(&self, id: u64) -> u32 {
        self.near.get(id as usize).copied().unwrap_or(NONE)
    }

    #[inline(never)]
    fn of_any(&mut self, id: u64) -> u32 {
        let fresh = self.ids.len() as u32;
        let slot = if id < self.limit {
            if self.near.len() <= id as usize {
                self.near.resize(id as usize + 1, NONE);
            }
            let slot = &mut self.near[id as usize];
            if *slot == NONE {
                *slot = fresh;
            }
            *slot
        } else {
            *self.far.entry(id).or_insert(fresh)
        };
        if slot == fresh {
            self.ids.push(id);
        }
        slot
    }
}
