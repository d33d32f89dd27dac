//! Running other programs, with errors that say which one failed and what it said.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Runs a command to its end and returns its standard output. A failure carries
/// the end of its standard error.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output().with_context(|| not_started(command))?;
    check(command, &output)?;
    Ok(output.stdout)
}

/// Runs a command to its end with its standard output in a file.
pub(crate) fn output_to(command: &mut Command, file: &Path, limit: Duration) -> Result<()> {
    let out = File::create(file).with_context(|| format!("creating {}", file.display()))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| not_started(command))?;
    let stderr = drain(&mut child);
    let Some(status) = wait(&mut child, limit)? else {
        bail!("{} was still running after {limit:?}", name(command));
    };
    let stderr = stderr.join().unwrap_or_default();
    check(command, &Output { status, stdout: Vec::new(), stderr })
}

/// Waits for a child for at most `limit`; kills it then and returns `None`.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Reads a child's standard error on a thread of its own, so that it never blocks.
pub(crate) fn drain(child: &mut Child) -> thread::JoinHandle<Vec<u8>> {
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            // What was read before an error is still worth showing.
            let _ = stderr.read_to_end(&mut text);
        }
        text
    })
}

/// An error unless the command ended well.
pub(crate) fn check(command: &Command, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let tail = lines[lines.len().saturating_sub(20)..].join("\n");
    bail!("{} failed ({})\n{tail}", name(command), output.status)
}

/// The command line of a command, for messages.
pub(crate) fn name(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args().take(8) {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    if command.get_args().len() > 8 {
        text.push_str(" …");
    }
    text
}

fn not_started(command: &Command) -> String {
    format!("cannot start `{}`", name(command))
}

/// Installs a package where that can be done without asking: as root, with apt. Whoever calls this
/// looks whether it helped.
pub(crate) fn apt_install(package: &str) -> Result<()> {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id == b"0\n");
    if !root {
        return Ok(());
    }
    eprintln!("installing {package} (once)");
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        output(command.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // Lists of packages may be missing or old; the second attempt has fresh ones.
    let install = ["install", "-y", "--no-install-recommends", package];
    if apt(&install).is_err() {
        let _ = apt(&["update"]);
        apt(&install).with_context(|| format!("{package} could not be installed"))?;
    }
    Ok(())
}
