//! The pass that feeds everything.

use crate::gc::Gc;
use crate::goroutines::Goroutines;
use crate::groups::Groups;
use crate::herds::Herds;
use crate::logs::Logs;
use crate::merge::Merge;
use crate::names::{Lookup, Names, StackId, StrId};
use crate::procs::Procs;
use crate::samples::Samples;
use crate::scope::Scope;
use crate::waits::Waits;
use gotrail::{ClockSnapshot, Details, Event, Fold, Generation};
use std::ops::Deref;
use std::sync::Arc;

/// What an analysis should find out.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Keep each region, not only those that ended with their goroutine.
    pub regions: bool,
    /// What procs did over time.
    pub procs: bool,
    /// When goroutines ran and where, in the table of waits.
    pub running: bool,
    /// Leave out how the durations of waits are distributed, which profiles do not need.
    pub only_sums: bool,
    /// How the durations of waits are distributed for each stack, not only for each reason.
    pub waits_by_stack: bool,
    /// CPU samples.
    pub samples: bool,
    /// Keep each log message, not only how many a task has.
    pub logs: bool,
    /// Which part of the trace counts; none for all of it.
    pub scope: Option<Scope>,
    /// What waits and samples are told apart by.
    pub groups: Option<Arc<Groups>>,
    /// What counts as short, long or many.
    pub limits: Limits,
}

/// What counts as short, long or many while a trace is read: only sums are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A run shorter than this, in nanoseconds, hardly did more than to look whether there is work.
    pub run: i64,
    /// A system call that holds its proc for so many nanoseconds keeps others from it.
    pub held: i64,
    /// Wake-ups at most so many nanoseconds apart are one burst.
    pub gap: i64,
    /// A burst of so many wake-ups is one of many.
    pub herd: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { run: 10_000, held: 1_000_000, gap: 2_000, herd: 64 }
    }
}

/// What a trace comes to.
///
/// ```
/// use gotrail_analyze::Analysis;
///
/// # let trace = gotrail::Trace::from_bytes(gotrail::doc_trace())?;
/// let mut analysis = Analysis::new(Default::default());
/// let mut reader = trace.reader(gotrail::Mode::Strict)?;
/// reader.fold_parallel(2, &mut analysis, |_| {})?;
/// analysis.finish();
/// assert_eq!(analysis.goroutines.iter().len(), 1);
/// # Ok::<(), gotrail::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Goroutines, regions and tasks.
    pub goroutines: Goroutines,
    /// Everything else; an analysis stands for it.
    found: Found,
    options: Options,
    start: i64,
    clock: Option<ClockSnapshot>,
}

/// What an analysis finds out besides goroutines.
#[derive(Debug, Clone)]
pub struct Found {
    /// Strings and stacks.
    pub names: Names,
    pub(crate) lookup: Lookup,
    /// What goroutines waited for.
    pub waits: Waits,
    /// What procs did, if that was asked for.
    pub procs: Option<Procs>,
    /// What the garbage collector did.
    pub gc: Gc,
    /// Many goroutines woken at once.
    pub herds: Herds,
    /// CPU samples, if they were asked for.
    pub samples: Option<Samples>,
    /// Log messages, if they were asked for.
    pub logs: Option<Logs>,
}

impl Found {
    /// The number of the string with this id in the event's generation.
    #[inline]
    pub(crate) fn string(&mut self, event: &Event<'_>, id: u64) -> StrId {
        self.lookup.string(&mut self.names, event, id)
    }

    /// The number of the stack with this id in the event's generation.
    #[inline]
    pub(crate) fn stack(&mut self, event: &Event<'_>, id: u64) -> StackId {
        self.lookup.stack(&mut self.names, event, id)
    }
}

impl Deref for Analysis {
    type Target = Found;

    fn deref(&self) -> &Found {
        &self.found
    }
}

impl Analysis {
    /// An analysis of nothing yet.
    pub fn new(options: Options) -> Analysis {
        Analysis::of_part(options, false)
    }

    fn of_part(options: Options, later: bool) -> Analysis {
        let mut names = Names::default();
        let goroutines = Goroutines::new(&mut names, &options, later);
        let waits = Waits::new(&options);
        let lookup = Lookup::default();
        let procs = options.procs.then(|| Procs::new(options.scope.as_ref()));
        let (scope, groups) = (options.scope.clone(), options.groups.clone());
        let found = Found {
            names,
            lookup,
            waits,
            procs,
            gc: Gc::default(),
            herds: Herds::default(),
            samples: options.samples.then(|| Samples::new(scope, groups)),
            logs: options.logs.then(Logs::default),
        };
        Analysis { goroutines, found, options, start: 0, clock: None }
    }

    /// When the trace begins: the time of its first event.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// When its last event was.
    pub fn end(&self) -> i64 {
        self.goroutines.last
    }

    /// The clocks at the start; traces have this from format 1.25 on.
    pub fn clock(&self) -> Option<ClockSnapshot> {
        self.clock
    }

    /// Which part of the trace counts.
    pub fn scope(&self) -> Option<&Scope> {
        self.options.scope.as_ref()
    }

    /// Only the strings and stacks.
    pub(crate) fn into_names(self) -> Names {
        self.found.names
    }

    /// Whether waits and samples are told apart by groups.
    pub(crate) fn has_groups(&self) -> bool {
        self.options.groups.is_some()
    }

    /// The trace has ended: what still lasts is counted until its last event.
    pub fn finish(&mut self) {
        self.goroutines.finish(&self.found.names, &mut self.found.waits);
        if let Some(procs) = &mut self.found.procs {
            procs.finish(self.goroutines.last);
        }
    }
}

impl Analysis {
    /// An event that is not among the commonest, or not as simple.
    #[inline(never)]
    fn any(&mut self, event: &Event<'_>) {
        if event.wire_type().is_none() {
            // A sync: it is not on the wire.
            self.generation_begins(event);
        }
        if self.goroutines.later && self.goroutines.too_many {
            // Its memory is given back, and the merge will be refused.
            if !self.goroutines.list.is_empty() {
                let mut empty = Analysis::of_part(self.options.clone(), true);
                empty.goroutines.too_many = true;
                *self = empty;
            }
            return;
        }
        self.goroutines.any(event, &mut self.found);
    }

    #[cold]
    fn generation_begins(&mut self, event: &Event<'_>) {
        self.found.lookup.begin();
        self.found.waits.forget_places();
        if let Some(procs) = &mut self.found.procs {
            procs.sync(event.time().0, event.format_version().has_generations());
        }
        if self.start == 0 {
            self.start = event.time().0;
            if let Details::Sync(sync) = event.details() {
                self.clock = sync.clock;
            }
        }
    }
}

impl Fold for Analysis {
    fn part(&mut self, first: bool) -> Analysis {
        let mut part = Analysis::of_part(self.options.clone(), !first);
        if !first {
            part.found.procs = self.found.procs.as_mut().map(Procs::later);
            part.found.gc = self.found.gc.later();
            part.goroutines.list = std::mem::take(&mut self.goroutines.spare);
        }
        part
    }

    // What surrounds it has the event in registers, and knows more of it.
    #[inline(always)]
    fn event(&mut self, event: &Event<'_>) {
        self.goroutines.last = event.time().0;
        if !self.goroutines.quick(event, &mut self.found) {
            // A copy, so that only here the event has to be in memory.
            let event = *event;
            self.any(&event);
        }
    }

    fn goes_apart(&self) -> bool {
        !self.goroutines.too_many
    }

    fn generation_ends(&mut self, _: &Generation<'_>) {
        if let Some(procs) = &mut self.found.procs {
            procs.generation_ends(self.goroutines.last);
        }
    }

    fn merge(&mut self, later: Analysis) -> bool {
        if later.goroutines.too_many {
            self.goroutines.too_many = true;
            return false;
        }
        if self.goroutines.last == 0 {
            *self = Analysis { options: self.options.clone(), ..later };
            return true;
        }
        let (found, other) = (&mut self.found, later.found);
        let to = found.names.absorb(other.names);
        let assist = found.names.string_id(b"GC mark assist");
        let workers = found.gc.workers.iter().filter(|go| !other.gc.known.contains(go));
        let workers: Vec<_> = workers.copied().collect();
        if self.goroutines.doubts(&later.goroutines, &to, assist, &workers)
            || found.procs.as_ref().zip(other.procs.as_ref()).is_some_and(|(a, b)| a.doubts(b))
        {
            return false;
        }
        if let (Some(procs), Some(later)) = (&mut found.procs, other.procs) {
            procs.absorb(later);
        }
        found.gc.absorb(other.gc, &to);
        found.herds.absorb(other.herds, &to);
        if let (Some(samples), Some(later)) = (&mut found.samples, other.samples) {
            samples.absorb(later, &to);
        }
        if let (Some(logs), Some(later)) = (&mut found.logs, other.logs) {
            logs.absorb(later, &to);
        }
        let begun = found.waits.absorb(other.waits, &to);
        let mut with =
            Merge { names: &found.names, to: &to, begun: &begun, waits: &mut found.waits };
        self.goroutines.absorb(later.goroutines, &mut with);
        true
    }
}
