//! Where times of goroutines are deliberately not those of Go's summarizer, and what that has.
//!
//! A system call may be without a proc. Go's summarizer knows that from the moment when it sees the
//! proc taken away, and counts the time from then on
//!
//! - as it should be, as time without a proc, once the call has ended;
//! - as time with a proc, and as runnable, too, if the trace ends before.
//!
//! It does not see that of a call that never had a proc (it began before the trace, or a thread of C
//! calls Go), which counts as one with a proc from its first mention on.

use crate::goroutine::{Goroutine, Region};
use crate::goroutines::Goroutines;
use crate::scope;
use crate::times::Times;
use gotrail::{GoId, GoState, ProcId};

impl Goroutines {
    /// The times of a goroutine as Go's summarizer has them.
    pub fn as_go(&self, goroutine: &Goroutine) -> Times {
        let mut times = goroutine.times.clone();
        self.count_unheld(goroutine.id, &mut times);
        self.count_open(goroutine, &mut times);
        times
    }

    /// The times of a region of a goroutine as Go's summarizer has them.
    pub fn region_as_go(&self, goroutine: &Goroutine, region: &Region) -> Times {
        let mut times = region.times.clone();
        // Calls without a proc from the beginning are the first that is known of a goroutine.
        if region.start.is_none_or(|start| start <= goroutine.created) {
            self.count_unheld(goroutine.id, &mut times);
        }
        if region.end.is_none() {
            self.count_open(goroutine, &mut times);
        }
        times
    }

    fn count_unheld(&self, id: GoId, times: &mut Times) {
        let unheld = self.unheld.get(&id).copied().unwrap_or(0);
        times.syscall += unheld;
        times.syscall_blocked -= unheld;
    }

    /// The system call in which the trace ends.
    fn count_open(&self, goroutine: &Goroutine, times: &mut Times) {
        if goroutine.state == GoState::Syscall {
            let blocked = goroutine.blocked_at(self.last, &self.scope);
            times.syscall += blocked;
            times.syscall_blocked -= blocked;
            if goroutine.syscall_proc != ProcId::NONE {
                times.runnable += blocked;
            }
        }
    }

    /// A system call has ended that never had a proc.
    #[cold]
    pub(crate) fn unheld(&mut self, go: GoId, from: i64, until: i64) {
        let nanos = scope::nanos(&self.scope, go, from, until);
        *self.unheld.entry(go).or_default() += nanos;
    }
}
