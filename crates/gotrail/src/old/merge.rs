//! One order of all procs' events.
//!
//! Each proc's next event is ready when its goroutine is in the state that the event needs. Ready
//! events wait in a heap; the earliest of them happens. Where times are equal, the shape of the
//! heap decides, and the order in which events got into it: both are the reference's.
//!
//! Nothing is kept of an event that happened. Who needs the order again merges again.

use super::fault::OldFault;
use super::glance::Glance;
use super::heap::Heap;
use super::index::{Index, SAMPLES};
use super::mend::Missing;
use super::next::{ANY, COLLECTOR, Event, NOBODY, ONE_MORE, Proc};
use super::slots::{NONE, Slots};
use super::wire::{Kind, Status};
use rustc_hash::FxHashSet;
use std::ops::Range;

/// What the merge knows of a goroutine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Go {
    /// How often it was made to run or to wait, as far as sequence numbers tell.
    pub(super) seq: u64,
    pub(super) status: Status,
    /// Whether a proc may wait for it.
    pub(super) awaited: bool,
}

/// A merge of all events.
#[derive(Debug, Clone)]
pub(super) struct Merge {
    pub(super) procs: Vec<Proc>,
    /// Procs whose next event is not ready or not read, with the goroutine that it waits for: it
    /// can only become ready by an event of the same one.
    pub(super) waiting: Vec<(u32, u32)>,
    pub(super) heap: Heap,
    /// The proc whose event happened last, and the goroutine whose state it changed.
    pub(super) last: Option<(u32, u32)>,
    pub(super) time: i64,
    pub(super) goroutines: Slots,
    pub(super) states: Vec<Go>,
    timers: FxHashSet<u32>,
    pub(super) next_sample: usize,
    /// What went wrong with procs whose further events cannot be read, and where: they end there.
    pub(super) unreadable: Vec<(OldFault, usize, Vec<Range<usize>>)>,
    /// Gaps in the events of procs, if the trace is broken.
    pub(super) missing: Vec<Missing>,
    /// Whether events need not be read if a glance at them is enough.
    glances: bool,
}

/// A proc's next event, as far as the order of procs needs it.
pub(super) struct Offer {
    pub(super) time: i64,
    /// The goroutine whose state matters, or none.
    pub(super) subject: u32,
    pub(super) ready: bool,
}

/// Whose turn it is.
pub(super) enum Turn {
    Proc(u32),
    End,
    /// No proc's event can happen, the first of which is there.
    Stuck(OldFault, usize),
}

/// What comes next.
pub(super) enum Next {
    /// [`Merge::event`].
    Event,
    End,
    /// No further event can be put in order.
    Fault(OldFault, usize),
}

impl Merge {
    /// With `glances`, a glance at the commonest events is enough to put them in order.
    pub(super) fn new(index: &Index, glances: bool) -> Merge {
        let mut goroutines = Slots::new(index.bytes);
        let [idle, ..] = [0, COLLECTOR, NOBODY].map(|id| goroutines.of(id));
        let timers = index.timers.iter().map(|&id| goroutines.of(id)).collect();
        let proc = |_| Proc {
            batch: 0,
            at: 0,
            end: 0,
            time: 0,
            go: idle,
            event: Event::free(Kind::BATCH, 0, idle, 0),
            has_next: false,
            done: false,
            glance: Glance::NONE,
        };
        let procs: Vec<Proc> = (0..=index.procs.len()).map(proc).collect();
        Merge {
            waiting: (0..procs.len() as u32).map(|proc| (proc, NONE)).collect(),
            procs,
            heap: Heap::default(),
            last: None,
            time: i64::MIN,
            goroutines,
            states: Vec::new(),
            timers,
            next_sample: 0,
            unreadable: Vec::new(),
            missing: Vec::new(),
            glances,
        }
    }

    /// The event that happened last.
    #[inline(always)]
    pub(super) fn event(&self) -> &Event {
        &self.procs[self.last.map_or(0, |(proc, _)| proc as usize)].event
    }

    /// Goes on to the next event.
    pub(super) fn next(&mut self, data: &[u8], index: &Index) -> Next {
        match self.turn(data, index) {
            Turn::Proc(proc) => self.happen(proc, data, index),
            Turn::End => Next::End,
            Turn::Stuck(fault, at) => Next::Fault(fault, at),
        }
    }

    /// Finds the proc whose event is next.
    #[inline(always)]
    pub(super) fn turn(&mut self, data: &[u8], index: &Index) -> Turn {
        match self.last {
            Some((proc, changed)) if !self.is_awaited(changed) => {
                // Only this proc's next event can have become ready.
                match self.look_at(proc, data, index) {
                    Some(Offer { time, ready: true, .. }) => {
                        if self.heap.lets_pass(time) {
                            return Turn::Proc(proc);
                        }
                        self.heap.push(time, proc);
                    }
                    Some(Offer { subject, .. }) => {
                        self.waiting.push((proc, subject));
                        self.state(subject).awaited = true;
                    }
                    None => {}
                }
            }
            last => self.look_at_all(last, data, index),
        }
        self.heap.pop().map_or_else(|| self.end(), Turn::Proc)
    }

    /// Whether a proc may wait for what happened to this goroutine.
    #[inline(always)]
    fn is_awaited(&self, go: u32) -> bool {
        self.states.get(go as usize).is_some_and(|state| state.awaited)
    }

    /// Lets a proc's next event happen, if it still can.
    #[inline(always)]
    pub(super) fn happen(&mut self, place: u32, data: &[u8], index: &Index) -> Next {
        if !self.procs[place as usize].has_next && !self.read(place, data, index) {
            // It was looked at before: there is one.
            return Next::End;
        }
        let event = &self.procs[place as usize].event;
        let (name, at, time) = (event.kind.name(), event.at, event.time);
        if !self.is_ready(place) {
            return Next::Fault(OldFault::Impossible(name), at);
        }
        if time < self.time {
            return Next::Fault(OldFault::TimeOrder(name), at);
        }
        self.take(place);
        Next::Event
    }

    /// Looks at a proc's next event; none if there is none, or none that can be read.
    #[inline(always)]
    fn look_at(&mut self, place: u32, data: &[u8], index: &Index) -> Option<Offer> {
        if !self.procs[place as usize].has_next {
            if self.glances {
                let proc = &mut self.procs[place as usize];
                if proc.glance.is_none() {
                    proc.glance = proc.look(data, &mut self.goroutines, &mut self.states);
                }
                let Glance { time, go: subject, .. } = proc.glance;
                if !proc.glance.is_none() {
                    return Some(Offer {
                        time,
                        subject,
                        ready: proc.glance.is_ready(&self.states),
                    });
                }
            }
            if !self.read(place, data, index) {
                return None;
            }
        }
        let ready = self.is_ready(place);
        let event = &self.procs[place as usize].event;
        Some(Offer { time: event.time, subject: event.subject, ready })
    }

    /// Looks which procs' next events are ready now.
    #[inline(never)]
    fn look_at_all(&mut self, last: Option<(u32, u32)>, data: &[u8], index: &Index) {
        let changed = match last {
            Some((proc, changed)) => {
                self.waiting.push((proc, NONE));
                changed
            }
            None => NONE,
        };
        if changed != NONE {
            self.state(changed).awaited = false;
        }
        let mut i = 0;
        while let Some(&(proc, subject)) = self.waiting.get(i) {
            if subject != NONE && subject != changed {
                i += 1;
                continue;
            }
            match self.look_at(proc, data, index) {
                Some(Offer { subject, ready: false, .. }) => {
                    self.waiting[i].1 = subject;
                    self.state(subject).awaited = true;
                    i += 1;
                    continue;
                }
                Some(offer) => self.heap.push(offer.time, proc),
                None => {}
            }
            self.waiting.swap_remove(i);
        }
    }

    /// Nothing is ready.
    #[cold]
    fn end(&self) -> Turn {
        let stuck = self.procs.iter().filter(|proc| !proc.done);
        let at = |proc: &Proc| if proc.has_next { proc.event.at } else { proc.at };
        match stuck.clone().map(at).min() {
            Some(at) => Turn::Stuck(OldFault::Stuck(stuck.count()), at),
            None => Turn::End,
        }
    }

    /// All that was not merged.
    pub(super) fn rest(&self, index: &Index) -> Vec<Range<usize>> {
        (0..self.procs.len()).flat_map(|proc| self.rest_of(proc, index)).collect()
    }

    pub(super) fn rest_of(&self, place: usize, index: &Index) -> Vec<Range<usize>> {
        let proc = &self.procs[place];
        if proc.done {
            return Vec::new();
        }
        let at = proc.has_next.then_some(proc.event.at).filter(|&at| at < proc.at);
        let from = at.unwrap_or(proc.at).min(proc.end);
        let batches = index.procs.get(place).map_or(&[][..], |known| &known.batches);
        let later = &batches[proc.batch.min(batches.len())..];
        let later = later.iter().map(|batch| batch.start..batch.end);
        std::iter::once(from..proc.end).chain(later).collect()
    }

    #[inline(always)]
    pub(super) fn state(&mut self, go: u32) -> &mut Go {
        if go as usize >= self.states.len() {
            // There is a state for each slot before long.
            self.grow();
        }
        &mut self.states[go as usize]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        self.states.resize(self.goroutines.ids.len(), Go::default());
    }

    /// Whether a proc's next event can happen.
    #[inline(always)]
    pub(super) fn is_ready(&mut self, proc: u32) -> bool {
        let event = &self.procs[proc as usize].event;
        let (subject, status, seq) = (event.subject, event.status, event.seq);
        if subject == NONE {
            return true;
        }
        let state = self.state(subject);
        (state.status == status) & ((seq == ANY) | (seq == state.seq))
    }

    /// Lets a proc's next event happen, which is ready.
    #[inline(always)]
    pub(super) fn take(&mut self, proc: u32) {
        let of = &mut self.procs[proc as usize];
        of.has_next = false;
        let event = &of.event;
        let (subject, status, seq) = (event.subject, event.status_after, event.seq_after);
        self.time = event.time;
        self.last = Some((proc, subject));
        if subject != NONE {
            let state = self.state(subject);
            state.status = status;
            state.seq = match seq {
                ANY => state.seq,
                ONE_MORE => state.seq.wrapping_add(1),
                seq => seq,
            };
        }
    }

    /// Whether the goroutine belongs to the runtime's timers.
    #[inline(always)]
    pub(super) fn is_timer(&self, go: u32) -> bool {
        !self.timers.is_empty() && self.timers.contains(&go)
    }
}

/// The procs' ids, by slot.
pub(super) fn proc_ids(index: &Index) -> Vec<i32> {
    index.procs.iter().map(|proc| proc.id).chain([SAMPLES]).collect()
}
