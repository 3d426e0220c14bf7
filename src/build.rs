//! The build script: the versions that kiln reports, which tests can run on this machine, and for WebAssembly the models in a form
//! that compresses better.
//!
//! A test that needs a data set or a tool says `#[cfg_attr(not(kiln_data = "nist36"), ignore = "needs nist36 in KILN_DATA")]`,
//! so that it is reported as ignored where it can't run. Cargo looks again when `KILN_DATA` changes or a data set's file does;
//! after adding a data set, a tool or a Python package, `touch src/build.rs`.

#[path = "ocr/shipped/packed.rs"]
mod packed;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The data sets that tests use, and what must be in each one's folder below `KILN_DATA`.
const DATA_SETS: [(&str, &[&str]); 13] = [
    (
        "cifar10",
        &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
            "test_batch.bin",
        ],
    ),
    ("checkpoints", &["reference.json"]),
    ("efficientnet_lite0", &["efficientnet-lite0-57934424.pth"]),
    ("flowers17", &["train", "val", "test"]),
    ("handwritten36", &["A", "9"]),
    ("hw4-images", &["ground-truth.json"]),
    ("nist26", &["nist26_valid.mat"]),
    (
        "nist36",
        &["nist36_train.mat", "nist36_valid.mat", "nist36_test.mat"],
    ),
    ("pages", &["ground-truth.json"]),
    ("photos", &["ground-truth.json"]),
    ("squeezenet1_1", &["reference_logits.json"]),
    ("unipen", &["strokes.jsonl.gz"]),
    ("unipen-lower", &["strokes.jsonl.gz"]),
];

/// Programs that tests run.
const TOOLS: [&str; 4] = ["mpiexec", "pdftoppm", "pdftotext", "script"];

/// Packages of Python that tests use, each with the modules that must be there.
const PYTHON: [(&str, &[&str]); 3] = [
    ("onnxruntime", &["numpy", "onnx", "onnxruntime"]),
    ("pyarrow", &["numpy", "pandas", "PIL", "pyarrow"]),
    ("torch", &["numpy", "PIL", "torch"]),
];

/// Where drivers of Vulkan describe themselves on Linux, and the variables that name other places.
const VULKAN_DRIVERS: [&str; 2] = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
const VULKAN_VARIABLES: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// Linux's number of the capability that mounting needs.
const CAP_SYS_ADMIN: u32 = 21;

/// The folders of `artifacts` with a model that is part of kiln.
const MODELS: [&str; 2] = ["ocr", "ocr_mixed"];

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rustc-env=KILN_RUSTC={}", compiler());
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rustc-env=KILN_BURN_VERSION={}", locked("burn"));
    data_sets();
    tools();
    python();
    vulkan();
    println!("cargo::rustc-check-cfg=cfg(kiln_may_mount)");
    if may_mount() {
        println!("cargo::rustc-cfg=kiln_may_mount");
    }
    if env::var_os("CARGO_CFG_TARGET_ARCH").is_some_and(|arch| arch == "wasm32") {
        pack_models();
    }
}

/// The compiler and its version.
fn compiler() -> String {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    version.as_deref().map_or("unknown", str::trim).into()
}

/// The version of a dependency in Cargo.lock.
fn locked(package: &str) -> String {
    let lock = fs::read_to_string("Cargo.lock").expect("Cargo.lock lies beside Cargo.toml");
    let mut lines = lock.lines();
    let name = format!("name = \"{package}\"");
    lines.find(|line| *line == name);
    let version = lines
        .next()
        .and_then(|line| line.strip_prefix("version = "));
    let version = version.unwrap_or_else(|| panic!("Cargo.lock has no package {package}"));
    version.trim_matches('"').into()
}

/// Switches on `kiln_data = "NAME"` for every data set that exists.
fn data_sets() {
    let names = DATA_SETS.map(|(name, _)| format!("\"{name}\"")).join(", ");
    println!("cargo::rustc-check-cfg=cfg(kiln_data, values({names}))");
    println!("cargo::rerun-if-env-changed=KILN_DATA");
    let Some(root) = env::var_os("KILN_DATA").map(PathBuf::from) else {
        return;
    };
    // A relative folder starts at the package's, where Cargo runs this script and the tests.
    for (name, parts) in DATA_SETS {
        let paths: Vec<PathBuf> = parts
            .iter()
            .map(|part| root.join(name).join(part))
            .collect();
        if paths.iter().all(|path| path.exists()) {
            println!("cargo::rustc-cfg=kiln_data=\"{name}\"");
            // Folders would be searched to the bottom at every build.
            for path in paths.iter().filter(|path| path.is_file()) {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
    }
}

/// Switches on `kiln_tool = "NAME"` for every program that is on the path.
fn tools() {
    let names = TOOLS.map(|name| format!("\"{name}\"")).join(", ");
    println!("cargo::rustc-check-cfg=cfg(kiln_tool, values({names}))");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    for name in TOOLS {
        let there = |folder: &PathBuf| {
            folder
                .join(name)
                .with_extension(env::consts::EXE_EXTENSION)
                .is_file()
        };
        if folders.iter().any(there) {
            println!("cargo::rustc-cfg=kiln_tool=\"{name}\"");
        }
    }
}

/// Switches on `kiln_python = "NAME"` for every package that the Python of `KILN_PYTHON`, or `python3` without, can import.
fn python() {
    let names = PYTHON.map(|(name, _)| format!("\"{name}\"")).join(", ");
    println!("cargo::rustc-check-cfg=cfg(kiln_python, values({names}))");
    println!("cargo::rerun-if-env-changed=KILN_PYTHON");
    let python = env::var("KILN_PYTHON").unwrap_or_else(|_| "python3".into());
    println!("cargo::rustc-env=KILN_PYTHON={python}");
    // Found, not imported: that would take seconds.
    let program =
        "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))";
    for (name, modules) in PYTHON {
        let mut command = Command::new(&python);
        let status = command.args(["-c", program]).args(modules).output();
        if status.is_ok_and(|output| output.status.success()) {
            println!("cargo::rustc-cfg=kiln_python=\"{name}\"");
        }
    }
}

/// Switches on `kiln_vulkan` if there is a driver of Vulkan, which may compute in software.
fn vulkan() {
    println!("cargo::rustc-check-cfg=cfg(kiln_vulkan)");
    let named = VULKAN_VARIABLES.into_iter().any(|name| {
        println!("cargo::rerun-if-env-changed={name}");
        env::var_os(name).is_some()
    });
    let found = VULKAN_DRIVERS.into_iter().any(|folder| {
        let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
        files.any(|file| file.path().extension().is_some_and(|end| end == "json"))
    });
    if named || found {
        println!("cargo::rustc-cfg=kiln_vulkan");
    }
}

/// Whether this process has the right to mount a file system.
fn may_mount() -> bool {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let mut lines = status.lines();
    let effective = lines.find_map(|line| line.strip_prefix("CapEff:"));
    let bits = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    bits.is_some_and(|bits| bits >> CAP_SYS_ADMIN & 1 == 1)
}

/// Writes each model in its packed form, which `src/ocr/shipped` undoes.
fn pack_models() {
    println!("cargo::rerun-if-changed=src/ocr/shipped/packed.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR"));
    for model in MODELS {
        let path = format!("artifacts/{model}/model.safetensors");
        println!("cargo::rerun-if-changed={path}");
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let target = out.join(format!("{model}.packed"));
        fs::write(&target, packed::pack(&bytes))
            .unwrap_or_else(|error| panic!("{}: {error}", target.display()));
    }
}
