//! Servers on 127.0.0.1, and running `kiln data fetch` against them.

use crate::common::Bench;
use assert_cmd::Command;
use kiln::data::DataSource;
use kiln::data::Nist36Config;
use kiln::data::Split;
use kiln::data::nist36;
use kiln::fetch::DataSet;
use std::collections::HashMap;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
}

/// A server on 127.0.0.1 that answers every request, counted from 0, by a function.
pub struct Server {
    pub address: SocketAddr,
    pub requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl Fn(usize, &Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let Some(request) = read_request(&stream) else {
                        return;
                    };
                    let number = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    answer(number, &request, &mut stream);
                });
            }
        });
        Self { address, requests }
    }

    /// A well-behaved server of these files: lengths, ranges, entity tags.
    pub fn of(files: &[(&str, Vec<u8>)]) -> Self {
        let files: HashMap<String, Vec<u8>> = files
            .iter()
            .map(|(name, bytes)| (format!("/{name}"), bytes.clone()))
            .collect();
        Self::start(move |_, request, stream| match files.get(&request.path) {
            Some(bytes) => serve(request, bytes, stream),
            None => respond(stream, "404 Not Found", &[], b"no such file"),
        })
    }

    pub fn base(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

pub fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut request = Request {
        path: first.split(' ').nth(1)?.to_string(),
        range: None,
        if_range: None,
    };
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            return Some(request);
        }
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range = Some(value.to_string()),
            "if-range" => request.if_range = Some(value.to_string()),
            _ => {}
        }
    }
    None
}

pub fn head(stream: &mut TcpStream, status: &str, headers: &[(&str, String)]) {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let _ = stream.write_all(text.as_bytes());
}

pub fn respond(stream: &mut TcpStream, status: &str, headers: &[(&str, String)], body: &[u8]) {
    let mut headers = headers.to_vec();
    headers.push(("Content-Length", body.len().to_string()));
    head(stream, status, &headers);
    let _ = stream.write_all(body);
}

pub const TAG: &str = "\"version-1\"";

/// The file, or the rest of it that was asked for.
pub fn serve(request: &Request, bytes: &[u8], stream: &mut TcpStream) {
    let start: Option<usize> = request.range.as_ref().map(|range| {
        let start = range.strip_prefix("bytes=").unwrap();
        start.strip_suffix('-').unwrap().parse().unwrap()
    });
    let tag = ("ETag", TAG.to_string());
    match start {
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
            let headers = [tag, ("Content-Range", range)];
            respond(stream, "206 Partial Content", &headers, &bytes[start..]);
        }
        None => respond(stream, "200 OK", &[tag], bytes),
    }
}

/// Promises all of a file, sends its first half.
pub fn half(bytes: &[u8], stream: &mut TcpStream) {
    let headers = [
        ("ETag", TAG.to_string()),
        ("Content-Length", bytes.len().to_string()),
    ];
    head(stream, "200 OK", &headers);
    let _ = stream.write_all(&bytes[..bytes.len() / 2]);
    let _ = stream.flush();
}

/// Seconds until a server counts as stalled: many, for machines that are busy.
pub const TIMEOUT: &str = "5";

/// `kiln data fetch` into the folder `data` of the bench.
pub fn kiln(bench: &Bench, arguments: &str) -> Command {
    let mut command = bench.kiln(&format!("data fetch {arguments}"));
    command
        .env("KILN_DATA", bench.path("data"))
        .env("KILN_FETCH_TIMEOUT", TIMEOUT);
    for variable in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(variable);
        command.env_remove(variable.to_uppercase());
    }
    command
}

/// A fetch that must succeed: its standard output and standard error.
pub fn fetched(bench: &Bench, arguments: &str) -> (String, String) {
    let output = kiln(bench, arguments)
        .assert()
        .success()
        .get_output()
        .clone();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// A fetch that must fail with one error line that says all of this, leave nothing on standard output and nothing at the
/// set's place, half-unpacked or otherwise.
#[track_caller]
pub fn refused(bench: &Bench, arguments: &str, says: &[&str]) {
    refused_by(bench, kiln(bench, arguments), says);
}

#[track_caller]
pub fn refused_by(bench: &Bench, mut command: Command, says: &[&str]) {
    let output = command.assert().code(1).get_output().clone();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<&str> = stderr.lines().filter(|l| l.starts_with("error:")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    assert_eq!(stderr.lines().last(), errors.first().copied(), "{stderr}");
    for part in says {
        assert!(errors[0].contains(part), "{part} is not in {stderr}");
    }
    assert!(output.stdout.is_empty());
    for path in bench.listing() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_target = DataSet::all().iter().any(|set| set.name == name);
        assert!(
            !is_target && !name.ends_with(".unpacked"),
            "{path:?} is left"
        );
    }
}

pub fn part(bench: &Bench, name: &str) -> Option<u64> {
    let path = bench.path("data/.kiln-fetch").join(format!("{name}.part"));
    path.metadata().ok().map(|found| found.len())
}

pub fn open_nist36(bench: &Bench) -> [usize; 3] {
    let source = nist36::open(&Nist36Config::default(), &bench.path("data")).unwrap();
    Split::ALL.map(|split| source.len(split))
}

pub fn set(name: &str) -> DataSet {
    DataSet::all()
        .into_iter()
        .find(|set| set.name == name)
        .unwrap()
}
