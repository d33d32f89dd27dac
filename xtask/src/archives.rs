//! `cargo xtask archives`: the test traces of the suite, as files in `testdata/archives`.
//!
//! The archives and the README are what the suite makes; the events beside each archive are what
//! the reference delivers of it. With `--bless` all of it is written anew, without it everything
//! is compared.
//!
//! The cases of Go's own list are compared with Go's files, too ([`against_go`]).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use gotrail_synth::reading::Difference;
use gotrail_synth::suite::golang::{self, Generator};
use gotrail_synth::suite::{self, Case, index};

use crate::difference;
use crate::paths;
use crate::peer::Peer;
use crate::run;
use crate::toolchain::Toolchain;

/// What the subcommand can be told.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Write the files anew
    #[arg(long)]
    bless: bool,
}

/// The files of the folder, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Runs the subcommand.
pub(crate) fn main(options: &Options) -> Result<()> {
    let (wanted, mut problems) = generate(&Peer::get()?)?;
    if options.bless {
        let changed = write(&wanted)?;
        println!("archives: {} files, {changed} of them changed", wanted.len());
    } else {
        problems.extend(differences(&wanted)?);
    }
    problems.iter().for_each(|problem| println!("{problem}"));
    if problems.is_empty() {
        println!("archives: {} files are as they should be", wanted.len());
        return Ok(());
    }
    bail!("{} problems; `cargo xtask archives --bless` writes files anew", problems.len())
}

/// Where the archives are.
pub(crate) fn folder() -> PathBuf {
    paths::testdata().join("archives")
}

/// What is not as it should be: the files, or the reference's verdict on a case.
pub(crate) fn check(peer: &Peer) -> Result<Vec<String>> {
    let (wanted, mut problems) = generate(peer)?;
    problems.extend(differences(&wanted)?);
    Ok(problems)
}

/// How the cases of Go's own list differ from Go: from the archives of its newest toolchain, and
/// from what that toolchain's generators write, some of which is newer than the archives.
pub(crate) fn against_go(go: &Toolchain) -> Result<Vec<String>> {
    let testdata = go.trace_testdata();
    let mut problems = Vec::new();
    let mut compare = |what: &str, case: &Case, theirs: Vec<u8>| -> Result<()> {
        // Go's archives have no comment.
        let ours = case.trace.to_archive()?.to_text()?;
        if let Some(line) = difference::first(&theirs[..], &ours[..])? {
            problems.push(format!("{}, {what}: {line}", case.name));
        }
        Ok(())
    };
    for case in golang::written_by(Generator::OfTheArchives) {
        let path = testdata.join("tests").join(format!("{}.test", case.name));
        compare("the archive", &case, fs::read(&path).with_context(|| paths::show(&path))?)?;
    }
    let out = tempfile::tempdir()?;
    let cases = golang::written_by(Generator::Newest);
    for case in &cases {
        let file = out.path().join(case.name);
        let generator = format!("testdata/generators/{}.go", case.name);
        let mut command = go.command()?;
        let folder = testdata.parent().context("testdata is in a package")?;
        run::output(command.current_dir(folder).args(["run", &generator]).arg(&file))?;
        compare("the generator", case, fs::read(&file)?)?;
    }
    for path in present(&testdata.join("generators"))? {
        let name = name(&path.with_extension(""));
        if !cases.iter().any(|case| case.name == name) {
            problems.push(format!("Go's list has {name}, the suite has not"));
        }
    }
    Ok(problems)
}

/// All files as they should be, and where the reference's verdict is not what a case expects.
fn generate(peer: &Peer) -> Result<(Files, Vec<String>)> {
    let cases = suite::cases();
    let (mut files, mut problems) = (Files::new(), Vec::new());
    for case in &cases {
        let (archive, events, problem) = one(peer, case).with_context(|| case.name)?;
        if files.insert(format!("{}.test", case.name), archive).is_some() {
            bail!("two cases are called {}", case.name);
        }
        files.insert(format!("{}.events", case.name), events);
        problems.extend(problem.map(|problem| format!("{}: {problem}", case.name)));
    }
    let format = fs::read_to_string(paths::workspace().join("docs/format.md"))?;
    files.insert("README.md".into(), index::readme(&cases, &format).into_bytes());
    Ok((files, problems))
}

/// The archive of a case, its events, and what is wrong with the reference's verdict.
fn one(peer: &Peer, case: &Case) -> Result<(Vec<u8>, Vec<u8>, Option<String>)> {
    let archive = case.archive()?;
    let text = archive.to_text()?;
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), &text)?;
    // The reference reads the archive too, and must come to the same bytes.
    let (trace, _) = peer.archive(file.path())?;
    if trace != archive.bytes()? {
        bail!("the reference makes other bytes of the archive");
    }
    fs::write(file.path(), &trace)?;
    let (events, error) = peer.parsed(file.path())?;
    let problem = archive.expectation.check(error.as_deref()).err();
    Ok((text, events, problem.map(|problem| format!("the reference: {problem}"))))
}

/// Writes all files and removes others; returns how many changed.
fn write(wanted: &Files) -> Result<usize> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let mut changed = 0;
    for path in present(&folder)? {
        if !wanted.contains_key(&name(&path)) {
            fs::remove_file(&path)?;
            changed += 1;
        }
    }
    for (name, content) in wanted {
        let path = folder.join(name);
        if fs::read(&path).ok().as_ref() != Some(content) {
            fs::write(&path, content).with_context(|| path.display().to_string())?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Which files are not as they should be.
fn differences(wanted: &Files) -> Result<Vec<String>> {
    let folder = folder();
    let mut problems = Vec::new();
    for (name, content) in wanted {
        match fs::read(folder.join(name)) {
            Ok(found) => {
                if let Some(difference) = Difference::between(content, &found) {
                    problems.push(format!("{name} is out of date: {difference}"));
                }
            }
            Err(error) => problems.push(format!("{name}: {error}")),
        }
    }
    for path in present(&folder)? {
        let name = name(&path);
        if !wanted.contains_key(&name) {
            problems.push(format!("{name} belongs to no case"));
        }
    }
    Ok(problems)
}

fn present(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
