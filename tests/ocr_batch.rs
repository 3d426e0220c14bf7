//! What a user may rely on when `kiln ocr` reads many images, or writes files.

mod common;

use common::Bench;
use predicates::prelude::*;
use serde_json::Value;

/// A bench with two drawn pages, each with its truth as text beside it, in `pages/`.
fn bench() -> Bench {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pages")).unwrap();
    for (name, text) in [("one", "HELLO WORLD"), ("two", "PACK MY BOX")] {
        bench
            .kiln("data page")
            .args(["--text", text, &format!("pages/{name}.png")])
            .assert()
            .success();
        bench.write(&format!("pages/{name}.txt"), format!("{text}\n"));
    }
    bench
}

fn files(bench: &Bench, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(bench.path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn one_bad_image_does_not_stop_the_others() {
    let bench = bench();
    bench.write("pages/bad.jpg", "no image");
    let output = bench.kiln("ocr pages -o read").assert().code(1);
    let complaints = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert_eq!(
        complaints.matches("pages/bad.jpg").count(),
        1,
        "{complaints}"
    );
    assert!(
        complaints.contains("1 of 3 images could not be read"),
        "{complaints}"
    );
    assert!(
        complaints.contains("2/3 pages/one.png: 1 line, 10 letters"),
        "{complaints}"
    );
    assert_eq!(files(&bench, "read"), ["one.txt", "two.txt"]);
    let text = String::from_utf8(bench.read("read/one.txt")).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    bench
        .kiln("ocr pages/bad.jpg -o bad.txt")
        .assert()
        .code(1)
        .stderr(predicate::str::starts_with("error: pages/bad.jpg: "));
    assert!(!bench.path("bad.txt").exists());
}

#[test]
fn a_folder_is_read_in_the_order_of_names_and_standard_input_as_well() {
    let bench = bench();
    let read = bench.json("ocr pages --json");
    let names: Vec<&str> = read
        .as_array()
        .unwrap()
        .iter()
        .map(|page| page["image"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["pages/one.png", "pages/two.png"]);
    let output = bench
        .kiln("ocr - --json")
        .write_stdin(bench.read("pages/one.png"))
        .assert()
        .success();
    let piped: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(piped["lines"], read[0]["lines"]);
    bench
        .kiln("ocr - -")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("only once"));
}

#[test]
fn every_format_is_written_for_each_image_or_for_all_in_one_file() {
    let bench = bench();
    for (format, extension, start) in [
        ("text", "txt", ""),
        ("json", "json", "{"),
        ("hocr", "hocr", "<?xml"),
        ("alto", "xml", "<?xml"),
        ("tsv", "tsv", "level\t"),
        ("pdf", "pdf", "%PDF-"),
    ] {
        let out = bench.output(&format!("ocr pages --format {format} -o {format}"));
        assert_eq!(out, "", "nothing but the files");
        let names = ["one", "two"].map(|name| format!("{name}.{extension}"));
        assert_eq!(files(&bench, format), names);
        let one = bench.read(&format!("{format}/one.{extension}"));
        assert!(one.starts_with(start.as_bytes()), "{format}");
        bench.output(&format!("ocr pages --format {format} -o all.{extension}"));
        let all = bench.read(&format!("all.{extension}"));
        assert!(
            all.len() > one.len(),
            "{format}: two pages are more than one"
        );
    }
    let all = String::from_utf8_lossy(&bench.read("all.pdf")).into_owned();
    assert!(all.contains("/Count 2"));
}

#[test]
fn no_image_is_overwritten_and_no_two_results_have_one_name() {
    let bench = bench();
    let before = bench.read("pages/one.png");
    for (arguments, says) in [
        ("ocr pages --overlay pages", "is the input"),
        ("ocr pages/one.png -o pages/one.png", "is the input"),
        (
            "ocr pages/one.png pages/one.png -o out",
            "would both be written",
        ),
        ("ocr pages -o pages/one.png", "is a file"),
        ("ocr pages --json --format tsv", "--format"),
    ] {
        bench
            .kiln(arguments)
            .assert()
            .code(2)
            .stderr(predicate::str::contains(says));
    }
    assert_eq!(bench.read("pages/one.png"), before);
    assert!(!bench.path("out").exists());
}

#[test]
fn pictures_of_several_images_go_into_folders() {
    let bench = bench();
    bench.output("ocr pages --overlay seen --stages steps");
    assert_eq!(files(&bench, "seen"), ["one.png", "two.png"]);
    assert_eq!(files(&bench, "steps"), ["one", "two"]);
}

#[test]
fn an_empty_folder_and_a_missing_truth_are_reported_before_anything_is_read() {
    let bench = bench();
    std::fs::create_dir(bench.path("empty")).unwrap();
    for (arguments, says) in [
        ("ocr empty", "no images in this folder"),
        ("ocr pages --expect empty -o out", "two.txt"),
        ("ocr - --expect beside", "standard input"),
    ] {
        if arguments.contains("out") {
            std::fs::write(bench.path("empty/one.txt"), "HELLO WORLD").unwrap();
        }
        bench
            .kiln(arguments)
            .assert()
            .code(2)
            .stderr(predicate::str::contains(says));
    }
    assert!(!bench.path("out").exists());
}

#[test]
fn the_json_beside_a_drawn_page_is_its_truth() {
    let bench = bench();
    std::fs::remove_file(bench.path("pages/one.txt")).unwrap();
    for expect in ["beside", "pages"] {
        let read = bench.json(&format!("ocr pages --json --expect {expect}"));
        assert_eq!(read["score"]["character_error_rate"], 0.0, "{read}");
        assert_eq!(read["score"]["characters"]["length"], 11 + 11);
    }
    std::fs::remove_file(bench.path("pages/one.json")).unwrap();
    bench
        .kiln("ocr pages --expect beside")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("pages/one.txt"));
}

#[test]
fn files_that_are_read_are_never_overwritten() {
    let bench = bench();
    bench.write("words.txt", "HELLO\nWORLD\n");
    for arguments in [
        "ocr pages --expect beside -o pages",
        "ocr pages/one.png --expect pages/one.txt -o pages/one.txt",
        "ocr pages/one.png --expect pages/one.json -o pages/one.json --json",
        "ocr pages/one.png --context words.txt -o words.txt",
    ] {
        let before = contents(&bench);
        bench
            .kiln(arguments)
            .assert()
            .code(2)
            .stderr(predicate::str::contains("choose another file"));
        assert!(
            contents(&bench) == before,
            "{arguments}: something was written"
        );
    }
}

/// Every file of `pages/`, and the word list.
fn contents(bench: &Bench) -> Vec<Vec<u8>> {
    let names = files(bench, "pages").into_iter();
    let names = names.map(|name| format!("pages/{name}"));
    let names = names.chain(["words.txt".to_string()]);
    names.map(|name| bench.read(&name)).collect()
}

#[test]
fn the_extension_of_the_output_decides_the_format() {
    let bench = bench();
    bench.output("ocr pages/one.png -o one.pdf");
    assert!(bench.read("one.pdf").starts_with(b"%PDF-"));
    bench.output("ocr pages -o both.json");
    let pages: Value = serde_json::from_slice(&bench.read("both.json")).unwrap();
    assert_eq!(pages.as_array().map(Vec::len), Some(2));
    // --format takes precedence over the extension.
    bench.output("ocr pages/one.png --format text -o text.json");
    assert_eq!(bench.read("text.json"), b"HELLO WORLD\n");
}

#[test]
fn a_byte_order_mark_is_not_a_letter() {
    let bench = bench();
    bench.write("truth.txt", "\u{feff}HELLO WORLD\n");
    let read = bench.json("ocr pages/one.png --json --expect truth.txt");
    assert_eq!(read["score"]["characters"]["length"], 11, "{read}");
}

/// The page rotated by `quarters` of a turn.
fn turned(bench: &Bench, quarters: u32) -> String {
    let page = image::open(bench.path("pages/two.png")).unwrap();
    let page = match quarters {
        1 => page.rotate90(),
        2 => page.rotate180(),
        _ => page.rotate270(),
    };
    let name = format!("turned-{quarters}.png");
    page.save(bench.path(&name)).unwrap();
    name
}

#[test]
fn a_rotated_page_is_read_and_reported() {
    let bench = bench();
    let read = |image: &str| {
        let outcome = bench.kiln(&format!("ocr {image}")).assert().success();
        let output = outcome.get_output();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&output.stdout), text(&output.stderr))
    };
    let (upright, said) = read("pages/two.png");
    assert_eq!(said, "");
    for quarters in 1..4 {
        let image = turned(&bench, quarters);
        let (text, said) = read(&image);
        assert_eq!(text, upright, "{quarters}");
        let degrees = 360 - 90 * quarters;
        assert_eq!(
            said,
            format!("{image}: read after rotating it {degrees} degrees clockwise\n")
        );
    }
}

#[test]
fn strict_exits_with_3_where_nothing_can_be_read() {
    let bench = bench();
    let white = image::RgbImage::from_pixel(300, 200, image::Rgb([250, 250, 250]));
    white.save(bench.path("white.png")).unwrap();
    bench.kiln("ocr white.png").assert().success();
    bench.kiln("ocr pages/two.png --strict").assert().success();
    bench
        .kiln("ocr white.png pages/two.png --strict")
        .assert()
        .code(3)
        .stdout(predicate::str::contains("PACK MY BOX"))
        .stderr(predicate::str::contains("1 of 2 pages"));
}

#[test]
fn boxes_of_a_rotated_page_are_in_pixels_of_its_file() {
    let bench = bench();
    let upright = bench.json("ocr pages/two.png --json");
    let (width, height) = (
        upright["width"].as_u64().unwrap(),
        upright["height"].as_u64().unwrap(),
    );
    let bounds = |page: &Value| -> Vec<[u64; 4]> {
        let lines = page["lines"].as_array().unwrap().iter();
        let words = lines.flat_map(|line| line["words"].as_array().unwrap());
        let letters = words.flat_map(|word| word["letters"].as_array().unwrap());
        letters
            .map(|letter| {
                ["x", "y", "width", "height"].map(|key| letter["bounds"][key].as_u64().unwrap())
            })
            .collect()
    };
    assert_eq!(upright.get("rotated"), None);
    for quarters in 1..4 {
        let page = bench.json(&format!("ocr {} --json", turned(&bench, quarters)));
        assert_eq!(page["rotated"], 360 - 90 * quarters);
        // Where the upright page's boxes are after the turn; resampling may move an edge by two pixels.
        for (found, [x, y, w, h]) in bounds(&page).into_iter().zip(bounds(&upright)) {
            let expected = match quarters {
                1 => [height - y - h, x, h, w],
                2 => [width - x - w, height - y - h, w, h],
                _ => [y, width - x - w, h, w],
            };
            let near = found
                .iter()
                .zip(expected)
                .all(|(found, expected)| found.abs_diff(expected) <= 2);
            assert!(near, "{quarters}: {found:?}, expected {expected:?}");
        }
    }
}

#[test]
fn texts_beside_the_images_give_rates_per_page_and_in_total() {
    let bench = bench();
    // One word more than there is, and one letter another.
    bench.write("pages/two.txt", "NOW PACK MY BOY\n");
    let read = bench.json("ocr pages --json --expect beside");
    let pages = read["pages"].as_array().unwrap();
    let (first, second) = (&pages[0]["score"], &pages[1]["score"]);
    assert_eq!(first["character_error_rate"], 0.0, "{first}");
    let second_edits = second["characters"]["distance"].as_u64().unwrap();
    assert_eq!(
        second_edits, 5,
        "X for Y, and a space and three letters: {second}"
    );
    assert_eq!(second["word_error_rate"], 0.5);
    assert_eq!(read["score"]["characters"]["length"], 11 + 15);
    let rate = read["score"]["character_error_rate"].as_f64().unwrap();
    assert!((rate - 5.0 / 26.0).abs() < 1e-9, "{rate}");
    let out = bench.output("ocr pages --expect pages -o read");
    for line in [
        "Y read as X (1)",
        "pages/one.png",
        "pages/two.png",
        "all 2",
        "word error rate",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
}

#[test]
fn a_result_that_cannot_be_written_leaves_the_old_file() {
    let bench = bench();
    bench.write("kept.json", "old");
    bench.write("pages/bad.png", "no image");
    bench
        .kiln("ocr pages/bad.png -o kept.json --json")
        .assert()
        .code(1);
    assert_eq!(bench.read("kept.json"), b"old");
    let before = bench.listing();
    bench
        .kiln("ocr pages/one.png -o nowhere/page.txt")
        .assert()
        .code(2)
        .stderr(
            predicate::str::contains("nowhere/page.txt")
                .and(predicate::str::contains("no folder nowhere")),
        );
    assert_eq!(bench.listing(), before, "no temporary file is left");
}

/// `kiln ocr ... | head -c 0`.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_not_an_error() {
    let bench = bench();
    for format in ["text", "json", "pdf"] {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"))
            .current_dir(bench.folder.path())
            .args(["ocr", "pages", "--format", format])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{complaints}");
        assert!(!complaints.contains("panicked"), "{complaints}");
    }
}

#[test]
fn pictures_and_text_never_go_to_the_same_file() {
    let bench = bench();
    bench
        .kiln("ocr pages/one.png --overlay both.png -o both.png")
        .assert()
        .code(2)
        .stderr(predicate::str::contains(
            "both.png is also the --output file",
        ));
    assert!(!bench.path("both.png").exists());
}
