//! The readers of data sets in other people's formats: readers, seeds from tests/fixtures/data, and words.

use std::path::Path;

use kiln::data::formats::array::Array;
use kiln::data::formats::idx;
use kiln::data::formats::pickle::Pickle;

use super::driver::Reader;
use super::targets::{gzip, rejected_in_a_line};

/// A reader by its name.
pub struct Format {
    pub name: &'static str,
    pub reader: Reader,
    /// Files of tests/fixtures/data.
    pub seeds: &'static [&'static str],
    pub words: &'static [&'static [u8]],
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format {
        name: "idx",
        reader: |bytes| answer(idx::read(&mut &*bytes)),
        seeds: &[
            "mnist/train-labels-idx1-ubyte",
            "mnist/t10k-images.idx3-ubyte",
        ],
        words: &[
            b"\0\0\x08\x03",
            b"\0\0\x0e\x01",
            b"\0\0\x0d\x02",
            b"\0\0\0\x01",
        ],
    },
    Format {
        name: "idx_gz",
        reader: gzipped,
        seeds: &["mnist/t10k-images.idx3-ubyte"],
        words: &[b"\0\0\x08\x03"],
    },
    Format {
        name: "numpy_pickle",
        reader: pickle,
        seeds: &[
            "cifar-10-batches-py/data_batch_5",
            "cifar-100-python/test",
            "cifar-evil/train",
        ],
        words: &[
            b"cnumpy\ndtype\n",
            b"cnumpy.core.multiarray\n_reconstruct\n",
            b"c_codecs\nencode\n",
            b"cos\nsystem\n",
            b"K\x01",
            b"J\xff\xff\xff\xff",
            b"\x86",
            b"\x87",
            b"R",
            b"b",
            b"t",
            b"(",
            b"h\x00",
            b"q\x00",
            b"T\xff\xff\xff\x7f",
            b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff",
        ],
    },
];

/// The files that a format starts from.
pub fn seeds(format: &Format) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data");
    let read = |name: &&str| std::fs::read(folder.join(name)).expect("a fixture");
    format.seeds.iter().map(read).collect()
}

/// What was read: an array with as many values as it says, or an error of one line.
fn answer(array: Result<Array, String>) -> String {
    match array {
        Ok(array) => {
            let count: usize = array.dimensions.iter().product();
            assert_eq!(array.values.len(), count);
            format!("an array of {} dimensions", array.dimensions.len())
        }
        Err(problem) => rejected_in_a_line(kiln::error::one_line(problem)),
    }
}

/// An IDX file that is packed here.
fn gzipped(bytes: &[u8]) -> String {
    let packed = gzip(bytes);
    let mut stream = flate2::read::MultiGzDecoder::new(&*packed);
    answer(idx::read(&mut stream))
}

fn pickle(bytes: &[u8]) -> String {
    match Pickle::read(bytes) {
        Ok(pickle) => {
            let arrays = ["data", "labels", "fine_labels"].map(|name| answer(pickle.array(name)));
            arrays.join("; ")
        }
        Err(problem) => rejected_in_a_line(kiln::error::one_line(problem)),
    }
}
