//! A source as Parquet files, laid out as on the Hugging Face hub: `OUT/data/train-00000-of-00001.parquet`.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use rayon::prelude::*;

use super::common::{Written, png, publish, require_free};
use crate::data::formats::parquet::{ImageRow, ImageWriter};
use crate::data::{DataError, DataSource, Split};
use crate::error::FileError;
use crate::files;
use crate::progress::{Monitor, Stage};

/// The folder in `out`.
const FOLDER: &str = "data";
/// Images that are encoded at a time, on all cores.
const BATCH: usize = 64;

/// Writes all samples of a source, as drawing 0 gives them, as PNG images of 8 bits per value, with a file for each split that has samples.
/// `out` appears when it is complete, or not at all.
///
/// # Errors
/// `out` exists and is not an empty folder, or the folder around it does not; a sample can't be read, or a file not be written; cancelled.
pub fn to_parquet(
    source: &dyn DataSource,
    out: &Path,
    monitor: &Monitor,
) -> Result<Written, DataError> {
    require_free(out)?;
    let created = |error| FileError::create(out, error);
    let folder = files::temporary_folder(files::folder_of(out)).map_err(created)?;
    let data = folder.path().join(FOLDER);
    std::fs::create_dir(&data).map_err(created)?;
    let samples = Split::ALL.map(|split| source.len(split)).iter().sum();
    let stage = monitor.stage("writing images", Some(samples));
    for split in Split::ALL {
        if source.len(split) > 0 {
            // The name that the hub and the datasets library know.
            let word = if split == Split::Valid {
                "validation"
            } else {
                split.name()
            };
            let name = format!("{word}-00000-of-00001.parquet");
            write(source, split, &data.join(&name), &stage).map_err(|error| match error {
                DataError::File(error) => error.moved(folder.path(), out).into(),
                other => other,
            })?;
        }
    }
    publish(folder, out)?;
    Ok(Written::all(source))
}

fn write(
    source: &dyn DataSource,
    split: Split,
    path: &Path,
    stage: &Stage,
) -> Result<(), DataError> {
    let failed = |error| FileError::write(path, error);
    let file = File::create(path).map_err(failed)?;
    let mut writer = ImageWriter::new(BufWriter::new(file)).map_err(failed)?;
    for start in (0..source.len(split)).step_by(BATCH) {
        let end = (start + BATCH).min(source.len(split));
        let rows = (start..end).into_par_iter().map(|index| {
            let mut values = vec![0.0; source.shape().values()];
            source.read(split, index, 0, &mut values)?;
            let image = png(source.shape(), &values).map_err(failed)?;
            stage.advance(1)?;
            Ok(ImageRow {
                image,
                path: format!("{:06}.png", index + 1),
                label: source.label(split, index),
            })
        });
        for row in rows.collect::<Result<Vec<_>, DataError>>()? {
            writer.push(row).map_err(failed)?;
        }
    }
    writer.finish(source.classes()).map_err(failed)?;
    Ok(())
}
