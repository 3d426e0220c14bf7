//! Files that are not what they should be.

use crate::archives::{cifar10_tar, gzip, nist36_mat, nist36_zip, sha256, tar_gz_of, zip_of};
use crate::common::Bench;
use crate::support::{Server, head, refused};
use std::io::Cursor;
use std::io::Write;

#[test]
fn a_file_with_another_sum_is_deleted_and_never_unpacked() {
    let bench = Bench::new();
    let server = Server::of(&[("cifar-10-binary.tar.gz", cifar10_tar())]);
    let found = sha256(&cifar10_tar());
    let says = [
        "cifar-10-binary.tar.gz",
        &found,
        "c4a38c50a1bc",
        "was deleted",
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
            "not a zip archive",
        ),
        (Vec::new(), "not a zip archive"),
        (whole[..whole.len() - 9].to_vec(), "not a zip archive"),
        (flipped, "entry data/nist36_train.mat is corrupted"),
        (
            zip_of(&[("data/nist36_train.mat", b"x")]),
            "does not contain nist36_valid.mat",
        ),
        (
            zip_of(&[("a/nist36_train.mat", b"x"), ("b/nist36_train.mat", b"y")]),
            "contains b/nist36_train.mat twice",
        ),
    ] {
        let bench = Bench::new();
        let server = Server::of(&[("data.zip", bytes)]);
        let says = [&server.base(), says, "was deleted"];
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
            &["rejected: entry"],
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
        refused(&bench, &arguments, &["rejected: entry", "test_batch.bin"]);
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
        refused(&bench, &arguments, &["at most 16777216", "the right file"]);
        assert_eq!(bench.listing().len(), 0);
    }
}
