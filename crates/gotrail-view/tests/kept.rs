//! Indexes that are kept: the second time a trace is opened, everything is there at once, and the
//! same.

use gotrail::Trace;
use gotrail_view::kept::Folder;
use gotrail_view::lane::{Colour, Lane};
use gotrail_view::tile;
use gotrail_view::view::{Room, View};
use std::fs;
use std::path::{Path, PathBuf};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces").join(name)
}

fn view(trace: &[u8], folder: &Path) -> View {
    let folder = Folder::new(folder.to_owned()).expect("a folder");
    let room = Room { memory: 1 << 16, folder: Some(folder), block: 1000 };
    let view = View::new("a trace".to_owned(), PathBuf::new(), room);
    view.read(Trace::from_bytes(trace.to_vec()).expect("a trace"));
    view
}

/// Everything that one can ask, of a few lanes and times.
fn answers(view: &View) -> Vec<String> {
    let index = view.index.read();
    let mut lanes = vec![Lane::All, Lane::Gc, Lane::Stops];
    lanes.extend((0..index.groups.len() as u32).map(Lane::Group));
    lanes.extend(index.goroutines.iter().map(|goroutine| Lane::Go(goroutine.id)));
    lanes.extend(index.goroutines.iter().map(|goroutine| Lane::Regions(goroutine.id)));
    lanes.extend(index.procs.all.iter().map(|proc| Lane::Proc(proc.id)));
    lanes.extend(index.threads.all.iter().map(|thread| Lane::Thread(thread.id)));
    lanes.extend(index.marks.tasks.iter().map(|task| Lane::Task(task.id)));
    let mut all = Vec::new();
    for level in [index.level - 2, index.level, index.level + 4] {
        for number in 0..2 {
            all.push(format!(
                "{:?}",
                tile::tile(&index, level, number, &lanes, Colour::Function).expect("a tile")
            ));
        }
    }
    let (middle, end) = (index.indexed / 2, index.indexed);
    let go = index.goroutines[0].id;
    drop(index);
    all.push(view.about().to_string());
    all.push(view.labels(0).to_string());
    all.push(view.lanes().to_string());
    all.push(view.members(None, "id", (0, 1000), (0, end), "").expect("rows").to_string());
    all.push(view.tasks("begin", (0, 1000), (0, end), "").expect("rows").to_string());
    all.push(view.selection(middle, end, &[]).expect("sums").to_string());
    all.push(view.arrows(0, middle, &[], 1000).expect("rows").to_string());
    all.push(format!("{:?}", view.span(Lane::Go(go), middle)));
    for kind in ["logs", "tasks", "regions", "samples", "stw", "gc", "lost"] {
        all.push(view.marks(kind, 0, end, 1000).expect("rows").to_string());
    }
    all
}

/// The one file of a folder.
fn only_file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("it").path());
    let file = files.next().expect("a file");
    assert_eq!(files.next(), None);
    file
}

#[test]
fn what_is_kept_answers_as_what_is_new() {
    for name in ["go1.27/annotations.trace", "go1.27/gc.trace", "go1.21/channels.trace"] {
        let folder = tempfile::tempdir().expect("a folder");
        let trace = fs::read(path(name)).expect("a trace");
        let first = answers(&view(&trace, folder.path()));
        let file = only_file(folder.path());
        let written = file.metadata().expect("it").modified().expect("a time");
        let second = answers(&view(&trace, folder.path()));
        assert_eq!(first, second, "{name}");
        // It was not written again, only used.
        assert_eq!(only_file(folder.path()), file);
        assert!(file.metadata().expect("it").modified().expect("a time") >= written);
        // A cut trace is another trace, and what it lost is kept too.
        let cut = &trace[..trace.len() * 2 / 3];
        let broken = answers(&view(cut, folder.path()));
        assert_ne!(first, broken, "{name}");
        assert_eq!(broken, answers(&view(cut, folder.path())), "{name}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }
}

#[test]
fn a_damaged_index_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = fs::read(path("go1.27/network.trace")).expect("a trace");
    let expected = answers(&view(&trace, folder.path()));
    let file = only_file(folder.path());
    let whole = fs::read(&file).expect("it");
    let mut flipped = whole.clone();
    let last = flipped.len() - 30;
    flipped[last] ^= 1;
    let mut early = whole.clone();
    early[100] ^= 1;
    for damaged in [&flipped[..], &early, &whole[..whole.len() / 2], &whole[..10], b""] {
        fs::write(&file, damaged).expect("it can be written");
        assert_eq!(answers(&view(&trace, folder.path())), expected);
        assert_eq!(fs::read(&file).expect("it"), whole);
    }
}

/// Whoever changes what is kept must change its form's number too (`FORM` in kept.rs), so that old
/// files are not taken for new ones: then this length changes with it.
#[test]
fn the_form_has_not_changed_without_its_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = fs::read(path("go1.27/annotations.trace")).expect("a trace");
    view(&trace, folder.path());
    let file = only_file(folder.path());
    let name = file.file_name().expect("a name").to_str().expect("plain").to_owned();
    let form = name.trim_end_matches(".index").rsplit('-').next().expect("a form").to_owned();
    let len = file.metadata().expect("it").len();
    assert_eq!((form.as_str(), len), ("9", 17909), "{name}");
}
