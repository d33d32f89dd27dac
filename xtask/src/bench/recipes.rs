//! The traces of the benchmark: what they are, and how they are made.
//!
//! They are large, so they are kept in the cache and not in the repository. A file's name has a
//! hash of all that it is made from. A new trace is read once by the reference and by ours, and
//! is kept only if both find the same events. Beside the trace lies what they found.

use std::env;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fnv::FnvHasher;

use super::superpose::{Spread, superpose};
use crate::ours::{self, Source};
use crate::peer::{End, Peer};
use crate::toolchain::{NEWEST, OLD, Toolchain};
use crate::{outcome, paths, programs, run};

/// How long a program may run, and how long the reference may take for what it has written.
const LIMIT: Duration = Duration::from_secs(1800);

/// To be raised when traces have to be made anew although no program has changed.
const EDITION: u8 = 1;

/// How a trace is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    /// Its name, with the letter that documents use.
    pub(crate) name: &'static str,
    /// What it is a trace of.
    pub(crate) what: &'static str,
    /// The program's file in `benches/programs` or `testdata/programs`, without `.go`.
    program: &'static str,
    go: &'static str,
    pub(crate) procs: u32,
    godebug: &'static str,
    /// The arguments before the size, and the size, which is the last one.
    pub(crate) args: &'static [&'static str],
    size: u64,
    /// The size for `--quick`.
    quick: u64,
    /// How many events there have to be; not for `--quick`.
    least: u64,
    /// How often the recording is laid over itself.
    copies: u64,
    /// Above 1: it is not recorded, but one of this many parts of [`LONG`].
    part: usize,
}

const MIXED: Recipe = Recipe {
    name: "",
    what: "",
    program: "mixed",
    go: NEWEST,
    procs: 2,
    godebug: "",
    args: &["-bytes"],
    size: 36_000_000,
    quick: 4_000_000,
    least: 5_000_000,
    copies: 1,
    part: 1,
};

const LONG: Recipe = Recipe {
    name: "long",
    what: "mixed program, a generation every 100 ms, long",
    godebug: OFTEN,
    size: 64_000_000,
    quick: 20_000_000,
    least: 10_000_000,
    ..MIXED
};

const OFTEN: &str = "traceadvanceperiod=100000000";

/// All traces that the tables need.
pub(crate) const RECIPES: &[Recipe] = &[
    Recipe { name: "a-mixed", what: "mixed program, GOMAXPROCS=2", ..MIXED },
    Recipe { name: "b-procs64", what: "mixed program, GOMAXPROCS=64", procs: 64, ..MIXED },
    Recipe {
        name: "c-channels",
        what: "channel traffic",
        program: "channels",
        args: &[],
        size: 8,
        quick: 1,
        least: 20_000_000,
        ..MIXED
    },
    Recipe {
        name: "d-stacks",
        what: "heavy in stacks and strings",
        program: "stacks",
        args: &[],
        size: 60,
        quick: 10,
        least: 500_000,
        ..MIXED
    },
    Recipe {
        name: "e-go1.22",
        what: "mixed program, built with Go 1.22",
        go: "1.22.10",
        least: 4_000_000,
        ..MIXED
    },
    // 32 times 2 procs: a machine of 64 cores. A program on one proc would be simpler than it.
    Recipe {
        name: "f-interleaved",
        what: "mixed program, 2 procs, 32 times over: 64 procs that all run at once",
        godebug: "traceadvanceperiod=50000000",
        size: 1_000_000,
        quick: 150_000,
        copies: 32,
        ..MIXED
    },
    Recipe {
        name: "g-generations",
        what: "mixed program, a generation every 100 ms",
        godebug: OFTEN,
        ..MIXED
    },
    Recipe {
        name: "h-go1.21",
        what: "many trades on 64 procs, built with Go 1.21, before traces had generations",
        program: "stress64",
        go: OLD,
        args: &[],
        size: 4_000,
        quick: 400,
        least: 3_000_000,
        ..MIXED
    },
    Recipe {
        name: "i-500MB",
        what: "mixed program, GOMAXPROCS=2, long",
        size: 500_000_000,
        quick: 20_000_000,
        least: 50_000_000,
        ..MIXED
    },
    LONG,
    Recipe {
        name: "short",
        what: "a tenth of long, with its largest generation",
        least: 500_000,
        part: 10,
        ..LONG
    },
];

/// The trace of a program that passes turns around: for `--scaling`.
pub(crate) const fn scale(procs: u32, args: &'static [&'static str]) -> Recipe {
    Recipe {
        name: "scale",
        what: "turns passed around",
        program: "scale",
        procs,
        args,
        size: 3_000,
        quick: 200,
        least: 1_000_000,
        ..MIXED
    }
}

/// A trace that is there.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) recipe: Recipe,
    pub(crate) path: PathBuf,
    /// How many ordered events it has.
    pub(crate) events: u64,
    /// How many raw events it has.
    pub(crate) wire_events: u64,
    pub(crate) bytes: u64,
}

impl Recipe {
    /// The recipe with this name.
    pub(crate) fn named(name: &str) -> Recipe {
        *RECIPES.iter().find(|recipe| recipe.name == name).expect("a recipe of that name")
    }

    /// The name, with what tells the traces for `--scaling` from each other.
    pub(crate) fn label(&self) -> String {
        match self.name {
            "scale" => format!("scale-{}-{}", self.procs, self.args.concat()),
            name => name.into(),
        }
    }

    fn source(&self) -> PathBuf {
        let file = format!("{}.go", self.program);
        let own = paths::workspace().join("benches/programs").join(&file);
        if own.is_file() { own } else { paths::testdata().join("programs").join(file) }
    }

    fn arguments(&self, quick: bool) -> Vec<String> {
        let size = if quick { self.quick } else { self.size };
        self.args.iter().map(ToString::to_string).chain([size.to_string()]).collect()
    }

    /// Where the trace is, or would be.
    fn path(&self, quick: bool) -> Result<PathBuf> {
        let source = self.source();
        let text = fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
        let mut hasher = FnvHasher::default();
        hasher.write(&text);
        let (go, procs, args) = (self.go, self.procs, self.arguments(quick));
        let how = format!(
            "{EDITION} {go} {procs} {} {args:?} {} {}",
            self.godebug,
            self.copies,
            // What makes a part was another once.
            if self.part > 1 { format!("bytes/{}", self.part) } else { self.part.to_string() },
        );
        hasher.write(how.as_bytes());
        let name = format!("{}-{:08x}.trace", self.label(), hasher.finish() as u32);
        Ok(paths::cache()?.join("gotrail-bench").join(name))
    }

    /// The trace, if it was made already.
    pub(crate) fn find(self, quick: bool) -> Result<Option<Trace>> {
        let path = self.path(quick)?;
        let (Ok(found), Ok(metadata)) =
            (fs::read_to_string(path.with_extension("tsv")), fs::metadata(&path))
        else {
            return Ok(None);
        };
        let numbers: Vec<u64> = found.split_whitespace().flat_map(str::parse).collect();
        let [events, wire_events] = numbers[..] else {
            bail!("{} is damaged: remove it", path.with_extension("tsv").display());
        };
        Ok(Some(Trace { recipe: self, path, events, wire_events, bytes: metadata.len() }))
    }

    /// What must be made before, if this is a part of it.
    pub(crate) fn whole(self) -> Option<Recipe> {
        (self.part > 1).then_some(LONG)
    }

    /// Makes the trace.
    ///
    /// This takes memory, so it is done in a process of its own ([`super::usage`] says why).
    pub(crate) fn make(self, peer: &Peer, quick: bool) -> Result<()> {
        let start = Instant::now();
        let path = self.path(quick)?;
        let folder = path.parent().expect("the cache has a folder");
        fs::create_dir_all(folder)?;
        let work = tempfile::Builder::new().prefix("partial-").tempdir_in(folder)?;
        let partial = work.path().join("trace");
        if let Some(whole) = self.whole() {
            let whole = whole.find(quick)?.context("the trace that it is a part of is missing")?;
            fs::write(&partial, part(&whole.path, self.part)?)?;
        } else {
            self.record(work.path(), &partial, quick)?;
        }
        if self.copies > 1 {
            let trace = fs::read(&partial)?;
            let copies = superpose(&trace, self.copies, Spread::Together)
                .context("laying copies over each other")?;
            fs::write(&partial, copies)?;
        }
        let (events, wire_events) = check(peer, &partial)
            .with_context(|| format!("checking a new trace, {}", self.what))?;
        if events < self.least && !quick {
            bail!("{}: {events} events, but there should be {}", self.name, self.least);
        }
        fs::write(path.with_extension("tsv"), format!("{events}\t{wire_events}\n"))?;
        fs::rename(&partial, &path)?;
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("{}: {events} events, made and checked in {seconds:.0} s", self.label());
        Ok(())
    }

    /// Builds and runs the program.
    fn record(&self, work: &Path, trace: &Path, quick: bool) -> Result<()> {
        let program = work.join("program");
        programs::build(&Toolchain::get(self.go)?, &self.source(), &program)?;
        let mut command = std::process::Command::new(&program);
        command.args(self.arguments(quick)).env_clear();
        command.env("GODEBUG", self.godebug).env("GOMAXPROCS", self.procs.to_string());
        for name in ["PATH", "TMPDIR"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        run::output_to(&mut command, trace, LIMIT)
    }
}

/// One of `parts` parts of a trace, as a flight recorder would have kept it: as many generations as
/// make no more than that part of its bytes, around the largest, which decides how much memory a
/// reader needs.
fn part(trace: &Path, parts: usize) -> Result<Vec<u8>> {
    let trace = gotrail::Trace::open(trace)?;
    let generations = trace.generations();
    let sizes = generations.iter().map(|generation| generation.bytes.end - generation.bytes.start);
    let (largest, _) = sizes.enumerate().max_by_key(|&(_, size)| size).context("no generations")?;
    let size = |generation: &gotrail::GenerationInfo| generation.bytes.end - generation.bytes.start;
    let room = generations.iter().map(size).sum::<u64>() / parts as u64;
    let (mut first, mut end) = (largest, largest + 1);
    loop {
        let taken: u64 = generations[first..end].iter().map(size).sum();
        let fits = |at: usize| generations.get(at).is_some_and(|more| taken + size(more) <= room);
        match () {
            () if fits(end) => end += 1,
            () if first > 0 && fits(first - 1) => first -= 1,
            () => break,
        }
    }
    let header = generations[0].bytes.start as usize;
    // A generation's end mark is not among its bytes: up to where the next one begins.
    let from = generations[first].bytes.start as usize;
    let next = generations.get(end).map(|generation| generation.bytes.start as usize);
    let mut part = trace.bytes()[..header].to_vec();
    part.extend(&trace.bytes()[from..next.unwrap_or(trace.bytes().len())]);
    Ok(part)
}

/// Whether a trace is of Go 1.21 or older.
fn is_old(trace: &Path) -> Result<bool> {
    let mut header = [0; 16];
    std::io::Read::read_exact(&mut fs::File::open(trace)?, &mut header)?;
    Ok(gotrail_checks::mutate::is_old(&header))
}

/// Has a trace read by the reference and by ours; how many ordered and raw events there are.
fn check(peer: &Peer, trace: &Path) -> Result<(u64, u64)> {
    let theirs = peer.verdict_within(trace, LIMIT)?;
    if is_old(trace)? {
        // It has no raw events, and the order of equal times is a matter of chance.
        let ours = outcome::observe(|visit| ours::parsed(Source::File(trace), visit)).outcome;
        if (ours.end, ours.events) != (End::Ok, theirs.parsed.events) {
            bail!("ours: {ours}\nthe reference: {}", theirs.parsed);
        }
        return Ok((theirs.parsed.events, 0));
    }
    if theirs.parsed.end != End::Ok || theirs.wire.end != End::Ok {
        bail!("the reference does not accept it: {} / {}", theirs.parsed, theirs.wire);
    }
    let ours = outcome::observe(|visit| ours::parsed(Source::File(trace), visit));
    if ours.outcome != theirs.parsed {
        let (ours, theirs, message) = (ours.outcome, theirs.parsed, ours.message);
        bail!("ours: {ours} {message}\nthe reference: {theirs}");
    }
    Ok((theirs.parsed.events, theirs.wire.events))
}
