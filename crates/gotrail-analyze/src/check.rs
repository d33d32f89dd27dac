//! Findings: what in a trace is worth a look, each with its numbers.
//!
//! A rule has thresholds; what reaches them all is a finding. docs/analyses.md says what each
//! rule is for, and what to do about what it finds.

use crate::analysis::Analysis;
use crate::goroutines::{Goroutine, is_system};
use crate::histogram::Histogram;
use crate::mmu::Flags;
use crate::names::{StackId, StrId};
use crate::waits::WaitKind;
use gotrail::bstr::ByteSlice;
use gotrail::{GoState, TaskId};
use rustc_hash::FxHashMap;
use std::fmt;

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
    /// How bad it is, compared with other findings of its rule.
    weight: f64,
}

impl Finding {
    /// Something that was found in another way.
    pub fn new(
        rule: &'static str,
        what: String,
        evidence: Vec<(&'static str, Value)>,
        stack: Option<StackId>,
    ) -> Finding {
        Finding { rule, what, evidence, stack, weight: 0.0 }
    }
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
    find: fn(&Rule, &Analysis, &mut Vec<Finding>),
}

/// All rules, with their thresholds.
#[derive(Debug, Clone)]
pub struct Rules(pub Vec<Rule>);

/// A threshold that cannot be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// No rule has this name.
    Rule(String),
    /// The rule has no threshold of this name.
    Threshold(String),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Rule(name) => write!(f, "there is no rule {name}"),
            Unknown::Threshold(name) => write!(f, "the rule has no threshold {name}"),
        }
    }
}

impl std::error::Error for Unknown {}

const MS: i64 = 1_000_000;

fn nanos(name: &'static str, of: &'static str, value: i64) -> Threshold {
    Threshold { name, of, value: Value::Nanos(value) }
}

fn count(name: &'static str, of: &'static str, value: u64) -> Threshold {
    Threshold { name, of, value: Value::Count(value) }
}

fn share(name: &'static str, of: &'static str, value: f64) -> Threshold {
    Threshold { name, of, value: Value::Share(value) }
}

fn rate(name: &'static str, of: &'static str, value: f64) -> Threshold {
    Threshold { name, of, value: Value::Rate(value) }
}

impl Default for Rules {
    fn default() -> Rules {
        let rule =
            |name, about, thresholds, find| Rule { name, about, enabled: true, thresholds, find };
        Rules(vec![
            rule(
                "goroutine-leak",
                "goroutines that were created, wait at one place, and never end",
                vec![
                    count("count", "goroutines of one function that wait at one place", 10),
                    nanos("waiting", "how long each has waited at the end of the trace", 500 * MS),
                ],
                goroutine_leak,
            ),
            rule(
                "long-stw",
                "the world was stopped for long",
                vec![nanos("longest", "the longest stop for one reason", 10 * MS)],
                long_stw,
            ),
            rule(
                "sched-latency",
                "goroutines that could run had to wait long for a proc",
                vec![
                    nanos("p99", "99 of 100 waits were shorter", 10 * MS),
                    count("count", "waits", 100),
                ],
                sched_latency,
            ),
            rule(
                "lock-contention",
                "goroutines waited for a lock",
                vec![
                    share(
                        "share",
                        "waiting in one line, of all goroutines, per time of the trace",
                        0.05,
                    ),
                    count("count", "waits there", 20),
                ],
                lock_contention,
            ),
            rule(
                "busy-wakeups",
                "goroutines are woken, look, and wait again without having worked",
                vec![
                    rate(
                        "rate",
                        "runs a second of one function that were shorter than 10 µs",
                        1_000.0,
                    ),
                    share("share", "of all its runs", 0.9),
                ],
                busy_wakeups,
            ),
            rule(
                "idle-while-runnable",
                "procs were idle while goroutines waited for one",
                vec![share("share", "of the time of all procs", 0.1)],
                idle_while_runnable,
            ),
            rule(
                "gc-assist",
                "goroutines had to help the garbage collector in place of their work",
                vec![share("share", "of the time of all procs", 0.05)],
                gc_assist,
            ),
            rule(
                "long-syscall",
                "system calls held their proc for long",
                vec![nanos("longest", "the longest one at one stack", 20 * MS)],
                long_syscall,
            ),
            rule(
                "thundering-herd",
                "many goroutines were woken at once",
                vec![
                    count(
                        "size",
                        "goroutines woken in quick succession by one (a power of two)",
                        64,
                    ),
                    count("bursts", "how often that happened at one stack", 3),
                ],
                thundering_herd,
            ),
            rule(
                "unfinished-task",
                "tasks that began and did not end",
                vec![
                    nanos("age", "how long ago the oldest of a type began", 1_000 * MS),
                    count("count", "tasks of one type", 1),
                ],
                unfinished_task,
            ),
            rule(
                "misused-annotations",
                "regions that did not end before their goroutine, tasks that ended twice or before \
                 their work",
                vec![count("count", "regions of one type", 1)],
                misused_annotations,
            ),
        ])
    }
}

impl Rules {
    /// The rule with this name.
    pub fn rule(&mut self, name: &str) -> Result<&mut Rule, Unknown> {
        let rule = self.0.iter_mut().find(|rule| rule.name == name);
        rule.ok_or_else(|| Unknown::Rule(name.to_owned()))
    }

    /// What there is to find, the worst of each rule first.
    pub fn find(&self, analysis: &Analysis) -> Vec<Finding> {
        let mut found = Vec::new();
        for rule in self.0.iter().filter(|rule| rule.enabled) {
            let begin = found.len();
            (rule.find)(rule, analysis, &mut found);
            found[begin..]
                .sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.what.cmp(&b.what)));
        }
        found
    }
}

impl Rule {
    /// The threshold with this name.
    pub fn threshold(&mut self, name: &str) -> Result<&mut Threshold, Unknown> {
        let threshold = self.thresholds.iter_mut().find(|threshold| threshold.name == name);
        threshold.ok_or_else(|| Unknown::Threshold(name.to_owned()))
    }

    fn value(&self, name: &str) -> f64 {
        let threshold = self.thresholds.iter().find(|threshold| threshold.name == name);
        match threshold.map(|threshold| threshold.value) {
            Some(Value::Nanos(nanos)) => nanos as f64,
            Some(Value::Count(count)) => count as f64,
            Some(Value::Share(value) | Value::Rate(value)) => value,
            None => f64::INFINITY,
        }
    }

    /// Adds a finding if its numbers reach the thresholds of the same names.
    fn judge(
        &self,
        found: &mut Vec<Finding>,
        stack: Option<StackId>,
        evidence: Vec<(&'static str, Value)>,
        what: impl FnOnce() -> String,
    ) {
        let number = |value: Value| match value {
            Value::Nanos(nanos) => nanos as f64,
            Value::Count(count) => count as f64,
            Value::Share(value) | Value::Rate(value) => value,
        };
        let reaches = self.thresholds.iter().all(|threshold| {
            let value = evidence.iter().find(|(name, _)| *name == threshold.name);
            value.is_some_and(|value| number(value.1) >= number(threshold.value))
        });
        if reaches {
            let weight = evidence.first().map_or(0.0, |first| number(first.1));
            found.push(Finding { rule: self.name, what: what(), evidence, stack, weight });
        }
    }
}

impl Analysis {
    fn text(&self, name: StrId) -> String {
        let text = self.names.string(name).to_string();
        if text.is_empty() { "(unknown)".to_owned() } else { text }
    }

    fn duration(&self) -> i64 {
        (self.end() - self.start()).max(1)
    }
}

fn goroutine_leak(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let (end, waiting) = (analysis.end(), rule.value("waiting") as i64);
    let mut places = FxHashMap::<_, (u64, i64, i64)>::default();
    for goroutine in analysis.goroutines.iter() {
        let waits = goroutine.state == GoState::Waiting && end - goroutine.since >= waiting;
        // Those that were there before the trace may well be meant to stay.
        let created = goroutine.creator != gotrail::GoId::NONE;
        if !waits || !created || is_system(analysis.names.string(goroutine.name)) {
            continue;
        }
        let place = (goroutine.name, goroutine.reason, goroutine.created_by);
        let (count, least, total) = places.entry(place).or_insert((0, i64::MAX, 0));
        *count += 1;
        *least = (*least).min(end - goroutine.since);
        *total += end - goroutine.since;
    }
    for ((name, reason, created_by), (count, least, total)) in places {
        let evidence = vec![
            ("count", Value::Count(count)),
            ("waiting", Value::Nanos(least)),
            ("total", Value::Nanos(total)),
        ];
        rule.judge(found, Some(created_by), evidence, || {
            let (name, reason) = (analysis.text(name), analysis.text(reason));
            format!("{count} goroutines of {name} have not ended and wait ({reason})")
        });
    }
}

fn long_stw(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let mut reasons = FxHashMap::<StrId, Histogram>::default();
    for stop in &analysis.gc.stops {
        if let (Some(start), Some(end)) = (stop.start, stop.end) {
            reasons.entry(stop.reason).or_default().record(end - start);
        }
    }
    for (reason, stops) in reasons {
        let evidence = vec![
            ("longest", Value::Nanos(stops.max())),
            ("count", Value::Count(stops.count())),
            ("total", Value::Nanos(stops.total())),
            ("p99", Value::Nanos(stops.percentile(0.99))),
        ];
        rule.judge(found, None, evidence, || analysis.text(reason));
    }
}

fn sched_latency(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let mut all = Histogram::default();
    let classes = analysis.waits.classes().filter(|class| class.0 == WaitKind::Sched);
    classes.for_each(|class| all.add(&class.2));
    // Where the most was lost.
    let sums = analysis.waits.sums().filter(|(key, _)| key.kind == WaitKind::Sched);
    let worst = sums.max_by_key(|(_, sum)| sum.total).map(|(key, _)| key.stack);
    let evidence = vec![
        ("p99", Value::Nanos(all.percentile(0.99))),
        ("p50", Value::Nanos(all.percentile(0.5))),
        ("max", Value::Nanos(all.max())),
        ("count", Value::Count(all.count())),
        ("total", Value::Nanos(all.total())),
    ];
    rule.judge(found, worst, evidence, || {
        "goroutines that could run waited long for a proc; most was lost at this stack".to_owned()
    });
}

/// Whether goroutines wait here for a Mutex or RWMutex: the only ones whose frames say so. Others
/// that wait with the reason "sync" wait for a WaitGroup, or are the runtime's own.
fn is_lock(function: &[u8]) -> bool {
    let own = function.starts_with(b"sync.") || function.starts_with(b"internal/sync.");
    own && function.contains_str("Mutex)")
}

fn lock_contention(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    #[derive(Default)]
    struct Place {
        count: u64,
        total: i64,
        max: i64,
        /// The stack at which most time was lost, and how much.
        worst: (i64, StackId),
    }
    let mut places = FxHashMap::<(StrId, u64), Place>::default();
    for (key, sum) in analysis.waits.sums().filter(|(key, _)| key.kind == WaitKind::Block) {
        let name = |frame: &crate::names::Frame| analysis.names.string(frame.function);
        let mut frames = analysis.names.stack(key.stack);
        if !frames.next().is_some_and(|inner| is_lock(name(&inner))) {
            continue;
        }
        let Some(caller) = frames.find(|frame| !is_lock(name(frame))) else { continue };
        let place = places.entry((caller.function, caller.line)).or_default();
        let total = sum.total + sum.open_total;
        place.count += sum.count + sum.open;
        place.total += total;
        place.max = place.max.max(sum.max);
        place.worst = place.worst.max((total, key.stack));
    }
    for ((function, line), Place { count, total, max, worst }) in places {
        let evidence = vec![
            ("share", Value::Share(total as f64 / analysis.duration() as f64)),
            ("count", Value::Count(count)),
            ("total", Value::Nanos(total)),
            ("mean", Value::Nanos(total / count.max(1) as i64)),
            ("max", Value::Nanos(max)),
        ];
        rule.judge(found, Some(worst.1), evidence, || {
            format!("goroutines waited for a lock in {} (line {line})", analysis.text(function))
        });
    }
}

fn busy_wakeups(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let mut functions = FxHashMap::<StrId, (u64, u64, u64)>::default();
    for goroutine in analysis.goroutines.iter() {
        let (runs, short, number) = functions.entry(goroutine.name).or_default();
        *runs += u64::from(goroutine.runs);
        *short += u64::from(goroutine.short_runs);
        *number += 1;
    }
    for (name, (runs, short, number)) in functions {
        if is_system(analysis.names.string(name)) {
            continue;
        }
        let seconds = analysis.duration() as f64 / 1e9;
        let evidence = vec![
            ("rate", Value::Rate(short as f64 / seconds)),
            ("share", Value::Share(short as f64 / runs.max(1) as f64)),
            ("runs", Value::Count(runs)),
            ("goroutines", Value::Count(number)),
        ];
        rule.judge(found, None, evidence, || {
            format!(
                "{} is woken, runs for less than 10 µs, wakes nobody, and waits again",
                analysis.text(name)
            )
        });
    }
}

fn idle_while_runnable(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let Some(procs) = &analysis.procs else { return };
    let lost = procs.total.idle_while_runnable;
    let evidence = vec![
        ("share", Value::Share(lost as f64 / procs.total.procs.max(1) as f64)),
        ("total", Value::Nanos(lost)),
        ("utilization", Value::Share(procs.total.held as f64 / procs.total.procs.max(1) as f64)),
    ];
    rule.judge(found, None, evidence, || {
        "procs were idle while goroutines waited for one".to_owned()
    });
}

fn gc_assist(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let flags = Flags { assist: true, ..Flags::default() };
    let taken =
        1.0 - analysis.gc.mmu(flags, analysis.start(), analysis.end()).mean(i64::MIN, i64::MAX);
    let name = analysis.names.known_string(b"GC mark assist");
    let time = |go: &Goroutine| name.and_then(|name| go.times.ranges.get(name)).unwrap_or(0);
    let mut functions = FxHashMap::<StrId, i64>::default();
    for goroutine in analysis.goroutines.iter() {
        *functions.entry(goroutine.name).or_default() += time(goroutine);
    }
    let most = functions.into_iter().max_by_key(|function| function.1);
    let evidence = vec![
        ("share", Value::Share(taken)),
        ("cycles", Value::Count(analysis.gc.cycles.len() as u64)),
        ("total", Value::Nanos(most.map_or(0, |function| function.1))),
    ];
    rule.judge(found, None, evidence, || {
        let function = most.map_or("(unknown)".to_owned(), |function| analysis.text(function.0));
        format!("goroutines assist the garbage collector, most of all {function}")
    });
}

fn long_syscall(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    for (key, sum) in analysis.waits.sums().filter(|(key, _)| key.kind == WaitKind::Syscall) {
        let evidence = vec![
            ("longest", Value::Nanos(sum.longest_held)),
            ("long_count", Value::Count(sum.long_held.0)),
            ("long_total", Value::Nanos(sum.long_held.1)),
            ("count", Value::Count(sum.count)),
        ];
        rule.judge(found, Some(key.stack), evidence, || {
            let caller = analysis.names.stack(key.stack).next();
            let place =
                caller.map_or("(unknown)".to_owned(), |frame| analysis.text(frame.function));
            format!("a system call in {place} held its proc for long")
        });
    }
}

fn thundering_herd(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let size = (rule.value("size").clamp(8.0, f64::from(1u32 << 31)) as u32).next_power_of_two();
    for (stack, herd) in analysis.herds.iter() {
        let evidence = vec![
            ("size", Value::Count(u64::from(herd.largest()))),
            ("bursts", Value::Count(herd.at_least(size))),
        ];
        rule.judge(found, Some(stack), evidence, || {
            let frame = analysis.names.stack(stack).next();
            let place = frame.map_or("(unknown)".to_owned(), |frame| analysis.text(frame.function));
            format!("{place} wakes many goroutines at once")
        });
    }
}

fn unfinished_task(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let mut types = FxHashMap::<StrId, (u64, i64, TaskId)>::default();
    for (id, task) in analysis.goroutines.tasks.iter() {
        if let (Some(start), None) = (task.start, task.end) {
            let age = analysis.end() - start;
            let (count, oldest, which) = types.entry(task.name).or_insert((0, -1, id));
            *count += 1;
            if age > *oldest {
                (*oldest, *which) = (age, id);
            }
        }
    }
    for (name, (count, age, which)) in types {
        let evidence = vec![("age", Value::Nanos(age)), ("count", Value::Count(count))];
        rule.judge(found, None, evidence, || {
            format!("tasks of type {} have not ended; the oldest is {which}", analysis.text(name))
        });
    }
}

fn misused_annotations(rule: &Rule, analysis: &Analysis, found: &mut Vec<Finding>) {
    let mut left = FxHashMap::<StrId, u64>::default();
    for region in analysis.goroutines.regions() {
        if region.was_left() {
            *left.entry(region.name).or_default() += 1;
        }
    }
    for (name, count) in left {
        rule.judge(found, None, vec![("count", Value::Count(count))], || {
            format!("regions of type {} ended only with their goroutine", analysis.text(name))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_can_be_set_and_names_are_unique() {
        let mut rules = Rules::default();
        let names: Vec<_> = rules.0.iter().map(|rule| rule.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len());
        rules.rule("long-stw").unwrap().threshold("longest").unwrap().value = Value::Nanos(5);
        assert_eq!(rules.rule("long-stw").unwrap().value("longest"), 5.0);
        assert_eq!(rules.rule("nothing").err(), Some(Unknown::Rule("nothing".to_owned())));
        assert!(rules.rule("long-stw").unwrap().threshold("size").is_err());
    }
}
