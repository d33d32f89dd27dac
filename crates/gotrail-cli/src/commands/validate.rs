//! `gotrail validate`: reads traces strictly, many at a time.

use super::info::PlaceJson;
use crate::failure::{self, Failure};
use crate::output::Output;
use crate::paint::Paint;
use crate::progress::Progress;
use crate::source::{self, Source};
use crate::{Verdict, human, report};
use anyhow::Result;
use gotrail::deep::{Checker, Finding};
use gotrail::{Error, Mode};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

const EXAMPLES: &str = "\
Examples:
  gotrail validate trace.out
  gotrail validate --deep --threads 4 traces/*.trace
  gotrail validate --json traces/* | jq -r 'select(.ok | not) | .file'

What Go's own reader refuses is broken. --deep checks more: every transition legal, ranges
balanced, one goroutine on a thread, one thread on a proc, times rising.

Exit status: 0 if every trace is good, 1 if one is broken or cannot be read.";

/// How many findings of a file are shown.
const SHOWN: usize = 10;

/// Check that traces are whole and sound.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The traces; `-` is standard input.
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// Check more than Go's reader does.
    #[arg(long)]
    deep: bool,
    /// How many files to read at the same time [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = crate::query::thread_count)]
    threads: Option<NonZero<usize>>,
    /// Print one JSON object a line for each trace.
    #[arg(long)]
    json: bool,
}

/// What was found out about one file.
#[derive(Default)]
struct Checked {
    events: u64,
    generations: u64,
    problem: Option<Problem>,
    findings: Vec<Finding>,
    more_findings: u64,
}

/// Why a file is broken.
enum Problem {
    /// It was read up to an error.
    Broken(Box<Error>),
    /// It could not even be opened.
    Unreadable(Failure),
}

impl Checked {
    fn is_good(&self) -> bool {
        self.problem.is_none() && self.findings.is_empty()
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    source::need_one_stdin(&args.traces)?;
    let total = args.traces.iter().map(|path| source::size_of(path)).sum::<Option<u64>>();
    let progress = Progress::new(total, Progress::output_is_seen() && args.traces.len() > 1);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let all = args.threads.map_or(cores, NonZero::get);
    // Files first; threads that are left over share the work within files.
    let threads = all.min(args.traces.len());
    let within = all / threads.max(1);
    let names = args.traces.iter().map(|path| source::name_of(path).chars().count());
    let width = names.max().unwrap_or(0).min(60);

    let next = AtomicUsize::new(0);
    let (results, received) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (results, next, progress) = (results.clone(), &next, &progress);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = args.traces.get(index) else { return };
                    let checked = check(path, args.deep, within, progress);
                    if results.send((index, checked)).is_err() {
                        // Nobody listens any more.
                        return;
                    }
                }
            });
        }
        drop(results);
        let verdict = print(args, received, width, &progress);
        // Lets the threads stop after the files that they are at.
        next.store(args.traces.len(), Ordering::Relaxed);
        progress.finish();
        verdict
    })
}

/// Prints the results in the order of the arguments, each as soon as those before it are there.
fn print(
    args: &Args,
    results: mpsc::Receiver<(usize, Checked)>,
    width: usize,
    progress: &Progress,
) -> Result<Verdict> {
    let mut output = Output::new();
    let paint = Paint::stdout();
    let mut waiting = BTreeMap::new();
    let mut verdict = Verdict::Fine;
    let mut next = 0;
    for (index, checked) in results {
        waiting.insert(index, checked);
        if args.traces.len() == 1 {
            // The bar makes room for the only line.
            progress.finish();
        }
        while let Some(checked) = waiting.remove(&next) {
            let path = &args.traces[next];
            if !checked.is_good() {
                verdict = Verdict::Broken;
            }
            if args.json {
                serde_json::to_writer(&mut *output.buffer(), &Json::new(path, &checked))?;
                output.buffer().push(b'\n');
            } else {
                output.buffer().extend_from_slice(text(paint, path, &checked, width).as_bytes());
            }
            output.flush()?;
            next += 1;
        }
    }
    Ok(verdict)
}

fn check(path: &Path, deep: bool, threads: usize, progress: &Progress) -> Checked {
    let mut checked = Checked::default();
    let mut source = match Source::open(path) {
        Ok(source) => source,
        Err(failure) => {
            checked.problem = Some(Problem::Unreadable(failure));
            return checked;
        }
    };
    let outcome = if deep {
        let mut checker = Checker::new();
        source.read(Mode::Strict, progress, |event| {
            for finding in checker.event(event) {
                if checked.findings.len() < SHOWN {
                    checked.findings.push(finding);
                } else {
                    checked.more_findings += 1;
                }
            }
            Ok(())
        })
    } else {
        source.count(threads, progress)
    };
    match outcome {
        Ok(outcome) => {
            checked.events = outcome.events;
            checked.generations = outcome.generations;
            checked.problem = outcome.error.map(|error| Problem::Broken(Box::new(error)));
        }
        Err(error) => {
            let failure = error.downcast::<Failure>();
            let failure = failure.unwrap_or_else(|error| Failure::new(format!("{error:#}")));
            checked.problem = Some(Problem::Unreadable(failure));
        }
    }
    checked
}

fn text(paint: Paint, path: &Path, checked: &Checked, width: usize) -> String {
    let name = source::name_of(path);
    let read = format!(
        "{}, {}",
        human::counted(checked.events, "event"),
        human::counted(checked.generations, "generation")
    );
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").unwrap_or_default();
    if checked.is_good() {
        line(format!("{}  {name:<width$}  {read}", paint.green("ok")));
        return out;
    }
    let bad = paint.red("bad");
    match &checked.problem {
        Some(Problem::Unreadable(failure)) => {
            let what = failure.what.strip_prefix(&format!("{name}: ")).unwrap_or(&failure.what);
            line(format!("{bad} {name:<width$}  {what}"));
            failure.next.iter().for_each(|next| line(format!("    next:   {next}")));
        }
        Some(Problem::Broken(error)) => {
            line(format!("{bad} {name:<width$}  {}", error.fault()));
            line(format!("    where:  {}", report::place(error.place())));
            line(format!("    likely: {}", failure::explain(error.cause())));
            line(format!("    next:   {}", failure::advice(&name, error)));
        }
        None => {
            let number = checked.findings.len() as u64 + checked.more_findings;
            let findings = human::counted(number, "finding");
            line(format!("{bad} {name:<width$}  {read}, {findings} of --deep"));
        }
    }
    for finding in &checked.findings {
        line(format!("    deep:   {finding}"));
    }
    if checked.more_findings > 0 {
        line(format!("    deep:   and {} more", human::count(checked.more_findings)));
    }
    out
}

#[derive(Serialize)]
struct Json {
    file: String,
    ok: bool,
    events: u64,
    generations: u64,
    error: Option<ErrorJson>,
    findings: Vec<String>,
    more_findings: u64,
}

#[derive(Serialize)]
struct ErrorJson {
    what: String,
    cause: Option<String>,
    place: Option<PlaceJson>,
    next: Option<String>,
}

impl Json {
    fn new(path: &Path, checked: &Checked) -> Json {
        let name = source::name_of(path);
        let error = checked.problem.as_ref().map(|problem| match problem {
            Problem::Broken(error) => ErrorJson {
                what: error.fault().to_string(),
                cause: Some(error.cause().to_string()),
                place: Some(error.place().into()),
                next: Some(failure::advice(&name, error)),
            },
            Problem::Unreadable(failure) => ErrorJson {
                what: failure.what.clone(),
                cause: failure.likely.clone(),
                place: None,
                next: failure.next.clone(),
            },
        });
        Json {
            file: name,
            ok: checked.is_good(),
            events: checked.events,
            generations: checked.generations,
            error,
            findings: checked.findings.iter().map(ToString::to_string).collect(),
            more_findings: checked.more_findings,
        }
    }
}
