//! Traces of Go 1.11 to 1.21.
//!
//! They have no generations: the file is one stream of batches, and strings, stacks and the
//! clock's frequency stand at its end. So it is read whole, made a single [`Generation`], and its
//! events are told in the words of the newer format. Nothing outside this folder knows the format:
//! others know that a generation may hold [`OldEvents`], which tell its events, and what a trace
//! without generations lacks.
//!
//! ```text
//!   bytes ──► index ──► merge ──► check        once, to see that all of it makes sense
//!            batches      │
//!            by proc,     └──► walk ──► convert ──► Sink, like events of any other trace
//!            tables                                  for who looks at events
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `wire.rs` | the table of events, and how one is written |
//! | `index.rs` | where batches, strings, stacks and samples are: one walk over the bytes |
//! | `merge.rs`, `heap.rs` | one order of the procs' events, by states of goroutines and then by time |
//! | `next.rs` | what each proc's next event is, and in which state its goroutine must be |
//! | `check.rs` | whether that order makes sense; looks ahead for `convert.rs` on the way |
//! | `stretch.rs` | the same of both for the commonest events, in one loop |
//! | `glance.rs` | what that loop needs to know of a proc's next event |
//! | `walk.rs` | the same order again, with ends of syscalls at their true times |
//! | `convert.rs` | the events of the newer format that an event means |
//! | `mend.rs` | an order of what is left of a broken trace |
//! | `repair.rs` | what must have happened where events are missing |
//! | `salvage.rs` | what is kept of a broken trace, and what is said of the rest |
//! | `names.rs` | the reasons that the newer format has as strings |
//! | `slots.rs` | small numbers for ids |
//!
//! A fault anywhere before `convert` means that a strict reader delivers nothing at all: this is
//! how the reference does it. A tolerant one keeps what comes before the fault. So all events are
//! put in order before the first is delivered; but the order is not kept, which would take more
//! time and memory than to find it again.

mod check;
mod convert;
mod fault;
mod glance;
mod heap;
mod index;
mod mend;
mod merge;
mod names;
mod next;
mod repair;
mod salvage;
mod slots;
mod stretch;
#[cfg(test)]
mod tests;
mod walk;
mod wire;

pub(crate) use convert::{Converter, position};
pub use fault::OldFault;

use crate::Time;
use crate::cursor::Tail;
use crate::error::{Error, Fault, Place};
use crate::generation::{Batch, Generation, NO_BATCH};
use crate::input::Bytes;
use crate::report::{Loss, Misuse, Report};
use check::{Check, Marks};
use gotrail_format::Version;
use index::Index;
use merge::{Merge, Next, Turn};
use next::Event;
use rustc_hash::FxHashSet;
use std::ops::Range;
use walk::{Moved, Walk};
use wire::Kind;

/// What is known of the events of an old trace, which were found to make sense.
#[derive(Debug)]
pub(crate) struct OldEvents {
    index: Index,
    /// How many of the events make sense, as they are merged; and of these, in the order of true
    /// times.
    merged: u64,
    count: u64,
    /// Syscalls that block, ends of them that were moved, unblocking of goroutines that waited for
    /// the network; and what a tolerant reader drops.
    marks: Marks,
    /// Whether a tolerant reader wants them.
    lenient: bool,
    /// Whether the trace is broken, and its order made of what is left.
    mended: bool,
    /// Ends of syscalls that were moved, by true times.
    moved: Vec<Moved>,
    /// How many events of the newer format they come to, if there is certainly nothing that must
    /// be refused when it is told. Before [`convert`] is through with the beginning, it tells less.
    total: Option<u64>,
    /// The ids of procs, by slot.
    procs: Vec<i32>,
    /// The times of the first event and of the last, in ticks.
    first: i64,
    last: i64,
    /// Nanoseconds in a tick.
    nanos: f64,
    /// The id of the first string that stands within an event.
    messages: u64,
    /// The id of the first of [`names::NAMES`].
    names: u64,
    /// Stacks that refer to strings that do not exist.
    broken_stacks: FxHashSet<u64>,
}

/// Reads what is behind the header: all of the trace, as a generation. None if it has no events.
/// With `losses`, damage is noted there and what comes before it is kept.
pub(crate) fn load<'t>(
    mut data: Bytes<'t>,
    version: Version,
    offset: u64,
    mut losses: Option<&mut Report>,
) -> Result<Option<Box<Generation<'t>>>, Error> {
    let error = |fault: Fault, at: usize| {
        Error::new(fault, Place { offset: Some(offset + at as u64), ..Place::default() })
    };
    let strict = losses.is_none();
    let mut lose = |fault: Fault, at: usize, ranges: Vec<Range<usize>>| {
        let error = error(fault, at);
        let Some(report) = losses.as_deref_mut() else { return Err(error) };
        let mut loss = Loss::of_error(&error);
        loss.add(offset, ranges.into_iter());
        report.add_loss(loss);
        Ok(())
    };

    let mut index = index::index(&data, version);
    if let Some((fault, end)) = salvage::what_follows(&data, &index) {
        // It ends before; what follows is not looked at.
        lose(fault.into(), end, std::iter::once(end..data.len()).collect())?;
        data.truncate(end);
        index = index::index(&data, version);
    }
    let broken = !index.gaps.is_empty();
    if broken && strict {
        let gap = index.gaps.swap_remove(0);
        return Err(error(gap.fault, gap.bytes.start));
    }
    let nanos = match index.frequency {
        Some(frequency) => 1e9 / frequency as f64,
        None if strict => return Err(error(OldFault::NoFrequency.into(), data.len())),
        None => 1.0,
    };
    let has_clock = index.frequency.is_some();
    let more = index.messages() + names::NAMES.len() as u64;
    if index.largest_string_id().checked_add(more).is_none() {
        lose(OldFault::TooManyStrings.into(), index.largest_string_at(), Vec::new())?;
    }
    let (strings, messages, names) = index.strings();
    let stacks = index.stacks();
    let broken_stacks = stacks.broken(&data, &strings);
    if !broken_stacks.is_empty()
        && let Err(fault) = stacks.check(&data, &strings)
        && let Some(report) = losses.as_deref_mut()
    {
        // A strict reader stops at the first event that has such a stack.
        report.add_loss(Loss::of_error(&fault.into()));
    }
    let mut generation = Generation {
        tail: Tail::of(&[]),
        offset,
        version,
        number: 1,
        strings,
        stacks,
        batches: index.batches(),
        data,
        ..Generation::empty(version)
    };
    let mut events = OldEvents {
        procs: merge::proc_ids(&index),
        index,
        merged: 0,
        count: 0,
        marks: Marks::default(),
        lenient: !strict,
        mended: false,
        moved: Vec::new(),
        total: (broken_stacks.is_empty() && losses.is_none()).then_some(0),
        first: 0,
        last: i64::MIN,
        nanos,
        messages,
        names,
        broken_stacks,
    };
    let mut noted = (!strict).then(Report::default);
    // If it only ends too early, it may still be possible to put it in order as if it did not.
    let hopeless = events.index.gaps.iter().any(|gap| gap.bytes.end < generation.data.len());
    let faults =
        if hopeless { Faults::new() } else { events.put_in_order(&generation, noted.as_mut()) };
    match losses.as_deref_mut() {
        None => {
            if let Some((fault, at, _)) = faults.into_iter().next() {
                return Err(error(fault, at));
            }
        }
        Some(report) if hopeless || !faults.is_empty() => {
            events.salvage(&generation, faults, report);
        }
        Some(report) => {
            report.append(&mut noted.unwrap_or_default());
            events.note_end(&generation, report);
        }
    }
    if let Some(report) = losses {
        report.times_are_ticks |= !has_clock;
    }
    if events.count == 0 {
        return Ok(None);
    }
    generation.old = Some(Box::new(events));
    Ok(Some(Box::new(generation)))
}

/// Faults with their places, and what is lost with them.
type Faults = Vec<(Fault, usize, Vec<Range<usize>>)>;

impl OldEvents {
    /// Puts all events in order and checks them, up to the first that does not make sense.
    fn put_in_order(
        &mut self,
        generation: &Generation<'_>,
        mut losses: Option<&mut Report>,
    ) -> Faults {
        let data = &generation.data;
        let procs = std::mem::take(&mut self.procs);
        let mut merge = Merge::new(&self.index, true);
        let mut check = Check::new(&procs, generation);
        // Whether checking in the order of true times could come to something else.
        let mut again = false;
        let mut total = 0;
        let mut stop = None;
        loop {
            let mut place = match merge.turn(data, &self.index) {
                Turn::Proc(place) => place,
                Turn::End => break,
                Turn::Stuck(fault, at) => {
                    stop = Some((fault.into(), at));
                    break;
                }
            };
            if self.merged > 0 {
                let (stacks, number) = (&generation.stacks, self.merged);
                let done = stretch::stretch(&mut merge, &mut check, data, stacks, number, place);
                self.merged += done.events;
                total += done.yields;
                match done.turn {
                    Some(next) => place = next,
                    None => continue,
                }
            }
            match merge.happen(place, data, &self.index) {
                Next::Event => {}
                Next::End => break,
                Next::Fault(fault, at) => {
                    stop = Some((fault.into(), at));
                    break;
                }
            }
            let event = merge.event();
            let number = self.merged;
            if number == 0 {
                self.first = event.time;
            }
            if event.kind == Kind::SYSCALL_EXIT {
                match check.true_time(event, &merge.goroutines.ids) {
                    Ok(None) => {}
                    Ok(Some(time)) => {
                        again |= !check.may_move(event, time);
                        self.last = self.last.max(time);
                        self.moved.push(Moved { time, number, go: event.go, at: event.at });
                        check.marks.set(number);
                    }
                    Err(fault) => {
                        stop = Some((fault.into(), event.at));
                        break;
                    }
                }
            }
            let timer = merge.is_timer(event.go);
            if let Err(fault) = check.event(event, number, timer, &merge.goroutines.ids) {
                match self.drop_misuse(event, fault, generation, losses.as_deref_mut()) {
                    Ok(()) => check.marks.set(number),
                    Err(fault) => {
                        stop = Some((fault, event.at));
                        break;
                    }
                }
            }
            if convert::may_be_refused(event, generation) {
                let marks = &mut check.marks;
                self.look_closer(event, number, generation, marks, losses.as_deref_mut());
            }
            total += convert::yields(event.kind);
            self.merged += 1;
        }
        self.last = self.last.max(merge.time);
        let unreadable = merge.unreadable.drain(..);
        let mut faults: Vec<_> =
            unreadable.map(|(fault, at, ranges)| (fault.into(), at, ranges)).collect();
        if let Some((fault, at)) = stop {
            faults.push((fault, at, merge.rest(&self.index)));
        }
        (self.marks, self.count) = (std::mem::take(&mut check.marks), self.merged);
        self.total = self.total.map(|_| total - check.blocking);
        self.moved.sort_unstable();
        if again {
            faults.extend(self.check_again(generation, &procs, losses.is_some()));
        }
        self.procs = procs;
        faults
    }

    /// Checks all events again at their true times; the first fault, if there is one.
    #[cold]
    #[inline(never)]
    fn check_again(
        &mut self,
        generation: &Generation<'_>,
        procs: &[i32],
        lenient: bool,
    ) -> Option<(Fault, usize, Vec<Range<usize>>)> {
        let mut walk = Walk::new(self);
        let mut check = Check::new(procs, generation);
        let mut fault = None;
        // Tolerant readers count what they tell in any case.
        self.total = None;
        let mut count = 0;
        while let Some((event, number)) = walk.next(self, &generation.data) {
            let timer = walk.merge.is_timer(event.go);
            match check.event(&event, number, timer, &walk.merge.goroutines.ids) {
                Err(found) if !(lenient && is_misuse(&found)) => {
                    fault = Some((found, event.at, walk.merge.rest(&self.index)));
                    break;
                }
                Err(_) => check.marks.set(number),
                Ok(()) if event.kind == Kind::FUTILE_WAKEUP => check.marks.set(number),
                Ok(()) => {}
            }
            count += 1;
        }
        self.moved.iter().for_each(|moved| check.marks.set(moved.number));
        (self.marks, self.count) = (check.marks, count);
        fault
    }

    /// Looks at an event that a strict reader may refuse to tell, and a tolerant one drops.
    #[cold]
    #[inline(never)]
    fn look_closer(
        &mut self,
        event: &Event,
        number: u64,
        generation: &Generation<'_>,
        marks: &mut Marks,
        losses: Option<&mut Report>,
    ) {
        let known = match event.kind {
            Kind::GO_CREATE => generation.stacks.contains(event.args[1]),
            Kind::TASK_CREATE | Kind::REGION | Kind::GO_START_LABEL => {
                generation.strings.contains(event.args[2])
            }
            Kind::LOG => generation.strings.contains(event.args[1]),
            _ => false,
        };
        if !known {
            self.total = None;
        }
        if event.kind == Kind::FUTILE_WAKEUP
            && let Some(report) = losses
        {
            marks.set(number);
            let fault = OldFault::Unexpected(event.kind.name());
            report.add_loss(Loss::of_error(&Fault::from(fault).into()));
        }
    }

    /// Drops a misused annotation, if there is where to note it.
    #[cold]
    #[inline(never)]
    fn drop_misuse(
        &self,
        event: &Event,
        fault: Fault,
        generation: &Generation<'_>,
        losses: Option<&mut Report>,
    ) -> Result<(), Fault> {
        let Some(report) = losses.filter(|_| is_misuse(&fault)) else { return Err(fault) };
        let place = Place { offset: Some(generation.offset + event.at as u64), ..Place::default() };
        let stack = generation.stack(self.stack_of(event, generation));
        let time = Time(self.nanos_between(self.first, event.time));
        report.add_misuse(|| Misuse::new(&Error::new(fault, place), time, stack));
        Ok(())
    }

    /// The event's stack; none if it does not exist.
    #[inline(always)]
    fn stack_of(&self, event: &Event, generation: &Generation<'_>) -> u64 {
        let stack = u64::from(event.stack);
        if generation.stacks.contains(stack) { stack } else { 0 }
    }

    /// Whether a tolerant reader wants them.
    pub(crate) fn is_lenient(&self) -> bool {
        self.lenient
    }

    /// The time of the last event, at least.
    pub(crate) fn end(&self) -> i64 {
        self.nanos_between(self.first, self.last)
    }

    /// From ticks to nanoseconds. What does not fit becomes the smallest number, as on amd64.
    #[inline(always)]
    fn nanos_between(&self, first: i64, time: i64) -> i64 {
        let nanos = time.wrapping_sub(first) as f64 * self.nanos;
        let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&nanos);
        if fits { nanos as i64 } else { i64::MIN }
    }
}

/// Whether it is an annotation that the program misuses.
fn is_misuse(fault: &Fault) -> bool {
    matches!(fault, Fault::TaskBegunTwice { .. } | Fault::RegionMisuse { .. })
}

impl index::Index {
    /// The batches as a generation lists them.
    fn batches(&self) -> Vec<Batch> {
        let batches = self.procs.iter().flat_map(|proc| &proc.batches);
        let batch = |batch: &index::Batch| Batch {
            start: batch.start,
            end: batch.end,
            time: batch.time as u64,
            next: NO_BATCH,
        };
        batches.map(batch).collect()
    }
}
