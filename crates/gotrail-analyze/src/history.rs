//! One ordered pass after which a trace can be read backward.
//!
//! What is kept grows with generations, goroutines and stops of the world, not with events: the
//! state before each generation, the function of each goroutine, and when the world was stopped.

use crate::names::{Lookup, Names, StrId};
use gotrail::{
    Checkpoint, ClockSnapshot, Details, Error, Event, GoId, GoState, Kind, Mode, RangeName, Time,
    Trace,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::ControlFlow;

/// A trace that was read once, so that its generations can be read again in any order.
pub struct History<'t> {
    /// The trace.
    pub trace: &'t Trace,
    /// Strings and stacks that were asked for.
    pub names: Names,
    /// What stopped the pass before the end of the trace: nothing is known of what comes after.
    pub error: Option<Error>,
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// The time of each generation's first event.
    pub(crate) starts: Vec<i64>,
    /// When the world was stopped, in order.
    pub(crate) stops: Vec<(i64, i64)>,
    pub(crate) functions: FxHashMap<GoId, StrId>,
    end: i64,
    clock: Option<ClockSnapshot>,
}

impl<'t> History<'t> {
    /// Reads the trace, and shows every event to `each` on the way.
    ///
    /// A broken trace counts until its first error, see [`History::error`].
    ///
    /// # Errors
    ///
    /// If the trace is broken before its first event.
    pub fn read(trace: &'t Trace, mut each: impl FnMut(&Event<'_>)) -> Result<History<'t>, Error> {
        let mut history = History {
            trace,
            names: Names::default(),
            error: None,
            checkpoints: Vec::new(),
            starts: Vec::new(),
            stops: Vec::new(),
            functions: FxHashMap::default(),
            end: 0,
            clock: None,
        };
        let mut pass = Pass::default();
        let mut before = Checkpoint::start();
        for index in 0..trace.generations().len() {
            match history.generation(&mut pass, index, before, &mut each) {
                Ok(Some(after)) => before = after,
                Ok(None) => break,
                Err(error) => {
                    history.error = Some(error);
                    break;
                }
            }
        }
        let read = trace.generations().last().map_or(0, |last| last.bytes.end);
        if history.error.is_none() && read < trace.bytes().len() as u64 && !trace.is_tolerant() {
            // What is damaged is not in the list of generations: only a reader says why.
            history.error = trace.reader(Mode::Strict)?.drain().err();
        }
        if history.starts.is_empty()
            && let Some(error) = history.error.take()
        {
            return Err(error);
        }
        if let Some(start) = pass.stopped {
            history.stops.push((start, history.end));
        }
        Ok(history)
    }

    /// Reads a generation, and returns the state behind it.
    fn generation(
        &mut self,
        pass: &mut Pass,
        index: usize,
        before: Checkpoint,
        each: &mut impl FnMut(&Event<'_>),
    ) -> Result<Option<Checkpoint>, Error> {
        let generation = self.trace.generation(index)?;
        let mut events = generation.events(&before);
        let first = events.next().transpose()?;
        let Some(first) = first else { return Ok(None) };
        if self.starts.is_empty()
            && let Details::Sync(sync) = first.details()
        {
            self.clock = sync.clock;
        }
        pass.lookup.begin();
        self.starts.push(first.time().0);
        self.end = first.time().0;
        each(&first);
        let shown = events.for_each_event(|event| {
            self.event(pass, event);
            each(event);
            ControlFlow::<()>::Continue(())
        });
        let after = events.into_checkpoint();
        self.checkpoints.push(before);
        let _ = shown?;
        Ok(after)
    }

    #[inline]
    fn event(&mut self, pass: &mut Pass, event: &Event<'_>) {
        self.end = event.time().0;
        if let Some(step) = event.go_step() {
            let is_new = matches!(step.from, GoState::NotExist | GoState::Undetermined);
            if step.stack != 0 && (is_new || pass.nameless.contains(&step.go)) {
                let stack = pass.lookup.stack(&mut self.names, event, step.stack);
                self.functions.insert(step.go, self.names.root(stack));
                pass.nameless.remove(&step.go);
            } else if is_new {
                self.functions.insert(step.go, StrId::EMPTY);
                pass.nameless.insert(step.go);
            }
        } else if matches!(event.kind(), Kind::RangeBegin | Kind::RangeEnd)
            && let Details::Range(range) = event.details()
            && let RangeName::StopTheWorld(_) = range.name
        {
            if event.kind() == Kind::RangeBegin {
                pass.stopped = Some(self.end);
            } else {
                let start = pass.stopped.take().unwrap_or(self.start());
                self.stops.push((start, self.end));
            }
        }
    }

    /// When the trace begins: the time of its first event.
    pub fn start(&self) -> i64 {
        self.starts.first().copied().unwrap_or(0)
    }

    /// When its last event was.
    pub fn end(&self) -> i64 {
        self.end
    }

    /// The clocks at the start; traces have this from format 1.25 on.
    pub fn clock(&self) -> Option<ClockSnapshot> {
        self.clock
    }

    /// The function that a goroutine began with, empty if it is not known; none if there is no
    /// such goroutine.
    pub fn function(&self, go: GoId) -> Option<StrId> {
        self.functions.get(&go).copied()
    }

    /// All goroutines, in no order.
    pub fn goroutines(&self) -> impl ExactSizeIterator<Item = GoId> {
        self.functions.keys().copied()
    }

    /// The wall-clock time of a moment, in nanoseconds since 1970 in UTC.
    pub fn wall(&self, time: i64) -> Option<i128> {
        self.clock.map(|clock| clock.wall_at(Time(time)))
    }
}

/// What the pass needs only while it lasts.
#[derive(Default)]
struct Pass {
    lookup: Lookup,
    /// Goroutines whose function no stack has said yet.
    nameless: FxHashSet<GoId>,
    /// Since when the world is stopped.
    stopped: Option<i64>,
}
