//! Records of the binary versions: labels of one byte each, then 32x32 red, green and blue values, row by row. They are held in memory
//! unchanged, one byte per value; the Python versions become such records.

use std::path::{Path, PathBuf};

use crate::data::formats::array::{Array, Values};
use crate::data::formats::pickle::Pickle;
use crate::data::{DataError, DataSource, Split};
use crate::files;
use crate::shape::ImageShape;

/// The shape of a sample.
pub(super) const SHAPE: ImageShape = ImageShape::new(3, 32, 32);
/// Bytes of an image.
const IMAGE: usize = 3 * 32 * 32;
/// Maximum bytes of a file. CIFAR-100's largest has 155 MB, as a pickle.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The labels of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    /// What its labels are called, and how many classes each tells apart.
    pub labels: &'static [(&'static str, usize)],
    /// Which of them is the class.
    pub class: usize,
}

impl Format {
    /// Bytes of a record.
    pub(super) fn record(&self) -> usize {
        self.labels.len() + IMAGE
    }
}

/// Checks that the bytes are whole records with labels in their ranges; `path` is used only in the error.
pub(super) fn checked(format: Format, bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, DataError> {
    let size = format.record();
    let (length, records) = (bytes.len(), bytes.chunks_exact(size));
    if length == 0 {
        return Err(DataError::format(path, "has no images"));
    }
    if !records.remainder().is_empty() {
        let problem = format!("{length} bytes; expected records of {size} bytes");
        return Err(DataError::format(path, problem));
    }
    for (index, record) in records.enumerate() {
        for (&label, &(name, classes)) in record.iter().zip(format.labels) {
            if usize::from(label) >= classes {
                let problem = format!(
                    "record {}: {name} {label}; expected 0 to {}",
                    index + 1,
                    classes - 1
                );
                return Err(DataError::format(path, problem));
            }
        }
    }
    Ok(bytes)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = files::read(path, MAX_FILE_BYTES).map_err(|source| DataError::io(path, source))?;
    if bytes.is_empty() {
        return Err(DataError::format(path, files::EMPTY));
    }
    Ok(bytes)
}

/// The records of a binary file.
pub(super) fn read(format: Format, path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = read_bytes(path)?;
    checked(format, bytes, path)
}

/// The records of a pickle, whose dictionary has the images under `data` and the labels under the given names.
pub(super) fn read_pickle(
    format: Format,
    path: &Path,
    names: &[&str],
) -> Result<Vec<u8>, DataError> {
    let wrong = |problem: String| DataError::format(path, problem);
    let bytes = read_bytes(path)?;
    let pickle = Pickle::read(&bytes).map_err(wrong)?;
    let data = pickle.array("data").map_err(wrong)?;
    let (
        Array {
            is_fortran: false, ..
        },
        &[images, IMAGE],
        Values::Bytes(pixels),
    ) = (&data, data.dimensions.as_slice(), &data.values)
    else {
        let size = data.size();
        return Err(wrong(format!(
            "data is {size}; expected a row of {IMAGE} bytes for each image"
        )));
    };
    let mut labels = Vec::new();
    for name in names {
        let array = pickle.array(name).map_err(wrong)?;
        if array.values.len() != images {
            return Err(wrong(format!(
                "has {images} images, but {} {name}",
                array.values.len()
            )));
        }
        labels.push(array.values);
    }
    let mut records = Vec::with_capacity(images * format.record());
    for (index, image) in pixels.chunks_exact(IMAGE).enumerate() {
        for values in &labels {
            // Whatever is not a byte is beyond all classes.
            let label = values.number(index).unwrap_or(-1.0);
            let is_byte = (0.0..=255.0).contains(&label);
            records.push(if is_byte { label as u8 } else { u8::MAX });
        }
        records.extend_from_slice(image);
    }
    checked(format, records, path)
}

/// The images of CIFAR in memory.
#[derive(Debug, Clone)]
pub struct Records {
    format: Format,
    classes: Vec<String>,
    train: Vec<u8>,
    test: Vec<u8>,
    /// Number of training records; those for validation follow.
    trained: usize,
}

impl Records {
    /// Records for training and test, of which the last `valid` training records are for validation.
    pub(super) fn new(
        format: Format,
        classes: Vec<String>,
        [train, test]: [Vec<u8>; 2],
        valid: usize,
    ) -> Self {
        // No training records remain if all are requested for validation.
        let trained = (train.len() / format.record()).saturating_sub(valid);
        Self {
            format,
            classes,
            train,
            test,
            trained,
        }
    }

    fn record(&self, split: Split, index: usize) -> &[u8] {
        let (records, first) = match split {
            Split::Train => (&self.train, 0),
            Split::Valid => (&self.train, self.trained),
            Split::Test => (&self.test, 0),
        };
        let size = self.format.record();
        &records[(first + index) * size..][..size]
    }
}

impl DataSource for Records {
    fn shape(&self) -> ImageShape {
        SHAPE
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        let size = self.format.record();
        match split {
            Split::Train => self.trained,
            Split::Valid => self.train.len() / size - self.trained,
            Split::Test => self.test.len() / size,
        }
    }

    fn label(&self, split: Split, index: usize) -> usize {
        usize::from(self.record(split, index)[self.format.class])
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        _draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let values = &self.record(split, index)[self.format.labels.len()..];
        for (out, &value) in out.iter_mut().zip(values) {
            *out = f32::from(value) / 255.0;
        }
        Ok(())
    }
}

/// The file of the first name that is there, and whether it is the second: the one of the other version.
pub(super) fn either(folder: &Path, binary: &str, pickled: &str) -> (PathBuf, bool) {
    let (binary, pickled) = (folder.join(binary), folder.join(pickled));
    if !binary.exists() && pickled.is_file() {
        (pickled, true)
    } else {
        (binary, false)
    }
}
