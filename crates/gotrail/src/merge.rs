//! The threads of a generation merged into one order.
//!
//! ```text
//!   thread 5   ── batch ── batch ──► next event ┐
//!   thread 7   ── batch ───────────► next event ├─► frontier ─► state ─► events in order
//!   thread 9   ── batch ── batch ──► next event ┘   (a heap)
//! ```
//!
//! Each thread has a cursor that holds its next event. The thread with the earliest one is tried
//! first; if the state says "not yet", the others are tried in the order of time. Times may lie:
//! they only decide who is asked first, and so which of several right orders is delivered. That
//! choice is visible, and must be the reference's: same heap, same handling of equal times, same
//! unstable sort.

use crate::cursor::{Cursor, Next, Refresh, UNRESOLVED};
use crate::error::{Error, Fault, Place, Waiting};
use crate::event::Ordered;
use crate::frontier::Frontier;
use crate::generation::Generation;
use crate::old::Converter;
use crate::order::{Sink, State, Stop, Verdict};
use crate::prefetch::prefetch;
use crate::report::{Loss, Misuse, Report};
use crate::{GoId, ThreadId, Time};
use gotrail_format::EventType;
use gotrail_format::event::TIMED_ARGS;

/// The threads of a generation.
#[derive(Debug, Clone)]
pub(crate) struct Merge {
    cursors: Vec<Cursor>,
    frontier: Frontier,
    next_sample: usize,
    /// The time of the next CPU sample.
    sample_time: i64,
    /// The thread whose event the last step let happen, or none for a CPU sample.
    stepped: Option<u32>,
    /// Where a tolerant reader notes what it drops; a strict one stops instead.
    pub(crate) dropped: Option<Report>,
    /// Tells the events of a trace of Go 1.11 to 1.21, which are in order already.
    old: Option<Box<Converter>>,
}

/// So far behind its next event is what a thread reads soon: at least in the next cache line.
const READ_SOON: usize = 100;

/// How far a merge came.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// Where the first event is that did not happen, by cursor.
    threads: Vec<usize>,
    samples: usize,
}

impl Merge {
    pub(crate) fn new(lenient: bool) -> Merge {
        Merge {
            cursors: Vec::new(),
            frontier: Frontier::default(),
            next_sample: 0,
            sample_time: i64::MAX,
            stepped: None,
            dropped: lenient.then(Report::default),
            old: None,
        }
    }

    /// Begins with the events of `generation`.
    pub(crate) fn start(&mut self, generation: &Generation<'_>) -> Result<(), Error> {
        self.cursors.clear();
        self.frontier.clear();
        self.next_sample = 0;
        let lenient = self.dropped.is_some();
        self.old = generation.old.as_ref().map(|old| Box::new(Converter::new(old, lenient)));
        for chain in &generation.threads {
            let mut cursor = Cursor::new(chain.thread, chain.first);
            let refresh = cursor.advance(generation);
            let index = self.cursors.len() as u32;
            let time = cursor.next.time;
            self.cursors.push(cursor);
            if refresh == Refresh::Event {
                self.frontier.push(time, index);
            } else if let Some(fault) = self.cursors[index as usize].fault(generation) {
                self.drop_rest(index, generation, fault)?;
            }
        }
        self.note_sample(generation);
        Ok(())
    }

    /// See [`crate::run::Run::old_goroutine_count`].
    pub(crate) fn old_goroutine_count(&self) -> usize {
        self.old.as_ref().map_or(0, |old| old.goroutine_count())
    }

    /// Whether any thread has events left.
    pub(crate) fn has_threads(&self) -> bool {
        !self.frontier.is_empty()
    }

    /// Whether there is nothing left.
    #[inline]
    pub(crate) fn is_done(&self, generation: &Generation<'_>) -> bool {
        if let (Some(old), Some(events)) = (&self.old, &generation.old) {
            return old.is_done(events);
        }
        self.frontier.is_empty() && self.next_sample == generation.samples.len()
    }

    /// Whether no batch that was begun has a number that is too large.
    pub(crate) fn is_flawless(&self) -> bool {
        self.cursors.iter().all(|cursor| cursor.all_flawless)
    }

    /// How far it came.
    pub(crate) fn progress(&self) -> Progress {
        let threads = (0..self.cursors.len()).map(|cursor| self.reached(cursor)).collect();
        Progress { threads, samples: self.next_sample }
    }

    /// Where the thread's first event is that did not happen.
    fn reached(&self, cursor: usize) -> usize {
        let waits = self.frontier.iter().any(|(_, waiting)| waiting as usize == cursor);
        if waits { self.cursors[cursor].next.at } else { usize::MAX }
    }

    /// Whether the last step was done before, when the merge came as far as this.
    #[cold]
    pub(crate) fn repeats(&self, before: &Progress) -> bool {
        match self.stepped {
            None => self.next_sample <= before.samples,
            Some(cursor) => self.reached(cursor as usize) <= before.threads[cursor as usize],
        }
    }

    /// Lets events happen until the sink has enough or there is something to think about: at least
    /// one. False if there are none left.
    #[inline(always)]
    pub(crate) fn step<S: Sink>(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
        sink: &mut S,
    ) -> Result<bool, Error> {
        if let (Some(old), Some(events)) = (&mut self.old, &generation.old) {
            return old.step(events, generation, sink);
        }
        loop {
            if self.frontier.is_empty() || self.frontier.time() > self.sample_time {
                return self.sample(generation, sink);
            }
            let index = self.frontier.first();
            self.stepped = Some(index);
            let cursor = &mut self.cursors[index as usize];
            if cursor.slot == UNRESOLVED {
                cursor.slot = state.threads.slot(cursor.thread);
            }
            // As long as nothing else is earlier, the thread stays in front and the heap is left
            // alone: nearly always.
            let limit = self.frontier.second().min(self.sample_time);
            // In registers as long as the thread stays in front.
            let mut next = cursor.next;
            loop {
                let stop =
                    state.stretch(&mut next, cursor.slot, cursor.sound, limit, generation, sink);
                cursor.next = next;
                let end = match stop {
                    Stop::Turn => break,
                    Stop::Care(end) => end,
                    Stop::Other => {
                        let slot = cursor.slot;
                        let (event, mut args) = next.event(generation);
                        match state.advance(event, &mut args, next.time, slot, generation, sink) {
                            Ok(Verdict::Advanced) => next.at + args.at,
                            Ok(Verdict::Retry) => {
                                self.frontier.set_first(next.time);
                                return self.retry(generation, state, sink);
                            }
                            Err(fault) => {
                                self.frontier.set_first(next.time);
                                return self.after_fault(0, *fault, generation, sink);
                            }
                        }
                    }
                };
                if next.follow(end - next.at, cursor.sound, generation) {
                    cursor.next = next;
                } else if cursor.refresh(end, generation) == Refresh::Event {
                    next = cursor.next;
                } else {
                    return self.after_last(0, generation, sink);
                }
                sink.commit()?;
                if next.time > limit || !sink.has_room() {
                    break;
                }
            }
            if next.time > self.frontier.second() {
                // When it comes to the front again, it reads on.
                prefetch(&generation.data, next.at + READ_SOON);
                self.frontier.sink_first(next.time);
            } else {
                self.frontier.set_first(next.time);
            }
            if !sink.has_room_for_turn() {
                return Ok(true);
            }
        }
    }

    /// The event of the `i`th thread of the heap cannot happen at all: an error, unless it can
    /// be dropped.
    #[cold]
    #[inline(never)]
    fn after_fault<S: Sink>(
        &mut self,
        i: usize,
        fault: Fault,
        generation: &Generation<'_>,
        sink: &mut S,
    ) -> Result<bool, Error> {
        let Some((_, index)) = self.frontier.get(i) else { return Ok(false) };
        self.drop_misuse(index, generation, fault)?;
        if self.cursors[index as usize].advance(generation) != Refresh::Event {
            return self.after_last(i, generation, sink);
        }
        self.moved_on(i);
        sink.commit()?;
        Ok(true)
    }

    /// The `i`th thread of the heap has no further event, or none that can be read. Only in the
    /// former case, or if the rest of the thread can be dropped, is the last one delivered.
    #[cold]
    #[inline(never)]
    fn after_last<S: Sink>(
        &mut self,
        i: usize,
        generation: &Generation<'_>,
        sink: &mut S,
    ) -> Result<bool, Error> {
        let Some((_, index)) = self.frontier.get(i) else { return Ok(false) };
        if let Some(fault) = self.cursors[index as usize].fault(generation) {
            self.drop_rest(index, generation, fault)?;
        }
        self.frontier.remove(i);
        sink.commit()?;
        Ok(true)
    }

    /// The `i`th thread of the heap has another event in front.
    fn moved_on(&mut self, i: usize) {
        if let Some((_, cursor)) = self.frontier.get(i) {
            self.frontier.update(i, self.cursors[cursor as usize].next.time);
        }
    }

    /// Delivers the next CPU sample, if there is one. Samples come before the threads' events
    /// only if they are earlier than all of them.
    #[cold]
    #[inline(never)]
    fn sample<S: Sink>(
        &mut self,
        generation: &Generation<'_>,
        sink: &mut S,
    ) -> Result<bool, Error> {
        let Some(sample) = generation.samples.get(self.next_sample) else { return Ok(false) };
        self.next_sample += 1;
        self.stepped = None;
        self.note_sample(generation);
        sink.emit(Ordered {
            time: sample.time,
            thread: sample.thread,
            proc: sample.proc,
            go: sample.go,
            args: [sample.stack, 0, 0, 0],
            event: EventType::CPU_SAMPLE,
            old: 0,
        });
        sink.commit()?;
        Ok(true)
    }

    fn note_sample(&mut self, generation: &Generation<'_>) {
        let sample = generation.samples.get(self.next_sample);
        self.sample_time = sample.map_or(i64::MAX, |sample| sample.time);
    }

    /// Tries the other threads, in the order of time.
    ///
    /// The heap is sorted in place and stays so, and its first entry is passed over, although
    /// among equal times it need not be the one that was tried already: both as the reference
    /// does it, because both are visible in the order.
    #[cold]
    #[inline(never)]
    fn retry<S: Sink>(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
        sink: &mut S,
    ) -> Result<bool, Error> {
        self.frontier.sort();
        for i in 1..self.frontier.len() {
            if self.try_advance(i, generation, state, sink)? {
                return Ok(true);
            }
        }
        let place = Place {
            offset: self.frontier.get(0).map(|(_, first)| self.event_offset(first, generation)),
            generation: Some(generation.number),
            ..Place::default()
        };
        Err(Error::new(Fault::Stuck(self.waiting(generation)), place))
    }

    /// Lets the next event of the `i`th thread of the heap happen if it can.
    ///
    /// The thread's following event is read before this one is delivered: if that fails, this
    /// one is lost with it.
    fn try_advance<S: Sink>(
        &mut self,
        i: usize,
        generation: &Generation<'_>,
        state: &mut State,
        sink: &mut S,
    ) -> Result<bool, Error> {
        let Some((_, index)) = self.frontier.get(i) else { return Ok(false) };
        self.stepped = Some(index);
        let cursor = &mut self.cursors[index as usize];
        if cursor.slot == UNRESOLVED {
            cursor.slot = state.threads.slot(cursor.thread);
        }
        let Next { at, time, .. } = cursor.next;
        let (event, mut args) = cursor.next.event(generation);
        match state.advance(event, &mut args, time, cursor.slot, generation, sink) {
            Ok(Verdict::Advanced) => {}
            Ok(Verdict::Retry) => return Ok(false),
            Err(fault) => return self.after_fault(i, *fault, generation, sink),
        }
        if cursor.refresh(at + args.at, generation) != Refresh::Event {
            return self.after_last(i, generation, sink);
        }
        self.moved_on(i);
        sink.commit()?;
        Ok(true)
    }

    /// A tolerant run drops an annotation that the program used wrongly, and nothing else.
    #[cold]
    fn drop_misuse(
        &mut self,
        cursor: u32,
        generation: &Generation<'_>,
        fault: Fault,
    ) -> Result<(), Error> {
        let error = self.error(fault, cursor, generation);
        let cursor = &self.cursors[cursor as usize];
        match &mut self.dropped {
            Some(dropped) if error.cause() == crate::Cause::Misuse => {
                // The stack is the last argument of all annotations.
                let (event, args) = cursor.decoded(generation);
                let last = TIMED_ARGS[usize::from(event.0)] as usize - 1;
                let stack = generation.stack(args[last]);
                let time = Time(cursor.next.time);
                dropped.add_misuse(|| Misuse::new(&error, time, stack));
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// A tolerant run drops the rest of a thread whose next event cannot be read.
    fn drop_rest(
        &mut self,
        index: u32,
        generation: &Generation<'_>,
        fault: Fault,
    ) -> Result<(), Error> {
        let error = self.error(fault, index, generation);
        let cursor = &self.cursors[index as usize];
        let Some(dropped) = &mut self.dropped else { return Err(error) };
        let mut loss = Loss::of_error(&error);
        loss.add(generation.offset, cursor.rest(generation));
        loss.from = Some(Time(cursor.next.time));
        dropped.add_loss(loss);
        Ok(())
    }

    /// Everything that was not put in order, for the report of a tolerant reader.
    pub(crate) fn lost(&self, error: &Error, generation: &Generation<'_>) -> Loss {
        let mut loss = Loss::of_error(error);
        for (_, cursor) in self.frontier.iter() {
            loss.add(generation.offset, self.cursors[cursor as usize].rest(generation));
        }
        loss.from = self.frontier.iter().map(|(time, _)| Time(time)).min();
        loss
    }

    fn error(&self, fault: Fault, cursor: u32, generation: &Generation<'_>) -> Error {
        let place = Place {
            offset: Some(self.event_offset(cursor, generation)),
            generation: Some(generation.number),
            thread: ThreadId(self.cursors[cursor as usize].thread).some(),
            event: None,
        };
        Error::new(fault, place)
    }

    fn event_offset(&self, cursor: u32, generation: &Generation<'_>) -> u64 {
        generation.offset + self.cursors[cursor as usize].next.at as u64
    }

    /// What the threads are waiting at, the earliest first.
    fn waiting(&self, generation: &Generation<'_>) -> Waiting {
        const SHOWN: usize = 6;
        let threads = self.frontier.iter().take(SHOWN).map(|(_, cursor)| {
            let cursor = &self.cursors[cursor as usize];
            let (event, args) = cursor.decoded(generation);
            let names = event.spec().map_or(&[][..], |spec| &spec.args[1..]);
            let args = names.iter().zip(args);
            let text = args.fold(event.to_string(), |text, (name, value)| match *name {
                "g" | "new_g" => format!("{text} {name}={}", GoId(value as i64)),
                "stack" | "new_stack" => text,
                _ => format!("{text} {name}={value}"),
            });
            (ThreadId(cursor.thread), text)
        });
        Waiting { threads: threads.collect(), more: self.frontier.len().saturating_sub(SHOWN) }
    }
}
