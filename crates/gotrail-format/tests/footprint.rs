//! The footprint table against tables that the reference printed.

use gotrail_format::Version;
use gotrail_format::footprint::Footprint;
use gotrail_format::{raw::RawReader, text};

/// `data/footprint.table` is what `go tool trace -d=footprint` of Go 1.27.3 prints for the trace
/// next to it. Most rows tie, and so the table shows the order of an unstable sort.
#[test]
fn the_table_equals_that_of_the_reference() {
    let bytes = text::to_bytes(include_str!("data/footprint.trace.txt")).unwrap();
    let mut reader = RawReader::new(&bytes).unwrap();
    let mut footprint = Footprint::new(reader.version());
    while let Some(event) = reader.next().unwrap() {
        footprint.add(&event);
    }
    let mut table = Vec::new();
    footprint.write_table(&mut table, bytes.len() as u64);
    assert_eq!(String::from_utf8(table).unwrap(), include_str!("data/footprint.table"));
}

#[test]
fn a_trace_without_events_has_shares_of_nothing() {
    let mut table = Vec::new();
    Footprint::new(Version::Go122).write_table(&mut table, 16);
    let table = String::from_utf8(table).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 258);
    assert_eq!(lines[0], "Event                Bytes  %      Count  %");
    assert_eq!(lines[1], "-                    -      -      -      -");
    assert_eq!(lines[2], "                     0      0.00%  0      NaN%");
    assert_eq!(lines[3], "EventBatch           0      0.00%  0      NaN%");
    assert_eq!(lines[257], "<unknown (255)>      0      0.00%  0      NaN%");
}
