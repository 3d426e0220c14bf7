//! The readers of data sets in other people's formats: readers, seeds from tests/fixtures/data, and words.

use std::path::Path;

use kiln::data::formats::array::Array;
use kiln::data::formats::npy::{self, NpyProblem};
use kiln::data::formats::parquet::{Footer, each};
use kiln::data::formats::pickle::Pickle;
use kiln::data::formats::table::{self, ExpectedColumns, LabelColumn};
use kiln::data::formats::{ArraysFile, idx, mat, npz};

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
        name: "npy",
        reader: |bytes| match npy::read(&mut &*bytes) {
            Ok(array) => answer(Ok(array)),
            Err(NpyProblem::Objects) => "objects".into(),
            Err(NpyProblem::Other(problem)) => answer(Err(problem)),
        },
        seeds: &["npz/pair/images.npy", "npz/huge/x.npy"],
        words: &[
            b"\x93NUMPY\x01\0",
            b"\x93NUMPY\x02\0",
            b"'<f8'",
            b"'>u2'",
            b"'|O'",
            b"'<U99'",
            b"'|S9'",
            b"True",
            b"(99999999999,)",
            b"(0, 5)",
        ],
    },
    Format {
        name: "npz",
        reader: |bytes| named(npz::from_bytes(bytes.to_vec())),
        seeds: &["npz/packed.npz", "npz/mnist.npz"],
        words: &[
            b"PK\x01\x02",
            b"PK\x03\x04",
            b"PK\x05\x06",
            b"PK\x06\x06",
            b".npy",
            b"\xff\xff\xff\xff",
        ],
    },
    Format {
        name: "mat_arrays",
        reader: |bytes| named(mat::arrays::from_bytes(bytes.to_vec())),
        seeds: &["mat/emnist_plain.mat", "mat/emnist.mat", "mat/stack.mat"],
        words: super::MAT,
    },
    Format {
        name: "table",
        reader: |bytes| {
            let expected = ExpectedColumns {
                label: &LabelColumn::Auto,
                pixels: 30,
                as_in: None,
            };
            let read = table::read::<String>(bytes, &expected, || Ok(()));
            match read {
                Ok(table) => {
                    assert_eq!(table.values.len(), table.rows * table.columns);
                    "a table".into()
                }
                Err(problem) => rejected_in_a_line(kiln::error::one_line(problem)),
            }
        },
        seeds: &["csv/train.csv", "csv/bare.csv", "csv/last.csv"],
        words: &[
            b"label",
            b",",
            b";",
            b"\t",
            b"\"",
            b"-1e30",
            b"NaN",
            b"\r\n",
            b"\xef\xbb\xbf",
        ],
    },
    Format {
        name: "parquet",
        reader: parquet,
        seeds: &[
            "parquet/hub/data/train-00000-of-00002.parquet",
            "parquet/none_1_dictionary.parquet",
            "parquet/zstd_2_plain.parquet",
            "parquet/gzip_1_plain.parquet",
            "parquet/texts.parquet",
        ],
        words: &[
            b"PAR1",
            b"PARE",
            b"bytes",
            b"\x15\x00",
            b"\x15\x04",
            b"\x15\x06",
            b"\x19\x1c",
            b"\x19\xfc\xff\xff\xff\x0f",
            b"\xfe\xff\xff\xff\x0f",
        ],
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

/// Reads every array of a file.
fn named(file: Result<Box<dyn ArraysFile>, String>) -> String {
    match file {
        Ok(file) => {
            let names = file.names().into_iter().take(20);
            let arrays: Vec<String> = names.map(|name| answer(file.array(&name))).collect();
            arrays.join("; ")
        }
        Err(problem) => answer(Err(problem)),
    }
}

/// Reads every column of a file.
fn parquet(bytes: &[u8]) -> String {
    let read = || -> Result<String, String> {
        let footer = Footer::read(std::io::Cursor::new(bytes))?;
        let mut answers = Vec::new();
        for (_, chunks) in footer.groups.iter().take(20) {
            for (column, chunk) in footer.columns.iter().zip(chunks).take(20) {
                let file = std::io::Cursor::new(bytes);
                let read = each::<String>(file, column, chunk, &mut |_| Ok(()));
                answers.push(answer_of(read));
            }
        }
        Ok(answers.join("; "))
    };
    read().unwrap_or_else(|problem| answer_of(Err(problem)))
}

fn answer_of(read: Result<(), String>) -> String {
    match read {
        Ok(()) => "a column".into(),
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
