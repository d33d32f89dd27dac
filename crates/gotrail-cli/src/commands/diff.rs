//! `gotrail diff`: what changed between two traces, or two sets of traces.

use crate::Verdict;
use crate::failure::{Failure, wrong_usage};
use crate::human;
use crate::output::Output;
use crate::progress::Progress;
use crate::source::{Data, Source};
use crate::table::{Cell, Format, Table, column};
use anyhow::{Result, bail};
use gotrail::{Mode, Trace};
use gotrail_analyze::diff::{self, Quantity, Samples, Slicer, Subject};
use std::path::{Path, PathBuf};
use std::thread;

const EXAMPLES: &str = "\
Examples:
  gotrail diff old.trace new.trace
  gotrail diff --before a1.trace a2.trace a3.trace --after b1.trace b2.trace b3.trace
  gotrail diff --by function --all old.trace new.trace
  gotrail diff --json old.trace new.trace | jq 'select(.t > 10)'

Everything is per second of trace. Each trace is cut into slices; a difference is shown if the
slices of each side differ so little among themselves that chance would bring it about once in a
thousand times (Welch's t-test).";

/// Show what changed between two traces, or two sets of traces, beyond chance.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Two traces: before and after.
    #[arg(value_name = "TRACE", num_args = 0..=2, conflicts_with_all = ["before", "after"])]
    traces: Vec<PathBuf>,
    /// The traces of one side.
    #[arg(long, value_name = "TRACE", num_args = 1.., requires = "after")]
    before: Vec<PathBuf>,
    /// The traces of the other side.
    #[arg(long, value_name = "TRACE", num_args = 1.., requires = "before")]
    after: Vec<PathBuf>,
    /// What to compare [default: all].
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Show differences that may be chance, too.
    #[arg(long)]
    all: bool,
    /// Into how many slices each trace is cut.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=1000))]
    slices: u32,
    #[command(flatten)]
    format: Format,
}

/// What to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// Functions that goroutines began with.
    Function,
    /// Reasons of waits.
    Reason,
    /// Stacks of waits.
    Stack,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let (before, after) = match (&args.traces[..], &args.before[..], &args.after[..]) {
        ([before, after], _, _) => (std::slice::from_ref(before), std::slice::from_ref(after)),
        ([], before, after) if !before.is_empty() && !after.is_empty() => (before, after),
        _ => wrong_usage!("which traces? `gotrail diff BEFORE AFTER`, or --before ... --after ..."),
    };
    // Both sides at once.
    let (before, after) = thread::scope(|scope| {
        let other = scope.spawn(|| side(after, args.slices));
        let before = side(before, args.slices);
        let after = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (before, after)
    });
    let (before, after) = (before?, after?);
    let columns = [
        column("kind", "of"),
        column("subject", "what"),
        column("quantity", "quantity"),
        column("before", "before"),
        column("after", "after"),
        column("change", "change"),
        column("ratio", "ratio"),
        column("t", "t"),
        column("exceeds", ""),
        column("stack", ""),
    ];
    let mut table = Table::new("difference", &columns);
    for found in diff::compare(&before, &after) {
        let (kind, subject, stack) = describe(&found.subject);
        let by = match found.subject {
            Subject::Function(_) => By::Function,
            Subject::Reason(..) => By::Reason,
            Subject::Stack(..) => By::Stack,
        };
        if args.by.is_some_and(|wanted| wanted != by) || !args.all && !found.exceeds {
            continue;
        }
        let amount = |value: f64| match found.quantity {
            Quantity::Waits => Cell::Number(value),
            _ => Cell::Nanos(value.round() as i64),
        };
        let ratio = found.after / found.before;
        table.push(vec![
            Cell::Text(kind.to_owned()),
            Cell::Text(subject),
            Cell::Text(unit(found.quantity)),
            amount(found.before),
            amount(found.after),
            amount(found.after - found.before),
            if ratio.is_finite() { Cell::Number(ratio) } else { Cell::None },
            if found.t.is_finite() { Cell::Number(found.t) } else { Cell::None },
            Cell::Text(found.exceeds.to_string()),
            Cell::Json(serde_json::to_string(&stack)?),
        ]);
    }
    let mut output = Output::new();
    if table.is_empty() && !args.format.is_for_programs() {
        output.buffer().extend_from_slice(b"nothing changed beyond chance\n");
        output.flush()?;
        return Ok(Verdict::Fine);
    }
    table.sorted(&args.format)?.print(&mut output, &args.format)
}

fn unit(quantity: Quantity) -> String {
    match quantity {
        Quantity::PerWait => "time per wait".to_owned(),
        Quantity::Waits => "waits per second".to_owned(),
        other => format!("{} per second", other.name()),
    }
}

/// The kind of a subject, its name for people, and its stack.
fn describe(subject: &Subject) -> (&'static str, String, Vec<String>) {
    let named = |kind: &gotrail_analyze::WaitKind, why: &str| {
        if why.is_empty() { kind.name().to_owned() } else { format!("{}: {why}", kind.name()) }
    };
    match subject {
        Subject::Function(name) if name.is_empty() => ("function", "(unknown)".to_owned(), vec![]),
        Subject::Function(name) => ("function", name.clone(), vec![]),
        Subject::Reason(kind, why) => ("reason", named(kind, why), vec![]),
        Subject::Stack(kind, why, stack) => {
            // The innermost functions that are not the runtime's say where it is.
            let own = stack
                .iter()
                .filter(|name| !name.starts_with("runtime.") && !name.starts_with("internal/"));
            let own: Vec<_> = own.take(2).map(String::as_str).collect();
            let place = if own.is_empty() { "(runtime)".to_owned() } else { own.join(" < ") };
            ("stack", format!("{} in {place}", named(kind, why)), stack.clone())
        }
    }
}

/// The slices of all traces of a side.
fn side(paths: &[PathBuf], slices: u32) -> Result<Samples> {
    let mut samples = Samples::new();
    let mut known = 0;
    for path in paths {
        known = one(path, slices, &mut samples, known)?;
    }
    Ok(samples)
}

fn one(path: &Path, slices: u32, samples: &mut Samples, known: usize) -> Result<usize> {
    let mut source = Source::open(path)?.into_mapped()?;
    let progress = Progress::new(source.size, false);
    let bounds = match source.bounds()? {
        Some(bounds) => Some(bounds),
        // A broken trace: its events say it.
        None => source.bounds_of_events(&progress)?,
    };
    let Some((start, end)) = bounds else {
        return Err(Failure::new(format!("{}: has no events", source.name))
            .next(format!("`gotrail info {}` says why", crate::failure::quoted(&source.name)))
            .into());
    };
    let mut slicer = Slicer::new(start, end, slices);
    let outcome = source.read(Mode::Tolerant, &progress, |event| {
        slicer.event(event);
        Ok(())
    })?;
    progress.finish();
    crate::report::to_stderr(&source.name, &outcome.report, outcome.bytes);
    if outcome.report.times_are_ticks {
        human::times_are_ticks();
        human::need_nanoseconds("a comparison")?;
    }
    Ok(slicer.finish(samples, known))
}

impl Source {
    /// When the first generation begins and the last ends, if there is one.
    fn bounds(&self) -> Result<Option<(i64, i64)>> {
        let Data::Mapped(trace) = &self.data else { bail!("{}: cannot be read twice", self.name) };
        let bounds = |trace: &Trace| {
            let generations = trace.generations();
            let start = generations.first()?.start.0;
            let end = generations.iter().map(|generation| generation.end.0).max()?;
            Some((start, end))
        };
        Ok(bounds(trace))
    }

    /// The times of the first event and of the last that can be read, if there are any.
    fn bounds_of_events(&mut self, progress: &Progress) -> Result<Option<(i64, i64)>> {
        let mut bounds = None;
        self.read(Mode::Tolerant, progress, |event| {
            let time = event.time().0;
            bounds = Some((bounds.map_or(time, |(first, _)| first), time));
            Ok(())
        })?;
        Ok(bounds.filter(|(first, last)| first < last))
    }
}
