//! Stacks and their frames.

use crate::generation::Generation;
use bstr::BStr;

/// A stack of one generation: a handle, cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Stack<'a> {
    generation: &'a Generation<'a>,
    id: u64,
}

/// One frame of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The program counter: of the call, or, innermost, where the stack was taken.
    pub pc: u64,
    /// The function's full name.
    pub function: &'a BStr,
    /// The source file.
    pub file: &'a BStr,
    /// The line in the file.
    pub line: u64,
}

impl<'a> Stack<'a> {
    pub(crate) fn new(generation: &'a Generation<'a>, id: u64) -> Stack<'a> {
        Stack { generation, id }
    }

    /// The id, which means something in its generation only.
    pub fn id(self) -> u64 {
        self.id
    }

    /// The frames, innermost first.
    pub fn frames(self) -> impl ExactSizeIterator<Item = Frame<'a>> + Clone {
        let frames = self.generation.stacks.get(&self.generation.data, self.id);
        frames.map(move |frame| self.named(frame))
    }

    /// The frames as places, innermost first: in a generation, equal frames have equal places,
    /// which are small numbers from 0 on. For what is made of a frame once and used whenever it
    /// comes again.
    pub fn places(self) -> &'a [u32] {
        self.generation.stacks.places(&self.generation.data, self.id)
    }

    /// The frame at one of the generation's places.
    ///
    /// # Panics
    ///
    /// If no stack of the generation has this place.
    pub fn frame(self, place: u32) -> Frame<'a> {
        self.named(self.generation.stacks.frame(&self.generation.data, place))
    }

    fn named(self, frame: &crate::stacks::Frame) -> Frame<'a> {
        Frame {
            pc: frame.pc,
            function: self.generation.string(frame.function),
            file: self.generation.string(frame.file),
            line: frame.line,
        }
    }
}

impl PartialEq for Stack<'_> {
    /// Two stacks are equal if they are the same stack of the same generation. Others may still
    /// have the same frames.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.generation, other.generation) && self.id == other.id
    }
}

impl Eq for Stack<'_> {}
