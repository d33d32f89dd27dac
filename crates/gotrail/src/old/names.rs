//! Why goroutines and the world stop: reasons that the newer format has as strings.

use super::wire::Kind;
use gotrail_format::Version;

/// The reasons that the newer format has as strings, and the old one in the type of the event.
pub(super) const NAMES: &[&str] = &[
    "forever",
    "preempted",
    "runtime.Gosched",
    "sleep",
    "chan send",
    "chan receive",
    "network",
    "sync",
    "sync.(*Cond).Wait",
    "select",
    "",
    "GC mark assist wait for work",
    "",
    "GC mark termination",
    "GC sweep termination",
    "write heap dump",
    "goroutine profile",
    "goroutine profile cleanup",
    "all goroutine stack trace",
    "read mem stats",
    "AllThreadsSyscall",
    "GOMAXPROCS",
    "start trace",
    "stop trace",
    "CountPagesInUse (test)",
    "ReadMetricsSlow (test)",
    "ReadMemStatsSlow (test)",
    "PageCachePagesLeaked (test)",
    "ResetDebugLog (test)",
];

/// Where the reasons to stop the world begin in [`NAMES`], and how many there are.
const STOPS: u64 = 12;
const STOP_REASONS: u64 = 17;

/// The place of the reason in [`NAMES`] why a goroutine blocks or stops.
#[inline(always)]
pub(super) fn reason(kind: Kind) -> u64 {
    match kind {
        Kind::GO_STOP => 0,
        Kind::GO_PREEMPT => 1,
        Kind::GO_SCHED => 2,
        Kind::GO_SLEEP => 3,
        Kind::GO_BLOCK_SEND => 4,
        Kind::GO_BLOCK_RECV => 5,
        Kind::GO_BLOCK_NET => 6,
        Kind::GO_BLOCK_SYNC => 7,
        Kind::GO_BLOCK_COND => 8,
        Kind::GO_BLOCK_SELECT => 9,
        Kind::GO_BLOCK_GC => 11,
        _ => 10,
    }
}

/// The place in [`NAMES`] of the reason to stop the world.
pub(super) fn stop_reason(number: u64, version: Version) -> u64 {
    STOPS
        + match (version, number) {
            (Version::Go121, 0..STOP_REASONS) => number,
            (Version::Go121, _) => 0,
            // Before there were two.
            (_, 0 | 1) => number + 1,
            _ => 0,
        }
}
