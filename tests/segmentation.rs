//! What a user may rely on when a page is cut into lines, words and letters: on pages drawn here, whose letters are known
//! exactly, and on the real pages under KILN_DATA.

mod common;

use std::collections::HashSet;
use std::path::Path;

use image::{Rgb, RgbImage, imageops};
use imageproc::drawing::draw_filled_circle_mut;
use kiln::photo;
use kiln::segmentation::{Label, Rect, Segmentation, overlay, segment};
use proptest::prelude::*;

const PAPER: Rgb<u8> = Rgb([225, 222, 215]);
const INK: Rgb<u8> = Rgb([60, 60, 95]);

/// Letters of straight strokes in a unit square, each in one piece except the last, whose bar hangs free.
const SHAPES: [&[[f32; 4]]; 8] = [
    &[[0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.6, 1.0]],   // L
    &[[0.0, 0.0, 0.7, 0.0], [0.35, 0.0, 0.35, 1.0]], // T
    &[
        [0.0, 0.0, 0.0, 1.0],
        [0.6, 0.0, 0.6, 1.0],
        [0.0, 0.5, 0.6, 0.5],
    ], // H
    &[[0.0, 0.0, 0.7, 1.0], [0.7, 0.0, 0.0, 1.0]],   // X
    &[[0.0, 0.0, 0.3, 1.0], [0.3, 1.0, 0.6, 0.0]],   // V
    &[[0.0, 0.0, 0.0, 1.0]],                         // 1
    &[
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.6, 1.0],
        [0.6, 1.0, 0.6, 0.0],
    ], // N
    &[[0.0, 0.0, 0.6, 0.0], [0.3, 0.2, 0.3, 1.0]],   // T in two parts
];

/// Draws strokes in a box whose upper left corner is (left, top); returns the box around their ink.
fn draw(
    page: &mut RgbImage,
    strokes: &[[f32; 4]],
    left: f32,
    top: f32,
    height: f32,
    pen: i32,
) -> Rect {
    let (mut low, mut high) = ((i32::MAX, i32::MAX), (i32::MIN, i32::MIN));
    for [x0, y0, x1, y1] in strokes {
        let steps = (2.0 * height).ceil() as i32;
        for step in 0..=steps {
            let along = step as f32 / steps as f32;
            let x = (left + height * (x0 + along * (x1 - x0))).round() as i32;
            let y = (top + height * (y0 + along * (y1 - y0))).round() as i32;
            draw_filled_circle_mut(page, (x, y), pen, INK);
            low = (low.0.min(x - pen), low.1.min(y - pen));
            high = (high.0.max(x + pen), high.1.max(y + pen));
        }
    }
    Rect {
        x: low.0 as u32,
        y: low.1 as u32,
        width: (high.0 - low.0 + 1) as u32,
        height: (high.1 - low.1 + 1) as u32,
    }
}

/// A page of words of shapes; and the letters' boxes by line and word.
#[derive(Debug, Clone)]
struct Drawn {
    page: RgbImage,
    lines: Vec<Vec<Vec<Rect>>>,
}

/// Lines of words of shape numbers, `height` pixels high.
fn draw_page(text: &[Vec<Vec<usize>>], height: f32) -> Drawn {
    let pen = (height / 18.0).round().max(2.0) as i32;
    let widest = text
        .iter()
        .map(|line| {
            line.iter()
                .map(|word| word.len() as f32 * 1.1 + 1.4)
                .sum::<f32>()
        })
        .fold(0.0, f32::max);
    let width = ((widest + 2.0) * height) as u32;
    let rows = ((text.len() as f32 * 2.0 + 1.0) * height) as u32;
    let mut page = RgbImage::from_pixel(width, rows, PAPER);
    let mut lines = Vec::new();
    for (row, line) in text.iter().enumerate() {
        let (mut left, top) = (height, height * (1.0 + 2.0 * row as f32));
        let mut words = Vec::new();
        for word in line {
            let mut boxes = Vec::new();
            for &shape in word {
                let bounds = draw(&mut page, SHAPES[shape], left, top, height, pen);
                left = (bounds.x + bounds.width) as f32 + 0.4 * height;
                boxes.push(bounds);
            }
            left += height;
            words.push(boxes);
        }
        lines.push(words);
    }
    Drawn { page, lines }
}

fn found(page: &Segmentation) -> Vec<Vec<Vec<Rect>>> {
    let lines = page.lines.iter();
    lines
        .map(|line| {
            let words = line.words.iter();
            words
                .map(|word| word.letters.iter().map(|letter| letter.bounds).collect())
                .collect()
        })
        .collect()
}

/// How many letters are in each word.
fn counts(lines: &[Vec<Vec<Rect>>]) -> Vec<Vec<usize>> {
    let line = |line: &Vec<Vec<Rect>>| line.iter().map(Vec::len).collect();
    lines.iter().map(line).collect()
}

/// Largest difference between the sides of two pages' boxes, the second multiplied by `scale` and moved by `shift`.
fn largest_shift(a: &[Vec<Vec<Rect>>], b: &[Vec<Vec<Rect>>], scale: f32, shift: f32) -> f32 {
    assert_eq!(counts(a), counts(b));
    let sides = |rect: &Rect| {
        let (x, y) = (rect.x as f32, rect.y as f32);
        [x, y, x + rect.width as f32, y + rect.height as f32]
    };
    let pairs = a
        .iter()
        .flatten()
        .flatten()
        .zip(b.iter().flatten().flatten());
    pairs
        .flat_map(|(a, b)| {
            let moved = sides(b).map(|side| side * scale + shift);
            sides(a).into_iter().zip(moved).map(|(a, b)| (a - b).abs())
        })
        .fold(0.0, f32::max)
}

/// Two to four lines of one to three words of two to five letters.
fn text() -> impl Strategy<Value = Vec<Vec<Vec<usize>>>> {
    let word = prop::collection::vec(0..SHAPES.len(), 2..=5);
    let line = prop::collection::vec(word, 1..=3);
    prop::collection::vec(line, 2..=4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_drawn_letter_is_found_in_its_line_and_where_it_is(text in text(), height in 34.0f32..70.0) {
        let drawn = draw_page(&text, height);
        let page = segment(&drawn.page);
        let all = found(&page);
        prop_assert_eq!(all.iter().map(|line| line.concat().len()).collect::<Vec<_>>(),
            text.iter().map(|line| line.concat().len()).collect::<Vec<_>>());
        let as_one_word = |lines: &[Vec<Vec<Rect>>]| lines.iter().map(|line| vec![line.concat()]).collect::<Vec<_>>();
        let apart = largest_shift(&as_one_word(&all), &as_one_word(&drawn.lines), 1.0, 0.0);
        // The outline of blurred ink is a pixel or two away from that of the drawing; large pages are also halved.
        prop_assert!(apart <= 3.0, "{apart} px");
        prop_assert!((page.measures.letter_height / height - 1.0).abs() < 0.25, "{:?}", page.measures);
    }

    #[test]
    fn boxes_lie_in_the_page_and_in_reading_order_and_in_one_line_each(text in text(), height in 34.0f32..70.0) {
        let drawn = draw_page(&text, height);
        let page = segment(&drawn.page);
        let mut seen = HashSet::new();
        let mut last_middle = 0;
        for line in &page.lines {
            let middle = 2 * line.bounds.y + line.bounds.height;
            prop_assert!(middle > last_middle);
            last_middle = middle;
            let mut last_left = 0;
            for letter in line.words.iter().flat_map(|word| &word.letters) {
                let bounds = letter.bounds;
                prop_assert!(bounds.width > 0 && bounds.x + bounds.width <= page.width);
                prop_assert!(bounds.height > 0 && bounds.y + bounds.height <= page.height);
                prop_assert!(bounds.x >= last_left);
                last_left = bounds.x;
                prop_assert!(seen.insert(bounds), "{bounds:?} twice");
                prop_assert_eq!(bounds.union(line.bounds), line.bounds);
            }
        }
    }

    #[test]
    fn a_border_of_paper_moves_the_boxes_and_nothing_else(text in text(), border in 20u32..160) {
        let drawn = draw_page(&text, 45.0);
        let (width, height) = drawn.page.dimensions();
        let mut larger = RgbImage::from_pixel(width + 2 * border, height + 2 * border, PAPER);
        imageops::replace(&mut larger, &drawn.page, border.into(), border.into());
        let apart = largest_shift(&found(&segment(&larger)), &found(&segment(&drawn.page)), 1.0, border as f32);
        prop_assert!(apart <= 3.0, "{apart} px");
    }

    #[test]
    fn more_or_less_light_changes_nothing(text in text(), constant in -50i32..30) {
        let drawn = draw_page(&text, 45.0);
        let mut other = drawn.page.clone();
        for value in other.iter_mut() {
            *value = (i32::from(*value) + constant).clamp(0, 255) as u8;
        }
        let apart = largest_shift(&found(&segment(&other)), &found(&segment(&drawn.page)), 1.0, 0.0);
        prop_assert!(apart <= 2.0, "{apart} px");
    }

    #[test]
    fn specks_that_shift_the_order_of_the_pieces_change_no_letter(text in text(), places in prop::collection::vec(0.0f32..1.0, 1..20)) {
        let drawn = draw_page(&text, 45.0);
        let mut specked = drawn.page.clone();
        for (number, place) in places.iter().enumerate() {
            let x = 10 + (place * (drawn.page.width() - 20) as f32) as i32;
            // In the margins above and below the writing: before and after all letters.
            let y = if number % 2 == 0 { 8 } else { drawn.page.height() as i32 - 9 };
            draw_filled_circle_mut(&mut specked, (x, y), 1, INK);
        }
        let apart = largest_shift(&found(&segment(&specked)), &found(&segment(&drawn.page)), 1.0, 0.0);
        prop_assert!(apart <= 1.0, "{apart} px");
    }

    #[test]
    fn a_page_twice_as_large_has_the_same_letters(text in text()) {
        let drawn = draw_page(&text, 40.0);
        let (width, height) = drawn.page.dimensions();
        let double = imageops::resize(&drawn.page, 2 * width, 2 * height, imageops::FilterType::Triangle);
        let apart = largest_shift(&found(&segment(&double)), &found(&segment(&drawn.page)), 2.0, 0.0);
        prop_assert!(apart <= 6.0, "{apart} px");
    }

    #[test]
    fn noise_of_any_kind_gives_a_result_and_no_panic(seed in any::<u64>(), width in 1u32..90, height in 1u32..90, levels in 1u64..256) {
        let mut rng = kiln_noise(seed);
        let page = RgbImage::from_fn(width, height, |_, _| Rgb([(); 3].map(|()| (rng() % levels) as u8)));
        check_everything_can_be_asked_for(&page);
    }
}

/// A small generator of test noise (SplitMix64).
fn kiln_noise(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Segments, crops, draws and asks for the stages.
fn check_everything_can_be_asked_for(photo: &RgbImage) -> Segmentation {
    let page = segment(photo);
    for letter in page
        .lines
        .iter()
        .flat_map(|line| &line.words)
        .flat_map(|word| &word.letters)
    {
        let crop = page.crop(letter, 32);
        assert!(crop.pixels.iter().all(|value| (0.0..=1.0).contains(value)));
    }
    assert_eq!(overlay(photo, &page, &[]).dimensions(), photo.dimensions());
    page.stages();
    page
}

#[test]
fn pages_without_writing_have_no_lines() {
    let mut rng = kiln_noise(1);
    let noise = RgbImage::from_fn(600, 400, |_, _| Rgb([(rng() >> 56) as u8; 3]));
    for photo in [
        RgbImage::new(0, 0),
        RgbImage::new(0, 7),
        RgbImage::new(1, 1),
        RgbImage::new(3000, 1),
        RgbImage::new(500, 400),
        RgbImage::from_pixel(500, 400, Rgb([255; 3])),
        RgbImage::from_fn(500, 400, |x, _| Rgb([(x / 2) as u8; 3])),
        noise,
    ] {
        let page = check_everything_can_be_asked_for(&photo);
        let size = photo.dimensions();
        assert!(
            page.lines.is_empty(),
            "{size:?}: {} lines",
            page.lines.len()
        );
        assert_eq!(page.measures.letter_height, 0.0);
    }
}

/// Three lines, the middle one of two words.
fn sample_page() -> Drawn {
    let line = |words: &[&[usize]]| words.iter().map(|word| word.to_vec()).collect();
    draw_page(
        &[
            line(&[&[0, 2, 3, 6]]),
            line(&[&[1, 2, 4, 5], &[6, 7, 0, 2]]),
            line(&[&[3, 4, 6], &[2, 1, 0]]),
        ],
        50.0,
    )
}

#[test]
fn words_end_at_wide_gaps_and_a_page_without_them_has_one_word_a_line() {
    let drawn = sample_page();
    assert_eq!(counts(&found(&segment(&drawn.page))), counts(&drawn.lines));
    let single = draw_page(&[vec![vec![0, 1, 2, 3, 4]], vec![vec![4, 6, 2]]], 50.0);
    assert_eq!(counts(&found(&segment(&single.page))), [[5], [3]]);
}

#[test]
fn a_full_stop_and_a_speck_are_no_letters() {
    let mut drawn = sample_page();
    let end = drawn.lines[0][0][3];
    draw_filled_circle_mut(
        &mut drawn.page,
        (
            (end.x + end.width + 20) as i32,
            (end.y + end.height - 6) as i32,
        ),
        6,
        INK,
    );
    draw_filled_circle_mut(&mut drawn.page, (300, 20), 1, INK);
    let page = segment(&drawn.page);
    assert_eq!(counts(&found(&page)), counts(&drawn.lines));
    assert_eq!(page.marks.len(), 1, "{:?}", page.marks);
    assert!(page.marks[0].x > end.x + end.width);
}

#[test]
fn a_dark_desk_around_the_sheet_and_what_lies_on_it_is_left_out() {
    let drawn = sample_page();
    let (width, height) = drawn.page.dimensions();
    let mut rng = kiln_noise(2);
    let mut desk = RgbImage::from_fn(width + 500, height + 400, |x, _| {
        Rgb([(25 + x % 23 / 3 + (rng() % 9) as u32) as u8; 3])
    });
    for row in 0..10 {
        draw(
            &mut desk,
            SHAPES[row % 7],
            30.0,
            40.0 + 60.0 * row as f32,
            40.0,
            3,
        );
    }
    imageops::replace(&mut desk, &drawn.page, 250, 200);
    // The second time, with a shadow with a soft edge on the left half.
    let mut shaded = desk.clone();
    for (x, _, pixel) in shaded.enumerate_pixels_mut() {
        let inside = (x as f32 - (250 + width / 2) as f32) / 12.0;
        let light = 0.6 + 0.4 / (1.0 + (-inside).exp());
        pixel.0 = pixel.0.map(|value| (f32::from(value) * light) as u8);
    }
    for photo in [desk, shaded] {
        let page = segment(&photo);
        assert_eq!(counts(&found(&page)), counts(&drawn.lines));
        let first = page.lines[0].words[0].letters[0].bounds;
        assert!(first.x.abs_diff(250 + drawn.lines[0][0][0].x) < 4);
    }
}

#[test]
fn a_dark_corner_is_no_letter() {
    let mut drawn = sample_page();
    for (x, y, pixel) in drawn.page.enumerate_pixels_mut() {
        let inside = ((x + y) as f32 - 90.0) / 8.0;
        let light = 0.45 + 0.55 / (1.0 + (-inside).exp());
        pixel.0 = pixel.0.map(|value| (f32::from(value) * light) as u8);
    }
    assert_eq!(counts(&found(&segment(&drawn.page))), counts(&drawn.lines));
}

#[test]
fn a_shadow_across_the_page_doesnt_change_what_is_found() {
    let drawn = sample_page();
    let (width, _) = drawn.page.dimensions();
    let mut shaded = drawn.page.clone();
    for (x, y, pixel) in shaded.enumerate_pixels_mut() {
        let light = 1.0 - 0.55 * ((x as f32 / width as f32) + y as f32 / 2000.0).min(1.0);
        pixel.0 = pixel.0.map(|value| (f32::from(value) * light) as u8);
    }
    assert_eq!(counts(&found(&segment(&shaded))), counts(&drawn.lines));
}

#[test]
fn lines_that_climb_and_fall_are_followed() {
    for slope in [-0.18f32, -0.08, 0.08, 0.18] {
        let mut page = RgbImage::from_pixel(1500, 1000, PAPER);
        for row in 0..4 {
            for column in 0..14 {
                let left = 80.0 + 95.0 * column as f32;
                let top = 300.0 + 115.0 * row as f32 + slope * (left - 750.0);
                draw(
                    &mut page,
                    SHAPES[(row * 5 + column) % 7],
                    left,
                    top,
                    50.0,
                    3,
                );
            }
        }
        assert_eq!(counts(&found(&segment(&page))), [[14]; 4], "slope {slope}");
    }
}

#[test]
fn the_result_doesnt_depend_on_the_number_of_threads() {
    let page = sample_page().page;
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let result = segment(&page);
            let letter = &result.lines[1].words[0].letters[2];
            (result.lines.clone(), result.crop(letter, 32))
        })
    };
    assert!(with(1) == with(5));
}

#[test]
fn letters_that_hang_together_are_cut_apart_and_a_wide_one_is_not() {
    let mut page = RgbImage::from_pixel(1200, 500, PAPER);
    for column in 0..6 {
        draw(
            &mut page,
            SHAPES[2],
            80.0 + 100.0 * column as f32,
            80.0,
            70.0,
            3,
        );
    }
    // Three boxes (two strokes to cross) joined by bridges (one stroke).
    let boxes = |left: f32| {
        let right = left + 0.6;
        [
            [left, 0.0, left, 1.0],
            [right, 0.0, right, 1.0],
            [left, 0.0, right, 0.0],
            [left, 1.0, right, 1.0],
        ]
    };
    let bridges = [[0.6, 0.5, 0.9, 0.5], [1.5, 0.5, 1.8, 0.5]];
    let joined = [&boxes(0.0)[..], &boxes(0.9), &boxes(1.8), &bridges].concat();
    draw(&mut page, &joined, 80.0, 280.0, 70.0, 3);
    // A W 1.5 times as wide as it is high.
    let wide: &[[f32; 4]] = &[
        [0.0, 0.0, 0.4, 1.0],
        [0.4, 1.0, 0.75, 0.1],
        [0.75, 0.1, 1.1, 1.0],
        [1.1, 1.0, 1.5, 0.0],
    ];
    draw(&mut page, wide, 320.0, 280.0, 70.0, 3);
    let page = segment(&page);
    assert_eq!(counts(&found(&page)), [[6], [4]]);
    let widths: Vec<u32> = page.lines[1].words[0]
        .letters
        .iter()
        .map(|letter| letter.bounds.width)
        .collect();
    assert!(
        widths[..3].iter().all(|width| (45..=75).contains(width)),
        "{widths:?}"
    );
    assert!(widths[3] > 100, "{widths:?}");
}

/// First and last row and column with ink, last ones exclusive.
fn ink_bounds(pixels: &[f32], size: usize) -> (usize, usize, usize, usize) {
    let inked = |at: &usize| pixels[*at] < 0.5;
    let all: Vec<usize> = (0..size * size).filter(inked).collect();
    let columns = all.iter().map(|at| at % size);
    let rows = all.iter().map(|at| at / size);
    (
        columns.clone().min().unwrap(),
        rows.clone().min().unwrap(),
        columns.max().unwrap() + 1,
        rows.max().unwrap() + 1,
    )
}

#[test]
fn a_crop_is_centred_and_its_longer_side_is_25_of_32() {
    let page = segment(&sample_page().page);
    for size in [32, 64] {
        for letter in page
            .lines
            .iter()
            .flat_map(|line| &line.words)
            .flat_map(|word| &word.letters)
        {
            let crop = page.crop(letter, size);
            assert_eq!((crop.size, crop.pixels.len()), (size, size * size));
            let (left, top, right, bottom) = ink_bounds(&crop.pixels, size);
            let unit = size / 32;
            let longer = (right - left).max(bottom - top) as i32;
            assert!(
                (longer - 25 * unit as i32).abs() <= 1 + unit as i32,
                "{longer}"
            );
            assert!((left + right).abs_diff(size) <= 2 * unit, "{left} {right}");
            assert!((top + bottom).abs_diff(size) <= 2 * unit, "{top} {bottom}");
        }
    }
}

#[test]
fn fine_and_broad_pens_give_crops_with_a_stroke_of_the_same_width() {
    for pen in [2, 4, 7] {
        let mut page = RgbImage::from_pixel(900, 400, PAPER);
        for column in 0..6 {
            draw(
                &mut page,
                SHAPES[5],
                100.0 + 120.0 * column as f32,
                150.0,
                90.0,
                pen,
            );
        }
        let page = segment(&page);
        // The outline of blurred ink lies up to a pixel outside on either side.
        assert!(
            (page.measures.stroke_width - (2 * pen + 1) as f32).abs() <= 2.5,
            "{:?}",
            page.measures
        );
        let crop = page.crop(&page.lines[0].words[0].letters[0], 32);
        // Ink in the middle row of a single vertical stroke is the stroke's width.
        let width: f32 = crop.pixels[16 * 32..17 * 32]
            .iter()
            .map(|value| 1.0 - value)
            .sum();
        assert!(
            (width - 2.75).abs() <= 0.5,
            "pen {pen}: {width} px, {:?}",
            page.measures
        );
    }
}

#[test]
fn a_crop_shows_no_ink_of_a_neighbour_that_reaches_into_the_box() {
    let mut alone = RgbImage::from_pixel(700, 300, PAPER);
    for column in 0..4 {
        draw(
            &mut alone,
            SHAPES[2],
            300.0 + 90.0 * column as f32,
            100.0,
            60.0,
            3,
        );
    }
    draw(&mut alone, SHAPES[0], 100.0, 100.0, 60.0, 3);
    let mut beside = alone.clone();
    // A vertical stroke above the foot of the L, inside its box.
    draw(
        &mut beside,
        &[[0.0, 0.0, 0.0, 0.7], [0.0, 0.0, 0.9, 0.0]],
        125.0,
        90.0,
        60.0,
        3,
    );
    let crop = |photo: &RgbImage| {
        let page = segment(photo);
        page.crop(&page.lines[0].words[0].letters[0], 32)
    };
    assert!(crop(&alone) == crop(&beside));
}

#[test]
fn the_overlay_draws_boxes_and_the_letters_that_were_read() {
    let drawn = sample_page();
    let page = segment(&drawn.page);
    let bounds = page.lines[0].words[0].letters[0].bounds;
    let label = |text: &str| Label {
        bounds,
        text: text.into(),
        confidence: 0.9,
    };
    let plain = overlay(&drawn.page, &page, &[]);
    assert!(plain != drawn.page);
    // The letter's own ink is still to be seen.
    assert_eq!(
        plain.get_pixel(bounds.x + 3, bounds.y + 30),
        drawn.page.get_pixel(bounds.x + 3, bounds.y + 30)
    );
    let pictures: HashSet<Vec<u8>> = ('A'..='Z')
        .chain('0'..='9')
        .map(|letter| overlay(&drawn.page, &page, &[label(&letter.to_string())]).into_raw())
        .collect();
    assert_eq!(pictures.len(), 36, "two letters look alike");
}

#[test]
fn the_stages_come_in_order_and_in_one_size() {
    let page = segment(&sample_page().page);
    let stages = page.stages();
    let names: Vec<&str> = stages.iter().map(|(name, _)| *name).collect();
    let expected = [
        "grey",
        "sheet",
        "background",
        "ink",
        "binary",
        "components",
        "letters",
        "lines",
        "crops",
    ];
    assert_eq!(names, expected);
    assert!(
        stages[..8]
            .iter()
            .all(|(_, picture)| picture.dimensions() == stages[0].1.dimensions())
    );
}

/// The text of every page of a folder: file name, and lines of words.
fn truth(folder: &Path) -> Vec<(String, Vec<Vec<usize>>)> {
    let text = std::fs::read_to_string(folder.join("ground-truth.json")).unwrap();
    let pages: std::collections::BTreeMap<String, Vec<String>> =
        serde_json::from_str(&text).unwrap();
    let line = |line: &String| line.split(' ').map(str::len).collect();
    pages
        .into_iter()
        .map(|(name, lines)| (name, lines.iter().map(line).collect()))
        .collect()
}

/// A page's name, and the letters in each word of each line: expected and found.
type Counted = (String, Vec<Vec<usize>>, Vec<Vec<usize>>);

fn real_pages(folder: &str) -> Vec<Counted> {
    let folder = common::real_data().join(folder);
    let pages = truth(&folder).into_iter().map(|(name, expected)| {
        let photo = photo::open(&folder.join(&name)).unwrap().into_rgb8();
        let found = counts(&found(&segment(&photo)));
        (name, expected, found)
    });
    pages.collect()
}

#[test]
#[cfg_attr(
    not(kiln_data = "hw4-images"),
    ignore = "needs hw4-images in KILN_DATA"
)]
fn every_letter_and_word_of_the_course_pages_is_found() {
    for (name, expected, found) in real_pages("hw4-images") {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
#[cfg_attr(not(kiln_data = "photos"), ignore = "needs photos in KILN_DATA")]
fn a_sheet_on_a_dark_desk_is_cut_into_all_its_letters() {
    for (name, expected, found) in real_pages("photos") {
        if name == "simon.jpg" {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
    }
}
