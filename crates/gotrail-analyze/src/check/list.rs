//! The list of rules, with their usual thresholds.

use super::{Rule, Rules, Threshold, Value, annotations, machine, waiting, waking};

const MS: i64 = 1_000_000;

fn threshold(name: &'static str, of: &'static str, value: Value) -> Threshold {
    Threshold { name, of, value, is_limit: false }
}

fn nanos(name: &'static str, of: &'static str, value: i64) -> Threshold {
    threshold(name, of, Value::Nanos(value))
}

fn count(name: &'static str, of: &'static str, value: u64) -> Threshold {
    threshold(name, of, Value::Count(value))
}

fn share(name: &'static str, of: &'static str, value: f64) -> Threshold {
    threshold(name, of, Value::Share(value))
}

fn average(name: &'static str, of: &'static str, value: f64) -> Threshold {
    threshold(name, of, Value::Average(value))
}

/// What is counted while the trace is read.
fn limit(threshold: Threshold) -> Threshold {
    Threshold { is_limit: true, ..threshold }
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
                waiting::goroutine_leak,
            ),
            rule(
                "waiting-throughout",
                "very many goroutines that waited at one place from before the trace to its end",
                vec![
                    count("count", "goroutines of one function that wait at one place", 1_000),
                    nanos("waiting", "the length of the trace", 100 * MS),
                ],
                waiting::waiting_throughout,
            ),
            rule(
                "long-stw",
                "the world was stopped for long",
                vec![nanos("longest", "the longest stop for one reason", 10 * MS)],
                machine::long_stw,
            ),
            rule(
                "sched-latency",
                "goroutines that could run had to wait long for a proc",
                vec![
                    nanos("p99", "99 of 100 waits were not longer", 10 * MS),
                    count("count", "waits", 100),
                ],
                waiting::sched_latency,
            ),
            rule(
                "lock-contention",
                "goroutines waited for a lock",
                vec![
                    average("waiting", "goroutines that waited in one line, on average", 0.05),
                    count("count", "waits there", 20),
                ],
                waiting::lock_contention,
            ),
            rule(
                "busy-wakeups",
                "goroutines are woken, look, and wait again without having worked",
                vec![
                    threshold(
                        "rate",
                        "such runs a second, of all goroutines of one function",
                        Value::Rate(1_000.0),
                    ),
                    share("share", "of all their runs", 0.9),
                    count("count", "such runs", 100),
                    limit(nanos("run", "such runs are shorter", 10_000)),
                ],
                waking::busy_wakeups,
            ),
            rule(
                "idle-while-runnable",
                "procs were idle while goroutines waited for one",
                vec![
                    share("share", "of the time of all procs", 0.1),
                    nanos("total", "that time, of all procs together", 10 * MS),
                ],
                machine::idle_while_runnable,
            ),
            rule(
                "gc-assist",
                "goroutines had to help the garbage collector in place of their work",
                vec![
                    share("share", "of the time of all procs", 0.05),
                    nanos("total", "of the goroutines of one function", MS),
                ],
                machine::gc_assist,
            ),
            rule(
                "gc-share",
                "the garbage collector took much of the processors",
                vec![
                    share(
                        "share",
                        "of the time of all procs, with assists, sweeps and stops",
                        0.25,
                    ),
                    count("cycles", "collections", 2),
                    nanos("total", "that time, of each proc on average", 5 * MS),
                ],
                machine::gc_share,
            ),
            rule(
                "long-syscall",
                "system calls held their proc for long while goroutines waited for one",
                vec![
                    nanos("longest", "the longest one at one stack", 20 * MS),
                    average("waiting", "goroutines that waited for a proc meanwhile", 0.1),
                    limit(nanos("held", "calls that held it as long are counted", MS)),
                ],
                waiting::long_syscall,
            ),
            rule(
                "thundering-herd",
                "many goroutines were woken at once",
                vec![
                    count("size", "goroutines woken in quick succession by one", 64),
                    count("bursts", "how often that happened at one stack", 3),
                    limit(nanos("gap", "from one wake to the next it takes at most", 2_000)),
                ],
                waking::thundering_herd,
            ),
            rule(
                "unfinished-task",
                "tasks that began and did not end",
                vec![
                    nanos("age", "how long ago the oldest of a type began", 1_000 * MS),
                    count("count", "tasks of one type", 1),
                ],
                annotations::unfinished_task,
            ),
            rule(
                "misused-annotations",
                "regions that ended with their goroutine or out of order, tasks that began or ended \
                 twice",
                vec![count("count", "of one type, or of one mistake", 1)],
                annotations::misused_annotations,
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Limits;
    use crate::check::Unknown;

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
        let unknown = rules.rule("long-stw").unwrap().threshold("size").unwrap_err();
        let text = "the rule long-stw has no threshold size; it has longest, enabled";
        assert_eq!(unknown.to_string(), text);
    }

    #[test]
    fn traces_are_read_with_what_the_rules_count() {
        assert_eq!(Rules::default().limits(), Limits::default());
        let mut rules = Rules::default();
        let gap = rules.rule("thundering-herd").unwrap().threshold("gap").unwrap();
        gap.value = Value::Nanos(7);
        assert_eq!(rules.limits(), Limits { gap: 7, ..Limits::default() });
    }
}
