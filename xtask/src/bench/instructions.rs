//! `cargo xtask bench --instructions`: how many instructions an event takes.
//!
//! Time depends on the machine and on what else it does; the number of instructions hardly does.
//! Valgrind counts those of whole processes. What a trace without events takes is subtracted, and
//! the rest is divided by the number of events. `benches/instructions.tsv` has the figures that
//! are right for the source as it is: a rise above [`TOLERANCE`] is a failure, unless the file is
//! changed with it (`--bless`).
//!
//! To get the same count everywhere, programs run without environment, in a folder that has all
//! they need under fixed names.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::superpose::{Spread, superpose};
use super::usage::Usage;
use super::{build, machine};
use crate::{golden, paths, run};

/// By how much a figure may rise.
const TOLERANCE: f64 = 0.03;

/// A trace without events.
const NOTHING: &[u8] = b"go 1.26 trace\0\0\0";

/// What is run: a name, the program, its arguments before the trace.
const WORK: &[(&str, &str, &[&str])] = &[
    ("validate", "gotrail", &["validate", "--json", "--threads", "1"]),
    ("wire", "wire_decode", &[]),
];

/// Traces of testdata/traces, how often each is laid over itself, and how. Some are many copies
/// one after the other: there the tables, which are there once, hardly count.
const TRACES: &[(&str, u64, Spread)] = &[
    ("go1.22/generations", 1, Spread::Apart),
    ("go1.26/cgo-stress", 1, Spread::Apart),
    ("go1.27/gc", 8, Spread::Apart),
    ("go1.27/channels", 64, Spread::Apart),
    ("go1.27/syscalls-stress", 32, Spread::Together),
];

/// A trace of Go 1.21 or older. It has no raw events, and is not laid over itself.
const OLD: &str = "go1.21/cpu";

const HEADER: &str = "work\ttrace\tcopies\tevents\tinstructions per event";

/// A line of the record.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    /// Work, trace and copies.
    key: String,
    events: u64,
    /// Instructions for each event.
    cost: f64,
}

/// Compares with the record: a step of `cargo xtask test`.
pub(crate) fn check() -> Result<()> {
    main(false)
}

/// Counts, prints, and compares with the record or writes it anew.
pub(super) fn main(bless: bool) -> Result<()> {
    valgrind()?;
    let release = build(&["wire_decode"])?;
    let work = tempfile::tempdir()?;
    let folder = work.path();
    let suffix = env::consts::EXE_SUFFIX;
    for (program, path) in [("gotrail", ""), ("wire_decode", "examples")] {
        let built = release.join(path).join(format!("{program}{suffix}"));
        fs::copy(&built, folder.join(program))
            .with_context(|| format!("copying {}", built.display()))?;
    }
    let mut lines = Vec::new();
    for (name, program, args) in WORK {
        fs::write(folder.join("trace"), NOTHING)?;
        let (nothing, _) = count(folder, program, args)?;
        let old = (OLD, 1, Spread::Apart);
        let traces = TRACES.iter().chain((*name == "validate").then_some(&old));
        for (trace, copies, spread) in traces {
            let path = golden::folder().join(format!("{trace}.trace"));
            let bytes = fs::read(&path).with_context(|| paths::show(&path))?;
            let bytes = if *trace == OLD {
                bytes
            } else {
                superpose(&bytes, *copies, *spread).context("laying copies over each other")?
            };
            fs::write(folder.join("trace"), bytes)?;
            let (all, events) = count(folder, program, args)?;
            let cost = all.saturating_sub(nothing) as f64 / events as f64;
            let cost = (cost * 10.0).round() / 10.0;
            lines.push(Line { key: format!("{name}\t{trace}\t{copies} {spread:?}"), events, cost });
        }
    }
    let file = paths::workspace().join("benches/instructions.tsv");
    if bless {
        fs::write(&file, to_text(&lines, &machine::rustc()))?;
        println!("{} written", paths::show(&file));
        return Ok(());
    }
    let record = fs::read_to_string(&file).with_context(|| {
        format!(
            "reading {}; `cargo xtask bench --instructions --bless` writes it",
            paths::show(&file)
        )
    })?;
    let (report, risen) = compare(&from_text(&record)?, &lines);
    print!("{report}");
    if risen == 0 {
        return Ok(());
    }
    let compiler = machine::rustc();
    if !record.lines().next().is_some_and(|line| line.contains(&compiler)) {
        println!("the record was made with another compiler than {compiler}");
    }
    bail!(
        "{risen} of {} figures rose by more than {:.0}%; if that has to be, say why in the commit \
         and run `cargo xtask bench --instructions --bless`",
        lines.len(),
        TOLERANCE * 100.0
    )
}

/// Each figure beside the recorded one, and how many rose too much.
fn compare(record: &[Line], lines: &[Line]) -> (String, usize) {
    let mut report = String::new();
    let mut risen = 0;
    for Line { key, events, cost } in lines {
        let recorded = record.iter().find(|line| line.key == *key);
        let verdict = match recorded.map(|line| cost / line.cost - 1.0) {
            None => {
                risen += 1;
                "NEW: not in the record".into()
            }
            Some(change) if change > TOLERANCE => {
                risen += 1;
                format!("ROSE by {:.1}%", change * 100.0)
            }
            Some(change) if change < -TOLERANCE => {
                format!("fell by {:.1}%: bless it", -change * 100.0)
            }
            Some(_) => "ok".into(),
        };
        let recorded = recorded.map_or("—".into(), |line| format!("{:.1}", line.cost));
        let key = key.replace('\t', " ");
        writeln!(report, "{key:34} {events:>7} events {cost:>8.1} (recorded {recorded}) {verdict}")
            .expect("text can be written");
    }
    (report, risen)
}

fn to_text(lines: &[Line], compiler: &str) -> String {
    let mut text = format!("# {compiler}; written by cargo xtask bench --instructions --bless\n");
    writeln!(text, "{HEADER}").expect("text can be written");
    for Line { key, events, cost } in lines {
        writeln!(text, "{key}\t{events}\t{cost:.1}").expect("text can be written");
    }
    text
}

fn from_text(text: &str) -> Result<Vec<Line>> {
    let parse = |line: &str| {
        let mut words = line.rsplitn(3, '\t');
        let cost = words.next()?.parse().ok()?;
        let events = words.next()?.parse().ok()?;
        Some(Line { key: words.next()?.into(), events, cost })
    };
    text.lines()
        .filter(|line| !line.starts_with('#') && *line != HEADER)
        .map(|line| parse(line).with_context(|| format!("benches/instructions.tsv: {line:?}")))
        .collect()
}

/// Runs a program of the folder on the folder's trace: instructions, and events.
fn count(folder: &Path, program: &str, args: &[&str]) -> Result<(u64, u64)> {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=counts"])
        .arg(format!("./{program}"))
        .args(args)
        .arg("trace")
        .current_dir(folder)
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default());
    let output = run::output(&mut command)?;
    let output = Usage { output: String::from_utf8(output)?, ..Usage::default() };
    let counts = fs::read_to_string(folder.join("counts")).context("what valgrind counted")?;
    let total = counts
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")))
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .context("valgrind gives no total")?;
    Ok((total, output.events().context("no number of events")?))
}

/// Makes sure that there is a valgrind; installs it where that is possible and usual: as root, on
/// a machine with apt.
fn valgrind() -> Result<()> {
    let works = || Command::new("valgrind").arg("--version").output().is_ok();
    if !works() {
        run::apt_install("valgrind")?;
        if !works() {
            bail!("instructions are counted with valgrind, which is missing: please install it");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str, cost: f64) -> Line {
        Line { key: key.into(), events: 10, cost }
    }

    #[test]
    fn the_record_is_text() {
        let lines = [line("wire\tgo1.27/gc\t1", 20.5), line("validate\tgo1.22/gc\t32", 105.0)];
        assert_eq!(from_text(&to_text(&lines, "rustc 1")).unwrap(), lines);
        assert!(from_text("wire").is_err());
    }

    #[test]
    fn what_rises_too_much_is_found() {
        let record = [line("a", 100.0), line("b", 100.0), line("c", 100.0)];
        let now = [line("a", 102.9), line("b", 103.1), line("c", 90.0), line("d", 1.0)];
        let (report, risen) = compare(&record, &now);
        assert_eq!(risen, 2);
        let verdicts = ["ok", "ROSE by 3.1%", "fell by 10.0%: bless it", "NEW"];
        for (line, verdict) in report.lines().zip(verdicts) {
            assert!(line.contains(verdict), "{line}");
        }
    }
}
