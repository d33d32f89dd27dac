//! Whatever is built, right or wrong: nothing panics, bytes and archive are the same trace, and
//! its batches are as long as their heads say.

use gotrail_format::batch::{self, Header};
use gotrail_synth::builder::{Arg, NoThread, TestTrace};
use gotrail_synth::{Archive, GoId, ProcId, ThreadId, Version, reading};
use proptest::prelude::*;

/// What is done to a trace.
#[derive(Debug, Clone)]
enum Step {
    Generation(u64),
    Batch(i64, u64),
    Event { batch: usize, dt: Option<u64>, event: usize, args: Vec<u64> },
    Text(String),
    Sample(u64),
    Experiment(u8),
    WithoutTimes,
    WithoutSync,
    WithoutEnd,
    WithoutTables,
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..6u64, 1 => Just(u64::MAX), 1 => any::<u64>()]
}

fn step() -> impl Strategy<Value = Step> {
    let event =
        (0..4usize, prop::option::of(number()), 0..70usize, prop::collection::vec(number(), 4));
    prop_oneof![
        2 => (1..4u64).prop_map(Step::Generation),
        4 => (-1..4i64, number()).prop_map(|(thread, time)| Step::Batch(thread, time)),
        30 => event.prop_map(|(batch, dt, event, args)| Step::Event { batch, dt, event, args }),
        2 => ".{0,5}".prop_map(Step::Text),
        1 => number().prop_map(Step::Sample),
        1 => (0..3u8).prop_map(Step::Experiment),
        1 => prop_oneof![
            Just(Step::WithoutTimes),
            Just(Step::WithoutSync),
            Just(Step::WithoutEnd),
            Just(Step::WithoutTables)
        ],
    ]
}

fn build(version: Version, steps: &[Step]) -> TestTrace {
    let specs: Vec<_> = gotrail_format::event::all()
        .filter(|spec| spec.is_timed() && spec.event.0 < 128 && spec.since <= version)
        .collect();
    let trace = TestTrace::new(version);
    let mut generation = trace.generation(1);
    let mut batches = vec![generation.batch(ThreadId(1), 1)];
    for step in steps {
        match step {
            Step::Generation(number) => {
                generation = trace.generation(*number);
                batches = vec![generation.batch(ThreadId(1), 1)];
            }
            Step::Batch(thread, time) => batches.push(generation.batch(ThreadId(*thread), *time)),
            Step::Event { batch, dt, event, args } => {
                let spec = specs[event % specs.len()];
                let args: Vec<_> =
                    args[..spec.args.len() - 1].iter().map(|&number| Arg::Raw(number)).collect();
                let batch = batches[batch % batches.len()];
                match dt {
                    Some(dt) => batch.event_after(*dt, spec.name, args),
                    None => batch.event(spec.name, args),
                };
            }
            Step::Text(text) => {
                generation.string(text);
            }
            Step::Sample(time) => {
                generation.cpu_sample(*time, ThreadId(1), ProcId(0), GoId(1), &[])
            }
            Step::Experiment(number) if version >= Version::Go123 => {
                generation.experimental_batch(*number, NoThread, 3, b"\x01");
            }
            Step::Experiment(_) => {}
            Step::WithoutTimes => trace.disable_timestamps(),
            Step::WithoutSync => generation.without_sync(),
            Step::WithoutEnd => generation.without_end(),
            Step::WithoutTables => generation.without_tables(),
        }
    }
    trace
}

proptest! {
    #[test]
    fn every_trace_can_be_written_and_read(
        version in prop::sample::select(vec![
            Version::Go122, Version::Go123, Version::Go125, Version::Go126,
        ]),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let trace = build(version, &steps);
        let bytes = trace.to_bytes().unwrap();
        let text = trace.to_archive().unwrap().to_text().unwrap();
        prop_assert_eq!(&Archive::parse(&text).unwrap().bytes().unwrap(), &bytes);
        // Whatever the verdict is, it is one.
        reading::of(&bytes);
        // Each batch ends where the next one begins.
        let mut at = 16;
        while at < bytes.len() {
            let (header, len) = batch::read_header(&bytes[at..]).unwrap();
            at += len + if let Header::Batch(batch) = header { batch.size } else { 0 };
        }
        prop_assert_eq!(at, bytes.len());
    }
}
