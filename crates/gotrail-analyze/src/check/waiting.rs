//! Goroutines that wait: for locks, for procs, in system calls, for ever.

use super::{Finding, Rule, Seen, Subject, Value};
use crate::goroutines::{Goroutine, is_of_program};
use crate::histogram::Histogram;
use crate::names::{Frame, StackId, StrId};
use crate::waits::{Instance, WaitKind};
use gotrail::bstr::ByteSlice;
use gotrail::{GoId, GoState};
use rustc_hash::FxHashMap;

/// Goroutines that wait at one place.
#[derive(Default)]
struct Place {
    count: u64,
    total: i64,
    /// How long the one waited that waits for the shortest time.
    least: i64,
    longest: Instance,
}

impl Place {
    fn add(&mut self, wait: Instance) {
        let nanos = wait.until - wait.from;
        self.least = if self.count == 0 { nanos } else { self.least.min(nanos) };
        self.count += 1;
        self.total += nanos;
        self.longest.longest(wait);
    }

    fn seen(self, stack: StackId) -> Seen {
        let evidence = vec![
            ("count", Value::Count(self.count)),
            ("waiting", Value::Nanos(self.least)),
            ("total", Value::Nanos(self.total)),
        ];
        Seen { evidence, stack: Some(stack), worst: Some(self.longest), ..Seen::default() }
    }
}

/// The goroutines of the program that wait at the end.
fn still_waiting<'a>(subject: &'a Subject<'_>) -> impl Iterator<Item = &'a Goroutine> {
    subject.goroutines().filter(|goroutine| {
        let name = subject.analysis.names.string(goroutine.name);
        goroutine.state == GoState::Waiting && is_of_program(name)
    })
}

pub(super) fn goroutine_leak(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let (until, waiting) = (subject.until, rule.value("waiting") as i64);
    let mut places = FxHashMap::<_, Place>::default();
    for goroutine in still_waiting(subject) {
        // Those that were there before the trace are another rule's.
        if goroutine.creator != GoId::NONE && until - goroutine.since >= waiting {
            let place = (goroutine.name, goroutine.reason, goroutine.created_by);
            let wait = Instance { go: goroutine.id, from: goroutine.since, until };
            places.entry(place).or_default().add(wait);
        }
    }
    for ((name, reason, created_by), place) in places {
        let count = place.count;
        rule.judge(found, place.seen(created_by), || {
            let (name, reason) = (subject.text(name), subject.text(reason));
            match count {
                1 => format!("a goroutine of {name} has not ended and waits ({reason})"),
                _ => format!("{count} goroutines of {name} have not ended and wait ({reason})"),
            }
        });
    }
}

pub(super) fn waiting_throughout(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let analysis = subject.analysis;
    let (from, until) = (analysis.start(), analysis.end());
    let mut places = FxHashMap::<_, Place>::default();
    for goroutine in still_waiting(subject) {
        // It was there before the trace, and did nothing else in it.
        let times = &goroutine.times;
        let active = times.running + times.runnable + times.syscall + times.syscall_blocked;
        if goroutine.creator != GoId::NONE || goroutine.started != 0 || active != 0 {
            continue;
        }
        let key = analysis.waits.key(goroutine.wait);
        let stack = key.map_or(StackId::EMPTY, |key| key.stack);
        let place = (goroutine.name, goroutine.reason, stack);
        places.entry(place).or_default().add(Instance { go: goroutine.id, from, until });
    }
    for ((name, reason, stack), place) in places {
        let count = place.count;
        rule.judge(found, place.seen(stack), || {
            let (name, reason) = (subject.text(name), analysis.names.string(reason).to_string());
            let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            match count {
                1 => format!("a goroutine of {name} waited during the whole trace{reason}"),
                _ => format!("{count} goroutines of {name} waited during the whole trace{reason}"),
            }
        });
    }
}

pub(super) fn sched_latency(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let names = &subject.analysis.names;
    let mut all = Histogram::default();
    let classes = subject.analysis.waits.classes().filter(|class| class.0 == WaitKind::Sched);
    classes.for_each(|class| all.add(&class.2));
    let mut worst = Instance::default();
    // Where the most was lost.
    let mut most = (-1, StackId::EMPTY, StrId::EMPTY);
    for (key, sum) in subject.analysis.waits.sums().filter(|(key, _)| key.kind == WaitKind::Sched) {
        worst.longest(sum.longest);
        if sum.total > most.0 {
            most = (sum.total, key.stack, key.why);
        }
    }
    let (lost, stack, why) = most;
    let evidence = vec![
        ("p99", Value::Nanos(all.percentile(0.99))),
        ("p50", Value::Nanos(all.percentile(0.5))),
        ("max", Value::Nanos(all.max())),
        ("count", Value::Count(all.count())),
        ("total", Value::Nanos(all.total())),
        ("lost_there", Value::Nanos(lost.max(0))),
    ];
    let seen = Seen { evidence, stack: Some(stack), worst: Some(worst), ..Seen::default() };
    rule.judge(found, seen, || {
        let why = names.string(why);
        let place = match stack {
            StackId::EMPTY => "without a stack: the runtime made them runnable".to_owned(),
            _ => "at this stack".to_owned(),
        };
        format!(
            "goroutines that could run waited long for a proc; most was lost after {why}, {place}"
        )
    });
}

/// Whether a function is one of package sync, or of what that is made of.
fn is_of_sync(function: &[u8]) -> bool {
    function.starts_with(b"sync.") || function.starts_with(b"internal/sync.")
}

/// Whether goroutines wait here for a Mutex or RWMutex: the only ones whose frames say so. Others
/// that wait with the reason "sync" wait for a WaitGroup, or are the runtime's own.
fn is_lock(function: &[u8]) -> bool {
    is_of_sync(function) && function.contains_str("Mutex)")
}

pub(super) fn lock_contention(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    #[derive(Default)]
    struct Line {
        count: u64,
        total: i64,
        longest: (i64, Instance),
        /// The stack at which most time was lost, and how much.
        worst: (i64, StackId),
    }
    let names = &subject.analysis.names;
    let mut lines = FxHashMap::<(StrId, u64), Line>::default();
    for (key, sum) in subject.analysis.waits.sums().filter(|(key, _)| key.kind == WaitKind::Block) {
        let name = |frame: &Frame| names.string(frame.function);
        let mut frames = names.stack(key.stack);
        if !frames.next().is_some_and(|inner| is_lock(name(&inner))) {
            continue;
        }
        // Whoever locks through a Cond or Once is where it is called, not one line for all of these.
        // A goroutine may begin with Lock itself.
        let caller = frames.find(|frame| !is_of_sync(name(frame)));
        let Some(caller) = caller.or_else(|| names.stack(key.stack).last()) else { continue };
        let line = lines.entry((caller.function, caller.line)).or_default();
        let total = sum.total + sum.open_total;
        line.count += sum.count + sum.open;
        line.total += total;
        if sum.max > line.longest.0 {
            line.longest = (sum.max, sum.longest);
        }
        line.worst = line.worst.max((total, key.stack));
    }
    for ((function, number), Line { count, total, longest, worst }) in lines {
        let evidence = vec![
            ("waiting", Value::Average(total as f64 / subject.duration() as f64)),
            ("count", Value::Count(count)),
            ("total", Value::Nanos(total)),
            ("mean", Value::Nanos(total / count.max(1) as i64)),
            ("max", Value::Nanos(longest.0)),
        ];
        let wait = (longest.0 > 0).then_some(longest.1);
        rule.judge(
            found,
            Seen { evidence, stack: Some(worst.1), worst: wait, ..Seen::default() },
            || {
                format!(
                    "goroutines waited for a lock in {} (line {number})",
                    subject.text(function)
                )
            },
        );
    }
}

pub(super) fn long_syscall(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (key, sum) in subject.analysis.waits.sums().filter(|(key, _)| key.kind == WaitKind::Syscall)
    {
        let held = sum.longest_held;
        let evidence = vec![
            ("longest", Value::Nanos(held.until - held.from)),
            ("waiting", Value::Average(subject.runnable(held))),
            ("long_count", Value::Count(sum.long_held.0)),
            ("long_total", Value::Nanos(sum.long_held.1)),
            ("count", Value::Count(sum.count)),
        ];
        let seen = Seen { evidence, stack: Some(key.stack), worst: Some(held), ..Seen::default() };
        rule.judge(found, seen, || {
            let frame = subject.analysis.names.own_frame(key.stack);
            let place = subject.place(frame, key.stack);
            format!("a system call in {place} held its proc while goroutines waited for one")
        });
    }
}

impl Subject<'_> {
    /// How many goroutines waited for a proc on average, in the steps of time that an instance is
    /// in.
    fn runnable(&self, of: Instance) -> f64 {
        let Some(procs) = &self.analysis.procs else { return 0.0 };
        let step = procs.timeline.step();
        let (mut sum, mut time) = (0, 0);
        for (begin, load) in procs.timeline.steps() {
            let end = (begin + step).min(self.analysis.end());
            let begin = begin.max(self.analysis.start());
            if begin < of.until && end > of.from {
                sum += load.runnable;
                time += end - begin;
            }
        }
        sum as f64 / time.max(1) as f64
    }
}
