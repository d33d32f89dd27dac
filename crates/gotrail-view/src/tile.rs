//! Tiles as bytes: docs/api.md says how.

use crate::index::Index;
use crate::lane::{Colour, Lane, Look, Span, Window};
use crate::state::STATES;
use std::io;

/// How many bins a tile has.
pub const BINS: usize = 256;

/// The most spans of a lane in a tile.
pub const SPANS: usize = 512;

/// The tile's bytes. Fails if what was indexed cannot be read again.
pub fn tile(
    index: &Index,
    level: u32,
    number: u64,
    lanes: &[Lane],
    colour: Colour,
) -> io::Result<Vec<u8>> {
    let window = Window { level, first: number * BINS as u64, bins: BINS };
    let mut out = Vec::new();
    out.extend_from_slice(b"GTT1");
    out.extend_from_slice(&(lanes.len() as u32).to_le_bytes());
    let complete = index.done || window.until() <= index.known_until();
    out.extend_from_slice(&u32::from(complete).to_le_bytes());
    out.extend_from_slice(&(STATES as u32).to_le_bytes());
    for (&lane, look) in lanes.iter().zip(index.looks(lanes, window, SPANS, colour)?) {
        match look {
            Look::Nothing => head(&mut out, 0, 0),
            Look::Shares(bins) => shares(&mut out, &bins, window),
            Look::Spans(found) => spans(&mut out, index, lane, &found),
            Look::Work(found) => work(&mut out, &found, window),
        }
    }
    Ok(out)
}

fn head(out: &mut Vec<u8>, kind: u32, len: usize) {
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&(len as u32).to_le_bytes());
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}

fn shares(out: &mut Vec<u8>, bins: &[[f32; STATES]], window: Window) {
    if bins.iter().all(|bin| bin.iter().all(|&sum| sum <= 0.0)) {
        return head(out, 1, 0);
    }
    head(out, 1, bins.len());
    let len = (1u64 << window.level) as f32;
    for bin in bins {
        out.extend_from_slice(&(bin.iter().sum::<f32>() / len).to_le_bytes());
    }
    for bin in bins {
        let all = bin.iter().sum::<f32>();
        let share = |sum: &f32| if all > 0.0 { (sum / all * 255.0).round() as u8 } else { 0 };
        out.extend(bin.iter().map(share));
    }
    pad(out);
}

fn work(out: &mut Vec<u8>, found: &[(u32, u32, i64)], window: Window) {
    head(out, 3, found.len());
    found.iter().for_each(|(bin, ..)| out.extend_from_slice(&bin.to_le_bytes()));
    found.iter().for_each(|(_, group, _)| out.extend_from_slice(&group.to_le_bytes()));
    let len = (1u64 << window.level) as f32;
    found.iter().for_each(|(.., sum)| out.extend_from_slice(&(*sum as f32 / len).to_le_bytes()));
    pad(out);
}

fn spans(out: &mut Vec<u8>, index: &Index, lane: Lane, spans: &[Span]) {
    head(out, 2, spans.len());
    let number = |out: &mut Vec<u8>, value: i64| {
        out.extend_from_slice(&(value as f64).to_le_bytes());
    };
    spans.iter().for_each(|span| number(out, span.from));
    spans.iter().for_each(|span| number(out, span.until));
    spans.iter().for_each(|span| number(out, span.go));
    for span in spans {
        let label = match lane {
            Lane::Proc(_) | Lane::Thread(_) => index.function(span.go),
            _ => span.label,
        };
        out.extend_from_slice(&label.to_le_bytes());
    }
    pad(out);
    out.extend(spans.iter().map(|span| span.state.0));
    pad(out);
}
