//! Clients that ask for too much get nothing, and harm nobody else.

use std::io::Write;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::common::Bench;
use crate::support::{MANY, Server, page, read_answer};

#[test]
fn bodies_headers_and_images_beyond_the_limits_are_refused() {
    let server = Server::start(Bench::new(), "");
    let head = server.head("POST", "/api/ocr");
    let announced = server.raw(format!("{head}Content-Length: 1000000000000\r\n\r\n").as_bytes());
    assert_eq!(announced.status, 413);
    let mut stream = server.connect();
    write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n").unwrap();
    let piece = [b"100000\r\n", vec![b'x'; 1 << 20].as_slice(), b"\r\n"].concat();
    // Until the server closes.
    let sent = (0..1024)
        .take_while(|_| stream.write_all(&piece).is_ok())
        .count();
    assert!(sent < 200, "{sent} MB of an endless body were taken");
    let lines: String = (0..5000)
        .map(|number| format!("X-{number}: {number}\r\n"))
        .collect();
    let bomb = server.raw(format!("{}{lines}\r\n", server.head("GET", "/")).as_bytes());
    assert_eq!(bomb.status, 431);
    // A PNG that claims 100,000 x 100,000 pixels.
    let mut pixels =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x86\xa0\0\x01\x86\xa0\x08\x02\0\0\0".to_vec();
    let sum = crc32fast::hash(&pixels[12..]);
    pixels.extend(sum.to_be_bytes());
    pixels.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
    let answer = server.post("/api/ocr", &pixels);
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn slow_clients_do_not_keep_others_out() {
    let _turn = MANY.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(Bench::new(), "");
    let mut slow = Vec::new();
    for number in 0..900 {
        let mut stream = server.connect();
        // Some send half a head, some half a body, some nothing.
        let _ = match number % 3 {
            0 => write!(stream, "GET / HTTP/1.1\r\nHost: "),
            1 => write!(
                stream,
                "{}Content-Length: 1000\r\n\r\nabc",
                server.head("POST", "/api/ocr")
            ),
            _ => Ok(()),
        };
        slow.push(stream);
    }
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(server.get("/healthz").status, 200);
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
    }
    // Nobody is waited for longer than ten seconds.
    let mut last = slow.pop().unwrap();
    let began = Instant::now();
    let _ = read_answer(&mut last);
    assert!(began.elapsed() < Duration::from_secs(40));
    if let Some(memory) = server.memory() {
        assert!(memory < 600 << 20, "{memory} bytes");
    }
}

#[test]
fn a_full_queue_is_said_and_what_waits_in_it_is_answered() {
    let server = Arc::new(Server::start(Bench::new(), "--queue 2"));
    let image = page(&server.bench, "QUEUE", "queue.png");
    let threads: Vec<_> = (0..24)
        .map(|_| {
            let (server, image) = (server.clone(), image.clone());
            std::thread::spawn(move || server.post("/api/ocr", &image))
        })
        .collect();
    let answers: Vec<_> = threads.into_iter().map(|one| one.join().unwrap()).collect();
    let count = |status| answers.iter().filter(|one| one.status == status).count();
    assert_eq!(count(200) + count(429), 24);
    assert!(count(200) >= 2, "{} of 24 read", count(200));
    assert!(count(429) >= 1);
    let refused = answers.iter().find(|one| one.status == 429).unwrap();
    assert_eq!(refused.headers["retry-after"], "1");
}

#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_stop_finishes_what_it_began() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let mut server = Server::start(Bench::new(), "");
        let image = page(&server.bench, "LAST WORDS\nOF A SERVER", "last.png");
        let expected = server.bench.output("ocr last.png --json");
        let mut stream = server.connect();
        let head = server.head("POST", "/api/ocr?name=last.png");
        write!(stream, "{head}Content-Length: {}\r\n\r\n", image.len()).unwrap();
        stream.write_all(&image).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        server.signal(signal);
        let answer = read_answer(&mut stream).expect("an answer");
        assert_eq!(answer.text(), expected);
        let (code, said) = server.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("panic"), "{said}");
    }
}
