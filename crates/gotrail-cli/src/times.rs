//! Times by state as cells and JSON.

use crate::human;
use crate::json::Object;
use crate::table::{Cell, Column, column};
use gotrail_analyze::{Histogram, Names, Region, StrId, Sums, Times};

/// The name of a goroutine's function for people and groups.
pub(crate) fn function(names: &Names, name: StrId) -> String {
    let name = String::from_utf8_lossy(names.string(name)).into_owned();
    if name.is_empty() { "(unknown)".to_owned() } else { name }
}

/// Sums by name, largest first.
pub(crate) fn sums(names: &Names, sums: &Sums) -> Vec<(String, i64)> {
    let text = |name| String::from_utf8_lossy(names.string(name)).into_owned();
    let mut list: Vec<_> = sums.iter().map(|(name, nanos)| (text(name), nanos)).collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list
}

/// How long was spent assisting the garbage collector.
pub(crate) fn assist(names: &Names, times: &Times) -> i64 {
    let name = names.known_string(b"GC mark assist");
    name.and_then(|name| times.ranges.get(name)).unwrap_or(0)
}

/// A region as a JSON object, with these times.
pub(crate) fn region_json(names: &Names, region: &Region, times: &Times) -> String {
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    object.number("task", region.task.0);
    object.bytes("name", names.string(region.name));
    object.number_or_null("start", region.start);
    object.number_or_null("end", region.end);
    object.number("exec", times.running);
    object.number("sched_wait", times.runnable);
    object.number("syscall", times.syscall);
    object.number("syscall_block", times.syscall_blocked);
    for (key, by_name) in [("block", &times.blocked), ("ranges", &*times.ranges)] {
        let map = sums(names, by_name).into_iter().map(|(name, nanos)| (name, nanos.into()));
        let map: serde_json::Map<_, _> = map.collect();
        // A Vec takes every byte.
        serde_json::to_writer(object.key(key), &map).unwrap_or_default();
    }
    object.number("total", times.total);
    object.number("unknown", times.unknown());
    drop(object);
    String::from_utf8_lossy(&out).into_owned()
}

/// Distribution columns, as every table of durations has them.
pub(crate) const DISTRIBUTION: [Column; 7] = [
    column("total", "total"),
    column("mean", "mean"),
    column("p50", "p50"),
    column("p90", "p90"),
    column("p99", "p99"),
    column("p999", "p99.9"),
    column("max", "max"),
];

/// The cells of [`DISTRIBUTION`].
pub(crate) fn distribution(histogram: &Histogram) -> [Cell; 7] {
    [
        Cell::Nanos(histogram.total()),
        Cell::Nanos(histogram.mean()),
        Cell::Nanos(histogram.percentile(0.5)),
        Cell::Nanos(histogram.percentile(0.9)),
        Cell::Nanos(histogram.percentile(0.99)),
        Cell::Nanos(histogram.percentile(0.999)),
        Cell::Nanos(histogram.max()),
    ]
}

/// Times as a JSON object of nanoseconds.
pub(crate) fn json(names: &Names, times: &Times) -> serde_json::Value {
    let map = |by_name: &Sums| {
        let map = sums(names, by_name).into_iter().map(|(name, nanos)| (name, nanos.into()));
        serde_json::Value::Object(map.collect())
    };
    serde_json::json!({
        "total": times.total,
        "running": times.running,
        "runnable": times.runnable,
        "syscall": times.syscall,
        "syscall_blocked": times.syscall_blocked,
        "blocked_total": times.blocked.total(),
        "blocked": map(&times.blocked),
        "ranges": map(&times.ranges),
        "unknown": times.unknown(),
    })
}

/// Each state with its time and its share of the whole, longest first.
pub(crate) fn lines(names: &Names, times: &Times) -> Vec<(String, String, String)> {
    let mut states = vec![
        ("running".to_owned(), times.running),
        ("runnable".to_owned(), times.runnable),
        ("syscall".to_owned(), times.syscall),
        ("syscall, no proc".to_owned(), times.syscall_blocked),
        ("unknown".to_owned(), times.unknown()),
    ];
    states.extend(sums(names, &times.blocked).into_iter().map(|(reason, nanos)| {
        let name =
            if reason.is_empty() { "blocked".to_owned() } else { format!("blocked: {reason}") };
        (name, nanos)
    }));
    states.retain(|state| state.1 > 0);
    states.sort_by_key(|state| -state.1);
    let line = |(name, nanos): (String, i64)| {
        (name, human::duration(nanos), human::percent(nanos as u64, times.total.max(0) as u64))
    };
    states.into_iter().map(line).collect()
}
