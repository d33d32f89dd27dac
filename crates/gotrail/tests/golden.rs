//! Recorded traces of every Go version, read in every way: always the events of Go's own reader.

mod common;

use common::{
    Golden, Outcome, collect, drain, generation, golden_named, goldens, hash, read, resumed,
    streamed, strict,
};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use gotrail::format::footprint::Footprint;
use gotrail::format::raw::{Accept, RawReader};
use gotrail::format::text;
use gotrail::{Compression, Details, Mode, Reader, Trace};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[track_caller]
fn assert_golden(golden: &Golden, outcome: &Outcome, way: &str) {
    let what = format!("{} {way}", golden.name);
    assert_eq!(outcome.error.is_none(), golden.ok, "{what}: {:?}", outcome.error);
    assert_eq!(outcome.events.len(), golden.events, "{what}: number of events");
    assert_eq!(outcome.hash(), golden.parsed, "{what}: text of the events");
    common::assert_rising(outcome, &what);
}

#[test]
fn wall_clocks_are_printed_in_the_zone_of_the_golden_files() {
    // Cargo sets it, see .cargo/config.toml.
    assert_eq!(std::env::var("TZ").as_deref(), Ok("UTC"));
}

#[test]
fn every_trace_mapped() {
    for golden in goldens() {
        let trace = Trace::open(&golden.path()).unwrap();
        assert_eq!(trace.compression(), Compression::None);
        assert_golden(&golden, &read(trace.reader(Mode::Strict)), "mapped");
    }
}

#[test]
fn every_trace_from_memory() {
    for golden in goldens() {
        assert_golden(&golden, &strict(&golden.bytes), "from memory");
        let trace = Trace::from_bytes(golden.bytes.clone()).unwrap();
        assert_golden(&golden, &read(trace.reader(Mode::Strict)), "from owned memory");
    }
}

#[test]
fn every_trace_streamed_in_chunks_of_any_size() {
    for golden in goldens() {
        for chunk in [7, 4093, usize::MAX] {
            assert_golden(&golden, &streamed(&golden.bytes, chunk), &format!("in {chunk}s"));
        }
    }
}

#[test]
fn small_traces_streamed_byte_by_byte() {
    for golden in common::small_goldens(8 << 10) {
        assert_golden(&golden, &streamed(&golden.bytes, 1), "byte by byte");
    }
}

#[test]
fn every_trace_counted_without_looking_at_events() {
    for golden in goldens() {
        let mut reader = Reader::from_slice(&golden.bytes, Mode::Strict).unwrap();
        let result = reader.drain();
        assert_eq!(result.is_ok(), golden.ok, "{}", golden.name);
        assert_eq!(reader.events_delivered(), golden.events as u64, "{}", golden.name);
        assert!(reader.report().is_complete());
    }
}

#[test]
fn counting_can_take_over_anywhere() {
    for golden in common::small_goldens(4 << 10) {
        for looked_at in 0..golden.events {
            let mut reader = Reader::from_slice(&golden.bytes, Mode::Strict).unwrap();
            for _ in 0..looked_at {
                assert!(reader.next_event().unwrap().is_some());
            }
            let rest = (golden.events - looked_at) as u64;
            match reader.drain() {
                Ok(counted) => assert_eq!((counted, golden.ok), (rest, true), "{}", golden.name),
                Err(_) => assert!(!golden.ok, "{}", golden.name),
            }
            assert_eq!(reader.events_delivered(), golden.events as u64);
        }
    }
}

#[test]
fn every_trace_by_a_tolerant_reader() {
    for golden in goldens().into_iter().filter(|golden| golden.ok) {
        let (outcome, report) = common::tolerant(&golden.bytes);
        assert_golden(&golden, &outcome, "tolerant");
        assert!(report.is_complete() && report.misuses.is_empty(), "{}: {report:?}", golden.name);
        assert_eq!(report.bytes_lost(), 0);
    }
}

#[test]
fn every_generation_from_its_checkpoint_the_last_one_first() {
    for golden in goldens().into_iter().filter(|golden| golden.ok) {
        let trace = Trace::open(&golden.path()).unwrap();
        let mut outcome = resumed(&trace);
        // The sync at the end belongs to no generation.
        let last = read(trace.reader(Mode::Strict)).events.pop().unwrap();
        outcome.events.push(last);
        assert_golden(&golden, &outcome, "resumed");
    }
}

#[test]
fn parts_of_generations_on_several_threads_at_once() {
    let mut within = 0;
    for golden in goldens().into_iter().filter(|golden| golden.ok) {
        let trace = Trace::open(&golden.path()).unwrap();
        let checkpoints = trace.checkpoints_every(50).unwrap();
        within += checkpoints.len() - trace.generations().len();
        let parts = trace.for_each_part(&checkpoints, 4, |events| Ok(collect(events))).unwrap();
        let events: Vec<_> = parts.into_iter().flat_map(|part| part.events).collect();
        let full = strict(&golden.bytes);
        assert_eq!(events, full.events[..full.events.len() - 1], "{}", golden.name);
    }
    assert!(within > 1000, "{within} checkpoints lay within generations");
}

#[test]
fn the_first_error_of_all_parts_is_returned_and_no_part_behind_it_begun() {
    let golden = golden_named("go1.26/generations.trace");
    let trace = Trace::open(&golden.path()).unwrap();
    let checkpoints = trace.checkpoints_every(1).unwrap();
    let full = strict(&golden.bytes);
    let first = |at: usize| &full.events[checkpoints[at].events() as usize];
    let (early, late) = (checkpoints.len() / 4, checkpoints.len() / 2);
    for threads in [1, 2, 8] {
        let begun = AtomicUsize::new(0);
        let late_failed = AtomicBool::new(false);
        let result = trace.for_each_part(&checkpoints, threads, |events| {
            begun.fetch_add(1, Ordering::Relaxed);
            let from = &collect(events).events[0];
            if from == first(early) {
                // With several threads the later one is the first to fail.
                while threads > 1 && !late_failed.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                return Err(Trace::from_bytes(Vec::new()).err().unwrap());
            }
            if from == first(late) {
                late_failed.store(true, Ordering::Relaxed);
                return Err(Trace::from_bytes(vec![b'x'; 16]).err().unwrap());
            }
            Ok(())
        });
        let error = result.unwrap_err().to_string();
        assert_eq!(error, Trace::from_bytes(Vec::new()).err().unwrap().to_string());
        assert!(threads > 1 || begun.into_inner() == early + 1, "parts were begun behind an error");
    }
}

#[test]
#[should_panic(expected = "a checkpoint within another generation")]
fn a_checkpoint_within_another_generation_is_refused() {
    let trace = Trace::open(&golden_named("go1.26/generations.trace").path()).unwrap();
    let checkpoints = trace.checkpoints_every(1).unwrap();
    let _ = trace.generation(0).unwrap().events(checkpoints.last().unwrap());
}

#[test]
fn a_chain_of_checkpoints_made_by_the_generations_themselves() {
    for golden in goldens().into_iter().filter(|golden| golden.ok) {
        let trace = Trace::open(&golden.path()).unwrap();
        let mut checkpoint = trace.checkpoints().unwrap().swap_remove(0);
        let mut events = Vec::new();
        for index in 0..trace.generations().len() {
            events.extend(generation(&trace, index, &checkpoint).events);
            let generation = trace.generation(index).unwrap();
            let mut pass = generation.events(&checkpoint);
            assert!(pass.by_ref().all(|event| event.is_ok()));
            let after = pass.into_checkpoint().expect("a complete generation");
            checkpoint = after;
        }
        assert_eq!(events.len() + 1, golden.events, "{}", golden.name);
        let full = strict(&golden.bytes);
        assert_eq!(events, full.events[..events.len()], "{}", golden.name);
    }
}

#[test]
fn generations_are_listed_without_ordering() {
    for golden in goldens() {
        let trace = Trace::open(&golden.path()).unwrap();
        let list = trace.generations();
        if golden.is_old() && !golden.ok {
            // An old trace is read whole, or not at all.
            assert!(list.is_empty(), "{}", golden.name);
            continue;
        }
        assert!(!list.is_empty(), "{}", golden.name);
        assert_eq!(list[0].bytes.start, 16);
        let mut end = 16;
        for (index, info) in list.iter().enumerate() {
            // From 1.26 on a byte that ends the generation lies between.
            let gap = u64::from(index > 0 && trace.version() >= gotrail::Version::Go126);
            assert_eq!(info.bytes.start, end + gap, "{} generation {index}", golden.name);
            end = info.bytes.end;
            let generation = trace.generation(index).unwrap();
            assert_eq!(generation.number(), info.number);
            assert_eq!(generation.byte_range(), info.bytes);
            assert_eq!(generation.batch_count(), info.batches);
            assert_eq!(generation.start(), info.start);
            assert!(generation.threads().eq(info.threads.iter().copied()));
            assert!(info.start <= info.end);
        }
        assert!(golden.bytes.len() as u64 - end <= 1, "{}", golden.name);
    }
}

#[test]
fn listed_times_are_those_of_the_events() {
    for golden in goldens().into_iter().filter(|golden| golden.ok) {
        let trace = Trace::open(&golden.path()).unwrap();
        let checkpoints = trace.checkpoints().unwrap();
        for (index, info) in trace.generations().iter().enumerate() {
            let last = generation(&trace, index, &checkpoints[index]).times.pop().unwrap();
            // Equal times are pulled apart, and CPU samples are not listed.
            assert!(info.end.0 <= last, "{}: {} then {last}", golden.name, info.end);
            assert!(last - info.end.0 < 100_000_000, "{}: {} then {last}", golden.name, info.end);
        }
    }
}

#[test]
fn three_traces_word_for_word() {
    for name in ["go1.22/empty", "go1.25/annotations", "go1.27/coroutines"] {
        let parsed = std::fs::read(common::traces().join(format!("{name}.parsed.txt"))).unwrap();
        let trace = std::fs::read(common::traces().join(format!("{name}.trace"))).unwrap();
        let (ours, theirs) = (strict(&trace).text(), String::from_utf8_lossy(&parsed));
        for (number, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
            assert_eq!(ours, theirs, "{name} line {}", number + 1);
        }
        assert_eq!(ours.len(), parsed.len(), "{name}");
    }
}

fn compressed(bytes: &[u8]) -> [(Compression, Vec<u8>); 2] {
    let mut gzip = GzEncoder::new(Vec::new(), Level::fast());
    gzip.write_all(bytes).unwrap();
    [
        (Compression::Gzip, gzip.finish().unwrap()),
        (Compression::Zstd, zstd::encode_all(bytes, 1).unwrap()),
    ]
}

#[test]
fn compressed_copies_are_recognised_by_content() {
    for golden in common::small_goldens(12 << 10) {
        for (compression, copy) in compressed(&golden.bytes) {
            let way = format!("as {compression:?}");
            let trace = Trace::from_bytes(copy.clone()).unwrap();
            assert_eq!(trace.compression(), compression);
            assert_eq!(trace.bytes(), golden.bytes);
            assert_golden(&golden, &read(trace.reader(Mode::Strict)), &way);
            let chunks = common::Chunks { bytes: &copy, chunk: 101 };
            let mut reader = Reader::from_read(chunks, Mode::Strict).unwrap();
            assert_eq!(reader.compression(), compression);
            assert_golden(&golden, &drain(&mut reader), &way);
        }
    }
}

#[test]
fn compressed_files_are_opened_like_others() {
    let golden = common::golden_named("go1.27/coroutines.trace");
    for (compression, copy) in compressed(&golden.bytes) {
        let name = format!("gotrail-golden-{compression:?}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, &copy).unwrap();
        let trace = Trace::open(&path);
        std::fs::remove_file(&path).unwrap();
        let trace = trace.unwrap();
        assert_eq!(trace.compression(), compression);
        assert_golden(&golden, &read(trace.reader(Mode::Strict)), "compressed file");
    }
}

#[test]
fn what_was_released_comes_back() {
    let golden = common::golden_named("go1.27/generations.trace");
    let path = std::env::temp_dir().join(format!("gotrail-released-{}", std::process::id()));
    std::fs::write(&path, &golden.bytes).unwrap();
    let mapped = Trace::open(&path);
    std::fs::remove_file(&path).unwrap();
    let owned = Trace::from_bytes(golden.bytes.clone()).unwrap();
    for trace in [mapped.unwrap(), owned] {
        assert_golden(&golden, &read(trace.reader(Mode::Strict)), "before");
        // Beyond the end, empty and the wrong way round, too.
        for (from, to) in [(0, u64::MAX), (5000, 5001), (4096, 8192), (7, 7), (9, 3), (u64::MAX, 0)]
        {
            trace.release(from..to);
            assert!(trace.bytes() == golden.bytes, "{from} to {to}");
        }
        trace.release(0..u64::MAX);
        assert_golden(&golden, &read(trace.reader(Mode::Strict)), "afterwards");
    }
}

#[test]
fn a_compressed_trace_that_is_cut_off_is_an_error_and_not_the_end() {
    let golden = common::golden_named("go1.27/generations.trace");
    for (compression, copy) in compressed(&golden.bytes) {
        let outcome = read(Reader::from_read(&copy[..copy.len() * 3 / 4], Mode::Strict));
        let error = outcome.error.unwrap_or_else(|| panic!("{compression:?}: no error"));
        assert_eq!(error.cause(), gotrail::Cause::CutOff, "{compression:?}: {error}");
    }
}

#[test]
fn the_wire_form_of_every_trace() {
    for golden in common::goldens_with_generations() {
        let mut reader = RawReader::new(&golden.bytes).unwrap();
        let (mut out, mut count) = (Vec::new(), 0);
        let ok = loop {
            match reader.next() {
                Ok(Some(event)) => {
                    text::write_event(&mut out, &event, text::Mode::Plain);
                    count += 1;
                }
                Ok(None) => break true,
                Err(error) => break error.is_end_for_reference(),
            }
        };
        let expected = (golden.wire_events, golden.wire_ok, golden.wire);
        assert_eq!((count, ok, hash([&out[..]])), expected, "{}", golden.name);
    }
}

#[test]
fn the_footprint_of_every_trace() {
    for golden in goldens().into_iter().filter(|golden| golden.wire_ok) {
        let mut reader = RawReader::new(&golden.bytes).unwrap();
        let mut footprint = Footprint::new(reader.version());
        while let Some(event) = reader.next().unwrap() {
            footprint.add(&event);
        }
        let mut table = Vec::new();
        footprint.write_table(&mut table, golden.bytes.len() as u64);
        assert_eq!(hash([&table[..]]), golden.footprint, "{}", golden.name);
    }
}

#[test]
fn to_text_and_back_is_the_same_trace() {
    for golden in common::goldens_with_generations() {
        let text = text::from_bytes(&golden.bytes, Accept::All, text::Mode::Exact).unwrap();
        let bytes = text::to_bytes_with(&text, Accept::All).unwrap();
        assert!(bytes == golden.bytes, "{}", golden.name);
        assert_golden(&golden, &strict(&bytes), "written anew");
    }
}

#[test]
fn wall_clocks_rise_and_are_there_from_1_25_on() {
    for golden in goldens() {
        let trace = Trace::open(&golden.path()).unwrap();
        let with_clock = trace.version() >= gotrail::Version::Go125;
        let mut reader = trace.reader(Mode::Strict).unwrap();
        let mut before = 0;
        let mut snapshots = 0;
        while let Ok(Some(event)) = reader.next_event() {
            if event.generation().is_some() {
                assert_eq!(event.wall_clock().is_some(), with_clock, "{}", golden.name);
            }
            if let Details::Sync(sync) = event.details()
                && let Some(clock) = sync.clock
            {
                let wall =
                    i128::from(clock.wall_seconds) * 1_000_000_000 + i128::from(clock.wall_nanos);
                assert_eq!(clock.wall_at(clock.trace), wall, "{}", golden.name);
                assert!(wall > before, "{}", golden.name);
                before = wall;
                snapshots += 1;
            }
        }
        let generations = if with_clock { trace.generations().len() } else { 0 };
        assert_eq!(snapshots, generations, "{}", golden.name);
    }
}
