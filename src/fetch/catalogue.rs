//! The data sets that can be fetched: addresses, checksums, and what of each file goes where.
//!
//! Sets are plain values, so that a mirror, or a test, can use other addresses and checksums.

use std::path::PathBuf;

use super::error::FetchError;

/// A set of files that is fetched, and the folder that is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// Its name, and that of its folder in the data folder: where a config of this kind looks by default.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// What is downloaded.
    pub files: Vec<RemoteFile>,
    /// What is made of it.
    pub layout: Layout,
}

/// A published file.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteFile {
    /// Its name, also while it is kept in the data folder.
    pub name: &'static str,
    /// Its address.
    pub url: String,
    /// What its bytes must add up to; `None` where nobody has published a sum.
    pub sum: Option<Sum>,
    /// Most bytes that are downloaded.
    pub max_bytes: u64,
}

/// A checksum in hexadecimal digits.
#[derive(Debug, Clone, PartialEq)]
pub enum Sum {
    /// SHA-256, 64 digits.
    Sha256(String),
    /// MD5, 32 digits. Broken for telling two made-up files apart, still good for knowing an old one again.
    Md5(String),
}

/// What is made of the files.
#[derive(Debug, Clone, PartialEq)]
pub enum Layout {
    /// The one file, under this name.
    Single(&'static str),
    /// These files of a zip archive, from any folder in it.
    Zip(&'static [&'static str]),
    /// These files of a gzipped tar archive, from any folder in it.
    TarGz(&'static [&'static str]),
    /// The images of Oxford's 17 flowers in `train/`, `val/`, `test/` with a folder a class.
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
/// Most bytes of an archive whose length is not known for certain: several times what the largest should have.
const ARCHIVE_BYTES: u64 = 256 << 20;
/// Most bytes of Flowers-17's splits: three times 1,360 numbers, at most 8 bytes each, and room.
const SPLITS_BYTES: u64 = 1 << 20;
/// Most bytes of SqueezeNet's weights: 4,958,839 are published.
const SQUEEZENET_BYTES: u64 = 16 << 20;

impl DataSet {
    /// All that can be fetched.
    pub fn all() -> Vec<DataSet> {
        vec![nist36(), cifar10(), flowers17(), squeezenet1_1()]
    }

    /// The same set from other addresses. `from` is the address of a folder that holds the files under their own names
    /// or, for a set of one file, that of the file. An address is a folder's if it ends in `/` or if its last part has
    /// no dot.
    ///
    /// Errors: no http address, or a file's address for a set of several.
    pub fn from_mirror(mut self, from: &str) -> Result<Self, FetchError> {
        let wrong = |problem: &str| FetchError::Address {
            url: from.to_string(),
            problem: problem.to_string(),
        };
        let Some(rest) = ["http://", "https://"]
            .iter()
            .find_map(|scheme| from.strip_prefix(scheme))
        else {
            return Err(wrong("not an http:// or https:// address"));
        };
        if rest.is_empty() || rest.starts_with('/') || rest.chars().any(char::is_whitespace) {
            return Err(wrong("not the address of a server"));
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
                    "the address of a file, but {} needs {}; name the folder that holds them, with / at the end",
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

    /// Files, or folders that are not empty, without which the set's folder is not complete.
    pub fn expected(&self) -> Vec<PathBuf> {
        match self.layout {
            Layout::Single(name) => vec![name.into()],
            Layout::Zip(names) | Layout::TarGz(names) => names.iter().map(PathBuf::from).collect(),
            Layout::Flowers17 => super::flowers17::class_folders(),
        }
    }
}

/// The course's letters and digits (CMU 16-720). No sum is published; the address is that of the homework's notebook.
fn nist36() -> DataSet {
    DataSet {
        name: "nist36",
        about: "capitals and digits of CMU 16-720, MATLAB files",
        files: vec![RemoteFile {
            name: "data.zip",
            url: "http://www.cs.cmu.edu/~lkeselma/16720a_data/data.zip".into(),
            sum: None,
            max_bytes: ARCHIVE_BYTES,
        }],
        layout: Layout::Zip(NIST36_FILES),
    }
}

/// CIFAR-10, binary version. Length and sum are those of TensorFlow Datasets.
fn cifar10() -> DataSet {
    DataSet {
        name: "cifar10",
        about: "60,000 colour images of 32x32 in 10 classes",
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

/// Oxford's 17 category flowers. Oxford publishes no sums; the MD5 sums are those of DeepMind's NEVIS benchmark
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
        about: "1,360 photographs of flowers in 17 classes, split 1 of the authors",
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

/// Torchvision's SqueezeNet 1.1. Its file's name holds the first 8 digits of the sum; the rest is as several public
/// repositories have found it.
fn squeezenet1_1() -> DataSet {
    DataSet {
        name: "squeezenet1_1",
        about: "torchvision's weights of SqueezeNet 1.1 for ImageNet",
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
