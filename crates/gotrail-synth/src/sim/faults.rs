//! What a broken tracer, a broken program or a broken file would do.
//!
//! A simulation makes one of them, once, at the first opportunity that shows. Everything else stays
//! as it would have been.

use super::config::named;
use super::{Config, ConfigError, Profile};

named! {
    /// Something wrong in a trace.
    Fault: "fault" {
        /// The status of a goroutine that sat in a syscall for a whole generation names the
        /// runtime's number of the thread, not the operating system's. Found when the thread leaves
        /// the syscall: it never had the goroutine.
        WrongThread = "wrong-thread",
        /// A proc stays with a C thread when the goroutine of its call ends in a syscall. Found
        /// when the next call leaves a syscall with a proc that it does not have.
        ProcKept = "proc-kept",
        /// A batch is missing that says that a goroutine was unblocked. Found when that can never
        /// start, or something else happens without the batch's events.
        LostBatch = "lost-batch",
        /// A batch of a thread is there twice. Found when its events contradict what they did
        /// before.
        DoubledBatch = "doubled-batch",
        /// A goroutine's status is missing in a generation. Found when the goroutine can never
        /// start.
        MissingStatus = "missing-status",
        /// A goroutine's status is not what it was. Found at once.
        WrongStatus = "wrong-status",
        /// A goroutine starts with a sequence number that is one too high. Found when nothing
        /// can make up for it.
        WrongSequence = "wrong-sequence",
        /// A goroutine was unblocked, and nobody says so. Found when it can never start, or by its
        /// next status.
        MissingUnblock = "missing-unblock",
        /// A proc is stolen twice with the same sequence number. Found when the second time can
        /// never happen.
        StolenTwice = "stolen-twice",
        /// The mark phase ends with a sequence number that is one too high. Found when nothing
        /// can make up for it.
        WrongGcSequence = "wrong-gc-sequence",
        /// A program ends a region that is not the innermost. Found at once, as misuse.
        RegionMismatch = "region-mismatch",
        /// A program begins a task that is active. Found at once, as misuse.
        TaskTwice = "task-twice",
        /// A string is missing in its table. Found when an event names it.
        MissingString = "missing-string",
        /// Two strings have the same id. Found in the table.
        DoubledString = "doubled-string",
        /// A stack is missing in its table. Found when an event names it.
        MissingStack = "missing-stack",
        /// A generation does not say how fast its clock is. Found when it is read.
        MissingFrequency = "missing-frequency",
        /// A generation has no end mark. Found at the next one's first batch.
        MissingEnd = "missing-end",
        /// The number of a generation is left out. Found at its first batch.
        SkippedGeneration = "skipped-generation",
        /// A batch says that it is longer than any can be. Found in its header; before Go 1.26,
        /// where readers deliver what they have of a generation, by what they miss there.
        OversizedBatch = "oversized-batch",
        /// The file ends inside a batch of a thread. Found there; before Go 1.26, where
        /// readers deliver what they have of a generation, by what they miss there.
        CutShort = "cut-short",
    }
}

impl Fault {
    /// Whether the fault can happen in such a simulation.
    pub(super) fn check(self, config: &Config) -> Result<(), ConfigError> {
        let needs = |possible: bool, why| {
            possible.then_some(()).ok_or(ConfigError::NoFault { fault: self, why })
        };
        let is = |profiles: &[Profile]| {
            config.profile == Profile::Mixed || profiles.contains(&config.profile)
        };
        match self {
            Fault::WrongThread | Fault::WrongStatus | Fault::MissingEnd
                if config.generations < 2 =>
            {
                needs(false, "it needs two generations")
            }
            Fault::SkippedGeneration if config.generations < 2 => {
                needs(false, "it needs two generations")
            }
            Fault::MissingEnd => {
                needs(config.go.has_end_marks(), "generations end with a mark from Go 1.26 on")
            }
            Fault::SkippedGeneration => {
                needs(!config.go.has_end_marks(), "generations may have any number from Go 1.26 on")
            }
            Fault::ProcKept => needs(is(&[Profile::Cgo]), "it needs the profile cgo or mixed"),
            Fault::StolenTwice => needs(
                is(&[Profile::Syscalls, Profile::Web]),
                "it needs the profile syscalls, web or mixed",
            ),
            Fault::WrongGcSequence => needs(is(&[Profile::Gc]), "it needs the profile gc or mixed"),
            Fault::RegionMismatch | Fault::TaskTwice => {
                needs(is(&[Profile::Web]), "it needs the profile web or mixed")
            }
            _ => Ok(()),
        }
    }
}

/// The fault that is wanted, and whether it was made.
#[derive(Debug)]
pub(super) struct Faults {
    wanted: Option<Fault>,
    /// Set when the trace has gone on for a while: what breaks at once shows little.
    pub(super) armed: bool,
    pub(super) made: u64,
}

impl Faults {
    pub(super) fn new(wanted: Option<Fault>) -> Faults {
        // Later, all threads in syscalls were seen to enter them.
        let armed = wanted == Some(Fault::WrongThread);
        Faults { wanted, armed, made: 0 }
    }

    /// Whether to make this fault now: once.
    #[inline]
    pub(super) fn strikes(&mut self, fault: Fault) -> bool {
        let strikes = self.wanted == Some(fault) && self.armed && self.made == 0;
        self.made += u64::from(strikes);
        strikes
    }
}
