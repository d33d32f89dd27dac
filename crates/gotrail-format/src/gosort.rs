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
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// SplitMix64: the same numbers here and in the Go program that recorded the hashes.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }

    /// Sorts by key and hashes where each element came from.
    fn permutation(keys: &[u64]) -> u64 {
        let mut elements: Vec<(u64, u64)> = keys.iter().copied().zip(0..).collect();
        sort_unstable_by(&mut elements, |a, b| a.0 < b.0);
        assert!(elements.is_sorted_by_key(|element| element.0));
        let hash = |h: u64, element: &(u64, u64)| (h ^ element.1).wrapping_mul(0x100_0000_01b3);
        elements.iter().fold(0xcbf2_9ce4_8422_2325, hash)
    }

    /// McIlroy's adversary: decides what an element is only when the sort compares it, so that
    /// every pivot is a bad one. At most `decided_max` elements are decided, the others tie.
    fn adversary(n: usize, decided_max: usize) -> Vec<u64> {
        let state = RefCell::new((vec![n; n], 0, 0));
        let mut order: Vec<usize> = (0..n).collect();
        sort_unstable_by(&mut order, |&x, &y| {
            let (values, decided, candidate) = &mut *state.borrow_mut();
            if values[x] == n && values[y] == n && *decided < decided_max {
                values[if x == *candidate { x } else { y }] = *decided;
                *decided += 1;
            }
            if values[x] == n {
                *candidate = x;
            } else if values[y] == n {
                *candidate = y;
            }
            values[x] < values[y]
        });
        state.into_inner().0.into_iter().map(|value| value as u64).collect()
    }

    /// Hashes recorded from `slices.SortFunc` of Go 1.27.3. The columns: a quarter as many keys
    /// as elements, three keys, falling with ties, an organ pipe, rising with three exchanges,
    /// and fifty adversaries (which reach heap sort from 49 elements on).
    const RECORDED: [(usize, [u64; 6]); 7] = [
        (
            12,
            [
                0x5df7_a05b_bacf_7a9d,
                0xa460_235c_c64f_4417,
                0x57ba_9480_012a_8f4f,
                0x8808_7f26_8db8_02cf,
                0xec75_aa9c_0fc9_f32f,
                0x5bd4_a0a6_5766_c220,
            ],
        ),
        (
            13,
            [
                0x3678_d95d_9354_ed05,
                0x3b16_c422_a74f_84bf,
                0x3d5c_5a78_177a_3ed9,
                0x505d_5741_9aa7_370b,
                0x597a_eeae_c885_475b,
                0x6d72_57be_1c4f_6060,
            ],
        ),
        (
            49,
            [
                0xe2b2_3e7e_5980_6ed9,
                0x3dfb_0456_6fcd_ce3d,
                0x558f_b9f7_514d_db9f,
                0x91dd_0784_ab63_ec7f,
                0xb260_9e71_b2d0_f035,
                0xd919_6cd1_0a0e_a414,
            ],
        ),
        (
            50,
            [
                0x77ff_8577_987b_a700,
                0x1073_f121_79ad_a2ee,
                0x9343_451b_7a46_6e24,
                0xe9d3_5320_d0db_7cd2,
                0xce03_fae0_6e53_b542,
                0xa382_871e_a678_f9f0,
            ],
        ),
        (
            137,
            [
                0x2d3c_93be_3a5c_ba4b,
                0xc046_893f_7efd_01e9,
                0x53fe_95b1_f359_0a21,
                0x8714_ecca_fa82_a6f9,
                0xd8c1_4d18_0b6f_a9c9,
                0x8a5c_508e_cea6_80b4,
            ],
        ),
        (
            1000,
            [
                0xdf27_66c3_70c2_7117,
                0x1c89_a3ac_c615_62bd,
                0xe215_947c_472f_2c91,
                0x4354_304d_249c_9831,
                0xe5dc_294a_cda6_9e3b,
                0xccdc_c09b_6952_1240,
            ],
        ),
        (
            5000,
            [
                0xecef_1995_e7ce_01bb,
                0x0195_f240_db20_841b,
                0x54b8_7338_7de1_b995,
                0x6a10_10ef_6068_ca51,
                0x26c8_c78e_61a3_d0dd,
                0xb38f_5f51_6528_c75c,
            ],
        ),
    ];

    #[test]
    fn permutations_equal_those_of_go() {
        for (n, want) in RECORDED {
            let mut numbers = Numbers(n as u64);
            let len = n as u64;
            let random: Vec<u64> = (0..n).map(|_| numbers.next() % (len / 4)).collect();
            let few: Vec<u64> = (0..n).map(|_| numbers.next() % 3).collect();
            let falling: Vec<u64> = (0..len).map(|i| (len - i) / 3).collect();
            let organ: Vec<u64> = (0..len).map(|i| i.min(len - i)).collect();
            let mut nearly: Vec<u64> = (0..len).map(|i| i / 2).collect();
            for _ in 0..3 {
                let (a, b) = (numbers.next() % len, numbers.next() % len);
                nearly.swap(a as usize, b as usize);
            }
            let plain = [random, few, falling, organ, nearly].map(|keys| permutation(&keys));
            let adversaries = (10..=500).step_by(10).fold(0u64, |sum, decided_max| {
                sum.wrapping_mul(31).wrapping_add(permutation(&adversary(n, decided_max)))
            });
            assert_eq!(plain, want[..5], "{n} elements");
            assert_eq!(adversaries, want[5], "adversaries of {n} elements");
        }
    }

    #[test]
    fn short_slices_are_stable_by_insertion() {
        for n in 0..=INSERTION_MAX {
            let mut elements: Vec<(usize, usize)> = (0..n).map(|i| (i % 3, i)).collect();
            let mut stable = elements.clone();
            stable.sort_by_key(|element| element.0);
            sort_unstable_by(&mut elements, |a, b| a.0 < b.0);
            assert_eq!(elements, stable);
        }
    }

    #[test]
    fn an_inconsistent_order_does_no_harm() {
        let mut numbers = Numbers(1);
        for n in 0..300 {
            let mut elements: Vec<usize> = (0..n).collect();
            sort_unstable_by(&mut elements, |_, _| numbers.next().is_multiple_of(2));
            elements.sort_unstable();
            assert!(elements.into_iter().eq(0..n));
        }
    }
}
