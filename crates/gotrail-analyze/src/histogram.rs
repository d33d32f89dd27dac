//! Durations counted by size, precise to one part in 32.

/// Buckets within a power of two.
const STEPS: u32 = 5;

/// A duration's bucket: exact below 32 ns, then 32 buckets for each power of two.
#[inline(always)]
fn bucket(nanos: u64) -> usize {
    if nanos < 1 << STEPS {
        return nanos as usize;
    }
    // The upper bits are from 32 to 63, so that the buckets of a power follow those of the last.
    let shift = nanos.ilog2() - STEPS;
    ((shift as usize) << STEPS) + (nanos >> shift) as usize
}

/// The largest duration in a bucket.
fn upper(bucket: usize) -> u64 {
    if bucket < 1 << STEPS {
        return bucket as u64;
    }
    let shift = (bucket >> STEPS) as u32 - 1;
    let step = (bucket & ((1 << STEPS) - 1)) as u64;
    (((1 << STEPS) + step + 1) << shift) - 1
}

/// How many durations there were of each size, in nanoseconds.
///
/// Count, sum and extremes are exact. Percentiles are the largest duration of the bucket that
/// they fall in, at most 1/32 too large, and never above the maximum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    total: i64,
    min: i64,
    max: i64,
}

impl Histogram {
    /// Counts a duration; one below 0 counts as 0.
    pub fn record(&mut self, nanos: i64) {
        let nanos = nanos.max(0);
        self.record_size(nanos);
        if self.count == 0 || nanos < self.min {
            self.min = nanos;
        }
        self.count += 1;
        self.total += nanos;
        self.max = self.max.max(nanos);
    }

    /// Counts only the size of a duration, for those who know the rest: see
    /// [`Histogram::add_sums`].
    #[inline(always)]
    pub(crate) fn record_size(&mut self, nanos: i64) {
        let at = bucket(nanos as u64);
        match self.buckets.get_mut(at) {
            Some(bucket) => *bucket += 1,
            None => self.grow(at),
        }
    }

    #[cold]
    fn grow(&mut self, at: usize) {
        self.buckets.resize(at + 1, 0);
        self.buckets[at] += 1;
    }

    /// Adds what [`Histogram::record_size`] leaves out.
    pub(crate) fn add_sums(&mut self, count: u64, total: i64, min: i64, max: i64) {
        if count == 0 {
            return;
        }
        self.min = if self.count == 0 { min } else { self.min.min(min) };
        self.count += count;
        self.total += total;
        self.max = self.max.max(max);
    }

    /// Adds all sizes of another that has only these.
    pub(crate) fn add_sizes(&mut self, other: &Histogram) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (to, from) in self.buckets.iter_mut().zip(&other.buckets) {
            *to += from;
        }
    }

    /// Adds all durations of another.
    pub fn add(&mut self, other: &Histogram) {
        self.add_sizes(other);
        self.add_sums(other.count, other.total, other.min, other.max);
    }

    /// How many durations there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum in nanoseconds.
    pub fn total(&self) -> i64 {
        self.total
    }

    /// The shortest; 0 if there is none.
    pub fn min(&self) -> i64 {
        self.min
    }

    /// The longest; 0 if there is none.
    pub fn max(&self) -> i64 {
        self.max
    }

    /// The mean in nanoseconds, rounded down; 0 if there is none.
    pub fn mean(&self) -> i64 {
        if self.count == 0 { 0 } else { self.total / self.count as i64 }
    }

    /// The duration that a share of all, from 0 to 1, does not exceed (the nearest-rank method);
    /// 0 if there is none.
    pub fn percentile(&self, share: f64) -> i64 {
        let rank = ((share * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (at, &count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return (upper(at) as i64).clamp(self.min, self.max);
            }
        }
        self.max
    }

    /// The buckets that are not empty: the largest duration of each, and how many there are.
    pub fn buckets(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let filled = self.buckets.iter().enumerate().filter(|bucket| *bucket.1 > 0);
        filled.map(|(at, &count)| (upper(at) as i64, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_hold_their_bounds() {
        for nanos in (0..100_000).chain([u64::MAX >> 1, 1 << 40, (1 << 40) - 1]) {
            let at = bucket(nanos);
            assert!(nanos <= upper(at), "{nanos}");
            assert!(at == 0 || nanos > upper(at - 1), "{nanos}");
            assert!((upper(at) - nanos) as f64 <= nanos as f64 / 32.0, "{nanos}");
        }
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut all = Histogram::default();
        let mut halves = [Histogram::default(), Histogram::default()];
        for nanos in 1..=1000 {
            all.record(nanos);
            halves[nanos as usize % 2].record(nanos);
        }
        assert_eq!((all.min(), all.mean(), all.max(), all.total()), (1, 500, 1000, 500_500));
        for (share, exact) in [(0.0, 1), (0.5, 500), (0.99, 990), (1.0, 1000)] {
            let found = all.percentile(share);
            assert!(found >= exact && found as f64 <= exact as f64 * (1.0 + 1.0 / 32.0), "{found}");
        }
        let [mut first, second] = halves;
        first.add(&second);
        assert_eq!(first, all);
        assert_eq!(Histogram::default().percentile(0.5), 0);
    }
}
