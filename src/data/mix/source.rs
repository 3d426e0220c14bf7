//! An opened mix of sources.

use std::borrow::Cow;
use std::path::Path;

use super::config::MixConfig;
use crate::data::exclude;
use crate::data::source::{BadSample, DataError, DataSource, ListedSource, PassedOver, Split};
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// An opened mix of sources.
pub struct Mix {
    /// At least one.
    sources: Vec<Mixed>,
    /// The places of those that provide validation and test.
    evaluate: Vec<usize>,
    /// Those of the first, then the extra ones.
    classes: Vec<String>,
}

/// One of the sources.
struct Mixed {
    source: Box<dyn DataSource>,
    kind: &'static str,
    /// The mix's label for each of its own.
    labels: Vec<usize>,
    /// Passes over its training samples per epoch.
    repeat: usize,
}

impl Mixed {
    /// Training samples of the mix that come from it.
    fn trained(&self) -> usize {
        self.source.len(Split::Train) * self.repeat
    }
}

/// Position of a sample in the mix: index of the source, and of the sample in it.
type Place = (usize, usize);

impl Mix {
    /// Opens the sources of a mix, with relative paths from `root`.
    ///
    /// Errors name the source: it can't be opened, its samples differ in shape from the first one's, or it has a class
    /// that is not in the mix. No sources, or no training samples, is an error too.
    pub fn open<S: ListedSource>(config: &MixConfig<S>, root: &Path) -> Result<Self, DataError> {
        Self::open_watched(config, root, &Monitor::default())
    }

    /// [`open`](Self::open) as stages of `monitor`.
    pub fn open_watched<S: ListedSource>(
        config: &MixConfig<S>,
        root: &Path,
        monitor: &Monitor,
    ) -> Result<Self, DataError> {
        let mut mix = Self {
            sources: Vec::new(),
            evaluate: match config.evaluate.as_slice() {
                [] => vec![0],
                places => places.to_vec(),
            },
            classes: config.extra_classes.clone(),
        };
        for (index, part) in config.sources.iter().enumerate() {
            let kind = part.kind();
            let opened = exclude::open(part.config(), root, monitor);
            let source = opened.map_err(|error| named(index, kind, error))?;
            mix.add(source, kind, config.repeat(index))
                .map_err(|problem| DataError::Source {
                    index,
                    kind,
                    problem,
                })?;
        }
        match mix.len(Split::Train) {
            0 => Err(DataError::Empty(
                "the mix has no training samples; change data.sources or data.repeat".into(),
            )),
            _ => Ok(mix),
        }
    }

    /// Appends a source, if it is compatible with the first.
    fn add(
        &mut self,
        source: Box<dyn DataSource>,
        kind: &'static str,
        repeat: usize,
    ) -> Result<(), String> {
        let labels = match self.sources.first() {
            None => {
                let own = source.classes();
                if let Some(name) = self.classes.iter().find(|name| own.contains(name)) {
                    return Err(format!(
                        "already has class {name:?}; remove it from data.extra_classes"
                    ));
                }
                self.classes.splice(0..0, own.iter().cloned());
                (0..own.len()).collect()
            }
            Some(first) => {
                let (found, expected) = (source.shape(), first.source.shape());
                if found != expected {
                    return Err(format!(
                        "has samples of {}, but those of data.sources[0] are {}",
                        in_words(found),
                        in_words(expected)
                    ));
                }
                matched(source.classes(), &self.classes)?
            }
        };
        self.sources.push(Mixed {
            source,
            kind,
            labels,
            repeat,
        });
        Ok(())
    }

    /// Where the sample `index` of a split is, if there is one.
    fn place(&self, split: Split, index: usize) -> Option<Place> {
        let mut index = index;
        if split != Split::Train {
            for &place in &self.evaluate {
                let samples = self.held_out(place, split);
                if index < samples {
                    return Some((place, index));
                }
                index -= samples;
            }
            return None;
        }
        for (place, mixed) in self.sources.iter().enumerate() {
            let trained = mixed.trained();
            if index < trained {
                return Some((place, index % mixed.source.len(Split::Train)));
            }
            index -= trained;
        }
        None
    }

    /// Those of some splits in which samples of a source are read: validation and test of the sources of `evaluate`, and training of
    /// those that take part in it.
    fn read_splits(&self, place: usize, splits: &[Split]) -> Vec<Split> {
        let is_read = |split: &Split| match split {
            Split::Train => self.sources[place].repeat > 0,
            Split::Valid | Split::Test => self.evaluate.contains(&place),
        };
        splits.iter().copied().filter(is_read).collect()
    }

    /// The mix's index of the first sample of a source in one of its [`read_splits`](Self::read_splits).
    fn first(&self, place: usize, split: Split) -> usize {
        match split {
            Split::Train => self.sources[..place].iter().map(Mixed::trained).sum(),
            Split::Valid | Split::Test => {
                let before = self.evaluate.iter().take_while(|&&other| other != place);
                before.map(|&other| self.held_out(other, split)).sum()
            }
        }
    }

    /// Number of samples of a source in a split other than training.
    fn held_out(&self, place: usize, split: Split) -> usize {
        self.sources
            .get(place)
            .map_or(0, |mixed| mixed.source.len(split))
    }

    /// Adds the source to an error that it caused.
    fn named(&self, place: usize, error: DataError) -> DataError {
        named(place, self.sources[place].kind, error)
    }
}

/// Adds the source to an error that it caused.
fn named(index: usize, kind: &'static str, error: DataError) -> DataError {
    match error {
        DataError::Cancelled(_) => error,
        error => DataError::Source {
            index,
            kind,
            problem: error.to_string(),
        },
    }
}

/// For each class, its index in `all`; the error names a missing one.
fn matched(classes: &[String], all: &[String]) -> Result<Vec<usize>, String> {
    classes
        .iter()
        .map(|class| {
            let place = all.iter().position(|name| name == class);
            place.ok_or_else(|| {
                format!(
                    "has class {class:?}, which is in neither data.sources[0] nor data.extra_classes; the {} classes are {}",
                    all.len(),
                    shortened(all)
                )
            })
        })
        .collect()
}

/// Maximum class names listed in an error: an alphabet and digits.
const NAMES_SHOWN: usize = 40;

fn shortened(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMES_SHOWN)].join(", ");
    match names.len() {
        0..=NAMES_SHOWN => shown,
        _ => format!("{shown}, ..."),
    }
}

fn in_words(shape: ImageShape) -> String {
    format!(
        "{}x{}x{} (channels x height x width)",
        shape.channels, shape.height, shape.width
    )
}

impl DataSource for Mix {
    fn shape(&self) -> ImageShape {
        self.sources[0].source.shape()
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        match split {
            Split::Train => self.sources.iter().map(Mixed::trained).sum(),
            Split::Valid | Split::Test => {
                let places = self.evaluate.iter();
                places.map(|&place| self.held_out(place, split)).sum()
            }
        }
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.place(split, index).map_or(0, |(place, index)| {
            let mixed = &self.sources[place];
            mixed.labels[mixed.source.label(split, index)]
        })
    }

    /// That of its source, after the source's index: `1:train/17`.
    fn name(&self, split: Split, index: usize) -> Cow<'_, str> {
        let Some((place, index)) = self.place(split, index) else {
            return Cow::Borrowed("");
        };
        let name = self.sources[place].source.name(split, index);
        Cow::Owned(format!("{place}:{name}"))
    }

    fn file(&self, split: Split, index: usize) -> Option<&Path> {
        let (place, index) = self.place(split, index)?;
        self.sources[place].source.file(split, index)
    }

    /// Those of every source, with its kind.
    fn notes(&self) -> Vec<String> {
        let notes = self.sources.iter().flat_map(|mixed| {
            let notes = mixed.source.notes().into_iter();
            notes.map(|note| format!("{}: {note}", mixed.kind))
        });
        notes.collect()
    }

    /// Those of every source, with its kind.
    fn warnings(&self) -> Vec<String> {
        let warnings = self.sources.iter().flat_map(|mixed| {
            let warnings = mixed.source.warnings().into_iter();
            warnings.map(|warning| format!("{}: {warning}", mixed.kind))
        });
        warnings.collect()
    }

    fn passed_over(&self) -> Vec<PassedOver> {
        let sources = self.sources.iter();
        sources
            .flat_map(|mixed| mixed.source.passed_over())
            .collect()
    }

    fn skip_bad_images(&mut self, splits: &[Split], monitor: &Monitor) -> Result<(), DataError> {
        for place in 0..self.sources.len() {
            let read = self.read_splits(place, splits);
            let mixed = &mut self.sources[place];
            let skipped = mixed.source.skip_bad_images(&read, monitor);
            skipped.map_err(|error| named(place, mixed.kind, error))?;
        }
        Ok(())
    }

    /// Those of every source, a repeated one by its first place.
    fn find_bad_samples(
        &self,
        splits: &[Split],
        monitor: &Monitor,
    ) -> Result<Vec<BadSample>, DataError> {
        let mut found = Vec::new();
        for (place, mixed) in self.sources.iter().enumerate() {
            let read = self.read_splits(place, splits);
            let bad = mixed.source.find_bad_samples(&read, monitor)?;
            found.extend(bad.into_iter().map(|sample| BadSample {
                index: self.first(place, sample.split) + sample.index,
                ..sample
            }));
        }
        Ok(found)
    }

    /// Checks what is read of every source; errors name it.
    fn check(&self, splits: &[Split], monitor: &Monitor) -> Result<(), DataError> {
        for (place, mixed) in self.sources.iter().enumerate() {
            let read = self.read_splits(place, splits);
            let checked = mixed.source.check(&read, monitor);
            checked.map_err(|error| self.named(place, error))?;
        }
        Ok(())
    }

    fn read_soon(&self, split: Split, index: usize) {
        if let Some((place, index)) = self.place(split, index) {
            self.sources[place].source.read_soon(split, index);
        }
    }

    fn redraws(&self) -> bool {
        let mut used = self.sources.iter().filter(|mixed| mixed.repeat > 0);
        used.any(|mixed| mixed.source.redraws())
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let (place, index) = self.place(split, index).ok_or_else(|| {
            DataError::Empty(format!(
                "the mix has no sample {index} in the {} split",
                split.name()
            ))
        })?;
        let read = self.sources[place].source.read(split, index, draw, out);
        read.map_err(|error| self.named(place, error))
    }
}
