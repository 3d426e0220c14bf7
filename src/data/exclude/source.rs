//! A source without some of its samples.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use super::list::ExcludeList;
use crate::data::source::{BadSample, bad_images};
use crate::data::{DataError, DataSource, PassedOver, SourceConfig, Split};
use crate::error::{FileError, counted, printable};
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Opens a source without the samples that its `exclude` lists.
pub fn open(
    config: &dyn SourceConfig,
    root: &Path,
    monitor: &Monitor,
) -> Result<Box<dyn DataSource>, DataError> {
    let source = config.open(root, monitor)?;
    match &config.common().exclude {
        None => Ok(source),
        Some(name) => {
            let has_samples =
                |source: &dyn DataSource| Split::ALL.iter().any(|&split| source.len(split) > 0);
            let had_samples = has_samples(&*source);
            let source = Excluding::new(source, ExcludeList::read(name, root)?);
            if had_samples && !has_samples(&source) {
                let error = FileError::new(source.list.path(), "data.exclude leaves no samples");
                return Err(error
                    .advise("delete some of its lines, or remove the key")
                    .usage()
                    .into());
            }
            Ok(Box::new(source))
        }
    }
}

/// A source without the samples of a list. The others keep their splits and their names.
pub struct Excluding {
    source: Box<dyn DataSource>,
    list: ExcludeList,
    /// Indices of the samples of each split that are left, ascending.
    kept: [Vec<usize>; 3],
    /// Lines of the list that name a sample.
    used: HashSet<usize>,
}

impl Excluding {
    /// A source without the samples of `list`.
    pub fn new(source: Box<dyn DataSource>, list: ExcludeList) -> Self {
        let mut excluding = Self {
            source,
            list,
            kept: Default::default(),
            used: HashSet::new(),
        };
        excluding.find();
        excluding
    }

    /// Finds the samples that are left.
    fn find(&mut self) {
        for split in Split::ALL {
            let mut kept = Vec::new();
            for index in 0..self.source.len(split) {
                let name = self.source.name(split, index);
                let file = self.source.file(split, index);
                match self.list.line_of(&name, file) {
                    Some(line) => {
                        self.used.insert(line);
                    }
                    None => kept.push(index),
                }
            }
            self.kept[split.index()] = kept;
        }
    }

    /// How many samples are left out, by split.
    fn note(&self) -> String {
        let excluded = Split::ALL.map(|split| self.source.len(split) - self.len(split));
        let total: usize = excluded.iter().sum();
        let by_split: Vec<String> = Split::ALL
            .iter()
            .zip(excluded)
            .filter(|(_, count)| *count > 0)
            .map(|(split, count)| format!("{count} {}", split.name()))
            .collect();
        let by_split = if by_split.is_empty() {
            String::new()
        } else {
            format!(" ({})", by_split.join(", "))
        };
        let samples = counted(total, "sample", "samples");
        let list = printable(self.list.path().display());
        format!("excluded: {samples}{by_split}, listed in {list}")
    }
}

// Every method of the trait is passed on here, also those with a default.
impl DataSource for Excluding {
    fn shape(&self) -> ImageShape {
        self.source.shape()
    }

    fn classes(&self) -> &[String] {
        self.source.classes()
    }

    fn len(&self, split: Split) -> usize {
        self.kept[split.index()].len()
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.source.label(split, self.kept[split.index()][index])
    }

    fn name(&self, split: Split, index: usize) -> Cow<'_, str> {
        self.source.name(split, self.kept[split.index()][index])
    }

    fn file(&self, split: Split, index: usize) -> Option<&Path> {
        self.source.file(split, self.kept[split.index()][index])
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.source.notes();
        notes.push(self.note());
        notes.extend(self.list.unused(&self.used));
        notes
    }

    fn warnings(&self) -> Vec<String> {
        self.source.warnings()
    }

    fn passed_over(&self) -> Vec<PassedOver> {
        self.source.passed_over()
    }

    /// Samples that the source drops are among those that are left out, or were left.
    fn skip_bad_images(&mut self, splits: &[Split], monitor: &Monitor) -> Result<(), DataError> {
        self.source.skip_bad_images(splits, monitor)?;
        self.find();
        Ok(())
    }

    /// Those that are not left out.
    fn find_bad_samples(
        &self,
        splits: &[Split],
        monitor: &Monitor,
    ) -> Result<Vec<BadSample>, DataError> {
        let bad = self.source.find_bad_samples(splits, monitor)?;
        let is_kept = |sample: BadSample| {
            let kept = &self.kept[sample.split.index()];
            let index = kept.binary_search(&sample.index).ok()?;
            Some(BadSample { index, ..sample })
        };
        Ok(bad.into_iter().filter_map(is_kept).collect())
    }

    /// # Errors
    /// Images that can't be read, all of them but those that are left out.
    fn check(&self, splits: &[Split], monitor: &Monitor) -> Result<(), DataError> {
        let bad = self.find_bad_samples(splits, monitor)?;
        let bad: Vec<PassedOver> = bad.into_iter().map(|sample| sample.image).collect();
        let list = self.list.path().display();
        let advice = "or set data.on_bad_image to \"skip\"";
        match bad.as_slice() {
            [] => Ok(()),
            [only] => Err(FileError::new(&only.path, only.reason.explanation())
                .advise(format!(
                    "replace or remove this file, add it to {list}, {advice}"
                ))
                .into()),
            _ => {
                let images = bad.iter().map(|image| {
                    let path = image.path.display().to_string();
                    (path, image.reason.explanation())
                });
                Err(DataError::Images(format!(
                    "{} images can't be read; replace or remove them, add them to {list}, {advice}\n{}",
                    bad.len(),
                    bad_images(images)
                )))
            }
        }
    }

    fn read_soon(&self, split: Split, index: usize) {
        self.source
            .read_soon(split, self.kept[split.index()][index]);
    }

    fn redraws(&self) -> bool {
        self.source.redraws()
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let index = self.kept[split.index()][index];
        self.source.read(split, index, draw, out)
    }
}
