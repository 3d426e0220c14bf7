//! Sets of several files, and addresses that do not answer.

use std::path::Path;
use std::time::Duration;

use kiln::data::arrays::idx;
use kiln::data::{DataSource, IdxConfig, Split};
use kiln::fetch::{self, DataSet, FetchError, Outcome, Patience, Sum};
use kiln::progress::{CancelToken, Monitor};

use crate::archives::{gzip, sha256, tar_gz_of, zip_of};
use crate::common::Bench;
use crate::support::{Server, fetched, set};

/// Images of 28x28 that are all of one grey, as IDX.
fn images(count: u8) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28];
    bytes.extend((0..count).flat_map(|grey| vec![grey; 28 * 28]));
    gzip(&bytes)
}

fn labels(count: u8) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1, 0, 0, 0, count];
    bytes.extend((0..count).map(|index| index % 10));
    gzip(&bytes)
}

/// Fetches with the sums of what is served.
fn fetch_all(
    mut set: DataSet,
    files: &[(&str, Vec<u8>)],
    root: &Path,
) -> (Result<Outcome, FetchError>, Vec<String>) {
    for file in &mut set.files {
        let served = files.iter().find(|(name, _)| *name == file.name);
        file.sum = served.map(|(_, bytes)| Sum::Sha256(sha256(bytes)));
    }
    let patience = Patience {
        stall: Duration::from_secs(5),
        pause: Duration::from_millis(20),
        ..Patience::default()
    };
    let mut events = Vec::new();
    let cancel = CancelToken::default();
    let fetched = fetch::fetch(&set, root, &patience, &cancel, &mut |event| {
        events.push(format!("{event:?}"));
    });
    (fetched, events)
}

fn mnist_files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("train-images-idx3-ubyte.gz", images(40)),
        ("train-labels-idx1-ubyte.gz", labels(40)),
        ("t10k-images-idx3-ubyte.gz", images(10)),
        ("t10k-labels-idx1-ubyte.gz", labels(10)),
    ]
}

#[test]
fn mnist_is_four_files_that_open_as_idx() {
    let files = mnist_files();
    let server = Server::of(&files);
    let folder = tempfile::tempdir().unwrap();
    let set = set("mnist").from_mirror(&server.base()).unwrap();
    let (outcome, _) = fetch_all(set, &files, folder.path());
    assert_eq!(
        outcome.unwrap(),
        Outcome::Fetched(folder.path().join("mnist"))
    );
    let config = r#"{"folder": "mnist", "height": 28, "width": 28, "channels": 1}"#;
    let config: IdxConfig = serde_json::from_str(config).unwrap();
    let source = idx::open(&config, folder.path(), &Monitor::default()).unwrap();
    assert_eq!(source.len(Split::Test), 10);
    assert_eq!(source.len(Split::Train) + source.len(Split::Valid), 40);
}

#[test]
fn a_mirror_is_asked_where_an_address_does_not_answer() {
    let files = mnist_files();
    let server = Server::of(&files);
    let nowhere = Server::of(&[]);
    let mut set = set("mnist");
    for file in &mut set.files {
        file.url = format!("{}{}", nowhere.base(), file.name);
        // The first mirror is no server at all.
        file.mirrors = vec![
            format!("http://127.0.0.1:1/{}", file.name),
            format!("{}{}", server.base(), file.name),
        ];
    }
    let folder = tempfile::tempdir().unwrap();
    let (outcome, events) = fetch_all(set.clone(), &files, folder.path());
    outcome.unwrap();
    let elsewhere = events.iter().filter(|event| event.starts_with("Elsewhere"));
    assert_eq!(elsewhere.count(), 8, "{events:?}");
    assert!(
        events.iter().any(|event| event.contains("404")),
        "{events:?}"
    );
    // Where none answers, the last error counts; `--from` asks nobody else.
    for file in &mut set.files {
        file.mirrors.pop();
    }
    let other = tempfile::tempdir().unwrap();
    let (outcome, _) = fetch_all(set.clone(), &files, other.path());
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1/train-images"), "{error}");
    let set = set.from_mirror("http://127.0.0.1:1/").unwrap();
    assert!(set.files.iter().all(|file| file.mirrors.is_empty()));
}

#[test]
fn a_file_with_another_checksum_is_no_reason_to_ask_a_mirror() {
    let mut files = mnist_files();
    let server = Server::of(&files);
    files[0].1.push(0);
    let mut set = set("mnist").from_mirror(&server.base()).unwrap();
    set.files[0].mirrors = vec![format!("{}{}", server.base(), set.files[0].name)];
    let folder = tempfile::tempdir().unwrap();
    let (outcome, _) = fetch_all(set, &files, folder.path());
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("checksum"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn emnist_and_cifar100_come_out_of_their_archives() {
    let bench = Bench::new();
    let parts = [
        "mapping.txt",
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ];
    let more = ["test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte.gz"];
    let names: Vec<String> = ["letters", "balanced", "digits"]
        .iter()
        .flat_map(|set| {
            let all = parts.iter().chain(&more);
            all.map(move |part| format!("gzip/emnist-{set}-{part}"))
        })
        .collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();
    let archive = zip_of(&files);
    let server = Server::of(&[("gzip.zip", archive.clone())]);
    for set in ["letters", "balanced"] {
        let sum = sha256(&archive);
        fetched(
            &bench,
            &format!("emnist_{set} --from {} --sha256 {sum}", server.base()),
        );
        let folder = bench.path(&format!("data/emnist_{set}"));
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found.len(), 5);
        let prefix = format!("emnist-{set}-");
        assert!(
            found.iter().all(|name| name.starts_with(&prefix)),
            "{found:?}"
        );
    }
    let archive = tar_gz_of(&[
        ("cifar-100-binary/train.bin", b"t"),
        ("cifar-100-binary/test.bin", b"e"),
        ("cifar-100-binary/fine_label_names.txt", b"n"),
    ]);
    let sum = sha256(&archive);
    let server = Server::of(&[("cifar-100-binary.tar.gz", archive)]);
    fetched(
        &bench,
        &format!("cifar100 --from {} --sha256 {sum}", server.base()),
    );
    assert_eq!(bench.read("data/cifar100/train.bin"), b"t");
}
