//! The events of a single generation, from a checkpoint before or within it.

use crate::checkpoint::{Checkpoint, Within};
use crate::deliver::Delivery;
use crate::error::Error;
use crate::event::{Event, Ordered};
use crate::generation::Generation;
use crate::order::{Names, State};
use crate::reader;
use crate::run::{self, Run};
use std::ops::ControlFlow;

/// The events of one generation in order, its sync first, or those behind a checkpoint. Ends after
/// the first error.
pub struct Events<'a> {
    generation: &'a Generation<'a>,
    names: &'a Names,
    state: State,
    run: Run,
    delivery: Delivery,
    syncs: u64,
    phase: Phase,
}

#[derive(PartialEq)]
enum Phase {
    Start,
    Inside,
    Done,
}

impl Generation<'_> {
    /// No event before the generation is later than this.
    fn latest_before(&self) -> i64 {
        if self.old.is_some() { reader::start_of(self.version) } else { i64::MAX }
    }

    /// Puts the events in order, given the state before them: exactly what the full pass gives,
    /// in any order of generations and on any thread. From a checkpoint within the generation on,
    /// if that is where it lies.
    ///
    /// # Panics
    ///
    /// If the checkpoint lies within another generation. One of another trace whose generation takes
    /// the same bytes cannot be told from a right one: its events mean nothing, and may panic, too.
    pub fn events<'a>(&'a self, from: &'a Checkpoint) -> Events<'a> {
        let (run, delivery, phase) = match from.within.as_deref() {
            Some(Within { bytes, run, delivery }) => {
                assert_eq!(*bytes, self.byte_range(), "a checkpoint within another generation");
                (run.clone(), delivery.clone(), Phase::Inside)
            }
            None => {
                let lenient = self.old.as_ref().is_some_and(|old| old.is_lenient());
                let last_time = from.last_time.min(self.latest_before());
                let delivery =
                    Delivery { last_time, delivered: from.events, ..Delivery::new(lenient) };
                (Run::new(lenient), delivery, Phase::Start)
            }
        };
        let names = from.state.names();
        let (state, syncs) = (from.state.clone(), from.syncs);
        Events { generation: self, names, state, run, delivery, syncs, phase }
    }
}

impl<'a> Events<'a> {
    /// Those before the next checkpoint.
    pub(crate) fn until(mut self, next: &Checkpoint) -> Events<'a> {
        self.delivery.until = next.events;
        self
    }

    /// The state after all events, to go on with the next generation; none before that.
    pub fn into_checkpoint(mut self) -> Option<Checkpoint> {
        if self.phase == Phase::Start || !self.run.is_done(self.generation) {
            return None;
        }
        self.state.end_generation(self.generation);
        let Delivery { last_time, delivered: events, .. } = self.delivery;
        let (state, syncs) = (self.state, self.syncs);
        Some(Checkpoint { state, last_time, syncs, events, within: None })
    }

    /// Shows all events that are left to `each`, until it breaks: faster than one by one.
    ///
    /// After a break the next one is the event behind the last that was shown.
    pub fn for_each_event<B>(
        &mut self,
        each: impl FnMut(&Event<'_>) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, Error> {
        let mut broken = None;
        let result = self.show(&mut run::valueless(each, &mut broken));
        result.map_err(|error| {
            self.phase = Phase::Done;
            error.with_event(self.delivery.delivered)
        })?;
        Ok(broken.map_or(ControlFlow::Continue(()), ControlFlow::Break))
    }

    fn show(&mut self, each: &mut impl FnMut(&Event<'_>) -> ControlFlow<()>) -> Result<(), Error> {
        let (generation, names) = (self.generation, self.names);
        if self.phase == Phase::Start
            && let Some(raw) = self.next_ordered()?
            && each(&Event { raw, generation, names }).is_break()
        {
            return Ok(());
        }
        if self.phase == Phase::Inside && self.delivery.goes_on() {
            let _ = self.run.show(generation, &mut self.state, &mut self.delivery, each)?;
        }
        Ok(())
    }

    fn next_ordered(&mut self) -> Result<Option<Ordered>, Error> {
        if !self.delivery.goes_on() {
            return Ok(None);
        }
        let mut event = match self.phase {
            Phase::Start => {
                self.run.start(self.generation, &mut self.state)?;
                self.phase = Phase::Inside;
                self.syncs += 1;
                Ordered::sync(self.generation.start().0, self.syncs)
            }
            Phase::Inside => match self.run.next(self.generation, &mut self.state)? {
                Some(event) => event,
                None => return Ok(None),
            },
            Phase::Done => return Ok(None),
        };
        self.delivery.deliver(&mut event, self.generation)?;
        Ok(Some(event))
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (generation, names) = (self.generation, self.names);
        match self.next_ordered() {
            Ok(raw) => Some(Ok(Event { raw: raw?, generation, names })),
            Err(error) => {
                self.phase = Phase::Done;
                Some(Err(error.with_event(self.delivery.delivered)))
            }
        }
    }
}
