//! What a user may rely on in the CIFAR-10 reader: the format is that of the published binary files, and what is not is
//! refused by file and record. The published files are read where `KILN_DATA` has them.

mod common;

use std::path::Path;

use kiln::data::Cifar10Config;
use kiln::data::cifar10;
use kiln::data::{DataSource, Split};
use proptest::prelude::*;

const RECORD: usize = 3073;

/// Six files of so many records each: record `n` of a file has class `n % 10`, red `n`, green 100, blue 200.
fn write_files(folder: &Path, records: usize) {
    let bytes: Vec<u8> = (0..records)
        .flat_map(|n| {
            let mut record = vec![(n % 10) as u8];
            for value in [n as u8, 100, 200] {
                record.extend([value; 1024]);
            }
            record
        })
        .collect();
    for number in 1..=5 {
        std::fs::write(folder.join(format!("data_batch_{number}.bin")), &bytes).unwrap();
    }
    std::fs::write(folder.join("test_batch.bin"), &bytes).unwrap();
}

fn config(valid: usize) -> Cifar10Config {
    Cifar10Config {
        folder: String::new(),
        valid,
        ..Default::default()
    }
}

#[test]
fn records_become_images_channel_by_channel_and_the_last_are_for_validation() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), 12);
    let source = cifar10::open(&config(7), folder.path()).unwrap();
    assert_eq!(Split::ALL.map(|split| source.len(split)), [53, 7, 12]);
    assert_eq!(source.classes()[3], "cat");
    let mut image = vec![0.0; 3072];
    // The seven last training records are records 5 to 11 of the fifth file.
    source.read(Split::Valid, 0, 0, &mut image).unwrap();
    assert_eq!(source.label(Split::Valid, 0), 5);
    for (channel, value) in [5.0, 100.0, 200.0].into_iter().enumerate() {
        let plane = &image[channel * 1024..(channel + 1) * 1024];
        assert!(plane.iter().all(|&v| v == value / 255.0), "{channel}");
    }
}

#[test]
fn what_is_no_cifar_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let open = |valid| cifar10::open(&config(valid), folder.path()).map_err(|e| e.to_string());
    assert!(open(1).unwrap_err().contains("data_batch_1.bin: not found"));
    write_files(folder.path(), 2);
    assert_eq!(open(11).unwrap().len(Split::Train), 0);
    let third = folder.path().join("data_batch_3.bin");
    let mut bytes = std::fs::read(&third).unwrap();
    bytes[RECORD] = 10;
    std::fs::write(&third, &bytes).unwrap();
    let error = open(1).unwrap_err();
    assert!(
        error.ends_with("data_batch_3.bin: record 2: class 10; expected 0 to 9"),
        "{error}"
    );
    bytes.pop();
    std::fs::write(&third, &bytes).unwrap();
    let error = open(1).unwrap_err();
    assert!(
        error.contains("data_batch_3.bin: 6145 bytes; expected records of 3073 bytes"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_give_samples_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..3 * RECORD)) {
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path(), 2);
        std::fs::write(folder.path().join("test_batch.bin"), &bytes).unwrap();
        if let Ok(source) = cifar10::open(&config(1), folder.path()) {
            prop_assert_eq!(source.len(Split::Test) * RECORD, bytes.len());
            let mut image = vec![0.0; 3072];
            for index in 0..source.len(Split::Test) {
                prop_assert!(source.label(Split::Test, index) < 10);
                source.read(Split::Test, index, 0, &mut image).unwrap();
                prop_assert!(image.iter().all(|value| (0.0..=1.0).contains(value)));
            }
        }
    }
}

#[test]
#[cfg_attr(not(kiln_data = "cifar10"), ignore = "needs cifar10 in KILN_DATA")]
fn the_published_files_have_their_counts_and_mean() {
    let source = cifar10::open(&Cifar10Config::default(), &common::real_data()).unwrap();
    assert_eq!(
        Split::ALL.map(|split| source.len(split)),
        [45_000, 5_000, 10_000]
    );
    // The known mean of the 50,000 training images; here of 45,000 of them.
    let mut sums = [0.0f64; 3];
    let mut image = vec![0.0; 3072];
    for index in 0..source.len(Split::Train) {
        source.read(Split::Train, index, 0, &mut image).unwrap();
        for (sum, plane) in sums.iter_mut().zip(image.chunks(1024)) {
            *sum += plane.iter().map(|&value| f64::from(value)).sum::<f64>() / 1024.0;
        }
    }
    for (sum, expected) in sums.into_iter().zip([0.4914, 0.4822, 0.4465]) {
        assert!((sum / 45_000.0 - expected).abs() < 2e-3, "{sum}");
    }
}
