//! One walk over all bytes: where each proc's batches are, and what is said once for all events.

use super::fault::OldFault;
use super::wire::{self, Head, Kind};
use crate::error::Fault;
use crate::stacks::{StackBuilder, Stacks};
use crate::tables::{Numbers, Piece, Strings};
use gotrail_format::varint::VarintError;
use gotrail_format::{Version, gosort};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// The longest string.
const LONGEST_STRING: u64 = 1_000_000;

/// The deepest stack.
const MOST_FRAMES: u64 = 1000;

/// The first byte of a batch.
const BATCH_HEAD: u8 = Kind::BATCH.0 | 1 << 6;

/// How many events of what seems to be a batch must make sense.
const TRIED_EVENTS: usize = 32;

/// Procs of batches that are found by guessing have ids up to this one.
const MOST_PROCS: i32 = 1 << 16;

/// In ticks: no proc's batches are further apart, by far.
pub(super) const LONGEST_PAUSE: i64 = 1 << 44;

/// The proc that CPU samples are said to be of, so that they are merged like its events.
pub(super) const SAMPLES: i32 = 1_000_005;

/// A batch: events of one proc that follow each other.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    /// Where its first event is, behind the header.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The time from which the first event's counts.
    pub(super) time: i64,
    /// Whether it ends because what follows cannot be read.
    pub(super) broken: bool,
}

/// Bytes that cannot be read, which end a batch.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) fault: Fault,
    pub(super) bytes: Range<usize>,
    /// Where the events of the batch end that it ends, if there is one.
    pub(super) batch_end: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Proc {
    pub(super) id: i32,
    pub(super) batches: Vec<Batch>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) time: i64,
    pub(super) proc: i32,
    pub(super) go: u64,
    pub(super) stack: u32,
    pub(super) at: usize,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    /// The procs in the order in which they first appear. The reference takes them in the random
    /// order of a hash map; it shows where events of two procs have the same time.
    pub(super) procs: Vec<Proc>,
    pub(super) samples: Vec<Sample>,
    /// How many events there are besides samples.
    pub(super) events: usize,
    /// Ticks a second.
    pub(super) frequency: Option<i64>,
    /// Goroutines of the runtime's timers.
    pub(super) timers: Vec<u64>,
    /// The latest time from which a batch's times count.
    pub(super) latest: i64,
    /// How long the trace is.
    pub(super) bytes: usize,
    /// What cannot be read: the first of it only, unless it is looked for what comes after.
    pub(super) gaps: Vec<Gap>,
    /// Where the first event of a proc is that comes after the frequency, behind which the runtime
    /// writes nothing but tables.
    pub(super) behind: Option<usize>,
    strings: Vec<(u64, Piece)>,
    /// Messages of logs, and where they stand, which is where the numbers of the event end.
    messages: Vec<(usize, Piece)>,
    stacks: StackBuilder,
}

/// Walks over the bytes. Behind a fault it goes on where a batch seems to begin.
pub(super) fn index(data: &[u8], version: Version) -> Index {
    let mut walk = Walk::new(data, version);
    let mut seen = FxHashSet::default();
    loop {
        walk.plain_events();
        let at = walk.at;
        if at == data.len() {
            break;
        }
        if let Err(fault) = walk.event(&mut seen) {
            walk.end_batch(at);
            let next = walk.find_batch(at);
            walk.at = next;
            let proc = walk.proc.take();
            let batch = proc.and_then(|proc| walk.index.procs[proc].batches.last_mut());
            let batch_end = batch.map(|batch| {
                batch.broken = true;
                batch.end
            });
            walk.index.gaps.push(Gap { fault, bytes: at..next, batch_end });
        }
    }
    walk.end_batch(walk.at);
    let latest = walk.times.map_or(0, |(_, latest)| latest);
    let mut index = Index { latest, ..walk.index };
    gosort::sort_unstable_by(&mut index.samples, |a, b| a.time < b.time);
    index
}

struct Walk<'a> {
    data: &'a [u8],
    version: Version,
    at: usize,
    index: Index,
    /// Where procs are in the index.
    places: FxHashMap<i32, usize>,
    /// The proc of the current batch.
    proc: Option<usize>,
    /// [`plain`] events.
    plain: u64,
    /// Where events begin that are not of the proc, if only such were seen since, and how many
    /// others there were before.
    tail: Option<(usize, usize)>,
    /// The earliest and the latest time of a batch.
    times: Option<(i64, i64)>,
}

/// The events that happen on a proc and are nothing but numbers, a bit for each type.
fn plain(version: Version) -> u64 {
    let is_plain = |&byte: &u8| {
        let head = Head::of(byte);
        head.is_known(version) && head.kind.spec().timed && head.kind != Kind::LOG
    };
    (0..64).filter(is_plain).fold(0, |all, byte| all | 1 << byte)
}

impl<'a> Walk<'a> {
    fn new(data: &'a [u8], version: Version) -> Walk<'a> {
        Walk {
            data,
            version,
            at: 0,
            index: Index { bytes: data.len(), ..Index::default() },
            plain: plain(version),
            tail: None,
            places: FxHashMap::default(),
            proc: None,
            times: None,
        }
    }

    /// Goes over events of the batch's proc that are nothing special.
    #[inline(always)]
    fn plain_events(&mut self) {
        if self.proc.is_none() || self.index.frequency.is_some() {
            return;
        }
        let mut at = self.at;
        while let Some(window) = self.data.get(at..).and_then(|rest| rest.first_chunk::<9>()) {
            let head = Head::of(window[0]);
            if self.plain >> head.kind.0 & 1 == 0 {
                break;
            }
            let len = if head.has_length() {
                // All of it must be there, and the reference does not read nothing at the end.
                if window[1] >= 0x80 || at + 2 == self.data.len() {
                    break;
                }
                2 + usize::from(window[1])
            } else {
                let [_, numbers @ ..] = *window;
                match wire::len(u64::from_le_bytes(numbers), head.count) {
                    Some(len) => 1 + len,
                    None => break,
                }
            };
            if len > self.data.len() - at {
                break;
            }
            at += len;
            self.index.events += 1;
        }
        self.at = at;
    }

    /// Goes over one event.
    fn event(&mut self, strings: &mut FxHashSet<u64>) -> Result<(), Fault> {
        let head = Head::of(self.data[self.at]);
        if !head.is_known(self.version) {
            return Err(OldFault::UnknownEvent(head.kind.0).into());
        }
        if head.kind.spec().timed {
            if self.proc.is_none() {
                return Err(OldFault::NoBatch(head.kind.name()).into());
            }
            if self.index.frequency.is_some() {
                self.index.behind.get_or_insert(self.at);
            }
            let at = self.at + 1;
            self.at = if head.has_length() {
                let (_, end) = head.extent(self.data, at)?;
                if head.kind == Kind::LOG {
                    let (start, text_end) = self.text(head, end)?;
                    self.index.messages.push((end, Piece::new(start, text_end - start)));
                    text_end
                } else {
                    end
                }
            } else {
                wire::skip(self.data, at, head.count).map_err(|error| head.number(error))?
            };
            self.index.events += 1;
            return Ok(());
        }
        if self.tail.is_none_or(|(_, events)| events != self.index.events) {
            self.tail = Some((self.at, self.index.events));
        }
        self.other(head, strings)
    }

    /// The string at `at`, which is its length and its bytes: where it begins and ends.
    fn text(&self, head: Head, at: usize) -> Result<(usize, usize), OldFault> {
        let (len, start) = wire::number(self.data, at).map_err(|error| head.number(error))?;
        if len > LONGEST_STRING {
            return Err(OldFault::StringLength(len));
        }
        let end = start + len as usize;
        if end > self.data.len() {
            Err(OldFault::CutOff(head.kind.name()))
        } else {
            Ok((start, end))
        }
    }

    /// Goes over an event that is not of a proc.
    #[inline(never)]
    fn other(&mut self, head: Head, strings: &mut FxHashSet<u64>) -> Result<(), Fault> {
        let start = self.at;
        let mut at = start + 1;
        let number = |at: &mut usize| -> Result<u64, OldFault> {
            let (value, next) = wire::number(self.data, *at).map_err(|error| head.number(error))?;
            *at = next;
            Ok(value)
        };
        match head.kind {
            Kind::BATCH => {
                if head.count != 2 {
                    return Err(OldFault::Arguments(head.kind.name()).into());
                }
                let id = number(&mut at)?;
                let time = number(&mut at)? as i64;
                if id != u64::MAX && id > i32::MAX as u64 {
                    return Err(OldFault::ProcId(id).into());
                }
                self.end_batch(start);
                let (earliest, latest) = self.times.unwrap_or((time, time));
                self.times = Some((earliest.min(time), latest.max(time)));
                let procs = &mut self.index.procs;
                let place = *self.places.entry(id as i32).or_insert_with(|| {
                    procs.push(Proc { id: id as i32, batches: Vec::new() });
                    procs.len() - 1
                });
                procs[place].batches.push(Batch { start: at, end: at, time, broken: false });
                self.proc = Some(place);
            }
            Kind::STRING => {
                let id = number(&mut at)?;
                let (text, end) = match self.proc {
                    Some(_) => self.text(head, at)?,
                    None => {
                        // Nobody reads it.
                        let len = number(&mut at)?;
                        let end = at as u64 + len.min(1 << 62);
                        if end > self.data.len() as u64 {
                            return Err(OldFault::CutOff(head.kind.name()).into());
                        }
                        self.at = end as usize;
                        return Ok(());
                    }
                };
                if text == end {
                    return Err(OldFault::StringLength(0).into());
                }
                if id == 0 || !strings.insert(id) {
                    return Err(Fault::RepeatedId { what: "string", id });
                }
                self.index.strings.push((id, Piece::new(text, end - text)));
                at = end;
            }
            _ if self.proc.is_none() => return Err(OldFault::NoBatch(head.kind.name()).into()),
            Kind::STACK => at = self.stack(head, at)?,
            Kind::FREQUENCY => {
                let (numbers, end) = head.numbers(self.data, at, 1)?;
                at = end;
                let frequency = numbers.last as i64;
                if frequency <= 0 {
                    return Err(OldFault::Frequency(frequency).into());
                }
                self.index.frequency = Some(frequency);
            }
            Kind::TIMER_GOROUTINE => {
                let (numbers, end) = head.numbers(self.data, at, 1)?;
                at = end;
                self.index.timers.push(numbers.last);
            }
            _ => {
                // A CPU sample: when it was written, when it was taken, proc, goroutine, stack.
                let (numbers, end) = head.numbers(self.data, at, 5)?;
                at = end;
                let [time, proc, go] = numbers.args;
                self.index.samples.push(Sample {
                    time: time as i64,
                    proc: proc as i32,
                    go,
                    stack: numbers.last as u32,
                    at: start,
                });
            }
        }
        self.at = at;
        Ok(())
    }

    /// A stack: its id, the number of frames, four numbers for each. Returns where it ends.
    fn stack(&mut self, head: Head, at: usize) -> Result<usize, Fault> {
        let (at, end) = if head.has_length() {
            let (at, end) = head.extent(self.data, at)?;
            (at, Some(end))
        } else if head.count == 2 {
            (at, None)
        } else {
            return Err(OldFault::Arguments(head.kind.name()).into());
        };
        let broken = |error: VarintError| Fault::from(head.number(error));
        let (id, at) = wire::number(self.data, at).map_err(broken)?;
        let (depth, at) = wire::number(self.data, at).map_err(broken)?;
        let id = u64::from(id as u32);
        if depth > MOST_FRAMES {
            return Err(OldFault::StackTooDeep(depth).into());
        }
        let wrong = || Fault::from(OldFault::Arguments(head.kind.name()));
        let Some(end) = end else { return if depth == 0 { Ok(at) } else { Err(wrong()) } };
        if at > end {
            return Err(wrong());
        }
        let mut frames = Numbers::new(self.data, at..end);
        if id != 0 && depth > 0 {
            self.index.stacks.add_stack(id, depth, &mut frames).map_err(|_| wrong())?;
        } else {
            for _ in 0..4 * depth {
                frames.number("a frame").map_err(|_| wrong())?;
            }
        }
        if frames.is_empty() { Ok(end) } else { Err(wrong()) }
    }

    /// Where the next batch begins behind a fault, as it seems; the end of the data if there is none.
    #[cold]
    fn find_batch(&self, fault: usize) -> usize {
        let (earliest, latest) = self.times.unwrap_or((0, i64::MAX));
        let latest = latest.saturating_add(LONGEST_PAUSE);
        let candidates = (fault + 1..self.data.len()).filter(|&at| self.data[at] == BATCH_HEAD);
        let found = candidates.into_iter().find(|&at| {
            let mut trial = Walk::new(self.data, self.version);
            trial.at = at;
            let mut seen = FxHashSet::default();
            for event in 0..TRIED_EVENTS {
                if trial.at == self.data.len() {
                    return event > 0;
                }
                match trial.event(&mut seen) {
                    Ok(()) => {}
                    // The data may end anywhere.
                    Err(Fault::Old(OldFault::CutOff(_))) => return event > 0,
                    Err(_) => return false,
                }
                let [proc] = &trial.index.procs[..] else { return event > 0 };
                let right = proc.batches.iter().all(|one| (earliest..=latest).contains(&one.time));
                if !right || proc.id > MOST_PROCS {
                    return false;
                }
            }
            true
        });
        found.unwrap_or(self.data.len())
    }

    /// The current batch ends at `at`.
    fn end_batch(&mut self, at: usize) {
        let batches = self.proc.map(|proc| &mut self.index.procs[proc].batches);
        if let Some(batch) = batches.and_then(|batches| batches.last_mut()) {
            // What stands at its end and is not of the proc was read here, and nobody else needs it.
            batch.end = match self.tail {
                Some((tail, events)) if events == self.index.events => tail.max(batch.start),
                _ => at,
            };
        }
    }
}

impl Index {
    /// The largest id of a string.
    pub(super) fn largest_string_id(&self) -> u64 {
        self.strings.iter().map(|&(id, _)| id).max().unwrap_or(0)
    }

    /// Where the string with that id lies.
    pub(super) fn largest_string_at(&self) -> usize {
        let largest = self.strings.iter().max_by_key(|&&(id, _)| id);
        largest.map_or(0, |(_, text)| text.start)
    }

    /// How many strings stand within events.
    pub(super) fn messages(&self) -> u64 {
        self.messages.len() as u64
    }

    /// Which of the strings within events stands there.
    pub(super) fn message_at(&self, at: usize) -> Option<u64> {
        Some(self.messages.binary_search_by_key(&at, |&(place, _)| place).ok()? as u64)
    }

    /// The strings, with those that stand within events, and room for further ones; and the ids
    /// of the first of each.
    pub(super) fn strings(&mut self) -> (Strings, u64, u64) {
        let first = self.largest_string_id().wrapping_add(1);
        let mut entries = std::mem::take(&mut self.strings);
        let messages = self.messages.iter().map(|&(_, message)| message);
        entries.extend((0..).map(|i| first.wrapping_add(i)).zip(messages));
        let names = first.wrapping_add(self.messages());
        (Strings::with_names(entries, names, super::names::NAMES), first, names)
    }

    /// The stacks. Of several with the same id the last counts.
    pub(super) fn stacks(&mut self) -> Stacks {
        self.stacks.finish_last()
    }
}
