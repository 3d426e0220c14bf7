//! Opening Parquet files of images: labels, classes, and the encoded images.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::config::ParquetConfig;
use super::files;
use super::pool::{Place, Pool};
use super::source::{ParquetImages, Sample};
use super::table;
use crate::data::arrays::{Classes, Label};
use crate::data::formats::Unread;
use crate::data::formats::parquet::{Footer, Value, each};
use crate::data::source::{MEGABYTE, folder_at};
use crate::data::split_rule::divide_rest;
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, Split, SplitRule, untrained};
use crate::error::{Problem, counted, io_problem};
use crate::fitting::View;
use crate::progress::{Monitor, Stage};
use crate::shape::ImageShape;

/// The label that stands for none, as in test sets without labels on the hub.
const UNLABELLED: i64 = -1;

impl SourceConfig for ParquetConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn key(&self) -> &'static str {
        "path"
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
    /// Rows without a label, and the first of them in words.
    unlabelled: usize,
    first_unlabelled: String,
    names: Option<Vec<String>>,
    /// Which columns were taken; of the first file.
    about: Option<String>,
    notes: Vec<String>,
}

/// An image with its label: where its bytes are, and which row of which file it was.
struct Row {
    place: Place,
    file: usize,
    row: usize,
    split: Split,
    label: Label,
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
    let path = folder_at(root, &config.path)?;
    let files = files::list(&path)?;
    let mut reading = Reading {
        pool: Pool::new(config.memory_mb.saturating_mul(MEGABYTE)),
        rows: Vec::new(),
        unlabelled: 0,
        first_unlabelled: String::new(),
        names: None,
        about: None,
        notes: Vec::new(),
    };
    let stage = monitor.stage("reading rows", None);
    for (number, (file, split)) in files.iter().enumerate() {
        reading
            .file(config, file, number, split.unwrap_or(Split::Train), &stage)
            .map_err(|unread| unread.of_file(file))?;
    }
    drop(stage);
    reading.notes.extend(files::without_split(&files));
    let files = files.into_iter().map(|(file, _)| file).collect();
    reading.finish(config, files, &path)
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
        let file = File::open(path).map_err(|error| io_problem(&error))?;
        let footer = Footer::read(&file)?;
        let table = table::find(&footer, &config.image, &config.label)?;
        let (image, label) = (&footer.columns[table.image], &footer.columns[table.label]);
        self.name_classes(table.classes, table.about)?;
        let mut row = 0;
        for (_, chunks) in &footer.groups {
            let mut labels = Vec::new();
            each::<Unread>(&file, label, &chunks[table.label], &mut |value| {
                labels.push(match value {
                    Some(Value::Integer(UNLABELLED)) | None => None,
                    Some(Value::Integer(number)) => Some(Label::Number(number)),
                    Some(Value::Bytes(text)) => {
                        let name = String::from_utf8_lossy(text).into_owned();
                        (!name.trim().is_empty()).then_some(Label::Name(name))
                    }
                });
                Ok(())
            })
            .map_err(|unread| unread.of_column(&label.path))?;
            let mut labels = labels.into_iter();
            each::<Unread>(&file, image, &chunks[table.image], &mut |value| {
                stage.advance(1)?;
                row += 1;
                let Some(label) = labels.next().flatten() else {
                    if self.unlabelled == 0 {
                        self.first_unlabelled = format!("row {row} of {}", path.display());
                    }
                    self.unlabelled += 1;
                    return Ok(());
                };
                let Some(Value::Bytes(bytes)) = value else {
                    return Err(format!(
                        "row {row} has no image bytes (null, or only a file name); write the set with its images embedded"
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
            .map_err(|unread| unread.of_column(&image.path))?;
        }
        Ok(())
    }

    /// Takes the columns of the first file, and the class names of the first one that has some; the others must have the same.
    fn name_classes(&mut self, classes: Option<Vec<String>>, about: String) -> Result<(), String> {
        match &self.about {
            Some(before) if *before != about => {
                return Err(format!(
                    "has the {about}, but the files before it the {before}; write all of them with the same columns"
                ));
            }
            _ => self.about = Some(about),
        }
        match (&self.names, classes) {
            (Some(names), Some(others)) if *names != others => {
                Err("has other class names than the files before it".into())
            }
            (None, classes) => {
                self.names = classes;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(
        self,
        config: &ParquetConfig,
        files: Vec<PathBuf>,
        path: &Path,
    ) -> Result<ParquetImages, DataError> {
        self.require_labels_of_one_kind(&files)?;
        let wrong = |problem: String| DataError::format(path, problem);
        let classes = self.classes().map_err(wrong)?;
        if self.names.is_none() {
            self.require_trained(&files)?;
        }
        let notes = self.notes();
        let mut seen = vec![0usize; classes.names.len()];
        // By which training samples are divided: the class, and the number in it.
        let mut named = Vec::new();
        for Row {
            label, file, row, ..
        } in &self.rows
        {
            let index = classes.index(label).ok_or_else(|| {
                let problem = format!("row {row}: label {label} has no name");
                DataError::format(&files[*file], problem)
            })?;
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

    /// Refuses numbers in one file and texts in another.
    fn require_labels_of_one_kind(&self, files: &[PathBuf]) -> Result<(), DataError> {
        let is_name = |row: &Row| matches!(row.label, Label::Name(_));
        let Some(first) = self.rows.first() else {
            return Ok(());
        };
        let other = self.rows.iter().find(|row| is_name(row) != is_name(first));
        other.map_or(Ok(()), |row| {
            let kind = |row: &Row| if is_name(row) { "texts" } else { "numbers" };
            let problem = format!(
                "has {} as labels, but {} has {}; write all files with the same labels",
                kind(row),
                files[first.file].display(),
                kind(first)
            );
            Err(DataError::format(&files[row.file], problem))
        })
    }

    /// Refuses a class of validation or test that training does not have, if there is any training.
    fn require_trained(&self, files: &[PathBuf]) -> Result<(), DataError> {
        let is_training = |row: &&Row| row.split == Split::Train;
        let known = self.rows.iter().filter(is_training);
        let known: BTreeSet<String> = known.map(|row| row.label.to_string()).collect();
        let mut unknown = self
            .rows
            .iter()
            .filter(|row| !is_training(row) && !known.contains(&row.label.to_string()));
        match unknown.next().filter(|_| !known.is_empty()) {
            None => Ok(()),
            Some(row) => {
                let problem = untrained::problem(&row.label.to_string(), row.split, &known);
                let problem = format!("row {}: {problem}", row.row);
                Err(DataError::format(&files[row.file], problem))
            }
        }
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
        let about = self.about.as_deref().unwrap_or_default();
        let images = counted(self.rows.len(), "image", "images");
        let mut notes = vec![format!("{images}: {about}")];
        if self.unlabelled > 0 {
            notes.push(format!(
                "rows without a label, not used: {} (the first is {})",
                self.unlabelled, self.first_unlabelled
            ));
        }
        if self.pool.on_disk > 0 {
            notes.push(format!(
                "{} MB of encoded images beyond data.memory_mb are in a temporary file",
                self.pool.on_disk.div_ceil(MEGABYTE as u64)
            ));
        }
        notes.extend(self.notes.iter().cloned());
        notes
    }
}
