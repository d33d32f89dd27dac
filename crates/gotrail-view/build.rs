//! Puts the built page into the program, compressed: smaller, and nothing is left to do for a browser.

use flate2::{Compression, GzBuilder};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

fn main() -> io::Result<()> {
    let dist = Path::new("page");
    println!("cargo::rerun-if-changed={}", dist.display());
    let out = env::var_os("OUT_DIR").expect("cargo says where");
    let mut files = Vec::new();
    for entry in fs::read_dir(dist)? {
        let entry = entry?;
        let name = entry.file_name().into_string().expect("the page's names are plain");
        // Without name and time, so that the same page is the same bytes.
        let mut small = GzBuilder::new().write(Vec::new(), Compression::best());
        small.write_all(&fs::read(entry.path())?)?;
        let path = Path::new(&out).join(name.clone() + ".gz");
        fs::write(&path, small.finish()?)?;
        files.push((name, path));
    }
    files.sort();
    let mut list = "&[\n".to_owned();
    for (name, path) in files {
        writeln!(list, "({name:?}, include_bytes!({:?})),", path.display().to_string())
            .expect("text");
    }
    fs::write(Path::new(&out).join("page.rs"), list + "]")
}
