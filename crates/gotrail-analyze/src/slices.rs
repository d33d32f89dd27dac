//! A trace cut into slices of equal length: what happened in each, as numbers.
//!
//! At the end of each slice the sums until then are looked at, and what has grown since the last
//! time is kept. Most places where goroutines wait see nothing in most slices, so that this is
//! little even of a trace with very many of them.

use crate::analysis::{Analysis, Options};
use crate::names::{Names, StrId};
use crate::scope::Scope;
use crate::times::Times;
use crate::waits::WaitKey;
use gotrail::{Event, Fold};
use rustc_hash::FxHashMap;

/// Nanoseconds that goroutines were running, runnable, blocked, and in system calls.
pub(crate) type States = [i64; 4];

/// What happened in a slice.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    /// Its length.
    pub(crate) seconds: f64,
    /// By the functions that goroutines began with.
    pub(crate) functions: Vec<(StrId, States)>,
    /// Waits that ended: their place in the list of keys, their number and their nanoseconds.
    pub(crate) waits: Vec<(u32, u64, i64)>,
}

/// All slices of a trace.
#[derive(Debug)]
pub struct Slices {
    pub(crate) names: Names,
    pub(crate) keys: Vec<WaitKey>,
    pub(crate) slices: Vec<Slice>,
}

/// Cuts a trace into slices while it is read.
pub struct Slicer {
    analysis: Analysis,
    scope: Option<Scope>,
    /// When the slice under way began.
    begin: i64,
    /// When slices end.
    bounds: Vec<i64>,
    slices: Vec<Slice>,
    /// The sums until the last bound.
    functions: FxHashMap<StrId, States>,
    waits: Vec<(u64, i64)>,
}

impl Slicer {
    /// For a trace between two times of its clock, in `number` slices; only what is in the scope
    /// counts.
    pub fn new(start: i64, end: i64, number: u32, scope: Option<Scope>) -> Slicer {
        let number = i64::from(number.max(1));
        let length = i128::from(end) - i128::from(start);
        let bound = |at| start + (length * i128::from(at) / i128::from(number)) as i64;
        let options = Options { only_sums: true, scope: scope.clone(), ..Options::default() };
        Slicer {
            analysis: Analysis::new(options),
            scope,
            begin: start,
            bounds: (1..=number).map(bound).collect(),
            slices: Vec::new(),
            functions: FxHashMap::default(),
            waits: Vec::new(),
        }
    }

    /// The next event.
    #[inline]
    pub fn event(&mut self, event: &Event<'_>) {
        while let Some(&bound) = self.bounds.get(self.slices.len())
            && event.time().0 > bound
        {
            self.cut(bound);
        }
        self.analysis.event(event);
    }

    /// The slices; there are none of a trace without any length.
    pub fn finish(mut self) -> Slices {
        while let Some(&bound) = self.bounds.get(self.slices.len()) {
            self.cut(bound);
        }
        let keys = self.analysis.waits.all().map(|(key, _)| *key).collect();
        self.slices.retain(|slice| slice.seconds > 0.0);
        Slices { names: self.analysis.into_names(), keys, slices: self.slices }
    }

    /// A slice ends.
    #[cold]
    fn cut(&mut self, bound: i64) {
        let mut slice = Slice { seconds: (bound - self.begin) as f64 / 1e9, ..Slice::default() };
        let mut functions = FxHashMap::<StrId, States>::default();
        for goroutine in self.analysis.goroutines.iter() {
            let times = goroutine.times_at(bound.max(goroutine.since), &self.scope);
            add(&mut functions, goroutine.name, &times);
        }
        for (_, name, past) in self.analysis.goroutines.past() {
            add(&mut functions, name, &past.times);
        }
        for (&name, &now) in &functions {
            let before = self.functions.get(&name).copied().unwrap_or_default();
            let grown = std::array::from_fn(|at| now[at] - before[at]);
            if grown != [0; 4] {
                slice.functions.push((name, grown));
            }
        }
        // A goroutine gets its name late: what it had before goes over to it.
        for (&name, &before) in &self.functions {
            if !functions.contains_key(&name) {
                slice.functions.push((name, before.map(|nanos| -nanos)));
            }
        }
        for (at, (_, sum)) in self.analysis.waits.all().enumerate() {
            if at == self.waits.len() {
                self.waits.push((0, 0));
            }
            let (count, total) = &mut self.waits[at];
            if sum.count != *count {
                slice.waits.push((at as u32, sum.count - *count, sum.total - *total));
                (*count, *total) = (sum.count, sum.total);
            }
        }
        (self.functions, self.begin) = (functions, bound);
        self.slices.push(slice);
    }
}

/// Adds times to those of a function.
fn add(functions: &mut FxHashMap<StrId, States>, name: StrId, times: &Times) {
    let syscall = times.syscall + times.syscall_blocked;
    let times = [times.running, times.runnable, times.blocked.total(), syscall];
    let sums = functions.entry(name).or_default();
    sums.iter_mut().zip(times).for_each(|(sum, time)| *sum += time);
}
