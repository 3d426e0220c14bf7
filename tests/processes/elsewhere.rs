//! Commands that are given in another folder than the run was trained in.

use assert_cmd::Command;

use crate::common::Bench;

const STRIPES: &str = r#"{
  "data": {"kind": "image_folder", "folder": "stripes", "height": 8, "width": 8,
           "split": {"by": "share", "valid": 0.3, "test": 0.3, "stratify": true}},
  "model": {"kind": "mlp", "hidden": [8]},
  "training": {"epochs": 2, "batch_size": 8}
}"#;

/// A bench with a run in `here/run` on images in `here/stripes`, and an empty folder `there`.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.write("here/stripes.json", STRIPES);
    for (class, across) in [("down", false), ("across", true)] {
        std::fs::create_dir_all(bench.path(&format!("here/stripes/{class}"))).unwrap();
        for index in 0..10u32 {
            let image = image::GrayImage::from_fn(8, 8, |x, y| {
                let place = if across { y } else { x };
                image::Luma([if (place + index) % 4 < 2 { 0 } else { 255 }])
            });
            image
                .save(bench.path(&format!("here/stripes/{class}/{index}.png")))
                .unwrap();
        }
    }
    std::fs::create_dir(bench.path("there")).unwrap();
    kiln(&bench, "here", "train stripes.json --run-dir run")
        .assert()
        .success();
    bench
}

/// `kiln` in a folder of the bench, without `KILN_DATA`.
fn kiln(bench: &Bench, folder: &str, arguments: &str) -> Command {
    let mut command = bench.kiln(arguments);
    command
        .current_dir(bench.path(folder))
        .env_remove("KILN_DATA");
    command
}

fn output(command: &mut Command) -> String {
    let output = command.assert().success().get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_run_finds_its_data_from_any_folder() {
    let bench = trained();
    let here = output(&mut kiln(&bench, "here", "eval run"));
    assert_eq!(output(&mut kiln(&bench, "there", "eval ../here/run")), here);
    output(&mut kiln(
        &bench,
        "there",
        "predict ../here/run ../here/stripes/down/1.png",
    ));
    output(&mut kiln(
        &bench,
        "there",
        "data info ../here/run/config.json",
    ));
    let longer = "train --resume ../here/run --set training.epochs=3";
    output(&mut kiln(&bench, "there", longer));
    // It is remembered where the data is, not where the command was given.
    output(&mut kiln(&bench, "there", "eval ../here/run"));
}

#[test]
fn data_where_the_command_is_given_comes_first() {
    let bench = trained();
    std::fs::create_dir_all(bench.path("there/stripes/down")).unwrap();
    kiln(&bench, "there", "eval ../here/run")
        .assert()
        .code(1)
        .stderr(predicates::str::contains("stripes: no images"));
}

#[test]
fn data_that_was_moved_gets_one_line_with_both_places() {
    let bench = trained();
    std::fs::rename(bench.path("here/stripes"), bench.path("elsewhere")).unwrap();
    for arguments in [
        "eval ../here/run",
        "train --resume ../here/run --set training.epochs=3",
    ] {
        let output = kiln(&bench, "there", arguments).assert().code(1);
        let errors = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        let error = errors.lines().last().unwrap();
        for part in [
            "there/stripes: not found",
            "and no longer in ",
            "here/stripes; ",
            "KILN_DATA",
        ] {
            assert!(error.contains(part), "{arguments}: {errors}");
        }
    }
}

#[test]
fn a_run_of_an_older_kiln_is_evaluated_where_its_data_is() {
    let bench = trained();
    std::fs::remove_file(bench.path("here/run/origin.json")).unwrap();
    output(&mut kiln(&bench, "here", "eval run"));
    kiln(&bench, "there", "eval ../here/run")
        .assert()
        .code(1)
        .stderr(predicates::str::contains(
            "stripes: not found; set KILN_DATA",
        ));
}
