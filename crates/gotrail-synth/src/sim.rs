//! A simulated Go program: scheduler, garbage collector, annotations, and the tracer that writes
//! what they do.
//!
//! ```text
//!   workload ── what a goroutine does next ──► runtime ── one function for each event ──► tracer
//!   (by profile)                               (procs, threads, goroutines, GC)           (buffers,
//!                                                   │                                      generations,
//!                                                   └──► the true order, for who asks      tables)
//! ```
//!
//! Everything happens one after the other in one virtual time, so that the true order of all
//! events is known, whatever the clocks of the threads say. All chance comes from the seed: the
//! same [`Config`] always gives the same bytes.
//!
//! ```
//! use gotrail_synth::sim::{Config, Profile, Simulation};
//!
//! let config = Config { profile: Profile::Web, events: 20_000, generations: 3, ..Config::default() };
//! let mut bytes = Vec::new();
//! Simulation::new(config)?.write(&mut bytes)?;
//! let trace = gotrail::Trace::from_bytes(bytes)?;
//! assert_eq!(trace.generations().len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod annotations;
mod clock;
mod collector;
mod config;
mod faults;
mod machine;
mod runtime;
mod start;
mod statuses;
mod tables;
mod tracer;
mod truth;
mod vocabulary;
mod workload;
mod world;

pub use config::{Config, ConfigError, GoRelease, Profile};
pub use faults::Fault;
pub use truth::TrueEvent;

use std::io::{self, Write};

/// A simulated program, ready to run.
#[derive(Debug, Clone)]
pub struct Simulation {
    config: Config,
}

/// What a simulation wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Totals {
    /// Timed events and CPU samples.
    pub events: u64,
    /// Generations.
    pub generations: u64,
    /// Bytes.
    pub bytes: u64,
    /// How often the fault that was asked for was made.
    pub faults: u64,
}

/// Sees what happens in a simulation, while it happens.
pub trait Observer {
    /// Whether [`Observer::happened`] is to be called, which takes time.
    fn wants_events(&self) -> bool {
        false
    }

    /// An event happened: this is the true order.
    fn happened(&mut self, _event: TrueEvent) {}

    /// So many events were written; called now and then.
    fn wrote(&mut self, _events: u64) {}
}

/// Nobody looks.
impl Observer for () {}

impl Simulation {
    /// Fails if the configuration asks for something that cannot be.
    pub fn new(config: Config) -> Result<Simulation, ConfigError> {
        config.check()?;
        Ok(Simulation { config })
    }

    /// Runs the program and writes its trace to `out`, as it goes. What `out` gets are pieces of up
    /// to 64 KB.
    pub fn write(self, out: impl Write) -> io::Result<Totals> {
        self.observe(out, &mut ())
    }

    /// The same with somebody who looks on.
    pub fn observe(self, out: impl Write, observer: &mut impl Observer) -> io::Result<Totals> {
        machine::Machine::new(self.config, out, observer).run()
    }
}
