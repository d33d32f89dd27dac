//! Broken traces, made from good ones by a seeded random generator.
//!
//! A trace is taken apart into batches and events ([`layout`]), something is done
//! to one of them, and the rest is put together again with sizes that fit: so most
//! mutants get past the framing and fail, or do not, deep in the ordering. Others
//! are hit as bytes. The same seed and number give the same mutant everywhere.
//!
//! [`layout`]: crate::layout

use std::collections::BTreeMap;

use fastrand::Rng;
use gotrail_format::event::{self, ArgKind, EventType, Spec};
use gotrail_format::version::{self, Version};

use crate::layout::{Batch, Boundary, Item, Layout, Part};
use crate::mutate_old;

/// A good trace that mutants are made from.
#[derive(Clone, Debug)]
pub struct Base {
    /// Where it comes from, for messages.
    pub name: String,
    /// The trace.
    pub bytes: Vec<u8>,
}

/// A broken trace; or, now and then, one that is still good.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its number in the sequence.
    pub number: u64,
    /// What was done to which trace, for messages.
    pub story: String,
    /// The last thing that was done to it.
    pub kind: &'static str,
    /// The trace.
    pub bytes: Vec<u8>,
}

/// How many changes there are to choose from for [`change`].
pub const KINDS: usize = CHANGES.len();

/// Does one thing to a trace, of a kind below [`KINDS`]; says what it did. `None` where the trace
/// has nothing of the kind. `bases` are the traces that batches are borrowed from.
pub fn change(bytes: &[u8], bases: &[Base], kind: usize, seed: u64) -> Option<(Vec<u8>, String)> {
    let (name, change) = CHANGES[kind % KINDS];
    if matches!(change, Change::Splice(_)) && bases.is_empty() {
        return None;
    }
    let (bytes, what) = apply(change, bytes, bases, &mut Rng::with_seed(seed))?;
    Some((bytes, format!("{name} {what}")))
}

/// Makes the mutant with this number.
pub fn mutant(bases: &[Base], seed: u64, number: u64) -> Mutant {
    // Neighbouring seeds must not give related sequences.
    let mut rng =
        Rng::with_seed((seed ^ number.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let base = &bases[rng.usize(..bases.len())];
    if is_old(&base.bytes) {
        let (bytes, kind) = mutate_old::mutant(&base.bytes, &mut rng);
        return Mutant { number, story: format!("{}, {kind}", base.name), kind, bytes };
    }
    let mut story = base.name.clone();
    let mut kind = "";
    let mut bytes = base.bytes.clone();
    let rounds = [1, 1, 1, 1, 1, 1, 1, 2, 2, 3][rng.usize(..10)];
    for _ in 0..rounds {
        // Not everything can be done to every trace: try until something was.
        for _ in 0..50 {
            let (name, change) = CHANGES[rng.usize(..CHANGES.len())];
            if let Some((changed, what)) = apply(change, &bytes, bases, &mut rng) {
                story = format!("{story}, {name} {what}");
                kind = name;
                bytes = changed;
                break;
            }
        }
    }
    Mutant { number, story, kind, bytes }
}

/// Whether a trace was written before Go 1.22.
pub fn is_old(bytes: &[u8]) -> bool {
    version::read_header(bytes).is_ok_and(|(version, _)| !version.has_generations())
}

/// How many events a reader is sure to tell of a trace before Go 1.22 that is good up to its end.
pub fn sure_events(bytes: &[u8]) -> u64 {
    mutate_old::sure(bytes) as u64
}

/// Something that can be done to a trace. Each says what it did in a few words, or
/// `None` where the trace has nothing of the kind.
#[derive(Clone, Copy)]
enum Change {
    /// To its bytes.
    Bytes(fn(&mut Vec<u8>, &mut Rng) -> Option<String>),
    /// To its batches and events.
    Parts(fn(&mut Layout, &mut Rng) -> Option<String>),
    /// To its batches, with another trace at hand.
    Splice(fn(&mut Layout, &Layout, &mut Rng) -> Option<String>),
}

fn apply(change: Change, bytes: &[u8], bases: &[Base], rng: &mut Rng) -> Option<(Vec<u8>, String)> {
    match change {
        Change::Bytes(change) => {
            let mut bytes = bytes.to_vec();
            let what = change(&mut bytes, rng)?;
            Some((bytes, what))
        }
        Change::Parts(change) => {
            let mut layout = Layout::read(bytes)?;
            let what = change(&mut layout, rng)?;
            Some((layout.write(), what))
        }
        Change::Splice(change) => {
            let mut layout = Layout::read(bytes)?;
            let other = &bases[rng.usize(..bases.len())];
            let what = change(&mut layout, &Layout::read(&other.bytes)?, rng)?;
            Some((layout.write(), format!("{what} of {}", other.name)))
        }
    }
}

/// All changes, those that reach deep several times.
const CHANGES: &[(&str, Change)] = &[
    ("cut", Change::Bytes(cut)),
    ("cut", Change::Bytes(cut)),
    ("cut", Change::Bytes(cut)),
    ("flip", Change::Bytes(|bytes, rng| flip_bit(bytes, rng))),
    ("byte", Change::Bytes(|bytes, rng| change_byte(bytes, rng))),
    ("insert-byte", Change::Bytes(insert_byte)),
    ("remove-bytes", Change::Bytes(remove_bytes)),
    ("append", Change::Bytes(append)),
    ("number", Change::Parts(change_number)),
    ("number", Change::Parts(change_number)),
    ("number", Change::Parts(change_number)),
    ("borrow-number", Change::Parts(borrow_number)),
    ("borrow-number", Change::Parts(borrow_number)),
    ("borrow-number", Change::Parts(borrow_number)),
    ("retype", Change::Parts(retype)),
    ("retype", Change::Parts(retype)),
    ("drop-event", Change::Parts(drop_event)),
    ("drop-event", Change::Parts(drop_event)),
    ("double-event", Change::Parts(double_event)),
    ("swap-events", Change::Parts(swap_events)),
    ("move-event", Change::Parts(move_event)),
    ("drop-batch", Change::Parts(drop_batch)),
    ("double-batch", Change::Parts(double_batch)),
    ("swap-batches", Change::Parts(swap_batches)),
    ("split-batch", Change::Parts(split_batch)),
    ("generation", Change::Parts(change_generation)),
    ("shift-generations", Change::Parts(shift_generations)),
    ("thread", Change::Parts(change_thread)),
    ("time", Change::Parts(change_time)),
    ("batch-size", Change::Parts(change_batch_size)),
    ("string", Change::Parts(change_string)),
    ("frames", Change::Parts(change_frames)),
    ("experiment", Change::Parts(change_experiment)),
    ("end-of-generation", Change::Parts(end_of_generation)),
    ("version", Change::Parts(change_version)),
    ("wide-numbers", Change::Parts(widen_numbers)),
    ("splice", Change::Splice(splice)),
    ("foreign-batch", Change::Splice(foreign_batch)),
];

/// Cuts at a boundary; the kind of boundary is chosen first, as most are arguments.
fn cut(bytes: &mut Vec<u8>, rng: &mut Rng) -> Option<String> {
    let mut kinds: BTreeMap<Boundary, Vec<usize>> = BTreeMap::new();
    for (at, kind) in Layout::read(bytes)?.boundaries() {
        if at < bytes.len() {
            kinds.entry(kind).or_default().push(at);
        }
    }
    let kinds: Vec<_> = kinds.into_iter().collect();
    let (kind, places) = pick(&kinds, rng)?;
    let at = *pick(places, rng)?;
    bytes.truncate(at);
    Some(format!("{kind:?} at {at}"))
}

fn flip_bit(bytes: &mut [u8], rng: &mut Rng) -> Option<String> {
    let at = place(bytes, rng)?;
    let bit = rng.u8(..8);
    bytes[at] ^= 1 << bit;
    Some(format!("bit {bit} at {at}"))
}

fn change_byte(bytes: &mut [u8], rng: &mut Rng) -> Option<String> {
    let at = place(bytes, rng)?;
    bytes[at] = *pick(&[0, 1, 0x7f, 0x80, 0xff, rng.u8(..), rng.u8(..)], rng)?;
    Some(format!("at {at}: {}", bytes[at]))
}

fn insert_byte(bytes: &mut Vec<u8>, rng: &mut Rng) -> Option<String> {
    let at = place(bytes, rng)?;
    let byte = rng.u8(..);
    bytes.insert(at, byte);
    Some(format!("{byte} at {at}"))
}

fn remove_bytes(bytes: &mut Vec<u8>, rng: &mut Rng) -> Option<String> {
    let at = place(bytes, rng)?;
    let end = (at + rng.usize(1..=16)).min(bytes.len());
    bytes.drain(at..end);
    Some(format!("{at}..{end}"))
}

fn append(bytes: &mut Vec<u8>, rng: &mut Rng) -> Option<String> {
    let count = rng.usize(1..=24);
    let zeros = rng.bool();
    bytes.extend((0..count).map(|_| if zeros { 0 } else { rng.u8(..) }));
    Some(format!("{count} bytes"))
}

/// A place in the bytes: the header less often than its share in a small trace.
fn place(bytes: &[u8], rng: &mut Rng) -> Option<usize> {
    let from = if rng.u8(..8) == 0 { 0 } else { 16.min(bytes.len()) };
    (from < bytes.len()).then(|| rng.usize(from..bytes.len()))
}

/// Gives an argument another value, near or absurd.
fn change_number(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let item = pick_item(layout, rng, |item| !item.args.is_empty())?;
    let index = rng.usize(..item.args.len());
    let old = item.args[index];
    item.args[index] = other_number(old, rng);
    Some(format!("{} argument {index}: {old} -> {}", item.name(), item.args[index]))
}

/// Gives an argument the value that one of the same kind has elsewhere.
fn borrow_number(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let mut values: Vec<(ArgKind, u64)> = Vec::new();
    for item in layout.batches().flat_map(|batch| &batch.items) {
        values.extend(named_args(item).map(|(name, value)| (ArgKind::of(name), value)));
    }
    let item = pick_item(layout, rng, |item| named_args(item).next().is_some())?;
    let spec = item.spec()?;
    let index = rng.usize(..spec.args.len().min(item.args.len()));
    let kind = ArgKind::of(spec.args[index]);
    let old = item.args[index];
    values.retain(|&(other, value)| other == kind && value != old);
    let &(_, new) = pick(&values, rng)?;
    item.args[index] = new;
    Some(format!("{} {}: {old} -> {new}", item.name(), spec.args[index]))
}

/// Turns an event into another, with as many arguments as that one has; mostly
/// into one with the same number of arguments.
fn retype(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let any = rng.u8(..4) == 0;
    let item = pick_item(layout, rng, |_| true)?;
    let old = item.name();
    if rng.u8(..12) == 0 {
        item.event = rng.u8(..);
        return Some(format!("{old} -> number {}", item.event));
    }
    let count = item.args.len();
    let specs: Vec<&Spec> =
        event::all().filter(|spec| any || spec.is_timed() && spec.args.len() == count).collect();
    let new = pick(&specs, rng)?;
    item.event = new.event.0;
    item.args.resize_with(new.args.len(), || rng.u64(..4));
    Some(format!("{old} -> {}", new.name))
}

fn drop_event(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let batch = pick_batch(layout, rng, |batch| !batch.items.is_empty())?;
    let item = batch.items.remove(rng.usize(..batch.items.len()));
    Some(item.name())
}

fn double_event(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let batch = pick_batch(layout, rng, |batch| !batch.items.is_empty())?;
    let index = rng.usize(..batch.items.len());
    let item = batch.items[index].clone();
    let name = item.name();
    batch.items.insert(index, item);
    Some(name)
}

fn swap_events(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let batch = pick_batch(layout, rng, |batch| batch.items.len() > 1)?;
    let a = rng.usize(..batch.items.len());
    let b = if rng.bool() { (a + 1) % batch.items.len() } else { rng.usize(..batch.items.len()) };
    batch.items.swap(a, b);
    Some(format!("{} and {}", batch.items[b].name(), batch.items[a].name()))
}

fn move_event(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let from = pick_batch(layout, rng, |batch| !batch.items.is_empty())?;
    let item = from.items.remove(rng.usize(..from.items.len()));
    let name = item.name();
    let to = pick_batch(layout, rng, |_| true)?;
    to.items.insert(rng.usize(..=to.items.len()), item);
    Some(name)
}

fn drop_batch(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let at = pick_part(layout, rng)?;
    layout.parts.remove(at);
    Some(format!("{at}"))
}

fn double_batch(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let at = pick_part(layout, rng)?;
    let part = layout.parts[at].clone();
    let to = if rng.bool() { at } else { rng.usize(..=layout.parts.len()) };
    layout.parts.insert(to, part);
    Some(format!("{at} to {to}"))
}

fn swap_batches(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let a = pick_part(layout, rng)?;
    let b = if rng.bool() { (a + 1) % layout.parts.len() } else { pick_part(layout, rng)? };
    layout.parts.swap(a, b);
    Some(format!("{a} and {b}"))
}

/// Makes two batches of one, which changes nothing if the times are right.
fn split_batch(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let at = pick_part(layout, rng)?;
    let Part::Batch(batch) = &mut layout.parts[at] else { return None };
    if batch.items.is_empty() {
        return None;
    }
    let index = rng.usize(..batch.items.len());
    let mut second = Batch { items: batch.items.split_off(index), ..batch.clone() };
    batch.tail.clear();
    if rng.bool() {
        let times = batch.items.iter().filter_map(|item| item.args.first());
        second.time = times.fold(second.time, |sum, &time| sum.wrapping_add(time));
    }
    layout.parts.insert(at + 1, Part::Batch(second));
    Some(format!("{at} before event {index}"))
}

fn change_generation(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let batch = pick_batch(layout, rng, |_| true)?;
    let old = batch.generation;
    batch.generation = *pick(
        &[
            0,
            old.wrapping_add(1),
            old.wrapping_sub(1),
            old.wrapping_add(2),
            u64::MAX,
            other_number(old, rng),
        ],
        rng,
    )?;
    Some(format!("{old} -> {}", batch.generation))
}

/// Renumbers the generations from some batch on.
fn shift_generations(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let from = if rng.bool() { 0 } else { rng.usize(..layout.parts.len().max(1)) };
    let by = *pick(&[1, 2, u64::MAX, 1 << 40], rng)?;
    for part in &mut layout.parts[from..] {
        if let Part::Batch(batch) = part {
            batch.generation = batch.generation.wrapping_add(by);
        }
    }
    Some(format!("from batch {from} by {}", by as i64))
}

fn change_thread(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let threads: Vec<u64> = layout.batches().map(|batch| batch.thread).collect();
    let batch = pick_batch(layout, rng, |_| true)?;
    let old = batch.thread;
    batch.thread = match rng.u8(..4) {
        0 => *pick(&[0, u64::MAX, rng.u64(..)], rng)?,
        1 => old.wrapping_add(1),
        _ => *pick(&threads, rng)?,
    };
    Some(format!("{old} -> {}", batch.thread))
}

fn change_time(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let times: Vec<u64> = layout.batches().map(|batch| batch.time).collect();
    let batch = pick_batch(layout, rng, |_| true)?;
    let old = batch.time;
    batch.time = match rng.u8(..4) {
        0 => *pick(&[0, 1, u64::MAX, 1 << 63, rng.u64(..)], rng)?,
        1 => old.wrapping_add(rng.u64(..1000)).wrapping_sub(500),
        _ => *pick(&times, rng)?,
    };
    Some(format!("{old} -> {}", batch.time))
}

/// Lets a batch claim another size than it has.
fn change_batch_size(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let batch = pick_batch(layout, rng, |_| true)?;
    let old = batch.payload_len() as u64;
    let sizes = [
        0,
        1,
        old + 1,
        old.saturating_sub(1),
        1 << 16,
        (1 << 16) + 1,
        u64::MAX,
        1 << 63,
        rng.u64(..),
    ];
    batch.size = Some(*pick(&sizes, rng)?);
    Some(format!("{old} -> {}", batch.size?))
}

/// Changes a string: its claimed length, its bytes, or both to the limit.
fn change_string(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let item = pick_item(layout, rng, |item| item.data.is_some())?;
    let data = item.data.as_mut()?;
    match rng.u8(..4) {
        0 => {
            let len = *pick(&[1023, 1024, 1025, 2000], rng)?;
            *data = vec![b'x'; len];
            Some(format!("of {len} bytes"))
        }
        1 => {
            let count = rng.usize(..12);
            *data = (0..count).map(|_| rng.u8(..)).collect();
            Some(format!("{data:?}"))
        }
        _ => {
            let old = data.len() as u64;
            let claim = *pick(
                &[0, old + 1, old.saturating_sub(1), 1024, 1025, 1 << 31, 1 << 63, u64::MAX],
                rng,
            )?;
            item.data_len = Some(claim);
            Some(format!("length {old} -> {claim}"))
        }
    }
}

/// Changes how many frames a stack has, or claims to have.
fn change_frames(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let item =
        pick_item(layout, rng, |item| item.event == EventType::STACK.0 && item.args.len() >= 6)?;
    let old = item.args[1];
    match rng.u8(..3) {
        0 => {
            let count = *pick(&[0, 1, 127, 128, 129, 300], rng)?;
            let frame = item.args[2..6].to_vec();
            item.args.truncate(2);
            for _ in 0..count {
                item.args.extend(&frame);
            }
            item.args[1] = count;
        }
        1 => {
            item.args[1] = *pick(
                &[0, old.wrapping_add(1), old.wrapping_sub(1), 128, 129, 1 << 63, u64::MAX],
                rng,
            )?
        }
        _ => {
            let index = rng.usize(2..item.args.len());
            item.args[index] = other_number(item.args[index], rng);
            return Some(format!("number {index} -> {}", item.args[index]));
        }
    }
    Some(format!("count {old} -> {}", item.args[1]))
}

/// Makes a batch part of an experiment, or of another one, or of none.
fn change_experiment(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let wanted = rng.bool() && layout.batches().any(|batch| batch.experiment.is_some());
    let batch = pick_batch(layout, rng, |batch| !wanted || batch.experiment.is_some())?;
    let old = batch.experiment;
    batch.experiment = *pick(&[None, Some(0), Some(1), Some(2), Some(255)], rng)?;
    Some(format!("{old:?} -> {:?}", batch.experiment))
}

fn end_of_generation(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let ends: Vec<usize> = (0..layout.parts.len())
        .filter(|&at| matches!(layout.parts[at], Part::EndOfGeneration))
        .collect();
    if let (Some(&at), true) = (pick(&ends, rng), rng.bool()) {
        layout.parts.remove(at);
        return Some(format!("{at} removed"));
    }
    let at = rng.usize(..=layout.parts.len());
    layout.parts.insert(at, Part::EndOfGeneration);
    Some(format!("inserted at {at}"))
}

fn change_version(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    let versions: Vec<Version> =
        Version::ALL.into_iter().filter(|version| version.has_generations()).collect();
    let version = *pick(&versions, rng)?;
    layout.header = version.header().to_vec();
    Some(version.to_string())
}

/// Writes numbers longer than needed, which changes nothing.
fn widen_numbers(layout: &mut Layout, rng: &mut Rng) -> Option<String> {
    layout.width = rng.usize(2..=10);
    Some(format!("to {} bytes", layout.width))
}

/// Goes on with another trace's batches from some batch on.
fn splice(layout: &mut Layout, other: &Layout, rng: &mut Rng) -> Option<String> {
    let to = rng.usize(..=layout.parts.len());
    let from = rng.usize(..=other.parts.len());
    let generation = layout.batches().last()?.generation;
    layout.parts.truncate(to);
    layout.parts.extend_from_slice(&other.parts[from..]);
    let what = match rng.u8(..3) {
        0 => "as it is",
        1 => {
            let first = other.batches().next()?.generation;
            for part in &mut layout.parts[to..] {
                if let Part::Batch(batch) = part {
                    batch.generation = batch
                        .generation
                        .wrapping_sub(first)
                        .wrapping_add(generation)
                        .wrapping_add(1);
                }
            }
            "in the next generation"
        }
        _ => {
            for part in &mut layout.parts[to..] {
                if let Part::Batch(batch) = part {
                    batch.generation = generation;
                }
            }
            "in the same generation"
        }
    };
    Some(format!("batch {to} on: {from} on, {what},"))
}

/// Inserts a batch of another trace.
fn foreign_batch(layout: &mut Layout, other: &Layout, rng: &mut Rng) -> Option<String> {
    let batches: Vec<&Batch> = other.batches().collect();
    let mut batch = (*pick(&batches, rng)?).clone();
    let at = rng.usize(..=layout.parts.len());
    if let Some(Part::Batch(before)) = at.checked_sub(1).map(|at| &layout.parts[at]) {
        batch.generation = before.generation;
        if rng.bool() {
            batch.time = before.time;
            batch.thread = before.thread;
        }
    }
    layout.parts.insert(at, Part::Batch(batch));
    Some(format!("at {at}"))
}

/// A value near the old one, or one that readers like to get wrong.
fn other_number(old: u64, rng: &mut Rng) -> u64 {
    match rng.u8(..12) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1),
        2 => old.wrapping_add(rng.u64(..64)).wrapping_sub(32),
        3 => 0,
        4 => rng.u64(..8),
        5 => rng.u64(..300),
        6 => u64::MAX,
        7 => 1 << 63,
        8 => 1 << rng.u32(..64),
        9 => (1 << rng.u32(..64)) - 1,
        10 => old.wrapping_neg(),
        _ => rng.u64(..) >> rng.u32(..64),
    }
}

fn named_args(item: &Item) -> impl Iterator<Item = (&'static str, u64)> {
    let names = item.spec().map_or(&[][..], |spec| spec.args);
    names.iter().copied().zip(item.args.iter().copied())
}

fn pick<'a, T>(of: &'a [T], rng: &mut Rng) -> Option<&'a T> {
    (!of.is_empty()).then(|| &of[rng.usize(..of.len())])
}

fn pick_part(layout: &Layout, rng: &mut Rng) -> Option<usize> {
    (!layout.parts.is_empty()).then(|| rng.usize(..layout.parts.len()))
}

fn pick_batch<'a>(
    layout: &'a mut Layout,
    rng: &mut Rng,
    fits: impl Fn(&Batch) -> bool,
) -> Option<&'a mut Batch> {
    let mut batches: Vec<&mut Batch> = layout.batches_mut().filter(|batch| fits(batch)).collect();
    (!batches.is_empty()).then(|| batches.swap_remove(rng.usize(..batches.len())))
}

/// Picks an event that fits. Half of the time from any batch alike, else from any
/// event alike; tables have more entries than most threads have events.
fn pick_item<'a>(
    layout: &'a mut Layout,
    rng: &mut Rng,
    fits: impl Fn(&Item) -> bool,
) -> Option<&'a mut Item> {
    let mut items: Vec<&mut Item> = if rng.bool() {
        let batch = pick_batch(layout, rng, |batch| batch.items.iter().any(&fits))?;
        batch.items.iter_mut().filter(|item| fits(item)).collect()
    } else {
        layout.batches_mut().flat_map(|batch| &mut batch.items).filter(|item| fits(item)).collect()
    };
    (!items.is_empty()).then(|| items.swap_remove(rng.usize(..items.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_are_always_the_same_and_rarely_whole() {
        let mut bases = crate::recorded(usize::MAX);
        bases.retain(|base| base.name.contains("/empty") || base.name.contains("/timers"));
        let mut whole = 0;
        for number in 0..300 {
            let mutant = mutant(&bases, 1, number);
            let again = super::mutant(&bases, 1, number);
            assert_eq!((&mutant.bytes, &mutant.story), (&again.bytes, &again.story));
            whole += u32::from(bases.iter().any(|base| base.bytes == mutant.bytes));
        }
        assert!(whole < 15, "{whole} of 300 mutants are no mutants");
    }
}
