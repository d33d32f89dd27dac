//! What the `gotrail` command finds out about traces, against Go's summarizer and its mutator
//! utilization: every field of the reference's, value for value.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Failure, Report, command, in_parallel};
use crate::peer::Peer;
use crate::run;

/// The reference's commands and ours for the same.
const QUESTIONS: [(&str, &[&str]); 3] = [
    ("goroutines", &["goroutines", "--each", "--json"]),
    ("tasks", &["tasks", "--json"]),
    ("mmu", &["mmu", "--json"]),
];

/// One thread reads from start to end; several read generations apart and merge them.
const THREADS: [&str; 2] = ["1", "3"];

/// How often the reference is asked before it is believed to differ.
pub(super) const ANSWERS: usize = 30;

/// How far utilizations may be apart.
const TOLERANCE: f64 = 1e-9;

/// Compares every answer about each trace.
pub(crate) fn run(
    peer: &Peer,
    traces: &[(String, PathBuf)],
    jobs: usize,
    report: &Report,
) -> Result<usize> {
    let gotrail = command::build()?;
    in_parallel(jobs, traces, |(name, path)| {
        for (question, arguments) in QUESTIONS {
            let mut theirs = answer(&peer.path("peer"), &[question], path)?;
            if !theirs.status.success() {
                // A broken trace, or one on which the reference gives up: nothing to compare.
                continue;
            }
            for threads in THREADS {
                let arguments: Vec<_> =
                    arguments.iter().copied().chain(["--threads", threads]).collect();
                let ours = answer(&gotrail, &arguments, path)?;
                let mut found = difference(&theirs, &ours)?;
                // Of old traces the reference orders some events by chance: ours is one of its
                // answers.
                for _ in 1..ANSWERS {
                    if found.is_none() {
                        break;
                    }
                    theirs = answer(&peer.path("peer"), &[question], path)?;
                    found = difference(&theirs, &ours)?;
                }
                if let Some(detail) = found {
                    let name = format!("gotrail {question} --threads {threads} {name}");
                    report.fail(Failure { name, detail });
                }
            }
        }
        report.step();
        Ok(())
    })?;
    Ok(traces.len() * QUESTIONS.len() * THREADS.len())
}

fn answer(program: &Path, arguments: &[&str], trace: &Path) -> Result<Output> {
    let mut command = Command::new(program);
    command.args(arguments).arg(trace).stdin(Stdio::null());
    command.output().with_context(|| run::name(&command))
}

fn difference(theirs: &Output, ours: &Output) -> Result<Option<String>> {
    if !ours.status.success() {
        return Ok(Some(format!("ours: {}", String::from_utf8_lossy(&ours.stderr))));
    }
    let (theirs, ours) = (lines(&theirs.stdout)?, lines(&ours.stdout)?);
    if theirs.len() != ours.len() {
        return Ok(Some(format!("reference: {} lines, ours: {}", theirs.len(), ours.len())));
    }
    let pairs = theirs.iter().zip(&ours);
    Ok(pairs.filter_map(|(theirs, ours)| unlike(theirs, ours, "")).next())
}

fn lines(bytes: &[u8]) -> Result<Vec<Value>> {
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
}

/// Where a value of the reference is not in ours; we may say more.
fn unlike(theirs: &Value, ours: &Value, at: &str) -> Option<String> {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => theirs.iter().find_map(|(key, value)| {
            unlike(value, ours.get(key).unwrap_or(&Value::Null), &format!("{at}.{key}"))
        }),
        (Value::Array(theirs), Value::Array(ours)) if theirs.len() == ours.len() => {
            let mut pairs = theirs.iter().zip(ours).enumerate();
            pairs.find_map(|(i, (theirs, ours))| unlike(theirs, ours, &format!("{at}[{i}]")))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            let apart = (a.as_f64()? - b.as_f64()?).abs();
            (apart > TOLERANCE).then(|| format!("{at}: reference: {a}, ours: {b}"))
        }
        _ if theirs == ours => None,
        _ => Some(format!("{at}: reference: {theirs}, ours: {ours}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn we_may_say_more_but_not_other_things() {
        let theirs = json!({"a": 1, "b": [{"c": 0.5}]});
        assert_eq!(unlike(&theirs, &json!({"a": 1, "b": [{"c": 0.5, "d": 1}]}), ""), None);
        let other = unlike(&theirs, &json!({"a": 1, "b": [{"c": 0.6}]}), "");
        assert!(other.unwrap().starts_with(".b[0].c"));
        assert!(unlike(&theirs, &json!({"b": [{"c": 0.5}]}), "").is_some());
        assert!(unlike(&theirs, &json!({"a": 1, "b": []}), "").is_some());
    }
}
