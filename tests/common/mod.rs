//! What the tests that run the binary share.
#![allow(dead_code)] // Every test file takes what it needs.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// The repository's own folder, where configs/ is.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the real data sets, or a line on why a test does nothing.
pub fn real_data() -> Option<PathBuf> {
    let root = std::env::var_os("KILN_DATA").map(PathBuf::from);
    if root.is_none() {
        eprintln!("skipped: KILN_DATA is not set");
    }
    // Tests run elsewhere than in the repository's folder.
    root.map(|root| std::path::absolute(root).expect("a path"))
}

/// A folder of its own for a test, and `kiln` in it.
pub struct Bench {
    pub folder: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `kiln` with arguments separated by spaces, run in the test's folder.
    pub fn kiln(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
        command
            .current_dir(self.folder.path())
            .args(arguments.split_whitespace())
            .env_remove("KILN_DATA");
        if let Some(root) = std::env::var_os("KILN_DATA") {
            command.env("KILN_DATA", std::path::absolute(root).expect("a path"));
        }
        command
    }

    /// Runs `kiln`, which must succeed, and returns its standard output.
    pub fn output(&self, arguments: &str) -> String {
        let output = self.kiln(arguments).assert().success().get_output().clone();
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs `kiln --json`, which must succeed.
    pub fn json(&self, arguments: &str) -> serde_json::Value {
        serde_json::from_str(&self.output(arguments)).expect("JSON on standard output")
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, content).expect("a file");
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Every file and folder below the test's folder.
    pub fn listing(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(&path, found);
                }
                found.push(path);
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), &mut found);
        found.sort();
        found
    }
}

/// A small run on drawn glyphs that trains in about a second.
pub const SMALL: &str = r#"{
  "data": {"kind": "glyphs", "train": 1440, "valid": 360, "test": 360},
  "model": {"kind": "mlp", "hidden": [32], "activation": "relu"},
  "optimizer": {"kind": "adam", "lr": 3e-3},
  "training": {"epochs": 3, "batch_size": 48}
}"#;

/// HTML elements without an end tag.
const VOID: [&str; 3] = ["meta", "img", "br"];

/// Fails unless every start tag has its end tag, in order, and every attribute its quotes.
pub fn assert_well_formed(page: &str) {
    let mut rest = page
        .strip_prefix("<!DOCTYPE html>")
        .expect("a doctype comes first");
    let mut open: Vec<&str> = Vec::new();
    while let Some(at) = rest.find('<') {
        let end = tag_end(&rest[at..]).unwrap_or_else(|| panic!("no end of {:.60}", &rest[at..]));
        let tag = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.trim()), "end tag out of order");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        assert!(
            name.starts_with(|c: char| c.is_ascii_alphabetic()),
            "an unescaped <: {tag:.60}"
        );
        if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
        if name == "style" {
            rest = &rest[rest.find("</style>").expect("the style sheet ends")..];
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

/// Where the tag that `text` starts with ends: the first `>` outside of quotes.
fn tag_end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, letter)| {
        quoted ^= letter == '"';
        (letter == '>' && !quoted).then_some(at)
    })
}

/// Fails if a page would load anything, or run anything.
pub fn assert_self_contained(page: &str) {
    let without_namespaces = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for outside in [
        "http:", "https:", "<script", "<link", "<a ", "@import", "url(",
    ] {
        assert!(!without_namespaces.contains(outside), "{outside}");
    }
}
