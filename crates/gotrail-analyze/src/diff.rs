//! What changed between two traces, or two sets of traces, and whether it is more than chance.
//!
//! What happened is divided by the time in which it happened, so that traces of different lengths
//! compare. What varies by chance is told by values that should be alike: with several traces on a
//! side these are the traces, otherwise the [slices](crate::slices) of the only one.
//! [`statistics`] says how they are compared.

use crate::names::{Names, StackId, StrId};
use crate::slices::Slices;
use crate::statistics::{self, Estimate};
use crate::waits::WaitKind;
use bstr::BString;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

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
    /// Nanoseconds of waits that ended in a second.
    Waited,
    /// Waits that ended in a second.
    Waits,
    /// Nanoseconds of a wait.
    PerWait,
}

use Quantity::{Blocked, PerWait, Runnable, Running, Syscall, Waited, Waits};

impl Quantity {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Running => "running",
            Runnable => "runnable",
            Blocked => "blocked",
            Syscall => "syscall",
            Waits => "waits",
            Waited => "waited",
            PerWait => "per wait",
        }
    }

    /// Whether it is a time for each second, which compares with other such times.
    const fn is_time_per_second(self) -> bool {
        !matches!(self, Waits | PerWait)
    }
}

/// A subject in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Function(u32),
    Reason(WaitKind, u32),
    Stack(WaitKind, u32, u32),
}

impl Key {
    fn quantities(self) -> &'static [Quantity] {
        match self {
            Key::Function(_) => &[Running, Runnable, Blocked, Syscall],
            Key::Reason(..) | Key::Stack(..) => &[Waited, Waits, PerWait],
        }
    }

    /// Which comparisons are judged together.
    fn family(self) -> usize {
        match self {
            Key::Function(_) => 0,
            Key::Reason(..) => 1,
            Key::Stack(..) => 2,
        }
    }
}

/// All subjects of both sides, each once. Of stacks only the functions count: lines and addresses
/// differ between builds of a program.
#[derive(Debug, Default)]
struct Subjects {
    strings: IndexSet<BString, FxBuildHasher>,
    stacks: IndexSet<Box<[u32]>, FxBuildHasher>,
    keys: IndexSet<Key, FxBuildHasher>,
}

/// The numbers that names of one trace have here, as far as they were looked up.
struct Known<'a> {
    names: &'a Names,
    strings: Vec<Option<u32>>,
    stacks: Vec<Option<u32>>,
}

impl Subjects {
    fn string(&mut self, known: &mut Known<'_>, id: StrId) -> u32 {
        let at = id.0 as usize;
        if at >= known.strings.len() {
            known.strings.resize(at + 1, None);
        }
        *known.strings[at].get_or_insert_with(|| {
            let text = known.names.string(id);
            let found = self.strings.get_index_of(text);
            found.unwrap_or_else(|| self.strings.insert_full(text.to_owned()).0) as u32
        })
    }

    fn stack(&mut self, known: &mut Known<'_>, id: StackId) -> u32 {
        let at = id.0 as usize;
        if at >= known.stacks.len() {
            known.stacks.resize(at + 1, None);
        }
        if let Some(number) = known.stacks[at] {
            return number;
        }
        let names = known.names;
        let functions = names.stack(id).map(|frame| self.string(known, frame.function));
        let functions: Box<[u32]> = functions.collect();
        let number = self.stacks.insert_full(functions).0 as u32;
        known.stacks[at] = Some(number);
        number
    }

    fn key(&mut self, key: Key) -> usize {
        self.keys.insert_full(key).0
    }

    fn text(&self, number: u32) -> String {
        self.strings.get_index(number as usize).map_or(String::new(), |text| text.to_string())
    }
}

/// A subject's sums in a slice or in a trace: a function's states, or the number and the time of
/// waits.
#[derive(Debug, Clone, Copy)]
struct Sums {
    slot: u32,
    values: [f64; 4],
}

/// One side.
#[derive(Debug, Default)]
struct Side {
    /// How many traces were added.
    traces: usize,
    /// The length of each slot: a slice, or a trace.
    seconds: Vec<f64>,
    /// By subject, in the order of the slots; where nothing happened there is nothing.
    sums: Vec<Vec<Sums>>,
}

impl Side {
    fn add(&mut self, subject: usize, slot: usize, values: [f64; 4]) {
        if subject >= self.sums.len() {
            self.sums.resize_with(subject + 1, Vec::new);
        }
        let (sums, slot) = (&mut self.sums[subject], slot as u32);
        match sums.last_mut() {
            Some(last) if last.slot == slot => {
                last.values.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
            _ => sums.push(Sums { slot, values }),
        }
    }

    fn of(&self, subject: usize) -> &[Sums] {
        self.sums.get(subject).map_or(&[], |sums| sums)
    }

    /// A quantity of a subject; whether its slots follow each other in time.
    fn estimate(&self, subject: usize, quantity: Quantity, in_time: bool) -> Estimate {
        let mut values = Vec::new();
        let sums = self.of(subject);
        if quantity == PerWait {
            let each = sums.iter().filter(|sums| sums.values[0] > 0.0);
            values.extend(each.map(|sums| sums.values[1] / sums.values[0]));
        } else {
            let at = match quantity {
                Running | Waits => 0,
                Runnable | Waited => 1,
                Blocked => 2,
                Syscall | PerWait => 3,
            };
            values.resize(self.seconds.len(), 0.0);
            for sums in sums {
                let slot = sums.slot as usize;
                values[slot] = sums.values[at] / self.seconds[slot];
            }
        }
        let estimate = match in_time {
            true => Estimate::of_series(&values),
            false => Estimate::of_independent(&values),
        };
        if !matches!(quantity, Waits | Waited | PerWait) {
            return estimate;
        }
        // Few waits may be spread evenly by chance. They are taken to vary at least as things
        // that happen independently do, of which the variance of the number is the number.
        let count: f64 = sums.iter().map(|sums| sums.values[0]).sum();
        estimate.at_least(estimate.mean * estimate.mean / count.max(1.0))
    }
}

/// Which side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first.
    Before,
    /// The second.
    After,
}

/// Two sides to be compared.
#[derive(Debug)]
pub struct Comparison {
    subjects: Subjects,
    /// Whether any side has several traces, so that traces are compared and not slices.
    by_trace: bool,
    sides: [Side; 2],
}

/// A difference between two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The number of what it is of: [`Comparison::subject`] says what that is.
    pub subject: usize,
    /// What about it.
    pub quantity: Quantity,
    /// The mean of the values before, and after.
    pub before: f64,
    /// See `before`.
    pub after: f64,
    /// How many standard errors the means are apart; none if nothing is known of the error.
    pub t: Option<f64>,
    /// How likely chance alone makes them differ so much; 1 where that is not known.
    pub p: f64,
    /// Whether it is more than chance, as far as that can be told of all comparisons of its kind.
    pub exceeds: bool,
}

/// In how many slices, at least, the time of a wait must be known.
const LEAST_PER_WAIT: usize = 4;

impl Comparison {
    /// Of so many traces before, and after.
    pub fn new(before: usize, after: usize) -> Comparison {
        let by_trace = before > 1 || after > 1;
        Comparison { subjects: Subjects::default(), by_trace, sides: Default::default() }
    }

    /// Adds a trace to a side.
    pub fn add(&mut self, which: Which, trace: &Slices) {
        let (subjects, side) = (&mut self.subjects, &mut self.sides[which as usize]);
        if trace.slices.is_empty() {
            return;
        }
        let known = &mut Known { names: &trace.names, strings: vec![], stacks: vec![] };
        let keys = trace.keys.iter().map(|key| {
            let why = subjects.string(known, key.why);
            let stack = subjects.stack(known, key.stack);
            let stack = subjects.key(Key::Stack(key.kind, why, stack));
            (subjects.key(Key::Reason(key.kind, why)), stack)
        });
        let keys: Vec<_> = keys.collect();
        for slice in &trace.slices {
            let slot = if self.by_trace { side.traces } else { side.seconds.len() };
            if slot == side.seconds.len() {
                side.seconds.push(0.0);
            }
            side.seconds[slot] += slice.seconds;
            for &(name, states) in &slice.functions {
                let name = subjects.string(known, name);
                let subject = subjects.key(Key::Function(name));
                side.add(subject, slot, states.map(|nanos| nanos as f64));
            }
            for &(at, count, nanos) in &slice.waits {
                let (reason, stack) = keys[at as usize];
                for subject in [reason, stack] {
                    side.add(subject, slot, [count as f64, nanos as f64, 0.0, 0.0]);
                }
            }
        }
        side.traces += 1;
    }

    /// What a subject is.
    pub fn subject(&self, number: usize) -> Subject {
        let subjects = &self.subjects;
        match subjects.keys.get_index(number) {
            Some(&Key::Function(name)) => Subject::Function(subjects.text(name)),
            Some(&Key::Reason(kind, why)) => Subject::Reason(kind, subjects.text(why)),
            Some(&Key::Stack(kind, why, stack)) => {
                let stack = subjects.stacks.get_index(stack as usize);
                let functions = stack.into_iter().flatten().map(|&name| subjects.text(name));
                Subject::Stack(kind, subjects.text(why), functions.collect())
            }
            None => Subject::Function(String::new()),
        }
    }

    /// Every difference, among those that are said to exceed chance at most the share `rate` of
    /// false ones. Functions come first, then reasons, then stacks; of each kind the subject comes
    /// first whose time per second changed most, with all that is known of it.
    pub fn differences(&self, rate: f64) -> Vec<Difference> {
        let mut found: Vec<Difference> = Vec::new();
        let mut families: [Vec<f64>; 3] = Default::default();
        for (subject, key) in self.subjects.keys.iter().enumerate() {
            for &quantity in key.quantities() {
                let sides = self.sides.each_ref();
                let [before, after] =
                    sides.map(|side| side.estimate(subject, quantity, !self.by_trace));
                let change = after.mean - before.mean;
                // Where nothing waited, there is no time of a wait.
                if change == 0.0 || quantity == PerWait && (before.values == 0 || after.values == 0)
                {
                    continue;
                }
                let (t, p) = match statistics::compare(&before, &after) {
                    Some((t, p)) if self.is_enough(quantity, &before, &after) => (Some(t), p),
                    Some((t, _)) => (Some(t), 1.0),
                    None => (None, 1.0),
                };
                families[key.family()].push(p);
                let (before, after) = (before.mean, after.mean);
                let (quantity, exceeds) = (quantity, false);
                found.push(Difference { subject, quantity, before, after, t, p, exceeds });
            }
        }
        let limits = families.map(|family| statistics::discoveries(&family, rate));
        for found in &mut found {
            let limit = limits[self.family(found)];
            found.exceeds = found.p <= limit && limit > 0.0;
        }
        self.sort(&mut found);
        found
    }

    /// Whether there are enough values; how long a wait takes says little where there were few.
    fn is_enough(&self, quantity: Quantity, before: &Estimate, after: &Estimate) -> bool {
        let least = before.values.min(after.values);
        quantity != PerWait || self.by_trace || least >= LEAST_PER_WAIT
    }

    fn family(&self, found: &Difference) -> usize {
        self.subjects.keys.get_index(found.subject).map_or(0, |key| key.family())
    }

    fn sort(&self, found: &mut [Difference]) {
        let mut largest = vec![0.0f64; self.subjects.keys.len()];
        for found in found.iter().filter(|found| found.quantity.is_time_per_second()) {
            let largest = &mut largest[found.subject];
            *largest = largest.max((found.after - found.before).abs());
        }
        found.sort_by(|a, b| {
            let families = self.family(a).cmp(&self.family(b));
            let sizes = largest[b.subject].total_cmp(&largest[a.subject]);
            let rest = (a.subject, a.quantity).cmp(&(b.subject, b.quantity));
            families.then(sizes).then(rest)
        });
    }
}
