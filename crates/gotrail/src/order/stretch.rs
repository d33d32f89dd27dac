//! Stretches: one thread's events, as long as they are of the commonest kinds in their commonest
//! situation.
//!
//! Nine of ten events of a healthy trace start, stop, block or unblock a goroutine, or enter or
//! leave a syscall, with everything as it should be. Here they are told by a few comparisons and
//! happen without anything being stored that nobody reads. The first event that is not like that
//! ends the stretch, before anything has changed: the transitions in the other files of this
//! folder say what is to become of it. They would make the same of every event here.

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
        let usual = (1..1 << 62).contains(&next.time);
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
        let stop = loop {
            let event = EventType(window[0]);
            let mut reader = Args { window, at: args_at };
            let args;
            // The goroutine that was running before the event.
            let go_before = thread.go;
            match event {
                EventType::GO_BLOCK | EventType::GO_STOP => {
                    args = reader.take::<2>();
                    let [reason, stack, ..] = args;
                    let go = self.goroutines.entries.get_mut(thread.go_hint as usize);
                    match go {
                        Some(go)
                            if go.is(thread.go, GO_RUNNING)
                                && thread.is_running()
                                && strings.has(reason)
                                && stacks.has(stack) =>
                        {
                            let blocks = event == EventType::GO_BLOCK;
                            go.status = if blocks { GO_WAITING } else { GO_RUNNABLE };
                        }
                        _ => break Stop::Other,
                    }
                    (thread.go, thread.go_hint) = (-1, NO_SLOT);
                }
                EventType::GO_START => {
                    args = reader.take::<2>();
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
                }
                EventType::GO_UNBLOCK => {
                    args = reader.take::<3>();
                    let [id, seq, stack, _] = args;
                    let slot = self.goroutines.slot(id as i64);
                    match self.goroutines.entries.get_mut(slot as usize) {
                        Some(go)
                            if go.status == GO_WAITING
                                && go.is_next(tag, seq)
                                && stacks.has(stack) =>
                        {
                            (go.status, go.seq) = (GO_RUNNABLE, seq);
                        }
                        _ => break Stop::Other,
                    }
                }
                EventType::GO_SYSCALL_BEGIN => {
                    args = reader.take::<2>();
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
                }
                EventType::GO_SYSCALL_END => {
                    args = [0; 4];
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
                }
                EventType::HEAP_ALLOC => {
                    args = reader.take::<1>();
                    if thread.proc == -1 {
                        break Stop::Other;
                    }
                }
                _ => break Stop::Other,
            }
            let ordered = Ordered {
                time,
                thread: thread.id,
                proc: thread.proc,
                go: go_before,
                args,
                event,
                old: 0,
            };
            let after = &rest[reader.at..];
            let follower = after.first_chunk().and_then(|window| {
                let mut reader = Args { window, at: 1 };
                if TIMED_ARGS[usize::from(window[0])] == NOT_TIMED {
                    return None;
                }
                let time = time + reader.next_short()? as i64 * unit;
                Some((window, time, reader.at))
            });
            let Some(follower) = follower else {
                sink.emit(ordered);
                break Stop::Care(sound - after.len());
            };
            rest = after;
            (window, time, args_at) = follower;
            sink.deliver(ordered);
            if time > limit || !sink.has_room() {
                break Stop::Turn;
            }
        };
        *next = Next { at: sound - rest.len(), args: args_at, time };
        stop
    }
}
