//! The rules of `gotrail check` with their settings: from a file, from `--set`, and as a file.

use crate::failure::wrong_usage;
use anyhow::Result;
use gotrail_analyze::check::{Rules, Value};
use jiff::SignedDuration;
use std::fmt::Write as _;
use std::path::Path;

/// What to do about a name that does not exist.
const LIST: &str = "`gotrail check --list` shows all rules";

/// The usual rules with what a file says, then with single settings; if `only` names any, without
/// all others.
pub(crate) fn rules(file: Option<&Path>, settings: &[String], only: &[String]) -> Result<Rules> {
    let mut rules = Rules::default();
    if let Some(path) = file {
        read(&mut rules, path)?;
    }
    for setting in settings {
        let parts = setting.split_once('=').and_then(|(left, value)| {
            let (rule, threshold) = left.split_once('.')?;
            Some((rule, threshold, value))
        });
        let Some((rule, threshold, value)) = parts else {
            wrong_usage!("--set {setting}: write RULE.THRESHOLD=VALUE, as long-stw.longest=1ms");
        };
        if let Err(wrong) = set(&mut rules, rule, threshold, value) {
            wrong_usage!("--set {setting}: {wrong}");
        }
    }
    if !only.is_empty() {
        for name in only {
            if let Err(unknown) = rules.rule(name) {
                wrong_usage!("--only {name}: {unknown}; {LIST}");
            }
        }
        for rule in &mut rules.0 {
            rule.enabled &= only.iter().any(|name| name == rule.name);
        }
    }
    Ok(rules)
}

fn read(rules: &mut Rules, path: &Path) -> Result<()> {
    let name = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => wrong_usage!("--rules {name}: cannot read it: {error}"),
    };
    let file: toml::Table = match text.parse() {
        Ok(file) => file,
        Err(error) => wrong_usage!("--rules {name}: is not TOML: {error}"),
    };
    for (rule, settings) in &file {
        let Some(settings) = settings.as_table() else {
            wrong_usage!("--rules {name}: {rule} must be a table, as [{rule}]");
        };
        for (threshold, value) in settings {
            let value = match value {
                toml::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if let Err(wrong) = set(rules, rule, threshold, &value) {
                wrong_usage!("--rules {name}: [{rule}] {threshold} = {value}: {wrong}");
            }
        }
    }
    Ok(())
}

/// Sets a threshold, or says what is wrong with that.
fn set(rules: &mut Rules, rule: &str, threshold: &str, value: &str) -> Result<(), String> {
    let rule = rules.rule(rule).map_err(|unknown| format!("{unknown}; {LIST}"))?;
    if threshold == "enabled" {
        rule.enabled = value.parse().map_err(|_| "must be true or false".to_owned())?;
        return Ok(());
    }
    let threshold = rule.threshold(threshold).map_err(|unknown| unknown.to_string())?;
    let parsed = match threshold.value {
        Value::Nanos(_) => {
            nanos(value).map(Value::Nanos).ok_or("must be a time of 0 or more, as 20ms")
        }
        Value::Count(_) => {
            value.parse().map(Value::Count).map_err(|_| "must be a whole number of 0 or more")
        }
        Value::Share(_) => {
            let share = match value.strip_suffix('%') {
                Some(percent) => number(percent.trim()).map(|percent| percent / 100.0),
                None => number(value),
            };
            let share = share.filter(|share| *share <= 1.0);
            share.map(Value::Share).ok_or("must be a share from 0 to 1, as 0.05 or 5%")
        }
        Value::Rate(_) => {
            number(value).map(Value::Rate).ok_or("must be a number a second, of 0 or more")
        }
        Value::Average(_) => {
            number(value).map(Value::Average).ok_or("must be a number of 0 or more, as 0.5")
        }
    };
    threshold.value = parsed?;
    Ok(())
}

/// A number that is not negative.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// A time that is not negative, in nanoseconds.
fn nanos(text: &str) -> Option<i64> {
    let time: SignedDuration = text.parse().ok()?;
    i64::try_from(time.as_nanos()).ok().filter(|nanos| *nanos >= 0)
}

/// The rules as a file that --rules reads.
pub(crate) fn list(rules: &Rules) -> String {
    let mut out = String::new();
    for rule in &rules.0 {
        let enabled = if rule.enabled { "" } else { "enabled = false\n" };
        let _ = write!(out, "# {}\n[{}]\n{enabled}", rule.about, rule.name);
        for threshold in &rule.thresholds {
            let value = match threshold.value {
                Value::Nanos(nanos) => format!("\"{:#}\"", SignedDuration::from_nanos(nanos)),
                Value::Count(count) => count.to_string(),
                Value::Share(value) | Value::Rate(value) | Value::Average(value) => {
                    format!("{value:?}")
                }
            };
            let _ = writeln!(out, "{} = {value}  # {}", threshold.name, threshold.of);
        }
        out.push('\n');
    }
    out
}
