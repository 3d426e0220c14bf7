//! Sources whose arrays have names in a file: opening the files of the splits, and what each array is.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use super::members::{self, Found, MemberConfig};
use super::{
    ArrayKeys, ArraySource, Classes, Expected, FlatOrder, Label, Part, Wanted, images, labels,
};
use crate::data::formats::ArraysFile;
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, Split, SplitRule};
use crate::error::Problem;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Finds the classes that labels stand for by themselves, with a line about them.
pub type FindClasses = fn(&Found, &[Label]) -> Option<(Classes, &'static str)>;

/// What differs between formats.
pub struct Format {
    /// Opens a file.
    pub open: fn(&Path) -> Result<Box<dyn ArraysFile>, DataError>,
    /// The order of pixels that are stored in a row.
    pub flat: FlatOrder,
    /// Classes that the labels of a file stand for by themselves, with a line about them.
    pub classes: FindClasses,
}

/// The config of such a source, which is all that differs from another: what follows is the same.
pub trait ArraysConfig: Debug + Send + Sync {
    /// How its files are read.
    const FORMAT: Format;

    /// Where the arrays of training, validation and test are.
    fn members(&self) -> [&MemberConfig; 3];

    /// The keys of all sources of arrays.
    fn arrays(&self) -> &ArrayKeys;

    /// The keys of all sources.
    fn common(&self) -> &CommonConfig;
}

impl<C: ArraysConfig> SourceConfig for C {
    fn common(&self) -> &CommonConfig {
        ArraysConfig::common(self)
    }

    fn key(&self) -> &'static str {
        "train.file"
    }

    fn files(&self) -> Vec<&str> {
        let files = self
            .members()
            .into_iter()
            .map(|member| member.file.as_str());
        files.filter(|file| !file.is_empty()).collect()
    }

    fn shape(&self) -> ImageShape {
        self.arrays().shape()
    }

    fn classes(&self) -> Option<usize> {
        self.arrays().class_count()
    }

    fn split(&self) -> Option<&SplitRule> {
        Some(&self.arrays().split)
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        let [train, ..] = self.members();
        let missing = train.file.is_empty().then(|| {
            Problem::new(
                format!("{path}.train.file"),
                "missing; set it to the file of the training images",
            )
        });
        let problems = self.arrays().problems(path);
        missing.into_iter().chain(problems).collect()
    }

    fn open(&self, root: &Path, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        let source = open(&C::FORMAT, self.arrays(), self.members(), root, monitor)?;
        Ok(Box::new(source))
    }
}

/// A file that is open, under the name that the config has for it.
struct Opened {
    path: PathBuf,
    file: Box<dyn ArraysFile>,
}

/// Opens the arrays of training, validation and test.
///
/// # Errors
/// They name the file and the array: missing, damaged, of another size than the config's images, or with labels that don't fit.
fn open(
    format: &Format,
    keys: &ArrayKeys,
    config: [&MemberConfig; 3],
    root: &Path,
    monitor: &Monitor,
) -> Result<ArraySource, DataError> {
    let (mut parts, mut notes, mut classes) = (Vec::new(), Vec::new(), None);
    let mut wanted = Wanted::Config(keys.range);
    let mut opened: Option<Opened> = None;
    let stage = monitor.stage("reading arrays", Some(config.len()));
    for (split, member) in Split::ALL.into_iter().zip(config) {
        let name = own_file(member, config[0]);
        let path = root.join(name);
        let current = match opened.take() {
            Some(same) if same.path == path => same,
            _ => Opened {
                file: (format.open)(&path)?,
                path: path.clone(),
            },
        };
        let wrong = |problem: String| DataError::format(&path, problem);
        let found = find(member, split, &config, current.file.as_ref()).map_err(wrong)?;
        if let Found::Images(images) = &found {
            notes.push(format!("{name} has no labels of {images}: not used"));
        }
        if let Found::Both(of_images, of_labels) = &found {
            let reader = Reader {
                format,
                keys,
                split,
                path: &path,
                wanted: &wanted,
            };
            let file = current.file.as_ref();
            let part = reader.part(file, of_images, of_labels);
            let part = part.map_err(wrong)?;
            wanted = wanted.after(part.images.found, format!("{of_images} in {name}"));
            if split == Split::Train {
                let (count, about) = (part.counted(), &part.images.about);
                notes.push(format!(
                    "{count} ({of_images}): {about}; labels in {of_labels}"
                ));
                if keys.classes.is_empty() {
                    classes = (format.classes)(&found, &part.labels.labels);
                }
            }
            parts.push(part);
        }
        opened = Some(current);
        stage.advance(1)?;
    }
    notes.extend(classes.as_ref().map(|(_, note)| note.to_string()));
    ArraySource::of_parts(keys, classes.map(|(classes, _)| classes), parts, notes)
}

/// The file of a split: its own, or that of training.
fn own_file<'a>(member: &'a MemberConfig, train: &'a MemberConfig) -> &'a str {
    if member.file.is_empty() {
        &train.file
    } else {
        &member.file
    }
}

/// The arrays of a split. Training must have both; so must what the config asks for.
fn find(
    member: &MemberConfig,
    split: Split,
    config: &[&MemberConfig; 3],
    file: &dyn ArraysFile,
) -> Result<Found, String> {
    let names = file.names();
    let is_own = split == Split::Train || own_file(member, config[0]) != config[0].file;
    let found = members::find(member, split, &names, is_own)?;
    let is_asked = is_own || *member != MemberConfig::default();
    let may_lack_labels = split == Split::Test && member.labels.is_empty();
    match &found {
        Found::Images(_) if may_lack_labels => Ok(found),
        Found::Images(_) | Found::Nothing if is_asked => Err(format!(
            "has {}; set data.{split}.images and data.{split}.labels to the names of two of them",
            members::listed(&names),
            split = split.name()
        )),
        _ => Ok(found),
    }
}

/// Reads the arrays of a split.
struct Reader<'a> {
    format: &'a Format,
    keys: &'a ArrayKeys,
    split: Split,
    path: &'a Path,
    wanted: &'a Wanted,
}

impl Reader<'_> {
    fn part(
        &self,
        file: &dyn ArraysFile,
        of_images: &str,
        of_labels: &str,
    ) -> Result<Part, String> {
        let keys = self.keys;
        let labels = labels::read(&file.array(of_labels)?)
            .map_err(|problem| format!("{of_labels}: {problem}"))?;
        let expected = Expected {
            shape: keys.shape(),
            images: labels.labels.len(),
            flat: self.format.flat,
            is_transposed: keys.transpose.unwrap_or(false),
        };
        let array = file.array(of_images)?;
        let places = array.places();
        let images = images(array, &expected, self.wanted, keys.invert, &places)
            .map_err(|problem| format!("{of_images}: {problem}"))?;
        Ok(Part {
            split: self.split,
            file: self.path.to_path_buf(),
            images,
            labels,
        })
    }
}
