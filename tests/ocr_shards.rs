//! What a user may rely on when several calls of `kiln ocr` divide the pages among them, or go on where one was killed.

mod common;

use common::Bench;
use predicates::prelude::*;

fn files(bench: &Bench, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(bench.path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A bench with this many drawn pages in `pages/`.
fn many_pages(count: usize) -> Bench {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pages")).unwrap();
    for number in 0..count {
        bench.output(&format!(
            "data page --text {} pages/{number:02}.png",
            ["ANNA", "BEN", "CLARA"][number % 3]
        ));
    }
    bench
}

#[test]
fn shards_read_every_page_once_and_resuming_passes_over_what_was_read() {
    let bench = many_pages(7);
    bench.output("ocr pages -o whole/ --json");
    for shard in ["1/3", "2/3", "3/3"] {
        bench.output(&format!("ocr pages -o parts/ --json --shard {shard}"));
    }
    assert_eq!(files(&bench, "whole").len(), 7);
    assert_eq!(files(&bench, "whole"), files(&bench, "parts"));
    for file in files(&bench, "whole") {
        let [whole, part] =
            ["whole", "parts"].map(|folder| bench.read(&format!("{folder}/{file}")));
        assert!(whole == part, "{file}");
    }

    // One is missing, and one image is newer than its text.
    std::fs::remove_file(bench.path("parts/00.json")).unwrap();
    let newer = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let image = std::fs::OpenOptions::new()
        .write(true)
        .open(bench.path("pages/04.png"));
    image.unwrap().set_modified(newer).unwrap();
    let again = bench
        .kiln("ocr pages -o parts/ --json --resume")
        .assert()
        .success();
    let told = String::from_utf8(again.get_output().stderr.clone()).unwrap();
    assert!(
        told.starts_with("passed over: 5 pages read before\n"),
        "{told}"
    );
    assert!(
        told.contains("1/2 pages/00.png") && told.contains("2/2 pages/04.png"),
        "{told}"
    );
    assert_eq!(files(&bench, "whole"), files(&bench, "parts"));
}

#[test]
fn a_reader_that_was_killed_leaves_whole_files_and_is_resumed() {
    let bench = many_pages(24);
    bench.output("ocr pages -o whole/");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .args(["ocr", "pages", "-o", "parts/", "--shard", "1/2"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let began = std::time::Instant::now();
    while !bench.path("parts/04.txt").exists() {
        assert!(began.elapsed().as_secs() < 60, "no page in a minute");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for shard in ["1/2", "2/2"] {
        bench.output(&format!("ocr pages -o parts/ --resume --shard {shard}"));
    }
    let read = files(&bench, "parts");
    let read: Vec<&String> = read.iter().filter(|name| name.ends_with(".txt")).collect();
    assert_eq!(read.len(), 24);
    for file in read {
        let [whole, part] =
            ["whole", "parts"].map(|folder| bench.read(&format!("{folder}/{file}")));
        assert!(whole == part, "{file}");
    }
}

#[test]
fn shards_need_a_folder_and_a_number_that_exists() {
    let bench = many_pages(2);
    for (arguments, problem) in [
        (
            "--shard 1/2",
            "--shard: needs a file per page; give a folder with --output",
        ),
        ("--resume -o all.txt", "--resume: needs a file per page"),
        (
            "--shard 3/2 -o read/",
            "use I/N with I from 1 to N, such as 2/8",
        ),
        ("--shard 0/2 -o read/", "use I/N"),
        ("--resume --expect beside -o read/", "can't be used with"),
    ] {
        bench
            .kiln(&format!("ocr pages {arguments}"))
            .assert()
            .code(2)
            .stderr(predicate::str::contains(problem));
    }
}
