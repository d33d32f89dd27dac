//! Minimum mutator utilization: the smallest share of the procs that the program had, in the
//! worst window of a given length.
//!
//! The definition is that of Cheng and Blelloch, "A Parallel, Real-Time Garbage Collector" (PLDI
//! 2001). What counts as taken away is what `go tool trace` counts, but each thing once. Its own
//! figures, which are those of [`Gc::mmu_as_go`] to nine digits, count a mark worker that runs for
//! the second time twice and take away only one when it stops, so that the proc seems to collect
//! for ever; they end with the last change; and they know nothing before GOMAXPROCS is first
//! mentioned, which in traces of Go 1.21 and before is inside the first stop of the world, so that
//! its end is taken for the beginning of one that never happened.

use crate::gc::{Gc, What};
use gotrail::GoId;
use rustc_hash::FxHashSet;

/// What counts as time that the program does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// Stop-the-world for the garbage collector.
    pub stw: bool,
    /// Background mark workers.
    pub background: bool,
    /// Mark assists.
    pub assist: bool,
    /// Sweeping.
    pub sweep: bool,
    /// A function for each proc, so that one that is taken whole counts as 0, and not one for
    /// their mean. Dedicated mark workers then do not count: they keep goroutines off a proc.
    pub per_proc: bool,
}

/// The utilization from a time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Nanoseconds of the trace's clock.
    pub time: i64,
    /// The share of the procs that the program has, from 0 to 1.
    pub utilization: f64,
}

/// A window with its mean utilization.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// When it begins.
    pub start: i64,
    /// Its length in nanoseconds.
    pub length: i64,
    /// The mean utilization in it.
    pub utilization: f64,
}

/// A utilization function, with its integral.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Where it changes, in order. The last point only says where it ends.
    pub points: Vec<Point>,
    /// The integral up to each point, in nanoseconds.
    sums: Vec<f64>,
}

/// Minimum mutator utilization of a trace.
#[derive(Debug, Clone, Default)]
pub struct Mmu {
    /// One function, or one for each proc.
    pub series: Vec<Series>,
}

#[derive(Clone, Copy, Default)]
struct Proc {
    /// How many things are collecting on it.
    collecting: i32,
    series: usize,
}

/// What is known while the changes are gone through.
struct Walk {
    flags: Flags,
    /// Room for the functions.
    room: Vec<Series>,
    /// Exactly as `go tool trace` does it.
    as_go: bool,
    out: Vec<Series>,
    procs: Vec<Proc>,
    /// On how many of them something is collecting.
    taken: usize,
    /// What the last point of the only function says: how many were taken, and of how many. Most
    /// changes change neither.
    noted: Option<(usize, usize)>,
    /// GOMAXPROCS, whenever it changed.
    counts: Vec<(i64, usize)>,
    stopped: i32,
    assisting: FxHashSet<GoId>,
    workers: FxHashSet<GoId>,
}

impl Gc {
    /// The utilization functions with these flags, from the start of the trace to its end.
    pub fn mmu(&self, flags: Flags, start: i64, end: i64) -> Mmu {
        self.mmu_in(flags, start, end, Mmu::default())
    }

    /// The same in the room of what is not needed any more.
    pub(crate) fn mmu_in(&self, flags: Flags, start: i64, end: i64, room: Mmu) -> Mmu {
        self.walk(flags, Some(start), end, room)
    }

    /// The same as `go tool trace` counts it, which is not right wherever the collector works in
    /// the background: for comparisons with it.
    pub fn mmu_as_go(&self, flags: Flags, end: i64) -> Mmu {
        self.walk(flags, None, end, Mmu::default())
    }

    /// As `go tool trace` does it, if there is no start.
    fn walk(&self, flags: Flags, start: Option<i64>, end: i64, room: Mmu) -> Mmu {
        let as_go = start.is_none();
        let mut walk = Walk {
            flags,
            room: room.series,
            as_go,
            out: Vec::new(),
            procs: Vec::new(),
            taken: 0,
            noted: None,
            counts: Vec::new(),
            stopped: 0,
            assisting: FxHashSet::default(),
            workers: FxHashSet::default(),
        };
        let first = self.changes.iter().find_map(|change| match change.what {
            What::Procs => Some(change.proc as usize),
            _ => None,
        });
        if let (Some(start), Some(first)) = (start, first) {
            // There were as many before the first mention.
            walk.limit(start, first);
        }
        for change in &self.changes {
            if change.what == What::Procs {
                walk.limit(change.time, change.proc as usize);
            }
            if walk.procs.is_empty() || walk.noted.is_some() && !walk.concerns(change.what) {
                continue;
            }
            walk.change(change.go, change.proc, change.what);
            walk.note(change.time);
        }
        for at in 0..walk.procs.len() {
            let series = &mut walk.out[walk.procs[at].series].points;
            add(series, Point { time: end, utilization: 0.0 });
            if !as_go && series.last().is_some_and(|last| last.time < end) {
                series.push(Point { time: end, utilization: 0.0 });
            }
        }
        walk.out.iter_mut().for_each(Series::integrate);
        Mmu { series: walk.out }
    }
}

impl Walk {
    /// GOMAXPROCS changes.
    fn limit(&mut self, time: i64, number: usize) {
        if self.flags.per_proc {
            for proc in self.procs.iter().skip(number) {
                add(&mut self.out[proc.series].points, Point { time, utilization: 0.0 });
            }
        }
        self.procs.truncate(number);
        self.taken = self.procs.iter().filter(|proc| proc.collecting > 0).count();
        while self.procs.len() < number {
            let mut series = 0;
            if self.flags.per_proc || self.out.is_empty() {
                series = self.out.len();
                let mut function = self.room.pop().unwrap_or_default();
                function.points.clear();
                function.points.push(Point { time, utilization: 1.0 });
                self.out.push(function);
            }
            self.procs.push(Proc { collecting: 0, series });
        }
        if self.counts.last().is_none_or(|last| last.1 != number) {
            self.counts.push((time, number));
        }
    }

    fn collect(&mut self, proc: i32, more: i32) {
        if let Some(proc) = usize::try_from(proc).ok().and_then(|at| self.procs.get_mut(at)) {
            self.taken -= usize::from(proc.collecting > 0);
            proc.collecting += more;
            self.taken += usize::from(proc.collecting > 0);
        }
    }

    /// Whether such a change can change anything now.
    #[inline]
    fn concerns(&self, what: What) -> bool {
        let Flags { stw, background, assist, sweep, .. } = self.flags;
        match what {
            What::Procs => true,
            What::StwBegin | What::StwEnd => stw,
            What::SweepBegin | What::SweepEnd | What::SweepActive => sweep,
            What::AssistBegin | What::AssistEnd | What::AssistActive(_) => assist,
            What::Runs | What::Rests => !self.assisting.is_empty() || !self.workers.is_empty(),
            What::Worker(_) => background,
        }
    }

    fn change(&mut self, go: GoId, proc: i32, what: What) {
        let Flags { stw, background, assist, sweep, per_proc } = self.flags;
        match what {
            What::Procs => {}
            What::StwBegin => self.stopped += i32::from(stw),
            What::StwEnd => self.stopped -= i32::from(stw),
            What::SweepActive | What::SweepBegin if sweep => {
                if what == What::SweepActive {
                    self.since_the_start();
                }
                self.collect(proc, 1);
            }
            What::SweepEnd if sweep => self.collect(proc, -1),
            What::AssistActive(_) | What::AssistBegin if assist => {
                if what == What::AssistActive(true) {
                    self.since_the_start();
                }
                self.collect(proc, 1);
                if go != GoId::NONE {
                    self.assisting.insert(go);
                }
            }
            What::AssistEnd if assist => {
                self.collect(proc, -1);
                self.assisting.remove(&go);
            }
            // Each time that a worker runs it is told again that it is one.
            What::Rests if !self.as_go && self.workers.remove(&go) => self.collect(proc, -1),
            What::Runs | What::Rests
                if self.assisting.contains(&go) || self.workers.contains(&go) =>
            {
                self.collect(proc, if what == What::Runs { 1 } else { -1 });
            }
            What::Worker(dedicated)
                if background
                    && !(per_proc && dedicated)
                    && (self.workers.insert(go) || self.as_go) =>
            {
                self.collect(proc, 1);
            }
            _ => {}
        }
    }

    /// Something lasts since the start of the trace that is only known now.
    fn since_the_start(&mut self) {
        if self.flags.per_proc {
            return;
        }
        self.noted = None;
        let mut counts = self.counts.iter().peekable();
        let mut number = counts.next().map_or(1, |count| count.1);
        let Some(first) = self.out.first_mut() else { return };
        for point in &mut first.points {
            while let Some(count) = counts.next_if(|count| count.0 < point.time) {
                number = count.1;
            }
            point.utilization = (point.utilization - 1.0 / number as f64).max(0.0);
        }
    }

    /// Notes what the utilization is now.
    fn note(&mut self, time: i64) {
        if self.flags.per_proc {
            for at in 0..self.procs.len() {
                let proc = self.procs[at];
                let taken = self.stopped > 0 || proc.collecting > 0;
                let utilization = if taken { 0.0 } else { 1.0 };
                add(&mut self.out[proc.series].points, Point { time, utilization });
            }
            return;
        }
        let all = self.procs.len();
        let taken = match self.stopped {
            1.. => all,
            _ => self.taken,
        };
        if self.noted == Some((taken, all)) {
            return;
        }
        if let Some(Series { points: series, .. }) = self.out.first_mut() {
            let utilization = 1.0 - taken as f64 / all as f64;
            add(series, Point { time, utilization });
            // Where two changes have the same time, the point may say something else.
            let says = series.last().is_some_and(|last| last.utilization == utilization);
            self.noted = says.then_some((taken, all));
        }
    }
}

/// Adds a point if it changes anything; at one time the lowest counts.
fn add(points: &mut Vec<Point>, point: Point) {
    match points.last_mut() {
        Some(last) if last.utilization == point.utilization => {}
        Some(last) if last.time == point.time => {
            last.utilization = last.utilization.min(point.utilization);
        }
        _ => points.push(point),
    }
}

impl Series {
    fn new(points: Vec<Point>) -> Series {
        let mut series = Series { points, sums: Vec::new() };
        series.integrate();
        series
    }

    /// Makes the integral anew.
    fn integrate(&mut self) {
        self.sums.clear();
        self.sums.reserve_exact(self.points.len());
        let mut sum = 0.0;
        let mut before = Point { time: 0, utilization: 0.0 };
        for &point in &self.points {
            sum += before.utilization * (point.time - before.time) as f64;
            self.sums.push(sum);
            before = point;
        }
    }

    /// The same between two moments only.
    fn within(&self, from: i64, until: i64) -> Series {
        let (begin, end) = self.bounds();
        let (from, until) = (from.max(begin), until.min(end));
        let first = self.points.partition_point(|point| point.time <= from).saturating_sub(1);
        let mut points: Vec<Point> = self.points[first.min(self.points.len())..]
            .iter()
            .take_while(|point| point.time < until)
            .map(|point| Point { time: point.time.max(from), ..*point })
            .collect();
        if !points.is_empty() {
            points.push(Point { time: until, utilization: 0.0 });
        }
        Series::new(points)
    }

    /// When it begins and ends.
    fn bounds(&self) -> (i64, i64) {
        let time = |point: Option<&Point>| point.map_or(0, |point| point.time);
        (time(self.points.first()), time(self.points.last()))
    }

    /// Shows the mean of every window whose begin or end is at a point: the least is one of them,
    /// because in between the mean changes linearly.
    fn each_window(&self, length: i64, mut each: impl FnMut(Window)) {
        let (begin, end) = self.bounds();
        let length = length.min(end - begin);
        if length <= 0 {
            return;
        }
        let (mut left, mut right) = (0, 0);
        let mut start = begin;
        loop {
            let mean = (self.integral(&mut right, start + length)
                - self.integral(&mut left, start))
                / length as f64;
            each(Window { start, length, utilization: mean });
            if start >= end - length {
                return;
            }
            let next = |at: usize| self.points.get(at + 1).map_or(i64::MAX, |point| point.time);
            start = next(left).min(next(right).saturating_sub(length)).min(end - length);
        }
    }

    /// The worst window of a length: of equal ones the first.
    fn worst_window(&self, length: i64) -> Option<Window> {
        let mut worst: Option<Window> = None;
        self.each_window(length, |found| {
            let is_worse = |than: &Window| found.utilization.total_cmp(&than.utilization).is_lt();
            if worst.as_ref().is_none_or(is_worse) {
                worst = Some(found);
            }
        });
        worst
    }

    /// The integral until `time`, which is not before the first point.
    fn integral_until(&self, time: i64) -> f64 {
        let at = self.points.partition_point(|point| point.time <= time);
        self.integral(&mut at.saturating_sub(1), time)
    }

    /// The integral until `time`, which is not before the point at `at`; goes on from there.
    fn integral(&self, at: &mut usize, time: i64) -> f64 {
        while self.points.get(*at + 1).is_some_and(|point| point.time <= time) {
            *at += 1;
        }
        let point = self.points[*at];
        self.sums[*at] + point.utilization * (time - point.time) as f64
    }
}

impl Mmu {
    /// The least mean utilization in any window of this length in nanoseconds, from 0 to 1. A
    /// window longer than the trace is as long as the trace.
    pub fn at(&self, window: i64) -> f64 {
        if window <= 0 {
            return 0.0;
        }
        let worst = self.series.iter().filter_map(|series| series.worst_window(window));
        worst.fold(1.0, |least, found| least.min(found.utilization))
    }

    /// The same of the time between two moments only.
    pub fn within(&self, from: i64, until: i64) -> Mmu {
        Mmu { series: self.series.iter().map(|series| series.within(from, until)).collect() }
    }

    /// The worst windows of this length, at most `number`, none overlapping another of the same
    /// function, the worst first.
    pub fn worst(&self, window: i64, number: usize) -> Vec<Window> {
        let mut found: Vec<(usize, Window)> = Vec::new();
        for (index, series) in self.series.iter().enumerate() {
            if number == 1 {
                // It takes no list of all.
                found.extend(series.worst_window(window).map(|window| (index, window)));
                continue;
            }
            let mut candidates = Vec::new();
            series.each_window(window, |window| candidates.push(window));
            candidates.sort_by(|a, b| {
                a.utilization.total_cmp(&b.utilization).then(a.start.cmp(&b.start))
            });
            let mut own: Vec<Window> = Vec::new();
            for candidate in candidates {
                if own.len() == number {
                    break;
                }
                let apart = |other: &Window| {
                    candidate.start >= other.start + other.length
                        || other.start >= candidate.start + candidate.length
                };
                if own.iter().all(apart) {
                    own.push(candidate);
                }
            }
            found.extend(own.into_iter().map(|window| (index, window)));
        }
        found.sort_by(|a, b| a.1.utilization.total_cmp(&b.1.utilization));
        found.truncate(number);
        found.into_iter().map(|(_, window)| window).collect()
    }

    /// The mean utilization between two times, from 0 to 1; outside of the trace nothing counts.
    pub fn mean(&self, from: i64, until: i64) -> f64 {
        let (mut sum, mut time) = (0.0, 0);
        for series in &self.series {
            let (begin, end) = series.bounds();
            let (from, until) = (from.max(begin), until.min(end));
            if from < until {
                sum += series.integral_until(until) - series.integral_until(from);
                time += until - from;
            }
        }
        if time == 0 { 1.0 } else { sum / time as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(i64, f64)]) -> Series {
        let point = |&(time, utilization)| Point { time, utilization };
        Series::new(points.iter().map(point).collect())
    }

    #[test]
    fn the_worst_window_is_found() {
        // Taken whole from 10 to 15 and from 30 to 50, of 100.
        let series = series(&[(0, 1.0), (10, 0.0), (15, 1.0), (30, 0.0), (50, 1.0), (100, 0.0)]);
        let mmu = Mmu { series: vec![series] };
        assert_eq!(mmu.at(0), 0.0);
        assert_eq!(mmu.at(20), 0.0);
        assert_eq!(mmu.at(40), 0.375);
        assert_eq!(mmu.at(1000), 0.75);
        assert_eq!(mmu.mean(i64::MIN, i64::MAX), 0.75);
        assert_eq!(mmu.mean(5, 15), 0.5);
        let worst = mmu.worst(5, 2);
        assert_eq!((worst[0].start, worst[0].utilization), (10, 0.0));
        assert_eq!((worst[1].start, worst[1].utilization), (30, 0.0));
        let part = mmu.within(12, 20);
        assert_eq!((part.at(5), part.at(100), part.mean(0, 100)), (0.4, 0.625, 0.625));
        assert_eq!(mmu.within(200, 300).at(5), 1.0);
        assert_eq!(Mmu::default().at(5), 1.0);
    }
}
