//! Opening Parquet files of images: labels, classes, and the encoded images.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::config::ParquetConfig;
use super::files;
use super::pool::{Place, Pool};
use super::source::{ParquetImages, Sample};
use super::table;
use crate::data::arrays::{Classes, Label};
use crate::data::fitting::View;
use crate::data::formats::parquet::{Footer, Value, each};
use crate::data::split_rule::divide_rest;
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, Split, SplitRule};
use crate::error::{FileError, Problem};
use crate::progress::{Cancelled, Monitor, Stage};
use crate::shape::ImageShape;

/// Bytes of a megabyte of `data.memory_mb`.
const MEGABYTE: usize = 1 << 20;
/// The label that stands for none, as in test sets without labels on the hub.
const UNLABELLED: i64 = -1;

impl SourceConfig for ParquetConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.path]
    }

    fn shape(&self) -> ImageShape {
        ImageShape::new(self.channels, self.height, self.width)
    }

    fn classes(&self) -> Option<usize> {
        None
    }

    fn split(&self) -> Option<&SplitRule> {
        Some(&self.split)
    }

    fn view(&self) -> View {
        View {
            fit: self.fit,
            centre: self.centre,
        }
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        self.problems(path)
    }

    fn open(&self, root: &Path, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(open(self, root, monitor)?))
    }
}

/// What has been read so far.
struct Reading {
    pool: Pool,
    rows: Vec<Row>,
    unlabelled: usize,
    names: Option<Vec<String>>,
    about: String,
}

/// An image with its label: where its bytes are, and which row of which file it was.
struct Row {
    place: Place,
    file: usize,
    row: usize,
    split: Split,
    label: Label,
}

/// Why a file was not read.
enum Unread {
    Problem(String),
    Disk(std::io::Error),
    Cancelled(Cancelled),
}

impl From<String> for Unread {
    fn from(problem: String) -> Self {
        Self::Problem(problem)
    }
}

impl From<Cancelled> for Unread {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

/// Reads the files: all labels, and the bytes of all images; images are decoded when they are read.
///
/// # Errors
/// They name the file and the column: missing, damaged, of another kind, or with labels that have no class.
fn open(
    config: &ParquetConfig,
    root: &Path,
    monitor: &Monitor,
) -> Result<ParquetImages, DataError> {
    let path = root.join(&config.path);
    let files = files::list(&path)?;
    let mut reading = Reading {
        pool: Pool::new(config.memory_mb.saturating_mul(MEGABYTE)),
        rows: Vec::new(),
        unlabelled: 0,
        names: None,
        about: String::new(),
    };
    let stage = monitor.stage("reading rows", None);
    for (number, (file, split)) in files.iter().enumerate() {
        reading
            .file(config, file, number, *split, &stage)
            .map_err(|unread| match unread {
                Unread::Problem(problem) => DataError::format(file, problem),
                Unread::Disk(error) => FileError::write(std::env::temp_dir(), error).into(),
                Unread::Cancelled(cancelled) => cancelled.into(),
            })?;
    }
    drop(stage);
    let files = files.into_iter().map(|(file, _)| file).collect();
    reading
        .finish(config, files)
        .map_err(|problem| DataError::format(path, problem))
}

impl Reading {
    fn file(
        &mut self,
        config: &ParquetConfig,
        path: &Path,
        number: usize,
        split: Split,
        stage: &Stage,
    ) -> Result<(), Unread> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let footer = Footer::read(&file)?;
        let table = table::find(&footer, &config.image, &config.label)?;
        let (image, label) = (&footer.columns[table.image], &footer.columns[table.label]);
        if self.names.is_none() {
            self.names = table.classes;
            self.about = table.about;
        }
        let mut row = 0;
        for (_, chunks) in &footer.groups {
            let mut labels = Vec::new();
            each::<Unread>(&file, label, &chunks[table.label], &mut |value| {
                labels.push(match value {
                    Some(Value::Integer(UNLABELLED)) | None => None,
                    Some(Value::Integer(number)) => Some(Label::Number(number)),
                    Some(Value::Bytes(text)) => {
                        Some(Label::Name(String::from_utf8_lossy(text).into_owned()))
                    }
                });
                Ok(())
            })
            .map_err(|unread| unread.of(&label.path))?;
            let mut labels = labels.into_iter();
            each::<Unread>(&file, image, &chunks[table.image], &mut |value| {
                stage.advance(1)?;
                row += 1;
                let Some(label) = labels.next().flatten() else {
                    self.unlabelled += 1;
                    return Ok(());
                };
                let Some(Value::Bytes(bytes)) = value else {
                    return Err(format!(
                        "row {row} has no bytes, only the name of a file; write the set with its images embedded"
                    )
                    .into());
                };
                let place = self.pool.push(bytes).map_err(Unread::Disk)?;
                self.rows.push(Row {
                    place,
                    file: number,
                    row,
                    split,
                    label,
                });
                Ok(())
            })
            .map_err(|unread| unread.of(&image.path))?;
        }
        Ok(())
    }

    fn finish(self, config: &ParquetConfig, files: Vec<PathBuf>) -> Result<ParquetImages, String> {
        let classes = self.classes()?;
        let notes = self.notes();
        let mut seen = vec![0usize; classes.names.len()];
        // By which training samples are divided: the class, and the number in it.
        let mut named = Vec::new();
        for Row { label, .. } in &self.rows {
            let index = classes.index(label);
            let index = index.ok_or_else(|| format!("label {label} has no name"))?;
            let name = format!("{}{}", classes.names[index], seen[index]);
            seen[index] += 1;
            named.push((name, index));
        }
        let has = Split::ALL.map(|split| self.rows.iter().any(|row| row.split == split));
        let rows = self.rows.iter().zip(&named);
        let train = rows.filter(|(row, _)| row.split == Split::Train);
        let train: Vec<(String, usize)> = train.map(|(_, named)| named.clone()).collect();
        let mut divided = divide_rest(&config.split, &train, has).into_iter();
        let mut splits: [Vec<Sample>; 3] = Default::default();
        for (row, (_, label)) in self.rows.into_iter().zip(named) {
            let split = match row.split {
                Split::Train => divided.next().unwrap_or(Split::Train),
                other => other,
            };
            splits[split.index()].push(Sample {
                place: row.place,
                file: row.file,
                row: row.row,
                label,
            });
        }
        Ok(ParquetImages {
            shape: config.shape(),
            view: config.view(),
            classes: classes.names,
            splits,
            pool: self.pool,
            files,
            notes,
        })
    }

    /// The classes by the names of the writer, or by the labels.
    fn classes(&self) -> Result<Classes, String> {
        let mut labels = self.rows.iter().map(|row| &row.label);
        let are_numbers = labels
            .clone()
            .all(|label| matches!(label, Label::Number(_)));
        match &self.names {
            Some(names) if are_numbers => {
                let pairs = names.iter().enumerate();
                let pairs = pairs.map(|(index, name)| (Label::Number(index as i64), name.clone()));
                Ok(Classes::listed(pairs.collect()))
            }
            _ => Classes::of(&mut labels, None, &[]),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("{} images: {}", self.rows.len(), self.about)];
        if self.unlabelled > 0 {
            notes.push(format!(
                "rows without a label, not used: {}",
                self.unlabelled
            ));
        }
        if self.pool.on_disk > 0 {
            notes.push(format!(
                "{} MB of encoded images beyond data.memory_mb are in a temporary file",
                self.pool.on_disk.div_ceil(MEGABYTE as u64)
            ));
        }
        notes
    }
}

impl Unread {
    /// The same, of a column.
    fn of(self, column: &str) -> Self {
        match self {
            Self::Problem(problem) => Self::Problem(format!("{column}: {problem}")),
            other => other,
        }
    }
}
