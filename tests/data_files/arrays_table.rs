//! The sets of NumPy, of MATLAB and of tables.

use crate::table::Then::{Refused, Used};
use crate::table::{Case, case};

/// The sets.
pub const ARRAYS: &[Case] = &[
    case(
        "Keras's mnist.npz",
        r#"{"kind": "npz", "train": {"file": "npz/mnist.npz"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 3],
            "0 1 2",
            "9 training images (x_train): 9x6x5 (images x rows x columns), values 0 to 255",
        ),
    ),
    case(
        "a compressed .npz",
        r#"{"kind": "npz", "train": {"file": "npz/packed.npz"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 3], "0 1 2", "x_train"),
    ),
    case(
        "MedMNIST, compressed",
        r#"{"kind": "npz", "train": {"file": "npz/medical.npz"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 3], "0 1 2", "9 training images (train_images)"),
    ),
    case(
        "a folder of .npy files",
        r#"{"kind": "npz", "train": {"file": "npz/pair"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "0 1 2", "9 training images (images)"),
    ),
    case(
        "NumPy's types: fortran",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "fortran_pixels", "labels": "fortran_names"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "0 1 2", "images x rows x columns"),
    ),
    case(
        "NumPy's types: unit_f16",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "unit_f16_pixels", "labels": "unit_f16_names"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "0 1 2", "values 0 to 1"),
    ),
    case(
        "NumPy's types: big_endian_f32",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "big_endian_f32_pixels", "labels": "big_endian_f32_names"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "0 1 2", "values 0 to 1"),
    ),
    case(
        "NumPy's types: signed_f64",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "signed_f64_pixels", "labels": "signed_f64_names"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "0 1 2", "values -1 to 1"),
    ),
    case(
        "NumPy's types: word_u16",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "word_u16_pixels", "labels": "word_u16_names"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "values 0 to 65535"),
    ),
    case(
        "NumPy's types: i32_rows",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "i32_rows_pixels", "labels": "i32_rows_names"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 0],
            "ant bee cat",
            "9x30 (images x pixels row by row), values 0 to 255",
        ),
    ),
    case(
        "NumPy's orders: channels last",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "last_pixels", "labels": "last_names"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "channels": 3}"#,
        Used([9, 0, 0], "0 1 2", "images x rows x columns x channels"),
    ),
    case(
        "NumPy's orders: channels first",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "first_pixels", "labels": "first_names"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "channels": 3}"#,
        Used([9, 0, 0], "0 1 2", "images x channels x rows x columns"),
    ),
    case(
        "arrays of Python objects",
        r#"{"kind": "npz", "train": {"file": "npz/objects.npz"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "npz/objects.npz: x_train: holds Python objects; rewrite it in Python as numbers: np.savez(\"numbers.npz\"",
            1,
        ),
    ),
    case(
        "a .npy that promises a terabyte",
        r#"{"kind": "npz", "train": {"file": "npz/huge"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "npz/huge: x: claims 137438953472 values; at most 2147483648 are read",
            1,
        ),
    ),
    case(
        "arrays of names that are not usual",
        r#"{"kind": "npz", "train": {"file": "npz/types.npz"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "set data.train.images and data.train.labels to the names of two of them",
            1,
        ),
    ),
    case(
        "an array that is not there",
        r#"{"kind": "npz", "train": {"file": "npz/mnist.npz", "images": "pixels"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "npz/mnist.npz: has no array pixels; it has x_train, y_train, x_test, y_test",
            1,
        ),
    ),
    case(
        "no .npz file",
        r#"{"kind": "npz", "train": {"file": "csv/train.csv"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused("csv/train.csv: is not a .npz file", 1),
    ),
    case(
        "no file named",
        r#"{"kind": "npz", "train": {"file": ""}}"#,
        Refused(
            "data.train.file: missing; set it to the file of the training images",
            2,
        ),
    ),
    case(
        "Kaggle's table of digits, whose test has no labels",
        r#"{"kind": "csv", "train": "csv/train.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "test": "csv/test.csv"}"#,
        Used(
            [9, 0, 0],
            "0 1 2",
            "csv/test.csv has no labels: 3 images not used",
        ),
    ),
    case(
        "tables for training and testing, gzipped",
        r#"{"kind": "csv", "train": "csv/train.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "test": "csv/labelled_test.csv.gz"}"#,
        Used(
            [9, 0, 3],
            "0 1 2",
            "9 training images: 9x30 (images x pixels row by row), values 0 to 255; labels in column \"label\"",
        ),
    ),
    case(
        "a table without names of columns, of Windows",
        r#"{"kind": "csv", "train": "csv/bare.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "0 1 2", "labels in column 0"),
    ),
    case(
        "a table of fractions, with the letters last",
        r#"{"kind": "csv", "train": "csv/last.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "label": "letter"}"#,
        Used([9, 0, 0], "a b c", "values 0 to 1"),
    ),
    case(
        "the label by its index",
        r#"{"kind": "csv", "train": "csv/last.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "label": 30}"#,
        Used([9, 0, 0], "a b c", "labels in column \"letter\""),
    ),
    case(
        "a table of colours side by side",
        r#"{"kind": "csv", "train": "csv/colour.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "channels": 3, "interleaved": true}"#,
        Used([9, 0, 0], "0 1 2", "channels side by side"),
    ),
    case(
        "a row that is too short",
        r#"{"kind": "csv", "train": "csv/short.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "csv/short.csv: line 5: has 30 columns; the lines before have 31",
            1,
        ),
    ),
    case(
        "a word among the pixels",
        r#"{"kind": "csv", "train": "csv/words.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "csv/words.csv: line 4: column \"pixel29\": found \"white\"; expected a number",
            1,
        ),
    ),
    case(
        "a table of other images",
        r#"{"kind": "csv", "train": "csv/last.csv"}"#,
        Refused(
            "has 31 columns; expected 784 pixels (data.channels x data.height x data.width) and a label",
            1,
        ),
    ),
    case(
        "a column that is not there",
        r#"{"kind": "csv", "train": "csv/train.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "label": "digit"}"#,
        Refused("has no column \"digit\" (data.label)", 1),
    ),
    case(
        "training images without labels",
        r#"{"kind": "csv", "train": "csv/test.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "csv/test.csv: has no column of labels; training images need one",
            1,
        ),
    ),
    case(
        "SVHN's files: images last, labels from 1",
        r#"{"kind": "mat", "train": {"file": "mat/train_32x32.mat"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "channels": 3, "test": {"file": "mat/test_32x32.mat"}}"#,
        Used([9, 0, 3], "1 2 3", "(rows x columns x channels x images)"),
    ),
    case(
        "the course's form with values to 255 and labels from 1",
        r#"{"kind": "mat", "train": {"file": "mat/other_train.mat"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "test": {"file": "mat/other_test.mat"}}"#,
        Used(
            [9, 0, 3],
            "1 2 3",
            "9x30 (images x pixels column by column), values 0 to 255",
        ),
    ),
    case(
        "the course's form with one-hot labels",
        r#"{"kind": "mat", "train": {"file": "mat/hot_train.mat"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "test": {"file": "mat/hot_test.mat"}}"#,
        Used([9, 0, 3], "0 1 2", "values 0 to 1"),
    ),
    case(
        "images first, labels in a row",
        r#"{"kind": "mat", "train": {"file": "mat/stack.mat"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}, "classes": ["A", "B", "C"]}"#,
        Used([9, 0, 0], "A B C", "labels start at 1"),
    ),
    case(
        "EMNIST's structures, compressed",
        r#"{"kind": "mat", "train": {"file": "mat/emnist.mat"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 3],
            "0 1 2",
            "9 training images (dataset.train.images)",
        ),
    ),
    case(
        "EMNIST's plain structures",
        r#"{"kind": "mat", "train": {"file": "mat/emnist_plain.mat"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 3], "0 1 2", "pixels column by column"),
    ),
    case(
        "MATLAB 7.3",
        r#"{"kind": "mat", "train": {"file": "mat/hdf5.mat"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "mat/hdf5.mat: is a MATLAB v7.3 (HDF5) file; save it for v7 in MATLAB: s = load(",
            1,
        ),
    ),
    case(
        "an array of another kind",
        r#"{"kind": "mat", "train": {"file": "mat/stack.mat", "labels": "words"}, "height": 6, "width": 5}"#,
        Refused(
            "mat/stack.mat: words: is a cell array; expected numbers or strings",
            1,
        ),
    ),
    case(
        "MATLAB 4",
        r#"{"kind": "mat", "train": {"file": "mat/version4.mat"}, "height": 6, "width": 5}"#,
        Refused(
            "mat/version4.mat: is a MATLAB v4 file; save it for v7: in MATLAB s = load(",
            1,
        ),
    ),
    case(
        "two arrays of images, neither better than the other",
        r#"{"kind": "npz", "train": {"file": "npz/twofold.npz"}, "height": 6, "width": 5}"#,
        Refused(
            "npz/twofold.npz: the images of train may be any of \"x_train\" and \"train_images\"; set data.train.images to one of them",
            1,
        ),
    ),
    case(
        "one of two arrays of images by its name",
        r#"{"kind": "npz", "train": {"file": "npz/twofold.npz", "images": "x_train"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 0],
            "0 1 2",
            "9 training images (x_train): 9x6x5 (images x rows x columns), values 0 to 255; labels in y_train",
        ),
    ),
    case(
        "a text as label that is empty",
        r#"{"kind": "npz", "train": {"file": "npz/twofold.npz", "images": "x_train", "labels": "names"}, "height": 6, "width": 5}"#,
        Refused(
            "npz/twofold.npz: names: label 9: found an empty text; name its class, or leave out the image",
            1,
        ),
    ),
    case(
        "a class that only the test split has",
        r#"{"kind": "npz", "train": {"file": "npz/twofold.npz", "images": "x_train", "labels": "y_train"}, "test": {"images": "train_images", "labels": "more"}, "height": 6, "width": 5}"#,
        Refused(
            "npz/twofold.npz: class \"3\" is in test, but not in training; every class needs training images",
            1,
        ),
    ),
    case(
        "a value out of range",
        r#"{"kind": "npz", "train": {"file": "npz/twofold.npz", "images": "wild", "labels": "y_train"}, "height": 6, "width": 5}"#,
        Refused(
            "npz/twofold.npz: wild: value [2, 5, 0]: found -5; the values run from -5 to ",
            1,
        ),
    ),
    case(
        "a value out of the range of the config",
        r#"{"kind": "npz", "train": {"file": "npz/twofold.npz", "images": "wild", "labels": "y_train"}, "height": 6, "width": 5, "range": "0..255"}"#,
        Refused(
            "npz/twofold.npz: wild: value [2, 5, 0]: found -5; expected 0 to 255 (data.range, or as in the training images)",
            1,
        ),
    ),
    case(
        "a class without a name in the config",
        r#"{"kind": "idx", "folder": "mnist", "classes": ["one", " "]}"#,
        Refused("data.classes[1]: empty; name the class", 2),
    ),
];
