//! Files put there by hand, mirrors, and wrong usage.

use crate::archives::nist36_zip;
use crate::common::Bench;
use crate::support::{Server, fetched, kiln, open_nist36, refused, set};
use kiln::fetch::DataSet;

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
        stderr.contains("data/nist36: already exists but does not contain nist36_valid.mat"),
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
    refused("imagenet", "squeezenet1_1");
    refused("nist36 --from mirror.example", "--from: mirror.example");
    refused("nist36 --sha256 123", "64 hexadecimal digits");
    let sum = "0".repeat(64);
    refused(
        &format!("flowers17 --sha256 {sum}"),
        "--sha256 works only for single-file data sets; flowers17 has 2 files",
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
