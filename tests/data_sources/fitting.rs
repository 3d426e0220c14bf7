//! How images of other shapes become samples.

use crate::common::real_data;
use crate::support::{counts, folder_config, per_class, sample, save_grey};
use image::Rgb;
use image::RgbImage;
use image::Rgba;
use image::RgbaImage;
use kiln::data::DataSource;
use kiln::data::Fit;
use kiln::data::ImageFolderConfig;
use kiln::data::Split;
use kiln::data::image_folder::ImageFolder;
use kiln::shape::ImageShape;
use std::fs;

#[test]
fn padding_keeps_proportions_and_takes_the_colour_of_the_border() {
    let folder = tempfile::tempdir().unwrap();
    // Twice as high as wide: paper of 200 with a black block in the middle half.
    save_grey(folder.path().join("a/a.png"), 20, 40, |x, y| {
        if (5..15).contains(&x) && (10..30).contains(&y) {
            0
        } else {
            200
        }
    });
    let config = folder_config((32, 32), 1, Fit::Pad);
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    let image = sample(&source, Split::Train, 0);
    let paper = 200.0 / 255.0;
    // 16 of 32 columns are the image, so the block is columns 12..20 and rows 8..24.
    assert_eq!(image[16 * 32..][..8], [paper; 8]);
    assert_eq!(image[16 * 32 + 24..][..8], [paper; 8]);
    assert_eq!(image[16 * 32 + 14..][..4], [0.0; 4]);
    assert_eq!([image[16], image[31 * 32 + 16]], [paper; 2]);
    let ink: f32 = image.iter().map(|v| 1.0 - v / paper).sum();
    // 8 x 16 pixels of ink, whatever the edges look like.
    assert!((ink - 128.0).abs() < 2.0, "{ink}");
}

#[test]
fn cropping_takes_the_middle_and_stretching_takes_all() {
    let folder = tempfile::tempdir().unwrap();
    // Black, then white in the middle, then black: 40 wide, 20 high. Two columns more than are cut out are white, because
    // the image is reduced by two before it is cut, and so its edge takes a little from beyond.
    save_grey(folder.path().join("a/a.png"), 40, 20, |x, _| {
        if (8..32).contains(&x) { 255 } else { 0 }
    });
    let read = |fit| {
        let source = ImageFolder::open(&folder_config((10, 10), 1, fit), folder.path()).unwrap();
        sample(&source, Split::Train, 0)
    };
    assert_eq!(read(Fit::Crop), [1.0; 100]);
    let stretched = read(Fit::Stretch);
    assert_eq!([stretched[0], stretched[5], stretched[9]], [0.0, 1.0, 0.0]);
}

#[test]
fn shrinking_averages_over_the_area() {
    let folder = tempfile::tempdir().unwrap();
    // Single black and white pixels in turn: any point sampling gives black or white, the average is grey.
    save_grey(folder.path().join("a/a.png"), 64, 64, |x, y| {
        if (x + y) % 2 == 0 { 255 } else { 0 }
    });
    let source = ImageFolder::open(&folder_config((8, 8), 1, Fit::Stretch), folder.path()).unwrap();
    for value in sample(&source, Split::Train, 0) {
        assert!((value - 0.5).abs() < 0.01, "{value}");
    }
}

#[test]
fn colours_come_channel_by_channel_and_transparency_shows_white() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a")).unwrap();
    RgbImage::from_pixel(6, 6, Rgb([51, 102, 255]))
        .save(folder.path().join("a/0.png"))
        .unwrap();
    RgbaImage::from_pixel(6, 6, Rgba([0, 0, 0, 0]))
        .save(folder.path().join("a/1.png"))
        .unwrap();
    RgbaImage::from_pixel(6, 6, Rgba([0, 51, 0, 204]))
        .save(folder.path().join("a/2.png"))
        .unwrap();
    let config = folder_config((2, 3), 3, Fit::Stretch);
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    assert_eq!(
        source.shape(),
        ImageShape {
            channels: 3,
            height: 2,
            width: 3
        }
    );
    let planes = |r: f32, g: f32, b: f32| [[r; 6], [g; 6], [b; 6]].concat();
    assert_eq!(sample(&source, Split::Train, 0), planes(0.2, 0.4, 1.0));
    assert_eq!(sample(&source, Split::Train, 1), planes(1.0, 1.0, 1.0));
    // 0.8 of the colour and 0.2 of white: 51, 0.8 * 51 + 51 = 91.8, 51.
    assert_eq!(
        sample(&source, Split::Train, 2),
        planes(0.2, 92.0 / 255.0, 0.2)
    );
    // One channel of the same files.
    let grey = ImageFolder::open(&folder_config((2, 3), 1, Fit::Pad), folder.path()).unwrap();
    assert_eq!(sample(&grey, Split::Train, 1), [1.0; 6]);
}

#[test]
#[cfg_attr(
    not(kiln_data = "handwritten36"),
    ignore = "needs handwritten36 in KILN_DATA"
)]
fn the_photographed_characters_are_all_there() {
    let root = real_data();
    let config = ImageFolderConfig {
        folder: "handwritten36".into(),
        ..ImageFolderConfig::default()
    };
    let source = ImageFolder::open(&config, &root).unwrap();
    assert_eq!(
        source.classes().concat(),
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    );
    assert_eq!(counts(&source).iter().sum::<usize>(), 3_346);
    // A tenth each, within four standard deviations (17 files each).
    assert!(
        counts(&source)[1..].iter().all(|n| n.abs_diff(335) < 70),
        "{:?}",
        counts(&source)
    );
    // Dark pen on light paper.
    let image = sample(&source, Split::Train, 0);
    let mean = image.iter().sum::<f32>() / image.len() as f32;
    assert!((0.4..1.0).contains(&mean), "{mean}");
}

#[test]
#[cfg_attr(not(kiln_data = "flowers17"), ignore = "needs flowers17 in KILN_DATA")]
fn the_flowers_come_in_their_own_split() {
    let root = real_data();
    let mut config = folder_config((24, 24), 3, Fit::Crop);
    config.folder = "flowers17".into();
    let source = ImageFolder::open(&config, &root).unwrap();
    assert_eq!(
        source.classes().join(" "),
        "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"
    );
    assert_eq!(counts(&source), [680, 340, 340]);
    assert_eq!(per_class(&source, Split::Train), [40; 17]);
    assert_eq!(per_class(&source, Split::Test), [20; 17]);
    assert!(
        sample(&source, Split::Valid, 339)
            .iter()
            .all(|v| (0.0..=1.0).contains(v))
    );
}
