//! `gotrail info`: what is in a trace, and whether it is whole.

use crate::output::Output;
use crate::paint::Paint;
use crate::progress::Progress;
use crate::source::{Outcome, Source};
use crate::{Verdict, human, report};
use anyhow::Result;
use gotrail::summary::Summary;
use gotrail::{Compression, Kind, Loss, Misuse, Mode, Place, Report, Time, Version};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gotrail info trace.out
  gotrail info --json trace.out | jq .goroutines
  zcat trace.gz | gotrail info -

A broken trace is read as far as possible; the report says what is missing, and the exit status
is 1.";

/// Show what is in a trace, and whether it is whole.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The trace; `-` is standard input.
    trace: PathBuf,
    /// Print JSON, with full numbers.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let mut source = Source::open(&args.trace)?;
    let progress = Progress::new(source.size, false);
    let mut summary = Summary::new();
    let mut outcome = source.read(Mode::Tolerant, &progress, |event| {
        summary.event(event);
        Ok(())
    })?;
    progress.finish();
    // A tolerant reader gives up only where the input does.
    if let Some(error) = outcome.error.take() {
        outcome.report.losses.push(loss(&error));
    }

    let mut output = Output::new();
    if args.json {
        let info = Info::new(&source, &outcome, &summary);
        serde_json::to_writer_pretty(&mut *output.buffer(), &info)?;
        output.buffer().push(b'\n');
    } else {
        let text = text(Paint::stdout(), &source, &outcome, &summary);
        output.buffer().extend_from_slice(text.as_bytes());
    }
    output.flush_last()?;
    Ok(if outcome.report.is_complete() { Verdict::Fine } else { Verdict::Broken })
}

fn loss(error: &gotrail::Error) -> Loss {
    let at = error.place().offset.unwrap_or(0);
    Loss {
        bytes: at..at,
        bytes_lost: 0,
        from: None,
        until: None,
        reason: error.fault().to_string(),
        place: error.place(),
        cause: error.cause(),
    }
}

/// The Go versions that write a format.
fn written_by(version: Version) -> &'static str {
    match version {
        Version::Go111 => "Go 1.11 to 1.18",
        Version::Go119 => "Go 1.19 or 1.20",
        Version::Go121 => "Go 1.21",
        Version::Go122 => "Go 1.22",
        Version::Go123 => "Go 1.23 or 1.24",
        Version::Go125 => "Go 1.25",
        Version::Go126 => "Go 1.26 or 1.27",
        _ => "an older Go",
    }
}

fn compression_name(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some("gzip"),
        Compression::Zstd => Some("zstd"),
    }
}

fn text(paint: Paint, source: &Source, outcome: &Outcome, summary: &Summary) -> String {
    let mut table = Table { out: String::new(), paint };
    let start = summary.start.unwrap_or_default();
    let (version, count) = (outcome.version, |number: u64| human::count(number));

    table.row("Trace", &source.name);
    table.row("Format", &format!("{version}, written by {}", written_by(version)));
    table.row("Size", &size(source, outcome));
    table.row("Started", &started(summary, version));
    table.row("Duration", &report::span(&outcome.report, summary.duration()));
    let generations = count(summary.generations);
    let generations = match version.has_generations() {
        true => generations,
        false => format!("{generations}, as format {version} does not divide traces"),
    };
    table.row("Generations", &generations);
    table.gap();

    let events = summary.events();
    table.row("Events", &count(events));
    let mut kinds: Vec<_> = Kind::ALL.iter().map(|&kind| (kind, summary.count(kind))).collect();
    kinds.retain(|&(_, number)| number > 0);
    kinds.sort_by_key(|&(_, number)| std::cmp::Reverse(number));
    let width = count(events).len();
    for (kind, number) in kinds {
        let (number, share) = (count(number), human::percent(number, events));
        table.row(&format!("  {}", kind.name()), &format!("{number:>width$}  {share:>6}"));
    }
    table.gap();

    let (seen, at_once) = (count(summary.goroutines), count(summary.goroutines_at_once()));
    let before = count(summary.goroutines_at_start);
    let goroutines = format!("{seen} in all, {before} at the start, at most {at_once} at once");
    table.row("Goroutines", &goroutines);
    let procs = count(summary.procs() as u64);
    match summary.gomaxprocs {
        Some(max) => table.row("Procs", &format!("{procs} used, GOMAXPROCS {}", count(max))),
        None => table.row("Procs", &format!("{procs} used")),
    }
    let threads = threads(summary, version).map(|number| count(number as u64));
    let unknown = || format!("unknown, format {version} names threads only where procs start");
    table.row("Threads", &threads.unwrap_or_else(unknown));
    table.row("GC cycles", &count(summary.gc_cycles));
    table.row("Tasks", &begun_and_ended(summary.tasks_begun, summary.tasks_ended));
    table.row("Regions", &begun_and_ended(summary.regions_begun, summary.regions_ended));
    table.row("Strings", &per_generation(summary.strings, summary.generations));
    table.row("Stacks", &per_generation(summary.stacks, summary.generations));
    table.gap();

    let mut health = report::verdict(paint, &outcome.report, outcome.bytes);
    let misuses = outcome.report.misuse_count();
    if misuses > 0 {
        let note = format!("but {}", human::counted(misuses, "misused annotation"));
        let note = if outcome.report.is_complete() { note } else { note.replace("but", "and") };
        health = format!("{health}, {}", paint.yellow(note));
    }
    table.row("Health", &health);
    let mut out = table.out;
    if !outcome.report.losses.is_empty() || misuses > 0 {
        out.push('\n');
        report::details(&mut out, paint, &outcome.report, start);
    }
    out
}

/// How many threads there were; none if the format does not say who wrote an event.
fn threads(summary: &Summary, version: Version) -> Option<usize> {
    version.has_generations().then(|| summary.threads())
}

fn size(source: &Source, outcome: &Outcome) -> String {
    let whole = |bytes| format!("{} ({} bytes)", human::size(bytes), human::count(bytes));
    match (compression_name(outcome.compression), source.size) {
        (None, _) => whole(outcome.bytes),
        (Some(name), Some(file)) => {
            format!("{}, {} compressed with {name}", whole(outcome.bytes), human::size(file))
        }
        (Some(name), None) => format!("{}, compressed with {name}", whole(outcome.bytes)),
    }
}

fn started(summary: &Summary, version: Version) -> String {
    let time = summary.wall_start.and_then(|nanos| Timestamp::from_nanosecond(nanos).ok());
    match time {
        Some(time) => {
            let local = time.to_zoned(TimeZone::system());
            local.strftime("%Y-%m-%d %H:%M:%S%.3f %:z").to_string()
        }
        None if version < Version::Go125 => {
            format!("unknown, format {version} has no wall-clock time")
        }
        None => "unknown".to_owned(),
    }
}

fn begun_and_ended(begun: u64, ended: u64) -> String {
    if begun == 0 && ended == 0 {
        return "0".to_owned();
    }
    format!("{} begun, {} ended", human::count(begun), human::count(ended))
}

fn per_generation(number: u64, generations: u64) -> String {
    let number = human::count(number);
    if generations < 2 { number } else { format!("{number}, the sum of all generations") }
}

/// Names and values, aligned.
struct Table {
    out: String,
    paint: Paint,
}

impl Table {
    fn row(&mut self, name: &str, value: &str) {
        let padded = format!("{name:<17}");
        let name = if name.starts_with(' ') { padded } else { self.paint.bold(padded) };
        writeln!(self.out, "{name} {value}").unwrap_or_default();
    }

    fn gap(&mut self) {
        self.out.push('\n');
    }
}

/// The same as JSON.
#[derive(Serialize)]
struct Info<'a> {
    trace: &'a str,
    format: String,
    written_by: &'static str,
    file_bytes: Option<u64>,
    trace_bytes: u64,
    compression: Option<&'static str>,
    wall_start: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    /// None if times are ticks.
    duration_ns: Option<i64>,
    times_are_ticks: bool,
    generations: u64,
    batches: u64,
    events: u64,
    events_by_kind: BTreeMap<&'static str, u64>,
    goroutines: Goroutines,
    procs: usize,
    gomaxprocs: Option<u64>,
    threads: Option<usize>,
    gc_cycles: u64,
    tasks: Pairs,
    regions: Pairs,
    strings: u64,
    stacks: u64,
    health: Health<'a>,
}

#[derive(Serialize)]
struct Goroutines {
    seen: u64,
    at_start: u64,
    at_once: u64,
}

#[derive(Serialize)]
struct Pairs {
    begun: u64,
    ended: u64,
}

#[derive(Serialize)]
struct Health<'a> {
    complete: bool,
    bytes_lost: u64,
    share_lost: f64,
    events_unresolved: u64,
    /// Told although they are not in the trace; dropped for the lack of what is missing.
    events_assumed: u64,
    events_dropped: u64,
    losses: Vec<LossJson<'a>>,
    /// How many losses more there were.
    more_losses: u64,
    misuses: Vec<MisuseJson<'a>>,
    /// How many misuses more there were.
    more_misuses: u64,
}

#[derive(Serialize)]
struct LossJson<'a> {
    reason: &'a str,
    cause: String,
    place: PlaceJson,
    first_byte: u64,
    end_byte: u64,
    bytes_lost: u64,
    from_time: Option<i64>,
    until_time: Option<i64>,
}

#[derive(Serialize)]
struct MisuseJson<'a> {
    reason: &'a str,
    time: i64,
    since_start_ns: Option<i64>,
    place: PlaceJson,
    stack: Vec<FrameJson<'a>>,
}

#[derive(Serialize)]
struct FrameJson<'a> {
    function: &'a str,
    file: &'a str,
    line: u64,
}

/// A place, as every command prints it.
#[derive(Serialize)]
pub(crate) struct PlaceJson {
    offset: Option<u64>,
    generation: Option<u64>,
    thread: Option<i64>,
    events_before: Option<u64>,
}

impl From<Place> for PlaceJson {
    fn from(place: Place) -> PlaceJson {
        PlaceJson {
            offset: place.offset,
            generation: place.generation,
            thread: place.thread.map(|thread| thread.0),
            events_before: place.event,
        }
    }
}

impl<'a> Info<'a> {
    fn new(source: &'a Source, outcome: &'a Outcome, summary: &Summary) -> Info<'a> {
        let report = &outcome.report;
        let start = summary.start.unwrap_or_default();
        let wall = summary.wall_start.and_then(|nanos| Timestamp::from_nanosecond(nanos).ok());
        let time = |time: Option<Time>| time.map(|time| time.0);
        let (lost, all) = (report.bytes_lost(), outcome.bytes);
        let kinds = Kind::ALL.iter().map(|&kind| (kind.name(), summary.count(kind)));
        Info {
            trace: &source.name,
            format: outcome.version.to_string(),
            written_by: written_by(outcome.version),
            file_bytes: source.size,
            trace_bytes: all,
            compression: compression_name(outcome.compression),
            wall_start: wall.map(|time| format!("{time:.9}")),
            start_time: time(summary.start),
            end_time: time(summary.end),
            duration_ns: (!report.times_are_ticks).then(|| summary.duration()),
            times_are_ticks: report.times_are_ticks,
            generations: summary.generations,
            batches: summary.batches,
            events: summary.events(),
            events_by_kind: kinds.filter(|&(_, number)| number > 0).collect(),
            goroutines: Goroutines {
                seen: summary.goroutines,
                at_start: summary.goroutines_at_start,
                at_once: summary.goroutines_at_once(),
            },
            procs: summary.procs(),
            gomaxprocs: summary.gomaxprocs,
            threads: threads(summary, outcome.version),
            gc_cycles: summary.gc_cycles,
            tasks: Pairs { begun: summary.tasks_begun, ended: summary.tasks_ended },
            regions: Pairs { begun: summary.regions_begun, ended: summary.regions_ended },
            strings: summary.strings,
            stacks: summary.stacks,
            health: Health {
                complete: report.is_complete(),
                bytes_lost: lost,
                share_lost: if all == 0 { 0.0 } else { lost as f64 / all as f64 },
                events_unresolved: report.unresolved,
                events_assumed: report.assumed,
                events_dropped: report.dropped,
                losses: report.losses.iter().map(LossJson::from).collect(),
                more_losses: report.more_losses,
                misuses: report
                    .misuses
                    .iter()
                    .map(|one| MisuseJson::new(report, one, start))
                    .collect(),
                more_misuses: report.more_misuses,
            },
        }
    }
}

impl<'a> From<&'a Loss> for LossJson<'a> {
    fn from(loss: &'a Loss) -> LossJson<'a> {
        LossJson {
            reason: &loss.reason,
            cause: loss.cause.to_string(),
            place: loss.place.into(),
            first_byte: loss.bytes.start,
            end_byte: loss.bytes.end,
            bytes_lost: loss.bytes_lost,
            from_time: loss.from.map(|time| time.0),
            until_time: loss.until.map(|time| time.0),
        }
    }
}

impl<'a> MisuseJson<'a> {
    fn new(report: &Report, misuse: &'a Misuse, start: Time) -> MisuseJson<'a> {
        let frame = |(function, file, line): &'a (String, String, u64)| FrameJson {
            function,
            file,
            line: *line,
        };
        MisuseJson {
            reason: &misuse.reason,
            time: misuse.time.0,
            since_start_ns: (!report.times_are_ticks).then(|| misuse.time.since(start)),
            place: misuse.place.into(),
            stack: misuse.stack.iter().map(frame).collect(),
        }
    }
}
