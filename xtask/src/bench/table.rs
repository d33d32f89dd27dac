//! The table of the targets: both sides of each row by turns, medians and ranges.
//!
//! A machine is never quite quiet. Both sides run one after the other, now this first, now that,
//! so that what disturbs one mostly disturbs the other too; the ratio is taken of each such pair,
//! and the median of the ratios counts. What disturbs for a minute must not meet all pairs of one
//! row: there are rounds, and in each every row has its turn.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::recipes::{Recipe, Trace};
use super::rows::{Figure, Programs, ROWS, Row, Sample};
use super::stats::{Summary, factor, megabytes, seconds};
use super::{Options, machine};
use crate::paths;

/// In each round a row runs so long, or once if that takes longer, ...
const TURN: Duration = Duration::from_secs(3);
/// ... and so often at most.
const MOST_IN_A_TURN: u32 = 5;

/// What was measured for a row.
struct Measured {
    row: Row,
    /// How often both sides ran.
    pairs: usize,
    /// The other's figure by ours.
    ratio: Summary,
    /// The same of the best of all runs.
    best: f64,
    ours: Side,
    other: Side,
}

/// The medians of one side.
struct Side {
    /// What counts.
    figure: f64,
    cpu: f64,
    memory: f64,
}

/// Measures all rows, prints the table and writes it.
pub(crate) fn main(programs: &Programs, options: &Options) -> Result<()> {
    let wanted = |row: &&Row| {
        let text = format!("{} {:?} {}", row.trace, row.what, row.what.words().0);
        options.only.as_ref().is_none_or(|only| text.contains(only.as_str()))
    };
    let rows: Vec<&Row> = ROWS.iter().filter(wanted).collect();
    if rows.is_empty() {
        bail!("nothing of that name; there are {}", names());
    }
    let mut traces = BTreeMap::new();
    for row in &rows {
        for name in [row.traces().0, row.traces().1] {
            if !traces.contains_key(name) {
                traces.insert(name, super::trace(Recipe::named(name), options.quick)?);
            }
        }
    }
    let scratch = tempfile::Builder::new().prefix("out-").tempdir_in(scratch_folder()?)?;
    let mut samples = vec![Vec::new(); rows.len()];
    for round in 0..=options.runs {
        for (row, samples) in rows.iter().zip(&mut samples) {
            let both = (&traces[row.traces().0], &traces[row.traces().1]);
            let start = Instant::now();
            for _ in 0..MOST_IN_A_TURN {
                let sample = row
                    .sample(programs, both, scratch.path(), samples.len() % 2 == 1)
                    .with_context(|| format!("{} on {}", row.what.words().0, row.trace))?;
                if round == 0 {
                    break;
                }
                samples.push(sample);
                if start.elapsed() >= TURN {
                    break;
                }
            }
            if round > 0 {
                eprintln!("round {round}: {}", Measured::new(**row, samples)?.line());
            }
        }
    }
    println!("{}", heading());
    let mut table = Vec::new();
    for (row, samples) in rows.into_iter().zip(samples) {
        let measured = Measured::new(*row, &samples)?;
        println!("{}", measured.line());
        table.push(measured);
    }
    const ENOUGH: u32 = 5;
    if options.quick || options.only.is_some() || options.runs < ENOUGH {
        println!("(not written to benches/RESULTS.md: not everything was measured {ENOUGH} times)");
    } else {
        let text = results(&table, &traces, options.runs);
        fs::write(paths::workspace().join("benches/RESULTS.md"), text)?;
    }
    let missed = table.iter().filter(|measured| measured.ratio.median < measured.row.must).count();
    if missed > 0 && !options.quick {
        bail!("{missed} of {} rows do not reach what they must", table.len());
    }
    Ok(())
}

/// The least of some figures.
fn least(figures: &[(f64, f64)], of: impl Fn(&(f64, f64)) -> f64) -> f64 {
    Summary::of(figures.iter().map(of)).least
}

/// Where long outputs are written: beside the traces.
fn scratch_folder() -> Result<std::path::PathBuf> {
    let folder = paths::cache()?.join("gotrail-bench");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn names() -> String {
    let names: Vec<String> = ROWS.iter().map(|r| format!("{:?} {}", r.what, r.trace)).collect();
    names.join(", ")
}

fn heading() -> &'static str {
    "| what | trace | against | ratio: median (range) | must | aim | | ours | other | figure |\n\
     |---|---|---|---|---|---|---|---|---|---|"
}

impl Measured {
    fn new(row: Row, samples: &[Sample]) -> Result<Measured> {
        let (ours, other) = row.what.figures();
        let mut figures = Vec::new();
        for sample in samples {
            figures.push((ours.of(&sample.ours)?, other.of(&sample.other)?));
        }
        let median = |of: &dyn Fn(&Sample) -> f64| Summary::of(samples.iter().map(of)).median;
        Ok(Measured {
            row,
            pairs: samples.len(),
            ratio: Summary::of(figures.iter().map(|(ours, other)| other / ours)),
            best: least(&figures, |figures| figures.1) / least(&figures, |figures| figures.0),
            ours: Side {
                figure: Summary::of(figures.iter().map(|figures| figures.0)).median,
                cpu: median(&|sample| sample.ours.cpu),
                memory: median(&|sample| sample.ours.memory as f64),
            },
            other: Side {
                figure: Summary::of(figures.iter().map(|figures| figures.1)).median,
                cpu: median(&|sample| sample.other.cpu),
                memory: median(&|sample| sample.other.memory as f64),
            },
        })
    }

    fn line(&self) -> String {
        let Row { what, trace, must, aim } = self.row;
        let (ours, other) = what.words();
        let Summary { median, least, most } = self.ratio;
        let reached = match aim {
            _ if median < must => "**MISSED**",
            Some(aim) if median >= aim => "ok, aim reached",
            _ => "ok",
        };
        let aim = aim.map_or("—".into(), factor);
        let must = factor(must);
        let figure = what.figures().0;
        let show = |side: &Side| match figure {
            Figure::Memory => megabytes(side.figure),
            _ => seconds(side.figure),
        };
        let (ours_shown, other_shown, word) = (show(&self.ours), show(&self.other), figure.word());
        format!(
            "| {ours} | {trace} | {other} | {median:.2}x ({least:.2}–{most:.2}) | {must} | {aim} | \
             {reached} | {ours_shown} | {other_shown} | {word} |"
        )
    }
}

/// A figure; of servers and browsers some are not taken.
fn known(figure: f64, show: fn(f64) -> String) -> String {
    if figure > 0.0 { show(figure) } else { "—".into() }
}

/// The text of benches/RESULTS.md.
fn results(table: &[Measured], traces: &BTreeMap<&str, Trace>, runs: u32) -> String {
    let mut text = format!(
        "# What was measured\n\n\
         Written by `cargo xtask bench`: both sides by turns, in {runs} rounds after a warm-up, in each\n\
         of which every row has its turn: one pair of runs, or up to {MOST_IN_A_TURN} within {} s. The\n\
         ratio is the other's figure by ours, of each pair of runs; above 1 we are better.\n\
         \"In the process\" figures are those that both programs print of themselves; \"whole\n\
         process\" includes start and end. Both passes of \"second pass\" are of one process, the first\n\
         pass first. \"Must\" and \"aim\" are the targets of the project.\n\n\
         {}\n## Ratios\n\n{}\n",
        TURN.as_secs(),
        machine::description(),
        heading()
    );
    let mut line = |line: String| writeln!(text, "{line}").expect("text can be written");
    for measured in table {
        line(measured.line());
    }
    line("\n## Processor time and peak memory\n".into());
    line(
        "Medians of whole processes. A mapped file counts as memory where it was read. \"Best\" is\n\
         the ratio of the best figures of both sides, which a busy machine disturbs least.\n"
            .into(),
    );
    line(
        "| what | trace | pairs | best | ours: processor | memory | other: processor | memory |"
            .into(),
    );
    line("|---|---|---|---|---|---|---|---|".into());
    for Measured { row, pairs, best, ours, other, .. } in table {
        line(format!(
            "| {} | {} | {pairs} | {best:.2}x | {} | {} | {} | {} |",
            row.what.words().0,
            row.trace,
            known(ours.cpu, seconds),
            known(ours.memory, megabytes),
            known(other.cpu, seconds),
            known(other.memory, megabytes)
        ));
    }
    line("\n## Traces\n".into());
    line("| trace | what | events | bytes |".into());
    line("|---|---|---|---|".into());
    for (name, trace) in traces {
        let Trace { recipe, events, bytes, .. } = trace;
        line(format!("| {name} | {} | {events} | {} |", recipe.what, megabytes(*bytes as f64)));
    }
    text
}
