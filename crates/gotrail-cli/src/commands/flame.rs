//! `gotrail flame`: profiles as flame graphs, or folded for other tools that draw them.

use crate::Verdict;
use crate::failure::wrong_usage;
use crate::profiles::{Made, Wanted};
use crate::target::Place;
use anyhow::Result;
use clap::ValueEnum;
use gotrail_analyze::profile::ProfileKind;
use inferno::flamegraph;
use rustc_hash::FxHashMap;

const EXAMPLES: &str = "\
Examples:
  gotrail flame --type wall -o wall.svg trace.out
  gotrail flame --type sched --group-by function -o sched.svg trace.out
  gotrail flame --type offcpu --region handler -o handler.folded trace.out
  gotrail flame --type sync --format folded -o - trace.out | sort -t' ' -k2 -n

A folded file has a line for each stack: frames from the outermost on, separated by semicolons,
then nanoseconds (of --type cpu: samples). What --group-by tells apart is in front of the frames.
docs/analyses.md defines every figure.";

/// Write a profile as a flame graph (SVG), or as folded stacks.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    place: Place,
    /// The form [default: by the ending of OUT, .svg, .folded or .txt].
    #[arg(long, value_enum, value_name = "FORM")]
    format: Option<Form>,
}

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A flame graph to look at in a browser.
    Svg,
    /// A line for each stack.
    Folded,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let form = match args.format {
        Some(form) => form,
        None => match args.place.path().extension().and_then(|ending| ending.to_str()) {
            Some("svg") => Form::Svg,
            Some("folded" | "txt") => Form::Folded,
            _ => wrong_usage!(
                "{}: neither .svg nor .folded nor .txt: say which it is with --format",
                args.place.path().display()
            ),
        },
    };
    args.place.check()?;
    let made = args.wanted.make()?;
    let lines = folded(&made);
    let bytes = match form {
        Form::Svg => svg(&made, &lines)?,
        Form::Folded => lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect(),
    };
    args.place.write_all(&bytes)?;
    made.tell(&args.place);
    Ok(Verdict::Fine)
}

/// The flame graph of a profile, as SVG.
pub(super) fn drawn(made: &Made) -> Result<String> {
    let bytes = svg(made, &folded(made))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A line for each stack, in the order of their text.
fn folded(made: &Made) -> Vec<String> {
    let mut sums = FxHashMap::<String, i64>::default();
    for sample in &made.profile.samples {
        let labels = made.labels(sample).into_iter().map(|(key, value)| match key {
            "goroutine" | "task" | "region" => format!("{key} {value}"),
            _ => value,
        });
        let names = made.names();
        let function = |name| String::from_utf8_lossy(names.string(name)).into_owned();
        let frames = sample.frames(names).rev().map(|frame| function(frame.function));
        let mut parts: Vec<String> = labels.chain(frames).map(|part| plain(&part)).collect();
        if sample.frames(names).next().is_none() {
            parts.push("(no stack)".to_owned());
        }
        let cpu = made.profile.kind == ProfileKind::Cpu;
        let value = if cpu { sample.count as i64 } else { sample.nanos };
        *sums.entry(parts.join(";")).or_default() += value;
    }
    let mut lines: Vec<_> =
        sums.into_iter().map(|(stack, value)| format!("{stack} {value}")).collect();
    lines.sort_unstable();
    lines
}

/// A name without what separates names and lines.
fn plain(name: &str) -> String {
    let safe = |c| match c {
        ';' => ':',
        c if c.is_control() => ' ',
        c => c,
    };
    if name.is_empty() { "(unknown)".to_owned() } else { name.chars().map(safe).collect() }
}

fn svg(made: &Made, lines: &[String]) -> Result<Vec<u8>> {
    let mut options = flamegraph::Options::default();
    let (title, unit, factor) = match made.profile.kind {
        ProfileKind::Net => ("Waiting for the network", "µs", 1e-3),
        ProfileKind::Sync => ("Waiting for synchronization", "µs", 1e-3),
        ProfileKind::Syscall => ("In system calls", "µs", 1e-3),
        ProfileKind::Sched => ("Runnable, waiting for a proc", "µs", 1e-3),
        ProfileKind::Cpu => ("CPU samples", "samples", 1.0),
        ProfileKind::Wall => ("All time of goroutines", "µs", 1e-3),
        ProfileKind::OffCpu => ("Time in which goroutines did not run", "µs", 1e-3),
    };
    options.title = title.to_owned();
    options.count_name = unit.to_owned();
    options.factor = factor;
    let mut out = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut out)?;
    Ok(out)
}
