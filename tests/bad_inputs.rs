//! Bad input gets one clear line that names the file, key or flag, the right exit code, and nothing is written.

mod common;

use std::path::PathBuf;

use common::{Bench, SMALL};

/// A minimal JPEG of a grey square, made by the image crate.
fn jpeg() -> Vec<u8> {
    let image = image::RgbImage::from_fn(64, 48, |x, y| {
        image::Rgb([(x * 4) as u8, (y * 5) as u8, 90])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

struct Case {
    name: &'static str,
    arguments: &'static str,
    code: i32,
    /// What the one line must contain.
    says: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "a misspelt key",
        arguments: "train misspelt.json",
        code: 2,
        says: &["misspelt.json", "training.epcohs", "did you mean `epochs`"],
    },
    Case {
        name: "a wrong type",
        arguments: "train small.json --set training.epochs=many",
        code: 2,
        says: &["training.epochs", "\"many\"", "a whole number"],
    },
    Case {
        name: "a negative learning rate",
        arguments: "train small.json --set optimizer.lr=-1",
        code: 2,
        says: &["optimizer.lr", "-1", "greater than 0"],
    },
    Case {
        name: "ten classes for thirty-six",
        arguments: "train small.json --set model.classes=10",
        code: 2,
        says: &["model.classes", "10", "36"],
    },
    Case {
        name: "a config that is not there",
        arguments: "train missing.json",
        code: 2,
        says: &["missing.json", "No such file"],
    },
    Case {
        name: "data that is not there",
        arguments: "train nowhere.json",
        code: 1,
        says: &["nist36_train.mat", "not found", "KILN_DATA"],
    },
    Case {
        name: "a .mat that is a text file",
        arguments: "train text_mat.json",
        code: 1,
        says: &["text/nist36_train.mat", "not a MATLAB"],
    },
    Case {
        name: "a truncated .mat",
        arguments: "train cut_mat.json",
        code: 1,
        says: &["cut/nist36_train.mat"],
    },
    Case {
        name: "an image that is not one",
        arguments: "predict run notes.png",
        code: 1,
        says: &["notes.png", "not an image"],
    },
    Case {
        name: "a page that is not one",
        arguments: "ocr notes.png --model run --overlay out.png",
        code: 1,
        says: &["notes.png", "not an image"],
    },
    Case {
        name: "a truncated JPEG",
        arguments: "segment cut.jpg --overlay out.png --stages stages",
        code: 1,
        says: &["cut.jpg", "end"],
    },
    Case {
        name: "a folder that is no run",
        arguments: "eval empty",
        code: 1,
        says: &["empty", "not a run directory", "config.json"],
    },
    Case {
        name: "a run without its model",
        arguments: "eval halfway",
        code: 1,
        says: &["halfway/model.safetensors"],
    },
    Case {
        name: "a model that is damaged",
        arguments: "eval damaged",
        code: 1,
        says: &[
            "damaged/model.safetensors",
            "not a model that kiln can load",
        ],
    },
    Case {
        name: "a run directory in a place that is no folder",
        arguments: "train small.json --run-dir notes.png/run",
        code: 1,
        says: &["notes.png", "can't be made"],
    },
    Case {
        name: "a run directory that exists",
        arguments: "train small.json --run-dir run",
        code: 2,
        says: &["run: already exists", "--run-dir"],
    },
    Case {
        name: "a folder of images that is not named",
        arguments: "train nameless.json",
        code: 2,
        says: &["data.folder", "missing"],
    },
    Case {
        name: "a dashboard without a terminal",
        arguments: "train small.json --renderer dashboard",
        code: 2,
        says: &["--renderer", "terminal"],
    },
    Case {
        name: "a letter that nobody drew",
        arguments: "data page --text HELLO! page.png",
        code: 2,
        says: &["--text", "'!'"],
    },
    Case {
        name: "a picture with another name",
        arguments: "data page --text HELLO page.bmp",
        code: 2,
        says: &["page.bmp", ".png"],
    },
    Case {
        name: "a truth without the image",
        arguments: "ocr page.png --model run --expect truth.json",
        code: 2,
        says: &["truth.json", "page.png"],
    },
    Case {
        name: "a truth that is not there",
        arguments: "ocr page.png --model run --expect nothing.txt",
        code: 1,
        says: &["nothing.txt"],
    },
    Case {
        name: "a truth that is broken JSON",
        arguments: "ocr page.png --model run --expect broken.json",
        code: 2,
        says: &["broken.json", "not valid JSON"],
    },
    Case {
        name: "a key that stands twice",
        arguments: "config check twice.json",
        code: 2,
        says: &["twice.json", "\"epochs\" stands twice", "line 1"],
    },
    Case {
        name: "a key of another schedule",
        arguments: "train small.json --set schedule={\"kind\":\"constant\",\"warmup\":3}",
        code: 2,
        says: &["schedule.warmup", "unknown key"],
    },
    Case {
        name: "a network larger than any memory",
        arguments: "train small.json --set model.hidden=[65536,65536]",
        code: 2,
        says: &["model", "4364566564 values", "268435456"],
    },
    Case {
        name: "a picture that is the input",
        arguments: "segment page.png --overlay ./page.png",
        code: 2,
        says: &["page.png", "is the input"],
    },
    Case {
        name: "a drawn page beside a config of the same name",
        arguments: "data page --text HI small.png",
        code: 2,
        says: &["small.json", "not the truth of a drawn page"],
    },
    Case {
        name: "a training folder with one bad image",
        arguments: "train folder.json --run-dir out",
        code: 1,
        says: &["folder/B/2.png", "replace or remove"],
    },
    Case {
        name: "a training folder with one class",
        arguments: "train lonely.json --run-dir out",
        code: 2,
        says: &["1 class", "at least 2"],
    },
    Case {
        name: "a picture into a folder that is not there",
        arguments: "segment page.png --overlay nowhere_else/out.png",
        code: 1,
        says: &["nowhere_else/out.png", "can't be written"],
    },
    Case {
        name: "a dry run into a run that exists",
        arguments: "train small.json --dry-run --run-dir run",
        code: 2,
        says: &["run: already exists"],
    },
    Case {
        name: "a path deeper than any config",
        arguments: "config show small.json --set a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
        code: 2,
        says: &["--set", "not a dotted path"],
    },
    Case {
        name: "other data than the model knows",
        arguments: "eval run --data small_images.json",
        code: 1,
        says: &["1x32x32", "1x16x16"],
    },
];

/// A folder with everything that the cases name.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --run-dir run --set training.epochs=1");
    bench.output("data page --text PAGE page.png");
    bench.write("misspelt.json", SMALL.replace("epochs", "epcohs"));
    bench.write(
        "small_images.json",
        SMALL.replace("\"train\": 1440", "\"size\": 16, \"train\": 1440"),
    );
    for folder in ["nowhere", "text", "cut"] {
        let name = match folder {
            "nowhere" => "nowhere.json".to_string(),
            other => format!("{other}_mat.json"),
        };
        let path = bench.path(folder).display().to_string();
        bench.write(
            &name,
            serde_json::json!({"data": {"kind": "nist36", "folder": path}, "model": {"kind": "mlp"}}).to_string(),
        );
    }
    bench.write(
        "text/nist36_train.mat",
        "this is a text file, and long enough to have a header of 128 bytes. ".repeat(8),
    );
    let mut header = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".to_vec();
    header.resize(124, b' ');
    header.extend([0x00, 0x01, b'I', b'M']);
    header.extend([15, 0, 0, 0, 0x40, 0x42, 0x0f, 0, 0x78, 0x9c]);
    bench.write("cut/nist36_train.mat", header);
    bench.write("notes.png", "these are notes");
    let whole = jpeg();
    bench.write("cut.jpg", &whole[..whole.len() * 2 / 3]);
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench.write("halfway/config.json", bench.read("run/config.json"));
    bench.write("damaged/config.json", bench.read("run/config.json"));
    let mut model = bench.read("run/model.safetensors");
    model.truncate(model.len() / 2);
    bench.write("damaged/model.safetensors", model);
    bench.write(
        "nameless.json",
        r#"{"data": {"kind": "image_folder"}, "model": {"kind": "cnn"}}"#,
    );
    bench.write("truth.json", r#"{"other.png": ["PAGE"]}"#);
    bench.write("broken.json", r#"{"page.png": ["PAGE","#);
    bench.write(
        "twice.json",
        r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}, "training": {"epochs": 5, "epochs": 6}}"#,
    );
    for name in ["folder/A", "folder/B", "lonely/A"] {
        for number in 0..12 {
            bench.write(&format!("{name}/{number}.png"), bench.read("page.png"));
        }
    }
    bench.write("folder/B/2.png", "not a picture");
    for name in ["folder", "lonely"] {
        let config = serde_json::json!({
            "data": {"kind": "image_folder", "folder": bench.path(name), "split": {"by": "number", "divisor": 3}},
            "model": {"kind": "mlp"},
        });
        bench.write(&format!("{name}.json"), config.to_string());
    }
    bench
}

#[test]
fn each_bad_input_gets_one_line_the_right_exit_code_and_nothing_is_written() {
    let bench = bench();
    let before: Vec<PathBuf> = bench.listing();
    for case in CASES {
        let assert = bench.kiln(case.arguments).assert();
        let output = assert.get_output();
        let err = String::from_utf8_lossy(&output.stderr);
        let complaint: Vec<&str> = err
            .lines()
            .filter(|line| !line.starts_with("override"))
            .collect();
        assert_eq!(
            output.status.code(),
            Some(case.code),
            "{}: {err}",
            case.name
        );
        assert_eq!(
            complaint.len(),
            1,
            "{}: one line expected, found\n{err}",
            case.name
        );
        assert!(complaint[0].starts_with("error: "), "{}: {err}", case.name);
        let halves: Vec<&str> = complaint[0].split(": ").collect();
        assert!(
            halves.windows(2).all(|pair| pair[0] != pair[1]),
            "{}: says it twice: {err}",
            case.name
        );
        for part in case.says {
            assert!(
                err.contains(part),
                "{}: {part:?} is not in: {err}",
                case.name
            );
        }
        assert!(
            output.stdout.is_empty(),
            "{}: a failure has no result",
            case.name
        );
        assert_eq!(
            bench.listing(),
            before,
            "{}: something was written",
            case.name
        );
    }
}

#[test]
fn wrong_usage_is_told_with_exit_code_2() {
    let bench = Bench::new();
    for arguments in [
        "",
        "tarin",
        "train",
        "train a.json --epochs 3",
        "eval run --split tset",
        "ocr",
    ] {
        bench.kiln(arguments).assert().code(2);
    }
}

#[cfg(not(all(feature = "ndarray", feature = "wgpu")))]
#[test]
fn a_backend_that_is_not_compiled_in_is_answered_with_the_command_that_builds_it() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let before = bench.listing();
    let missing = if cfg!(feature = "wgpu") {
        "ndarray"
    } else {
        "wgpu"
    };
    let assert = bench
        .kiln(&format!("train small.json --backend {missing}"))
        .assert()
        .code(2);
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        err.contains(&format!("cargo build --release --features {missing}")),
        "{err}"
    );
    assert_eq!(bench.listing(), before);
}

/// Files may not grow beyond a few kilobytes, as on a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_run_with_one_line_and_no_panic() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec {} train small.json --run-dir run",
        env!("CARGO_BIN_EXE_kiln")
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(bench.folder.path())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    let complaints: Vec<&str> = err
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(complaints.len(), 1, "{err}");
    assert!(complaints[0].contains("too large"), "{err}");
    assert!(!err.contains("panicked"), "{err}");
    assert!(!bench.path("run/model.safetensors").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_where_nothing_may_be_written_ends_the_run_with_one_line() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    // Not even root makes folders here.
    let assert = bench
        .kiln("train small.json --run-dir /proc/kiln-run")
        .assert()
        .code(1);
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        err.contains("/proc/kiln-run") && err.contains("can't be made"),
        "{err}"
    );
    assert_eq!(err.lines().count(), 1, "{err}");
}

/// Runs a shell line in which `$KILN` is the binary; returns the exit code of `$KILN` and standard error.
#[cfg(unix)]
fn shell(bench: &Bench, line: &str) -> (i32, String) {
    let output = std::process::Command::new("bash")
        .args(["-c", line])
        .env("KILN", env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), err)
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_is_full_is_one_line_and_exit_code_1() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    for arguments in [
        "config show small.json",
        "config schema",
        "data info small.json",
    ] {
        let (code, err) = shell(&bench, &format!("$KILN {arguments} > /dev/full"));
        assert_eq!(code, 1, "{arguments}: {err}");
        assert_eq!(err.lines().count(), 1, "{arguments}: {err}");
        assert!(err.contains("standard output can't be written"), "{err}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_a_listing_quietly() {
    let bench = Bench::new();
    let (code, err) = shell(
        &bench,
        "$KILN config schema | head -1 >/dev/null; exit ${PIPESTATUS[0]}",
    );
    assert_eq!((code, err.as_str()), (0, ""));
}

#[cfg(unix)]
#[test]
fn a_run_goes_on_when_nobody_reads_its_progress() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let line =
        "$KILN train small.json --run-dir run 2>&1 | head -1 >/dev/null; exit ${PIPESTATUS[0]}";
    assert_eq!(shell(&bench, line).0, 0);
    assert!(bench.path("run/report.html").is_file());
    let (code, _) = shell(&bench, "$KILN train small.json --run-dir other 2>/dev/full");
    assert_eq!(code, 0);
    assert!(bench.path("other/report.html").is_file());
}

#[cfg(unix)]
#[test]
fn a_link_is_written_through_and_a_device_is_left_what_it_is() {
    let bench = Bench::new();
    bench.output("data page --text LINK page.png");
    bench.write("target.png", "old");
    std::os::unix::fs::symlink(bench.path("target.png"), bench.path("link.png")).unwrap();
    bench.output("segment page.png --overlay link.png");
    assert!(bench.path("link.png").is_symlink());
    assert!(image::open(bench.path("target.png")).is_ok());
}

#[test]
fn a_byte_order_mark_in_front_of_a_config_is_no_error() {
    let bench = Bench::new();
    bench.write("bom.json", format!("\u{feff}{SMALL}"));
    bench.output("config check bom.json");
}
