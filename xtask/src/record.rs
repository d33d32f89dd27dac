//! `cargo xtask record`: the traces in `testdata/traces` and the golden file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::golden;
use crate::paths;
use crate::peer::{End, Peer};
use crate::programs;
use crate::toolchain::{DEBIAN, OLD, RELEASES, Toolchain};

/// The minor version of the first Go whose traces have generations.
const FIRST_WITH_GENERATIONS: u32 = 22;

/// Traces are kept small: a recording above this size is made again.
const LARGEST: u64 = 60 << 10;

/// How often a program is run until its trace is small and has what it should.
const ATTEMPTS: u32 = 40;

/// What the subcommand can be told.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Record only traces whose path contains this, such as `go1.25/` or `cgo`
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Record nothing; only write the golden files anew from the traces that are there
    #[arg(long)]
    expected: bool,
}

/// A trace to record: a program and how it is run.
struct Recording {
    /// The name of the trace.
    name: &'static str,
    /// The program's file in `testdata/programs`, without `.go`.
    program: &'static str,
    /// Minor version of the first Go that can record it.
    since: u32,
    godebug: &'static str,
    /// Wire or experimental events that the trace must have, to be of use.
    wants: &'static [&'static str],
}

const fn plain(name: &'static str, since: u32, wants: &'static [&'static str]) -> Recording {
    Recording { name, program: name, since, godebug: "", wants }
}

const fn with(
    name: &'static str,
    program: &'static str,
    since: u32,
    godebug: &'static str,
    wants: &'static [&'static str],
) -> Recording {
    Recording { name, program, since, godebug, wants }
}

const EVERY_MOMENT: &str = "traceadvanceperiod=0";
const ALLOCATIONS: &str = "traceallocfree=1";

/// All that is recorded, with each release that can.
const RECORDINGS: &[Recording] = &[
    plain("annotations", 22, &["UserTaskBegin", "UserRegionEnd", "UserLog"]),
    plain("cgo", 22, &["GoCreateSyscall", "GoDestroySyscall", "ProcSteal"]),
    plain("channels", 22, &["GoBlock", "GoUnblock", "GoStop"]),
    plain("coroutines", 23, &["GoCreateBlocked", "GoSwitch", "GoSwitchDestroy"]),
    plain("cpu", 22, &["CPUSample"]),
    plain("empty", 22, &[]),
    plain("flight", 25, &[]),
    plain(
        "gc",
        22,
        &["GCBegin", "GCMarkAssistBegin", "GCMarkAssistEnd", "GCSweepBegin", "GoLabel"],
    ),
    plain("many", 22, &["GoCreate"]),
    plain("misuse", 22, &["UserRegionEnd"]),
    plain("network", 22, &["GoSyscallBegin"]),
    plain("pipes", 22, &["GoSyscallBegin"]),
    plain("restart", 22, &[]),
    plain("stw", 22, &["STWBegin", "ProcsChange"]),
    plain("syscalls", 22, &["ProcSteal", "GoSyscallEndBlocked"]),
    plain("threads", 22, &["GoDestroy", "ProcSteal"]),
    plain("timers", 22, &["GoUnblock"]),
    with("generations", "generations", 22, "traceadvanceperiod=3000000", &["UserTaskEnd"]),
    with("gc-generations", "gc", 22, "traceadvanceperiod=2000000", &["GCActive"]),
    with("annotations-stress", "annotations", 22, EVERY_MOMENT, &["UserTaskEnd"]),
    with("cgo-stress", "cgo", 22, EVERY_MOMENT, &["GoCreateSyscall"]),
    with("coroutines-stress", "coroutines", 23, EVERY_MOMENT, &["GoSwitch"]),
    with("syscalls-stress", "syscalls", 22, EVERY_MOMENT, &["ProcSteal"]),
    with("threads-stress", "threads", 22, EVERY_MOMENT, &["ProcSteal"]),
    with("channels-allocfree", "channels", 23, ALLOCATIONS, &["HeapObject", "Span"]),
    with("many-allocfree", "many", 23, ALLOCATIONS, &["GoroutineStackAlloc", "HeapObjectAlloc"]),
];

/// What is recorded with Go 1.19 and 1.21, by the same programs: the format has other events, and
/// none of them is wanted in particular.
const OLD_RECORDINGS: [&str; 12] = [
    "annotations",
    "channels",
    "cpu",
    "empty",
    "many",
    "misuse",
    "network",
    "pipes",
    "restart",
    "syscalls",
    "threads",
    "timers",
];

/// Traces whose whole parsed text is kept next to them, for a reader's eyes.
const SPELLED_OUT: [&str; 3] = ["go1.22/empty", "go1.25/annotations", "go1.27/coroutines"];

/// Runs the subcommand.
pub(crate) fn main(options: &Options) -> Result<()> {
    let peer = Peer::get()?;
    if !options.expected {
        record(&peer, options.only.as_deref().unwrap_or(""))?;
    }
    let goldens = golden::make(&peer)?;
    golden::write(&goldens)?;
    for name in SPELLED_OUT {
        let text = peer.dump("parsed", &golden::folder().join(format!("{name}.trace")))?;
        fs::write(golden::folder().join(format!("{name}.parsed.txt")), text)?;
    }
    println!("record: {} traces in {}", goldens.len(), paths::show(&golden::folder()));
    Ok(())
}

fn record(peer: &Peer, only: &str) -> Result<()> {
    let c_compiler = programs::has_c_compiler();
    for version in [DEBIAN, OLD].into_iter().chain(RELEASES) {
        let go = Toolchain::get(version)?;
        let folder = golden::folder().join(go.short());
        fs::create_dir_all(&folder)?;
        let work = tempfile::tempdir()?;
        for recording in RECORDINGS {
            let trace = format!("{}/{}.trace", go.short(), recording.name);
            let old = go.minor() < FIRST_WITH_GENERATIONS;
            let can = if old {
                OLD_RECORDINGS.contains(&recording.name)
            } else {
                go.minor() >= recording.since
            };
            if !can || !trace.contains(only) {
                continue;
            }
            let source =
                paths::testdata().join("programs").join(format!("{}.go", recording.program));
            if programs::needs_c_compiler(&source)? && !c_compiler {
                println!("{trace}: skipped, there is no C compiler");
                continue;
            }
            let program = work.path().join(recording.program);
            if !program.exists() {
                programs::build(&go, &source, &program)?;
            }
            let wants = if old { &[] } else { recording.wants };
            let size = try_often(peer, recording, wants, &program, &golden::folder().join(&trace))
                .with_context(|| format!("recording {trace}"))?;
            println!("{trace}: {size} bytes");
        }
    }
    Ok(())
}

/// Runs a program until its trace is small, good, and has the wanted events.
fn try_often(
    peer: &Peer,
    recording: &Recording,
    wants: &[&str],
    program: &Path,
    trace: &Path,
) -> Result<u64> {
    let attempt = trace.with_extension("attempt");
    let expected = if recording.program == "misuse" { End::Error } else { End::Ok };
    let mut reason = String::new();
    for _ in 0..ATTEMPTS {
        programs::record(program, &[], recording.godebug, &attempt)?;
        let size = fs::metadata(&attempt)?.len();
        // The reference cannot print Go 1.23's experimental events in wire form.
        let (mut wire, mut parsed) = (Vec::new(), Vec::new());
        peer.text("wire", &attempt, &mut wire)?;
        peer.text("parsed", &attempt, &mut parsed)?;
        let missing = wants.iter().find(|want| {
            let field = format!("Name={want}");
            !has_word(&wire, 0, want) && !has_word(&parsed, 5, &field)
        });
        let end = peer.verdict(&attempt)?.parsed.end;
        if size > LARGEST {
            reason = format!("it has {size} bytes");
        } else if let Some(missing) = missing {
            reason = format!("it has no {missing}");
        } else if end != expected {
            reason = format!("the reference ends in {}", end.word());
        } else {
            fs::rename(&attempt, trace)?;
            return Ok(size);
        }
    }
    fs::remove_file(&attempt)?;
    bail!("no good trace in {ATTEMPTS} attempts: {reason}")
}

/// Whether a text has a line whose word at this index is this one.
fn has_word(text: &[u8], index: usize, word: &str) -> bool {
    text.split(|&byte| byte == b'\n')
        .any(|line| line.split(|&byte| byte == b' ').nth(index) == Some(word.as_bytes()))
}
