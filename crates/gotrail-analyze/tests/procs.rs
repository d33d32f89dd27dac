//! What procs did, on recorded traces: all figures of it fit together, and those of goroutines.

use gotrail::{Mode, Trace};
use gotrail_analyze::procs::Load;
use gotrail_analyze::timeline::Step;
use gotrail_analyze::{Analysis, Options, WaitKind};
use std::path::Path;

#[test]
fn shares_are_of_all_the_time_of_all_procs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces");
    let (mut traces, mut constant) = (0, 0);
    for version in std::fs::read_dir(folder).unwrap() {
        for file in version.unwrap().path().read_dir().into_iter().flatten() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "trace") {
                continue;
            }
            let trace = Trace::open(&path).unwrap();
            let mut analysis = Analysis::new(Options { procs: true, ..Options::default() });
            let mut reader = trace.reader(Mode::Tolerant).unwrap();
            reader.fold_parallel(1, &mut analysis, |_| {}).unwrap();
            analysis.finish();
            let has_generations = trace.version().has_generations();
            traces += 1;
            constant += u32::from(fits(&analysis, has_generations, &path));
        }
    }
    assert!(traces > 100 && constant > 100, "{constant} of {traces}");
}

/// Whether GOMAXPROCS is known, and always the same.
fn fits(analysis: &Analysis, has_generations: bool, path: &Path) -> bool {
    let procs = analysis.procs.as_ref().unwrap();
    let Load { held, procs: all, runnable, idle_while_runnable: idle } = procs.total;
    let duration = analysis.end() - analysis.start();
    let path = path.display();

    let mut steps = Load::default();
    procs.timeline.steps().for_each(|(_, step)| steps.add(step));
    assert_eq!(steps, procs.total, "{path}");
    assert_eq!(procs.procs.values().map(|proc| proc.held).sum::<i64>(), held, "{path}");

    // The waits for a proc are counted elsewhere, from the same moments on.
    let waits = analysis.waits.sums().filter(|(key, _)| key.kind == WaitKind::Sched);
    let waited: i64 = waits.map(|(_, sum)| sum.total + sum.open_total + sum.before).sum();
    if has_generations {
        assert_eq!(runnable, waited, "{path}");
    }

    let Some(&(_, first)) = procs.changes.first() else {
        assert_eq!(all, 0, "{path}");
        return false;
    };
    let numbers = procs.changes.iter().map(|change| change.1);
    let (least, most) = (numbers.clone().min().unwrap(), numbers.max().unwrap());
    assert!((least * duration..=most * duration).contains(&all), "{path}: {all}");
    if least < most {
        return false;
    }
    assert_eq!(all, first * duration, "{path}");
    assert!(held + idle <= all, "{path}: {held} and {idle} of {all}");
    true
}
