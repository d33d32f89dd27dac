//! What came out of reading a trace with this workspace's library, measured like
//! the reference's verdicts.

use std::any::Any;
use std::cell::RefCell;
use std::hash::Hasher;
use std::panic::{self, AssertUnwindSafe};

use fnv::FnvHasher;
use gotrail_checks::memory::{self, Counting};

use crate::ours::Visit;
use crate::peer::{End, Outcome};

#[global_allocator]
static COUNTING: Counting = Counting;

/// An outcome, with what the golden file does not keep.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) outcome: Outcome,
    /// The message of the error or panic, if there was one.
    pub(crate) message: String,
    /// How many bytes were allocated at most.
    pub(crate) memory: usize,
}

/// Reads with `read` and observes what comes.
pub(crate) fn observe(read: impl FnOnce(Visit<'_>) -> Result<(), String>) -> Observed {
    let mut events = 0;
    let mut hasher = FnvHasher::default();
    let (result, memory) = memory::peak(|| {
        catch(|| {
            read(&mut |text| {
                events += 1;
                hasher.write(text);
            })
        })
    });
    let (end, message) = match result {
        Ok(Ok(())) => (End::Ok, String::new()),
        Ok(Err(message)) => (End::Error, message),
        Err(message) => (End::Panic, message),
    };
    Observed { outcome: Outcome { events, end, hash: hasher.finish() }, message, memory }
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the messages of panics for [`observe`], instead of printing them.
pub(crate) fn keep_panic_messages() {
    panic::set_hook(Box::new(|info| PANIC.set(info.to_string())));
}

/// Does the work; a panic becomes an error with its message.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload: Box<dyn Any + Send>| {
        drop(payload);
        PANIC.take()
    })
}
