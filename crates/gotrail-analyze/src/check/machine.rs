//! What the whole program suffers from: the world stopped, procs left idle, the garbage collector.

use super::{Finding, Rule, Seen, Subject, Value};
use crate::goroutines::Goroutine;
use crate::histogram::Histogram;
use crate::mmu::{Flags, Mmu};
use crate::names::StrId;
use crate::procs::Load;
use crate::timeline::Step;
use crate::waits::Instance;
use gotrail::GoId;
use rustc_hash::FxHashMap;

pub(super) fn long_stw(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let mut reasons = FxHashMap::<StrId, (Histogram, Instance)>::default();
    for stop in &subject.analysis.gc.stops {
        let (Some(from), Some(until)) = (stop.start, stop.end) else { continue };
        if until <= subject.from || from >= subject.until {
            continue;
        }
        let (from, until) = (from.max(subject.from), until.min(subject.until));
        let this = Instance { go: stop.go, from, until };
        let (stops, worst) = reasons.entry(stop.reason).or_default();
        stops.record(until - from);
        worst.longest(this);
    }
    for (reason, (stops, worst)) in reasons {
        let evidence = vec![
            ("longest", Value::Nanos(stops.max())),
            ("count", Value::Count(stops.count())),
            ("total", Value::Nanos(stops.total())),
            ("p99", Value::Nanos(stops.percentile(0.99))),
        ];
        let seen = Seen { evidence, worst: Some(worst), ..Seen::default() };
        rule.judge(found, seen, || subject.text(reason));
    }
}

pub(super) fn idle_while_runnable(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(procs) = &subject.analysis.procs else { return };
    let step = procs.timeline.step();
    let (mut total, mut worst) = (Load::default(), (0, subject.from));
    for (time, load) in procs.timeline.steps() {
        total.add(load);
        if load.idle_while_runnable > worst.0 {
            worst = (load.idle_while_runnable, time);
        }
    }
    if total.procs == 0 {
        // Nobody knows how many procs there were.
        return;
    }
    let from = worst.1.max(subject.from);
    let until = (worst.1 + step).min(subject.until);
    let share = |part: i64| Value::Share(part as f64 / total.procs as f64);
    let evidence = vec![
        ("share", share(total.idle_while_runnable)),
        ("total", Value::Nanos(total.idle_while_runnable)),
        ("utilization", share(total.held)),
    ];
    let worst = Some(Instance { go: GoId::NONE, from, until });
    rule.judge(found, Seen { evidence, worst, ..Seen::default() }, || {
        "procs were idle while goroutines waited for one".to_owned()
    });
}

/// Which part of the time the window is in that is said to be the worst.
const WINDOW: i64 = 100;

impl Subject<'_> {
    /// What the collector took, and from where.
    fn collected(&self, flags: Flags) -> (f64, Mmu) {
        let (start, end) = (self.analysis.start(), self.analysis.end());
        let mmu = self.analysis.gc.mmu_in(flags, start, end, self.room());
        (1.0 - mmu.mean(self.from, self.until), mmu)
    }

    /// The same without from where.
    fn share_collected(&self, flags: Flags) -> f64 {
        let (share, mmu) = self.collected(flags);
        self.keep_room(mmu);
        share
    }

    /// Room that nobody else uses now.
    fn room(&self) -> Mmu {
        self.room.lock().map(|mut room| std::mem::take(&mut *room)).unwrap_or_default()
    }

    /// Lets others use the room.
    fn keep_room(&self, mmu: Mmu) {
        if let Ok(mut room) = self.room.lock() {
            *room = mmu;
        }
    }

    /// When it took most.
    fn collected_most(&self, mmu: &Mmu) -> Option<Instance> {
        let part;
        let within = if self.is_everything() {
            mmu
        } else {
            part = mmu.within(self.from, self.until);
            &part
        };
        let window = within.worst((self.duration() / WINDOW).max(1), 1).first().copied();
        window.map(|window| Instance {
            go: GoId::NONE,
            from: window.start,
            until: window.start + window.length,
        })
    }
}

/// What assists take alone.
const ASSISTS: Flags =
    Flags { assist: true, stw: false, background: false, sweep: false, per_proc: false };

pub(super) fn gc_assist(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let analysis = subject.analysis;
    let (taken, mmu) = subject.collected(ASSISTS);
    // Whoever asked before was told the same.
    let _ = subject.assisted.set(taken);
    let name = analysis.names.known_string(b"GC mark assist");
    let time = |go: &Goroutine| name.and_then(|name| go.times.ranges.get(name)).unwrap_or(0);
    let mut functions = FxHashMap::<StrId, (i64, i64, GoId)>::default();
    for goroutine in subject.goroutines() {
        let own = time(goroutine);
        let (sum, most, who) = functions.entry(goroutine.name).or_insert((0, 0, goroutine.id));
        *sum += own;
        if own > *most {
            (*most, *who) = (own, goroutine.id);
        }
    }
    let Some((function, (total, _, go))) =
        functions.into_iter().max_by_key(|(name, sums)| (sums.0, *name))
    else {
        return;
    };
    let evidence = vec![
        ("share", Value::Share(taken)),
        ("cycles", Value::Count(cycles(subject))),
        ("total", Value::Nanos(total)),
    ];
    let worst = rule.is_reached_by(&evidence).then(|| subject.collected_most(&mmu)).flatten();
    subject.keep_room(mmu);
    rule.judge(found, Seen { evidence, worst, ..Seen::default() }, || {
        let function = subject.text(function);
        format!(
            "goroutines assist the garbage collector, most of all those of {function}, of which \
             goroutine {go} does most"
        )
    });
}

/// The mark phases that lie in the time asked for, at least in part.
fn cycles(subject: &Subject<'_>) -> u64 {
    let cycles = subject.analysis.gc.cycles.iter().filter(|cycle| {
        cycle.start.is_none_or(|start| start < subject.until)
            && cycle.end.is_none_or(|end| end > subject.from)
    });
    cycles.count() as u64
}

pub(super) fn gc_share(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let all = Flags { stw: true, background: true, assist: true, sweep: true, per_proc: false };
    let (taken, mmu) = subject.collected(all);
    let part = |flags| Value::Share(subject.share_collected(flags));
    let mut evidence = vec![
        ("share", Value::Share(taken)),
        ("cycles", Value::Count(cycles(subject))),
        ("total", Value::Nanos((taken * subject.duration() as f64) as i64)),
    ];
    let reached = rule.is_reached_by(&evidence);
    let worst = reached.then(|| subject.collected_most(&mmu)).flatten();
    subject.keep_room(mmu);
    if !reached {
        return;
    }
    evidence.extend([
        ("background", part(Flags { background: true, ..Flags::default() })),
        (
            "assist",
            Value::Share(*subject.assisted.get_or_init(|| subject.share_collected(ASSISTS))),
        ),
        ("sweep", part(Flags { sweep: true, ..Flags::default() })),
        ("stopped", part(Flags { stw: true, ..Flags::default() })),
    ]);
    rule.judge(found, Seen { evidence, worst, ..Seen::default() }, || {
        "the garbage collector took much of the processors".to_owned()
    });
}
