//! Folders in a bad state harm nothing but what is shown of them.

use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Bench, repository};
use crate::support::{PATIENCE, Server};

/// The evaluation of `small-1`, once it is over.
fn evaluated(server: &Server) -> crate::support::Answer {
    let began = Instant::now();
    loop {
        let answer = server.get("/api/runs/small-1/mistakes");
        if answer.status != 202 {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_folder_of_a_run_makes_nobody_wait() {
    let bench = Bench::new();
    for name in ["metrics.jsonl", "summary.json", "timing.jsonl", "run.lock"] {
        let run = format!("runs/{}", name.replace('.', "-"));
        bench.write(&format!("{run}/config.json"), "{}");
        let pipe = bench.path(&format!("{run}/{name}"));
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.unwrap().success());
    }
    let server = Server::start(bench, "");
    // More often than there are threads.
    for _ in 0..20 {
        let mut stream = server.connect();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        write!(stream, "{}\r\n", server.head("GET", "/api/runs")).unwrap();
        let answer = crate::support::read_answer(&mut stream).expect("no waiting");
        assert_eq!(answer.json()["runs"].as_array().unwrap().len(), 4);
    }
    for run in ["metrics-jsonl", "summary-json", "timing-jsonl", "run-lock"] {
        let mut stream = server.connect();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let head = server.head("GET", &format!("/api/runs/{run}/events"));
        write!(stream, "{head}\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert!(lines.any(|line| line.expect("no waiting") == "event: state"));
    }
}

#[test]
fn a_run_is_evaluated_again_once_what_made_it_fail_is_mended() {
    let server = Server::with_run("");
    let config = server.bench.read("runs/small-1/config.json");
    let mut broken: Value = serde_json::from_slice(&config).unwrap();
    broken["data"]["kind"] = "nothing".into();
    server
        .bench
        .write("runs/small-1/config.json", broken.to_string());
    assert_eq!(evaluated(&server).status, 422);
    server.bench.write("runs/small-1/config.json", config);
    let answer = evaluated(&server);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Root may read everything; without these capabilities it may not after the next exec. Others have none that could be dropped.
#[cfg(target_os = "linux")]
fn drop_rights_to_every_file() -> std::io::Result<()> {
    // From linux/capability.h.
    const CAP_DAC_OVERRIDE: libc::c_ulong = 1;
    const CAP_DAC_READ_SEARCH: libc::c_ulong = 2;
    for capability in [CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH] {
        // SAFETY: no memory is passed.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_sweep_that_cannot_be_read_is_told_and_the_others_are_listed() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let bench = Bench::new();
    for sweep in ["closed", "open"] {
        bench.write(&format!("sweeps/{sweep}/sweep.json"), "{}");
        bench.write(&format!("sweeps/{sweep}/0/config.json"), "{}");
    }
    let set = |path: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(bench.path(path), mode).unwrap();
    };
    // Its files can be opened by name, but not listed.
    set("sweeps/closed", 0o111);
    set("", 0o755);
    let server = Server::start_as(bench, "sweeps", |command| {
        // SAFETY: system calls alone between fork and exec.
        unsafe { command.pre_exec(drop_rights_to_every_file) };
    });
    let found = server.get("/api/sweeps").json();
    assert_eq!(found["sweeps"], serde_json::json!(["closed", "open"]));
    let problem = found["problems"]["closed"].as_str().unwrap();
    assert!(problem.contains("ermission"), "{problem}");
    let runs = server.get("/api/runs").json();
    assert_eq!(runs["runs"][0]["id"], "open/0");
    let page = server.get("/").text();
    assert!(page.contains(problem) && page.contains("/sweeps/open"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_read_is_told_at_the_start_or_in_the_list() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let bench = Bench::new();
    bench.write("runs/one/config.json", "{}");
    let set = |path: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(bench.path(path), mode).unwrap();
    };
    set("runs", 0o000);
    set("", 0o755);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"));
    command
        .current_dir(bench.folder.path())
        .args(["serve", "--bind", "127.0.0.1:0", "runs"]);
    // SAFETY: system calls alone between fork and exec.
    unsafe { command.pre_exec(drop_rights_to_every_file) };
    let output = command.output().expect("kiln starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = "error: runs: permission denied; name runs, sweeps, or folders of them\n";
    assert_eq!((output.status.code(), &*said), (Some(1), expected));
    let server = Server::start_as(bench, "", |command| {
        // SAFETY: system calls alone between fork and exec.
        unsafe { command.pre_exec(drop_rights_to_every_file) };
    });
    let found = server.get("/api/runs").json();
    let problems = serde_json::json!(["runs: permission denied"]);
    assert_eq!(
        (&found["runs"], &found["problems"]),
        (&serde_json::json!([]), &problems)
    );
}

#[test]
fn the_page_that_reads_names_the_model_that_reads() {
    for (arguments, named, other) in [
        ("", "kiln's own", "that of --model"),
        ("--model runs/small-1", "that of --model", "kiln's own"),
    ] {
        let server = Server::with_run(arguments);
        let text = server.get("/read").text();
        assert!(text.contains(named) && !text.contains(other), "{arguments}");
    }
}

#[test]
fn every_page_of_a_file_is_held_against_the_limit_of_pixels() {
    use tiff::encoder::{Compression, TiffEncoder, colortype::Gray8};

    let mut file = std::io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)
        .unwrap()
        .with_compression(Compression::Packbits);
    for (width, height) in [(100, 100), (9_000, 8_000)] {
        let pixels = vec![255; width * height];
        let (width, height) = (width as u32, height as u32);
        encoder
            .write_image::<Gray8>(width, height, &pixels)
            .unwrap();
    }
    let server = Server::start(Bench::new(), "");
    let answer = server.post("/api/ocr", &file.into_inner());
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("9000x8000"), "{}", answer.text());
    // A file with pages within the limit is read.
    let scans = std::fs::read(repository().join("tests/fixtures/pages/three.tiff")).unwrap();
    assert_eq!(server.post("/api/ocr", &scans).status, 200);
}
