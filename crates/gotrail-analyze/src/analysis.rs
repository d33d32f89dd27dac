//! The pass that feeds everything.

use crate::goroutines::Goroutines;
use crate::merge::Merge;
use crate::names::{Lookup, Names};
use crate::scope::Scope;
use crate::waits::Waits;
use gotrail::{Event, Fold, Kind};

/// What an analysis should find out.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Keep each region, not only what they come to.
    pub regions: bool,
    /// Which part of the trace waits are counted in; none for all of it.
    pub scope: Option<Scope>,
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
    /// Strings and stacks.
    pub names: Names,
    /// Goroutines, regions and tasks.
    pub goroutines: Goroutines,
    /// What goroutines waited for.
    pub waits: Waits,
    lookup: Lookup,
    options: Options,
}

impl Analysis {
    /// An analysis of nothing yet.
    pub fn new(options: Options) -> Analysis {
        Analysis::of_part(options, false)
    }

    fn of_part(options: Options, later: bool) -> Analysis {
        let mut names = Names::default();
        let goroutines = Goroutines::new(&mut names, options.regions, later);
        let waits = Waits::new(options.scope.clone());
        Analysis { names, goroutines, waits, lookup: Lookup::default(), options }
    }

    /// The trace has ended: what still lasts is counted until its last event.
    pub fn finish(&mut self) {
        self.goroutines.finish(&self.names, &mut self.waits);
    }
}

impl Fold for Analysis {
    fn part(&self, first: bool) -> Analysis {
        Analysis::of_part(self.options.clone(), !first)
    }

    #[inline]
    fn event(&mut self, event: &Event<'_>) {
        if event.kind() == Kind::Sync {
            self.lookup.begin();
        }
        self.goroutines.event(event, &mut self.names, &mut self.lookup, &mut self.waits);
    }

    fn merge(&mut self, later: Analysis) -> bool {
        if self.goroutines.last == 0 {
            *self = Analysis { options: self.options.clone(), ..later };
            return true;
        }
        let to = self.names.absorb(later.names);
        if self.goroutines.doubts(&later.goroutines, &to) {
            return false;
        }
        let begun = self.waits.absorb(later.waits, &to);
        let mut with = Merge { names: &self.names, to: &to, begun: &begun, waits: &mut self.waits };
        self.goroutines.absorb(later.goroutines, &mut with);
        true
    }
}
