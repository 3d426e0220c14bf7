//! Desks, shadows, marks and slanted lines.

use image::{Rgb, RgbImage, imageops};
use imageproc::drawing::draw_filled_circle_mut;
use kiln::segmentation::segment;

use crate::drawn::*;

#[test]
fn words_end_at_wide_gaps_and_a_page_without_them_has_one_word_a_line() {
    let drawn = sample_page();
    assert_eq!(counts(&found(&segment(&drawn.page))), counts(&drawn.lines));
    let single = draw_page(&[vec![vec![0, 1, 2, 3, 4]], vec![vec![4, 6, 2]]], 50.0);
    assert_eq!(counts(&found(&segment(&single.page))), [[5], [3]]);
}

#[test]
fn a_full_stop_and_a_speck_are_not_letters() {
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
fn a_dark_desk_around_the_sheet_and_what_lies_on_it_are_ignored() {
    let drawn = sample_page();
    let (width, height) = drawn.page.dimensions();
    let mut rng = noise(2);
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
fn a_dark_corner_is_not_a_letter() {
    let mut drawn = sample_page();
    for (x, y, pixel) in drawn.page.enumerate_pixels_mut() {
        let inside = ((x + y) as f32 - 90.0) / 8.0;
        let light = 0.45 + 0.55 / (1.0 + (-inside).exp());
        pixel.0 = pixel.0.map(|value| (f32::from(value) * light) as u8);
    }
    assert_eq!(counts(&found(&segment(&drawn.page))), counts(&drawn.lines));
}

#[test]
fn a_shadow_across_the_page_does_not_change_what_is_found() {
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
fn touching_letters_are_separated_and_a_wide_letter_is_not_cut() {
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
