//! CIFAR-100: a hundred fine classes in twenty coarse ones, from `train.bin` and `test.bin`, or from the pickles `train` and `test`.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records::{self, Format, Records, SHAPE, either};
use crate::data::source::folder_at;
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, Split};
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Which of its two labels is the class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Cifar100Labels {
    /// The hundred classes.
    #[default]
    Fine,
    /// The twenty superclasses.
    Coarse,
}

/// The labels of a record, the coarse one first.
const LABELS: &[(&str, usize)] = &[
    ("coarse class", COARSE_CLASSES.len()),
    ("fine class", FINE_CLASSES.len()),
];

/// Settings of CIFAR-100.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cifar100Config {
    /// Folder of `train.bin` and `test.bin`, or of the pickles `train` and `test` of the Python version; relative to `KILN_DATA`.
    pub folder: String,
    /// Which labels are the classes: `fine` (100) or `coarse` (20).
    pub labels: Cifar100Labels,
    /// Number of training records, counted from the end, that are used for validation.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub valid: usize,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for Cifar100Config {
    fn default() -> Self {
        Self {
            folder: "cifar100".into(),
            labels: Cifar100Labels::Fine,
            valid: 5_000,
            common: CommonConfig::default(),
        }
    }
}

impl Cifar100Config {
    fn names(&self) -> &'static [&'static str] {
        match self.labels {
            Cifar100Labels::Fine => &FINE_CLASSES,
            Cifar100Labels::Coarse => &COARSE_CLASSES,
        }
    }

    fn format(&self) -> Format {
        Format {
            labels: LABELS,
            class: match self.labels {
                Cifar100Labels::Coarse => 0,
                Cifar100Labels::Fine => 1,
            },
        }
    }
}

impl SourceConfig for Cifar100Config {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.folder]
    }

    fn shape(&self) -> ImageShape {
        SHAPE
    }

    fn classes(&self) -> Option<usize> {
        Some(self.names().len())
    }

    fn split_key(&self, _split: Split) -> Option<String> {
        Some("valid".into())
    }

    fn open(&self, root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(open(self, root)?))
    }
}

/// Opens the two files in `<root>/<folder>`.
///
/// Errors name the file and the record (counted from 1): a missing file, one that is not a whole number of records, a class
/// beyond the last, a pickle of something else.
pub fn open(config: &Cifar100Config, root: &Path) -> Result<Records, DataError> {
    let folder = folder_at(root, &config.folder)?;
    let format = config.format();
    let part = |name: &str| match either(&folder, &format!("{name}.bin"), name) {
        (path, true) => records::read_pickle(format, &path, &["coarse_labels", "fine_labels"]),
        (path, false) => records::read(format, &path),
    };
    let parts = [part("train")?, part("test")?];
    let classes = config.names().iter().map(ToString::to_string).collect();
    Ok(Records::new(format, classes, parts, config.valid))
}

/// Checks that the bytes are whole records; `path` is used only in the error.
pub fn checked(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, DataError> {
    records::checked(Cifar100Config::default().format(), bytes, path)
}

/// `coarse_label_names.txt` of the published archive.
const COARSE_CLASSES: [&str; 20] = [
    "aquatic_mammals",
    "fish",
    "flowers",
    "food_containers",
    "fruit_and_vegetables",
    "household_electrical_devices",
    "household_furniture",
    "insects",
    "large_carnivores",
    "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes",
    "large_omnivores_and_herbivores",
    "medium_mammals",
    "non-insect_invertebrates",
    "people",
    "reptiles",
    "small_mammals",
    "trees",
    "vehicles_1",
    "vehicles_2",
];

/// `fine_label_names.txt` of the published archive.
#[rustfmt::skip]
const FINE_CLASSES: [&str; 100] = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
];
