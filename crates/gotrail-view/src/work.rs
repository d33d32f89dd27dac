//! For whom a proc or thread worked, in bins of equal length: nanoseconds for each goroutine's group.
//!
//! Only bins in which there was work are kept, each with the few for whom most was done.

use serde::{Deserialize, Serialize};

/// The others of a bin.
pub const OTHERS: u32 = u32::MAX;

/// For so many a bin has own sums; most procs work for fewer in the time of a pixel.
const FEW: usize = 8;

/// Work, told in the order of time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Work {
    /// The length of a bin in nanoseconds, as a power of two.
    level: u32,
    /// The bin, for whom, nanoseconds: of bins that are full, in their order.
    done: Vec<(u32, u32, f32)>,
    current: u32,
    sums: Vec<(u32, i64)>,
    /// What it does now, and since when.
    now: Option<(i64, u32)>,
}

impl Work {
    /// No work yet.
    pub fn new(level: u32) -> Work {
        Work { level, done: Vec::new(), current: 0, sums: Vec::new(), now: None }
    }

    /// From now on it works for somebody, or for nobody.
    pub fn change(&mut self, time: i64, whom: Option<u32>) {
        if let Some((since, whom)) = std::mem::replace(&mut self.now, whom.map(|whom| (time, whom)))
        {
            self.add(since, time, whom);
        }
    }

    /// Somebody is known by another name.
    pub fn rename(&mut self, name: impl Fn(u32) -> u32) {
        self.done.iter_mut().for_each(|entry| entry.1 = name(entry.1));
        self.sums.iter_mut().for_each(|sum| sum.0 = name(sum.0));
        self.now = self.now.map(|(since, whom)| (since, name(whom)));
    }

    fn add(&mut self, mut from: i64, until: i64, whom: u32) {
        while from < until {
            let bin = from >> self.level;
            let end = ((bin + 1) << self.level).min(until);
            if bin as u32 != self.current {
                self.turn(bin as u32);
            }
            match self.sums.iter_mut().find(|sum| sum.0 == whom) {
                Some(sum) => sum.1 += end - from,
                None => self.sums.push((whom, end - from)),
            }
            from = end;
        }
    }

    /// Another bin begins.
    fn turn(&mut self, bin: u32) {
        let current = self.current;
        let sums = few(std::mem::take(&mut self.sums));
        self.done.extend(sums.into_iter().map(|(whom, sum)| (current, whom, sum as f32)));
        self.current = bin;
    }

    /// Makes bins twice as long.
    pub fn coarsen(&mut self) {
        let mut coarse = Work::new(self.level + 1);
        for &(bin, whom, sum) in &self.done {
            coarse.put(bin / 2, whom, sum as i64);
        }
        for &(whom, sum) in &self.sums {
            coarse.put(self.current / 2, whom, sum);
        }
        coarse.now = self.now;
        *self = coarse;
    }

    fn put(&mut self, bin: u32, whom: u32, nanos: i64) {
        if bin != self.current {
            self.turn(bin);
        }
        match self.sums.iter_mut().find(|sum| sum.0 == whom) {
            Some(sum) => sum.1 += nanos,
            None => self.sums.push((whom, nanos)),
        }
    }

    /// The length of a bin in nanoseconds, as a power of two.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// The bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Work>() + self.done.capacity() * 12 + self.sums.capacity() * 16
    }

    /// The sums of some bins of a level that is at least the own, `first` being the first one's number:
    /// which of them, for whom, nanoseconds. Everything is known up to `known`.
    pub fn read(&self, level: u32, first: u64, bins: usize, known: i64) -> Vec<(u32, u32, i64)> {
        let mut rest = Work::new(self.level);
        if let Some((since, whom)) = self.now {
            let from = since.max((first << level) as i64);
            rest.add(from, known.min(((first + bins as u64) << level) as i64), whom);
        }
        let own = |work: &Work| {
            let open: Vec<_> =
                work.sums.iter().map(|&(whom, sum)| (work.current, whom, sum)).collect();
            let done = work.done.iter().map(|&(bin, whom, sum)| (bin, whom, sum as i64));
            done.chain(open).collect::<Vec<_>>()
        };
        let by = level - self.level;
        let mut found: Vec<(u32, u32, i64)> = own(self)
            .into_iter()
            .chain(own(&rest))
            .filter_map(|(bin, whom, sum)| {
                let at = (u64::from(bin) >> by).checked_sub(first)?;
                (at < bins as u64).then_some((at as u32, whom, sum))
            })
            .collect();
        add_up(&mut found);
        found
    }
}

/// Puts sums of bins in order, and makes one of those of the same bin for the same one.
pub(crate) fn add_up(sums: &mut Vec<(u32, u32, i64)>) {
    sums.sort_unstable();
    sums.dedup_by(|next, last| {
        let same = (next.0, next.1) == (last.0, last.1);
        last.2 += if same { next.2 } else { 0 };
        same
    });
}

/// The greatest sums, and that of all others.
fn few(mut sums: Vec<(u32, i64)>) -> Vec<(u32, i64)> {
    if sums.len() > FEW {
        // What is of the others already stays with them.
        sums.sort_unstable_by_key(|&(whom, sum)| (whom == OTHERS, -sum));
        let others = sums.drain(FEW - 1..).map(|sum| sum.1).sum();
        sums.push((OTHERS, others));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGES: [(i64, Option<u32>); 7] = [
        (3, Some(1)),
        (5, Some(2)),
        (6, None),
        (20, Some(1)),
        (45, Some(3)),
        (46, Some(1)),
        (50, None),
    ];

    /// The same, nanosecond by nanosecond.
    fn plain(level: u32) -> Vec<(u32, u32, i64)> {
        let mut sums = std::collections::BTreeMap::new();
        for pair in CHANGES.windows(2) {
            if let Some(whom) = pair[0].1 {
                (pair[0].0..pair[1].0)
                    .for_each(|time| *sums.entry(((time >> level) as u32, whom)).or_insert(0) += 1);
            }
        }
        sums.into_iter().map(|((bin, whom), sum)| (bin, whom, sum)).collect()
    }

    #[test]
    fn bins_hold_the_true_time_for_each() {
        for coarser in 0..CHANGES.len() {
            let mut work = Work::new(3);
            for (at, (time, whom)) in CHANGES.into_iter().enumerate() {
                if at == coarser {
                    work.coarsen();
                }
                work.change(time, whom);
            }
            for level in 4..7 {
                assert_eq!(work.read(level, 0, 16, 64), plain(level), "{coarser} {level}");
            }
        }
        let mut work = Work::new(3);
        CHANGES[..4].iter().for_each(|&(time, whom)| work.change(time, whom));
        // It still works when somebody looks.
        assert_eq!(work.read(3, 2, 4, 30), [(0, 1, 4), (1, 1, 6)]);
        work.rename(|whom| whom + 10);
        assert_eq!(work.read(3, 2, 4, 30), [(0, 11, 4), (1, 11, 6)]);
    }

    #[test]
    fn of_many_in_a_bin_the_sum_stays() {
        let mut work = Work::new(10);
        let mut time = 0;
        for whom in 0..30 {
            work.change(time, Some(whom));
            time += i64::from(whom) + 1;
        }
        work.change(time, None);
        work.change(2000, Some(1));
        work.change(2001, None);
        work.change(5000, Some(1));
        work.change(5001, None);
        work.coarsen();
        let read = work.read(11, 0, 1, 9000);
        assert_eq!(read.iter().map(|entry| entry.2).sum::<i64>(), time + 1);
        assert!(read.len() <= FEW + 1 && read.iter().any(|entry| entry.1 == OTHERS), "{read:?}");
    }
}
