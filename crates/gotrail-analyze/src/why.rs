//! Why something took its time: the chain of causes, backward from its end.
//!
//! The path begins at the end of the time asked for, on the goroutine asked for. While that
//! goroutine runs, is runnable or in a system call, the time is its own. A wait that another
//! goroutine ended is explained by what that one did meanwhile, by the same rules, and so on; where
//! the wait began, the path is the waiting goroutine's again:
//!
//! ```text
//!   A ──running──┐blocked·····································┌─runnable─┬─running──►
//!                └·········┌blocked··············┌─runnable─┬─B─running──┘
//!   B ··running············┘                     │
//!                          └·············C─syscall
//! ```
//!
//! Every moment between the two times belongs to exactly one goroutine and kind, so that the times
//! of all kinds sum up to the time asked for.
//!
//! Generations are read backward, each once, and only the moves of one are in memory
//! (`moves.rs`). A state that began in an earlier generation than the one that is looked at may have
//! to be told before it is known why; it is pending then, and named when its beginning is found.

use crate::back::Visit;
use crate::history::History;
use crate::moves::{Moves, NOTHING};
use crate::names::{Lookup, StackId, StrId};
use crate::path::{End, Kind, Kinds, Piece, Step};
use gotrail::{Error, GoId, GoState};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

/// How much is kept of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    /// How many waits of each goroutine's stretch.
    pub waits: usize,
    /// How deep: 1 is the waits of the goroutine asked for.
    pub depth: usize,
    /// How many pieces of the path: the longest.
    pub pieces: usize,
}

impl Default for Detail {
    /// Three waits, four deep, 100 pieces.
    fn default() -> Detail {
        Detail { waits: 3, depth: 4, pieces: 100 }
    }
}

/// An explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What the goroutine asked for did, with its waits.
    pub step: Step,
    /// The time of the whole path by kind, which sums up to the time asked for.
    pub total: Kinds,
    /// The same for each function that goroutines on the path began with, longest first.
    pub functions: Vec<(StrId, Kinds)>,
    /// The longest pieces of the path, in order of time.
    pub pieces: Vec<Piece>,
    /// How many pieces there are in all.
    pub piece_count: u64,
}

impl History<'_> {
    /// Explains what passed the time of a goroutine between two times.
    ///
    /// Both are limited to the trace. A goroutine that does not exist explains nothing: all of
    /// its time is [`Kind::NotExisting`].
    ///
    /// # Errors
    ///
    /// None that [`History::read`] has not shown; what cannot be read again is an error.
    pub fn why(&mut self, go: GoId, from: i64, until: i64, detail: Detail) -> Result<Why, Error> {
        let until = until.clamp(self.start(), self.end());
        let from = from.clamp(self.start(), until);
        let mut walk = Walk::new(go, from, until, detail);
        let behind = self.starts.partition_point(|&start| start <= until);
        for index in (0..behind).rev() {
            if walk.frames.is_empty() && walk.pending.is_empty() {
                break;
            }
            self.visit(&mut walk, index)?;
        }
        Ok(walk.finish(self))
    }

    fn visit(&mut self, walk: &mut Walk, index: usize) -> Result<(), Error> {
        let generation = self.trace.generation(index)?;
        let mut events = generation.events(&self.checkpoints[index]);
        let Some(first) = events.next().transpose()? else { return Ok(()) };
        let mut moves = Moves::default();
        let until = walk.until;
        let read = events.for_each_event(|event| {
            if event.time().0 <= until {
                moves.event(event);
            } else {
                moves.event_behind(event);
            }
            ControlFlow::<()>::Continue(())
        });
        // The generation in which the trace breaks counts until there.
        if self.checkpoints.len() > index + 1 {
            let _ = read?;
        }
        let start = if index == 0 { i64::MIN } else { self.starts[index] };
        let (names, lookup) = (&mut self.names, Lookup::default());
        let (functions, stops) = (&self.functions, &self.stops[..]);
        Visit { walk, moves, first, start, names, lookup, functions, stops }.go_back();
        Ok(())
    }
}

/// A goroutine on the path: the last one has the time, those before it wait.
pub(crate) struct Frame {
    /// What is known of its stretch so far.
    pub(crate) step: Step,
    /// The move that its state began with; [`NOTHING`] if that was in an earlier generation.
    pub(crate) at: u32,
    pub(crate) state: GoState,
    pub(crate) assists: bool,
    /// The path is back at a waiting frame at this time: the latest that is known.
    pub(crate) floor: i64,
    /// Which frame that is; none for the end of the path.
    pub(crate) floor_of: Option<usize>,
    /// When its wait ended, and the stack of whoever ended it.
    pub(crate) woken: Option<(i64, StackId)>,
    /// Where it waits, as its status says.
    pub(crate) stack: StackId,
}

/// The way back.
pub(crate) struct Walk {
    pub(crate) until: i64,
    pub(crate) from: i64,
    pub(crate) detail: Detail,
    /// The path has been followed back to this time.
    pub(crate) now: i64,
    pub(crate) frames: Vec<Frame>,
    pub(crate) on_path: FxHashSet<GoId>,
    /// The first frame, when the path is complete.
    pub(crate) done: Option<Step>,
    pub(crate) functions: FxHashMap<StrId, Kinds>,
    pub(crate) pieces: BinaryHeap<Reverse<(i64, Piece)>>,
    pub(crate) piece_count: u64,
    /// Goroutines whose state's beginning is not known yet, and what names it.
    pub(crate) pending: FxHashMap<GoId, u32>,
    pub(crate) named: Vec<(Kind, StackId)>,
}

impl Walk {
    fn new(go: GoId, from: i64, until: i64, detail: Detail) -> Walk {
        let frame = Frame {
            step: Step::new(go, until),
            at: NOTHING,
            // What is not said in the whole trace does not exist.
            state: GoState::NotExist,
            assists: false,
            floor: from,
            floor_of: None,
            woken: None,
            stack: StackId::EMPTY,
        };
        Walk {
            until,
            from,
            detail,
            now: until,
            frames: vec![frame],
            on_path: FxHashSet::from_iter([go]),
            done: None,
            functions: FxHashMap::default(),
            pieces: BinaryHeap::new(),
            piece_count: 0,
            pending: FxHashMap::default(),
            named: Vec::new(),
        }
    }

    /// A name for the state of a goroutine of which it is not known how it began; `usually` if it
    /// never will be.
    pub(crate) fn pend(&mut self, go: GoId, usually: (Kind, StackId)) -> Kind {
        let next = self.named.len() as u32;
        let number = *self.pending.entry(go).or_insert(next);
        if number == next {
            self.named.push(usually);
        }
        Kind::Pending(number)
    }

    /// How many waits are kept of the frame at this depth.
    pub(crate) fn keep(&self, depth: usize) -> usize {
        if depth < self.detail.depth { self.detail.waits } else { 0 }
    }

    fn resolve(&self, kind: Kind) -> Kind {
        match kind {
            Kind::Pending(number) => self.named[number as usize].0,
            kind => kind,
        }
    }

    fn resolve_step(&self, step: &mut Step, depth: usize) {
        step.own.resolve(|kind| self.resolve(kind));
        step.others.resolve(|kind| self.resolve(kind));
        step.shorten(self.keep(depth));
        for wait in &mut step.waits {
            if let Kind::Pending(number) = wait.kind {
                (wait.kind, wait.stack) = self.named[number as usize];
            }
            if let End::Goroutine { meanwhile, .. } = &mut wait.end {
                self.resolve_step(meanwhile, depth + 1);
            }
        }
    }

    fn finish(mut self, history: &History<'_>) -> Why {
        let mut step = self.done.take().unwrap_or_else(|| Step::new(GoId::NONE, self.until));
        self.resolve_step(&mut step, 0);
        let mut functions: Vec<_> = std::mem::take(&mut self.functions).into_iter().collect();
        let mut total = Kinds::default();
        for (_, kinds) in &mut functions {
            kinds.resolve(|kind| self.resolve(kind));
            total.add_all(kinds);
        }
        total.resolve(|kind| kind);
        let name = |id| history.names.string(id);
        functions
            .sort_by(|a, b| b.1.total().cmp(&a.1.total()).then_with(|| name(a.0).cmp(name(b.0))));
        let pieces = std::mem::take(&mut self.pieces).into_iter();
        let mut pieces: Vec<Piece> = pieces.map(|Reverse((_, piece))| piece).collect();
        pieces.iter_mut().for_each(|piece| piece.kind = self.resolve(piece.kind));
        pieces.sort_unstable();
        Why { step, total, functions, pieces, piece_count: self.piece_count }
    }
}
