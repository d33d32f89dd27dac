//! Going through the moves of an index: of one goroutine, proc or thread, or of all at once.

use super::{Index, Part};
use crate::moves::{Move, Mover};
use std::io;

impl Index {
    /// The parts that a window touches.
    pub(crate) fn parts_in(&self, from: i64, until: i64) -> &[Part] {
        let first = self.part_at(from);
        let end = self.parts.partition_point(|part| part.from < until).max(first);
        &self.parts[first.min(end)..end]
    }

    /// The last move of one at or before a time.
    pub fn last_move(&self, place: u32, kind: Mover, time: i64) -> io::Result<Option<Move>> {
        let parts = &self.parts[..(self.part_at(time) + 1).min(self.parts.len())];
        for part in parts.iter().rev() {
            let moves = self.moves(part, kind, place)?;
            if let Some(last) = moves.take_while(|moved| moved.time() <= time).last() {
                return Ok(Some(last));
            }
        }
        Ok(None)
    }

    /// The first move of one behind a time.
    pub fn next_move(&self, place: u32, kind: Mover, time: i64) -> io::Result<Option<Move>> {
        for part in &self.parts[self.part_at(time).min(self.parts.len())..] {
            let mut moves = self.moves(part, kind, place)?;
            if let Some(next) = moves.find(|moved| moved.time() > time) {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    /// Shows the spans of all goroutines, procs or threads that are wanted in a stretch of time, cut at
    /// its ends: whose each is, the move with which it began, its ends, and whether it began and ended
    /// in it. Each block is loaded once or twice, however many are wanted.
    pub(crate) fn each_span(
        &self,
        kind: Mover,
        wanted: impl Fn(u32) -> bool,
        (from, to): (i64, i64),
        mut each: impl FnMut(u32, Move, i64, i64, bool),
    ) -> io::Result<()> {
        let places = match kind {
            Mover::Goroutines => self.goroutines.len(),
            Mover::Procs => self.procs.all.len(),
            Mover::Threads => self.threads.all.len(),
        };
        let mut open: Vec<Option<Move>> = vec![None; places];
        let alive = |place: u32| match kind {
            Mover::Goroutines => {
                let goroutine = &self.goroutines[place as usize];
                goroutine.created <= from && goroutine.ended > from
            }
            _ => true,
        };
        // What was under way: the last move of each before.
        let mut sought: Vec<bool> =
            (0..places as u32).map(|place| wanted(place) && alive(place)).collect();
        let mut left = sought.iter().filter(|sought| **sought).count();
        let before = self.parts.partition_point(|part| part.from <= from);
        for part in self.parts[..before].iter().rev() {
            if left == 0 {
                break;
            }
            if !part.has_any(kind, |place| sought[place as usize]) {
                continue;
            }
            for (place, moves) in self.all_moves(part, kind)? {
                if !sought[place as usize] {
                    continue;
                }
                if let Some(last) = moves.take_while(|moved| moved.time() <= from).last() {
                    open[place as usize] = Some(last);
                    sought[place as usize] = false;
                    left -= 1;
                }
            }
        }
        for part in self.parts_in(from, to) {
            if !part.has_any(kind, &wanted) {
                continue;
            }
            for (place, moves) in self.all_moves(part, kind)? {
                if !wanted(place) {
                    continue;
                }
                let open = &mut open[place as usize];
                for moved in moves {
                    if moved.time() >= to {
                        break;
                    }
                    if moved.time() <= from {
                        continue;
                    }
                    if let Some(begun) = open.replace(moved) {
                        let begin = begun.time().max(from);
                        each(place, begun, begin, moved.time(), begun.time() >= from);
                    }
                }
            }
        }
        let end = to.min(self.indexed);
        for (place, open) in (0u32..).zip(open) {
            if let Some(begun) = open.filter(|begun| begun.time().max(from) < end) {
                each(place, begun, begun.time().max(from), end, false);
            }
        }
        Ok(())
    }
}
