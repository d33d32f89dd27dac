//! Cuts a trace into generations.
//!
//! Only batch headers and the tables are read here; the events themselves stay bytes. Before
//! format 1.26 a generation ends where a batch of the next one begins, and what is wrong with
//! that batch shows only after the generation; from 1.26 on an event ends it.
//!
//! A strict collector stops at the first error. A lenient one drops what is damaged, notes it,
//! finds the next batch that makes sense and goes on.

use crate::clock::{ClockSnapshot, Frequency};
use crate::cursor::Tail;
use crate::error::{Error, Fault, Place};
use crate::generation::{Batch, ExperimentPiece, Generation, NO_BATCH, ThreadBatches};
use crate::input::Input;
use crate::old;
use crate::report::{Loss, Report};
use crate::tables::{Numbers, Tables};
use crate::{ThreadId, Time};
use gotrail_format::batch::{self, BatchHeader, Content, Header};
use gotrail_format::event::{NOT_TIMED, TIMED_ARGS};
use gotrail_format::{EventType, MAX_BATCH_SIZE, Version, varint};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// More than the longest batch header.
const HEADER_ROOM: usize = 64;

pub(crate) struct Collector<'t> {
    input: Input<'t>,
    version: Version,
    /// Where the input's window begins in the trace.
    offset: u64,
    /// What comes after the generation that was just returned, if that is known already.
    after: Option<Next<'t>>,
    /// Where lenient collectors note what they drop.
    losses: Option<Report>,
    /// The frequency of the last generation: a substitute for one that was lost.
    frequency: Option<Frequency>,
}

/// What comes next in a trace.
pub(crate) enum Next<'t> {
    Generation(Box<Generation<'t>>),
    /// The rest cannot be read.
    Broken(Error),
    End,
}

impl<'t> Collector<'t> {
    /// A collector for the input behind the header, which took `offset` bytes.
    pub(crate) fn new(input: Input<'t>, version: Version, offset: u64, lenient: bool) -> Self {
        let losses = lenient.then(Report::default);
        Collector { input, version, offset, after: None, losses, frequency: None }
    }

    /// What was lost since the last call.
    pub(crate) fn take_losses(&mut self) -> Report {
        self.losses.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// How far the trace was read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes there are to come, if that is known.
    pub(crate) fn bytes_left(&self) -> Option<u64> {
        self.input.left()
    }

    /// Whether it is known already that the last generation was the last.
    pub(crate) fn is_at_end(&self) -> bool {
        matches!(self.after, Some(Next::End))
    }

    pub(crate) fn next(&mut self) -> Next<'t> {
        if let Some(next) = self.after.take() {
            return next;
        }
        if !self.version.has_generations() {
            return self.next_old();
        }
        let mut draft = Draft::default();
        let mut at = 0;
        loop {
            match self.next_batch(at) {
                Ok(Step::End) => return self.at_end(draft, at),
                Ok(Step::EndOfGeneration) if self.version >= Version::Go126 => {
                    if self.losses.is_some() && draft.is_empty() {
                        // An end without a generation before it.
                        let error = self.error(Fault::NoFrequency, at, &draft);
                        self.drop_range(at..at + 1, &error);
                        at += 1;
                        continue;
                    }
                    return self.finish(draft, at, 1);
                }
                Ok(Step::EndOfGeneration) => {
                    let error = self.error(Fault::GenerationZero, at, &draft);
                    if !self.drop_range(at..at + 1, &error) {
                        return Next::Broken(error);
                    }
                    at += 1;
                }
                Ok(Step::Batch(header, payload)) => {
                    let payload = self.true_payload(at, &header, payload, &draft);
                    match self.place_batch(&mut draft, at, &header, payload.clone()) {
                        Ok(Placed::Here) => at = payload.end,
                        Ok(Placed::Next) => return self.finish(draft, at, 0),
                        Ok(Placed::End) => return self.finish(draft, at, payload.end - at),
                        Err(error) => {
                            if let (Fault::EntryCutOff(_), None) = (error.fault(), &self.losses) {
                                // A clean end, says the reference, and so a strict reader.
                                return self.end_without_generation(draft, at);
                            }
                            // Good batches may lie within what is taken for this one.
                            let end = match &self.losses {
                                Some(_) => self.find_batch(at + 1, draft.number).min(payload.end),
                                None => payload.end,
                            };
                            if !self.drop_range(at..end, &error) {
                                return Next::Broken(error);
                            }
                            at = end;
                        }
                    }
                }
                Err(fault) => {
                    let error = self.error(fault, at, &draft);
                    if self.losses.is_some() {
                        let found = self.find_batch(at + 1, draft.number);
                        self.drop_range(at..found, &error);
                        at = found;
                    } else if self.version < Version::Go126 && draft.number != 0 {
                        // It may be the next generation that is broken: this one comes first.
                        let next = self.finish(draft, at, 0);
                        if matches!(next, Next::Generation(_)) {
                            self.after = Some(Next::Broken(error));
                        }
                        return next;
                    } else {
                        return Next::Broken(error);
                    }
                }
            }
        }
    }

    /// A trace without generations is one: all of it.
    fn next_old(&mut self) -> Next<'t> {
        self.after = Some(Next::End);
        let len = match self.input.window(0, usize::MAX) {
            Ok(all) => all.len(),
            Err(failed) => {
                let len = self.input.seen().len();
                let error = self.error(Fault::Io(failed), len, &Draft::default());
                if !self.drop_range(len..len, &error) {
                    return Next::Broken(error);
                }
                len
            }
        };
        let (data, offset) = (self.input.take(len), self.offset);
        self.offset += len as u64;
        match old::load(data, self.version, offset, self.losses.as_mut()) {
            Ok(Some(generation)) => Next::Generation(generation),
            Ok(None) => Next::End,
            Err(error) => Next::Broken(error),
        }
    }

    /// The input ends between two batches.
    fn at_end(&mut self, draft: Draft, at: usize) -> Next<'t> {
        if self.version < Version::Go126 {
            if self.losses.is_some() && draft.number == 0 {
                if self.frequency.is_none() {
                    // Not one generation: a strict reader says the same.
                    let error = self.error(Fault::NoFrequency, at, &draft);
                    self.drop_range(at..at, &error);
                }
                return Next::End;
            }
            let next = self.finish(draft, at, 0);
            if matches!(next, Next::Generation(_)) {
                self.after = Some(Next::End);
            }
            return next;
        }
        if draft.threads.is_empty() {
            return self.end_without_generation(draft, at);
        }
        let error = self.error(Fault::Incomplete, at, &draft);
        if !self.drop_range(at..at, &error) {
            return Next::Broken(error);
        }
        self.after = Some(Next::End);
        self.finish(draft, at, 0)
    }

    /// The trace ends and what was collected is no generation, but must be sound.
    fn end_without_generation(&mut self, mut draft: Draft, at: usize) -> Next<'t> {
        let (_, strings) = draft.tables.finish_strings();
        let (_, stacks) = draft.tables.stacks.finish();
        if let Some(fault) = strings.or(stacks) {
            let error = self.error(fault, at, &draft);
            if !self.drop_range(at..at, &error) {
                return Next::Broken(error);
            }
        }
        Next::End
    }

    /// Reads the header at `at`, whatever comes behind it.
    fn next_header(&mut self, at: usize) -> Result<(), Fault> {
        let window = self.input.window(at, HEADER_ROOM)?;
        if !window.is_empty() {
            batch::read_header(window)?;
        }
        Ok(())
    }

    /// Reads the header at `at` and makes sure that the whole batch is there.
    fn next_batch(&mut self, at: usize) -> Result<Step, Fault> {
        let window = self.input.window(at, HEADER_ROOM)?;
        if window.is_empty() {
            return Ok(Step::End);
        }
        match batch::read_header(window) {
            // The reference takes this for the end of the trace.
            Err(batch::HeaderError::CutOffExperiment) if self.losses.is_none() => Ok(Step::End),
            Err(error) => Err(error.into()),
            Ok((Header::EndOfGeneration, _)) => Ok(Step::EndOfGeneration),
            Ok((Header::Batch(header), len)) => {
                let have = self.input.window(at + len, header.size)?.len();
                if have < header.size {
                    return Err(Fault::BatchCutOff { need: header.size, have });
                }
                let start = at + len;
                Ok(Step::Batch(header, start..start + header.size))
            }
        }
    }

    /// Adds a batch to the draft, unless it begins the next generation.
    fn place_batch(
        &mut self,
        draft: &mut Draft,
        at: usize,
        header: &BatchHeader,
        payload: Range<usize>,
    ) -> Result<Placed, Error> {
        let found = header.generation;
        if self.version >= Version::Go126 && self.holds_end(header, &payload) {
            if draft.number == 0 {
                draft.number = found;
            }
            return Ok(Placed::End);
        }
        if found == 0 {
            return Err(self.error(Fault::GenerationZero, at, draft));
        }
        if draft.number == 0 {
            draft.number = found;
        }
        if found != draft.number {
            let follows = self.version < Version::Go126 && found == draft.number.wrapping_add(1);
            let error =
                self.error(Fault::GenerationsMixed { current: draft.number, found }, at, draft);
            // Leniently, a later generation begins even if the end of this one is missing; but a
            // damaged number in one batch begins nothing.
            if self.losses.is_none() || found < draft.number {
                return if follows { Ok(Placed::Next) } else { Err(error) };
            }
            let goes_back = matches!(self.next_batch(payload.end),
                Ok(Step::Batch(next, _)) if next.generation == draft.number);
            if follows && !goes_back {
                return Ok(Placed::Next);
            }
            if self.is_chain(at, 2, draft.number) && self.drop_range(at..at, &error) {
                return Ok(Placed::Next);
            }
            return Err(error);
        }
        if draft.min_time == 0 || header.time < draft.min_time {
            draft.min_time = header.time;
        }
        draft.add(self.input.seen(), self.version, header, payload).map_err(|(fault, at)| {
            let place = Place {
                offset: Some(self.offset + at as u64),
                generation: Some(draft.number),
                thread: ThreadId(header.thread as i64).some(),
                event: None,
            };
            Error::new(fault, place)
        })?;
        Ok(Placed::Here)
    }

    fn holds_end(&self, header: &BatchHeader, payload: &Range<usize>) -> bool {
        let payload = &self.input.seen()[payload.clone()];
        Content::of(header.experiment, payload, self.version) == Content::EndOfGeneration
    }

    /// Makes the draft, which takes the first `len` bytes, a generation; `skip` more end it.
    fn finish(&mut self, mut draft: Draft, len: usize, skip: usize) -> Next<'t> {
        if let Err(fault) = self.complete(&mut draft) {
            let error = self.error(fault, len, &draft);
            if !self.drop_range(len..len, &error) {
                return Next::Broken(error);
            }
        }
        let frequency = draft.frequency.or(self.frequency).unwrap_or(Frequency::USUAL);
        self.frequency = Some(frequency);
        let samples = draft.tables.finish_samples(frequency);
        let (strings, repeated_string) = draft.tables.finish_strings();
        let (stacks, repeated_stack) = draft.tables.stacks.finish();
        for fault in
            [repeated_string, repeated_stack, stacks.check(self.input.seen(), &strings).err()]
        {
            let Some(fault) = fault else { continue };
            let error = self.error(fault, len, &draft);
            if !self.drop_range(len..len, &error) {
                return Next::Broken(error);
            }
        }
        let clock = draft.clock.map(|clock| {
            let trace = Time(frequency.nanos(clock.time));
            ClockSnapshot::new(trace, clock.mono, clock.seconds, clock.nanos)
        });
        let data = self.input.take(len);
        let generation = Generation {
            tail: Tail::of(&data),
            data,
            offset: self.offset,
            version: self.version,
            number: draft.number,
            frequency,
            clock,
            min_time: draft.min_time,
            strings,
            stacks,
            samples,
            threads: draft.threads,
            batches: draft.batches,
            flawless: false,
            experiments: draft.experiments,
            old: None,
        };
        self.input.skip(skip);
        self.offset += (len + skip) as u64;
        Next::Generation(Box::new(generation))
    }

    fn complete(&self, draft: &mut Draft) -> Result<(), Fault> {
        if draft.frequency.is_none() {
            return Err(Fault::NoFrequency);
        }
        if self.version >= Version::Go125 && draft.clock.is_none() {
            return Err(Fault::NoClockSnapshot);
        }
        Ok(())
    }

    fn error(&self, fault: Fault, at: usize, draft: &Draft) -> Error {
        let generation = (draft.number != 0).then_some(draft.number);
        let offset = Some(self.offset + at as u64);
        Error::new(fault, Place { offset, generation, thread: None, event: None })
    }

    /// Notes that a range of bytes is dropped; false for a strict collector, which does not.
    fn drop_range(&mut self, range: Range<usize>, error: &Error) -> bool {
        let Some(losses) = &mut self.losses else { return false };
        let bytes = self.offset + range.start as u64..self.offset + range.end as u64;
        // Where data is missing already, more of the same follows from it. That times were
        // guessed must be said in any case.
        if losses.losses.is_empty()
            || !range.is_empty()
            || matches!(error.fault(), Fault::NoFrequency)
        {
            losses.add_loss(Loss::of_bytes(bytes, error));
        }
        true
    }

    /// The next place from `at` on where several batches follow each other, or the end.
    fn find_batch(&mut self, mut at: usize, current: u64) -> usize {
        const CHAIN: usize = 3;
        loop {
            match self.input.window(at, 1) {
                Ok(window) if !window.is_empty() => {
                    let first = EventType(window[0]);
                    let batch =
                        first == EventType::EVENT_BATCH || first == EventType::EXPERIMENTAL_BATCH;
                    if batch && self.is_chain(at, CHAIN, current) {
                        return at;
                    }
                    at += 1;
                }
                _ => return at,
            }
        }
    }

    /// The payload of a batch, in a lenient reading of a header whose size may be damaged: where
    /// no batch follows and the payload does not hold events to its end, it goes to the next
    /// batch that can be found.
    fn true_payload(
        &mut self,
        at: usize,
        header: &BatchHeader,
        payload: Range<usize>,
        draft: &Draft,
    ) -> Range<usize> {
        if self.losses.is_none() {
            return payload;
        }
        let Err(fault) = self.next_header(payload.end) else { return payload };
        let data = &self.input.seen()[payload.clone()];
        let events = Content::of(header.experiment, data, self.version) == Content::Events;
        if !events || holds_events(data) {
            return payload;
        }
        let error = self.error(fault, payload.end, draft);
        let found = self.find_batch(at + 1, draft.number).min(self.input.seen().len());
        let end = found.min(payload.start + MAX_BATCH_SIZE as usize).max(payload.start);
        self.drop_range(at..at, &error);
        payload.start..end
    }

    /// Whether `count` batches of one or two generations, or fewer up to the end, begin at `at`.
    /// They must not be of a generation before the current one, nor of one long after it.
    fn is_chain(&mut self, mut at: usize, count: usize, current: u64) -> bool {
        const FAR: u64 = 1 << 16;
        let mut first = None;
        for seen in 0..count {
            match self.next_batch(at) {
                Ok(Step::Batch(header, payload)) => {
                    let first = *first.get_or_insert(header.generation);
                    let far = current != 0 && first.wrapping_sub(current) > FAR;
                    if first == 0 || far || header.generation.wrapping_sub(first) > 1 {
                        return false;
                    }
                    at = payload.end;
                }
                // One alone may be what looks like a batch inside one that is cut off.
                Ok(Step::End) => return seen > 1,
                Ok(Step::EndOfGeneration) if first.is_some() => at += 1,
                _ => return false,
            }
        }
        true
    }
}

/// Whether these bytes are events from the first to the last.
fn holds_events(mut data: &[u8]) -> bool {
    while let Some(&event) = data.first() {
        let count = TIMED_ARGS[event as usize];
        if count == NOT_TIMED {
            return false;
        }
        data = &data[1..];
        for _ in 0..=count {
            let Ok((_, len)) = varint::read(data) else { return false };
            data = &data[len..];
        }
    }
    true
}

enum Step {
    Batch(BatchHeader, Range<usize>),
    EndOfGeneration,
    End,
}

enum Placed {
    Here,
    /// Not here: the batch begins the next generation.
    Next,
    /// The batch ends the generation.
    End,
}

/// A generation that is being collected.
#[derive(Default)]
struct Draft {
    number: u64,
    min_time: u64,
    frequency: Option<Frequency>,
    clock: Option<RawClock>,
    tables: Tables,
    threads: Vec<ThreadBatches>,
    thread_index: FxHashMap<i64, u32>,
    batches: Vec<Batch>,
    experiments: Vec<ExperimentPiece>,
}

struct RawClock {
    time: u64,
    mono: u64,
    seconds: u64,
    nanos: u64,
}

impl Draft {
    fn is_empty(&self) -> bool {
        self.number == 0
    }

    /// Adds a batch; an error comes with its position in `data`.
    fn add(
        &mut self,
        data: &[u8],
        version: Version,
        header: &BatchHeader,
        payload: Range<usize>,
    ) -> Result<(), (Fault, usize)> {
        let content = Content::of(header.experiment, &data[payload.clone()], version);
        let mut numbers = Numbers::new(data, payload.clone());
        let result = match content {
            Content::Events => {
                self.add_events(header, payload);
                return Ok(());
            }
            Content::Experiment(experiment) => {
                let thread = header.thread as i64;
                self.experiments.push(ExperimentPiece { experiment, thread, range: payload });
                return Ok(());
            }
            Content::Sync => self.add_sync(&mut numbers, version, header.time),
            Content::Strings => self.tables.add_strings(&mut numbers),
            Content::Stacks => self.tables.stacks.add(&mut numbers),
            Content::CpuSamples => self.tables.add_samples(&mut numbers),
            Content::EndOfGeneration => Err(Fault::MisplacedEnd),
        };
        result.map_err(|fault| (fault, numbers.at))
    }

    fn add_events(&mut self, header: &BatchHeader, payload: Range<usize>) {
        let thread = header.thread as i64;
        let index = self.batches.len() as u32;
        let (start, end) = (payload.start, payload.end);
        self.batches.push(Batch { start, end, time: header.time, next: NO_BATCH });
        match self.thread_index.get(&thread) {
            Some(&known) => {
                let chain = &mut self.threads[known as usize];
                self.batches[chain.last as usize].next = index;
                chain.last = index;
            }
            None => {
                self.thread_index.insert(thread, self.threads.len() as u32);
                self.threads.push(ThreadBatches { thread, first: index, last: index });
            }
        }
    }

    /// Adds a batch with the frequency and, from 1.25 on, the clocks.
    fn add_sync(
        &mut self,
        numbers: &mut Numbers<'_>,
        version: Version,
        mut time: u64,
    ) -> Result<(), Fault> {
        if version >= Version::Go125 {
            numbers.event();
        }
        while !numbers.is_empty() {
            match numbers.event() {
                event @ EventType::FREQUENCY => {
                    if self.frequency.is_some() {
                        return Err(Fault::RepeatedSync(event));
                    }
                    let units = numbers.entry_number("the clock frequency")?;
                    self.frequency = Some(Frequency::from_units_per_second(units));
                }
                event @ EventType::CLOCK_SNAPSHOT if version >= Version::Go125 => {
                    if self.clock.is_some() {
                        return Err(Fault::RepeatedSync(event));
                    }
                    time = time.wrapping_add(numbers.entry_number("the time of the clocks")?);
                    let mono = numbers.entry_number("the monotonic clock")?;
                    let seconds = numbers.entry_number("the wall clock's seconds")?;
                    let nanos = numbers.entry_number("the wall clock's nanoseconds")?;
                    self.clock = Some(RawClock { time, mono, seconds, nanos });
                }
                found => {
                    let expected = "a frequency or a clock snapshot";
                    return Err(Fault::UnexpectedEvent { expected, found });
                }
            }
        }
        Ok(())
    }
}
