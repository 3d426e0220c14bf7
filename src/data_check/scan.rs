//! Reading every sample once: what is kept of each to compare it with others.

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::duplicates::THUMB;
use super::error::CheckError;
use super::grey;
use super::samples::Sample;
use crate::data::{DataError, DataSource};
use crate::photo::Header;
use crate::progress::Monitor;

/// Channels that differ by less than this everywhere are grey: JPEG's rounding, and that of fitting.
const GREY: f32 = 4.0 / 255.0;

/// What is kept of a sample.
#[derive(Debug, Clone)]
pub struct Scanned {
    /// SHA-256 of its values.
    pub content: [u8; 32],
    /// A grey picture of [`THUMB`] x [`THUMB`] pixels, 0 to 255.
    pub thumb: Vec<u8>,
    /// Mean of all its values, in [0, 1].
    pub brightness: f32,
    /// Largest value less smallest.
    pub range: f32,
    /// Whether its channels are equal.
    pub is_grey: bool,
    /// Of the image file, if it is one.
    pub header: Option<Header>,
}

/// Reads all samples, as validation sees them. Those that can't be read come with the problem.
pub fn scan(
    source: &dyn DataSource,
    samples: &[Sample],
    monitor: &Monitor,
) -> Result<Vec<Result<Scanned, String>>, CheckError> {
    let stage = monitor.stage("reading samples", Some(samples.len()));
    let values = source.shape().values();
    samples
        .par_iter()
        .map_init(
            || vec![0.0f32; values],
            |values, sample| {
                let read = source.read(sample.split, sample.index, 0, values);
                stage.advance(1)?;
                match read {
                    Ok(()) => Ok(Ok(scanned(source, sample, values))),
                    Err(DataError::Cancelled(cancelled)) => Err(cancelled.into()),
                    Err(DataError::File(error)) => Ok(Err(error.reason())),
                    Err(error) => Ok(Err(error.to_string())),
                }
            },
        )
        .collect()
}

fn scanned(source: &dyn DataSource, sample: &Sample, values: &[f32]) -> Scanned {
    let shape = source.shape();
    let thumb = grey::square(values, shape, THUMB);
    let (low, high) = values
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    let area = shape.pixels();
    let is_grey = (area..values.len()).all(|at| (values[at] - values[at % area]).abs() < GREY);
    Scanned {
        content: content(values),
        // `as` rounds towards zero.
        thumb: thumb
            .iter()
            .map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8)
            .collect(),
        brightness: values.iter().sum::<f32>() / values.len().max(1) as f32,
        range: high - low,
        is_grey,
        header: source
            .file(sample.split, sample.index)
            .and_then(Header::read),
    }
}

/// SHA-256 of a sample's values.
pub fn content(values: &[f32]) -> [u8; 32] {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Sha256::digest(&bytes).into()
}
