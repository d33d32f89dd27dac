//! The reference: the newest Go's trace reader, as two programs.
//!
//! `peer` is a small program of ours (`xtask/peer/main.go`) around Go's internal
//! package; `gotrace` is `go tool trace`. Both are kept in a folder that is named
//! by a hash of what they were built from.

use std::fs;
use std::hash::Hasher;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use fnv::FnvHasher;
pub(crate) use gotrail_checks::reference::End;

use crate::toolchain::{NEWEST, Toolchain};
use crate::{paths, run};

const SOURCE: &str = include_str!("../peer/main.go");

/// How long the reference may take for one batch of files.
const LIMIT: Duration = Duration::from_secs(300);

/// The reference's two programs.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    folder: PathBuf,
}

/// What came out of reading one form of a trace: how many events, how it ended,
/// and a hash of the text of these events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) events: u64,
    pub(crate) end: End,
    pub(crate) hash: u64,
}

/// What the reference says about one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The ordered events.
    pub(crate) parsed: Outcome,
    /// The raw events.
    pub(crate) wire: Outcome,
}

impl Peer {
    /// The reference's programs; builds them if they are not in the cache.
    pub(crate) fn get() -> Result<Self> {
        let mut hasher = FnvHasher::default();
        hasher.write(NEWEST.as_bytes());
        hasher.write(SOURCE.as_bytes());
        let folder =
            paths::cache()?.join("gotrail-reference").join(format!("{:016x}", hasher.finish()));
        let peer = Peer { folder };
        if !peer.path("peer").is_file() || !peer.path("gotrace").is_file() {
            peer.build().context("building the reference reader")?;
        }
        Ok(peer)
    }

    /// Where a program of the reference is: `peer` or `gotrace`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    fn build(&self) -> Result<()> {
        let go = Toolchain::get(NEWEST)?;
        eprintln!("building the reference reader (once)");
        let parent = self.folder.parent().expect("the cache has a folder");
        fs::create_dir_all(parent)?;
        let partial = tempfile::Builder::new().prefix("partial-").tempdir_in(parent)?;
        let dir = partial.path();

        // Only programs inside GOROOT may import internal/trace: an overlay puts
        // ours there without touching the toolchain.
        fs::write(dir.join("main.go"), SOURCE)?;
        let inside = go.root().join("src/cmd/tracepeer/main.go");
        let overlay = format!(
            "{{\"Replace\":{{{:?}:{:?}}}}}\n",
            inside.display().to_string(),
            dir.join("main.go").display().to_string()
        );
        fs::write(dir.join("overlay.json"), overlay)?;
        for (name, package) in [("peer", "cmd/tracepeer"), ("gotrace", "cmd/trace")] {
            let out = dir.join(self.path(name).file_name().expect("it has a name"));
            run::output(
                go.command()?
                    .current_dir(go.root().join("src"))
                    .env("CGO_ENABLED", "0")
                    .arg("build")
                    .arg("-overlay")
                    .arg(dir.join("overlay.json"))
                    .arg("-o")
                    .arg(out)
                    .arg(package),
            )?;
        }
        match fs::rename(dir, &self.folder) {
            Err(_) if self.path("gotrace").is_file() => Ok(()), // somebody else was faster
            other => Ok(other?),
        }
    }

    /// What `go tool trace -d=MODE` prints on standard output, whether or not it
    /// ends in an error.
    pub(crate) fn dump(&self, mode: &str, trace: &Path) -> Result<Vec<u8>> {
        Ok(self.dump_in(mode, trace, "UTC")?.stdout)
    }

    /// What `go tool trace -d=MODE` does in a time zone.
    pub(crate) fn dump_in(&self, mode: &str, trace: &Path, zone: &str) -> Result<Output> {
        let mut command = Command::new(self.path("gotrace"));
        command.arg(format!("-d={mode}")).arg(trace).env("TZ", zone).stdin(Stdio::null());
        command.output().with_context(|| run::name(&command))
    }

    /// The text of the ordered or the raw events as `go tool trace` prints it,
    /// quickly; standard output is given to `out` as it comes.
    pub(crate) fn text(&self, mode: &str, trace: &Path, out: &mut impl Write) -> Result<()> {
        let mut child = Command::new(self.path("peer"))
            .arg(mode)
            .arg(trace)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut stdout = child.stdout.take().context("a pipe was asked for")?;
        std::io::copy(&mut stdout, out)?;
        child.wait()?;
        Ok(())
    }

    /// The ordered events of a trace as text in UTC, and the error at their end.
    pub(crate) fn parsed(&self, trace: &Path) -> Result<(Vec<u8>, Option<String>)> {
        let mut command = Command::new(self.path("peer"));
        command.arg("parsed").arg(trace).env("TZ", "UTC").stdin(Stdio::null());
        let output = command.output().with_context(|| run::name(&command))?;
        let message = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        match output.status.code() {
            Some(0) => Ok((output.stdout, None)),
            Some(1) => Ok((output.stdout, Some(message))),
            _ => bail!("the reference dies of {}: {message}", trace.display()),
        }
    }

    /// What the reference says about each file. `None` where it died or did not
    /// come to an end, which is no verdict that anybody could agree with.
    pub(crate) fn verdicts(&self, files: &[PathBuf]) -> Result<Vec<Option<Verdict>>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        match self.ask(files) {
            Ok(verdicts) => Ok(verdicts.into_iter().map(Some).collect()),
            Err(_) if files.len() == 1 => Ok(vec![None]),
            // One of them killed it: halve until it stands alone.
            Err(_) => {
                let (left, right) = files.split_at(files.len() / 2);
                let mut verdicts = self.verdicts(left)?;
                verdicts.extend(self.verdicts(right)?);
                Ok(verdicts)
            }
        }
    }

    /// All that the reference says about one file when it is asked often. Mostly
    /// that is one thing, but on some broken traces it depends on the order in
    /// which it walks a hash map, which Go makes random.
    pub(crate) fn answers(&self, file: &Path) -> Result<Vec<Verdict>> {
        let mut answers: Vec<Verdict> = Vec::new();
        for verdict in self.ask(&vec![file.to_path_buf(); 200])? {
            if !answers.contains(&verdict) {
                answers.push(verdict);
            }
        }
        Ok(answers)
    }

    /// What the reference says about one file.
    pub(crate) fn verdict(&self, file: &Path) -> Result<Verdict> {
        self.verdict_within(file, LIMIT)
    }

    /// The same of a large file, for which the reference may take this long.
    pub(crate) fn verdict_within(&self, file: &Path, limit: Duration) -> Result<Verdict> {
        self.ask_within(&[file.to_path_buf()], limit)?.pop().context("one file, one verdict")
    }

    /// The trace of a `.test` archive as bytes, and the text of its expectation.
    pub(crate) fn archive(&self, archive: &Path) -> Result<(Vec<u8>, String)> {
        let trace = tempfile::NamedTempFile::new()?;
        let mut command = Command::new(self.path("peer"));
        command.arg("archive").arg(archive).arg(trace.path());
        let expectation = run::output(&mut command)?;
        Ok((fs::read(trace.path())?, String::from_utf8(expectation)?))
    }

    fn ask(&self, files: &[PathBuf]) -> Result<Vec<Verdict>> {
        self.ask_within(files, LIMIT)
    }

    fn ask_within(&self, files: &[PathBuf], limit: Duration) -> Result<Vec<Verdict>> {
        let answer = tempfile::NamedTempFile::new()?;
        let mut command = Command::new(self.path("peer"));
        command.arg("verdicts").args(files);
        run::output_to(&mut command, answer.path(), limit)?;
        let text = fs::read_to_string(answer.path())?;
        let verdicts: Vec<Verdict> =
            text.lines().map(parse_line).collect::<Result<_>>().context("the peer's answer")?;
        if verdicts.len() != files.len() {
            bail!("asked about {} files, got {} answers", files.len(), verdicts.len());
        }
        Ok(verdicts)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\t{}\t{:016x}", self.events, self.end.word(), self.hash)
    }
}

/// Reads a line of seven columns: file, then events, end and hash of the ordered
/// and of the raw events.
fn parse_line(line: &str) -> Result<Verdict> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [_, a, b, c, d, e, f] = fields[..] else {
        bail!("{line:?} has not seven columns");
    };
    Ok(Verdict { parsed: outcome(a, b, c)?, wire: outcome(d, e, f)? })
}

/// Reads an outcome from its three columns.
fn outcome(events: &str, end: &str, hash: &str) -> Result<Outcome> {
    let end = End::of(end).ok_or_else(|| anyhow!("{end:?} is no end of a trace"))?;
    Ok(Outcome { events: events.parse()?, end, hash: u64::from_str_radix(hash, 16)? })
}
