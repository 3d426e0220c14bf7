//! Which split sees what, and pictures of it.

use crate::common::Bench;
use crate::support::{config, garden, one, read, texture};
use kiln::data::AugmentConfig;
use kiln::data::DataSource;
use kiln::data::Fit;
use kiln::data::RandomCropConfig;
use kiln::data::Split;
use kiln::data::fitting::to_sample;
use kiln::data::image_folder::ImageFolder;
use kiln::data::loader::Loader;
use kiln::data::loader::Order;
use kiln::photo;
use std::sync::Arc;

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
    let root = crate::common::real_data();
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
