//! The stacks of a generation.
//!
//! A trace may hold hundreds of thousands of stacks, most of which nobody looks at. So they are
//! only looked through at first: that all numbers are good, and that the strings exist that
//! frames name. Their frames are read when the first of them is asked for, all at once, because
//! the reference keeps one frame for each PC, the first that it reads, whatever other stacks say
//! of the same PC.
//!
//! Frames are looked through by the bits that end numbers: four numbers make a frame, and of these
//! two name strings. The ids of strings need only be compared with the largest that exists, which
//! their bytes allow as they stand.

use crate::error::Fault;
use crate::tables::{IdTable, Numbers, Strings};
use gotrail_format::{EventType, MAX_FRAMES_PER_STACK, varint};
use rustc_hash::{FxHashMap, FxHashSet};
use std::num::NonZeroUsize;
use std::sync::OnceLock;

/// One frame as the trace has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) pc: u64,
    pub(crate) function: u64,
    pub(crate) file: u64,
    pub(crate) line: u64,
}

/// Where the frames of a stack begin in the generation, and how many there are.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Never 0: a batch has a header.
    start: NonZeroUsize,
    depth: u32,
}

/// Gathers the stacks as their batches are read.
#[derive(Debug, Default)]
pub(crate) struct StackBuilder {
    stacks: Vec<(u64, Piece)>,
    /// The largest id of a string that any frame names, [`spread`].
    largest: u64,
}

impl StackBuilder {
    /// Adds a batch of stacks.
    pub(crate) fn add(&mut self, batch: &mut Numbers<'_>) -> Result<(), Fault> {
        batch.event();
        while !batch.is_empty() {
            batch.expect(EventType::STACK)?;
            let id = batch.entry_number("a stack's id")?;
            let depth = batch.entry_number("a stack's number of frames")?;
            if depth > MAX_FRAMES_PER_STACK {
                return Err(Fault::StackTooDeep(depth));
            }
            self.add_stack(id, depth, batch)?;
        }
        Ok(())
    }

    /// Adds the stack whose frames come next.
    pub(crate) fn add_stack(
        &mut self,
        id: u64,
        depth: u64,
        batch: &mut Numbers<'_>,
    ) -> Result<(), Fault> {
        let start = batch.at;
        let mut left = depth;
        while left > 0 {
            match look_through(batch.window(), left) {
                Some(seen) if seen.len <= batch.left() => {
                    batch.at += seen.len;
                    left -= seen.frames;
                    self.largest = self.largest.max(seen.largest);
                }
                _ => {
                    let frame = read_frame(batch)?;
                    self.largest = self.largest.max(spread(frame.function)).max(spread(frame.file));
                    left -= 1;
                }
            }
        }
        if let Some(start) = NonZeroUsize::new(start) {
            self.stacks.push((id, Piece { start, depth: depth as u32 }));
        }
        Ok(())
    }

    /// The finished stacks; of several with one id, the last counts.
    pub(crate) fn finish_last(&mut self) -> Stacks {
        self.stacks.reverse();
        self.finish().0
    }

    /// The finished stacks, and what is wrong with them.
    pub(crate) fn finish(&mut self) -> (Stacks, Option<Fault>) {
        let (table, repeated) = IdTable::build(std::mem::take(&mut self.stacks));
        let largest = std::mem::take(&mut self.largest);
        let stacks = Stacks { table, largest, frames: OnceLock::new() };
        (stacks, repeated.map(|id| Fault::RepeatedId { what: "stack", id }))
    }
}

fn read_frame(batch: &mut Numbers<'_>) -> Result<Frame, Fault> {
    Ok(Frame {
        pc: batch.number("a frame's PC")?,
        function: batch.number("a frame's function")?,
        file: batch.number("a frame's file")?,
        line: batch.number("a frame's line")?,
    })
}

/// The bytes of some frames, and eight more: any eight bytes that begin in the frames are there.
type Window = [u8; BLOCK + 8];
const BLOCK: usize = 64;

/// The low seven bits of eight bytes.
const SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// Frames that were looked through.
struct Seen {
    frames: u64,
    /// How many bytes they take.
    len: usize,
    /// The largest id of a string that they name, [`spread`].
    largest: u64,
}

/// Looks through the frames that lie in the window, at most `most` of them. None if any number
/// may be longer than eight bytes.
#[inline]
fn look_through(window: Option<&Window>, most: u64) -> Option<Seen> {
    let window = window?;
    let mut ends = window.first_chunk().map_or(0, varint::ends);
    // Eight bytes in a row that end no number.
    let two = !ends & !ends >> 1;
    let four = two & two >> 2;
    if four & four >> 4 != 0 {
        return None;
    }
    let frames = u64::from(ends.count_ones() / 4).min(most);
    let (mut largest, mut len) = (0, 0);
    for _ in 0..frames {
        let mut next = || {
            let at = ends.trailing_zeros() as usize;
            ends &= ends.wrapping_sub(1);
            at
        };
        let [pc, function, file, line] = [next(), next(), next(), next()];
        largest = strand(window, pc, function).max(strand(window, function, file)).max(largest);
        len = line + 1;
    }
    Some(Seen { frames, len, largest })
}

/// The number between the ends of two numbers, at most eight bytes long, as its bytes stand.
#[inline(always)]
fn strand(window: &Window, before: usize, end: usize) -> u64 {
    let len = end.wrapping_sub(before) as u32;
    // The mask only tells the compiler what is so anyway.
    let word = window[(before & 63) + 1..].first_chunk().map(|&word| u64::from_le_bytes(word));
    word.unwrap_or(0) & SEVEN >> (64u32.wrapping_sub(8 * len) & 63)
}

/// A number as its bytes stand without the bits that say how it goes on: seven bits a byte, which
/// keeps the order of numbers. The largest of all if it has more than 56 bits.
fn spread(number: u64) -> u64 {
    if number >> 56 != 0 {
        return u64::MAX;
    }
    (0..8).fold(0, |all, byte| all | (number >> (7 * byte) & 0x7f) << (8 * byte))
}

/// The stacks of a generation.
#[derive(Debug, Default)]
pub(crate) struct Stacks {
    table: IdTable<Piece>,
    /// The largest id of a string that any frame names, [`spread`].
    largest: u64,
    frames: OnceLock<Frames>,
}

impl Stacks {
    /// The frames of the stack with this id, innermost first; none for an id that does not exist.
    /// `data` are the bytes of the generation.
    pub(crate) fn get(
        &self,
        data: &[u8],
        id: u64,
    ) -> impl ExactSizeIterator<Item = &Frame> + Clone + use<'_> {
        self.frames(data).of(id)
    }

    /// The same as places among the generation's distinct frames.
    pub(crate) fn places(&self, data: &[u8], id: u64) -> &[u32] {
        self.frames(data).places(id)
    }

    /// The distinct frame at this place.
    pub(crate) fn frame(&self, data: &[u8], place: u32) -> &Frame {
        &self.frames(data).distinct[place as usize]
    }

    #[inline]
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.table.contains(id)
    }

    /// Whether there is a stack with this id, told at a glance: false may be wrong.
    #[inline(always)]
    pub(crate) fn has(&self, id: u64) -> bool {
        self.table.has(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether every frame's strings exist.
    pub(crate) fn check(&self, data: &[u8], strings: &Strings) -> Result<(), Fault> {
        if self.largest <= spread(strings.complete()) {
            return Ok(());
        }
        let frames = self.frames(data);
        let missing =
            |frame: &&Frame| !strings.contains(frame.function) || !strings.contains(frame.file);
        if !frames.distinct.iter().any(|frame| missing(&frame)) {
            return Ok(());
        }
        for (stack, _) in self.table.iter() {
            if let Some(frame) = frames.of(stack).find(missing) {
                let string =
                    if strings.contains(frame.function) { frame.file } else { frame.function };
                return Err(Fault::FrameString { stack, string });
            }
        }
        // The frame belongs to a stack that was refused for its id.
        Ok(())
    }

    /// The stacks with a frame whose strings do not all exist.
    pub(crate) fn broken(&self, data: &[u8], strings: &Strings) -> FxHashSet<u64> {
        if self.largest <= spread(strings.complete()) {
            return FxHashSet::default();
        }
        let missing =
            |frame: &Frame| !strings.contains(frame.function) || !strings.contains(frame.file);
        let ids = self.table.iter().map(|(id, _)| id);
        ids.filter(|&id| self.get(data, id).any(missing)).collect()
    }

    fn frames(&self, data: &[u8]) -> &Frames {
        self.frames.get_or_init(|| Frames::read(data, &self.table))
    }
}

/// The frames of all stacks. Stacks have most of their PCs in common, so that one number a frame
/// is enough.
#[derive(Debug, Default)]
struct Frames {
    distinct: Vec<Frame>,
    /// One frame after the other, as places in `distinct`.
    calls: Vec<u32>,
    /// Which range of `calls` each stack is: where it begins, and how long it is.
    table: IdTable<(u32, u32)>,
}

impl Frames {
    /// Reads the frames of these stacks.
    fn read(data: &[u8], table: &IdTable<Piece>) -> Frames {
        let mut pieces: Vec<(u64, Piece)> = table.iter().map(|(id, &piece)| (id, piece)).collect();
        // The first frame of a PC is meant to be the first in the trace.
        pieces.sort_unstable_by_key(|(_, piece)| piece.start);
        let mut frames = Frames::default();
        let mut places = FxHashMap::<u64, u32>::default();
        let ranges = pieces.into_iter().map(|(id, piece)| {
            let start = frames.calls.len() as u32;
            // In a damaged trace a stack may lie in bytes that were dropped after all.
            let bytes = piece.start.get().min(data.len())..data.len();
            let mut batch = Numbers::new(data, bytes);
            for _ in 0..piece.depth {
                let Ok(frame) = read_frame(&mut batch) else { break };
                frames.add(frame, &mut places);
            }
            (id, (start, frames.calls.len() as u32 - start))
        });
        (frames.table, _) = IdTable::build(ranges.collect());
        frames
    }

    #[inline]
    fn add(&mut self, frame: Frame, places: &mut FxHashMap<u64, u32>) {
        let fresh = self.distinct.len() as u32;
        let place = *places.entry(frame.pc).or_insert(fresh);
        if place == fresh {
            self.distinct.push(frame);
        }
        self.calls.push(place);
    }

    fn of(&self, id: u64) -> impl ExactSizeIterator<Item = &Frame> + Clone + use<'_> {
        self.places(id).iter().map(|&place| &self.distinct[place as usize])
    }

    #[inline]
    fn places(&self, id: u64) -> &[u32] {
        let (start, len) = self.table.get(id).copied().unwrap_or_default();
        &self.calls[start as usize..][..len as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A batch with these stacks, behind one byte that stands for its header.
    fn batch(stacks: &[(u64, Vec<[u64; 4]>)], room: usize) -> Vec<u8> {
        let mut bytes = vec![0, EventType::STACKS.0];
        for (id, frames) in stacks {
            bytes.push(EventType::STACK.0);
            varint::push(&mut bytes, *id);
            varint::push(&mut bytes, frames.len() as u64);
            frames.iter().flatten().for_each(|&number| varint::push(&mut bytes, number));
        }
        bytes.resize(bytes.len() + room, 0);
        bytes
    }

    fn read(bytes: &[u8], len: usize) -> (Stacks, u64) {
        let mut builder = StackBuilder::default();
        builder.add(&mut Numbers::new(bytes, 1..len)).unwrap();
        let largest = builder.largest;
        (builder.finish().0, largest)
    }

    #[test]
    fn the_first_frame_of_a_pc_wins() {
        let bytes = batch(&[(1, vec![[7, 1, 0, 0], [8, 2, 0, 0]]), (2, vec![[7, 3, 0, 0]])], 0);
        let (stacks, _) = read(&bytes, bytes.len());
        let list = |id| stacks.get(&bytes, id).map(|f| (f.pc, f.function)).collect::<Vec<_>>();
        assert_eq!(list(1), [(7, 1), (8, 2)]);
        assert_eq!(list(2), [(7, 1)]);
        assert_eq!((list(0), list(3)), (vec![], vec![]));
    }

    #[test]
    fn spread_numbers_keep_their_order() {
        let numbers = [0, 1, 127, 128, 129, 1 << 14, (1 << 56) - 1, 1 << 56, u64::MAX];
        assert!(numbers.map(spread).is_sorted());
        assert_eq!(spread(0x81), 0x0101);
    }

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![0..200u64, 0..1u64 << 24, (0..64u32).prop_map(|bits| u64::MAX >> bits)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn looking_through_finds_what_reading_finds(
            frames in prop::collection::vec(
                prop::collection::vec(prop::array::uniform4(number()), 0..20),
                1..8,
            ),
            room in 0..200usize,
        ) {
            let stacks: Vec<_> = (1u64..).zip(frames).collect();
            let bytes = batch(&stacks, room);
            let (read, largest) = read(&bytes, bytes.len() - room);
            let mut first = FxHashMap::default();
            for (id, frames) in &stacks {
                let expected = frames.iter().map(|&[pc, function, file, line]| {
                    *first.entry(pc).or_insert(Frame { pc, function, file, line })
                });
                let expected: Vec<_> = expected.collect();
                let found: Vec<_> = read.get(&bytes, *id).copied().collect();
                prop_assert_eq!(found, expected);
            }
            let named = stacks.iter().flat_map(|(_, frames)| frames);
            let named = named.flat_map(|&[_, function, file, _]| [function, file]).max();
            prop_assert_eq!(largest, spread(named.unwrap_or(0)));
        }
    }
}
