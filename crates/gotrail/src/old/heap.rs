//! A heap of procs by time. What is equal comes out as it does in the reference.

#[derive(Debug, Clone, Default)]
pub(super) struct Heap {
    entries: Vec<(i64, u32)>,
    /// Whether an entry that is earlier than all others leaves the heap as it was when it goes in
    /// and comes out at once; none if that is not known.
    passes: Option<bool>,
}

impl Heap {
    /// Whether it makes no difference if an entry with this time goes in and comes out at once, or
    /// never goes in at all.
    #[inline(always)]
    pub(super) fn lets_pass(&mut self, time: i64) -> bool {
        let Some(&(first, _)) = self.entries.first() else { return true };
        time < first && self.passes.unwrap_or_else(|| self.find_passes())
    }

    /// The way from where the entry goes in to the top moves down one place, and up again when the
    /// entry comes out: unless equal times lie on the way or beside it.
    #[inline(never)]
    fn find_passes(&mut self) -> bool {
        let time = |at: usize| self.entries.get(at).map_or(i64::MAX, |&(time, _)| time);
        let (mut at, mut passes, mut lowest) = (self.entries.len(), true, None);
        while at > 0 {
            let parent = (at - 1) / 2;
            match lowest {
                // The entry that comes to the top instead, at first.
                None => lowest = Some(time(parent)),
                Some(lowest) => {
                    passes &= time(parent) < lowest;
                    // A left neighbour goes first if it is equal.
                    passes &= at % 2 == 1 || time(parent) < time(at - 1);
                }
            }
            at = parent;
        }
        self.passes = Some(passes);
        passes
    }

    #[inline(always)]
    pub(super) fn push(&mut self, time: i64, proc: u32) {
        self.passes = None;
        let heap = &mut self.entries;
        let mut child = heap.len();
        heap.push((time, proc));
        while child > 0 {
            let parent = (child - 1) / 2;
            if time >= heap[parent].0 {
                break;
            }
            heap[child] = heap[parent];
            child = parent;
        }
        heap[child] = (time, proc);
    }

    /// Puts an entry in and takes the earliest out.
    #[inline(always)]
    pub(super) fn exchange(&mut self, time: i64, proc: u32) -> u32 {
        if let [only] = &mut self.entries[..] {
            // As between two procs, which take turns all the time.
            if time < only.0 {
                return proc;
            }
            return std::mem::replace(only, (time, proc)).1;
        }
        self.push(time, proc);
        self.pop().unwrap_or(proc)
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<u32> {
        self.passes = None;
        let last = self.entries.pop()?;
        let heap = &mut self.entries[..];
        let Some(&(_, first)) = heap.first() else { return Some(last.1) };
        let mut parent = 0;
        loop {
            let left = 2 * parent + 1;
            let Some(&[a, b]) = heap.get(left..).and_then(|rest| rest.first_chunk::<2>()) else {
                // One child at most.
                if let Some(&child) = heap.get(left)
                    && child.0 < last.0
                {
                    heap[parent] = child;
                    parent = left;
                }
                break;
            };
            // Which of the two is the earlier is anybody's guess: no branch.
            let right = b.0 < a.0;
            let child = if right { b } else { a };
            if child.0 >= last.0 {
                break;
            }
            heap[parent] = child;
            parent = left + usize::from(right);
        }
        heap[parent] = last;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Few distinct times, so that many are equal.
        #[test]
        fn what_passes_changes_nothing(times in prop::collection::vec(1..9i64, 0..40), pops in 0..9) {
            let mut heap = Heap::default();
            for (proc, &time) in times.iter().enumerate() {
                heap.push(time, proc as u32);
            }
            for _ in 0..pops {
                heap.pop();
            }
            let before = heap.entries.clone();
            let passes = heap.lets_pass(0);
            heap.push(0, 99);
            prop_assert_eq!(heap.pop(), Some(99));
            prop_assert!(!passes || heap.entries == before);
        }
    }
}
