//! Reads a trace once in order; then reads all of it again, from checkpoints, on several threads.
//! Prints how many events each pass had and how long it took.
//!
//! ```sh
//! cargo run --release -p gotrail --example second_pass -- trace.out 2
//! ```

use gotrail::{Event, Mode, Trace};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use std::time::Instant;

/// At least so many events are between two checkpoints of a generation.
const EVERY: u64 = 100_000;

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

    let checkpoints = trace.checkpoints_every(EVERY)?;
    let start = Instant::now();
    let parts = trace.for_each_part(&checkpoints, threads, |mut part| {
        let mut events = 0;
        let _ = part.for_each_event(|event| count(event, &mut events))?;
        Ok(events)
    })?;
    let time = start.elapsed().as_secs_f64();
    // The sync at the end of the trace belongs to no generation.
    let again = parts.into_iter().sum::<u64>() + 1;
    println!("second pass: {again} events, {time:.6} s");
    if again != events {
        return Err("both passes must have the same events".into());
    }
    Ok(())
}

/// What both passes do with an event: as little as possible, but they do look at it.
fn count(event: &Event<'_>, events: &mut u64) -> ControlFlow<()> {
    black_box(event);
    *events += 1;
    ControlFlow::Continue(())
}
