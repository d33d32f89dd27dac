//! `gotrail dump`: the events of a trace, in order or as they stand in the file.

use super::event_json;
use crate::failure::{self, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::source::{self, Data, Source};
use crate::{Verdict, human, report};
use anyhow::Result;
use clap::ValueEnum;
use gotrail::Mode;
use gotrail::format::footprint::Footprint;
use gotrail::format::raw::{RawError, RawEvent, RawReader, RawStream, StreamError};
use gotrail::format::{EventType, MAX_BATCH_SIZE, Version, text};
use std::io::Read;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gotrail dump parsed trace.out | grep RegionBegin
  gotrail dump json trace.out | jq 'select(.kind == \"Log\") | .message'
  gotrail dump footprint trace.out
  curl -s http://localhost:6060/debug/pprof/trace?seconds=1 | gotrail dump parsed -
  gotrail dump parsed --keep-going broken.trace

The events that precede an error are printed; then the exit status is 1.";

/// Print the events of a trace.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to print.
    form: Form,
    /// The trace; `-` is standard input.
    trace: PathBuf,
    /// Go on behind an error as far as possible, and say on standard error what is missing.
    #[arg(long)]
    keep_going: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Events in the order in which they happened, as `go tool trace -d=parsed` prints them.
    Parsed,
    /// Events as they stand in the file, as `go tool trace -d=wire` prints them.
    Wire,
    /// Which events take how many bytes, as `go tool trace -d=footprint` prints it.
    Footprint,
    /// Events in order, each a line of JSON.
    Json,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    match args.form {
        Form::Parsed => ordered(args, gotrail::text::write_event),
        Form::Json => {
            let mut writer = event_json::Writer::default();
            ordered(args, |out, event| writer.write_event(out, event))
        }
        Form::Wire => {
            let mut output = Output::new();
            let raw = raw(args, |_, event| {
                text::write_event(output.buffer(), event, text::Mode::Plain);
                output.written()
            })?;
            output.flush()?;
            finish(args, &raw.errors)
        }
        Form::Footprint => {
            let mut footprint = None;
            let raw = raw(args, |version, event| {
                footprint.get_or_insert_with(|| Footprint::new(version)).add(event);
                Ok(())
            })?;
            // As the reference: no table for what cannot be read to the end.
            if args.keep_going || raw.errors.iter().all(RawError::is_end_for_reference) {
                let mut output = Output::new();
                let footprint = footprint.unwrap_or_else(|| Footprint::new(raw.version));
                footprint.write_table(output.buffer(), raw.bytes);
                output.flush()?;
            }
            finish(args, &raw.errors)
        }
    }
}

fn ordered(
    args: &Args,
    mut write: impl FnMut(&mut Vec<u8>, &gotrail::Event<'_>),
) -> Result<Verdict> {
    let mut source = Source::open(&args.trace)?;
    let progress = Progress::new(source.size, Progress::output_is_seen());
    let mode = if args.keep_going { Mode::Tolerant } else { Mode::Strict };
    let mut output = Output::new();
    let outcome = source.read(mode, &progress, |event| {
        write(output.buffer(), event);
        output.written()
    })?;
    output.flush()?;
    progress.finish();
    if let Some(error) = &outcome.error {
        let failure = Failure::broken(&source.name, error);
        let hint = "`--keep-going` prints the rest too";
        return Err(match failure.next.clone() {
            Some(next) if !args.keep_going => failure.next(format!("{next}; {hint}")),
            _ => failure,
        }
        .into());
    }
    report::to_stderr(&source.name, &outcome);
    Ok(if outcome.report.is_complete() { Verdict::Fine } else { Verdict::Broken })
}

/// What reading raw events has shown.
struct Raw {
    version: Version,
    bytes: u64,
    /// What is wrong: what stopped the reader, or with --keep-going everything that it met.
    errors: Vec<RawError>,
}

/// Reads all raw events.
fn raw(args: &Args, mut each: impl FnMut(Version, &RawEvent<'_>) -> Result<()>) -> Result<Raw> {
    let source = Source::open(&args.trace)?;
    let name = &source.name;
    match source.data {
        Data::Mapped(ref trace) => raw_in_memory(args, trace.bytes(), each),
        Data::Stream(stream) => {
            let failed = |error| Failure::new(format!("{name}: cannot read: {error}"));
            let (_, mut stream) = source::decompressed(stream).map_err(failed)?;
            if args.keep_going {
                // What is behind an error can be found only in memory.
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).map_err(failed)?;
                return raw_in_memory(args, &bytes, each);
            }
            let stop = |error| match error {
                StreamError::Raw(error) => Ok(error),
                StreamError::Io { at, source } => {
                    let what = format!("{name}: cannot read on at offset {at}: {source}");
                    Err(Failure::new(what).next("check whether the file is complete"))
                }
                error => Err(Failure::new(format!("{name}: {error}"))),
            };
            let mut reader = match RawStream::new(stream) {
                Ok(reader) => reader,
                Err(error) => return Err(raw_failure(name, &stop(error)?).into()),
            };
            let version = reader.version();
            let end = loop {
                match reader.next() {
                    Ok(Some(event)) => each(version, &event)?,
                    Ok(None) => break None,
                    Err(error) => break Some(stop(error)?),
                }
            };
            let bytes = match end {
                Some(RawError::CutOff { end, .. }) => end,
                _ => reader.position(),
            };
            Ok(Raw { version, bytes, errors: end.into_iter().collect() })
        }
    }
}

fn raw_in_memory(
    args: &Args,
    bytes: &[u8],
    mut each: impl FnMut(Version, &RawEvent<'_>) -> Result<()>,
) -> Result<Raw> {
    let broken = |error| raw_failure(&source::name_of(&args.trace), &error);
    let mut reader = RawReader::new(bytes).map_err(broken)?;
    let version = reader.version();
    let mut errors = Vec::new();
    // Where the batch ends, in which we are.
    let mut batch_end = 0;
    loop {
        match reader.next() {
            Ok(Some(event)) => {
                each(version, &event)?;
                if event.event_type() == EventType::EVENT_BATCH {
                    let size = event.args()[3];
                    batch_end = reader.position().saturating_add(size.min(MAX_BATCH_SIZE));
                }
            }
            Ok(None) => break,
            Err(error) => {
                errors.push(error);
                if !args.keep_going || batch_end <= reader.position() {
                    break;
                }
                reader.skip_to(batch_end);
            }
        }
    }
    Ok(Raw { version, bytes: bytes.len() as u64, errors })
}

fn finish(args: &Args, errors: &[RawError]) -> Result<Verdict> {
    let Some((last, before)) = errors.split_last() else { return Ok(Verdict::Fine) };
    let name = source::name_of(&args.trace);
    let failure = raw_failure(&name, last);
    if before.is_empty() {
        return Err(failure.into());
    }
    let all = human::counted(errors.len() as u64, "place");
    let first = raw_failure(&name, &before[0]).what;
    Err(Failure { what: format!("{first} (the first of {all})"), ..failure }.into())
}

/// What is wrong with a raw event, for people.
pub(crate) fn raw_failure(name: &str, error: &RawError) -> Failure {
    let cut_off = matches!(error, RawError::CutOff { .. });
    match *error {
        RawError::Header(error) => {
            let fault = gotrail::Fault::Header(error);
            return Failure::broken(name, &fault.into());
        }
        RawError::NoGenerations(version) => {
            return Failure::broken(name, &gotrail::Fault::Unsupported(version).into());
        }
        _ => {}
    }
    let cause = if cut_off { gotrail::Cause::CutOff } else { gotrail::Cause::Damaged };
    Failure {
        what: format!("{name}: {error}"),
        likely: Some(failure::explain(cause).to_owned()),
        next: Some(format!(
            "`gotrail info {}` shows what can still be read",
            failure::quoted(name)
        )),
    }
}
