//! `gotrail check-archive`.

mod common;

use common::{Folder, arg, run, run_with};
use std::path::Path;

const GOOD: &[u8] = b"About.\n-- expect --\nSUCCESS\n-- trace --\nTrace Go1.22
EventBatch gen=1 m=7 time=1 size=4\nProcStatus dt=1 p=0 pstatus=1
EventBatch gen=1 m=7 time=1 size=6\nFrequency freq=1000000000\n";

const EVENTS: &[u8] = b"M=-1 P=-1 G=-1 Sync Time=1 N=1
M=7 P=-1 G=-1 StateTransition Time=2 ProcID=0 Undetermined->Running Reason=\"\"
M=-1 P=-1 G=-1 Sync Time=3 N=2\n";

fn failing(pattern: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(GOOD);
    text.replace("SUCCESS", &format!("FAILURE {pattern:?}")).into_bytes()
}

#[test]
fn the_suite_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/archives");
    let all = run(&["check-archive", arg(&folder)]);
    assert_eq!(all.code, 0, "{}", all.out);
    let lines: Vec<_> = all.out.lines().collect();
    let (last, archives) = lines.split_last().expect("a last line");
    assert!(archives.iter().all(|line| line.starts_with("pass ")), "{}", all.out);
    assert_eq!(*last, format!("{0} archives: {0} passed, 0 failed", archives.len()));
    let json = run(&["check-archive", "--json", arg(&folder)]).json_lines();
    assert_eq!(json.len(), archives.len());
    assert!(json.iter().all(|archive| archive["events_compared"] == true));
}

#[test]
fn each_archive_passes_or_shows_the_difference() {
    let folder = Folder::new();
    let good = folder.file("good.test", GOOD);
    folder.file("good.events", EVENTS);
    let one = run(&["check-archive", arg(&good)]);
    assert_eq!((one.code, one.out), (0, format!("pass {}  3 events\n", arg(&good))));

    let changed = folder.file("changed.test", GOOD);
    folder.file("changed.events", &EVENTS[..EVENTS.len() - 31]);
    let fine = folder.file("fine.test", &failing("unmet"));
    let other = folder.file("other.test", b"-- expect --\nSUCCESS\n");
    let all = run(&["check-archive", arg(&folder.path(""))]);
    assert_eq!(all.code, 1);
    let expected = format!(
        "\
FAIL {}
    events:   differ from {} in line 3
      expected: (nothing more)
      found:    M=-1 P=-1 G=-1 Sync Time=3 N=2
FAIL {}
    expected: FAILURE \"unmet\"
    found:    no error, 3 events
pass {}  3 events
FAIL {}  line 2 (file trace): expected the file, found the end of the archive
    next:     `gotrail check-archive --help` says what an archive is
4 archives: 1 passed, 3 failed
",
        arg(&changed),
        arg(&folder.path("changed.events")),
        arg(&fine),
        arg(&good),
        arg(&other)
    );
    assert_eq!(all.out, expected);

    let json = run(&["check-archive", "--json", arg(&changed), arg(&fine), "nowhere"]).json_lines();
    assert_eq!(json[0]["difference"]["line"], 3);
    assert_eq!((&json[0]["ok"], &json[0]["error"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(
        (&json[1]["expected"], &json[1]["events"]),
        (&"FAILURE \"unmet\"".into(), &3.into())
    );
    assert!(json[2]["problem"].as_str().is_some_and(|what| what.contains("no such file")));
}

#[test]
fn an_error_that_matches_passes_and_another_does_not() {
    let broken = |pattern: &str| {
        let text = String::from_utf8(failing(pattern)).expect("text");
        text.replace("pstatus=1", "pstatus=9").into_bytes()
    };
    let right = run_with(&["check-archive", "-"], &broken("invalid status .* proc 0"));
    assert_eq!((right.code, right.out.as_str()), (0, "pass standard input  1 event\n"));
    let wrong = run_with(&["check-archive", "-"], &broken("something else"));
    assert_eq!(wrong.code, 1);
    assert!(wrong.out.contains("    expected: FAILURE \"something else\"\n"), "{}", wrong.out);
    assert!(wrong.out.contains("    found:    invalid status 9 for proc 0"), "{}", wrong.out);
}

#[test]
fn what_cannot_be_read_fails() {
    let folder = Folder::new();
    let cases = [
        (folder.path("missing"), "there is no such file"),
        (folder.path(""), "the folder has no archives"),
        (folder.file("empty", b""), "expected the file, found the end of the archive"),
    ];
    for (path, expected) in &cases {
        let run = run(&["check-archive", arg(path)]);
        assert_eq!(run.code, 1, "{path:?}");
        assert!(run.out.contains(expected) && run.out.contains("next:"), "{path:?}: {}", run.out);
    }
    assert_eq!(run(&["check-archive"]).code, 2);
}
