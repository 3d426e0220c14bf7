//! Which part of a photograph a sample shows.

use crate::support::is_as_asked;
use kiln::data::RandomCropConfig;
use kiln::data::fitting::crops::Part;
use kiln::data::fitting::crops::centred;
use kiln::data::fitting::crops::cover;
use kiln::rng;
use kiln::shape::ImageShape;
use proptest::prelude::*;

/// The largest part in the middle with allowed proportions.
fn is_the_middle(part: &Part, config: &RandomCropConfig, width: usize, height: usize) -> bool {
    let [narrow, wide] = config.ratio;
    let whole = width as f64 / height as f64;
    let (w, h) = if whole < narrow {
        (width, (width as f64 / narrow).round().max(1.0) as usize)
    } else if whole > wide {
        ((height as f64 * wide).round().max(1.0) as usize, height)
    } else {
        (width, height)
    };
    let (w, h) = (w.min(width), h.min(height));
    (part.width, part.height) == (w, h)
        && (part.left, part.top) == ((width - w) / 2, (height - h) / 2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_random_part_lies_inside_and_has_the_area_and_proportions_that_were_asked_for(
        width in prop_oneof![1usize..6, 1usize..2000], height in prop_oneof![1usize..6, 1usize..2000],
        scales in prop::array::uniform2(0.001f64..=1.0), ratios in prop::array::uniform2(0.1f64..=10.0), number: u64,
    ) {
        let ordered = |[a, b]: [f64; 2]| [a.min(b), a.max(b)];
        let config = RandomCropConfig { scale: ordered(scales), ratio: ordered(ratios) };
        let part = Part::draw(&config, width, height, &mut rng::seeded(&[number]));
        prop_assert!(part.width >= 1 && part.left + part.width <= width, "{part:?}");
        prop_assert!(part.height >= 1 && part.top + part.height <= height, "{part:?}");
        let fits = is_as_asked(&part, &config, width, height) || is_the_middle(&part, &config, width, height);
        prop_assert!(fits, "{part:?} of {width}x{height} by {config:?}");
        prop_assert_eq!(part, Part::draw(&config, width, height, &mut rng::seeded(&[number])));
    }

    #[test]
    fn the_whole_of_which_a_sample_is_the_middle_covers_it(
        width in 1usize..5000, height in 1usize..5000, rows in 1usize..400, columns in 1usize..400,
        share in 0.1f64..=1.0,
    ) {
        let shape = ImageShape { channels: 3, height: rows, width: columns };
        let (across, down) = cover(width, height, shape, share);
        prop_assert!(across >= columns && down >= rows);
        prop_assert!(centred(across, columns) + columns <= across && centred(down, rows) + rows <= down);
        // One axis is `1 / share` times the sample, to the nearest pixel.
        let exact = |side: usize, sample: usize| (side as f64 - sample as f64 / share).abs() <= 0.5 + 1e-9;
        prop_assert!(exact(across, columns) || exact(down, rows));
    }
}

#[test]
fn area_proportions_and_place_are_spread_evenly_over_their_ranges() {
    // On a square photograph every draw of at most half of the area fits, so that none is drawn anew.
    let config = RandomCropConfig {
        scale: [0.1, 0.5],
        ratio: [0.75, 1.3333],
    };
    let parts: Vec<Part> = (0..4000)
        .map(|number| Part::draw(&config, 1000, 1000, &mut rng::seeded(&[number])))
        .collect();
    let mean = |value: &dyn Fn(&Part) -> f64| parts.iter().map(value).sum::<f64>() / 4000.0;
    // Standard deviations of the means: 0.0018, 0.0026, 0.0046.
    let area = mean(&|p| (p.width * p.height) as f64 / 1e6);
    assert!((area - 0.3).abs() < 0.008, "{area}");
    let proportions = mean(&|p| (p.width as f64 / p.height as f64).ln());
    assert!(proportions.abs() < 0.011, "{proportions}");
    for place in [
        mean(&|p| p.left as f64 / (1000 - p.width) as f64),
        mean(&|p| p.top as f64 / (1000 - p.height) as f64),
    ] {
        assert!((place - 0.5).abs() < 0.019, "{place}");
    }
}

#[test]
fn sizes_and_places_of_the_middle_are_those_of_torchvision() {
    let shape = ImageShape {
        channels: 3,
        height: 224,
        width: 224,
    };
    // Resize(256) of 400 x 300 is 341 x 256, of 300 x 400 is 256 x 341, of 640 x 480 is 341 x 256 as well.
    assert_eq!(cover(400, 300, shape, 0.875), (341, 256));
    assert_eq!(cover(300, 400, shape, 0.875), (256, 341));
    assert_eq!(cover(640, 480, shape, 0.875), (341, 256));
    assert_eq!(cover(500, 500, shape, 0.875), (256, 256));
    // CenterCrop(224): int(round(117 / 2)) is 58 in Python, int(round(115 / 2)) too.
    let places = [(341, 58), (256, 16), (339, 58), (224, 0)];
    for (length, first) in places {
        assert_eq!(centred(length, 224), first, "{length}");
    }
}
