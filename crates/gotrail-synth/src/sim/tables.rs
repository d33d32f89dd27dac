//! Strings and stacks: what there is in the program, and what a generation has mentioned of it.

use gotrail_format::{EventType, varint};
use rustc_hash::FxHashMap;

/// A string of the program, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name(pub(super) u32);

/// A stack of the program, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Site(pub(super) u32);

impl Site {
    pub(super) const NONE: Site = Site(u32::MAX);
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    pc: u64,
    func: Name,
    file: Name,
    line: u64,
}

/// The program's strings and stacks.
#[derive(Debug, Default)]
pub(super) struct Program {
    names: Vec<String>,
    index: FxHashMap<String, Name>,
    stacks: Vec<Vec<Frame>>,
}

impl Program {
    pub(super) fn name(&mut self, text: &str) -> Name {
        if let Some(&name) = self.index.get(text) {
            return name;
        }
        let name = Name(self.names.len() as u32);
        self.names.push(text.to_owned());
        self.index.insert(text.to_owned(), name);
        name
    }

    pub(super) fn text(&self, name: Name) -> &str {
        &self.names[name.0 as usize]
    }

    /// Adds a stack of functions with lines, the innermost first.
    pub(super) fn stack(&mut self, frames: &[(&str, &str, u64)]) -> Site {
        let frames = frames.iter().map(|&(func, file, line)| {
            let (func, file) = (self.name(func), self.name(file));
            // One place has one address, whatever stack it is in.
            let pc = 0x40_0000 + (u64::from(func.0) << 12) + line;
            Frame { pc, func, file, line }
        });
        let frames = frames.collect();
        self.stacks.push(frames);
        Site(self.stacks.len() as u32 - 1)
    }
}

/// What a generation has mentioned: ids of strings and stacks, from 1 on.
#[derive(Debug, Default)]
pub(super) struct Mentioned {
    names: Vec<u32>,
    stacks: Vec<u32>,
    /// The stacks by their ids.
    used: Vec<Site>,
    last_string: u64,
    /// Entries of the string table that are not written yet.
    pub(super) strings: Vec<u8>,
}

impl Mentioned {
    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.stacks.clear();
        self.used.clear();
        self.strings.clear();
        self.last_string = 0;
    }

    /// The id of a string.
    #[inline]
    pub(super) fn name(&mut self, program: &Program, name: Name) -> u64 {
        let at = name.0 as usize;
        match self.names.get(at) {
            Some(&id) if id != 0 => id.into(),
            _ => {
                let text = program.text(name);
                let id = if text.is_empty() { 0 } else { self.unique(text) };
                if self.names.len() <= at {
                    self.names.resize(at + 1, 0);
                }
                self.names[at] = id as u32;
                id
            }
        }
    }

    /// The id of a string that is not looked for among those that there are.
    pub(super) fn unique(&mut self, text: &str) -> u64 {
        self.last_string += 1;
        self.strings.push(EventType::STRING.0);
        varint::push(&mut self.strings, self.last_string);
        varint::push(&mut self.strings, text.len() as u64);
        self.strings.extend_from_slice(text.as_bytes());
        self.last_string
    }

    /// The id of a stack.
    #[inline]
    pub(super) fn stack(&mut self, site: Site) -> u64 {
        if site == Site::NONE {
            return 0;
        }
        let at = site.0 as usize;
        if self.stacks.len() <= at {
            self.stacks.resize(at + 1, 0);
        }
        if self.stacks[at] == 0 {
            self.used.push(site);
            self.stacks[at] = self.used.len() as u32;
        }
        self.stacks[at].into()
    }

    /// How many stacks were mentioned.
    pub(super) fn stack_count(&self) -> usize {
        self.used.len()
    }

    /// Appends the table's entry for the stack with this place among the mentioned ones.
    pub(super) fn push_stack(&mut self, program: &Program, at: usize, out: &mut Vec<u8>) {
        let frames = &program.stacks[self.used[at].0 as usize];
        out.push(EventType::STACK.0);
        varint::push(out, at as u64 + 1);
        varint::push(out, frames.len() as u64);
        for frame in frames {
            let (func, file) = (self.name(program, frame.func), self.name(program, frame.file));
            for number in [frame.pc, func, file, frame.line] {
                varint::push(out, number);
            }
        }
    }
}
