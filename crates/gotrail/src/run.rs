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
use crate::generation::{Generation, NO_BATCH};
use crate::order::{Decoded, NO_SLOT, Sink, State, Verdict};
use crate::report::{Loss, Misuse};
use crate::{GoId, ThreadId, Time};
use gotrail_format::event::{NOT_TIMED, TIMED_ARGS};
use gotrail_format::{EventType, gosort, varint};

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
    /// Where a tolerant reader notes what it drops; a strict one stops instead.
    pub(crate) dropped: Option<Dropped>,
}

/// What a tolerant run dropped.
#[derive(Default)]
pub(crate) struct Dropped {
    pub(crate) losses: Vec<Loss>,
    pub(crate) misuses: Vec<Misuse>,
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
            dropped: lenient.then(Dropped::default),
        }
    }

    /// Begins with the events of `generation`.
    pub(crate) fn start(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
    ) -> Result<(), Error> {
        self.cursors.clear();
        self.heap.clear();
        self.next_sample = 0;
        (self.queue.len, self.queue.taken) = (0, 0);
        state.begin_generation(generation.number);
        for chain in &generation.threads {
            let mut cursor = Cursor::new(chain.thread, chain.first);
            let has_event = match cursor.advance(generation) {
                Ok(has_event) => has_event,
                Err(fault) => self.drop_rest(&mut cursor, generation, fault)?,
            };
            if has_event {
                let entry = Entry { time: cursor.next.time, cursor: self.cursors.len() as u32 };
                self.cursors.push(cursor);
                self.heap.push(entry);
                sift_up(&mut self.heap, self.cursors.len() - 1);
            }
        }
        if !self.heap.is_empty() {
            state.note_first_event(generation.number);
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
        }
        self.queue.taken += 1;
        Ok(Some(self.queue.events[self.queue.taken - 1]))
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
        let mut tally = Tally::new(delivery, generation);
        while self.step(generation, state, &mut tally)? {
            tally.commit()?;
        }
        Ok(())
    }

    /// Whether all events were taken.
    #[inline]
    pub(crate) fn is_done(&self, generation: &Generation<'_>) -> bool {
        self.heap.is_empty()
            && self.queue.taken == self.queue.len
            && self.next_sample == generation.samples.len()
    }

    /// Lets one event happen, or says that there are none left.
    #[inline(always)]
    fn step<S: Sink>(
        &mut self,
        generation: &Generation<'_>,
        state: &mut State,
        sink: &mut S,
    ) -> Result<bool, Error> {
        match self.heap.first() {
            Some(head) if head.time <= self.sample_time => {}
            _ => return Ok(self.sample(generation, sink)),
        }
        match self.try_advance(0, generation, state, sink)? {
            true => Ok(true),
            false => self.retry(generation, state, sink),
        }
    }

    /// Delivers the next CPU sample, if there is one. Samples come before the threads' events
    /// only if they are earlier than all of them.
    #[cold]
    fn sample<S: Sink>(&mut self, generation: &Generation<'_>, sink: &mut S) -> bool {
        let Some(sample) = generation.samples.get(self.next_sample) else { return false };
        self.next_sample += 1;
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
        true
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
    #[inline(always)]
    fn try_advance<S: Sink>(
        &mut self,
        i: usize,
        generation: &Generation<'_>,
        state: &mut State,
        sink: &mut S,
    ) -> Result<bool, Error> {
        let index = self.heap[i].cursor;
        let cursor = &mut self.cursors[index as usize];
        if cursor.slot == UNRESOLVED {
            cursor.slot = state.threads.slot(cursor.thread);
        }
        match state.advance(&cursor.next, cursor.slot, generation, sink) {
            Ok(Verdict::Advanced) => {}
            Ok(Verdict::Retry) => return Ok(false),
            Err(fault) => self.drop_misuse(index, generation, *fault)?,
        }
        let cursor = &mut self.cursors[index as usize];
        let has_event = match cursor.advance(generation) {
            Ok(has_event) => has_event,
            Err(fault) => self.drop_refresh(index, generation, fault)?,
        };
        if !has_event {
            remove(&mut self.heap, i);
            self.note_second();
            return Ok(true);
        }
        let time = self.cursors[index as usize].next.time;
        self.heap[i].time = time;
        if i > 0 || time > self.second {
            update(&mut self.heap, i);
            self.note_second();
        }
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
                dropped.misuses.push(Misuse::new(&error, time, stack));
                Ok(())
            }
            _ => Err(error),
        }
    }

    #[cold]
    fn drop_refresh(
        &mut self,
        index: u32,
        generation: &Generation<'_>,
        fault: Fault,
    ) -> Result<bool, Error> {
        let fresh = Cursor::new(-1, NO_BATCH);
        let mut cursor = std::mem::replace(&mut self.cursors[index as usize], fresh);
        self.drop_rest(&mut cursor, generation, fault)
    }

    /// A tolerant run drops the rest of a thread whose next event cannot be read.
    fn drop_rest(
        &mut self,
        cursor: &mut Cursor,
        generation: &Generation<'_>,
        fault: Fault,
    ) -> Result<bool, Error> {
        let place = Place {
            offset: Some(generation.offset + cursor.event_at as u64),
            generation: Some(generation.number),
            thread: Some(ThreadId(cursor.thread)),
            event: None,
        };
        let error = Error::new(fault, place);
        let Some(dropped) = &mut self.dropped else { return Err(error) };
        cursor.at = cursor.event_at;
        let mut loss = Loss::of_error(&error);
        loss.add(generation.offset, cursor.rest(generation));
        loss.from = Some(Time(cursor.last));
        dropped.losses.push(loss);
        Ok(false)
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

    /// Reads the next event; false if there is none.
    #[inline]
    fn advance(&mut self, generation: &Generation<'_>) -> Result<bool, Fault> {
        while self.at == self.end {
            if self.next_batch == NO_BATCH {
                return Ok(false);
            }
            let batch = &generation.batches[self.next_batch as usize];
            (self.at, self.end) = (batch.start, batch.end);
            self.next_batch = batch.next;
            self.batch_time = batch.time;
            self.last = 0;
        }
        self.event_at = self.at;
        if self.last == 0 {
            self.last = generation.frequency.nanos(self.batch_time);
        }
        let bytes = &generation.data[self.at..self.end];
        let event = EventType(bytes[0]);
        let count = TIMED_ARGS[event.0 as usize];
        if count == NOT_TIMED {
            return Err(Fault::NotTimed(event));
        }
        let mut at = 1;
        let units = number(bytes, &mut at, "an event's time")?;
        for slot in &mut self.next.args[..usize::from(count)] {
            *slot = number(bytes, &mut at, "an event's argument")?;
        }
        self.next.event = event;
        self.last = self.last.wrapping_add(generation.frequency.nanos(units));
        self.next.time = self.last;
        self.at += at;
        Ok(true)
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

/// Reads the number at `at`: most have one or two bytes.
#[inline(always)]
fn number(bytes: &[u8], at: &mut usize, what: &'static str) -> Result<u64, Fault> {
    match bytes[(*at).min(bytes.len())..] {
        [byte, ..] if byte < 0x80 => {
            *at += 1;
            Ok(u64::from(byte))
        }
        [low, high, ..] if high < 0x80 => {
            *at += 2;
            Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
        }
        _ => long_number(bytes, at, what),
    }
}

fn long_number(bytes: &[u8], at: &mut usize, what: &'static str) -> Result<u64, Fault> {
    match varint::read(&bytes[*at..]) {
        Ok((value, len)) => {
            *at += len;
            Ok(value)
        }
        Err(error) => Err(Fault::Number { what, error }),
    }
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
        while matches!(cursor.advance(generation), Ok(true)) {}
        cursor.last
    };
    let last = generation.threads.iter().map(last_of_thread).max();
    Time(last.unwrap_or(i64::MIN).max(generation.start().0))
}
