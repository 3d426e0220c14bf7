//! Labels in files.

use crate::support::Expect::{Refused, Used};
use crate::support::{Case, Folder};

pub const CAT_DOG: &[&str] = &["cat", "dog"];
pub const QUARTERS: [usize; 3] = [4, 2, 2];
pub const CSV: &str = r#""labels": "labels.csv""#;

/// Images `0.png` to `7.png`; the first four are cats.
pub fn eight(folder: &Folder) {
    folder.images(&["."], 8);
}

/// A row for each of the eight, `separator` between file and label, `end` at its end.
pub fn rows(separator: &str, end: &str) -> String {
    let label = |number| if number < 4 { "cat" } else { "dog" };
    (0..8)
        .map(|number| format!("{number}.png{separator}{}{end}", label(number)))
        .collect()
}

pub const CASES: &[Case] = &[
    Case {
        name: "labels.csv with a header",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", format!("file,label\n{}", rows(",", "\n")));
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "labels.csv without a header",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", rows(",", "\n"));
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "semicolons, a byte order mark, CRLF, quotes, spaces and empty lines",
        keys: CSV,
        make: |f| {
            eight(f);
            let rows = rows(";", "\r\n")
                .replace("0.png;cat", "\"0.png\" ; \"cat\" ")
                .replace("4.png", "\r\n4.png");
            f.text(
                "labels.csv",
                format!("\u{feff}File Name;Class\r\n{rows}").replace("File Name", "Filename"),
            );
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "tabs, and columns of other names",
        keys: r#""labels": "labels.tsv""#,
        make: |f| {
            eight(f);
            f.text("labels.tsv", format!("bild\ttier\n{}", rows("\t", "\n")));
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["labels.tsv: files are in the column \"bild\", labels in \"tier\""],
        ),
    },
    Case {
        name: "the label before the file, and columns that are not needed",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text(
                "labels.csv",
                (0..8).fold("label,width,image\n".to_owned(), |text, n| {
                    text + &format!("{},4,{n}.png\n", if n < 4 { "cat" } else { "dog" })
                }),
            );
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "a text with the separator in quotes",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", rows(",", "\n").replace("cat", "\"cat, big\""));
        },
        expect: Used(&["cat, big", "dog"], QUARTERS, &[]),
    },
    Case {
        name: "a text with the separator without quotes",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text(
                "labels.csv",
                rows(",", "\n").replace("2.png,cat", "2.png,cat, big"),
            );
        },
        expect: Refused(
            1,
            &[
                "labels.csv: line 3: 3 columns, but the first line has 2; quote fields that contain the separator",
            ],
        ),
    },
    Case {
        name: "JSON lines",
        keys: r#""labels": "labels.jsonl""#,
        make: |f| {
            eight(f);
            f.text(
                "labels.jsonl",
                (0..8)
                    .map(|n| {
                        format!(
                            "{{\"file_name\": \"{n}.png\", \"label\": {}}}\n",
                            3 + 7 * (n / 4)
                        )
                    })
                    .collect::<String>(),
            );
        },
        expect: Used(&["3", "10"], QUARTERS, &[]),
    },
    Case {
        name: "JSON lines with a list of labels",
        keys: r#""labels": "labels.jsonl""#,
        make: |f| {
            eight(f);
            f.text("labels.jsonl", "{\"file\": \"0.png\", \"label\": \"cat\"}\n{\"file\": \"1.png\", \"label\": [\"cat\", \"dog\"]}\n");
        },
        expect: Refused(
            1,
            &["line 2: \"label\" must be a string or a number; one label per image"],
        ),
    },
    Case {
        name: "a JSON array",
        keys: r#""labels": "labels.json""#,
        make: |f| {
            eight(f);
            f.text("labels.json", "[{\"file\": \"0.png\", \"label\": \"cat\"}]");
        },
        expect: Refused(
            1,
            &["labels.json: is a JSON array; write one object per line instead"],
        ),
    },
    Case {
        name: "split.csv",
        keys: r#""labels": "split.csv""#,
        make: |f| {
            eight(f);
            let split = |n: usize| ["train", "Validation", "TEST", "training"][n % 4];
            let rows = (0..8).map(|n| {
                format!(
                    "{n}.png,{},{}\n",
                    if n < 4 { "cat" } else { "dog" },
                    split(n)
                )
            });
            f.text(
                "split.csv",
                format!("file,label,split\n{}", rows.collect::<String>()),
            );
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "a third column of splits without a header, without validation",
        keys: CSV,
        make: |f| {
            f.images(&["."], 20);
            let rows = (0..20).map(|n| {
                format!(
                    "{n}.png,{},{}\n",
                    if n % 2 == 0 { "cat" } else { "dog" },
                    if n < 16 { "train" } else { "test" }
                )
            });
            f.text("labels.csv", rows.collect::<String>());
        },
        expect: Used(
            CAT_DOG,
            [12, 4, 4],
            &["validation: 4 of the 16 training images, by data.split, as no valid is given"],
        ),
    },
    Case {
        name: "a split that is none",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text(
                "labels.csv",
                "file,label,split\n0.png,cat,holdout\n1.png,dog,holdout\n",
            );
        },
        expect: Refused(
            1,
            &["labels.csv: line 2: split is \"holdout\"; expected train, valid or test"],
        ),
    },
    Case {
        name: "backslashes, ./, absolute paths, folders and names without extensions",
        keys: CSV,
        make: |f| {
            f.images(&["a/b", "c"], 4);
            let absolute = f.0.join("c/3.png").display().to_string();
            f.text("labels.csv", format!(
                "image_id,breed\na\\b\\0.png,cat\n./a/b/1.png,cat\na/b/2,cat\na//b/3.png,cat\nc/0,dog\nc\\1,dog\nc/2.png,dog\n{absolute},dog\n"
            ));
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "rows that repeat others, rows without a label, images without a row",
        keys: CSV,
        make: |f| {
            f.images(&["."], 10);
            f.text(
                "labels.csv",
                format!(
                    "file,label\n{}3.png,cat\n./3.png,cat\n8.png,\n",
                    rows(",", "\n")
                ),
            );
        },
        // 8.png has a row, but no label; 9.png none.
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &[
                "passed over: 2 images without a row in data.labels, 1 row without a label, 2 repeated rows;",
            ],
        ),
    },
    Case {
        name: "labels that contradict each other",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", format!("{}1.png,dog\n", rows(",", "\n")));
        },
        expect: Refused(
            1,
            &["labels.csv: line 9: 1.png is \"dog\", but line 2 says \"cat\"; keep one of them"],
        ),
    },
    Case {
        name: "images that do not exist",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text(
                "labels.csv",
                format!("{}x.png,dog\ny.png,dog\n", rows(",", "\n")),
            );
        },
        expect: Refused(
            1,
            &[
                "2 of 10 images can't be read",
                "x.png: not found; line 9 of ",
                "y.png: not found; line 10 of ",
            ],
        ),
    },
    Case {
        name: "images that do not exist, skipped",
        keys: r#""labels": "labels.csv", "on_bad_image": "skip""#,
        make: |f| {
            eight(f);
            f.text("labels.csv", format!("{}x.png,dog\n", rows(",", "\n")));
        },
        expect: Used(CAT_DOG, QUARTERS, &["passed over: 1 unreadable image;"]),
    },
    Case {
        name: "images in another folder than the rows say",
        keys: CSV,
        make: |f| {
            f.images(&["images"], 8);
            f.text("labels.csv", rows(",", "\n"));
        },
        expect: Refused(
            1,
            &[
                "none of its 8 images is in ",
                "line 1 names 0.png; an image of that name is in images: set data.folder to ",
            ],
        ),
    },
    Case {
        name: "a file of labels that does not exist",
        keys: CSV,
        make: eight,
        expect: Refused(2, &["labels.csv: not found"]),
    },
    Case {
        name: "an empty file of labels",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", "\n\n");
        },
        expect: Refused(
            1,
            &["labels.csv: is empty; expected one row per image: file,label"],
        ),
    },
    Case {
        name: "a file of labels with a header alone",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", "file,label\n");
        },
        expect: Refused(1, &["labels.csv: has no rows"]),
    },
    Case {
        name: "a file of labels in UTF-16",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", b"\xff\xfef\0i\0");
        },
        expect: Refused(1, &["labels.csv: is in UTF-16; save it in UTF-8"]),
    },
    Case {
        name: "a file of labels in Latin-1",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", b"file,label\n0.png,K\xe4fer\n");
        },
        expect: Refused(1, &["labels.csv: line 2: not valid UTF-8"]),
    },
    Case {
        name: "one column",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("labels.csv", "0.png\n1.png\n");
        },
        expect: Refused(1, &["labels.csv: line 1: 1 column; expected file,label"]),
    },
    Case {
        name: "several columns that may hold the labels",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text(
                "labels.csv",
                "file,colour,size\n0.png,red,big\n1.png,blue,small\n",
            );
        },
        expect: Refused(
            1,
            &[
                "several columns may hold the labels (\"colour\", \"size\"); name the columns file, label and split",
            ],
        ),
    },
    Case {
        name: "labels.csv beside images, without data.labels",
        keys: "",
        make: |f| {
            eight(f);
            f.text("labels.csv", rows(",", "\n"));
        },
        expect: Refused(
            2,
            &[
                "labels.csv in it seems to hold the labels of its images; set data.labels to \"labels.csv\", or make one folder per class",
            ],
        ),
    },
    Case {
        name: "labels.csv beside a single folder of images, without data.labels",
        keys: "",
        make: |f| {
            f.images(&["images"], 8);
            f.text("train.csv", format!("id,breed\n{}", rows(",", "\n")));
        },
        expect: Refused(
            2,
            &[
                "train.csv in it seems to hold the labels of its images; set data.labels to \"train.csv\"",
            ],
        ),
    },
    Case {
        name: "labels.csv beside class folders, without data.labels",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 4);
            f.text("labels.csv", "file,label\ncat/0.png,cat\n");
        },
        expect: Used(CAT_DOG, QUARTERS, &["passed over: 1 file (.csv);"]),
    },
    Case {
        name: "a bad image in a file of labels",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text("5.png", "no image");
            f.text("labels.csv", rows(",", "\n"));
        },
        expect: Refused(1, &["5.png: unrecognized image format"]),
    },
];
