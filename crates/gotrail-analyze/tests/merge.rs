//! Generations analysed apart and merged come to what one pass comes to.

use gotrail::{Event, Fold, Generation, Mode, Trace};
use gotrail_analyze::mmu::Flags;
use gotrail_analyze::{Analysis, Options, StackId, StrId, Sums, Times};
use gotrail_synth::builder::{GoStatus, NoStack, NoThread, ProcStatus, Seq, TestTrace};
use gotrail_synth::sim::{Config, GoRelease, Profile, Simulation};
use gotrail_synth::{GoId, ProcId, ThreadId, Version};
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt::Write;

fn analyse(trace: &Trace, threads: usize) -> Analysis {
    let mut analysis = Analysis::new(Options { regions: true, procs: true, ..Options::default() });
    let mut reader = trace.reader(Mode::Strict).unwrap();
    reader.fold_parallel(threads, &mut analysis, |_| {}).unwrap();
    analysis.finish();
    analysis
}

/// All that an analysis says, as text without the numbers of names, which depend on the order in
/// which they were met.
fn describe(analysis: &Analysis) -> String {
    let names = &analysis.names;
    let name = |id: StrId| names.string(id).to_string();
    let stack = |id: StackId| {
        let frames =
            names.stack(id).map(|frame| format!("{}:{}", name(frame.function), frame.line));
        frames.collect::<Vec<_>>().join("<")
    };
    let sums = |sums: &Sums| {
        let mut list: Vec<_> = sums.iter().map(|(id, nanos)| (name(id), nanos)).collect();
        list.sort();
        format!("{list:?}")
    };
    let times = |times: &Times| {
        let Times { running, runnable, syscall, syscall_blocked, total, .. } = times;
        let (blocked, ranges) = (sums(&times.blocked), sums(&times.ranges));
        format!("{running} {runnable} {syscall} {syscall_blocked} {total} {blocked} {ranges}")
    };
    let mut out = String::new();
    let mut goroutines: Vec<_> = analysis.goroutines.iter().collect();
    goroutines.sort_by_key(|goroutine| goroutine.id);
    for go in goroutines {
        writeln!(
            out,
            "goroutine {} {} {} {} {} by {} at {} {:?} since {} {} runs {} short {} {}",
            go.id,
            name(go.name),
            go.created,
            go.started,
            go.ended,
            go.creator,
            stack(go.created_by),
            go.state,
            go.since,
            name(go.reason),
            go.runs,
            go.short_runs,
            times(&go.times),
        )
        .unwrap();
    }
    // Of each goroutine in order: how those of several mix is not said.
    let mut regions: Vec<_> = analysis.goroutines.regions().iter().collect();
    regions.sort_by_key(|region| (region.go, region.end, region.start, region.task));
    for region in regions {
        let (go, task, start, end) = (region.go, region.task, region.start, region.end);
        let (kind, times) = (name(region.name), times(&region.times));
        writeln!(out, "region {go} {task} {kind} {start:?} {end:?} {times}").unwrap();
    }
    let mut tasks: Vec<_> = analysis.goroutines.tasks.iter().collect();
    tasks.sort_by_key(|task| task.0);
    for (id, task) in tasks {
        let mut goroutines: Vec<_> = task.goroutines.iter().collect();
        goroutines.sort();
        writeln!(
            out,
            "task {id} {} {:?} {:?} {:?} {:?} {} {} {goroutines:?}",
            name(task.name),
            task.parent,
            task.start,
            task.end,
            task.creator,
            task.logs,
            task.regions
        )
        .unwrap();
    }
    let mut waits: Vec<_> = analysis
        .waits
        .sums()
        .map(|(key, sum)| {
            let (count, total, max) = (sum.count, sum.total, sum.max);
            let (open, held) = ((sum.open, sum.open_total), (sum.longest_held, sum.long_held));
            let held = (held, sum.longest);
            let place = (key.kind, name(key.why), stack(key.stack));
            format!("wait {place:?} {count} {total} {max} {open:?} {held:?}")
        })
        .collect();
    waits.extend(analysis.waits.classes().map(|(kind, why, histogram)| {
        let buckets: Vec<_> = histogram.buckets().collect();
        format!("class {kind:?} {} {buckets:?}", name(why))
    }));
    waits.extend(analysis.herds.iter().map(|(id, herd)| format!("herd {} {herd:?}", stack(id))));
    waits.sort();
    out += &waits.join("\n");
    let gc = &analysis.gc;
    for stop in &gc.stops {
        let reason = name(stop.reason);
        writeln!(out, "stop {reason} {:?} {:?} {}", stop.start, stop.end, stop.go).unwrap();
    }
    writeln!(out, "{:?} {:?} {:?}", gc.cycles, gc.swept, gc.heap).unwrap();
    for per_proc in [false, true] {
        let flags = Flags { stw: true, background: true, assist: true, sweep: true, per_proc };
        let mmu = gc.mmu(flags, analysis.start(), analysis.end());
        writeln!(out, "mmu {:?}", [1_000, 100_000, 10_000_000].map(|w| mmu.at(w))).unwrap();
    }
    let procs = analysis.procs.as_ref().unwrap();
    writeln!(out, "{:?} {:?} {:?}", procs.procs, procs.changes, procs.total).unwrap();
    writeln!(out, "{:?}", procs.timeline).unwrap();
    out
}

fn check(config: &Config) {
    let mut bytes = Vec::new();
    Simulation::new(config.clone()).unwrap().write(&mut bytes).unwrap();
    let trace = Trace::from_bytes(bytes).unwrap();
    let whole = describe(&analyse(&trace, 1));
    for threads in [2, 5] {
        let merged = describe(&analyse(&trace, threads));
        let lines = whole.lines().zip(merged.lines());
        for (whole, merged) in lines {
            assert_eq!(whole, merged, "{config:?}, {threads} threads");
        }
        assert_eq!(whole.lines().count(), merged.lines().count());
    }
}

fn configs() -> impl Strategy<Value = Config> {
    let program = (any::<u64>(), select(Profile::ALL), 1..20_u32, 1..500_u32);
    // Of many generations several are folded together, of few each by itself.
    let generations = prop_oneof![1..12_u64, 12..60_u64];
    let trace = (1..20_000_u64, generations, 22..=27_u8);
    let all = (program, trace).prop_map(|((seed, profile, procs, goroutines), trace)| {
        let (events, generations, go) = trace;
        let go = GoRelease::new(go).unwrap();
        Config { seed, profile, procs, goroutines, events, generations, go, ..Config::default() }
    });
    all.prop_filter("the release has what the profile needs", |config| config.check().is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_simulation_comes_to_the_same_on_several_threads(config in configs()) {
        check(&config);
    }
}

/// An analysis that counts how many others it was asked to take over, and how many it refused.
struct Counting {
    analysis: Analysis,
    asked: usize,
    refused: usize,
}

impl Counting {
    fn new(analysis: Analysis) -> Counting {
        Counting { analysis, asked: 0, refused: 0 }
    }
}

impl Fold for Counting {
    fn part(&mut self, first: bool) -> Counting {
        Counting::new(self.analysis.part(first))
    }

    fn goes_apart(&self) -> bool {
        self.analysis.goes_apart()
    }

    fn event(&mut self, event: &Event<'_>) {
        self.analysis.event(event);
    }

    fn generation_ends(&mut self, generation: &Generation<'_>) {
        self.analysis.generation_ends(generation);
    }

    fn merge(&mut self, later: Counting) -> bool {
        let merged = self.analysis.merge(later.analysis);
        self.asked += 1;
        self.refused += usize::from(!merged);
        merged
    }
}

/// What is refused is read a second time: exact, and slow. System calls that lose their procs may be.
#[test]
fn nothing_is_refused_of_programs_without_system_calls() {
    let programs = [Profile::Channels, Profile::Gc, Profile::Coroutines];
    for (seed, profile) in programs.into_iter().cycle().take(12).enumerate() {
        let config = Config {
            seed: seed as u64,
            profile,
            events: 60_000,
            generations: 40,
            ..Config::default()
        };
        let mut bytes = Vec::new();
        Simulation::new(config).unwrap().write(&mut bytes).unwrap();
        let trace = Trace::from_bytes(bytes).unwrap();
        let options = Options { procs: true, ..Options::default() };
        let mut counting = Counting::new(Analysis::new(options));
        let mut reader = trace.reader(Mode::Strict).unwrap();
        reader.fold_parallel(2, &mut counting, |_| {}).unwrap();
        let Counting { asked, refused, .. } = counting;
        // Several generations together were asked about.
        assert!((5..30).contains(&asked) && refused == 0, "{profile:?}: {refused} of {asked}");
    }
}

/// Mark assists last over the ends of generations whenever memory is short, and who assists is told
/// before the thread says who it runs itself.
#[test]
fn what_others_are_in_the_middle_of_may_come_first() {
    let (thread, worker) = (ThreadId(7), GoId(2));
    let trace = TestTrace::new(Version::Go123);
    let first = trace.generation(1);
    first.sync(15_625_000, 10);
    first
        .batch(thread, 10)
        .event_after(0, "ProcStatus", (ProcId(0), ProcStatus::Running))
        .event_after(0, "GoStatus", (GoId(1), thread, GoStatus::Running))
        .event_after(0, "ProcsChange", (1, NoStack))
        .event_after(1, "GoCreate", (worker, NoStack, NoStack))
        .event_after(1, "GoStop", ("Gosched", NoStack))
        .event_after(1, "GoStart", (worker, Seq(1)))
        .event_after(1, "GCMarkAssistBegin", (NoStack,))
        .event_after(1, "GoBlock", ("GC mark assist wait for work", NoStack))
        .event_after(1, "GoStart", (GoId(1), Seq(1)));
    let second = trace.generation(2);
    second.sync(15_625_000, 1000);
    second
        .batch(thread, 1000)
        .event_after(0, "GoStatus", (worker, NoThread, GoStatus::Waiting))
        .event_after(1, "GCMarkAssistActive", (worker,))
        .event_after(1, "ProcStatus", (ProcId(0), ProcStatus::Running))
        .event_after(1, "GoStatus", (GoId(1), thread, GoStatus::Running))
        .event_after(1, "GoUnblock", (worker, Seq(1), NoStack))
        .event_after(5, "GoStop", ("Gosched", NoStack))
        .event_after(1, "GoStart", (worker, Seq(2)))
        .event_after(1, "GCMarkAssistEnd", ())
        .event_after(1, "GoDestroy", ());
    let trace = Trace::from_bytes(trace.to_bytes().unwrap()).unwrap();
    let mut counting = Counting::new(Analysis::new(Options::default()));
    trace.reader(Mode::Strict).unwrap().fold_parallel(2, &mut counting, |_| {}).unwrap();
    assert_eq!((counting.asked, counting.refused), (2, 0));
    assert_eq!(describe(&analyse(&trace, 2)), describe(&analyse(&trace, 1)));
}

#[test]
fn recorded_traces_come_to_the_same_on_several_threads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/traces");
    let mut count = 0;
    for release in std::fs::read_dir(folder).unwrap() {
        let release = release.unwrap().path();
        for file in release.read_dir().into_iter().flatten() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "trace") {
                continue;
            }
            let trace = Trace::open(&path).unwrap();
            let mut analysis = Analysis::new(Options::default());
            let mut reader = trace.reader(Mode::Strict).unwrap();
            if reader.fold_parallel(1, &mut analysis, |_| {}).is_err() {
                continue;
            }
            let (one, three) = (describe(&analyse(&trace, 1)), describe(&analyse(&trace, 3)));
            assert!(one == three, "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 40, "only {count} traces");
}
