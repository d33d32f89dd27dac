//! Findings: what in a trace is worth a look, each with its numbers.
//!
//! A rule has thresholds; what reaches them all is a finding. docs/analyses.md says what each
//! rule is for, and what to do about what it finds. The rules themselves:
//!
//! | module | idea |
//! |---|---|
//! | `waiting` | goroutines that wait: for locks, for procs, in system calls, for ever |
//! | `machine` | the world stopped, procs left idle, the garbage collector |
//! | `waking` | wake-ups that come to nothing, or are too many |
//! | `annotations` | tasks and regions that are not as they should be |

mod annotations;
mod list;
mod machine;
mod waiting;
mod waking;

use crate::analysis::{Analysis, Limits};
use crate::goroutines::Goroutine;
use crate::mmu::Mmu;
use crate::names::{StackId, StrId};
use crate::waits::Instance;
use gotrail::{GoId, Report};
use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// A number of the evidence for a finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A number of things.
    Count(u64),
    /// Nanoseconds.
    Nanos(i64),
    /// A share, from 0 to 1.
    Share(f64),
    /// A number for each second.
    Rate(f64),
    /// A number of things on average over time.
    Average(f64),
}

impl Value {
    fn number(self) -> f64 {
        match self {
            Value::Nanos(nanos) => nanos as f64,
            Value::Count(count) => count as f64,
            Value::Share(value) | Value::Rate(value) | Value::Average(value) => value,
        }
    }
}

/// Something worth a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static str,
    /// What it is, in a sentence.
    pub what: String,
    /// The numbers, each with what it is of; the first is the one that findings are sorted by.
    pub evidence: Vec<(&'static str, Value)>,
    /// The stack that it is about.
    pub stack: Option<StackId>,
    /// The same of what has no stack in the analysis: function, file, line, innermost first.
    pub frames: Vec<(String, String, u64)>,
    /// When it was worst, and which goroutine it happened to; [`GoId::NONE`] if it was no single
    /// one. None if it has no time, but may have a goroutine.
    pub worst: Option<Instance>,
    /// How bad it is, compared with other findings of its rule.
    weight: f64,
}

/// A threshold of a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Its name.
    pub name: &'static str,
    /// What it is compared with, and its unit.
    pub of: &'static str,
    /// Its value: nanoseconds, a number, or a share.
    pub value: Value,
    /// Whether it says what is counted, while the trace is read: see [`Rules::limits`]. A finding
    /// reaches all others.
    pub is_limit: bool,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it finds, in a sentence.
    pub about: &'static str,
    /// Whether it is used.
    pub enabled: bool,
    /// What must be reached for a finding.
    pub thresholds: Vec<Threshold>,
    find: fn(&Rule, &Subject<'_>, &mut Vec<Finding>),
}

/// What is looked at.
struct Subject<'a> {
    analysis: &'a Analysis,
    report: &'a Report,
    /// The time that is looked at.
    from: i64,
    until: i64,
    /// What share of the procs assists took, once somebody asked.
    assisted: OnceLock<f64>,
    /// Room for what is found out about the collector.
    room: Mutex<Mmu>,
}

/// All rules, with their thresholds.
#[derive(Debug, Clone)]
pub struct Rules(pub Vec<Rule>);

/// A threshold that cannot be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// No rule has this name.
    Rule(String),
    /// The rule has no threshold of this name, but those.
    Threshold(&'static str, String, Vec<&'static str>),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Rule(name) => write!(f, "there is no rule {name}"),
            Unknown::Threshold(rule, name, known) => {
                let known = known.join(", ");
                write!(f, "the rule {rule} has no threshold {name}; it has {known}, enabled")
            }
        }
    }
}

impl std::error::Error for Unknown {}

impl Rules {
    /// The rule with this name.
    pub fn rule(&mut self, name: &str) -> Result<&mut Rule, Unknown> {
        let rule = self.0.iter_mut().find(|rule| rule.name == name);
        rule.ok_or_else(|| Unknown::Rule(name.to_owned()))
    }

    /// What the trace must be read with, so that these rules can judge it.
    pub fn limits(&self) -> Limits {
        let value = |rule: &str, name: &str| {
            let rule = self.0.iter().find(|one| one.name == rule);
            rule.map_or(0.0, |rule| rule.value(name))
        };
        Limits {
            run: value("busy-wakeups", "run") as i64,
            held: value("long-syscall", "held") as i64,
            gap: value("thundering-herd", "gap") as i64,
            herd: value("thundering-herd", "size") as u32,
        }
    }

    /// What there is to find, the worst of each rule first, in an analysis that was made with
    /// [`Rules::limits`], and in what was said while it was read; by so many threads at a time.
    pub fn find(&self, analysis: &Analysis, report: &Report, threads: usize) -> Vec<Finding> {
        let scope = analysis.scope();
        let from = scope.and_then(|scope| scope.from).unwrap_or(i64::MIN).max(analysis.start());
        let until = scope.and_then(|scope| scope.until).unwrap_or(i64::MAX).min(analysis.end());
        let subject = Subject {
            analysis,
            report,
            from,
            until,
            assisted: OnceLock::new(),
            room: Mutex::default(),
        };
        let rules: Vec<_> = self.0.iter().filter(|rule| rule.enabled).collect();
        let next = AtomicUsize::new(0);
        // Whoever is free takes the next rule.
        let work = || {
            let take = || rules.get(next.fetch_add(1, Ordering::Relaxed));
            std::iter::from_fn(take).flat_map(|rule| subject.judge(rule)).collect::<Vec<_>>()
        };
        let mut found = std::thread::scope(|scope| {
            let helpers: Vec<_> =
                (1..threads.min(rules.len())).map(|_| scope.spawn(work)).collect();
            let mut found = work();
            for helper in helpers {
                found.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            found
        });
        let place = |rule: &str| rules.iter().position(|one| one.name == rule);
        found.sort_by_key(|finding| place(finding.rule));
        found
    }
}

/// What a rule has seen: a finding, if its numbers reach the thresholds of the same names.
#[derive(Default)]
struct Seen {
    evidence: Vec<(&'static str, Value)>,
    stack: Option<StackId>,
    frames: Vec<(String, String, u64)>,
    worst: Option<Instance>,
}

impl Rule {
    /// The threshold with this name.
    pub fn threshold(&mut self, name: &str) -> Result<&mut Threshold, Unknown> {
        let known = self.thresholds.iter().map(|threshold| threshold.name).collect();
        let threshold = self.thresholds.iter_mut().find(|threshold| threshold.name == name);
        threshold.ok_or_else(|| Unknown::Threshold(self.name, name.to_owned(), known))
    }

    fn value(&self, name: &str) -> f64 {
        let threshold = self.thresholds.iter().find(|threshold| threshold.name == name);
        threshold.map_or(f64::INFINITY, |threshold| threshold.value.number())
    }

    /// Whether evidence reaches all thresholds.
    fn is_reached_by(&self, evidence: &[(&'static str, Value)]) -> bool {
        let mut thresholds = self.thresholds.iter().filter(|threshold| !threshold.is_limit);
        thresholds.all(|threshold| {
            let value = evidence.iter().find(|(name, _)| *name == threshold.name);
            value.is_some_and(|value| value.1.number() >= threshold.value.number())
        })
    }

    /// Adds a finding if what was seen reaches all thresholds.
    fn judge(&self, found: &mut Vec<Finding>, seen: Seen, what: impl FnOnce() -> String) {
        let Seen { evidence, stack, frames, worst } = seen;
        if self.is_reached_by(&evidence) {
            let weight = evidence.first().map_or(0.0, |first| first.1.number());
            let rule = self.name;
            found.push(Finding { rule, what: what(), evidence, stack, frames, worst, weight });
        }
    }
}

impl Subject<'_> {
    /// What a rule finds, the worst first.
    fn judge(&self, rule: &Rule) -> Vec<Finding> {
        let mut found = Vec::new();
        (rule.find)(rule, self, &mut found);
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.what.cmp(&b.what)));
        found
    }

    fn text(&self, name: StrId) -> String {
        let text = self.analysis.names.string(name).to_string();
        if text.is_empty() { "(unknown)".to_owned() } else { text }
    }

    /// The length of the time that is looked at, in nanoseconds; never 0.
    fn duration(&self) -> i64 {
        (self.until - self.from).max(1)
    }

    /// Whether all of the trace's time is looked at.
    fn is_everything(&self) -> bool {
        self.from == self.analysis.start() && self.until == self.analysis.end()
    }

    /// The goroutines that are looked at.
    fn goroutines(&self) -> impl Iterator<Item = &Goroutine> {
        self.analysis.goroutines.iter().filter(|go| self.is_asked_for(go.id))
    }

    fn is_asked_for(&self, go: GoId) -> bool {
        let named = self.analysis.scope().and_then(|scope| scope.goroutines.as_ref());
        named.is_none_or(|named| named.contains_key(&go))
    }

    /// The name of a function in which a stack is, of these frames.
    fn place(&self, frame: Option<crate::names::Frame>, stack: StackId) -> String {
        let inner = || self.analysis.names.stack(stack).next();
        let frame = frame.or_else(inner);
        frame.map_or("(unknown)".to_owned(), |frame| self.text(frame.function))
    }
}
