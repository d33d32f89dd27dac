//! The commonest events, put in order and checked in one loop.
//!
//! As long as a proc's next event is earlier than those of all others, and is of the commonest
//! kinds and finds everything as it should be, nothing of it need be stored but what it changes.
//! The first event that is not like that ends the stretch before anything has changed: `merge.rs`
//! and `check.rs` decide what becomes of it. They would make the same of every event here.

use super::check::{self, Check};
use super::merge::{self, Merge, Offer};
use super::slots::NONE;
use super::wire::{self, Kind, Status};
use super::{convert, heap::Heap};
use crate::stacks::Stacks;

/// What came of a stretch.
#[derive(Default)]
pub(super) struct Stretch {
    /// How many events happened.
    pub(super) events: u64,
    /// How many of the newer format they come to.
    pub(super) yields: u64,
}

/// The first byte of an event with so many numbers, as the runtime writes it.
const fn byte(kind: Kind, numbers: u8) -> u8 {
    kind.0 | (if numbers > 3 { 3 } else { numbers - 1 }) << 6
}

macro_rules! bytes {
    ($($name:ident = $kind:ident $numbers:literal;)*) => {
        $(const $name: u8 = byte(Kind::$kind, $numbers);)*
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
}

impl Merge {
    /// Looks at a proc's next event, if it is of the commonest kinds.
    #[inline(always)]
    pub(super) fn glance(&self, place: u32, data: &[u8]) -> Option<Offer> {
        let proc = &self.procs[place as usize];
        let window: &[u8; 10] = data.get(proc.at..proc.end)?.first_chunk()?;
        let mut numbers = numbers_of(window);
        let time = proc.time.wrapping_add(numbers.next() as i64);
        let (subject, ready) = match window[0] {
            START | START_LOCAL | UNBLOCK | UNBLOCK_LOCAL => {
                let slot = self.goroutines.near(numbers.next());
                let state = self.states.get(slot as usize)?;
                let numbered = matches!(window[0], START | UNBLOCK);
                let seq = if numbered { numbers.next() } else { state.seq };
                let starts = matches!(window[0], START | START_LOCAL);
                if !starts {
                    numbers.skip();
                }
                if seq > merge::LARGEST {
                    return None;
                }
                let status = if starts { Status::Runnable } else { Status::Waiting };
                (slot, state.status == status && seq == state.seq)
            }
            BLOCK | SEND | RECV | SELECT | SYNC | COND | NET | SLEEP | SCHED | PREEMPT
            | SYSCALL_BLOCK => {
                if window[0] != SYSCALL_BLOCK {
                    numbers.skip();
                }
                if proc.go <= merge::NOBODY_SLOT {
                    return None;
                }
                (proc.go, self.states.get(proc.go as usize)?.status == Status::Running)
            }
            SYSCALL | ALLOC => {
                numbers.skip();
                (NONE, true)
            }
            END => (NONE, true),
            _ => return None,
        };
        let right =
            numbers.are_whole() && (window[0] < 0xc0 || numbers.len() == usize::from(window[1]));
        right.then_some(Offer { time, subject, ready })
    }
}

/// Lets events of the proc happen whose turn it is.
#[inline(always)]
pub(super) fn stretch(
    merge: &mut Merge,
    check: &mut Check<'_>,
    data: &[u8],
    stacks: &Stacks,
    number: u64,
    place: u32,
) -> Stretch {
    let mut done = Stretch::default();
    let mut changed = NONE;
    let Merge { procs, waiting, heap, goroutines, states, .. } = merge;
    let proc = &mut procs[place as usize];
    let on = &mut check.procs[place as usize];
    let gos = &mut check.goroutines;
    if proc.has_next {
        return done;
    }
    let (mut at, mut time, mut go) = (proc.at, merge.time, proc.go);
    let mut clock = proc.time;
    let mut turn = Turn { heap, limit: None };
    loop {
        let window: Option<&[u8; 10]> = data.get(at..proc.end).and_then(|rest| rest.first_chunk());
        let Some(window) = window else { break };
        let short = window[0] < 0xc0;
        let mut numbers = numbers_of(window);
        let now = clock.wrapping_add(numbers.next() as i64);
        if now < time || done.events > 0 && !turn.is_before_others(now) {
            break;
        }
        // What an event does not need is gone over, not read.
        match window[0] {
            START | START_LOCAL => {
                let id = numbers.next();
                let seq = if window[0] == START { Some(numbers.next()) } else { None };
                let slot = goroutines.near(id);
                let (Some(state), Some(of)) =
                    (states.get_mut(slot as usize), gos.get_mut(slot as usize))
                else {
                    break;
                };
                let right = state.status == Status::Runnable
                    && of.state == Status::Runnable
                    && on.go == 0
                    && seq.is_none_or(|seq| seq == state.seq)
                    && state.seq < merge::LARGEST
                    && numbers.are_whole();
                if !right {
                    break;
                }
                (state.status, of.state) = (Status::Running, Status::Running);
                state.seq += 1;
                of.network = false;
                (of.touched, of.syscall) = (now, 0);
                (on.go, go, changed) = (slot, slot, slot);
            }
            BLOCK | SEND | RECV | SELECT | SYNC | COND | NET | SLEEP | SCHED | PREEMPT
            | SYSCALL_BLOCK => {
                if window[0] != SYSCALL_BLOCK {
                    numbers.skip();
                }
                let (Some(state), Some(of)) =
                    (states.get_mut(go as usize), gos.get_mut(go as usize))
                else {
                    break;
                };
                let right = state.status == Status::Running
                    && runs(of, on, go)
                    && go > merge::NOBODY_SLOT
                    && numbers.are_whole();
                if !right {
                    break;
                }
                let after = if matches!(window[0], SCHED | PREEMPT) {
                    Status::Runnable
                } else {
                    Status::Waiting
                };
                (state.status, of.state) = (after, after);
                if window[0] == SYSCALL_BLOCK {
                    of.blocked = now;
                    if of.syscall != 0 {
                        check.blocking += 1;
                        check.marks.set(of.syscall - 1);
                    }
                } else {
                    of.network = window[0] == NET;
                }
                (of.touched, of.syscall) = (now, 0);
                changed = go;
                (on.go, go) = (0, 0);
            }
            UNBLOCK | UNBLOCK_LOCAL => {
                let id = numbers.next();
                let seq = if window[0] == UNBLOCK { Some(numbers.next()) } else { None };
                numbers.skip();
                let other = goroutines.near(id);
                let (Some(state), true) = (states.get_mut(other as usize), gos.len() > go as usize)
                else {
                    break;
                };
                let runs = gos[go as usize].state == Status::Running && on.go == go;
                let Some(of) = gos.get_mut(other as usize) else { break };
                let right = state.status == Status::Waiting
                    && of.state == Status::Waiting
                    && runs
                    && seq.is_none_or(|seq| seq == state.seq)
                    && state.seq < merge::LARGEST
                    && numbers.are_whole()
                    && (short || numbers.len() == usize::from(window[1]));
                if !right {
                    break;
                }
                (state.status, of.state) = (Status::Runnable, Status::Runnable);
                state.seq += 1;
                if of.network {
                    check.marks.set(number + done.events);
                }
                of.network = false;
                of.touched = now;
                let by = &mut gos[go as usize];
                (by.touched, by.syscall) = (now, 0);
                changed = other;
            }
            CREATE => {
                let (id, stack) = (numbers.next(), numbers.next());
                numbers.skip();
                let other = goroutines.of(id);
                if states.len() <= other as usize {
                    states.resize(goroutines.ids.len(), merge::Go::default());
                }
                if gos.len() <= other as usize {
                    gos.resize(goroutines.ids.len(), check::Go::default());
                }
                let (by, of) = (gos[go as usize], gos[other as usize]);
                let state = &mut states[other as usize];
                let right = state.status == Status::Dead
                    && state.seq == 0
                    && other > merge::NOBODY_SLOT
                    && !of.known
                    && by.state == Status::Running
                    && on.go == go
                    && stacks.has(stack)
                    && numbers.are_whole()
                    && numbers.len() == usize::from(window[1]);
                if !right {
                    break;
                }
                (state.status, state.seq) = (Status::Runnable, 1);
                let of = &mut gos[other as usize];
                (of.state, of.known) = (Status::Runnable, true);
                let by = &mut gos[go as usize];
                (by.touched, by.syscall) = (now, 0);
                changed = other;
            }
            SYSCALL | END | ALLOC => {
                if window[0] != END {
                    numbers.skip();
                }
                let Some(of) = gos.get_mut(go as usize) else { break };
                if !numbers.are_whole() || window[0] != ALLOC && !(runs(of, on, go) && go != 0) {
                    break;
                }
                (of.touched, of.syscall) = (now, 0);
                match window[0] {
                    SYSCALL => {
                        of.network = false;
                        of.syscall = number + done.events + 1;
                        done.yields += convert::yields(Kind::SYSCALL) - 1;
                    }
                    END => {
                        if !check.regions.is_empty() {
                            check.regions.remove(&go);
                        }
                        of.state = Status::Dead;
                        (on.go, go) = (0, 0);
                    }
                    _ => {}
                }
                changed = NONE;
            }
            _ => break,
        }
        if window[0] == SYSCALL_BLOCK {
            done.yields = done.yields.wrapping_sub(1);
        }
        done.events += 1;
        done.yields = done.yields.wrapping_add(1);
        at += if short { 1 } else { 2 } + numbers.len();
        (time, clock) = (now, now);
        if changed != NONE && waiting.iter().any(|&(_, of)| of == changed) {
            break;
        }
    }
    if done.events > 0 {
        (proc.at, proc.time, proc.go) = (at, clock, go);
        (merge.time, merge.last) = (time, Some((place, changed)));
    }
    done
}

/// Whether a goroutine runs on a proc.
#[inline(always)]
fn runs(of: &check::Go, on: &check::Proc, go: u32) -> bool {
    of.state == Status::Running && on.go == go
}

/// The numbers of an event that begins with these bytes: behind the first, or the second, which is
/// their length.
#[inline(always)]
fn numbers_of(window: &[u8; 10]) -> wire::Cut {
    let [_, short @ .., _] = *window;
    let [_, _, long @ ..] = *window;
    wire::Cut::of(u64::from_le_bytes(if window[0] < 0xc0 { short } else { long }))
}

/// Until when it is this proc's turn.
struct Turn<'a> {
    heap: &'a mut Heap,
    limit: Option<i64>,
}

impl Turn<'_> {
    /// Whether an event at that time comes before all others that wait, and would leave the heap
    /// as it is.
    #[inline(always)]
    fn is_before_others(&mut self, time: i64) -> bool {
        match self.limit {
            Some(limit) => time < limit,
            None => {
                let passes = self.heap.lets_pass(time);
                if passes {
                    self.limit = Some(self.heap.first());
                }
                passes
            }
        }
    }
}
