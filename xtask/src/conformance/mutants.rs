//! Check 5: broken traces. The verdict and the events before it are the
//! reference's, nothing panics, and memory stays within reason.
//!
//! On a few mutants the reference gives several answers, as it walks a hash map
//! whose order is random: then ours must be one of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context, Result};
use gotrail_checks::mutate::{self, Base, Mutant};

use super::check::{self, Chunks};
use super::{Failure, Report, archives, in_parallel, recordings};
use crate::ours::{self, Source};
use crate::outcome::{Observed, observe};
use crate::peer::{End, Peer, Verdict};
use crate::toolchain::Toolchain;
use crate::{difference, golden, paths};

/// How many mutants the reference is asked about at once.
const CHUNK: u64 = 200;

/// Memory may be this many times the input: an event of two bytes becomes a few
/// words when it is decoded, and a goroutine, proc or thread that it names a state.
const TIMES_INPUT: usize = 64;

/// Memory that a reader may use for any input, for its buffers and first tables.
const AT_LEAST: usize = 8 << 20;

/// What has been seen, to know that the mutants are of use.
#[derive(Default)]
struct Census {
    /// By kind of change: how many, and how many of them the reference refuses.
    kinds: BTreeMap<&'static str, (u64, u64)>,
    panics: u64,
    undecided: u64,
    deaths: u64,
    old: u64,
    /// The most memory for each byte of an input of more than 4 KiB.
    memory: f64,
}

/// The traces that mutants are made from: those of the repository, and archives.
pub(crate) fn bases(peer: &Peer, toolchains: &[Toolchain]) -> Result<Vec<Base>> {
    let mut bases = Vec::new();
    for trace in golden::traces()? {
        let bytes = fs::read(golden::folder().join(&trace))?;
        // Large ones would only make it slow.
        if bytes.len() < 20 << 10 {
            // Old ones are few: a quarter of all mutants should be of them.
            let times = if mutate::is_old(&bytes) { 3 } else { 1 };
            bases.extend(std::iter::repeat_n(Base { name: trace, bytes }, times));
        }
    }
    for (name, path) in recordings::old_of_reference()? {
        let bytes = fs::read(path)?;
        if bytes.len() < 20 << 10 {
            bases.extend(std::iter::repeat_n(Base { name, bytes }, 3));
        }
    }
    for toolchain in toolchains {
        for archive in archives::of(toolchain)? {
            let (bytes, _) = peer.archive(&archive.path)?;
            if bytes.len() < 20 << 10 {
                // Twice, as they are few, tiny, and strange already.
                bases.push(Base { name: archive.name.clone(), bytes: bytes.clone() });
                bases.push(Base { name: archive.name, bytes });
            }
        }
    }
    Ok(bases)
}

/// Checks mutants 0 to `count`.
pub(crate) fn run(
    peer: &Peer,
    toolchains: &[Toolchain],
    seed: u64,
    count: u64,
    jobs: usize,
    report: &Report,
) -> Result<u64> {
    let bases = bases(peer, toolchains)?;
    let census = Mutex::new(Census::default());
    let chunks: Vec<u64> = (0..count).step_by(CHUNK as usize).collect();
    in_parallel(jobs, &chunks, |&from| {
        let mutants: Vec<Mutant> = (from..(from + CHUNK).min(count))
            .map(|number| mutate::mutant(&bases, seed, number))
            .collect();
        chunk(peer, seed, &mutants, &census, report)?;
        report.step();
        Ok(())
    })?;
    let census = census.into_inner().expect("no thread died");
    report.note(&census.to_string());
    Ok(count)
}

/// Checks one mutant and says all about it.
pub(crate) fn explain(
    peer: &Peer,
    toolchains: &[Toolchain],
    seed: u64,
    number: u64,
    report: &Report,
) -> Result<()> {
    let mutant = mutate::mutant(&bases(peer, toolchains)?, seed, number);
    println!("mutant {number}: {}", mutant.story);
    let path = save(&mutant)?;
    println!("saved as {}", path.display());
    if let Some(reference) = peer.verdicts(std::slice::from_ref(&path))?.pop().flatten() {
        println!(
            "reference: parsed {:?}\n           wire   {:?}",
            reference.parsed, reference.wire
        );
    }
    let (parsed, wire) = observe_both(&mutant);
    println!(
        "ours:      parsed {}\n           wire   {}",
        check::describe(&parsed),
        check::describe(&wire)
    );
    chunk(peer, seed, &[mutant], &Mutex::default(), report)
}

fn chunk(
    peer: &Peer,
    seed: u64,
    mutants: &[Mutant],
    census: &Mutex<Census>,
    report: &Report,
) -> Result<()> {
    let work = tempfile::tempdir()?;
    let mut files = Vec::new();
    for mutant in mutants {
        let file = work.path().join(format!("{}.trace", mutant.number));
        fs::write(&file, &mutant.bytes)?;
        files.push(file);
    }
    let verdicts = peer.verdicts(&files)?;
    for (mutant, verdict) in mutants.iter().zip(verdicts) {
        let (parsed, wire) = observe_both(mutant);
        census.lock().expect("no thread died").count(mutant, verdict, &parsed);
        if let Some(problem) = problem(mutant, verdict, &parsed, &wire) {
            let path = save(mutant)?;
            let answers = peer.answers(&path)?;
            let agrees =
                |&answer: &Verdict| self::problem(mutant, Some(answer), &parsed, &wire).is_none();
            if answers.len() > 1 && answers.iter().any(agrees) {
                census.lock().expect("no thread died").undecided += 1;
                continue;
            }
            let mut detail = format!("{}\n    {problem}", mutant.story);
            if answers.len() > 1 {
                detail
                    .push_str(&format!("\n    one of {} answers of the reference", answers.len()));
            }
            let modes: [(_, Read<'_>); 2] = [
                ("parsed", &|visit| ours::parsed(Source::File(&path), visit)),
                ("wire", &|visit| ours::wire(&mutant.bytes, visit)),
            ];
            for (mode, read) in modes {
                if let Some(line) = difference::with_reference(peer, mode, &path, read)? {
                    detail.push_str(&format!("\n    {mode}: {line}"));
                }
            }
            detail.push_str(&format!(
                "\n    saved as {}; again with `cargo xtask conformance --seed {seed} --mutant {}`",
                paths::show(&path),
                mutant.number
            ));
            report.fail(Failure { name: format!("mutant {}", mutant.number), detail });
        }
    }
    Ok(())
}

fn observe_both(mutant: &Mutant) -> (Observed, Observed) {
    (
        observe(|visit| ours::parsed(Source::Bytes(&mutant.bytes), visit)),
        observe(|visit| ours::wire(&mutant.bytes, visit)),
    )
}

/// What is wrong with our reading of a mutant.
fn problem(
    mutant: &Mutant,
    reference: Option<Verdict>,
    parsed: &Observed,
    wire: &Observed,
) -> Option<String> {
    let mut observed = vec![("parsed", parsed.clone()), ("wire", wire.clone())];
    // Streams are slower to test, and break in the same places or not at all.
    if mutant.number.is_multiple_of(4) {
        let streamed = observe(|visit| {
            ours::parsed(Source::Stream(Box::new(Chunks::odd(&mutant.bytes))), visit)
        });
        if streamed.outcome != parsed.outcome {
            return Some(format!(
                "streamed {}\n    mapped   {}",
                check::describe(&streamed),
                check::describe(parsed)
            ));
        }
        observed.push(("streamed", streamed));
    }
    if let Some(problem) = check::in_parallel(&mutant.bytes, parsed) {
        return Some(problem);
    }
    for (what, observed) in &observed {
        if observed.outcome.end == End::Panic {
            return Some(format!("{what}: panic: {}", observed.message));
        }
        let limit = mutant.bytes.len() * TIMES_INPUT + AT_LEAST;
        if observed.memory > limit {
            return Some(format!(
                "{what}: {} bytes of memory for {} bytes of input",
                observed.memory,
                mutant.bytes.len()
            ));
        }
    }
    if mutate::is_old(&mutant.bytes) {
        return reference.and_then(|reference| check::against(&reference.parsed, parsed));
    }
    reference.and_then(|reference| check::both(&reference, parsed, wire))
}

/// Keeps a mutant for whoever looks into it.
fn save(mutant: &Mutant) -> Result<PathBuf> {
    let folder = paths::cache()?.join("gotrail-mutants");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.trace", mutant.number));
    fs::write(&path, &mutant.bytes).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

type Read<'a> = &'a dyn Fn(ours::Visit<'_>) -> Result<(), String>;

impl Census {
    fn count(&mut self, mutant: &Mutant, reference: Option<Verdict>, parsed: &Observed) {
        let kind = self.kinds.entry(mutant.kind).or_default();
        kind.0 += 1;
        match reference.map(|reference| reference.parsed.end) {
            Some(End::Ok) => {}
            Some(End::Error) => kind.1 += 1,
            Some(End::Panic) => self.panics += 1,
            None => self.deaths += 1,
        }
        self.old += u64::from(mutate::is_old(&mutant.bytes));
        if mutant.bytes.len() > 4 << 10 {
            self.memory = self.memory.max(parsed.memory as f64 / mutant.bytes.len() as f64);
        }
    }
}

impl std::fmt::Display for Census {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "mutants by kind (refused by the reference of all):")?;
        for (kind, (all, refused)) in &self.kinds {
            write!(f, " {kind} {refused}/{all},")?;
        }
        write!(
            f,
            " the reference panicked on {}, died of {}, is of several minds about {}; \
             {} with a format before Go 1.22; at most {:.1} bytes of memory for a byte of input",
            self.panics, self.deaths, self.undecided, self.old, self.memory
        )
    }
}
