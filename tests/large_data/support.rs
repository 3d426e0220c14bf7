//! Photographs in folders, and sources that read them with a cache.

use image::{Rgb, RgbImage};
use kiln::data::image_folder::ImageFolder;
use kiln::data::{DataSource, Fit, ImageFolderConfig, RandomCropConfig, Split};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Number of photographs in `train/`, of two classes; `valid/` has two.
pub const TRAIN: usize = 6;

/// Makes the folders of a data set. The files are an hour old: new ones are not cached.
pub fn photographs(root: &Path) {
    for number in 0..TRAIN as u32 {
        save(
            number,
            &root.join(format!("train/{}/{number}.png", number % 2)),
        );
    }
    save(100, &root.join("valid/0/a.png"));
    save(101, &root.join("valid/1/b.png"));
}

/// Writes a photograph of 64 x 48 that is like no other, an hour ago.
pub fn save(seed: u32, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixel = |x: u32, y: u32| [x * 3 + seed * 17, y * 5 + seed * 31, x * y + seed * 7];
    let image = RgbImage::from_fn(64, 48, |x, y| Rgb(pixel(x, y).map(|v| (v % 256) as u8)));
    image.save(path).unwrap();
    age(path, 3600);
}

/// Makes a file as old as that many seconds.
pub fn age(path: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

/// Crops at random, without memory for images, with the cache in `cache/`.
pub fn config() -> ImageFolderConfig {
    ImageFolderConfig {
        folder: ".".into(),
        height: 24,
        width: 24,
        channels: 3,
        fit: Fit::Crop,
        centre: 0.875,
        random_crop: Some(RandomCropConfig::default()),
        memory_mb: 0,
        cache: Some("cache".into()),
        ..ImageFolderConfig::default()
    }
}

pub fn open(config: &ImageFolderConfig, root: &Path) -> ImageFolder {
    ImageFolder::open(config, root).unwrap()
}

/// All samples, training with two draws.
pub fn values(source: &dyn DataSource) -> Vec<Vec<f32>> {
    let read = |split, index, draw| {
        let mut values = vec![f32::NAN; source.shape().values()];
        source.read(split, index, draw, &mut values).unwrap();
        values
    };
    let mut all = Vec::new();
    for split in Split::ALL {
        for index in 0..source.len(split) {
            all.extend([0, 77].map(|draw| read(split, index, draw)));
        }
    }
    all
}

/// The values without any cache.
pub fn decoded(root: &Path) -> Vec<Vec<f32>> {
    values(&open(
        &ImageFolderConfig {
            cache: None,
            ..config()
        },
        root,
    ))
}

/// The entries of a cache: its only files without an extension two folders below a form.
pub fn entries(cache: &Path) -> Vec<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let found = std::fs::read_dir(folder).into_iter().flatten();
        let found = found.map(|entry| entry.unwrap().path());
        found.filter(|path| path.is_dir()).collect()
    };
    let shards = folders(cache)
        .iter()
        .flat_map(|set| folders(set))
        .collect::<Vec<_>>();
    let shards = shards.iter().flat_map(|form| folders(form));
    let mut found: Vec<PathBuf> = shards
        .flat_map(|shard| {
            std::fs::read_dir(shard)
                .unwrap()
                .map(|entry| entry.unwrap().path())
        })
        .collect();
    found.sort();
    found
}

/// Bytes of the entries of a cache, in whole blocks of 4096.
pub fn size(cache: &Path) -> u64 {
    let length = |path: &PathBuf| {
        std::fs::metadata(path)
            .unwrap()
            .len()
            .next_multiple_of(4096)
    };
    entries(cache).iter().map(length).sum()
}
