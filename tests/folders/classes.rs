//! Folders of classes, and links.

use crate::support::Case;
use crate::support::Expect::{Refused, Used};

const CAT_DOG: &[&str] = &["cat", "dog"];
const QUARTERS: [usize; 3] = [4, 2, 2];

pub const CASES: &[Case] = &[
    Case {
        name: "class folders",
        keys: "",
        make: |f| f.images(&["cat", "dog"], 4),
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "a class that is called train",
        keys: "",
        make: |f| f.images(&["train", "car", "bus"], 4),
        expect: Used(&["bus", "car", "train"], [6, 3, 3], &[]),
    },
    Case {
        name: "classes that are called like splits, among others",
        keys: "",
        make: |f| f.images(&["test", "dev", "other"], 4),
        expect: Used(&["dev", "other", "test"], [6, 3, 3], &[]),
    },
    Case {
        name: "images in folders below a class's",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 1);
            f.images(&["cat/2019/may", "dog/2020"], 3);
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "one class whose folders are probably the classes",
        keys: "",
        make: |f| f.images(&["PetImages/cat", "PetImages/dog"], 4),
        expect: Used(
            &["PetImages"],
            QUARTERS,
            &[
                "1 class, PetImages, with its images in subfolders; if these are the classes, set data.folder to ",
            ],
        ),
    },
    Case {
        name: "what systems and programs leave behind",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 4);
            f.images(
                &[
                    "__MACOSX/cat",
                    "cat/@eaDir",
                    ".ipynb_checkpoints",
                    "cat/.thumbnails",
                    "$RECYCLE.BIN",
                ],
                2,
            );
            f.text("Thumbs.db", "");
            f.text("cat/.DS_Store", "");
            f.text("cat/._0.png", "resource fork");
            f.text("dog/desktop.ini", "");
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["passed over: 9 hidden or system files;"],
        ),
    },
    Case {
        name: "an empty class",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 4);
            f.folder("rose");
            f.text("tulip/notes.md", "none yet");
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["passed over: 1 file (.md), 2 empty classes;"],
        ),
    },
    Case {
        name: "an empty class in all splits",
        keys: "",
        make: |f| {
            f.images(&["train/cat", "train/dog", "valid/cat"], 2);
            ["train/rose", "valid/rose", "valid/dog"]
                .iter()
                .for_each(|folder| f.folder(folder));
        },
        expect: Used(CAT_DOG, [4, 2, 0], &["passed over: 1 empty class;"]),
    },
    Case {
        name: "an empty folder",
        keys: "",
        make: |_| {},
        expect: Refused(
            1,
            &["no images; expected <class>/*.png, *.jpg or other PNG, JPEG, WebP"],
        ),
    },
    Case {
        name: "images without class folders",
        keys: "",
        make: |f| f.images(&["."], 3),
        expect: Refused(
            1,
            &[
                "3 images, but no class folders; make one folder per class (<class>/*.png), or name a file with the labels in data.labels",
            ],
        ),
    },
    Case {
        name: "numeric classes with gaps, in the order of text",
        keys: r#""class_order": "text""#,
        make: |f| f.images(&["1", "7", "10", "205"], 4),
        expect: Used(&["1", "10", "205", "7"], [8, 4, 4], &[]),
    },
    Case {
        name: "numeric classes with gaps, in the order of numbers",
        keys: r#""class_order": "numeric""#,
        make: |f| f.images(&["1", "7", "10", "205"], 4),
        expect: Used(&["1", "7", "10", "205"], [8, 4, 4], &[]),
    },
    #[cfg(target_os = "linux")]
    Case {
        name: "classes that differ only in case",
        keys: "",
        make: |f| f.images(&["cat", "Cat"], 4),
        expect: Used(
            &["Cat", "cat"],
            QUARTERS,
            &["classes that differ only in case: Cat, cat"],
        ),
    },
    Case {
        name: "a file where a class or a split would be",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 4);
            f.text("train", "no folder");
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["passed over: 1 file without an extension;"],
        ),
    },
    Case {
        name: "a folder that is called like an image",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 3);
            f.image("cat/x.png/y.png");
            f.image("dog/x.png/y.png");
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    // ---- Links ----
    #[cfg(unix)]
    Case {
        name: "links to images and to a class",
        keys: "",
        make: |f| {
            f.images(&["cat", "elsewhere/.hidden"], 4);
            f.link("elsewhere/.hidden", "dog");
            f.link("../cat/0.png", "cat/link.png");
        },
        expect: Used(
            CAT_DOG,
            [5, 2, 2],
            &["passed over: 1 empty class, 1 hidden or system file;"],
        ),
    },
    #[cfg(unix)]
    Case {
        name: "links in circles and into nothing",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog", "dog/more"], 2);
            f.link("..", "cat/up");
            f.link(".", "cat/self");
            f.link("../../cat", "dog/more/cats");
            f.link("../nowhere.png", "dog/gone.png");
            f.link("loop", "dog/loop");
        },
        // The cats below dog, through one link, are dogs.
        expect: Used(
            CAT_DOG,
            [2, 3, 3],
            &[
                "passed over: 1 broken link, 5 links to one of their parent folders",
                "no training images, but some in validation or test: cat",
            ],
        ),
    },
    #[cfg(target_os = "linux")]
    Case {
        name: "a device",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 4);
            f.link("/dev/zero", "dog/zero.png");
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["passed over: 1 pipe, socket or device;"],
        ),
    },
];
