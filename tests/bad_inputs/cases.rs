//! The table of bad inputs: arguments and exit codes. The messages are in tests/snapshots/bad_inputs.txt; `files` creates the
//! files.

pub struct Case {
    pub name: &'static str,
    pub code: i32,
    /// Separated by spaces; run in the folder of `files`.
    pub arguments: &'static str,
}

/// Replaced by ten thousand opening brackets in [`Case::arguments`].
pub const BRACKETS: &str = "@BRACKETS";

pub const CASES: &[Case] = &[
    Case {
        name: "a misspelled key",
        code: 2,
        arguments: "train misspelt.json",
    },
    Case {
        name: "a wrong type",
        code: 2,
        arguments: "train small.json --set training.epochs=many",
    },
    Case {
        name: "a negative learning rate",
        code: 2,
        arguments: "train small.json --set optimizer.lr=-1",
    },
    Case {
        name: "ten classes for thirty-six",
        code: 2,
        arguments: "train small.json --set model.classes=10",
    },
    Case {
        name: "a missing config",
        code: 2,
        arguments: "train missing.json",
    },
    Case {
        name: "missing data",
        code: 1,
        arguments: "train nowhere.json",
    },
    Case {
        name: "a .mat that is a text file",
        code: 1,
        arguments: "train text_mat.json",
    },
    Case {
        name: "a truncated .mat",
        code: 1,
        arguments: "train cut_mat.json",
    },
    Case {
        name: "a text file as an image",
        code: 1,
        arguments: "predict run notes.png",
    },
    Case {
        name: "a text file as a page",
        code: 1,
        arguments: "ocr notes.png --model run --overlay out.png",
    },
    Case {
        name: "a truncated JPEG",
        code: 1,
        arguments: "segment cut.jpg --overlay out.png --stages stages",
    },
    Case {
        name: "a folder that is not a run",
        code: 2,
        arguments: "eval empty",
    },
    Case {
        name: "a missing run directory",
        code: 2,
        arguments: "eval missing",
    },
    Case {
        name: "a missing sweep directory",
        code: 2,
        arguments: "sweep --resume missing",
    },
    Case {
        name: "a run without its model",
        code: 1,
        arguments: "eval halfway",
    },
    Case {
        name: "a damaged model",
        code: 1,
        arguments: "eval damaged",
    },
    Case {
        name: "a run directory below a file",
        code: 1,
        arguments: "train small.json --run-dir notes.png/run",
    },
    Case {
        name: "a run directory that exists",
        code: 2,
        arguments: "train small.json --run-dir run",
    },
    Case {
        name: "a folder of images without its path",
        code: 2,
        arguments: "train nameless.json",
    },
    Case {
        name: "a dashboard without a terminal",
        code: 2,
        arguments: "train small.json --renderer dashboard",
    },
    Case {
        name: "a letter without a drawing",
        code: 2,
        arguments: "data page --text HELLO~ drawn.png",
    },
    Case {
        name: "a picture with a wrong extension",
        code: 2,
        arguments: "data page --text HELLO page.bmp",
    },
    Case {
        name: "ground truth without the image",
        code: 2,
        arguments: "ocr page.png --model run --expect truth.json",
    },
    Case {
        name: "missing ground truth",
        code: 2,
        arguments: "ocr page.png --model run --expect nothing.txt",
    },
    Case {
        name: "ground truth in broken JSON",
        code: 1,
        arguments: "ocr page.png --model run --expect broken.json",
    },
    Case {
        name: "a duplicate key",
        code: 2,
        arguments: "config check twice.json",
    },
    Case {
        name: "a key of another schedule",
        code: 2,
        arguments: r#"train small.json --set schedule={"kind":"constant","warmup":3}"#,
    },
    Case {
        name: "a network larger than any memory",
        code: 2,
        arguments: "train small.json --set model.hidden=[65536,65536]",
    },
    Case {
        name: "a picture that is the input",
        code: 2,
        arguments: "segment page.png --overlay ./page.png",
    },
    Case {
        name: "a synthetic page beside a config of the same name",
        code: 2,
        arguments: "data page --text HI small.png",
    },
    Case {
        name: "a training folder with one bad image",
        code: 1,
        arguments: "train folder.json --run-dir out",
    },
    Case {
        name: "a training folder with one class",
        code: 2,
        arguments: "train lonely.json --run-dir out",
    },
    Case {
        name: "a picture into a missing folder",
        code: 2,
        arguments: "segment page.png --overlay nowhere_else/out.png",
    },
    Case {
        name: "a dry run into a run that exists",
        code: 2,
        arguments: "train small.json --dry-run --run-dir run",
    },
    Case {
        name: "a path deeper than any config",
        code: 2,
        arguments: "config show small.json --set a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
    },
    Case {
        name: "data of other classes than the model",
        code: 2,
        arguments: "eval run --data small_images.json",
    },
    Case {
        name: "a config that is a folder",
        code: 2,
        arguments: "config check empty",
    },
    Case {
        name: "an empty config",
        code: 2,
        arguments: "config check nothing.json",
    },
    Case {
        name: "a config that is a list",
        code: 2,
        arguments: "config check list.json",
    },
    Case {
        name: "a config in another encoding",
        code: 2,
        arguments: "config check latin.json",
    },
    Case {
        name: "a config of two megabytes",
        code: 2,
        arguments: "config check long.json",
    },
    Case {
        name: "a config of ten thousand brackets",
        code: 2,
        arguments: "config check deep.json",
    },
    Case {
        name: "a config with text after its end",
        code: 2,
        arguments: "config check twofold.json",
    },
    Case {
        name: "a number out of range",
        code: 2,
        arguments: "config check infinite.json",
    },
    Case {
        name: "an unknown kind",
        code: 2,
        arguments: "train small.json --set model.kind=transformer",
    },
    Case {
        name: "a setting without a value",
        code: 2,
        arguments: "train small.json --set training.epochs",
    },
    Case {
        name: "a setting through a number",
        code: 2,
        arguments: "train small.json --set training.epochs.first=1",
    },
    Case {
        name: "a setting with a value of ten thousand brackets",
        code: 2,
        arguments: "train small.json --set model.hidden=@BRACKETS",
    },
    Case {
        name: "a PNG of 20 kB that claims 60000x60000 pixels",
        code: 1,
        arguments: "predict run huge.png",
    },
    Case {
        name: "a page that claims 60000x60000 pixels",
        code: 1,
        arguments: "segment huge.png --overlay out.png",
    },
    Case {
        name: "a JPEG in many scans that claims 65500x65500 pixels",
        code: 1,
        arguments: "ocr huge.jpg --model run",
    },
    Case {
        name: "a huge PNG among the photographs",
        code: 1,
        arguments: "train huge_folder.json --run-dir out",
    },
    Case {
        name: "an image in another format",
        code: 1,
        arguments: "predict run picture.heic",
    },
    Case {
        name: "a folder as an image",
        code: 2,
        arguments: "segment empty",
    },
    Case {
        name: "a folder without images",
        code: 2,
        arguments: "predict run empty",
    },
    Case {
        name: "a .mat that unpacks to a gigabyte",
        code: 1,
        arguments: "train bomb_mat.json",
    },
    Case {
        name: "a .mat of a newer version",
        code: 1,
        arguments: "train hdf5_mat.json",
    },
    Case {
        name: "a .mat without the variable",
        code: 1,
        arguments: "train other_mat.json",
    },
    Case {
        name: "truncated CIFAR batches",
        code: 1,
        arguments: "train cut_cifar.json",
    },
    Case {
        name: "a CIFAR batch with class 11",
        code: 1,
        arguments: "train classes_cifar.json",
    },
    Case {
        name: "a CIFAR batch of three gigabytes",
        code: 1,
        arguments: "train sparse_cifar.json",
    },
    Case {
        name: "strokes that unpack to one line of 300 MB",
        code: 1,
        arguments: "train bomb_unipen.json",
    },
    Case {
        name: "strokes without compression",
        code: 1,
        arguments: "train plain_unipen.json",
    },
    Case {
        name: "strokes of an unknown letter",
        code: 1,
        arguments: "train letter_unipen.json",
    },
    Case {
        name: "strokes that are not strokes",
        code: 1,
        arguments: "train words_unipen.json",
    },
    Case {
        name: "a pickle that wants to run a program",
        code: 1,
        arguments: "model import program.pth small.json --to out",
    },
    Case {
        name: "a compressed pickle of a hundred million Nones",
        code: 1,
        arguments: "model import packed.pth small.json --to out",
    },
    Case {
        name: "a pickle of three million Nones",
        code: 1,
        arguments: "model import nones.pth small.json --to out",
    },
    Case {
        name: "weights in PyTorch's oldest format",
        code: 1,
        arguments: "model import tar.pth small.json --to out",
    },
    Case {
        name: "safetensors with a header of 2^60 bytes",
        code: 1,
        arguments: "model import header.safetensors small.json --to out",
    },
    Case {
        name: "safetensors shorter than their header says",
        code: 1,
        arguments: "model import short.safetensors small.json --to out",
    },
    Case {
        name: "a sparse model of five gigabytes",
        code: 1,
        arguments: "eval sparse",
    },
    Case {
        name: "a model that describes a network larger than its file",
        code: 1,
        arguments: "eval swollen",
    },
    Case {
        name: "a run with a broken config",
        code: 2,
        arguments: "eval broken_config",
    },
    Case {
        name: "an export with a wrong extension",
        code: 2,
        arguments: "model export run out.pth",
    },
    Case {
        name: "endless ground truth",
        code: 1,
        arguments: "ocr page.png --model run --expect deep.json",
    },
    Case {
        name: "a sweep over an unknown key",
        code: 2,
        arguments: "sweep small.json --grid training.epocs=1,2 --dir out",
    },
    Case {
        name: "a comparison with a folder that is not a run",
        code: 2,
        arguments: "runs compare run empty",
    },
    Case {
        name: "a mirror that is not a URL",
        code: 2,
        arguments: "data fetch nist36 --from ftp://x",
    },
];
