//! Who waits for an answer: work for nobody ends at the next block that it would load.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

thread_local! {
    /// For whom this thread works; nobody in particular outside of [`work_for`].
    static ASKER: RefCell<Option<Weak<()>>> = const { RefCell::new(None) };
}

/// Does something on this thread as long as somebody keeps the other end of `asker`.
pub(crate) fn work_for<T>(asker: Weak<()>, work: impl FnOnce() -> T) -> T {
    ASKER.with(|current| current.replace(Some(asker)));
    let done = work();
    ASKER.with(|current| current.replace(None));
    done
}

/// Whether whoever this thread works for has gone.
pub(crate) fn is_gone() -> bool {
    ASKER.with_borrow(|asker| asker.as_ref().is_some_and(|asker| asker.strong_count() == 0))
}

/// Somebody who waits, until this is dropped.
pub(crate) fn asker() -> (Arc<()>, Weak<()>) {
    let asker = Arc::new(());
    let weak = Arc::downgrade(&asker);
    (asker, weak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_when_its_asker_is_gone() {
        let (asker, weak) = asker();
        assert!(!is_gone());
        work_for(weak, || {
            assert!(!is_gone());
            drop(asker);
            assert!(is_gone());
        });
        assert!(!is_gone());
    }
}
