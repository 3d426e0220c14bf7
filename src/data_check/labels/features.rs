//! What the quick models of the folds learn from: the features of a pretrained network, or small images.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn::prelude::*;
use rayon::prelude::*;

use crate::config::Experiment;
use crate::data::{AugmentConfig, DataSource, MemorySource, NormalizeConfig, Split, quantize};
use crate::data_check::error::CheckError;
use crate::data_check::grey;
use crate::data_check::samples::Sample;
use crate::inference::to_input;
use crate::kernels;
use crate::models::{CnnConfig, MlpConfig, ModelConfig, Network, SqueezenetConfig};
use crate::progress::Monitor;
use crate::shape::ImageShape;
use crate::training;
use crate::weights;

/// Smallest side of photographs, whose features a pretrained network computes; smaller images train a network of their own.
const PHOTO_SIDE: usize = 64;

/// Largest side of the images that a network of their own is trained on.
const SMALL_SIDE: usize = 32;

/// Smallest side for a network that halves it three times.
const CNN_SIDE: usize = 8;

/// Where `kiln data fetch squeezenet1_1` puts its weights, and the layers that are not needed of them.
const SQUEEZENET: (&str, &str) = ("squeezenet1_1/squeezenet1_1.pth", "classifier.*");

/// Images that go through the pretrained network at once: little enough for Ctrl-C to be answered soon.
const BATCH: usize = 16;

/// Training data and model of the cross-validation folds.
pub struct Inputs {
    /// The samples in the training split, in the order of the list.
    pub source: Arc<dyn DataSource>,
    /// The model of a fold.
    pub model: ModelConfig,
    /// How its input is normalised.
    pub normalize: Option<NormalizeConfig>,
    /// Augmentation in training.
    pub augment: Option<AugmentConfig>,
    /// The model in words.
    pub words: String,
}

/// Prepares the inputs of `samples`, all of which can be read. Weights of pretrained networks are looked for below `root`.
pub fn inputs(
    source: &dyn DataSource,
    samples: &[&Sample],
    experiment: &Experiment,
    root: &Path,
    device: &Device,
    monitor: &Monitor,
) -> Result<Inputs, CheckError> {
    let shape = source.shape();
    if shape.height.min(shape.width) >= PHOTO_SIDE
        && matches!(shape.channels, 1 | 3)
        && let Some(pretrained) = Pretrained::find(experiment, shape, root)
    {
        return pretrained.inputs(source, samples, device, monitor);
    }
    small_images(source, samples, experiment, monitor)
}

/// A network with weights whose features tell images apart.
struct Pretrained {
    model: ModelConfig,
    file: PathBuf,
    except: Vec<String>,
    normalize: Option<NormalizeConfig>,
    /// Channels that it takes.
    channels: usize,
}

impl Pretrained {
    /// That of the experiment, or else SqueezeNet, if its weights are there.
    fn find(experiment: &Experiment, shape: ImageShape, root: &Path) -> Option<Self> {
        let of_experiment = || {
            let file = training::weights_file(experiment.init.weights.as_ref()?, &[root]);
            let network = Network::new(&experiment.model, shape, 2, &Device::flex());
            let is_usable = file.is_file()
                && network.backbone().is_some()
                && experiment.init.rename == Default::default();
            is_usable.then(|| Self {
                model: experiment.model.clone(),
                file,
                except: experiment.init.except.clone(),
                normalize: experiment.data.normalize().cloned(),
                channels: shape.channels,
            })
        };
        let squeezenet = || {
            let file = root.join(SQUEEZENET.0);
            file.is_file().then(|| Self {
                model: ModelConfig::Squeezenet(SqueezenetConfig::default()),
                file,
                except: vec![SQUEEZENET.1.into()],
                normalize: Some(imagenet()),
                channels: 3,
            })
        };
        of_experiment().or_else(squeezenet)
    }

    fn inputs(
        self,
        source: &dyn DataSource,
        samples: &[&Sample],
        device: &Device,
        monitor: &Monitor,
    ) -> Result<Inputs, CheckError> {
        let shape = ImageShape {
            channels: self.channels,
            ..source.shape()
        };
        let classes = source.classes().len();
        let network = Network::new(&self.model, shape, classes, device);
        let (network, _) = weights::load(network, &self.file, &self.except)?;
        let network = network.valid();
        let stage = monitor.stage("computing features", Some(samples.len()));
        let mut rows: Vec<Vec<f32>> = Vec::with_capacity(samples.len());
        for batch in samples.chunks(BATCH) {
            let mut pixels = read_all(source, batch, monitor)?.concat();
            if source.shape().channels < self.channels {
                let planes = pixels.chunks_exact(shape.pixels());
                pixels = planes
                    .flat_map(|plane| plane.repeat(self.channels))
                    .collect();
            }
            let input = to_input(pixels, batch.len(), shape, self.normalize.as_ref(), device);
            let work = network.work(shape).forward * batch.len();
            let features =
                kernels::in_pool(work, || network.mean_features(input)?.try_into_data().ok());
            let features = features.ok_or_else(|| {
                CheckError::Mismatch(
                    "the device can't compute the features; use --set backend=flex".into(),
                )
            })?;
            let values: Vec<f32> = features.iter::<f32>().collect();
            rows.extend(
                values
                    .chunks(values.len() / batch.len())
                    .map(<[f32]>::to_vec),
            );
            stage.advance(batch.len())?;
        }
        let width = rows.first().map_or(0, Vec::len);
        let normalize = standardize(&mut rows);
        let kind = self.model.kind();
        Ok(Inputs {
            source: in_memory(source, samples, ImageShape::new(width, 1, 1), &rows),
            model: ModelConfig::Mlp(MlpConfig {
                hidden: Vec::new(),
                ..MlpConfig::default()
            }),
            normalize: Some(normalize),
            augment: None,
            words: format!("linear classifier on the features of {kind}"),
        })
    }
}

/// What torchvision's networks were trained with.
fn imagenet() -> NormalizeConfig {
    NormalizeConfig {
        mean: vec![0.485, 0.456, 0.406],
        std: vec![0.229, 0.224, 0.225],
    }
}

/// Brings each column to [0, 1], and returns what then brings it to mean 0 and standard deviation 1.
fn standardize(rows: &mut [Vec<f32>]) -> NormalizeConfig {
    let width = rows.first().map_or(0, Vec::len);
    let count = rows.len().max(1) as f32;
    let mut config = NormalizeConfig {
        mean: Vec::with_capacity(width),
        std: Vec::with_capacity(width),
    };
    for column in 0..width {
        let values = || rows.iter().map(|row| row[column]);
        let low = values().fold(f32::INFINITY, f32::min);
        let range = values().fold(f32::NEG_INFINITY, f32::max) - low;
        let range = if range > 0.0 { range } else { 1.0 };
        for row in rows.iter_mut() {
            row[column] = (row[column] - low) / range;
        }
        let values = || rows.iter().map(|row| row[column]);
        let mean = values().sum::<f32>() / count;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
        config.mean.push(mean);
        // A column that is the same everywhere says nothing.
        config.std.push(variance.sqrt().max(1e-3));
    }
    config
}

/// The images themselves, no larger than a quick network needs.
fn small_images(
    source: &dyn DataSource,
    samples: &[&Sample],
    experiment: &Experiment,
    monitor: &Monitor,
) -> Result<Inputs, CheckError> {
    let shape = source.shape();
    let longest = shape.height.max(shape.width);
    let scaled = |side: usize| {
        if longest > SMALL_SIDE {
            (side * SMALL_SIDE / longest).max(1)
        } else {
            side
        }
    };
    let small = ImageShape::new(shape.channels, scaled(shape.height), scaled(shape.width));
    let stage = monitor.stage("preparing samples", Some(samples.len()));
    let mut rows = Vec::with_capacity(samples.len());
    for batch in samples.chunks(BATCH * BATCH) {
        let images = read_all(source, batch, monitor)?;
        rows.par_extend(images.into_par_iter().map(|image| {
            if small == shape {
                image
            } else {
                grey::resized(&image, shape, small.height, small.width)
            }
        }));
        stage.advance(batch.len())?;
    }
    let (model, words) = if small.height.min(small.width) >= CNN_SIDE {
        (
            ModelConfig::Cnn(CnnConfig {
                channels: vec![16, 32, 64],
                hidden: 128,
                ..CnnConfig::default()
            }),
            "small convolutional network",
        )
    } else {
        (ModelConfig::Mlp(MlpConfig::default()), "small network")
    };
    let augment = Some(experiment.data.augment().clone());
    Ok(Inputs {
        source: in_memory(source, samples, small, &rows),
        model,
        normalize: experiment.data.normalize().cloned(),
        augment: augment.filter(|augment| small == shape && !augment.is_off()),
        words: format!("{words} on {}x{} pixels", small.width, small.height),
    })
}

/// Reads samples in order.
fn read_all(
    source: &dyn DataSource,
    samples: &[&Sample],
    monitor: &Monitor,
) -> Result<Vec<Vec<f32>>, CheckError> {
    let read = |sample: &&Sample| {
        monitor.cancel().check()?;
        let mut values = vec![0.0; source.shape().values()];
        source.read(sample.split, sample.index, 0, &mut values)?;
        Ok(values)
    };
    samples.par_iter().map(read).collect()
}

/// Rows in [0, 1] as a source, all in its training split.
fn in_memory(
    source: &dyn DataSource,
    samples: &[&Sample],
    shape: ImageShape,
    rows: &[Vec<f32>],
) -> Arc<dyn DataSource> {
    let mut memory = MemorySource::new(shape, source.classes().to_vec());
    for (sample, row) in samples.iter().zip(rows) {
        let values: Vec<u16> = row.iter().map(|&value| quantize(value)).collect();
        memory.extend(Split::Train, &[sample.label], &values);
    }
    Arc::new(memory)
}
