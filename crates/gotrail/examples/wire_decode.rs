//! Decodes the raw events of a trace and puts nothing in order: how fast the bytes alone can be
//! read. Prints how many events there are and how long it took, mapping the file included.
//!
//! ```sh
//! cargo run --release -p gotrail --example wire_decode -- trace.out
//! ```

use gotrail::Trace;
use gotrail::format::raw::RawReader;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: wire_decode TRACE")?;
    let start = Instant::now();
    let trace = Trace::open(Path::new(&path))?;
    let mut reader = RawReader::new(trace.bytes())?;
    let mut events = 0u64;
    while let Some(event) = reader.next()? {
        // The event is there to be used: without this the compiler may leave out half the work.
        // Frames and data lie in the reader in any case.
        black_box((event.event_type(), event.args()));
        events += 1;
    }
    println!("{events} events, {:.6} s", start.elapsed().as_secs_f64());
    Ok(())
}
