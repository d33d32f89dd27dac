//! `gotrail report`: everything on one page that needs nothing else.

mod plots;

use super::why::subject::Watch;
use super::{flame, gc, goroutines, latency, logs, procs, why};
use crate::causes::Teller;
use crate::paint::Paint;
use crate::profiles::Made;
use crate::query::{Answer, Moment, Part, Query};
use crate::source::{self, Source};
use crate::target::Place;
use crate::{Verdict, findings, human};
use anyhow::Result;
use gotrail::TaskId;
use gotrail_analyze::check::Rules;
use gotrail_analyze::{Detail, Options, ProfileKind};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::num::NonZero;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gotrail report trace.out -o report.html
  go test -trace=trace.out ./mypackage && gotrail report trace.out -o report.html

The page has its styles and plots in it and opens without a network. docs/analyses.md defines every
figure.";

/// Write everything about a trace on one self-contained HTML page.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The trace; `-` is standard input.
    trace: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Only from this time on: after the start, as `1.5s`, or on the wall clock, as
    /// `2026-11-22T08:30:00.5Z`.
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only until this time.
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// How many threads to use [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = crate::query::thread_count)]
    threads: Option<NonZero<usize>>,
}

const STYLE: &str = include_str!("style.css");

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    args.place.check()?;
    let rules = Rules::default();
    let part = Part { from: args.from, to: args.to, ..Part::default() };
    let query = Query { trace: args.trace.clone(), part, threads: args.threads };
    let mut source = Source::open(&args.trace)?.into_mapped()?;
    let options = Options {
        regions: true,
        procs: true,
        logs: true,
        samples: true,
        limits: rules.limits(),
        waits_by_stack: true,
        ..Options::default()
    };
    let answer = query.run_on(&mut source, options)?;
    let slowest = slowest(&source, &answer)?;
    let name = source::name_of(&args.trace);
    let top = html! { (header(&name, &answer, &rules)) (procs_and_goroutines(&answer)) };
    let middle = html! { (waits(&answer)) (collector(&answer)) };
    let annotations = html! { (tasks(&answer)) (regions(&answer)) (messages(&answer)) };
    let (flames, _) = flames(answer)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (name) " - gotrail report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (top) (middle) (annotations) (slowest) (flames)
                footer { "gotrail " (env!("CARGO_PKG_VERSION")) }
            }
        }
    };
    args.place.write_all(page.into_string().as_bytes())?;
    Ok(Verdict::Fine)
}

fn header(name: &str, answer: &Answer, rules: &Rules) -> Markup {
    html! {
        h1 { "Trace " (name) }
        p { (subtitle(answer)) }
        @if !answer.report.is_complete() {
            p class="finding" {
                "The trace is broken: this page is about what could be read of it. "
                "`gotrail info` says what is missing."
            }
        }
        @if answer.report.times_are_ticks {
            p class="finding" {
                "The trace does not say how long a tick of its clock is: all times are ticks."
            }
        }
        @if answer.scope.is_some() {
            p { "Times are cut at " (window(answer)) "; findings are about the same part." }
        }
        (found(answer, rules))
    }
}

/// The part that is asked for, after the start.
fn window(answer: &Answer) -> String {
    let (from, until) = answer.window();
    let after = |time: i64| human::moment(time - answer.start.time);
    let from = after(from.max(answer.start.time));
    format!("{from} and {} after the start", after(until.min(answer.analysis.end())))
}

fn procs_and_goroutines(answer: &Answer) -> Markup {
    let changes = answer.analysis.procs.as_ref().map_or(0, |procs| procs.changes.len());
    html! {
        h2 { "Procs" }
        (PreEscaped(plots::utilization(answer)))
        (PreEscaped(procs::summary(answer).html_fields()))
        (PreEscaped(procs::each(answer).html("held")))
        @if changes > 1 {
            h3 { "GOMAXPROCS" }
            (PreEscaped(procs::changes(answer).html("after")))
        }
        h2 { "Goroutines by function" }
        (PreEscaped(goroutines::groups(answer).html("total")))
    }
}

fn waits(answer: &Answer) -> Markup {
    html! {
        h2 { "Scheduling latency" }
        (PreEscaped(plots::latencies(answer)))
        h2 { "Waits" }
        (PreEscaped(latency::reasons(answer).html("total")))
        h3 { "Where they began" }
        (PreEscaped(latency::places(answer).html("total")))
    }
}

fn collector(answer: &Answer) -> Markup {
    let assists = gc::assists(answer);
    html! {
        h2 { "Garbage collector" }
        (PreEscaped(plots::heap(answer)))
        (PreEscaped(gc::figures(answer).html_fields()))
        h3 { "Cycles, the longest" }
        (PreEscaped(gc::cycles(answer).html("mark")))
        h3 { "Stops of the world" }
        (PreEscaped(gc::reasons(answer).html("total")))
        h3 { "The longest stops" }
        (PreEscaped(gc::stops(answer).html("duration")))
        @if !assists.is_empty() {
            h3 { "Who had to assist" }
            (PreEscaped(assists.html("assist")))
        }
        h3 { "Minimum mutator utilization" }
        (PreEscaped(plots::mmu(answer)))
    }
}

/// Lets a drawing fill its frame.
const FRAME: &str = "<style>body{margin:0}svg{width:100%;height:auto}</style>";

/// Flame graphs: CPU samples, if there are any, and the time in which goroutines did not run.
/// Gives the answer back.
fn flames(answer: Answer) -> Result<(Markup, Answer)> {
    if answer.report.times_are_ticks {
        // A flame graph would call them microseconds.
        return Ok((html! {}, answer));
    }
    let cpu = Made::of(answer, ProfileKind::Cpu);
    let samples = (!cpu.profile.samples.is_empty()).then(|| flame::drawn(&cpu)).transpose()?;
    let off = Made::of(cpu.answer, ProfileKind::OffCpu);
    let waits = (!off.profile.samples.is_empty()).then(|| flame::drawn(&off)).transpose()?;
    let markup = html! {
        @if samples.is_some() || waits.is_some() {
            h2 { "Profiles" }
        }
        @for svg in [samples, waits].into_iter().flatten() {
            // In a frame of its own, where its script and styles meet no other's.
            iframe class="flame" title="flame graph" srcdoc={ (FRAME) (svg) } {}
        }
    };
    Ok((markup, off.answer))
}

/// Why the slowest task that both began and ended in the trace took so long, or without tasks the
/// slowest region.
fn slowest(source: &Source, answer: &Answer) -> Result<Markup> {
    let mut watch = Watch::new(answer.window());
    let tasks = answer.tasks().filter_map(|(id, task)| {
        let length = task.end? - task.start?;
        (id != TaskId(0)).then_some((length, id))
    });
    match tasks.max_by_key(|&(length, id)| (length, std::cmp::Reverse(id))) {
        Some((_, id)) => watch.task = Some(id),
        None if answer.analysis.goroutines.regions().iter().any(|region| region.end.is_some()) => {
            watch.region = Some(regex::Regex::new("")?);
        }
        None => return Ok(html! {}),
    }
    let mut history = source.history(|event| watch.event(event))?;
    // In a broken trace it may not be there any more.
    let Ok(subject) = watch.subject(&history, 1, &source.name) else { return Ok(html! {}) };
    let detail = Detail { waits: 3, depth: 3, ..Detail::default() };
    let found = history.why(subject.go, subject.from, subject.until, detail)?;
    let teller = Teller { history: &history, paint: Paint::nowhere(), stacks: false };
    let mut text = String::new();
    why::explain(&mut text, &teller, &found);
    Ok(html! {
        h2 { "Why the slowest took so long" }
        p { (subject.title) ", " (human::duration(subject.until - subject.from)) }
        pre class="scroll" { (text) }
    })
}

fn messages(answer: &Answer) -> Markup {
    let table = logs::messages(answer, |_| true);
    html! {
        @if !table.is_empty() {
            h2 { "Log messages" }
            (PreEscaped(table.html("time")))
        }
    }
}

fn subtitle(answer: &Answer) -> String {
    let analysis = &answer.analysis;
    let duration = human::duration(analysis.end() - answer.start.time);
    let goroutines = human::counted(analysis.goroutines.iter().len() as u64, "goroutine");
    let tasks = human::counted(analysis.goroutines.tasks.len() as u64, "task");
    let cycles = human::counted(analysis.gc.cycles.len() as u64, "garbage collection");
    let began = answer.start.clock.map(|clock| {
        let nanos = clock.wall_at(gotrail::Time(answer.start.time));
        jiff::Timestamp::from_nanosecond(nanos)
            .map_or(String::new(), |time| format!(" from {time}"))
    });
    let began = began.unwrap_or_default();
    format!("{duration}{began}: {goroutines}, {tasks}, {cycles}.")
}

fn found(answer: &Answer, rules: &Rules) -> Markup {
    let found = rules.find(&answer.analysis, &answer.report, 1);
    html! {
        h2 { "Findings" }
        @if found.is_empty() {
            p { "Nothing found by " (human::counted(rules.0.len() as u64, "rule")) "." }
        }
        @for finding in &found {
            div class="finding" {
                b { (finding.rule) } ": " (finding.what)
                div class="evidence" { (findings::evidence(finding)) }
                @if let Some(worst) = &finding.worst {
                    div class="evidence" { "worst: " (findings::worst(answer, worst)) }
                }
                @let frames = findings::frames(answer, finding);
                @if !frames.is_empty() {
                    details {
                        summary { "stack" }
                        pre {
                            @for (function, file, line) in &frames {
                                (function) "\n    " (file) ":" (line) "\n"
                            }
                        }
                    }
                }
            }
        }
    }
}

fn regions(answer: &Answer) -> Markup {
    html! {
        @if !answer.analysis.goroutines.regions().is_empty() {
            h2 { "Regions by type" }
            (PreEscaped(super::regions::types(answer).html("total")))
        }
    }
}

fn tasks(answer: &Answer) -> Markup {
    html! {
        @if !answer.analysis.goroutines.tasks.is_empty() {
            h2 { "Tasks" }
            (PreEscaped(super::tasks::table(answer, None).html("duration")))
        }
    }
}
