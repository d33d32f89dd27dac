//! One generation's events put in order.
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

use crate::deliver::{Delivery, Tally};
use crate::error::{Error, Fault, Place, Waiting};
use crate::event::Ordered;
use crate::generation::Generation;
use crate::order::{Decoded, NO_SLOT, Sink, State, Verdict, go_runs, proc_runs};
use crate::report::{Loss, Misuse, Report};
use crate::{GoId, ThreadId, Time};
use gotrail_format::event::{NOT_TIMED, TIMED_ARGS};
use gotrail_format::{EventType, gosort, varint};
use rustc_hash::FxHashMap;

/// The thread has offered no event yet, so that the state does not know it yet.
const UNRESOLVED: u32 = NO_SLOT - 1;

/// A thread's place in its batches, and its next event.
struct Cursor {
    at: usize,
    end: usize,
    /// The time of the last event; 0 also means that the batch's own time comes first.
    last: i64,
    batch_time: u64,
    next_batch: u32,
    /// The thread's place in the state.
    slot: u32,
    thread: i64,
    /// Where the next event begins.
    event_at: usize,
    next: Decoded,
}

/// What came of reading a thread's next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresh {
    /// There is one.
    Event,
    /// There is none.
    End,
    /// It cannot be read.
    Broken,
}

/// A thread in the frontier: when its next event happened.
#[derive(Debug, Clone, Copy)]
struct Entry {
    time: i64,
    cursor: u32,
}

/// The state of ordering one generation.
pub(crate) struct Run {
    cursors: Vec<Cursor>,
    heap: Vec<Entry>,
    /// The earlier of the times of the front's two children: as long as the front is not later,
    /// it stays the front, and the heap need not be touched.
    second: i64,
    next_sample: usize,
    /// The time of the next CPU sample.
    sample_time: i64,
    queue: Queue,
    /// The thread whose event the last step let happen; [`SAMPLE`] for a CPU sample.
    stepped: u32,
    /// How far each thread and the samples came before a tolerant reader began again.
    before: Option<Before>,
    /// Where a tolerant reader notes what it drops; a strict one stops instead.
    pub(crate) dropped: Option<Report>,
}

/// The last step was a CPU sample.
const SAMPLE: u32 = u32::MAX;

/// How far a run came: what was delivered already.
struct Before {
    /// Where the first event is that did not happen, by cursor.
    threads: Vec<usize>,
    samples: usize,
}

/// The finished events of one step, to be taken one by one: at most three.
struct Queue {
    events: [Ordered; 3],
    len: usize,
    taken: usize,
}

impl Queue {
    const EMPTY: Queue = Queue { events: [Ordered::EMPTY; 3], len: 0, taken: 0 };
}

impl Sink for Queue {
    #[inline(always)]
    fn emit(&mut self, event: Ordered) {
        self.events[self.len] = event;
        self.len += 1;
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

impl Run {
    pub(crate) fn new(lenient: bool) -> Run {
        Run {
            cursors: Vec::new(),
            heap: Vec::new(),
            second: i64::MAX,
            next_sample: 0,
            sample_time: i64::MAX,
            queue: Queue::EMPTY,
            stepped: SAMPLE,
            before: None,
            dropped: lenient.then(Report::default),
        }
    }

    /// Begins with the events of `generation`.
    pub(crate) fn start(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
    ) -> Result<(), Error> {
        state.begin_generation(generation.number);
        self.start_speculative(generation)?;
        if !self.heap.is_empty() {
            state.note_first_event(generation.number);
        }
        Ok(())
    }

    /// Begins with the events of `generation`, for a state that is in it already.
    pub(crate) fn start_speculative(&mut self, generation: &Generation<'_>) -> Result<(), Error> {
        self.cursors.clear();
        self.heap.clear();
        self.next_sample = 0;
        (self.queue.len, self.queue.taken) = (0, 0);
        self.before = None;
        for chain in &generation.threads {
            let mut cursor = Cursor::new(chain.thread, chain.first);
            let refresh = cursor.advance(generation);
            let index = self.cursors.len() as u32;
            let entry = Entry { time: cursor.next.time, cursor: index };
            self.cursors.push(cursor);
            if refresh == Refresh::Event {
                self.heap.push(entry);
                let last = self.heap.len() - 1;
                sift_up(&mut self.heap, last);
            } else if let Some(fault) = self.cursors[index as usize].fault(generation) {
                self.drop_rest(index, generation, fault)?;
            }
        }
        self.note_second();
        self.note_sample(generation);
        Ok(())
    }

    /// The next event in order, or none at the end of the generation.
    #[inline]
    pub(crate) fn next(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
    ) -> Result<Option<Ordered>, Error> {
        while self.queue.taken == self.queue.len {
            (self.queue.len, self.queue.taken) = (0, 0);
            // The sink is out of the run while the run works with it.
            let mut queue = std::mem::replace(&mut self.queue, Queue::EMPTY);
            let result = self.step(generation, state, &mut queue);
            self.queue = queue;
            if !result? {
                return Ok(None);
            }
            if self.before.is_some() {
                self.skip_delivered();
            }
        }
        self.queue.taken += 1;
        Ok(Some(self.queue.events[self.queue.taken - 1]))
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
        let threads = (0..self.cursors.len()).map(|cursor| self.reached(cursor)).collect();
        let before = Before { threads, samples: self.next_sample };
        if let Some(dropped) = &mut self.dropped {
            // All of it will be found again.
            *dropped = Report::default();
        }
        self.start(generation, state)?;
        self.before = Some(before);
        Ok(true)
    }

    /// Where the thread's first event is that did not happen.
    fn reached(&self, cursor: usize) -> usize {
        let waits = self.heap.iter().any(|entry| entry.cursor as usize == cursor);
        if waits { self.cursors[cursor].event_at } else { usize::MAX }
    }

    /// Drops what the last step made if it was delivered before the run began again.
    #[cold]
    fn skip_delivered(&mut self) {
        let Some(before) = &self.before else { return };
        let again = match self.stepped {
            SAMPLE => self.next_sample <= before.samples,
            cursor => self.reached(cursor as usize) <= before.threads[cursor as usize],
        };
        if again {
            self.queue = Queue::EMPTY;
        }
    }

    /// Delivers all events that are left of the generation.
    pub(crate) fn drive(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
        delivery: &mut Delivery,
    ) -> Result<(), Error> {
        while self.queue.taken < self.queue.len {
            self.queue.taken += 1;
            let mut event = self.queue.events[self.queue.taken - 1];
            delivery.deliver(&mut event, generation)?;
        }
        while self.before.is_some() {
            let Some(mut event) = self.next(generation, state)? else { return Ok(()) };
            delivery.deliver(&mut event, generation)?;
        }
        let mut tally = Tally::new(delivery, generation);
        while self.step(generation, state, &mut tally)? {}
        Ok(())
    }

    /// Whether any thread has events left.
    pub(crate) fn has_threads(&self) -> bool {
        !self.heap.is_empty()
    }

    /// Whether all events were taken.
    #[inline]
    pub(crate) fn is_done(&self, generation: &Generation<'_>) -> bool {
        self.heap.is_empty()
            && self.queue.taken == self.queue.len
            && self.next_sample == generation.samples.len()
    }

    /// Lets events happen until the sink has enough or another thread's turn comes: at least one.
    /// False if there are none left.
    #[inline(always)]
    fn step<S: Sink>(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
        sink: &mut S,
    ) -> Result<bool, Error> {
        let index = match self.heap.first() {
            Some(head) if head.time <= self.sample_time => head.cursor,
            _ => return self.sample(generation, sink),
        };
        self.stepped = index;
        let cursor = &mut self.cursors[index as usize];
        if cursor.slot == UNRESOLVED {
            cursor.slot = state.threads.slot(cursor.thread);
        }
        // As long as nothing else is earlier, the thread stays in front and the heap is left
        // alone: nearly always.
        let limit = self.second.min(self.sample_time);
        loop {
            match state.advance(&cursor.next, cursor.slot, generation, sink) {
                Ok(Verdict::Advanced) => {}
                Ok(Verdict::Retry) => {
                    self.heap[0].time = cursor.next.time;
                    return self.retry(generation, state, sink);
                }
                Err(fault) => {
                    self.heap[0].time = cursor.next.time;
                    return self.after_fault(0, *fault, generation, sink);
                }
            }
            if cursor.advance(generation) != Refresh::Event {
                return self.after_last(0, generation, sink);
            }
            sink.commit()?;
            if cursor.next.time > limit || !sink.has_room() {
                break;
            }
        }
        self.heap[0].time = cursor.next.time;
        if self.heap[0].time > self.second {
            sift_down(&mut self.heap, 0);
            self.note_second();
        }
        Ok(true)
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
        let index = self.heap[i].cursor;
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
        let index = self.heap[i].cursor;
        if let Some(fault) = self.cursors[index as usize].fault(generation) {
            self.drop_rest(index, generation, fault)?;
        }
        remove(&mut self.heap, i);
        self.note_second();
        sink.commit()?;
        Ok(true)
    }

    /// The `i`th thread of the heap has another event in front.
    fn moved_on(&mut self, i: usize) {
        self.heap[i].time = self.cursors[self.heap[i].cursor as usize].next.time;
        update(&mut self.heap, i);
        self.note_second();
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
        self.stepped = SAMPLE;
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

    #[inline]
    fn note_second(&mut self) {
        let time = |i| self.heap.get(i).map_or(i64::MAX, |entry: &Entry| entry.time);
        self.second = time(1).min(time(2));
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
        gosort::sort_unstable_by(&mut self.heap, |a, b| a.time < b.time);
        self.note_second();
        for i in 1..self.heap.len() {
            if self.try_advance(i, generation, state, sink)? {
                return Ok(true);
            }
        }
        let place = Place {
            offset: self.heap.first().map(|e| self.event_offset(e.cursor, generation)),
            generation: Some(generation.number),
            ..Place::default()
        };
        Err(Error::new(Fault::Stuck(self.waiting()), place))
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
        self.stepped = self.heap[i].cursor;
        let cursor = &mut self.cursors[self.stepped as usize];
        if cursor.slot == UNRESOLVED {
            cursor.slot = state.threads.slot(cursor.thread);
        }
        match state.advance(&cursor.next, cursor.slot, generation, sink) {
            Ok(Verdict::Advanced) => {}
            Ok(Verdict::Retry) => return Ok(false),
            Err(fault) => return self.after_fault(i, *fault, generation, sink),
        }
        if cursor.advance(generation) != Refresh::Event {
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
                let args = TIMED_ARGS[cursor.next.event.0 as usize] as usize;
                let stack = generation.stack(cursor.next.args[args - 1]);
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
        loss.from = Some(Time(cursor.last));
        dropped.add_loss(loss);
        Ok(())
    }

    /// Everything that was not put in order, for the report of a tolerant reader.
    pub(crate) fn lost(&self, error: &Error, generation: &Generation<'_>) -> Loss {
        let mut loss = Loss::of_error(error);
        for entry in &self.heap {
            let cursor = &self.cursors[entry.cursor as usize];
            let next = cursor.event_at..cursor.at;
            loss.add(generation.offset, std::iter::once(next).chain(cursor.rest(generation)));
        }
        loss.from = self.heap.iter().map(|entry| Time(entry.time)).min();
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
        generation.offset + self.cursors[cursor as usize].event_at as u64
    }

    /// What the threads are waiting at, the earliest first.
    fn waiting(&self) -> Waiting {
        const SHOWN: usize = 6;
        let threads = self.heap.iter().take(SHOWN).map(|entry| {
            let cursor = &self.cursors[entry.cursor as usize];
            let spec = cursor.next.event.spec();
            let names = spec.map_or(&[][..], |spec| &spec.args[1..]);
            let args = names.iter().zip(cursor.next.args);
            let text =
                args.fold(cursor.next.event.to_string(), |text, (name, value)| match *name {
                    "g" | "new_g" => format!("{text} {name}={}", GoId(value as i64)),
                    "stack" | "new_stack" => text,
                    _ => format!("{text} {name}={value}"),
                });
            (ThreadId(cursor.thread), text)
        });
        Waiting { threads: threads.collect(), more: self.heap.len().saturating_sub(SHOWN) }
    }
}

impl Cursor {
    fn new(thread: i64, first: u32) -> Cursor {
        Cursor {
            at: 0,
            end: 0,
            last: 0,
            batch_time: 0,
            next_batch: first,
            slot: UNRESOLVED,
            thread,
            event_at: 0,
            next: Decoded { event: EventType(0), time: 0, args: [0; 4] },
        }
    }

    /// Reads the next event.
    #[inline(always)]
    fn advance(&mut self, generation: &Generation<'_>) -> Refresh {
        if self.at == self.end && !self.turn_batch(generation) {
            return Refresh::End;
        }
        self.event_at = self.at;
        if self.last == 0 {
            self.last = generation.frequency.nanos(self.batch_time);
        }
        let data: &[u8] = &generation.data;
        if let Some(window) = data.get(self.at..).and_then(|rest| rest.first_chunk()) {
            // The window may reach beyond the batch: an event that does is read again with care.
            if let Some(len) = self.decode(window, generation)
                && self.at.wrapping_add(len) <= self.end
            {
                self.at += len;
                self.last = self.next.time;
                return Refresh::Event;
            }
        }
        match self.decode_slowly(generation) {
            Ok(()) => Refresh::Event,
            Err(_) => Refresh::Broken,
        }
    }

    /// Goes on with the thread's next batch that is not empty; false if there is none.
    #[cold]
    fn turn_batch(&mut self, generation: &Generation<'_>) -> bool {
        while self.at == self.end {
            let Some(batch) = generation.batches.get(self.next_batch as usize) else {
                return false;
            };
            (self.at, self.end) = (batch.start, batch.end);
            self.next_batch = batch.next;
            self.batch_time = batch.time;
            self.last = 0;
        }
        true
    }

    /// What is wrong with the next event, if there is one that cannot be read.
    fn fault(&mut self, generation: &Generation<'_>) -> Option<Fault> {
        if self.at == self.end { None } else { self.decode_slowly(generation).err() }
    }

    /// Decodes the event at the start of the window, if there is a good one; returns its length.
    #[inline(always)]
    fn decode(&mut self, window: &[u8; WINDOW], generation: &Generation<'_>) -> Option<usize> {
        let event = EventType(window[0]);
        let count = TIMED_ARGS[event.0 as usize];
        let mut at = 1;
        let units = window_number(window, &mut at);
        self.next.event = event;
        self.next.time = self.last.wrapping_add(generation.frequency.nanos(units));
        if count >= 1 {
            self.next.args[0] = window_number(window, &mut at);
        }
        if count >= 2 {
            self.next.args[1] = window_number(window, &mut at);
        }
        if count >= 3 {
            self.next.args[2] = window_number(window, &mut at);
        }
        if count >= 4 {
            self.next.args[3] = window_number(window, &mut at);
        }
        (count != NOT_TIMED).then_some(at)
    }

    /// Decodes the next event at the end of the data, or whose numbers are too long, or finds
    /// out what is wrong with it.
    #[cold]
    fn decode_slowly(&mut self, generation: &Generation<'_>) -> Result<(), Fault> {
        let bytes = &generation.data[self.at..self.end];
        let event = EventType(bytes[0]);
        let count = TIMED_ARGS[event.0 as usize];
        if count == NOT_TIMED {
            return Err(Fault::NotTimed(event));
        }
        let mut at = 1;
        let mut number = |what| match varint::read(&bytes[at..]) {
            Ok((value, len)) => {
                at += len;
                Ok(value)
            }
            Err(error) => Err(Fault::Number { what, error }),
        };
        let units = number("an event's time")?;
        for slot in &mut self.next.args[..usize::from(count)] {
            *slot = number("an event's argument")?;
        }
        self.next.event = event;
        self.last = self.last.wrapping_add(generation.frequency.nanos(units));
        self.next.time = self.last;
        self.at += at;
        Ok(())
    }

    /// The ranges of bytes that were not read yet.
    fn rest<'g>(
        &self,
        generation: &'g Generation<'_>,
    ) -> impl Iterator<Item = std::ops::Range<usize>> + 'g {
        let mut next = self.next_batch;
        let later = std::iter::from_fn(move || {
            let batch = generation.batches.get(next as usize)?;
            next = batch.next;
            Some(batch.start..batch.end)
        });
        std::iter::once(self.at..self.end).chain(later)
    }
}

/// Enough bytes for any event, one for its type and five numbers, and for reading eight bytes
/// wherever one of its numbers begins.
const WINDOW: usize = 64 + 8;

/// Reads the number at `at` of a window that has room for all numbers of an event. Most have one
/// or two bytes. One that is too long moves `at` so far that the event cannot fit its batch.
#[inline(always)]
fn window_number(window: &[u8; WINDOW], at: &mut usize) -> u64 {
    // The mask only tells the compiler what is so anyway.
    let start = *at & 63;
    let Some(word) = window[start..].first_chunk().map(|&bytes| u64::from_le_bytes(bytes)) else {
        return 0;
    };
    if word & 0x80 == 0 {
        *at += 1;
        word & 0x7f
    } else if word & 0x8000 == 0 {
        *at += 2;
        word & 0x7f | word >> 1 & 0x3f80
    } else if word & 0x80_0000 == 0 {
        *at += 3;
        word & 0x7f | word >> 1 & 0x3f80 | word >> 2 & 0x1f_c000
    } else {
        let (value, len) = long_number(window, start);
        *at = at.wrapping_add(len);
        value
    }
}

/// Reads a number of any length.
#[inline(never)]
fn long_number(window: &[u8; WINDOW], start: usize) -> (u64, usize) {
    varint::read(&window[start..]).unwrap_or((0, usize::MAX / 16))
}

/// Moves entry `i` towards the front while it is earlier than its parent; returns its place.
fn sift_up(heap: &mut [Entry], mut i: usize) -> usize {
    while i > 0 && heap[(i - 1) / 2].time > heap[i].time {
        heap.swap(i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
    i
}

/// Moves entry `i` towards the back while a child is earlier: the earlier child, of equal ones
/// the left.
#[inline]
fn sift_down(heap: &mut [Entry], mut i: usize) {
    loop {
        let mut least = i;
        let mut time = heap.get(i).map_or(i64::MAX, |entry| entry.time);
        for child in [2 * i + 1, 2 * i + 2] {
            if let Some(entry) = heap.get(child)
                && entry.time < time
            {
                (least, time) = (child, entry.time);
            }
        }
        if least == i {
            return;
        }
        heap.swap(i, least);
        i = least;
    }
}

/// Puts entry `i`, whose time has changed, where it belongs.
#[inline]
fn update(heap: &mut [Entry], i: usize) {
    if sift_up(heap, i) == i {
        sift_down(heap, i);
    }
}

/// Removes entry `i`: it goes to the front whatever the times, changes places with the last,
/// and the new front sinks.
fn remove(heap: &mut Vec<Entry>, mut i: usize) {
    while i > 0 {
        heap.swap(i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
    heap.swap_remove(0);
    sift_down(heap, 0);
}

/// The latest time of any event, told without ordering: the last event of each thread's last
/// batch, as far as it can be read.
pub(crate) fn end_of(generation: &Generation<'_>) -> Time {
    let last_of_thread = |chain: &crate::generation::ThreadBatches| {
        let mut cursor = Cursor::new(chain.thread, chain.last);
        while cursor.advance(generation) == Refresh::Event {}
        cursor.last
    };
    let last = generation.threads.iter().map(last_of_thread).max();
    Time(last.unwrap_or(i64::MIN).max(generation.start().0))
}

/// What the statuses bind that each thread begins with: its proc and goroutine, where there is
/// just one of them.
pub(crate) fn prefixes(generation: &Generation<'_>) -> FxHashMap<i64, (i64, i64)> {
    const SEVERAL: i64 = i64::MIN;
    let mut prefixes = FxHashMap::default();
    for chain in &generation.threads {
        let mut cursor = Cursor::new(chain.thread, chain.first);
        let (mut proc, mut go) = (-1, -1);
        let bind = |bound: &mut i64, id: i64| *bound = if *bound == -1 { id } else { SEVERAL };
        while cursor.advance(generation) == Refresh::Event {
            let args = &cursor.next.args;
            match cursor.next.event {
                EventType::PROC_STATUS if proc_runs(args[1] as u8) => {
                    bind(&mut proc, args[0] as i64);
                }
                EventType::GO_STATUS | EventType::GO_STATUS_STACK
                    if go_runs(args[2] as u8, args[1] as i64 == chain.thread) =>
                {
                    bind(&mut go, args[0] as i64);
                }
                EventType::PROC_STATUS | EventType::GO_STATUS | EventType::GO_STATUS_STACK => {}
                _ => break,
            }
        }
        if (proc, go) != (-1, -1) {
            prefixes.insert(chain.thread, (proc, go));
        }
    }
    prefixes
}
