//! MNIST and the sets in its format: gzipped IDX files, which are kept as they are published.

use super::set::{DataSet, Layout, RemoteFile, Sum};

/// The four files, with their SHA-256 and length.
type Files = [(&'static str, &'static str, u64); 4];

/// Checksums and lengths of TensorFlow Datasets.
const MNIST: Files = [
    (
        "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9_912_422,
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        28_881,
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1_648_877,
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        4_542,
    ),
];

/// Checksums and lengths of TensorFlow Datasets.
const FASHION_MNIST: Files = [
    (
        "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        26_421_880,
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        29_515,
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        4_422_102,
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        5_148,
    ),
];

/// Where MNIST is: PyTorch's mirror, Google's, and the authors' own page, which mostly refuses.
const MNIST_FOLDERS: [&str; 3] = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
];

/// Where Zalando publishes Fashion-MNIST: not by HTTPS.
const FASHION_MNIST_FOLDERS: [&str; 1] =
    ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"];

/// EMNIST's archive of all its sets, where NIST has published it.
const EMNIST_URLS: [&str; 2] = [
    "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
    "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
];

/// Its length and checksum, those of TensorFlow Datasets.
const EMNIST_BYTES: u64 = 561_753_746;
const EMNIST_SHA256: &str = "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e";

/// The files of two of its sets.
const LETTERS: &[&str] = &[
    "emnist-letters-mapping.txt",
    "emnist-letters-train-images-idx3-ubyte.gz",
    "emnist-letters-train-labels-idx1-ubyte.gz",
    "emnist-letters-test-images-idx3-ubyte.gz",
    "emnist-letters-test-labels-idx1-ubyte.gz",
];
const BALANCED: &[&str] = &[
    "emnist-balanced-mapping.txt",
    "emnist-balanced-train-images-idx3-ubyte.gz",
    "emnist-balanced-train-labels-idx1-ubyte.gz",
    "emnist-balanced-test-images-idx3-ubyte.gz",
    "emnist-balanced-test-labels-idx1-ubyte.gz",
];

/// All of them.
pub fn sets() -> [DataSet; 4] {
    [
        four_files(
            "mnist",
            "70,000 handwritten digits (28x28)",
            &MNIST_FOLDERS,
            MNIST,
        ),
        four_files(
            "fashion_mnist",
            "70,000 pictures of clothes (28x28) in 10 classes",
            &FASHION_MNIST_FOLDERS,
            FASHION_MNIST,
        ),
        emnist(
            "emnist_letters",
            "145,600 handwritten letters (28x28), both cases in 26 classes",
            LETTERS,
        ),
        emnist(
            "emnist_balanced",
            "131,600 handwritten digits and letters (28x28) in 47 classes",
            BALANCED,
        ),
    ]
}

fn four_files(name: &'static str, about: &'static str, folders: &[&str], files: Files) -> DataSet {
    let file = |(name, sha256, max_bytes): (&'static str, &str, u64)| {
        let urls = folders.iter().map(|folder| format!("{folder}{name}"));
        remote(name, urls.collect(), sha256, max_bytes)
    };
    DataSet {
        name,
        about,
        files: files.into_iter().map(file).collect(),
        layout: Layout::Files,
        local: None,
    }
}

fn emnist(name: &'static str, about: &'static str, files: &'static [&'static str]) -> DataSet {
    let urls = EMNIST_URLS.map(String::from).to_vec();
    DataSet {
        name,
        about,
        files: vec![remote("gzip.zip", urls, EMNIST_SHA256, EMNIST_BYTES)],
        layout: Layout::Zip(files),
        local: None,
    }
}

/// A file at the first of some URLs, or at the others.
fn remote(name: &'static str, mut urls: Vec<String>, sha256: &str, max_bytes: u64) -> RemoteFile {
    let mirrors = urls.split_off(1);
    RemoteFile {
        name,
        url: urls.remove(0),
        mirrors,
        sum: Some(Sum::Sha256(sha256.into())),
        max_bytes,
    }
}
