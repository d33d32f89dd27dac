//! What happened to each goroutine, proc and thread in one stretch of a trace: a list of moves for
//! each, in the order of time.
//!
//! A move is kept where the state begins. What a lane was in before its first move of a stretch is
//! told by that move.

use crate::state::State;
use std::sync::Arc;

/// Nobody, or no stack.
pub const NONE: u32 = u32::MAX;

/// Something goes to another state. 16 bytes, of which a trace has millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Nanoseconds after the start in the upper 48 bits, then the state before, the state after
    /// (4 bits each), and the reason (8 bits).
    packed: u64,
    /// The stack of the event in its generation, or [`NONE`].
    pub stack: u32,
    /// The place of the goroutine that made it happen, or [`NONE`]; for a proc or thread that of
    /// the goroutine which it now has.
    pub by: u32,
}

impl Move {
    /// A move `time` nanoseconds after the start.
    #[inline(always)]
    pub fn new(time: i64, from: State, to: State, reason: u8, stack: u32, by: u32) -> Move {
        let states = u64::from(from.0) << 12 | u64::from(to.0) << 8 | u64::from(reason);
        Move { packed: (time as u64) << 16 | states, stack, by }
    }

    /// When, in nanoseconds after the start.
    #[inline(always)]
    pub fn time(self) -> i64 {
        (self.packed >> 16) as i64
    }

    /// The state before.
    #[inline(always)]
    pub fn from(self) -> State {
        State((self.packed >> 12 & 15) as u8)
    }

    /// The state after.
    #[inline(always)]
    pub fn to(self) -> State {
        State((self.packed >> 8 & 15) as u8)
    }

    /// Why, by number.
    #[inline(always)]
    pub fn reason(self) -> u8 {
        self.packed as u8
    }
}

/// The moves of one stretch, by what moves.
#[derive(Debug, Clone, Default)]
pub struct Moves {
    /// Who has any, by place, in rising order.
    keys: Vec<u32>,
    /// Where the moves of each begin, and where the last ones end.
    starts: Vec<u32>,
    all: Arc<[Move]>,
}

impl Moves {
    /// Sorts a log of moves by who moves; what is `log` is empty then.
    pub fn sort(log: &mut Vec<(u32, Move)>, places: usize) -> Moves {
        let mut ends = vec![0u32; places + 1];
        for &(key, _) in log.iter() {
            ends[key as usize + 1] += 1;
        }
        let keys: Vec<u32> = (0..places as u32).filter(|&key| ends[key as usize + 1] > 0).collect();
        for key in 0..places {
            ends[key + 1] += ends[key];
        }
        let mut starts: Vec<u32> = keys.iter().map(|&key| ends[key as usize]).collect();
        starts.push(log.len() as u32);
        let nothing = Move::new(0, State::NONE, State::NONE, 0, NONE, NONE);
        let mut all = vec![nothing; log.len()];
        for (key, moved) in log.drain(..) {
            let end = &mut ends[key as usize];
            all[*end as usize] = moved;
            *end += 1;
        }
        Moves { keys, starts, all: all.into() }
    }

    /// The moves of one.
    pub fn of(&self, key: u32) -> &[Move] {
        match self.keys.binary_search(&key) {
            Ok(at) => &self.all[self.starts[at] as usize..self.starts[at + 1] as usize],
            Err(_) => &[],
        }
    }

    /// All that have any, with their moves.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[Move])> {
        let ranges = self.starts.windows(2);
        let ranges = ranges.map(|range| &self.all[range[0] as usize..range[1] as usize]);
        self.keys.iter().copied().zip(ranges)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The bytes that they take.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.all[..]) + size_of_val(&self.keys[..]) + size_of_val(&self.starts[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_kept_by_who_moves_in_the_order_of_time() {
        let at = |time| Move::new(time, State::RUNNING, State::SYNC, 3, 8, NONE);
        let mut log = vec![(5, at(1)), (2, at(2)), (5, at(3)), (0, at(4)), (2, at(5))];
        let moves = Moves::sort(&mut log, 7);
        assert!(log.is_empty());
        let times = |key| moves.of(key).iter().map(|moved| moved.time()).collect::<Vec<_>>();
        assert_eq!(
            (times(0), times(2), times(5), times(6)),
            (vec![4], vec![2, 5], vec![1, 3], vec![])
        );
        let keys: Vec<_> = moves.iter().map(|(key, moves)| (key, moves.len())).collect();
        assert_eq!(keys, [(0, 1), (2, 2), (5, 2)]);
        let moved = at(1 << 40);
        assert_eq!(
            (moved.time(), moved.from(), moved.to()),
            (1 << 40, State::RUNNING, State::SYNC)
        );
        assert_eq!((moved.reason(), moved.stack, moved.by), (3, 8, NONE));
    }
}
