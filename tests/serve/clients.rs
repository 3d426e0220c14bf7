//! Clients that leave, that take nothing, and that send slowly.

use std::io::{Read, Write};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::common::{Bench, repository};
use crate::support::{MANY, PATIENCE, Server, page, read_answer, read_head};

/// A JPEG of so many megabytes, most of them in comments (ITU-T T.81, section B.2.4.5), which a PDF keeps.
fn large_jpeg(megabytes: usize) -> Vec<u8> {
    let jpeg = std::fs::read(repository().join("tests/fixtures/pages/one.jpg")).unwrap();
    let comment = [b"\xff\xfe\xff\xff".as_slice(), &[b'x'; 0xfffd]].concat();
    let comments = comment.repeat((megabytes << 20) / comment.len());
    [&jpeg[..2], &comments, &jpeg[2..]].concat()
}

/// A page (PGM) full of short strokes that cross each other: what may be letters is cut and joined in many ways.
fn strokes(count: usize) -> Vec<u8> {
    const SIZE: [usize; 2] = [3000, 2000];
    let [width, height] = SIZE;
    let mut pixels = vec![255u8; width * height];
    // A linear congruential generator (Knuth, MMIX).
    let mut state = 7u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..count {
        let (left, top) = (40 + draw(width - 80), 40 + draw(height - 80));
        let (right, bottom) = (left + draw(60) - 30, top + draw(60) - 30);
        for step in 0..=60 {
            let x = (left * (60 - step) + right * step) / 60;
            let y = (top * (60 - step) + bottom * step) / 60;
            for row in y..y + 3 {
                pixels[row * width + x..][..3].fill(0);
            }
        }
    }
    [format!("P5 {width} {height} 255\n").as_bytes(), &pixels].concat()
}

#[test]
fn a_page_that_nobody_waits_for_any_more_is_not_read_on() {
    let server = Server::start(Bench::new(), "");
    let short = page(&server.bench, "SHORT", "short.png");
    let leaving = server.send("/api/ocr", &strokes(4_000));
    // It is being read.
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(server.counted("kiln_queue_requests{queue=\"read\"}"), 1);
    drop(leaving);
    let began = Instant::now();
    let answer = server.post("/api/ocr?format=text", &short);
    assert_eq!(answer.text(), "SHORT\n");
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn answers_that_nobody_takes_count_for_memory_and_are_given_up() {
    let server = Server::start(Bench::new(), "");
    let jpeg = large_jpeg(60);
    let mut waiting = Vec::new();
    let mut refused = 0;
    for _ in 0..6 {
        let mut stream = server.send("/api/ocr?format=pdf", &jpeg);
        let head = read_head(&mut stream);
        match head.split(' ').nth(1) {
            Some("200") => waiting.push(stream),
            Some("429") => refused += 1,
            _ => panic!("{head}"),
        }
    }
    assert_eq!((waiting.len(), refused), (4, 2), "256 MB for all of them");
    // Others are not kept out, and what isn't taken is dropped.
    assert_eq!(server.get("/healthz").status, 200);
    let began = Instant::now();
    while server.counted("kiln_connections") > 1 {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(server.post("/api/ocr?format=pdf", &jpeg).status, 200);
}

#[cfg(unix)]
#[test]
fn a_large_answer_is_sent_whole_although_the_server_is_asked_to_stop() {
    let mut server = Server::start(Bench::new(), "");
    let mut stream = server.send("/api/ocr?format=pdf", &large_jpeg(60));
    let head = read_head(&mut stream);
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.unwrap().parse().unwrap();
    server.signal(libc::SIGTERM);
    std::thread::sleep(Duration::from_secs(2));
    let mut body = Vec::new();
    stream.read_to_end(&mut body).unwrap();
    assert_eq!(body.len(), length);
    assert!(body.ends_with(b"%%EOF"), "the end of a PDF");
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn an_upload_goes_on_however_many_slow_connections_there_are() {
    let _turn = MANY.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(Bench::new(), "");
    let image = page(&server.bench, "UPLOAD", "upload.png");
    let mut upload = server.connect();
    let head = server.head("POST", "/api/ocr?format=text");
    write!(upload, "{head}Content-Length: {}\r\n\r\n", image.len()).unwrap();
    let mut slow = Vec::new();
    let pieces = image.chunks(image.len().div_ceil(30));
    for (number, piece) in pieces.enumerate() {
        upload.write_all(piece).unwrap();
        for _ in 0..24 {
            let mut stream = server.connect();
            // Some send half a head, some half a body.
            let _ = match number % 2 {
                0 => write!(stream, "GET / HTTP/1.1\r\nHost: "),
                _ => write!(stream, "{head}Content-Length: 1000\r\n\r\nabc"),
            };
            slow.push(stream);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let answer = read_answer(&mut upload).expect("an answer");
    assert_eq!(answer.text(), "UPLOAD\n");
}

#[test]
fn streams_of_events_that_nobody_reads_keep_nobody_out() {
    let bench = Bench::new();
    bench.write("runs/one/config.json", "{}");
    let server = Server::start(bench, "");
    let open = || {
        let mut stream = server.connect();
        let head = server.head("GET", "/api/runs/one/events");
        write!(stream, "{head}\r\n").unwrap();
        let is_open = read_head(&mut stream).starts_with("HTTP/1.1 200");
        is_open.then_some(stream)
    };
    let idle: Vec<_> = (0..64).map(|_| open().expect("a place")).collect();
    let began = Instant::now();
    while open().is_none() {
        assert!(
            began.elapsed() < PATIENCE / 4,
            "no place for an event stream"
        );
        std::thread::sleep(Duration::from_millis(500));
    }
    drop(idle);
}
