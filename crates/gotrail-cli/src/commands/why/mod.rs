//! `gotrail why`: what passed the time of a goroutine, a task, a region or a window.

pub(crate) mod subject;

use crate::Verdict;
use crate::causes::Teller;
use crate::failure::wrong_usage;
use crate::human;
use crate::output::Output;
use crate::paint::Paint;
use crate::query::Moment;
use crate::source::Source;
use anyhow::Result;
use gotrail_analyze::{Detail, History, Why};
use regex::Regex;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use subject::{Subject, Watch};

const EXAMPLES: &str = "\
Examples:
  gotrail why --goroutine 17 trace.out
  gotrail why --task 3 trace.out                       from its begin to its end
  gotrail why --region '^handle request$' trace.out    the slowest one
  gotrail why --from 1.2s --to 1.3s trace.out          whoever was last to do something then
  gotrail why --goroutine 17 --json trace.out | jq .kinds

docs/analyses.md says how the path is found.";

/// Explain what passed the time: the critical path, and the chain of causes behind each wait.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The trace; `-` is standard input.
    trace: PathBuf,
    /// This goroutine.
    #[arg(long, value_name = "ID", group = "subject")]
    goroutine: Option<i64>,
    /// This task, on the goroutine that ended it.
    #[arg(long, value_name = "ID", group = "subject")]
    task: Option<u64>,
    /// The slowest region of a type matching this regular expression.
    #[arg(long, value_name = "REGEX", group = "subject")]
    region: Option<Regex>,
    /// Not the slowest but the Nth slowest region.
    #[arg(long, value_name = "N", requires = "region", conflicts_with_all = ["goroutine", "task"],
          default_value_t = 1)]
    nth: usize,
    /// Only from this time on: after the start, as `1.5s`, or on the wall clock, as
    /// `2026-11-22T08:30:00.5Z`.
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only until this time.
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// How many waits to show of each goroutine, the longest.
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Output")]
    waits: usize,
    /// How deep to go into the waits of those who ended waits.
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Output")]
    depth: usize,
    /// Show whole stacks instead of one frame.
    #[arg(long, help_heading = "Output")]
    stacks: bool,
    /// How many pieces of the path --json has, the longest; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Output")]
    path: usize,
    /// Print one JSON object, times in nanoseconds.
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    if args.nth == 0 {
        wrong_usage!("--nth 1 is the slowest region");
    }
    let mut source = Source::open(&args.trace)?.into_mapped()?;
    source.mend(true)?;
    let window = source.window(args.from, args.to)?;
    let mut watch = Watch::new(window);
    watch.goroutine = args.goroutine.map(gotrail::GoId);
    watch.task = args.task.map(gotrail::TaskId);
    watch.region = args.region.clone();
    watch.anybody = watch.goroutine.is_none() && watch.task.is_none() && watch.region.is_none();
    if args.from.is_some() || args.to.is_some() {
        human::need_nanoseconds("a filter by time")?;
    }
    let mut history = source.history(|event| watch.event(event))?;
    let subject = watch.subject(&history, args.nth, &source.name)?;
    let pieces = if args.path == 0 { usize::MAX } else { args.path };
    let detail = Detail { waits: args.waits, depth: args.depth, pieces };
    let why = history.why(subject.go, subject.from, subject.until, detail)?;
    print(&history, &subject, &why, args)
}

fn print(history: &History<'_>, subject: &Subject, why: &Why, args: &Args) -> Result<Verdict> {
    let paint = Paint::stdout();
    let teller = Teller { history, paint, stacks: args.stacks };
    let mut output = Output::new();
    if args.json {
        human::need_nanoseconds("JSON")?;
        let mut value = teller.json(why);
        value["subject"] = subject.title.clone().into();
        writeln!(output.buffer(), "{value}")?;
        output.flush()?;
        return Ok(Verdict::Fine);
    }
    let mut out = String::new();
    let length = human::duration(why.step.until - why.step.from);
    let _ = writeln!(out, "{}", paint.bold(&subject.title));
    let (from, until) = (teller.after(why.step.from), teller.after(why.step.until));
    let _ = writeln!(out, "{length}, from {from} to {until} after the start\n");
    explain(&mut out, &teller, why);
    output.buffer().extend_from_slice(out.as_bytes());
    output.flush()?;
    Ok(Verdict::Fine)
}

/// The path and its causes.
pub(crate) fn explain(out: &mut String, teller: &Teller<'_>, why: &Why) {
    let paint = teller.paint;
    let _ = writeln!(out, "{}", paint.bold("Critical path"));
    teller.kinds(out, &why.total);
    if why.functions.len() > 1 {
        let _ = writeln!(out, "\n{}", paint.bold("Whose time it was"));
        teller.functions(out, why);
    }
    let _ = writeln!(out, "\n{}", paint.bold("Causes"));
    teller.tree(out, &why.step);
}
