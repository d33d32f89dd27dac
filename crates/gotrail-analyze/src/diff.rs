//! What changed between two traces, or two sets of traces, and whether it is more than chance.
//!
//! Each trace is cut into slices of equal length. What happened in a slice is divided by its
//! length, so that traces of different lengths compare; and the slices of one side differ from
//! each other by chance, so that a difference between the sides means something only if it is
//! larger.

use crate::analysis::{Analysis, Options};
use crate::goroutines::Goroutine;
use crate::names::{Names, StackId, StrId};
use crate::waits::WaitKind;
use gotrail::{Event, Fold};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// What a difference is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Goroutines that began with this function.
    Function(String),
    /// Waits of a kind, for a reason.
    Reason(WaitKind, String),
    /// Waits of a kind, for a reason, at a stack: its functions, innermost first.
    Stack(WaitKind, String, Vec<String>),
}

/// What about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// Nanoseconds of running in a second.
    Running,
    /// Nanoseconds of waiting for a proc in a second, over all goroutines.
    Runnable,
    /// Nanoseconds of waiting for something in a second.
    Blocked,
    /// Nanoseconds of system calls in a second.
    Syscall,
    /// Waits that ended in a second.
    Waits,
    /// Nanoseconds of waits that ended in a second.
    Waited,
    /// Nanoseconds of a wait.
    PerWait,
}

impl Quantity {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Quantity::Running => "running",
            Quantity::Runnable => "runnable",
            Quantity::Blocked => "blocked",
            Quantity::Syscall => "syscall",
            Quantity::Waits => "waits",
            Quantity::Waited => "waited",
            Quantity::PerWait => "per wait",
        }
    }

    /// Whether it is nanoseconds; else it is a number.
    pub const fn is_time(self) -> bool {
        !matches!(self, Quantity::Waits)
    }
}

/// The values of one side, one for each slice.
pub type Samples = BTreeMap<(Subject, Quantity), Vec<f64>>;

/// Cuts a trace into slices while it is read.
pub struct Slicer {
    analysis: Analysis,
    bounds: Vec<i64>,
    /// Sums until each bound.
    sums: Vec<Sums>,
}

type Sums = FxHashMap<(Subject, Quantity), i64>;

impl Slicer {
    /// For a trace between two times of its clock, in `number` slices.
    pub fn new(start: i64, end: i64, number: u32) -> Slicer {
        let number = i64::from(number.max(1));
        let bound = |at| start + (i128::from(end - start) * at as i128 / number as i128) as i64;
        let bounds = (1..=number).map(bound).collect();
        Slicer { analysis: Analysis::new(Options::default()), bounds, sums: Vec::new() }
    }

    /// The next event.
    pub fn event(&mut self, event: &Event<'_>) {
        while let Some(&bound) = self.bounds.get(self.sums.len())
            && event.time().0 > bound
        {
            self.sums.push(sums(&self.analysis, bound));
        }
        self.analysis.event(event);
    }

    /// The values of each slice: those of `others` and of this trace.
    pub fn finish(mut self, others: &mut Samples, slices_before: usize) -> usize {
        while let Some(&bound) = self.bounds.get(self.sums.len()) {
            self.sums.push(sums(&self.analysis, bound));
        }
        let mut begin = self.analysis.start();
        let mut before = Sums::default();
        let mut slices = slices_before;
        for (bound, after) in self.bounds.into_iter().zip(self.sums) {
            let seconds = (bound - begin) as f64 / 1e9;
            if seconds <= 0.0 {
                continue;
            }
            for (key, &sum) in &after {
                let sum = (sum - before.get(key).copied().unwrap_or(0)) as f64;
                add(others, key.clone(), slices, sum / seconds);
                if key.1 == Quantity::Waited {
                    let number = (key.0.clone(), Quantity::Waits);
                    let count = |sums: &Sums| sums.get(&number).copied().unwrap_or(0);
                    let count = count(&after) - count(&before);
                    if count > 0 {
                        let each = (key.0.clone(), Quantity::PerWait);
                        others.entry(each).or_default().push(sum / count as f64);
                    }
                }
            }
            (before, begin, slices) = (after, bound, slices + 1);
        }
        // What did not happen in a slice happened 0 times.
        for ((_, quantity), values) in others.iter_mut() {
            if *quantity != Quantity::PerWait {
                values.resize(slices, 0.0);
            }
        }
        slices
    }
}

/// Adds the value of the slice at `index`; in slices without one it was 0.
fn add(samples: &mut Samples, key: (Subject, Quantity), index: usize, value: f64) {
    let values = samples.entry(key).or_default();
    values.resize(index, 0.0);
    values.push(value);
}

/// Everything until a time.
fn sums(analysis: &Analysis, time: i64) -> Sums {
    let names = &analysis.names;
    let text = |name: StrId| names.string(name).to_string();
    let mut functions = FxHashMap::<StrId, [i64; 4]>::default();
    for goroutine in analysis.goroutines.iter() {
        let times = until(goroutine, time);
        let sums = functions.entry(goroutine.name).or_default();
        sums.iter_mut().zip(times).for_each(|(sum, time)| *sum += time);
    }
    let mut out = Sums::default();
    use Quantity::{Blocked, Runnable, Running, Syscall};
    for (name, sums) in functions {
        for (quantity, sum) in [Running, Runnable, Blocked, Syscall].into_iter().zip(sums) {
            *out.entry((Subject::Function(text(name)), quantity)).or_default() += sum;
        }
    }
    for (key, sum) in analysis.waits.sums() {
        let (kind, why) = (key.kind, text(key.why));
        let stack = Subject::Stack(kind, why.clone(), functions_of(names, key.stack));
        for subject in [Subject::Reason(kind, why), stack] {
            *out.entry((subject.clone(), Quantity::Waits)).or_default() += sum.count as i64;
            *out.entry((subject, Quantity::Waited)).or_default() += sum.total;
        }
    }
    out
}

fn until(goroutine: &Goroutine, time: i64) -> [i64; 4] {
    let times = goroutine.times_at(time.max(goroutine.since), &None);
    let syscall = times.syscall + times.syscall_blocked;
    [times.running, times.runnable, times.blocked.total(), syscall]
}

/// The functions of a stack. Lines and addresses differ between builds of a program.
fn functions_of(names: &Names, stack: StackId) -> Vec<String> {
    names.stack(stack).map(|frame| names.string(frame.function).to_string()).collect()
}

/// A difference between two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What it is of.
    pub subject: Subject,
    /// What about it.
    pub quantity: Quantity,
    /// The mean of the slices before, and after.
    pub before: f64,
    /// See `before`.
    pub after: f64,
    /// How many standard errors the means are apart: Welch's t. Infinite if the slices of neither
    /// side differ among themselves.
    pub t: f64,
    /// Whether it is more than the slices of each side differ: by chance alone, t would be as
    /// large once in a thousand times.
    pub exceeds: bool,
}

/// What t exceeds once in a thousand times by chance, in either direction, by degrees of freedom
/// from 1 on: Student's distribution.
const CRITICAL: [f64; 30] = [
    636.6, 31.6, 12.92, 8.61, 6.87, 5.96, 5.41, 5.04, 4.78, 4.59, 4.44, 4.32, 4.22, 4.14, 4.07,
    4.01, 3.97, 3.92, 3.88, 3.85, 3.82, 3.79, 3.77, 3.75, 3.73, 3.71, 3.69, 3.67, 3.66, 3.65,
];

/// Whether t is hardly chance with so many degrees of freedom.
fn is_certain(t: f64, freedom: f64) -> bool {
    let at = freedom.floor() as usize;
    t >= match at {
        0 => f64::INFINITY,
        _ => CRITICAL.get(at - 1).copied().unwrap_or(3.65),
    }
}

/// Compares two sides; what did not change at all is left out. The largest changes come first:
/// times before numbers.
pub fn compare(before: &Samples, after: &Samples) -> Vec<Difference> {
    let none = Vec::new();
    let mut keys: Vec<_> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut found: Vec<_> = keys
        .into_iter()
        .filter_map(|key| {
            let (before, after) =
                (before.get(key).unwrap_or(&none), after.get(key).unwrap_or(&none));
            if key.1 == Quantity::PerWait && (before.is_empty() || after.is_empty()) {
                // Where nothing waited, there is no time of a wait.
                return None;
            }
            let (mean_before, error_before, freedom_before) = mean(before);
            let (mean_after, error_after, freedom_after) = mean(after);
            let change = mean_after - mean_before;
            if change == 0.0 {
                return None;
            }
            let error = error_before + error_after;
            let t = if error == 0.0 { f64::INFINITY } else { change.abs() / error.sqrt() };
            // Welch and Satterthwaite's degrees of freedom; a side whose slices are all alike
            // has no part in it.
            let part = |error: f64, freedom: f64| match freedom {
                0.0 => 0.0,
                _ => error * error / freedom,
            };
            let parts = part(error_before, freedom_before) + part(error_after, freedom_after);
            let freedom = match parts {
                0.0 => freedom_before + freedom_after,
                _ => error * error / parts,
            };
            // Of one value nobody knows how it varies; and how long a wait takes says little where
            // there were few.
            let least = if key.1 == Quantity::PerWait { 4 } else { 2 };
            let enough = [before, after].iter().all(|side| side.is_empty() || side.len() >= least);
            Some(Difference {
                subject: key.0.clone(),
                quantity: key.1,
                before: mean_before,
                after: mean_after,
                t,
                exceeds: enough && is_certain(t, freedom),
            })
        })
        .collect();
    let size = |found: &Difference| (found.after - found.before).abs();
    found.sort_by(|a, b| {
        let times = b.quantity.is_time().cmp(&a.quantity.is_time());
        times.then_with(|| size(b).total_cmp(&size(a)))
    });
    found
}

/// The mean of values, the square of its standard error, and its degrees of freedom.
fn mean(values: &[f64]) -> (f64, f64, f64) {
    let number = values.len() as f64;
    if values.is_empty() {
        return (0.0, 0.0, 0.0);
    }
    let mean = values.iter().sum::<f64>() / number;
    if values.len() < 2 {
        return (mean, 0.0, 0.0);
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, squares / (number - 1.0) / number, number - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        let key = (Subject::Function("main.main".to_owned()), Quantity::Running);
        Samples::from([(key, values.to_vec())])
    }

    #[test]
    fn what_differs_by_chance_does_not_exceed() {
        let before = samples(&[10.0, 12.0, 8.0, 10.0, 10.0, 11.0, 9.0, 10.0]);
        let same = compare(&before, &samples(&[11.0, 9.0, 10.0, 11.0]));
        assert!(!same[0].exceeds, "{same:?}");
        let more = compare(&before, &samples(&[21.0, 19.0, 20.0, 21.0]));
        assert!(more[0].exceeds, "{more:?}");
        assert_eq!(more[0].before, 10.0);
        assert!(compare(&before, &before).is_empty());
        let gone = compare(&before, &Samples::default());
        assert!(gone[0].exceeds && gone[0].after == 0.0, "{gone:?}");
        assert!(!compare(&before, &samples(&[30.0]))[0].exceeds, "one value says nothing");
    }
}
