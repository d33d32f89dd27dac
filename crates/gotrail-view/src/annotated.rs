//! Answers about tasks, regions, messages and other marks.

use crate::api::STRIP;
use crate::marks::{OPEN, Stretch, is_task};
use crate::view::View;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::cmp::Reverse;

impl View {
    /// `/api/tasks`.
    pub fn tasks(
        &self,
        sort: &str,
        (offset, limit): (usize, usize),
        (from, to): (i64, i64),
        text: &str,
    ) -> Result<Value, String> {
        let index = self.index.read();
        let mut rows: Vec<_> = index
            .marks
            .tasks_in(from, to)
            .filter(|task| {
                text.is_empty()
                    || task.id.to_string() == text
                    || index.text(task.label, "").contains(text)
            })
            .collect();
        match sort {
            "duration" => rows.sort_by_key(|task| task.from.max(0) - index.until(task.until)),
            "name" => rows.sort_by_key(|task| index.text(task.label, "").to_owned()),
            "id" => rows.sort_by_key(|task| task.id),
            "begin" | "" => rows.sort_by_key(|task| task.from),
            _ => return Err(format!("there is no order {sort:?}: begin, duration, name, id")),
        }
        let total = rows.len();
        rows = rows.into_iter().skip(offset).take(limit).collect();
        let workers = index.marks.workers(rows.iter().map(|task| task.id));
        let page = rows.into_iter().map(|task| {
            let workers = workers.get(&task.id).into_iter().flatten();
            json!({
                "id": task.id, "lane": format!("task:{}", task.id),
                "name": index.text(task.label, "(unknown)"),
                "parent": is_task(task.parent).then_some(task.parent),
                "begin": (task.from != i64::MIN).then_some(task.from),
                "end": (task.until != OPEN).then_some(task.until),
                "goroutines": workers.map(|&go| index.id(go)).collect::<Vec<_>>(),
                "regions": task.regions, "logs": task.logs,
            })
        });
        Ok(json!({"total": total, "rows": page.collect::<Vec<_>>()}))
    }

    /// `/api/regions`.
    pub fn regions(&self, (from, to): (i64, i64), limit: usize) -> Value {
        let index = self.index.read();
        let mut names = FxHashMap::<u32, (u64, i64)>::default();
        for region in index.marks.regions_in(from, to) {
            let name = names.entry(region.label).or_default();
            name.0 += 1;
            name.1 += index.until(region.until).min(to) - region.from.max(from);
        }
        let total = names.len();
        let mut rows: Vec<_> = names.into_iter().collect();
        rows.sort_unstable_by_key(|&(label, (_, time))| (Reverse(time), label));
        let rows = rows.into_iter().take(limit).map(|(label, (count, time))| {
            json!({
                "name": index.text(label, ""), "label": label, "lane": format!("region:{label}"),
                "count": count, "time": time,
            })
        });
        json!({"total": total, "rows": rows.collect::<Vec<_>>()})
    }

    /// `/api/marks`.
    pub fn marks(&self, kind: &str, from: i64, to: i64, limit: usize) -> Result<Value, String> {
        let index = self.index.read();
        let marks = &index.marks;
        let mut found = Found::new(from, to.min(index.duration), limit);
        let touches = |a: i64, b: i64| a < to && b >= from;
        let stretch = |stretch: &Stretch, what: &str| {
            json!({
                "from": stretch.from, "to": index.until(stretch.until), "go": index.go(stretch.go),
                "task": is_task(stretch.task).then_some(stretch.task),
                "text": index.text(stretch.label, what),
                "lane": index.lane(stretch.go),
            })
        };
        let mut stretches = |list: &[Stretch], what: &str| {
            for one in list.iter().filter(|one| touches(one.from, one.until)) {
                found.add(one.from, || stretch(one, what));
            }
        };
        match kind {
            "regions" => stretches(&marks.regions, "region"),
            "stw" => stretches(&marks.stops, "stop-the-world"),
            "gc" => stretches(&marks.gc, "GC mark"),
            "logs" => {
                for log in marks.logs.iter().filter(|log| touches(log.time, log.time)) {
                    found.add(log.time, || {
                        json!({
                            "from": log.time, "to": log.time, "go": index.go(log.go),
                            "task": is_task(log.task).then_some(log.task), "text": log.text,
                            "category": index.text(log.category, ""), "lane": index.lane(log.go),
                        })
                    });
                }
            }
            "samples" => {
                for sample in marks.samples.iter().filter(|one| touches(one.time, one.time)) {
                    found.add(sample.time, || {
                        json!({
                            "from": sample.time, "to": sample.time, "go": index.go(sample.go),
                            "task": null, "text": "CPU sample", "lane": index.lane(sample.go),
                        })
                    });
                }
            }
            "tasks" => {
                let tasks = marks.tasks.iter().filter(|task| task.is_one());
                for task in tasks.filter(|task| touches(task.from, task.until)) {
                    found.add(task.from.max(0), || {
                        json!({
                            "from": task.from.max(0), "to": index.until(task.until),
                            "go": index.go(task.go), "task": task.id,
                            "text": index.text(task.label, ""), "lane": format!("task:{}", task.id),
                        })
                    });
                }
            }
            "lost" => {
                for (a, b, what) in index.lost.iter().filter(|lost| touches(lost.0, lost.1)) {
                    found.add(*a, || {
                        json!({
                            "from": a, "to": b, "go": null, "task": null, "text": what,
                            "lane": null,
                        })
                    });
                }
            }
            _ => {
                return Err(format!(
                    "there are no marks {kind:?}: logs, tasks, regions, samples, stw, gc, lost"
                ));
            }
        }
        Ok(json!({"total": found.total, "rows": found.rows, "strip": found.strip}))
    }
}

/// What there is in a time: all of it is counted, the first rows are made.
struct Found {
    from: i64,
    len: i64,
    limit: usize,
    total: u64,
    rows: Vec<Value>,
    /// How many begin in each of equal parts of the time.
    strip: Vec<u32>,
}

impl Found {
    fn new(from: i64, to: i64, limit: usize) -> Found {
        let from = from.max(0);
        let len = to.saturating_sub(from).max(1);
        Found { from, len, limit, total: 0, rows: Vec::new(), strip: vec![0; STRIP] }
    }

    fn add(&mut self, begin: i64, row: impl FnOnce() -> Value) {
        self.total += 1;
        let behind = i128::from(begin.saturating_sub(self.from).max(0));
        let at = (behind * STRIP as i128 / i128::from(self.len)) as usize;
        self.strip[at.min(STRIP - 1)] += 1;
        if self.rows.len() < self.limit {
            self.rows.push(row());
        }
    }
}
