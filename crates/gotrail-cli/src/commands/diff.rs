//! `gotrail diff`: what changed between two traces, or two sets of traces.

use crate::Verdict;
use crate::failure::{Failure, wrong_usage};
use crate::human;
use crate::output::Output;
use crate::progress::Progress;
use crate::query::{Moment, Part, Query};
use crate::source::{self, Data, Source};
use crate::table::{Cell, Format, Table, column};
use anyhow::{Result, bail};
use gotrail::{Mode, Trace};
use gotrail_analyze::WaitKind;
use gotrail_analyze::diff::{Comparison, Difference, Quantity, Subject, Which};
use gotrail_analyze::slices::{Slicer, Slices};
use regex::Regex;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::thread;

const EXAMPLES: &str = "\
Examples:
  gotrail diff old.trace new.trace
  gotrail diff --before a1.trace a2.trace a3.trace --after b1.trace b2.trace b3.trace
  gotrail diff --by function --all old.trace new.trace
  gotrail diff --json old.trace new.trace | jq 'select(.t > 10)'

Everything is per second of trace. With several traces on a side, a difference is shown if the
traces of each side differ so little among themselves that it is hardly chance. With one trace a
side this is judged by slices of its time; what differs from run to run is then not known. Of what
is shown, at most the share --false may be chance. docs/analyses.md says how that is found.";

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
    /// Of the differences shown, which share may be chance.
    #[arg(long = "false", value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    falsely: f64,
    /// Into how many slices of time the trace of a side is cut if it is the only one.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(4..=1000))]
    slices: u32,
    /// Of each trace, only from this time on: after its start, as `1.5s`, or on the wall clock, as
    /// `2026-11-22T08:30:00.5Z`.
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    from: Option<Moment>,
    /// Of each trace, only until this time.
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    to: Option<Moment>,
    /// Only goroutines that began with a function matching this regular expression.
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    function: Option<Regex>,
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
    source::need_one_stdin(before.iter().chain(after))?;
    let mut comparison = Comparison::new(before.len(), after.len());
    // Both sides at once; of each trace only its slices are kept, until it has been added.
    for at in 0..before.len().max(after.len()) {
        let one = |paths: &[PathBuf]| paths.get(at).map(|path| slices(path, args)).transpose();
        let (old, new) = thread::scope(|scope| {
            let new = scope.spawn(|| one(after));
            let old = one(before);
            (old, new.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        for (which, slices) in [(Which::Before, old?), (Which::After, new?)] {
            if let Some(slices) = slices {
                comparison.add(which, &slices);
            }
        }
    }
    let mut found = comparison.differences(args.falsely);
    let compared = found.len() as u64;
    found.retain(|found| args.all || found.exceeds);
    let mut rows: Vec<_> =
        found.into_iter().map(|found| (comparison.subject(found.subject), found)).collect();
    rows.retain(|(subject, _)| args.by.is_none_or(|wanted| wanted == By::of(subject)));
    let mut output = Output::new();
    if !rows.is_empty() || args.format.is_for_programs() {
        table(rows).sorted(&args.format)?.print(&mut output, &args.format)?;
    } else if compared == 0 {
        output.buffer().extend_from_slice(b"nothing differs\n");
    } else {
        output.buffer().extend_from_slice(b"nothing changed beyond chance\n");
    }
    if compared > 0 && !args.format.is_for_programs() {
        let several = before.len() > 1 || after.len() > 1;
        let note = if several { "" } else { ONE_EACH };
        let line = format!("{} compared{note}\n", human::counted(compared, "change"));
        output.buffer().extend_from_slice(line.as_bytes());
    }
    output.flush()?;
    Ok(Verdict::Fine)
}

/// What people must know of a comparison of two traces.
const ONE_EACH: &str = "; one trace a side does not tell what differs from run to run: give \
                        several with --before and --after";

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.filter(|&share| share > 0.0).ok_or("must be between 0 and 1, as 0.01".to_owned())
}

fn table(rows: Vec<(Subject, Difference)>) -> Table {
    let columns = [
        column("kind", "of"),
        column("subject", "what"),
        column("quantity", "quantity"),
        column("before", "before"),
        column("after", "after"),
        column("change", "change"),
        column("ratio", "ratio"),
        column("t", "t"),
        column("p", "chance"),
        column("exceeds", ""),
        column("stack", ""),
    ];
    let names = names(&rows);
    let mut table = Table::new("difference", &columns);
    for ((subject, found), name) in rows.into_iter().zip(names) {
        let amount = |value: f64| match found.quantity {
            Quantity::Waits => Cell::Number(value),
            _ => Cell::Nanos(value.round() as i64),
        };
        let ratio = found.after / found.before;
        table.push(vec![
            Cell::Text(By::of(&subject).name().to_owned()),
            Cell::Text(name),
            Cell::Text(unit(found.quantity)),
            amount(found.before),
            amount(found.after),
            amount(found.after - found.before),
            if ratio.is_finite() { Cell::Number(ratio) } else { Cell::None },
            found.t.map_or(Cell::None, Cell::Number),
            Cell::Share(found.p),
            Cell::Bool(found.exceeds),
            Cell::Texts(match subject {
                Subject::Stack(_, _, stack) => stack,
                _ => Vec::new(),
            }),
        ]);
    }
    table
}

fn unit(quantity: Quantity) -> String {
    match quantity {
        Quantity::PerWait => "time per wait".to_owned(),
        Quantity::Waits => "waits per second".to_owned(),
        other => format!("{} per second", other.name()),
    }
}

impl By {
    fn of(subject: &Subject) -> By {
        match subject {
            Subject::Function(_) => By::Function,
            Subject::Reason(..) => By::Reason,
            Subject::Stack(..) => By::Stack,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            By::Function => "function",
            By::Reason => "reason",
            By::Stack => "stack",
        }
    }
}

/// How many functions of a stack people are shown, if these tell it from all others.
const FUNCTIONS: usize = 2;

/// What people read of each subject. Stacks that would read alike have all their functions.
fn names(rows: &[(Subject, Difference)]) -> Vec<String> {
    let mut alike = FxHashMap::<String, &Subject>::default();
    let mut doubled = Vec::new();
    for (subject, _) in rows {
        let name = name(subject, FUNCTIONS);
        if alike.get(&name).is_some_and(|other| *other != subject) {
            doubled.push(name);
        } else {
            alike.insert(name, subject);
        }
    }
    let long = |(subject, _): &(Subject, Difference)| match name(subject, FUNCTIONS) {
        short if doubled.contains(&short) => name(subject, usize::MAX),
        short => short,
    };
    rows.iter().map(long).collect()
}

/// A subject with so many functions of its stack.
fn name(subject: &Subject, functions: usize) -> String {
    let named = |kind: &WaitKind, why: &str| {
        if why.is_empty() { kind.name().to_owned() } else { format!("{}: {why}", kind.name()) }
    };
    let (kind, why, stack) = match subject {
        Subject::Function(name) if name.is_empty() => return "(unknown)".to_owned(),
        Subject::Function(name) => return name.clone(),
        Subject::Reason(kind, why) => return named(kind, why),
        Subject::Stack(kind, why, stack) => (kind, why, stack),
    };
    // The innermost functions that are not the runtime's say where it is; of a stack that has none
    // its own innermost.
    let outer = |name: &&String| !name.starts_with("runtime.") && !name.starts_with("internal/");
    let all = functions == usize::MAX || !stack.iter().any(|name| outer(&name));
    let own = stack.iter().filter(|name| all || outer(name)).take(functions);
    let own: Vec<_> = own.map(String::as_str).collect();
    let place = if own.is_empty() { "(no stack)".to_owned() } else { own.join(" < ") };
    format!("{} in {place}", named(kind, why))
}

/// Reads a trace and cuts it into slices.
fn slices(path: &Path, args: &Args) -> Result<Slices> {
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
    let (from, to, function) = (args.from, args.to, args.function.clone());
    let part = Part { from, to, function, ..Part::default() };
    let query = Query { trace: path.to_owned(), part, threads: None };
    let scope = query.scope_of(&mut source)?;
    let window = scope.as_ref().map_or((None, None), |scope| (scope.from, scope.until));
    let (begin, stop) = (start.max(window.0.unwrap_or(start)), end.min(window.1.unwrap_or(end)));
    if begin >= stop {
        let length = human::duration(end - start);
        wrong_usage!("{}: is {length} long, and has nothing of that time", source.name);
    }
    let mut slicer = Slicer::new(begin, stop, args.slices, scope);
    let outcome = source.read(Mode::Tolerant, &progress, |event| {
        slicer.event(event);
        Ok(())
    })?;
    progress.finish();
    crate::report::to_stderr(&source.name, &outcome.report, outcome.bytes, gotrail::Time(start));
    if outcome.report.times_are_ticks {
        human::times_are_ticks();
        human::need_nanoseconds("a comparison")?;
    }
    Ok(slicer.finish())
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
