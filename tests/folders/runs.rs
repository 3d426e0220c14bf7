//! Runs on folders with files that are not used.

use std::path::Path;

use kiln::data::image_folder::ImageFolder;
use kiln::data::{DataSource, ImageFolderConfig, ShareConfig, Split, SplitRule, split_rule};

use crate::common::{Bench, repository};
use crate::support::{Folder, config};

fn lines(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// 8 cats, 8 dogs, three bad images, two files of another kind.
fn mixed_folder(bench: &Bench) -> Folder {
    let folder = Folder(bench.path("images"));
    folder.images(&["cat", "dog"], 8);
    folder.text("cat/bad 1.png", "");
    folder.text("cat/bad 2.jpg", "no image");
    folder.text("dog/bad 3.png", "no image");
    folder.text("dog/a.heic", "");
    folder.text("dog/b.heic", "");
    folder
}

#[test]
fn a_run_that_skips_bad_images_says_so_at_its_start_and_in_its_summary() {
    let bench = Bench::new();
    let folder = mixed_folder(&bench);
    bench.write("skip.json", config(&folder.0, r#""on_bad_image": "skip""#));
    let run = bench
        .kiln("train skip.json --run-dir run")
        .assert()
        .success();
    let told = lines(&run.get_output().stderr) + &lines(&run.get_output().stdout);
    assert!(told.contains("passed over: 2 files (.heic), 3 unreadable images; `kiln data info CONFIG --files` lists them"), "{told}");
    let summary: serde_json::Value =
        serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    assert_eq!(
        summary["passed_over"],
        serde_json::json!({".heic": 2, "unreadable": 3})
    );
    assert_eq!(
        summary["samples"]["train"].as_u64().unwrap()
            + summary["samples"]["valid"].as_u64().unwrap()
            + summary["samples"]["test"].as_u64().unwrap(),
        16
    );
    // Evaluation reads the same images; a run that was interrupted would find the same data.
    bench.kiln("eval run --split test").assert().success();
}

#[test]
fn a_run_that_does_not_skip_them_lists_them_before_it_leaves_anything() {
    let bench = Bench::new();
    let folder = mixed_folder(&bench);
    bench.write("stop.json", config(&folder.0, ""));
    let before = bench.listing();
    let run = bench.kiln("train stop.json --run-dir run").assert().code(1);
    let told = lines(&run.get_output().stderr);
    let errors: Vec<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix("error: "))
        .collect();
    assert_eq!(errors.len(), 4, "{told}");
    assert!(errors[0].contains("3 of 19 images can't be read"), "{told}");
    for (error, name) in
        errors[1..]
            .iter()
            .zip(["cat/bad 1.png: ", "cat/bad 2.jpg: ", "dog/bad 3.png: "])
    {
        assert!(told.contains(name), "{error} is not about {name}");
    }
    assert_eq!(bench.listing(), before);
}

#[test]
fn data_info_lists_every_file_that_is_not_used_with_its_reason() {
    let bench = Bench::new();
    let folder = mixed_folder(&bench);
    for keys in ["", r#""on_bad_image": "skip""#] {
        bench.write("data.json", config(&folder.0, keys));
        let listed = bench.output("data info data.json --files");
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!(lines.len(), 5, "{listed}");
        for (line, words) in lines.iter().zip([
            "cat/bad 1.png: the file is empty",
            "cat/bad 2.jpg: unrecognized image format",
            "dog/a.heic: .heic is not read; convert it with `heif-convert in.heic out.jpg`",
            "dog/b.heic: ",
            "dog/bad 3.png: ",
        ]) {
            assert!(line.contains(words), "{line} does not say {words}");
        }
        let json = bench.json("data info data.json --files --json");
        assert_eq!(json.as_array().unwrap().len(), 5, "{json}");
        assert_eq!(json[0]["reason"], "the file is empty");
    }
}

#[test]
fn a_folder_with_test_images_alone_is_evaluated_and_not_trained() {
    let bench = Bench::new();
    let folder = Folder(bench.path("images"));
    folder.images(&["train/cat", "train/dog", "valid/cat", "valid/dog"], 3);
    Folder(bench.path("new")).images(&["test/cat", "test/dog"], 3);
    bench.write("train.json", config(&folder.0, ""));
    bench.write("new.json", config(&bench.path("new"), ""));
    bench
        .kiln("train train.json --run-dir run")
        .assert()
        .success();
    let report = bench.json("eval run --data new.json --json");
    assert_eq!(report["samples"], 6);
    let refused = bench.kiln("train new.json").assert().failure();
    let told = lines(&refused.get_output().stderr);
    assert!(told.contains("no training samples"), "{told}");
}

/// As torchvision's sorted folders: images directly in a class folder keep the split that they had before folders below it
/// counted, and those below are named by their path.
#[test]
fn the_split_of_an_image_goes_by_its_path_from_the_folder_on() {
    let bench = Bench::new();
    let folder = Folder(bench.path("images"));
    folder.images(&["cat", "cat/2019/may", "dog"], 20);
    folder.text("labels.csv", "");
    let rule = SplitRule::Share(ShareConfig {
        valid: 0.3,
        test: 0.3,
        stratify: false,
    });
    let config = |labels: Option<&str>| ImageFolderConfig {
        folder: ".".into(),
        labels: labels.map(str::to_owned),
        split: rule.clone(),
        ..ImageFolderConfig::default()
    };
    let by_folders = ImageFolder::open(&config(None), &folder.0).unwrap();
    let mut rows = String::from("file,label\n");
    let mut seen = 0;
    for split in Split::ALL {
        for index in 0..by_folders.len(split) {
            let path = by_folders.path(split, index);
            let below = path.strip_prefix(folder.0.join(".")).unwrap();
            let name = below.with_extension("").display().to_string();
            assert_eq!(split_rule::assign(&rule, &name), split, "{name}");
            let class = &by_folders.classes()[by_folders.label(split, index)];
            rows += &format!("{},{class}\n", below.display());
            seen += 1;
        }
    }
    assert_eq!(seen, 60);
    // The same images with their labels in a file are divided alike.
    folder.text("labels.csv", rows);
    let by_file = ImageFolder::open(&config(Some("labels.csv")), &folder.0).unwrap();
    for split in Split::ALL {
        assert_eq!(by_file.len(split), by_folders.len(split));
        for index in 0..by_file.len(split) {
            assert_eq!(by_file.path(split, index), by_folders.path(split, index));
            assert_eq!(by_file.label(split, index), by_folders.label(split, index));
        }
    }
}

#[test]
fn thousands_of_classes_are_listed() {
    let bench = Bench::new();
    let folder = Folder(bench.path("images"));
    let image = std::fs::read(crate::formats::folder().join("rgb.qoi")).unwrap();
    let mut rows = String::new();
    for number in 0..3000 {
        let name = format!("{number:04}.qoi");
        folder.text(&name, &image);
        rows += &format!("{name},class {number}\n");
    }
    folder.text("labels.csv", rows);
    let config = ImageFolderConfig {
        folder: ".".into(),
        labels: Some("labels.csv".into()),
        ..ImageFolderConfig::default()
    };
    let source = ImageFolder::open(&config, &folder.0).unwrap();
    assert_eq!(source.classes().len(), 3000);
    assert_eq!(
        Split::ALL
            .map(|split| source.len(split))
            .iter()
            .sum::<usize>(),
        3000
    );
}

/// Root reads everything, so that the program runs as nobody where the test is root.
#[cfg(target_os = "linux")]
#[test]
fn what_the_user_may_not_read_is_refused_or_skipped_by_name() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    const NOBODY: u32 = 65_534;
    let bench = Bench::new();
    let folder = Folder(bench.path("images"));
    folder.images(&["cat", "dog", "dog/secret"], 4);
    let mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap()
    };
    mode(bench.folder.path(), 0o755);
    mode(&folder.0.join("cat/1.png"), 0);
    mode(&folder.0.join("dog/secret"), 0);
    // The build folder may be root's alone.
    let program = bench.path("kiln");
    std::fs::copy(env!("CARGO_BIN_EXE_kiln"), &program).unwrap();
    mode(&program, 0o755);
    let run = |config: &str| {
        let mut command = std::process::Command::new(&program);
        command
            .args(["data", "info", config, "--json"])
            .current_dir(bench.folder.path())
            .env_remove("KILN_DATA");
        // For anyone else, the files are out of reach as they are.
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output().unwrap()
    };
    bench.write("stop.json", config(&folder.0, ""));
    bench.write("skip.json", config(&folder.0, r#""on_bad_image": "skip""#));
    let stopped = run("stop.json");
    let told = lines(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(1), "{told}");
    assert!(
        told.contains("secret") && told.contains("ermission denied"),
        "{told}"
    );
    let skipped = run("skip.json");
    let told = lines(&skipped.stdout);
    assert_eq!(skipped.status.code(), Some(0), "{}", lines(&skipped.stderr));
    assert!(told.contains("passed over: 2 unreadable images"), "{told}");
    mode(&folder.0.join("dog/secret"), 0o755);
}

/// Whether the test itself is root.
#[cfg(target_os = "linux")]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

#[cfg(unix)]
#[test]
fn a_line_break_in_the_name_of_a_file_is_escaped_wherever_it_is_listed() {
    let bench = Bench::new();
    let folder = bench.path("images");
    std::fs::create_dir(&folder).unwrap();
    let images = Folder(folder.clone());
    images.images(&["cat", "dog"], 3);
    let copy = folder.join("cat/a\nb.png");
    std::fs::copy(folder.join("cat/0.png"), copy).unwrap();
    images.text("cat/c\nd.txt", "notes");
    images.text("dog/e\u{1b}[31mf.png", "no image");
    bench.write("case.json", config(&folder, ""));
    let listed = bench.output("data info case.json --files");
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(
        listed.contains("cat/c\\nd.txt: .txt is not read"),
        "{listed}"
    );
    assert!(listed.contains("dog/e\\u{1b}[31mf.png: "), "{listed}");
    let found = bench.output("data check case.json");
    assert!(found.contains("cat/a\\nb.png"), "{found}");
    assert!(found.contains("(exact"), "{found}");
    assert!(found.contains("dog/e\\u{1b}[31mf.png: "), "{found}");
    let assert = bench.kiln("train case.json --run-dir run").assert().code(1);
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(err.contains("dog/e\\u{1b}[31mf.png: "), "{err}");
}

/// A terminal obeys what follows an escape character; a name of a class or a file must not reach it.
#[cfg(unix)]
#[test]
fn names_with_control_characters_are_shown_and_not_obeyed() {
    let bench = Bench::new();
    let folder = Folder(bench.path("images"));
    folder.images(
        &["train/cat", "train/\u{1b}[31mdog", "train/\u{1b}[31mDOG"],
        4,
    );
    folder.images(&["valid/cat"], 2);
    folder.text("train/cat/notes.\u{1b}[2j", "");
    bench.write(
        "a.json",
        r#"{"data": {"kind": "image_folder", "folder": "images", "channels": 3, "height": 8, "width": 8},
            "model": {"kind": "mlp", "hidden": [4]}, "training": {"epochs": 1}}"#,
    );
    let run = |arguments: &str, last: Option<&str>| {
        let mut command = bench.kiln(arguments);
        let output = command.env_remove("KILN_DATA").args(last).output().unwrap();
        let told = [output.stderr, output.stdout].concat();
        let told = String::from_utf8(told).unwrap();
        let is_code = |letter: char| letter.is_control() && letter != '\n';
        assert!(!told.contains(is_code), "{arguments}: {told:?}");
        told
    };
    for (arguments, shown) in [
        (
            "data info a.json --files",
            "notes.\\u{1b}[2j: .\\u{1b}[2j is not read",
        ),
        ("data info a.json", "\\u{1b}[31mdog"),
        (
            "data convert a.json out",
            "differ only in case: \\u{1b}[31mDOG",
        ),
        (
            "train a.json --run-dir run",
            "differ only in case: \\u{1b}[31mDOG",
        ),
        ("eval run --split train", "\\u{1b}[31mdog"),
        (
            "predict run images/train/cat/0.png --top-k 3",
            "\\u{1b}[31mdog",
        ),
    ] {
        let told = run(arguments, None);
        assert!(told.contains(shown), "{arguments}: {told}");
    }
    let told = run(
        "train a.json --run-dir more --set",
        Some("training.batch_size= \u{7f}8"),
    );
    assert!(told.contains("\\u{7f}8"), "{told}");
    let told = run(
        "train a.json --run-dir more --set",
        Some("data.cache=\u{1b}[31mcache"),
    );
    assert!(
        told.contains("override  data.cache=\\u{1b}[31mcache"),
        "{told}"
    );
}

#[test]
fn an_empty_split_names_the_key_of_its_own_source() {
    let bench = Bench::new();
    let model = r#""model": {"kind": "mlp", "hidden": [4]}, "training": {"epochs": 1}"#;
    for (data, advice) in [
        (
            r#""kind": "csv", "train": "csv/train.csv", "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}"#,
            "no validation samples; change data.split or add files",
        ),
        (
            r#""kind": "cifar10", "folder": "cifar-10-batches-bin", "valid": 100"#,
            "no training samples; change data.valid or add files",
        ),
    ] {
        bench.write("a.json", format!(r#"{{"data": {{{data}}}, {model}}}"#));
        let mut train = bench.kiln("train a.json");
        train.env("KILN_DATA", repository().join("tests/fixtures/data"));
        let output = train.output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains(advice), "{data}: {err}");
        assert!(!err.contains("cifar10: data.valid"), "{err}");
    }
}
