//! What a user may rely on when fetching data sets: it ends with a complete set that opens, or with one clear line and
//! nothing at the set's place; what has come is not asked for again. Servers are on 127.0.0.1, made here.

mod common;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use common::Bench;
use kiln::data::image_folder::ImageFolder;
use kiln::data::{Cifar10Config, ImageFolderConfig, Nist36Config};
use kiln::data::{DataSource, Split, cifar10, nist36};
use kiln::fetch::{self, DataSet, FetchError, Outcome, Patience, Sum};
use sha2::Digest;

// ---- Servers ----

/// What was asked for.
#[derive(Debug, Clone)]
struct Request {
    path: String,
    range: Option<String>,
    if_range: Option<String>,
}

/// A server on 127.0.0.1 that answers every request, counted from 0, by a function.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn start(answer: impl Fn(usize, &Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
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
    fn of(files: &[(&str, Vec<u8>)]) -> Self {
        let files: HashMap<String, Vec<u8>> = files
            .iter()
            .map(|(name, bytes)| (format!("/{name}"), bytes.clone()))
            .collect();
        Self::start(move |_, request, stream| match files.get(&request.path) {
            Some(bytes) => serve(request, bytes, stream),
            None => respond(stream, "404 Not Found", &[], b"no such file"),
        })
    }

    fn base(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
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

fn head(stream: &mut TcpStream, status: &str, headers: &[(&str, String)]) {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let _ = stream.write_all(text.as_bytes());
}

fn respond(stream: &mut TcpStream, status: &str, headers: &[(&str, String)], body: &[u8]) {
    let mut headers = headers.to_vec();
    headers.push(("Content-Length", body.len().to_string()));
    head(stream, status, &headers);
    let _ = stream.write_all(body);
}

const TAG: &str = "\"version-1\"";

/// The file, or the rest of it that was asked for.
fn serve(request: &Request, bytes: &[u8], stream: &mut TcpStream) {
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
fn half(bytes: &[u8], stream: &mut TcpStream) {
    let headers = [
        ("ETag", TAG.to_string()),
        ("Content-Length", bytes.len().to_string()),
    ];
    head(stream, "200 OK", &headers);
    let _ = stream.write_all(&bytes[..bytes.len() / 2]);
    let _ = stream.flush();
}

// ---- Archives ----

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn tar_gz_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        // Set by hand: the crate refuses to write names that lead out of the folder.
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    gzip(&archive.into_inner().unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A MATLAB v5 file of matrices of doubles: name, rows, columns, values column by column.
fn mat_of(matrices: &[(&str, usize, usize, Vec<f64>)]) -> Vec<u8> {
    fn part(kind: u32, bytes: &[u8]) -> Vec<u8> {
        let mut part = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
        part.extend(bytes);
        part.resize(part.len().next_multiple_of(8), 0);
        part
    }
    let words = |words: [u32; 2]| words.map(u32::to_le_bytes).concat();
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(124, b' ');
    bytes.extend(b"\x00\x01IM");
    for (name, rows, columns, values) in matrices {
        let values: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let body = [
            part(6, &words([6, 0])),
            part(5, &words([*rows as u32, *columns as u32])),
            part(1, name.as_bytes()),
            part(9, &values),
        ];
        bytes.extend(part(14, &body.concat()));
    }
    bytes
}

/// A split of NIST36 with one white image of each class.
fn nist36_mat(split: &str) -> Vec<u8> {
    let labels = (0..36 * 36).map(|at| f64::from(u8::from(at % 36 == at / 36)));
    mat_of(&[
        (&format!("{split}_data"), 36, 1024, vec![1.0; 36 * 1024]),
        (&format!("{split}_labels"), 36, 36, labels.collect()),
    ])
}

/// The course's archive in small, with what kiln does not take.
fn nist36_zip() -> Vec<u8> {
    zip_of(&[
        ("data/nist36_train.mat", &nist36_mat("train")),
        ("data/nist36_valid.mat", &nist36_mat("valid")),
        ("data/nist36_test.mat", &nist36_mat("test")),
        ("data/nist26_train.mat", b"not asked for"),
        ("__MACOSX/data/._nist36_train.mat", b"not asked for"),
    ])
}

fn cifar10_tar() -> Vec<u8> {
    let batch: Vec<u8> = (0..10u8)
        .flat_map(|class| [vec![class], vec![class; 3072]].concat())
        .collect();
    let names: Vec<String> = (1..=5).map(|n| format!("data_batch_{n}.bin")).collect();
    let mut files: Vec<(String, &[u8])> = names
        .iter()
        .map(|name| (format!("cifar-10-batches-bin/{name}"), batch.as_slice()))
        .collect();
    files.push(("cifar-10-batches-bin/test_batch.bin".into(), &batch));
    files.push(("cifar-10-batches-bin/readme.html".into(), b"not asked for"));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), *b)).collect();
    tar_gz_of(&files)
}

/// Three images of each class, one for each split.
fn flowers17_files() -> (Vec<u8>, Vec<u8>) {
    let image = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 100, 50]));
    let mut jpeg = Cursor::new(Vec::new());
    image.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let numbers = |first: usize| (0..17).map(move |class| class * 80 + first);
    let names: Vec<String> = (1..=4)
        .flat_map(numbers)
        .map(|number| format!("jpg/image_{number:04}.jpg"))
        .collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &jpeg[..])).collect();
    let list = |first| numbers(first).map(|number| number as f64).collect();
    let splits = mat_of(&[
        ("trn1", 1, 17, list(1)),
        ("val1", 1, 17, list(2)),
        ("tst1", 1, 17, list(3)),
        ("trn2", 1, 17, list(4)),
    ]);
    (tar_gz_of(&files), splits)
}

fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

// ---- Running ----

/// Seconds until a server counts as stalled: many, for machines that are busy.
const TIMEOUT: &str = "5";

/// `kiln data fetch` into the folder `data` of the bench.
fn kiln(bench: &Bench, arguments: &str) -> Command {
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
fn fetched(bench: &Bench, arguments: &str) -> (String, String) {
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
fn refused(bench: &Bench, arguments: &str, says: &[&str]) {
    refused_by(bench, kiln(bench, arguments), says);
}

#[track_caller]
fn refused_by(bench: &Bench, mut command: Command, says: &[&str]) {
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

fn part(bench: &Bench, name: &str) -> Option<u64> {
    let path = bench.path("data/.kiln-fetch").join(format!("{name}.part"));
    path.metadata().ok().map(|found| found.len())
}

fn open_nist36(bench: &Bench) -> [usize; 3] {
    let source = nist36::open(&Nist36Config::default(), &bench.path("data")).unwrap();
    Split::ALL.map(|split| source.len(split))
}

// ---- What is fetched ----

#[test]
fn nist36_is_fetched_once_and_opens() {
    let bench = Bench::new();
    let server = Server::of(&[("data.zip", nist36_zip())]);
    let arguments = format!("nist36 --from {}", server.base());
    let (stdout, stderr) = fetched(&bench, &arguments);
    assert_eq!(stdout, format!("{}\n", bench.path("data/nist36").display()));
    // Nobody has published a sum: it says so, with the one it found.
    let sum = sha256(&nist36_zip());
    assert!(
        stderr.contains("no sum is known") && stderr.contains(&sum),
        "{stderr}"
    );
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
    // The three files and nothing else, not even the folder of downloads.
    assert_eq!(bench.listing().len(), 2 + 3);
    let (again, stderr) = fetched(&bench, &arguments);
    assert_eq!(again, stdout);
    assert!(stderr.contains("is there already"), "{stderr}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn cifar10_is_fetched_and_opens() {
    let bench = Bench::new();
    let mut archive = cifar10_tar();
    // Padding, as tapes have it.
    archive.extend([0; 512]);
    let sum = sha256(&archive);
    let server = Server::of(&[("cifar-10-binary.tar.gz", archive)]);
    fetched(
        &bench,
        &format!("cifar10 --from {} --sha256 {sum}", server.base()),
    );
    let config = Cifar10Config {
        valid: 20,
        ..Default::default()
    };
    let source = cifar10::open(&config, &bench.path("data")).unwrap();
    assert_eq!(Split::ALL.map(|split| source.len(split)), [30, 20, 10]);
    assert_eq!(
        std::fs::read_dir(bench.path("data/cifar10"))
            .unwrap()
            .count(),
        6
    );
}

#[test]
fn squeezenet_is_fetched_under_the_name_that_is_looked_for() {
    let bench = Bench::new();
    let weights = b"weights".to_vec();
    let sum = sha256(&weights).to_uppercase();
    let server = Server::of(&[("other.pth", weights.clone())]);
    let url = format!("{}other.pth", server.base());
    fetched(
        &bench,
        &format!("squeezenet1_1 --to elsewhere --from {url} --sha256 {sum}"),
    );
    assert_eq!(
        bench.read("elsewhere/squeezenet1_1/squeezenet1_1.pth"),
        weights
    );
}

fn set(name: &str) -> DataSet {
    DataSet::all()
        .into_iter()
        .find(|set| set.name == name)
        .unwrap()
}

/// Fetches by the library, with sums of what is served.
fn fetch_with_sums(mut set: DataSet, files: &[&[u8]], root: &Path) -> Result<Outcome, FetchError> {
    for (file, bytes) in set.files.iter_mut().zip(files) {
        file.sum = Some(Sum::Sha256(sha256(bytes)));
    }
    let patience = Patience {
        stall: Duration::from_secs(5),
        pause: Duration::from_millis(20),
        ..Patience::default()
    };
    fetch::fetch(&set, root, &patience, &mut |_| {})
}

#[test]
fn flowers17_is_laid_out_by_the_first_split_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, splits) = flowers17_files();
    let server = Server::of(&[
        ("17flowers.tgz", archive.clone()),
        ("datasplits.mat", splits.clone()),
    ]);
    let set = set("flowers17").from_mirror(&server.base()).unwrap();
    let outcome = fetch_with_sums(set.clone(), &[&archive, &splits], folder.path()).unwrap();
    assert_eq!(outcome, Outcome::Fetched(folder.path().join("flowers17")));
    let config = ImageFolderConfig {
        folder: "flowers17".into(),
        channels: 3,
        ..Default::default()
    };
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    source.check().unwrap();
    assert_eq!(Split::ALL.map(|split| source.len(split)), [17, 17, 17]);
    // Image 802 is the second of class 10.
    assert!(
        folder
            .path()
            .join("flowers17/val/10/image_0802.jpg")
            .is_file()
    );
    let outcome = fetch_with_sums(set, &[], folder.path()).unwrap();
    assert_eq!(outcome, Outcome::Present(folder.path().join("flowers17")));
}

#[test]
fn splits_that_do_not_fit_the_images_are_refused() {
    let (archive, _) = flowers17_files();
    for (splits, says) in [
        (
            mat_of(&[("trn1", 1, 1, vec![1361.0])]),
            "trn1 lists image 1361; expected 1 to 1360",
        ),
        (mat_of(&[("trn1", 1, 1, vec![0.5])]), "trn1 lists image 0.5"),
        (mat_of(&[("trn1", 1, 2, vec![7.0, 7.0])]), "image 7 twice"),
        (mat_of(&[("trn2", 1, 1, vec![1.0])]), "has no variable trn1"),
        (
            mat_of(&[
                ("trn1", 1, 1, vec![5.0]),
                ("val1", 1, 1, vec![1.0]),
                ("tst1", 1, 1, vec![2.0]),
            ]),
            "17flowers.tgz: has no image_0005.jpg",
        ),
        (b"<html>".to_vec(), "datasplits.mat: "),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::of(&[
            ("17flowers.tgz", archive.clone()),
            ("datasplits.mat", splits.clone()),
        ]);
        let set = set("flowers17").from_mirror(&server.base()).unwrap();
        let error = fetch_with_sums(set, &[&archive, &splits], folder.path()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(!folder.path().join("flowers17").exists());
    }
}

// ---- Broken connections ----

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
    assert!(stderr.contains("broke off; trying again"), "{stderr}");
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
        &[&server.base(), "no data for 1 s", &kept, by_hand],
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

// ---- Wrong files ----

#[test]
fn a_file_with_another_sum_is_deleted_and_never_unpacked() {
    let bench = Bench::new();
    let server = Server::of(&[("cifar-10-binary.tar.gz", cifar10_tar())]);
    let found = sha256(&cifar10_tar());
    let says = [
        "cifar-10-binary.tar.gz",
        &found,
        "c4a38c50a1bc",
        "is deleted",
    ];
    refused(&bench, &format!("cifar10 --from {}", server.base()), &says);
    assert_eq!(bench.listing().len(), 0);
}

#[test]
fn what_is_no_archive_of_the_set_is_refused_and_deleted() {
    let whole = nist36_zip();
    let mut flipped = whole.clone();
    flipped[400] ^= 0xff;
    for (bytes, says) in [
        (
            b"<html>Sign in to this network</html>".to_vec(),
            "is no zip archive",
        ),
        (Vec::new(), "is no zip archive"),
        (whole[..whole.len() - 9].to_vec(), "is no zip archive"),
        (flipped, "nist36_train.mat in it is damaged"),
        (
            zip_of(&[("data/nist36_train.mat", b"x")]),
            "has no nist36_valid.mat in it",
        ),
        (
            zip_of(&[("a/nist36_train.mat", b"x"), ("b/nist36_train.mat", b"y")]),
            "holds nist36_train.mat twice",
        ),
    ] {
        let bench = Bench::new();
        let server = Server::of(&[("data.zip", bytes)]);
        let says = [&server.base(), says, "is deleted"];
        refused(&bench, &format!("nist36 --from {}", server.base()), &says);
        assert_eq!(bench.listing().len(), 0);
    }
}

#[test]
fn an_archive_that_leads_out_of_its_folder_is_refused_as_a_whole() {
    let names = [
        "../nist36_test.mat",
        "/tmp/nist36_test.mat",
        "a/../../x",
        "a\\..\\..\\x",
        "C:\\x",
    ];
    let mut archives: Vec<Vec<u8>> = names
        .iter()
        .map(|name| {
            zip_of(&[
                ("nist36_train.mat", &nist36_mat("train")),
                ("nist36_valid.mat", &nist36_mat("valid")),
                ("nist36_test.mat", &nist36_mat("test")),
                (name, b"out"),
            ])
        })
        .collect();
    let mut link = zip::ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink(
        "nist36_train.mat",
        "/etc/passwd",
        zip::write::SimpleFileOptions::default(),
    )
    .unwrap();
    archives.push(link.finish().unwrap().into_inner());
    for archive in archives {
        let bench = Bench::new();
        let server = Server::of(&[("data.zip", archive)]);
        refused(
            &bench,
            &format!("nist36 --from {}", server.base()),
            &["is refused"],
        );
        assert_eq!(bench.listing().len(), 0);
    }
}

#[test]
fn a_tar_archive_with_links_or_names_that_lead_out_is_refused() {
    let link = |kind| {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        archive
            .append_link(
                &mut header,
                "cifar-10-batches-bin/test_batch.bin",
                "/etc/passwd",
            )
            .unwrap();
        gzip(&archive.into_inner().unwrap())
    };
    for archive in [
        link(tar::EntryType::Symlink),
        link(tar::EntryType::Link),
        tar_gz_of(&[("../test_batch.bin", b"out")]),
        tar_gz_of(&[("/test_batch.bin", b"out")]),
    ] {
        let bench = Bench::new();
        let sum = sha256(&archive);
        let server = Server::of(&[("cifar-10-binary.tar.gz", archive)]);
        let arguments = format!("cifar10 --from {} --sha256 {sum}", server.base());
        refused(&bench, &arguments, &["is refused", "test_batch.bin"]);
        assert_eq!(bench.listing().len(), 0);
    }
}

#[test]
fn a_file_that_is_too_large_is_not_downloaded() {
    let bench = Bench::new();
    // Told beforehand, and found out.
    for length in [Some("999999999999".to_string()), None] {
        let server = Server::start(move |_, _, stream| {
            let headers: Vec<_> = length
                .iter()
                .map(|l| ("Content-Length", l.clone()))
                .collect();
            head(stream, "200 OK", &headers);
            while stream.write_all(&[0; 1 << 16]).is_ok() {}
        });
        let arguments = format!("squeezenet1_1 --from {}", server.base());
        refused(&bench, &arguments, &["at most 16777216", "another file"]);
        assert_eq!(bench.listing().len(), 0);
    }
}

// ---- By hand, and usage ----

#[test]
fn a_file_that_was_put_there_by_hand_is_used_and_kept() {
    let bench = Bench::new();
    bench.write("data/.kiln-fetch/data.zip", nist36_zip());
    fetched(&bench, "nist36 --from http://127.0.0.1:1/");
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
    assert_eq!(bench.read("data/.kiln-fetch/data.zip"), nist36_zip());
    bench.write("data/.kiln-fetch/cifar-10-binary.tar.gz", "something else");
    let says = [
        "data/.kiln-fetch/cifar-10-binary.tar.gz",
        "replace or remove",
    ];
    std::fs::remove_dir_all(bench.path("data/nist36")).unwrap();
    refused(&bench, "cifar10 --from http://127.0.0.1:1/", &says);
    assert_eq!(
        bench.read("data/.kiln-fetch/cifar-10-binary.tar.gz"),
        b"something else"
    );
}

#[test]
fn a_folder_that_holds_other_things_is_left_alone() {
    let bench = Bench::new();
    let server = Server::of(&[("data.zip", nist36_zip())]);
    bench.write("data/nist36/nist36_train.mat", "mine");
    let output = kiln(&bench, &format!("nist36 --from {}", server.base()))
        .assert()
        .code(1);
    let stderr = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(
        stderr.contains("data/nist36: is there, but has no nist36_valid.mat"),
        "{stderr}"
    );
    assert_eq!(bench.read("data/nist36/nist36_train.mat"), b"mine");
    assert_eq!(server.requests().len(), 0);
    // An empty folder is no obstacle.
    std::fs::remove_file(bench.path("data/nist36/nist36_train.mat")).unwrap();
    fetched(&bench, &format!("nist36 --from {}", server.base()));
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
}

#[test]
fn two_at_once_do_not_get_in_each_others_way() {
    let bench = Bench::new();
    let path = bench.write("data/.kiln-fetch/data.zip.part", "half of it");
    let file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.lock().unwrap();
    refused(
        &bench,
        "nist36 --from http://127.0.0.1:1/",
        &["data.zip.part", "another kiln"],
    );
    assert_eq!(bench.read("data/.kiln-fetch/data.zip.part"), b"half of it");
}

#[test]
fn a_mirror_is_a_file_or_a_folder() {
    let urls = |name: &str, from: &str| {
        set(name)
            .from_mirror(from)
            .map(|set| {
                set.files
                    .into_iter()
                    .map(|file| file.url)
                    .collect::<Vec<_>>()
            })
            .map_err(|error| error.to_string())
    };
    let one = |from| urls("nist36", from).unwrap().remove(0);
    assert_eq!(one("http://m.example"), "http://m.example/data.zip");
    assert_eq!(
        one("http://m.example/sets"),
        "http://m.example/sets/data.zip"
    );
    assert_eq!(
        one("https://m.example/v1.0/"),
        "https://m.example/v1.0/data.zip"
    );
    assert_eq!(one("https://m.example/a.zip"), "https://m.example/a.zip");
    assert_eq!(
        one("https://m.example/get?id=1"),
        "https://m.example/get?id=1"
    );
    assert_eq!(
        urls("flowers17", "http://m.example/17/").unwrap(),
        [
            "http://m.example/17/17flowers.tgz",
            "http://m.example/17/datasplits.mat"
        ]
    );
    let error = urls("flowers17", "http://m.example/17flowers.tgz").unwrap_err();
    assert!(
        error.contains("17flowers.tgz and datasplits.mat"),
        "{error}"
    );
    for wrong in [
        "m.example",
        "ftp://m.example/data.zip",
        "http://",
        "http:///x",
        "http://a b/",
    ] {
        assert!(urls("nist36", wrong).unwrap_err().contains(wrong));
    }
}

#[test]
fn wrong_usage_is_told_by_its_flag() {
    let bench = Bench::new();
    let refused = |arguments: &str, says: &str| {
        let output = kiln(&bench, arguments).assert().code(2);
        let stderr = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert!(
            stderr.starts_with("error:") && stderr.contains(says),
            "{stderr}"
        );
    };
    refused("", "<NAME>");
    refused("mnist", "squeezenet1_1");
    refused("nist36 --from mirror.example", "--from: mirror.example");
    refused("nist36 --sha256 123", "64 hexadecimal digits");
    let sum = "0".repeat(64);
    refused(
        &format!("flowers17 --sha256 {sum}"),
        "--sha256: flowers17 has 2 files",
    );
    assert_eq!(bench.listing().len(), 0);
}

#[test]
fn the_list_names_every_set_its_address_and_whether_it_is_there() {
    let bench = Bench::new();
    bench.write("data/squeezenet1_1/squeezenet1_1.pth", "weights");
    let (stdout, _) = fetched(&bench, "--list");
    for set in DataSet::all() {
        assert!(
            stdout.contains(set.name) && stdout.contains(&set.files[0].url),
            "{stdout}"
        );
    }
    let there: Vec<&str> = stdout
        .lines()
        .filter(|line| line.contains("; in "))
        .collect();
    assert_eq!(there.len(), 1, "{stdout}");
    assert!(there[0].starts_with("squeezenet1_1"), "{stdout}");
}
