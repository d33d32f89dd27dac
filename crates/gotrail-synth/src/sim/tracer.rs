//! The tracer: each thread's buffer, and the batches and tables of a generation.
//!
//! As in Go's runtime, a full buffer becomes a batch at once, and the others when the generation
//! ends; so only a generation's strings, stacks and samples are held, never its events.

use super::clock::{Clock, FREQUENCY};
use super::faults::{Fault, Faults};
use super::tables::{Mentioned, Name, Program, Site};
use super::{Config, GoRelease};
use gotrail_format::{EventType, MAX_BATCH_SIZE, varint};
use std::io::{self, Write};

/// The buffer of what no thread writes: statuses of silent goroutines.
pub(super) const NO_THREAD: usize = 0;

/// A full payload: a little less than what is possible, as the runtime's buffers hold the header too.
const FULL: usize = MAX_BATCH_SIZE as usize - 128;

/// Buffers of threads that are quiet for a generation are given back if they are larger.
const KEEP: usize = 4 << 10;

pub(super) struct Tracer<W> {
    out: W,
    release: GoRelease,
    pub(super) clock: Clock,
    pub(super) program: Program,
    mentioned: Mentioned,
    buffers: Vec<Buffer>,
    samples: Vec<u8>,
    /// The number of the generation, from 1 on.
    pub(super) generation: u64,
    /// Added to the numbers that are written.
    skipped: u64,
    /// Events so far, and those of the generation.
    pub(super) events: u64,
    pub(super) generation_events: u64,
    bytes: u64,
    pub(super) faults: Faults,
    /// After a failure nothing more is written.
    failure: Option<io::Error>,
    header: Vec<u8>,
    /// This is the last generation, and it ends.
    last: bool,
    /// The file ends here, whatever is written.
    cut: bool,
}

/// A thread's events that are not written yet.
#[derive(Debug)]
struct Buffer {
    thread: u64,
    offset: i64,
    payload: Vec<u8>,
    /// The time of the batch, and the last one that the thread wrote.
    began: u64,
    last: u64,
    /// The number of the batch.
    number: u64,
    /// Another batch has an event that cannot happen without this one.
    needed: bool,
}

/// A batch: its thread's place, and which one of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct BatchRef {
    thread: usize,
    number: u64,
}

impl<W: Write> Tracer<W> {
    pub(super) fn new(config: &Config, out: W, program: Program) -> Tracer<W> {
        let mut tracer = Tracer {
            out,
            release: config.go,
            clock: Clock::new(config),
            program,
            mentioned: Mentioned::default(),
            buffers: Vec::new(),
            samples: Vec::new(),
            generation: 1,
            skipped: 0,
            events: 0,
            generation_events: 0,
            bytes: 0,
            faults: Faults::new(config.fault),
            failure: None,
            header: Vec::new(),
            last: false,
            cut: false,
        };
        tracer.add_thread(NO_THREAD, u64::MAX, 0);
        tracer.write(&config.go.version().header());
        tracer
    }

    /// Makes room for a thread at a new place, or that of one that is gone.
    pub(super) fn add_thread(&mut self, place: usize, thread: u64, offset: i64) {
        let (payload, began, last) = (Vec::new(), 0, 0);
        let (number, needed) = (1, false);
        let mut buffer = Buffer { thread, offset, payload, began, last, number, needed };
        match self.buffers.get_mut(place) {
            Some(gone) => {
                buffer.number = gone.number + 1;
                *gone = buffer;
            }
            None => self.buffers.push(buffer),
        }
    }

    /// A thread ends. What it has written comes before what another with its id will write.
    pub(super) fn remove_thread(&mut self, place: usize) {
        self.flush(place);
    }

    /// Writes an event of a thread; its arguments without the time. Returns nothing: failures are
    /// kept until the end.
    #[inline]
    pub(super) fn event(&mut self, thread: usize, event: EventType, args: &[u64], passes: u64) {
        let buffer = &mut self.buffers[thread];
        let time = self.clock.read(passes, buffer.offset, buffer.last);
        if buffer.payload.is_empty() {
            // The header was written a moment before.
            buffer.began = time - 1;
            buffer.last = time - 1;
        }
        buffer.payload.push(event.0);
        varint::push(&mut buffer.payload, time - buffer.last);
        buffer.last = time;
        for &arg in args {
            varint::push(&mut buffer.payload, arg);
        }
        self.events += 1;
        self.generation_events += 1;
        if buffer.payload.len() >= FULL {
            self.flush(thread);
        }
    }

    /// A CPU sample, taken by the clock of a thread.
    pub(super) fn sample(&mut self, thread: usize, [m, p, g]: [u64; 3], site: Site) {
        let offset = self.buffers[thread].offset;
        let time = self.clock.read(1, offset, 0);
        let stack = self.mentioned.stack(site);
        self.samples.push(EventType::CPU_SAMPLE.0);
        for number in [time, m, p, g, stack] {
            varint::push(&mut self.samples, number);
        }
        self.events += 1;
        self.generation_events += 1;
        if self.samples.len() >= FULL {
            self.flush_samples();
        }
    }

    /// The batch that the thread writes now.
    pub(super) fn batch(&self, thread: usize) -> BatchRef {
        BatchRef { thread, number: self.buffers[thread].number }
    }

    /// What the thread writes now cannot happen without a batch, which may be written already.
    #[inline]
    pub(super) fn needs(&mut self, thread: usize, batch: BatchRef) {
        let buffer = &mut self.buffers[batch.thread];
        buffer.needed |= batch.thread != thread && batch.number == buffer.number;
    }

    /// The id of a string in this generation.
    #[inline]
    pub(super) fn string(&mut self, name: Name) -> u64 {
        let before = self.mentioned.strings.len();
        let id = self.mentioned.name(&self.program, name);
        if self.mentioned.strings.len() != before {
            self.strings_grew(before);
        }
        id
    }

    /// The id of a string that is not looked for among the others.
    pub(super) fn unique_string(&mut self, text: &str) -> u64 {
        let before = self.mentioned.strings.len();
        let id = self.mentioned.unique(text);
        self.strings_grew(before);
        id
    }

    /// The id of a stack in this generation.
    #[inline]
    pub(super) fn stack(&mut self, site: Site) -> u64 {
        self.mentioned.stack(site)
    }

    fn strings_grew(&mut self, before: usize) {
        if self.faults.strikes(Fault::MissingString) {
            self.mentioned.strings.truncate(before);
        } else if self.faults.strikes(Fault::DoubledString) {
            self.mentioned.strings.extend_from_within(before..);
        }
        if self.mentioned.strings.len() >= FULL - 2048 {
            self.flush_strings();
        }
    }

    /// The generation begins; it is so late by the other clocks, in nanoseconds.
    pub(super) fn begin(&mut self, wall: u64) {
        if self.release.has_snapshots() {
            self.write_sync(wall);
        }
    }

    /// Ends the generation; the next one has to begin, unless the trace ends with it.
    pub(super) fn end_generation(&mut self, wall: u64, last: bool) {
        self.last = last;
        for thread in 0..self.buffers.len() {
            let quiet = self.buffers[thread].payload.is_empty();
            self.flush(thread);
            let buffer = &mut self.buffers[thread];
            if quiet && buffer.payload.capacity() > KEEP {
                buffer.payload = Vec::new();
            }
        }
        self.flush_samples();
        if !self.release.has_snapshots() {
            self.write_sync(wall);
        }
        self.flush_stacks();
        self.flush_strings();
        let ends = last || !self.faults.strikes(Fault::MissingEnd);
        if ends && self.release.has_end_marks() {
            self.write(&[EventType::END_OF_GENERATION.0]);
        }
        self.mentioned.clear();
        self.generation_events = 0;
        if !last {
            self.generation += 1;
            if self.faults.strikes(Fault::SkippedGeneration) {
                self.skipped += 1;
            }
        }
    }

    /// What was written, or why not.
    pub(super) fn finish(mut self) -> io::Result<(u64, u64)> {
        if self.failure.is_none() {
            self.failure = self.out.flush().err();
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok((self.bytes, self.faults.made)),
        }
    }

    pub(super) fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The clock's frequency and, from Go 1.25 on, what the other clocks showed at the same time.
    fn write_sync(&mut self, wall: u64) {
        if self.faults.strikes(Fault::MissingFrequency) {
            return;
        }
        let mut payload = Vec::new();
        if self.release.has_snapshots() {
            payload.push(EventType::SYNC.0);
        }
        payload.push(EventType::FREQUENCY.0);
        varint::push(&mut payload, FREQUENCY);
        if self.release.has_snapshots() {
            payload.push(EventType::CLOCK_SNAPSHOT.0);
            let nanos = 1_000_000_000;
            for number in [1, wall, 1_700_000_000 + wall / nanos, wall % nanos] {
                varint::push(&mut payload, number);
            }
        }
        self.write_table(&payload);
    }

    fn flush_samples(&mut self) {
        let samples = std::mem::take(&mut self.samples);
        self.samples = self.flush_entries(EventType::CPU_SAMPLES, samples);
    }

    fn flush_strings(&mut self) {
        let strings = std::mem::take(&mut self.mentioned.strings);
        self.mentioned.strings = self.flush_entries(EventType::STRINGS, strings);
    }

    fn flush_stacks(&mut self) {
        let mut payload = Vec::new();
        for at in 0..self.mentioned.stack_count() {
            let before = payload.len();
            self.mentioned.push_stack(&self.program, at, &mut payload);
            if self.faults.strikes(Fault::MissingStack) {
                payload.truncate(before);
            }
            if self.mentioned.strings.len() >= FULL - 4096 {
                self.flush_strings();
            }
            if payload.len() >= FULL - 4096 {
                payload = self.flush_entries(EventType::STACKS, payload);
            }
        }
        self.flush_entries(EventType::STACKS, payload);
    }

    /// Writes a batch of a table if it has entries; gives the emptied buffer back.
    fn flush_entries(&mut self, kind: EventType, mut entries: Vec<u8>) -> Vec<u8> {
        if !entries.is_empty() {
            entries.insert(0, kind.0);
            self.write_table(&entries);
            entries.clear();
        }
        entries
    }

    fn write_table(&mut self, payload: &[u8]) {
        self.write_batch(u64::MAX, self.clock.now, payload);
    }

    /// Writes a thread's events as a batch, if there are any.
    fn flush(&mut self, thread: usize) {
        let buffer = &mut self.buffers[thread];
        if buffer.payload.is_empty() {
            return;
        }
        let payload = std::mem::take(&mut buffer.payload);
        let (id, began) = (buffer.thread, buffer.began);
        buffer.number += 1;
        // Some batches hold nothing that anybody would miss.
        let needed = std::mem::take(&mut buffer.needed);
        let cut = self.last && self.faults.strikes(Fault::CutShort);
        if !(needed && self.faults.strikes(Fault::LostBatch)) {
            self.write_part(
                id,
                began,
                &payload,
                if cut { payload.len() / 2 } else { payload.len() },
            );
            self.cut |= cut;
        }
        if needed && self.faults.strikes(Fault::DoubledBatch) {
            self.write_batch(id, began, &payload);
        }
        let mut payload = payload;
        payload.clear();
        self.buffers[thread].payload = payload;
    }

    fn write_batch(&mut self, thread: u64, time: u64, payload: &[u8]) {
        self.write_part(thread, time, payload, payload.len());
    }

    /// Writes a batch of which only the first bytes are there.
    fn write_part(&mut self, thread: u64, time: u64, payload: &[u8], there: usize) {
        let mut size = payload.len() as u64;
        if self.faults.strikes(Fault::OversizedBatch) {
            size += MAX_BATCH_SIZE;
        }
        let mut header = std::mem::take(&mut self.header);
        header.clear();
        header.push(EventType::EVENT_BATCH.0);
        for number in [self.generation + self.skipped, thread, time, size] {
            varint::push(&mut header, number);
        }
        self.write(&header);
        self.write(&payload[..there]);
        self.header = header;
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.failure.is_some() || self.cut {
            return;
        }
        self.bytes += bytes.len() as u64;
        self.failure = self.out.write_all(bytes).err();
    }
}
