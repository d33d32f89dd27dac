//! Where a file that a trace names is in a checkout: programs are built elsewhere, and name their
//! files by absolute paths of that machine, or with `-trimpath` by the paths of their packages.

use std::path::{Component, Path, PathBuf};

/// A checkout of the program's code.
pub(crate) struct Checkout {
    root: PathBuf,
    /// The path of the module, with a slash.
    module: Option<String>,
}

impl Checkout {
    /// The checkout in this directory.
    pub(crate) fn new(root: &Path) -> Checkout {
        let root = root.canonicalize().unwrap_or(root.to_owned());
        let text = std::fs::read_to_string(root.join("go.mod")).unwrap_or_default();
        let module = text.lines().find_map(|line| line.trim().strip_prefix("module "));
        let module = module.map(|name| format!("{}/", name.trim().trim_matches('"')));
        Checkout { root, module }
    }

    /// The path of a file from the checkout's directory on, if it is one of the checkout's.
    pub(crate) fn relative(&self, file: &str) -> Option<String> {
        if let Ok(inside) = Path::new(file).strip_prefix(&self.root) {
            return Some(inside.display().to_string());
        }
        if let Some(inside) = self.module.as_ref().and_then(|module| file.strip_prefix(module)) {
            return Some(inside.to_owned());
        }
        // As much of its end as there is here.
        let names = Path::new(file).components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        });
        let names: Vec<_> = names.collect();
        let ends = (0..names.len()).map(|at| names[at..].iter().collect::<PathBuf>());
        let mut here = ends.filter(|end| self.root.join(end).is_file());
        here.next().map(|end| end.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_wherever_they_were_built() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::create_dir(root.join("store")).expect("a folder");
        std::fs::write(root.join("store/get.go"), "").expect("a file");
        std::fs::write(root.join("go.mod"), "module example.com/app\n\ngo 1.27\n").expect("a file");
        let checkout = Checkout::new(root);
        let inside = root.canonicalize().expect("a path").join("store/get.go");
        for file in [
            inside.to_str().expect("UTF-8"),
            "/home/ci/build/app/store/get.go",
            "example.com/app/store/get.go",
            "./store/get.go",
        ] {
            assert_eq!(checkout.relative(file).as_deref(), Some("store/get.go"), "{file}");
        }
        assert_eq!(checkout.relative("/go/src/sync/mutex.go"), None);
        assert_eq!(checkout.relative("example.com/other@v1.2.3/get.go"), None);
    }
}
