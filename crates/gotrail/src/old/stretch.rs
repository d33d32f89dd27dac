//! The commonest events, put in order and checked in one loop.
//!
//! As long as events are of the commonest kinds and find everything as it should be, nothing of
//! them need be stored but what they change. The first event that is not like that ends the
//! stretch before anything has changed: `merge.rs` and `check.rs` decide what becomes of it. They
//! would make the same of every event here.

use super::check::{self, Check};
use super::convert;
use super::glance::*;
use super::merge::Merge;
use super::next;
use super::wire::{Kind, Status};
use crate::stacks::Stacks;

/// What came of a stretch.
#[derive(Default)]
pub(super) struct Stretch {
    /// How many events happened.
    pub(super) events: u64,
    /// How many of the newer format they come to.
    pub(super) yields: u64,
    /// Whose turn it is; none if the merge must find out.
    pub(super) turn: Option<u32>,
}

/// Lets events happen, of the proc whose turn it is and then of others. The first of them has the
/// given number.
#[inline(never)]
pub(super) fn stretch(
    merge: &mut Merge,
    check: &mut Check<'_>,
    data: &[u8],
    stacks: &Stacks,
    number: u64,
    place: u32,
) -> Stretch {
    let mut done = Stretch { turn: Some(place), ..Stretch::default() };
    let Merge { procs, waiting, heap, goroutines, states, .. } = merge;
    let gos = &mut check.goroutines;
    let mut place = place;
    let mut last = None;
    let mut time = merge.time;
    let (mut proc, mut on) = (&mut procs[place as usize], &mut check.procs[place as usize]);
    let mut next = std::mem::replace(&mut proc.glance, Glance::NONE);
    // Between events of the same proc nothing can have changed that this depends on.
    let mut ready = next.is_ready(states);
    loop {
        let now = next.time;
        if !ready || now < time || next.is_none() {
            break;
        }
        let mut awaited = false;
        match next.byte {
            START | START_LOCAL => {
                let (Some(state), Some(of)) =
                    (states.get_mut(next.go as usize), gos.get_mut(next.go as usize))
                else {
                    break;
                };
                if of.state != Status::Runnable || on.go != 0 || state.seq >= next::LARGEST {
                    break;
                }
                (state.status, of.state) = (Status::Running, Status::Running);
                state.seq += 1;
                awaited = state.awaited;
                of.network = false;
                (of.touched, of.syscall) = (now, 0);
                (on.go, proc.go) = (next.go, next.go);
            }
            BLOCK | SEND | RECV | SELECT | SYNC | COND | NET | SLEEP | SCHED | PREEMPT
            | SYSCALL_BLOCK => {
                let (Some(state), Some(of)) =
                    (states.get_mut(next.go as usize), gos.get_mut(next.go as usize))
                else {
                    break;
                };
                if !runs(of, on, next.go) {
                    break;
                }
                let stays = matches!(next.byte, SCHED | PREEMPT);
                let after = if stays { Status::Runnable } else { Status::Waiting };
                (state.status, of.state) = (after, after);
                awaited = state.awaited;
                if next.byte == SYSCALL_BLOCK {
                    of.blocked = now;
                    if of.syscall != 0 {
                        check.blocking += 1;
                        check.marks.set(of.syscall - 1);
                    }
                    done.yields = done.yields.wrapping_sub(1);
                } else {
                    of.network = next.byte == NET;
                }
                (of.touched, of.syscall) = (now, 0);
                (on.go, proc.go) = (0, 0);
            }
            UNBLOCK | UNBLOCK_LOCAL => {
                let by = gos.get(proc.go as usize);
                if !by.is_some_and(|by| runs(by, on, proc.go)) {
                    break;
                }
                let (Some(state), Some(of)) =
                    (states.get_mut(next.go as usize), gos.get_mut(next.go as usize))
                else {
                    break;
                };
                if of.state != Status::Waiting || state.seq >= next::LARGEST {
                    break;
                }
                (state.status, of.state) = (Status::Runnable, Status::Runnable);
                state.seq += 1;
                awaited = state.awaited;
                if of.network {
                    check.marks.set(number + done.events);
                }
                of.network = false;
                of.touched = now;
                let by = &mut gos[proc.go as usize];
                (by.touched, by.syscall) = (now, 0);
            }
            CREATE => {
                let (by, other) = (proc.go as usize, next.go as usize);
                if gos.len() <= other {
                    gos.resize(goroutines.ids.len(), check::Go::default());
                }
                if !(gos.get(by).is_some_and(|by| runs(by, on, proc.go))
                    && !gos[other].known
                    && stacks.has(u64::from(next.stack)))
                {
                    break;
                }
                let state = &mut states[other];
                (state.status, state.seq) = (Status::Runnable, 1);
                awaited = state.awaited;
                (gos[other].state, gos[other].known) = (Status::Runnable, true);
                (gos[by].touched, gos[by].syscall) = (now, 0);
            }
            SYSCALL | END => {
                let Some(of) = gos.get_mut(proc.go as usize) else { break };
                if !runs(of, on, proc.go) || proc.go == 0 {
                    break;
                }
                (of.touched, of.syscall) = (now, 0);
                if next.byte == SYSCALL {
                    of.network = false;
                    of.syscall = number + done.events + 1;
                    done.yields = done.yields.wrapping_add(convert::yields(Kind::SYSCALL) - 1);
                } else {
                    if !check.regions.is_empty() {
                        check.regions.remove(&proc.go);
                    }
                    of.state = Status::Dead;
                    (on.go, proc.go) = (0, 0);
                }
            }
            // What remains are numbers of the heap, and procs that start and stop.
            byte => {
                let Some(of) = gos.get_mut(proc.go as usize) else { break };
                let right = match byte {
                    PROC_START => !on.running,
                    PROC_STOP => on.running && on.go == 0,
                    _ => true,
                };
                if !right {
                    break;
                }
                (of.touched, of.syscall) = (now, 0);
                if matches!(byte, PROC_START | PROC_STOP) {
                    on.running = byte == PROC_START;
                }
            }
        }
        done.events += 1;
        (proc.at, proc.time, time) = (next.end, now, now);
        last = Some((place, next.go));
        next = proc.look(data, goroutines, states);
        // If no other proc waited for this, only this proc's next event can have become ready.
        done.turn = None;
        if awaited || next.is_none() {
            break;
        }
        ready = next.is_ready(states);
        if !ready || !heap.lets_pass(next.time) {
            let other = if ready {
                heap.exchange(next.time, place)
            } else {
                let Some(other) = heap.pop() else { break };
                waiting.push((place, next.go));
                states[next.go as usize].awaited = true;
                other
            };
            proc.glance = next;
            place = other;
            (proc, on) = (&mut procs[place as usize], &mut check.procs[place as usize]);
            next = std::mem::replace(&mut proc.glance, Glance::NONE);
            ready = next.is_ready(states);
        }
        done.turn = Some(place);
    }
    proc.glance = next;
    if done.events > 0 {
        (merge.time, merge.last) = (time, last);
        done.yields = done.yields.wrapping_add(done.events);
    }
    done
}

/// Whether a goroutine runs on a proc.
#[inline(always)]
fn runs(of: &check::Go, on: &check::Proc, go: u32) -> bool {
    of.state == Status::Running && on.go == go
}
