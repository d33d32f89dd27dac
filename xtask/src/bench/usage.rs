//! Running a whole process and seeing what it used: time, processor, memory.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::run;

/// A program with its arguments, and where its input comes from and its output goes.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    /// The trace that it reads.
    pub(crate) trace: Option<PathBuf>,
    /// Whether it gets the trace through a pipe at its standard input.
    pub(crate) piped: bool,
    /// Whether its output is so long that it is not kept, but written to a file and deleted.
    pub(crate) long_output: bool,
    /// Whether 1 is a good exit status, too: that something was found.
    pub(crate) may_find: bool,
}

/// What one run used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    /// Seconds from its start to its end.
    pub(crate) wall: f64,
    /// Seconds of processor time, of all its threads.
    pub(crate) cpu: f64,
    /// The most memory that it had, in bytes.
    pub(crate) memory: u64,
    /// What it printed, unless that was long.
    pub(crate) output: String,
    /// How many bytes it printed.
    pub(crate) printed: u64,
}

impl Task {
    pub(crate) fn new(program: &Path, args: &[&str]) -> Task {
        let args = args.iter().map(|&arg| arg.into()).collect();
        Task {
            program: program.into(),
            args,
            trace: None,
            piped: false,
            long_output: false,
            may_find: false,
        }
    }

    /// The same with the trace as its last argument.
    pub(crate) fn on(mut self, trace: &Path) -> Task {
        self.args.push(trace.display().to_string());
        self.trace = Some(trace.into());
        self
    }

    /// The same with the trace at its standard input, which is a pipe.
    pub(crate) fn piped(mut self, trace: &Path) -> Task {
        self.trace = Some(trace.into());
        self.piped = true;
        self
    }

    /// The same with output that is too long to be kept.
    pub(crate) fn with_long_output(mut self) -> Task {
        self.long_output = true;
        self
    }

    /// The same of a program that ends with 1 if it finds something.
    pub(crate) fn that_may_find_something(mut self) -> Task {
        self.may_find = true;
        self
    }

    /// Runs it to its end. `scratch` is a folder for its output.
    ///
    /// The program and its trace are in memory when it starts: some systems put files out of it
    /// that nobody has read for seconds, which is as long as the other side takes.
    pub(crate) fn run(&self, scratch: &Path) -> Result<Usage> {
        for file in self.trace.iter().chain([&self.program]) {
            read_through(file).with_context(|| format!("reading {}", file.display()))?;
        }
        let out = scratch.join("output");
        let file = File::create(&out).with_context(|| format!("creating {}", out.display()))?;
        let mut command = Command::new(&self.program);
        let stdin = if self.piped { Stdio::piped() } else { Stdio::null() };
        command.args(&self.args).env("TZ", "UTC").stdin(stdin).stdout(file);
        let start = Instant::now();
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", run::name(&command)))?;
        let stderr = run::drain(&mut child);
        let feeder = self.trace.clone().zip(child.stdin.take()).map(|(path, mut pipe)| {
            // A child that reads no further is no concern of the pipe's.
            thread::spawn(move || {
                File::open(path).map(|mut file| std::io::copy(&mut file, &mut pipe))
            })
        });
        let (status, cpu, memory) = wait(child.id())?;
        let good = status == Some(0) || self.may_find && status == Some(1);
        let wall = start.elapsed().as_secs_f64();
        if let Some(feeder) = feeder {
            let _ = feeder.join();
        }
        let stderr = stderr.join().unwrap_or_default();
        if !good {
            bail!("{} failed\n{}", run::name(&command), String::from_utf8_lossy(&stderr));
        }
        let printed = std::fs::metadata(&out)?.len();
        let output = if self.long_output { String::new() } else { std::fs::read_to_string(&out)? };
        std::fs::remove_file(&out)?;
        Ok(Usage { wall, cpu, memory, output, printed })
    }
}

/// Reads a file once, so that the system has it in memory.
fn read_through(path: &Path) -> std::io::Result<()> {
    let (mut file, mut room) = (File::open(path)?, vec![0; 1 << 20]);
    while file.read(&mut room)? > 0 {}
    Ok(())
}

/// Waits for a child's end: its exit status if it had one, its processor time and peak memory.
///
/// A child's peak begins with what this process had when the child was started: Linux counts the
/// moment between fork and exec. So this process must stay small while it measures.
#[cfg(unix)]
fn wait(pid: u32) -> Result<(Option<i32>, f64, u64)> {
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both pointers are to places of the right types that live through the call, and
    // all-zero bytes are a valid rusage.
    let usage = unsafe {
        loop {
            let waited = libc::wait4(pid.cast_signed(), &raw mut status, 0, usage.as_mut_ptr());
            if waited == pid.cast_signed() {
                break usage.assume_init();
            }
            let error = std::io::Error::last_os_error();
            if error.kind() != std::io::ErrorKind::Interrupted {
                return Err(error).context("waiting for a program");
            }
        }
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let status = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    Ok((status, seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as u64 * unit))
}

#[cfg(not(unix))]
fn wait(_pid: u32) -> Result<(Option<i32>, f64, u64)> {
    bail!("processes can be measured on Unix only")
}

impl Usage {
    /// How many events the program says that there are, if it says so: peer and examples print
    /// `N events, S s`, ours `"events":N`.
    pub(crate) fn events(&self) -> Option<u64> {
        let json = self.output.split_once("\"events\":").map(|(_, rest)| rest);
        let text = json.unwrap_or_else(|| self.output.rsplit(": ").next().unwrap_or_default());
        text[..text.find(|c: char| !c.is_ascii_digit())?].parse().ok()
    }

    /// How many seconds the program says that it took; of the `pass`th line.
    pub(crate) fn seconds(&self, pass: usize) -> Option<f64> {
        let line = self.output.lines().nth(pass)?;
        line.split(", ").nth(1)?.strip_suffix(" s")?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_print_is_understood() {
        let printed = |output: &str| Usage { output: output.into(), ..Usage::default() };
        let peer = printed("757202 events, 0.174 s, 229.2 ns/event, 24.2 MB/s\n");
        assert_eq!((peer.events(), peer.seconds(0)), (Some(757_202), Some(0.174)));
        let ours = printed("{\"file\":\"x\",\"ok\":true,\"events\":12,\"generations\":1}\n");
        assert_eq!((ours.events(), ours.seconds(0)), (Some(12), None));
        let passes = printed("first pass: 7 events, 2.5 s\nsecond pass: 7 events, 1.5 s\n");
        assert_eq!((passes.events(), passes.seconds(1)), (Some(7), Some(1.5)));
    }

    #[test]
    #[cfg(unix)]
    fn a_process_is_measured() {
        let scratch = tempfile::tempdir().unwrap();
        let shell = |script| Task::new(Path::new("/bin/sh"), &["-c", script]);
        let usage = shell("echo 5 events, 1.0 s").run(scratch.path()).unwrap();
        assert_eq!(usage.events(), Some(5));
        assert!(usage.wall > 0.0 && usage.memory > 100_000);
        assert!(shell("exit 3").run(scratch.path()).is_err());
    }
}
