//! Lanes: the rows of the timeline, by name, and what can be seen of them in a stretch of time.

use crate::bins::{Bins, Sums};
use crate::index::Index;
use crate::labels::NO_LABEL;
use crate::marks::{OPEN, Stretch};
use crate::moves::{Move, NONE};
use crate::state::{STATES, State};
use std::io;
use std::str::FromStr;

mod open;
mod sums;
mod tracks;

use sums::{Sum, Sweep};

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
    /// All tasks.
    Tasks,
    /// All regions.
    AllRegions,
    /// The regions of one name, by its label.
    Named(u32),
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
            ("tasks", "") => Lane::Tasks,
            ("regions", "") => Lane::AllRegions,
            ("regions", _) => Lane::Regions(signed()?),
            ("region", _) => Lane::Named(id.parse().map_err(|_| wrong())?),
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
    /// For whom a proc or thread worked: the bin, the group, nanoseconds.
    Work(Vec<(u32, u32, i64)>),
}

/// What lanes of procs and threads show where not every span is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// How long they were in each state.
    State,
    /// For which groups they worked.
    Function,
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
        Ok(self.looks(&[lane], window, most, Colour::State)?.pop().unwrap_or(Look::Nothing))
    }

    /// The same of several lanes, in their order. Those of groups cost together what one costs.
    pub fn looks(
        &self,
        lanes: &[Lane],
        window: Window,
        most: usize,
        colour: Colour,
    ) -> io::Result<Vec<Look>> {
        let near = window.level < self.level;
        let mut sums = Sweep::default();
        let mut tracks = Vec::new();
        for &lane in lanes {
            if near {
                sums.want(lane, self.groups.len(), window);
            }
            tracks.extend(self.track(lane, window.level, colour));
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
                Lane::Tasks | Lane::AllRegions | Lane::Named(_) => self.open(lane, window, most),
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

fn read(bins: &Bins, window: Window) -> Vec<Sums> {
    let mut out = vec![[0.0; STATES]; window.bins];
    bins.read(window.level, window.first, &mut out);
    out
}
