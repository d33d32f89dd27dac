//! What happened to each goroutine, proc and thread in one stretch of a trace: a list of moves for
//! each, in the order of time.
//!
//! A move is kept where the state begins. What a lane was in before its first move of a stretch is
//! told by that move. A trace has millions of moves, so that they are kept as bytes, about seven for
//! each, which are read again where somebody looks:
//!
//! ```text
//! nanoseconds since the move before (of the same one), or since the stretch began   LEB128
//! the state before in the upper four bits, the state after in the lower             1 byte
//! the reason, if the state after is one of being blocked                            1 byte
//! the stack + 1, or 0                                                               LEB128
//! who made it happen + 1, or 0                                                      LEB128
//! ```

use crate::state::State;
use gotrail::format::varint;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Nobody, or no stack.
pub const NONE: u32 = u32::MAX;

/// Something goes to another state.
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

/// Which of the three kinds of things a list of moves is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    /// Goroutines.
    Goroutines,
    /// Procs.
    Procs,
    /// Threads.
    Threads,
}

/// How many kinds there are.
pub const KINDS: usize = 3;

/// Who moves in a stretch, and where the bytes of their moves lie in its block.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Directory {
    /// Who has any, by place, in rising order.
    keys: Vec<u32>,
    /// Where the moves of each begin, and where the last ones end.
    starts: Vec<u32>,
}

impl Directory {
    /// Where the moves of one lie; nowhere if there are none.
    pub fn of(&self, key: u32) -> Option<std::ops::Range<usize>> {
        let at = self.keys.binary_search(&key).ok()?;
        Some(self.starts[at] as usize..self.starts[at + 1] as usize)
    }

    /// Who has any, in rising order.
    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// All that have any, and where their moves lie.
    pub fn iter(&self) -> impl Iterator<Item = (u32, std::ops::Range<usize>)> {
        let ranges = self.starts.windows(2).map(|range| range[0] as usize..range[1] as usize);
        self.keys.iter().copied().zip(ranges)
    }

    /// The bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.keys[..]) + size_of_val(&self.starts[..])
    }
}

/// Sorts moves by who moves, and turns them into bytes. Kept, because it has buffers.
#[derive(Default)]
pub struct Writer {
    ends: Vec<u32>,
    sorted: Vec<Move>,
}

impl Writer {
    /// Appends the moves of a stretch that begins at `from` to `block`. What is `log` is empty
    /// then. There are `places` that may have moved.
    pub fn write(
        &mut self,
        log: &mut Vec<(u32, Move)>,
        places: usize,
        from: i64,
        block: &mut Vec<u8>,
    ) -> Directory {
        let ends = &mut self.ends;
        ends.clear();
        ends.resize(places + 1, 0);
        for &(key, _) in log.iter() {
            ends[key as usize + 1] += 1;
        }
        let keys: Vec<u32> = (0..places as u32).filter(|&key| ends[key as usize + 1] > 0).collect();
        for key in 0..places {
            ends[key + 1] += ends[key];
        }
        let nothing = Move::new(0, State::NONE, State::NONE, 0, NONE, NONE);
        self.sorted.clear();
        self.sorted.resize(log.len(), nothing);
        for (key, moved) in log.drain(..) {
            let end = &mut ends[key as usize];
            self.sorted[*end as usize] = moved;
            *end += 1;
        }
        let mut starts = Vec::with_capacity(keys.len() + 1);
        let mut begin = 0;
        for &key in &keys {
            starts.push(block.len() as u32);
            // Behind the last of this one is where the next one began.
            let end = ends[key as usize] as usize;
            let mut time = from;
            for &moved in &self.sorted[begin..end] {
                moved.write(&mut time, block);
            }
            begin = end;
        }
        starts.push(block.len() as u32);
        Directory { keys, starts }
    }
}

/// A number that may be missing as one that is never.
fn some(value: u32) -> u64 {
    u64::from(value.wrapping_add(1))
}

impl Move {
    fn write(self, time: &mut i64, block: &mut Vec<u8>) {
        // A broken trace may have times that fall: the difference is right in any case.
        varint::push(block, self.time().wrapping_sub(*time) as u64);
        *time = self.time();
        block.push(self.from().0 << 4 | self.to().0);
        if self.to().is_blocked() {
            block.push(self.reason());
        }
        varint::push(block, some(self.stack));
        varint::push(block, some(self.by));
    }

    /// The next move of a list, if there is one.
    fn read(bytes: &[u8], at: &mut usize, time: &mut i64) -> Option<Move> {
        let number = |at: &mut usize| {
            let first = *bytes.get(*at)?;
            if first < 0x80 {
                *at += 1;
                return Some(u64::from(first));
            }
            let (value, len) = varint::read(&bytes[*at..]).ok()?;
            *at += len;
            Some(value)
        };
        *time = time.wrapping_add(number(at)? as i64);
        let states = *bytes.get(*at)?;
        *at += 1;
        let (from, to) = (State(states >> 4), State(states & 15));
        let mut reason = 0;
        if to.is_blocked() {
            reason = *bytes.get(*at)?;
            *at += 1;
        }
        let stack = (number(at)? as u32).wrapping_sub(1);
        let by = (number(at)? as u32).wrapping_sub(1);
        Some(Move::new(*time, from, to, reason, stack, by))
    }
}

/// Goes through the moves of one in a stretch.
#[derive(Debug, Clone)]
pub struct Walk {
    block: Option<Arc<[u8]>>,
    at: usize,
    end: usize,
    time: i64,
}

impl Walk {
    /// No moves.
    pub const NOTHING: Walk = Walk { block: None, at: 0, end: 0, time: 0 };

    /// The moves that lie there in the block of a stretch that begins at `from`.
    pub fn new(block: Arc<[u8]>, range: std::ops::Range<usize>, from: i64) -> Walk {
        let end = range.end.min(block.len());
        Walk { block: Some(block), at: range.start, end, time: from }
    }
}

impl Iterator for Walk {
    type Item = Move;

    #[inline]
    fn next(&mut self) -> Option<Move> {
        Move::read(&self.block.as_ref()?[..self.end], &mut self.at, &mut self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_kept_by_who_moves_in_the_order_of_time() {
        let at = |time, by| Move::new(time, State::RUNNING, State::SYNC, 3, 8, by);
        let woken = Move::new(70_000, State::SYNC, State::RUNNABLE, 0, NONE, 1 << 20);
        let mut log = vec![
            (5, at(1 << 40, NONE)),
            (2, at(12, 4)),
            (5, at(1 << 41, 0)),
            (0, at(4, 1)),
            (2, woken),
        ];
        let mut block = b"before".to_vec();
        let directory = Writer::default().write(&mut log, 7, 3, &mut block);
        assert!(log.is_empty());
        let block: Arc<[u8]> = block.into();
        let of = |key| {
            let range = directory.of(key);
            let walk = range.map_or(Walk::NOTHING, |range| Walk::new(block.clone(), range, 3));
            walk.collect::<Vec<_>>()
        };
        assert_eq!(of(0), [at(4, 1)]);
        assert_eq!(of(2), [at(12, 4), woken]);
        assert_eq!(of(5), [at(1 << 40, NONE), at(1 << 41, 0)]);
        assert_eq!(of(6), []);
        let keys: Vec<_> = directory.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [0, 2, 5]);
        assert_eq!((of(5)[0].reason(), of(5)[0].stack), (3, 8));
    }
}
