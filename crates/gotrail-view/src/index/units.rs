//! Procs and threads while they are read.

use super::{Unit, Units, WORK};
use crate::bins::Bins;
use crate::moves::{Move, NONE};
use crate::state::State;
use crate::work::Work;

impl Units {
    /// The place of the one with this id, which may be new.
    #[inline]
    pub(super) fn place(&mut self, id: i64, level: u32) -> u32 {
        let fresh = self.all.len() as u32;
        let place = *self.places.entry(id).or_insert(fresh);
        if place == fresh {
            let work = Work::new(level + WORK);
            self.all.push(Unit { id, bins: Bins::new(level), work, state: State::NONE, go: NONE });
        }
        place
    }

    #[inline]
    pub(super) fn change(
        &mut self,
        at: u32,
        time: i64,
        to: State,
        (go, whom): (u32, Option<u32>),
        log: &mut Vec<(u32, Move)>,
    ) {
        let unit = &mut self.all[at as usize];
        if (unit.state, unit.go) == (to, go) {
            return;
        }
        unit.work.change(time, whom);
        unit.bins.change(time, unit.state, to);
        log.push((at, Move::new(time, unit.state, to, 0, NONE, go)));
        (unit.state, unit.go) = (to, go);
    }
}
