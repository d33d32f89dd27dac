//! Lanes: the rows of the timeline, by name, and what can be seen of them in a stretch of time.

use crate::bins::{Bins, Sums};
use crate::index::{Index, Part};
use crate::labels::NO_LABEL;
use crate::marks::{OPEN, Stretch};
use crate::moves::{Move, Mover, NONE, Walk};
use crate::state::{STATES, State};
use std::io;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::thread;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// All goroutines.
    All,
    /// Those that began with one function, by the group's place.
    Group(u32),
    /// A goroutine, by id.
    Go(i64),
    /// A proc, by id.
    Proc(i64),
    /// A thread, by id.
    Thread(i64),
    /// The collector's mark phases.
    Gc,
    /// Stops of the world.
    Stops,
    /// A task, by id.
    Task(u64),
    /// The regions of a goroutine, by its id.
    Regions(i64),
}

impl FromStr for Lane {
    type Err = String;

    fn from_str(text: &str) -> Result<Lane, String> {
        let wrong = || format!("no lane is called {text:?}: see docs/api.md for their names");
        let (kind, id) = text.split_once(':').unwrap_or((text, ""));
        let signed = || id.parse::<i64>().map_err(|_| wrong());
        Ok(match (kind, id) {
            ("all", "") => Lane::All,
            ("gc", "") => Lane::Gc,
            ("stw", "") => Lane::Stops,
            ("group", id) => Lane::Group(id.parse().map_err(|_| wrong())?),
            ("go", _) => Lane::Go(signed()?),
            ("proc", _) => Lane::Proc(signed()?),
            ("thread", _) => Lane::Thread(signed()?),
            ("task", id) => Lane::Task(id.parse().map_err(|_| wrong())?),
            ("regions", _) => Lane::Regions(signed()?),
            _ => return Err(wrong()),
        })
    }
}

/// A stretch of time in one state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// When it begins.
    pub from: i64,
    /// When it ends.
    pub until: i64,
    /// The state.
    pub state: State,
    /// The reason, function or type, or [`NO_LABEL`].
    pub label: u32,
    /// The goroutine's id, or -1.
    pub go: i64,
}

/// What a lane looks like.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// There is no such lane.
    Nothing,
    /// Sums of nanoseconds in each state, by bin.
    Shares(Vec<Sums>),
    /// Every span.
    Spans(Vec<Span>),
}

/// A stretch of time in bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The length of a bin, as a power of two nanoseconds.
    pub level: u32,
    /// The number of the first bin.
    pub first: u64,
    /// How many bins there are.
    pub bins: usize,
}

impl Window {
    /// When it begins.
    pub fn from(self) -> i64 {
        (self.first << self.level) as i64
    }

    /// When it ends.
    pub fn until(self) -> i64 {
        ((self.first + self.bins as u64) << self.level) as i64
    }
}

impl Index {
    /// What a lane looks like in a window: exact spans if there are at most `most`. Fails if what
    /// was indexed cannot be read again.
    pub fn look(&self, lane: Lane, window: Window, most: usize) -> io::Result<Look> {
        Ok(self.looks(&[lane], window, most)?.pop().unwrap_or(Look::Nothing))
    }

    /// The same of several lanes, in their order. Those of groups cost together what one costs.
    pub fn looks(&self, lanes: &[Lane], window: Window, most: usize) -> io::Result<Vec<Look>> {
        let near = window.level < self.level;
        let mut sums = Sweep::default();
        let mut tracks = Vec::new();
        for &lane in lanes {
            if near {
                sums.want(lane, self.groups.len(), window);
            }
            tracks.extend(self.track(lane, window.level));
        }
        self.sweep(&mut sums, window)?;
        self.follow_all(&mut tracks, window, most)?;
        let mut tracks = tracks.into_iter();
        let look = |&lane: &Lane| {
            Ok(match lane {
                Lane::All | Lane::Group(_) if near => sums.take(lane, self.indexed),
                Lane::All => Look::Shares(read(&self.all, window)),
                Lane::Group(group) => match self.groups.get(group as usize) {
                    Some(group) => Look::Shares(read(&group.bins, window)),
                    None => Look::Nothing,
                },
                Lane::Go(_) | Lane::Proc(_) | Lane::Thread(_) => match self.place(lane) {
                    Some(_) => {
                        tracks.next().map_or(Look::Nothing, |track| self.seen(track, window))
                    }
                    None => Look::Nothing,
                },
                Lane::Gc => {
                    self.look_at_stretches(self.marks.gc.iter().rev(), State::GC, window, most)
                }
                Lane::Stops => {
                    self.look_at_stretches(self.marks.stops.iter().rev(), State::GC, window, most)
                }
                Lane::Task(id) => match self.marks.task(id) {
                    Some(task) => Look::Spans(vec![Span {
                        from: task.from.max(0),
                        until: task.until.min(self.indexed),
                        state: State::RUNNING,
                        label: task.label,
                        go: self.id(task.go),
                    }]),
                    None => Look::Nothing,
                },
                Lane::Regions(id) => match self.find(id) {
                    Some(place) => {
                        let own = self.marks.regions_of(place);
                        self.look_at_stretches(own, State::RUNNING, window, most)
                    }
                    None => Look::Nothing,
                },
            })
        };
        lanes.iter().map(look).collect()
    }

    /// The id of the goroutine at a place, or -1.
    pub fn id(&self, place: u32) -> i64 {
        self.goroutines.get(place as usize).map_or(-1, |goroutine| goroutine.id)
    }

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

    /// Whose moves a lane shows.
    fn place(&self, lane: Lane) -> Option<(u32, Mover)> {
        match lane {
            Lane::Go(id) => Some((self.find(id)?, Mover::Goroutines)),
            Lane::Proc(id) => Some((self.procs.find(id)?, Mover::Procs)),
            Lane::Thread(id) => Some((self.threads.find(id)?, Mover::Threads)),
            _ => None,
        }
    }

    /// A lane of moves, of which nothing was read yet.
    fn track(&self, lane: Lane, level: u32) -> Option<Track<'_>> {
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
        Some(Track { place, kind, bins, before: None, moves: Vec::new(), many: None, next: None })
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
    fn follow_all<'a>(
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
            // A panic is passed on by the scope.
            others.into_iter().try_for_each(|other| other.join().unwrap_or(Ok(())))
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
                track.add(moved, window, most);
                if track.many.is_some() && track.bins.is_some() {
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
    fn seen(&self, track: Track<'_>, window: Window) -> Look {
        match (track.many, track.bins) {
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

    /// Adds up what goroutines did in a window, for all that is wanted at once: whatever it is, all
    /// moves of the window's parts are gone through.
    fn sweep(&self, sums: &mut Sweep, window: Window) -> io::Result<()> {
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

    /// What stretches look like, of which the last comes first.
    fn look_at_stretches<'a>(
        &self,
        list: impl Iterator<Item = &'a Stretch>,
        state: State,
        window: Window,
        most: usize,
    ) -> Look {
        let touches = |one: &&Stretch| one.from < window.until() && one.until > window.from();
        let mut spans: Vec<Span> = list
            .filter(touches)
            .map(|stretch| Span {
                from: stretch.from,
                until: stretch.until.min(self.indexed),
                state,
                label: stretch.label,
                go: self.id(stretch.go),
            })
            .collect();
        if spans.len() <= most {
            spans.reverse();
            return Look::Spans(spans);
        }
        let mut sum = Sum::new(window);
        for span in spans {
            let from = span.from.max(window.from());
            sum.add(&Move::new(from, State::NONE, state, 0, NONE, NONE));
            if span.until < window.until() {
                sum.add(&Move::new(span.until, state, State::NONE, 0, NONE, NONE));
            }
        }
        Look::Shares(sum.finish(self.indexed))
    }

    /// The function that the goroutine with this id began with, or [`NO_LABEL`].
    pub fn function(&self, id: i64) -> u32 {
        let place = self.find(id);
        place.map_or(NO_LABEL, |place| {
            self.groups[self.goroutines[place as usize].group as usize].label
        })
    }

    /// Until when something lasts that may not have ended.
    pub fn until(&self, until: i64) -> i64 {
        if until == OPEN { self.indexed } else { until }
    }
}

fn one(state: State) -> [i32; STATES] {
    std::array::from_fn(|at| i32::from(state.index() == Some(at)))
}

fn read(bins: &Bins, window: Window) -> Vec<Sums> {
    let mut out = vec![[0.0; STATES]; window.bins];
    bins.read(window.level, window.first, &mut out);
    out
}

/// One goroutine, proc or thread in a window.
struct Track<'a> {
    place: u32,
    kind: Mover,
    /// What it looks like from afar, if that is kept and wanted.
    bins: Option<&'a Bins>,
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
    fn add(&mut self, moved: Move, window: Window, most: usize) {
        if let Some(sum) = &mut self.many {
            return sum.add(&moved);
        }
        self.moves.push(moved);
        // What was there before makes one span more.
        if self.moves.len() >= most.max(1) {
            let mut sum = Sum::new(window);
            if let Some(before) = self.before {
                sum.counts[0] = one(before.to());
            }
            self.moves.iter().for_each(|moved| sum.add(moved));
            self.many = Some(sum);
        }
    }
}

/// The sums of groups, and of all together, that are wanted of a window.
#[derive(Default)]
struct Sweep {
    all: Option<Sum>,
    /// Where the sum of each group is; [`NONE`] if nobody wants it.
    of_group: Vec<u32>,
    sums: Vec<Sum>,
}

impl Sweep {
    /// Also wants a lane, if it is one of sums; there are so many groups.
    fn want(&mut self, lane: Lane, groups: usize, window: Window) {
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

    fn is_empty(&self) -> bool {
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
    fn take(&self, lane: Lane, known: i64) -> Look {
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
struct Sum {
    window: Window,
    /// How many come to each state in each bin, more than leave it; before the first bin, how many
    /// there are.
    counts: Vec<[i32; STATES]>,
    /// Nanoseconds of the bin in which they came or left.
    partial: Vec<[i64; STATES]>,
}

impl Sum {
    fn new(window: Window) -> Sum {
        Sum {
            window,
            counts: vec![[0; STATES]; window.bins + 1],
            partial: vec![[0; STATES]; window.bins],
        }
    }

    /// A move before the window.
    fn before(&mut self, moved: &Move) {
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
    fn add(&mut self, moved: &Move) {
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
    fn finish(&self, known: i64) -> Vec<Sums> {
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
