//! Checkpoints within generations take less memory than the events that they lie between.

use gotrail::Trace;
use gotrail_checks::memory::{Counting, peak};
use gotrail_synth::sim::{Config, Profile, Simulation};

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn many_goroutines_and_tasks_keep_checkpoints_apart() {
    for (profile, goroutines) in [(Profile::Mixed, 50_000), (Profile::Web, 20_000)] {
        let config =
            Config { profile, goroutines, events: 400_000, generations: 2, ..Config::default() };
        let mut bytes = Vec::new();
        Simulation::new(config).unwrap().write(&mut bytes).unwrap();
        let size = bytes.len();
        let trace = Trace::from_bytes(bytes).unwrap();
        // Beyond what reading needs anyway.
        let (generations, reading) = peak(|| trace.checkpoints().unwrap());
        drop(generations);
        let (checkpoints, memory) = peak(|| trace.checkpoints_every(500).unwrap());
        let (count, more) = (checkpoints.len(), memory.saturating_sub(reading));
        assert!(more < size, "{profile:?}: {count} checkpoints take {more} of {size} bytes");
        assert!(count > 3, "{profile:?}: {count} checkpoints of {} events", trace_events(&trace));
    }
}

fn trace_events(trace: &Trace) -> u64 {
    trace.reader(gotrail::Mode::Strict).unwrap().drain().unwrap()
}
