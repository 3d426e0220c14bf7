//! What a user may rely on when photographs become samples: random parts, the middle, what is kept in memory. Numbers of
//! torchvision are of version 0.29.2 on Pillow images, at most a level of 255 off because Pillow also rounds between the two
//! axes.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::Bench;
use image::{Rgb, RgbImage};
use kiln::data::fitting::crops::{Part, centred, cover};
use kiln::data::loader::{HostBatch, Loader, Order};
use kiln::data::{AugmentConfig, Fit, ImageFolderConfig, RandomCropConfig};
use kiln::data::{DataError, DataSource, Split};
use kiln::data::{View, fitting::to_sample, image_folder::ImageFolder};
use kiln::photo;
use kiln::rng;
use kiln::shape::ImageShape;
use proptest::prelude::*;

// ---- Helpers ----

/// 400 x 300: red from left to right, green from top to bottom, blue along both.
fn gradient() -> RgbImage {
    RgbImage::from_fn(400, 300, |x, y| {
        Rgb([x * 255 / 399, y * 255 / 299, x * y * 255 / (399 * 299)].map(|value| value as u8))
    })
}

/// 90 x 70 without two neighbours alike.
fn texture() -> RgbImage {
    RgbImage::from_fn(90, 70, |x, y| {
        let values = [(x * 7 + y * 13) % 200, (x * x + 3 * y) % 256, (x * y) % 251];
        Rgb(values.map(|value| value as u8))
    })
}

fn save(image: &RgbImage, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

fn config(height: usize, width: usize, fit: Fit) -> ImageFolderConfig {
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
fn one(image: &RgbImage, config: &ImageFolderConfig) -> (tempfile::TempDir, ImageFolder) {
    let folder = tempfile::tempdir().unwrap();
    for split in ["train", "valid", "test"] {
        save(image, &folder.path().join(split).join("a/0.png"));
    }
    let source = ImageFolder::open(config, folder.path()).unwrap();
    (folder, source)
}

fn read(source: &dyn DataSource, split: Split, draw: u64) -> Vec<f32> {
    let mut values = vec![f32::NAN; source.shape().values()];
    source.read(split, 0, draw, &mut values).unwrap();
    values
}

/// Bytes of the pixel in column `x` and row `y`.
fn pixel(values: &[f32], shape: ImageShape, (x, y): (usize, usize)) -> [i32; 3] {
    let plane = shape.height * shape.width;
    [0, 1, 2].map(|c| (255.0 * values[c * plane + y * shape.width + x]).round() as i32)
}

#[track_caller]
fn assert_pixels(values: &[f32], shape: ImageShape, expected: &[((usize, usize), [i32; 3])]) {
    for &(at, expected) in expected {
        let found = pixel(values, shape, at);
        let off = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
        assert!(
            off.max() <= Some(1),
            "{at:?}: found {found:?}, expected {expected:?}"
        );
    }
}

// ---- Parts ----

/// Whether rounding to whole pixels can have made this part of an area and proportions in the ranges.
fn is_as_asked(part: &Part, config: &RandomCropConfig, width: usize, height: usize) -> bool {
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

/// The largest part in the middle with allowed proportions.
fn is_the_middle(part: &Part, config: &RandomCropConfig, width: usize, height: usize) -> bool {
    let [narrow, wide] = config.ratio;
    let whole = width as f64 / height as f64;
    let (w, h) = if whole < narrow {
        (width, (width as f64 / narrow).round().max(1.0) as usize)
    } else if whole > wide {
        ((height as f64 * wide).round().max(1.0) as usize, height)
    } else {
        (width, height)
    };
    let (w, h) = (w.min(width), h.min(height));
    (part.width, part.height) == (w, h)
        && (part.left, part.top) == ((width - w) / 2, (height - h) / 2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_random_part_lies_inside_and_has_the_area_and_proportions_that_were_asked_for(
        width in prop_oneof![1usize..6, 1usize..2000], height in prop_oneof![1usize..6, 1usize..2000],
        scales in prop::array::uniform2(0.001f64..=1.0), ratios in prop::array::uniform2(0.1f64..=10.0), number: u64,
    ) {
        let ordered = |[a, b]: [f64; 2]| [a.min(b), a.max(b)];
        let config = RandomCropConfig { scale: ordered(scales), ratio: ordered(ratios) };
        let part = Part::draw(&config, width, height, &mut rng::seeded(&[number]));
        prop_assert!(part.width >= 1 && part.left + part.width <= width, "{part:?}");
        prop_assert!(part.height >= 1 && part.top + part.height <= height, "{part:?}");
        let fits = is_as_asked(&part, &config, width, height) || is_the_middle(&part, &config, width, height);
        prop_assert!(fits, "{part:?} of {width}x{height} by {config:?}");
        prop_assert_eq!(part, Part::draw(&config, width, height, &mut rng::seeded(&[number])));
    }

    #[test]
    fn the_whole_of_which_a_sample_is_the_middle_covers_it(
        width in 1usize..5000, height in 1usize..5000, rows in 1usize..400, columns in 1usize..400,
        share in 0.1f64..=1.0,
    ) {
        let shape = ImageShape { channels: 3, height: rows, width: columns };
        let (across, down) = cover(width, height, shape, share);
        prop_assert!(across >= columns && down >= rows);
        prop_assert!(centred(across, columns) + columns <= across && centred(down, rows) + rows <= down);
        // One axis is `1 / share` times the sample, to the nearest pixel.
        let exact = |side: usize, sample: usize| (side as f64 - sample as f64 / share).abs() <= 0.5 + 1e-9;
        prop_assert!(exact(across, columns) || exact(down, rows));
    }
}

#[test]
fn area_proportions_and_place_are_spread_evenly_over_their_ranges() {
    // On a square photograph every draw of at most half of the area fits, so that none is drawn anew.
    let config = RandomCropConfig {
        scale: [0.1, 0.5],
        ratio: [0.75, 1.3333],
    };
    let parts: Vec<Part> = (0..4000)
        .map(|number| Part::draw(&config, 1000, 1000, &mut rng::seeded(&[number])))
        .collect();
    let mean = |value: &dyn Fn(&Part) -> f64| parts.iter().map(value).sum::<f64>() / 4000.0;
    // Standard deviations of the means: 0.0018, 0.0026, 0.0046.
    let area = mean(&|p| (p.width * p.height) as f64 / 1e6);
    assert!((area - 0.3).abs() < 0.008, "{area}");
    let proportions = mean(&|p| (p.width as f64 / p.height as f64).ln());
    assert!(proportions.abs() < 0.011, "{proportions}");
    for place in [
        mean(&|p| p.left as f64 / (1000 - p.width) as f64),
        mean(&|p| p.top as f64 / (1000 - p.height) as f64),
    ] {
        assert!((place - 0.5).abs() < 0.019, "{place}");
    }
}

#[test]
fn sizes_and_places_of_the_middle_are_those_of_torchvision() {
    let shape = ImageShape {
        channels: 3,
        height: 224,
        width: 224,
    };
    // Resize(256) of 400 x 300 is 341 x 256, of 300 x 400 is 256 x 341, of 640 x 480 is 341 x 256 as well.
    assert_eq!(cover(400, 300, shape, 0.875), (341, 256));
    assert_eq!(cover(300, 400, shape, 0.875), (256, 341));
    assert_eq!(cover(640, 480, shape, 0.875), (341, 256));
    assert_eq!(cover(500, 500, shape, 0.875), (256, 256));
    // CenterCrop(224): int(round(117 / 2)) is 58 in Python, int(round(115 / 2)) too.
    let places = [(341, 58), (256, 16), (339, 58), (224, 0)];
    for (length, first) in places {
        assert_eq!(centred(length, 224), first, "{length}");
    }
}

// ---- Pixels ----

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

// ---- Who sees what ----

#[test]
fn only_training_sees_random_parts() {
    let mut config = config(48, 48, Fit::Crop);
    config.centre = 0.875;
    config.random_crop = Some(RandomCropConfig::default());
    let (_folder, source) = one(&texture(), &config);
    for split in [Split::Valid, Split::Test] {
        assert_eq!(read(&source, split, 0), read(&source, split, 17));
    }
    assert_ne!(
        read(&source, Split::Train, 0),
        read(&source, Split::Train, 17)
    );
    assert_ne!(
        read(&source, Split::Train, 16),
        read(&source, Split::Train, 17)
    );
    // The plain reading of a training photograph is its middle, from the reduced photograph.
    let (middle, plain) = (
        read(&source, Split::Valid, 0),
        read(&source, Split::Train, 0),
    );
    assert!(
        middle
            .iter()
            .zip(&plain)
            .all(|(a, b)| (a - b).abs() < 1.0 / 255.0)
    );
    // A loader in stored order, as an evaluation has it, reads plainly.
    let source: Arc<dyn DataSource> = Arc::new(source);
    let batch = Loader::plain(source, Split::Train, 1).batches(3).next();
    assert_eq!(batch.unwrap().unwrap().pixels, plain);
}

#[test]
fn a_photograph_on_its_own_is_seen_as_in_validation() {
    for (fit, centre) in [
        (Fit::Crop, 0.6),
        (Fit::Crop, 1.0),
        (Fit::Pad, 1.0),
        (Fit::Stretch, 1.0),
    ] {
        let mut config = config(20, 28, fit);
        config.centre = centre;
        config.random_crop = (fit == Fit::Crop).then(RandomCropConfig::default);
        let (folder, source) = one(&texture(), &config);
        let image = photo::open(&folder.path().join("valid/a/0.png")).unwrap();
        let alone = to_sample(image, source.shape(), config.view());
        assert_eq!(alone, read(&source, Split::Valid, 0), "{fit:?}");
    }
}

// ---- Memory ----

/// A little set of three classes with photographs of different sizes.
fn garden(root: &Path) {
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

fn garden_loader(root: &Path, memory_mb: usize) -> (Arc<ImageFolder>, Loader) {
    let mut config = config(24, 24, Fit::Crop);
    config.random_crop = Some(RandomCropConfig::default());
    config.memory_mb = memory_mb;
    let source = Arc::new(ImageFolder::open(&config, root).unwrap());
    let loader = Loader {
        order: Order::EachEpoch,
        augment: Some(AugmentConfig {
            flip: 0.5,
            brightness: 0.4,
            contrast: 0.4,
            saturation: 0.4,
            hue: 0.1,
            ..AugmentConfig::default()
        }),
        seed: 5,
        ..Loader::plain(source.clone(), Split::Train, 4)
    };
    (source, loader)
}

fn epoch(loader: &Loader, number: usize) -> Vec<HostBatch> {
    loader.batches(number).map(Result::unwrap).collect()
}

#[test]
fn samples_are_the_same_whether_photographs_are_kept_or_decoded_again() {
    let folder = tempfile::tempdir().unwrap();
    garden(folder.path());
    let (kept, large) = garden_loader(folder.path(), 64);
    let (not_kept, none) = garden_loader(folder.path(), 0);
    for number in 1..4 {
        assert_eq!(epoch(&large, number), epoch(&none, number));
    }
    assert_ne!(epoch(&large, 1), epoch(&large, 2));
    assert_eq!(epoch(&large, 1), epoch(&large, 1));
    assert_eq!(not_kept.kept_bytes(), 0);
    // Shorter sides are reduced from 60 - 2n (or 40 + 5n) to 27 = 24 * 8 / 7, longer ones in proportion.
    let expected: u32 = (0..9)
        .map(|n| {
            let (w, h): (u32, u32) = (40 + 5 * n, 60 - 2 * n);
            3 * 27 * (27 * w.max(h) / w.min(h))
        })
        .sum();
    assert_eq!(kept.kept_bytes(), expected as usize);
}

#[test]
fn the_memory_limit_is_kept_and_the_rest_is_decoded_again() {
    let folder = tempfile::tempdir().unwrap();
    // 600 x 600 in colour are 1.03 of 2^20 bytes; two of three do not fit into 2.
    for number in 0..3 {
        let photo = RgbImage::from_pixel(600, 600, Rgb([number, 2, 3]));
        save(&photo, &folder.path().join(format!("train/a/{number}.png")));
    }
    let mut config = config(600, 600, Fit::Crop);
    config.memory_mb = 2;
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    for _ in 0..2 {
        source.check().unwrap();
        assert_eq!(source.kept_bytes(), 600 * 600 * 3);
    }
    config.memory_mb = 4;
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    source.check().unwrap();
    assert_eq!(source.kept_bytes(), 3 * 600 * 600 * 3);
}

#[test]
fn a_run_on_photographs_is_the_same_with_any_number_of_threads_and_any_memory() {
    let bench = Bench::new();
    garden(&bench.path("garden"));
    let config = serde_json::json!({
        "data": {
            "kind": "image_folder", "folder": bench.path("garden"), "channels": 3, "height": 24, "width": 24,
            "fit": "crop", "centre": 0.875, "random_crop": {},
            "augment": {"flip": 0.5, "brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1},
        },
        "model": {"kind": "cnn", "channels": [4]},
        "training": {"epochs": 2, "batch_size": 4},
    });
    bench.write("garden.json", config.to_string());
    for (name, threads, memory) in [("one", "1", 64), ("four", "4", 64), ("none", "4", 0)] {
        bench
            .kiln(&format!(
                "train garden.json --run-dir {name} --set data.memory_mb={memory}"
            ))
            .env("RAYON_NUM_THREADS", threads)
            .assert()
            .success();
    }
    for file in ["model.safetensors", "metrics.jsonl"] {
        let first = bench.read(&format!("one/{file}"));
        for other in ["four", "none"] {
            assert!(first == bench.read(&format!("{other}/{file}")), "{file}");
        }
    }
    // `predict` sees a photograph as the run's validation did, and so is as sure as the network is of those values.
    let path = bench.path("garden/valid/1/1.png");
    let guess = &bench.json(&format!("predict one {} --json", path.display()))[0]["guesses"][0];
    let classifier = kiln::inference::Classifier::load(
        &bench.path("one/model.safetensors"),
        &burn::prelude::Device::flex(),
    )
    .unwrap();
    let view = View {
        fit: Fit::Crop,
        centre: 0.875,
    };
    let pixels = to_sample(photo::open(&path).unwrap(), classifier.card().input, view);
    let expected = classifier.probabilities(pixels, 1).unwrap().concat();
    let expected = expected.into_iter().fold(0.0, f32::max);
    assert_eq!(guess["confidence"].as_f64().unwrap() as f32, expected);
}

/// Counts how many samples were read.
struct Counting {
    shape: ImageShape,
    classes: Vec<String>,
    read: AtomicUsize,
}

impl DataSource for Counting {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, _: Split) -> usize {
        160
    }

    fn label(&self, _: Split, _: usize) -> usize {
        0
    }

    fn read(&self, _: Split, _: usize, _: u64, _: &mut [f32]) -> Result<(), DataError> {
        self.read.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn few_batches_of_large_images_are_made_ahead() {
    let source = Arc::new(Counting {
        shape: ImageShape {
            channels: 3,
            height: 512,
            width: 512,
        },
        classes: vec!["a".into()],
        read: AtomicUsize::new(0),
    });
    let mut batches = Loader::plain(source.clone(), Split::Train, 16).batches(1);
    assert!(batches.next().is_some());
    std::thread::sleep(std::time::Duration::from_millis(300));
    // 50 MB a batch: the one in use, one that waits, one that is being made.
    assert!(source.read.load(Ordering::Relaxed) <= 3 * 16);
    assert_eq!(batches.count(), 9);
}

// ---- Pictures and real data ----

#[test]
fn the_sample_sheet_shows_random_parts() {
    let bench = Bench::new();
    garden(&bench.path("garden"));
    let config = serde_json::json!({
        "data": {
            "kind": "image_folder", "folder": bench.path("garden"), "channels": 3, "height": 24, "width": 24,
            "fit": "crop",
        },
        "model": {"kind": "cnn", "channels": [4]},
    });
    bench.write("garden.json", config.to_string());
    bench.output("data info garden.json --grid plain.png");
    bench.output("data info garden.json --grid varied.png --set data.random_crop={}");
    assert_ne!(bench.read("plain.png"), bench.read("varied.png"));
}

#[test]
#[cfg_attr(not(kiln_data = "flowers17"), ignore = "needs flowers17 in KILN_DATA")]
fn the_flowers_are_read_as_squeezenet_takes_them() {
    let root = common::real_data();
    let mut config = config(224, 224, Fit::Crop);
    config.folder = "flowers17".into();
    config.centre = 0.875;
    config.random_crop = Some(RandomCropConfig::default());
    let source = Arc::new(ImageFolder::open(&config, &root).unwrap());
    assert_eq!(Split::ALL.map(|split| source.len(split)), [680, 340, 340]);
    let loader = Loader {
        order: Order::EachEpoch,
        augment: Some(AugmentConfig {
            flip: 0.5,
            brightness: 0.4,
            hue: 0.1,
            ..AugmentConfig::default()
        }),
        seed: 1,
        ..Loader::plain(source.clone(), Split::Train, 32)
    };
    // The first pass decodes, the second has the photographs in memory. Sums of bits, as an epoch is 400 MB.
    let fingerprint = || {
        let batches = loader.batches(1).map(Result::unwrap);
        batches.fold((0usize, 0u64), |(count, hash), batch| {
            let bits = batch.pixels.iter().map(|value| u64::from(value.to_bits()));
            let hash = bits.fold(hash, |hash, bits| hash.wrapping_mul(31).wrapping_add(bits));
            (count + batch.labels.len(), hash)
        })
    };
    let first = fingerprint();
    assert_eq!(first.0, 680);
    assert_eq!(first, fingerprint());
    let megabytes = source.kept_bytes() >> 20;
    assert!((100..250).contains(&megabytes), "{megabytes}");
}
