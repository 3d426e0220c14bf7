//! Files of labels in which several columns may hold the labels, and splits that they give.

use crate::labels::{CAT_DOG, CSV, QUARTERS, eight, rows};
use crate::support::Case;
use crate::support::Expect::{Refused, Used};

pub const CASES: &[Case] = &[
    Case {
        name: "two columns called label",
        keys: CSV,
        make: |f| {
            eight(f);
            let rows = rows(",", ",dog\n");
            f.text("labels.csv", format!("file,label,Label\n{rows}"));
        },
        expect: Refused(
            1,
            &[
                "labels.csv: 2 columns have the same name (\"label\" and \"Label\"); rename all but one of them",
            ],
        ),
    },
    Case {
        name: "two columns called file",
        keys: CSV,
        make: |f| {
            eight(f);
            let rows = rows(",", ",x.png\n");
            f.text("labels.csv", format!("file,label,file\n{rows}"));
        },
        expect: Refused(
            1,
            &["labels.csv: 2 columns have the same name (\"file\" and \"file\"); rename"],
        ),
    },
    Case {
        name: "a key twice in a row of JSON lines",
        keys: r#""labels": "labels.jsonl""#,
        make: |f| {
            eight(f);
            let rows = (0..8).map(|n| {
                let label = if n < 4 { "cat" } else { "dog" };
                let more = if n == 2 { ", \"label\": \"dog\"" } else { "" };
                format!("{{\"file\": \"{n}.png\", \"label\": \"{label}\"{more}}}\n")
            });
            f.text("labels.jsonl", rows.collect::<String>());
        },
        expect: Refused(
            1,
            &["labels.jsonl: line 3: not a JSON object (duplicate key \"label\" at column "],
        ),
    },
    Case {
        name: "two columns that may hold the labels, one of them called label",
        keys: CSV,
        make: |f| {
            eight(f);
            let rows = rows(",", ",1\n");
            f.text("labels.csv", format!("file,label,class\n{rows}"));
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["labels.csv: labels are in \"label\"; not used: \"class\""],
        ),
    },
    Case {
        name: "two columns that may hold the labels, neither better than the other",
        keys: CSV,
        make: |f| {
            eight(f);
            let rows = rows(",", ",1\n");
            f.text("labels.csv", format!("file,species,class\n{rows}"));
        },
        expect: Refused(
            1,
            &[
                "labels.csv: labels may be in the columns \"species\" and \"class\"; call the one that holds them \"label\"",
            ],
        ),
    },
    Case {
        name: "names of labels before their numbers",
        keys: CSV,
        make: |f| {
            eight(f);
            let rows = rows(",", ",1\n");
            f.text("labels.csv", format!("file,class_name,class_id\n{rows}"));
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["labels are in \"class_name\"; not used: \"class_id\""],
        ),
    },
    Case {
        name: "JSON lines with two keys that may hold the labels",
        keys: r#""labels": "labels.jsonl""#,
        make: |f| {
            eight(f);
            let rows = (0..8).map(|n| {
                let label = if n < 4 { "cat" } else { "dog" };
                format!("{{\"file\": \"{n}.png\", \"class\": {n}, \"label\": \"{label}\"}}\n")
            });
            f.text("labels.jsonl", rows.collect::<String>());
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["labels are in \"label\"; not used: \"class\""],
        ),
    },
    Case {
        name: "splits in a column of another name",
        keys: CSV,
        make: |f| {
            eight(f);
            let split = |n: usize| ["train", "train", "val", "test"][n % 4];
            let rows = (0..8).map(|n| {
                let label = if n < 4 { "cat" } else { "dog" };
                format!("{n}.png,{label},{}\n", split(n))
            });
            let rows: String = rows.collect();
            f.text("labels.csv", format!("file,label,phase\n{rows}"));
        },
        expect: Used(CAT_DOG, QUARTERS, &["splits in \"phase\""]),
    },
    Case {
        name: "a class that only the test split has",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text(
                "labels.csv",
                "file,label,split\n0.png,cat,train\n4.png,dog,train\n1.png,cat,val\n5.png,Dog,test\n",
            );
        },
        expect: Refused(
            1,
            &[
                "labels.csv: line 5: class \"Dog\" is in test, but not in training; training has \"dog\": use the same spelling for both",
            ],
        ),
    },
    Case {
        name: "a file of labels without training images",
        keys: CSV,
        make: |f| {
            eight(f);
            f.text(
                "labels.csv",
                "file,label,split\n0.png,cat,test\n4.png,dog,test\n",
            );
        },
        expect: Used(
            CAT_DOG,
            [0, 0, 2],
            &["6 images without a row in data.labels"],
        ),
    },
    Case {
        name: "two files of labels beside images, without data.labels",
        keys: "",
        make: |f| {
            eight(f);
            f.text("labels.csv", rows(",", "\n"));
            f.text("other.csv", rows(",", "\n"));
        },
        expect: Refused(
            2,
            &[
                "\"labels.csv\" and \"other.csv\" in it seem to hold labels of its images; set data.labels to one of them",
            ],
        ),
    },
];
