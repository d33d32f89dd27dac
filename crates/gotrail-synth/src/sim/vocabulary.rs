//! The words and stacks of the simulated program.

use super::tables::{Name, Program, Site};
use super::world::Role;

macro_rules! words {
    ($(#[$doc:meta])* $list:ident $word:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $word { $($variant,)* }

        const $list: &[&str] = &[$($text),*];
    };
}

words! {
    /// Why a goroutine blocks or stops.
    REASONS Reason {
        ChanReceive = "chan receive",
        ChanSend = "chan send",
        Select = "select",
        Sync = "sync",
        Sleep = "sleep",
        Network = "network",
        System = "system goroutine wait",
        AssistWait = "GC mark assist wait for work",
        Gosched = "runtime.Gosched",
        Preempted = "preempted",
    }
}

words! {
    /// Why the world is stopped.
    STOPS Stop {
        StartTrace = "start trace",
        SweepTermination = "GC sweep termination",
        MarkTermination = "GC mark termination",
        Procs = "GOMAXPROCS",
        MemStats = "read mem stats",
    }
}

/// What the program's annotations say.
pub(super) const TASKS: &[&str] = &["request", "query", "upload", "report"];
const REGIONS: &[&str] = &["parse", "authorise", "load", "render", "store"];
const CATEGORIES: &[&str] = &["http", "db", "cache"];
const LABELS: &[&str] = &["GC (dedicated)", "GC (fractional)", "GC (idle)"];

/// What of the runtime a goroutine is in, and so what its stack begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Start,
    Create,
    Receive,
    Send,
    Select,
    Lock,
    Sleep,
    Read,
    Write,
    Yield,
    Preempted,
    Annotation,
    Log,
    Allocation,
    Collection,
    Sweep,
    Stop,
    System,
    Running,
}

/// The runtime's frames of each place, the innermost first.
const LEAVES: &[&[(&str, &str, u64)]] = &[
    &[],
    &[],
    &[("runtime.chanrecv1", "/go/src/runtime/chan.go", 506)],
    &[("runtime.chansend1", "/go/src/runtime/chan.go", 161)],
    &[("runtime.selectgo", "/go/src/runtime/select.go", 351)],
    &[
        ("internal/sync.(*Mutex).lockSlow", "/go/src/internal/sync/mutex.go", 149),
        ("sync.(*Mutex).Lock", "/go/src/sync/mutex.go", 46),
    ],
    &[("time.Sleep", "/go/src/runtime/time.go", 363)],
    &[
        ("syscall.read", "/go/src/syscall/zsyscall_linux_amd64.go", 736),
        ("internal/poll.(*FD).Read", "/go/src/internal/poll/fd_unix.go", 165),
        ("net.(*conn).Read", "/go/src/net/net.go", 196),
    ],
    &[
        ("syscall.write", "/go/src/syscall/zsyscall_linux_amd64.go", 964),
        ("internal/poll.(*FD).Write", "/go/src/internal/poll/fd_unix.go", 382),
        ("net.(*conn).Write", "/go/src/net/net.go", 208),
    ],
    &[("runtime.Gosched", "/go/src/runtime/proc.go", 389)],
    &[],
    &[("runtime/trace.StartRegion", "/go/src/runtime/trace/annotation.go", 157)],
    &[("runtime/trace.Log", "/go/src/runtime/trace/annotation.go", 96)],
    &[
        ("runtime.mallocgc", "/go/src/runtime/malloc.go", 1058),
        ("runtime.makeslice", "/go/src/runtime/slice.go", 117),
    ],
    &[
        ("runtime.gcStart", "/go/src/runtime/mgc.go", 812),
        ("runtime.mallocgc", "/go/src/runtime/malloc.go", 1109),
    ],
    &[("runtime.(*mcentral).cacheSpan", "/go/src/runtime/mcentral.go", 90)],
    &[("runtime.stopTheWorld", "/go/src/runtime/proc.go", 1510)],
    &[("runtime.gcBgMarkWorker", "/go/src/runtime/mgc.go", 1363)],
    &[],
];

const PLACES: usize = LEAVES.len();

/// The functions of each role: where it starts, and what it calls from there.
const ROLES: &[(&str, &[&str], &str)] = &[
    ("main.main", &["main.run"], "/app/main.go"),
    ("runtime.gcBgMarkWorker", &[], "/go/src/runtime/mgc.go"),
    ("net/http.(*Server).Serve", &["net.(*TCPListener).Accept"], "/go/src/net/http/server.go"),
    (
        "net/http.(*conn).serve",
        &["main.handle", "main.(*store).load", "main.render"],
        "/app/handler.go",
    ),
    ("main.worker", &["main.process", "main.(*queue).next", "main.flush"], "/app/worker.go"),
    ("main.collect", &["main.each"], "/app/iter.go"),
    ("main.(*tree).All", &["main.(*tree).walk"], "/app/tree.go"),
    ("_cgoexp_main_callback", &["main.callback"], "/app/cgo.go"),
];

/// Different lines of the same function.
const VARIANTS: u64 = 4;

/// The places of all words and stacks in the program.
#[derive(Debug)]
pub(super) struct Vocabulary {
    reasons: Vec<Name>,
    stops: Vec<Name>,
    pub(super) tasks: Vec<Name>,
    pub(super) regions: Vec<Name>,
    pub(super) categories: Vec<Name>,
    pub(super) labels: Vec<Name>,
    /// By role, place and variant.
    sites: Vec<Site>,
}

impl Vocabulary {
    /// Makes the program's words and stacks.
    pub(super) fn new(program: &mut Program) -> Vocabulary {
        program.name("");
        let mut names = |list: &[&str]| list.iter().map(|text| program.name(text)).collect();
        let (reasons, stops) = (names(REASONS), names(STOPS));
        let (tasks, regions) = (names(TASKS), names(REGIONS));
        let (categories, labels) = (names(CATEGORIES), names(LABELS));
        let mut sites = Vec::new();
        for &(start, calls, file) in ROLES {
            for (place, leaf) in LEAVES.iter().enumerate() {
                for variant in 0..VARIANTS {
                    let mut frames = leaf.to_vec();
                    if place != Place::Start as usize
                        && let Some(call) = calls.get(variant as usize % calls.len().max(1))
                    {
                        frames.push((call, file, 40 + 10 * place as u64 + variant));
                    }
                    frames.push((start, file, 20 + variant));
                    sites.push(program.stack(&frames));
                }
            }
        }
        Vocabulary { reasons, stops, tasks, regions, categories, labels, sites }
    }

    pub(super) fn reason(&self, reason: Reason) -> Name {
        self.reasons[reason as usize]
    }

    pub(super) fn stop(&self, stop: Stop) -> Name {
        self.stops[stop as usize]
    }

    /// A stack of a goroutine of this role; `variant` is any number.
    #[inline]
    pub(super) fn site(&self, role: Role, place: Place, variant: u64) -> Site {
        let at = (role as usize * PLACES + place as usize) * VARIANTS as usize;
        self.sites[at + (variant % VARIANTS) as usize]
    }
}
