//! `gotrail report`: everything on one page that needs nothing else.

use super::{gc, goroutines, latency, procs};
use crate::plot::{Plot, Scale, Series};
use crate::query::{Answer, Part, Query};
use crate::target::Place;
use crate::{Verdict, findings, human, source};
use anyhow::Result;
use gotrail_analyze::check::Rules;
use gotrail_analyze::mmu::Flags;
use gotrail_analyze::{Histogram, Options, WaitKind};
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
    /// How many threads to use [default: the number of cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

const STYLE: &str = include_str!("report.css");

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    args.place.check()?;
    let rules = Rules::default();
    let query = Query { trace: args.trace.clone(), part: Part::default(), threads: args.threads };
    let limits = rules.limits();
    let options = Options { regions: true, procs: true, limits, ..Options::default() };
    let answer = query.run(options)?;
    let page = page(&source::name_of(&args.trace), &answer, &rules);
    args.place.write_all(page.into_string().as_bytes())?;
    Ok(Verdict::Fine)
}

fn page(name: &str, answer: &Answer, rules: &Rules) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (name) " - gotrail report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
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
                        "The trace does not say how long a tick of its clock is: all times are "
                        "ticks, although they are printed as nanoseconds."
                    }
                }
                (found(answer, rules))
                h2 { "Procs" }
                (PreEscaped(utilization(answer)))
                (PreEscaped(procs::summary(answer).html_fields()))
                h2 { "Goroutines by function" }
                (PreEscaped(goroutines::groups(answer).html("total")))
                h2 { "Scheduling latency" }
                (PreEscaped(latencies(answer)))
                h2 { "Waits" }
                (PreEscaped(latency::reasons(answer).html("total")))
                h3 { "Where they began" }
                (PreEscaped(latency::places(answer).html("total")))
                h2 { "Garbage collector" }
                (PreEscaped(heap(answer)))
                (PreEscaped(gc::figures(answer).html_fields()))
                h3 { "Stops of the world" }
                (PreEscaped(gc::reasons(answer).html("total")))
                h3 { "Minimum mutator utilization" }
                (PreEscaped(mmu(answer)))
                (tasks(answer))
                (regions(answer))
                footer { "gotrail " (env!("CARGO_PKG_VERSION")) }
            }
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
    let found = rules.find(&answer.analysis, &answer.report);
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

fn seconds(nanos: f64) -> String {
    human::duration(nanos as i64)
}

fn utilization(answer: &Answer) -> String {
    let Some(procs) = &answer.analysis.procs else { return String::new() };
    let begin = answer.start.time;
    let (step, end) = (procs.timeline.step(), answer.analysis.end());
    let of = |value: fn(&gotrail_analyze::procs::Load) -> i64| {
        let steps = procs.timeline.steps().map(|(time, load)| {
            // The first and the last step lie in the trace in part only.
            let (from, until) = (time.max(begin), (time + step).min(end));
            ((from - begin) as f64, value(load) as f64 / (until - from).max(1) as f64)
        });
        steps.collect::<Vec<_>>()
    };
    let plot = |caption, series| Plot {
        caption,
        x: Scale::Linear,
        x_text: seconds,
        y_text: human::number,
        series,
    };
    let procs = plot(
        "procs held by threads, of those that there are, over time",
        vec![
            Series { name: "held", points: of(|load| load.held), filled: true },
            Series { name: "GOMAXPROCS", points: of(|load| load.procs), filled: false },
        ],
    );
    let runnable = plot(
        "goroutines that waited for a proc, over time",
        vec![Series { name: "runnable", points: of(|load| load.runnable), filled: true }],
    );
    procs.svg() + &runnable.svg()
}

fn latencies(answer: &Answer) -> String {
    let mut all = Histogram::default();
    for (kind, _, histogram) in answer.analysis.waits.classes() {
        if kind == WaitKind::Sched {
            all.add(histogram);
        }
    }
    let mut points: Vec<(f64, f64)> = Vec::new();
    let total = all.count().max(1) as f64;
    let mut seen = 0;
    for (nanos, count) in all.buckets() {
        seen += count;
        points.push((nanos.max(1) as f64, seen as f64 / total));
    }
    let plot = Plot {
        caption: "share of waits for a proc that took at most so long",
        x: Scale::Log,
        x_text: seconds,
        y_text: human::share,
        series: vec![Series { name: "share", points, filled: true }],
    };
    plot.svg()
}

fn heap(answer: &Answer) -> String {
    let begin = answer.start.time;
    let (mut allocated, mut goal) = (Vec::new(), Vec::new());
    for (time, heap) in answer.analysis.gc.heap.steps() {
        let after = (time - begin).max(0) as f64;
        if heap.allocated > 0 {
            allocated.push((after, heap.allocated as f64));
        }
        if heap.goal > 0 {
            goal.push((after, heap.goal as f64));
        }
    }
    let plot = Plot {
        caption: "bytes of the heap that are allocated, and the collector's goal, over time",
        x: Scale::Linear,
        x_text: seconds,
        y_text: |bytes| human::size(bytes as u64),
        series: vec![
            Series { name: "allocated", points: allocated, filled: true },
            Series { name: "goal", points: goal, filled: false },
        ],
    };
    plot.svg()
}

fn mmu(answer: &Answer) -> String {
    let all = Flags { stw: true, background: true, assist: true, sweep: true, per_proc: false };
    let stw = Flags { stw: true, ..Flags::default() };
    let end = answer.analysis.end();
    let duration = (end - answer.start.time).max(1);
    let curve = |flags| {
        let mmu = answer.analysis.gc.mmu(flags, answer.start.time, end);
        // Four windows for each power of ten, from 1 µs to the length of the trace.
        let windows = (12..).map(|quarter| 10f64.powf(f64::from(quarter) / 4.0));
        let windows = windows.take_while(|window| *window <= duration as f64);
        windows.map(|window| (window, mmu.at(window as i64))).collect::<Vec<_>>()
    };
    let plot = Plot {
        caption: "the least share of the processors that the program had, by length of the window",
        x: Scale::Log,
        x_text: seconds,
        y_text: human::share,
        series: vec![
            Series { name: "stops only", points: curve(stw), filled: false },
            Series { name: "all of the collector", points: curve(all), filled: true },
        ],
    };
    plot.svg()
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
            (PreEscaped(super::tasks::table(answer).html("duration")))
        }
    }
}
