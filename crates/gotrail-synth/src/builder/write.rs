//! A test trace as a sequence of raw events: the batches in the order in which they were begun,
//! and around them the batches that every generation needs.

use super::args::StackFrame;
use super::error::{UseError, UseErrorKind, name_of};
use gotrail::ThreadId;
use gotrail_format::raw::{self, RawEvent, ShapeError};
use gotrail_format::{EventType, MAX_BATCH_SIZE, Version};
use std::collections::HashMap;
use std::hash::Hash;
use std::panic::Location;

/// A raw event that owns its parts.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) event: EventType,
    pub(super) args: Vec<u64>,
    pub(super) frames: Vec<raw::Frame>,
    pub(super) data: Option<Vec<u8>>,
    pub(super) at: &'static Location<'static>,
}

impl Event {
    #[track_caller]
    pub(super) fn new(event: EventType, args: &[u64]) -> Event {
        Event { event, args: args.to_vec(), frames: Vec::new(), data: None, at: Location::caller() }
    }

    #[track_caller]
    pub(super) fn with_data(event: EventType, args: &[u64], data: &[u8]) -> Event {
        Event { data: Some(data.to_vec()), ..Event::new(event, args) }
    }

    /// The event, if it has the parts that it needs.
    pub(super) fn raw(&self) -> Result<RawEvent<'_>, UseError> {
        let raw: Result<_, ShapeError> = match &self.data {
            Some(data) => RawEvent::with_data(self.event, &self.args, data),
            None => RawEvent::with_frames(self.event, &self.args, &self.frames),
        };
        raw.map_err(|error| self.error(error.into()))
    }

    pub(super) fn error(&self, kind: UseErrorKind) -> UseError {
        UseError { at: self.at, event: name_of(self.event), argument: None, kind }
    }

    /// The size in bytes; that of an event without a shape does not matter.
    fn size(&self) -> u64 {
        self.raw().map_or(0, |raw| raw.encoded_size())
    }
}

/// Things that get an id when they are first mentioned: 1, 2, …
#[derive(Debug, Clone)]
pub(super) struct Table<T>(HashMap<T, u64>, Vec<T>);

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table(HashMap::new(), Vec::new())
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    pub(super) fn id(&mut self, thing: &T) -> u64 {
        let next = self.1.len() as u64 + 1;
        *self.0.entry(thing.clone()).or_insert_with(|| {
            self.1.push(thing.clone());
            next
        })
    }
}

impl Table<Vec<u8>> {
    /// The id of a string; no text is string 0.
    fn string(&mut self, text: &[u8]) -> u64 {
        if text.is_empty() { 0 } else { self.id(&text.to_vec()) }
    }
}

/// A part of a trace.
#[derive(Debug)]
pub(super) enum Item {
    /// An event on its own.
    Raw(Event),
    /// A generation, by its index.
    Generation(usize),
}

/// What is known of a generation.
#[derive(Debug, Default)]
pub(super) struct GenerationData {
    pub(super) number: u64,
    pub(super) batches: Vec<BatchData>,
    pub(super) strings: Table<Vec<u8>>,
    pub(super) stacks: Table<Vec<StackFrame>>,
    /// Entries of the tables that were written by hand.
    pub(super) more_strings: Vec<Event>,
    pub(super) more_stacks: Vec<(u64, Vec<StackFrame>, &'static Location<'static>)>,
    pub(super) samples: Vec<Event>,
    pub(super) sync: SyncData,
    pub(super) without_sync: bool,
    pub(super) without_tables: bool,
    pub(super) without_end: bool,
}

impl GenerationData {
    pub(super) fn string(&mut self, text: &[u8]) -> u64 {
        self.strings.string(text)
    }

    pub(super) fn stack(&mut self, frames: &[StackFrame]) -> u64 {
        if frames.is_empty() { 0 } else { self.stacks.id(&frames.to_vec()) }
    }
}

/// What the sync batch of a generation says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SyncData {
    pub(super) freq: u64,
    pub(super) time: u64,
    pub(super) mono: u64,
    pub(super) wall: (i64, u64),
}

/// A batch.
#[derive(Debug)]
pub(super) struct BatchData {
    pub(super) thread: ThreadId,
    pub(super) time: u64,
    pub(super) events: Vec<Event>,
    /// The size that its head claims, if it is not the right one.
    pub(super) claim: Option<u64>,
    /// An experimental batch is one event with data.
    pub(super) experimental: bool,
}

impl BatchData {
    fn write(&self, generation: u64, out: &mut Vec<Event>) {
        if !self.experimental {
            let size = self.claim.unwrap_or_else(|| self.events.iter().map(Event::size).sum());
            let head = [generation, self.thread.0 as u64, self.time, size];
            out.push(Event::new(EventType::EVENT_BATCH, &head));
        }
        out.extend(self.events.iter().cloned());
    }
}

/// The clock of the builder, which gives times to the batches that it writes by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Whether times pass at all.
    pub(super) on: bool,
    /// Whether the batches of tables and frequencies are all of time 0.
    pub(super) tables_at_zero: bool,
    /// The time of the last event or batch.
    pub(super) last: u64,
}

impl Clock {
    /// The time of a batch of tables.
    fn tick(&mut self) -> u64 {
        let last = self.last;
        self.set(last.wrapping_add(1))
    }

    fn set(&mut self, time: u64) -> u64 {
        if !self.on || self.tables_at_zero {
            return 0;
        }
        self.last = time;
        time
    }
}

/// Appends the events of a generation.
pub(super) fn generation(
    generation: &GenerationData,
    version: Version,
    clock: &mut Clock,
    out: &mut Vec<Event>,
) {
    let number = generation.number;
    let sync = generation.sync;
    let write = |time, events, out: &mut Vec<Event>| {
        let thread = ThreadId::NONE;
        BatchData { thread, time, events, claim: None, experimental: false }.write(number, out);
    };
    let frequency = Event::new(EventType::FREQUENCY, &[sync.freq]);
    if version >= Version::Go125 && !generation.without_sync {
        clock.tick();
        // The snapshot is taken at this time, and the batch begins just before.
        let time = clock.set(sync.time.saturating_sub(1));
        let dt = if clock.on { sync.time - time } else { 0 };
        clock.last = clock.last.wrapping_add(dt);
        let (sec, nsec) = sync.wall;
        let snapshot = [dt, sync.mono, sec as u64, nsec];
        let snapshot = Event::new(EventType::CLOCK_SNAPSHOT, &snapshot);
        let head = Event::new(EventType::SYNC, &[]);
        write(time, vec![head, frequency.clone(), snapshot], out);
    }
    for batch in &generation.batches {
        batch.write(number, out);
    }
    if version < Version::Go125 && !generation.without_sync {
        clock.tick();
        let time = clock.set(sync.time);
        write(time, vec![frequency], out);
    }
    if !generation.samples.is_empty() {
        let head = Event::new(EventType::CPU_SAMPLES, &[]);
        table(head, generation.samples.clone(), clock, |time, events| write(time, events, out));
    }
    if !generation.without_tables {
        let mut strings = generation.strings.clone();
        let stacks = stacks(generation, &mut strings);
        let head = Event::new(EventType::STACKS, &[]);
        table(head, stacks, clock, |time, events| write(time, events, out));
        let named = |(text, id): (&Vec<u8>, u64)| Event::with_data(EventType::STRING, &[id], text);
        let mut strings: Vec<_> = strings.1.iter().zip(1..).map(named).collect();
        strings.extend(generation.more_strings.iter().cloned());
        let head = Event::new(EventType::STRINGS, &[]);
        table(head, strings, clock, |time, events| write(time, events, out));
    }
    if version >= Version::Go126 && !generation.without_end {
        out.push(Event::new(EventType::END_OF_GENERATION, &[]));
    }
}

/// Writes a table, in as many batches as it needs.
fn table(
    head: Event,
    entries: Vec<Event>,
    clock: &mut Clock,
    mut write: impl FnMut(u64, Vec<Event>),
) {
    let (mut batch, mut size) = (vec![head.clone()], 1);
    for entry in entries {
        size += entry.size();
        batch.push(entry);
        if size > MAX_BATCH_SIZE / 2 {
            write(clock.tick(), std::mem::replace(&mut batch, vec![head.clone()]));
            size = 1;
        }
    }
    write(clock.tick(), batch);
}

/// The entries of the stacks; what their frames are called gets ids last.
fn stacks(generation: &GenerationData, strings: &mut Table<Vec<u8>>) -> Vec<Event> {
    let here = Location::caller();
    let numbered = generation.stacks.1.iter().zip(1..).map(|(frames, id)| (id, frames, here));
    let more = generation.more_stacks.iter().map(|(id, frames, at)| (*id, frames, *at));
    let entry = |(id, frames, at): (u64, &Vec<StackFrame>, _)| {
        let frames: Vec<_> = frames.iter().map(|frame| numbers(frame, strings)).collect();
        Event {
            frames: frames.clone(),
            at,
            ..Event::new(EventType::STACK, &[id, frames.len() as u64])
        }
    };
    numbered.chain(more).map(entry).collect()
}

fn numbers(frame: &StackFrame, strings: &mut Table<Vec<u8>>) -> raw::Frame {
    let mut string = |text: &str| strings.string(text.as_bytes());
    let (func, file) = (string(&frame.func), string(&frame.file));
    raw::Frame { pc: frame.pc, func, file, line: frame.line }
}
