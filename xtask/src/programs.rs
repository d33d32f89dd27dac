//! Go programs that write a trace of themselves to standard output: building them
//! and recording what they write.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run;
use crate::toolchain::Toolchain;

/// How long a program may run.
const LIMIT: Duration = Duration::from_secs(120);

/// Whether there is a C compiler, which programs with `import "C"` need.
pub(crate) fn has_c_compiler() -> bool {
    let compiler = env::var("CC").unwrap_or_else(|_| "gcc".into());
    Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Whether the Go source file needs a C compiler.
pub(crate) fn needs_c_compiler(source: &Path) -> Result<bool> {
    let text =
        fs::read_to_string(source).with_context(|| format!("reading {}", source.display()))?;
    Ok(text.lines().any(|line| line == "import \"C\""))
}

/// Builds one source file. Paths are trimmed: a trace holds the paths of sources,
/// and must not tell where it was made.
pub(crate) fn build(go: &Toolchain, source: &Path, program: &Path) -> Result<()> {
    let folder = source.parent().context("a source file is in a folder")?;
    let file = source.file_name().context("a source file has a name")?;
    run::output(
        go.command()?.current_dir(folder).args(["build", "-trimpath", "-o"]).arg(program).arg(file),
    )?;
    Ok(())
}

/// Runs a program with this GODEBUG and keeps its standard output.
pub(crate) fn record(program: &Path, args: &[&str], godebug: &str, trace: &Path) -> Result<()> {
    let mut command = Command::new(program);
    command.args(args).env_clear().env("GODEBUG", godebug);
    for name in ["PATH", "SYSTEMROOT", "TMPDIR", "TEMP"] {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    run::output_to(&mut command, trace, LIMIT)
}
