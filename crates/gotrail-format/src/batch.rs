//! Batch headers: how a trace is cut into batches.
//!
//! ```text
//! EventBatch         gen m time size payload
//! ExperimentalBatch  exp gen m time size payload        (exp is one byte)
//! EndOfGeneration                                       (1.26 and later)
//! ```
//!
//! The first byte of a payload says what a batch holds: strings, stacks, CPU samples, clocks;
//! anything else is one thread's events.

use crate::varint::{self, VarintError};
use crate::{EventType, Experiment, MAX_BATCH_SIZE, Version};

/// The header of a batch, or the end of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// A batch of `size` bytes follows.
    Batch(BatchHeader),
    /// The generation is complete.
    EndOfGeneration,
}

/// The header of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// The experiment that the batch belongs to; [`Experiment::NONE`] for ordinary batches.
    pub experiment: Experiment,
    /// The generation that the batch belongs to.
    pub generation: u64,
    /// The thread that wrote the batch; `u64::MAX` for none.
    pub thread: u64,
    /// The time of the batch, in clock units.
    pub time: u64,
    /// The size of the payload in bytes, at most [`MAX_BATCH_SIZE`].
    pub size: usize,
}

/// Why a batch header could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Another event stands where a batch should begin.
    #[error("expected a batch, found {0}")]
    NotABatch(EventType),
    /// The input ends inside the header.
    #[error("the input ends inside the header of a batch")]
    CutOff,
    /// The input ends after the byte that announces an experimental batch. The reference takes
    /// this for a clean end of the trace.
    #[error("the input ends after the first byte of an experimental batch")]
    CutOffExperiment,
    /// A number of the header does not fit 64 bits.
    #[error("the {0} of a batch does not fit 64 bits")]
    Overflow(&'static str),
    /// The batch claims to be larger than any batch can be.
    #[error("a batch of {0} bytes; at most {MAX_BATCH_SIZE} are possible")]
    TooLarge(u64),
}

/// Reads a batch header from the start of `input`, which is not empty; returns it with its
/// length. Input that ends inside the header is [`HeaderError::CutOff`].
pub fn read_header(input: &[u8]) -> Result<(Header, usize), HeaderError> {
    let Some(&first) = input.first() else { return Err(HeaderError::CutOff) };
    let event = EventType(first);
    let mut at = 1;
    let experiment = match event {
        EventType::END_OF_GENERATION => return Ok((Header::EndOfGeneration, 1)),
        EventType::EVENT_BATCH => Experiment::NONE,
        EventType::EXPERIMENTAL_BATCH => {
            at = 2;
            Experiment(*input.get(1).ok_or(HeaderError::CutOffExperiment)?)
        }
        _ => return Err(HeaderError::NotABatch(event)),
    };
    let mut number = |name| match varint::read(&input[at..]) {
        Ok((value, len)) => {
            at += len;
            Ok(value)
        }
        Err(VarintError::CutOff) => Err(HeaderError::CutOff),
        Err(VarintError::Overflow) => Err(HeaderError::Overflow(name)),
    };
    let generation = number("generation")?;
    let thread = number("thread")?;
    let time = number("time")?;
    let size = number("size")?;
    if size > MAX_BATCH_SIZE {
        return Err(HeaderError::TooLarge(size));
    }
    let size = size as usize;
    Ok((Header::Batch(BatchHeader { experiment, generation, thread, time, size }), at))
}

/// What a batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// One thread's events.
    Events,
    /// Strings.
    Strings,
    /// Stacks.
    Stacks,
    /// CPU samples.
    CpuSamples,
    /// Clock frequency and, from 1.25 on, a clock snapshot.
    Sync,
    /// Data of an experiment.
    Experiment(Experiment),
    /// The end of a generation, in a batch of its own. No tracer writes it so, but the reference
    /// takes it for one from 1.26 on.
    EndOfGeneration,
}

impl Content {
    /// What a batch of `experiment` with this payload holds in a trace of `version`.
    pub fn of(experiment: Experiment, payload: &[u8], version: Version) -> Content {
        if experiment != Experiment::NONE {
            return Content::Experiment(experiment);
        }
        let Some(&first) = payload.first() else { return Content::Events };
        match EventType(first) {
            EventType::STRINGS => Content::Strings,
            EventType::STACKS => Content::Stacks,
            EventType::CPU_SAMPLES => Content::CpuSamples,
            EventType::END_OF_GENERATION => Content::EndOfGeneration,
            EventType::FREQUENCY if version < Version::Go125 => Content::Sync,
            EventType::SYNC if version >= Version::Go125 => Content::Sync,
            _ => Content::Events,
        }
    }
}
