//! How fast images are read: decoding alone, and the loader with all that it does besides.

use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;

use super::error::BenchError;
use super::memory::peak_mb;
use crate::config::Experiment;
use crate::data::image_folder::ImageFolder;
use crate::data::loader::{Loader, Order, Share};
use crate::data::{DataConfig, DataError, Split, data_root};
use crate::photo;
use crate::progress::{CancelToken, Monitor};

/// Both are timed in turns, so many times; the medians count.
const ROUNDS: usize = 5;

/// Seconds of one turn.
const SECONDS: f64 = 3.0;

/// The speed of reading images.
#[derive(Debug, Clone, Serialize)]
pub struct DataTiming {
    /// Name of the config.
    pub workload: String,
    /// Files per second that are read and decoded, and nothing else, on all cores.
    pub decoded_per_s: f64,
    /// Samples per second of the training split in batches: decoded, fitted, augmented and normalised.
    pub loaded_per_s: f64,
    /// Threads that share the work.
    pub threads: usize,
    /// Largest memory of the process so far in MB (Linux; 0 elsewhere).
    pub peak_mb: u64,
}

/// Times reading the training images of a folder, without any cache; `batch` overrides the config's number of samples.
///
/// # Errors
/// The data is not a folder of images, or can't be read.
pub fn data(
    experiment: &Experiment,
    batch: Option<usize>,
    monitor: &Monitor,
) -> Result<DataTiming, BenchError> {
    let DataConfig::ImageFolder(config) = &experiment.data else {
        return Err(BenchError::NoImageFolder);
    };
    let mut config = config.clone();
    (config.memory_mb, config.cache) = (0, None);
    let source = ImageFolder::open_watched(&config, &data_root(), monitor)?;
    let source = Arc::new(source);
    let augment = experiment.data.augment();
    let loader = Loader {
        source: source.clone(),
        split: Split::Train,
        batch_size: batch.unwrap_or(experiment.training.batch_size),
        order: Order::EachEpoch,
        augment: (!augment.is_off()).then(|| augment.clone()),
        normalize: experiment.data.normalize().cloned(),
        seed: experiment.seed,
        share: Share::WHOLE,
        cancel: monitor.cancel().clone(),
    };
    let (mut decoded, mut loaded) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let indices = loader.indices(round);
        decoded.push(decode(&source, &indices, monitor.cancel())?);
        loaded.push(load(&loader, round)?);
    }
    Ok(DataTiming {
        workload: experiment.name.clone(),
        decoded_per_s: median(decoded),
        loaded_per_s: median(loaded),
        threads: rayon::current_num_threads(),
        peak_mb: peak_mb(),
    })
}

/// Files per second that all cores read and decode in one turn.
fn decode(source: &ImageFolder, indices: &[usize], cancel: &CancelToken) -> Result<f64, DataError> {
    let began = Instant::now();
    let is_over = || began.elapsed().as_secs_f64() > SECONDS;
    let counts: Vec<usize> = indices
        .par_iter()
        .map(|&index| {
            cancel.check()?;
            if is_over() {
                return Ok(0);
            }
            drop(photo::open(source.path(Split::Train, index))?);
            Ok(1)
        })
        .collect::<Result<_, DataError>>()?;
    Ok(counts.iter().sum::<usize>() as f64 / began.elapsed().as_secs_f64())
}

/// Samples per second of the loader in one turn.
fn load(loader: &Loader, epoch: usize) -> Result<f64, DataError> {
    let began = Instant::now();
    let mut samples = 0;
    for batch in loader.batches(epoch) {
        samples += batch?.indices.len();
        if began.elapsed().as_secs_f64() > SECONDS {
            break;
        }
    }
    Ok(samples as f64 / began.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
