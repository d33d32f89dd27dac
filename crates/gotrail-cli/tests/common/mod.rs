//! Traces made for the tests, and the binary that reads them.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use gotrail_format::text;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The thread of batches that belong to none.
const NO_THREAD: &str = "18446744073709551615";

/// A goroutine that runs on the only proc: how most traces here begin.
pub(crate) const RUNNING: &str = "\
ProcStatus dt=1 p=0 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
";

/// The strings that traces may use: 1 to 5.
const STRINGS: &str = r#"Strings
String id=1
	data="region one"
String id=2
	data="region two"
String id=3
	data="task type"
String id=4
	data="main.work"
String id=5
	data="/src/main.go"
"#;

/// The only stack: 1.
const STACKS: &str = "\
Stacks
Stack id=1 nframes=1
	pc=4096 func=4 file=5 line=42
";

/// A trace of format 1.22 with one generation of one thread.
pub(crate) fn trace(events: &str) -> Vec<u8> {
    generations(&[events])
}

/// A trace of format 1.22 with a generation for each of these.
pub(crate) fn generations(events: &[&str]) -> Vec<u8> {
    let mut bytes = b"go 1.22 trace\0\0\0".to_vec();
    for (i, events) in events.iter().enumerate() {
        let number = i as u64 + 1;
        batch(&mut bytes, number, "7", events);
        batch(&mut bytes, number, NO_THREAD, STRINGS);
        batch(&mut bytes, number, NO_THREAD, STACKS);
        batch(&mut bytes, number, NO_THREAD, "Frequency freq=15625000\n");
    }
    bytes
}

/// Appends a batch.
pub(crate) fn batch(bytes: &mut Vec<u8>, number: u64, thread: &str, events: &str) {
    let encode = |events: &str| {
        let bytes = text::to_bytes(format!("Trace Go1.22\n{events}")).expect("text of events");
        bytes[16..].to_vec()
    };
    let payload = encode(events);
    let (time, size) = (number * 1_000_000, payload.len());
    bytes.extend(encode(&format!("EventBatch gen={number} m={thread} time={time} size={size}\n")));
    bytes.extend(payload);
}

/// A healthy trace with a task, a region and a log.
pub(crate) fn healthy() -> Vec<u8> {
    trace(&format!(
        "{RUNNING}\
UserTaskBegin dt=1 task=1 parent_task=0 name_string=3 stack=1
UserRegionBegin dt=1 task=1 name_string=1 stack=1
UserLog dt=1 task=1 key_string=2 value_string=4 stack=1
UserRegionEnd dt=1 task=1 name_string=1 stack=1
UserTaskEnd dt=1 task=1 stack=1
"
    ))
}

/// A region ends that is not the innermost.
pub(crate) fn region_misused() -> Vec<u8> {
    trace(&format!(
        "{RUNNING}\
UserRegionBegin dt=1 task=0 name_string=1 stack=1
UserRegionBegin dt=1 task=0 name_string=2 stack=1
UserRegionEnd dt=1 task=0 name_string=1 stack=1
GoDestroy dt=1
"
    ))
}

/// A task begins twice.
pub(crate) fn task_begun_twice() -> Vec<u8> {
    trace(&format!(
        "{RUNNING}\
UserTaskBegin dt=1 task=9 parent_task=0 name_string=3 stack=1
UserTaskBegin dt=1 task=9 parent_task=0 name_string=3 stack=1
GoDestroy dt=1
"
    ))
}

/// A temporary folder with files.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("the temporary folder");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> =
            entries.map(name).map(|n| n.into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }
}

/// What a run of the binary gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) bytes: Vec<u8>,
}

impl Run {
    /// The JSON on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// The JSON of each line.
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// The binary, in a time zone that does not change.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gotrail"));
    command.env("TZ", "UTC").env_remove("NO_COLOR");
    command
}

/// Runs the binary.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Run {
    result(command().args(args).stdin(Stdio::null()).output().expect("the binary runs"))
}

/// Runs the binary with this standard input.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Run {
    let mut command = command();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        // The binary may close it early.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("the binary ends")
    });
    result(output)
}

fn result(output: Output) -> Run {
    Run {
        code: output.status.code().expect("an exit status, not a signal"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        bytes: output.stdout,
    }
}

/// The path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The recorded traces of the repository; empty before they are there.
pub(crate) fn recorded() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces");
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten();
    let files = folders.filter_map(|entry| std::fs::read_dir(entry.path()).ok()).flatten();
    let mut paths: Vec<_> = files.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "trace"));
    paths.sort();
    paths
}

/// Whether a recorded trace is of a release before Go 1.22.
pub(crate) fn is_old(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["/go1.19/", "/go1.21/"].iter().any(|release| text.contains(release))
}

/// A committed trace by its release and name.
pub(crate) fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../testdata/traces/{name}.trace"))
}

/// Runs a command on a committed trace and compares standard output with a file.
#[track_caller]
pub(crate) fn golden(file: &str, name: &str, args: &[&str]) {
    let path = committed(name);
    let run = run(&[args, &[arg(&path)]].concat());
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{args:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("GOTRAIL_BLESS").is_some() {
        std::fs::write(&path, &run.out).expect("a golden file");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(run.out, expected, "{file}: {args:?}");
}
