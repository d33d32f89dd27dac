//! Explanations of traces whose causes are known.

use gotrail::{Details, Event, GoId, GoState, Mode, RangeName, Scope, Trace};
use gotrail_analyze::path::{End, Kind, Step};
use gotrail_analyze::{Detail, History, Why};
use gotrail_synth::builder::{GoStatus, NoStack, ProcStatus, Seq, StackFrame, TestTrace};
use gotrail_synth::sim::{Config, GoRelease, Observer, Profile, Simulation, TrueEvent};
use gotrail_synth::{ProcId, ThreadId, Version};
use std::collections::HashMap;

const ALL: Detail = Detail { waits: usize::MAX / 4, depth: usize::MAX, pieces: usize::MAX };

/// Nanoseconds of a clock unit.
const UNIT: i64 = 64;

fn name(history: &History<'_>, kind: Kind) -> String {
    match kind {
        Kind::Blocked(reason) => history.names.string(reason).to_string(),
        kind => format!("{kind:?}"),
    }
}

fn whole(trace: &Trace, go: i64) -> (History<'_>, Why) {
    let mut history = History::read(trace, |_| {}).expect("a good trace");
    let why = history.why(GoId(go), i64::MIN, i64::MAX, ALL).expect("it can be read again");
    (history, why)
}

/// The path in units after the start: from, until, goroutine, kind.
fn path(history: &History<'_>, why: &Why) -> Vec<(i64, i64, i64, String)> {
    let units = |time: i64| (time - history.start()) / UNIT;
    let piece = |piece: &gotrail_analyze::path::Piece| {
        (units(piece.from), units(piece.until), piece.go.0, name(history, piece.kind))
    };
    why.pieces.iter().map(piece).collect()
}

fn at(function: &str) -> [StackFrame; 1] {
    let pc = function.bytes().map(u64::from).sum();
    [StackFrame::new(pc, function, "main.go", 7)]
}

/// A waits for B, which waits for C, which is in a system call.
#[test]
fn a_chain_is_followed_to_its_first_cause() {
    let trace = TestTrace::new(Version::Go122);
    let generation = trace.generation(1);
    generation.sync(15_625_000, 10);
    let thread = generation.batch(ThreadId(7), 10);
    let (a, b, c) = (GoId(1), GoId(2), GoId(3));
    thread
        .event_after(0, "ProcStatus", (ProcId(0), ProcStatus::Running))
        .event_after(0, "GoStatus", (a, ThreadId(7), GoStatus::Running))
        .event_after(1, "GoCreate", (b, at("main.b"), NoStack))
        .event_after(1, "GoCreate", (c, at("main.c"), NoStack))
        .event_after(8, "GoBlock", ("chan receive", at("main.a"))) // 10
        .event_after(1, "GoStart", (b, Seq(1))) // 11
        .event_after(4, "GoBlock", ("sync", at("main.b"))) // 15
        .event_after(1, "GoStart", (c, Seq(1))) // 16
        .event_after(4, "GoSyscallBegin", (Seq(1), NoStack)) // 20
        .event_after(30, "GoSyscallEnd", ()) // 50
        .event_after(10, "GoUnblock", (b, Seq(2), at("main.c"))) // 60
        .event_after(5, "GoStop", ("preempted", NoStack)) // 65
        .event_after(5, "GoStart", (b, Seq(3))) // 70
        .event_after(10, "GoUnblock", (a, Seq(1), at("main.b"))) // 80
        .event_after(5, "GoDestroy", ()) // 85
        .event_after(5, "GoStart", (a, Seq(2))) // 90
        .event_after(10, "GoDestroy", ()); // 100
    let trace = Trace::from_bytes(trace.to_bytes().expect("a trace")).expect("a trace");
    let (history, why) = whole(&trace, 1);
    let expected = [
        (0, 10, 1, "Running"),
        // What B did while A waited.
        (10, 11, 2, "Runnable"),
        (11, 15, 2, "Running"),
        // What C did while B waited: it was made runnable before.
        (15, 16, 3, "Runnable"),
        (16, 20, 3, "Running"),
        (20, 50, 3, "Syscall"),
        (50, 60, 3, "Running"),
        (60, 70, 2, "Runnable"),
        (70, 80, 2, "Running"),
        (80, 90, 1, "Runnable"),
        (90, 100, 1, "Running"),
    ];
    let expected = expected.map(|(from, until, go, kind)| (from, until, go, kind.to_owned()));
    assert_eq!(path(&history, &why), expected);
    assert_eq!(why.total.get(Kind::Syscall), 30 * UNIT);
    assert_eq!(why.total.total(), 100 * UNIT);

    let wait = &why.step.waits[0];
    assert_eq!(name(&history, wait.kind), "chan receive");
    assert_eq!(wait.nanos(), 70 * UNIT);
    let End::Goroutine { stack, meanwhile } = &wait.end else { panic!("{wait:?}") };
    assert_eq!((meanwhile.go, meanwhile.own.total()), (b, 25 * UNIT));
    assert_eq!(history.names.string(history.names.root(*stack)), "main.b");
    assert_eq!(name(&history, meanwhile.waits[0].kind), "sync");
    assert_eq!(history.names.string(history.function(c).expect("C")), "main.c");
}

/// Nobody ends a sleep, and what came before a goroutine was made is its maker's.
#[test]
fn timers_and_creation() {
    let trace = TestTrace::new(Version::Go122);
    let generation = trace.generation(1);
    generation.sync(15_625_000, 10);
    let thread = generation.batch(ThreadId(7), 10);
    thread
        .event_after(0, "ProcStatus", (ProcId(0), ProcStatus::Running))
        .event_after(0, "GoStatus", (GoId(1), ThreadId(7), GoStatus::Running))
        .event_after(10, "GoCreate", (GoId(2), at("main.b"), at("main.a"))) // 10
        .event_after(10, "GoDestroy", ()) // 20
        .event_after(1, "GoStart", (GoId(2), Seq(1))) // 21
        .event_after(9, "GoBlock", ("sleep", NoStack)) // 30
        .event_after(50, "GoUnblock", (GoId(2), Seq(2), NoStack)) // 80
        .event_after(1, "GoStart", (GoId(2), Seq(3))) // 81
        .event_after(9, "GoBlock", ("select (no cases)", NoStack)) // 90
        .event_after(10, "ProcStop", ()); // 100
    let trace = Trace::from_bytes(trace.to_bytes().expect("a trace")).expect("a trace");
    let (history, why) = whole(&trace, 2);
    let expected = [
        (0, 10, 1, "Running"),
        (10, 21, 2, "Runnable"),
        (21, 30, 2, "Running"),
        (30, 80, 2, "sleep"),
        (80, 81, 2, "Runnable"),
        (81, 90, 2, "Running"),
        (90, 100, 2, "select (no cases)"),
    ];
    let expected = expected.map(|(from, until, go, kind)| (from, until, go, kind.to_owned()));
    assert_eq!(path(&history, &why), expected);
    assert_eq!(why.step.waits[0].end, End::Runtime);
    assert!(why.step.waits.iter().any(|wait| wait.end == End::Nothing));
    assert!(why.step.waits.iter().any(|wait| wait.kind == Kind::NotExisting));
}

#[test]
fn what_does_not_exist_explains_nothing() {
    let trace = Trace::from_bytes(gotrail::doc_trace()).expect("a trace");
    let (history, why) = whole(&trace, 999);
    assert_eq!(why.total.get(Kind::NotExisting), history.end() - history.start());
}

/// A state of a goroutine, with who ended it.
struct Interval {
    from: i64,
    until: i64,
    state: GoState,
    kind: String,
    cause: GoId,
}

/// What truly happened, in the simplest form.
#[derive(Default)]
struct Truth {
    goroutines: HashMap<GoId, Vec<Interval>>,
    assists: HashMap<GoId, Vec<(i64, i64)>>,
    stops: Vec<(i64, i64)>,
}

/// Who woke or made whom, in the true order.
#[derive(Default)]
struct Wakers(HashMap<i64, Vec<GoId>>);

impl Observer for Wakers {
    fn wants_events(&self) -> bool {
        true
    }

    fn happened(&mut self, event: TrueEvent) {
        let Some(rest) = event.what.strip_prefix("StateTransition GoID=") else { return };
        let (id, change) = rest.split_once(' ').expect("a change");
        if change.starts_with("NotExist->") || change.starts_with("Waiting->Runnable") {
            let id = id.parse().expect("an id");
            self.0.entry(id).or_default().push(event.go);
        }
    }
}

impl Truth {
    fn read(trace: &Trace, wakers: &Wakers) -> Truth {
        let mut truth = Truth::default();
        let mut seen = HashMap::<i64, usize>::new();
        let mut reader = trace.reader(Mode::Strict).expect("a trace");
        let (mut start, mut end) = (None, 0);
        while let Some(event) = reader.next_event().expect("a good trace") {
            end = event.time().0;
            truth.event(&event, *start.get_or_insert(end), wakers, &mut seen);
        }
        for intervals in truth.goroutines.values_mut() {
            intervals.last_mut().expect("a state").until = end;
        }
        for (_, until) in truth.assists.values_mut().flatten().chain(&mut truth.stops) {
            *until = (*until).min(end);
        }
        truth
    }

    fn event(
        &mut self,
        event: &Event<'_>,
        start: i64,
        wakers: &Wakers,
        seen: &mut HashMap<i64, usize>,
    ) {
        let time = event.time().0;
        match event.details() {
            Details::Goroutine(change) if change.from != change.to => {
                let mut cause = GoId::NONE;
                let wakes = change.from == GoState::NotExist
                    || (change.from, change.to) == (GoState::Waiting, GoState::Runnable);
                if wakes {
                    let number = seen.entry(change.go.0).or_default();
                    cause = wakers.0[&change.go.0][*number];
                    *number += 1;
                }
                let intervals = self.goroutines.entry(change.go).or_default();
                let known = change.from != GoState::Undetermined;
                if intervals.is_empty() && known {
                    intervals.push(Interval {
                        from: start,
                        until: time,
                        state: GoState::NotExist,
                        kind: "NotExisting".to_owned(),
                        cause: GoId::NONE,
                    });
                }
                if let Some(last) = intervals.last_mut() {
                    (last.until, last.cause) = (time, cause);
                }
                let kind = match (change.from, change.to) {
                    (_, GoState::Waiting) => change.reason.to_string(),
                    (GoState::Running, GoState::Runnable) => "Preempted".to_owned(),
                    (_, GoState::NotExist) => "NotExisting".to_owned(),
                    (_, to) => to.to_string(),
                };
                intervals.push(Interval {
                    from: if known { time } else { start },
                    until: i64::MAX,
                    state: change.to,
                    kind,
                    cause: GoId::NONE,
                });
            }
            Details::Range(range) => {
                let list = match (range.name, range.scope) {
                    (RangeName::GcMarkAssist, Scope::Go(go)) => self.assists.entry(go).or_default(),
                    (RangeName::StopTheWorld(_), _) => &mut self.stops,
                    _ => return,
                };
                match event.kind() {
                    gotrail::Kind::RangeBegin => list.push((time, i64::MAX)),
                    gotrail::Kind::RangeEnd => match list.last_mut() {
                        Some(last) => last.1 = time,
                        None => list.push((start, time)),
                    },
                    _ if list.last().is_none_or(|last| last.1 != i64::MAX) => {
                        list.push((start, i64::MAX));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The path, by its definition, backward.
    fn path(&self, go: GoId, from: i64, until: i64, out: &mut Vec<(i64, i64, GoId, String)>) {
        let Some(intervals) = self.goroutines.get(&go) else {
            return out.push((from, until, go, "NotExisting".to_owned()));
        };
        for interval in intervals.iter().rev() {
            let (a, b) = (interval.from.max(from), interval.until.min(until));
            if a >= b {
                continue;
            }
            let waits = matches!(interval.state, GoState::Waiting | GoState::NotExist);
            if waits && interval.cause != GoId::NONE && interval.until <= until {
                self.path(interval.cause, a, b, out);
                continue;
            }
            let mut cuts = vec![a, b];
            let stops = self.stops.iter();
            let none = Vec::new();
            let assists = self.assists.get(&go).unwrap_or(&none);
            cuts.extend(stops.chain(assists).flat_map(|&(a, b)| [a, b]));
            cuts.retain(|&cut| cut >= a && cut <= b);
            cuts.sort_unstable();
            cuts.dedup();
            let within =
                |list: &[(i64, i64)], cut: i64| list.iter().any(|&(a, b)| a <= cut && cut < b);
            for pair in cuts.windows(2).rev() {
                let runs = interval.state == GoState::Running;
                let kind = if (runs || interval.state == GoState::Runnable)
                    && within(&self.stops, pair[0])
                {
                    "StopTheWorld"
                } else if runs && within(assists, pair[0]) {
                    "GcAssist"
                } else {
                    &interval.kind
                };
                out.push((pair[0], pair[1], go, kind.to_owned()));
            }
        }
    }
}

/// Puts pieces in order and joins what belongs together.
fn joined(mut pieces: Vec<(i64, i64, GoId, String)>) -> Vec<(i64, i64, GoId, String)> {
    pieces.sort();
    pieces.dedup_by(|next, last| {
        let same = last.1 == next.0 && (last.2, &last.3) == (next.2, &next.3);
        if same {
            last.1 = next.1;
        }
        same
    });
    pieces
}

/// The times of a step and of all below it sum up, and the waits lie where they should.
fn check_step(step: &Step) {
    assert_eq!(step.own.total() + step.others.total(), step.until - step.from);
    let mut others = 0;
    for wait in &step.waits {
        assert!(step.from <= wait.from && wait.from < wait.until && wait.until <= step.until);
        if let End::Goroutine { meanwhile, .. } = &wait.end {
            assert_eq!((meanwhile.from, meanwhile.until), (wait.from, wait.until));
            others += wait.nanos();
            check_step(meanwhile);
        }
    }
    assert_eq!(step.more.0, 0, "all waits are kept");
    assert_eq!(step.others.total(), others);
}

fn simulated(config: Config) -> (Trace, Truth) {
    let (mut bytes, mut wakers) = (Vec::new(), Wakers::default());
    let simulation = Simulation::new(config).expect("it is possible");
    simulation.observe(&mut bytes, &mut wakers).expect("memory takes it");
    let trace = Trace::from_bytes(bytes).expect("a trace");
    let truth = Truth::read(&trace, &wakers);
    (trace, truth)
}

/// Whoever is asked for, whenever: the path is the true one, however long generations are.
#[test]
fn paths_of_simulated_programs_are_the_true_ones() {
    let mut chance = fastrand::Rng::with_seed(5);
    let (mut explained, mut hops, mut kinds) = (0, 0, HashMap::<String, usize>::new());
    for (number, &profile) in Profile::ALL.iter().chain(Profile::ALL).enumerate() {
        let config = Config {
            seed: number as u64,
            profile,
            goroutines: chance.u32(2..60),
            procs: chance.u32(1..6),
            events: 6_000,
            generations: [1, 2, 7, 40][number % 4],
            go: GoRelease::new(23 + (number % 5) as u8).expect("a release"),
            ..Config::default()
        };
        let (trace, truth) = simulated(config);
        let mut history = History::read(&trace, |_| {}).expect("a good trace");
        let mut ids: Vec<_> = history.goroutines().collect();
        ids.sort_unstable();
        for _ in 0..40 {
            let go = ids[chance.usize(..ids.len())];
            let (start, end) = (history.start(), history.end());
            let (a, b) = (chance.i64(start..=end), chance.i64(start..=end));
            let (from, until) =
                if chance.u8(..4) == 0 { (start, end) } else { (a.min(b), a.max(b)) };
            let why = history.why(go, from, until, ALL).expect("it can be read again");
            let mut expected = Vec::new();
            truth.path(go, from, until, &mut expected);
            let found = why.pieces.iter();
            let found = found.map(|p| (p.from, p.until, p.go, name(&history, p.kind)));
            let (found, expected) = (joined(found.collect()), joined(expected));
            let differs = found.iter().zip(&expected).find(|(found, expected)| found != expected);
            assert_eq!(differs, None, "goroutine {go} of {profile} {number}");
            assert_eq!(found.len(), expected.len(), "goroutine {go} of {profile} {number}");
            assert_eq!(why.total.total(), until - from, "all time is explained");
            let by_function: i64 = why.functions.iter().map(|entry| entry.1.total()).sum();
            assert_eq!(by_function, until - from);
            check_step(&why.step);
            explained += 1;
            hops += found.windows(2).filter(|pair| pair[0].2 != pair[1].2).count();
            for piece in found {
                *kinds.entry(piece.3).or_default() += 1;
            }

            // With less detail the figures are the same.
            let less = Detail { waits: 2, depth: 2, pieces: 3 };
            let short = history.why(go, from, until, less).expect("it can be read again");
            assert_eq!((&short.total, &short.functions), (&why.total, &why.functions));
            assert_eq!((&short.step.own, &short.step.others), (&why.step.own, &why.step.others));
            assert!(short.step.waits.len() <= 2 && short.pieces.len() <= 3);
        }
    }
    assert!(explained > 500 && hops > 5_000, "{hops} hops of {explained}");
    for kind in ["Running", "Runnable", "Preempted", "Syscall", "GcAssist", "StopTheWorld"] {
        assert!(kinds.contains_key(kind), "{kind} never happened: {kinds:?}");
    }
}
