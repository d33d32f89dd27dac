//! A proc's next event, read in full: what it is, and in which state its goroutine must be.

use super::fault::OldFault;
use super::glance::Glance;
use super::index::Index;
use super::merge::Merge;
use super::slots::NONE;
use super::wire::{self, Head, Kind, Numbers, Status};

/// A sequence number that any agrees with; as the next one: it stays the same.
pub(super) const ANY: u64 = u64::MAX;
/// The next sequence number is one more, whatever it is.
pub(super) const ONE_MORE: u64 = u64::MAX - 1;
/// Numbers below this one mean nothing but themselves, and so does the next.
pub(super) const LARGEST: u64 = u64::MAX - 2;

/// The goroutine that stands for the garbage collector in the order of its cycles.
pub(super) const COLLECTOR: u64 = u64::MAX - 1;
/// An event of this goroutine can happen at any time.
pub(super) const NOBODY: u64 = u64::MAX;

/// The slots of these, which are given first; 0 is that of goroutine 0.
const COLLECTOR_SLOT: u32 = 1;
pub(super) const NOBODY_SLOT: u32 = 2;

/// An event in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    /// In ticks.
    pub(super) time: i64,
    /// The numbers behind the time.
    pub(super) args: [u64; 3],
    /// Where it begins; where its numbers end, for a log.
    pub(super) at: usize,
    /// The slot of the goroutine that it happens on.
    pub(super) go: u32,
    /// The slot of the goroutine that it is about.
    pub(super) other: u32,
    pub(super) stack: u32,
    /// The proc's slot.
    pub(super) proc: u32,
    pub(super) kind: Kind,
    /// The goroutine whose state matters, or none.
    pub(super) subject: u32,
    pub(super) status: Status,
    pub(super) status_after: Status,
    pub(super) seq: u64,
    pub(super) seq_after: u64,
}

impl Event {
    /// An event that can happen at any time.
    pub(super) fn free(kind: Kind, time: i64, go: u32, at: usize) -> Event {
        let (args, stack, proc) = ([0; 3], 0, 0);
        let (status, seq) = (Status::Dead, ANY);
        let (status_after, seq_after) = (status, seq);
        Event {
            time,
            args,
            at,
            go,
            other: 0,
            stack,
            proc,
            kind,
            subject: NONE,
            status,
            status_after,
            seq,
            seq_after,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Proc {
    /// The next batch, and what is left of this one.
    pub(super) batch: usize,
    pub(super) at: usize,
    pub(super) end: usize,
    /// The time of the last event.
    pub(super) time: i64,
    /// The goroutine that runs.
    pub(super) go: u32,
    /// The next event, if there is one; else the last.
    pub(super) event: Event,
    pub(super) has_next: bool,
    pub(super) done: bool,
    /// What a glance at the next event showed, if it is not read yet.
    pub(super) glance: Glance,
}

impl Merge {
    /// Reads a proc's next event; false if there is none, or none that can be read.
    #[inline(always)]
    pub(super) fn read(&mut self, place: u32, data: &[u8], index: &Index) -> bool {
        loop {
            let proc = &mut self.procs[place as usize];
            let at = proc.at;
            if at == proc.end {
                match self.next_batch(place, index) {
                    Ahead::Batch => continue,
                    Ahead::Sample => return true,
                    Ahead::Nothing => return false,
                }
            }
            let head = Head::of(data[at]);
            let spec = head.kind.spec();
            if !spec.timed {
                match self.skip(data, head, at) {
                    Ok(end) => self.procs[place as usize].at = end,
                    Err(fault) => return self.fail(fault, place, index),
                }
                continue;
            }
            match head.numbers(data, at + 1, spec.numbers) {
                Ok((numbers, end)) => {
                    proc.at = end;
                    proc.event.at = at;
                    self.understand(head.kind, &numbers, spec.stack, place);
                    return head.kind != Kind::LOG || self.skip_text(place, data, index);
                }
                Err(fault) => return self.fail(fault, place, index),
            }
        }
    }

    /// Makes a proc's next event of these numbers.
    #[inline(always)]
    fn understand(&mut self, kind: Kind, numbers: &Numbers, stack: bool, place: u32) {
        use Status::{Dead, Runnable, Running, Waiting};
        let proc = &mut self.procs[place as usize];
        let event = &mut proc.event;
        proc.has_next = true;
        proc.time = proc.time.wrapping_add(numbers.time as i64);
        event.time = proc.time;
        event.args = numbers.args;
        event.stack = if stack { numbers.last as u32 } else { 0 };
        event.go = proc.go;
        event.proc = place;
        event.kind = kind;
        event.other = 0;
        event.subject = NONE;
        proc.glance = Glance::NONE;
        let [id, seq, _] = numbers.args;
        let next = seq.wrapping_add(1);
        let mut needs = |event: &mut Event, before, after| {
            let go = self.goroutines.of(id);
            event.other = go;
            event.subject = if id == NOBODY { NONE } else { go };
            (event.status, event.seq) = before;
            (event.status_after, event.seq_after) = after;
            go
        };
        match kind {
            Kind::GO_CREATE => {
                needs(event, (Dead, 0), (Runnable, 1));
            }
            Kind::GO_WAITING | Kind::GO_IN_SYSCALL => {
                event.go = needs(event, (Runnable, 1), (Waiting, 2));
            }
            Kind::GO_START | Kind::GO_START_LABEL => {
                proc.go = needs(event, (Runnable, seq), (Running, next));
                event.go = proc.go;
            }
            // Local ones need no number: they stand on the proc that made the goroutine able to.
            Kind::GO_START_LOCAL => {
                proc.go = needs(event, (Runnable, ANY), (Running, ONE_MORE));
                event.go = proc.go;
                event.kind = Kind::GO_START;
            }
            Kind::GO_UNBLOCK => {
                needs(event, (Waiting, seq), (Runnable, next));
            }
            Kind::GO_UNBLOCK_LOCAL => {
                needs(event, (Waiting, ANY), (Runnable, ONE_MORE));
                event.kind = Kind::GO_UNBLOCK;
            }
            Kind::SYSCALL_EXIT => {
                event.go = needs(event, (Waiting, seq), (Runnable, next));
            }
            // It is said to happen on the goroutine that runs, and its true time is not looked at.
            Kind::SYSCALL_EXIT_LOCAL => {
                needs(event, (Waiting, ANY), (Runnable, ONE_MORE));
                event.kind = Kind::SYSCALL_EXIT;
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
            | Kind::GO_BLOCK_GC
            | Kind::GO_SCHED
            | Kind::GO_PREEMPT => {
                let runs_on = matches!(kind, Kind::GO_SCHED | Kind::GO_PREEMPT);
                event.subject = proc.go;
                if proc.go == NOBODY_SLOT {
                    event.subject = NONE;
                }
                (event.status, event.seq) = (Running, ANY);
                event.status_after = if runs_on { Runnable } else { Waiting };
                event.seq_after = ANY;
                proc.go = 0;
            }
            Kind::GO_END | Kind::GO_STOP => proc.go = 0,
            Kind::GC_START => {
                event.subject = COLLECTOR_SLOT;
                (event.status, event.seq) = (Dead, id);
                (event.status_after, event.seq_after) = (Dead, id.wrapping_add(1));
            }
            _ => {}
        }
    }

    /// Goes on with a proc's next batch, or sample.
    #[cold]
    #[inline(never)]
    fn next_batch(&mut self, place: u32, index: &Index) -> Ahead {
        let proc = &mut self.procs[place as usize];
        let Some(known) = index.procs.get(place as usize) else {
            let Some(sample) = index.samples.get(self.next_sample) else {
                proc.done = true;
                return Ahead::Nothing;
            };
            self.next_sample += 1;
            let go = self.goroutines.of(sample.go);
            proc.has_next = true;
            proc.event = Event {
                args: [sample.proc as u64, 0, 0],
                stack: sample.stack,
                proc: place,
                ..Event::free(Kind::CPU_SAMPLE, sample.time, go, sample.at)
            };
            return Ahead::Sample;
        };
        let Some(batch) = known.batches.get(proc.batch) else {
            proc.done = true;
            return Ahead::Nothing;
        };
        proc.batch += 1;
        (proc.at, proc.end, proc.time) = (batch.start, batch.end, batch.time);
        Ahead::Batch
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

    /// Goes over a log's message. The event then begins where its numbers end: there the message
    /// is found again.
    #[cold]
    #[inline(never)]
    fn skip_text(&mut self, place: u32, data: &[u8], index: &Index) -> bool {
        let proc = &mut self.procs[place as usize];
        match wire::number(data, proc.at) {
            Ok((len, start)) => {
                proc.event.at = proc.at;
                proc.at = start + len as usize;
                true
            }
            Err(error) => {
                proc.has_next = false;
                self.fail(Head::of(Kind::LOG.0).number(error), place, index)
            }
        }
    }

    /// A proc's events cannot be read any further.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, fault: OldFault, place: u32, index: &Index) -> bool {
        let rest = self.rest_of(place as usize, index);
        let proc = &mut self.procs[place as usize];
        proc.done = true;
        self.unreadable.push((fault, proc.at, rest));
        false
    }
}

/// What follows a batch.
enum Ahead {
    Batch,
    Sample,
    Nothing,
}
