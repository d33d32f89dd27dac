//! Wake-ups that come to nothing, or are too many at once.

use super::{Finding, Rule, Seen, Subject, Value};
use crate::goroutines::is_system;
use crate::names::StrId;
use crate::waits::Instance;
use rustc_hash::FxHashMap;

pub(super) fn busy_wakeups(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    #[derive(Default)]
    struct Function {
        runs: u64,
        short: u64,
        goroutines: u64,
        /// The goroutine with most short runs, and how many.
        worst: Option<(u32, Instance)>,
    }
    let mut functions = FxHashMap::<StrId, Function>::default();
    for goroutine in subject.goroutines() {
        let function = functions.entry(goroutine.name).or_default();
        function.runs += u64::from(goroutine.runs);
        function.short += u64::from(goroutine.short_runs);
        function.goroutines += 1;
        if function.worst.is_none_or(|worst| worst.0 < goroutine.short_runs) {
            let end = if goroutine.ended == 0 { i64::MAX } else { goroutine.ended };
            let from = goroutine.created.max(subject.from);
            let until = end.min(subject.until);
            function.worst =
                Some((goroutine.short_runs, Instance { go: goroutine.id, from, until }));
        }
    }
    for (name, Function { runs, short, goroutines, worst }) in functions {
        if is_system(subject.analysis.names.string(name)) {
            continue;
        }
        let seconds = subject.duration() as f64 / 1e9;
        let evidence = vec![
            ("rate", Value::Rate(short as f64 / seconds)),
            ("share", Value::Share(short as f64 / runs.max(1) as f64)),
            ("count", Value::Count(short)),
            ("runs", Value::Count(runs)),
            ("goroutines", Value::Count(goroutines)),
        ];
        let worst = worst.map(|worst| worst.1);
        rule.judge(found, Seen { evidence, worst, ..Seen::default() }, || {
            let micros = rule.value("run") / 1e3;
            let name = subject.text(name);
            format!(
                "{name} is woken, runs for less than {micros} µs, wakes nobody, and waits again"
            )
        });
    }
}

pub(super) fn thundering_herd(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let names = &subject.analysis.names;
    for (stack, herd) in subject.analysis.herds.iter() {
        // Of what the runtime wakes for itself the program can change nothing.
        if names.outer_frame(stack).is_none() || names.is_collecting(stack) {
            continue;
        }
        let evidence = vec![
            ("size", Value::Count(u64::from(herd.largest))),
            ("bursts", Value::Count(herd.bursts)),
        ];
        let seen =
            Seen { evidence, stack: Some(stack), worst: Some(herd.worst), ..Seen::default() };
        rule.judge(found, seen, || {
            let frame = names.own_frame(stack).or_else(|| names.outer_frame(stack));
            format!("{} wakes many goroutines at once", subject.place(frame, stack))
        });
    }
}
