//! Many copies of a trace laid over each other: the trace of a program on a machine with that
//! many times as many cores, which nobody here has.
//!
//! ```text
//!   copy 0   ─A────B──C───────D──          the same events, the ids renumbered,
//!   copy 1   ───A────B──C───────D─         each copy a little later than the first
//!   copy 2   ──A────B──C───────D──
//! ```
//!
//! Each copy has procs, threads, goroutines and tasks of its own. Strings, stacks, clocks and CPU
//! samples are there once for all copies. So is the garbage collector, of which a program has only
//! one: the copies other than the first lose the events that begin and end its mark phase. The
//! offsets of the copies are random but the same every time; as they are long compared with the
//! time between two events, the next event is nearly always another copy's.

use std::collections::BTreeMap;

use gotrail_format::event::{ArgKind, EventType};
use gotrail_format::{MAX_BATCH_SIZE, varint};

use gotrail_checks::layout::{Batch, Item, Layout, Part};

/// The seed of the copies' offsets.
const SEED: u64 = 64;

/// The offsets are below this, in clock units; a millisecond where the unit is 64 ns.
const LARGEST_OFFSET: u64 = 15_625;

/// How the copies lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// All at the same time.
    Together,
    /// One after the other: what a thread does is not interrupted by another copy.
    Apart,
}

/// Lays `copies` copies of a trace over each other. `None` if it cannot be understood.
pub(crate) fn superpose(trace: &[u8], copies: u64, spread: Spread) -> Option<Vec<u8>> {
    let layout = Layout::read(trace).filter(|layout| layout.rest.is_empty())?;
    let mut random = fastrand::Rng::with_seed(SEED);
    let length = length(&layout);
    let offset = |copy| match spread {
        Spread::Together if copy == 0 => 0,
        Spread::Together => random.u64(..LARGEST_OFFSET),
        Spread::Apart => copy * length,
    };
    let offsets: Vec<u64> = (0..copies).map(offset).collect();
    let mut out = layout.header.clone();
    for part in &layout.parts {
        match part {
            Part::Batch(batch) if has_events(batch) => {
                for (copy, offset) in (0..).zip(&offsets) {
                    let copy = Copy { number: copy, of: copies, offset: *offset };
                    copy.write(batch, &mut out);
                }
            }
            Part::Batch(batch) => {
                let layout =
                    Layout { parts: vec![Part::Batch(batch.clone())], ..Layout::default() };
                out.extend(layout.write());
            }
            Part::EndOfGeneration => out.push(EventType::END_OF_GENERATION.0),
        }
    }
    Some(out)
}

/// How long the longest generation is, in clock units.
fn length(layout: &Layout) -> u64 {
    let mut ranges: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for batch in layout.batches().filter(|batch| has_events(batch)) {
        let end = batch.time + batch.items.iter().map(|item| item.args[0]).sum::<u64>();
        let (from, to) = ranges.entry(batch.generation).or_insert((batch.time, end));
        (*from, *to) = (batch.time.min(*from), end.max(*to));
    }
    ranges.values().map(|(from, to)| to - from + 1).max().unwrap_or(0)
}

/// Whether a batch holds a thread's events, and not a piece of a table.
fn has_events(batch: &Batch) -> bool {
    let first = batch.items.first().and_then(Item::spec);
    batch.experiment.is_none() && batch.tail.is_empty() && first.is_none_or(|spec| spec.is_timed())
}

/// One of the copies.
struct Copy {
    number: u64,
    of: u64,
    offset: u64,
}

impl Copy {
    /// Writes this copy of a batch. As numbers get longer, it may become two.
    fn write(&self, batch: &Batch, out: &mut Vec<u8>) {
        let mut time = batch.time + self.offset;
        let mut start = time;
        let mut payload = Vec::new();
        let mut event = Vec::new();
        let mut dropped = 0;
        for item in &batch.items {
            let dt = item.args[0];
            if self.number != 0 && is_of_the_collector(EventType(item.event)) {
                dropped += dt;
                continue;
            }
            event.clear();
            self.event(item, dropped, &mut event);
            if (payload.len() + event.len()) as u64 > MAX_BATCH_SIZE {
                self.finish(batch, start, &payload, out);
                payload.clear();
                start = time;
            }
            payload.extend(&event);
            time += dropped + dt;
            dropped = 0;
        }
        self.finish(batch, start, &payload, out);
    }

    fn finish(&self, batch: &Batch, time: u64, payload: &[u8], out: &mut Vec<u8>) {
        out.push(EventType::EVENT_BATCH.0);
        for number in [batch.generation, self.id(batch.thread), time, payload.len() as u64] {
            varint::push(out, number);
        }
        out.extend(payload);
    }

    /// An event with the ids of this copy, `late` clock units later than it says.
    fn event(&self, item: &Item, late: u64, out: &mut Vec<u8>) {
        out.push(item.event);
        let spec = item.spec().expect("only known events are items");
        for (&name, &value) in spec.args.iter().zip(&item.args) {
            let value = match ArgKind::of(name) {
                ArgKind::Dt => value + late,
                ArgKind::Go | ArgKind::Proc | ArgKind::Thread => self.id(value),
                // The background task is everybody's.
                ArgKind::Task if value != 0 => self.id(value),
                _ => value,
            };
            varint::push(out, value);
        }
    }

    /// The id that this copy has in place of one in the trace.
    fn id(&self, id: u64) -> u64 {
        if id == u64::MAX { id } else { id * self.of + self.number }
    }
}

/// Whether an event is about the mark phase of the whole program.
fn is_of_the_collector(event: EventType) -> bool {
    matches!(event, EventType::GC_ACTIVE | EventType::GC_BEGIN | EventType::GC_END)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;
    use crate::ours::{self, Source};

    /// How many ordered events there are of each kind, and in all.
    fn kinds(trace: &[u8]) -> (BTreeMap<Vec<u8>, u64>, u64) {
        let (mut kinds, mut all) = (BTreeMap::new(), 0);
        ours::parsed(Source::Bytes(trace), &mut |text| {
            let kind = text.split(|&byte| byte == b' ').nth(3).unwrap_or_default();
            *kinds.entry(kind.to_vec()).or_insert(0) += 1;
            all += 1;
        })
        .unwrap();
        (kinds, all)
    }

    #[test]
    fn every_event_is_there_as_often_as_there_are_copies() {
        let once = [&b"Sync"[..], b"StackSample"];
        for (name, spread) in [
            ("go1.27/channels", Spread::Together),
            ("go1.27/channels", Spread::Apart),
            ("go1.27/syscalls-stress", Spread::Together),
            ("go1.27/gc", Spread::Together),
            ("go1.22/syscalls", Spread::Apart),
        ] {
            let trace = std::fs::read(golden::folder().join(format!("{name}.trace"))).unwrap();
            let (before, all) = kinds(&trace);
            let (after, _) = kinds(&superpose(&trace, 7, spread).unwrap());
            assert!(all > 50, "{name}");
            for (kind, &count) in &before {
                let copies = if once.contains(&&kind[..]) { 1 } else { 7 };
                let collector = kind.starts_with(b"Range");
                let found = after.get(kind).copied().unwrap_or(0);
                let kind = String::from_utf8_lossy(kind);
                if collector {
                    assert!((count..=7 * count).contains(&found), "{name} {kind}");
                } else {
                    assert_eq!(found, copies * count, "{name} {kind}");
                }
            }
        }
    }

    #[test]
    fn one_copy_is_the_trace_itself() {
        let trace = std::fs::read(golden::folder().join("go1.26/channels.trace")).unwrap();
        let (mut before, mut after) = (Vec::<u8>::new(), Vec::<u8>::new());
        ours::parsed(Source::Bytes(&trace), &mut |text| before.extend(text)).unwrap();
        let copy = superpose(&trace, 1, Spread::Apart).unwrap();
        ours::parsed(Source::Bytes(&copy), &mut |text| after.extend(text)).unwrap();
        assert!(before == after);
    }

    #[test]
    fn large_batches_are_split() {
        let item = Item {
            event: EventType::GO_UNBLOCK.0,
            args: vec![2, 1 << 20, 3, 4],
            data: None,
            data_len: None,
        };
        let batch = Batch {
            generation: 1,
            thread: 5,
            time: 10,
            items: vec![item; 9_000],
            ..Batch::default()
        };
        let layout = Layout {
            header: b"go 1.26 trace\0\0\0".to_vec(),
            parts: vec![Part::Batch(batch)],
            ..Layout::default()
        };
        let copies =
            Layout::read(&superpose(&layout.write(), 300, Spread::Together).unwrap()).unwrap();
        let batches: Vec<&Batch> = copies.batches().collect();
        assert_eq!(batches.len(), 600);
        assert_eq!(batches.iter().map(|batch| batch.items.len()).sum::<usize>(), 300 * 9_000);
        assert!(batches.iter().all(|batch| batch.payload_len() as u64 <= MAX_BATCH_SIZE));
        // The second half begins where the first one ends.
        let times: u64 = batches[0].items.iter().map(|item| item.args[0]).sum();
        assert_eq!(batches[1].time, batches[0].time + times);
    }
}
