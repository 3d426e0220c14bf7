//! The letters of NIST in the course's `nist26_valid.mat`: one file comes in, a source of 26 classes goes out.
//!
//! The format is that of NIST36 with 26 classes; the one file is divided by `data.split`. Held in memory.

use std::path::Path;

use crate::config::data::Nist26Config;

use super::memory::MemorySource;
use super::nist36::{SHAPE, read_samples};
use super::{DataError, alphanumeric_classes, split};

/// Number of classes, A..Z.
const CLASSES: usize = 26;

/// Opens `<root>/<folder>/nist26_valid.mat`; errors as in [`super::nist36::open`].
///
/// For the division, a sample is called by its class and its place among the samples of that class, from 0: `A0`, `A1`.
pub fn open(config: &Nist26Config, root: &Path) -> Result<MemorySource, DataError> {
    let path = root.join(&config.folder).join("nist26_valid.mat");
    let samples = read_samples(&path, "valid", CLASSES)?;
    let classes: Vec<String> = alphanumeric_classes().into_iter().take(CLASSES).collect();
    let mut source = MemorySource::new(SHAPE, classes.clone());
    let mut seen = [0usize; CLASSES];
    let images = samples.values.chunks_exact(SHAPE.values());
    for (&label, image) in samples.labels.iter().zip(images) {
        let name = format!("{}{}", classes[label], seen[label]);
        seen[label] += 1;
        source.extend(split::assign(&config.split, &name), &[label], image);
    }
    Ok(source)
}
