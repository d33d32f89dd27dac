//! What a simulation is told.

use super::Fault;
use gotrail_format::Version;
use std::fmt;
use std::str::FromStr;

/// What a simulated program does, how large it is, and how it is traced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where all chance comes from.
    pub seed: u64,
    /// What the program's goroutines do.
    pub profile: Profile,
    /// GOMAXPROCS, at first and at most.
    pub procs: u32,
    /// About as many goroutines exist at a time, besides a few of the runtime's own.
    pub goroutines: u32,
    /// The trace ends when this number of events is reached, and the number of generations.
    pub events: u64,
    /// How many generations there are, about equally long.
    pub generations: u64,
    /// Which Go release traces.
    pub go: GoRelease,
    /// Each thread's clock is off by up to so many clock units, in either direction.
    pub skew: u64,
    /// Clocks advance in steps of so many clock units; 1 is exact.
    pub coarse: u64,
    /// Something that a broken tracer would do, once.
    pub fault: Option<Fault>,
}

impl Default for Config {
    /// A mixed program of 100 goroutines on 4 procs with exact clocks: 100,000 events in two
    /// generations, traced by the newest Go.
    fn default() -> Config {
        Config {
            seed: 1,
            profile: Profile::Mixed,
            procs: 4,
            goroutines: 100,
            events: 100_000,
            generations: 2,
            go: GoRelease::NEWEST,
            skew: 0,
            coarse: 1,
            fault: None,
        }
    }
}

/// What is wrong with a [`Config`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number outside of what is possible.
    #[error("{what} must be from {least} to {most}, not {value}")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: u64,
        /// The least that is possible.
        least: u64,
        /// The most that is possible.
        most: u64,
    },
    /// The Go release does not trace what the profile needs.
    #[error("{profile} needs Go 1.23 or later: Go {go} does not trace coroutines")]
    NoCoroutines {
        /// The profile.
        profile: Profile,
        /// The release.
        go: GoRelease,
    },
    /// The fault cannot happen with this profile or release.
    #[error("the fault {fault} cannot happen here: {why}")]
    NoFault {
        /// The fault.
        fault: Fault,
        /// What it needs.
        why: &'static str,
    },
}

impl Config {
    /// Whether such a simulation is possible.
    pub fn check(&self) -> Result<(), ConfigError> {
        let range = |what, value, least, most| {
            let fits = (least..=most).contains(&value);
            fits.then_some(()).ok_or(ConfigError::OutOfRange { what, value, least, most })
        };
        range("the number of procs", self.procs.into(), 1, 10_000)?;
        range("the number of goroutines", self.goroutines.into(), 1, 50_000_000)?;
        range("the number of events", self.events, 1, 1 << 40)?;
        range("the number of generations", self.generations, 1, 1 << 30)?;
        range("the clock skew", self.skew, 0, 1 << 30)?;
        range("the step of coarse clocks", self.coarse, 1, 1 << 30)?;
        if self.profile == Profile::Coroutines && !self.go.has_coroutines() {
            return Err(ConfigError::NoCoroutines { profile: self.profile, go: self.go });
        }
        match self.fault {
            Some(fault) => fault.check(self),
            None => Ok(()),
        }
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<$name, String> {
                let found = $name::ALL.iter().find(|one| one.name() == text);
                found.copied().ok_or_else(|| {
                    let names = $name::ALL.iter().map(|one| one.name()).collect::<Vec<_>>();
                    format!("there is no {} {text:?}; there are: {}", $what, names.join(", "))
                })
            }
        }
    };
}
pub(super) use named;

named! {
    /// What a program does for the most part.
    Profile: "profile" {
        /// A server: each request is a goroutine with a task, regions, logs, network waits and
        /// syscalls.
        Web = "web",
        /// Goroutines that wait for each other on channels and locks.
        Channels = "channels",
        /// Syscalls, short and long, with procs stolen meanwhile.
        Syscalls = "syscalls",
        /// Much garbage: collections, assists, sweeping, the world stopped.
        Gc = "gc",
        /// C threads that call into Go and go away, so that their ids are used again.
        Cgo = "cgo",
        /// Goroutines that hand their thread to each other, as iterators do.
        Coroutines = "coroutines",
        /// Some of everything.
        Mixed = "mixed",
    }
}

/// A Go release, as far as its traces differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoRelease(u8);

impl GoRelease {
    const OLDEST: GoRelease = GoRelease(22);
    /// The newest that is known.
    pub const NEWEST: GoRelease = GoRelease(27);

    /// Go 1.`minor`, from 22 on.
    pub fn new(minor: u8) -> Option<GoRelease> {
        (GoRelease::OLDEST.0..=GoRelease::NEWEST.0).contains(&minor).then_some(GoRelease(minor))
    }

    /// The version of the format that it writes.
    pub fn version(self) -> Version {
        match self.0 {
            ..=22 => Version::Go122,
            23..=24 => Version::Go123,
            25 => Version::Go125,
            _ => Version::Go126,
        }
    }

    pub(super) fn has_coroutines(self) -> bool {
        self.0 >= 23
    }

    /// Statuses of silent goroutines come with a stack.
    pub(super) fn has_status_stacks(self) -> bool {
        self.0 >= 23
    }

    /// Clocks are read at the start of each generation.
    pub(super) fn has_snapshots(self) -> bool {
        self.0 >= 25
    }

    /// Generations end with a mark, and with the statuses of silent procs.
    pub(super) fn has_end_marks(self) -> bool {
        self.0 >= 26
    }
}

impl fmt::Display for GoRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

impl FromStr for GoRelease {
    type Err = String;

    fn from_str(text: &str) -> Result<GoRelease, String> {
        let minor = text.strip_prefix("1.").and_then(|minor| minor.parse().ok());
        minor.and_then(GoRelease::new).ok_or_else(|| {
            format!(
                "expected a Go release from {} to {}, found {text:?}",
                GoRelease::OLDEST,
                GoRelease::NEWEST
            )
        })
    }
}
