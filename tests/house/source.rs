//! The source files, parsed.

use std::path::{Path, PathBuf};

/// A file of Rust code.
pub struct Source {
    /// Path from the package root, with `/`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What it holds.
    pub syntax: syn::File,
}

impl Source {
    /// The path of the module that the file is: `["data", "mat"]` for `src/data/mat/mod.rs`; empty for `src/lib.rs`.
    pub fn module(&self) -> Vec<String> {
        let path = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        let mut parts: Vec<String> = path.split('/').map(String::from).collect();
        if matches!(parts.last().map(String::as_str), Some("mod")) || parts == ["lib"] {
            parts.pop();
        }
        parts
    }

    /// The top-level module that it belongs to.
    pub fn room(&self) -> String {
        self.module().first().cloned().unwrap_or_default()
    }
}

/// All `.rs` files in these folders of the package.
pub fn read_all(folders: &[&str]) -> Vec<Source> {
    // Cargo sets it when it runs the test; the one of the build serves where somebody else runs it.
    let root = std::env::var_os("CARGO_MANIFEST_DIR");
    let root = root.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = root.as_path();
    let mut found = Vec::new();
    for folder in folders {
        read_folder(root, &root.join(folder), &mut found);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "no source files in {folders:?}");
    found
}

fn read_folder(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("a folder of source files") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_folder(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a text");
            let syntax =
                syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let name = path.strip_prefix(root).expect("inside the package");
            found.push(Source {
                name: name.to_string_lossy().replace('\\', "/"),
                text,
                syntax,
            });
        }
    }
}
