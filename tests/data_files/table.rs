//! The sets of tests/fixtures/data, as configs name them, and what must be said and done about each.

/// What becomes of a set.
pub enum Then {
    /// Training, validation and test samples; the classes; a part of what is told.
    Used([usize; 3], &'static str, &'static str),
    /// A part of the error, and the exit code.
    Refused(&'static str, i32),
}

/// One set.
pub struct Case {
    pub name: &'static str,
    /// The `data` section.
    pub data: &'static str,
    pub then: Then,
}

use crate::arrays_table::ARRAYS;
use crate::parquet_table::PARQUET;
use Then::{Refused, Used};

pub const fn case(name: &'static str, data: &'static str, then: Then) -> Case {
    Case { name, data, then }
}

const CIFAR_10: &str = "airplane automobile bird cat deer dog frog horse ship truck";
const CIFAR_20: &str = "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2";

/// Images of 6x5 whose training samples all stay in training, in the order of the file.
const CASES: &[Case] = &[
    case(
        "MNIST, gzipped or not, with either name",
        r#"{"kind": "idx", "folder": "mnist", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 3],
            "0 1 2",
            "9 training images: 9x6x5 (images x rows x columns), values 0 to 255",
        ),
    ),
    case(
        "EMNIST's letters: transposed, labels from 1, named by its list",
        r#"{"kind": "idx", "folder": "emnist", "set": "emnist-letters", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 3], "A B C", "labels start at 1"),
    ),
    case(
        "EMNIST's balanced set",
        r#"{"kind": "idx", "folder": "emnist", "set": "emnist-balanced", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 3], "0 A a", "images x rows x columns, transposed"),
    ),
    case(
        "classes named by the config",
        r#"{"kind": "idx", "folder": "mnist", "classes": ["shirt", "coat", "bag"], "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 3], "shirt coat bag", ""),
    ),
    case(
        "CIFAR-10, binary version",
        r#"{"kind": "cifar10", "folder": "cifar-10-batches-bin", "valid": 1}"#,
        Used([8, 1, 3], CIFAR_10, "3 x 32 x 32"),
    ),
    case(
        "CIFAR-10, pickles",
        r#"{"kind": "cifar10", "folder": "cifar-10-batches-py", "valid": 1}"#,
        Used([8, 1, 3], CIFAR_10, "airplane"),
    ),
    case(
        "CIFAR-100's coarse classes, binary version",
        r#"{"kind": "cifar100", "folder": "cifar-100-binary", "labels": "coarse", "valid": 1}"#,
        Used([8, 1, 3], CIFAR_20, "aquatic_mammals"),
    ),
    case(
        "CIFAR-100's coarse classes, pickles",
        r#"{"kind": "cifar100", "folder": "cifar-100-python", "labels": "coarse", "valid": 1}"#,
        Used([8, 1, 3], CIFAR_20, "aquatic_mammals"),
    ),
    case(
        "a pickle that runs a program",
        r#"{"kind": "cifar100", "folder": "cifar-evil"}"#,
        Refused(
            "cifar-evil/train: calls \"os.system\"; only pickles of plain values and NumPy arrays are read",
            1,
        ),
    ),
    case(
        "CIFAR-100 that is not there",
        r#"{"kind": "cifar100", "folder": "."}"#,
        Refused("train.bin: not found; set KILN_DATA", 1),
    ),
    case(
        "a folder of several sets",
        r#"{"kind": "idx", "folder": "emnist", "height": 6, "width": 5}"#,
        Refused(
            "has several sets; set data.set to one of \"emnist-balanced\", \"emnist-letters\"",
            1,
        ),
    ),
    case(
        "images of another size than the config",
        r#"{"kind": "idx", "folder": "mnist"}"#,
        Refused(
            "train-images-idx3-ubyte.gz: is 9x6x5; expected 9 images of 1x28x28 (data.channels x data.height x data.width) in one of the usual orders; set data.channels to 1, data.height to 6 and data.width to 5",
            1,
        ),
    ),
    case(
        "names for other labels",
        r#"{"kind": "idx", "folder": "mnist", "classes": ["one", "two"], "height": 6, "width": 5}"#,
        Refused("labels run from 0 to 2, but data.classes has 2 names", 1),
    ),
    case(
        "a folder without such files",
        r#"{"kind": "idx", "folder": "."}"#,
        Refused(
            "no IDX files; expected train-images-idx3-ubyte and the like",
            1,
        ),
    ),
    case(
        "a class twice",
        r#"{"kind": "idx", "folder": "mnist", "classes": ["one", "one"]}"#,
        Refused("data.classes[1]: duplicate name \"one\"", 2),
    ),
];

/// All sets.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain(ARRAYS).chain(PARQUET)
}
