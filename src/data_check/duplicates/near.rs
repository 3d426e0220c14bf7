//! Pairs of images that are nearly the same.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::THUMB;
use super::align::{COARSE, FINE, FINEST, Fit, Picture};
use super::hash::Hash;
use crate::data::DataSource;
use crate::data_check::error::CheckError;
use crate::data_check::grey;
use crate::data_check::samples::Sample;
use crate::progress::Monitor;

/// How many of the images with the nearest hashes are compared with each.
const NEIGHBOURS: usize = 6;

/// Hashes that differ in more of their 256 bits are of different pictures. Unrelated ones differ in 128 on average.
const MAX_DISTANCE: u32 = 72;

/// Smallest correlation after the first half of the search that is worth the second.
const MIN_COARSE: f32 = 0.8;

/// Smallest correlation of two copies, on pictures of [`THUMB`] pixels.
const MIN_CORRELATION: f32 = 0.97;

/// The same of their details, which re-saving blurs.
const MIN_DETAILS: f32 = 0.7;

/// Side of the pictures on which pairs of large images are compared once more.
const LARGE: usize = 64;

/// A pair counts only if what is missing to a correlation of 1 is at most this part of what is missing between most images of the class and their
/// nearest other one.
const MAX_PART: f32 = 0.2;

/// The part of the class that has its nearest other one nearer.
const QUANTILE: f64 = 0.75;

/// Smallest class whose distances say what is usual; smaller ones go by those of all images.
const MIN_CLASS: usize = 8;

/// An image among those that are compared: its place in the list of all samples.
pub struct Candidate<'a> {
    /// Its place.
    pub place: usize,
    /// The sample.
    pub sample: &'a Sample,
    /// Its grey picture, 0 to 255.
    pub thumb: &'a [u8],
}

/// Two samples, by their places in the list, whose pictures are nearly the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The places, in ascending order.
    pub places: [usize; 2],
    /// The correlation of the aligned pictures.
    pub correlation: f32,
}

/// A compared pair, by indices among the candidates.
struct Compared {
    pair: [usize; 2],
    fit: Fit,
    details: f32,
}

impl Compared {
    /// What is missing to equality.
    fn missing(&self) -> f32 {
        (1.0 - self.fit.correlation).max(0.0)
    }
}

/// Finds the pairs.
pub fn find(
    source: &dyn DataSource,
    candidates: &[Candidate],
    monitor: &Monitor,
) -> Result<Vec<Pair>, CheckError> {
    let compared = compare(candidates, &proposed(candidates, monitor)?, monitor)?;
    let usual = usual_missing(candidates, &compared);
    let all = quantile(usual.values().flatten().copied().collect());
    let limit = |index: usize| {
        let class = usual.get(&candidates[index].sample.label);
        let class = class.filter(|missing| missing.len() >= MIN_CLASS);
        MAX_PART * class.map_or(all, |missing| quantile(missing.clone()))
    };
    let alike = compared.into_iter().filter(|compared| {
        compared.fit.correlation >= MIN_CORRELATION
            && compared.details >= MIN_DETAILS
            && compared
                .pair
                .iter()
                .all(|&index| compared.missing() <= limit(index))
    });
    let shape = source.shape();
    let is_large = shape.height.min(shape.width) > THUMB;
    let alike: Vec<Compared> = alike.collect();
    let stage = monitor.stage("confirming duplicates", Some(alike.len()));
    // In the order of the pairs, on any number of threads.
    let confirmed = alike.into_par_iter().map(|compared| {
        stage.advance(1)?;
        let places = compared.pair.map(|index| candidates[index].place);
        let correlation = if is_large {
            let samples = compared.pair.map(|index| candidates[index].sample);
            confirm(source, samples, compared.fit)?
        } else {
            Some(compared.fit.correlation)
        };
        Ok(correlation.map(|correlation| Pair {
            places,
            correlation,
        }))
    });
    let confirmed: Vec<Option<Pair>> = confirmed.collect::<Result<_, CheckError>>()?;
    Ok(confirmed.into_iter().flatten().collect())
}

/// The images with the nearest hashes of each, as pairs of indices.
fn proposed(candidates: &[Candidate], monitor: &Monitor) -> Result<Vec<[usize; 2]>, CheckError> {
    let hashes: Vec<Hash> = candidates.iter().map(|c| Hash::of(c.thumb)).collect();
    let stage = monitor.stage("comparing hashes", Some(hashes.len()));
    let nearest = |index: usize| {
        stage.advance(1)?;
        let mut near: Vec<(u32, usize)> = Vec::with_capacity(NEIGHBOURS + 1);
        let mut limit = MAX_DISTANCE;
        for (other, hash) in hashes.iter().enumerate() {
            let distance = hashes[index].distance(hash);
            if distance > limit || other == index {
                continue;
            }
            let at = near.partition_point(|&known| known < (distance, other));
            near.insert(at, (distance, other));
            if near.len() > NEIGHBOURS {
                near.truncate(NEIGHBOURS);
                limit = near[NEIGHBOURS - 1].0;
            }
        }
        let pair = |(_, other): (u32, usize)| [index.min(other), index.max(other)];
        Ok(near.into_iter().map(pair).collect::<Vec<_>>())
    };
    let lists: Vec<Vec<[usize; 2]>> = (0..hashes.len())
        .into_par_iter()
        .map(nearest)
        .collect::<Result<_, CheckError>>()?;
    let mut pairs = lists.concat();
    pairs.sort_unstable();
    pairs.dedup();
    Ok(pairs)
}

/// Aligns and compares the proposed pairs.
fn compare(
    candidates: &[Candidate],
    pairs: &[[usize; 2]],
    monitor: &Monitor,
) -> Result<Vec<Compared>, CheckError> {
    let stage = monitor.stage("comparing images", Some(pairs.len()));
    let values = |index: usize| -> Vec<f32> {
        let thumb = candidates[index].thumb.iter();
        thumb.map(|&value| f32::from(value) / 255.0).collect()
    };
    let compared = |&pair: &[usize; 2]| {
        stage.advance(1)?;
        let [first, second] = pair.map(values);
        let [small, other] = [&first, &second].map(|values| halved(values));
        let [small, other] = [&small, &other].map(|values| Picture {
            values,
            side: THUMB / 2,
        });
        let [first, second] = [&first, &second].map(|values| Picture {
            values,
            side: THUMB,
        });
        // A quarter of the pixels are enough for the coarse half of the search.
        let mut fit = Fit::identity(small, other).refine(small, other, COARSE);
        let mut details = 0.0;
        if fit.correlation >= MIN_COARSE {
            fit = fit.refine(first, second, FINE);
            details = fit.details(first, second);
        }
        Ok(Compared { pair, fit, details })
    };
    pairs.par_iter().map(compared).collect()
}

/// A picture of [`THUMB`] pixels at half its size.
fn halved(values: &[f32]) -> Vec<f32> {
    let side = THUMB / 2;
    let mean = |at: usize| {
        let first = at / side * 2 * THUMB + at % side * 2;
        (values[first] + values[first + 1] + values[first + THUMB] + values[first + THUMB + 1])
            / 4.0
    };
    (0..side * side).map(mean).collect()
}

/// For each class, what is missing to equality between each of its images and the nearest other one of the class.
fn usual_missing(candidates: &[Candidate], compared: &[Compared]) -> BTreeMap<usize, Vec<f32>> {
    let mut nearest = vec![f32::INFINITY; candidates.len()];
    for one in compared {
        for index in one.pair {
            nearest[index] = nearest[index].min(one.missing());
        }
    }
    let mut by_class: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
    for (candidate, missing) in candidates.iter().zip(nearest) {
        // Nothing is near to those without any: they are far from all others.
        let missing = if missing.is_finite() { missing } else { 1.0 };
        by_class
            .entry(candidate.sample.label)
            .or_default()
            .push(missing);
    }
    by_class
}

fn quantile(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    values
        .get((last * QUANTILE) as usize)
        .copied()
        .unwrap_or(1.0)
}

/// Compares two large images once more, on larger pictures; the correlation, if they are the same.
fn confirm(
    source: &dyn DataSource,
    pair: [&Sample; 2],
    fit: Fit,
) -> Result<Option<f32>, CheckError> {
    let shape = source.shape();
    let read = |sample: &Sample| -> Result<Vec<f32>, CheckError> {
        let mut values = vec![0.0; shape.values()];
        source.read(sample.split, sample.index, 0, &mut values)?;
        Ok(grey::square(&values, shape, LARGE))
    };
    let (first, second) = (read(pair[0])?, read(pair[1])?);
    let [first, second] = [&first, &second].map(|values| Picture {
        values,
        side: LARGE,
    });
    let fit = fit.refine(first, second, FINEST);
    let is_same = fit.correlation >= MIN_CORRELATION && fit.details(first, second) >= MIN_DETAILS;
    Ok(is_same.then_some(fit.correlation))
}
