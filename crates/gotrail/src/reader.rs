//! Reads a trace from its first to its last event.

use crate::checkpoint::{Checkpoint, Within};
use crate::collect::{Collector, Next};
use crate::deliver::Delivery;
use crate::error::{Cause, Error, Fault, Place};
use crate::event::{Event, Ordered};
use crate::fold::Fold;
use crate::generation::Generation;
use crate::input::{self, Input};
use crate::order::State;
use crate::report::{Loss, Report};
use crate::run::{self, Folding, Look, Run};
use crate::{Compression, Time};
use gotrail_format::Version;
use gotrail_format::version::{self, HEADER_LEN};
use std::io::Read;
use std::ops::ControlFlow;

/// Whether a reader stops at the first error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Stops at the first error, having delivered exactly what the reference delivers.
    #[default]
    Strict,
    /// Goes on: keeps all good events, goes on with the next generation, drops misused
    /// annotations, and reports what was lost.
    Tolerant,
}

/// Reads a trace from its first to its last event, in the order in which they happened.
///
/// Every trace begins with a sync, has one before each generation, and ends with one.
///
/// ```no_run
/// let file = std::fs::File::open("trace.out")?;
/// let mut reader = gotrail::Reader::from_read(file, gotrail::Mode::Strict)?;
/// while let Some(event) = reader.next_event()? {
///     println!("{} {}", event.time(), event.kind());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader<'t> {
    collector: Collector<'t>,
    version: Version,
    compression: Compression,
    mode: Mode,
    phase: Phase,
    /// The generation that is being read; kept until the next one begins.
    generation: Option<Box<Generation<'t>>>,
    /// Stands in where there is no generation.
    nowhere: Box<Generation<'t>>,
    run: Run,
    state: State,
    delivery: Delivery,
    syncs: u64,
    generations: u64,
    report: Report,
    /// Where the losses begin whose end is not known before the next generation begins.
    open_losses: usize,
    /// Whether something of the current generation was lost, so that the state is not that at
    /// its end.
    lossy: bool,
    /// The time of the last sync.
    sync_time: Time,
    /// Whether anything was known before the current generation.
    knew_before: bool,
    /// Where the report has the error for which the current generation was begun again.
    first_try: Option<usize>,
}

enum Phase {
    /// Before a generation or the end.
    Between,
    /// In a generation.
    Inside,
    /// The last sync was delivered; the error comes next.
    Failing(Error),
    Done,
}

impl<'t> Reader<'t> {
    /// Reads a trace from a stream, compressed or not, holding one generation at a time.
    pub fn from_read(reader: impl Read + Send + 't, mode: Mode) -> Result<Reader<'t>, Error> {
        let failed = |error| Error::from(Fault::Io(error));
        let (compression, stream) = input::decompressed(reader).map_err(failed)?;
        let mut reader = Reader::new(Input::stream(stream), mode)?;
        reader.compression = compression;
        Ok(reader)
    }

    /// Reads a trace that lies in memory, not compressed.
    pub fn from_slice(bytes: &'t [u8], mode: Mode) -> Result<Reader<'t>, Error> {
        Reader::new(Input::Slice(bytes), mode)
    }

    pub(crate) fn new(mut input: Input<'t>, mode: Mode) -> Result<Reader<'t>, Error> {
        // Room for the white space that the reference allows in a header.
        let start = input.window(0, 4 * HEADER_LEN).map_err(Fault::Io)?;
        let (version, len) = version::read_header(start).map_err(|error| {
            Error::new(Fault::Header(error), Place { offset: Some(0), ..Place::default() })
        })?;
        input.skip(len);
        let lenient = mode == Mode::Tolerant;
        Ok(Reader {
            collector: Collector::new(input, version, len as u64, lenient),
            version,
            compression: Compression::None,
            mode,
            phase: Phase::Between,
            generation: None,
            nowhere: Box::new(Generation::empty(version)),
            run: Run::new(lenient),
            state: State::new(lenient),
            delivery: Delivery { last_time: start_of(version), ..Delivery::new(lenient) },
            syncs: 0,
            generations: 0,
            report: Report::default(),
            open_losses: 0,
            lossy: false,
            sync_time: Time(0),
            knew_before: false,
            first_try: None,
        })
    }

    /// The format version of the trace.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How the input was compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// How many bytes of the (decompressed) trace were read, to the end of the last complete
    /// generation.
    pub fn bytes_read(&self) -> u64 {
        self.collector.offset()
    }

    /// How many generations were begun.
    pub fn generations_begun(&self) -> u64 {
        self.generations
    }

    /// How many events were delivered.
    pub fn events_delivered(&self) -> u64 {
        self.delivery.delivered
    }

    /// The generation that the last event belongs to.
    pub fn generation(&self) -> Option<&Generation<'_>> {
        self.generation.as_deref()
    }

    /// What a tolerant reader lost so far. A strict reader loses nothing.
    pub fn report(&self) -> Report {
        let unresolved = self.delivery.unresolved.unwrap_or(0);
        Report { unresolved, ..self.report.clone() }
    }

    /// The next event, or none at the end. After an error there are no more events.
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Error> {
        let Some(raw) = self.next_ordered()? else { return Ok(None) };
        let generation = self.generation.as_ref().unwrap_or(&self.nowhere);
        Ok(Some(Event { raw, generation, names: self.state.names() }))
    }

    /// Shows all events that are left to `each`, until it breaks: faster than one by one.
    ///
    /// After a break the reader goes on with the event behind the last that was shown.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// # let trace = gotrail::Trace::from_bytes(gotrail::doc_trace())?;
    /// let mut reader = trace.reader(gotrail::Mode::Strict)?;
    /// let mut syncs = 0;
    /// reader.for_each_event(|event| {
    ///     syncs += u64::from(event.kind() == gotrail::Kind::Sync);
    ///     ControlFlow::<()>::Continue(())
    /// })?;
    /// assert_eq!(syncs, 2);
    /// # Ok::<(), gotrail::Error>(())
    /// ```
    pub fn for_each_event<B>(
        &mut self,
        each: impl FnMut(&Event<'_>) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, Error> {
        let mut broken = None;
        self.show(&mut run::valueless(each, &mut broken))?;
        Ok(broken.map_or(ControlFlow::Continue(()), ControlFlow::Break))
    }

    fn show(&mut self, each: &mut impl FnMut(&Event<'_>) -> ControlFlow<()>) -> Result<(), Error> {
        while self.show_generation(each)?.is_continue() {
            let raw = match self.turn()? {
                Some(Some(sync)) => sync,
                Some(None) => break,
                None => continue,
            };
            let generation = self.generation.as_ref().unwrap_or(&self.nowhere);
            if each(&Event { raw, generation, names: self.state.names() }).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Shows what is left of the generation, until [`Run::show`] stops.
    fn show_generation(&mut self, each: &mut impl Look) -> Result<ControlFlow<()>, Error> {
        while let (Phase::Inside, Some(generation)) = (&self.phase, &self.generation) {
            match self.run.show(generation, &mut self.state, &mut self.delivery, each) {
                Ok(flow) => {
                    if self.run.is_done(generation) {
                        self.phase = Phase::Between;
                    }
                    if flow.is_break() || !self.delivery.goes_on() {
                        return Ok(flow);
                    }
                    self.phase = Phase::Between;
                }
                Err(error) => {
                    self.phase = Phase::Between;
                    self.give_up_generation(error)?;
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Reads all events that are left, and returns how many there were.
    pub fn drain(&mut self) -> Result<u64, Error> {
        let before = self.delivery.delivered;
        while self.drain_generation()? {}
        Ok(self.delivery.delivered - before)
    }

    /// The state at the end of a generation: available right before each sync but the first, and
    /// before the first event.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        self.is_between().then(|| {
            let mut state = self.state.clone();
            if self.lossy {
                state = State::new(true);
            } else if let Some(generation) = &self.generation {
                state.end_generation(generation);
            }
            self.checkpoint_with(state, None)
        })
    }

    /// The same, and within a generation too where [`Reader::go_on`] has stopped.
    pub(crate) fn checkpoint_anywhere(&self) -> Option<Checkpoint> {
        if let (Phase::Inside, Some(generation)) = (&self.phase, &self.generation) {
            let (run, delivery) = (self.run.clone(), self.delivery.clone());
            let within = Within { bytes: generation.byte_range(), run, delivery };
            return Some(self.checkpoint_with(self.state.clone(), Some(Box::new(within))));
        }
        self.checkpoint()
    }

    fn checkpoint_with(&self, state: State, within: Option<Box<Within>>) -> Checkpoint {
        let Delivery { last_time, delivered: events, .. } = self.delivery;
        Checkpoint { state, last_time, syncs: self.syncs, events, within }
    }

    #[inline]
    fn next_ordered(&mut self) -> Result<Option<Ordered>, Error> {
        loop {
            if let (Phase::Inside, Some(generation)) = (&self.phase, &self.generation) {
                let result = self.run.next(generation, &mut self.state);
                match result {
                    Ok(Some(mut event)) => {
                        if self.run.is_done(generation) {
                            self.phase = Phase::Between;
                        }
                        if let Err(error) = self.delivery.deliver(&mut event, generation) {
                            self.phase = Phase::Done;
                            return Err(error);
                        }
                        return Ok(Some(event));
                    }
                    Ok(None) => self.phase = Phase::Between,
                    Err(error) => self.give_up_generation(error)?,
                }
            }
            if let Some(event) = self.turn()? {
                return event.map_or(Ok(None), |event| Ok(Some(event)));
            }
        }
    }

    /// Between generations: goes on to the next. Returns the sync, or that there is nothing
    /// left; none if the generation's own events come next.
    #[cold]
    fn turn(&mut self) -> Result<Option<Option<Ordered>>, Error> {
        match std::mem::replace(&mut self.phase, Phase::Between) {
            Phase::Between => {}
            Phase::Inside => {
                self.phase = Phase::Inside;
                return Ok(None);
            }
            Phase::Failing(error) => {
                self.phase = Phase::Done;
                return Err(error.with_event(self.delivery.delivered));
            }
            Phase::Done => {
                self.phase = Phase::Done;
                return Ok(Some(None));
            }
        }
        self.note_dropped();
        if self.lossy {
            // What was lost may have changed anything: begin anew, knowing nothing.
            self.state = State::new(true);
            self.lossy = false;
        } else if let Some(generation) = &self.generation {
            self.state.end_generation(generation);
        }
        // Nobody needs it any more, and a stream may hold as much again while it reads the next.
        self.generation = None;
        let next = self.collector.next();
        self.enter(next).map(|sync| Some(Some(sync)))
    }

    /// Goes on with what comes next in the trace; returns the sync before it.
    pub(crate) fn enter(&mut self, next: Next<'t>) -> Result<Ordered, Error> {
        let time = match next {
            Next::Generation(generation) => {
                self.knew_before = !self.state.is_pristine();
                self.first_try = None;
                if let Err(error) = self.run.start(&generation, &mut self.state) {
                    self.phase = Phase::Done;
                    return Err(error.with_event(self.delivery.delivered));
                }
                let time = generation.start();
                self.phase =
                    if self.run.is_done(&generation) { Phase::Between } else { Phase::Inside };
                self.generation = Some(generation);
                time
            }
            Next::Broken(error) if !self.version.has_generations() => {
                // The reference fails before its first sync.
                self.phase = Phase::Done;
                return Err(error.with_event(0));
            }
            Next::Broken(error) => {
                self.generation = None;
                self.phase = Phase::Failing(error);
                Time(self.delivery.last_time)
            }
            Next::End => {
                self.generation = None;
                self.phase = Phase::Done;
                // An old trace without events has one sync, at 0.
                Time(self.delivery.last_time.max(0))
            }
        };
        let sync = self.sync(time)?;
        self.sync_time = Time(sync.time);
        self.note_losses(self.sync_time);
        Ok(sync)
    }

    /// Delivers the sync before the generation, or at the end.
    fn sync(&mut self, time: Time) -> Result<Ordered, Error> {
        self.syncs += 1;
        let mut sync = Ordered::sync(time.0, self.syncs);
        let generation = self.generation.as_ref().unwrap_or(&self.nowhere);
        if let Err(error) = self.delivery.deliver(&mut sync, generation) {
            self.phase = Phase::Done;
            return Err(error);
        }
        self.generations += u64::from(self.generation.is_some());
        Ok(sync)
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn last_time(&self) -> i64 {
        self.delivery.last_time
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// How many goroutines, tasks and so on a checkpoint would have room for.
    pub(crate) fn state_size(&self) -> usize {
        self.state.size() + self.run.old_goroutine_count()
    }

    /// How many bytes there are to come, if that is known.
    pub(crate) fn bytes_left(&self) -> Option<u64> {
        self.collector.bytes_left()
    }

    pub(crate) fn next_generation(&mut self) -> Next<'t> {
        self.collector.next()
    }

    /// Takes a generation over that was put in order elsewhere, with the state after it.
    pub(crate) fn accept(
        &mut self,
        generation: Box<Generation<'t>>,
        state: State,
        events: u64,
        last_time: i64,
    ) -> Result<(), Error> {
        let time = generation.start();
        self.generation = Some(generation);
        self.sync(time)?;
        self.delivery.delivered += events;
        self.delivery.last_time = self.delivery.last_time.max(last_time);
        // The state is that after the generation already.
        self.generation = None;
        self.state = state;
        Ok(())
    }

    /// Delivers what is left of the generation, and what comes before the events of the next;
    /// false at the end of the trace.
    fn drain_generation(&mut self) -> Result<bool, Error> {
        self.drive_generation()?;
        Ok(!matches!(self.turn()?, Some(None)))
    }

    /// The same for events that `fold` looks at.
    pub(crate) fn fold_generation<F: Fold>(&mut self, fold: &mut F) -> Result<bool, Error> {
        self.show_fold(fold)?;
        match self.turn()? {
            Some(Some(sync)) => self.show_sync(sync, fold),
            Some(None) => return Ok(false),
            None => {}
        }
        Ok(true)
    }

    /// [`Reader::enter`] for a fold.
    pub(crate) fn enter_folding<F: Fold>(
        &mut self,
        next: Next<'t>,
        fold: &mut F,
    ) -> Result<(), Error> {
        let sync = self.enter(next)?;
        self.show_sync(sync, fold);
        Ok(())
    }

    fn show_sync<F: Fold>(&mut self, raw: Ordered, fold: &mut F) {
        let generation = self.generation.as_ref().unwrap_or(&self.nowhere);
        fold.event(&Event { raw, generation, names: self.state.names() });
    }

    /// Shows what is left of the generation to a fold.
    fn show_fold<F: Fold>(&mut self, fold: &mut F) -> Result<(), Error> {
        if !F::LOOKS {
            return self.drive_generation();
        }
        let begun = matches!(self.phase, Phase::Inside);
        let result = self.show_generation(&mut Folding(fold));
        if begun && let Some(generation) = &self.generation {
            fold.generation_ends(generation);
        }
        result.map(|_| ())
    }

    /// Delivers what is left of the generation.
    fn drive_generation(&mut self) -> Result<(), Error> {
        if let (Phase::Inside, Some(generation)) = (&self.phase, &self.generation) {
            let result = self.run.drive(generation, &mut self.state, &mut self.delivery);
            self.phase = Phase::Between;
            if let Err(error) = result {
                self.give_up_generation(error)?;
            }
        }
        Ok(())
    }

    /// Whether no number of the last generation, of which all was read, is too large.
    pub(crate) fn was_flawless(&self) -> bool {
        self.run.is_flawless()
    }

    /// Goes on by so many events and to the end of a thread's turn, or to the end of the generation
    /// if that is nearer; false at the end of the trace.
    pub(crate) fn go_on(&mut self, events: u64) -> Result<bool, Error> {
        let more = !matches!(self.turn()?, Some(None));
        match self.delivery.delivered.checked_add(events) {
            None => self.drive_generation()?,
            Some(until) => {
                self.delivery.until = until;
                let _ = self.show_generation(&mut |_: &Event<'_>| ControlFlow::Continue(()))?;
                self.delivery.until = u64::MAX;
            }
        }
        Ok(more)
    }

    /// Whether all events of the last generation were read.
    pub(crate) fn is_between(&self) -> bool {
        matches!(self.phase, Phase::Between)
    }

    /// Delivers what is left of the generation to a fold, and ends it.
    pub(crate) fn finish_generation_folding<F: Fold>(&mut self, fold: &mut F) -> Result<(), Error> {
        self.show_fold(fold)?;
        if let Some(generation) = self.generation.take() {
            self.state.end_generation(&generation);
        }
        Ok(())
    }

    /// The generation cannot be put in order any further: a strict reader fails. A tolerant one
    /// forgets what it knew before the generation, which may be wrong, and begins with it again;
    /// if that does not help, it goes on with the next, of which it knows nothing.
    #[cold]
    fn give_up_generation(&mut self, error: Error) -> Result<(), Error> {
        let error = error.with_event(self.delivery.delivered);
        self.phase = Phase::Done;
        let generation = self.generation.as_deref().unwrap_or(&self.nowhere);
        if self.mode == Mode::Strict {
            return Err(error);
        }
        let known_before = self.knew_before;
        self.state = State::new(true);
        if known_before && self.run.start_again(generation, &mut self.state)? {
            let from = Some(Time(self.delivery.last_time));
            self.first_try = Some(self.report.losses.len());
            self.report.add_loss(Loss { from, ..Loss::of_error(&error) });
            self.phase = Phase::Inside;
            return Ok(());
        }
        let mut loss = self.run.lost(&error, generation);
        // What cannot go on because the end of its generation is missing is not damaged.
        let open = &self.report.losses[self.open_losses.min(self.report.losses.len())..];
        let unfinished = self.collector.is_at_end() && matches!(error.fault(), Fault::Stuck(_));
        if unfinished || open.iter().any(|loss| loss.cause == Cause::CutOff) {
            loss.cause = Cause::CutOff;
        }
        // Times of damaged data may be anything.
        let last = Time(self.delivery.last_time);
        loss.from = loss.from.map(|from| from.max(last));
        if let Some(first_try) = self.first_try.take() {
            // It is the same loss.
            self.report.losses.truncate(first_try);
        }
        self.report.add_loss(loss);
        self.lossy = true;
        self.phase = Phase::Between;
        Ok(())
    }

    /// Takes over what the run dropped.
    fn note_dropped(&mut self) {
        let Some(dropped) = self.run.dropped() else { return };
        self.lossy |= !dropped.losses.is_empty();
        for loss in &mut dropped.losses {
            loss.from = loss.from.map(|from| from.max(self.sync_time));
        }
        self.report.append(dropped);
    }

    /// At the sync at `time`: what was lost before ends here, if a generation begins; what the
    /// collector lost lies in that generation.
    fn note_losses(&mut self, time: Time) {
        if self.generation.is_some() {
            let known = self.report.losses.len();
            for loss in &mut self.report.losses[self.open_losses.min(known)..] {
                // Where times lie, the generation may seem to begin before the loss.
                loss.until = Some(loss.from.map_or(time, |from| time.max(from)));
            }
            self.open_losses = self.report.losses.len();
        }
        let mut losses = self.collector.take_losses();
        self.lossy |= !losses.losses.is_empty();
        if self.version.has_generations() {
            losses.losses.iter_mut().for_each(|loss| loss.from = Some(time));
        }
        self.report.append(&mut losses);
    }
}

/// Before all times: those of old traces begin at -1, those of others are not negative.
pub(crate) fn start_of(version: Version) -> i64 {
    if version.has_generations() { 0 } else { -2 }
}
