//! Sums of the time in each state in the bins of a window, made from moves.

use super::{Lane, Look, Window};
use crate::bins::Sums;
use crate::index::Index;
use crate::moves::{Move, Mover, NONE};
use crate::state::{STATES, State};
use std::io;

impl Index {
    /// Adds up what goroutines did in a window, for all that is wanted at once: whatever it is, all
    /// moves of the window's parts are gone through.
    pub(super) fn sweep(&self, sums: &mut Sweep, window: Window) -> io::Result<()> {
        if sums.is_empty() {
            return Ok(());
        }
        for (at, part) in self.parts_in(window.from(), window.until()).iter().enumerate() {
            if at == 0 {
                for (group, standing) in part.standing.iter().enumerate() {
                    sums.each(group as u32, |sum| {
                        for (count, standing) in sum.counts[0].iter_mut().zip(standing) {
                            *count += *standing as i32;
                        }
                    });
                }
            }
            for (place, moves) in self.all_moves(part, Mover::Goroutines)? {
                let group = self.goroutines[place as usize].group;
                if !sums.wants(group) {
                    continue;
                }
                for moved in moves {
                    if moved.time() >= window.until() {
                        break;
                    }
                    if moved.time() >= window.from() {
                        sums.each(group, |sum| sum.add(&moved));
                    } else if at == 0 {
                        sums.each(group, |sum| sum.before(&moved));
                    }
                }
            }
        }
        Ok(())
    }
}

pub(super) fn one(state: State) -> [i32; STATES] {
    std::array::from_fn(|at| i32::from(state.index() == Some(at)))
}

/// The sums of groups, and of all together, that are wanted of a window.
#[derive(Default)]
pub(super) struct Sweep {
    all: Option<Sum>,
    /// Where the sum of each group is; [`NONE`] if nobody wants it.
    of_group: Vec<u32>,
    sums: Vec<Sum>,
}

impl Sweep {
    /// Also wants a lane, if it is one of sums; there are so many groups.
    pub(super) fn want(&mut self, lane: Lane, groups: usize, window: Window) {
        match lane {
            Lane::All => self.all = Some(Sum::new(window)),
            Lane::Group(group) if (group as usize) < groups => {
                self.of_group.resize(groups, NONE);
                let at = &mut self.of_group[group as usize];
                if *at == NONE {
                    *at = self.sums.len() as u32;
                    self.sums.push(Sum::new(window));
                }
            }
            _ => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_none() && self.sums.is_empty()
    }

    fn wants(&self, group: u32) -> bool {
        self.all.is_some() || self.of_group.get(group as usize).is_some_and(|&at| at != NONE)
    }

    /// Every sum to which a group belongs.
    #[inline]
    fn each(&mut self, group: u32, mut change: impl FnMut(&mut Sum)) {
        if let Some(all) = &mut self.all {
            change(all);
        }
        let at = self.of_group.get(group as usize).copied().unwrap_or(NONE);
        if let Some(sum) = self.sums.get_mut(at as usize) {
            change(sum);
        }
    }

    /// What came of a lane; nothing is known behind `known`.
    pub(super) fn take(&self, lane: Lane, known: i64) -> Look {
        let sum = match lane {
            Lane::Group(group) => {
                let at = self.of_group.get(group as usize).copied().unwrap_or(NONE);
                self.sums.get(at as usize)
            }
            _ => self.all.as_ref(),
        };
        sum.map_or(Look::Nothing, |sum| Look::Shares(sum.finish(known)))
    }
}

/// Sums of a window, from moves in any order.
pub(super) struct Sum {
    window: Window,
    /// How many come to each state in each bin, more than leave it; before the first bin, how many
    /// there are.
    pub(super) counts: Vec<[i32; STATES]>,
    /// Nanoseconds of the bin in which they came or left.
    partial: Vec<[i64; STATES]>,
}

impl Sum {
    pub(super) fn new(window: Window) -> Sum {
        Sum {
            window,
            counts: vec![[0; STATES]; window.bins + 1],
            partial: vec![[0; STATES]; window.bins],
        }
    }

    /// A move before the window.
    pub(super) fn before(&mut self, moved: &Move) {
        self.count(0, moved);
    }

    fn count(&mut self, at: usize, moved: &Move) {
        if let Some(from) = moved.from().index() {
            self.counts[at][from] -= 1;
        }
        if let Some(to) = moved.to().index() {
            self.counts[at][to] += 1;
        }
    }

    /// A move in the window.
    pub(super) fn add(&mut self, moved: &Move) {
        let Window { level, first, bins } = self.window;
        let at = ((moved.time() >> level) as u64).saturating_sub(first) as usize;
        if at >= bins {
            return;
        }
        self.count(at + 1, moved);
        let left = (1i64 << level) - (moved.time() & ((1 << level) - 1));
        if let Some(from) = moved.from().index() {
            self.partial[at][from] -= left;
        }
        if let Some(to) = moved.to().index() {
            self.partial[at][to] += left;
        }
    }

    /// The sums; nothing is known behind `known`.
    pub(super) fn finish(&self, known: i64) -> Vec<Sums> {
        let len = 1i64 << self.window.level;
        let mut counts = [0i64; STATES];
        let mut sums = Vec::with_capacity(self.window.bins);
        for (at, partial) in self.partial.iter().enumerate() {
            for (count, change) in counts.iter_mut().zip(self.counts[at]) {
                *count += i64::from(change);
            }
            let begins = self.window.from() + at as i64 * len;
            let share = (known - begins).clamp(0, len) as f32 / len as f32;
            sums.push(std::array::from_fn(|state| {
                (counts[state] * len + partial[state]).max(0) as f32 * share
            }));
        }
        sums
    }
}
