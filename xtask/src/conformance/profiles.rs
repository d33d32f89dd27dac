//! Check 8: profiles against those of `go tool trace -pprof`, sample by sample, and whether
//! `go tool pprof` opens every profile.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use gotrail_analyze::pprof::proto;
use prost::Message;

use super::analyses::ANSWERS;
use super::{Failure, Report, command, in_parallel};
use crate::peer::{End, Peer};
use crate::toolchain::{NEWEST, Toolchain};
use crate::{golden, run};

/// What both make.
const TYPES: [&str; 4] = ["net", "sync", "syscall", "sched"];

/// What we make besides.
const OWN_TYPES: [&str; 3] = ["cpu", "wall", "offcpu"];

/// Traces whose profiles are opened: with CPU samples, annotations, system calls, the network.
const OPENED: [&str; 4] =
    ["go1.27/cpu", "go1.27/annotations", "go1.22/syscalls-stress", "go1.25/network"];

/// Compares the profiles of every recording, and opens some.
pub(crate) fn run(
    peer: &Peer,
    traces: &[(String, PathBuf)],
    jobs: usize,
    report: &Report,
) -> Result<usize> {
    let gotrail = command::build()?;
    in_parallel(jobs, traces, |(name, path)| {
        // Of a broken trace the reference takes the good generations, and we all that is good.
        if peer.verdict(path)?.parsed.end == End::Ok {
            for kind in TYPES {
                if let Some(detail) = differs(peer, &gotrail, kind, path)? {
                    let name = format!("gotrail pprof --type {kind} {name}");
                    report.fail(Failure { name, detail });
                }
            }
        }
        report.step();
        Ok(())
    })?;
    let mut opened = 0;
    let go = Toolchain::get(NEWEST)?;
    let work = tempfile::tempdir()?;
    for trace in OPENED {
        let path = golden::folder().join(format!("{trace}.trace"));
        for kind in TYPES.into_iter().chain(OWN_TYPES) {
            let profile = work.path().join("profile.pb.gz");
            if !ours(&gotrail, &["--type", kind, "--force"], &path, &profile)? {
                continue;
            }
            for form in ["-top", "-raw"] {
                let mut pprof = go.command()?;
                pprof.args(["tool", "pprof", form]).arg(&profile);
                let text = run::output(&mut pprof)
                    .with_context(|| format!("the {kind} profile of {trace}"))?;
                if text.iter().filter(|&&byte| byte == b'\n').count() < 5 {
                    bail!("go tool pprof {form} shows nothing of the {kind} profile of {trace}");
                }
            }
            opened += 1;
        }
    }
    report.note(&format!("go tool pprof opens {opened} profiles"));
    Ok(traces.len() * TYPES.len())
}

/// What is in a profile: of each stack, as program counters, how often and how long; and what
/// each program counter is.
#[derive(Default)]
struct Profile {
    stacks: BTreeMap<Vec<u64>, (i64, i64)>,
    places: BTreeMap<u64, BTreeSet<(String, String, i64)>>,
}

fn differs(peer: &Peer, gotrail: &Path, kind: &str, trace: &Path) -> Result<Option<String>> {
    let reference = || {
        let mut command = Command::new(peer.path("gotrace"));
        command.arg(format!("-pprof={kind}")).arg(trace).stdin(Stdio::null());
        Profile::read(&run::output(&mut command)?).context("the reference's profile")
    };
    let mut theirs = reference()?;
    let file = tempfile::NamedTempFile::new()?;
    for threads in ["1", "2"] {
        let options = ["--type", kind, "--as-go", "--force", "--threads", threads];
        let found = match ours(gotrail, &options, trace, file.path())? {
            true => Profile::read(&std::fs::read(file.path())?)?,
            false => Profile::default(),
        };
        let mut difference = theirs.difference(&found);
        // Of old traces the reference orders some events by chance: ours is one of its answers.
        for _ in 1..ANSWERS {
            if difference.is_none() {
                break;
            }
            theirs = reference()?;
            difference = theirs.difference(&found);
        }
        if let Some(detail) = difference {
            return Ok(Some(format!("{threads} threads: {detail}")));
        }
    }
    Ok(None)
}

/// Makes a profile; false if there is nothing to show.
fn ours(gotrail: &Path, options: &[&str], trace: &Path, profile: &Path) -> Result<bool> {
    let mut command = Command::new(gotrail);
    command.arg("pprof").args(options).arg("-o").arg(profile).arg(trace).stdin(Stdio::null());
    let output = command.output().with_context(|| run::name(&command))?;
    if String::from_utf8_lossy(&output.stderr).contains("nothing to show") {
        return Ok(false);
    }
    run::check(&command, &output)?;
    Ok(true)
}

impl Profile {
    fn read(bytes: &[u8]) -> Result<Profile> {
        let mut plain = Vec::new();
        GzDecoder::new(bytes).read_to_end(&mut plain)?;
        let wire = proto::Profile::decode(&plain[..])?;
        let text = |number: i64| {
            let bytes = wire.string_table.get(number as usize).map_or(&b"?"[..], |bytes| bytes);
            String::from_utf8_lossy(bytes).into_owned()
        };
        let mut profile = Profile::default();
        let mut addresses = BTreeMap::new();
        let functions: BTreeMap<u64, _> =
            wire.function.iter().map(|function| (function.id, function)).collect();
        for location in &wire.location {
            addresses.insert(location.id, location.address);
            let [line] = location.line[..] else { bail!("a location that is not one line") };
            let function = functions.get(&line.function_id).context("a location in no function")?;
            let place = (text(function.name), text(function.filename), line.line);
            profile.places.entry(location.address).or_default().insert(place);
        }
        for sample in &wire.sample {
            let ids = sample.location_id.iter();
            let pcs: Option<Vec<u64>> = ids.map(|id| addresses.get(id).copied()).collect();
            let mut pcs = pcs.context("a sample without a place")?;
            // For the reference a stack with program counters of 0 at its end is one without
            // them, and it shows now one and now the other.
            while pcs.last() == Some(&0) {
                pcs.pop();
            }
            let [count, nanos] = sample.value[..] else { bail!("a sample has not two values") };
            let sum = profile.stacks.entry(pcs).or_default();
            *sum = (sum.0 + count, sum.1 + nanos);
        }
        Ok(profile)
    }

    fn difference(&self, ours: &Profile) -> Option<String> {
        let all: BTreeSet<&Vec<u64>> = self.stacks.keys().chain(ours.stacks.keys()).collect();
        let differing = |stack: &&&Vec<u64>| self.stacks.get(**stack) != ours.stacks.get(**stack);
        if let Some(stack) = all.iter().find(differing) {
            return Some(format!(
                "{} of {} stacks differ; the first is\n    {stack:x?}\n    reference: {:?} (count, \
                 nanoseconds)\n    ours:      {:?}",
                all.iter().filter(differing).count(),
                all.len(),
                self.stacks.get(*stack),
                ours.stacks.get(*stack)
            ));
        }
        // Where frames share a program counter, the reference has one of them for all.
        let unknown = |(pc, places): &(&u64, &BTreeSet<_>)| {
            **pc != 0 && ours.places.get(pc).is_none_or(|known| !known.is_superset(places))
        };
        let (pc, places) = self.places.iter().find(unknown)?;
        Some(format!("{pc:x} is {places:?}, ours: {:?}", ours.places.get(pc)))
    }
}
