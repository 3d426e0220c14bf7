//! The values of samples.

use crate::support::{assert_pixels, config, gradient, is_as_asked, one, read, texture};
use image::Rgb;
use image::RgbImage;
use kiln::data::DataSource;
use kiln::data::Fit;
use kiln::data::RandomCropConfig;
use kiln::data::Split;
use kiln::data::fitting::crops::Part;

#[test]
fn the_middle_is_that_of_torchvision() {
    // Resize(256), CenterCrop(224) of the gradient, and of the gradient turned left by a quarter.
    let mut config = config(224, 224, Fit::Crop);
    config.centre = 0.875;
    let (_folder, source) = one(&gradient(), &config);
    let expected = [
        ((0, 0), [43, 16, 2]),
        ((223, 0), [210, 16, 13]),
        ((0, 223), [43, 238, 40]),
        ((223, 223), [210, 238, 197]),
        ((100, 50), [118, 65, 30]),
        ((31, 200), [66, 215, 56]),
    ];
    assert_pixels(&read(&source, Split::Valid, 0), source.shape(), &expected);
    let (_folder, source) = one(&image::imageops::rotate270(&gradient()), &config);
    let expected = [
        ((0, 0), [211, 16, 13]),
        ((223, 0), [211, 238, 198]),
        ((0, 223), [44, 16, 2]),
        ((223, 223), [44, 238, 41]),
        ((100, 50), [173, 115, 79]),
        ((31, 200), [61, 46, 11]),
    ];
    assert_pixels(&read(&source, Split::Valid, 0), source.shape(), &expected);
    // Resize(32), CenterCrop(24) of the texture.
    config.height = 24;
    config.width = 24;
    config.centre = 0.75;
    let (_folder, source) = one(&texture(), &config);
    let expected = [
        ((0, 0), [49, 104, 171]),
        ((23, 0), [79, 114, 125]),
        ((0, 23), [102, 164, 107]),
        ((23, 23), [55, 137, 127]),
        ((12, 7), [32, 135, 96]),
        ((20, 15), [155, 111, 119]),
    ];
    assert_pixels(&read(&source, Split::Valid, 0), source.shape(), &expected);
}

#[test]
fn stretching_is_the_antialiased_resizing_of_torchvision() {
    // Resize([20, 30]) of the texture, Resize([450, 500]) of the gradient.
    let (_folder, source) = one(&texture(), &config(20, 30, Fit::Stretch));
    let expected = [
        ((0, 0), [30, 8, 2]),
        ((29, 0), [35, 154, 81]),
        ((0, 19), [85, 205, 84]),
        ((29, 19), [90, 95, 128]),
        ((12, 7), [119, 139, 149]),
        ((25, 15), [42, 109, 125]),
    ];
    assert_pixels(&read(&source, Split::Valid, 0), source.shape(), &expected);
    let (_folder, source) = one(&gradient(), &config(450, 500, Fit::Stretch));
    let expected = [
        ((0, 0), [0, 0, 0]),
        ((499, 0), [255, 0, 0]),
        ((0, 449), [0, 255, 0]),
        ((499, 449), [255, 255, 255]),
        ((300, 200), [153, 113, 68]),
        ((50, 400), [25, 227, 22]),
    ];
    assert_pixels(&read(&source, Split::Valid, 0), source.shape(), &expected);
}

#[test]
fn a_random_part_shows_its_pixels_and_nothing_beside_them() {
    // 256 x 256 is kept as it is for samples of 224; a column's red is its number, a row's green likewise.
    let ruler = RgbImage::from_fn(256, 256, |x, y| Rgb([x as u8, y as u8, 77]));
    let mut config = config(224, 224, Fit::Crop);
    // Half of the area with proportions of 4/3 is 209 wide: all parts are enlarged, which keeps straight lines straight.
    config.random_crop = Some(RandomCropConfig {
        scale: [0.08, 0.5],
        ..RandomCropConfig::default()
    });
    let (_folder, source) = one(&ruler, &config);
    let mut seen = std::collections::BTreeSet::new();
    for draw in 1..200 {
        let values = read(&source, Split::Train, draw);
        let line = |start: usize, step: usize| -> Vec<f64> {
            let places = (0..224).map(|i| f64::from(values[start + i * step]) * 255.0);
            places.collect()
        };
        // Place `i` of 224 shows `first + (i + 0.5) size / 224 - 0.5`, held at the part's edge, beyond which there is nothing
        // to take.
        let solve = |line: &[f64]| {
            let size = (line[200] - line[20]) / 180.0 * 224.0;
            let first = line[112] + 0.5 - 112.5 * size / 224.0;
            for (i, value) in line.iter().enumerate() {
                let exact = first + (i as f64 + 0.5) * size / 224.0 - 0.5;
                let held = exact.clamp(first, first + size - 1.0);
                assert!((value - held).abs() < 1e-3, "{i}: {value} {held}");
            }
            assert!((size - size.round()).abs() < 0.01 && (first - first.round()).abs() < 0.01);
            (first.round() as usize, size.round() as usize)
        };
        let (left, width) = solve(&line(0, 1));
        let (top, height) = solve(&line(224 * 224, 224));
        assert!(left + width <= 256 && top + height <= 256);
        let part = Part {
            left,
            top,
            width,
            height,
        };
        let asked = config.random_crop.as_ref().unwrap();
        assert!(is_as_asked(&part, asked, 256, 256), "{part:?}");
        let blue = &values[2 * 224 * 224..];
        assert!(blue.iter().all(|v| (v * 255.0 - 77.0).abs() < 1e-3));
        seen.insert((left, top, width, height));
    }
    assert!(seen.len() > 190, "{}", seen.len());
}

#[test]
fn a_part_of_everything_is_the_whole_photograph() {
    let ruler = RgbImage::from_fn(64, 64, |x, y| Rgb([3 * x as u8, 3 * y as u8, 9]));
    let mut config = config(64, 64, Fit::Crop);
    config.random_crop = Some(RandomCropConfig {
        scale: [1.0, 1.0],
        ratio: [1.0, 1.0],
    });
    let (_folder, source) = one(&ruler, &config);
    let (whole, part) = (
        read(&source, Split::Valid, 0),
        read(&source, Split::Train, 5),
    );
    assert!(whole.iter().zip(&part).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn photographs_of_a_single_row_or_pixel_can_be_read() {
    for (width, height) in [(1, 1), (1, 700), (700, 1), (2, 3)] {
        let photo = RgbImage::from_pixel(width, height, Rgb([255, 51, 0]));
        for fit in [Fit::Pad, Fit::Crop, Fit::Stretch] {
            let mut config = config(12, 9, fit);
            if fit == Fit::Crop {
                config.random_crop = Some(RandomCropConfig::default());
                config.centre = 0.5;
            }
            let (_folder, source) = one(&photo, &config);
            for (split, draw) in [(Split::Valid, 0), (Split::Train, 0), (Split::Train, 9)] {
                let values = read(&source, split, draw);
                let planes: Vec<_> = values.chunks(12 * 9).collect();
                for (plane, expected) in planes.iter().zip([1.0, 0.2, 0.0]) {
                    let exact = plane.iter().all(|v| (v - expected).abs() < 1e-6);
                    assert!(exact, "{width}x{height} {fit:?}");
                }
            }
        }
    }
}
