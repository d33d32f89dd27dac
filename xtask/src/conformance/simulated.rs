//! Check 6: simulated programs. Go's own tools read what `gotrail synth` writes, for every release
//! and profile, with good clocks and bad ones, whole and with every fault.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use gotrail_synth::sim::{Config, Fault, GoRelease, Profile, Simulation};

use super::{Failure, Report, check, in_parallel};
use crate::ours::{self, Source};
use crate::outcome::observe;
use crate::peer::Peer;

/// Checks simulations with these seeds; returns how many traces there were.
pub(crate) fn run(peer: &Peer, seeds: u64, jobs: usize, report: &Report) -> Result<usize> {
    let folder = tempfile::tempdir()?;
    let whole = whole(seeds);
    in_parallel(jobs, &whole, |config| {
        let (name, path) = write(config, &folder)?;
        for failure in check::trace(peer, &name, &path)? {
            report.fail(failure);
        }
        fs::remove_file(&path).context("removing a trace")?;
        report.step();
        Ok(())
    })?;
    let broken = broken(seeds);
    in_parallel(jobs, &broken, |config| {
        let (name, path) = write(config, &folder)?;
        if let Some(verdict) = peer.verdicts(std::slice::from_ref(&path))?.pop().flatten() {
            let found = observe(|visit| ours::parsed(Source::File(&path), visit));
            if let Some(detail) = check::against(&verdict.parsed, &found) {
                report.fail(Failure::new(&name, &detail));
            }
        }
        fs::remove_file(&path).context("removing a trace")?;
        report.step();
        Ok(())
    })?;
    Ok(whole.len() + broken.len())
}

/// Every release and profile, in turns with exact, coarse and wrong clocks.
fn whole(seeds: u64) -> Vec<Config> {
    let mut configs = Vec::new();
    for seed in 0..seeds {
        for go in (22..=27).filter_map(GoRelease::new) {
            for &profile in Profile::ALL {
                let number = configs.len() as u64;
                configs.push(Config {
                    seed: number + seed,
                    profile,
                    go,
                    procs: 1 + (number % 9) as u32,
                    goroutines: 10 + (number * 37 % 300) as u32,
                    events: 20_000,
                    generations: 1 + number % 5,
                    skew: [0, 100, 100_000][number as usize % 3],
                    coarse: [1, 1, 1_000][number as usize / 3 % 3],
                    fault: None,
                });
            }
        }
    }
    configs.retain(|config| config.check().is_ok());
    configs
}

/// Every fault with some of them.
fn broken(seeds: u64) -> Vec<Config> {
    let mut configs = Vec::new();
    for (config, number) in whole(seeds).into_iter().zip(0..) {
        let faults = Fault::ALL.iter().zip(number..).filter(|&(_, number)| number % 4 == 0);
        for (&fault, _) in faults {
            configs.push(Config {
                fault: Some(fault),
                events: 8_000,
                generations: 3,
                ..config.clone()
            });
        }
    }
    configs.retain(|config| config.check().is_ok());
    configs
}

/// Writes a trace into the folder; its name says how to make it again.
fn write(config: &Config, folder: &tempfile::TempDir) -> Result<(String, PathBuf)> {
    let Config { seed, profile, procs, goroutines, events, generations, go, skew, coarse, fault } =
        config;
    let mut name = format!(
        "synth --seed {seed} --profile {profile} --procs {procs} --goroutines {goroutines} \
         --events {events} --generations {generations} --go {go} --skew {skew} --coarse {coarse}"
    );
    if let Some(fault) = fault {
        name += &format!(" --fault {fault}");
    }
    let path = folder.path().join(name.replace(' ', "_"));
    let mut bytes = Vec::new();
    Simulation::new(config.clone())?.write(&mut bytes)?;
    fs::write(&path, bytes)?;
    Ok((name, path))
}
