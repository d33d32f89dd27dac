//! scratch
use gotrail_analyze::*;
use std::io::Write;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let threads: usize = args[2].parse().unwrap();
    let trace = gotrail::Trace::open(args[1].as_ref()).unwrap();
    let t = std::time::Instant::now();
    let mut a = Analysis::new(Options { regions: args.len() > 3, scope: None });
    let mut r = trace.reader(gotrail::Mode::Strict).unwrap();
    let n = r.fold_parallel(threads, &mut a, |_| {});
    a.finish();
    let n = n.unwrap();
    eprintln!(
        "{n} events {:.1} ns/event; {} goroutines {} stacks",
        t.elapsed().as_nanos() as f64 / n as f64,
        a.goroutines.iter().len(),
        a.names.stack_count()
    );
    if args.len() <= 3 {
        return;
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let js = |s: &[u8]| serde_json::to_string(&*String::from_utf8_lossy(s)).unwrap();
    let times = |t: &Times| {
        let m = |s: &Sums| {
            let mut v: Vec<_> = s.iter().map(|(n, t)| (a.names.string(n).to_string(), t)).collect();
            v.sort();
            v.iter().map(|(n, t)| format!("{}:{t}", js(n.as_bytes()))).collect::<Vec<_>>().join(",")
        };
        let mut o = format!(
            "\"exec\":{},\"sched_wait\":{},\"syscall\":{},\"syscall_block\":{}",
            t.running, t.runnable, t.syscall, t.syscall_blocked
        );
        if !t.blocked.is_empty() {
            o += &format!(",\"block\":{{{}}}", m(&t.blocked));
        }
        if !t.ranges.is_empty() {
            o += &format!(",\"ranges\":{{{}}}", m(&t.ranges));
        }
        o + &format!(",\"total\":{},\"unknown\":{}", t.total, t.unknown())
    };
    if args[3] == "tasks" {
        let mut ids: Vec<_> = a.goroutines.tasks.iter().collect();
        ids.sort_by_key(|t| t.0);
        let n = |o: Option<i64>| o.map_or("null".into(), |v| v.to_string());
        for (id, t) in ids {
            let mut gs: Vec<_> = t.goroutines.iter().map(|g| g.0).collect();
            gs.sort();
            writeln!(out, "{{\"id\":{},\"name\":{},\"parent\":{},\"start\":{},\"end\":{},\"logs\":{},\"regions\":{},\"goroutines\":[{}]}}", id.0, js(a.names.string(t.name)), t.parent.map_or("null".into(), |p| p.0.to_string()), n(t.start), n(t.end), t.logs, t.regions, gs.iter().map(|g| g.to_string()).collect::<Vec<_>>().join(",")).unwrap();
        }
        return;
    }
    let mut regions = std::collections::HashMap::<_, Vec<&Region>>::new();
    for r in a.goroutines.regions() {
        regions.entry(r.go).or_default().push(r);
    }
    let mut gs: Vec<_> = a.goroutines.iter().collect();
    gs.sort_by_key(|g| g.id);
    let n = |o: Option<i64>| o.map_or("null".into(), |v| v.to_string());
    for g in gs {
        let mut rs = regions.remove(&g.id).unwrap_or_default();
        gotrail_format::gosort::sort_unstable_by(&mut rs, |a, b| a.start < b.start);
        let rs = rs
            .iter()
            .map(|r| {
                format!(
                    "{{\"task\":{},\"name\":{},\"start\":{},\"end\":{},{}}}",
                    r.task.0,
                    js(a.names.string(r.name)),
                    n(r.start),
                    n(r.end),
                    times(&r.times)
                )
            })
            .collect::<Vec<_>>()
            .join(",");
        writeln!(
            out,
            "{{\"id\":{},\"name\":{},\"creation\":{},\"start\":{},\"end\":{},{},\"regions\":[{}]}}",
            g.id,
            js(a.names.string(g.name)),
            g.created,
            g.started,
            g.ended,
            times(&g.times),
            rs
        )
        .unwrap();
    }
}
