//! What a user may rely on when a photograph is taken otherwise: nearer or further, aslant, in worse light, saved smaller.
//! With the real pages under KILN_DATA and the model that kiln ships.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, invert, resize, rotate90, rotate180, rotate270};
use imageproc::geometric_transformations::{Border, Interpolation, rotate_about_center};
use kiln::config::Backend;
use kiln::inference::Classifier;
use kiln::metrics::text::{TextScore, score, total};
use kiln::{device, ocr, photo};

/// What a worse photograph may cost: two of a hundred characters.
const MOST_LOST: f64 = 0.02;

fn model() -> &'static Classifier {
    static MODEL: OnceLock<Classifier> = OnceLock::new();
    MODEL.get_or_init(|| ocr::shipped_model(&device::open(Backend::default()).unwrap()).unwrap())
}

/// Photographs of a folder with their lines.
fn pages(folder: &Path) -> Vec<(String, RgbImage, Vec<String>)> {
    let truth = std::fs::read_to_string(folder.join("ground-truth.json")).unwrap();
    let truth: BTreeMap<String, Vec<String>> = serde_json::from_str(&truth).unwrap();
    let open = |name: &String| photo::open(&folder.join(name)).unwrap().into_rgb8();
    truth
        .into_iter()
        .map(|(name, lines)| (name.clone(), open(&name), lines))
        .collect()
}

/// I and 1, and O and 0, look alike in print; which it is, is said by neighbours, not by the photograph.
fn folded(line: &str) -> String {
    line.replace('1', "I").replace('0', "O")
}

/// Character accuracy without spaces, look-alikes counted as one.
fn accuracy(photo: &RgbImage, truth: &[String]) -> f64 {
    let reading = ocr::read(photo, model()).unwrap();
    let lines = reading.page.lines.iter().map(|line| folded(&line.text));
    let truth: Vec<String> = truth.iter().map(|line| folded(line)).collect();
    score(&lines.collect::<Vec<_>>(), &truth)
        .characters_without_spaces
        .accuracy
}

fn read(photo: &RgbImage, truth: &[String]) -> TextScore {
    let reading = ocr::read(photo, model()).unwrap();
    let lines = reading.page.lines.iter().map(|line| line.text.clone());
    score(&lines.collect::<Vec<_>>(), truth)
}

/// Brightness falls to 40 % from the upper left corner to the lower right one.
fn shaded(photo: &RgbImage) -> RgbImage {
    let (width, height) = photo.dimensions();
    let mut shaded = photo.clone();
    for (x, y, pixel) in shaded.enumerate_pixels_mut() {
        let along = (x as f32 / width as f32 + y as f32 / height as f32) / 2.0;
        let light = 1.0 - 0.6 * along;
        pixel.0 = pixel.0.map(|value| (f32::from(value) * light) as u8);
    }
    shaded
}

fn turned(photo: &RgbImage, degrees: f32) -> RgbImage {
    let turn = degrees.to_radians();
    rotate_about_center(photo, turn, Interpolation::Bilinear, Border::Replicate)
}

fn saved_small(photo: &RgbImage) -> RgbImage {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 40)
        .encode_image(photo)
        .unwrap();
    photo::decode(&bytes, Path::new("small.jpg"))
        .unwrap()
        .into_rgb8()
}

/// A way to take a worse photograph, with its name.
type Change = (&'static str, fn(&RgbImage) -> RgbImage);

const CHANGES: [Change; 6] = [
    ("half size", |photo| {
        resize(
            photo,
            photo.width() / 2,
            photo.height() / 2,
            FilterType::Triangle,
        )
    }),
    ("double size", |photo| {
        resize(
            photo,
            2 * photo.width(),
            2 * photo.height(),
            FilterType::Triangle,
        )
    }),
    ("turned by 3 degrees", |photo| turned(photo, 3.0)),
    ("turned by -3 degrees", |photo| turned(photo, -3.0)),
    ("brightness gradient", shaded),
    ("JPEG quality 40", saved_small),
];

#[test]
#[cfg_attr(
    not(kiln_data = "hw4-images"),
    ignore = "needs hw4-images in KILN_DATA"
)]
fn the_course_pages_are_read_as_well_in_worse_photographs() {
    let data = common::real_data();
    let mut lost = Vec::new();
    for (name, photo, truth) in pages(&data.join("hw4-images")) {
        let untouched = accuracy(&photo, &truth);
        for (change, make) in CHANGES {
            let changed = accuracy(&make(&photo), &truth);
            eprintln!("{name}, {change}: {changed:.4}, untouched {untouched:.4}");
            if untouched - changed > MOST_LOST {
                lost.push(format!("{name}, {change}: {changed:.4} of {untouched:.4}"));
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

/// A copy at half size.
fn half(photo: &RgbImage) -> RgbImage {
    resize(
        photo,
        photo.width() / 2,
        photo.height() / 2,
        FilterType::Lanczos3,
    )
}

fn inverted(photo: &RgbImage) -> RgbImage {
    let mut inverted = photo.clone();
    invert(&mut inverted);
    inverted
}

#[test]
#[cfg_attr(not(kiln_data = "photos"), ignore = "needs photos in KILN_DATA")]
fn photographs_that_are_read_without_an_error_stay_so_at_any_size_either_way_up_and_inverted() {
    const OTHERS: [Change; 5] = [
        ("half size", half),
        ("upside down", rotate180),
        ("inverted", inverted),
        ("on its side and inverted", |photo| {
            inverted(&rotate90(photo))
        }),
        ("half size, on its side and inverted", |photo| {
            inverted(&rotate270(&half(photo)))
        }),
    ];
    let data = common::real_data();
    for (name, photo, truth) in pages(&data.join("photos")) {
        for (change, make) in OTHERS {
            let found = accuracy(&make(&photo), &truth);
            assert!(found == 1.0, "{name}, {change}: {found:.4}");
        }
    }
}

#[test]
#[cfg_attr(
    not(kiln_data = "hw4-images"),
    ignore = "needs hw4-images in KILN_DATA"
)]
fn the_course_pages_are_read_with_their_spaces() {
    let data = common::real_data();
    // 02_letters is written with wide gaps: letters that stand alone have no spaces between them.
    let scores: Vec<TextScore> = pages(&data.join("hw4-images"))
        .iter()
        .filter(|(name, ..)| name != "02_letters.jpg")
        .map(|(_, photo, truth)| read(photo, truth))
        .collect();
    let all = total(&scores);
    eprintln!("with spaces: {:.4}", all.characters.accuracy);
    let about_spaces = all
        .confusions
        .iter()
        .filter(|confusion| [confusion.truth, confusion.read].contains(&Some(' ')));
    assert_eq!(about_spaces.count(), 0, "{:?}", all.confusions);
}
