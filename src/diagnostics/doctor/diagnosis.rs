//! The checks and their results: versions, backends, data sets and the folder for runs.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::compare::{Compute, Difference, Layer, TOLERANCE, compare};
use super::layers;
use crate::config::Backend;
use crate::device::{self, BURN_VERSION, DeviceError};
use crate::error::io_problem;
use crate::fetch::catalogue::DataSet;
use crate::fetch::{has_some, is_complete};

/// Data sets that kiln reads but can't fetch, with a file that they have.
const NOT_FETCHED: [(&str, &str); 2] = [
    ("nist26", "nist26_valid.mat"),
    ("unipen", "strokes.jsonl.gz"),
];

/// The result of all checks.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// Versions of kiln, Burn and the compiler.
    pub versions: Versions,
    /// Every backend that kiln knows.
    pub backends: Vec<BackendReport>,
    /// The data sets.
    pub data: DataReport,
    /// The folder that runs would be written to.
    pub folder: FolderReport,
    /// One line per problem, with a fix.
    pub problems: Vec<String>,
}

/// Versions of kiln, Burn and the compiler.
#[derive(Debug, Clone, Serialize)]
pub struct Versions {
    /// Version of kiln.
    pub kiln: &'static str,
    /// Version of Burn.
    pub burn: &'static str,
    /// What `rustc --version` prints.
    pub rustc: &'static str,
}

/// A backend and the results of its layers.
#[derive(Debug, Clone, Serialize)]
pub struct BackendReport {
    /// Its name.
    pub backend: Backend,
    /// Whether kiln was built with it.
    pub compiled_in: bool,
    /// Its device; null if there is none.
    pub device: Option<String>,
    /// The layers: on flex those with kiln's kernels, elsewhere those with Burn's operators.
    pub layers: Vec<LayerReport>,
}

/// A layer compared with Burn's operators on flex.
#[derive(Debug, Clone, Serialize)]
pub struct LayerReport {
    /// The layer.
    pub layer: &'static str,
    /// Null if the device failed.
    pub difference: Option<Difference>,
    /// Whether it is within [`TOLERANCE`].
    pub passes: bool,
}

/// The data sets.
#[derive(Debug, Clone, Serialize)]
pub struct DataReport {
    /// The folder that relative paths start from.
    pub root: PathBuf,
    /// The data sets that kiln knows.
    pub sets: Vec<SetReport>,
}

/// A data set.
#[derive(Debug, Clone, Serialize)]
pub struct SetReport {
    /// Its name, and that of its folder.
    pub name: &'static str,
    /// Whether it is complete.
    pub found: bool,
}

/// A folder to write to.
#[derive(Debug, Clone, Serialize)]
pub struct FolderReport {
    /// The folder.
    pub path: PathBuf,
    /// Whether a file can be created in it.
    pub writable: bool,
}

/// Runs all checks. `data` is the folder of the data sets, `folder` that of new runs; `watch` is called with each backend before
/// it computes.
pub fn examine(data: &Path, folder: &Path, watch: &mut dyn FnMut(Backend)) -> Diagnosis {
    let mut problems = Vec::new();
    let backends = device::list()
        .into_iter()
        .map(|found| {
            if found.available {
                watch(found.backend);
            }
            examine_backend(found.backend, found.detail, &mut problems)
        })
        .collect();
    Diagnosis {
        versions: Versions {
            kiln: env!("CARGO_PKG_VERSION"),
            burn: BURN_VERSION,
            rustc: env!("KILN_RUSTC"),
        },
        backends,
        data: examine_data(data, &mut problems),
        folder: examine_folder(folder, &mut problems),
        problems,
    }
}

fn examine_backend(backend: Backend, detail: String, problems: &mut Vec<String>) -> BackendReport {
    let mut report = BackendReport {
        backend,
        compiled_in: true,
        device: None,
        layers: Vec::new(),
    };
    let device = match device::open(backend) {
        Ok(device) => device,
        Err(DeviceError::NotCompiledIn(_)) => {
            report.compiled_in = false;
            return report;
        }
        Err(error) => {
            problems.push(error.to_string());
            return report;
        }
    };
    report.device = Some(detail);
    for layer in layers::all() {
        let subject = match backend {
            Backend::Flex => layer.kernel,
            _ => Some(layer.burn),
        };
        let Some(subject) = subject else { continue };
        let (line, problem) = examine_layer(&layer, subject, backend, &device);
        report.layers.push(line);
        problems.extend(problem);
    }
    report
}

/// Compares one layer; also returns the problem, with what to do about it, if the layer does not pass.
pub fn examine_layer(
    layer: &Layer,
    subject: Compute,
    backend: Backend,
    device: &burn::tensor::Device,
) -> (LayerReport, Option<String>) {
    let found = compare(layer, subject, device);
    let passes = found.as_ref().is_ok_and(Difference::passes);
    let what = match &found {
        Ok(difference) => format!(
            "differs by {:.1e} forward and {:.1e} backward, more than {TOLERANCE:e}",
            difference.forward, difference.backward
        ),
        Err(error) => {
            let words: Vec<&str> = error.split_whitespace().collect();
            format!("can't be computed: {}", words.join(" "))
        }
    };
    let advice = match backend {
        Backend::Flex => {
            "`kiln gradcheck CONFIG` shows whether training is affected; please report it with the name of the processor"
        }
        Backend::Ndarray => "use --backend flex",
        Backend::Wgpu | Backend::Vulkan | Backend::Cuda => {
            "use --backend flex, or another graphics driver"
        }
    };
    let problem = format!("{}: {} {what}; {advice}", backend.name(), layer.name);
    let report = LayerReport {
        layer: layer.name,
        difference: found.ok(),
        passes,
    };
    (report, (!passes).then_some(problem))
}

fn examine_data(root: &Path, problems: &mut Vec<String>) -> DataReport {
    let mut sets = Vec::new();
    if !root.is_dir() {
        problems.push(format!(
            "{}: not a folder; set KILN_DATA to the folder that holds the data sets",
            root.display()
        ));
    }
    for set in DataSet::all() {
        let folder = root.join(set.name);
        let found = is_complete(&set, &folder);
        sets.push(SetReport {
            name: set.name,
            found: *found.as_ref().unwrap_or(&false),
        });
        let damaged = found.err().filter(|_| has_some(&set, &folder));
        problems.extend(damaged.map(|error| error.to_string()));
    }
    for (name, file) in NOT_FETCHED {
        let (folder, path) = (root.join(name), root.join(name).join(file));
        let found = path.is_file();
        sets.push(SetReport { name, found });
        if folder.exists() && !found {
            problems.push(format!(
                "{}: the file {file} is missing from it; add it, or remove the folder",
                folder.display()
            ));
        }
    }
    DataReport {
        root: root.to_path_buf(),
        sets,
    }
}

fn examine_folder(folder: &Path, problems: &mut Vec<String>) -> FolderReport {
    let made = tempfile::tempfile_in(folder);
    if let Err(error) = &made {
        problems.push(format!(
            "{}: not writable ({}); change to another folder, or use --run-dir",
            folder.display(),
            io_problem(error)
        ));
    }
    FolderReport {
        path: folder.to_path_buf(),
        writable: made.is_ok(),
    }
}
