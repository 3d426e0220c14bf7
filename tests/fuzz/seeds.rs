//! The inputs that are mutated: small files of each format, created here so that they stay valid. Inputs that longer runs found
//! are in tests/corpus.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use burn::prelude::*;
use image::{DynamicImage, ImageFormat};
use kiln::inference::{Classifier, ModelCard};
use kiln::models::{MlpConfig, ModelConfig};
use kiln::shape::ImageShape;
use kiln::weights;

use super::targets;

/// Every config of the repository.
pub fn configs() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("configs")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| std::fs::read(path).expect("a config");
    paths.iter().map(read).collect()
}

pub fn overrides() -> Vec<Vec<u8>> {
    let lines = [
        "training.epochs=5",
        "model.hidden=[3, 4]\noptimizer.kind=sgd",
        "data={\"kind\": \"mix\", \"sources\": [{\"kind\": \"glyphs\"}]}\ndata.sources.0.size=16",
        "schedule={\"kind\": \"cosine\", \"warmup\": 1}\nname=some-name",
    ];
    lines.map(|line| line.as_bytes().to_vec()).to_vec()
}

pub fn truths() -> Vec<Vec<u8>> {
    let texts = [
        "HELLO WORLD\nTWO LINES\n",
        r#"{"page.png": ["HELLO", "WORLD"], "other.png": []}"#,
        r#"{"text": ["HELLO"], "size": [3, 4]}"#,
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

// ---- MATLAB ----

/// A part of an element: type, bytes, padding to a multiple of 8.
fn part(kind: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = [kind, content.len() as u32].map(u32::to_le_bytes).concat();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// A matrix of `class` whose numbers are stored as `kind`.
fn matrix(name: &str, class: u32, size: [u32; 2], kind: u32, numbers: &[u8]) -> Vec<u8> {
    let words = |values: [u32; 2]| values.map(u32::to_le_bytes).concat();
    let content = [
        part(6, &words([class, 0])),
        part(5, &words(size)),
        part(1, name.as_bytes()),
        part(kind, numbers),
    ];
    part(14, &content.concat())
}

fn packed(element: &[u8]) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(element).expect("memory");
    let content = zlib.finish().expect("memory");
    let mut bytes = [15, content.len() as u32].map(u32::to_le_bytes).concat();
    bytes.extend(content);
    bytes
}

pub fn mats() -> Vec<Vec<u8>> {
    let mut header = b"MATLAB 5.0 MAT-file".to_vec();
    header.resize(124, b' ');
    header.extend([0x00, 0x01, b'I', b'M']);
    let doubles: Vec<u8> = (0..6).flat_map(|i| f64::from(i).to_le_bytes()).collect();
    let a = matrix("a", 6, [2, 3], 9, &doubles);
    let i = matrix("i", 12, [2, 1], 5, &[1, 0, 0, 0, 255, 255, 255, 255]);
    // Bytes that are read as doubles, as MATLAB stores small integers.
    let data = matrix("valid_data", 6, [4, 8], 2, &[1; 32]);
    // As much as the limit allows, compressed to a few kilobytes.
    let claim = 16 << 10;
    let bomb = matrix(
        "a",
        6,
        [claim, claim / 2],
        2,
        &vec![0; (claim * claim / 2) as usize],
    );
    let text = matrix("trn1", 4, [1, 2], 16, b"ab");
    vec![
        [header.clone(), a.clone(), i.clone(), text].concat(),
        [header.clone(), packed(&a), packed(&data), packed(&i)].concat(),
        [header, packed(&bomb)].concat(),
    ]
}

pub fn records() -> Vec<Vec<u8>> {
    let mut two = vec![7; 2 * 3073];
    two[3073] = 9;
    vec![two]
}

// ---- Images ----

fn drawn(width: u32, height: u32) -> DynamicImage {
    let image = image::RgbaImage::from_fn(width, height, |x, y| {
        image::Rgba([(x * 20) as u8, (y * 30) as u8, 90, 255 - (x + y) as u8])
    });
    image.into()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("memory");
    bytes.into_inner()
}

pub fn pngs() -> Vec<Vec<u8>> {
    let image = drawn(9, 7);
    let mut seeds: Vec<Vec<u8>> = [
        image.clone(),
        image.to_rgb8().into(),
        image.to_luma8().into(),
        image.to_luma_alpha8().into(),
        image.to_rgb16().into(),
    ]
    .iter()
    .map(|image| encoded(image, ImageFormat::Png))
    .collect();
    seeds.push(with_profile(&seeds[2]));
    seeds
}

/// With a colour profile that decompresses to 16 MB.
fn with_profile(png: &[u8]) -> Vec<u8> {
    let mut content = b"profile\0\0".to_vec();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(&vec![0; 16 << 20]).expect("memory");
    content.extend(zlib.finish().expect("memory"));
    // The signature (8 bytes) and IHDR (25) come first; the target corrects the checksum.
    let mut bytes = png[..33].to_vec();
    bytes.extend((content.len() as u32).to_be_bytes());
    bytes.extend(b"iCCP");
    bytes.extend(content);
    bytes.extend([0; 4]);
    bytes.extend(&png[33..]);
    bytes
}

pub fn images() -> Vec<Vec<u8>> {
    let image = drawn(17, 11);
    let mut seeds = pngs();
    seeds.push(encoded(&image.to_rgb8().into(), ImageFormat::Jpeg));
    seeds.push(encoded(&image.to_luma8().into(), ImageFormat::Jpeg));
    seeds
}

/// The images of Pillow in formats other than PNG and JPEG.
pub fn pictures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images");
    let entries = std::fs::read_dir(folder).expect("the fixtures");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let others = paths.iter().filter(|path| {
        let extension = path.extension().unwrap_or_default();
        [
            "webp", "gif", "bmp", "dib", "tif", "tiff", "pgm", "pbm", "ppm", "qoi", "avif",
        ]
        .iter()
        .any(|known| extension == *known)
    });
    let seeds: Vec<Vec<u8>> = others
        .map(|path| std::fs::read(path).expect("a file"))
        .collect();
    assert!(seeds.len() > 30, "{} seeds", seeds.len());
    seeds
}

pub fn labels() -> Vec<Vec<u8>> {
    [
        "file,label\na.png,cat\nb.png,dog\n",
        "a.png;\"cat, big\";train\r\nb.png;dog;test\r\n",
        "\u{feff}bild\ttier\na.png\tcat\n",
        "{\"file_name\": \"a.png\", \"label\": 3, \"split\": \"val\"}\n{\"file\": \"b.png\", \"label\": null}\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

// ---- Weights ----

fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    [
        "torch.pth",
        "torch_legacy.pth",
        "torch_module.pth",
        "checkpoints/whole_module.pt",
        "checkpoints/lightning.ckpt",
        "checkpoints/strided.pt",
        "checkpoints/sparse.pt",
        "checkpoints/torchscript.pt",
        "checkpoints/plain_pickle.pkl",
        "checkpoints/legacy_whole_module.pt",
        "checkpoints/legacy_strided.pt",
    ]
    .map(|name| std::fs::read(folder.join(name)).expect("a fixture"))
    .to_vec()
}

/// PyTorch files in every container format of its history.
pub fn torch_files() -> Vec<Vec<u8>> {
    let mut seeds = fixtures();
    seeds.push(b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x02u.".to_vec());
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    tar.append_data(&mut header, "storages", &b"K\x00."[..])
        .expect("memory");
    seeds.push(tar.into_inner().expect("memory"));
    // The error used to repeat the 65,000 letters of a class name.
    seeds.push(
        [
            b"\x80\x02c".to_vec(),
            vec![b'm'; 65_000],
            b"\nname\n.".to_vec(),
        ]
        .concat(),
    );
    seeds
}

pub fn pickles() -> Vec<Vec<u8>> {
    let programs = fixtures().into_iter().filter_map(|file| {
        let mut archive = zip::ZipArchive::new(Cursor::new(file)).ok()?;
        let index = (0..archive.len()).find(|&index| {
            let entry = archive.by_index(index).expect("an entry");
            entry.name().is_ok_and(|name| name.ends_with("data.pkl"))
        })?;
        let mut program = Vec::new();
        let mut entry = archive.by_index(index).expect("an entry");
        entry.read_to_end(&mut program).expect("an entry");
        Some(program)
    });
    programs.collect()
}

pub fn safetensors() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("some.safetensors");
    weights::save(&targets::small(), &path).expect("a file");
    vec![std::fs::read(path).expect("a file")]
}

pub fn models() -> Vec<Vec<u8>> {
    let card = ModelCard {
        model: ModelConfig::Mlp(MlpConfig {
            hidden: vec![3],
            ..MlpConfig::default()
        }),
        input: ImageShape {
            channels: 1,
            height: 2,
            width: 2,
        },
        normalize: None,
        classes: vec!["A".into(), "B".into()],
        temperature: 1.0,
        view: kiln::data::View::PAD,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let model = Classifier::new(&targets::small(), card, &Device::flex());
    model.save(&path).expect("a file");
    vec![std::fs::read(path).expect("a file")]
}

/// Checkpoints of a small perceptron, taken apart as the target assembles them, and as files.
pub fn checkpoints() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut seeds = Vec::new();
    for (name, optimizer) in [
        ("adam", r#"{"kind": "adam"}"#),
        ("sgd", r#"{"kind": "sgd"}"#),
    ] {
        let config = format!(
            r#"{{"data": {{"kind": "glyphs", "size": 16, "train": 36, "valid": 36, "test": 36}},
                "model": {{"kind": "mlp", "hidden": [1]}}, "optimizer": {optimizer},
                "training": {{"epochs": 1, "ema": 0.5}}}}"#
        );
        let path = folder.path().join(name);
        std::fs::write(path.with_extension("json"), config).expect("a config");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(["train", "--renderer", "plain"])
            .arg(path.with_extension("json"))
            .arg("--run-dir")
            .arg(&path)
            .output()
            .expect("kiln");
        assert!(output.status.success(), "{output:?}");
        let file = std::fs::read(path.join("checkpoints/epoch-1.ckpt")).expect("a checkpoint");
        seeds.push(targets::taken_apart(&file));
        seeds.push(file[..file.len() - 32].to_vec());
    }
    seeds
}

// ---- Archives ----

pub fn zips() -> Vec<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let packed = zip::write::SimpleFileOptions::default();
    let plain = packed.compression_method(zip::CompressionMethod::Stored);
    for (name, options) in [("data/a.txt", packed), ("bb.txt", plain)] {
        zip.start_file(name, options).expect("memory");
        zip.write_all(&[b'x'; 300]).expect("memory");
    }
    zip.add_directory("folder/", plain).expect("memory");
    vec![zip.finish().expect("memory").into_inner()]
}

pub fn tars() -> Vec<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let long = format!("{}/name.bin", "folder/".repeat(20));
    for (name, mut header) in [
        ("data/a.txt", tar::Header::new_ustar()),
        (long.as_str(), tar::Header::new_gnu()),
    ] {
        header.set_size(5);
        tar.append_data(&mut header, name, &b"hello"[..])
            .expect("memory");
    }
    let records = [("path", &b"other/name.txt"[..]), ("mtime", b"1.5")];
    tar.append_pax_extensions(records).expect("memory");
    let mut header = tar::Header::new_ustar();
    header.set_size(2);
    tar.append_data(&mut header, "short", &b"hi"[..])
        .expect("memory");
    vec![tar.into_inner().expect("memory")]
}

pub fn tar_gzs() -> Vec<Vec<u8>> {
    tars().iter().map(|tar| targets::gzip(tar)).collect()
}

// ---- Strokes ----

pub fn strokes() -> Vec<Vec<u8>> {
    let lines: [&[u8]; 2] = [
        br#"{"c": "L", "q": "OK", "src": "one", "s": [[[0, 0], [0, 1000], [600, 1000]]]}
{"c": "T", "q": "OK", "src": "two", "s": [[[0, 0], [800, 0]], [[400, 0], [400, 1000]]]}
{"c": "1", "q": "?", "src": "three", "s": [[[0, 0], [3.5, 1000]]]}
"#,
        br#"{"c": "A", "q": "OK", "src": "s", "s": [[[0, 1000], [400, 0], [800, 1000]], [[150, 600], [650, 600]]]}"#,
    ];
    let mut seeds = lines.map(<[u8]>::to_vec).to_vec();
    // The error used to repeat all of them.
    let letters = "m".repeat(65_000);
    seeds.push(format!(r#"{{"c": "A", "q": "OK", "src": "s", "s": "{letters}"}}"#).into_bytes());
    seeds
}

pub fn stroke_files() -> Vec<Vec<u8>> {
    strokes().iter().map(|lines| targets::gzip(lines)).collect()
}
