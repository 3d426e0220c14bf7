//! The second table of bad inputs: what is named or typed wrongly on the command line.

use crate::cases::Case;

pub const COMMAND_LINES: &[Case] = &[
    Case {
        name: "a missing image",
        code: 2,
        arguments: "predict run nothing.png",
    },
    Case {
        name: "a missing image among others",
        code: 2,
        arguments: "ocr page.png nothing.png --model run",
    },
    Case {
        name: "a missing page",
        code: 2,
        arguments: "segment nothing.png",
    },
    Case {
        name: "an image without a byte",
        code: 1,
        arguments: "predict run hollow.png",
    },
    Case {
        name: "a folder with images in its subfolders",
        code: 2,
        arguments: "predict run folder",
    },
    Case {
        name: "a page that exists",
        code: 2,
        arguments: "data page --text HI page.png",
    },
    Case {
        name: "an import of missing weights",
        code: 2,
        arguments: "model import nothing.pth small.json --to out",
    },
    Case {
        name: "classes that only missing data tells",
        code: 2,
        arguments: "model info absent.json",
    },
    Case {
        name: "a setting of a trained model",
        code: 2,
        arguments: "model info run --set model.hidden=[8]",
    },
    Case {
        name: "a run with an epoch",
        code: 2,
        arguments: "eval run@5",
    },
    Case {
        name: "a run with an epoch that is no number",
        code: 2,
        arguments: "train --resume run@last",
    },
    Case {
        name: "a resumed run with a config",
        code: 2,
        arguments: "train small.json --resume run",
    },
    Case {
        name: "a kind with two letters swapped",
        code: 2,
        arguments: "train small.json --set model.kind=mpl",
    },
    Case {
        name: "a name without a letter",
        code: 2,
        arguments: "train small.json --set name=",
    },
    Case {
        name: "a key of the config as a flag",
        code: 2,
        arguments: "train small.json --epochs 3",
    },
    Case {
        name: "an unknown flag",
        code: 2,
        arguments: "sweep small.json --gird seed=1,2",
    },
    Case {
        name: "an unknown command",
        code: 2,
        arguments: "tarin small.json",
    },
    Case {
        name: "a command without its argument",
        code: 2,
        arguments: "train",
    },
    Case {
        name: "a flag without its value",
        code: 2,
        arguments: "predict run page.png --top-k",
    },
    Case {
        name: "an unknown split",
        code: 2,
        arguments: "eval run --split tset",
    },
    Case {
        name: "flags that exclude each other",
        code: 2,
        arguments: "data page --text HI --seed 1 --vary 2 drawn.png",
    },
];
