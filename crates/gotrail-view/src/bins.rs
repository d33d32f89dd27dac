//! How much time was spent in each state, in bins of equal length: what a lane looks like from
//! afar.
//!
//! Only bins in which something changes are kept, and after each the one in which things stand
//! still, so that a lane costs what happens in it and not how long the trace is.

use crate::state::{STATES, State};
use serde::{Deserialize, Serialize};

/// The sums of a bin: nanoseconds in each state, of all that the lane is about together.
pub type Sums = [f32; STATES];

/// Bins of one lane, made from changes that come in the order of time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bins {
    /// The length of a bin in nanoseconds, as a power of two.
    level: u32,
    /// Bins that are not like the one before, by number.
    done: Vec<(u32, Sums)>,
    /// The bin that is being filled, and what is known of it.
    current: u32,
    partial: [i64; STATES],
    counts: [u32; STATES],
}

impl Bins {
    /// No bins yet.
    pub fn new(level: u32) -> Bins {
        Bins { level, done: Vec::new(), current: 0, partial: [0; STATES], counts: [0; STATES] }
    }

    /// Something goes from one state to another, `time` nanoseconds after the start.
    #[inline]
    pub fn change(&mut self, time: i64, from: State, to: State) {
        let bin = (time >> self.level) as u32;
        if bin != self.current {
            self.turn(bin);
        }
        // Whoever leaves was there until now; whoever comes was not there before. What does not
        // change in a bin is counted when it ends.
        let within = time & ((1 << self.level) - 1);
        if let Some(from) = from.index() {
            self.partial[from] += within;
            self.counts[from] = self.counts[from].wrapping_sub(1);
        }
        if let Some(to) = to.index() {
            self.partial[to] -= within;
            self.counts[to] = self.counts[to].wrapping_add(1);
        }
    }

    /// What came to a state with the last change, at `time`, had been in it from the start.
    pub fn was_always(&mut self, time: i64, state: State) {
        let Some(state) = state.index() else { return };
        let len = 1i64 << self.level;
        self.partial[state] += time & (len - 1);
        for (_, sums) in &mut self.done {
            sums[state] += len as f32;
        }
    }

    #[cold]
    fn turn(&mut self, bin: u32) {
        let sums = self.filled();
        self.done.push((self.current, sums));
        self.partial = [0; STATES];
        if bin > self.current + 1 {
            self.done.push((self.current + 1, self.still()));
        }
        self.current = bin;
    }

    /// The bin that is being filled, as if nothing changed until its end.
    fn filled(&self) -> Sums {
        let len = 1i64 << self.level;
        std::array::from_fn(|state| {
            (self.partial[state] + i64::from(self.counts[state]) * len) as f32
        })
    }

    /// A bin in which nothing changes.
    fn still(&self) -> Sums {
        self.counts.map(|count| count as f32 * (1u64 << self.level) as f32)
    }

    /// Makes bins twice as long: two become one.
    pub fn coarsen(&mut self) {
        let value = |bin: u32| {
            let after = self.done.partition_point(|&(number, _)| number <= bin);
            after.checked_sub(1).map_or([0.0; STATES], |at| self.done[at].1)
        };
        let half = self.current / 2;
        let len = 1i64 << self.level;
        let mut partial = self.partial;
        if self.current % 2 == 1 {
            // The bin before is part of the current one now, whose sum is counted from its end.
            for ((partial, before), &count) in
                partial.iter_mut().zip(value(self.current - 1)).zip(&self.counts)
            {
                *partial += before as i64 - i64::from(count) * len;
            }
        }
        let numbers = self.done.iter().flat_map(|&(number, _)| [number / 2, number / 2 + 1]);
        let mut numbers: Vec<u32> = numbers.filter(|&number| number < half).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let both = |number: u32| {
            let (one, other) = (value(2 * number), value(2 * number + 1));
            std::array::from_fn(|state| one[state] + other[state])
        };
        let done = numbers.into_iter().map(|number| (number, both(number))).collect();
        (self.done, self.partial, self.current, self.level) = (done, partial, half, self.level + 1);
    }

    /// The length of a bin in nanoseconds, as a power of two.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// The bytes that they take in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Bins>() + self.done.capacity() * size_of::<(u32, Sums)>()
    }

    /// Adds up bins of a level that is at least the own: `out.len()` of them, from `first` on.
    /// Nothing changes behind the last time that is known.
    pub fn read(&self, level: u32, first: u64, out: &mut [Sums]) {
        let per = 1u64 << (level - self.level);
        let mut bin = first * per;
        let end = bin + out.len() as u64 * per;
        let mut at = self.done.partition_point(|&(number, _)| u64::from(number) <= bin);
        while bin < end {
            let (sums, until) = if bin > u64::from(self.current) {
                (self.still(), end)
            } else if bin == u64::from(self.current) {
                (self.filled(), bin + 1)
            } else {
                let next = self.done.get(at).map_or(self.current, |&(number, _)| number);
                let sums = match at.checked_sub(1) {
                    Some(last) => self.done[last].1,
                    None => [0.0; STATES],
                };
                (sums, u64::from(next).min(end))
            };
            // The same sums in all bins from here to there.
            while bin < until {
                let place = (bin / per - first) as usize;
                let stop = until.min((bin / per + 1) * per);
                let times = (stop - bin) as f32;
                for (out, sum) in out[place].iter_mut().zip(sums) {
                    *out += sum * times;
                }
                bin = stop;
            }
            if self.done.get(at).is_some_and(|&(number, _)| u64::from(number) <= bin) {
                at += 1;
            }
        }
    }
}

/// Bins that are made from changes in any order.
#[derive(Debug, Clone)]
pub struct Loose {
    level: u32,
    /// As in [`Bins`], of each bin; how many come to a state, more than leave it.
    bins: Vec<([i64; STATES], [i32; STATES])>,
}

impl Loose {
    /// No bins yet; `bins` is more than the number of any.
    pub fn new(level: u32, bins: usize) -> Loose {
        Loose { level, bins: vec![([0; STATES], [0; STATES]); bins] }
    }

    /// Something goes from one state to another.
    #[inline]
    pub fn change(&mut self, time: i64, from: State, to: State) {
        let within = time & ((1 << self.level) - 1);
        let Some((partial, counts)) = self.bins.get_mut((time >> self.level) as usize) else {
            return;
        };
        if let Some(from) = from.index() {
            partial[from] += within;
            counts[from] -= 1;
        }
        if let Some(to) = to.index() {
            partial[to] -= within;
            counts[to] += 1;
        }
    }

    /// The bins that they are.
    pub fn into_bins(self) -> Bins {
        let mut out = Bins::new(self.level);
        for (bin, (partial, counts)) in self.bins.into_iter().enumerate() {
            if partial == [0; STATES] && counts == [0; STATES] {
                continue;
            }
            if bin as u32 != out.current {
                out.turn(bin as u32);
            }
            out.partial = partial;
            for (sum, change) in out.counts.iter_mut().zip(counts) {
                *sum = sum.wrapping_add_signed(change);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same from all changes, nanosecond by nanosecond.
    fn plain(changes: &[(i64, State, State)], end: i64) -> Vec<[u32; STATES]> {
        let mut counts = [0u32; STATES];
        let mut changes = changes.iter().peekable();
        let mut all = Vec::new();
        for time in 0..end {
            while let Some(&&(_, from, to)) = changes.peek().filter(|change| change.0 == time) {
                if let Some(from) = from.index() {
                    counts[from] -= 1;
                }
                if let Some(to) = to.index() {
                    counts[to] += 1;
                }
                changes.next();
            }
            all.push(counts);
        }
        all
    }

    #[test]
    fn bins_hold_the_true_time_in_each_state() {
        let (r, w, n) = (State::RUNNING, State::CHANNEL, State::NONE);
        let changes =
            [(3, n, r), (5, n, r), (6, r, w), (17, w, r), (40, r, n), (41, r, w), (70, w, n)];
        let mut bins = Bins::new(3);
        for (time, from, to) in changes {
            bins.change(time, from, to);
        }
        let mut late = Bins::new(3);
        for (at, (time, from, to)) in changes.into_iter().enumerate() {
            late.change(time, from, to);
            // The first one runs, and another from the start, which is known only after the third.
            if at == 2 {
                late.change(time, n, State::GC);
                late.was_always(time, State::GC);
            }
        }
        let mut known = Bins::new(3);
        known.change(0, n, State::GC);
        for (time, from, to) in changes {
            known.change(time, from, to);
        }
        let read = |bins: &Bins| {
            let mut out = vec![[0.0; STATES]; 16];
            bins.read(3, 0, &mut out);
            out
        };
        assert_eq!(read(&late), read(&known));
        let plain = plain(&changes, 128);
        let mut loose = Loose::new(3, 16);
        for &(time, from, to) in changes.iter().rev() {
            loose.change(time, from, to);
        }
        assert_eq!(format!("{:?}", loose.into_bins()), format!("{bins:?}"));
        // From any point on in bins of another length it is the same.
        for change in 0..=changes.len() {
            let mut coarse = Bins::new(3);
            for (at, (time, from, to)) in changes.into_iter().enumerate() {
                if at == change {
                    coarse.coarsen();
                }
                coarse.change(time, from, to);
            }
            if change == changes.len() {
                coarse.coarsen();
            }
            let read = |bins: &Bins| {
                let mut out = vec![[0.0; STATES]; 8];
                bins.read(4, 0, &mut out);
                out
            };
            assert_eq!(read(&coarse), read(&bins), "after {change}");
        }
        for (level, first, count) in [(3, 0, 16), (4, 0, 8), (5, 1, 3), (7, 0, 1), (3, 5, 4)] {
            let mut out = vec![[0.0; STATES]; count];
            bins.read(level, first, &mut out);
            for (place, sums) in out.iter().enumerate() {
                let from = (first as usize + place) << level;
                let span = &plain[from..from + (1 << level)];
                let expected: Sums = std::array::from_fn(|state| {
                    span.iter().map(|counts| counts[state]).sum::<u32>() as f32
                });
                assert_eq!(sums, &expected, "level {level}, bin {}", first as usize + place);
            }
        }
    }
}
