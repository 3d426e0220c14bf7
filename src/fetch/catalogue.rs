//! The data sets that can be fetched: URLs, checksums, and which parts of each file go where.
//!
//! Sets are plain values, so that a mirror, or a test, can use other URLs and checksums.

use std::path::PathBuf;

use super::error::FetchError;

/// A set of files to download, and the folder it becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// Its name, also that of its folder in the data folder, where configs of this kind look by default.
    pub name: &'static str,
    /// A short description.
    pub about: &'static str,
    /// The files to download.
    pub files: Vec<RemoteFile>,
    /// How the files become the folder.
    pub layout: Layout,
}

/// A published file.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteFile {
    /// Its file name.
    pub name: &'static str,
    /// Its URL.
    pub url: String,
    /// Its checksum; `None` if none is published.
    pub sum: Option<Sum>,
    /// Maximum download size in bytes.
    pub max_bytes: u64,
}

/// A checksum in hexadecimal digits.
#[derive(Debug, Clone, PartialEq)]
pub enum Sum {
    /// SHA-256, 64 digits.
    Sha256(String),
    /// MD5, 32 digits. Not collision-resistant, but sufficient to recognize a known file.
    Md5(String),
}

/// How the files become the set's folder.
#[derive(Debug, Clone, PartialEq)]
pub enum Layout {
    /// The single file, under this name.
    Single(&'static str),
    /// These files of a zip archive, from any folder in it.
    Zip(&'static [&'static str]),
    /// These files of a gzipped tar archive, from any folder in it.
    TarGz(&'static [&'static str]),
    /// The images of Oxford's 17 flowers in `train/`, `val/`, `test/` with one folder per class.
    Flowers17,
}

/// Three files of the course's `data.zip`.
const NIST36_FILES: &[&str] = &["nist36_train.mat", "nist36_valid.mat", "nist36_test.mat"];
/// The binary version's records; `batches.meta.txt` and `readme.html` are not needed.
const CIFAR10_FILES: &[&str] = &[
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];
/// Length of the published archive, as TensorFlow Datasets lists it.
const CIFAR10_BYTES: u64 = 170_052_171;
/// Maximum bytes of an archive of uncertain length: several times the largest expected.
const ARCHIVE_BYTES: u64 = 256 << 20;
/// Maximum bytes of Flowers-17's splits: three times 1,360 numbers of at most 8 bytes each, with some margin.
const SPLITS_BYTES: u64 = 1 << 20;
/// Maximum bytes of SqueezeNet's weights; the published file is 4,958,839 bytes.
const SQUEEZENET_BYTES: u64 = 16 << 20;

impl DataSet {
    /// All available sets.
    pub fn all() -> Vec<DataSet> {
        vec![nist36(), cifar10(), flowers17(), squeezenet1_1()]
    }

    /// The same set from other URLs. `from` is the URL of a folder that contains the files under their own names or, for
    /// a set of one file, that of the file. A URL is a folder's if it ends in `/` or if its last part has no dot.
    ///
    /// Errors: not an HTTP URL, or a file's URL for a set of several.
    pub fn from_mirror(mut self, from: &str) -> Result<Self, FetchError> {
        let wrong = |problem: &str| FetchError::Address {
            url: from.to_string(),
            problem: problem.to_string(),
        };
        let Some(rest) = ["http://", "https://"]
            .iter()
            .find_map(|scheme| from.strip_prefix(scheme))
        else {
            return Err(wrong("not an http:// or https:// URL"));
        };
        if rest.is_empty() || rest.starts_with('/') || rest.chars().any(char::is_whitespace) {
            return Err(wrong("not a valid URL (no host)"));
        }
        let last = rest.split_once('/').map_or("", |(_, path)| {
            path.rsplit_once('/').map_or(path, |(_, last)| last)
        });
        let folder = !last.contains(['.', '?']);
        match self.files.as_mut_slice() {
            [file] if !folder => file.url = from.to_string(),
            _ if !folder => {
                let names: Vec<&str> = self.files.iter().map(|file| file.name).collect();
                return Err(wrong(&format!(
                    "this is the URL of one file, but {} needs {}; give the URL of their folder, ending in /",
                    self.name,
                    names.join(" and ")
                )));
            }
            files => {
                for file in files {
                    file.url = format!("{}/{}", from.trim_end_matches('/'), file.name);
                }
            }
        }
        Ok(self)
    }

    /// The files, and non-empty folders, of a complete set.
    pub fn expected(&self) -> Vec<PathBuf> {
        match self.layout {
            Layout::Single(name) => vec![name.into()],
            Layout::Zip(names) | Layout::TarGz(names) => names.iter().map(PathBuf::from).collect(),
            Layout::Flowers17 => super::flowers17::class_folders(),
        }
    }
}

/// The course's letters and digits (CMU 16-720). No checksum is published; the URL is from the homework's notebook.
fn nist36() -> DataSet {
    DataSet {
        name: "nist36",
        about: "capital letters and digits from CMU 16-720 (MATLAB files)",
        files: vec![RemoteFile {
            name: "data.zip",
            url: "http://www.cs.cmu.edu/~lkeselma/16720a_data/data.zip".into(),
            sum: None,
            max_bytes: ARCHIVE_BYTES,
        }],
        layout: Layout::Zip(NIST36_FILES),
    }
}

/// CIFAR-10, binary version. Length and checksum are those of TensorFlow Datasets.
fn cifar10() -> DataSet {
    DataSet {
        name: "cifar10",
        about: "60,000 colour images (32x32) in 10 classes",
        files: vec![RemoteFile {
            name: "cifar-10-binary.tar.gz",
            url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz".into(),
            sum: Some(Sum::Sha256(
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd".into(),
            )),
            max_bytes: CIFAR10_BYTES,
        }],
        layout: Layout::TarGz(CIFAR10_FILES),
    }
}

/// Oxford's 17 Category Flower Dataset. Oxford publishes no checksums; the MD5 sums are those of DeepMind's NEVIS benchmark
/// (`oxford_flowers_17`).
fn flowers17() -> DataSet {
    let file = |name, md5: &str, max_bytes| RemoteFile {
        name,
        url: format!("https://www.robots.ox.ac.uk/~vgg/data/flowers/17/{name}"),
        sum: Some(Sum::Md5(md5.into())),
        max_bytes,
    };
    DataSet {
        name: "flowers17",
        about: "1,360 flower photographs in 17 classes, using the authors' split 1",
        files: vec![
            file(
                "17flowers.tgz",
                "b59a65d8d1a99cd66944d474e1289eab",
                ARCHIVE_BYTES,
            ),
            file(
                "datasplits.mat",
                "4828cddfd0d803c5abbdebcb1e148a1e",
                SPLITS_BYTES,
            ),
        ],
        layout: Layout::Flowers17,
    }
}

/// Torchvision's SqueezeNet 1.1. The file name has the first 8 digits of the checksum; the rest agrees with several
/// public repositories.
fn squeezenet1_1() -> DataSet {
    DataSet {
        name: "squeezenet1_1",
        about: "torchvision's ImageNet weights for SqueezeNet 1.1",
        files: vec![RemoteFile {
            name: "squeezenet1_1-b8a52dc0.pth",
            url: "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth".into(),
            sum: Some(Sum::Sha256(
                "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b".into(),
            )),
            max_bytes: SQUEEZENET_BYTES,
        }],
        layout: Layout::Single("squeezenet1_1.pth"),
    }
}
