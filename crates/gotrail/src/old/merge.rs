//! One order of all procs' events.
//!
//! Each proc's next event is ready when its goroutine is in the state that the event needs. Ready
//! events wait in a heap; the earliest of them happens. Where times are equal, the shape of the
//! heap decides, and the order in which events got into it: both are the reference's.

use super::fault::OldFault;
use super::index::{Index, SAMPLES};
use super::slots::{NONE, Slots};
use super::wire::{self, Head, Kind, MOST_NUMBERS};
use super::{OldEvents, Row, mark};
use crate::GoId;
use crate::error::Fault;
use crate::tables::Piece;
use rustc_hash::FxHashSet;
use std::ops::Range;

/// What the merge knows of a goroutine.
#[derive(Debug, Clone, Copy)]
struct Go {
    /// How often it was made to run or to wait, as far as sequence numbers tell.
    seq: u64,
    /// When its last syscall blocked, or 0.
    blocked: i64,
    status: u8,
}

const DEAD: u8 = 0;
const RUNNABLE: u8 = 1;
const RUNNING: u8 = 2;
const WAITING: u8 = 3;

/// A sequence number that any agrees with; as the next one: it stays the same.
const ANY: u64 = u64::MAX;
/// The next sequence number is one more, whatever it is.
const ONE_MORE: u64 = u64::MAX - 1;

/// The goroutine that stands for the garbage collector in the order of its cycles.
const COLLECTOR: u64 = u64::MAX - 1;
/// An event of this goroutine can happen at any time.
const NOBODY: u64 = u64::MAX;

/// A proc's next event.
#[derive(Clone, Copy)]
struct Next {
    row: Row,
    at: usize,
    /// The goroutine whose state matters, or none.
    subject: u32,
    status: u8,
    status_after: u8,
    seq: u64,
    seq_after: u64,
    /// When a syscall ended, or 0.
    exit: i64,
}

struct Proc {
    /// Its place in the index; beyond it for the samples.
    place: usize,
    slot: u32,
    /// The next batch, and what is left of this one.
    batch: usize,
    at: usize,
    end: usize,
    /// The time of the last event.
    time: i64,
    /// The goroutine that runs.
    go: u32,
    next: Option<Next>,
    done: bool,
}

/// What comes of merging.
pub(super) struct Merged {
    rows: Vec<Row>,
    moved: Vec<u32>,
    more: Vec<[u64; 3]>,
    goroutines: Slots,
    procs: Vec<i32>,
    /// Texts of logs, which stand within events.
    pub(super) inline: Vec<Piece>,
    states: Vec<Go>,
    timers: FxHashSet<u32>,
    next_sample: usize,
    collector: u32,
    nobody: u32,
}

/// Where a merge ended early.
#[derive(Default)]
pub(super) struct Stopped {
    /// Where the event is at which it ended.
    pub(super) at: usize,
    /// All that was not merged.
    pub(super) rest: Vec<Range<usize>>,
}

/// Faults with their places, and what is lost with them.
pub(super) type Faults = Vec<(Fault, usize, Vec<Range<usize>>)>;

/// Merges all events, or those before the row `stop`, into `merged`.
pub(super) fn merge(
    data: &[u8],
    index: &Index,
    merged: &mut Merged,
    stop: Option<usize>,
    faults: &mut Faults,
) -> Stopped {
    let mut procs: Vec<Proc> = (0..=index.procs.len())
        .map(|place| Proc {
            place,
            slot: place as u32,
            batch: 0,
            at: 0,
            end: 0,
            time: 0,
            go: merged.goroutines.of(0),
            next: None,
            done: false,
        })
        .collect();
    // Procs whose next event is not ready or not read, with the goroutine that it waits for: it
    // can only become ready by an event of the same one.
    let mut waiting: Vec<(u32, u32)> = (0..procs.len() as u32).map(|proc| (proc, NONE)).collect();
    let mut changed = NONE;
    let mut heap = Heap::default();
    let mut last = i64::MIN;
    loop {
        let mut i = 0;
        while i < waiting.len() {
            let (number, subject) = waiting[i];
            if subject != NONE && subject != changed {
                i += 1;
                continue;
            }
            let proc = &mut procs[number as usize];
            if proc.next.is_none() {
                match merged.read(data, index, proc) {
                    Ok(true) => {}
                    Ok(false) => {
                        proc.done = true;
                        waiting.swap_remove(i);
                        continue;
                    }
                    Err(fault) => {
                        faults.push((fault.into(), proc.at, rest(index, proc)));
                        proc.done = true;
                        waiting.swap_remove(i);
                        continue;
                    }
                }
            }
            match &proc.next {
                Some(next) if merged.is_ready(next) => {
                    heap.push(next.row.time, number);
                    waiting.swap_remove(i);
                }
                Some(next) => {
                    waiting[i].1 = next.subject;
                    i += 1;
                }
                None => i += 1,
            }
        }
        let Some(first) = heap.pop() else { break };
        let proc = &mut procs[first as usize];
        let Some(next) = proc.next else { continue };
        let number = merged.rows.len();
        let fault = if stop.is_some_and(|stop| number >= stop) {
            Some(None)
        } else if !merged.is_ready(&next) {
            Some(Some(OldFault::Impossible(next.row.kind.name())))
        } else if next.row.time < last {
            Some(Some(OldFault::TimeOrder(next.row.kind.name())))
        } else {
            None
        };
        if let Some(fault) = fault {
            let rest: Vec<_> = procs.iter().flat_map(|proc| rest(index, proc)).collect();
            if let Some(fault) = fault {
                faults.push((fault.into(), next.at, rest.clone()));
            }
            return Stopped { at: next.at, rest };
        }
        last = next.row.time;
        proc.next = None;
        if let Err(fault) = merged.take(&next) {
            faults.push((fault.into(), next.at, Vec::new()));
        }
        changed = next.subject;
        waiting.push((first, NONE));
    }
    let stuck = procs.iter().filter(|proc| !proc.done).count();
    if stuck > 0 {
        let at = procs.iter().filter_map(|proc| Some(proc.next.as_ref()?.at)).min().unwrap_or(0);
        let rest: Vec<_> = procs.iter().flat_map(|proc| rest(index, proc)).collect();
        faults.push((OldFault::Stuck(stuck).into(), at, rest));
    }
    Stopped::default()
}

/// What was not read of a proc.
fn rest(index: &Index, proc: &Proc) -> Vec<Range<usize>> {
    if proc.done {
        return Vec::new();
    }
    let at = proc.next.as_ref().filter(|next| (proc.at..=proc.end).contains(&next.at));
    let from = at.map_or(proc.at, |next| next.at).min(proc.end);
    let later = index
        .procs
        .get(proc.place)
        .map_or(&[][..], |known| &known.batches[proc.batch.min(known.batches.len())..]);
    let mut rest = Vec::new();
    rest.push(from..proc.end);
    rest.extend(later.iter().map(|batch| batch.start..batch.end));
    rest
}

impl Merged {
    pub(super) fn new(index: &mut Index, bytes: usize) -> Merged {
        let mut goroutines = Slots::new(bytes);
        goroutines.of(0);
        let (collector, nobody) = (goroutines.of(COLLECTOR), goroutines.of(NOBODY));
        let timers = index.timers.iter().map(|&id| goroutines.of(id)).collect();
        let mut procs: Vec<i32> = index.procs.iter().map(|proc| proc.id).collect();
        procs.push(SAMPLES);
        Merged {
            rows: Vec::with_capacity(index.events + index.samples.len()),
            moved: Vec::new(),
            more: Vec::new(),
            goroutines,
            procs,
            inline: Vec::new(),
            states: Vec::new(),
            timers,
            next_sample: 0,
            collector,
            nobody,
        }
    }

    /// The merged events.
    pub(super) fn finish(
        mut self,
        nanos: f64,
        inline_strings: u64,
        names: u64,
        broken_stacks: FxHashSet<u64>,
    ) -> OldEvents {
        let rows = &self.rows;
        // Stable: of equal times the earlier row comes first.
        self.moved.sort_by_key(|&row| rows[row as usize].time);
        OldEvents {
            count: self.rows.len(),
            rows: self.rows,
            moved: self.moved,
            more: self.more,
            goroutines: self.goroutines.ids,
            procs: self.procs,
            nanos,
            inline_strings,
            names,
            broken_stacks,
        }
    }

    #[inline(always)]
    fn state(&mut self, go: u32) -> &mut Go {
        let at = go as usize;
        if at >= self.states.len() {
            self.grow();
        }
        &mut self.states[at]
    }

    #[cold]
    fn grow(&mut self) {
        let fresh = Go { seq: 0, blocked: 0, status: DEAD };
        self.states.resize(self.goroutines.ids.len(), fresh);
    }

    /// Whether an event can happen.
    #[inline(always)]
    fn is_ready(&mut self, next: &Next) -> bool {
        if next.subject == NONE {
            return true;
        }
        let (seq, status) = (next.seq, next.status);
        let state = self.state(next.subject);
        state.status == status && (seq == ANY || seq == state.seq)
    }

    /// Lets an event happen that is ready.
    #[inline(always)]
    fn take(&mut self, next: &Next) -> Result<(), OldFault> {
        let mut row = next.row;
        if next.subject != NONE {
            let state = self.state(next.subject);
            state.seq = match next.seq_after {
                ANY => state.seq,
                ONE_MORE => state.seq.wrapping_add(1),
                seq => seq,
            };
            state.status = next.status_after;
        }
        let mut result = Ok(());
        match row.kind {
            Kind::SYSCALL_BLOCK | Kind::GO_IN_SYSCALL => self.state(row.go).blocked = row.time,
            // The end of a syscall is written when the goroutine runs again. The true time can
            // only be told now: before, it would have misled the merge.
            Kind::SYSCALL_EXIT if next.exit != 0 => {
                let blocked = self.state(row.go).blocked;
                if blocked == 0 {
                    let go = GoId(self.goroutines.ids[row.go as usize] as i64);
                    result = Err(OldFault::StraySyscallExit(go));
                } else if next.exit < blocked {
                    result = Err(OldFault::TimeOrder(row.kind.name()));
                } else if next.exit != row.time {
                    row.time = next.exit;
                    row.marks |= mark::MOVED;
                    self.moved.push(self.rows.len() as u32);
                }
            }
            _ => {}
        }
        self.rows.push(row);
        result
    }

    /// Reads a proc's next event; false if there is none.
    #[inline(always)]
    fn read(&mut self, data: &[u8], index: &Index, proc: &mut Proc) -> Result<bool, OldFault> {
        loop {
            while proc.at == proc.end {
                if !self.next_batch(index, proc) {
                    return Ok(proc.next.is_some());
                }
            }
            let head = Head::of(data[proc.at]);
            let spec = head.kind.spec();
            if spec.timed {
                let mut numbers = [0; MOST_NUMBERS];
                let at = proc.at;
                let end = head.numbers(data, at + 1, spec.numbers, &mut numbers)?;
                let next = self.next(head.kind, &numbers, proc);
                proc.at = end;
                proc.next = Some(next);
                if head.kind == Kind::LOG {
                    self.read_text(data, head, proc)?;
                }
                return Ok(true);
            }
            proc.at = self.skip(data, head, proc.at)?;
        }
    }

    /// Goes on with a proc's next batch, or sample.
    #[cold]
    #[inline(never)]
    fn next_batch(&mut self, index: &Index, proc: &mut Proc) -> bool {
        if proc.place == index.procs.len() {
            let Some(sample) = index.samples.get(self.next_sample) else { return false };
            self.next_sample += 1;
            let row = Row {
                time: sample.time,
                arg: sample.proc as u64,
                go: self.goroutines.of(sample.go),
                stack: sample.stack,
                proc: proc.slot,
                kind: Kind::CPU_SAMPLE,
                marks: 0,
            };
            proc.next = Some(Next { at: sample.at, ..Next::free(row) });
            return false;
        }
        let Some(batch) = index.procs[proc.place].batches.get(proc.batch) else { return false };
        proc.batch += 1;
        (proc.at, proc.end, proc.time) = (batch.start, batch.end, batch.time);
        true
    }

    /// The place behind an event that is not of the proc, which the index has read.
    #[cold]
    #[inline(never)]
    fn skip(&mut self, data: &[u8], head: Head, at: usize) -> Result<usize, OldFault> {
        let at = at + 1;
        let broken = |error| head.number(error);
        match head.kind {
            Kind::STRING => {
                let (_, at) = wire::number(data, at).map_err(broken)?;
                let (len, at) = wire::number(data, at).map_err(broken)?;
                Ok(at + len as usize)
            }
            _ if head.has_length() => Ok(head.extent(data, at)?.1),
            _ => wire::skip(data, at, head.count).map_err(broken),
        }
    }

    #[cold]
    fn read_text(&mut self, data: &[u8], head: Head, proc: &mut Proc) -> Result<(), OldFault> {
        let (len, start) = wire::number(data, proc.at).map_err(|error| head.number(error))?;
        if let Some(more) = self.more.last_mut() {
            more[2] = self.inline.len() as u64;
        }
        self.inline.push(Piece::new(start, len as usize));
        proc.at = start + len as usize;
        Ok(())
    }

    /// The event with these numbers.
    #[inline(always)]
    fn next(&mut self, kind: Kind, numbers: &[u64; MOST_NUMBERS], proc: &mut Proc) -> Next {
        let spec = kind.spec();
        let time = proc.time.wrapping_add(numbers[0] as i64);
        proc.time = time;
        let stack = if spec.stack { numbers[spec.numbers - 1] as u32 } else { 0 };
        let row =
            Row { time, arg: numbers[1], go: proc.go, stack, proc: proc.slot, kind, marks: 0 };
        let mut next = Next { at: proc.at, ..Next::free(row) };
        let subject = |next: &mut Next, go: u32, before, after| {
            next.subject = if go == self.nobody { NONE } else { go };
            (next.status, next.seq) = before;
            (next.status_after, next.seq_after) = after;
        };
        match kind {
            Kind::GO_CREATE => {
                let go = self.goroutines.of(numbers[1]);
                subject(&mut next, go, (DEAD, 0), (RUNNABLE, 1));
                let stack = numbers[2].min(u64::from(u32::MAX));
                next.row.arg = u64::from(go) | stack << 32;
            }
            Kind::GO_WAITING | Kind::GO_IN_SYSCALL => {
                let go = self.goroutines.of(numbers[1]);
                next.row.go = go;
                subject(&mut next, go, (RUNNABLE, 1), (WAITING, 2));
            }
            Kind::GO_START | Kind::GO_START_LABEL => {
                let go = self.goroutines.of(numbers[1]);
                proc.go = go;
                next.row.go = go;
                next.row.arg = numbers[3];
                let seq = numbers[2];
                subject(&mut next, go, (RUNNABLE, seq), (RUNNING, seq.wrapping_add(1)));
            }
            Kind::GO_START_LOCAL => {
                let go = self.goroutines.of(numbers[1]);
                proc.go = go;
                next.row.go = go;
                next.row.kind = Kind::GO_START;
                subject(&mut next, go, (RUNNABLE, ANY), (RUNNING, ONE_MORE));
            }
            Kind::GO_BLOCK
            | Kind::GO_BLOCK_SEND
            | Kind::GO_BLOCK_RECV
            | Kind::GO_BLOCK_SELECT
            | Kind::GO_BLOCK_SYNC
            | Kind::GO_BLOCK_COND
            | Kind::GO_BLOCK_NET
            | Kind::GO_SLEEP
            | Kind::SYSCALL_BLOCK
            | Kind::GO_BLOCK_GC => {
                subject(&mut next, proc.go, (RUNNING, ANY), (WAITING, ANY));
                proc.go = 0;
            }
            Kind::GO_SCHED | Kind::GO_PREEMPT => {
                subject(&mut next, proc.go, (RUNNING, ANY), (RUNNABLE, ANY));
                proc.go = 0;
            }
            Kind::GO_END | Kind::GO_STOP => proc.go = 0,
            Kind::GO_UNBLOCK => {
                let go = self.goroutines.of(numbers[1]);
                next.row.arg = u64::from(go);
                let seq = numbers[2];
                subject(&mut next, go, (WAITING, seq), (RUNNABLE, seq.wrapping_add(1)));
                self.note_timer(&mut next);
            }
            Kind::GO_UNBLOCK_LOCAL => {
                let go = self.goroutines.of(numbers[1]);
                next.row.arg = u64::from(go);
                next.row.kind = Kind::GO_UNBLOCK;
                subject(&mut next, go, (WAITING, ANY), (RUNNABLE, ONE_MORE));
                self.note_timer(&mut next);
            }
            Kind::SYSCALL_EXIT => {
                let go = self.goroutines.of(numbers[1]);
                next.row.go = go;
                next.exit = numbers[3] as i64;
                let seq = numbers[2];
                subject(&mut next, go, (WAITING, seq), (RUNNABLE, seq.wrapping_add(1)));
            }
            Kind::SYSCALL_EXIT_LOCAL => {
                // Its goroutine is the one that runs, and its time is not looked at.
                let go = self.goroutines.of(numbers[1]);
                next.row.kind = Kind::SYSCALL_EXIT;
                subject(&mut next, go, (WAITING, ANY), (RUNNABLE, ONE_MORE));
            }
            Kind::GC_START => {
                let seq = numbers[1];
                let collector = self.collector;
                subject(&mut next, collector, (DEAD, seq), (DEAD, seq.wrapping_add(1)));
            }
            Kind::SWEEP_DONE | Kind::TASK_CREATE | Kind::REGION | Kind::LOG => {
                next.row.arg = self.more.len() as u64;
                self.more.push([numbers[1], numbers[2], numbers[3]]);
            }
            _ => {}
        }
        next
    }

    #[inline(always)]
    fn note_timer(&self, next: &mut Next) {
        if !self.timers.is_empty() && self.timers.contains(&next.row.go) {
            next.row.marks |= mark::TIMER;
        }
    }
}

impl Next {
    /// An event that can happen at any time.
    #[inline(always)]
    fn free(row: Row) -> Next {
        Next {
            row,
            at: 0,
            subject: NONE,
            status: DEAD,
            status_after: DEAD,
            seq: 0,
            seq_after: 0,
            exit: 0,
        }
    }
}

/// A heap of procs by time. What is equal comes out as it does in the reference.
#[derive(Default)]
struct Heap(Vec<(i64, u32)>);

impl Heap {
    #[inline(always)]
    fn push(&mut self, time: i64, proc: u32) {
        let mut child = self.0.len();
        self.0.push((time, proc));
        while child > 0 {
            let parent = (child - 1) / 2;
            if time >= self.0[parent].0 {
                break;
            }
            self.0[child] = self.0[parent];
            child = parent;
        }
        self.0[child] = (time, proc);
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<u32> {
        let last = self.0.pop()?;
        let heap = &mut self.0[..];
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
