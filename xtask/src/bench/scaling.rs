//! `cargo xtask bench --scaling`: how the cost of an event grows with procs and goroutines.

use anyhow::{Context, Result};

use super::machine;
use super::recipes::{self, Recipe};
use super::rows::Programs;
use super::stats::{Summary, megabytes};
use super::usage::Task;

/// How often each is measured.
const RUNS: usize = 3;

const PROCS: [u32; 3] = [2, 16, 64];

const GOROUTINES: [&[&str]; 3] = [&["1000"], &["100000"], &["1000000"]];

/// The traces, fewest procs first.
pub(crate) fn recipes() -> impl Iterator<Item = Recipe> {
    PROCS.into_iter().flat_map(|procs| GOROUTINES.map(|args| recipes::scale(procs, args)))
}

/// Measures and prints the table.
pub(crate) fn main(programs: &Programs, quick: bool) -> Result<()> {
    println!("{}", machine::description());
    println!(
        "| procs | goroutines | events | ours: events/s | ns/event | memory | Go's: ns/event |"
    );
    println!("|---|---|---|---|---|---|---|");
    let scratch = tempfile::tempdir()?;
    for recipe in recipes() {
        let trace = super::trace(recipe, quick)?;
        let ours = Task::new(&programs.gotrail, &["validate", "--json", "--threads", "1"]);
        let (ours, peer) =
            (ours.on(&trace.path), Task::new(&programs.peer, &["read"]).on(&trace.path));
        let (mut times, mut memory, mut peers) = (Vec::new(), Vec::new(), Vec::new());
        for run in 0..=RUNS {
            let (ours, peer) = (ours.run(scratch.path())?, peer.run(scratch.path())?);
            anyhow::ensure!(ours.events() == peer.events(), "not the same events");
            if run > 0 {
                times.push(ours.wall);
                memory.push(ours.memory as f64);
                peers.push(peer.wall);
            }
        }
        let events = trace.events as f64;
        let time = Summary::of(times).median;
        println!(
            "| {} | {} | {} | {:.1} M | {:.1} | {} | {:.0} |",
            recipe.procs,
            recipe.args.first().context("the goroutines are an argument")?,
            trace.events,
            events / time / 1e6,
            time / events * 1e9,
            megabytes(Summary::of(memory).median),
            Summary::of(peers).median / events * 1e9,
        );
    }
    Ok(())
}
