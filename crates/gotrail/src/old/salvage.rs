//! What is kept of a broken trace, and what is said of the rest.

use super::check::Marks;
use super::convert::Converter;
use super::fault::OldFault;
use super::index::Index;
use super::mend::Missing;
use super::merge::{Merge, Next};
use super::next::Event;
use super::walk::Moved;
use super::wire::{Head, Kind};
use super::{Faults, OldEvents};
use crate::Time;
use crate::error::{Error, Fault, Place};
use crate::event::Ordered;
use crate::generation::Generation;
use crate::order::Sink;
use crate::report::{Loss, Report};
use gotrail_format::version::{self, HEADER_LEN};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Whether something follows a trace that is no part of it, and where: another trace, or what
/// stands where only tables can be, up to the end of the data. Only of a trace that is broken.
#[cold]
#[inline(never)]
pub(super) fn what_follows(data: &[u8], index: &Index) -> Option<(OldFault, usize)> {
    let gap = index.gaps.last()?;
    // Only what was not understood can be a header, or tables that were taken for one's beginning:
    // a message that a program logged is neither.
    let from = index.gaps.iter().map(|gap| gap.bytes.start).min()?;
    let from = from.min(index.behind.unwrap_or(from));
    let is_header =
        |bytes: &[u8]| bytes.starts_with(b"go 1.") && version::read_header(bytes).is_ok();
    if let Some(at) = data[from..].windows(HEADER_LEN).position(is_header) {
        return Some((OldFault::AnotherTrace, from + at));
    }
    let cut_off = matches!(gap.fault, Fault::Old(OldFault::CutOff(_)));
    let is_table =
        matches!(Head::of(data[gap.bytes.start]).kind, Kind::STACK | Kind::BATCH | Kind::STRING);
    if index.frequency.is_none() || gap.bytes.end != data.len() || cut_off && is_table {
        return None;
    }
    let at = index.behind.unwrap_or(gap.bytes.start).min(gap.bytes.start);
    // Damage before that is something else.
    let alone = index.gaps.iter().all(|gap| gap.bytes.end <= at || gap.bytes.start >= at);
    alone.then_some((OldFault::Trailing, at))
}

/// What matters of a goroutine for the marks of its events.
#[derive(Clone, Copy, Default)]
struct Go {
    /// The number of its syscall, plus 1, if that is the last event on it.
    syscall: u64,
    /// When its last syscall blocked, or 0.
    blocked: i64,
    /// Whether it last waited for the network.
    network: bool,
}

/// How far a proc's events go.
#[derive(Clone, Copy)]
struct Reach {
    time: i64,
    stopped: bool,
}

fn note_reach(reach: &mut FxHashMap<u32, Reach>, event: &Event) {
    if event.kind != Kind::CPU_SAMPLE {
        let stopped = event.kind == Kind::PROC_STOP;
        reach.insert(event.proc, Reach { time: event.time, stopped });
    }
}

impl OldEvents {
    /// Puts what is left of a broken trace in order, and notes what is missing.
    #[cold]
    #[inline(never)]
    pub(super) fn salvage(
        &mut self,
        generation: &Generation<'_>,
        faults: Faults,
        report: &mut Report,
    ) {
        let mut merge = Merge::new(&self.index, false);
        let mut marks = Marks::default();
        let mut goroutines: Vec<Go> = Vec::new();
        let mut reach: FxHashMap<u32, Reach> = FxHashMap::default();
        (self.merged, self.total, self.mended) = (0, None, true);
        (self.first, self.last) = (0, i64::MIN);
        self.moved.clear();
        while let Next::Event = merge.next_mended(&generation.data, &self.index) {
            let event = merge.event();
            let number = self.merged;
            if number == 0 {
                self.first = event.time;
            }
            note_reach(&mut reach, event);
            if goroutines.len() < merge.goroutines.ids.len() {
                goroutines.resize(merge.goroutines.ids.len(), Go::default());
            }
            self.mark(event, number, &mut goroutines, &mut marks);
            if event.kind == Kind::FUTILE_WAKEUP {
                self.look_closer(event, number, generation, &mut marks, Some(report));
            }
            self.merged += 1;
        }
        self.last = self.last.max(merge.time);
        self.moved.sort_unstable();
        (self.marks, self.count) = (marks, self.merged);
        self.note(generation, faults, merge, &reach, report);
    }

    /// Notes what is missing of a trace that ends too early, and is whole up to there.
    #[cold]
    #[inline(never)]
    pub(super) fn note_end(&mut self, generation: &Generation<'_>, report: &mut Report) {
        if self.index.gaps.is_empty() && self.index.frequency.is_some() {
            return;
        }
        let mut merge = Merge::new(&self.index, false);
        let mut reach = FxHashMap::default();
        while let Next::Event = merge.next_mended(&generation.data, &self.index) {
            note_reach(&mut reach, merge.event());
        }
        self.note(generation, Faults::new(), merge, &reach, report);
    }

    /// Marks events that mean something else because of others.
    fn mark(&mut self, event: &Event, number: u64, goroutines: &mut [Go], marks: &mut Marks) {
        let go = &mut goroutines[event.go as usize];
        let syscall = std::mem::take(&mut go.syscall);
        match event.kind {
            Kind::SYSCALL => (go.syscall, go.network) = (number + 1, false),
            Kind::SYSCALL_BLOCK => {
                go.blocked = event.time;
                if syscall != 0 {
                    marks.set(syscall - 1);
                }
            }
            Kind::GO_IN_SYSCALL => (go.blocked, go.network) = (event.time, false),
            Kind::SYSCALL_EXIT => {
                go.network = false;
                let time = event.args[2] as i64;
                if go.blocked != 0 && (go.blocked..event.time).contains(&time) {
                    self.moved.push(Moved { time, number, go: event.go, at: event.at });
                    marks.set(number);
                }
            }
            Kind::GO_UNBLOCK => {
                let other = &mut goroutines[event.other as usize];
                if other.network {
                    marks.set(number);
                }
                other.network = false;
            }
            Kind::GO_BLOCK_NET => go.network = true,
            Kind::GO_START | Kind::GO_START_LABEL | Kind::GO_WAITING => go.network = false,
            _ => {}
        }
    }

    /// Notes what is missing, now that the order is known.
    fn note(
        &mut self,
        generation: &Generation<'_>,
        faults: Faults,
        mut merge: Merge,
        reach: &FxHashMap<u32, Reach>,
        report: &mut Report,
    ) {
        let offset = generation.offset;
        let length = generation.data.len();
        let gaps = std::mem::take(&mut self.index.gaps);
        let time = |time| Time(self.nanos_between(self.first, time));
        let loss = |fault: Fault, at: usize, ranges: &[Range<usize>]| {
            let place = Place { offset: Some(offset + at as u64), ..Place::default() };
            let mut loss = Loss::of_error(&Error::new(fault, place));
            loss.add(offset, ranges.iter().cloned());
            loss
        };
        let is_end = |fault: &Fault| {
            matches!(fault, Fault::Old(OldFault::CutOff(_) | OldFault::NoFrequency))
        };
        // In a trace that is cut off, everything else follows from that.
        let cut_off = self.index.frequency.is_none();
        let mut at_end = None;
        for gap in gaps {
            if cut_off && is_end(&gap.fault) && gap.bytes.end == length {
                at_end = Some(gap);
                continue;
            }
            let same = |missing: &&Missing| Some(missing.at) == gap.batch_end;
            let missing = merge.missing.iter().find(same);
            let mut loss = loss(gap.fault, gap.bytes.start, std::slice::from_ref(&gap.bytes));
            if let Some(missing) = missing {
                let from = missing.from.max(self.first);
                loss.from = Some(time(from));
                loss.until = missing.until.map(|until| time(until.max(from)));
            }
            report.add_loss(loss);
        }
        for (fault, at, ranges) in merge.unreadable.drain(..) {
            report.add_loss(loss(fault.into(), at, &ranges));
        }
        if cut_off {
            let bytes = at_end.map_or(length..length, |gap| gap.bytes);
            // A proc that runs has more to tell.
            let running = reach.values().filter(|reach| !reach.stopped);
            let until = running.map(|reach| reach.time).min().unwrap_or(self.last);
            let told = until.wrapping_sub(self.first) as f64;
            let all = self.last.wrapping_sub(self.first).max(1) as f64;
            let fault = OldFault::End {
                at: offset + length as u64,
                complete: (told / all * 1000.0) as u16,
            };
            let mut loss = loss(fault.into(), bytes.start, &[bytes]);
            loss.from = Some(time(until));
            report.add_loss(loss);
        } else if let Some((fault, at, _)) = faults.into_iter().next() {
            // What showed that it is broken; nothing of it is lost.
            report.add_loss(loss(fault, at, &[]));
        }
        if !self.mended {
            return;
        }
        // What must be assumed shows only when all of it is told.
        let mut converter = Converter::new(self, true);
        while converter.step(self, generation, &mut Nobody).is_ok_and(|more| more) {}
        let repair = &converter.repair;
        if let Some((first, last)) = repair.span {
            let (assumed, dropped) = (repair.assumed, repair.dropped);
            (report.assumed, report.dropped) = (assumed, dropped);
            let fault = OldFault::Missing { assumed, dropped };
            let mut loss = Loss::of_error(&Error::new(fault.into(), Place::default()));
            if cut_off {
                loss.cause = crate::Cause::CutOff;
            }
            (loss.from, loss.until) = (Some(Time(first)), Some(Time(last)));
            report.add_loss(loss);
        }
    }
}

/// Whom nothing is told.
struct Nobody;

impl Sink for Nobody {
    fn emit(&mut self, _: Ordered) {}

    fn emit_known(&mut self, _: Ordered) {}

    fn deliver(&mut self, _: Ordered) {}

    fn commit(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn has_room(&self) -> bool {
        true
    }
}
