//! Folders of images, one folder a class: PNG and JPEG files come in, a source of that many classes goes out.
//!
//! Opening only lists the files. A sample is decoded when it is first read, brought to the configured shape and kept
//! as bytes, so that later epochs don't decode again. Decoding itself is [`crate::photo`]'s.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};

use crate::config::data::{Fit, ImageFolderConfig};
use crate::photo;

use super::{DataError, DataSource, ImageShape, Split, split};

/// Most bytes of ready samples that are kept in memory; beyond it, files are decoded at every reading. Holds 7,000
/// colour images of 224x224.
pub const CACHE_BYTES: usize = 1 << 30;
/// What counts as an image file, in any case.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];
/// Names of the folders of each split. Both names of the second are in common use.
const SPLIT_FOLDERS: [(Split, &[&str]); 3] = [
    (Split::Train, &["train"]),
    (Split::Valid, &["valid", "val"]),
    (Split::Test, &["test"]),
];

/// Folders of images. Class names are the folders' names: in numerical order if all are integers (`2` before `10`),
/// else in the order of their characters. Files within a class are in the order of their names.
#[derive(Debug)]
pub struct ImageFolder {
    shape: ImageShape,
    fit: Fit,
    classes: Vec<String>,
    splits: [Vec<Sample>; 3],
    cached_bytes: AtomicUsize,
}

#[derive(Debug)]
struct Sample {
    path: PathBuf,
    label: usize,
    /// `shape.values()` bytes once read, unless the cache is full.
    ready: OnceLock<Box<[u8]>>,
}

impl Sample {
    fn new(path: PathBuf, label: usize) -> Self {
        Self {
            path,
            label,
            ready: OnceLock::new(),
        }
    }
}

impl ImageFolder {
    /// Lists `<root>/<folder>`: `train/`, `valid/` (or `val/`) and `test/` with a folder a class, or else the class
    /// folders themselves, divided by `config.split`. A sample's name for that is its file's name without extension
    /// (by number) or `class/name` (by share). Hidden files and other kinds of files are passed over.
    ///
    /// Errors name the folder: it is missing, holds no class folders, a class has no images, `valid/` or `test/` has a
    /// class that `train/` lacks, or the configured shape is not one that kiln makes.
    pub fn open(config: &ImageFolderConfig, root: &Path) -> Result<Self, DataError> {
        let folder = root.join(&config.folder);
        if !matches!(config.channels, 1 | 3) || config.height == 0 || config.width == 0 {
            return Err(DataError::format(
                &folder,
                format!(
                    "can't be read as {}x{}x{} images; data.channels is 1 or 3, data.height and data.width at least 4",
                    config.channels, config.height, config.width
                ),
            ));
        }
        let (classes, splits) = if folder.join("train").is_dir() {
            list_splits(&folder)?
        } else {
            divide(&folder, config)?
        };
        Ok(Self {
            shape: ImageShape {
                channels: config.channels,
                height: config.height,
                width: config.width,
            },
            fit: config.fit,
            classes,
            splits,
            cached_bytes: AtomicUsize::new(0),
        })
    }

    /// The file that a sample is read from.
    pub fn path(&self, split: Split, index: usize) -> &Path {
        &self.splits[split.index()][index].path
    }

    fn load(&self, path: &Path) -> Result<Box<[u8]>, DataError> {
        let image = photo::open(path).map_err(|error| match error {
            photo::PhotoError::Io { path, source } => DataError::io(path, source),
            photo::PhotoError::Format { path, problem } => {
                DataError::format(path, format!("{problem}; replace or remove this file"))
            }
        })?;
        Ok(to_bytes(image, self.shape, self.fit))
    }
}

/// Brings an image to the shape of a sample: values in [0, 1], `[channels, height, width]`.
///
/// Colour becomes grey where one channel is asked for.
pub fn to_sample(image: DynamicImage, shape: ImageShape, fit: Fit) -> Vec<f32> {
    let bytes = to_bytes(image, shape, fit);
    let mut values = vec![0.0; bytes.len()];
    write_values(&bytes, &mut values);
    values
}

fn to_bytes(image: DynamicImage, shape: ImageShape, fit: Fit) -> Box<[u8]> {
    let (width, height) = (shape.width as u32, shape.height as u32);
    if shape.channels == 1 {
        let image = image.into_luma8();
        fit_grey(&image, width, height, fit).into_raw().into()
    } else {
        let image = fit_colour(&image.into_rgb8(), width, height, fit);
        let values = (0..3).flat_map(|channel| image.pixels().map(move |p| p.0[channel]));
        values.collect()
    }
}

impl DataSource for ImageFolder {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        self.splits[split.index()].len()
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.splits[split.index()][index].label
    }

    /// Errors name the file: it is gone, or not an image in spite of its extension.
    /// Decodes every image, which the first epochs then need not do (up to [`CACHE_BYTES`]).
    fn check(&self) -> Result<(), DataError> {
        Split::ALL.into_iter().try_for_each(|split| {
            (0..self.len(split)).into_par_iter().try_for_each_init(
                || vec![0.0; self.shape.values()],
                |values, index| self.read(split, index, 0, values),
            )
        })
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        _draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let sample = &self.splits[split.index()][index];
        if let Some(bytes) = sample.ready.get() {
            write_values(bytes, out);
            return Ok(());
        }
        let bytes = self.load(&sample.path)?;
        write_values(&bytes, out);
        let before = self.cached_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        let kept = before + bytes.len() <= CACHE_BYTES && sample.ready.set(bytes).is_ok();
        if !kept {
            self.cached_bytes
                .fetch_sub(self.shape.values(), Ordering::Relaxed);
        }
        Ok(())
    }
}

fn write_values(bytes: &[u8], out: &mut [f32]) {
    for (value, &byte) in out.iter_mut().zip(bytes) {
        *value = f32::from(byte) / 255.0;
    }
}

// ---- Listing ----

/// Class names and the samples of the three splits.
type Listing = (Vec<String>, [Vec<Sample>; 3]);

/// `train/`, `valid/` or `val/`, `test/`.
fn list_splits(folder: &Path) -> Result<Listing, DataError> {
    let train = folder.join("train");
    let classes = class_folders(&train)?;
    let mut splits: [Vec<Sample>; 3] = Default::default();
    for (split, names) in SPLIT_FOLDERS {
        let mut present = names
            .iter()
            .map(|name| folder.join(name))
            .filter(|p| p.is_dir());
        let Some(split_folder) = present.next() else {
            continue;
        };
        if let Some(second) = present.next() {
            return Err(DataError::format(
                second,
                format!("stands beside {}; keep one of them", split_folder.display()),
            ));
        }
        for (name, path) in folders(&split_folder)? {
            let Some(label) = classes.iter().position(|class| *class == name) else {
                return Err(DataError::format(
                    &path,
                    "there is no such class in train/; every class needs images to learn from",
                ));
            };
            let samples = images(&path)?.into_iter().map(|p| Sample::new(p, label));
            splits[split.index()].extend(samples);
        }
        // The folders come in the order of their names; labels may be in numerical order.
        splits[split.index()].sort_by_key(|sample| sample.label);
    }
    Ok((classes, splits))
}

/// Class folders without splits of their own.
fn divide(folder: &Path, config: &ImageFolderConfig) -> Result<Listing, DataError> {
    let classes = class_folders(folder)?;
    let by_share = matches!(config.split, crate::config::data::SplitRule::Share(_));
    let mut splits: [Vec<Sample>; 3] = Default::default();
    for (label, class) in classes.iter().enumerate() {
        for path in images(&folder.join(class))? {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = if by_share {
                format!("{class}/{stem}")
            } else {
                stem.into_owned()
            };
            let split = split::assign(&config.split, &name);
            splits[split.index()].push(Sample::new(path, label));
        }
    }
    Ok((classes, splits))
}

/// Sorted names of the class folders in `folder`: at least one, each with at least one image.
fn class_folders(folder: &Path) -> Result<Vec<String>, DataError> {
    let found = folders(folder)?;
    if found.is_empty() {
        return Err(DataError::Empty(format!(
            "{}: no images; looked for <class>/*.png, *.jpg, *.jpeg in it",
            folder.display()
        )));
    }
    for (_, path) in &found {
        if images(path)?.is_empty() {
            return Err(DataError::Empty(format!(
                "{}: no images; looked for *.png, *.jpg, *.jpeg in this class folder",
                path.display()
            )));
        }
    }
    let mut names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
    let numbers: Option<Vec<u64>> = names.iter().map(|name| name.parse::<u64>().ok()).collect();
    if numbers.is_some() {
        // `7` and `07` are two classes; the name decides between them.
        names.sort_by_key(|name| (name.parse::<u64>().unwrap_or(u64::MAX), name.clone()));
    }
    Ok(names)
}

/// Folders in `folder` with their names, in the order of these.
fn folders(folder: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let paths = entries(folder)?.into_iter().filter(|path| path.is_dir());
    paths
        .map(|path| match path.file_name().and_then(OsStr::to_str) {
            Some(name) => Ok((name.to_owned(), path)),
            None => Err(DataError::format(
                &path,
                "is not a valid class name; rename this folder to UTF-8 text",
            )),
        })
        .collect()
}

/// Image files in `folder`, in the order of their names.
fn images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_image = |path: &PathBuf| {
        let extension = path.extension().map(OsStr::to_ascii_lowercase);
        extension.is_some_and(|e| EXTENSIONS.iter().any(|known| e == *known)) && path.is_file()
    };
    Ok(entries(folder)?.into_iter().filter(is_image).collect())
}

/// What `folder` holds, without hidden entries, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |error| DataError::io(folder, error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default();
        if !name.as_encoded_bytes().starts_with(b".") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

// ---- Shape ----

fn fit_grey(image: &GrayImage, width: u32, height: u32, fit: Fit) -> GrayImage {
    let fill = || Luma(median(border(image).map(|p| p.0)));
    fit_to(image, width, height, fit, fill)
}

fn fit_colour(image: &RgbImage, width: u32, height: u32, fit: Fit) -> RgbImage {
    let fill = || Rgb(median(border(image).map(|p| p.0)));
    fit_to(image, width, height, fit, fill)
}

/// An image of `width` x `height`. The triangle filter averages over the area of a target pixel when shrinking and
/// is linear interpolation when enlarging.
fn fit_to<P>(
    image: &image::ImageBuffer<P, Vec<u8>>,
    width: u32,
    height: u32,
    fit: Fit,
    fill: impl FnOnce() -> P,
) -> image::ImageBuffer<P, Vec<u8>>
where
    P: image::Pixel<Subpixel = u8> + Send + Sync + 'static,
{
    let (w, h) = image.dimensions();
    match fit {
        Fit::Stretch => imageops::resize(image, width, height, FilterType::Triangle),
        Fit::Crop => {
            // The largest part in the middle with the target's proportions.
            let crop_width = scaled(h, width, height).min(w);
            let crop_height = scaled(w, height, width).min(h);
            let (x, y) = ((w - crop_width) / 2, (h - crop_height) / 2);
            let part = imageops::crop_imm(image, x, y, crop_width, crop_height).to_image();
            imageops::resize(&part, width, height, FilterType::Triangle)
        }
        Fit::Pad => {
            let inner_width = scaled(w, height, h).min(width);
            let inner_height = scaled(h, width, w).min(height);
            let inner = imageops::resize(image, inner_width, inner_height, FilterType::Triangle);
            let mut canvas = image::ImageBuffer::from_pixel(width, height, fill());
            let (x, y) = ((width - inner_width) / 2, (height - inner_height) / 2);
            imageops::replace(&mut canvas, &inner, i64::from(x), i64::from(y));
            canvas
        }
    }
}

/// `length * numerator / denominator`, rounded to the nearest, at least 1.
fn scaled(length: u32, numerator: u32, denominator: u32) -> u32 {
    let denominator = u64::from(denominator.max(1));
    let product = u64::from(length) * u64::from(numerator);
    let rounded = (product + denominator / 2) / denominator;
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

/// The pixels of the outermost rows and columns.
fn border<P: image::Pixel<Subpixel = u8>>(
    image: &image::ImageBuffer<P, Vec<u8>>,
) -> impl Iterator<Item = &P> {
    let (right, bottom) = (
        image.width().saturating_sub(1),
        image.height().saturating_sub(1),
    );
    image
        .enumerate_pixels()
        .filter(move |&(x, y, _)| x == 0 || y == 0 || x == right || y == bottom)
        .map(|(_, _, pixel)| pixel)
}

/// Median of each channel (the upper one of two); black for no pixels.
fn median<const N: usize>(pixels: impl Iterator<Item = [u8; N]>) -> [u8; N] {
    let mut counts = [[0usize; 256]; N];
    let mut total = 0;
    for pixel in pixels {
        total += 1;
        for (count, value) in counts.iter_mut().zip(pixel) {
            count[usize::from(value)] += 1;
        }
    }
    counts.map(|count| {
        let mut below = 0;
        let found = count.iter().position(|n| {
            below += n;
            below > total / 2
        });
        found.unwrap_or_default() as u8
    })
}
