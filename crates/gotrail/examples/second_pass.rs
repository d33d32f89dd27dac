//! Reads a trace once in order and keeps the state before each generation; then reads all
//! generations again, from these checkpoints, on several threads. Prints how many events each
//! pass had and how long it took.
//!
//! ```sh
//! cargo run --release -p gotrail --example second_pass -- trace.out 2
//! ```

use gotrail::{Error, Event, Mode, Trace};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let path = args.next().ok_or("usage: second_pass TRACE [THREADS]")?;
    let threads = match args.next() {
        Some(number) => number.to_string_lossy().parse()?,
        None => thread::available_parallelism()?.get(),
    };

    let trace = Trace::open(Path::new(&path))?;
    let start = Instant::now();
    let mut reader = trace.reader(Mode::Strict)?;
    let mut events = 0u64;
    let _ = reader.for_each_event(|event| count(event, &mut events))?;
    println!("first pass: {events} events, {:.6} s", start.elapsed().as_secs_f64());

    let checkpoints = trace.checkpoints()?;
    // Whoever is done with one generation takes the next that nobody has.
    let next = AtomicUsize::new(0);
    let work = || -> Result<u64, Error> {
        let mut events = 0;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(checkpoint) = checkpoints.get(index) else { return Ok(events) };
            let generation = trace.generation(index)?;
            let mut all = generation.events(checkpoint);
            let _ = all.for_each_event(|event| count(event, &mut events))?;
        }
    };
    let start = Instant::now();
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panics")).collect()
    });
    let time = start.elapsed().as_secs_f64();
    // The sync at the end of the trace belongs to no generation.
    let events = results.into_iter().sum::<Result<u64, Error>>()? + 1;
    println!("second pass: {events} events, {time:.6} s");
    Ok(())
}

/// What both passes do with an event: as little as possible, but they do look at it.
fn count(event: &Event<'_>, events: &mut u64) -> ControlFlow<()> {
    black_box(event);
    *events += 1;
    ControlFlow::Continue(())
}
