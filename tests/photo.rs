//! What a user may rely on when a photograph is opened.

mod common;

use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage,
};
use kiln::photo;

fn decode(bytes: &[u8]) -> Result<DynamicImage, photo::PhotoError> {
    photo::decode(bytes, Path::new("page.img"))
}

/// A picture without any symmetry: a red corner, a blue corner, and a dark bar.
fn upright() -> RgbImage {
    RgbImage::from_fn(48, 32, |x, y| match (x / 16, y / 16) {
        (0, 0) => Rgb([200, 30, 30]),
        (2, 0) => Rgb([30, 30, 200]),
        (1, 1) => Rgb([20, 20, 20]),
        _ => Rgb([240, 240, 240]),
    })
}

/// How a camera stores `picture` under an orientation, from the table of the EXIF standard: which visual side the first
/// row and the first column of the file are.
fn stored(picture: &RgbImage, orientation: u8) -> RgbImage {
    let (right, bottom) = (picture.width() - 1, picture.height() - 1);
    let (width, height) = if orientation >= 5 {
        (picture.height(), picture.width())
    } else {
        (picture.width(), picture.height())
    };
    RgbImage::from_fn(width, height, |column, row| {
        let (x, y) = match orientation {
            1 => (column, row),                  // top, left
            2 => (right - column, row),          // top, right
            3 => (right - column, bottom - row), // bottom, right
            4 => (column, bottom - row),         // bottom, left
            5 => (row, column),                  // left, top
            6 => (right - row, column),          // right, top
            7 => (right - row, bottom - column), // right, bottom
            _ => (row, bottom - column),         // left, bottom
        };
        *picture.get_pixel(x, y)
    })
}

/// A TIFF block with the orientation tag alone (0x0112, one SHORT), and room for a thumbnail after it.
fn exif(orientation: u8, thumbnail: &[u8]) -> Vec<u8> {
    let mut block = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    block.extend([orientation, 0, 0, 0, 0, 0, 0]);
    block.extend(thumbnail);
    block
}

fn jpeg(picture: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    encoder
        .write_image(
            picture,
            picture.width(),
            picture.height(),
            ExtendedColorType::Rgb8,
        )
        .unwrap();
    bytes
}

fn png(picture: &DynamicImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    picture.write_with_encoder(encoder).unwrap();
    bytes
}

/// Largest difference of any channel.
fn difference(a: &RgbImage, b: &RgbImage) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    let pairs = a.as_raw().iter().zip(b.as_raw());
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn all_eight_exif_orientations_come_back_upright() {
    let upright = upright();
    for orientation in 1..=8 {
        let picture = stored(&upright, orientation);
        let from_jpeg = decode(&jpeg(&picture, Some(exif(orientation, &[])))).unwrap();
        let apart = difference(&from_jpeg.to_rgb8(), &upright);
        assert!(apart < 40, "JPEG, orientation {orientation}: {apart}");
        let from_png = decode(&png(&picture.into(), Some(exif(orientation, &[])))).unwrap();
        assert_eq!(
            from_png.to_rgb8(),
            upright,
            "PNG, orientation {orientation}"
        );
    }
}

#[test]
fn an_impossible_orientation_leaves_the_image_as_it_is() {
    let upright = upright();
    let image = decode(&png(&upright.clone().into(), Some(exif(9, &[])))).unwrap();
    assert_eq!(image.to_rgb8(), upright);
}

#[test]
fn transparent_pixels_lie_on_white_paper() {
    let picture = RgbaImage::from_fn(3, 1, |x, _| {
        Rgba([[10, 20, 30, 0], [10, 20, 30, 255], [0, 100, 255, 51]][x as usize])
    });
    let image = decode(&png(&picture.into(), None)).unwrap();
    // The last: 255 + (value - 255) / 5.
    let expected = vec![255, 255, 255, 10, 20, 30, 204, 224, 255];
    assert_eq!(
        image,
        DynamicImage::ImageRgb8(RgbImage::from_raw(3, 1, expected).unwrap())
    );
    let grey = image::GrayAlphaImage::from_pixel(1, 1, LumaA([55, 51]));
    let image = decode(&png(&grey.into(), None)).unwrap();
    assert_eq!(image.into_luma8().into_raw(), [215]);
}

#[test]
fn light_ink_alone_on_a_transparent_ground_lies_on_black() {
    let chalk = RgbaImage::from_fn(10, 1, |x, _| {
        Rgba([250, 250, 240, if x < 3 { 255 } else { 0 }])
    });
    let image = decode(&png(&chalk.into(), None)).unwrap().into_rgb8();
    assert_eq!(image.get_pixel(0, 0).0, [250, 250, 240]);
    assert_eq!(image.get_pixel(9, 0).0, [0, 0, 0]);
    // A light photograph with transparent corners keeps its white ones.
    let photo = RgbaImage::from_fn(10, 1, |x, _| {
        Rgba([250, 250, 240, if x < 8 { 255 } else { 0 }])
    });
    let image = decode(&png(&photo.into(), None)).unwrap().into_rgb8();
    assert_eq!(image.get_pixel(9, 0).0, [255, 255, 255]);
}

#[test]
fn sixteen_bit_values_are_rounded_to_eight() {
    let values = [0u16, 128, 129, 32896, 65407, 65535];
    let grey = image::ImageBuffer::<Luma<u16>, _>::from_raw(6, 1, values.to_vec()).unwrap();
    let image = decode(&png(&grey.into(), None)).unwrap();
    // value / 257, rounded.
    assert_eq!(
        image.as_luma8().unwrap().as_raw(),
        &[0, 0, 1, 128, 255, 255]
    );
    let colour = image::ImageBuffer::<Rgba<u16>, _>::from_pixel(2, 2, Rgba([65535, 0, 257, 65535]));
    let image = decode(&png(&colour.into(), None)).unwrap();
    assert_eq!(image.as_rgb8().unwrap().get_pixel(1, 1), &Rgb([255, 0, 1]));
}

#[test]
fn a_grey_file_stays_grey() {
    let grey = DynamicImage::ImageRgb8(upright()).to_luma8();
    let image = decode(&png(&grey.clone().into(), None)).unwrap();
    assert_eq!(image, DynamicImage::ImageLuma8(grey));
}

#[test]
fn a_jpeg_or_png_cut_anywhere_is_refused() {
    // A thumbnail's end marker inside the EXIF block must not pass for the end of the file.
    let with_thumbnail = jpeg(&upright(), Some(exif(1, &[0xff, 0xd8, 0xff, 0xd9])));
    for whole in [
        with_thumbnail,
        jpeg(&upright(), None),
        png(&upright().into(), None),
    ] {
        assert!(decode(&whole).is_ok());
        for length in 0..whole.len() {
            let error =
                decode(&whole[..length]).expect_err(&format!("{length} of {}", whole.len()));
            let text = error.to_string();
            assert!(text.starts_with("page.img: "), "{text}");
            assert_eq!(text.lines().count(), 1, "{text}");
        }
    }
}

#[test]
fn bytes_after_the_end_of_the_image_do_no_harm() {
    for mut whole in [jpeg(&upright(), None), png(&upright().into(), None)] {
        let alone = decode(&whole).unwrap();
        whole.extend(b"\xff\xd8 a second picture, as some telephones append it");
        assert_eq!(decode(&whole).unwrap(), alone);
    }
}

#[test]
fn what_is_no_image_is_refused_by_name() {
    for bytes in [
        &b""[..],
        b"TO DO LIST",
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x10\0\0\0WEBPVP8 ",
    ] {
        let text = decode(bytes).unwrap_err().to_string();
        assert!(text.starts_with("page.img: "), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    let text = photo::open(Path::new("no/such/page.png"))
        .unwrap_err()
        .to_string();
    assert!(text.starts_with("no/such/page.png: "), "{text}");
}

#[test]
fn a_png_that_claims_too_many_pixels_is_refused_before_it_is_decoded() {
    let mut bytes = png(&upright().into(), None);
    // IHDR: length and type at 8, width at 16, height at 20, checksum of type and data at 29.
    bytes[16..20].copy_from_slice(&50_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&50_000u32.to_be_bytes());
    let mut checksum = flate2::Crc::new();
    checksum.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    let text = decode(&bytes).unwrap_err().to_string();
    assert!(text.contains("50000x50000 pixels"), "{text}");
}

#[test]
#[cfg_attr(
    not(kiln_data = "hw4-images"),
    ignore = "needs hw4-images in KILN_DATA"
)]
fn a_real_photograph_opens_and_its_first_half_does_not() {
    let path = common::real_data().join("hw4-images/04_deep.jpg");
    let bytes = std::fs::read(path).unwrap();
    let image = decode(&bytes).unwrap();
    assert_eq!((image.width(), image.height()), (4032, 3024));
    for cut in [bytes.len() / 2, bytes.len() - 1] {
        let text = decode(&bytes[..cut]).unwrap_err().to_string();
        assert!(text.contains("truncated"), "{text}");
    }
}
