//! NIST36, the capital letters and digits of CMU 16-720: 36 classes, from `nist36_{train,valid,test}.mat`.
//!
//! Each file holds `<split>_data` `[N, 1024]` in [0, 1] and `<split>_labels` `[N, 36]`, one-hot in the order A..Z, 0..9. A row is a 32x32
//! image column by column (MATLAB's order); here it is transposed to row by row. Everything is checked on opening and held in memory.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrays::{Range, SCALE_BACK, are_too_many, slightly_beyond};
use super::formats::mat::{MatFile, Matrix};
use super::source::folder_at;
use super::{CommonConfig, DataError, DataSource, MemorySource, SourceConfig, Split, quantize};
use crate::handwriting::{CLASSES, alphanumeric_classes};
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Height and width of a sample.
pub const SIDE: usize = 32;
/// How far outside [0, 1] a value may be. Bicubic resizing overshoots (to -0.14..1.12 in the course's files) but never
/// this far; values beyond it (such as 0..255) indicate a different format.
const MAX_OVERSHOOT: f32 = 0.5;
/// Samples transposed together, so that the strided side stays in the CPU cache.
const BLOCK: usize = 64;

/// The shape of a sample of the course's files.
pub(super) const SHAPE: ImageShape = ImageShape {
    channels: 1,
    height: SIDE,
    width: SIDE,
};

/// Settings of the course's MATLAB files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nist36Config {
    /// Folder of `nist36_train.mat`, `nist36_valid.mat`, `nist36_test.mat`; relative to `KILN_DATA`.
    pub folder: String,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for Nist36Config {
    fn default() -> Self {
        Self {
            folder: "nist36".into(),
            common: CommonConfig::default(),
        }
    }
}

impl SourceConfig for Nist36Config {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.folder]
    }

    fn shape(&self) -> ImageShape {
        SHAPE
    }

    fn classes(&self) -> Option<usize> {
        Some(CLASSES)
    }

    fn open(&self, root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(open(self, root)?))
    }
}

/// Opens the three files in `<root>/<folder>`.
///
/// Errors name the file and, where one is at fault, the row (counted from 1): a missing or damaged file, a missing
/// variable, a wrong shape, a label that is not one-hot, a value that is not finite or far outside [0, 1], or more of them a little outside
/// than resizing leaves.
pub fn open(config: &Nist36Config, root: &Path) -> Result<MemorySource, DataError> {
    let folder = folder_at(root, &config.folder)?;
    let classes = alphanumeric_classes();
    let mut source = MemorySource::new(SHAPE, classes);
    for split in Split::ALL {
        let path = folder.join(format!("nist36_{}.mat", split.name()));
        let samples = read_samples(&path, split.name(), CLASSES)?;
        source.extend(split, &samples.labels, &samples.values);
    }
    Ok(source)
}

/// The samples of one file.
pub(super) struct Samples {
    /// Class of each sample.
    pub labels: Vec<usize>,
    /// Row-major images, one after the other, as `memory` stores them.
    pub values: Vec<u16>,
}

/// Reads `<prefix>_data` and `<prefix>_labels` of one of the NIST36 files.
pub(super) fn read_samples(
    path: &Path,
    prefix: &str,
    classes: usize,
) -> Result<Samples, DataError> {
    let file = MatFile::open(path)?;
    let data_name = format!("{prefix}_data");
    let labels_name = format!("{prefix}_labels");
    // Shapes first: they are cheap to check, and a wrong file is not unpacked.
    let (rows, columns) = file.shape(&data_name)?;
    let labels_shape = file.shape(&labels_name)?;
    let size = SHAPE.values();
    if columns != size || rows == 0 {
        return Err(DataError::format(
            path,
            format!("{data_name} is {rows}x{columns}; expected Nx{size}, one 32x32 image per row"),
        ));
    }
    if labels_shape != (rows, classes) {
        return Err(DataError::format(
            path,
            format!(
                "{labels_name} is {}x{}; expected {rows}x{classes}, one row per row of {data_name}",
                labels_shape.0, labels_shape.1
            ),
        ));
    }
    let labels = one_hot_labels(&file.matrix(&labels_name)?)
        .map_err(|problem| DataError::format(path, format!("{labels_name}, {problem}")))?;
    let values = upright(&file.matrix(&data_name)?)
        .map_err(|problem| DataError::format(path, format!("{data_name}, {problem}")))?;
    Ok(Samples { labels, values })
}

/// Class of each row of a one-hot matrix.
fn one_hot_labels(matrix: &Matrix) -> Result<Vec<usize>, String> {
    let mut labels = vec![None; matrix.rows];
    for class in 0..matrix.columns {
        for (row, (label, &value)) in labels.iter_mut().zip(matrix.column(class)).enumerate() {
            if value == 1.0 && label.is_none() {
                *label = Some(class);
            } else if value == 1.0 {
                return Err(format!(
                    "row {}: label is not one-hot: more than one class is set",
                    row + 1
                ));
            } else if value != 0.0 {
                return Err(format!(
                    "row {}: label is not one-hot: found {value}; expected 0 or 1",
                    row + 1
                ));
            }
        }
    }
    labels
        .into_iter()
        .enumerate()
        .map(|(row, label)| {
            label.ok_or_else(|| format!("row {}: label is not one-hot: no class is set", row + 1))
        })
        .collect()
}

/// Transposes the rows (column-major images) into row-major images, clipped to [0, 1].
fn upright(matrix: &Matrix) -> Result<Vec<u16>, String> {
    let allowed = -MAX_OVERSHOOT..=1.0 + MAX_OVERSHOOT;
    // NaN is in no range, so this finds it too.
    if let Some(at) = matrix.values.iter().position(|v| !allowed.contains(v)) {
        let value = matrix.values.get(at).copied().unwrap_or_default();
        return Err(format!(
            "row {}: found {value} in column {}; expected values in [0, 1]",
            at % matrix.rows + 1,
            at / matrix.rows + 1
        ));
    }
    let [low, high] = slightly_beyond(Range::Unit).map(|end| end as f32);
    let beyond = matrix.values.iter().filter(|&&v| v < low || v > high);
    let beyond = beyond.count();
    if are_too_many(beyond, matrix.values.len()) {
        return Err(format!(
            "{beyond} of {} values are beyond [0, 1], {SCALE_BACK}",
            matrix.values.len()
        ));
    }
    let size = SHAPE.values();
    let mut values = vec![0; matrix.rows * size];
    for (block, images) in values.chunks_mut(BLOCK * size).enumerate() {
        for column in 0..size {
            let (x, y) = (column / SIDE, column % SIDE);
            let pixels = matrix.column(column).iter().skip(block * BLOCK);
            for (image, &pixel) in images.chunks_exact_mut(size).zip(pixels) {
                image[y * SIDE + x] = quantize(pixel);
            }
        }
    }
    Ok(values)
}
