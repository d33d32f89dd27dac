//! All generations of a trace at once, with the result of reading them one after the other.
//!
//! ```text
//!   collector ──► generations ──► workers: each in order, from nothing ──► confirmed one by one
//! ```
//!
//! Generations are cut off the input in sequence and put in order speculatively, on as many
//! threads as wanted. In sequence again, each result is compared with the state that its
//! generation really begins with (`order/speculate.rs`). One that is not confirmed is thrown away
//! and its generation read again in the ordinary way, so that events, errors and places are those
//! of a sequential read.
//!
//! What looks at the events looks at several short generations, one after the other, before it is
//! merged: to begin anew and to merge take time that does not depend on how long they are. Then
//! either all of them are confirmed, or none.

use crate::collect::Next;
use crate::cursor;
use crate::deliver::Delivery;
use crate::error::Error;
use crate::event::{Event, Ordered};
use crate::fold::Fold;
use crate::generation::Generation;
use crate::order::State;
use crate::reader::{Mode, Reader};
use crate::run::{Folding, Run};
use rustc_hash::FxHashSet;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};

/// Neighbouring generations to be put in order, each for itself, and shown to one fold.
struct Job<'t, F> {
    pieces: Vec<Piece<'t>>,
    /// The time of the last event before them, if all went well.
    before: i64,
    fold: F,
    reply: Sender<Done<'t, F>>,
}

/// A generation of a job.
struct Piece<'t> {
    generation: Box<Generation<'t>>,
    /// Its index, if speculation makes sense.
    index: Option<u32>,
    guess: Option<Guess>,
}

/// Generations that were put in order, if that was possible.
struct Done<'t, F> {
    pieces: Vec<Piece<'t>>,
    /// What looked at the events, if it saw all of them, and after which time they had to rise.
    fold: Option<F>,
    before: i64,
}

/// What a speculative run came to.
struct Guess {
    state: State,
    events: u64,
    last_time: i64,
    /// Whether any thread has events: CPU samples alone do not begin a trace.
    begins: bool,
}

/// What was handed out so far.
struct HandedOut<'t> {
    /// The numbers of generations: sequence numbers tell these apart by them.
    numbers: FxHashSet<u64>,
    /// The time of the last event in it, if all goes well.
    until: i64,
    /// What comes instead of one more generation.
    end: Option<Next<'t>>,
}

impl HandedOut<'_> {
    fn new(until: i64) -> Self {
        HandedOut { numbers: FxHashSet::default(), until, end: None }
    }
}

/// The most bytes that make a job of several generations: enough for what is done once for each job
/// not to matter.
const MOST: u64 = 4 << 20;

/// The same where nobody knows how much is still to come.
const SOME: u64 = 1 << 20;

impl Reader<'_> {
    /// Reads all events that are left, on several threads, and returns how many there were.
    ///
    /// The same as [`Reader::drain`], errors included. At most `threads` + 2 generations are held
    /// at a time. A tolerant reader, or one that has begun, uses one thread. `progress` is told
    /// [`Reader::bytes_read`] now and then.
    ///
    /// ```
    /// # let trace = gotrail::Trace::from_bytes(gotrail::doc_trace())?;
    /// let events = trace.reader(gotrail::Mode::Strict)?.drain_parallel(2, |_| {})?;
    /// assert_eq!(events, trace.reader(gotrail::Mode::Strict)?.drain()?);
    /// # Ok::<(), gotrail::Error>(())
    /// ```
    pub fn drain_parallel(
        &mut self,
        threads: usize,
        progress: impl FnMut(u64),
    ) -> Result<u64, Error> {
        self.fold_parallel(threads, &mut (), progress)
    }

    /// Shows all events that are left to `fold`, on several threads, and returns how many there
    /// were.
    ///
    /// Generations, or a few short ones in a row, are folded for themselves and merged in sequence,
    /// so that the result does not depend on the number of threads. These few, 4 MiB at most, are
    /// held like one generation. After an error the fold has seen the generations before it, and of
    /// its own generation what a sequential reader delivers. Otherwise as
    /// [`Reader::drain_parallel`].
    pub fn fold_parallel<F: Fold>(
        &mut self,
        threads: usize,
        fold: &mut F,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, Error> {
        let before = self.events_delivered();
        let one = !self.version().has_generations();
        if threads < 2 || one || self.mode() == Mode::Tolerant || before > 0 {
            while self.fold_generation(fold)? {
                progress(self.bytes_read());
            }
            return Ok(self.events_delivered() - before);
        }
        let (jobs, queue) = mpsc::channel::<Job<'_, F>>();
        let queue = Mutex::new(queue);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| work(&queue));
            }
            let end = self.settle_all(threads, &jobs, fold, &mut progress);
            // Without senders the workers end.
            drop(jobs);
            self.enter_folding(end?, fold)?;
            while self.fold_generation(fold)? {}
            Ok::<(), Error>(())
        })?;
        Ok(self.events_delivered())
    }
}

impl<'t> Reader<'t> {
    /// Hands generations out and settles them in sequence, until the trace ends.
    fn settle_all<F: Fold>(
        &mut self,
        threads: usize,
        jobs: &Sender<Job<'t, F>>,
        fold: &mut F,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Next<'t>, Error> {
        let mut pending = VecDeque::<Receiver<Done<'t, F>>>::new();
        let mut handed_out = HandedOut::new(self.last_time());
        loop {
            while handed_out.end.is_none() && pending.len() <= threads {
                pending.extend(self.hand_out(threads, &mut handed_out, jobs, fold));
            }
            let Some(done) = pending.pop_front() else { break };
            let Ok(done) = done.recv() else {
                unreachable!("a worker answers every job or panics, and panics are passed on");
            };
            // Whoever has done it should not have to wait for the merge. Where there is none to speak
            // of, the generation rather goes before another one comes.
            if F::LOOKS && handed_out.end.is_none() {
                pending.extend(self.hand_out(threads, &mut handed_out, jobs, fold));
            }
            self.settle(done, fold)?;
            progress(self.bytes_read());
        }
        Ok(handed_out.end.unwrap_or(Next::End))
    }

    /// Hands the next job out, if there is one, and returns where its result will be.
    fn hand_out<F: Fold>(
        &mut self,
        threads: usize,
        so_far: &mut HandedOut<'t>,
        jobs: &Sender<Job<'t, F>>,
        fold: &mut F,
    ) -> Option<Receiver<Done<'t, F>>> {
        let first = so_far.numbers.is_empty();
        let room = if F::LOOKS && !first { self.room(threads) } else { 0 };
        let pieces = self.next_pieces(room, fold.goes_apart(), so_far);
        let last = pieces.last()?;
        let (reply, done) = mpsc::channel();
        let end = if F::LOOKS { cursor::end_of(&last.generation).0 } else { 0 };
        let (before, fold) = (so_far.until, fold.part(first));
        // Only fails when there are no workers, and then `done` says so.
        let _ = jobs.send(Job { pieces, before, fold, reply });
        so_far.until = before.max(end);
        Some(done)
    }

    /// How many bytes the next job should have: fewer towards the end, so that all threads have
    /// something to do until then.
    fn room(&self, threads: usize) -> u64 {
        self.bytes_left().map_or(SOME, |left| (left / (2 * threads as u64)).min(MOST))
    }

    /// The next generations, until they have so many bytes.
    fn next_pieces(
        &mut self,
        room: u64,
        apart: bool,
        so_far: &mut HandedOut<'t>,
    ) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        let begin = self.bytes_read();
        loop {
            let generation = match self.next_generation() {
                Next::Generation(generation) => generation,
                next => {
                    so_far.end = Some(next);
                    return pieces;
                }
            };
            let index = so_far.numbers.len() as u32;
            let fresh = so_far.numbers.insert(generation.number);
            let index = (fresh && apart).then_some(index);
            pieces.push(Piece { generation, index, guess: None });
            if self.bytes_read() - begin >= room {
                return pieces;
            }
        }
    }

    /// Accepts what is confirmed, or reads the generations in the ordinary way.
    fn settle<F: Fold>(&mut self, done: Done<'t, F>, fold: &mut F) -> Result<(), Error> {
        let Done { mut pieces, fold: later, before } = done;
        if let Some(later) = later
            // Times would be other ones if they had to rise above another one.
            && (!F::LOOKS || before == self.last_time())
            && let Some(states) = self.confirm_all(&mut pieces)
            && fold.merge(later)
        {
            for (Piece { generation, .. }, (state, events, last_time)) in
                pieces.into_iter().zip(states)
            {
                #[cfg(debug_assertions)]
                self.check_guess(&generation, &state, events);
                self.accept(generation, state, events, last_time)?;
            }
            return Ok(());
        }
        for Piece { generation, .. } in pieces {
            self.enter_folding(Next::Generation(generation), fold)?;
            self.finish_generation_folding(fold)?;
        }
        Ok(())
    }

    /// The state after each of these generations, with the number of its events and the time of the
    /// last one; none if any of them may have gone differently.
    fn confirm_all(&self, pieces: &mut [Piece<'_>]) -> Option<Vec<(State, u64, i64)>> {
        let mut states: Vec<(State, u64, i64)> = Vec::with_capacity(pieces.len());
        for Piece { generation, guess, .. } in pieces {
            let Guess { state, events, last_time, begins } = guess.take()?;
            let known = states.last().map_or(self.state(), |before| &before.0);
            states.push((known.confirm(state, generation, begins)?, events, last_time));
        }
        Some(states)
    }
}

#[cfg(debug_assertions)]
impl<'t> Reader<'t> {
    /// Debug builds read each confirmed generation again, in sequence: nothing may differ.
    fn check_guess(&self, generation: &Generation<'t>, after: &State, events: u64) {
        let mut state = self.state().clone();
        let mut run = Run::new(false);
        let mut delivery = Delivery::new(false);
        let result = run
            .start(generation, &mut state)
            .and_then(|()| run.drive(generation, &mut state, &mut delivery));
        assert!(result.is_ok(), "confirmed a generation that is broken: {result:?}");
        assert_eq!(delivery.delivered, events, "confirmed a generation with other events");
        state.end_generation(generation);
        let difference = state.difference(after, generation);
        assert!(difference.is_none(), "confirmed another state:\n{}", difference.unwrap());
    }
}

/// Puts generations in order until there are no more.
fn work<F: Fold>(queue: &Mutex<Receiver<Job<'_, F>>>) {
    loop {
        let next = queue.lock().map(|queue| queue.recv());
        let Ok(Ok(Job { mut pieces, before, mut fold, reply })) = next else { return };
        let all = speculate_all(&mut pieces, before, &mut fold);
        let fold = all.is_some().then_some(fold);
        // The reader may have given up meanwhile.
        let _ = reply.send(Done { pieces, fold, before });
    }
}

/// Puts each generation in order as if nothing came before; none if that leads to an error.
fn speculate_all<F: Fold>(pieces: &mut [Piece<'_>], before: i64, fold: &mut F) -> Option<()> {
    let mut before = before;
    for Piece { generation, index, guess } in pieces {
        let found = speculate(generation, (*index)?, before, fold)?;
        before = found.last_time;
        *guess = Some(found);
    }
    Some(())
}

fn speculate<F: Fold>(
    generation: &Generation<'_>,
    index: u32,
    before: i64,
    fold: &mut F,
) -> Option<Guess> {
    let mut state = State::speculative(index, generation.number);
    if let Some(trail) = state.trail() {
        trail.prefixes = cursor::prefixes(generation);
    }
    let mut run = Run::new(false);
    let mut delivery = Delivery::new(false);
    run.start_speculative(generation).ok()?;
    let begins = run.has_threads();
    if F::LOOKS {
        delivery.last_time = before;
        let mut sync = Ordered::sync(generation.start().0, u64::from(index) + 1);
        delivery.deliver(&mut sync, generation).ok()?;
        delivery.delivered = 0;
        fold.event(&Event { raw: sync, generation, names: state.names() });
        let each = &mut Folding(fold);
        let _ = run.show(generation, &mut state, &mut delivery, each).ok()?;
        fold.generation_ends(generation);
    } else {
        run.drive(generation, &mut state, &mut delivery).ok()?;
    }
    let Delivery { last_time, delivered: events, .. } = delivery;
    Some(Guess { state, events, last_time, begins })
}
