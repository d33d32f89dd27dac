//! Compresses the built page, so that it is smaller in the program and need not be compressed for
//! each browser.

use flate2::{Compression, GzBuilder};
use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

fn main() -> io::Result<()> {
    let dist = Path::new("../../web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let out = env::var_os("OUT_DIR").expect("cargo says where");
    let page = Path::new(&out).join("page");
    if page.exists() {
        fs::remove_dir_all(&page)?;
    }
    fs::create_dir_all(&page)?;
    for entry in fs::read_dir(dist)? {
        let entry = entry?;
        let name = entry.file_name().into_string().expect("the page's names are plain");
        // Without name and time, so that the same page is the same bytes.
        let out = File::create(page.join(name + ".gz"))?;
        let mut out = GzBuilder::new().write(out, Compression::best());
        out.write_all(&fs::read(entry.path())?)?;
        out.finish()?;
    }
    Ok(())
}
