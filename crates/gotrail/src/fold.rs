//! What looks at all events of a trace and keeps what it needs to know of them.

use crate::event::Event;
use crate::generation::Generation;

/// Something that all events of a trace are shown to, and that can be done for generations by
/// themselves.
///
/// With one thread, [`Fold::event`] sees the whole trace. With several, each generation, or a few
/// short ones in a row, are shown to a fold of their own, made by [`Fold::part`], which knows nothing
/// of what came before. Each of its generations is put in order as if it were the first: a status
/// may say [`Undetermined`](crate::GoState::Undetermined) for a state that is known, also from the
/// generation before it, and then is the state that is known; where the statuses that a thread begins with
/// are events, and mark assists that last, they may lack its proc and goroutine; and the end of a task that began in
/// a generation before may lack its name and parent. [`Fold::merge`] must then come to what `event`
/// would have come to.
///
/// See [`Reader::fold_parallel`](crate::Reader::fold_parallel).
pub trait Fold: Send {
    /// Whether the fold looks at events at all.
    const LOOKS: bool = true;

    /// A fold for the first generation, or, if not `first`, for one or several later ones.
    fn part(&mut self, first: bool) -> Self;

    /// Whether it pays now to show generations to folds of their own. If it does not, the next
    /// ones are shown to this fold, although there are more threads.
    fn goes_apart(&self) -> bool {
        true
    }

    /// The next event: the sync of a generation, its events, and at the end of the trace one more
    /// sync.
    fn event(&mut self, event: &Event<'_>);

    /// All events of `generation` were shown. What refers to its strings and stacks ends here.
    fn generation_ends(&mut self, generation: &Generation<'_>) {
        let _ = generation;
    }

    /// Takes over what a fold of the next generations came to. False, with nothing changed, if
    /// that cannot be told without knowing what came before; then their events are shown to this
    /// fold.
    fn merge(&mut self, later: Self) -> bool;
}

/// Looks at nothing.
impl Fold for () {
    const LOOKS: bool = false;

    fn part(&mut self, _: bool) {}

    fn event(&mut self, _: &Event<'_>) {}

    fn merge(&mut self, (): Self) -> bool {
        true
    }
}
