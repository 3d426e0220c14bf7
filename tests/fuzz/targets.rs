//! The readers of untrusted bytes, each as a function of bytes. An error must be one line of limited length that is not about a
//! panic; accepted values are checked.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use kiln::archive::{self, Format, Limits, UnpackError};
use kiln::config;
use kiln::config::{Auto, LossConfig, Rename};
use kiln::data::UnipenConfig;
use kiln::data::formats::mat::MatFile;
use kiln::data::image_folder::labels;
use kiln::data::unipen::Unipen;
use kiln::data::{DataSource, Split, cifar10};
use kiln::inference::Classifier;
use kiln::models::Network;
use kiln::models::{MlpConfig, ModelConfig};
use kiln::ocr::truth;
use kiln::photo::{self, MAX_WORKING_BYTES};
use kiln::progress::Monitor;
use kiln::shape::ImageShape;
use kiln::training::TrainModel;
use kiln::training::checkpoint;
use kiln::weights;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Maximum length of an answer in bytes: a config with many problems has a line for each of the first fifty.
const MAX_ANSWER: usize = 64 << 10;

/// Maximum length of a line in bytes.
const MAX_LINE: usize = 4096;

pub fn name() -> &'static Path {
    Path::new("input")
}

/// An error as it would be shown.
pub fn rejected(text: String) -> String {
    assert!(!text.is_empty() && text.len() < MAX_ANSWER, "{text}");
    assert!(!text.contains("panicked at"), "{text}");
    text
}

/// The same for what has to be one line.
pub fn rejected_in_a_line(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(text.len() < MAX_LINE, "{text:?}");
    rejected(text)
}

fn file_of(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir_in(super::driver::scratch()).expect("a temporary folder");
    let path = folder.path().join("input");
    std::fs::write(&path, bytes).expect("a file");
    (folder, path)
}

pub fn config(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match config::parse(&text, name(), &[]) {
        Ok(experiment) => experiment.model.kind().into(),
        Err(error) => rejected(error.to_string()),
    }
}

/// Each line is a `--set`.
pub fn overrides(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text.lines().map(String::from).collect();
    let base = r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}}"#;
    match config::parse(base, name(), &lines) {
        Ok(experiment) => experiment.model.kind().into(),
        Err(error) => rejected(error.to_string()),
    }
}

pub fn truth(bytes: &[u8]) -> String {
    match truth::lines(&String::from_utf8_lossy(bytes), "page.png") {
        Ok(lines) => format!("{} lines", lines.len().min(3)),
        Err(error) => rejected_in_a_line(error),
    }
}

/// Every name that a variable of the seeds has.
const VARIABLES: [&str; 4] = ["a", "i", "valid_data", "trn1"];

pub fn mat(bytes: &[u8]) -> String {
    let file = match MatFile::from_bytes(bytes.to_vec(), name()) {
        Ok(file) => file,
        Err(error) => return rejected_in_a_line(error),
    };
    let answers = VARIABLES.map(|variable| match file.matrix(variable) {
        Ok(matrix) => {
            assert_eq!(matrix.values.len(), matrix.rows * matrix.columns);
            "a matrix".to_string()
        }
        Err(error) => rejected_in_a_line(error),
    });
    answers.join("; ")
}

pub fn cifar10(bytes: &[u8]) -> String {
    match cifar10::checked(bytes.to_vec(), name()) {
        Ok(_) => "records".into(),
        Err(error) => rejected_in_a_line(error),
    }
}

pub fn image(bytes: &[u8]) -> String {
    match photo::decode(bytes, name()) {
        Ok(image) => {
            assert!(u64::from(image.width()) * u64::from(image.height()) <= MAX_WORKING_BYTES);
            format!("{:?}", image.color())
        }
        Err(error) => rejected_in_a_line(error),
    }
}

/// A file of labels, read as if there were images of two names.
pub fn labels(bytes: &[u8]) -> String {
    match labels::parse(bytes, &|name| ["a.png", "b.png"].contains(&name)) {
        Ok(table) => {
            assert!(!table.rows.is_empty());
            assert!(
                table
                    .rows
                    .iter()
                    .all(|row| !row.file.is_empty() && row.label.as_deref() != Some(""))
            );
            let splits = if table.has_splits { "with" } else { "without" };
            let note = if table.note.is_some() {
                "a note"
            } else {
                "nothing"
            };
            format!("a table {splits} splits, {note}")
        }
        Err(problem) => rejected_in_a_line(kiln::error::one_line(problem)),
    }
}

/// A PNG whose checksums are corrected, so that the decoder gets past them.
pub fn png(bytes: &[u8]) -> String {
    let mut bytes = bytes.to_vec();
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        let end = at + 8 + length;
        if end + 4 > bytes.len() {
            break;
        }
        let mut checksum = flate2::Crc::new();
        checksum.update(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&checksum.sum().to_be_bytes());
        at = end + 4;
    }
    image(&bytes)
}

/// A perceptron from 2x2 pixels over three units to two classes.
pub fn small() -> Network {
    perceptron(3, 2, 2)
}

fn perceptron(hidden: usize, side: usize, classes: usize) -> Network {
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![hidden],
        ..MlpConfig::default()
    });
    Network::new(
        &config,
        ImageShape::new(1, side, side),
        classes,
        &Device::flex(),
    )
}

/// Safetensors and PyTorch files, distinguished by their content; with their own names, and matched by order and shapes.
pub fn weights(bytes: &[u8]) -> String {
    let (_guard, path) = file_of(bytes);
    let answers = [Rename::default(), Rename::Auto(Auto::Auto)].map(|rename| {
        match weights::load_renamed(small(), &path, &[], &rename, weights::Settings::CONFIG) {
            Ok((_, taken)) => format!("{taken:?}"),
            Err(error) => rejected_in_a_line(error).replace(&path.display().to_string(), ""),
        }
    });
    answers.join("; ")
}

/// The pickle of a PyTorch file, with the four storages that it refers to.
pub fn pickle(bytes: &[u8]) -> String {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut add = |name: &str, content: &[u8]| {
        zip.start_file(format!("torch/{name}"), plain)
            .expect("an entry");
        zip.write_all(content).expect("an entry");
    };
    add("data.pkl", bytes);
    add("byteorder", b"little");
    for (index, values) in [3, 12, 2, 6].into_iter().enumerate() {
        add(&format!("data/{index}"), &vec![0; 4 * values]);
    }
    add("version", b"3\n");
    weights(&zip.finish().expect("a zip").into_inner())
}

pub fn model(bytes: &[u8]) -> String {
    let answer = |result: Result<Classifier, _>| match result {
        Ok(model) => {
            let input = vec![0.5; model.card().input.values()];
            model.outputs(input, 1).expect("an answer");
            "a model".to_string()
        }
        Err(error) => rejected_in_a_line(error),
    };
    let in_memory = answer(Classifier::from_bytes(
        bytes.to_vec(),
        name(),
        &Device::flex(),
    ));
    let (_guard, path) = file_of(bytes);
    let of_a_file = answer(Classifier::load(&path, &Device::flex()));
    let (memory_is_fine, file_is_fine) = (in_memory == "a model", of_a_file == "a model");
    assert_eq!(memory_is_fine, file_is_fine, "{in_memory}, {of_a_file}");
    in_memory
}

/// Separates the parts of a checkpoint that is assembled here.
pub const BETWEEN: &[u8] = b"\n--part--\n";

/// The start of a checkpoint, and the bytes of its checksum and of its header's length.
const MAGIC: &[u8] = b"kiln checkpoint 1\n";
const SUM_BYTES: usize = 32;
const LENGTH_BYTES: usize = 8;

/// A checkpoint's header and its parts as they are in the file.
pub fn taken_apart(file: &[u8]) -> Vec<u8> {
    let content = &file[MAGIC.len()..file.len() - SUM_BYTES];
    let (length, rest) = content.split_at(LENGTH_BYTES);
    let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
    let (written, mut rest) = rest.split_at(length as usize);
    let written: serde_json::Value = serde_json::from_slice(written).expect("a header");
    let mut pieces = vec![written["header"].to_string().into_bytes()];
    for part in written["parts"].as_array().expect("parts") {
        let (part, after) = rest.split_at(part[1].as_u64().expect("a length") as usize);
        pieces.push(part.to_vec());
        rest = after;
    }
    pieces.join(BETWEEN)
}

/// Header and parts with valid lengths and checksum, so that the reader gets past them; other bytes are read as a file without its
/// checksum.
pub fn checkpoint(bytes: &[u8]) -> String {
    let mut file = if bytes.starts_with(b"{") {
        assembled(bytes)
    } else {
        bytes.to_vec()
    };
    file.extend(Sha256::digest(&file));
    let checkpoint = match checkpoint::from_bytes(&file, name()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return rejected_in_a_line(error),
    };
    // The network of the seeds, as it is in training.
    let trainee = TrainModel::new(perceptron(1, 16, 36), &LossConfig::default());
    match trainee.try_load_record(checkpoint.parts.model) {
        Ok(_) => "a checkpoint".into(),
        Err(error) => rejected(error.to_string()),
    }
}

/// A checkpoint without its checksum from a header and parts.
fn assembled(bytes: &[u8]) -> Vec<u8> {
    let mut pieces = split(bytes, BETWEEN).into_iter();
    let header = pieces.next().unwrap_or_default();
    let names = ["model", "optimizer", "schedule", "average", "kept"];
    let parts: Vec<_> = names.into_iter().zip(pieces).collect();
    let lengths: Vec<_> = parts
        .iter()
        .map(|(name, part)| (name, part.len()))
        .collect();
    let lengths = serde_json::to_vec(&lengths).expect("JSON");
    let written = [&b"{\"header\":"[..], header, b",\"parts\":", &lengths, b"}"].concat();
    let mut file = MAGIC.to_vec();
    file.extend((written.len() as u64).to_le_bytes());
    file.extend(written);
    parts.iter().for_each(|(_, part)| file.extend(*part));
    file
}

fn split<'a>(mut bytes: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while let Some(at) = bytes
        .windows(separator.len())
        .position(|here| here == separator)
    {
        pieces.push(&bytes[..at]);
        bytes = &bytes[at + separator.len()..];
    }
    pieces.push(bytes);
    pieces
}

/// Much less than a real archive may have, so that a bomb is one.
const LIMITS: Limits = Limits {
    bytes: 4 << 20,
    file_bytes: 1 << 20,
    entries: 1000,
};

/// Takes all files of an archive, whatever their names.
fn anywhere(parts: &[&str]) -> Option<PathBuf> {
    let length = parts.concat().len();
    parts.last().map(|_| PathBuf::from(format!("of-{length}")))
}

/// Takes all files under their own names.
fn in_place(parts: &[&str]) -> Option<PathBuf> {
    Some(parts.iter().collect())
}

/// Unpacks in two ways; nothing may be written outside of the named folder, and no more than the limits.
fn unpacked(bytes: &[u8], format: Format) -> String {
    let ways: [archive::Place; 2] = [&anywhere, &in_place];
    ways.map(|place| unpacked_to(bytes, format, place))
        .join("; ")
}

fn unpacked_to(bytes: &[u8], format: Format, place: archive::Place) -> String {
    let (guard, path) = file_of(bytes);
    let folder = guard.path().join("to");
    std::fs::create_dir(&folder).expect("a folder");
    let mut file = File::open(&path).expect("the archive");
    let stage = Monitor::default().stage("unpacking", None);
    let answer = match archive::unpack(&mut file, format, &folder, place, LIMITS, &stage) {
        Ok(()) => "unpacked".to_string(),
        Err(UnpackError::Archive(problem)) => rejected_in_a_line(problem),
        // A file where another entry has a folder, or a name that the system does not take.
        Err(UnpackError::Write(error)) => {
            assert!(!rejected_in_a_line(error).is_empty());
            "not written".into()
        }
        Err(UnpackError::Cancelled(_)) => panic!("nobody cancels"),
    };
    let beside = std::fs::read_dir(guard.path()).expect("the folder").count();
    assert_eq!(beside, 2, "something was written beside the folder");
    let (mut folders, mut bytes) = (vec![folder], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            let about = path.symlink_metadata().expect("it is there");
            assert!(about.is_file() || about.is_dir(), "neither file nor folder");
            bytes += if about.is_file() { about.len() } else { 0 };
            folders.extend(about.is_dir().then_some(path));
        }
    }
    assert!(bytes <= LIMITS.bytes, "{bytes} bytes were unpacked");
    answer
}

pub fn zip(bytes: &[u8]) -> String {
    unpacked(bytes, Format::Zip)
}

pub fn tar_gz(bytes: &[u8]) -> String {
    unpacked(bytes, Format::TarGz)
}

/// Bytes of a block of a tar archive, and the place of its header's checksum (POSIX.1-2017, pax, ustar).
const BLOCK: usize = 512;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// A compressed tar archive with corrected checksums.
pub fn tar(bytes: &[u8]) -> String {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(BLOCK) {
        if block[257..262] == *b"ustar" {
            block[CHECKSUM].fill(b' ');
            let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
            block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    tar_gz(&gzip(&bytes))
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

/// Recorded strokes as they are stored.
pub fn unipen_file(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir_in(super::driver::scratch()).expect("a temporary folder");
    let path = folder.path().join("strokes.jsonl.gz");
    std::fs::write(&path, bytes).expect("a file");
    let config = UnipenConfig {
        folder: folder.path().display().to_string(),
        ..UnipenConfig::default()
    };
    let source = match Unipen::open(&config, Path::new("/")) {
        Ok(source) => source,
        Err(error) => {
            let text = rejected_in_a_line(error);
            return text.replace(&folder.path().display().to_string(), "");
        }
    };
    let mut values = vec![0.0; source.shape().values()];
    for split in Split::ALL {
        for index in 0..source.len(split).min(3) {
            for draw in [0, 1] {
                source
                    .read(split, index, draw, &mut values)
                    .expect("a sample");
                assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            }
        }
    }
    format!("strokes, {} left out", source.left_out().min(2))
}

/// The lines of that file, packed here.
pub fn unipen(bytes: &[u8]) -> String {
    unipen_file(&gzip(bytes))
}
