//! The threads of a generation, the one with the earliest event first.
//!
//! A binary heap, with just the reference's way to choose between equal times: which of two
//! threads comes first then is visible in the order of events.
//!
//! An entry of the heap is one number: the time, from the generation's start, and below it the
//! thread's place. Equal times must not be told apart by what is below. Times that have no room
//! there, which only broken traces have, and very many threads, make the heap a wide one.

use gotrail_format::gosort;

/// The threads by the time of their next event.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    /// The heap, and behind it [`LATE`] for each child that a thread could have.
    heap: Vec<u64>,
    /// How many threads are in `heap`.
    len: usize,
    /// Takes the place of `heap` once anything does not fit there.
    wide: Option<Vec<(i64, u32)>>,
    /// The time from which those in `heap` count.
    base: i64,
    /// The time of the first thread, and its cursor.
    time: i64,
    cursor: u32,
    /// The earlier of the times of the front's two children: as long as the front is not later,
    /// it stays the front, and the heap need not be touched.
    second: i64,
}

/// So many bits of an entry are the cursor.
const CURSOR: u32 = 16;
const CURSORS: u64 = (1 << CURSOR) - 1;

/// No thread: later than all.
const LATE: u64 = u64::MAX;

/// How long `heap` is for threads on `depth` levels below the first.
const fn room(depth: u32) -> usize {
    (4 << depth) - 1
}

/// An entry of a heap. Its order is that of times.
trait Entry: Copy {
    /// Whether this one's time is before the other's.
    fn is_before(self, other: Self) -> bool;
}

impl Entry for u64 {
    #[inline(always)]
    fn is_before(self, other: u64) -> bool {
        // As if it had the highest of all cursors: whatever the other one has then decides nothing.
        self | CURSORS < other
    }
}

impl Entry for (i64, u32) {
    #[inline(always)]
    fn is_before(self, other: (i64, u32)) -> bool {
        self.0 < other.0
    }
}

impl Frontier {
    /// Begins anew, without threads; their times are hardly before `start`.
    pub(crate) fn clear(&mut self, start: i64) {
        self.heap.clear();
        self.heap.resize(room(0), LATE);
        self.len = 0;
        self.wide = None;
        // Threads may wait at events that are somewhat earlier than the generation.
        const SLACK: i64 = 1 << 40;
        self.base = start.saturating_sub(SLACK);
        self.note_first();
    }

    pub(crate) fn len(&self) -> usize {
        self.wide.as_ref().map_or(self.len, Vec::len)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The time of the first thread's next event, if there is a thread.
    #[inline(always)]
    pub(crate) fn time(&self) -> i64 {
        self.time
    }

    /// The cursor of the first thread.
    #[inline(always)]
    pub(crate) fn first(&self) -> u32 {
        self.cursor
    }

    /// The earlier of the times of the front's two children.
    #[inline(always)]
    pub(crate) fn second(&self) -> i64 {
        self.second
    }

    /// The time and cursor of the `i`th thread, if there are so many.
    pub(crate) fn get(&self, i: usize) -> Option<(i64, u32)> {
        match &self.wide {
            None => self.heap[..self.len].get(i).map(|&entry| self.unpacked(entry)),
            Some(wide) => wide.get(i).copied(),
        }
    }

    /// All threads, in the order of the heap.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, u32)> + '_ {
        (0..).map_while(|i| self.get(i))
    }

    /// Adds a thread.
    pub(crate) fn push(&mut self, time: i64, cursor: u32) {
        match (self.packed(time, cursor), &mut self.wide) {
            (Some(entry), None) => {
                self.heap[self.len] = entry;
                rise(&mut self.heap, self.len);
                self.len += 1;
                self.heap.resize(room(self.len.ilog2() + 1), LATE);
            }
            _ => {
                let wide = self.widened();
                wide.push((time, cursor));
                let last = wide.len() - 1;
                rise(wide, last);
            }
        }
        self.note_first();
    }

    /// The `i`th thread has another event in front.
    pub(crate) fn update(&mut self, i: usize, time: i64) {
        let Some((_, cursor)) = self.get(i) else { return };
        match (self.packed(time, cursor), &mut self.wide) {
            (Some(entry), None) => {
                self.heap[i] = entry;
                if rise(&mut self.heap, i) == i {
                    sink(&mut self.heap[..self.len], i, entry);
                }
            }
            _ => {
                let wide = self.widened();
                wide[i].0 = time;
                if rise(wide, i) == i {
                    sink(wide, i, (time, cursor));
                }
            }
        }
        self.note_first();
    }

    /// The first thread has another event in front, which is later than [`Frontier::second`].
    #[inline(never)]
    pub(crate) fn sink_first(&mut self, time: i64) {
        if let Some(entry) = self.packed(time, self.cursor)
            && self.wide.is_none()
        {
            let depth = self.len.ilog2();
            // Each depth has code of its own.
            macro_rules! sink_first {
                ($($depth:literal)*) => {
                    match depth {
                        $($depth => sink_first::<$depth>(&mut self.heap, depth, entry),)*
                        _ => sink_first::<DEEPEST>(&mut self.heap, depth, entry),
                    }
                };
            }
            if depth < DEEP {
                sink(&mut self.heap[..self.len], 0, entry);
                self.note_first();
            } else {
                let (first, second) = sink_first!(4 5 6 7);
                (self.time, self.cursor) = self.unpacked(first);
                self.second = self.unpacked(second).0;
            }
        } else {
            self.update(0, time);
        }
    }

    /// The first thread has another event in front, and stays the first.
    #[inline(always)]
    pub(crate) fn set_first(&mut self, time: i64) {
        if let Some(entry) = self.packed(time, self.cursor)
            && self.wide.is_none()
        {
            self.heap[0] = entry;
            self.time = time;
        } else {
            self.update(0, time);
        }
    }

    /// Removes the `i`th thread.
    pub(crate) fn remove(&mut self, i: usize) {
        match &mut self.wide {
            None => {
                remove(&mut self.heap[..self.len], i);
                self.len -= 1;
                self.heap[self.len] = LATE;
            }
            Some(wide) => {
                remove(wide, i);
                wide.pop();
            }
        }
        self.note_first();
    }

    /// Sorts the threads by time, as the reference does, which stays a heap.
    pub(crate) fn sort(&mut self) {
        match &mut self.wide {
            None => {
                gosort::sort_unstable_by(&mut self.heap[..self.len], |&a, &b| a.is_before(b));
            }
            Some(wide) => gosort::sort_unstable_by(wide, |&a, &b| a.is_before(b)),
        }
        self.note_first();
    }

    /// Time and cursor as an entry, if they fit.
    #[inline(always)]
    fn packed(&self, time: i64, cursor: u32) -> Option<u64> {
        let time = time.wrapping_sub(self.base) as u64;
        let fits = time < LATE >> CURSOR && u64::from(cursor) <= CURSORS;
        fits.then_some(time << CURSOR | u64::from(cursor))
    }

    #[inline(always)]
    fn unpacked(&self, entry: u64) -> (i64, u32) {
        (self.base.wrapping_add((entry >> CURSOR) as i64), (entry & CURSORS) as u32)
    }

    /// The wide heap, made from the other one if there is none.
    #[cold]
    fn widened(&mut self) -> &mut Vec<(i64, u32)> {
        if self.wide.is_none() {
            self.wide = Some(self.iter().collect());
            self.len = 0;
        }
        self.wide.get_or_insert_default()
    }

    #[inline(always)]
    fn note_first(&mut self) {
        if self.wide.is_some() {
            return self.note_first_wide();
        }
        let [first, left, right] = [0, 1, 2].map(|i| self.unpacked(self.heap[i]));
        (self.time, self.cursor) = first;
        self.second = left.0.min(right.0);
    }

    #[cold]
    fn note_first_wide(&mut self) {
        let entry = |i| self.get(i).unwrap_or((i64::MAX, 0));
        let second = entry(1).0.min(entry(2).0);
        (self.time, self.cursor) = entry(0);
        self.second = second;
    }
}

/// Moves entry `i` towards the front while it is earlier than its parent; returns its place.
fn rise<E: Entry>(heap: &mut [E], mut i: usize) -> usize {
    while i > 0 && heap[i].is_before(heap[(i - 1) / 2]) {
        heap.swap(i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
    i
}

/// Puts an entry where it belongs from place `i` on: it changes places with the earlier child, of
/// equal ones the left, while that is earlier.
fn sink<E: Entry>(heap: &mut [E], mut i: usize, entry: E) {
    loop {
        let left = 2 * i + 1;
        let child = match heap.get(left..) {
            Some(&[a, b, ..]) => left + usize::from(b.is_before(a)),
            Some(&[_]) => left,
            _ => break,
        };
        if !heap[child].is_before(entry) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = entry;
}

/// In heaps that are less deep, an entry that sinks mostly comes to lie where the last one did.
const DEEP: u32 = 4;

/// Heaps that are deeper have no code of their own.
const DEEPEST: u32 = 32;

/// The same for an entry in the first place that is later than one of its children, in a heap of
/// `depth` levels below the first; returns the new first entry, and the earlier of its children.
///
/// Nobody can foresee how far the entry sinks, nor on which side: so no branch asks. It always goes
/// all the way, and behind its place nothing changes any more. What is returned is known long
/// before the rest is, and was not stored and loaded again. With a `DEPTH` that the compiler knows,
/// each level has instructions of its own, by which the processor learns that what is stored on
/// one level is not what is loaded on another.
#[inline(always)]
fn sink_first<const DEPTH: u32>(heap: &mut [u64], depth: u32, entry: u64) -> (u64, u64) {
    let select = |mask: u64, one: u64, other: u64| other ^ ((other ^ one) & mask);
    let earlier = |left: u64, right: u64| {
        let is_right = u64::from(right.is_before(left)).wrapping_neg();
        (select(is_right, right, left), select(is_right, left, right), (is_right & 1) as usize)
    };
    let depth = if DEPTH < DEEPEST { DEPTH } else { depth };
    let heap = &mut heap[..room(depth)];
    let (first, other, side) = earlier(heap[1], heap[2]);
    heap[0] = first;
    let (mut i, mut second) = (1 + side, entry);
    for level in 1..=depth {
        let (child, _, side) = earlier(heap[2 * i + 1], heap[2 * i + 2]);
        let sinks = u64::from(child.is_before(entry)).wrapping_neg();
        let here = select(sinks, child, entry);
        heap[i] = here;
        if level == 1 {
            second = here;
        }
        i = select(sinks, (2 * i + 1 + side) as u64, i as u64) as usize;
    }
    (first, if other.is_before(second) { other } else { second })
}

/// Moves entry `i` to the end, to be taken away: it goes to the front whatever the times, changes
/// places with the last, and the new front sinks.
fn remove<E: Entry>(heap: &mut [E], mut i: usize) {
    while i > 0 {
        heap.swap(i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
    let last = heap.len() - 1;
    heap.swap(0, last);
    if last > 0 {
        let first = heap[0];
        sink(&mut heap[..last], 0, first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Narrow and wide heaps keep threads in the same places, whatever happens to them.
        #[test]
        fn both_heaps_are_the_same(
            steps in prop::collection::vec((0..6u8, 0..40usize, 0..50i64), 1..300),
        ) {
            let (mut narrow, mut wide) = (Frontier::default(), Frontier::default());
            narrow.clear(0);
            wide.clear(0);
            wide.widened();
            for (cursor, (what, i, time)) in (0..).zip(steps) {
                for frontier in [&mut narrow, &mut wide] {
                    match what {
                        0 | 1 => frontier.push(time, cursor),
                        2 if i < frontier.len() => frontier.remove(i),
                        3 => frontier.sort(),
                        4 if time > frontier.second() => frontier.sink_first(time),
                        _ if i < frontier.len() => frontier.update(i, time),
                        _ => {}
                    }
                }
                let (a, b): (Vec<_>, Vec<_>) = (narrow.iter().collect(), wide.iter().collect());
                prop_assert_eq!(a, b);
                let first = |heap: &Frontier| (heap.time(), heap.first());
                if !narrow.is_empty() {
                    prop_assert_eq!(first(&narrow), first(&wide));
                }
                if narrow.len() > 1 {
                    prop_assert_eq!(narrow.second(), wide.second());
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_makes_it_wide() {
        for (time, cursor) in [(i64::MIN, 0), (i64::MAX, 0), (5, 1 << 16)] {
            let mut frontier = Frontier::default();
            frontier.clear(3);
            frontier.push(4, 1);
            frontier.push(time, cursor);
            frontier.push(9, 2);
            let mut all: Vec<_> = frontier.iter().collect();
            all.sort();
            let mut expected = [(4, 1), (9, 2), (time, cursor)];
            expected.sort();
            assert_eq!(all, expected);
            assert_eq!(frontier.time(), expected[0].0);
        }
    }
}
