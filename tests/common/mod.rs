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
