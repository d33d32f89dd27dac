//! Lanes: the rows of the timeline, by name, and what can be seen of them in a stretch of time.

use crate::bins::Sums;
use crate::index::{Index, Part};
use crate::labels::NO_LABEL;
use crate::marks::{OPEN, Stretch};
use crate::moves::{Move, Moves, NONE};
use crate::state::{STATES, State};
use std::str::FromStr;

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

/// Which of the three kinds of moves a lane has.
type Kind = fn(&Part) -> &Moves;

impl Index {
    /// What a lane looks like in a window: exact spans if there are at most `most`.
    pub fn look(&self, lane: Lane, window: Window, most: usize) -> Look {
        match lane {
            Lane::All => Look::Shares(self.sum(None, window)),
            Lane::Group(group) if (group as usize) < self.groups.len() => {
                Look::Shares(self.sum(Some(group), window))
            }
            Lane::Go(id) => match self.find(id) {
                Some(place) => self.look_at_moves(place, |part| &part.goroutines, window, most),
                None => Look::Nothing,
            },
            Lane::Proc(id) => match self.procs.find(id) {
                Some(place)
                    if window.level >= self.level
                        && self.count(place, |part| &part.procs, window, most) > most =>
                {
                    Look::Shares(read(&self.procs.all[place as usize].bins, window))
                }
                Some(place) => self.look_at_moves(place, |part| &part.procs, window, most),
                None => Look::Nothing,
            },
            Lane::Thread(id) => match self.threads.find(id) {
                Some(place)
                    if window.level >= self.level
                        && self.count(place, |part| &part.threads, window, most) > most =>
                {
                    Look::Shares(read(&self.threads.all[place as usize].bins, window))
                }
                Some(place) => self.look_at_moves(place, |part| &part.threads, window, most),
                None => Look::Nothing,
            },
            Lane::Gc => self.look_at_stretches(&self.marks.gc, |_| true, State::GC, window, most),
            Lane::Stops => {
                self.look_at_stretches(&self.marks.stops, |_| true, State::GC, window, most)
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
                    let own = |region: &Stretch| region.go == place;
                    self.look_at_stretches(&self.marks.regions, own, State::RUNNING, window, most)
                }
                None => Look::Nothing,
            },
            Lane::Group(_) => Look::Nothing,
        }
    }

    /// The id of the goroutine at a place, or -1.
    pub fn id(&self, place: u32) -> i64 {
        self.goroutines.get(place as usize).map_or(-1, |goroutine| goroutine.id.0)
    }

    /// The parts that a window touches.
    fn parts_in(&self, from: i64, until: i64) -> &[Part] {
        let first = self.part_at(from);
        let end = self.parts.partition_point(|part| part.from < until).max(first);
        &self.parts[first.min(end)..end]
    }

    /// The last move of one at or before a time.
    pub fn last_move(&self, place: u32, kind: Kind, time: i64) -> Option<Move> {
        let parts = &self.parts[..(self.part_at(time) + 1).min(self.parts.len())];
        parts.iter().rev().find_map(|part| {
            let moves = kind(part).of(place);
            let after = moves.partition_point(|moved| moved.time() <= time);
            after.checked_sub(1).map(|at| moves[at])
        })
    }

    /// The first move of one behind a time.
    pub fn next_move(&self, place: u32, kind: Kind, time: i64) -> Option<Move> {
        self.parts[self.part_at(time).min(self.parts.len())..].iter().find_map(|part| {
            let moves = kind(part).of(place);
            moves.get(moves.partition_point(|moved| moved.time() <= time)).copied()
        })
    }

    /// How many moves one makes in a window; at least more than `most`, if there are more.
    fn count(&self, place: u32, kind: Kind, window: Window, most: usize) -> usize {
        let mut count = 0;
        for part in self.parts_in(window.from(), window.until()) {
            count += within(kind(part).of(place), window).len();
            if count > most {
                break;
            }
        }
        count
    }

    /// What the moves of one look like.
    fn look_at_moves(&self, place: u32, kind: Kind, window: Window, most: usize) -> Look {
        let parts = self.parts_in(window.from(), window.until());
        let moves = parts.iter().flat_map(|part| within(kind(part).of(place), window));
        let before = self.last_move(place, kind, window.from());
        if self.count(place, kind, window, most) >= most {
            let mut bins = Sum::new(window);
            if let Some(before) = before {
                bins.counts[0] = one(before.to());
            }
            moves.for_each(|moved| bins.add(moved));
            return Look::Shares(bins.finish(self.indexed));
        }
        let mut spans = Vec::new();
        let mut open = before;
        for moved in moves {
            if let Some(open) = open {
                self.push(&mut spans, open, moved.time());
            }
            open = Some(*moved);
        }
        if let Some(open) = open {
            let next = self.next_move(place, kind, open.time());
            self.push(&mut spans, open, next.map_or(self.indexed, Move::time));
        }
        Look::Spans(spans)
    }

    fn push(&self, spans: &mut Vec<Span>, moved: Move, until: i64) {
        if moved.to() == State::NONE || until <= moved.time() {
            return;
        }
        spans.push(Span {
            from: moved.time(),
            until,
            state: moved.to(),
            label: self.reasons[usize::from(moved.reason())].0,
            go: self.id(moved.by),
        });
    }

    /// What goroutines did together: all, or those of a group.
    fn sum(&self, group: Option<u32>, window: Window) -> Vec<Sums> {
        if window.level >= self.level {
            let bins = group.map_or(&self.all, |group| &self.groups[group as usize].bins);
            return read(bins, window);
        }
        let mut sum = Sum::new(window);
        let parts = self.parts_in(window.from(), window.until());
        for (at, part) in parts.iter().enumerate() {
            if at == 0 {
                for (place, standing) in part.standing.iter().enumerate() {
                    if group.is_none_or(|group| group as usize == place) {
                        for (count, standing) in sum.counts[0].iter_mut().zip(standing) {
                            *count += *standing as i32;
                        }
                    }
                }
            }
            for (place, moves) in part.goroutines.iter() {
                let own = self.goroutines[place as usize].group;
                if group.is_none_or(|group| group == own) {
                    let early = moves.partition_point(|moved| moved.time() < window.from());
                    if at == 0 {
                        moves[..early].iter().for_each(|moved| sum.before(moved));
                    }
                    for moved in &moves[early..] {
                        if moved.time() >= window.until() {
                            break;
                        }
                        sum.add(moved);
                    }
                }
            }
        }
        sum.finish(self.indexed)
    }

    fn look_at_stretches(
        &self,
        list: &[Stretch],
        wanted: impl Fn(&Stretch) -> bool,
        state: State,
        window: Window,
        most: usize,
    ) -> Look {
        let end = list.partition_point(|stretch| stretch.from < window.until());
        let touches = |stretch: &&Stretch| stretch.until > window.from() && wanted(stretch);
        let spans = list[..end].iter().filter(touches).map(|stretch| Span {
            from: stretch.from,
            until: stretch.until.min(self.indexed),
            state,
            label: stretch.label,
            go: self.id(stretch.go),
        });
        if spans.clone().take(most + 1).count() <= most {
            return Look::Spans(spans.collect());
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

fn within(moves: &[Move], window: Window) -> &[Move] {
    let from = moves.partition_point(|moved| moved.time() <= window.from());
    let until = moves.partition_point(|moved| moved.time() < window.until());
    &moves[from.min(until)..until]
}

fn read(bins: &crate::bins::Bins, window: Window) -> Vec<Sums> {
    let mut out = vec![[0.0; STATES]; window.bins];
    bins.read(window.level, window.first, &mut out);
    out
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
    fn finish(self, known: i64) -> Vec<Sums> {
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
