//! Shared by the tests of data sources.

use crate::common::real_data;
use image::GrayImage;
use image::Luma;
use kiln::data::DataError;
use kiln::data::DataSource;
use kiln::data::Fit;
use kiln::data::ImageFolderConfig;
use kiln::data::MemorySource;
use kiln::data::Nist26Config;
use kiln::data::Nist36Config;
use kiln::data::ShareConfig;
use kiln::data::Split;
use kiln::data::SplitRule;
use kiln::data::image_folder::ImageFolder;
use kiln::data::nist26;
use kiln::data::nist36;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;

/// The real NIST36 files, opened once for all tests.
pub fn real_nist36() -> &'static MemorySource {
    static SOURCE: OnceLock<MemorySource> = OnceLock::new();
    SOURCE.get_or_init(|| nist36::open(&Nist36Config::default(), &real_data()).unwrap())
}

pub fn sample(source: &dyn DataSource, split: Split, index: usize) -> Vec<f32> {
    let mut values = vec![f32::NAN; source.shape().values()];
    source.read(split, index, 0, &mut values).unwrap();
    values
}

pub fn counts(source: &dyn DataSource) -> [usize; 3] {
    Split::ALL.map(|split| source.len(split))
}

pub fn per_class(source: &dyn DataSource, split: Split) -> Vec<usize> {
    let mut counts = vec![0; source.classes().len()];
    for index in 0..source.len(split) {
        counts[source.label(split, index)] += 1;
    }
    counts
}

/// Sums of rows 8, 12, 16, 20, 24 and then of the same columns.
pub fn sums(image: &[f32]) -> Vec<f32> {
    const PLACES: [usize; 5] = [8, 12, 16, 20, 24];
    let row = |y: usize| image[y * 32..][..32].iter().sum::<f32>();
    let column = |x: usize| image.iter().skip(x).step_by(32).sum::<f32>();
    PLACES
        .map(row)
        .into_iter()
        .chain(PLACES.map(column))
        .collect()
}

pub fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} is not {expected:?}");
    }
}

/// The error's text; it has one line and names `path`.
pub fn error_at<T>(result: Result<T, DataError>, path: &Path) -> String {
    let text = result.err().expect("an error").to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

/// A matrix to write: name, array class (6 double, 9 uint8), data type (9 double, 2 uint8), size, bytes.
pub struct Variable<'a> {
    pub name: &'a str,
    pub class: u32,
    pub kind: u32,
    pub rows: usize,
    pub columns: usize,
    pub bytes: Vec<u8>,
}

pub fn doubles<'a>(
    name: &'a str,
    rows: usize,
    columns: usize,
    value: impl Fn(usize, usize) -> f64,
) -> Variable<'a> {
    let places = (0..columns).flat_map(|column| (0..rows).map(move |row| (row, column)));
    Variable {
        name,
        class: 6,
        kind: 9,
        rows,
        columns,
        bytes: places
            .flat_map(|(row, column)| value(row, column).to_le_bytes())
            .collect(),
    }
}

pub fn part(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut part = kind.to_le_bytes().to_vec();
    part.extend((bytes.len() as u32).to_le_bytes());
    part.extend(bytes);
    part.resize(part.len().next_multiple_of(8), 0);
    part
}

pub fn element(variable: &Variable) -> Vec<u8> {
    let words = |words: [u32; 2]| words.map(u32::to_le_bytes).concat();
    let mut body = part(6, &words([variable.class, 0]));
    body.extend(part(
        5,
        &words([variable.rows as u32, variable.columns as u32]),
    ));
    body.extend(part(1, variable.name.as_bytes()));
    body.extend(part(variable.kind, &variable.bytes));
    part(14, &body)
}

pub fn compressed(element: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(element).unwrap();
    let packed = encoder.finish().unwrap();
    let mut tagged = 15u32.to_le_bytes().to_vec();
    tagged.extend((packed.len() as u32).to_le_bytes());
    tagged.extend(packed);
    tagged
}

pub fn mat_bytes(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(124, b' ');
    bytes.extend(b"\x00\x01IM");
    bytes.extend(elements.concat());
    bytes
}

/// A NIST26 folder with these two matrices, opened.
pub fn open_nist26(
    data: &Variable,
    labels: &Variable,
) -> (TempDir, PathBuf, Result<MemorySource, DataError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nist26_valid.mat");
    fs::write(
        &path,
        mat_bytes(&[compressed(&element(data)), compressed(&element(labels))]),
    )
    .unwrap();
    let config = Nist26Config {
        folder: ".".into(),
        // Everything to training, in the order of the file.
        split: shares(0.0, 0.0),
        ..Nist26Config::default()
    };
    // The folder's name as the error prints it.
    let shown = folder.path().join(".").join("nist26_valid.mat");
    let source = nist26::open(&config, folder.path());
    (folder, shown, source)
}

pub fn shares(valid: f64, test: f64) -> SplitRule {
    SplitRule::Share(ShareConfig {
        valid,
        test,
        stratify: false,
    })
}

pub fn identity_labels<'a>(rows: usize, columns: usize) -> Variable<'a> {
    doubles("valid_labels", rows, columns, |row, column| {
        f64::from(u8::from(row == column))
    })
}

pub fn save_grey(path: PathBuf, width: u32, height: u32, value: impl Fn(u32, u32) -> u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_fn(width, height, |x, y| Luma([value(x, y)]))
        .save(path)
        .unwrap();
}

pub fn folder_config(size: (usize, usize), channels: usize, fit: Fit) -> ImageFolderConfig {
    ImageFolderConfig {
        folder: ".".into(),
        height: size.0,
        width: size.1,
        channels,
        fit,
        split: shares(0.0, 0.0),
        ..ImageFolderConfig::default()
    }
}

/// Opens a folder with grey 4x4 samples.
pub fn open_small(root: &Path) -> Result<ImageFolder, DataError> {
    ImageFolder::open(&folder_config((4, 4), 1, Fit::Stretch), root)
}

/// A file in a folder that is removed with the returned guard.
pub fn file_with(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.mat");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}
