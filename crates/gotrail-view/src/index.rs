//! The index of a trace: what the timeline needs to know of it, made in one pass over its events.

use crate::bins::Bins;
use crate::labels::{Labels, NO_LABEL};
use crate::marks::Marks;
use crate::moves::{Directory, KINDS, Mover, Walk};
use crate::state::{STATES, State};
use crate::store::{Place, Store};
use crate::work::{OTHERS, Work};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

mod annotations;
mod functions;
mod settle;
mod take;
mod units;
mod walk;

pub use annotations::OpenBins;
pub use settle::Settled;
use take::Draft;

/// The most bins of a lane that are kept.
const BINS: i64 = 1 << 14;

/// By how many levels the bins of work are coarser.
pub(crate) const WORK: u32 = 2;

/// The bit that tells places of goroutines from groups.
const PLACE: u32 = 1 << 31;

/// Everything that is known of a trace so far, and the moves.
pub struct Index {
    /// What is known besides the moves.
    pub known: Known,
    /// The moves.
    pub store: Store,
    draft: Draft,
    part: usize,
    /// The groups of goroutines whose function was found out late: the one they were in before and
    /// the one they are in.
    late: FxHashSet<u32>,
}

/// What is known of a trace so far, except the moves.
#[derive(Serialize, Deserialize)]
pub struct Known {
    /// The first event's time on the trace's clock.
    pub start: Option<i64>,
    /// How long the trace is, as far as its structure tells.
    pub duration: i64,
    /// Up to here everything is known.
    pub indexed: i64,
    /// Whether that is all.
    pub done: bool,
    /// What ended the pass early.
    pub error: Option<String>,
    /// What could not be read: when, and what.
    pub lost: Vec<(i64, i64, String)>,
    /// The wall-clock time of the start, in nanoseconds since 1970.
    pub wall: Option<i64>,
    /// How many events there were.
    pub events: u64,
    /// The length of a kept bin, as a power of two nanoseconds.
    pub level: u32,
    /// All texts.
    pub labels: Labels,
    /// The functions in stacks of moves.
    pub functions: Labels,
    /// The reasons of blocks by their number in a [`Move`](crate::moves::Move): their label and state.
    pub reasons: Vec<(u32, State)>,
    /// Goroutines, in the order of their first mention.
    pub goroutines: Vec<Goroutine>,
    #[serde(skip)]
    places: FxHashMap<i64, u32>,
    /// Goroutines by the function that they began with.
    pub groups: Vec<Group>,
    #[serde(skip)]
    group_places: FxHashMap<u32, u32>,
    /// Procs.
    pub procs: Units,
    /// Threads.
    pub threads: Units,
    /// All goroutines together.
    pub all: Bins,
    /// What goroutines with many moves look like from afar, by place.
    pub busy: Vec<(u32, Bins)>,
    /// How many tasks and regions are open, from afar.
    pub open: OpenBins,
    /// Everything else.
    pub marks: Marks,
    /// Stretches of time, one after the other.
    pub parts: Vec<Part>,
}

impl Deref for Index {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

impl DerefMut for Index {
    fn deref_mut(&mut self) -> &mut Known {
        &mut self.known
    }
}

/// A goroutine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Goroutine {
    /// Its id.
    pub id: i64,
    /// Its group's place.
    pub group: u32,
    /// Who created it, by place, or [`NONE`](crate::moves::NONE).
    pub creator: u32,
    /// When it was created, or first mentioned.
    pub created: i64,
    /// When it ended, or [`OPEN`](crate::marks::OPEN).
    pub ended: i64,
    /// Nanoseconds in each state, up to the last change.
    pub times: [i64; STATES],
    /// The state since the last change.
    pub state: State,
    /// When that was.
    pub since: i64,
    thread: u32,
    /// How often its state has changed.
    moves: u32,
}

/// The goroutines that began with one function.
#[derive(Serialize, Deserialize)]
pub struct Group {
    /// The function.
    pub label: u32,
    /// Its goroutines by place.
    pub members: Vec<u32>,
    /// What they did, from afar.
    pub bins: Bins,
    /// How many are in each state now.
    standing: [u32; STATES],
}

/// Procs, or threads.
#[derive(Default, Serialize, Deserialize)]
pub struct Units {
    /// In the order of their first mention.
    pub all: Vec<Unit>,
    #[serde(skip)]
    places: FxHashMap<i64, u32>,
}

/// A proc or thread.
#[derive(Serialize, Deserialize)]
pub struct Unit {
    /// Its id.
    pub id: i64,
    /// What it did, from afar.
    pub bins: Bins,
    /// For whom, by what [`Known::group_of`] says.
    pub work: Work,
    state: State,
    go: u32,
}

/// A stretch of time within one generation, and who moved in it.
#[derive(Serialize, Deserialize)]
pub struct Part {
    /// When it begins.
    pub from: i64,
    /// Where its generation lies in the trace.
    pub bytes: Range<u64>,
    /// How many goroutines of each group were in each state when it began.
    pub standing: Vec<[u32; STATES]>,
    /// Who moved, by kind.
    directories: [Directory; KINDS],
    /// Where their moves are.
    place: Place,
}

impl Index {
    /// The index of a trace that is so long, of which nothing was read yet. After `part` moves of
    /// goroutines a new part begins.
    pub fn new(duration: i64, store: Store, part: usize) -> Index {
        let mut level = 10;
        while duration >> level > BINS {
            level += 1;
        }
        let mut known = Known {
            start: None,
            duration,
            indexed: 0,
            done: false,
            error: None,
            lost: Vec::new(),
            wall: None,
            events: 0,
            level,
            labels: Labels::default(),
            functions: Labels::default(),
            reasons: vec![(NO_LABEL, State::OTHER)],
            goroutines: Vec::new(),
            places: FxHashMap::default(),
            groups: Vec::new(),
            group_places: FxHashMap::default(),
            procs: Units::default(),
            threads: Units::default(),
            all: Bins::new(level),
            busy: Vec::new(),
            open: OpenBins::new(level),
            marks: Marks::default(),
            parts: Vec::new(),
        };
        // Those of which no function is known.
        known.group(NO_LABEL);
        Index { known, store, draft: Draft::default(), part, late: FxHashSet::default() }
    }

    /// An index that was kept, with its moves in `store`.
    pub fn kept(mut known: Known, store: Store) -> Index {
        known.find_places();
        store.leave(known.bytes());
        Index { known, store, draft: Draft::default(), part: 0, late: FxHashSet::default() }
    }

    /// Up to where moves can be asked for.
    pub fn known_until(&self) -> i64 {
        if self.done { i64::MAX } else { self.draft.from }
    }

    /// The part that a time falls into.
    pub fn part_at(&self, time: i64) -> usize {
        self.parts.partition_point(|part| part.from <= time).saturating_sub(1)
    }

    /// The moves of one in a part.
    pub fn moves(&self, part: &Part, kind: Mover, key: u32) -> io::Result<Walk> {
        match part.moves_of(kind, key) {
            Some(range) => Ok(Walk::new(self.block(part)?, range, part.from)),
            None => Ok(Walk::NOTHING),
        }
    }

    /// The block of a part's moves.
    pub fn block(&self, part: &Part) -> io::Result<Arc<[u8]>> {
        self.store.load(part.place)
    }

    /// The moves of all that have any in a part.
    pub fn all_moves<'a>(
        &self,
        part: &'a Part,
        kind: Mover,
    ) -> io::Result<impl Iterator<Item = (u32, Walk)> + 'a> {
        let block = self.block(part)?;
        let from = part.from;
        let walk = move |(key, range)| (key, Walk::new(block.clone(), range, from));
        Ok(part.directories[kind as usize].iter().map(walk))
    }
}

impl Known {
    /// The place of the goroutine with this id.
    pub fn find(&self, id: i64) -> Option<u32> {
        self.places.get(&id).copied()
    }

    /// The group of whom a proc or thread worked for, as it is noted: of a goroutine whose function was
    /// not known then by its place.
    pub fn group_of(&self, whom: u32) -> u32 {
        match whom {
            OTHERS => OTHERS,
            whom if whom & PLACE == 0 => whom,
            whom => self
                .goroutines
                .get((whom ^ PLACE) as usize)
                .map_or(OTHERS, |goroutine| goroutine.group),
        }
    }

    /// What is noted of the goroutine at a place.
    pub(crate) fn whom(&self, place: u32) -> u32 {
        match self.goroutines[place as usize].group {
            0 => place | PLACE,
            group => group,
        }
    }

    /// Where the blocks of all parts are.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.parts.iter().map(|part| part.place)
    }

    /// About how many bytes it takes in memory.
    pub fn bytes(&self) -> u64 {
        /// An entry of a hash map that is three quarters full, on average.
        const ENTRY: usize = 24;
        fn list<T>(list: &Vec<T>) -> usize {
            list.capacity() * size_of::<T>()
        }
        let groups = self.groups.iter().map(|group| list(&group.members) + group.bins.bytes());
        let units = self
            .procs
            .all
            .iter()
            .chain(&self.threads.all)
            .map(|unit| unit.bins.bytes() + unit.work.bytes());
        let parts = self.parts.iter().map(|part| {
            let directories = part.directories.iter().map(Directory::bytes).sum::<usize>();
            size_of::<Part>() + list(&part.standing) + directories
        });
        let busy = self.busy.iter().map(|busy| busy.1.bytes());
        let all = groups.sum::<usize>()
            + units.sum::<usize>()
            + parts.sum::<usize>()
            + busy.sum::<usize>()
            + list(&self.goroutines)
            + self.places.capacity() * ENTRY
            + self.labels.bytes()
            + self.functions.bytes()
            + self.open.bytes()
            + self.marks.bytes();
        all as u64
    }

    /// Makes what can be found out from the rest.
    fn find_places(&mut self) {
        let goroutines = self.goroutines.iter().enumerate();
        self.places = goroutines.map(|(at, goroutine)| (goroutine.id, at as u32)).collect();
        let groups = self.groups.iter().enumerate();
        self.group_places = groups.map(|(at, group)| (group.label, at as u32)).collect();
        self.procs.find_places();
        self.threads.find_places();
        self.labels.find_numbers();
        self.functions.find_numbers();
        self.open.find_places();
        self.marks.find_places();
    }
}

impl Part {
    /// Where the moves of one lie in the block.
    pub fn moves_of(&self, kind: Mover, key: u32) -> Option<Range<usize>> {
        self.directories[kind as usize].of(key)
    }

    /// Whether any of those have moves here.
    pub fn has_any(&self, kind: Mover, wanted: impl Fn(u32) -> bool) -> bool {
        self.directories[kind as usize].keys().iter().any(|&key| wanted(key))
    }
}

impl Units {
    fn find_places(&mut self) {
        let all = self.all.iter().enumerate();
        self.places = all.map(|(at, unit)| (unit.id, at as u32)).collect();
    }

    /// The place of the one with this id.
    pub fn find(&self, id: i64) -> Option<u32> {
        self.places.get(&id).copied()
    }
}
