//! What the figures were measured on and with.

use std::fs;
use std::process::Command;
use std::thread;

use crate::run;
use crate::toolchain::NEWEST;

/// The machine, the versions and the day, as lines of a list.
pub(crate) fn description() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&info, "model name").unwrap_or("unknown processor");
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = field(&memory, "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse::<f64>().ok())
        .map_or("unknown".into(), |kilobytes| format!("{:.0} GB", kilobytes * 1024.0 / 1e9));
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "- machine: {model}, {cores} cores, {memory} memory, {}\n\
         - Rust: {}\n\
         - Go: {NEWEST}\n\
         - Gotrail: commit {}\n\
         - date: {}\n",
        said("uname", &["-sr"]),
        said("rustc", &["--version"]),
        said("git", &["describe", "--always", "--dirty", "--exclude", "*"]),
        said("date", &["-u", "+%Y-%m-%d"]),
    )
}

/// The compiler, whose version decides about instructions.
pub(crate) fn rustc() -> String {
    said("rustc", &["--version"])
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

fn said(program: &str, args: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(args).current_dir(crate::paths::workspace());
    match run::output(&mut command) {
        Ok(text) => String::from_utf8_lossy(&text).trim().to_owned(),
        Err(_) => "unknown".into(),
    }
}
