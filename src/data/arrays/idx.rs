//! IDX files: MNIST, Fashion-MNIST, EMNIST and their relatives, as published, gzipped or not.
//!
//! Names are those of the publishers: `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte.gz`, `emnist-letters-test-images-idx3-ubyte`. EMNIST
//! stores its images transposed, and lists its classes in `emnist-letters-mapping.txt`: a label and the characters that it
//! stands for, as numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ArrayKeys, ArraySource, Classes, Expected, FlatOrder, Label, Part, Wanted, images, labels,
};
use crate::data::formats::array::Array;
use crate::data::formats::{idx, packed};
use crate::data::source::folder_at;
use crate::data::{
    CommonConfig, DataError, DataSource, NOT_FOUND_ADVICE, SourceConfig, Split, SplitRule,
};
use crate::error::{FileError, Problem};
use crate::files;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Folders in the folder where the files may be: those of torchvision and of EMNIST's archive.
const SUBFOLDERS: [&str; 2] = ["raw", "gzip"];
/// Maximum length of a list of classes in bytes; EMNIST's longest has 62 lines of 8.
const MAX_MAPPING_BYTES: u64 = 1 << 16;

/// Settings of IDX files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdxConfig {
    /// Folder of `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the two `t10k` files, or those of EMNIST; they may be
    /// gzipped. Relative to `KILN_DATA`.
    pub folder: String,
    /// Which set, where the folder has several: what its file names begin with, such as `emnist-letters`.
    pub set: String,
    /// Keys of all sources of arrays.
    #[serde(flatten)]
    pub arrays: ArrayKeys,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for IdxConfig {
    fn default() -> Self {
        Self {
            folder: "mnist".into(),
            set: String::new(),
            arrays: ArrayKeys::default(),
            common: CommonConfig::default(),
        }
    }
}

impl SourceConfig for IdxConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.folder]
    }

    fn shape(&self) -> ImageShape {
        self.arrays.shape()
    }

    fn classes(&self) -> Option<usize> {
        self.arrays.class_count()
    }

    fn split(&self) -> Option<&SplitRule> {
        Some(&self.arrays.split)
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        self.arrays.problems(path)
    }

    fn open(&self, root: &Path, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(open(self, root, monitor)?))
    }
}

/// The files of one set: for each split that it has, images and labels.
type Files = BTreeMap<usize, [Option<PathBuf>; 2]>;

/// Opens the files in `<root>/<folder>`.
///
/// # Errors
/// They name the file: it is missing or damaged, has images of another size than the config, or not as many labels as
/// images; or the folder has several sets and the config names none.
pub fn open(config: &IdxConfig, root: &Path, monitor: &Monitor) -> Result<ArraySource, DataError> {
    let keys = &config.arrays;
    let (folder, set, files) = find(&folder_at(root, &config.folder)?, &config.set)?;
    let (mut parts, mut notes) = (Vec::new(), Vec::new());
    let mut wanted = Wanted::Config(keys.range);
    let stage = monitor.stage("reading files", Some(files.len()));
    for split in Split::ALL {
        let Some(pair) = files.get(&split.index()) else {
            continue;
        };
        let part = read_part(pair, split, &folder, &set, keys, &wanted)?;
        let [of_images, _] = pair.each_ref().map(|path| path.as_deref());
        let name = of_images.and_then(Path::file_name).unwrap_or_default();
        wanted = wanted.after(part.images.found, name.to_string_lossy());
        if split == Split::Train {
            notes.push(format!("{}: {}", part.counted(), part.images.about));
        }
        parts.push(part);
        stage.advance(1)?;
    }
    let mapping = folder.join(format!("{set}-mapping.txt"));
    let classes = if keys.classes.is_empty() && mapping.is_file() {
        Some(mapped(&mapping)?)
    } else {
        None
    };
    ArraySource::of_parts(keys, classes, parts, notes)
}

/// Finds the files of a set, in the folder or one level below: the folder, the set's name and its files.
fn find(folder: &Path, wanted: &str) -> Result<(PathBuf, String, Files), DataError> {
    let mut sets = list(folder)?;
    let mut place = folder.to_path_buf();
    for below in SUBFOLDERS.map(|name| folder.join(name)) {
        if sets.is_empty() && below.is_dir() {
            sets = list(&below)?;
            place = below;
        }
    }
    if sets.is_empty() {
        let problem = "no IDX files; expected train-images-idx3-ubyte and the like, gzipped or not";
        return Err(FileError::new(folder, problem)
            .advise(NOT_FOUND_ADVICE)
            .into());
    }
    let names: Vec<String> = sets.keys().map(|name| format!("{name:?}")).collect();
    let chosen = if wanted.is_empty() && sets.len() == 1 {
        sets.pop_first()
    } else {
        sets.remove_entry(wanted.trim_end_matches('-'))
    };
    let Some((set, files)) = chosen else {
        let problem = if wanted.is_empty() {
            "has several sets"
        } else {
            "has no such set"
        };
        return Err(FileError::new(&place, problem)
            .advise(format!("set data.set to one of {}", names.join(", ")))
            .into());
    };
    if !files.contains_key(&Split::Train.index()) {
        return Err(DataError::format(
            &place,
            "has a test set, but no training images (train-images-idx3-ubyte)",
        ));
    }
    Ok((place, set, files))
}

/// The IDX files of a folder by the names of their sets.
fn list(folder: &Path) -> Result<BTreeMap<String, Files>, DataError> {
    let failed = |error| DataError::io(folder, error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    // An unpacked file comes before its archive.
    paths.sort();
    let mut sets: BTreeMap<String, Files> = BTreeMap::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some((set, split, is_labels)) = parse(&name) else {
            continue;
        };
        // Some programs unpack each file into a folder of its own name.
        let inside = path.join(&*name);
        let path = if inside.is_file() {
            inside
        } else {
            path.clone()
        };
        let files = sets.entry(set.to_string()).or_default();
        let pair = files.entry(split.index()).or_default();
        pair[usize::from(is_labels)].get_or_insert(path);
    }
    Ok(sets)
}

/// The set, the split, and whether it is the file of labels, by a file's name.
fn parse(name: &str) -> Option<(&str, Split, bool)> {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let name = name.strip_suffix("-ubyte")?;
    let name = ["idx1", "idx3", "idx4"]
        .iter()
        .find_map(|kind| name.strip_suffix(kind))?;
    let name = name.strip_suffix(['-', '.'])?;
    let (name, is_labels) = match name.strip_suffix("-images") {
        Some(name) => (name, false),
        None => (name.strip_suffix("-labels")?, true),
    };
    let splits = [
        ("train", Split::Train),
        ("valid", Split::Valid),
        ("t10k", Split::Test),
        ("test", Split::Test),
    ];
    splits.iter().find_map(|(word, split)| {
        let set = name.strip_suffix(word)?;
        let set = if set.is_empty() {
            set
        } else {
            set.strip_suffix('-')?
        };
        Some((set, *split, is_labels))
    })
}

fn read_part(
    [of_images, of_labels]: &[Option<PathBuf>; 2],
    split: Split,
    folder: &Path,
    set: &str,
    keys: &ArrayKeys,
    wanted: &Wanted,
) -> Result<Part, DataError> {
    let (Some(of_images), Some(of_labels)) = (of_images, of_labels) else {
        let (missing, found) = if of_images.is_none() {
            ("images", of_labels)
        } else {
            ("labels", of_images)
        };
        let found = found
            .as_deref()
            .and_then(Path::file_name)
            .unwrap_or_default();
        let found = found.display();
        return Err(DataError::format(
            folder,
            format!("has {found}, but not the {missing} that belong to it"),
        ));
    };
    let labels =
        labels::read(&read(of_labels)?).map_err(|problem| DataError::format(of_labels, problem))?;
    let expected = Expected {
        shape: keys.shape(),
        images: labels.labels.len(),
        flat: FlatOrder::Rows,
        is_transposed: keys.is_transposed(&format!("{set}-")),
    };
    let array = read(of_images)?;
    let places = array.places();
    let images = images(array, &expected, wanted, keys.invert, &places)
        .map_err(|problem| DataError::format(of_images, problem))?;
    Ok(Part {
        split,
        file: of_labels.clone(),
        images,
        labels,
    })
}

fn read(path: &Path) -> Result<Array, DataError> {
    let mut stream = packed::open(path)?;
    idx::read(&mut stream).map_err(|problem| DataError::format(path, problem))
}

/// The classes of EMNIST's list: a label, then the codes of its characters, of which the first is the name.
fn mapped(path: &Path) -> Result<Classes, DataError> {
    let bytes = files::read(path, MAX_MAPPING_BYTES).map_err(|error| DataError::io(path, error))?;
    if bytes.is_empty() {
        return Err(DataError::format(path, files::EMPTY));
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let class = |(number, line): (usize, &str)| {
        let mut words = line.split_whitespace();
        let label = words.next().and_then(|word| word.parse().ok());
        let code = words.next().and_then(|word| word.parse().ok());
        let name = code
            .and_then(char::from_u32)
            .filter(|name| !name.is_control());
        let problem = format!(
            "line {}: expected a label and the codes of its characters",
            number + 1
        );
        match (label, name) {
            (Some(label), Some(name)) => Ok((Label::Number(label), name.to_string())),
            _ => Err(DataError::format(path, problem)),
        }
    };
    let mut classes: Vec<(Label, String)> =
        lines.enumerate().map(class).collect::<Result<_, _>>()?;
    classes.sort();
    Ok(Classes::listed(classes))
}
