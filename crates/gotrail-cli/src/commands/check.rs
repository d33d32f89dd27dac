//! `gotrail check`: findings with evidence, for people and for CI.

use crate::Verdict;
use crate::human;
use crate::output::Output;
use crate::paint::Paint;
use crate::query::{Answer, Part, Query};
use anyhow::{Context, Result, bail};
use gotrail_analyze::check::{Finding, Rules, Value};
use gotrail_analyze::{Options, StackId};
use jiff::SignedDuration;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;
use std::fmt::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  gotrail check trace.out
  gotrail check --set long-stw.longest=1ms --set sched-latency.p99=2ms trace.out
  gotrail check --rules rules.toml --format github trace.out
  gotrail check --format junit trace.out > findings.xml
  gotrail check --list

A file of rules names rules and thresholds:

  [long-stw]
  longest = \"1ms\"

  [goroutine-leak]
  enabled = false

Exit status: 0 if nothing was found, 1 if something was, or the trace is broken. docs/analyses.md
says what each rule is for.";

/// Look for what is worth a look: leaks, contention, long stops, latency, misused annotations.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The trace; `-` is standard input.
    #[arg(required_unless_present = "list")]
    trace: Option<PathBuf>,
    /// How many threads to use [default: the number of cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// A file with thresholds, in TOML.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// A threshold, as RULE.THRESHOLD=VALUE, or RULE.enabled=false.
    #[arg(long, value_name = "SETTING")]
    set: Vec<String>,
    /// Use only these rules.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    only: Vec<String>,
    /// List the rules and their thresholds, with the settings applied, as a file of rules.
    #[arg(long)]
    list: bool,
    /// How to print findings.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// How to print findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Annotations of GitHub's CI.
    Github,
    /// JUnit XML: a test for each rule.
    Junit,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let rules = rules(args)?;
    let mut output = Output::new();
    if args.list {
        output.buffer().extend_from_slice(list(&rules).as_bytes());
        output.flush()?;
        return Ok(Verdict::Fine);
    }
    let Some(trace) = args.trace.clone() else {
        bail!("which trace? `gotrail check --help` has examples, --list shows the rules");
    };
    let name = crate::source::name_of(&trace);
    let query = Query { trace, part: Part::default(), threads: args.threads };
    let answer = query.run(Options { procs: true, ..Options::default() })?;
    if answer.report.times_are_ticks {
        bail!("{name}: the trace does not say how long a tick is, so that no time can be judged");
    }
    let found = all(&answer, &rules);
    let text = match args.format {
        Form::Text => text(&answer, &rules, &found),
        Form::Json => lines(&answer, &found)?,
        Form::Github => github(&answer, &name, &found),
        Form::Junit => junit(&answer, &name, &rules, &found)?,
    };
    output.buffer().extend_from_slice(text.as_bytes());
    output.flush()?;
    let fine = found.is_empty() && answer.report.is_complete();
    Ok(if fine { Verdict::Fine } else { Verdict::Broken })
}

/// The rules with all settings.
fn rules(args: &Args) -> Result<Rules> {
    let mut rules = Rules::default();
    if let Some(path) = &args.rules {
        read(&mut rules, path).with_context(|| format!("{}", path.display()))?;
    }
    for setting in &args.set {
        let parts = setting.split_once('=').and_then(|(left, value)| {
            let (rule, threshold) = left.split_once('.')?;
            Some((rule, threshold, value))
        });
        let Some((rule, threshold, value)) = parts else {
            bail!("--set {setting}: write RULE.THRESHOLD=VALUE, as long-stw.longest=1ms");
        };
        set(&mut rules, rule, threshold, value).with_context(|| format!("--set {setting}"))?;
    }
    if !args.only.is_empty() {
        for name in &args.only {
            rules.rule(name).context("`gotrail check --list` shows all rules")?;
        }
        for rule in &mut rules.0 {
            rule.enabled &= args.only.iter().any(|name| name == rule.name);
        }
    }
    Ok(rules)
}

fn read(rules: &mut Rules, path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    let file: toml::Table = text.parse()?;
    for (rule, settings) in &file {
        let Some(settings) = settings.as_table() else {
            bail!("{rule}: must be a table, as [{rule}]");
        };
        for (threshold, value) in settings {
            let value = match value {
                toml::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            set(rules, rule, threshold, &value).with_context(|| format!("[{rule}] {threshold}"))?;
        }
    }
    Ok(())
}

fn set(rules: &mut Rules, rule: &str, threshold: &str, value: &str) -> Result<()> {
    let rule = rules.rule(rule).context("`gotrail check --list` shows all rules")?;
    if threshold == "enabled" {
        rule.enabled = value.parse().context("must be true or false")?;
        return Ok(());
    }
    let known: Vec<_> = rule.thresholds.iter().map(|threshold| threshold.name).collect();
    let threshold =
        rule.threshold(threshold).with_context(|| format!("it has {}", known.join(", ")))?;
    threshold.value = match threshold.value {
        Value::Nanos(_) => {
            let time: SignedDuration = value.parse().context("must be a time, as 20ms")?;
            Value::Nanos(i64::try_from(time.as_nanos()).context("too long")?)
        }
        Value::Count(_) => Value::Count(value.parse().context("must be a whole number")?),
        Value::Share(_) => Value::Share(match value.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().context("must be a share")? / 100.0,
            None => value.parse().context("must be a share, as 0.05 or 5%")?,
        }),
        Value::Rate(_) => Value::Rate(value.parse().context("must be a number a second")?),
    };
    Ok(())
}

/// The rules as a file that --rules reads.
fn list(rules: &Rules) -> String {
    let mut out = String::new();
    for rule in &rules.0 {
        let enabled = if rule.enabled { "" } else { "enabled = false\n" };
        let _ = write!(out, "# {}\n[{}]\n{enabled}", rule.about, rule.name);
        for threshold in &rule.thresholds {
            let value = match threshold.value {
                Value::Nanos(nanos) => format!("\"{:#}\"", SignedDuration::from_nanos(nanos)),
                Value::Count(count) => count.to_string(),
                Value::Share(share) => format!("{share:?}"),
                Value::Rate(rate) => format!("{rate:?}"),
            };
            let _ = writeln!(out, "{} = {value}  # {}", threshold.name, threshold.of);
        }
        out.push('\n');
    }
    out
}

/// Everything there is to find.
pub(super) fn all(answer: &Answer, rules: &Rules) -> Vec<Finding> {
    let mut found = rules.find(&answer.analysis);
    found.extend(misuses(rules, answer));
    found
}

/// Annotations that no reader can make sense of, as findings.
fn misuses(rules: &Rules, answer: &Answer) -> Vec<Finding> {
    let used = rules.0.iter().any(|rule| rule.enabled && rule.name == "misused-annotations");
    let misuses = answer.report.misuses.iter().filter(|_| used);
    let finding = |misuse: &gotrail::Misuse| {
        let after = misuse.time.0 - answer.start.time;
        Finding::new(
            "misused-annotations",
            misuse.reason.clone(),
            vec![("after", Value::Nanos(after))],
            None,
        )
    };
    misuses.map(finding).collect()
}

fn value(value: Value) -> String {
    match value {
        Value::Count(count) => human::count(count),
        Value::Nanos(nanos) => human::duration(nanos),
        Value::Share(share) => human::share(share),
        Value::Rate(rate) => format!("{}/s", human::number(rate)),
    }
}

/// The numbers of a finding in a line.
pub(super) fn evidence(finding: &Finding) -> String {
    let each = finding.evidence.iter().map(|(name, number)| format!("{name} {}", value(*number)));
    each.collect::<Vec<_>>().join(", ")
}

/// The frames of a stack, innermost first: function, file, line.
pub(super) fn frames(answer: &Answer, stack: Option<StackId>) -> Vec<(String, String, u64)> {
    let names = &answer.analysis.names;
    let text = |name| names.string(name).to_string();
    let frames = stack.map(|stack| names.stack(stack));
    let frames = frames.into_iter().flatten();
    frames.map(|frame| (text(frame.function), text(frame.file), frame.line)).collect()
}

/// How many frames people are shown.
const FRAMES: usize = 6;

fn text(answer: &Answer, rules: &Rules, found: &[Finding]) -> String {
    let paint = Paint::stdout();
    let mut out = String::new();
    for finding in found {
        let _ = writeln!(out, "{}: {}", paint.bold(finding.rule.to_owned()), finding.what);
        let _ = writeln!(out, "    {}", evidence(finding));
        let frames = frames(answer, finding.stack);
        for (function, file, line) in frames.iter().take(FRAMES) {
            let _ = writeln!(out, "      {function} {file}:{line}");
        }
        if frames.len() > FRAMES {
            let more = human::counted((frames.len() - FRAMES) as u64, "frame");
            let _ = writeln!(out, "      and {more} more");
        }
    }
    let used = rules.0.iter().filter(|rule| rule.enabled).count() as u64;
    let checked = format!("by {}", human::counted(used, "rule"));
    let _ = match found.len() {
        0 if !answer.report.is_complete() => {
            writeln!(out, "nothing found {checked} in what could be read of the trace")
        }
        0 => writeln!(out, "{} {checked}", paint.green("nothing found")),
        number => {
            writeln!(out, "\n{} {checked}", human::counted(number as u64, "finding"))
        }
    };
    out
}

fn lines(answer: &Answer, found: &[Finding]) -> Result<String> {
    let mut out = String::new();
    for finding in found {
        let numbers: serde_json::Map<_, _> = finding
            .evidence
            .iter()
            .map(|(name, number)| {
                let number = match *number {
                    Value::Count(count) => json!(count),
                    Value::Nanos(nanos) => json!(nanos),
                    Value::Share(number) | Value::Rate(number) => json!(number),
                };
                ((*name).to_owned(), number)
            })
            .collect();
        let stack: Vec<_> = frames(answer, finding.stack)
            .into_iter()
            .map(|(function, file, line)| json!({"function": function, "file": file, "line": line}))
            .collect();
        let line = json!({
            "rule": finding.rule, "what": finding.what, "evidence": numbers, "stack": stack,
        });
        writeln!(out, "{line}")?;
    }
    Ok(out)
}

/// Workflow commands: one line each, with what they take for syntax escaped.
fn github(answer: &Answer, trace: &str, found: &[Finding]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut out = String::new();
    for finding in found {
        let place = frames(answer, finding.stack).into_iter().next();
        let place = place.map_or(String::new(), |(_, file, line)| {
            format!("file={},line={line},", property(&file))
        });
        let title = property(&format!("gotrail {}", finding.rule));
        let message = data(&format!("{} ({}) in {trace}", finding.what, evidence(finding)));
        let _ = writeln!(out, "::warning {place}title={title}::{message}");
    }
    out
}

fn junit(answer: &Answer, trace: &str, rules: &Rules, found: &[Finding]) -> Result<String> {
    let mut report = Report::new("gotrail check");
    let mut suite = TestSuite::new(trace.to_owned());
    for rule in rules.0.iter().filter(|rule| rule.enabled) {
        let own: Vec<_> = found.iter().filter(|finding| finding.rule == rule.name).collect();
        let mut status = TestCaseStatus::success();
        if !own.is_empty() {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(human::counted(own.len() as u64, "finding"));
            let mut details = String::new();
            for finding in own {
                let _ = writeln!(details, "{}: {}", finding.what, evidence(finding));
                for (function, file, line) in frames(answer, finding.stack) {
                    let _ = writeln!(details, "    {function} {file}:{line}");
                }
            }
            status.set_description(details);
        }
        let mut case = TestCase::new(rule.name, status);
        case.set_classname("gotrail");
        suite.add_test_case(case);
    }
    report.add_test_suite(suite);
    Ok(report.to_string()? + "\n")
}
