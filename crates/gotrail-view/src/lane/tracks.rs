//! Lanes of moves: what single goroutines, procs and threads look like in a window.

use super::sums::{Sum, one};
use super::{Colour, Lane, Look, Span, Window, read};
use crate::bins::Bins;
use crate::index::{Index, Part};
use crate::moves::{Move, Mover, NONE, Walk};
use crate::state::State;
use crate::work::{self, Work};
use std::io;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::thread;

impl Index {
    /// Whose moves a lane shows.
    pub(super) fn place(&self, lane: Lane) -> Option<(u32, Mover)> {
        match lane {
            Lane::Go(id) => Some((self.find(id)?, Mover::Goroutines)),
            Lane::Proc(id) => Some((self.procs.find(id)?, Mover::Procs)),
            Lane::Thread(id) => Some((self.threads.find(id)?, Mover::Threads)),
            _ => None,
        }
    }

    /// A lane of moves, of which nothing was read yet.
    pub(super) fn track(&self, lane: Lane, level: u32, colour: Colour) -> Option<Track<'_>> {
        let (place, kind) = self.place(lane)?;
        let bins = match kind {
            Mover::Goroutines => {
                let at = self.busy.binary_search_by_key(&place, |busy| busy.0);
                at.ok().map(|at| &self.busy[at].1)
            }
            Mover::Procs => Some(&self.procs.all[place as usize].bins),
            Mover::Threads => Some(&self.threads.all[place as usize].bins),
        };
        let bins = bins.filter(|bins| bins.level() <= level);
        let work = match (colour, kind) {
            (Colour::State, _) | (_, Mover::Goroutines) => Works::Unwanted,
            (_, Mover::Procs) => Works::of(&self.procs.all[place as usize].work, level),
            (_, Mover::Threads) => Works::of(&self.threads.all[place as usize].work, level),
        };
        let (before, next) = (None, None);
        Some(Track { place, kind, bins, work, before, moves: Vec::new(), many: None, next })
    }

    /// Shows each track that has moves in some parts these moves, part by part, so that a block is
    /// loaded once, however many look at it. A track that has seen enough breaks.
    fn each_track<'a, 'b>(
        &self,
        tracks: impl Iterator<Item = &'b mut Track<'a>>,
        parts: impl Iterator<Item = &'a Part>,
        mut show: impl FnMut(&mut Track<'a>, Walk) -> ControlFlow<()>,
    ) -> io::Result<()>
    where
        'a: 'b,
    {
        let mut tracks: Vec<_> = tracks.collect();
        for part in parts {
            if tracks.is_empty() {
                break;
            }
            let mut block = None;
            let mut failure = None;
            tracks.retain_mut(|track| {
                let Some(range) = part.moves_of(track.kind, track.place) else { return true };
                if block.is_none() {
                    match self.block(part) {
                        Ok(loaded) => block = Some(loaded),
                        Err(error) => failure = Some(error),
                    }
                }
                let Some(block) = &block else { return false };
                show(track, Walk::new(block.clone(), range, part.from)).is_continue()
            });
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Reads what tracks look like, on several threads if there are many.
    pub(super) fn follow_all<'a>(
        &'a self,
        tracks: &mut [Track<'a>],
        window: Window,
        most: usize,
    ) -> io::Result<()> {
        /// With fewer, a thread of their own is more work than they are.
        const WORTH: usize = 8;
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let each = tracks.len().div_ceil(threads).max(WORTH);
        let mut pieces = tracks.chunks_mut(each);
        let first = pieces.next();
        thread::scope(|scope| {
            let others: Vec<_> =
                pieces.map(|piece| scope.spawn(move || self.follow(piece, window, most))).collect();
            first.map_or(Ok(()), |piece| self.follow(piece, window, most))?;
            let mut others = others.into_iter();
            others.try_for_each(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })
    }

    /// Reads what tracks look like.
    fn follow<'a>(
        &'a self,
        tracks: &mut [Track<'a>],
        window: Window,
        most: usize,
    ) -> io::Result<()> {
        let (from, until) = (window.from(), window.until());
        let first = (self.part_at(from) + 1).min(self.parts.len());
        self.each_track(tracks.iter_mut(), self.parts[..first].iter().rev(), |track, moves| {
            track.before = moves.take_while(|moved| moved.time() <= from).last();
            if track.before.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        self.each_track(tracks.iter_mut(), self.parts_in(from, until).iter(), |track, moves| {
            let inside = moves.skip_while(|moved| moved.time() <= from);
            for moved in inside.take_while(|moved| moved.time() < until) {
                track.add(self, moved, window, most);
                if track.many.is_some() && track.bins.is_some() && !track.work.is_near() {
                    // What it looks like is known.
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        let last = self.part_at(until).min(self.parts.len());
        let few = tracks.iter_mut().filter(|track| track.many.is_none());
        self.each_track(few, self.parts[last..].iter(), |track, mut moves| {
            track.next = moves.find(|moved| moved.time() >= until);
            if track.next.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }

    /// What a track looks like that was read.
    pub(super) fn seen(&self, track: Track<'_>, window: Window) -> Look {
        match (track.many, track.bins) {
            (Some(_), _) if !track.work.is_unwanted() => {
                return Look::Work(self.work(&track.work, window));
            }
            (Some(_), Some(bins)) => return Look::Shares(read(bins, window)),
            (Some(sum), None) => return Look::Shares(sum.finish(self.indexed)),
            (None, _) => {}
        }
        let mut spans = Vec::new();
        let mut open = track.before;
        // A proc's or thread's moves say whose they are; a goroutine's own are its own.
        let go = |moved: Move| match track.kind {
            Mover::Goroutines => track.place,
            _ => moved.by,
        };
        for moved in track.moves {
            if let Some(open) = open {
                self.push(&mut spans, open, go(open), moved.time());
            }
            open = Some(moved);
        }
        if let Some(open) = open {
            let until = track.next.map_or(self.indexed, Move::time);
            self.push(&mut spans, open, go(open), until);
        }
        Look::Spans(spans)
    }

    /// For whom was worked.
    fn work(&self, work: &Works<'_>, window: Window) -> Vec<(u32, u32, i64)> {
        let Window { level, first, bins } = window;
        let mut found = match work {
            Works::Unwanted => Vec::new(),
            Works::Far(work) => work.read(level, first, bins, self.indexed),
            Works::Near(work) => work.read(level, first, bins, self.indexed),
        };
        // Goroutines that were told apart may be of one group.
        found.iter_mut().for_each(|entry| entry.1 = self.group_of(entry.1));
        work::add_up(&mut found);
        found
    }

    fn push(&self, spans: &mut Vec<Span>, moved: Move, go: u32, until: i64) {
        if moved.to() == State::NONE || until <= moved.time() {
            return;
        }
        spans.push(Span {
            from: moved.time(),
            until,
            state: moved.to(),
            label: self.reasons[usize::from(moved.reason())].0,
            go: self.id(go),
        });
    }
}

/// For whom a proc or thread worked in a window.
pub(super) enum Works<'a> {
    /// Nobody wants to know.
    Unwanted,
    /// It is kept.
    Far(&'a Work),
    /// It is made from moves.
    Near(Work),
}

impl<'a> Works<'a> {
    fn of(work: &'a Work, level: u32) -> Works<'a> {
        if work.level() <= level { Works::Far(work) } else { Works::Near(Work::new(level)) }
    }

    fn is_near(&self) -> bool {
        matches!(self, Works::Near(_))
    }

    fn is_unwanted(&self) -> bool {
        matches!(self, Works::Unwanted)
    }

    /// A move, in the order of time.
    fn add(&mut self, index: &Index, moved: Move, time: i64) {
        if let Works::Near(work) = self {
            let whom = Some(moved.by).filter(|by| moved.to() != State::NONE && *by != NONE);
            work.change(time, whom.map(|by| index.goroutines[by as usize].group));
        }
    }
}

/// One goroutine, proc or thread in a window.
pub(super) struct Track<'a> {
    place: u32,
    kind: Mover,
    /// What it looks like from afar, if that is kept and wanted.
    bins: Option<&'a Bins>,
    work: Works<'a>,
    /// The last move before the window.
    before: Option<Move>,
    /// Those in it, as long as there are few.
    moves: Vec<Move>,
    /// Their sum, if there are many.
    many: Option<Sum>,
    /// The first move behind the window.
    next: Option<Move>,
}

impl Track<'_> {
    /// A move in the window, of which at most `most` are shown one by one.
    fn add(&mut self, index: &Index, moved: Move, window: Window, most: usize) {
        if let Some(sum) = &mut self.many {
            self.work.add(index, moved, moved.time());
            return sum.add(&moved);
        }
        self.moves.push(moved);
        // What was there before makes one span more.
        if self.moves.len() >= most.max(1) {
            let mut sum = Sum::new(window);
            if let Some(before) = self.before {
                sum.counts[0] = one(before.to());
            }
            if let Some(before) = self.before {
                self.work.add(index, before, window.from());
            }
            for &moved in &self.moves {
                self.work.add(index, moved, moved.time());
                sum.add(&moved);
            }
            self.many = Some(sum);
        }
    }
}
