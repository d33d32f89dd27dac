//! Batches of a test trace: their events, by name or by number.

use super::args::wanted;
use super::write::Event;
use super::{Arg, Generation, IntoArgs, UseErrorKind};
use gotrail_format::EventType;
use gotrail_format::event::ArgKind;
use std::panic::Location;

/// A batch of a test trace.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'t> {
    pub(super) generation: Generation<'t>,
    pub(super) index: usize,
}

impl Batch<'_> {
    pub(super) fn add(self, event: Event) {
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
