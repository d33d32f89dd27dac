//! What the order needs to know of a proc's next event, if it is one of the commonest.
//!
//! Such events are read once, here, and happen in a stretch (`stretch.rs`). Whatever is not as the
//! runtime writes it is left to `merge.rs`, which reads it in full.

use super::merge;
use super::next::{self, Proc};
use super::slots::{NONE, Slots};
use super::wire::{self, Kind, Status};

/// A proc's next event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glance {
    pub(super) time: i64,
    /// The number that the goroutine must have; [`next::ANY`] if it has none.
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
    pub(super) const NONE: Glance =
        Glance { time: 0, seq: 0, end: 0, go: NONE, stack: 0, byte: 0, status: Status::Dead };

    #[inline(always)]
    pub(super) fn is_none(&self) -> bool {
        self.byte == 0
    }

    /// Whether the event can happen.
    #[inline(always)]
    pub(super) fn is_ready(&self, states: &[merge::Go]) -> bool {
        // There is a state if the event names a goroutine.
        let Some(state) = states.get(self.go as usize) else { return true };
        (state.status == self.status) & ((self.seq == next::ANY) | (self.seq == state.seq))
    }
}

impl Proc {
    /// Looks at the next event.
    #[inline(always)]
    pub(super) fn look(
        &self,
        data: &[u8],
        slots: &mut Slots,
        states: &mut Vec<merge::Go>,
    ) -> Glance {
        let window = data.get(self.at..).and_then(|rest| rest.first_chunk::<10>());
        let Some(window) = window else { return Glance::NONE };
        let byte = window[0];
        // The numbers stand behind the first byte, or the second, which is their length.
        let long = byte >= 0xc0;
        let [_, short_word @ .., _] = *window;
        let [_, _, long_word @ ..] = *window;
        let word = u64::from_le_bytes(if long { long_word } else { short_word });
        let mut numbers = wire::Cut::of(word);
        let time = self.time.wrapping_add(numbers.next() as i64);
        let mut next = Glance { time, seq: next::ANY, byte, ..Glance::NONE };
        let mut named = true;
        match byte {
            START | START_LOCAL => {
                next.go = slots.near(numbers.next());
                next.status = Status::Runnable;
                if byte == START {
                    next.seq = numbers.next();
                }
            }
            UNBLOCK | UNBLOCK_LOCAL => {
                next.go = slots.near(numbers.next());
                next.status = Status::Waiting;
                if byte == UNBLOCK {
                    next.seq = numbers.next();
                }
                // What an event does not need is gone over, not read.
                numbers.skip();
            }
            BLOCK | SEND | RECV | SELECT | SYNC | COND | NET | SLEEP | SCHED | PREEMPT => {
                numbers.skip();
                (next.go, next.status) = (self.go, Status::Running);
            }
            SYSCALL_BLOCK => (next.go, next.status) = (self.go, Status::Running),
            CREATE => {
                let (id, stack) = (numbers.next(), numbers.next());
                numbers.skip();
                if !numbers.are_whole() || stack > u64::from(u32::MAX) {
                    return Glance::NONE;
                }
                (next.go, next.seq, next.stack) = (slots.of(id), 0, stack as u32);
                if states.len() <= next.go as usize {
                    states.resize(slots.ids.len(), merge::Go::default());
                }
            }
            SYSCALL | ALLOC | GOAL | PROC_START => {
                numbers.skip();
                named = false;
            }
            END | PROC_STOP => named = false,
            _ => return Glance::NONE,
        }
        let len = numbers.len();
        next.end = self.at + 1 + usize::from(long) + len;
        let whole = numbers.are_whole() && next.end <= self.end;
        // The first slots are those of what is not a goroutine.
        let known = next.go > next::NOBODY_SLOT && (next.go as usize) < states.len();
        if !whole || long && len != usize::from(window[1]) || named && !known {
            return Glance::NONE;
        }
        next
    }
}
