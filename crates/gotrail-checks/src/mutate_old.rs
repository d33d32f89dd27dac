//! Broken traces of Go 1.11 to 1.21.
//!
//! These have no sizes that would have to fit: a trace is taken apart into events, something is
//! done to some of them, and they are written one after the other again. Others are hit as bytes.

use fastrand::Rng;
use gotrail_format::{Version, varint};

/// The length of the header.
const HEADER: usize = 16;

const BATCH: u8 = 1;
const STRING: u8 = 37;
const LOG: u8 = 48;

/// Makes a mutant of `bytes`; returns it with what was done.
pub(crate) fn mutant(bytes: &[u8], rng: &mut Rng) -> (Vec<u8>, &'static str) {
    let mut events = events(bytes);
    if events.len() < 4 || rng.u8(..8) == 0 {
        return (hit(bytes, rng), "old bytes");
    }
    let mut what = "";
    for _ in 0..1 + rng.usize(..8) / 5 {
        what = change(&mut events, rng);
    }
    let mut mutant = bytes[..HEADER.min(bytes.len())].to_vec();
    if rng.u8(..24) == 0 {
        // The events of one version under the header of another.
        let versions = [Version::Go111, Version::Go119, Version::Go121];
        mutant = versions[rng.usize(..versions.len())].header().to_vec();
        what = "old header";
    }
    mutant.extend(events.into_iter().flatten());
    (mutant, what)
}

fn hit(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match rng.u8(..3) {
        0 => bytes.truncate(rng.usize(..=bytes.len())),
        1 => {
            for _ in 0..1 + rng.usize(..3) {
                let at = rng.usize(HEADER.min(bytes.len() - 1)..bytes.len());
                bytes[at] = rng.u8(..);
            }
        }
        _ => {
            let at = rng.usize(HEADER.min(bytes.len() - 1)..bytes.len());
            bytes[at] ^= 1 << rng.u8(..8);
        }
    }
    bytes
}

/// Changes the list of events, in a place that is likely to matter.
fn change(events: &mut Vec<Vec<u8>>, rng: &mut Rng) -> &'static str {
    let at = rng.usize(..events.len());
    let near = (at + 1 + rng.usize(..40)).min(events.len() - 1);
    match rng.u8(..11) {
        10 => {
            events[at] = with_number(&events[at], rng);
            "old number of another length"
        }
        0 => {
            events.remove(at);
            "old event removed"
        }
        1 => {
            let copy = events[at].clone();
            events.insert(near, copy);
            "old event repeated"
        }
        2 => {
            events.swap(at, near);
            "old events swapped"
        }
        3 => {
            let event = events.remove(at);
            events.insert(near.min(events.len()), event);
            "old event moved"
        }
        4 => {
            let event = &mut events[at];
            event[0] = event[0] & 0xc0 | rng.u8(1..50);
            "old event of another type"
        }
        5 => {
            let batches: Vec<usize> =
                (0..events.len()).filter(|&i| events[i][0] & 0x3f == BATCH).collect();
            if batches.is_empty() {
                return "";
            }
            let at = batches[rng.usize(..batches.len())];
            let last = events[at].len() - 1;
            let byte = 1 + rng.usize(..last);
            events[at][byte] = events[at][byte] & 0x80 | rng.u8(..8);
            "old batch header"
        }
        6 => {
            events.truncate(at.max(1));
            "old trace cut"
        }
        _ => {
            // A number, whose length stays.
            let event = &mut events[at];
            if event.len() < 2 {
                event.push(0);
                return "old event longer";
            }
            let first = if event[0] >> 6 == 3 { 2.min(event.len() - 1) } else { 1 };
            let byte = rng.usize(first..event.len());
            event[byte] = match rng.u8(..4) {
                0 => event[byte] ^ 1,
                1 => event[byte] & 0x80 | rng.u8(..4),
                2 => event[byte] & 0x80 | event[byte].wrapping_add(1) & 0x7f,
                _ => event[byte] & 0x80 | rng.u8(..0x80),
            };
            "old number"
        }
    }
}

/// The event with one of its numbers written anew: large, or longer than it needs to be.
fn with_number(event: &[u8], rng: &mut Rng) -> Vec<u8> {
    let (head, count) = (event[0], usize::from(event[0] >> 6) + 1);
    let mut at = 1;
    let mut number = || {
        let (value, len) = varint::read(event.get(at..)?).ok()?;
        at += len;
        Some(value)
    };
    // With four numbers or more their length in bytes comes first.
    let has_length = count == 4 && head & 0x3f != STRING;
    if has_length {
        number();
    }
    let mut numbers: Vec<u64> = Vec::new();
    while has_length || numbers.len() < count {
        match number() {
            Some(value) => numbers.push(value),
            None => break,
        }
    }
    if numbers.is_empty() || head & 0x3f == LOG || head & 0x3f == STRING {
        return event.to_vec();
    }
    let which = rng.usize(..numbers.len());
    let large = [1 << 31, 1 << 32, 1 << 62, 1 << 63, u64::MAX, u64::MAX - 1, 1 << rng.u8(..64)];
    numbers[which] = large[rng.usize(..large.len())];
    let mut body = Vec::new();
    for (place, &value) in numbers.iter().enumerate() {
        varint::push(&mut body, value);
        if place == which && rng.u8(..4) == 0 {
            // One byte more than it needs.
            if let Some(last) = body.last_mut() {
                *last |= 0x80;
            }
            body.push(0);
        }
    }
    let mut changed = vec![head];
    if has_length {
        varint::push(&mut changed, body.len() as u64);
    }
    changed.extend(body);
    changed
}

/// How many events of a trace that is good up to its end are sure to be told: all but tables,
/// blocks of syscalls, and what only says how the trace begins, up to the first Gomaxprocs.
pub(crate) fn sure(bytes: &[u8]) -> usize {
    const PROCS: u8 = 4;
    const UNTOLD: [u8; 7] = [BATCH, 2, 3, 30, 35, STRING, 49];
    let kinds = events(bytes).into_iter().map(|event| event[0] & 0x3f);
    kinds.skip_while(|&kind| kind != PROCS).skip(1).filter(|kind| !UNTOLD.contains(kind)).count()
}

/// The events of a good trace, as bytes.
fn events(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    let mut at = HEADER;
    while at < bytes.len() {
        let start = at;
        let (kind, count) = (bytes[at] & 0x3f, usize::from(bytes[at] >> 6) + 1);
        at += 1;
        let number = |at: &mut usize| {
            let mut value = 0u64;
            for shift in (0..64).step_by(7) {
                let Some(&byte) = bytes.get(*at) else { break };
                *at += 1;
                value |= u64::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
            }
            value as usize
        };
        if kind == STRING {
            number(&mut at);
            let len = number(&mut at);
            at = at.saturating_add(len);
        } else if count == 4 {
            let len = number(&mut at);
            at = at.saturating_add(len);
            if kind == LOG {
                let len = number(&mut at);
                at = at.saturating_add(len);
            }
        } else {
            for _ in 0..count {
                number(&mut at);
            }
        }
        at = at.min(bytes.len());
        list.push(bytes[start..at].to_vec());
    }
    list
}
