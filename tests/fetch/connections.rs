//! Broken connections and servers in trouble.

use crate::archives::nist36_zip;
use crate::common::Bench;
use crate::support::{
    Server, TAG, fetched, half, head, kiln, open_nist36, part, refused, refused_by, respond, serve,
};
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;
use std::time::Instant;

#[test]
fn a_download_that_is_cut_off_goes_on_where_it_broke() {
    let bench = Bench::new();
    let archive = nist36_zip();
    let middle = archive.len() / 2;
    let server = Server::start(move |number, request, stream| match number {
        0 => half(&archive, stream),
        _ => serve(request, &archive, stream),
    });
    let (_, stderr) = fetched(&bench, &format!("nist36 --from {}", server.base()));
    assert!(stderr.contains("was lost; trying again"), "{stderr}");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].range, None);
    assert_eq!(requests[1].range, Some(format!("bytes={middle}-")));
    assert_eq!(requests[1].if_range.as_deref(), Some(TAG));
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_has_come_for_the_next_time() {
    let bench = Bench::new();
    let archive = nist36_zip();
    let middle = archive.len() / 2;
    let server = Server::start(move |number, request, stream| match number {
        // Slow: the second half never comes.
        0 => {
            half(&archive, stream);
            std::thread::sleep(Duration::from_secs(20));
        }
        _ => serve(request, &archive, stream),
    });
    let arguments = format!("data fetch nist36 --from {} --to data", server.base());
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .args(arguments.split(' '))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while part(&bench, "data.zip") != Some(middle as u64) {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing came");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(part(&bench, "data.zip"), Some(middle as u64));
    assert!(!bench.path("data/nist36").exists());
    fetched(&bench, &format!("nist36 --from {}", server.base()));
    assert_eq!(server.requests()[1].range, Some(format!("bytes={middle}-")));
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
}

#[test]
fn a_server_without_ranges_makes_it_start_over() {
    let bench = Bench::new();
    let archive = nist36_zip();
    let server = Server::start(move |number, _, stream| match number {
        0 => half(&archive, stream),
        // Whatever was asked for.
        _ => respond(stream, "200 OK", &[], &archive),
    });
    let (_, stderr) = fetched(&bench, &format!("nist36 --from {}", server.base()));
    assert!(stderr.contains("starting over"), "{stderr}");
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
}

#[test]
fn a_range_that_the_server_does_not_have_makes_it_start_over() {
    for status in ["416 Range Not Satisfiable", "206 Partial Content"] {
        let bench = Bench::new();
        let archive = nist36_zip();
        let server = Server::start(move |number, request, stream| match number {
            0 => half(&archive, stream),
            // Another range than that asked for, or none.
            1 => {
                let range = ("Content-Range", format!("bytes 1-9/{}", archive.len()));
                respond(stream, status, &[range], b"other");
            }
            _ => serve(request, &archive, stream),
        });
        let (_, stderr) = fetched(&bench, &format!("nist36 --from {}", server.base()));
        assert!(stderr.contains("starting over"), "{stderr}");
        assert_eq!(server.requests()[2].range, None);
        assert_eq!(open_nist36(&bench), [36, 36, 36]);
    }
}

#[test]
fn a_file_that_has_changed_in_between_makes_it_start_over() {
    let bench = Bench::new();
    let archive = nist36_zip();
    let server = Server::start(
        move |number, request, stream| match (number, &request.range) {
            (0, _) => half(&archive, stream),
            // A server that does not heed If-Range.
            (_, Some(range)) => {
                let start: usize = range[6..range.len() - 1].parse().unwrap();
                let total = archive.len();
                let range = (
                    "Content-Range",
                    format!("bytes {start}-{}/{total}", total - 1),
                );
                let headers = [("ETag", "\"version-2\"".to_string()), range];
                respond(stream, "206 Partial Content", &headers, &archive[start..]);
            }
            (_, None) => serve(request, &archive, stream),
        },
    );
    let (_, stderr) = fetched(&bench, &format!("nist36 --from {}", server.base()));
    assert!(stderr.contains("starting over"), "{stderr}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_server_that_stalls_is_left_after_a_while_and_bytes_are_kept() {
    let bench = Bench::new();
    let archive = nist36_zip();
    let (length, middle) = (archive.len(), archive.len() / 2);
    let server = Server::start(move |number, _, stream| {
        match number {
            0 => half(&archive, stream),
            _ => {
                let range = format!("bytes {middle}-{}/{length}", length - 1);
                head(stream, "206 Partial Content", &[("Content-Range", range)]);
            }
        }
        std::thread::sleep(Duration::from_secs(30));
    });
    let mut command = kiln(&bench, &format!("nist36 --from {}", server.base()));
    command.env("KILN_FETCH_TIMEOUT", "1");
    let begun = Instant::now();
    let kept = format!("{middle} bytes are kept");
    let by_hand = ".kiln-fetch/data.zip";
    refused_by(
        &bench,
        command,
        &[&server.base(), "no data received for 1 s", &kept, by_hand],
    );
    assert!(begun.elapsed() < Duration::from_secs(25));
    assert_eq!(server.requests().len(), 4);
    assert_eq!(part(&bench, "data.zip"), Some(middle as u64));
}

#[test]
fn a_part_of_another_address_is_not_used() {
    let bench = Bench::new();
    let archive = nist36_zip();
    let broken = Server::start({
        let archive = archive.clone();
        move |number, _, stream| match number {
            0 => half(&archive, stream),
            _ => respond(stream, "404 Not Found", &[], b""),
        }
    });
    refused(
        &bench,
        &format!("nist36 --from {}", broken.base()),
        &["404"],
    );
    assert!(part(&bench, "data.zip").is_some());
    let server = Server::of(&[("data.zip", archive)]);
    fetched(&bench, &format!("nist36 --from {}", server.base()));
    assert_eq!(server.requests()[0].range, None);
}

#[test]
fn a_file_of_unknown_length_and_a_redirect_are_fine() {
    let bench = Bench::new();
    let archive = nist36_zip();
    let server = Server::start(move |_, request, stream| match request.path.as_str() {
        "/real" => {
            head(stream, "200 OK", &[("Transfer-Encoding", "chunked".into())]);
            for chunk in archive.chunks(1000) {
                let _ = write!(stream, "{:x}\r\n", chunk.len());
                let _ = stream.write_all(chunk);
                let _ = stream.write_all(b"\r\n");
            }
            let _ = stream.write_all(b"0\r\n\r\n");
        }
        _ => respond(stream, "302 Found", &[("Location", "/real".into())], b""),
    });
    fetched(&bench, &format!("nist36 --from {}", server.base()));
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
}

#[test]
fn a_server_that_is_not_there_is_told_at_once_with_what_to_do() {
    let bench = Bench::new();
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let by_hand = bench.path("data/.kiln-fetch/data.zip");
    let url = format!("http://{address}/data.zip");
    let says = [url.as_str(), "refused", "--from", by_hand.to_str().unwrap()];
    refused(&bench, &format!("nist36 --from http://{address}/"), &says);
    // Not even the folders stay.
    assert_eq!(bench.listing().len(), 0);
}

#[test]
fn a_file_that_the_server_does_not_have_is_told_by_address() {
    let bench = Bench::new();
    let server = Server::of(&[]);
    let url = format!("{}data.zip", server.base());
    refused(
        &bench,
        &format!("nist36 --from {url}"),
        &[&url, "404 Not Found"],
    );
    assert_eq!(server.requests().len(), 1);
    assert_eq!(bench.listing().len(), 0);
}

#[test]
fn a_server_in_trouble_is_asked_a_few_times() {
    let bench = Bench::new();
    let server = Server::start(|_, _, stream| respond(stream, "503 Service Unavailable", &[], b""));
    refused(
        &bench,
        &format!("nist36 --from {}", server.base()),
        &["503"],
    );
    assert_eq!(server.requests().len(), 4);
}
