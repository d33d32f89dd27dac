//! What is damaged is shown as far as it goes, and what is no file is read like standard input.

use crate::common::{self, arg, committed};
use crate::server::Server;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("it takes it");
    encoder.finish().expect("it ends")
}

fn cache() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn what_is_left_of_a_compressed_file_is_shown() {
    let trace = fs::read(committed("go1.27/generations")).expect("a trace");
    let folder = tempfile::tempdir().expect("a folder");
    // In many blocks: of one that is cut nothing is left.
    let mut zstd = zstd::stream::Encoder::new(Vec::new(), 3).expect("it begins");
    for some in trace.chunks(4096) {
        zstd.write_all(some).and_then(|()| zstd.flush()).expect("it takes it");
    }
    let zstd = zstd.finish().expect("it ends");
    for (name, packed) in [("cut.gz", gzip(&trace)), ("cut.zst", zstd)] {
        let path = folder.path().join(name);
        fs::write(&path, &packed[..packed.len() * 3 / 4]).expect("it can be written");
        // As many events as the command reads.
        let told = common::run(&["info", "--json", arg(&path)]);
        let told: serde_json::Value = serde_json::from_str(&told.out).expect("an object");
        let stdin = fs::File::open(&path).expect("it is there");
        for server in [
            Server::start_with(&[arg(&path)], Stdio::null(), cache()),
            Server::start_with(&["-"], stdin.into(), cache()),
        ] {
            let about = server.json("/api/trace");
            assert_eq!(about["events"], told["events"], "{name} {about}");
            assert_eq!((&about["complete"], &about["error"]), (&false.into(), &().into()));
            let lost = about["lost"].as_array().expect("a list");
            let said = lost.iter().filter_map(|row| row["what"].as_str());
            assert!(said.into_iter().any(|what| what.contains("cut off")), "{name}: {about}");
            // Commands read it, too.
            let (status, text) = server.get("/api/answer/goroutines?top=1", &[]);
            assert_eq!(status, 200, "{name}: {text}");
        }
    }
}

#[test]
fn where_there_is_no_trace_the_page_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("junk.gz");
    fs::write(&path, gzip(b"junk that is no trace")).expect("it can be written");
    let server = Server::start_with(&[arg(&path)], Stdio::null(), cache());
    let about = server.json("/api/trace");
    let error = about["error"].as_str().expect("an error");
    assert!(error.contains("not a Go execution trace"), "{error}");
    assert!(about["version"].is_null() && about["complete"] == false, "{about}");
    assert_eq!(server.get("/", &[]).0, 200);
    let lanes = server.json("/api/lanes");
    assert_eq!(lanes["groups"].as_array().map(Vec::len), Some(0), "{lanes}");
    let (status, text) = server.get("/api/answer/goroutines", &[]);
    assert!(status == 404 && text.contains("there is no trace"), "{text}");
    // What is certain before anything is served ends with an error.
    for missing in [folder.path().join("nothing"), folder.path().to_owned()] {
        let run = common::run(&["view", "--no-open", arg(&missing)]);
        assert!(run.code == 1 && run.out.is_empty(), "{}", run.err);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_like_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = Server::start("go1.27/network").json("/api/lanes");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
    let from = committed("go1.27/network");
    let to = pipe.clone();
    let writer = std::thread::spawn(move || fs::copy(from, to));
    let server = Server::start_with(&[arg(&pipe)], Stdio::null(), cache());
    writer.join().expect("it ends").expect("it writes");
    assert_eq!(server.json("/api/lanes"), plain);
    assert_eq!(server.get("/api/answer/goroutines?top=1", &[]).0, 200);
    let command = server.json("/api/selection?from=1&to=9000")["command"].to_string();
    assert!(command.contains("- < TRACE"), "{command}");
}
