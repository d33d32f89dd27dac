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
use std::thread;

const EXAMPLES: &str = "\
Examples:
  gotrail dump parsed trace.out | grep RegionBegin
  gotrail dump json trace.out | jq 'select(.kind == \"Log\") | .message'
  gotrail dump footprint trace.out
  curl -s http://localhost:6060/debug/pprof/trace?seconds=1 | gotrail dump parsed -
  gotrail dump parsed --keep-going broken.trace

The events that precede an error are printed; then the exit status is 1. That goes for a file that
ends inside an event, too, where `go tool trace` sees no error in `wire` and `footprint`.";

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
    /// Print the table of `footprint` as JSON. (For events there is the form `json`.)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Events in the order in which they happened, as `go tool trace -d=parsed` prints them.
    Parsed,
    /// Events as they stand in the file, as `go tool trace -d=wire` prints them; Go 1.22 and
    /// later.
    Wire,
    /// Which events take how many bytes, as `go tool trace -d=footprint` prints it; Go 1.22 and
    /// later.
    Footprint,
    /// Events in order, each a line of JSON.
    Json,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    if args.json && args.form != Form::Footprint {
        let mut command = <crate::Cli as clap::CommandFactory>::command();
        let message = "--json goes with `dump footprint`; for events use `dump json`";
        command.error(clap::error::ErrorKind::ArgumentConflict, message).exit();
    }
    match args.form {
        Form::Parsed => {
            let mut writer = gotrail::text::Writer::default();
            ordered(args, |out, event| writer.write_event(out, event))
        }
        Form::Json => {
            let mut writer = event_json::Writer::default();
            ordered(args, |out, event| writer.write_event(out, event))
        }
        Form::Wire => {
            let mut output = Output::new();
            let raw = raw(args, Source::open(&args.trace)?, |_, event| {
                text::write_event(output.buffer(), event, text::Mode::Plain);
                output.written()
            })?;
            output.flush()?;
            finish(args, raw)
        }
        Form::Footprint => footprint(args),
    }
}

fn footprint(args: &Args) -> Result<Verdict> {
    let source = Source::open(&args.trace)?;
    if let Data::Mapped(ref trace) = source.data {
        let progress = Progress::new(source.size, false);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let footprint = Footprint::of_trace(trace.bytes(), threads, |bytes| progress.add(bytes));
        progress.finish();
        if let Ok(footprint) = footprint {
            print_footprint(args, &footprint, trace.bytes().len() as u64)?;
            return Ok(Verdict::Fine);
        }
    }
    // A stream, or something is wrong.
    let mut footprint = None;
    let raw = raw(args, source, |version, event| {
        footprint.get_or_insert_with(|| Footprint::new(version)).add(event);
        Ok(())
    })?;
    // As the reference: no table for what cannot be read to the end.
    let whole = raw.errors.iter().all(RawError::is_end_for_reference);
    if args.keep_going || (whole && raw.cut_off.is_none()) {
        let footprint = footprint.unwrap_or_else(|| Footprint::new(raw.version));
        print_footprint(args, &footprint, raw.bytes)?;
    }
    finish(args, raw)
}

fn print_footprint(args: &Args, footprint: &Footprint, bytes: u64) -> Result<()> {
    let mut output = Output::new();
    if args.json {
        footprint_json(footprint, bytes, output.buffer())?;
    } else {
        footprint.write_table(output.buffer(), bytes);
    }
    output.flush()
}

/// The rows of the table that have anything in them, with the totals.
fn footprint_json(footprint: &Footprint, total: u64, out: &mut Vec<u8>) -> Result<()> {
    let rows = footprint.sorted();
    let rows = rows.iter().filter(|row| row.count > 0).map(|row| {
        serde_json::json!({
            "event": row.event.name(),
            "number": row.event.0,
            "bytes": row.bytes,
            "share_of_bytes": row.bytes as f64 / total as f64,
            "count": row.count,
            "share_of_count": row.count as f64 / footprint.events() as f64,
        })
    });
    let rows: Vec<_> = rows.collect();
    let all = serde_json::json!({ "bytes": total, "count": footprint.events(), "events": rows });
    serde_json::to_writer_pretty(&mut *out, &all)?;
    out.push(b'\n');
    Ok(())
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
    report::to_stderr(&source.name, &outcome.report, outcome.bytes, gotrail::Time(0));
    Ok(if outcome.report.is_complete() { Verdict::Fine } else { Verdict::Broken })
}

/// What reading raw events has shown.
struct Raw {
    version: Version,
    bytes: u64,
    /// What is wrong: what stopped the reader, or with --keep-going everything that it met.
    errors: Vec<RawError>,
    /// Why the input could not be read to its end.
    cut_off: Option<Failure>,
}

/// Reads all raw events.
fn raw(
    args: &Args,
    source: Source,
    mut each: impl FnMut(Version, &RawEvent<'_>) -> Result<()>,
) -> Result<Raw> {
    let name = &source.name;
    match source.data {
        Data::Mapped(ref trace) => raw_in_memory(args, trace.bytes(), each),
        Data::Stream(stream) => {
            let failed = |error| Failure::read(name, "", &error);
            let (_, mut stream) = source::decompressed(stream).map_err(failed)?;
            if args.keep_going {
                // What is behind an error can be found only in memory.
                let mut bytes = Vec::new();
                let cut_off = stream.read_to_end(&mut bytes).err().map(failed);
                return Ok(Raw { cut_off, ..raw_in_memory(args, &bytes, each)? });
            }
            let stop = |error| match error {
                StreamError::Raw(error) => Ok(error),
                StreamError::Io { at, source } => {
                    Err(Failure::read(name, &format!(" on at offset {at}"), &source))
                }
                error => Err(Failure::new(format!("{name}: {error}"))),
            };
            let mut reader = match RawStream::new(stream) {
                Ok(reader) => reader,
                Err(error) => return Err(raw_failure(name, &stop(error)?).into()),
            };
            let version = reader.version();
            let (end, cut_off) = loop {
                match reader.next() {
                    Ok(Some(event)) => each(version, &event)?,
                    Ok(None) => break (None, None),
                    Err(error) => match stop(error) {
                        Ok(error) => break (Some(error), None),
                        Err(failure) => break (None, Some(failure)),
                    },
                }
            };
            let bytes = match end {
                Some(RawError::CutOff { end, .. }) => end,
                _ => reader.position(),
            };
            Ok(Raw { version, bytes, errors: end.into_iter().collect(), cut_off })
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
    Ok(Raw { version, bytes: bytes.len() as u64, errors, cut_off: None })
}

fn finish(args: &Args, raw: Raw) -> Result<Verdict> {
    if let Some(failure) = raw.cut_off {
        return Err(failure.into());
    }
    let errors = raw.errors;
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
