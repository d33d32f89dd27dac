//! The threads of a generation, the one with the earliest event first.
//!
//! A binary heap, with just the reference's way to choose between equal times: which of two
//! threads comes first then is visible in the order of events.

use gotrail_format::gosort;

/// The threads by the time of their next event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    /// One time more than there are threads: a right child that does not exist is late.
    times: Vec<i64>,
    cursors: Vec<u32>,
    /// The earlier of the times of the front's two children: as long as the front is not later,
    /// it stays the front, and the heap need not be touched.
    second: i64,
}

/// With more threads than this it is rare that two take turns.
const FEW: usize = 16;

impl Frontier {
    /// Begins anew, without threads.
    pub(crate) fn clear(&mut self) {
        self.times.clear();
        self.times.push(i64::MAX);
        self.cursors.clear();
        self.second = i64::MAX;
    }

    pub(crate) fn len(&self) -> usize {
        self.cursors.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cursors.is_empty()
    }

    /// The time of the first thread's next event; the latest of all if there is no thread.
    #[inline(always)]
    pub(crate) fn time(&self) -> i64 {
        self.times[0]
    }

    /// The cursor of the first thread.
    #[inline(always)]
    pub(crate) fn first(&self) -> u32 {
        self.cursors[0]
    }

    /// The time and cursor of the `i`th thread, if there are so many.
    pub(crate) fn get(&self, i: usize) -> Option<(i64, u32)> {
        Some((*self.times.get(i)?, *self.cursors.get(i)?))
    }

    /// All threads, in the order of the heap.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, u32)> + '_ {
        self.times.iter().copied().zip(self.cursors.iter().copied())
    }

    /// The earlier of the times of the front's two children.
    #[inline(always)]
    pub(crate) fn second(&self) -> i64 {
        self.second
    }

    /// Adds a thread.
    pub(crate) fn push(&mut self, time: i64, cursor: u32) {
        let last = self.cursors.len();
        self.cursors.push(cursor);
        self.times[last] = time;
        self.times.push(i64::MAX);
        self.rise(last, time);
        self.note_second();
    }

    /// The `i`th thread has another event in front.
    pub(crate) fn update(&mut self, i: usize, time: i64) {
        self.times[i] = time;
        if self.rise(i, time) == i {
            self.sink(i, time);
        }
        self.note_second();
    }

    /// The first thread has another event in front, which is later than [`Frontier::second`].
    #[inline(always)]
    pub(crate) fn sink_first(&mut self, time: i64) {
        // Where two of a few threads take turns, they change places and nothing else moves.
        if self.cursors.len() <= FEW
            && let (&[_, left, right, ..], &[first, ..]) = (&self.times[..], &self.cursors[..])
        {
            let child = 1 + usize::from(right < left);
            let (earlier, other) = if right < left { (right, left) } else { (left, right) };
            let stays = match self.times.get(2 * child + 1..2 * child + 3) {
                Some(&[left, right]) => time <= left && time <= right,
                // It has no children: otherwise room for a second one would be there.
                _ => true,
            };
            if stays {
                (self.times[0], self.times[child]) = (earlier, time);
                (self.cursors[0], self.cursors[child]) = (self.cursors[child], first);
                self.second = time.min(other);
                return;
            }
        }
        self.sink_deep(time);
    }

    #[inline(never)]
    fn sink_deep(&mut self, time: i64) {
        self.sink(0, time);
        self.note_second();
    }

    /// The first thread has another event in front, and stays the first.
    #[inline(always)]
    pub(crate) fn set_first(&mut self, time: i64) {
        self.times[0] = time;
    }

    /// Removes the `i`th thread: it goes to the front whatever the times, changes places with the
    /// last, and the new front sinks.
    pub(crate) fn remove(&mut self, mut i: usize) {
        while i > 0 {
            let parent = (i - 1) / 2;
            self.times[i] = self.times[parent];
            self.cursors[i] = self.cursors[parent];
            i = parent;
        }
        self.times.pop();
        self.cursors.swap_remove(0);
        let last = self.cursors.len();
        let time = std::mem::replace(&mut self.times[last], i64::MAX);
        if last > 0 {
            self.times[0] = time;
            self.sink(0, time);
        }
        self.note_second();
    }

    /// Sorts the threads by time, as the reference does, which stays a heap.
    pub(crate) fn sort(&mut self) {
        if self.times.is_sorted() {
            // The reference's sort leaves this alone.
            return;
        }
        let mut entries: Vec<(i64, u32)> =
            self.times.iter().copied().zip(self.cursors.iter().copied()).collect();
        gosort::sort_unstable_by(&mut entries, |a, b| a.0 < b.0);
        for (i, (time, cursor)) in entries.into_iter().enumerate() {
            (self.times[i], self.cursors[i]) = (time, cursor);
        }
        self.note_second();
    }

    #[inline]
    fn note_second(&mut self) {
        let time = |i| self.times.get(i).copied().unwrap_or(i64::MAX);
        self.second = time(1).min(time(2));
    }

    /// Moves thread `i` towards the front while it is earlier than its parent; returns its place.
    fn rise(&mut self, mut i: usize, time: i64) -> usize {
        while i > 0 && self.times[(i - 1) / 2] > time {
            let parent = (i - 1) / 2;
            self.times.swap(i, parent);
            self.cursors.swap(i, parent);
            i = parent;
        }
        i
    }

    /// Puts thread `i`, which now has this time, where it belongs behind `i`: it changes places
    /// with the earlier child, of equal ones the left, while that is earlier.
    #[inline]
    fn sink(&mut self, mut i: usize, time: i64) {
        let len = self.cursors.len();
        let (times, cursors) = (&mut self.times[..=len], &mut self.cursors[..len]);
        let cursor = cursors[i];
        loop {
            let left = 2 * i + 1;
            if left >= len {
                break;
            }
            let child = left + usize::from(times[left + 1] < times[left]);
            if times[child] >= time {
                break;
            }
            times[i] = times[child];
            cursors[i] = cursors[child];
            i = child;
        }
        times[i] = time;
        cursors[i] = cursor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same heap without anything clever: entries that change places, by the rules of
    /// docs/format.md.
    #[derive(Default)]
    struct Plain(Vec<(i64, u32)>);

    impl Plain {
        fn up(&mut self, mut i: usize) -> usize {
            while i > 0 && self.0[(i - 1) / 2].0 > self.0[i].0 {
                self.0.swap(i, (i - 1) / 2);
                i = (i - 1) / 2;
            }
            i
        }

        fn down(&mut self, mut i: usize) {
            loop {
                let mut least = i;
                for child in [2 * i + 1, 2 * i + 2] {
                    if child < self.0.len() && self.0[child].0 < self.0[least].0 {
                        least = child;
                    }
                }
                if least == i {
                    return;
                }
                self.0.swap(i, least);
                i = least;
            }
        }

        fn update(&mut self, i: usize, time: i64) {
            self.0[i].0 = time;
            if self.up(i) == i {
                self.down(i);
            }
        }

        fn remove(&mut self, mut i: usize) {
            while i > 0 {
                self.0.swap(i, (i - 1) / 2);
                i = (i - 1) / 2;
            }
            self.0.swap_remove(0);
            self.down(0);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn threads_lie_where_the_reference_has_them(
            steps in prop::collection::vec((0..6u8, 0..40usize, 0..50i64), 1..300),
        ) {
            let (mut frontier, mut plain) = (Frontier::default(), Plain::default());
            frontier.clear();
            for (cursor, (what, i, time)) in (0..).zip(steps) {
                match what {
                    0 | 1 => {
                        frontier.push(time, cursor);
                        plain.0.push((time, cursor));
                        plain.up(plain.0.len() - 1);
                    }
                    2 if i < frontier.len() => {
                        frontier.remove(i);
                        plain.remove(i);
                    }
                    3 => {
                        frontier.sort();
                        gosort::sort_unstable_by(&mut plain.0, |a, b| a.0 < b.0);
                    }
                    4 if !frontier.is_empty() && time > frontier.second() => {
                        frontier.sink_first(time);
                        plain.update(0, time);
                    }
                    5 if !frontier.is_empty() && time <= frontier.second() => {
                        frontier.set_first(time);
                        plain.update(0, time);
                    }
                    _ if i < frontier.len() => {
                        frontier.update(i, time);
                        plain.update(i, time);
                    }
                    _ => {}
                }
                prop_assert_eq!(&frontier.iter().collect::<Vec<_>>(), &plain.0);
                let children = plain.0.iter().skip(1).take(2).map(|entry| entry.0).min();
                prop_assert_eq!(frontier.second(), children.unwrap_or(i64::MAX));
            }
        }
    }
}
