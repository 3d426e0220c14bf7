//! Photographs made here, and reading samples of them.

use image::Rgb;
use image::RgbImage;
use kiln::data::DataSource;
use kiln::data::Fit;
use kiln::data::ImageFolderConfig;
use kiln::data::RandomCropConfig;
use kiln::data::Split;
use kiln::data::fitting::crops::Part;
use kiln::data::image_folder::ImageFolder;
use kiln::shape::ImageShape;
use std::path::Path;

/// 400 x 300: red from left to right, green from top to bottom, blue along both.
pub fn gradient() -> RgbImage {
    RgbImage::from_fn(400, 300, |x, y| {
        Rgb([x * 255 / 399, y * 255 / 299, x * y * 255 / (399 * 299)].map(|value| value as u8))
    })
}

/// 90 x 70 without two neighbours alike.
pub fn texture() -> RgbImage {
    RgbImage::from_fn(90, 70, |x, y| {
        let values = [(x * 7 + y * 13) % 200, (x * x + 3 * y) % 256, (x * y) % 251];
        Rgb(values.map(|value| value as u8))
    })
}

pub fn save(image: &RgbImage, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

pub fn config(height: usize, width: usize, fit: Fit) -> ImageFolderConfig {
    ImageFolderConfig {
        folder: ".".into(),
        height,
        width,
        channels: 3,
        fit,
        ..ImageFolderConfig::default()
    }
}

/// One photograph in each split.
pub fn one(image: &RgbImage, config: &ImageFolderConfig) -> (tempfile::TempDir, ImageFolder) {
    let folder = tempfile::tempdir().unwrap();
    for split in ["train", "valid", "test"] {
        save(image, &folder.path().join(split).join("a/0.png"));
    }
    let source = ImageFolder::open(config, folder.path()).unwrap();
    (folder, source)
}

pub fn read(source: &dyn DataSource, split: Split, draw: u64) -> Vec<f32> {
    let mut values = vec![f32::NAN; source.shape().values()];
    source.read(split, 0, draw, &mut values).unwrap();
    values
}

/// Bytes of the pixel in column `x` and row `y`.
pub fn pixel(values: &[f32], shape: ImageShape, (x, y): (usize, usize)) -> [i32; 3] {
    let plane = shape.height * shape.width;
    [0, 1, 2].map(|c| (255.0 * values[c * plane + y * shape.width + x]).round() as i32)
}

#[track_caller]
pub fn assert_pixels(values: &[f32], shape: ImageShape, expected: &[((usize, usize), [i32; 3])]) {
    for &(at, expected) in expected {
        let found = pixel(values, shape, at);
        let off = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
        assert!(
            off.max() <= Some(1),
            "{at:?}: found {found:?}, expected {expected:?}"
        );
    }
}

/// A little set of three classes with photographs of different sizes.
pub fn garden(root: &Path) {
    for (split, count) in [("train", 9), ("valid", 3), ("test", 3)] {
        for number in 0..count {
            let (class, shade) = (number % 3, 40 * (number % 3) as u8 + number as u8);
            let photo = RgbImage::from_fn(40 + 5 * number, 60 - 2 * number, |x, y| {
                Rgb([shade + x as u8, 3 * y as u8, (x * y % 200) as u8])
            });
            save(&photo, &root.join(format!("{split}/{class}/{number}.png")));
        }
    }
}

/// Whether rounding to whole pixels can have made this part of an area and proportions in the ranges.
pub fn is_as_asked(part: &Part, config: &RandomCropConfig, width: usize, height: usize) -> bool {
    let (w, h, area) = (
        part.width as f64,
        part.height as f64,
        (width * height) as f64,
    );
    let [least, most] = config.scale;
    let [narrow, wide] = config.ratio;
    let slack = 1e-9;
    (w + 0.5) * (h + 0.5) / area >= least - slack
        && (w - 0.5) * (h - 0.5) / area <= most + slack
        && (w + 0.5) / (h - 0.5) >= narrow - slack
        && (w - 0.5) / (h + 0.5) <= wide + slack
}
