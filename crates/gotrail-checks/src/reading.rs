//! All ways to read a trace agree, whatever its bytes are.

use crate::memory;
use crate::outcome::{Outcome, Trickle, collect, drain, generation, read, shown, strict};
use gotrail::deep::Checker;
use gotrail::{
    Details, Event, GoId, GoState, GoTransition, Kind, Mode, ProcId, ProcState, ProcTransition,
    RangeName, Reader, Scope, Trace,
};
use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;

/// Memory may be this many times the input: an event of two bytes becomes a few words when it is
/// decoded, and a goroutine, proc or thread that it names a state.
pub const TIMES_INPUT: usize = 64;

/// Memory that a reader may use for any input, for its buffers and first tables.
pub const AT_LEAST: usize = 8 << 20;

/// A strict reader: no panic, times that rise strictly, bounded memory; counted or shown, events
/// are the same.
pub fn reader(bytes: &[u8]) {
    let outcome = strict(bytes);
    outcome.assert_rising("strict");
    let counted = within_limit(bytes, || count(Reader::from_slice(bytes, Mode::Strict)));
    assert_eq!(counted, (outcome.events.len() as u64, outcome.message()), "counted");
    if let Ok(mut reader) = Reader::from_slice(bytes, Mode::Strict) {
        shown(&mut reader, 1 + bytes.len() % 50).assert_same(&outcome, "shown");
    }
}

/// Does the work, which may not take more memory than these bytes of input allow.
fn within_limit<T>(bytes: &[u8], work: impl FnOnce() -> T) -> T {
    let limit = bytes.len() * TIMES_INPUT + AT_LEAST;
    let (value, memory) = memory::peak(work);
    assert!(memory <= limit, "{memory} bytes of memory for {} bytes of input", bytes.len());
    value
}

/// How many events there are, and the error's message.
fn count(reader: Result<Reader<'_>, gotrail::Error>) -> (u64, Option<String>) {
    match reader {
        Ok(mut reader) => {
            let error = reader.drain().err();
            (reader.events_delivered(), error.map(|error| error.to_string()))
        }
        Err(error) => (0, Some(error.to_string())),
    }
}

/// A tolerant reader against a strict one:
///
/// - both refuse the same headers; after that the tolerant one has no errors;
/// - where the strict one fails, the tolerant one reports a loss or a misuse;
/// - where the tolerant one reports nothing, the strict one does not fail and gives the same;
/// - up to the last generation that the strict one begins, both give the same;
/// - losses lie in the trace, and do not lose more bytes than they span;
/// - times rise strictly, and memory is bounded.
pub fn tolerant(bytes: &[u8]) {
    let full = strict(bytes);
    let mut reader = match Reader::from_slice(bytes, Mode::Tolerant) {
        Ok(reader) => reader,
        Err(error) => return assert_eq!(Some(error.to_string()), full.message(), "header"),
    };
    let outcome = drain(&mut reader);
    let report = reader.report();
    assert!(outcome.error.is_none(), "a tolerant reader fails: {:?}", outcome.error);
    let misuse = report.misuse_count() > 0;
    if let Some(message) = full.message() {
        assert!(misuse || !report.is_complete(), "{message}: nothing reported");
    } else if report.is_complete() {
        assert!(!misuse, "{report:?}");
        outcome.assert_same(&full, "tolerant");
    }
    let certain = full.generations.last().map_or(0, |&last| last);
    let (ours, theirs) = (outcome.events.iter(), full.events[..certain].iter());
    if let Some(at) = ours.zip(theirs).position(|(a, b)| a != b) {
        panic!("tolerant: event {at} of an earlier generation differs: {report:?}");
    }
    assert!(outcome.events.len() >= certain, "tolerant: an earlier generation is missing");
    for loss in &report.losses {
        assert!(loss.bytes.start <= loss.bytes.end, "{loss:?}");
        assert!(loss.bytes.end <= bytes.len() as u64, "{loss:?}");
        assert!(loss.bytes_lost <= loss.bytes.end - loss.bytes.start, "{loss:?}");
    }
    // A damaged frequency can make times wrap around.
    if outcome.times.iter().all(|&time| (0..1 << 62).contains(&time)) {
        outcome.assert_rising("tolerant");
    }
    let counted = within_limit(bytes, || count(Reader::from_slice(bytes, Mode::Tolerant)));
    assert_eq!(counted, (outcome.events.len() as u64, None), "tolerant, counted");
    if let Ok(mut reader) = Reader::from_slice(bytes, Mode::Tolerant) {
        shown(&mut reader, 1 + bytes.len() % 7).assert_same(&outcome, "tolerant, shown");
        assert_eq!(format!("{:?}", reader.report()), format!("{report:?}"), "report, shown");
    }
}

/// A stream that trickles, and a compressed one, give what a slice gives (which is what a mapped
/// file is); tolerantly too. A stream's memory is bounded like a slice's.
pub fn streamed(bytes: &[u8]) {
    let full = strict(bytes);
    let most = 1 + bytes.len() % 97;
    let trickle = |bytes| Trickle { bytes, most, count: 0 };
    let compressed = gotrail::Compression::of(bytes) != gotrail::Compression::None;
    // A stream is decompressed, a slice is not.
    if !compressed {
        read(Reader::from_read(trickle(bytes), Mode::Strict)).assert_same(&full, "streamed");
        let slice = read(Reader::from_slice(bytes, Mode::Tolerant));
        let stream = read(Reader::from_read(trickle(bytes), Mode::Tolerant));
        stream.assert_same(&slice, "streamed, tolerant");
        let counted =
            within_limit(bytes, || count(Reader::from_read(trickle(bytes), Mode::Strict)));
        assert_eq!(counted, (full.events.len() as u64, full.message()), "streamed, counted");
    } else {
        let _ = read(Reader::from_read(trickle(bytes), Mode::Strict));
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).expect("to memory");
    let gzip = gzip.finish().expect("to memory");
    read(Reader::from_read(trickle(&gzip), Mode::Strict)).assert_same(&full, "gzip");
    let zstd = zstd::encode_all(bytes, 1).expect("to memory");
    read(Reader::from_read(trickle(&zstd), Mode::Strict)).assert_same(&full, "zstd");
    match Trace::from_bytes(zstd) {
        Ok(trace) => {
            assert_eq!(trace.bytes(), bytes, "decompressed");
            read(trace.reader(Mode::Strict)).assert_same(&full, "a trace in memory");
        }
        Err(error) => assert_eq!(Some(error.to_string()), full.message(), "a trace in memory"),
    }
}

/// Generations lie one behind the other. Each alone, from the checkpoint before it, gives what the full pass gives; and the
/// checkpoint behind it leads on.
pub fn checkpoints(bytes: &[u8]) {
    let full = strict(bytes);
    if gotrail::Compression::of(bytes) != gotrail::Compression::None {
        return;
    }
    let Ok(trace) = Trace::from_bytes(bytes.to_vec()) else {
        return assert!(full.error.is_some());
    };
    let Ok(checkpoints) = trace.checkpoints() else {
        return assert!(full.error.is_some());
    };
    assert!(full.error.is_none(), "checkpoints of a broken trace");
    let list = trace.generations();
    assert!(checkpoints.len() <= list.len());
    for pair in list.windows(2) {
        assert!(pair[0].bytes.start < pair[0].bytes.end, "{pair:?}");
        assert!(pair[0].bytes.end <= pair[1].bytes.start, "{pair:?}");
    }
    assert!(list.last().is_none_or(|last| last.bytes.end <= bytes.len() as u64), "{list:?}");
    let mut at = 0;
    for (index, checkpoint) in checkpoints.iter().enumerate().rev() {
        let part = generation(&trace, index, checkpoint);
        assert!(part.error.is_none(), "generation {index}: {:?}", part.error);
        let from = full.generations[index];
        let to = full.generations.get(index + 1).copied().unwrap_or(full.events.len() - 1);
        assert!(part.events == full.events[from..to], "generation {index}: {}", part.text());
        at += part.events.len();
        let loaded = trace.generation(index).expect("it was read before");
        let mut count = 0;
        let mut events = loaded.events(checkpoint);
        let flow = events.for_each_event(|_| {
            count += 1;
            ControlFlow::<()>::Continue(())
        });
        assert!(flow.is_ok() && count == part.events.len(), "generation {index}: shown");
        let behind = events.into_checkpoint().expect("all events were shown");
        if index + 1 < checkpoints.len() {
            let next = generation(&trace, index + 1, &behind);
            let from = full.generations[index + 1];
            let events = &full.events[from..from + next.events.len()];
            assert!(next.error.is_none() && next.events == events, "behind generation {index}");
        }
    }
    assert_eq!(at + 1, full.events.len(), "events of all generations");
    for every in [0, 40] {
        parts(&trace, &full, every);
    }
}

/// The events between checkpoints, one after the other, are those of the full pass, whether they
/// are taken one by one or shown.
fn parts(trace: &Trace, full: &Outcome, every: u64) {
    let checkpoints = trace.checkpoints_every(every).expect("the trace is whole");
    let ends = checkpoints.iter().skip(1).map(gotrail::Checkpoint::events);
    let ends = ends.chain([full.events.len() as u64 - 1]);
    let read = trace.for_each_part(&checkpoints, 2, |events| Ok(collect(events)));
    let shown = trace.for_each_part(&checkpoints, 3, |mut events| {
        let mut outcome = Outcome::default();
        let _ = events.for_each_event(|event| {
            outcome.add(event);
            ControlFlow::<()>::Continue(())
        })?;
        assert!(events.next().is_none(), "an event behind the part");
        Ok(outcome)
    });
    let (read, shown) = (read.expect("the trace is whole"), shown.expect("the trace is whole"));
    assert_eq!((read.len(), shown.len()), (checkpoints.len(), checkpoints.len()));
    for (((from, end), read), shown) in checkpoints.iter().zip(ends).zip(&read).zip(&shown) {
        let start = from.events() as usize;
        let events = &full.events[start..end as usize];
        assert!(read.error.is_none() && read.events == events, "from event {start}");
        assert!(shown.events == events, "shown from event {start}");
        let generation = full.generations.partition_point(|&first| first <= start);
        let within = full.generations.binary_search(&start).is_err();
        assert_eq!(from.generation() + usize::from(within), generation - usize::from(!within));
    }
}

/// Many threads count what one counts, with the same error.
pub fn threads(bytes: &[u8]) {
    many_threads(bytes, &[1, 2, 8]);
}

/// The same with two threads alone, which is quicker: speculation is the same on two.
pub fn speculation(bytes: &[u8]) {
    many_threads(bytes, &[2]);
}

fn many_threads(bytes: &[u8], numbers: &[usize]) {
    let one = count(Reader::from_slice(bytes, Mode::Strict));
    for &threads in numbers {
        let Ok(mut reader) = Reader::from_slice(bytes, Mode::Strict) else { return };
        let error = reader.drain_parallel(threads, |_| {}).err();
        let many = (reader.events_delivered(), error.map(|error| error.to_string()));
        assert_eq!(many, one, "{threads} threads");
    }
}

/// The deep check takes whatever a reader delivers.
pub fn deep(bytes: &[u8]) {
    for mode in [Mode::Strict, Mode::Tolerant] {
        let Ok(mut reader) = Reader::from_slice(bytes, mode) else { return };
        let mut checker = Checker::new();
        let mut summary = gotrail::summary::Summary::new();
        while let Ok(Some(event)) = reader.next_event() {
            for finding in checker.event(&event) {
                assert!(!finding.to_string().is_empty());
            }
            summary.event(&event);
        }
    }
}

/// What a tolerant reader makes of a broken trace before Go 1.22 agrees with itself: every change
/// begins with the state that the last one led to, a proc runs one goroutine at a time, and what
/// ends has begun. Whole traces are told as the reference tells them.
pub fn mended(bytes: &[u8]) {
    let Ok(mut reader) = Reader::from_slice(bytes, Mode::Tolerant) else { return };
    if reader.version().has_generations() {
        return;
    }
    let mut checker = States::default();
    let mut problem = None;
    let mut number = 0;
    while let Ok(Some(event)) = reader.next_event() {
        number += 1;
        if let (Err(found), None) = (checker.event(&event), &problem) {
            problem = Some(format!("event {number} at {}: {found}", event.time()));
        }
    }
    let report = reader.report();
    if let (Some(problem), true) = (problem, report.assumed + report.dropped > 0) {
        panic!("{problem}: {report:?}");
    }
}

/// What goroutines and procs do, and which ranges are open.
#[derive(Default)]
struct States {
    goroutines: HashMap<GoId, GoState>,
    procs: HashMap<ProcId, (ProcState, Option<GoId>)>,
    /// By scope, and whether it is an assist.
    ranges: HashMap<(Scope, bool), usize>,
}

impl States {
    fn event(&mut self, event: &Event<'_>) -> Result<(), String> {
        let on = event.proc();
        match event.details() {
            Details::Goroutine(change) => {
                let GoTransition { go, from, to, .. } = change;
                let known = self.goroutines.get(&go).copied();
                let agrees = match from {
                    GoState::Undetermined => true,
                    GoState::NotExist => known.is_none(),
                    from => known == Some(from),
                };
                if !agrees {
                    return Err(format!("goroutine {go} is {known:?}, not {from}"));
                }
                if to == GoState::NotExist {
                    self.goroutines.remove(&go);
                } else {
                    self.goroutines.insert(go, to);
                }
                for (_, runs) in self.procs.values_mut() {
                    if *runs == Some(go) {
                        *runs = None;
                    }
                }
                if to == GoState::Running {
                    let Some((state, runs)) = self.procs.get_mut(&on) else {
                        return Err(format!("goroutine {go} runs on the unknown proc {on}"));
                    };
                    if *state != ProcState::Running || runs.is_some() {
                        return Err(format!("goroutine {go} runs on {on}, {state}, with {runs:?}"));
                    }
                    *runs = Some(go);
                }
            }
            Details::Proc(change) => {
                let ProcTransition { proc, from, to } = change;
                let known = self.procs.get(&proc).map(|known| known.0);
                if from != ProcState::Undetermined && known != Some(from) {
                    return Err(format!("proc {proc} is {known:?}, not {from}"));
                }
                let runs = self.procs.insert(proc, (to, None)).and_then(|known| known.1);
                if let Some(go) = runs {
                    return Err(format!("proc {proc} becomes {to} and runs {go}"));
                }
            }
            Details::Range(range) if event.kind() != Kind::RangeActive => {
                // Assists may have begun before the trace; whether they did is not known.
                let assists = range.name == RangeName::GcMarkAssist;
                let open = self.ranges.entry((range.scope, assists)).or_default();
                if event.kind() == Kind::RangeBegin {
                    *open += 1;
                } else if *open > 0 {
                    *open -= 1;
                } else if !assists {
                    return Err(format!("range {} ends and has not begun", range.name));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn recorded_traces_pass() {
        for base in crate::recorded(4 << 10) {
            crate::all(&base.bytes);
        }
    }
}
