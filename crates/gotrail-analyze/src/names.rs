//! Strings, frames and stacks of all generations, each kept once under a number.
//!
//! In a trace these have ids of a generation. [`Names`] holds what any generation said; a
//! `Lookup` turns the ids of the generation that is being read into numbers of `Names`, at the
//! price of an array access for all but the first time.

use bstr::{BStr, BString, ByteSlice};
use gotrail::Event;
use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// The number of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StrId(pub u32);

impl StrId {
    /// The empty string.
    pub const EMPTY: StrId = StrId(0);
}

/// The number of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub u32);

/// The number of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StackId(pub u32);

impl StackId {
    /// The stack without frames: none is known.
    pub const EMPTY: StackId = StackId(0);
}

/// A frame, with its strings as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The program counter.
    pub pc: u64,
    /// The function's full name.
    pub function: StrId,
    /// The source file.
    pub file: StrId,
    /// The line in the file.
    pub line: u64,
}

impl Frame {
    /// Nothing is known of it.
    const UNKNOWN: Frame = Frame { pc: 0, function: StrId::EMPTY, file: StrId::EMPTY, line: 0 };
}

/// Everything that has a name or a stack.
#[derive(Debug, Clone)]
pub struct Names {
    strings: IndexSet<BString, FxBuildHasher>,
    frames: IndexSet<Frame, FxBuildHasher>,
    stacks: IndexSet<Box<[FrameId]>, FxBuildHasher>,
}

impl Default for Names {
    fn default() -> Names {
        let mut names = Names {
            strings: IndexSet::default(),
            frames: IndexSet::default(),
            stacks: IndexSet::default(),
        };
        names.string_id(b"");
        names.stack_id(&[]);
        names
    }
}

/// How the numbers of one [`Names`] translate to those of another.
pub(crate) struct Renumbering {
    strings: Vec<StrId>,
    stacks: Vec<StackId>,
}

impl Renumbering {
    pub(crate) fn string(&self, id: StrId) -> StrId {
        self.strings[id.0 as usize]
    }

    pub(crate) fn stack(&self, id: StackId) -> StackId {
        self.stacks[id.0 as usize]
    }
}

impl Names {
    /// The number of a string, which it may get now.
    pub fn string_id(&mut self, string: &[u8]) -> StrId {
        let string = BStr::new(string);
        let known = self.strings.get_index_of(string);
        StrId(known.unwrap_or_else(|| self.strings.insert_full(string.to_owned()).0) as u32)
    }

    /// The number of a string, if it has one.
    pub fn known_string(&self, string: &[u8]) -> Option<StrId> {
        self.strings.get_index_of(BStr::new(string)).map(|index| StrId(index as u32))
    }

    fn frame_id(&mut self, frame: Frame) -> FrameId {
        FrameId(self.frames.insert_full(frame).0 as u32)
    }

    fn stack_id(&mut self, frames: &[FrameId]) -> StackId {
        let known = self.stacks.get_index_of(frames);
        StackId(known.unwrap_or_else(|| self.stacks.insert_full(frames.into()).0) as u32)
    }

    /// The string with this number.
    pub fn string(&self, id: StrId) -> &BStr {
        self.strings.get_index(id.0 as usize).map_or(BStr::new(""), |string| string.as_bstr())
    }

    /// The frames of a stack, innermost first.
    pub fn stack(&self, id: StackId) -> impl DoubleEndedIterator<Item = Frame> + ExactSizeIterator {
        let ids = self.stacks.get_index(id.0 as usize).map_or(&[][..], |ids| ids);
        ids.iter().map(|id| self.frames[id.0 as usize])
    }

    /// The outermost function of a stack: where its goroutine began.
    pub fn root(&self, id: StackId) -> StrId {
        self.stack(id).next_back().map_or(StrId::EMPTY, |frame| frame.function)
    }

    /// Whether it is the stack of a goroutine that marks for the garbage collector. The function
    /// may have been wrapped where it was started.
    pub(crate) fn is_mark_worker(&self, id: StackId) -> bool {
        let outermost = self.stack(id).rev().take(2);
        outermost.into_iter().any(|frame| self.string(frame.function) == "runtime.gcBgMarkWorker")
    }

    /// How many stacks there are, the empty one included.
    pub fn stack_count(&self) -> usize {
        self.stacks.len()
    }

    /// Takes over all names of another, and says what their numbers are here.
    pub(crate) fn absorb(&mut self, other: Names) -> Renumbering {
        let strings: Vec<_> = other.strings.iter().map(|s| self.string_id(s)).collect();
        let name = |id: StrId| strings[id.0 as usize];
        let frames = other.frames.iter().map(|frame| {
            let (function, file) = (name(frame.function), name(frame.file));
            self.frame_id(Frame { function, file, ..*frame })
        });
        let frames: Vec<_> = frames.collect();
        let stacks = other.stacks.into_iter().map(|mut stack| {
            stack.iter_mut().for_each(|id| *id = frames[id.0 as usize]);
            let known = self.stacks.get_index_of(&stack);
            StackId(known.unwrap_or_else(|| self.stacks.insert_full(stack).0) as u32)
        });
        let stacks = stacks.collect();
        Renumbering { strings, stacks }
    }
}

/// Not looked up yet.
const UNKNOWN: u32 = u32::MAX;

/// Ids up to this one have a place in an array; beyond it a damaged trace could make it large.
const DENSE: u64 = 1 << 22;

/// Numbers by id of a generation.
#[derive(Debug, Clone, Default)]
struct Ids {
    dense: Vec<u32>,
    sparse: FxHashMap<u64, u32>,
}

impl Ids {
    #[inline]
    fn get(&self, id: u64) -> Option<u32> {
        match self.dense.get(id as usize) {
            Some(&number) => (number != UNKNOWN).then_some(number),
            None => self.sparse.get(&id).copied(),
        }
    }

    fn set(&mut self, id: u64, number: u32) {
        if id >= DENSE {
            self.sparse.insert(id, number);
            return;
        }
        let at = id as usize;
        if at >= self.dense.len() {
            self.dense.resize((at + 1).next_power_of_two(), UNKNOWN);
        }
        self.dense[at] = number;
    }

    fn clear(&mut self) {
        self.dense.clear();
        self.sparse.clear();
    }
}

/// What the ids of the current generation are in [`Names`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Lookup {
    strings: Ids,
    stacks: Ids,
    /// Frames by place.
    frames: Vec<u32>,
    /// Room for the frames of a stack.
    stack: Vec<FrameId>,
}

impl Lookup {
    /// A generation begins: its ids mean other things.
    pub(crate) fn begin(&mut self) {
        self.strings.clear();
        self.stacks.clear();
        self.frames.clear();
    }

    /// The number of the string with this id in the event's generation.
    #[inline]
    pub(crate) fn string(&mut self, names: &mut Names, event: &Event<'_>, id: u64) -> StrId {
        if id == 0 {
            return StrId::EMPTY;
        }
        match self.strings.get(id) {
            Some(number) => StrId(number),
            None => self.new_string(names, event, id),
        }
    }

    #[cold]
    fn new_string(&mut self, names: &mut Names, event: &Event<'_>, id: u64) -> StrId {
        let number = names.string_id(event.string(id));
        self.strings.set(id, number.0);
        number
    }

    /// The number of the stack with this id in the event's generation.
    #[inline]
    pub(crate) fn stack(&mut self, names: &mut Names, event: &Event<'_>, id: u64) -> StackId {
        if id == 0 {
            return StackId::EMPTY;
        }
        match self.stacks.get(id) {
            Some(number) => StackId(number),
            None => self.new_stack(names, event, id),
        }
    }

    #[cold]
    fn new_stack(&mut self, names: &mut Names, event: &Event<'_>, id: u64) -> StackId {
        let Some(stack) = event.stack_with_id(id) else { return StackId::EMPTY };
        self.stack.clear();
        for &place in stack.places() {
            let at = place as usize;
            if at >= self.frames.len() {
                self.frames.resize(at + 1, UNKNOWN);
            }
            if self.frames[at] == UNKNOWN {
                let frame = stack.frame(place);
                let function = names.string_id(frame.function);
                let file = names.string_id(frame.file);
                let (pc, line) = (frame.pc, frame.line);
                self.frames[at] = names.frame_id(Frame { pc, function, file, line }).0;
            }
            self.stack.push(FrameId(self.frames[at]));
        }
        // Where the runtime itself wakes a goroutine, the stack may be one frame of which nothing is
        // known: that is as good as none.
        if self.stack.iter().all(|&frame| names.frames[frame.0 as usize] == Frame::UNKNOWN) {
            self.stack.clear();
        }
        let number = names.stack_id(&self.stack);
        self.stacks.set(id, number.0);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_names_are_translated() {
        let mut a = Names::default();
        let main = a.string_id(b"main.main");
        let mut b = Names::default();
        let (file, other) = (b.string_id(b"main.go"), b.string_id(b"main.main"));
        let frame = b.frame_id(Frame { pc: 7, function: other, file, line: 3 });
        let stack = b.stack_id(&[frame, frame]);
        let to = a.absorb(b);
        assert_eq!(to.string(other), main);
        assert_eq!(to.stack(StackId::EMPTY), StackId::EMPTY);
        let stack = to.stack(stack);
        assert_eq!(a.stack(stack).len(), 2);
        assert_eq!(a.root(stack), main);
        assert_eq!(a.string(a.stack(stack).next().unwrap().file), "main.go");
    }
}
