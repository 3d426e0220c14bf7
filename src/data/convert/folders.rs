//! A source as class folders: `OUT/train/CLASS/000001.png`, and `OUT/labels.csv`.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, RgbImage};
use rayon::prelude::*;

use super::names;
use crate::data::{DataError, DataSource, Split};
use crate::error::FileError;
use crate::files;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// The list of all files with their classes.
const LIST: &str = "labels.csv";

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Images of training, validation and test.
    pub images: [usize; 3],
    /// Classes that have images.
    pub classes: usize,
}

/// One file to be written.
struct Job {
    split: Split,
    index: usize,
    /// From `OUT` on, with `/` between its parts.
    file: String,
}

impl Job {
    /// The folder of its class.
    fn folder(&self) -> Option<&Path> {
        Path::new(&self.file).parent()
    }
}

/// Writes all samples of a source, as drawing 0 gives them, as PNG files of 8 bits per value, numbered in each class from 1. `out`
/// appears when it is complete, or not at all.
///
/// # Errors
/// `out` exists and is not an empty folder; a sample can't be read, or a file not be written; cancelled.
pub fn to_folders(
    source: &dyn DataSource,
    out: &Path,
    monitor: &Monitor,
) -> Result<Written, DataError> {
    require_free(out)?;
    let jobs = jobs(source).map_err(|problem| DataError::format(out, problem))?;
    let parent = files::folder_of(out);
    let created = |error| FileError::create(out, error);
    let folder = files::temporary_folder(parent).map_err(created)?;
    let class_folders: BTreeSet<&Path> = jobs.iter().filter_map(Job::folder).collect();
    for class in class_folders {
        std::fs::create_dir_all(folder.path().join(class)).map_err(created)?;
    }
    let stage = monitor.stage("writing images", Some(jobs.len()));
    jobs.par_iter().try_for_each_init(
        || vec![0.0; source.shape().values()],
        |values, job| {
            source.read(job.split, job.index, 0, values)?;
            let path = folder.path().join(&job.file);
            let failed = |error| FileError::write(out.join(&job.file), error);
            let png = png(source.shape(), values).map_err(failed)?;
            std::fs::write(&path, png).map_err(failed)?;
            Ok::<(), DataError>(stage.advance(1)?)
        },
    )?;
    let list = list(source, &jobs).map_err(|error| FileError::write(out.join(LIST), error))?;
    files::write(&folder.path().join(LIST), &list)?;
    publish(folder, out)?;
    let labels = jobs.iter().map(|job| source.label(job.split, job.index));
    let labels: BTreeSet<usize> = labels.collect();
    Ok(Written {
        images: Split::ALL.map(|split| source.len(split)),
        classes: labels.len(),
    })
}

/// Nothing is overwritten: `out` must not exist, or be an empty folder.
fn require_free(out: &Path) -> Result<(), FileError> {
    let problem = match std::fs::read_dir(out).map(|mut entries| entries.next().is_some()) {
        Ok(false) => return Ok(()),
        Ok(true) => "is not empty",
        Err(_) if !out.exists() => return Ok(()),
        Err(_) => "is not a folder",
    };
    let advice = "choose a folder that does not exist yet";
    Err(FileError::new(out, problem).advise(advice).usage())
}

fn jobs(source: &dyn DataSource) -> Result<Vec<Job>, String> {
    let folders = source.classes().iter().map(|class| names::folder(class));
    let folders: Vec<String> = folders.collect::<Result<_, _>>()?;
    let mut jobs = Vec::new();
    for split in Split::ALL {
        let mut seen = vec![0usize; folders.len()];
        for index in 0..source.len(split) {
            let label = source.label(split, index);
            let (Some(folder), Some(seen)) = (folders.get(label), seen.get_mut(label)) else {
                return Err(format!("label {label} has no class"));
            };
            *seen += 1;
            jobs.push(Job {
                split,
                index,
                file: format!("{}/{folder}/{seen:06}.png", split.name()),
            });
        }
    }
    Ok(jobs)
}

/// A sample as a PNG file, grey or in colour; values are rounded to 255 steps.
fn png(shape: ImageShape, values: &[f32]) -> std::io::Result<Vec<u8>> {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let (width, height) = (shape.width as u32, shape.height as u32);
    let plane = shape.height * shape.width;
    let place = |x: u32, y: u32| y as usize * shape.width + x as usize;
    let mut bytes = Cursor::new(Vec::new());
    let encoded = if shape.channels == 1 {
        let image = image::GrayImage::from_fn(width, height, |x, y| {
            image::Luma([byte(values[place(x, y)])])
        });
        image.write_to(&mut bytes, ImageFormat::Png)
    } else {
        let image = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([0, 1, 2].map(|channel| byte(values[channel * plane + place(x, y)])))
        });
        image.write_to(&mut bytes, ImageFormat::Png)
    };
    encoded.map_err(std::io::Error::other)?;
    Ok(bytes.into_inner())
}

/// The list: file, label and split of every image.
fn list(source: &dyn DataSource, jobs: &[Job]) -> std::io::Result<Vec<u8>> {
    let mut list = csv::Writer::from_writer(Vec::new());
    list.write_record(["file", "label", "split"])?;
    for job in jobs {
        let class = &source.classes()[source.label(job.split, job.index)];
        list.write_record([&job.file, class, job.split.name()])?;
    }
    list.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Gives the finished folder its name.
fn publish(folder: tempfile::TempDir, out: &Path) -> Result<(), FileError> {
    let created = |error| FileError::create(out, error);
    if out.exists() {
        std::fs::remove_dir(out).map_err(created)?;
    }
    std::fs::rename(folder.path(), out).map_err(created)?;
    // It is no longer there under its temporary name.
    let _ = folder.keep();
    files::sync_folder(files::folder_of(out)).map_err(created)
}
