//! Stretches: one thread's events, as long as they are of the commonest kinds in their commonest
//! situation.
//!
//! Nine of ten events of a healthy trace start, stop, block or unblock a goroutine, or enter or
//! leave a syscall, with everything as it should be. Here they are told by a few comparisons and
//! happen without anything being stored that nobody reads. The first event that is not like that
//! ends the stretch, before anything has changed: the transitions in the other files of this
//! folder say what is to become of it. They would make the same of every event here.

use self::kind::*;
use super::state::status::*;
use super::{NO_SLOT, Sink, State};
use crate::cursor::{Args, Next, Window};
use crate::event::Ordered;
use crate::generation::Generation;
use gotrail_format::EventType;
use gotrail_format::event::{NOT_TIMED, TIMED_ARGS};

/// How a stretch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The thread's next event must be handled in full.
    Other,
    /// The last event was emitted but not committed; what follows it, here, must be read with care.
    Care(usize),
    /// The sink has enough, or the thread's next event is later than the limit.
    Turn,
}

/// What a stretch makes of each type of event; 0 for what is not known. Each kind has a bit of its
/// own, so that they are told apart by conditions: a jump to a place that is looked up, which is
/// what a compiler makes of numbers, is guessed wrong much more often.
mod kind {
    pub(super) const START: u8 = 1 << 0;
    pub(super) const UNBLOCK: u8 = 1 << 1;
    pub(super) const BLOCK: u8 = 1 << 2;
    pub(super) const STOP: u8 = 1 << 3;
    pub(super) const SYSCALL_BEGIN: u8 = 1 << 4;
    pub(super) const SYSCALL_END: u8 = 1 << 5;
    pub(super) const HEAP_ALLOC: u8 = 1 << 6;
    /// Known, but not for a stretch.
    pub(super) const OTHER: u8 = 1 << 7;
}

static KINDS: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut event = 0;
    while event < 256 {
        if TIMED_ARGS[event] == NOT_TIMED {
            kinds[event] = 0;
        }
        event += 1;
    }
    kinds[EventType::GO_START.0 as usize] = START;
    kinds[EventType::GO_UNBLOCK.0 as usize] = UNBLOCK;
    kinds[EventType::GO_BLOCK.0 as usize] = BLOCK;
    kinds[EventType::GO_STOP.0 as usize] = STOP;
    kinds[EventType::GO_SYSCALL_BEGIN.0 as usize] = SYSCALL_BEGIN;
    kinds[EventType::GO_SYSCALL_END.0 as usize] = SYSCALL_END;
    kinds[EventType::HEAP_ALLOC.0 as usize] = HEAP_ALLOC;
    kinds
};

impl State {
    /// Lets events of the thread at `slot` happen, `next` first, until one is later than `limit`.
    /// Events whose windows end before `sound` are whole.
    #[inline(always)]
    pub(crate) fn stretch<S: Sink>(
        &mut self,
        next: &mut Next,
        slot: u32,
        sound: usize,
        limit: i64,
        generation: &Generation<'_>,
        sink: &mut S,
    ) -> Stop {
        // To see whether there is a window is to see whether the event is whole.
        let Some(mut rest) = generation.data.get(next.at..sound) else { return Stop::Other };
        let Some(mut window) = rest.first_chunk::<{ size_of::<Window>() }>() else {
            return Stop::Other;
        };
        // Times that rise from here to the end of a batch by short numbers stay in this range.
        let usual = next.time.wrapping_sub(1) as u64 >> 62 == 0;
        let unit = generation.frequency.small;
        // Nothing is bound to what has no thread.
        if !usual || unit == 0 || slot == 0 {
            return Stop::Other;
        }
        let tag = self.tag;
        let thread = &mut self.threads.entries[slot as usize];
        let (strings, stacks) = (&generation.strings, &generation.stacks);
        // The next event's time, and where its arguments begin.
        let (mut time, mut args_at) = (next.time, next.args);
        let mut kind = KINDS[usize::from(window[0])];
        let stop = loop {
            let mut reader = Args { window, at: args_at };
            // The goroutine that was running before the event.
            let go_before = thread.go;
            // The event has happened: it is delivered as soon as there is one that follows it. This
            // is part of each kind of event, so that the sink knows which it is.
            macro_rules! happened {
                ($event:ident, $args:expr) => {{
                    let ordered = Ordered {
                        time,
                        thread: thread.id,
                        proc: thread.proc,
                        go: go_before,
                        args: $args,
                        event: EventType::$event,
                        old: 0,
                    };
                    let after = &rest[reader.at..];
                    let Some(follower) = follower(after, time, unit) else {
                        sink.emit_known(ordered);
                        break Stop::Care(sound - after.len());
                    };
                    rest = after;
                    (window, kind, time, args_at) = follower;
                    sink.deliver(ordered);
                }};
            }
            // The goroutine leaves its thread.
            macro_rules! leave {
                ($status:expr) => {{
                    let args = reader.take::<2>();
                    let [reason, stack, ..] = args;
                    match self.goroutines.entries.get_mut(thread.go_hint as usize) {
                        Some(go)
                            if go.is(thread.go, GO_RUNNING)
                                && thread.is_running()
                                && strings.has(reason)
                                && stacks.has(stack) =>
                        {
                            go.status = $status;
                        }
                        _ => break Stop::Other,
                    }
                    (thread.go, thread.go_hint) = (-1, NO_SLOT);
                    args
                }};
            }
            if kind & START != 0 {
                let args = reader.take::<2>();
                let [id, seq, ..] = args;
                let slot = self.goroutines.slot(id as i64);
                match self.goroutines.entries.get_mut(slot as usize) {
                    Some(go)
                        if go.status == GO_RUNNABLE
                            && go.is_next(tag, seq)
                            && thread.proc != -1
                            && thread.go == -1 =>
                    {
                        (go.status, go.seq) = (GO_RUNNING, seq);
                    }
                    _ => break Stop::Other,
                }
                (thread.go, thread.go_hint) = (id as i64, slot);
                happened!(GO_START, args);
            } else if kind & BLOCK != 0 {
                let args = leave!(GO_WAITING);
                happened!(GO_BLOCK, args);
            } else if kind & UNBLOCK != 0 {
                let args = reader.take::<3>();
                let [id, seq, stack, _] = args;
                let slot = self.goroutines.slot(id as i64);
                match self.goroutines.entries.get_mut(slot as usize) {
                    Some(go)
                        if go.status == GO_WAITING && go.is_next(tag, seq) && stacks.has(stack) =>
                    {
                        (go.status, go.seq) = (GO_RUNNABLE, seq);
                    }
                    _ => break Stop::Other,
                }
                happened!(GO_UNBLOCK, args);
            } else if kind & SYSCALL_BEGIN != 0 {
                let args = reader.take::<2>();
                let [seq, stack, ..] = args;
                let go = self.goroutines.entries.get_mut(thread.go_hint as usize);
                let proc = self.procs.entries.get_mut(thread.proc_slot as usize);
                match (go, proc) {
                    (Some(go), Some(proc))
                        if go.is(thread.go, GO_RUNNING)
                            && thread.is_running()
                            && proc.is_next(tag, seq)
                            && stacks.has(stack) =>
                    {
                        go.status = GO_SYSCALL;
                        (proc.status, proc.seq) = (PROC_SYSCALL, seq);
                    }
                    _ => break Stop::Other,
                }
                happened!(GO_SYSCALL_BEGIN, args);
            } else if kind & SYSCALL_END != 0 {
                let go = self.goroutines.entries.get_mut(thread.go_hint as usize);
                let proc = self.procs.entries.get_mut(thread.proc_slot as usize);
                match (go, proc) {
                    (Some(go), Some(proc))
                        if go.is(thread.go, GO_SYSCALL)
                            && thread.is_running()
                            && proc.status == PROC_SYSCALL =>
                    {
                        go.status = GO_RUNNING;
                        proc.status = PROC_RUNNING;
                    }
                    _ => break Stop::Other,
                }
                happened!(GO_SYSCALL_END, [0; 4]);
            } else if kind & HEAP_ALLOC != 0 {
                let args = reader.take::<1>();
                if thread.proc == -1 {
                    break Stop::Other;
                }
                happened!(HEAP_ALLOC, args);
            } else if kind & STOP != 0 {
                let args = leave!(GO_RUNNABLE);
                happened!(GO_STOP, args);
            } else {
                break Stop::Other;
            }
            if time > limit || !sink.has_room() {
                break Stop::Turn;
            }
        };
        *next = Next { at: sound - rest.len(), args: args_at, time };
        stop
    }
}

/// The event that begins `after` another of that time, if it is whole and known: its window, what a
/// stretch makes of it, its time, and where its arguments begin.
#[inline(always)]
fn follower(after: &[u8], time: i64, unit: i64) -> Option<(&Window, u8, i64, usize)> {
    let window = after.first_chunk()?;
    let mut reader = Args { window, at: 1 };
    let kind = KINDS[usize::from(window[0])];
    if kind == 0 {
        return None;
    }
    let time = time + reader.next_short()? as i64 * unit;
    Some((window, kind, time, reader.at))
}
