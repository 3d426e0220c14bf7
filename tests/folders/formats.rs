//! Image files of Pillow (tests/fixtures/images/make_images.py), decoded as Pillow decodes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use kiln::photo;
use serde::Deserialize;

use crate::common::repository;

/// How far a value of a lossy image may be from Pillow's: the decoders round differently, and libwebp and libjpeg smooth colours
/// of half resolution.
const LOSSY: u8 = 24;
/// And on average.
const LOSSY_MEAN: f64 = 3.0;

/// What Pillow reads.
#[derive(Deserialize)]
struct Expected {
    width: u32,
    height: u32,
    mode: String,
    lossy: bool,
    pixels: String,
}

pub fn folder() -> PathBuf {
    repository().join("tests/fixtures/images")
}

fn expected() -> BTreeMap<String, Expected> {
    let text = std::fs::read_to_string(folder().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_format_is_decoded_as_pillow_decodes_it() {
    let all = expected();
    assert!(all.len() >= 50, "{} files", all.len());
    let mut wrong = Vec::new();
    for (name, expected) in all {
        let pixels = base64::prelude::BASE64_STANDARD
            .decode(&expected.pixels)
            .unwrap();
        let image = match photo::open(&folder().join(&name)) {
            Ok(image) => image,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        let size = (image.width(), image.height());
        if size != (expected.width, expected.height) {
            wrong.push(format!("{name}: {size:?}"));
            continue;
        }
        // A grey GIF has a palette, so it is an RGB image here.
        let found = match expected.mode.as_str() {
            "L" => image.into_luma8().into_raw(),
            _ => image.into_rgb8().into_raw(),
        };
        let apart: Vec<u8> = found
            .iter()
            .zip(&pixels)
            .map(|(a, b)| a.abs_diff(*b))
            .collect();
        let most = apart.iter().copied().max().unwrap();
        let mean = apart.iter().map(|&d| f64::from(d)).sum::<f64>() / apart.len() as f64;
        let (most_allowed, mean_allowed) = if expected.lossy {
            (LOSSY, LOSSY_MEAN)
        } else {
            // Opacity and ink are rounded here and cut off there.
            (1, 1.0)
        };
        eprintln!("{name}: at most {most}, on average {mean:.2}");
        if most > most_allowed || mean > mean_allowed {
            wrong.push(format!("{name}: at most {most}, on average {mean:.2}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A file that ends early is refused, or what is missing does not matter; never is a part of it grey.
#[test]
fn a_file_of_any_format_cut_anywhere_is_refused_or_whole() {
    let mut told = Vec::new();
    for name in expected().keys() {
        let bytes = std::fs::read(folder().join(name)).unwrap();
        let whole = photo::decode(&bytes, Path::new(name)).unwrap();
        for length in 0..bytes.len() {
            match photo::decode(&bytes[..length], Path::new(name)) {
                Ok(image) if image == whole => {}
                Ok(_) => told.push(format!("{name}: {length} of {} bytes", bytes.len())),
                Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
            }
        }
    }
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn an_image_in_a_format_that_is_not_read_is_named_with_the_command_that_converts_it() {
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec();
    let avif = std::fs::read(folder().join("photo.avif")).unwrap();
    for (bytes, expected) in [
        (
            heic,
            "this is a HEIC image, which kiln does not read; convert it with `heif-convert in.heic out.jpg`",
        ),
        (
            avif,
            "this is an AVIF image, which kiln does not read; convert it with `avifdec in.avif out.png`",
        ),
        (b"\0\0\0\x0cJXL \r\n\x87\n".to_vec(), "djxl"),
        (b"%PDF-1.7\n".to_vec(), "pdftoppm"),
        (
            b"<!DOCTYPE html><html>404".to_vec(),
            "a web page, which kiln does not read; a download probably failed",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            "git lfs pull",
        ),
        (
            b"BM is how this note begins".to_vec(),
            "unrecognized image format; kiln reads PNG, JPEG, WebP",
        ),
        (b"P5".to_vec(), "unrecognized image format"),
    ] {
        let text = photo::decode(&bytes, Path::new("a.jpg"))
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with("a.jpg: ") && text.contains(expected),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

/// A TIFF of Pillow with other numbers in its header.
#[test]
fn headers_that_claim_too_much_are_refused_before_anything_is_decoded() {
    let read = |name: &str| std::fs::read(folder().join(name)).unwrap();
    let mut bmp = read("rgb.bmp");
    bmp[18..26].copy_from_slice(&[0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]);
    let mut gif = read("palette.gif");
    gif[6..10].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let mut qoi = read("rgb.qoi");
    qoi[4..12].copy_from_slice(&[0, 0, 0x4a, 0x38, 0, 0, 0x4a, 0x38]);
    let pnm = b"P6 60000 60000 255 ".to_vec();
    // ImageWidth (256) and ImageLength (257) of a little-endian TIFF are entries of 12 bytes.
    let mut tiff = read("deflate.tif");
    for tag in [256u16, 257] {
        let [low, high] = tag.to_le_bytes();
        let entry = tiff
            .windows(2)
            .position(|pair| pair == [low, high])
            .unwrap();
        tiff[entry + 2..entry + 12].copy_from_slice(&[4, 0, 1, 0, 0, 0, 0x60, 0xea, 0, 0]);
    }
    for (name, bytes) in [
        ("a.bmp", bmp),
        ("a.gif", gif),
        ("a.qoi", qoi),
        ("a.pnm", pnm),
        ("a.tif", tiff),
    ] {
        let text = photo::decode(&bytes, Path::new(name))
            .unwrap_err()
            .to_string();
        assert!(text.starts_with(name), "{text}");
        // The strip of the TIFF is too short for what it claims, which its decoder finds first.
        let is_refused =
            text.contains("the limit is 900 MB") || text.contains("inconsistent sizes");
        assert!(is_refused, "{text}");
    }
}
