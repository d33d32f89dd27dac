//! A sort that puts elements where Go's `slices.SortFunc` puts them, ties included.
//!
//! Go's sort is not stable: elements that compare equal end up in an order that depends on the
//! algorithm, step by step. The reference sorts this way where ties are common (the threads
//! that wait for their turn, CPU samples, the rows of the footprint table), and then acts on or
//! prints the result. A reader that should give the same output therefore needs the same
//! permutation, which no sort of Rust's standard library promises.
//!
//! The algorithm is a pattern-defeating quicksort. What fixes the permutation:
//!
//! - ranges of up to 12 elements are sorted by insertion;
//! - the pivot is a median of three, from 50 elements on a median of three medians, and the
//!   number of exchanges on the way hints that the range is rising or falling;
//! - a falling range is reversed; a range that looks sorted gets up to five repairs;
//! - a pivot equal to the element before the range moves everything equal to it aside;
//! - after a lopsided partition three elements near the middle change places with others that a
//!   generator seeded with the length picks;
//! - after as many lopsided partitions as the length has bits, heap sort takes over.
//!
//! ```
//! let mut words = ["pear", "fig", "apple", "kiwi"];
//! gotrail_format::gosort::sort_unstable_by(&mut words, |a, b| a.len() < b.len());
//! assert_eq!(words, ["fig", "pear", "kiwi", "apple"]);
//! ```

/// Up to this length a range is sorted by insertion.
const INSERTION_MAX: usize = 12;
/// From this length on the pivot is a median of medians, and a nearly sorted range is repaired.
const LONG: usize = 50;
/// The exchanges of a pivot search that met falling order everywhere: four medians, three each.
const FALLING_EXCHANGES: u32 = 12;
/// How many inversions a nearly sorted range may have to be repaired in place.
const REPAIRS_MAX: usize = 5;

/// Sorts `v` by `less`, with the same permutation as Go's `slices.SortFunc`.
///
/// `less` is the comparison "comes strictly before". If it is not a strict weak order the result
/// is some permutation of the elements.
pub fn sort_unstable_by<T>(v: &mut [T], less: impl FnMut(&T, &T) -> bool) {
    let lopsided_max = usize::BITS - v.len().leading_zeros();
    let end = v.len();
    Sorter { v, less }.quicksort(0, end, lopsided_max);
}

/// What the search for a pivot says of the order of a range.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trend {
    Rising,
    Falling,
    Unclear,
}

/// The whole slice with its order. Methods work on the range `lo..hi`; they keep the whole slice
/// at hand because the element before a range matters.
struct Sorter<'a, T, F> {
    v: &'a mut [T],
    less: F,
}

impl<T, F: FnMut(&T, &T) -> bool> Sorter<'_, T, F> {
    /// Whether the element at `a` comes strictly before the one at `b`.
    #[inline]
    fn less(&mut self, a: usize, b: usize) -> bool {
        (self.less)(&self.v[a], &self.v[b])
    }

    fn quicksort(&mut self, mut lo: usize, mut hi: usize, mut lopsided_left: u32) {
        let mut balanced = true;
        let mut in_place = true;
        while hi - lo > INSERTION_MAX {
            if lopsided_left == 0 {
                return self.heap_sort(lo, hi);
            }
            if !balanced {
                self.scatter(lo, hi);
                lopsided_left -= 1;
            }

            let (mut pivot, mut trend) = self.pick_pivot(lo, hi);
            if trend == Trend::Falling {
                self.v[lo..hi].reverse();
                pivot = lo + (hi - 1 - pivot);
                trend = Trend::Rising;
            }
            if balanced && in_place && trend == Trend::Rising && self.repair(lo, hi) {
                return;
            }
            if lo > 0 && !self.less(lo - 1, pivot) {
                lo = self.skip_equal(lo, hi, pivot);
                continue;
            }

            let eighth = (hi - lo) / 8;
            let (middle, untouched) = self.partition(lo, hi, pivot);
            in_place = untouched;
            let (left, right) = (middle - lo, hi - middle);
            balanced = left.min(right) >= eighth;
            // The shorter side first: the depth of the recursion stays logarithmic.
            if left < right {
                self.quicksort(lo, middle, lopsided_left);
                lo = middle + 1;
            } else {
                self.quicksort(middle + 1, hi, lopsided_left);
                hi = middle;
            }
        }
        self.insertion_sort(lo, hi);
    }

    fn insertion_sort(&mut self, lo: usize, hi: usize) {
        for i in lo + 1..hi {
            let mut at = i;
            while at > lo && self.less(at, at - 1) {
                self.v.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    fn heap_sort(&mut self, lo: usize, hi: usize) {
        let len = hi - lo;
        for root in (0..=(len - 1) / 2).rev() {
            self.sink(lo, root, len);
        }
        for last in (0..len).rev() {
            self.v.swap(lo, lo + last);
            self.sink(lo, 0, last);
        }
    }

    /// Lets the element at `root` sink in the heap of `len` elements that begins at `lo`.
    fn sink(&mut self, lo: usize, mut root: usize, len: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= len {
                return;
            }
            if child + 1 < len && self.less(lo + child, lo + child + 1) {
                child += 1;
            }
            if !self.less(lo + root, lo + child) {
                return;
            }
            self.v.swap(lo + root, lo + child);
            root = child;
        }
    }

    /// Breaks a pattern that made a partition lopsided: exchanges the three elements around the
    /// middle with elements that a generator seeded with the length picks.
    fn scatter(&mut self, lo: usize, hi: usize) {
        let len = hi - lo;
        let mask = (1u64 << (usize::BITS - len.leading_zeros())) - 1;
        let mut random = len as u64;
        let middle = lo + len / 4 * 2;
        for at in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = (random & mask) as usize;
            if other >= len {
                other -= len;
            }
            self.v.swap(at, lo + other);
        }
    }

    /// The index of a pivot for a range of more than [`INSERTION_MAX`] elements.
    fn pick_pivot(&mut self, lo: usize, hi: usize) -> (usize, Trend) {
        let quarter = (hi - lo) / 4;
        let mut picks = [lo + quarter, lo + 2 * quarter, lo + 3 * quarter];
        let mut exchanges = 0;
        if hi - lo >= LONG {
            for pick in &mut picks {
                *pick = self.median([*pick - 1, *pick, *pick + 1], &mut exchanges);
            }
        }
        let pivot = self.median(picks, &mut exchanges);
        let trend = match exchanges {
            0 => Trend::Rising,
            FALLING_EXCHANGES => Trend::Falling,
            _ => Trend::Unclear,
        };
        (pivot, trend)
    }

    /// Which of three indices holds the median; counts how often two had to be exchanged.
    fn median(&mut self, mut at: [usize; 3], exchanges: &mut u32) -> usize {
        for (first, second) in [(0, 1), (1, 2), (0, 1)] {
            if self.less(at[second], at[first]) {
                at.swap(first, second);
                *exchanges += 1;
            }
        }
        at[1]
    }

    /// Tries to finish a range that looks sorted with a few repairs; whether that succeeded.
    fn repair(&mut self, lo: usize, hi: usize) -> bool {
        let mut i = lo + 1;
        for _ in 0..REPAIRS_MAX {
            while i < hi && !self.less(i, i - 1) {
                i += 1;
            }
            if i == hi {
                return true;
            }
            if hi - lo < LONG {
                return false;
            }
            self.v.swap(i, i - 1);
            // The smaller element goes on to the left, the greater one to the right. The left
            // end is that of the whole slice: only an inconsistent order gets beyond `lo`.
            if i - lo >= 2 {
                let mut at = i - 1;
                while at >= 1 && self.less(at, at - 1) {
                    self.v.swap(at, at - 1);
                    at -= 1;
                }
            }
            let mut at = i + 1;
            while at < hi && self.less(at, at - 1) {
                self.v.swap(at, at - 1);
                at += 1;
            }
        }
        false
    }

    /// Partitions a range into elements less than the pivot, the pivot, and the others. Returns
    /// where the pivot ends up and whether nothing had to move.
    fn partition(&mut self, lo: usize, hi: usize, pivot: usize) -> (usize, bool) {
        self.v.swap(lo, pivot);
        // What is left of `i` is less than the pivot, what is right of `j` is not.
        let (mut i, mut j) = (lo + 1, hi - 1);
        let mut untouched = true;
        loop {
            while i <= j && self.less(i, lo) {
                i += 1;
            }
            while i <= j && !self.less(j, lo) {
                j -= 1;
            }
            if i > j {
                self.v.swap(j, lo);
                return (j, untouched);
            }
            self.v.swap(i, j);
            untouched = false;
            i += 1;
            j -= 1;
        }
    }

    /// For a pivot that nothing in the range is less than: moves what equals it to the front and
    /// returns where the greater elements begin.
    fn skip_equal(&mut self, lo: usize, hi: usize, pivot: usize) -> usize {
        self.v.swap(lo, pivot);
        let (mut i, mut j) = (lo + 1, hi - 1);
        loop {
            while i <= j && !self.less(lo, i) {
                i += 1;
            }
            while i <= j && self.less(lo, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.v.swap(i, j);
            i += 1;
            j -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
