//! The list of sets, as a user checks it: names, addresses and checksums.

use std::collections::BTreeSet;

use kiln::config;
use kiln::fetch::{DataSet, Layout, Sum};

use crate::common::Bench;
use crate::support::kiln;

/// Hosts of the publishers, and of those whom they name.
const HOSTS: [&str; 11] = [
    "www.cs.cmu.edu",
    "ossci-datasets.s3.amazonaws.com",
    "storage.googleapis.com",
    "yann.lecun.com",
    "fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "biometrics.nist.gov",
    "www.itl.nist.gov",
    "www.cs.toronto.edu",
    "ufldl.stanford.edu",
    "www.robots.ox.ac.uk",
    "download.pytorch.org",
];
const PYPI: &str = "files.pythonhosted.org";

#[test]
fn every_set_has_official_addresses_and_well_formed_checksums() {
    let sets = DataSet::all();
    let names: BTreeSet<&str> = sets.iter().map(|set| set.name).collect();
    assert_eq!(names.len(), sets.len(), "a name stands twice");
    for wanted in [
        "mnist",
        "fashion_mnist",
        "emnist_letters",
        "emnist_balanced",
        "cifar10",
        "cifar100",
        "svhn",
        "flowers17",
    ] {
        assert!(names.contains(wanted), "{wanted}");
    }
    for set in &sets {
        assert!(!set.about.is_empty() && !set.expected().is_empty());
        assert!(set.local.is_none());
        for file in &set.files {
            for url in [&file.url].into_iter().chain(&file.mirrors) {
                let (_, rest) = url.split_once("://").expect("a scheme");
                let (host, path) = rest.split_once('/').expect("a path");
                assert!(HOSTS.contains(&host) || host == PYPI, "{url}");
                assert!(path.ends_with(file.name), "{url} is not {}", file.name);
            }
            let digits = |text: &str, count: usize| {
                let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                assert!(text.len() == count && text.bytes().all(is_digit), "{text}");
            };
            match &file.sum {
                Some(Sum::Sha256(sum)) => digits(sum, 64),
                Some(Sum::Sha256Start(sum)) => digits(sum, 8),
                Some(Sum::Md5(sum)) => digits(sum, 32),
                // The course publishes none.
                None => assert_eq!(set.name, "nist36"),
            }
            assert!(
                (1 << 10..1 << 30).contains(&file.max_bytes),
                "{}",
                file.name
            );
        }
        if set.layout == Layout::Files {
            let files: BTreeSet<&str> = set.files.iter().map(|file| file.name).collect();
            assert_eq!(files.len(), set.files.len(), "{}", set.name);
        }
    }
}

#[test]
fn no_checksum_stands_for_two_files() {
    let sets = DataSet::all();
    let files: Vec<_> = sets.iter().flat_map(|set| &set.files).collect();
    let all: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| match file.sum.as_ref()? {
            Sum::Sha256(sum) | Sum::Md5(sum) | Sum::Sha256Start(sum) => Some(sum.as_str()),
        })
        .collect();
    let with_sum = files.iter().filter(|file| file.sum.is_some()).count();
    // EMNIST's archive stands for two sets.
    assert_eq!(all.len(), with_sum - 1);
}

#[test]
fn the_list_prints_every_address_and_checksum() {
    let bench = Bench::new();
    let output = kiln(&bench, "--list")
        .assert()
        .success()
        .get_output()
        .clone();
    let text = String::from_utf8(output.stdout).unwrap();
    for set in DataSet::all() {
        assert!(text.contains(set.name));
        for file in set.files {
            assert!(text.contains(&file.url), "{}", file.url);
            assert!(file.mirrors.iter().all(|mirror| text.contains(mirror)));
            if let Some(Sum::Sha256(sum) | Sum::Md5(sum)) = file.sum {
                assert!(text.contains(&sum), "{sum}");
            }
        }
    }
}

#[test]
fn every_set_of_images_is_the_default_folder_of_a_source_or_named_by_a_recipe() {
    for (name, data) in [
        (
            "mnist",
            r#"{"kind": "idx", "height": 28, "width": 28, "channels": 1}"#,
        ),
        ("cifar100", r#"{"kind": "cifar100"}"#),
    ] {
        let text = format!(r#"{{"data": {data}, "model": {{"kind": "mlp"}}}}"#);
        let config = config::parse(&text, std::path::Path::new("a.json"), &[]).unwrap();
        let folders = config.data.paths();
        assert!(folders[0].ends_with(name), "{folders:?}");
    }
}
