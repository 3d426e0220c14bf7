//! The tally of an autoencoder: means over its images, and a few of them to look at.

use super::outcome::Evaluation;
use crate::metrics::{self, ImagePair, Measure, Metric, Metrics, Outputs, psnr};
use crate::report::Reconstruction;
use crate::shape::ImageShape;

/// Classes whose reconstructions are kept, evenly spread, and how many of each: as many as the course asks for.
const SHOWN_CLASSES: usize = 5;
const SHOWN_SAMPLES: usize = 2;

/// A metric, its value for one sample, and the sum of the values so far.
type Sum = (&'static Metric, fn(&ImagePair) -> f64, f64);

/// What is counted over an autoencoder's images.
pub(super) struct Images {
    shape: ImageShape,
    /// Indices of the classes whose reconstructions are kept.
    wanted: Vec<usize>,
    samples: usize,
    /// Sums over the samples.
    sums: Vec<Sum>,
    /// Label, original and output.
    shown: Vec<(usize, Vec<f32>, Vec<f32>)>,
}

impl Images {
    /// An empty tally for images of `shape` and this number of classes.
    pub(super) fn new(shape: ImageShape, classes: usize) -> Self {
        let shown = SHOWN_CLASSES.min(classes);
        let sum = |metric: &'static Metric| match metric.measure {
            Measure::Image(of) => Some((metric, of, 0.0)),
            Measure::Answer(_) | Measure::Split(_) => None,
        };
        Self {
            shape,
            wanted: (0..shown).map(|class| class * classes / shown).collect(),
            samples: 0,
            sums: metrics::of(Outputs::Images(shape))
                .filter_map(sum)
                .collect(),
            shown: Vec::new(),
        }
    }

    /// Adds one image of class `label` to the running sums.
    pub(super) fn add(&mut self, output: &[f32], label: usize, original: &[f32]) {
        self.samples += 1;
        let pair = ImagePair {
            original,
            output,
            shape: self.shape,
        };
        for (_, of, sum) in &mut self.sums {
            *sum += of(&pair);
        }
        let same = self.shown.iter().filter(|(class, ..)| *class == label);
        if self.wanted.contains(&label) && same.count() < SHOWN_SAMPLES {
            self.shown.push((label, original.to_vec(), output.to_vec()));
        }
    }

    pub(super) fn finish(mut self, classes: &[String]) -> Evaluation {
        let mean = |sum: f64| sum / self.samples as f64;
        let named = self.sums.iter();
        let metrics: Metrics = named
            .map(|(metric, _, sum)| (metric.name.to_string(), mean(*sum)))
            .collect();
        self.shown.sort_by_key(|(label, ..)| *label);
        let shown = self.shown.into_iter().map(|(label, original, found)| {
            let psnr = psnr::psnr(&original, &found).unwrap_or(0.0);
            Reconstruction {
                class: classes[label].clone(),
                shape: self.shape,
                original,
                found,
                psnr,
            }
        });
        Evaluation {
            metrics,
            confusion: None,
            mistakes: Vec::new(),
            reconstructions: shown.collect(),
            samples: self.samples,
        }
    }
}
