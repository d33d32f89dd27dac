//! The functions that are in stacks of moves, each once.

use super::Index;
use gotrail::Event;

/// What was seen of a generation's stacks. Their ids and places are small numbers.
#[derive(Default)]
pub(super) struct Seen {
    stacks: Vec<bool>,
    places: Vec<bool>,
}

/// Ids beyond are only in traces that were made up: their stacks are looked at each time.
const MOST: usize = 1 << 22;

impl Seen {
    /// Whether it comes for the first time.
    #[inline]
    fn is_new(list: &mut Vec<bool>, at: usize) -> bool {
        if at >= MOST {
            return true;
        }
        if at >= list.len() {
            list.resize(at + 1, false);
        }
        !std::mem::replace(&mut list[at], true)
    }

    /// Another generation has other stacks.
    pub(super) fn clear(&mut self) {
        self.stacks.clear();
        self.places.clear();
    }
}

impl Index {
    /// Notes the functions of a stack.
    #[inline]
    pub(super) fn note_functions(&mut self, event: &Event<'_>, stack: u64) {
        if stack != 0 && Seen::is_new(&mut self.draft.seen.stacks, stack as usize) {
            self.note_new(event, stack);
        }
    }

    #[cold]
    fn note_new(&mut self, event: &Event<'_>, stack: u64) {
        let Some(stack) = event.stack_with_id(stack) else { return };
        for &place in stack.places() {
            if Seen::is_new(&mut self.draft.seen.places, place as usize) {
                self.known.functions.number(stack.frame(place).function);
            }
        }
    }
}
