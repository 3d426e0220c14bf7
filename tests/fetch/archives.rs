//! Small archives, laid out like the published ones.

use sha2::Digest;
use std::io::Cursor;
use std::io::Write;

pub fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub fn tar_gz_of(files: &[(&str, &[u8])]) -> Vec<u8> {
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

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A MATLAB v5 file of matrices of doubles: name, rows, columns, values column by column.
pub fn mat_of(matrices: &[(&str, usize, usize, Vec<f64>)]) -> Vec<u8> {
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
pub fn nist36_mat(split: &str) -> Vec<u8> {
    let labels = (0..36 * 36).map(|at| f64::from(u8::from(at % 36 == at / 36)));
    mat_of(&[
        (&format!("{split}_data"), 36, 1024, vec![1.0; 36 * 1024]),
        (&format!("{split}_labels"), 36, 36, labels.collect()),
    ])
}

/// The course's archive in small, with what kiln does not take.
pub fn nist36_zip() -> Vec<u8> {
    zip_of(&[
        ("data/nist36_train.mat", &nist36_mat("train")),
        ("data/nist36_valid.mat", &nist36_mat("valid")),
        ("data/nist36_test.mat", &nist36_mat("test")),
        ("data/nist26_train.mat", b"not asked for"),
        ("__MACOSX/data/._nist36_train.mat", b"not asked for"),
    ])
}

pub fn cifar10_tar() -> Vec<u8> {
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
pub fn flowers17_files() -> (Vec<u8>, Vec<u8>) {
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

pub fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
