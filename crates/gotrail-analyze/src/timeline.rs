//! What happened when, in a bounded number of equal steps of time.
//!
//! Steps are powers of two nanoseconds and begin at multiples of their length on the trace's
//! clock, so that timelines of neighbouring generations fit together. When there are too many
//! steps, two become one.

/// How many steps there are at most.
const STEPS: usize = 2048;

/// What a step holds; two of them can become one.
pub trait Step: Clone + Default {
    /// Adds the step that follows.
    fn add(&mut self, next: &Self);
}

/// Values over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<T> {
    /// Nanoseconds of a step, as a power of two.
    shift: u32,
    /// The number of the first step: its time, divided by the length.
    first: i64,
    steps: Vec<T>,
}

impl<T: Step> Default for Timeline<T> {
    fn default() -> Timeline<T> {
        // A microsecond.
        Timeline { shift: 10, first: 0, steps: Vec::new() }
    }
}

impl<T: Step> Timeline<T> {
    /// One without any steps, which are as long as these have become: for times that follow. With
    /// shorter ones they would soon be too many.
    pub(crate) fn going_on(&self) -> Timeline<T> {
        Timeline { shift: self.shift, ..Timeline::default() }
    }

    /// Makes steps so long that these times fit, if there are none yet.
    pub(crate) fn expect(&mut self, from: i64, until: i64) {
        let fits = |shift| (until >> shift) - (from >> shift) < STEPS as i64;
        while self.steps.is_empty() && !fits(self.shift) {
            self.shift += 1;
        }
    }

    /// The length of a step in nanoseconds.
    pub fn step(&self) -> i64 {
        1 << self.shift
    }

    /// The steps with the times at which they begin.
    pub fn steps(&self) -> impl Iterator<Item = (i64, &T)> {
        let begin = move |at: usize| (self.first + at as i64) << self.shift;
        self.steps.iter().enumerate().map(move |(at, step)| (begin(at), step))
    }

    /// The step at a time, which may not be before the first.
    pub fn at(&mut self, time: i64) -> &mut T {
        if self.steps.is_empty() {
            self.first = time >> self.shift;
        }
        let mut at = ((time >> self.shift) - self.first).max(0) as usize;
        while at >= STEPS {
            self.halve();
            at = ((time >> self.shift) - self.first).max(0) as usize;
        }
        if at >= self.steps.len() {
            self.steps.resize(at + 1, T::default());
        }
        &mut self.steps[at]
    }

    /// Goes through the steps between two times, with how many nanoseconds lie in each.
    pub fn between(&mut self, from: i64, until: i64, mut each: impl FnMut(&mut T, i64)) {
        if from >= until {
            return;
        }
        // Makes room first, which may change the length of a step.
        self.at(from);
        self.at(until - 1);
        let mut time = from;
        while time < until {
            let end = ((time >> self.shift) + 1) << self.shift;
            let next = end.min(until);
            each(self.at(time), next - time);
            time = next;
        }
    }

    /// Adds a timeline that begins later, or in the same step.
    pub fn add(&mut self, mut later: Timeline<T>) {
        if later.steps.is_empty() {
            return;
        }
        if self.steps.is_empty() {
            *self = later;
            return;
        }
        while later.shift < self.shift {
            later.halve();
        }
        while self.shift < later.shift {
            self.halve();
        }
        // Makes room first, which may change the length of a step.
        self.at((later.first + later.steps.len() as i64 - 1) << later.shift);
        for (time, step) in later.steps() {
            self.at(time).add(step);
        }
    }

    fn halve(&mut self) {
        let first = self.first >> 1;
        let mut steps = Vec::<T>::with_capacity(self.steps.len() / 2 + 1);
        for (at, step) in self.steps.iter().enumerate() {
            let to = (((self.first + at as i64) >> 1) - first) as usize;
            match steps.get_mut(to) {
                Some(two) => two.add(step),
                None => steps.push(step.clone()),
            }
        }
        (self.shift, self.first, self.steps) = (self.shift + 1, first, steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    struct Sum(i64);

    impl Step for Sum {
        fn add(&mut self, next: &Sum) {
            self.0 += next.0;
        }
    }

    #[test]
    fn nothing_is_lost_when_steps_become_longer() {
        let mut whole = Timeline::<Sum>::default();
        let mut parts = [Timeline::<Sum>::default(), Timeline::default()];
        let mut time = 5_000_000_000;
        for i in 0..10_000 {
            let end = time + 777 + i * 13;
            whole.between(time, end, |step, nanos| step.0 += nanos);
            parts[(i >= 3_000) as usize].between(time, end, |step, nanos| step.0 += nanos);
            time = end;
        }
        assert!(whole.steps.len() <= STEPS);
        let sum: i64 = whole.steps().map(|step| step.1.0).sum();
        assert_eq!(sum, time - 5_000_000_000);
        let [mut first, second] = parts;
        first.add(second);
        assert_eq!(first, whole);
        let (begin, step) = whole.steps().nth(3).unwrap();
        assert_eq!((begin % whole.step(), step.0), (0, whole.step()));
    }
}
