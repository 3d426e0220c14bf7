//! The readers of files return a value or an error for any bytes, in bounded memory and time. `driver` creates the bytes,
//! `targets` are the readers, `seeds` the inputs that are mutated.
//!
//! ```sh
//! cargo test --release --test fuzz                                            # a second each
//! KILN_FUZZ_SECONDS=600 KILN_FUZZ_KEEP=1 cargo test --release --test fuzz pickles   # ten minutes of one
//! ```

mod data_files;
mod documents;
mod driver;
mod exports;
mod seeds;
mod targets;

use driver::{Reader, Target, run};

fn fuzz(name: &'static str, reader: Reader, seeds: Vec<Vec<u8>>, words: &'static [&'static [u8]]) {
    run(Target {
        name,
        reader,
        seeds,
        words,
    });
}

/// Tokens of JSON and of kiln's configs.
const JSON: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"1e308",
    b"\"kind\"",
    b"\"mix\"",
    b"\"sources\"",
    b"\"cnn\"",
    b"\"model\"",
    b"\"hidden\"",
    b"\"channels\"",
    b"\"size\"",
    b"18446744073709551615",
    b"\"\\ud800\"",
    b".kind=",
    b".0.",
    b"=",
    b"\xef\xbb\xbf",
];

/// Markers of images.
const IMAGE: &[&[u8]] = &[
    b"IHDR",
    b"IDAT",
    b"IEND",
    b"PLTE",
    b"tRNS",
    b"iCCP",
    b"eXIf",
    b"acTL",
    b"fcTL",
    b"fdAT",
    b"zTXt",
    b"iTXt",
    b"sBIT",
    b"\xff\xc0",
    b"\xff\xc2",
    b"\xff\xc4",
    b"\xff\xda",
    b"\xff\xd9",
    b"\xff\xdb",
    b"\xff\xdd",
    b"\xff\xe1\x00\x20Exif\0\0",
    b"\xff\xe2",
    b"\xff\xee",
    b"\xff\xff\xff\xff",
];

/// Parts of the other formats: tags of TIFF, chunks of WebP, blocks of GIF, headers of PNM, BMP and QOI.
const PICTURE: &[&[u8]] = &[
    b"II\x2a\0\x08\0\0\0",
    b"MM\0\x2a\0\0\0\x08",
    b"\x00\x01\x04\0\x01\0\0\0",
    b"\x01\x01\x04\0\x01\0\0\0",
    b"\x03\x01\x03\0\x01\0\0\0\x07\0",
    b"\x03\x01\x03\0\x01\0\0\0\x04\0",
    b"\x06\x01\x03\0\x01\0\0\0\x03\0",
    b"\x06\x01\x03\0\x01\0\0\0\x06\0",
    b"\x1c\x01\x03\0\x01\0\0\0\x02\0",
    b"\x52\x01\x03\0\x01\0\0\0\x01\0",
    b"VP8X",
    b"VP8L",
    b"VP8 ",
    b"ALPH",
    b"ANMF",
    b"EXIF",
    b"\x21\xf9\x04",
    b"\x2c\0\0\0\0",
    b"P3\n",
    b"P4\n",
    b"P7\nWIDTH ",
    b"\nDEPTH 4\nMAXVAL 255\n",
    b"65535 65535\n",
    b"\x28\0\0\0",
    b"\x7c\0\0\0",
    b"qoif\0\0\xff\xff",
    b"\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00",
    b"\xff\xff\xff\xff",
];

/// Parts of files of labels.
const LABELS: &[&[u8]] = &[
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\"",
    b"\"\"",
    b"\r\n",
    b";",
    b",",
    b"\t",
    b"file,label,split\n",
    b"train",
    b"a.png",
    b"{\"file\": \"",
    b"\"label\": ",
    b"[",
    b"null",
    b"\xc3",
];

/// Opcodes of pickles, and the names that they call.
const PICKLE: &[&[u8]] = &[
    b"(",
    b")",
    b"}",
    b"]",
    b"N",
    b"R",
    b"Q",
    b"0",
    b"2",
    b"t",
    b"u",
    b"s",
    b"e",
    b"b",
    b".",
    b"\x80\x02",
    b"\x81",
    b"\x85",
    b"\x86",
    b"\x87",
    b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00",
    b"\x93",
    b"\x94",
    b"h\x00",
    b"q\x00",
    b"X\xff\xff\xff\x7f",
    b"cos\nsystem\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch._utils\n_rebuild_parameter\n",
    b"ccollections\nOrderedDict\n",
    b"ctorch\nFloatStorage\n",
    b"ctorch\nUntypedStorage\n",
    b"ctorch.storage\n_load_from_bytes\n",
    b"ctorch._tensor\n_rebuild_from_type_v2\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"_parameters",
    b"_buffers",
    b"_modules",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
];

/// Parts of archives.
const ARCHIVE: &[&[u8]] = &[
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"../",
    b"/etc/passwd",
    b"..\\",
    b"C:\\",
    b"ustar\x0000",
    b"ustar  \0",
    b"././@LongLink",
    b"L",
    b"x",
    b"g",
    b"2",
    b"1",
    b"S",
    b"77777777777\0",
    b"\x80\0\0\0\0\0\0\xff\xff\xff\xff\xff",
    b"20 path=../x.txt\n",
    b"25 size=99999999999999\n",
];

/// Parts of MATLAB's files.
const MAT: &[&[u8]] = &[
    b"\x0e\0\0\0",
    b"\x0f\0\0\0",
    b"\x06\0\0\0\x08\0\0\0",
    b"\x05\0\0\0\x0c\0\0\0",
    b"\x01\0\x01\0a\0\0\0",
    b"\x09\0\0\0",
    b"\0\x01IM",
    b"\x01\0MI",
    b"\x00\x00\x01\x00\x00\x00\x01\x00",
];

#[test]
fn configs_never_panic() {
    fuzz("config", targets::config, seeds::configs(), JSON);
}

#[test]
fn overrides_never_panic() {
    fuzz("overrides", targets::overrides, seeds::overrides(), JSON);
}

#[test]
fn truths_of_pages_never_panic() {
    fuzz("truth", targets::truth, seeds::truths(), JSON);
}

#[test]
fn matlab_files_never_panic() {
    fuzz("mat", targets::mat, seeds::mats(), MAT);
}

#[test]
fn cifar_records_never_panic() {
    fuzz("cifar10", targets::cifar10, seeds::records(), &[]);
}

#[test]
fn images_never_panic() {
    fuzz("image", targets::image, seeds::images(), IMAGE);
}

#[test]
fn pictures_of_other_formats_never_panic() {
    fuzz("picture", targets::image, seeds::pictures(), PICTURE);
}

#[test]
fn pages_of_tiffs_never_panic() {
    fuzz(
        "tiff_pages",
        documents::document,
        documents::seeds("tiff"),
        PICTURE,
    );
}

#[test]
#[cfg(feature = "pdf")]
fn pdfs_never_panic() {
    fuzz(
        "pdf",
        documents::document,
        documents::seeds("pdf"),
        documents::PDF,
    );
}

#[test]
fn files_of_labels_never_panic() {
    fuzz("labels", targets::labels, seeds::labels(), LABELS);
}

#[test]
fn pngs_with_valid_checksums_never_panic() {
    fuzz("png", targets::png, seeds::pngs(), IMAGE);
}

#[test]
fn safetensors_never_panic() {
    fuzz("safetensors", targets::weights, seeds::safetensors(), JSON);
}

#[test]
fn torch_files_never_panic() {
    fuzz("torch", targets::weights, seeds::torch_files(), PICKLE);
}

#[test]
fn pickles_never_panic_and_never_run() {
    fuzz("pickle", targets::pickle, seeds::pickles(), PICKLE);
}

#[test]
fn models_never_panic() {
    fuzz("model", targets::model, seeds::models(), JSON);
}

#[test]
fn checkpoints_never_panic() {
    fuzz(
        "checkpoint",
        targets::checkpoint,
        seeds::checkpoints(),
        JSON,
    );
}

#[test]
fn zip_archives_stay_in_their_folder() {
    fuzz("zip", targets::zip, seeds::zips(), ARCHIVE);
}

#[test]
fn gzipped_tar_archives_stay_in_their_folder() {
    fuzz("tar_gz", targets::tar_gz, seeds::tar_gzs(), ARCHIVE);
}

#[test]
fn tar_archives_with_valid_checksums_stay_in_their_folder() {
    fuzz("tar", targets::tar, seeds::tars(), ARCHIVE);
}

#[test]
fn gzipped_strokes_never_panic() {
    fuzz(
        "unipen_gz",
        targets::unipen_file,
        seeds::stroke_files(),
        JSON,
    );
}

#[test]
fn strokes_never_panic() {
    fuzz("unipen", targets::unipen, seeds::strokes(), JSON);
}

/// The reader of [`data_files`] with this name.
fn fuzz_format(name: &str) {
    let mut formats = data_files::FORMATS.iter();
    let format = formats.find(|format| format.name == name);
    let format = format.unwrap_or_else(|| panic!("no format {name}"));
    let seeds = data_files::seeds(format);
    fuzz(format.name, format.reader, seeds, format.words);
}

#[test]
fn idx_files_never_panic() {
    fuzz_format("idx");
    fuzz_format("idx_gz");
}

#[test]
fn files_of_numpy_never_panic() {
    fuzz_format("npy");
    fuzz_format("npz");
}

#[test]
fn matlab_files_of_any_arrays_never_panic() {
    fuzz_format("mat_arrays");
}

#[test]
fn tables_of_pixels_never_panic() {
    fuzz_format("table");
}

#[test]
fn parquet_files_never_panic() {
    fuzz_format("parquet");
}

#[test]
fn pickles_of_arrays_never_panic_and_never_run() {
    fuzz_format("numpy_pickle");
}

#[test]
fn networks_of_any_layers_are_exported_and_drawn_without_a_panic() {
    fuzz("layers", exports::layers, exports::lists(), exports::LAYERS);
}

#[test]
fn onnx_files_never_panic() {
    fuzz(
        "onnx",
        targets::weights,
        exports::onnx_files(),
        exports::ONNX,
    );
}
