//! What holds for any drawn page, and for noise.

use std::collections::HashSet;

use image::{Rgb, RgbImage, imageops};
use imageproc::drawing::draw_filled_circle_mut;
use kiln::segmentation::{Rect, Segmentation, View, overlay, segment, segment_with_pictures};
use proptest::prelude::*;

use crate::drawn::*;

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
        let mut rng = noise(seed);
        let page = RgbImage::from_fn(width, height, |_, _| Rgb([(); 3].map(|()| (rng() % levels) as u8)));
        check_everything_can_be_asked_for(&page);
    }
}

/// Segments, crops, draws the overlay and the stages.
fn check_everything_can_be_asked_for(photo: &RgbImage) -> Segmentation {
    let (page, pictures) = segment_with_pictures(photo, View::default());
    for letter in page
        .lines
        .iter()
        .flat_map(|line| &line.words)
        .flat_map(|word| &word.letters)
    {
        let crop = letter.crop(32);
        assert!(crop.pixels.iter().all(|value| (0.0..=1.0).contains(value)));
    }
    assert_eq!(overlay(photo, &page, &[]).dimensions(), photo.dimensions());
    assert_eq!(pictures.is_empty(), photo.is_empty());
    page
}

#[test]
fn pages_without_writing_have_no_lines() {
    let mut rng = noise(1);
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

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let page = sample_page().page;
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let result = segment(&page);
            let letter = &result.lines[1].words[0].letters[2];
            (result.lines.clone(), letter.crop(32))
        })
    };
    assert!(with(1) == with(5));
}
