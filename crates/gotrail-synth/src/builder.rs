//! A builder for test traces: generations, batches of a thread at a time, events by their names
//! with typed arguments.
//!
//! Strings and stacks get their ids, batches their sizes, and each generation its frequency, its
//! clocks, its tables and its end. Nothing else is checked: a test trace may be as wrong as its
//! author wants. What cannot be written at all (an event that does not exist, arguments of the
//! wrong number or type) is collected and said when the trace is made, with the line of source
//! that asked for it.

mod args;
mod error;
mod write;

pub use args::{Arg, GoStatus, IntoArgs, NoStack, NoThread, ProcStatus, Raw, Seq, StackFrame};
pub use error::{BuildError, UseError, UseErrorKind};

use crate::{Archive, Expectation};
use args::wanted;
use gotrail::{GoId, ProcId, ThreadId};
use gotrail_format::event::ArgKind;
use gotrail_format::raw::{Accept, push_event};
use gotrail_format::{EventType, Version, text};
use regex::Regex;
use std::cell::RefCell;
use std::panic::Location;
use write::{BatchData, Clock, Event, GenerationData, Item, SyncData};

/// Clock units a second, if nothing else is said: a unit is 64 ns.
const FREQUENCY: u64 = 15_625_000;

/// A trace for tests.
///
/// ```
/// use gotrail_synth::builder::{GoStatus, NoStack, ProcStatus, Seq, TestTrace};
/// use gotrail_synth::{GoId, ProcId, ThreadId, Version};
///
/// let trace = TestTrace::new(Version::Go122);
/// let generation = trace.generation(1);
/// let main = generation.batch(ThreadId(7), 10);
/// main.event("ProcStatus", (ProcId(0), ProcStatus::Running));
/// main.event("GoStatus", (GoId(1), ThreadId(7), GoStatus::Running));
/// main.event("GoBlock", ("sleep", NoStack));
///
/// let archive = trace.to_archive()?.to_text()?;
/// assert!(archive.starts_with(b"-- expect --\nSUCCESS\n-- trace --\nTrace Go1.22\n"));
///
/// // A slip is said when the trace is made, with its place.
/// main.event("GoStart", (Seq(1), GoId(1)));
/// let error = trace.to_bytes().unwrap_err().to_string();
/// assert!(error.ends_with("GoStart: argument g_seq: expected a Seq, found a GoId"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TestTrace {
    inner: RefCell<Inner>,
}

#[derive(Debug)]
struct Inner {
    version: Version,
    comment: String,
    expectation: Expectation,
    frequency: u64,
    clock: Clock,
    items: Vec<Item>,
    generations: Vec<GenerationData>,
    errors: Vec<UseError>,
}

impl TestTrace {
    /// An empty trace, which a reader is expected to read to its end.
    pub fn new(version: Version) -> TestTrace {
        let clock = Clock { on: true, tables_at_zero: false, last: 0 };
        let inner = Inner {
            version,
            comment: String::new(),
            expectation: Expectation::Success,
            frequency: FREQUENCY,
            clock,
            items: Vec::new(),
            generations: Vec::new(),
            errors: Vec::new(),
        };
        TestTrace { inner: RefCell::new(inner) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.borrow_mut())
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.with(|inner| inner.version)
    }

    /// The text in front of the archive's files.
    pub fn comment(&self, text: &str) {
        self.with(|inner| inner.comment = text.to_owned());
    }

    /// A reader is expected to read the trace to its end.
    pub fn expect_success(&self) {
        self.with(|inner| inner.expectation = Expectation::Success);
    }

    /// A reader is expected to fail, with an error that this regular expression matches.
    #[track_caller]
    pub fn expect_failure(&self, pattern: &str) {
        let at = Location::caller();
        self.with(|inner| match Regex::new(pattern) {
            Ok(pattern) => inner.expectation = Expectation::Failure(pattern),
            Err(error) => inner.errors.push(UseError {
                at,
                event: "expect_failure".into(),
                argument: None,
                kind: error.into(),
            }),
        });
    }

    /// From now on no time passes: events come 0 units after each other, and batches have time 0.
    /// Explicit times of events and those of raw events stay.
    pub fn disable_timestamps(&self) {
        self.with(|inner| inner.clock.on = false);
    }

    /// Gives the batches of tables and of frequencies, which the builder writes by itself, the
    /// time 0 instead of the next one: as the archives have it that Go 1.22's generator made.
    pub fn tables_at_time_zero(&self) {
        self.with(|inner| inner.clock.tables_at_zero = true);
    }

    /// The clock units a second of the generations that begin after this; 15,625,000 at first.
    pub fn frequency(&self, freq: u64) {
        self.with(|inner| inner.frequency = freq);
    }

    /// Begins a generation. Generations are written in the order in which they were begun, each
    /// with its batches, however its events were interleaved with those of others.
    pub fn generation(&self, number: u64) -> Generation<'_> {
        let index = self.with(|inner| {
            let sync = SyncData { freq: inner.frequency, ..SyncData::default() };
            inner.generations.push(GenerationData { number, sync, ..GenerationData::default() });
            let index = inner.generations.len() - 1;
            inner.items.push(Item::Generation(index));
            index
        });
        Generation { trace: self, index }
    }

    /// Writes an event outside of any generation, between those that were begun before and after.
    #[track_caller]
    pub fn raw_event(&self, event: EventType, args: &[u64]) {
        let event = Event::new(event, args);
        self.with(|inner| inner.items.push(Item::Raw(event)));
    }

    /// The trace in bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BuildError> {
        self.write(Accept::All, |version| version.header().to_vec(), push_event)
    }

    /// The trace with its expectation and comment as an archive.
    pub fn to_archive(&self) -> Result<Archive, BuildError> {
        let header = |version| {
            let mut text = Vec::new();
            text::write_header(&mut text, version);
            text
        };
        let trace = self.write(Accept::Reference, header, |out, event| {
            text::write_event(out, event, text::Mode::Exact);
        })?;
        self.with(|inner| {
            let mut archive = Archive::new(inner.expectation.clone(), trace);
            archive.comment = inner.comment.clone().into_bytes();
            Ok(archive)
        })
    }

    /// Writes all events, or says all that is wrong. Writing it again gives the same.
    fn write(
        &self,
        accept: Accept,
        header: impl FnOnce(Version) -> Vec<u8>,
        mut write: impl FnMut(&mut Vec<u8>, &gotrail_format::raw::RawEvent<'_>),
    ) -> Result<Vec<u8>, BuildError> {
        let (version, events, mut errors) =
            self.with(|inner| (inner.version, inner.events(), inner.errors.clone()));
        let mut out = header(version);
        for event in &events {
            match event.raw() {
                Ok(_) if !accept.accepts(event.event, version) => {
                    errors.push(event.error(UseErrorKind::NotInArchives(version)));
                }
                Ok(raw) => write(&mut out, &raw),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(out) } else { Err(BuildError(errors)) }
    }
}

impl Inner {
    fn events(&self) -> Vec<Event> {
        let mut clock = self.clock;
        let mut out = Vec::new();
        for item in &self.items {
            match item {
                Item::Raw(event) => out.push(event.clone()),
                Item::Generation(index) => {
                    write::generation(
                        &self.generations[*index],
                        self.version,
                        &mut clock,
                        &mut out,
                    );
                }
            }
        }
        out
    }

    fn fail(
        &mut self,
        at: &'static Location<'static>,
        event: &str,
        argument: Option<&'static str>,
        kind: UseErrorKind,
    ) {
        self.errors.push(UseError { at, event: event.to_owned(), argument, kind });
    }
}

/// A generation of a test trace.
#[derive(Debug, Clone, Copy)]
pub struct Generation<'t> {
    trace: &'t TestTrace,
    index: usize,
}

impl<'t> Generation<'t> {
    fn with<T>(self, work: impl FnOnce(&mut GenerationData) -> T) -> T {
        self.trace.with(|inner| work(&mut inner.generations[self.index]))
    }

    /// Begins a batch of a thread. Batches are written in the order in which they were begun;
    /// events can be added to any of them at any time.
    pub fn batch(self, thread: impl Into<ThreadId>, time: u64) -> Batch<'t> {
        self.push(thread.into(), time, false)
    }

    /// A batch of an experiment.
    #[track_caller]
    pub fn experimental_batch(
        self,
        experiment: u8,
        thread: impl Into<ThreadId>,
        time: u64,
        data: &[u8],
    ) {
        let thread = thread.into();
        let number = self.with(|generation| generation.number);
        let batch = self.push(thread, time, true);
        let args = [experiment.into(), number, thread.0 as u64, time];
        batch.add(Event::with_data(EventType::EXPERIMENTAL_BATCH, &args, data));
    }

    fn push(self, thread: ThreadId, time: u64, experimental: bool) -> Batch<'t> {
        let batch = self.trace.with(|inner| {
            let time = if inner.clock.on { time } else { 0 };
            if inner.clock.on {
                inner.clock.last = time;
            }
            let batches = &mut inner.generations[self.index].batches;
            let events = Vec::new();
            batches.push(BatchData { thread, time, events, claim: None, experimental });
            batches.len() - 1
        });
        Batch { generation: self, index: batch }
    }

    /// The id of a string, which is in the generation's table from now on; 0 for no text.
    pub fn string(self, text: &str) -> u64 {
        self.with(|generation| generation.string(text.as_bytes()))
    }

    /// The id of a stack, which is in the generation's table from now on; 0 for no frames.
    pub fn stack(self, frames: &[StackFrame]) -> u64 {
        self.with(|generation| generation.stack(frames))
    }

    /// Defines a string under an id of one's own, whether or not it is taken.
    #[track_caller]
    pub fn string_with_id(self, id: u64, text: &str) {
        let event = Event::with_data(EventType::STRING, &[id], text.as_bytes());
        self.with(|generation| generation.more_strings.push(event));
    }

    /// Defines a stack under an id of one's own, whether or not it is taken.
    #[track_caller]
    pub fn stack_with_id(self, id: u64, frames: &[StackFrame]) {
        let stack = (id, frames.to_vec(), Location::caller());
        self.with(|generation| generation.more_stacks.push(stack));
    }

    /// A sample of the CPU profiler, at an absolute time.
    #[track_caller]
    pub fn cpu_sample(
        self,
        time: u64,
        thread: ThreadId,
        proc: ProcId,
        go: GoId,
        stack: &[StackFrame],
    ) {
        let stack = self.stack(stack);
        let args = [time, thread.0 as u64, proc.0 as u64, go.0 as u64, stack];
        let event = Event::new(EventType::CPU_SAMPLE, &args);
        self.with(|generation| generation.samples.push(event));
    }

    /// The frequency, and the time of the batch that says it; from 1.25 on that of the snapshot
    /// of the clocks, which are all 0 then.
    pub fn sync(self, freq: u64, time: u64) {
        self.with(|generation| generation.sync = SyncData { freq, time, ..SyncData::default() });
    }

    /// The same with clocks, from 1.25 on: the monotonic clock in nanoseconds, and seconds and
    /// nanoseconds of the wall clock.
    #[track_caller]
    pub fn sync_with_clocks(self, freq: u64, time: u64, mono: u64, wall: (i64, u64)) {
        let at = Location::caller();
        self.with(|generation| generation.sync = SyncData { freq, time, mono, wall });
        self.trace.with(|inner| {
            if inner.version < Version::Go125 {
                inner.fail(at, "sync_with_clocks", None, UseErrorKind::NoClocks);
            }
        });
    }

    /// Leaves the batch with frequency and clocks out.
    pub fn without_sync(self) {
        self.with(|generation| generation.without_sync = true);
    }

    /// Leaves the tables of stacks and strings out.
    pub fn without_tables(self) {
        self.with(|generation| generation.without_tables = true);
    }

    /// Leaves the end of the generation out, which is written from 1.26 on.
    pub fn without_end(self) {
        self.with(|generation| generation.without_end = true);
    }
}

/// A batch of a test trace.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'t> {
    generation: Generation<'t>,
    index: usize,
}

impl Batch<'_> {
    fn add(self, event: Event) {
        self.generation.with(|generation| generation.batches[self.index].events.push(event));
    }

    /// Adds an event, one clock unit after the one before (0, if times are disabled). The
    /// arguments are a tuple, without the time.
    #[track_caller]
    pub fn event(self, name: &str, args: impl IntoArgs) -> Self {
        self.named(Location::caller(), name, None, args.into_args())
    }

    /// Adds an event that many clock units after the one before. Times go backwards if it is
    /// so large that they overflow.
    #[track_caller]
    pub fn event_after(self, dt: u64, name: &str, args: impl IntoArgs) -> Self {
        self.named(Location::caller(), name, Some(dt), args.into_args())
    }

    /// Adds an event with all its arguments as numbers, the time included.
    #[track_caller]
    pub fn raw_event(self, event: EventType, args: &[u64]) -> Self {
        self.add(Event::new(event, args));
        self
    }

    /// Adds an event with data: a string.
    #[track_caller]
    pub fn raw_data(self, event: EventType, args: &[u64], data: &[u8]) -> Self {
        self.add(Event::with_data(event, args, data));
        self
    }

    /// Lets the head of the batch claim this size.
    pub fn claim_size(self, size: u64) -> Self {
        self.generation.with(|generation| generation.batches[self.index].claim = Some(size));
        self
    }

    fn named(
        self,
        at: &'static Location<'static>,
        name: &str,
        dt: Option<u64>,
        args: Vec<Arg>,
    ) -> Self {
        let checked = self.numbers(name, dt, args);
        self.generation.trace.with(|inner| match checked {
            Ok((event, args)) => {
                let event = Event { at, ..Event::new(event, &args) };
                let generation = &mut inner.generations[self.generation.index];
                generation.batches[self.index].events.push(event);
            }
            Err(errors) => {
                for (argument, kind) in errors {
                    inner.fail(at, name, argument, kind);
                }
            }
        });
        self
    }

    /// Which event this is, with its arguments as numbers, or all that is wrong with it.
    #[expect(clippy::type_complexity, reason = "it is taken apart where it is made")]
    fn numbers(
        self,
        name: &str,
        dt: Option<u64>,
        args: Vec<Arg>,
    ) -> Result<(EventType, Vec<u64>), Vec<(Option<&'static str>, UseErrorKind)>> {
        let one = |kind| vec![(None, kind)];
        let spec = EventType::from_name(name).and_then(EventType::spec);
        let spec = spec.ok_or_else(|| one(UseErrorKind::UnknownEvent))?;
        self.generation.trace.with(|inner| {
            let version = inner.version;
            if spec.since > version {
                return Err(one(UseErrorKind::NotInVersion { version, since: spec.since }));
            }
            let names = &spec.args[usize::from(spec.is_timed())..];
            if args.len() != names.len() {
                return Err(one(UseErrorKind::Count { expected: names, found: args.len() }));
            }
            let mut errors = Vec::new();
            for (&name, arg) in names.iter().zip(&args) {
                let kind = ArgKind::of(name);
                if !arg.is(kind) {
                    let (expected, found) = (wanted(kind), arg.type_name());
                    errors.push((Some(name), UseErrorKind::Type { expected, found }));
                }
            }
            if dt.is_some() && !spec.is_timed() {
                errors.push((None, UseErrorKind::NotTimed));
            }
            if !errors.is_empty() {
                return Err(errors);
            }
            let mut numbers = Vec::with_capacity(spec.args.len());
            if spec.is_timed() {
                let dt = dt.unwrap_or(u64::from(inner.clock.on));
                inner.clock.last = inner.clock.last.wrapping_add(dt);
                numbers.push(dt);
            }
            let generation = &mut inner.generations[self.generation.index];
            numbers.extend(args.into_iter().map(|arg| match arg {
                Arg::Go(id) => id.0 as u64,
                Arg::Proc(id) => id.0 as u64,
                Arg::Thread(id) => id.0 as u64,
                Arg::Task(id) => id.0,
                Arg::Seq(seq) => seq.0,
                Arg::ProcStatus(status) => status as u64,
                Arg::GoStatus(status) => status as u64,
                Arg::String(text) => generation.string(&text),
                Arg::Stack(frames) => generation.stack(&frames),
                Arg::Value(value) | Arg::Raw(value) => value,
            }));
            Ok((spec.event, numbers))
        })
    }
}

#[cfg(test)]
mod tests;
