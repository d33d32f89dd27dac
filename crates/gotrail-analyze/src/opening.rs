//! What a fold notes of procs until it knows what there was at the beginning: which procs
//! were held, and how many goroutines were runnable.
//!
//! The tracer tells of everything at its first mention in a generation, and most of what can run
//! is mentioned soon. So changes are noted, in eight bytes each, until the last news of the
//! beginning are long past. What is only noted has to be gone through a second time, which is why
//! that should not take longer than it must. Should there be news after all, a goroutine that waited
//! is still counted where nothing else depends on it. Otherwise, and for a proc that was held, the
//! merge is refused.

use crate::procs::{Change, First};

/// Changes before the first look whether everything was mentioned.
const FEW: usize = 1 << 12;

/// Changes after which not every proc need have been mentioned.
const ENOUGH: usize = 1 << 15;

/// What happened, and what was learned of the beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening {
    /// Changes: the time since the beginning, what it is, an id.
    noted: Vec<u64>,
    /// How many there were at the last news.
    news: usize,
    enough: usize,
    pub(crate) first: First,
}

const RUNNABLE: u64 = 0;
const NOT_RUNNABLE: u64 = 1;

const ID_BITS: u32 = 20;
const KIND_BITS: u32 = 3;
const TIME_BITS: u32 = 64 - ID_BITS - KIND_BITS;

impl Opening {
    /// With the number of procs that there were at some time before, 0 if it is not known, and
    /// room that was used before.
    pub(crate) fn new(limit: i64, room: Vec<u64>) -> Opening {
        let mut opening = Opening { noted: room, enough: FEW, ..Opening::default() };
        opening.first.now.limit = limit;
        opening
    }

    /// A goroutine is mentioned that was runnable.
    pub(crate) fn was_runnable(&mut self) {
        self.first.now.runnable += 1;
        self.news = self.noted.len();
    }

    /// Something happens. True if what there was at the beginning is taken for known then.
    #[inline]
    pub(crate) fn note(&mut self, time: i64, change: Change) -> bool {
        // Nearly all changes are these.
        match change {
            Change::Runnable => self.push(time, RUNNABLE, 0),
            Change::NotRunnable => self.push(time, NOT_RUNNABLE, 0),
            change => self.note_other(time, change),
        }
    }

    fn note_other(&mut self, time: i64, change: Change) -> bool {
        let (kind, id) = match change {
            Change::Runnable => (RUNNABLE, 0),
            Change::NotRunnable => (NOT_RUNNABLE, 0),
            Change::Held(id) => (2, id),
            Change::Idle(id) => (3, id),
            Change::Stolen(id) => (4, id),
            Change::Status(id, held) => {
                self.first.now.held += i64::from(held);
                self.first.procs.push((id, held));
                self.news = self.noted.len();
                return false;
            }
            Change::Procs(number) => {
                if self.first.now.limit == 0 {
                    self.first.now.limit = number;
                }
                (5, number)
            }
        };
        self.push(time, kind, id)
    }

    #[inline]
    fn push(&mut self, time: i64, kind: u64, id: i64) -> bool {
        let since = time - self.first.sync;
        if since >> TIME_BITS != 0 || id >> ID_BITS != 0 {
            self.first.late = true;
            return true;
        }
        let packed = (since as u64) << (ID_BITS + KIND_BITS) | (id as u64) << KIND_BITS | kind;
        self.noted.push(packed);
        self.noted.len() >= self.enough && self.is_enough()
    }

    /// Whether the last news are long past, and no proc is likely to be news.
    #[cold]
    fn is_enough(&mut self) -> bool {
        self.enough = 2 * self.noted.len();
        let (First { now, procs, .. }, noted) = (&self.first, self.noted.len());
        let all_procs = now.limit > 0 && procs.len() as i64 >= now.limit;
        self.news < noted / 2 && (all_procs || noted >= ENOUGH)
    }

    /// What was learned, and the room, which is kept unless it has become very large.
    pub(crate) fn ends(mut self) -> (First, Vec<u64>) {
        self.noted.clear();
        self.noted.shrink_to(2 * ENOUGH);
        (self.first, self.noted)
    }

    /// What happened, with the times.
    pub(crate) fn changes(&self) -> impl DoubleEndedIterator<Item = (i64, Change)> + '_ {
        self.noted.iter().map(|&packed| {
            let time = self.first.sync + (packed >> (ID_BITS + KIND_BITS)) as i64;
            let id = (packed >> KIND_BITS & ((1 << ID_BITS) - 1)) as i64;
            let change = match packed & ((1 << KIND_BITS) - 1) {
                RUNNABLE => Change::Runnable,
                NOT_RUNNABLE => Change::NotRunnable,
                2 => Change::Held(id),
                3 => Change::Idle(id),
                4 => Change::Stolen(id),
                _ => Change::Procs(id),
            };
            (time, change)
        })
    }
}
