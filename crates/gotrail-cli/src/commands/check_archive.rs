//! `gotrail check-archive`: runs the test archives of trace readers.

use crate::failure::Failure;
use crate::output::Output;
use crate::paint::Paint;
use crate::{Verdict, human, source};
use anyhow::Result;
use gotrail_synth::reading::{self, Difference, Reading};
use gotrail_synth::{Archive, Expectation};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  gotrail check-archive testdata/archives
  gotrail check-archive mine.test
  gotrail check-archive --json *.test | jq -r 'select(.ok | not) | .file'

An archive holds a trace as text and what a reader should say to it: SUCCESS, or FAILURE and a
regular expression that the error has to match. If NAME.events lies beside NAME.test, the events
have to be those, as `gotrail dump parsed` prints them in UTC.

Exit status: 0 if every archive passes, 1 if one fails or cannot be read, 2 for wrong usage.";

/// Run test archives: check that the reader says what they expect.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The archives; `-` is standard input, and a folder stands for all its *.test files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object a line for each archive.
    #[arg(long)]
    json: bool,
}

/// What came of an archive.
enum Outcome {
    /// It was run.
    Ran(Box<Run>),
    /// It could not be read, or is no archive.
    Unreadable(Failure),
}

/// What was expected and what was found.
struct Run {
    expectation: Expectation,
    reading: Reading,
    /// What is wrong with the end, in words.
    verdict: Result<(), String>,
    /// Where the events differ from the file beside; `None` if there is no such file.
    events: Option<Result<(), Difference>>,
}

impl Outcome {
    fn passes(&self) -> bool {
        match self {
            Outcome::Ran(run) => run.verdict.is_ok() && !matches!(run.events, Some(Err(_))),
            Outcome::Unreadable(_) => false,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let mut output = Output::new();
    let paint = Paint::stdout();
    let (mut passed, mut failed) = (0u64, 0u64);
    for given in &args.files {
        let (archives, problem) = match archives(given) {
            Ok(archives) => (archives, None),
            Err(failure) => (Vec::new(), Some((given.clone(), Outcome::Unreadable(failure)))),
        };
        let ran = archives.into_iter().map(|path| {
            let outcome = check(&path).unwrap_or_else(Outcome::Unreadable);
            (path, outcome)
        });
        for (path, outcome) in ran.chain(problem) {
            *if outcome.passes() { &mut passed } else { &mut failed } += 1;
            if args.json {
                serde_json::to_writer(&mut *output.buffer(), &Json::new(&path, &outcome))?;
                output.buffer().push(b'\n');
            } else {
                output.buffer().extend_from_slice(text(paint, &path, &outcome).as_bytes());
            }
            output.flush()?;
        }
    }
    if !args.json && passed + failed > 1 {
        let all = human::counted(passed + failed, "archive");
        let line =
            format!("{all}: {} passed, {} failed\n", human::count(passed), human::count(failed));
        output.buffer().extend_from_slice(line.as_bytes());
    }
    output.flush_last()?;
    Ok(if failed == 0 { Verdict::Fine } else { Verdict::Broken })
}

/// The archive, or all of a folder.
fn archives(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let entries = fs::read_dir(path).map_err(|error| Failure::open(path, &error))?;
    let mut archives = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::open(path, &error))?.path();
        if entry.extension().is_some_and(|ending| ending == "test") {
            archives.push(entry);
        }
    }
    archives.sort();
    if archives.is_empty() {
        let name = path.display();
        return Err(Failure::new(format!("{name}: the folder has no archives"))
            .next("archives are called NAME.test"));
    }
    Ok(archives)
}

/// Runs one archive.
fn check(path: &Path) -> Result<Outcome, Failure> {
    let name = source::name_of(path);
    let mut text = Vec::new();
    let read = source::open_bytes(path)?.read_to_end(&mut text);
    read.map_err(|error| Failure::read(&name, " the archive", &error))?;
    let parsed = Archive::parse(&text).and_then(|archive| Ok((archive.bytes()?, archive)));
    let (trace, archive) = parsed.map_err(|error| {
        Failure::new(format!("{name}: {error}"))
            .next("`gotrail check-archive --help` says what an archive is")
    })?;
    let reading = reading::of(&trace);
    let events = match fs::read(path.with_extension("events")) {
        Ok(expected) => Some(match Difference::between(&expected, &reading.events) {
            None => Ok(()),
            Some(difference) => Err(difference),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::open(&path.with_extension("events"), &error)),
    };
    let expectation = archive.expectation;
    let verdict = expectation.check(reading.error.as_deref());
    Ok(Outcome::Ran(Box::new(Run { expectation, reading, verdict, events })))
}

/// The expectation as it stands in the archive.
fn expected(expectation: &Expectation) -> String {
    String::from_utf8_lossy(&expectation.to_text()).trim_end().to_owned()
}

fn text(paint: Paint, path: &Path, outcome: &Outcome) -> String {
    let name = source::name_of(path);
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").unwrap_or_default();
    let run = match outcome {
        Outcome::Ran(run) => run,
        Outcome::Unreadable(failure) => {
            let what = failure.what.strip_prefix(&format!("{name}: ")).unwrap_or(&failure.what);
            line(format!("{} {name}  {what}", paint.red("FAIL")));
            failure.next.iter().for_each(|next| line(format!("    next:     {next}")));
            return out;
        }
    };
    let events = human::counted(run.reading.count, "event");
    if outcome.passes() {
        line(format!("{} {name}  {events}", paint.green("pass")));
        return out;
    }
    line(format!("{} {name}", paint.red("FAIL")));
    if run.verdict.is_err() {
        line(format!("    expected: {}", expected(&run.expectation)));
        match &run.reading.error {
            Some(error) => line(format!("    found:    {error}")),
            None => line(format!("    found:    no error, {events}")),
        }
    }
    if let Some(Err(difference)) = &run.events {
        let shown = |text: &Option<String>| text.clone().unwrap_or("(nothing more)".into());
        let file = path.with_extension("events");
        line(format!("    events:   differ from {} in line {}", file.display(), difference.line));
        line(format!("      expected: {}", shown(&difference.expected)));
        line(format!("      found:    {}", shown(&difference.found)));
    }
    out
}

#[derive(Serialize)]
struct Json {
    file: String,
    ok: bool,
    /// Why it could not be run.
    problem: Option<String>,
    expected: Option<String>,
    /// The error that was found.
    error: Option<String>,
    events: u64,
    /// Whether there were events to compare with.
    events_compared: bool,
    difference: Option<DifferenceJson>,
}

#[derive(Serialize)]
struct DifferenceJson {
    line: usize,
    expected: Option<String>,
    found: Option<String>,
}

impl Json {
    fn new(path: &Path, outcome: &Outcome) -> Json {
        let (file, ok) = (source::name_of(path), outcome.passes());
        match outcome {
            Outcome::Unreadable(failure) => Json {
                file,
                ok,
                problem: Some(failure.what.clone()),
                expected: None,
                error: None,
                events: 0,
                events_compared: false,
                difference: None,
            },
            Outcome::Ran(run) => Json {
                file,
                ok,
                problem: None,
                expected: Some(expected(&run.expectation)),
                error: run.reading.error.clone(),
                events: run.reading.count,
                events_compared: run.events.is_some(),
                difference: run.events.as_ref().and_then(|events| {
                    let Difference { line, expected, found } = events.as_ref().err()?.clone();
                    Some(DifferenceJson { line, expected, found })
                }),
            },
        }
    }
}
