//! The way back through one generation: the rules of `why.rs`.

use crate::moves::{Move, Moves, NOTHING, What};
use crate::names::{Lookup, Names, StackId, StrId};
use crate::path::{End, Kind, Piece, Step, Wait};
use crate::why::{Frame, Walk};
use gotrail::{Event, GoId, GoState};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// A generation, and the way so far.
pub(crate) struct Visit<'a> {
    pub(crate) walk: &'a mut Walk,
    pub(crate) moves: Moves,
    /// The first event, which knows the generation's strings and stacks.
    pub(crate) first: Event<'a>,
    /// When the generation begins: what is later has all been seen.
    pub(crate) start: i64,
    pub(crate) names: &'a mut Names,
    pub(crate) lookup: Lookup,
    /// What each goroutine began with.
    pub(crate) functions: &'a FxHashMap<GoId, StrId>,
    /// When the world was stopped, in order.
    pub(crate) stops: &'a [(i64, i64)],
}

impl Visit<'_> {
    /// Follows the path back to the beginning of the generation, or to its end.
    pub(crate) fn go_back(mut self) {
        self.name_what_is_pending();
        for frame in 0..self.walk.frames.len() {
            let last = self.moves.last(self.walk.frames[frame].step.go);
            // A state that began in a later generation is known already.
            if self.walk.frames[frame].at == NOTHING && last != NOTHING {
                self.begin_at(frame, last, true);
            }
            self.set_floor(frame);
        }
        while self.piece() {}
        // Moves of this generation mean nothing in another.
        self.walk.frames.iter_mut().for_each(|frame| frame.at = NOTHING);
    }

    /// States whose beginning was not known may have begun here.
    fn name_what_is_pending(&mut self) {
        let pending: Vec<_> = self.walk.pending.iter().map(|(&go, &number)| (go, number)).collect();
        for (go, number) in pending {
            let mut at = self.moves.last(go);
            while let Some(one) = self.moves.get(at).copied().filter(|one| one.what == What::Assist)
            {
                at = one.prev;
            }
            let Some(one) = self.moves.get(at).copied() else { continue };
            if one.what == What::Step {
                self.walk.named[number as usize] = self.begun_by(&one);
            }
            if one.what == What::Step || one.from == GoState::Undetermined {
                self.walk.pending.remove(&go);
            }
        }
    }

    /// What a state is that this move began, and on which stack.
    fn begun_by(&mut self, begin: &Move) -> (Kind, StackId) {
        let kind = match begin.to {
            GoState::Waiting => Kind::Blocked(self.string(begin.reason())),
            GoState::Runnable if begin.from == GoState::Running => Kind::Preempted,
            GoState::Runnable => Kind::Runnable,
            GoState::Syscall => Kind::Syscall,
            GoState::Running => Kind::Running,
            _ => Kind::NotExisting,
        };
        (kind, self.stack(begin.stack))
    }

    fn string(&mut self, id: u64) -> StrId {
        self.lookup.string(self.names, &self.first, id)
    }

    fn stack(&mut self, id: u32) -> StackId {
        self.lookup.stack(self.names, &self.first, id.into())
    }

    /// A frame's state is the one after this move. `all` if nothing was known of it before.
    fn begin_at(&mut self, frame: usize, at: u32, all: bool) {
        let Some(begin) = self.moves.get(at).copied() else {
            self.walk.frames[frame].at = NOTHING;
            return;
        };
        let stack = if begin.only_says() { self.stack(begin.stack) } else { StackId::EMPTY };
        let frame = &mut self.walk.frames[frame];
        if all {
            (frame.state, frame.assists) = (begin.to, begin.assists);
        }
        frame.at = at;
        if begin.only_says() {
            // The state is older than the generation.
            (frame.at, frame.stack) = (NOTHING, stack);
            (frame.state, frame.assists) = (begin.to, begin.assists);
        }
    }

    /// Where the path returns from this frame to one before it.
    fn set_floor(&mut self, frame: usize) {
        let (mut floor, mut floor_of) = (self.walk.from, None);
        if let Some(before) = frame.checked_sub(1) {
            let waiting = &self.walk.frames[before];
            (floor, floor_of) = (waiting.floor, waiting.floor_of);
            if let Some(block) = self.moves.get(waiting.at)
                && block.time > floor
            {
                (floor, floor_of) = (block.time, Some(before));
            }
        }
        let frame = &mut self.walk.frames[frame];
        (frame.floor, frame.floor_of) = (floor, floor_of);
    }

    /// Goes back over one state of the goroutine that the path is at. False if there is no more
    /// in this generation.
    fn piece(&mut self) -> bool {
        let Some(top) = self.walk.frames.last() else { return false };
        let (floor, floor_of) = (top.floor, top.floor_of);
        let begin = self.moves.get(top.at).copied();
        match begin {
            None if floor < self.start => false,
            Some(begin) if begin.time > floor => {
                self.tell(begin.time);
                self.before(&begin);
                true
            }
            _ => {
                self.tell(floor);
                self.close(floor_of, floor);
                true
            }
        }
    }

    /// The path's goroutine was in its state since this time.
    fn tell(&mut self, from: i64) {
        let until = std::mem::replace(&mut self.walk.now, from);
        let last = self.walk.frames.len() - 1;
        let state = self.walk.frames[last].state;
        let (kind, stack) = match state {
            GoState::Running if self.walk.frames[last].assists => (Kind::GcAssist, StackId::EMPTY),
            GoState::Running => (Kind::Running, StackId::EMPTY),
            GoState::Syscall => (Kind::Syscall, StackId::EMPTY),
            _ => self.begun(last),
        };
        if matches!(state, GoState::Running | GoState::Runnable) {
            self.tell_stopped(from, until, kind);
        } else {
            self.tell_kind(from, until, kind);
        }
        if matches!(state, GoState::Waiting | GoState::NotExist) {
            let keep = self.walk.keep(last);
            let frame = &mut self.walk.frames[last];
            let end = if frame.woken.is_some() { End::Runtime } else { End::Nothing };
            frame.step.add(Wait { from, until, kind, stack, end }, keep);
            frame.woken = None;
        }
    }

    /// Takes out when the world was stopped.
    fn tell_stopped(&mut self, from: i64, until: i64, kind: Kind) {
        let behind = self.stops.partition_point(|stop| stop.0 < until);
        let mut left = until;
        for at in (0..behind).rev() {
            let (start, end) = self.stops[at];
            if end <= from {
                break;
            }
            let (start, end) = (start.max(from), end.min(left));
            if start < end {
                self.tell_kind(end, left, kind);
                self.tell_kind(start, end, Kind::StopTheWorld);
                left = start;
            }
        }
        self.tell_kind(from, left, kind);
    }

    fn tell_kind(&mut self, from: i64, until: i64, kind: Kind) {
        let nanos = until - from;
        if nanos == 0 {
            return;
        }
        let Some(frame) = self.walk.frames.last_mut() else { return };
        let go = frame.step.go;
        frame.step.own.add(kind, nanos);
        let function = self.functions.get(&go).copied().unwrap_or(StrId::EMPTY);
        self.walk.functions.entry(function).or_default().add(kind, nanos);
        self.walk.piece_count += 1;
        self.walk.pieces.push(Reverse((nanos, Piece { from, until, go, kind })));
        if self.walk.pieces.len() > self.walk.detail.pieces {
            self.walk.pieces.pop();
        }
    }

    /// What the state of a frame is, which may have begun in an earlier generation.
    fn begun(&mut self, frame: usize) -> (Kind, StackId) {
        let Frame { at, state, ref step, stack, .. } = self.walk.frames[frame];
        let go = step.go;
        match (self.moves.get(at).copied(), state) {
            (_, GoState::NotExist | GoState::Undetermined) => (Kind::NotExisting, StackId::EMPTY),
            (Some(begin), _) => self.begun_by(&begin),
            (None, state) => {
                let usually = match state {
                    GoState::Runnable => Kind::Runnable,
                    _ => Kind::Blocked(StrId::EMPTY),
                };
                (self.walk.pend(go, (usually, stack)), stack)
            }
        }
    }

    /// Goes on to what was before a state, now that the path is at its beginning.
    fn before(&mut self, begin: &Move) {
        let last = self.walk.frames.len() - 1;
        let frame = &mut self.walk.frames[last];
        match begin.what {
            What::Assist => frame.assists = !begin.assists,
            _ => frame.state = begin.from,
        }
        self.begin_at(last, begin.prev, false);
        if !begin.is_caused() {
            return;
        }
        let stack = self.stack(begin.stack);
        self.walk.frames[last].woken = Some((begin.time, stack));
        let cause = begin.cause();
        // Who waits wakes nobody, except in a damaged trace, where the path must end all the same.
        if cause == GoId::NONE || !self.walk.on_path.insert(cause) {
            return;
        }
        self.walk.frames.push(Frame {
            step: Step::new(cause, begin.time),
            at: NOTHING,
            // It did something just now.
            state: GoState::Running,
            assists: false,
            floor: self.walk.from,
            floor_of: None,
            woken: None,
            stack: StackId::EMPTY,
        });
        self.begin_at(last + 1, begin.by_prev, true);
        self.set_floor(last + 1);
    }

    /// The path returns to a frame, whose wait begins here, or is complete.
    fn close(&mut self, down_to: Option<usize>, time: i64) {
        while let Some(mut closed) = self.walk.frames.pop() {
            self.walk.on_path.remove(&closed.step.go);
            closed.step.from = time;
            let depth = self.walk.frames.len();
            closed.step.shorten(self.walk.keep(depth));
            let Some(waiting) = depth.checked_sub(1) else {
                self.walk.done = Some(closed.step);
                return;
            };
            let (kind, own_stack) = self.begun(waiting);
            let keep = self.walk.keep(waiting);
            let frame = &mut self.walk.frames[waiting];
            frame.step.others.add_all(&closed.step.own);
            frame.step.others.add_all(&closed.step.others);
            let (until, stack) = frame.woken.take().unwrap_or((time, StackId::EMPTY));
            let end = End::Goroutine { stack, meanwhile: Box::new(closed.step) };
            frame.step.add(Wait { from: time, until, kind, stack: own_stack, end }, keep);
            if down_to == Some(waiting) {
                // It ran until it began to wait, or was made waiting.
                if let Some(begin) = self.moves.get(frame.at).copied() {
                    self.before(&begin);
                }
                return;
            }
        }
    }
}
