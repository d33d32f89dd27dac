//! Tasks and regions that are not as they should be.

use super::{Finding, Rule, Seen, Subject, Value};
use crate::names::StrId;
use crate::waits::Instance;
use gotrail::{GoId, Misuse, TaskId};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

pub(super) fn unfinished_task(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let mut types = FxHashMap::<StrId, (u64, i64, TaskId, GoId)>::default();
    for (id, task) in subject.analysis.goroutines.tasks.iter() {
        let Some(start) = task.start.filter(|&start| start < subject.until) else { continue };
        let creator = task.creator.unwrap_or(GoId::NONE);
        if task.end.is_some() || !subject.is_asked_for(creator) {
            continue;
        }
        let age = subject.until - start;
        let (count, oldest, which, go) = types.entry(task.name).or_insert((0, -1, id, creator));
        *count += 1;
        if age > *oldest {
            (*oldest, *which, *go) = (age, id, creator);
        }
    }
    for (name, (count, age, which, go)) in types {
        let evidence = vec![("age", Value::Nanos(age)), ("count", Value::Count(count))];
        let worst = Some(Instance { go, from: subject.until - age, until: subject.until });
        rule.judge(found, Seen { evidence, worst, ..Seen::default() }, || {
            format!("tasks of type {} have not ended; the oldest is {which}", subject.text(name))
        });
    }
}

pub(super) fn misused_annotations(rule: &Rule, subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let mut left = FxHashMap::<StrId, (u64, Instance)>::default();
    for region in subject.analysis.goroutines.regions() {
        // The time of a goroutine that inherited a task has no type.
        let (Some(until), false) = (region.end, region.name == StrId::EMPTY) else { continue };
        let inside = until > subject.from && until <= subject.until;
        if region.with_goroutine && inside && subject.is_asked_for(region.go) {
            let from = region.start.unwrap_or(subject.from);
            let this = Instance { go: region.go, from, until };
            let (count, first) = left.entry(region.name).or_insert((0, this));
            *count += 1;
            if from < first.from {
                *first = this;
            }
        }
    }
    for (name, (count, worst)) in left {
        let evidence = vec![("count", Value::Count(count))];
        rule.judge(found, Seen { evidence, worst: Some(worst), ..Seen::default() }, || {
            format!("regions of type {} ended only with their goroutine", subject.text(name))
        });
    }
    // What no reader can make sense of. Only the first of these are described.
    let mut mistakes = IndexMap::<&str, (u64, &Misuse)>::new();
    for misuse in &subject.report.misuses {
        let time = misuse.time.0;
        if time >= subject.from && time <= subject.until {
            mistakes.entry(&misuse.reason).or_insert((0, misuse)).0 += 1;
        }
    }
    for (reason, (count, first)) in mistakes {
        let (time, frames) = (first.time.0, first.stack.clone());
        let evidence = vec![("count", Value::Count(count))];
        let worst = Some(Instance { go: first.goroutine, from: time, until: time });
        rule.judge(found, Seen { evidence, frames, worst, stack: None }, || reason.to_owned());
    }
}
