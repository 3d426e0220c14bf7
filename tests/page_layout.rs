//! What a user may rely on where the writing of a page doesn't lie straight before the reader: columns, fields, sheets in perspective,
//! lines that slant. Drawn pages, whose text is known.

#[path = "common/sheets.rs"]
mod sheets;

use std::sync::OnceLock;

use image::imageops;
use image::{Rgb, RgbImage};
use kiln::config::Backend;
use kiln::inference::Classifier;
use kiln::metrics::text::score;
use kiln::ocr::{Page, Reading, Unreadable};
use kiln::{device, ocr};
use sheets::{PAPER, block_of, page, slanting};

const TEXT: [&str; 4] = [
    "THE SHIP LEFT THE",
    "HARBOUR AT DAWN AND",
    "SAILED NORTH UNTIL",
    "THE FOG CAME DOWN",
];
const OTHER: [&str; 4] = [
    "WHEN IT CLEARED WE",
    "SAW A LONG WHITE BEACH",
    "AND 12 HOUSES ABOVE",
    "THE WATER",
];

fn model() -> &'static Classifier {
    static MODEL: OnceLock<Classifier> = OnceLock::new();
    MODEL.get_or_init(|| ocr::shipped_model(&device::open(Backend::default()).unwrap()).unwrap())
}

fn reading(photo: &RgbImage) -> Reading {
    ocr::read(photo, model()).unwrap()
}

fn read(photo: &RgbImage) -> Page {
    reading(photo).page
}

/// Accuracy of the characters in their order, without spaces.
fn accuracy(page: &Page, truth: &[&str]) -> f64 {
    let truth: Vec<String> = truth.iter().map(|line| (*line).to_string()).collect();
    let score = score(&page.text_lines(), &truth);
    score.characters_without_spaces.accuracy
}

#[test]
fn two_columns_under_a_heading_are_read_one_after_the_other() {
    let heading = ["A VOYAGE"];
    let truth = [&heading[..], &TEXT, &OTHER].concat();
    for (seed, gutter, lower) in [(1, 170, 0), (3, 200, 75)] {
        let (title, left, right) = (
            block_of(&heading, seed),
            block_of(&TEXT, seed + 10),
            block_of(&OTHER, seed + 20),
        );
        let top = 180 + title.height();
        let page = page(&[
            (&title, 100, 100),
            (&left, 100, top),
            (&right, 100 + left.width() + gutter, top + lower),
        ]);
        let read = read(&page);
        let accuracy = accuracy(&read, &truth);
        assert!(
            accuracy >= 0.95,
            "{seed}: {accuracy}: {:?}",
            read.text_lines()
        );
        assert_eq!(read.lines.len(), truth.len(), "{:?}", read.text_lines());
    }
}

#[test]
fn columns_of_level_lines_are_read_one_after_the_other_if_the_space_between_them_is_wide() {
    // One line fills its column, the others do not.
    let ragged = [
        "AND THEN",
        "THE WIND TURNED TO THE NORTH",
        "SO WE MADE CAMP",
        "BY THE OLD WALL",
    ];
    let truth = [&TEXT[..], &ragged].concat();
    for gutter in [150, 240] {
        let (left, right) = (block_of(&TEXT, 31), block_of(&ragged, 32));
        let page = page(&[
            (&left, 100, 100),
            (&right, 100 + left.width() + gutter, 100),
        ]);
        let read = read(&page);
        let accuracy = accuracy(&read, &truth);
        assert!(
            accuracy >= 0.95,
            "{gutter}: {accuracy}: {:?}",
            read.text_lines()
        );
    }
}

#[test]
fn values_are_read_beside_the_names_of_their_fields() {
    let names = block_of(&["NAME", "CITY", "STREET", "PHONE"], 4);
    let values = block_of(&["JOHN SMITH", "PARIS", "HIGH ROAD 7", "5550172"], 5);
    for gap in [150, 420] {
        let page = page(&[
            (&names, 100, 100),
            (&values, 100 + names.width() + gap, 100),
        ]);
        let read = read(&page);
        let truth = [
            "NAME JOHN SMITH",
            "CITY PARIS",
            "STREET HIGH ROAD 7",
            "PHONE 5550172",
        ];
        assert_eq!(read.lines.len(), 4, "{:?}", read.text_lines());
        let accuracy = accuracy(&read, &truth);
        assert!(
            accuracy >= 0.93,
            "{gap}: {accuracy}: {:?}",
            read.text_lines()
        );
    }
}

/// What a camera sees of a sheet on a dark desk: tilted by `tilt` degrees about its own horizontal axis, turned by `turn` before that.
/// Returns also where a point of the sheet is in the image.
fn photographed(
    sheet: &RgbImage,
    tilt: f64,
    turn: f64,
) -> (RgbImage, impl Fn(f64, f64) -> (f64, f64)) {
    let (width, height) = (1600.0, 1200.0);
    let (sheet_width, sheet_height) = (f64::from(sheet.width()), f64::from(sheet.height()));
    let (tilt, turn) = (tilt.to_radians(), turn.to_radians());
    let focal = 1.1 * width;
    let distance = focal * 1.25 * sheet_width / width;
    let seen = move |x: f64, y: f64| {
        let (x, y) = (x - sheet_width / 2.0, y - sheet_height / 2.0);
        let (x, y) = (
            x * turn.cos() - y * turn.sin(),
            x * turn.sin() + y * turn.cos(),
        );
        let depth = distance - y * tilt.sin();
        (
            width / 2.0 + focal * x / depth,
            height / 2.0 + focal * y * tilt.cos() / depth,
        )
    };
    let mut photo = RgbImage::from_pixel(width as u32, height as u32, Rgb([48, 44, 40]));
    for (column, row, pixel) in photo.enumerate_pixels_mut() {
        // The ray through the pixel meets the sheet's plane.
        let (u, v) = (
            (f64::from(column) + 0.5 - width / 2.0) / focal,
            (f64::from(row) + 0.5 - height / 2.0) / focal,
        );
        let y = v * distance / (tilt.cos() + v * tilt.sin());
        let x = u * (distance - y * tilt.sin());
        let (x, y) = (
            x * turn.cos() + y * turn.sin(),
            y * turn.cos() - x * turn.sin(),
        );
        let (x, y) = (x + sheet_width / 2.0 - 0.5, y + sheet_height / 2.0 - 0.5);
        let on_sheet = x >= 0.0 && y >= 0.0 && x < sheet_width - 1.0 && y < sheet_height - 1.0;
        if let Some(seen) = on_sheet
            .then(|| imageops::interpolate_bilinear(sheet, x as f32, y as f32))
            .flatten()
        {
            *pixel = seen;
        }
    }
    (photo, seen)
}

#[test]
fn a_sheet_in_steep_perspective_is_read_and_its_boxes_are_those_of_the_photograph() {
    let text = block_of(&TEXT, 6);
    let sheet = page(&[(&text, 100, 100)]);
    let flat = read(&sheet);
    assert!(accuracy(&flat, &TEXT) >= 0.97, "{:?}", flat.text_lines());
    for (tilt, turn) in [(50.0, 12.0), (35.0, -25.0)] {
        let (photo, seen) = photographed(&sheet, tilt, turn);
        let read = read(&photo);
        let accuracy = accuracy(&read, &TEXT);
        assert!(
            accuracy >= 0.95,
            "{tilt} {turn}: {accuracy}: {:?}",
            read.text_lines()
        );
        assert_eq!((read.width, read.height), photo.dimensions());
        // The middle of the first line, on the sheet and in the photograph.
        let line = |page: &Page| page.lines[0].bounds;
        let middle = |b: kiln::segmentation::Rect| {
            let half = |length: u32| f64::from(length) / 2.0;
            (
                f64::from(b.x) + half(b.width),
                f64::from(b.y) + half(b.height),
            )
        };
        let flat = middle(line(&flat));
        let (expected, found) = (seen(flat.0, flat.1), middle(line(&read)));
        let off = (expected.0 - found.0).hypot(expected.1 - found.1);
        assert!(off < 40.0, "{tilt} {turn}: {expected:?} {found:?}");
    }
}

#[test]
fn lines_may_slant_by_any_angle() {
    let text = block_of(&TEXT, 7);
    let upright = page(&[(&text, 100, 100)]);
    for (degrees, rotated) in [(45.0, 315), (150.0, 210)] {
        let read = read(&slanting(&upright, degrees));
        let accuracy = accuracy(&read, &TEXT);
        assert!(
            accuracy >= 0.95,
            "{degrees}: {accuracy}: {:?}",
            read.text_lines()
        );
        assert!(
            read.rotated.abs_diff(rotated) <= 1,
            "{degrees}: {}",
            read.rotated
        );
    }
}

#[test]
fn a_page_without_writing_says_why_nothing_is_read() {
    let blank = RgbImage::from_pixel(900, 700, PAPER);
    assert_eq!(reading(&blank).unreadable, Some(Unreadable::Blank));
    // Specks of dirt.
    let mut specks = RgbImage::from_pixel(1600, 1200, PAPER);
    for (left, top, side) in [(300, 200, 8), (900, 640, 12), (1210, 1010, 16)] {
        let speck = RgbImage::from_pixel(side, side + 3, Rgb([90; 3]));
        imageops::replace(&mut specks, &speck, left, top);
    }
    let specks = reading(&specks);
    assert_eq!(specks.page.lines, Vec::new());
    let reason = specks.unreadable.expect("nothing to read");
    assert_ne!(reason, Unreadable::Blank);
    let reason = reason.to_string();
    assert!(!reason.is_empty() && !reason.ends_with('.'), "{reason}");
    let written = reading(&page(&[(&block_of(&TEXT, 8), 100, 100)]));
    assert_eq!(written.unreadable, None);
}
