//! A server in a folder of its own, and requests to it over plain sockets.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::common::{Bench, SMALL};

/// Longest wait for anything: a debug build on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Tests of very many connections go one after the other: a process may have 1,024 files.
pub static MANY: Mutex<()> = Mutex::new(());

/// A server, which is killed when the value is dropped.
pub struct Server {
    pub bench: Bench,
    pub port: u16,
    child: Child,
    stderr: BufReader<ChildStderr>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Server {
    /// Starts `kiln serve` at a free port in the folder of `bench`, with more arguments.
    pub fn start(bench: Bench, arguments: &str) -> Self {
        Self::start_as(bench, arguments, |_| {})
    }

    /// The same, with a change to the command.
    pub fn start_as(bench: Bench, arguments: &str, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
        change(&mut command);
        let mut child = command
            .current_dir(bench.folder.path())
            .args(["serve", "--bind", "127.0.0.1:0"])
            .args(arguments.split_whitespace())
            .env_remove("KILN_DATA")
            .env_remove("KILN_TOKEN")
            .stderr(Stdio::piped())
            .spawn()
            .expect("kiln starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("its standard error"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let address = line.trim().rsplit('/').nth(1).expect("an address");
        let port = address
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        Self {
            port: port.unwrap_or_else(|| panic!("no port in {line:?}")),
            bench,
            child,
            stderr,
        }
    }

    /// A server with a small trained run, `runs/small-1`.
    pub fn with_run(arguments: &str) -> Self {
        let bench = Bench::new();
        bench.write("small.json", SMALL);
        bench.output("train small.json");
        Self::start(bench, arguments)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time limit");
        stream
    }

    /// The start of a request to this server, without the empty line.
    pub fn head(&self, method: &str, target: &str) -> String {
        let port = self.port;
        format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n")
    }

    pub fn get(&self, target: &str) -> Answer {
        self.raw(format!("{}\r\n", self.head("GET", target)).as_bytes())
    }

    pub fn post(&self, target: &str, body: &[u8]) -> Answer {
        read_answer(&mut self.send(target, body)).expect("an answer")
    }

    /// Sends a body, without reading the answer.
    pub fn send(&self, target: &str, body: &[u8]) -> TcpStream {
        let length = body.len();
        let head = self.head("POST", target);
        let head = format!("{head}Content-Length: {length}\r\n\r\n");
        let mut stream = self.connect();
        // A server that refuses early may close before all is sent.
        let _ = stream.write_all(&[head.as_bytes(), body].concat());
        stream
    }

    /// A number among those that the server counts.
    pub fn counted(&self, name: &str) -> u64 {
        let text = self.get("/metrics").text();
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        let number = found.and_then(|number| number.trim().parse().ok());
        number.unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// Sends these bytes and reads the answer.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A server that refuses early may close before all is sent.
        let _ = stream.write_all(request);
        read_answer(&mut stream).expect("an answer")
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: i32) {
        let id = i32::try_from(self.child.id()).expect("an id");
        // SAFETY: a signal to a child of this process, which was not waited for yet.
        assert_eq!(unsafe { libc::kill(id, signal) }, 0);
    }

    /// Waits for the end: the exit code, and what was said meanwhile.
    pub fn end(&mut self) -> (Option<i32>, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "the server doesn't end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut said = String::new();
        let _ = self.stderr.read_to_string(&mut said);
        (status.code(), said)
    }

    /// Bytes of memory that it uses (Linux).
    pub fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(1024 * kilobytes)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status line and headers of an answer, of which nothing more is read.
pub fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.extend(byte);
    }
    String::from_utf8(head).expect("text")
}

/// Reads a whole answer; `None` if the connection is closed without one.
pub fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_string());
    }
    let mut body = Vec::new();
    match headers
        .get("content-length")
        .and_then(|length| length.parse::<u64>().ok())
    {
        Some(length) => reader.take(length).read_to_end(&mut body).ok()?,
        None => reader.read_to_end(&mut body).ok()?,
    };
    Some(Answer {
        status,
        headers,
        body,
    })
}

/// A drawn page.
pub fn page(bench: &Bench, text: &str, name: &str) -> Vec<u8> {
    bench
        .kiln("data page --text")
        .arg(text)
        .arg(name)
        .assert()
        .success();
    bench.read(name)
}
