//! Images: the course's, CIFAR, SVHN and flowers.

use super::set::{DataSet, Layout, RemoteFile, Sum};

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
/// The binary version's records of CIFAR-100.
const CIFAR100_FILES: &[&str] = &["train.bin", "test.bin"];
/// Length of the published archive, as TensorFlow Datasets lists it.
const CIFAR10_BYTES: u64 = 170_052_171;
/// The same for CIFAR-100.
const CIFAR100_BYTES: u64 = 168_513_733;
/// Maximum bytes of an archive of uncertain length: several times the largest expected.
const ARCHIVE_BYTES: u64 = 256 << 20;
/// Maximum bytes of Flowers-17's splits: three times 1,360 numbers of at most 8 bytes each, with some margin.
const SPLITS_BYTES: u64 = 1 << 20;

/// The course's letters and digits (CMU 16-720). No checksum is published; the URL is from the homework's notebook.
pub fn nist36() -> DataSet {
    DataSet {
        name: "nist36",
        about: "capital letters and digits from CMU 16-720 (MATLAB files)",
        files: vec![RemoteFile {
            name: "data.zip",
            url: "http://www.cs.cmu.edu/~lkeselma/16720a_data/data.zip".into(),
            mirrors: Vec::new(),
            sum: None,
            max_bytes: ARCHIVE_BYTES,
        }],
        layout: Layout::Zip(NIST36_FILES),
        local: None,
    }
}

/// CIFAR-10, binary version. Length and checksum are those of TensorFlow Datasets.
pub fn cifar10() -> DataSet {
    DataSet {
        name: "cifar10",
        about: "60,000 colour images (32x32) in 10 classes",
        files: vec![RemoteFile {
            name: "cifar-10-binary.tar.gz",
            url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz".into(),
            mirrors: Vec::new(),
            sum: Some(Sum::Sha256(
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd".into(),
            )),
            max_bytes: CIFAR10_BYTES,
        }],
        layout: Layout::TarGz(CIFAR10_FILES),
        local: None,
    }
}

/// CIFAR-100, binary version. Length and checksum are those of TensorFlow Datasets.
pub fn cifar100() -> DataSet {
    DataSet {
        name: "cifar100",
        about: "60,000 colour images (32x32) in 100 classes",
        files: vec![RemoteFile {
            name: "cifar-100-binary.tar.gz",
            url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz".into(),
            mirrors: Vec::new(),
            sum: Some(Sum::Sha256(
                "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec".into(),
            )),
            max_bytes: CIFAR100_BYTES,
        }],
        layout: Layout::TarGz(CIFAR100_FILES),
        local: None,
    }
}

/// Street View House Numbers, cropped digits, without the half million of extra ones. Lengths and checksums are those of TensorFlow
/// Datasets.
pub fn svhn() -> DataSet {
    let file = |name, sha256: &str, max_bytes| RemoteFile {
        name,
        url: format!("http://ufldl.stanford.edu/housenumbers/{name}"),
        mirrors: Vec::new(),
        sum: Some(Sum::Sha256(sha256.into())),
        max_bytes,
    };
    DataSet {
        name: "svhn",
        about: "99,289 colour images (32x32) of house numbers, 10 digits (MATLAB files)",
        files: vec![
            file(
                "train_32x32.mat",
                "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
                182_040_794,
            ),
            file(
                "test_32x32.mat",
                "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
                64_275_384,
            ),
        ],
        layout: Layout::Files,
        local: None,
    }
}

/// Oxford's 17 Category Flower Dataset. Oxford publishes no checksums; the MD5 sums are those of DeepMind's NEVIS benchmark
/// (`oxford_flowers_17`).
pub fn flowers17() -> DataSet {
    let file = |name, md5: &str, max_bytes| RemoteFile {
        name,
        url: format!("https://www.robots.ox.ac.uk/~vgg/data/flowers/17/{name}"),
        mirrors: Vec::new(),
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
        local: None,
    }
}
