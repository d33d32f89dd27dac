//! Findings as text, JSON, annotations of GitHub's CI and JUnit's XML.

use crate::checkout::Checkout;
use crate::failure::quoted;
use crate::human;
use crate::paint::Paint;
use crate::query::Answer;
use gotrail::GoId;
use gotrail_analyze::Instance;
use gotrail_analyze::check::{Finding, Rules, Value};
use gotrail_analyze::places::is_standard;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;
use std::fmt::Write as _;

/// How to print findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Annotations of GitHub's CI.
    Github,
    /// JUnit XML: a suite for each trace, a test for each rule.
    Junit,
}

/// What was found in a trace.
pub(crate) struct Findings {
    pub(crate) trace: String,
    pub(crate) answer: Answer,
    pub(crate) found: Vec<Finding>,
    /// What could not be read of it.
    pub(crate) broken: Option<String>,
}

/// How many frames people are shown.
const FRAMES: usize = 6;

/// How many findings of a rule people are shown.
const SHOWN: usize = 5;

/// Writes findings, trace by trace.
pub(crate) struct Writer<'a> {
    pub(crate) form: Form,
    pub(crate) rules: &'a Rules,
    pub(crate) checkout: Checkout,
    /// Whether there are several traces.
    pub(crate) several: bool,
    /// At most so many findings of each rule.
    pub(crate) top: Option<usize>,
    junit: Report,
    out: String,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(form: Form, rules: &'a Rules, checkout: Checkout) -> Writer<'a> {
        let junit = Report::new("gotrail check");
        let (several, top, out) = (false, None, String::new());
        Writer { form, rules, checkout, several, top, junit, out }
    }

    /// What was found in a trace.
    pub(crate) fn trace(&mut self, findings: &Findings) {
        match self.form {
            Form::Text => self.text(findings),
            Form::Json => self.json(findings),
            Form::Github => self.github(findings),
            Form::Junit => {
                let suite = self.suite(findings);
                self.junit.add_test_suite(suite);
            }
        }
        if let Some(broken) = &findings.broken {
            self.error(&findings.trace, broken);
        }
    }

    /// A trace cannot be read, or not all of it. People are told on standard error.
    pub(crate) fn failed(&mut self, trace: &str, error: &str) {
        if self.form == Form::Junit {
            let mut suite = TestSuite::new(trace.to_owned());
            suite.add_test_case(reading(Some(error)));
            self.junit.add_test_suite(suite);
        }
        self.error(trace, error);
    }

    fn error(&mut self, trace: &str, error: &str) {
        let _ = match self.form {
            Form::Text | Form::Junit => Ok(()),
            Form::Json => writeln!(self.out, "{}", json!({"trace": trace, "error": error})),
            Form::Github => {
                writeln!(self.out, "::error title=gotrail cannot read a trace::{}", data(error))
            }
        };
    }

    /// All that was written.
    pub(crate) fn finish(self) -> anyhow::Result<String> {
        Ok(match self.form {
            Form::Junit => self.junit.to_string()? + "\n",
            _ => self.out,
        })
    }

    /// The findings that are shown, and how many more there are of the same rule.
    fn shown<'f>(&self, findings: &'f Findings) -> Vec<(&'f Finding, usize)> {
        let usually = if self.form == Form::Text { SHOWN } else { 0 };
        let top = match self.top.unwrap_or(usually) {
            0 => usize::MAX,
            top => top,
        };
        let rules = findings.found.chunk_by(|a, b| a.rule == b.rule);
        let shown = rules.flat_map(|of_rule| {
            let last = top.min(of_rule.len()) - 1;
            let more = move |at| if at == last { of_rule.len() - 1 - last } else { 0 };
            of_rule.iter().take(top).enumerate().map(move |(at, finding)| (finding, more(at)))
        });
        shown.collect()
    }

    fn text(&mut self, findings: &Findings) {
        let paint = Paint::stdout();
        let mut out = String::new();
        if self.several {
            let _ = writeln!(out, "{}", paint.bold(findings.trace.clone()));
        }
        for (finding, more) in self.shown(findings) {
            let _ = writeln!(out, "{}: {}", paint.bold(finding.rule.to_owned()), finding.what);
            let _ = writeln!(out, "    {}", evidence(finding));
            if let Some(worst) = findings.worst(finding) {
                let _ = writeln!(out, "    worst: {worst}");
            }
            if let Some(why) = findings.why(finding) {
                let _ = writeln!(out, "    {why}");
            }
            let frames = findings.frames(finding);
            for (function, file, line) in frames.iter().take(FRAMES) {
                let _ = writeln!(out, "      {function} {file}:{line}");
            }
            if frames.len() > FRAMES {
                let more = human::counted((frames.len() - FRAMES) as u64, "frame");
                let _ = writeln!(out, "      and {more} more");
            }
            if more > 0 {
                let (more, rule) = (human::counted(more as u64, "finding"), finding.rule);
                let _ = writeln!(out, "and {more} more of {rule}; --top 0 shows all");
            }
        }
        let used = self.rules.0.iter().filter(|rule| rule.enabled).count() as u64;
        let by = format!("by {}", human::counted(used, "rule"));
        let _ = match findings.found.len() {
            0 if findings.broken.is_some() => {
                writeln!(out, "nothing found {by} in what could be read of the trace")
            }
            0 => writeln!(out, "{} {by}", paint.green("nothing found")),
            number => writeln!(out, "\n{} {by}", human::counted(number as u64, "finding")),
        };
        self.out += &out;
    }

    fn json(&mut self, findings: &Findings) {
        for (finding, _) in self.shown(findings) {
            let numbers = finding.evidence.iter().map(|(name, number)| {
                let number = match *number {
                    Value::Count(count) => json!(count),
                    Value::Nanos(nanos) => json!(nanos),
                    Value::Share(number) | Value::Rate(number) | Value::Average(number) => {
                        json!(number)
                    }
                };
                ((*name).to_owned(), number)
            });
            let numbers: serde_json::Map<_, _> = numbers.collect();
            let stack = findings.frames(finding).into_iter().map(
                |(function, file, line)| json!({"function": function, "file": file, "line": line}),
            );
            let worst = finding.worst.map(|worst| {
                json!({
                    "from": worst.from,
                    "until": worst.until,
                    "after": worst.from - findings.answer.start.time,
                    "goroutine": worst.go.some().map(|go| go.0),
                    "why": findings.why(finding),
                })
            });
            let line = json!({
                "trace": findings.trace, "rule": finding.rule, "what": finding.what,
                "evidence": numbers, "worst": worst, "stack": stack.collect::<Vec<_>>(),
            });
            let _ = writeln!(self.out, "{line}");
        }
    }

    /// Workflow commands: one line each, with what they take for syntax escaped.
    fn github(&mut self, findings: &Findings) {
        let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
        for (finding, _) in self.shown(findings) {
            let place = self.place(&findings.frames(finding));
            let place = place.map_or(String::new(), |(file, line)| {
                format!("file={},line={line},", property(&file))
            });
            let title = property(&format!("gotrail {}", finding.rule));
            let worst = findings.worst(finding).map(|worst| format!("; worst: {worst}"));
            let message = format!(
                "{} ({}) in {}{}",
                finding.what,
                evidence(finding),
                findings.trace,
                worst.unwrap_or_default()
            );
            let _ = writeln!(self.out, "::warning {place}title={title}::{}", data(&message));
        }
    }

    /// The innermost line of the program itself, by preference one of the checkout.
    fn place(&self, frames: &[(String, String, u64)]) -> Option<(String, u64)> {
        let own = || frames.iter().filter(|frame| !is_standard(frame.0.as_bytes()));
        let mut here = own().filter_map(|frame| Some((self.checkout.relative(&frame.1)?, frame.2)));
        here.next().or_else(|| own().next().map(|frame| (frame.1.clone(), frame.2)))
    }

    fn suite(&self, findings: &Findings) -> TestSuite {
        let mut suite = TestSuite::new(findings.trace.clone());
        suite.add_test_case(reading(findings.broken.as_deref()));
        let shown = self.shown(findings);
        for rule in self.rules.0.iter().filter(|rule| rule.enabled) {
            let number = findings.found.iter().filter(|found| found.rule == rule.name).count();
            let mut status = TestCaseStatus::success();
            if number > 0 {
                status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(human::counted(number as u64, "finding"));
                let mut details = String::new();
                for (finding, _) in shown.iter().filter(|(found, _)| found.rule == rule.name) {
                    let _ = writeln!(details, "{}: {}", finding.what, evidence(finding));
                    if let Some(worst) = findings.worst(finding) {
                        let _ = writeln!(details, "    worst: {worst}");
                    }
                    if let Some(why) = findings.why(finding) {
                        let _ = writeln!(details, "    {why}");
                    }
                    for (function, file, line) in findings.frames(finding) {
                        let _ = writeln!(details, "    {function} {file}:{line}");
                    }
                }
                status.set_description(details);
            }
            let mut case = TestCase::new(rule.name, status);
            case.set_classname("gotrail");
            suite.add_test_case(case);
        }
        suite
    }
}

/// The test of whether a trace can be read.
fn reading(broken: Option<&str>) -> TestCase {
    let mut status = TestCaseStatus::success();
    if let Some(broken) = broken {
        status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(broken.lines().next().unwrap_or_default());
        status.set_description(broken);
    }
    let mut case = TestCase::new("reading the trace", status);
    case.set_classname("gotrail");
    case
}

/// Text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn value(value: Value) -> String {
    match value {
        Value::Count(count) => human::count(count),
        Value::Nanos(nanos) => human::duration(nanos),
        Value::Share(share) => human::share(share),
        Value::Rate(rate) => format!("{}/s", human::number(rate)),
        Value::Average(number) => format!("{} goroutines on average", human::number(number)),
    }
}

/// The numbers of a finding in a line.
pub(crate) fn evidence(finding: &Finding) -> String {
    let each = finding
        .evidence
        .iter()
        .map(|(name, number)| format!("{} {}", name.replace('_', " "), value(*number)));
    each.collect::<Vec<_>>().join(", ")
}

/// The frames of what a finding is about, innermost first: function, file, line.
pub(crate) fn frames(answer: &Answer, finding: &Finding) -> Vec<(String, String, u64)> {
    let Some(stack) = finding.stack else { return finding.frames.clone() };
    let names = &answer.analysis.names;
    let text = |name| names.string(name).to_string();
    names.stack(stack).map(|frame| (text(frame.function), text(frame.file), frame.line)).collect()
}

/// When something was worst, for people.
pub(crate) fn worst(answer: &Answer, worst: &Instance) -> String {
    let after = human::moment(worst.from - answer.start.time);
    let mut text = format!("{after} after the start");
    if worst.until > worst.from {
        let _ = write!(text, " for {}", human::duration(worst.until - worst.from));
    }
    if worst.go != GoId::NONE {
        let _ = write!(text, ", goroutine {}", worst.go);
    }
    text
}

impl Findings {
    fn frames(&self, finding: &Finding) -> Vec<(String, String, u64)> {
        frames(&self.answer, finding)
    }

    fn worst(&self, finding: &Finding) -> Option<String> {
        finding.worst.as_ref().map(|instance| worst(&self.answer, instance))
    }

    /// The command that says what caused the worst of it; standard input can be read only once.
    fn why(&self, finding: &Finding) -> Option<String> {
        if self.trace == crate::source::STDIN {
            return None;
        }
        let worst = finding.worst.filter(|worst| worst.from < worst.until)?;
        let offset = |time: i64| {
            let nanos = (time - self.answer.start.time).max(0);
            let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
            format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
        };
        let go = worst.go.some().map_or(String::new(), |go| format!("--goroutine {go} "));
        let (from, until, trace) = (offset(worst.from), offset(worst.until), quoted(&self.trace));
        Some(format!("gotrail why {go}--from {from} --to {until} {trace}"))
    }
}
