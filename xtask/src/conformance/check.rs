//! What is checked of every good trace: that all ways to read it give what the
//! reference gives.

use std::fs;
use std::hash::Hasher;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Result;
use fastrand::Rng;
use fnv::FnvHasher;

use super::Failure;
use crate::difference;
use crate::ours::{self, Source};
use crate::outcome::{self, Observed, observe};
use crate::peer::{End, Outcome, Peer, Verdict};
use gotrail_checks::mutate;

/// How often the reference is asked about an old trace.
const CHANCES: u32 = 40;

/// Checks one trace in every way; returns what is wrong.
pub(crate) fn trace(peer: &Peer, name: &str, path: &Path) -> Result<Vec<Failure>> {
    let Some(mut reference) = peer.verdicts(&[path.to_path_buf()])?.pop().flatten() else {
        return Ok(vec![Failure::new(name, "the reference does not survive it")]);
    };
    let bytes = fs::read(path)?;
    let mut failures = Vec::new();
    let mut fail = |what: &str, detail: String| {
        failures.push(Failure { name: format!("{name}: {what}"), detail });
    };

    // Ordered events: mapped, from memory, and as streams in small pieces.
    let mapped = observe(|visit| ours::parsed(Source::File(path), visit));
    if mutate::is_old(&bytes) {
        // In these the reference orders equal times of procs by chance: ours is one of its answers.
        for _ in 0..CHANCES {
            if against(&reference.parsed, &mapped).is_none() {
                break;
            }
            reference = peer.verdict(path)?;
        }
    }
    if let Some(detail) = against(&reference.parsed, &mapped) {
        let line = difference::with_reference(peer, "parsed", path, |visit| {
            ours::parsed(Source::File(path), visit)
        })?;
        fail("parsed", with_line(detail, line));
    }
    for (what, chunks) in [
        ("from memory", None),
        ("streamed in odd pieces", Some(Chunks::odd(&bytes))),
        ("streamed in one piece", Some(Chunks::whole(&bytes))),
    ] {
        let other = observe(|visit| match chunks {
            None => ours::parsed(Source::Bytes(&bytes), visit),
            Some(chunks) => ours::parsed(Source::Stream(Box::new(chunks)), visit),
        });
        if other.outcome != mapped.outcome {
            fail(what, format!("{}\n    mapped: {}", describe(&other), describe(&mapped)));
        }
    }

    if let Some(detail) = in_parallel(&bytes, &mapped) {
        fail("in parallel", detail);
    }

    let wire = observe(|visit| ours::wire(&bytes, visit));
    if let Some(detail) = against(&reference.wire, &wire) {
        let line =
            difference::with_reference(peer, "wire", path, |visit| ours::wire(&bytes, visit))?;
        fail("wire", with_line(detail, line));
    }
    let theirs = peer.dump("footprint", path)?;
    let footprint = outcome::catch(|| ours::footprint(&bytes)).and_then(|result| result);
    match footprint {
        Ok(text) => {
            if let Some(line) = difference::first(&theirs[..], &text[..])? {
                fail("footprint", line);
            }
        }
        Err(message) if !theirs.is_empty() => fail("footprint", message),
        Err(_) => {}
    }
    if reference.wire.end == End::Ok
        && let Err(message) = outcome::catch(|| round_trip(&bytes)).and_then(|result| result)
    {
        fail("text and back", message);
    }
    if reference.parsed.end == End::Ok
        && let Err(message) = outcome::catch(|| resumed(&bytes)).and_then(|result| result)
    {
        fail("checkpoints", message);
    }
    Ok(failures)
}

/// What is wrong with an outcome, if it is not as the reference's. Where that
/// panics we must not, but stop with an error at the same event.
pub(crate) fn against(reference: &Outcome, ours: &Observed) -> Option<String> {
    let wanted = Outcome { end: reference.end.without_panic(), ..*reference };
    (ours.outcome != wanted).then(|| {
        format!(
            "reference: {} events, {}, hash {:016x}\n    ours:      {}",
            reference.events,
            reference.end.word(),
            reference.hash,
            describe(ours)
        )
    })
}

/// Both forms against the reference.
pub(crate) fn both(reference: &Verdict, parsed: &Observed, wire: &Observed) -> Option<String> {
    let parsed = against(&reference.parsed, parsed).map(|text| format!("parsed\n    {text}"));
    let wire = against(&reference.wire, wire).map(|text| format!("wire\n    {text}"));
    parsed.or(wire)
}

/// An outcome in words.
pub(crate) fn describe(observed: &Observed) -> String {
    let Outcome { events, end, hash } = observed.outcome;
    let mut text = format!("{events} events, {}, hash {hash:016x}", end.word());
    if !observed.message.is_empty() {
        text.push_str(": ");
        text.extend(observed.message.chars().take(500));
    }
    text
}

/// Bytes to text to bytes is the identity.
fn round_trip(bytes: &[u8]) -> Result<(), String> {
    let text = ours::to_text(bytes)?;
    let again = ours::from_text(&text)?;
    match bytes.iter().zip(&again).position(|(a, b)| a != b) {
        Some(at) => Err(format!("byte {at}: {} became {}", bytes[at], again[at])),
        None if bytes.len() != again.len() => {
            Err(format!("{} bytes became {}", bytes.len(), again.len()))
        }
        None => Ok(()),
    }
}

/// Generations resumed from their checkpoints give what the full pass gives, whose
/// last event, the final sync, is part of none of them.
fn resumed(bytes: &[u8]) -> Result<(), String> {
    let hash = |text: &[u8]| {
        let mut hasher = FnvHasher::default();
        hasher.write(text);
        hasher.finish()
    };
    let mut full = Vec::new();
    ours::parsed(Source::Bytes(bytes), &mut |text| full.push(hash(text)))?;
    full.pop();
    let mut generations: Vec<Vec<u64>> = Vec::new();
    let count = ours::resumed(bytes, &mut |generation, text| {
        if generations.len() <= generation {
            generations.resize(generation + 1, Vec::new());
        }
        generations[generation].push(hash(text));
    })?;
    if count != generations.len() {
        return Err(format!("{count} checkpoints for {} generations", generations.len()));
    }
    let mut at = 0;
    for (number, generation) in generations.iter().enumerate() {
        for (i, event) in generation.iter().enumerate() {
            if full.get(at) != Some(event) {
                return Err(format!(
                    "event {i} of generation {number} is not event {at} of the full pass"
                ));
            }
            at += 1;
        }
    }
    if at < full.len() {
        return Err(format!("{at} of {} events", full.len()));
    }
    Ok(())
}

fn with_line(mut detail: String, line: Option<String>) -> String {
    if let Some(line) = line {
        detail.push_str("\n    ");
        detail.push_str(&line);
    }
    detail
}

/// A stream that gives its bytes in pieces of chosen sizes.
pub(crate) struct Chunks<'a> {
    rest: &'a [u8],
    sizes: Option<Rng>,
}

impl<'a> Chunks<'a> {
    /// In pieces of 1 to 97 bytes; larger ones for large traces, still odd.
    pub(crate) fn odd(bytes: &'a [u8]) -> Self {
        Chunks { rest: bytes, sizes: Some(Rng::with_seed(bytes.len() as u64)) }
    }

    /// In as large pieces as the reader asks for.
    pub(crate) fn whole(bytes: &'a [u8]) -> Self {
        Chunks { rest: bytes, sizes: None }
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = match &mut self.sizes {
            Some(rng) if self.rest.len() > 1 << 22 => rng.usize(1..=99_991),
            Some(rng) => rng.usize(1..=97),
            None => buffer.len(),
        };
        let len = size.min(buffer.len()).min(self.rest.len());
        let (now, later) = self.rest.split_at(len);
        buffer[..len].copy_from_slice(now);
        self.rest = later;
        Ok(len)
    }
}

/// What differs when generations are read on several threads. In debug builds the library also
/// compares the states between them.
pub(crate) fn in_parallel(bytes: &[u8], mapped: &Observed) -> Option<String> {
    [2, 8].into_iter().find_map(|threads| {
        let counted = outcome::catch(|| ours::parallel(bytes, threads));
        let problem = match counted {
            Err(message) => format!("panic: {message}"),
            Ok((events, Ok(()))) if mapped.outcome.end == End::Ok => {
                (events != mapped.outcome.events).then(|| format!("{events} events"))?
            }
            Ok((events, Err(message))) if mapped.outcome.end == End::Error => {
                let same = events == mapped.outcome.events && message == mapped.message;
                (!same).then(|| format!("{events} events, {message}"))?
            }
            Ok((events, result)) => format!("{events} events, {result:?}"),
        };
        Some(format!("{threads} threads: {problem}\n    mapped: {}", describe(mapped)))
    })
}
