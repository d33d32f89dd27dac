//! A thread's place in its batches, and its next event.
//!
//! An event is read in two steps. Its type and time are read first, because they decide when it
//! is tried; that it is whole is certain from then on. Its arguments are read when it is tried,
//! by whatever handles its type, so that they need not be stored in between.

use crate::Time;
use crate::error::Fault;
use crate::generation::Generation;
use crate::order::{NO_SLOT, go_runs, proc_runs};
use gotrail_format::event::{NOT_TIMED, TIMED_ARGS};
use gotrail_format::{EventType, varint};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// The thread has offered no event yet, so that the state does not know it yet.
pub(crate) const UNRESOLVED: u32 = NO_SLOT - 1;

/// A thread's place in its batches, and its next event.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    pub(crate) next: Next,
    /// An event whose window ends here or before is whole if its type is known.
    pub(crate) sound: usize,
    /// No number of the batch is too large.
    flawless: bool,
    /// No number of any batch so far is too large.
    pub(crate) all_flawless: bool,
    end: usize,
    batch_time: u64,
    next_batch: u32,
    /// The thread's place in the state.
    pub(crate) slot: u32,
    pub(crate) thread: i64,
}

/// A thread's next event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Next {
    /// Where it begins.
    pub(crate) at: usize,
    /// How far behind that its arguments begin.
    pub(crate) args: usize,
    /// Its time; that of the event before as long as there is none.
    pub(crate) time: i64,
}

/// What came of looking for a thread's next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresh {
    /// There is one.
    Event,
    /// There is none.
    End,
    /// It cannot be read.
    Broken,
}

impl Next {
    /// The event's type, and its arguments, not read yet.
    #[inline(always)]
    pub(crate) fn event<'g>(self, generation: &'g Generation<'_>) -> (EventType, Args<'g>) {
        let window = generation.window(self.at);
        (EventType(window[0]), Args { window, at: self.args })
    }

    /// Where the event ends.
    fn end(self, generation: &Generation<'_>) -> usize {
        if self.args == 0 {
            // There is none yet.
            return self.at;
        }
        let (event, mut args) = self.event(generation);
        args.skip(event);
        self.at + args.at
    }

    /// Goes on to the event that follows after `len` bytes, if its window ends before `sound` and it
    /// needs no care.
    #[inline(always)]
    pub(crate) fn follow(&mut self, len: usize, sound: usize, generation: &Generation<'_>) -> bool {
        let at = self.at + len;
        if let Some(window) = generation.data.get(at..sound).and_then(|rest| rest.first_chunk())
            && let Some(next) = self.follower(len, window, generation)
        {
            *self = next;
            return true;
        }
        false
    }

    /// Goes on to the event at `at` in a batch that ends at `end` and has no number that is too
    /// large, if all of the event is there.
    #[inline]
    fn follow_to_end(&mut self, at: usize, end: usize, generation: &Generation<'_>) -> bool {
        if at >= end {
            return false;
        }
        let window = generation.window(at);
        let Some(next) = self.follower(at - self.at, window, generation) else { return false };
        let mut args = Args { window, at: next.args };
        args.of(EventType(window[0]));
        if at + args.at > end {
            return false;
        }
        *self = next;
        true
    }

    /// The event that follows after `len` bytes, which is whole and begins with `window`; none if
    /// it needs care.
    #[inline(always)]
    pub(crate) fn follower(
        self,
        len: usize,
        window: &Window,
        generation: &Generation<'_>,
    ) -> Option<Next> {
        if TIMED_ARGS[usize::from(window[0])] == NOT_TIMED || self.time == 0 {
            return None;
        }
        let mut args = Args { window, at: 1 };
        let time = self.time.wrapping_add(generation.frequency.nanos(args.next()));
        Some(Next { at: self.at + len, args: args.at, time })
    }
}

impl Cursor {
    /// A cursor before the first event of `thread`, whose first batch is `first`.
    pub(crate) fn new(thread: i64, first: u32) -> Cursor {
        Cursor {
            next: Next { at: 0, args: 0, time: 0 },
            sound: 0,
            flawless: false,
            all_flawless: true,
            end: 0,
            batch_time: 0,
            next_batch: first,
            slot: UNRESOLVED,
            thread,
        }
    }

    /// Goes on to the event behind the next one.
    pub(crate) fn advance(&mut self, generation: &Generation<'_>) -> Refresh {
        let end = self.next.end(generation);
        self.refresh(end, generation)
    }

    /// Looks for the event at `at`, behind the last one.
    #[inline]
    pub(crate) fn refresh(&mut self, at: usize, generation: &Generation<'_>) -> Refresh {
        if self.next.follow(at - self.next.at, self.sound, generation) {
            return Refresh::Event;
        }
        if self.flawless && self.next.follow_to_end(at, self.end, generation) {
            return Refresh::Event;
        }
        self.refresh_carefully(at, generation)
    }

    /// The same at the start or end of a batch, and where something may be wrong.
    #[cold]
    #[inline(never)]
    fn refresh_carefully(&mut self, at: usize, generation: &Generation<'_>) -> Refresh {
        self.next.at = at;
        if at == self.end && !self.turn_batch(generation) {
            return Refresh::End;
        }
        if self.next.time == 0 {
            // To the reference a time of 0 means that the batch's own time comes first.
            self.next.time = generation.frequency.nanos(self.batch_time);
        }
        match self.read(generation) {
            Ok((units, args)) => {
                self.next.time = self.next.time.wrapping_add(generation.frequency.nanos(units));
                self.next.args = args;
                Refresh::Event
            }
            Err(_) => Refresh::Broken,
        }
    }

    /// Goes on with the thread's next batch that is not empty; false if there is none.
    fn turn_batch(&mut self, generation: &Generation<'_>) -> bool {
        while self.next.at == self.end {
            let Some(batch) = generation.batches.get(self.next_batch as usize) else {
                return false;
            };
            (self.next.at, self.end) = (batch.start, batch.end);
            self.flawless =
                generation.flawless || !may_overflow(&generation.data[batch.start..batch.end]);
            self.all_flawless &= self.flawless;
            // A window has more room than the longest event takes.
            let sound = batch.end + size_of::<Window>() - LONGEST_EVENT;
            self.sound = if self.flawless { sound.min(generation.data.len()) } else { 0 };
            self.next_batch = batch.next;
            self.batch_time = batch.time;
            self.next.time = 0;
        }
        true
    }

    /// Reads the event at `at`, whatever it is: its time, in clock units since the one before,
    /// and where its arguments begin.
    fn read(&self, generation: &Generation<'_>) -> Result<(u64, usize), Fault> {
        let bytes = &generation.data[self.next.at..self.end];
        let event = EventType(bytes[0]);
        let count = TIMED_ARGS[usize::from(event.0)];
        if count == NOT_TIMED {
            return Err(Fault::NotTimed(event));
        }
        let mut at = 1;
        let mut number = |what| match varint::read(&bytes[at..]) {
            Ok((value, len)) => {
                at += len;
                Ok((value, at))
            }
            Err(error) => Err(Fault::Number { what, error }),
        };
        let time = number("an event's time")?;
        for _ in 0..count {
            number("an event's argument")?;
        }
        Ok(time)
    }

    /// What is wrong with the next event, if there is one that cannot be read.
    pub(crate) fn fault(&self, generation: &Generation<'_>) -> Option<Fault> {
        if self.next.at == self.end { None } else { self.read(generation).err() }
    }

    /// The next event's type and arguments.
    pub(crate) fn decoded(&self, generation: &Generation<'_>) -> (EventType, [u64; 4]) {
        let (event, mut args) = self.next.event(generation);
        (event, args.of(event))
    }

    /// The ranges of bytes from the next event on.
    pub(crate) fn rest<'g>(
        &self,
        generation: &'g Generation<'_>,
    ) -> impl Iterator<Item = Range<usize>> + 'g {
        let mut next = self.next_batch;
        let later = std::iter::from_fn(move || {
            let batch = generation.batches.get(next as usize)?;
            next = batch.next;
            Some(batch.start..batch.end)
        });
        std::iter::once(self.next.at..self.end).chain(later)
    }
}

/// Room for any event, and for reading eight bytes wherever one of its numbers begins.
pub(crate) type Window = [u8; 72];

/// The most bytes of an event: its type, its time, four arguments.
const LONGEST_EVENT: usize = 1 + 5 * varint::MAX_LEN;

/// The last bytes of a generation, and then zeros: windows at the end of the data.
#[derive(Debug)]
pub(crate) struct Tail([u8; 2 * size_of::<Window>()]);

impl Tail {
    pub(crate) fn of(data: &[u8]) -> Tail {
        let mut tail = Tail([0; _]);
        let half = size_of::<Window>();
        let len = data.len().min(half);
        tail.0[half - len..half].copy_from_slice(&data[data.len() - len..]);
        tail
    }

    /// The window of the last `left` bytes.
    fn window(&self, left: usize) -> &Window {
        let start = size_of::<Window>().saturating_sub(left);
        self.0[start..].first_chunk().unwrap_or(&[0; _])
    }
}

impl Generation<'_> {
    /// The bytes from `at` on.
    #[inline(always)]
    fn window(&self, at: usize) -> &Window {
        match self.data.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(window) => window,
            None => self.window_at_end(at),
        }
    }

    #[cold]
    fn window_at_end(&self, at: usize) -> &Window {
        self.tail.window(self.data.len().saturating_sub(at))
    }
}

/// Whether any number in these bytes is too large, wherever numbers begin and end.
fn may_overflow(bytes: &[u8]) -> bool {
    // A number that is too large has nine bytes in a row that say that it goes on, so that four at
    // a multiple of four all do: hardly any four do otherwise.
    const MORE: u32 = 0x8080_8080;
    const PIECES: usize = 64;
    const REACH: usize = varint::MAX_LEN;
    let goes_on = |piece: &[u8; 4]| u32::from_le_bytes(*piece) & MORE == MORE;
    let (pieces, rest) = bytes.as_chunks::<4>();
    for (i, some) in pieces.chunks(PIECES).enumerate() {
        if some.iter().fold(false, |found, piece| found | goes_on(piece)) {
            // The number may begin before these pieces, and end behind them.
            let start = (i * PIECES * 4).saturating_sub(REACH);
            let end = ((i + 1) * PIECES * 4 + REACH).min(bytes.len());
            if overflows(&bytes[start..end]) {
                return true;
            }
        }
    }
    overflows(&bytes[bytes.len().saturating_sub(rest.len() + REACH)..])
}

/// Whether there is a number of more than [`varint::MAX_LEN`] bytes, or of as many and too large.
fn overflows(bytes: &[u8]) -> bool {
    const MORE: usize = varint::MAX_LEN - 1;
    let mut run = 0;
    bytes.iter().any(|&byte| {
        let found = run >= MORE && byte > 1;
        run = if byte < 0x80 { 0 } else { run + 1 };
        found
    })
}

/// The numbers of an event, read one after the other. The event is whole.
#[derive(Clone, Copy)]
pub(crate) struct Args<'a> {
    pub(crate) window: &'a Window,
    /// Where the next number begins.
    pub(crate) at: usize,
}

impl Args<'_> {
    /// The next eight bytes, the first of them lowest.
    #[inline(always)]
    pub(crate) fn word(&self) -> u64 {
        // The mask only tells the compiler what is so anyway.
        let word = self.window[self.at & 63..].first_chunk();
        word.map_or(0, |&word| u64::from_le_bytes(word))
    }

    /// The next number. Most have one or two bytes.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> u64 {
        let word = self.word();
        if word & 0x80 == 0 {
            self.at += 1;
            word & 0x7f
        } else if word & 0x8000 == 0 {
            self.at += 2;
            word & 0x7f | word >> 1 & 0x3f80
        } else if word & 0x80_0000 == 0 {
            self.at += 3;
            word & 0x7f | word >> 1 & 0x3f80 | word >> 2 & 0x1f_c000
        } else {
            let (value, len) = long_number(self.window, self.at & 63);
            self.at += len;
            value
        }
    }

    /// The next number, if it has no more than three bytes.
    #[inline(always)]
    pub(crate) fn next_short(&mut self) -> Option<u64> {
        let word = self.word();
        if word & 0x80 == 0 {
            self.at += 1;
            Some(word & 0x7f)
        } else if word & 0x8000 == 0 {
            self.at += 2;
            Some(word & 0x7f | word >> 1 & 0x3f80)
        } else {
            self.at += 3;
            let number = word & 0x7f | word >> 1 & 0x3f80 | word >> 2 & 0x1f_c000;
            (word & 0x80_0000 == 0).then_some(number)
        }
    }

    /// The next `N` numbers; the others are 0.
    #[inline(always)]
    pub(crate) fn take<const N: usize>(&mut self) -> [u64; 4] {
        let mut args = [0; 4];
        for arg in &mut args[..N] {
            *arg = self.next();
        }
        args
    }

    /// Goes past all arguments of an event, which nobody needs: by the ends of numbers alone, where
    /// they lie in eight bytes.
    #[inline]
    fn skip(&mut self, event: EventType) {
        let count = TIMED_ARGS[usize::from(event.0)];
        let ends = !self.word() & 0x8080_8080_8080_8080;
        let without_first = |ends: u64| ends & ends.wrapping_sub(1);
        let ends = if count > 1 { without_first(ends) } else { ends };
        let ends = if count > 2 { without_first(ends) } else { ends };
        let ends = if count > 3 { without_first(ends) } else { ends };
        match (count, ends) {
            (0, _) => {}
            (_, 0) => {
                self.of(event);
            }
            (_, ends) => self.at += ends.trailing_zeros() as usize / 8 + 1,
        }
    }

    /// All arguments of an event.
    #[inline]
    pub(crate) fn of(&mut self, event: EventType) -> [u64; 4] {
        // Told apart here, each number of arguments has code of its own.
        match TIMED_ARGS[usize::from(event.0)] {
            0 => [0; 4],
            1 => self.take::<1>(),
            2 => self.take::<2>(),
            3 => self.take::<3>(),
            _ => self.take::<4>(),
        }
    }
}

/// Reads a number of any length. One that goes on beyond its batch, and so may seem too large, is
/// longer than any window.
#[inline(never)]
fn long_number(window: &Window, start: usize) -> (u64, usize) {
    varint::read(&window[start..]).unwrap_or((0, size_of::<Window>()))
}

/// The latest time of any event, told without ordering: the last event of each thread's last
/// batch, as far as it can be read, and the last CPU sample.
pub(crate) fn end_of(generation: &Generation<'_>) -> Time {
    let last_of_thread = |chain: &crate::generation::ThreadBatches| {
        let mut cursor = Cursor::new(chain.thread, chain.last);
        loop {
            let (at, end) = (cursor.next.at, cursor.next.end(generation));
            // Nearly all of a batch is gone through here.
            if !cursor.next.follow(end - at, cursor.sound, generation)
                && cursor.refresh(end, generation) != Refresh::Event
            {
                return cursor.next.time;
            }
        }
    };
    let last = generation.threads.iter().map(last_of_thread).max();
    let sample = generation.samples.last().map_or(i64::MIN, |sample| sample.time);
    Time(last.unwrap_or(i64::MIN).max(generation.start().0).max(sample))
}

/// What the statuses bind that each thread begins with: its proc and goroutine, where there is
/// just one of them.
pub(crate) fn prefixes(generation: &Generation<'_>) -> FxHashMap<i64, (i64, i64)> {
    const SEVERAL: i64 = i64::MIN;
    let mut prefixes = FxHashMap::default();
    for chain in &generation.threads {
        let mut cursor = Cursor::new(chain.thread, chain.first);
        let (mut proc, mut go) = (-1, -1);
        let bind = |bound: &mut i64, id: i64| *bound = if *bound == -1 { id } else { SEVERAL };
        while cursor.advance(generation) == Refresh::Event {
            let (event, args) = cursor.decoded(generation);
            match event {
                EventType::PROC_STATUS if proc_runs(args[1] as u8) => {
                    bind(&mut proc, args[0] as i64);
                }
                EventType::GO_STATUS | EventType::GO_STATUS_STACK
                    if go_runs(args[2] as u8, args[1] as i64 == chain.thread) =>
                {
                    bind(&mut go, args[0] as i64);
                }
                EventType::PROC_STATUS | EventType::GO_STATUS | EventType::GO_STATUS_STACK => {}
                // It follows the status of a goroutine, whoever runs on the thread.
                EventType::GC_MARK_ASSIST_ACTIVE => {}
                _ => break,
            }
        }
        if (proc, go) != (-1, -1) {
            prefixes.insert(chain.thread, (proc, go));
        }
    }
    prefixes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever number is read from wherever, if none may overflow, none does.
        #[test]
        fn numbers_that_overflow_are_foreseen(
            runs in prop::collection::vec((0..14usize, 0..4u8), 0..60),
        ) {
            let bytes: Vec<u8> = runs
                .iter()
                .flat_map(|&(more, last)| std::iter::repeat_n(0xff, more).chain([last]))
                .collect();
            let overflows = (0..bytes.len())
                .any(|at| varint::read(&bytes[at..]) == Err(varint::VarintError::Overflow));
            prop_assert_eq!(may_overflow(&bytes), overflows);
        }
    }

    #[test]
    fn windows_at_the_end_hold_the_last_bytes_and_zeros() {
        for len in [0, 1, 71, 72, 73, 200] {
            let data: Vec<u8> = (1..=len).map(|i| i as u8).collect();
            let tail = Tail::of(&data);
            for left in 0..=data.len().min(71) {
                let window = tail.window(left);
                assert_eq!(window[..left], data[data.len() - left..]);
                assert!(window[left..].iter().all(|&byte| byte == 0));
            }
        }
    }
}
