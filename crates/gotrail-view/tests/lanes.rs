//! Lanes of recorded traces: what they look like at one scale is what they look like at another,
//! and what goroutines did is what the trace says.

use gotrail::{GoState, Kind, Mode, Trace};
use gotrail_view::lane::{Colour, Lane, Look, Window};
use gotrail_view::matches::{Wanted, Which};
use gotrail_view::state::STATES;
use gotrail_view::tile;
use gotrail_view::view::{Room, View};
use gotrail_view::work::OTHERS;
use std::collections::HashMap;
use std::path::PathBuf;

fn view(name: &str) -> View {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces").join(name);
    let room = Room { memory: 1 << 16, folder: None, block: 1000 };
    let view = View::new(name.to_owned(), path.clone(), room);
    view.read(Trace::open(&path).expect("a trace"));
    view
}

const TRACES: [&str; 6] = [
    "go1.27/annotations.trace",
    "go1.27/network.trace",
    "go1.27/gc.trace",
    "go1.27/generations.trace",
    "go1.22/channels.trace",
    "go1.21/channels.trace",
];

/// The sums of a lane, whatever it looks like.
fn sums(look: &Look, window: Window) -> Vec<[f64; STATES]> {
    let mut all = vec![[0.0; STATES]; window.bins];
    match look {
        Look::Nothing | Look::Work(_) => {}
        Look::Shares(bins) => {
            for (sum, bin) in all.iter_mut().zip(bins) {
                *sum = bin.map(f64::from);
            }
        }
        Look::Spans(spans) => {
            for span in spans {
                let Some(state) = span.state.index() else { continue };
                for (at, sum) in all.iter_mut().enumerate() {
                    let from = window.from() + ((at as i64) << window.level);
                    let until = from + (1 << window.level);
                    sum[state] += (span.until.min(until) - span.from.max(from)).max(0) as f64;
                }
            }
        }
    }
    all
}

#[test]
fn from_near_and_from_afar_is_the_same() {
    for name in TRACES {
        let view = view(name);
        let index = view.index.read();
        let mut lanes = vec![Lane::All, Lane::Tasks, Lane::AllRegions];
        let names: std::collections::BTreeSet<u32> =
            index.marks.regions.iter().map(|region| region.label).collect();
        lanes.extend(names.into_iter().map(Lane::Named));
        let groups: Vec<u32> = (0..index.groups.len() as u32).collect();
        assert!(!groups.is_empty(), "{name}");
        lanes.extend(groups.into_iter().map(Lane::Group));
        lanes.extend(index.procs.all.iter().map(|proc| Lane::Proc(proc.id)));
        lanes.extend(index.threads.all.iter().map(|thread| Lane::Thread(thread.id)));
        // One level below what is kept, so that it is made from the moves.
        let level = index.level;
        let bins = ((index.indexed >> level) + 1).min(64) as usize;
        let afar = Window { level, first: 0, bins };
        let near = Window { level: level - 1, first: 0, bins: 2 * bins };
        for lane in lanes {
            // What was not read to its end looks different at the very end.
            let whole = (index.indexed >> level).min(bins as i64) as usize;
            let far = sums(&index.look(lane, afar, 0).expect("it is there"), afar);
            let close = sums(&index.look(lane, near, 0).expect("it is there"), near);
            let exact = sums(&index.look(lane, near, usize::MAX).expect("it is there"), near);
            for at in 0..whole {
                for state in 0..STATES {
                    let of = |sums: &[[f64; STATES]]| sums[2 * at][state] + sums[2 * at + 1][state];
                    let expected = far[at][state];
                    for (what, found) in [("near", of(&close)), ("exact", of(&exact))] {
                        assert!(
                            (found - expected).abs() <= 4.0 + expected / 1e4,
                            "{name} {lane:?} bin {at} state {state}: {what} {found}, afar {expected}"
                        );
                    }
                }
            }
        }
    }
}

/// How long each goroutine ran, straight from the events.
fn running(name: &str) -> HashMap<i64, i64> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces").join(name);
    let trace = Trace::open(&path).expect("a trace");
    let mut reader = trace.reader(Mode::Strict).expect("a reader");
    let (mut since, mut times) = (HashMap::<i64, i64>::new(), HashMap::<i64, i64>::new());
    let (mut first, mut last, mut syncs) = (None, 0, 0);
    while let Some(event) = reader.next_event().expect("a good trace") {
        last = event.time().0;
        let first = *first.get_or_insert(last);
        syncs += u32::from(event.kind() == Kind::Sync);
        let Some(step) = event.go_step() else { continue };
        if step.to == GoState::Running {
            // What runs when it is first mentioned did so when the trace began.
            let always = step.from == GoState::Undetermined && syncs == 1;
            since.entry(step.go.0).or_insert(if always { first } else { last });
        } else if let Some(from) = since.remove(&step.go.0) {
            *times.entry(step.go.0).or_default() += last - from;
        }
    }
    for (go, from) in since {
        *times.entry(go).or_default() += last - from;
    }
    times
}

#[test]
fn goroutines_ran_as_long_as_the_events_say() {
    for name in TRACES {
        let view = view(name);
        let index = view.index.read();
        let expected = running(name);
        let level = 40;
        let window = Window { level, first: 0, bins: 1 };
        for goroutine in &index.goroutines {
            let look = index.look(Lane::Go(goroutine.id), window, usize::MAX).expect("it is there");
            let ran = sums(&look, window)[0][0] as i64;
            let known = expected.get(&goroutine.id).copied().unwrap_or(0);
            assert_eq!(ran, known, "{name}: goroutine {}", goroutine.id);
        }
    }
}

#[test]
fn a_tile_has_the_form_that_is_documented() {
    let view = view("go1.27/network.trace");
    let index = view.index.read();
    let lanes = [Lane::All, Lane::Go(1), Lane::Go(-77), Lane::Gc];
    let bytes = tile::tile(&index, index.level, 0, &lanes, Colour::State).expect("it is there");
    assert_eq!((&bytes[..4], bytes.len() % 8), (&b"GTT1"[..], 0));
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((number(4), number(8), number(12)), (lanes.len(), 1, STATES));
    let mut at = 16;
    let mut kinds = Vec::new();
    for _ in lanes {
        let (kind, n) = (number(at), number(at + 4));
        kinds.push(kind);
        at += 8;
        at += match kind {
            0 => 0,
            1 => (4 * n + STATES * n).next_multiple_of(8),
            _ => 24 * n + (4 * n).next_multiple_of(8) + n.next_multiple_of(8),
        };
    }
    assert_eq!((at, kinds), (bytes.len(), vec![1, 2, 0, 2]));
}

/// A filter that lets everything through.
const ANY: Wanted = Wanted {
    states: u16::MAX,
    function: String::new(),
    label: String::new(),
    stack: String::new(),
    min: 0,
    max: i64::MAX,
};

#[test]
fn matches_are_told_from_any_moment_on() {
    for name in TRACES {
        let view = view(name);
        let index = view.index.read();
        let filters = [
            ANY,
            Wanted { states: 1 << 1, ..ANY },
            Wanted { min: 50_000, function: "main".to_owned(), ..ANY },
            Wanted { max: 2_000, ..ANY },
            Wanted { min: index.indexed / 2, ..ANY },
        ];
        for wanted in filters {
            // All of them, from what each goroutine's lane shows.
            let mut expected = Vec::new();
            let window = Window { level: 44, first: 0, bins: 1 };
            for goroutine in &index.goroutines {
                let look = index.look(Lane::Go(goroutine.id), window, usize::MAX);
                let Look::Spans(spans) = look.expect("it is there") else { panic!("{name}") };
                let function = &index.groups[goroutine.group as usize];
                if !index.labels.text(function.label).contains(&wanted.function) {
                    continue;
                }
                let fits = |span: &gotrail_view::lane::Span| {
                    wanted.states >> span.state.0 & 1 != 0
                        && (wanted.min..=wanted.max).contains(&(span.until - span.from))
                };
                let spans = spans.into_iter().filter(fits);
                expected.extend(spans.map(|span| (span.from, goroutine.id, span.until)));
            }
            expected.sort_unstable();
            let times = expected.iter().map(|row| row.0);
            let asked = |which, limit| {
                let found = view.matches(&wanted, which, limit).expect("it is there");
                assert_eq!(found["total"], expected.len(), "{name} {wanted:?}");
                let rows = found["rows"].as_array().expect("rows").iter();
                let time = |row: &serde_json::Value, end: &str| row[end].as_i64().expect("a time");
                let rows: Vec<_> = rows.map(|row| (time(row, "from"), time(row, "to"))).collect();
                (found["before"].as_u64().expect("a number") as usize, rows)
            };
            let check = |(before, rows): (usize, Vec<(i64, i64)>),
                         range: std::ops::Range<usize>| {
                assert_eq!(before, range.start, "{name} {wanted:?}");
                let rows: Vec<_> = rows.into_iter().map(|row| row.0).collect();
                let range: Vec<_> = expected[range].iter().map(|row| row.0).collect();
                assert_eq!(rows, range, "{name} {wanted:?}");
            };
            let some = (0..20).map(|at| index.indexed * at / 19);
            for time in
                some.chain(times.clone().step_by(expected.len() / 9 + 1)).chain([0, i64::MAX])
            {
                let first = expected.partition_point(|row| row.0 < time);
                for limit in [0, 1, 7, 5000] {
                    let end = (first + limit).min(expected.len());
                    check(asked(Which::From(time, i64::MAX), limit), first..end);
                    let begin = first.saturating_sub(limit);
                    check(asked(Which::Until(time), limit), begin..first);
                    let to = time.saturating_add(index.indexed / 50);
                    let until = expected.partition_point(|row| row.0 < to);
                    check(asked(Which::From(time, to), limit), first..end.min(until));
                }
            }
        }
    }
}

#[test]
fn spans_are_found_by_their_stacks() {
    let view = view("go1.27/network.trace");
    let index = view.index.read();
    for text in ["net.", "main.", "no such function"] {
        // One by one, from every span's own stack.
        let mut expected = 0;
        for goroutine in &index.goroutines {
            let mut time = goroutine.created;
            let lane = Lane::Go(goroutine.id);
            while let Ok(span) = view.span(lane, time) {
                let stack = match &span["began"] {
                    serde_json::Value::Null => &span["stack"],
                    began => &began["stack"],
                };
                expected += u64::from(stack.to_string().contains(text));
                match span["to"].as_i64().filter(|_| span["open"] == false) {
                    Some(next) => time = next,
                    None => break,
                }
            }
        }
        let wanted = Wanted { stack: text.to_owned(), ..ANY };
        let found = view.matches(&wanted, Which::From(0, i64::MAX), 10).expect("it is there");
        assert_eq!(found["total"], expected, "{text}");
        assert_eq!(expected > 0, text != "no such function", "{text}");
    }
}

#[test]
fn a_selection_is_the_sum_of_its_lanes() {
    for name in TRACES {
        let view = view(name);
        let index = view.index.read();
        let (from, to) = (index.indexed / 5, index.indexed * 4 / 5);
        let states = |lanes: &[Lane]| -> Vec<i64> {
            let found = view.selection(from, to, lanes).expect("it is there");
            let states = found["states"].as_array().expect("states").iter();
            states.map(|time| time.as_i64().expect("a time")).collect()
        };
        let all = states(&[]);
        assert!(all.iter().sum::<i64>() > 0, "{name}");
        let groups: Vec<Lane> = (0..index.groups.len() as u32).map(Lane::Group).collect();
        let goroutines: Vec<Lane> =
            index.goroutines.iter().map(|goroutine| Lane::Go(goroutine.id)).collect();
        for lanes in [&groups, &goroutines] {
            assert_eq!(states(lanes), all, "{name}");
            let mut sum = vec![0; STATES];
            for &lane in lanes {
                for (sum, time) in sum.iter_mut().zip(states(&[lane])) {
                    *sum += time;
                }
            }
            assert_eq!(sum, all, "{name}");
        }
        // A group and its goroutines are there once.
        let twice: Vec<Lane> = groups.iter().chain(&goroutines).copied().collect();
        assert_eq!(states(&twice), all, "{name}");
        let threads: Vec<Lane> =
            index.threads.all.iter().map(|thread| Lane::Thread(thread.id)).collect();
        assert!(states(&threads)[0] <= all[0], "{name}");
    }
}

#[test]
fn every_function_of_a_stack_is_found() {
    for name in TRACES {
        let view = view(name);
        let index = view.index.read();
        let mut expected = std::collections::BTreeSet::new();
        for goroutine in &index.goroutines {
            let mut time = goroutine.created;
            while let Ok(span) = view.span(Lane::Go(goroutine.id), time) {
                for stack in [&span["stack"], &span["began"]["stack"], &span["ended"]["stack"]] {
                    let frames = stack.as_array().into_iter().flatten();
                    expected.extend(
                        frames.filter_map(|frame| frame["function"].as_str()?.to_owned().into()),
                    );
                }
                match span["to"].as_i64().filter(|_| span["open"] == false) {
                    Some(next) => time = next,
                    None => break,
                }
            }
        }
        assert!(expected.len() > 5, "{name}");
        let found = view.search("", 100_000);
        let found = found["functions"].as_array().expect("functions").iter();
        let found = found.filter(|function| function["stacks"] == true);
        let found: std::collections::BTreeSet<String> = found
            .map(|function| function["function"].as_str().expect("a name").to_owned())
            .collect();
        assert!(found.is_superset(&expected), "{name}: {:?}", expected.difference(&found));
        // Each of them marks spans.
        for function in found.iter().step_by(5) {
            let wanted = Wanted { stack: function.clone(), ..ANY };
            let marked = view.matches(&wanted, Which::From(0, i64::MAX), 1).expect("it is there");
            assert!(marked["total"].as_u64() > Some(0), "{name} {function}");
        }
    }
}

#[test]
fn procs_work_for_the_groups_of_their_goroutines() {
    for name in TRACES {
        let view = view(name);
        let index = view.index.read();
        let units = index.procs.all.iter().map(|proc| Lane::Proc(proc.id));
        let units = units.chain(index.threads.all.iter().map(|thread| Lane::Thread(thread.id)));
        for lane in units {
            for level in [index.level - 1, index.level + 1, index.level + 2, index.level + 4] {
                let bins = ((index.indexed >> level) + 1).min(300) as usize;
                let window = Window { level, first: 0, bins };
                // From every span.
                let Look::Spans(spans) = index.look(lane, window, usize::MAX).expect("it is there")
                else {
                    panic!("{name}")
                };
                let mut expected = std::collections::BTreeMap::<(u32, u32), i64>::new();
                for span in &spans {
                    let place = index.find(span.go).expect("a goroutine");
                    let group = index.goroutines[place as usize].group;
                    for bin in 0..bins as u32 {
                        let from = i64::from(bin) << level;
                        let len = span.until.min(from + (1 << level)) - span.from.max(from);
                        if len > 0 {
                            *expected.entry((bin, group)).or_default() += len;
                        }
                    }
                }
                let looks = index.looks(&[lane], window, 1, Colour::Function);
                let Look::Work(found) = &looks.expect("it is there")[0] else {
                    assert!(spans.len() <= 1, "{name} {lane:?}");
                    continue;
                };
                let sum = |bin: u32| -> (i64, i64) {
                    let found = found.iter().filter(|one| one.0 == bin).map(|one| one.2).sum();
                    let all = expected.iter().filter(|one| one.0.0 == bin);
                    (found, all.map(|one| one.1).sum())
                };
                for bin in 0..bins as u32 {
                    let (found, expected) = sum(bin);
                    assert!(
                        (found - expected).abs() <= 4,
                        "{name} {lane:?} {level} {bin}: {found} {expected}"
                    );
                }
                for &(bin, group, nanos) in found.iter().filter(|one| one.1 != OTHERS) {
                    let expected = expected.get(&(bin, group)).copied().unwrap_or(0);
                    assert!(
                        nanos <= expected + 4,
                        "{name} {lane:?} {level} {bin} {group}: {nanos} {expected}"
                    );
                }
            }
        }
        // As bytes.
        let lanes = [Lane::Proc(index.procs.all[0].id), Lane::All];
        let bytes = tile::tile(&index, 44, 0, &lanes, Colour::Function).expect("it is there");
        assert_eq!(bytes.len() % 8, 0);
        let kind = u32::from_le_bytes(bytes[16..20].try_into().unwrap());
        assert!(kind == 3 || kind == 2, "{name}: {kind}");
    }
}

#[test]
fn tasks_and_regions_are_open_as_long_as_they_last() {
    let view = view("go1.27/annotations.trace");
    let index = view.index.read();
    let (first, last) = (index.indexed / 50, index.indexed * 9 / 10);
    let found = view.regions((first, last), 1000);
    let rows = found["rows"].as_array().expect("rows");
    assert_eq!((found["total"].as_u64(), rows.is_empty()), (Some(rows.len() as u64), false));
    for row in rows {
        let regions = index.marks.regions.iter().filter(|region| row["label"] == region.label);
        let regions = regions.filter(|region| region.from < last && region.until > first);
        let times =
            regions.map(|region| index.until(region.until).min(last) - region.from.max(first));
        let times: Vec<i64> = times.collect();
        assert_eq!(row["count"], times.len(), "{row}");
        assert_eq!(row["time"], times.iter().sum::<i64>(), "{row}");
    }
    let plot = view.plot("tasks", 0, index.indexed, 1 << 20).expect("a plot");
    let open: f64 =
        plot["last"].as_array().expect("values").iter().filter_map(|n| n.as_f64()).sum();
    let tasks = index.marks.tasks.iter().filter(|task| task.is_one());
    let expected: i64 =
        tasks.map(|task| index.until(task.until).min(index.indexed) - task.from.max(0)).sum();
    let found = open * (1u64 << index.level) as f64;
    // What is open at the end is so until the end of its bin.
    let rest = (index.marks.tasks.len() as f64) * (1u64 << index.level) as f64;
    assert!((found - expected as f64).abs() <= rest, "{found} {expected}");
    // A few are told one by one.
    let window = Window { level: 40, first: 0, bins: 1 };
    let Look::Spans(tasks) = index.look(Lane::Tasks, window, 500).expect("it is there") else {
        panic!("there are few")
    };
    let total = view.tasks("", (0, 1000), (0, i64::MAX), "").expect("tasks")["total"].as_u64();
    assert_eq!(Some(tasks.len() as u64), total);
}
