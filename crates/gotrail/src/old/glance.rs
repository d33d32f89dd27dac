//! What the order needs to know of a proc's next event, if it is one of the commonest.
//!
//! Such events are read once, here, and happen in a stretch (`stretch.rs`). Whatever is not as the
//! runtime writes it is left to `merge.rs`, which reads it in full.

use super::merge::{self, Proc};
use super::slots::{NONE, Slots};
use super::wire::{self, Kind, Status};

/// A proc's next event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glance {
    pub(super) time: i64,
    /// The number that the goroutine must have; [`merge::ANY`] if it has none.
    seq: u64,
    /// Where the event ends.
    pub(super) end: usize,
    /// The goroutine whose state matters, or none.
    pub(super) go: u32,
    /// The stack of a goroutine that is created.
    pub(super) stack: u32,
    /// The first byte; 0 if nothing is known.
    pub(super) byte: u8,
    /// The status that the goroutine must have.
    status: Status,
}

/// The first byte of an event with so many numbers, as the runtime writes it.
const fn byte(kind: Kind, numbers: u8) -> u8 {
    kind.0 | (if numbers > 3 { 3 } else { numbers - 1 }) << 6
}

macro_rules! bytes {
    ($($name:ident = $kind:ident $numbers:literal;)*) => {
        $(pub(super) const $name: u8 = byte(Kind::$kind, $numbers);)*
    };
}

bytes! {
    START = GO_START 3;
    START_LOCAL = GO_START_LOCAL 2;
    BLOCK = GO_BLOCK 2;
    SEND = GO_BLOCK_SEND 2;
    RECV = GO_BLOCK_RECV 2;
    SELECT = GO_BLOCK_SELECT 2;
    SYNC = GO_BLOCK_SYNC 2;
    COND = GO_BLOCK_COND 2;
    NET = GO_BLOCK_NET 2;
    SLEEP = GO_SLEEP 2;
    SCHED = GO_SCHED 2;
    PREEMPT = GO_PREEMPT 2;
    UNBLOCK = GO_UNBLOCK 4;
    UNBLOCK_LOCAL = GO_UNBLOCK_LOCAL 3;
    CREATE = GO_CREATE 4;
    END = GO_END 1;
    SYSCALL = SYSCALL 2;
    SYSCALL_BLOCK = SYSCALL_BLOCK 1;
    ALLOC = HEAP_ALLOC 2;
    GOAL = HEAP_GOAL 2;
    PROC_START = PROC_START 2;
    PROC_STOP = PROC_STOP 1;
}

impl Glance {
    pub(super) const NONE: Glance = Glance {
        time: 0,
        seq: 0,
        end: 0,
        go: NONE,
        stack: 0,
        byte: 0,
        status: Status::Dead,
    };

    #[inline(always)]
    pub(super) fn is_none(&self) -> bool {
        self.byte == 0
    }

    /// Whether the event can happen; none if nothing is known of it.
    #[inline(always)]
    pub(super) fn is_ready(&self, states: &[merge::Go]) -> Option<bool> {
        if self.byte == 0 {
            return None;
        }
        if self.go == NONE {
            return Some(true);
        }
        let state = states.get(self.go as usize)?;
        let right = (self.seq == merge::ANY) | (self.seq == state.seq);
        Some((state.status == self.status) & right)
    }
}

impl Proc {
    /// Looks at the next event.
    #[inline(always)]
    pub(super) fn glance(&mut self, data: &[u8], slots: &mut Slots, states: &mut Vec<merge::Go>) {
        self.glance.byte = 0;
        let window = data.get(self.at..self.end).and_then(|rest| rest.first_chunk::<10>());
        let Some(window) = window else { return };
        // The numbers stand behind the first byte, or the second, which is their length.
        let long = window[0] >= 0xc0;
        let [_, short_word @ .., _] = *window;
        let [_, _, long_word @ ..] = *window;
        let word = u64::from_le_bytes(if long { long_word } else { short_word });
        let mut numbers = wire::Cut::of(word);
        let time = self.time.wrapping_add(numbers.next() as i64);
        let (mut go, mut seq, mut stack, mut status) = (NONE, merge::ANY, 0, Status::Running);
        match window[0] {
            START | START_LOCAL => {
                go = slots.near(numbers.next());
                if window[0] == START {
                    seq = numbers.next();
                }
                status = Status::Runnable;
            }
            UNBLOCK | UNBLOCK_LOCAL => {
                go = slots.near(numbers.next());
                if window[0] == UNBLOCK {
                    seq = numbers.next();
                }
                // What an event does not need is gone over, not read.
                numbers.skip();
                status = Status::Waiting;
            }
            BLOCK | SEND | RECV | SELECT | SYNC | COND | NET | SLEEP | SCHED | PREEMPT => {
                numbers.skip();
                go = self.go;
            }
            SYSCALL_BLOCK => go = self.go,
            CREATE => {
                let id = numbers.next();
                let of = numbers.next();
                numbers.skip();
                if !numbers.are_whole() || of > u64::from(u32::MAX) {
                    return;
                }
                (go, seq, stack, status) = (slots.of(id), 0, of as u32, Status::Dead);
                if states.len() <= go as usize {
                    states.resize(slots.ids.len(), merge::Go::default());
                }
            }
            SYSCALL | ALLOC | GOAL | PROC_START => numbers.skip(),
            END | PROC_STOP => {}
            _ => return,
        }
        let named = !matches!(
            window[0],
            SYSCALL | ALLOC | GOAL | PROC_START | END | PROC_STOP
        );
        // These slots are those of what is not a goroutine; nothing is known of later ones.
        let known = (merge::NOBODY_SLOT + 1..states.len() as u32).contains(&go);
        let len = numbers.len();
        let right = numbers.are_whole() && (!long || len == usize::from(window[1]));
        if !right || named && !known {
            return;
        }
        // None of the two largest numbers means itself.
        if seq > merge::LARGEST && matches!(window[0], START | UNBLOCK) {
            return;
        }
        let end = self.at + 1 + usize::from(long) + len;
        self.glance = Glance { time, seq, end, go, stack, byte: window[0], status };
    }
}
