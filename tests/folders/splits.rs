//! Folders of splits.

use crate::support::Case;
use crate::support::Expect::{Refused, Used};

const CAT_DOG: &[&str] = &["cat", "dog"];

pub const CASES: &[Case] = &[
    Case {
        name: "train and validation in full, in capitals",
        keys: "",
        make: |f| {
            f.images(&["Train/cat", "Train/dog"], 4);
            f.images(&["VALIDATION/cat", "VALIDATION/dog"], 2);
            f.images(&["Test/cat"], 1);
        },
        expect: Used(CAT_DOG, [8, 4, 1], &[]),
    },
    Case {
        name: "training_set and test_set, each with a folder of its own name in it",
        keys: "",
        make: |f| {
            f.images(
                &[
                    "training_set/training_set/cat",
                    "training_set/training_set/dog",
                ],
                4,
            );
            f.images(&["test_set/test_set/cat", "test_set/test_set/dog"], 3);
        },
        expect: Used(
            CAT_DOG,
            [6, 2, 6],
            &["validation: 2 of the 8 training images, by data.split, as no valid is given"],
        ),
    },
    Case {
        name: "train, dev and eval",
        keys: "",
        make: |f| {
            f.images(&["train/cat", "train/dog"], 4);
            f.images(&["dev/cat", "eval/dog"], 2);
        },
        expect: Used(CAT_DOG, [8, 2, 2], &[]),
    },
    Case {
        name: "train and test alone: validation is split off",
        keys: "",
        make: |f| {
            f.images(&["train/cat", "train/dog"], 8);
            f.images(&["test/cat", "test/dog"], 5);
        },
        expect: Used(
            CAT_DOG,
            [12, 4, 10],
            &["validation: 4 of the 16 training images, by data.split, as no valid is given"],
        ),
    },
    Case {
        name: "train alone: validation and test are split off",
        keys: "",
        make: |f| f.images(&["train/cat", "train/dog"], 8),
        expect: Used(
            CAT_DOG,
            [8, 4, 4],
            &[
                "validation: 4 of the 16",
                "test: 4 of the 16 training images, by data.split, as no test is given",
            ],
        ),
    },
    Case {
        name: "train and valid without test",
        keys: "",
        make: |f| f.images(&["train/cat", "train/dog", "valid/cat", "valid/dog"], 2),
        expect: Used(CAT_DOG, [4, 4, 0], &[]),
    },
    Case {
        name: "test alone",
        keys: "",
        make: |f| f.images(&["test/cat", "test/dog"], 2),
        expect: Used(CAT_DOG, [0, 0, 4], &[]),
    },
    Case {
        name: "val alone, beside files",
        keys: "",
        make: |f| {
            f.images(&["val/cat", "val/dog"], 2);
            f.text("synsets.txt", "cat\ndog\n");
        },
        expect: Used(CAT_DOG, [0, 4, 0], &["passed over: 1 file (.txt);"]),
    },
    Case {
        name: "two folders of one split",
        keys: "",
        make: |f| f.images(&["train/cat", "train/dog", "val/cat", "valid/cat"], 2),
        expect: Refused(1, &["valid: exists alongside ", "keep only one"]),
    },
    #[cfg(target_os = "linux")]
    Case {
        name: "two folders of one split that differ in case",
        keys: "",
        make: |f| f.images(&["train/cat", "train/dog", "Train/cat"], 2),
        expect: Refused(1, &["train: exists alongside ", "/Train; keep only one"]),
    },
    Case {
        name: "a second name of a split beside its usual one",
        keys: "",
        make: |f| {
            f.images(
                &[
                    "train/cat",
                    "train/dog",
                    "valid/cat",
                    "test/dog",
                    "eval/bird",
                ],
                2,
            )
        },
        expect: Used(
            CAT_DOG,
            [4, 2, 2],
            &["passed over: 1 folder beside the splits;"],
        ),
    },
    Case {
        name: "a folder and images beside the splits, images beside the classes",
        keys: "",
        make: |f| {
            f.images(&["train/cat", "train/dog", "valid/cat", "unlabeled/x"], 2);
            f.image("overview.png");
            f.image("train/montage.png");
            f.text("train/LICENSE.txt", "");
        },
        expect: Used(
            CAT_DOG,
            [4, 2, 0],
            &[
                "passed over: 1 file (.txt), 2 images outside of the class folders, 1 folder beside the splits;",
            ],
        ),
    },
    Case {
        name: "a test split without labels",
        keys: "",
        make: |f| {
            f.images(&["train/cat", "train/dog"], 8);
            f.images(&["test"], 5);
        },
        expect: Used(
            CAT_DOG,
            [8, 4, 4],
            &[
                "validation: 4 of",
                "test: 4 of",
                "passed over: 5 images outside of the class folders;",
            ],
        ),
    },
    Case {
        name: "splits without class folders",
        keys: "",
        make: |f| f.images(&["train", "test"], 3),
        expect: Refused(
            1,
            &["images in test/ and train/, but no class folders; make one folder per class in it"],
        ),
    },
    Case {
        name: "a class that training lacks",
        keys: "",
        make: |f| f.images(&["train/cat", "train/dog", "valid/cat", "valid/bird"], 2),
        expect: Refused(
            1,
            &["valid/bird: class does not exist in train/; every class needs training images"],
        ),
    },
    #[cfg(target_os = "linux")]
    Case {
        name: "a class in another case than in training",
        keys: "",
        make: |f| f.images(&["train/Cat", "train/dog", "valid/cat"], 2),
        expect: Refused(
            1,
            &["valid/cat: class does not exist in train/; it has Cat: rename one"],
        ),
    },
    Case {
        name: "an archive's folder around the splits",
        keys: "",
        make: |f| f.images(&["pets/train/cat", "pets/train/dog", "pets/val/cat"], 2),
        expect: Used(CAT_DOG, [4, 2, 0], &["pets, the only folder in it"]),
    },
    Case {
        name: "an empty folder for training",
        keys: "",
        make: |f| {
            f.images(&["test/cat", "test/dog"], 2);
            f.folder("train/cat");
        },
        expect: Refused(1, &["train: no images"]),
    },
    Case {
        name: "class folders beside a test split",
        keys: "",
        make: |f| f.images(&["cat", "dog", "test/cat", "test/dog"], 2),
        expect: Refused(
            1,
            &[
                "cat: images beside ",
                "test; move the folders of training images into train/",
            ],
        ),
    },
];
