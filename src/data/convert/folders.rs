//! A source as class folders: `OUT/train/CLASS/000001.png`, and `OUT/labels.csv`.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use rayon::prelude::*;

use super::common::{Written, png, publish, require_free};
use crate::data::{DataError, DataSource, Split, class_folders};
use crate::error::FileError;
use crate::files;
use crate::progress::Monitor;

/// The list of all files with their classes.
const LIST: &str = "labels.csv";

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
/// `out` exists and is not an empty folder, or the folder around it does not; a sample can't be read, or a file not be written; cancelled.
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
            // Where `A` and `a` are one folder, nothing is overwritten.
            let mut file = std::fs::File::create_new(&path).map_err(failed)?;
            file.write_all(&png).map_err(failed)?;
            Ok::<(), DataError>(stage.advance(1)?)
        },
    )?;
    let list = list(source, &jobs).map_err(|error| FileError::write(out.join(LIST), error))?;
    files::write(&folder.path().join(LIST), &list)
        .map_err(|error| error.moved(folder.path(), out))?;
    publish(folder, out)?;
    Ok(Written::all(source))
}

fn jobs(source: &dyn DataSource) -> Result<Vec<Job>, String> {
    let folders = source
        .classes()
        .iter()
        .map(|class| class_folders::folder(class));
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
