//! What a user may rely on when training samples are varied.

use kiln::data::augment::apply;
use kiln::data::glyphs::Glyphs;
use kiln::data::{AugmentConfig, GlyphsConfig};
use kiln::data::{DataSource, Split};
use kiln::rng;
use kiln::shape::ImageShape;
use proptest::prelude::*;

const GREY: ImageShape = ImageShape {
    channels: 1,
    height: 32,
    width: 32,
};

fn varied(config: &AugmentConfig, shape: ImageShape, pixels: &[f32], seed: u64) -> Vec<f32> {
    let mut result = pixels.to_vec();
    apply(config, shape, &mut result, &mut rng::seeded(&[seed]));
    result
}

/// Ink of one channel or of all.
fn ink(pixels: &[f32]) -> f32 {
    pixels.iter().map(|value| 1.0 - value).sum()
}

fn glyphs(count: usize) -> Vec<Vec<f32>> {
    let glyphs = Glyphs::new(&GlyphsConfig {
        train: count.max(36),
        ..GlyphsConfig::default()
    });
    let read = |index| {
        let mut values = vec![0.0; 1024];
        glyphs.read(Split::Train, index, 0, &mut values).unwrap();
        values
    };
    (0..count).map(read).collect()
}

/// A vertical bar of the given columns.
fn bar(columns: std::ops::Range<usize>) -> Vec<f32> {
    (0..1024)
        .map(|i| {
            let is_ink = columns.contains(&(i % 32)) && (4..28).contains(&(i / 32));
            if is_ink { 0.0 } else { 1.0 }
        })
        .collect()
}

prop_compose! {
    fn config()(
        rotate in 0.0f32..90.0, shear in 0.0f32..1.0, scale in 0.0f32..1.0, aspect in 0.0f32..1.0,
        shift in 0.0f32..32.0, stroke in 0.0f32..8.0, elastic in 0.0f32..8.0,
        erase in 0.0f32..=1.0, erase_size in 0.0f32..=1.0, flip in 0.0f32..=1.0, crop in 0usize..=64,
        on in prop::array::uniform8(any::<bool>()),
    ) -> AugmentConfig {
        let keep = |value: f32, index: usize| if on[index] { value } else { 0.0 };
        AugmentConfig {
            rotate: keep(rotate, 0), shear: keep(shear, 1), scale: keep(scale, 2),
            aspect: keep(aspect, 3), shift: keep(shift, 4), stroke: keep(stroke, 5),
            elastic: keep(elastic, 6), erase: keep(erase, 7), erase_size, flip, crop: if on[0] { crop } else { 0 },
            ..AugmentConfig::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn values_stay_in_range_and_equal_seeds_give_equal_samples(
        config in config(),
        (channels, height, width) in (prop::sample::select(vec![1usize, 3]), 1usize..40, 1usize..40),
        seed in any::<u64>(),
    ) {
        let shape = ImageShape { channels, height, width };
        let pixels: Vec<f32> = (0..shape.values()).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
        let result = varied(&config, shape, &pixels, seed);
        // Interpolation may round the last bit upwards.
        let range = -f32::EPSILON..=1.0 + f32::EPSILON;
        prop_assert!(result.iter().all(|value| range.contains(value)), "{config:?}");
        prop_assert_eq!(&result, &varied(&config, shape, &pixels, seed));
    }

    #[test]
    fn all_channels_are_varied_alike(config in config(), seed in any::<u64>()) {
        let one = bar(10..15);
        let three = [one.clone(), one.clone(), one.clone()].concat();
        let shape = ImageShape { channels: 3, ..GREY };
        let result = varied(&config, shape, &three, seed);
        let single = varied(&config, GREY, &one, seed);
        for channel in result.chunks(1024) {
            prop_assert_eq!(channel, &single[..]);
        }
    }

    #[test]
    fn paper_stays_paper_unless_something_is_erased(config in config(), seed in any::<u64>()) {
        let config = AugmentConfig { erase: 0.0, ..config };
        let result = varied(&config, GREY, &vec![1.0; 1024], seed);
        prop_assert!(result.iter().all(|value| (value - 1.0).abs() < 1e-6));
    }

    #[test]
    fn everything_at_zero_changes_no_bit_and_draws_nothing(
        pixels in prop::collection::vec(any::<f32>(), 1024), erase_size in 0.0f32..1.0,
    ) {
        use rand::Rng as _;
        let config = AugmentConfig { erase_size, ..AugmentConfig::default() };
        let (mut rng, mut untouched) = (rng::seeded(&[3]), rng::seeded(&[3]));
        let mut result = pixels.clone();
        apply(&config, GREY, &mut result, &mut rng);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&result), bits(&pixels));
        prop_assert_eq!(rng.next_u64(), untouched.next_u64());
    }
}

#[test]
fn rotating_shearing_and_shifting_keep_the_ink() {
    let config = AugmentConfig {
        rotate: 8.0,
        shear: 0.15,
        shift: 0.7,
        ..AugmentConfig::default()
    };
    let (mut before, mut after) = (0.0, 0.0);
    for (index, pixels) in glyphs(360).iter().enumerate() {
        before += ink(pixels);
        after += ink(&varied(&config, GREY, pixels, index as u64));
    }
    assert!((after / before - 1.0).abs() < 0.03, "{}", after / before);
}

#[test]
fn strengths_are_the_standard_deviations_that_the_config_promises() {
    // The centre of the ink of a dot in the middle follows the shift; the spread of 2000 draws is known to 2 %.
    let mut dot = vec![1.0f32; 1024];
    for i in [15 * 32 + 15, 15 * 32 + 16, 16 * 32 + 15, 16 * 32 + 16] {
        dot[i] = 0.0;
    }
    for (config, expected, tolerance) in [
        (
            AugmentConfig {
                shift: 2.0,
                ..AugmentConfig::default()
            },
            2.0,
            0.05,
        ),
        // A bend also stretches the dot, which is not at one of the grid's average places: hence the wide tolerance.
        (
            AugmentConfig {
                elastic: 1.0,
                ..AugmentConfig::default()
            },
            1.0,
            0.2,
        ),
    ] {
        let mut squares = 0.0;
        for seed in 0..2000 {
            let result = varied(&config, GREY, &dot, seed);
            let moment: f32 = (0..1024)
                .map(|i| (1.0 - result[i]) * ((i % 32) as f32 - 15.5))
                .sum();
            squares += (moment / ink(&result)).powi(2) / 2000.0;
        }
        let spread = squares.sqrt();
        assert!(
            (spread / expected - 1.0).abs() < tolerance,
            "{spread} {expected}"
        );
    }
}

#[test]
fn the_stroke_setting_changes_a_bar_by_at_most_so_many_pixels() {
    let bar = bar(12..18);
    let config = AugmentConfig {
        stroke: 3.0,
        ..AugmentConfig::default()
    };
    let mut changes: Vec<f32> = (0..400)
        .map(|seed| {
            let result = varied(&config, GREY, &bar, seed);
            // The width in the middle row.
            ink(&result[16 * 32..17 * 32]) - 6.0
        })
        .collect();
    changes.sort_by(f32::total_cmp);
    let (least, most) = (changes[0], changes[399]);
    assert!((-3.001..-2.8).contains(&least), "{least}");
    assert!((2.8..3.001).contains(&most), "{most}");
    // Uniform: half of the changes are within half of the range.
    let inner = changes.iter().filter(|change| change.abs() < 1.5).count();
    assert!((160..240).contains(&inner), "{inner}");
}

#[test]
fn erasing_happens_as_often_as_asked_and_not_larger() {
    let config = AugmentConfig {
        erase: 0.25,
        erase_size: 0.5,
        ..AugmentConfig::default()
    };
    let grey = vec![0.5; 1024];
    let mut count = 0;
    for seed in 0..2000 {
        let result = varied(&config, GREY, &grey, seed);
        let hit: Vec<usize> = (0..1024).filter(|&i| result[i] != 0.5).collect();
        count += usize::from(!hit.is_empty());
        let span = |f: fn(&usize) -> usize| {
            let places = hit.iter().map(f);
            places.clone().max().unwrap_or(0) - places.min().unwrap_or(0)
        };
        assert!(span(|i| i % 32) < 16 && span(|i| i / 32) < 16);
    }
    assert!((430..570).contains(&count), "{count} of 2000");
}

#[test]
fn a_flip_mirrors_every_channel_and_happens_as_often_as_asked() {
    let shape = ImageShape {
        channels: 3,
        height: 4,
        width: 5,
    };
    let pixels: Vec<f32> = (0..60).map(|i| i as f32 / 60.0).collect();
    let mirror: Vec<f32> = pixels
        .chunks(5)
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    let config = AugmentConfig {
        flip: 0.3,
        ..Default::default()
    };
    let mut flipped = 0;
    for seed in 0..2000 {
        let found = varied(&config, shape, &pixels, seed);
        assert!(found == pixels || found == mirror);
        flipped += usize::from(found == mirror);
    }
    // 600 expected, standard deviation 20.
    assert!((520..=680).contains(&flipped), "{flipped}");
}

#[test]
fn a_crop_moves_by_whole_pixels_as_far_as_asked_and_mirrors_the_border() {
    let shape = ImageShape {
        channels: 1,
        height: 3,
        width: 6,
    };
    let pixels: Vec<f32> = (0..18)
        .map(|i| (i % 6) as f32 / 10.0 + (i / 6) as f32 / 100.0)
        .collect();
    let config = AugmentConfig {
        crop: 2,
        ..Default::default()
    };
    // By hand: column c of a row moved by d shows column |c - d|, or 10 - (c - d) beyond the right end; rows likewise.
    let fold = |at: isize, last: isize| {
        if at < 0 {
            -at
        } else if at > last {
            2 * last - at
        } else {
            at
        }
    };
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..500 {
        let found = varied(&config, shape, &pixels, seed);
        let by = (-2..=2isize)
            .flat_map(|dx| (-2..=2isize).map(move |dy| (dx, dy)))
            .find(|&(dx, dy)| {
                (0..18isize).all(|i| {
                    let (x, y) = (fold(i % 6 - dx, 5), fold(i / 6 - dy, 2));
                    found[i as usize] == pixels[(y * 6 + x) as usize]
                })
            });
        seen.insert(by.expect("a move by at most two pixels each way"));
    }
    // Rows -2 and 2 of three mirror to the same picture, so the search names the first of them.
    assert!(seen.len() >= 20, "{seen:?}");
}
