//! Photographs kept in memory, and batches made ahead.

use crate::common::Bench;
use crate::support::{config, garden, save};
use image::Rgb;
use image::RgbImage;
use kiln::data::AugmentConfig;
use kiln::data::DataError;
use kiln::data::DataSource;
use kiln::data::Fit;
use kiln::data::RandomCropConfig;
use kiln::data::Split;
use kiln::data::View;
use kiln::data::fitting::to_sample;
use kiln::data::image_folder::ImageFolder;
use kiln::data::loader::HostBatch;
use kiln::data::loader::Loader;
use kiln::data::loader::Order;
use kiln::photo;
use kiln::progress::Monitor;
use kiln::shape::ImageShape;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

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
        source.check(&Split::ALL, &Monitor::default()).unwrap();
        assert_eq!(source.kept_bytes(), 600 * 600 * 3);
    }
    config.memory_mb = 4;
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    source.check(&Split::ALL, &Monitor::default()).unwrap();
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
