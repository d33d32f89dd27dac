//! A builder for test traces: generations, batches of a thread at a time, events by their names
//! with typed arguments.
//!
//! Strings and stacks get their ids, batches their sizes, and each generation its frequency, its
//! clocks, its tables and its end. Nothing else is checked: a test trace may be as wrong as its
//! author wants. What cannot be written at all (an event that does not exist, arguments of the
//! wrong number or type) is collected and said when the trace is made, with the line of source
//! that asked for it.

mod args;
mod batch;
mod error;
mod generation;
mod write;

pub use args::{Arg, GoStatus, IntoArgs, NoStack, NoThread, ProcStatus, Raw, Seq, StackFrame};
pub use batch::Batch;
pub use error::{BuildError, UseError, UseErrorKind};
pub use generation::Generation;

use crate::{Archive, Expectation};
use gotrail_format::raw::{Accept, push_event};
use gotrail_format::{EventType, Version, text};
use regex::Regex;
use std::cell::RefCell;
use std::panic::Location;
use write::{Clock, Event, GenerationData, Item, SyncData};

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
        self.write(|_, _| true, |version| version.header().to_vec(), push_event)
    }

    /// The trace with its expectation and comment as an archive.
    pub fn to_archive(&self) -> Result<Archive, BuildError> {
        let header = |version| {
            let mut text = Vec::new();
            text::write_header(&mut text, version);
            text
        };
        // Events without a name have no text that the reference could read.
        let has_text = |event: EventType, version| {
            event.spec().is_some() && Accept::Reference.accepts(event, version)
        };
        let trace = self.write(has_text, header, |out, event| {
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
        can_hold: impl Fn(EventType, Version) -> bool,
        header: impl FnOnce(Version) -> Vec<u8>,
        mut write: impl FnMut(&mut Vec<u8>, &gotrail_format::raw::RawEvent<'_>),
    ) -> Result<Vec<u8>, BuildError> {
        let (version, events, mut errors) =
            self.with(|inner| (inner.version, inner.events(), inner.errors.clone()));
        let mut out = header(version);
        for event in &events {
            match event.raw() {
                Ok(_) if !can_hold(event.event, version) => {
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

#[cfg(test)]
mod tests;
