//! Where things are: the workspace, its test data, and the caches outside of it.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

/// The root of the workspace. Cargo says where this package is now: two clones that share a target
/// folder may share this program too, so that where it was built says nothing.
pub(crate) fn workspace() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let package = env::var_os("CARGO_MANIFEST_DIR");
        let package =
            package.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        package.parent().expect("xtask is a folder of the workspace").to_owned()
    })
}

/// The folder of programs and recorded traces.
pub(crate) fn testdata() -> PathBuf {
    workspace().join("testdata")
}

/// The user's cache folder; everything that is slow to make again goes below it.
pub(crate) fn cache() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        return Ok(PathBuf::from(dir));
    }
    let home = env::home_dir().context("no home folder: set HOME or XDG_CACHE_HOME")?;
    Ok(home.join(".cache"))
}

/// A path as a person wants to see it: relative to the workspace if it is inside.
pub(crate) fn show(path: &Path) -> String {
    path.strip_prefix(workspace()).unwrap_or(path).display().to_string()
}
