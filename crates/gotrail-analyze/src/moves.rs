//! What goroutines did in one generation, in a compact form that can be followed backward.
//!
//! Each change of a goroutine's state is 32 bytes. From each one leads the way to the one before of
//! the same goroutine, and, where somebody caused it, to what that one had done last by then.

use gotrail::{Details, Event, GoId, GoState, Kind, RangeName};
use rustc_hash::FxHashMap;

/// No move: whatever came before was in an earlier generation.
pub(crate) const NOTHING: u32 = u32::MAX;

/// What kind of move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The goroutine changes its state.
    Step,
    /// The generation's first word of a goroutine, which was in this state already.
    Status,
    /// The goroutine begins, or ceases, to assist the garbage collector.
    Assist,
}

/// A change of a goroutine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) time: i64,
    /// Of a wake or a creation the goroutine that caused it; else the string that says why.
    who: u64,
    /// The stack of whoever caused it, or of the goroutine itself; 0 for none.
    pub(crate) stack: u32,
    /// The same goroutine's move before this.
    pub(crate) prev: u32,
    /// The last move, by then, of the goroutine that caused it.
    pub(crate) by_prev: u32,
    pub(crate) what: What,
    pub(crate) from: GoState,
    pub(crate) to: GoState,
    /// Whether the goroutine assists the garbage collector afterwards.
    pub(crate) assists: bool,
}

impl Move {
    /// Whether somebody made the goroutine runnable, or made the goroutine.
    pub(crate) fn is_caused(&self) -> bool {
        is_caused(self.from, self.to)
    }

    /// Who did; none if that was the runtime: a timer, the network poller.
    pub(crate) fn cause(&self) -> GoId {
        if self.is_caused() { GoId(self.who as i64) } else { GoId::NONE }
    }

    /// The string that says why.
    pub(crate) fn reason(&self) -> u64 {
        if self.is_caused() { 0 } else { self.who }
    }

    /// Whether the state before this is the same, or nothing is known of it.
    pub(crate) fn only_says(&self) -> bool {
        self.what == What::Status
    }
}

fn is_caused(from: GoState, to: GoState) -> bool {
    from == GoState::NotExist || (from, to) == (GoState::Waiting, GoState::Runnable)
}

/// The moves of a generation.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    list: Vec<Move>,
    last: FxHashMap<GoId, u32>,
}

impl Moves {
    /// The next event of the generation.
    #[inline]
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        if let Some(step) = event.go_step() {
            let caused = is_caused(step.from, step.to);
            let cause = event.goroutine();
            let by_prev = if caused { self.last(cause) } else { NOTHING };
            let says = step.from == step.to || step.from == GoState::Undetermined;
            // The stack of an event is that of who caused it; a status has its goroutine's.
            let stack = if says { step.stack } else { event.stack_id() };
            self.push(step.go, |prev| Move {
                time: event.time().0,
                who: if caused { cause.0 as u64 } else { step.reason },
                stack: u32::try_from(stack).unwrap_or(0),
                prev: NOTHING,
                by_prev,
                what: if says { What::Status } else { What::Step },
                from: step.from,
                to: step.to,
                assists: prev.is_some_and(|prev| prev.assists),
            });
        } else if matches!(event.kind(), Kind::RangeBegin | Kind::RangeActive | Kind::RangeEnd) {
            self.range(event);
        }
    }

    /// The next event, behind the time that matters. What it says of a goroutine for the first time
    /// has been so since before.
    pub(crate) fn event_behind(&mut self, event: &Event<'_>) {
        let says = event.go_step().is_some_and(|step| {
            (step.from == step.to || step.from == GoState::Undetermined)
                && self.last(step.go) == NOTHING
        });
        if says || event.kind() == Kind::RangeActive {
            self.event(event);
        }
    }

    fn range(&mut self, event: &Event<'_>) {
        let Details::Range(range) = event.details() else { return };
        let (RangeName::GcMarkAssist, gotrail::Scope::Go(go)) = (range.name, range.scope) else {
            return;
        };
        if event.kind() == Kind::RangeActive {
            // It is said right after the goroutine's status, of which it is a part.
            let last = self.last(go);
            if let Some(last) = self.list.get_mut(last as usize)
                && last.what == What::Status
            {
                last.assists = true;
            }
            return;
        }
        let assists = event.kind() == Kind::RangeBegin;
        self.push(go, |prev| {
            let state = prev.map_or(GoState::Running, |prev| prev.to);
            Move {
                time: event.time().0,
                who: 0,
                stack: 0,
                prev: NOTHING,
                by_prev: NOTHING,
                what: What::Assist,
                from: state,
                to: state,
                assists,
            }
        });
    }

    #[inline]
    fn push(&mut self, go: GoId, make: impl FnOnce(Option<&Move>) -> Move) {
        let next = self.list.len() as u32;
        let prev = self.last.insert(go, next).unwrap_or(NOTHING);
        let made = make(self.list.get(prev as usize));
        self.list.push(Move { prev, ..made });
    }

    /// A goroutine's last move, or [`NOTHING`].
    #[inline]
    pub(crate) fn last(&self, go: GoId) -> u32 {
        self.last.get(&go).copied().unwrap_or(NOTHING)
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> Option<&Move> {
        self.list.get(at as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_small() {
        assert_eq!(size_of::<Move>(), 32);
    }
}
