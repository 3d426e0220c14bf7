//! Helpers of the tests that run the binary.
#![allow(dead_code)] // No test uses all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use kiln::models::{Network, parameters};
use kiln::weights;
use safetensors::tensor::{Dtype, TensorView};
use tempfile::TempDir;

/// The repository's own folder, where configs/ is.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the real data sets, for tests that are ignored without one (see src/build.rs); a relative `KILN_DATA` starts
/// at the repository.
pub fn real_data() -> PathBuf {
    let root = std::env::var_os("KILN_DATA").expect("KILN_DATA is set");
    repository().join(root)
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
            command.env("KILN_DATA", repository().join(root));
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

/// A small file system of its own, unmounted when the value is dropped.
pub struct Mounted {
    folder: PathBuf,
}

impl Mounted {
    /// Mounts it at `disk/` in the test's folder.
    pub fn new(bench: &Bench, kilobytes: usize) -> Self {
        let folder = bench.path("disk");
        std::fs::create_dir(&folder).unwrap();
        let mounted = Self { folder };
        assert!(mounted.mount(&format!("size={kilobytes}k")), "can't mount");
        mounted
    }

    /// Mounts it, or again with other options.
    pub fn mount(&self, options: &str) -> bool {
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]);
        mount.arg(&self.folder).stderr(std::process::Stdio::null());
        mount.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg(&self.folder)
            .status();
    }
}

/// The tensors of a `.safetensors` file by name: shapes and values.
pub fn tensors(file: &[u8]) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let file = safetensors::SafeTensors::deserialize(file).expect("safetensors");
    let tensors = file.iter().map(|(name, view)| {
        let values = view.data().chunks_exact(4);
        let values = values.map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")));
        let shape = view.shape().to_vec();
        (name.to_string(), (shape, values.collect()))
    });
    tensors.collect()
}

/// `count` numbers in [0, 1) that look random, and that Python makes as well: `sin(12.9898 i + 78.233 k) * 43758.5453`
/// less what is before the point.
pub fn noise(count: usize, k: usize) -> Vec<f64> {
    let number = |i: usize| {
        let value = (12.9898 * i as f64 + 78.233 * k as f64).sin() * 43_758.545_3;
        value - value.floor()
    };
    (0..count).map(number).collect()
}

/// A network with the weights `2 noise - 1` (plus 1.5 for what must be above zero), as the files' names in their order
/// number the noise from `first` on.
pub fn noisy(network: Network, first: usize) -> Network {
    let mut numbers: Vec<_> = parameters::list(&network);
    numbers.sort_by(|a, b| a.name.cmp(&b.name));
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = numbers
        .into_iter()
        .enumerate()
        .map(|(index, parameter)| {
            let positive = ["running_var", "norm.weight"];
            let above = positive.iter().any(|end| parameter.name.ends_with(end));
            let offset = if above { 1.5 } else { 0.0 };
            let values = noise(parameter.values(), first + index);
            let bytes = values
                .iter()
                .flat_map(|value| ((value * 2.0 - 1.0 + offset) as f32).to_le_bytes());
            (parameter.name, parameter.shape, bytes.collect())
        })
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a tensor");
        (name.as_str(), view)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("noise.safetensors");
    let file = safetensors::serialize(views, None).expect("a file");
    std::fs::write(&path, file).expect("a file");
    let (network, _) = weights::load(network, &path, &[]).expect("its own tensors");
    network
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
