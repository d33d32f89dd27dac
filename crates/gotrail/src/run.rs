//! One generation's events put in order, to be taken one by one or delivered all at once.

use crate::deliver::{Delivery, Tally};
use crate::error::Error;
use crate::event::{Event, Ordered};
use crate::fold::Fold;
use crate::generation::Generation;
use crate::merge::{Merge, Progress};
use crate::order::{Names, Sink, State};
use crate::report::{Loss, Report};
use std::ops::ControlFlow;

/// The state of ordering one generation.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    merge: Merge,
    queue: Queue,
    /// How far the run came before a tolerant reader began again: what was delivered already.
    before: Option<Progress>,
}

/// The finished events of one step, to be taken one by one: at most three.
#[derive(Debug, Clone)]
struct Queue {
    events: [Ordered; 3],
    len: usize,
    taken: usize,
}

impl Queue {
    const EMPTY: Queue = Queue { events: [Ordered::EMPTY; 3], len: 0, taken: 0 };

    /// The next event, if there is one.
    #[inline(always)]
    fn take(&mut self) -> Option<Ordered> {
        if self.taken == self.len {
            (self.taken, self.len) = (0, 0);
            return None;
        }
        self.taken += 1;
        Some(self.events[self.taken - 1])
    }

    fn is_empty(&self) -> bool {
        self.taken == self.len
    }
}

impl Sink for Queue {
    #[inline(always)]
    fn emit(&mut self, event: Ordered) {
        self.events[self.len] = event;
        self.len += 1;
    }

    #[inline(always)]
    fn emit_known(&mut self, event: Ordered) {
        self.emit(event);
    }

    #[inline(always)]
    fn deliver(&mut self, event: Ordered) {
        self.emit(event);
    }

    #[inline(always)]
    fn commit(&mut self) -> Result<(), Error> {
        Ok(())
    }

    #[inline(always)]
    fn has_room(&self) -> bool {
        false
    }
}

/// The same function without the value that it breaks with, which goes to `broken`.
pub(crate) fn valueless<B>(
    mut each: impl FnMut(&Event<'_>) -> ControlFlow<B>,
    broken: &mut Option<B>,
) -> impl FnMut(&Event<'_>) -> ControlFlow<()> {
    move |event| match each(event) {
        ControlFlow::Continue(()) => ControlFlow::Continue(()),
        ControlFlow::Break(value) => {
            *broken = Some(value);
            ControlFlow::Break(())
        }
    }
}

/// What is shown events.
pub(crate) trait Look {
    /// The next event. Breaks if it is enough.
    fn look(&mut self, event: &Event<'_>) -> ControlFlow<()>;

    /// The same for an event in a stretch, where it pays that it is in registers.
    fn look_in_stretch(&mut self, event: &Event<'_>) -> ControlFlow<()>;
}

impl<F: FnMut(&Event<'_>) -> ControlFlow<()>> Look for F {
    #[inline]
    fn look(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self(event)
    }

    #[inline]
    fn look_in_stretch(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self(event)
    }
}

/// A fold that is shown events.
pub(crate) struct Folding<'a, F>(pub(crate) &'a mut F);

impl<F: Fold> Look for Folding<'_, F> {
    #[inline(never)]
    fn look(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self.0.event(event);
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn look_in_stretch(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self.0.event(event);
        ControlFlow::Continue(())
    }
}

/// Delivers events and shows them.
struct Show<'a, F> {
    /// Events that were not shown yet.
    queue: &'a mut Queue,
    delivery: &'a mut Delivery,
    generation: &'a Generation<'a>,
    names: &'a Names,
    each: &'a mut F,
    /// Whether `each` wants more.
    flow: ControlFlow<()>,
}

impl<F: Look> Sink for Show<'_, F> {
    #[inline(always)]
    fn emit(&mut self, event: Ordered) {
        self.queue.emit(event);
    }

    #[inline(always)]
    fn emit_known(&mut self, event: Ordered) {
        self.emit(event);
    }

    #[inline(always)]
    fn deliver(&mut self, mut event: Ordered) {
        self.delivery.deliver_known(&mut event);
        let Show { generation, names, .. } = *self;
        self.flow = self.each.look_in_stretch(&Event { raw: event, generation, names });
    }

    #[inline]
    fn commit(&mut self) -> Result<(), Error> {
        while self.has_room()
            && let Some(mut raw) = self.queue.take()
        {
            self.delivery.deliver(&mut raw, self.generation)?;
            let Show { generation, names, .. } = *self;
            self.flow = self.each.look(&Event { raw, generation, names });
        }
        Ok(())
    }

    #[inline(always)]
    fn has_room(&self) -> bool {
        self.flow.is_continue()
    }

    #[inline(always)]
    fn has_room_for_turn(&self) -> bool {
        self.has_room() && self.delivery.goes_on()
    }
}

impl Run {
    pub(crate) fn new(lenient: bool) -> Run {
        Run { merge: Merge::new(lenient), queue: Queue::EMPTY, before: None }
    }

    /// Begins with the events of `generation`.
    pub(crate) fn start(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
    ) -> Result<(), Error> {
        state.begin_generation(generation.number);
        self.start_speculative(generation)?;
        if self.has_threads() {
            state.note_first_event(generation.number);
        }
        Ok(())
    }

    /// Begins with the events of `generation`, for a state that is in it already.
    pub(crate) fn start_speculative(&mut self, generation: &Generation<'_>) -> Result<(), Error> {
        self.queue = Queue::EMPTY;
        self.before = None;
        self.merge.start(generation)
    }

    /// The next event in order, or none at the end of the generation.
    #[inline]
    pub(crate) fn next(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
    ) -> Result<Option<Ordered>, Error> {
        loop {
            if let Some(event) = self.queue.take() {
                return Ok(Some(event));
            }
            if !self.merge.step(generation, state, &mut self.queue)? {
                return Ok(None);
            }
            if let Some(before) = &self.before
                && self.merge.repeats(before)
            {
                self.queue = Queue::EMPTY;
            }
        }
    }

    /// Begins with the same generation again from another state, leaving out the events that were
    /// delivered already. False if this was done before.
    #[cold]
    pub(crate) fn start_again(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
    ) -> Result<bool, Error> {
        if self.before.is_some() {
            return Ok(false);
        }
        let before = self.merge.progress();
        if let Some(dropped) = &mut self.merge.dropped {
            // All of it will be found again.
            *dropped = Report::default();
        }
        self.start(generation, state)?;
        self.before = Some(before);
        Ok(true)
    }

    /// Delivers all events that are left of the generation.
    // Not inlined: what surrounds it must not take registers from the loop.
    #[inline(never)]
    pub(crate) fn drive(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
        delivery: &mut Delivery,
    ) -> Result<(), Error> {
        while let Some(mut event) = self.queue.take() {
            delivery.deliver(&mut event, generation)?;
        }
        while self.before.is_some() {
            let Some(mut event) = self.next(generation, state)? else { return Ok(()) };
            delivery.deliver(&mut event, generation)?;
        }
        let mut tally = Tally::new(delivery.clone(), generation);
        let result = loop {
            match self.merge.step(generation, state, &mut tally) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        *delivery = tally.delivery;
        result
    }

    /// Delivers all events that are left of the generation, and shows them to `each` until it
    /// breaks, or [`Delivery::until`] is reached: from the same state always the same ones. What was
    /// not shown then comes next.
    // Not inlined: what surrounds it must not take registers from the loop.
    #[inline(never)]
    pub(crate) fn show(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
        delivery: &mut Delivery,
        each: &mut impl Look,
    ) -> Result<ControlFlow<()>, Error> {
        let names = state.shared_names();
        while self.before.is_some() {
            let Some(mut raw) = self.next(generation, state)? else {
                return Ok(ControlFlow::Continue(()));
            };
            delivery.deliver(&mut raw, generation)?;
            if each.look(&Event { raw, generation, names: &names }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let queue = &mut self.queue;
        let mut show = Show {
            queue,
            delivery,
            generation,
            names: &names,
            each,
            flow: ControlFlow::Continue(()),
        };
        show.commit()?;
        while show.has_room_for_turn() && self.merge.step(generation, state, &mut show)? {}
        Ok(show.flow)
    }

    /// How many goroutines are known from the events so far of a trace before Go 1.22.
    pub(crate) fn old_goroutine_count(&self) -> usize {
        self.merge.old_goroutine_count()
    }

    /// Whether any thread has events left.
    pub(crate) fn has_threads(&self) -> bool {
        self.merge.has_threads()
    }

    /// Whether no batch that was begun has a number that is too large.
    pub(crate) fn is_flawless(&self) -> bool {
        self.merge.is_flawless()
    }

    /// Whether all events were taken.
    #[inline]
    pub(crate) fn is_done(&self, generation: &Generation<'_>) -> bool {
        self.queue.is_empty() && self.merge.is_done(generation)
    }

    /// Everything that was not put in order, for the report of a tolerant reader.
    pub(crate) fn lost(&self, error: &Error, generation: &Generation<'_>) -> Loss {
        self.merge.lost(error, generation)
    }

    /// What a tolerant reader dropped.
    pub(crate) fn dropped(&mut self) -> Option<&mut Report> {
        self.merge.dropped.as_mut()
    }
}
