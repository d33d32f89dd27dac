//! `dump footprint --json`: the table as numbers.

use std::process::Command;

const TRACE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/traces/go1.27/empty.trace");

fn gotrail(args: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_gotrail")).args(args).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn the_numbers_are_those_of_the_table() {
    let (json, status) = gotrail(&["dump", "footprint", "--json", TRACE]);
    assert_eq!(status, Some(0));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let (table, _) = gotrail(&["dump", "footprint", TRACE]);
    let mut lines = table.lines().skip(2).map(|line| line.split_whitespace());
    for row in json["events"].as_array().unwrap() {
        let fields: Vec<&str> = lines.next().unwrap().collect();
        assert_eq!(fields[0], row["event"].as_str().unwrap());
        assert_eq!(fields[1], row["bytes"].to_string());
        assert_eq!(fields[3], row["count"].to_string());
    }
    assert_eq!(json["bytes"].as_u64(), Some(std::fs::metadata(TRACE).unwrap().len()));
}

#[test]
fn events_have_their_own_json() {
    assert_eq!(gotrail(&["dump", "wire", "--json", TRACE]).1, Some(2));
}
