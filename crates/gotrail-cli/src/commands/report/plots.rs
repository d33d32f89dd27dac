//! The plots of the page.

use crate::human;
use crate::plot::{Plot, Scale, Series};
use crate::query::Answer;
use gotrail_analyze::mmu::Flags;
use gotrail_analyze::{Histogram, WaitKind};

fn seconds(nanos: f64) -> String {
    human::duration(nanos as i64)
}

pub(super) fn utilization(answer: &Answer) -> String {
    let Some(procs) = &answer.analysis.procs else { return String::new() };
    let begin = answer.start.time;
    let (step, end) = (procs.timeline.step(), answer.analysis.end());
    let of = |value: fn(&gotrail_analyze::procs::Load) -> i64| {
        let steps = procs.timeline.steps().map(|(time, load)| {
            // The first and the last step lie in the trace in part only.
            let (from, until) = (time.max(begin), (time + step).min(end));
            ((from - begin) as f64, value(load) as f64 / (until - from).max(1) as f64)
        });
        steps.collect::<Vec<_>>()
    };
    let plot = |caption, series| Plot {
        caption,
        x: Scale::Linear,
        x_text: seconds,
        y_text: human::number,
        series,
    };
    let procs = plot(
        "procs held by threads, of those that there are, over time",
        vec![
            Series { name: "held", points: of(|load| load.held), filled: true },
            Series { name: "GOMAXPROCS", points: of(|load| load.procs), filled: false },
        ],
    );
    let runnable = plot(
        "goroutines that waited for a proc, over time",
        vec![Series { name: "runnable", points: of(|load| load.runnable), filled: true }],
    );
    procs.svg() + &runnable.svg()
}

pub(super) fn latencies(answer: &Answer) -> String {
    let mut all = Histogram::default();
    for (kind, _, histogram) in answer.analysis.waits.classes() {
        if kind == WaitKind::Sched {
            all.add(&histogram);
        }
    }
    let mut points: Vec<(f64, f64)> = Vec::new();
    let total = all.count().max(1) as f64;
    let mut seen = 0;
    for (nanos, count) in all.buckets() {
        seen += count;
        points.push((nanos.max(1) as f64, seen as f64 / total));
    }
    let plot = Plot {
        caption: "share of waits for a proc that took at most so long",
        x: Scale::Log,
        x_text: seconds,
        y_text: human::share,
        series: vec![Series { name: "share", points, filled: true }],
    };
    plot.svg()
}

pub(super) fn heap(answer: &Answer) -> String {
    let begin = answer.start.time;
    let (mut allocated, mut goal) = (Vec::new(), Vec::new());
    for (time, heap) in answer.analysis.gc.heap.steps() {
        let after = (time - begin).max(0) as f64;
        if heap.allocated > 0 {
            allocated.push((after, heap.allocated as f64));
        }
        if heap.goal > 0 {
            goal.push((after, heap.goal as f64));
        }
    }
    let plot = Plot {
        caption: "bytes of the heap that are allocated, and the collector's goal, over time",
        x: Scale::Linear,
        x_text: seconds,
        y_text: |bytes| human::size(bytes as u64),
        series: vec![
            Series { name: "allocated", points: allocated, filled: true },
            Series { name: "goal", points: goal, filled: false },
        ],
    };
    plot.svg()
}

pub(super) fn mmu(answer: &Answer) -> String {
    let all = Flags { stw: true, background: true, assist: true, sweep: true, per_proc: false };
    let stw = Flags { stw: true, ..Flags::default() };
    let end = answer.analysis.end();
    let duration = (end - answer.start.time).max(1);
    let curve = |flags| {
        let mmu = answer.analysis.gc.mmu(flags, answer.start.time, end);
        // Four windows for each power of ten, from 1 µs to the length of the trace.
        let windows = (12..).map(|quarter| 10f64.powf(f64::from(quarter) / 4.0));
        let windows = windows.take_while(|window| *window <= duration as f64);
        windows.map(|window| (window, mmu.at(window as i64))).collect::<Vec<_>>()
    };
    let plot = Plot {
        caption: "the least share of the processors that the program had, by length of the window",
        x: Scale::Log,
        x_text: seconds,
        y_text: human::share,
        series: vec![
            Series { name: "stops only", points: curve(stw), filled: false },
            Series { name: "all of the collector", points: curve(all), filled: true },
        ],
    };
    plot.svg()
}
