//! The small square pictures of letters.

use image::RgbImage;
use kiln::segmentation::segment;

use crate::drawn::*;

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
            let crop = letter.crop(size);
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
        let crop = page.lines[0].words[0].letters[0].crop(32);
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
        page.lines[0].words[0].letters[0].crop(32)
    };
    assert!(crop(&alone) == crop(&beside));
}
