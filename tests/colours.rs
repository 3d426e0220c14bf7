//! What a user may rely on when the colours of training samples are varied. Numbers are calculated by hand or, where it is
//! said, come from torchvision 0.29.2.

use kiln::data::AugmentConfig;
use kiln::data::augment::Jitter;
use kiln::data::augment::apply;
use kiln::rng;
use kiln::shape::ImageShape;
use proptest::prelude::*;

const PLAIN: Jitter = Jitter {
    brightness: 1.0,
    contrast: 1.0,
    saturation: 1.0,
    hue: 0.0,
};

/// Four pixels: red, green and blue planes.
const PIXELS: [f32; 12] = [
    0.5, 0.2, 0.35, 0.6, 0.3, 0.6, 0.45, 0.4, 0.4, 0.5, 0.3, 0.25,
];

fn shape(channels: usize, count: usize) -> ImageShape {
    ImageShape {
        channels,
        height: 1,
        width: count,
    }
}

fn changed(jitter: Jitter, pixels: &[f32]) -> Vec<f32> {
    let mut result = pixels.to_vec();
    jitter.apply(shape(3, pixels.len() / 3), &mut result);
    result
}

fn grey(pixels: &[f32], at: usize) -> f32 {
    let count = pixels.len() / 3;
    0.299 * pixels[at] + 0.587 * pixels[count + at] + 0.114 * pixels[2 * count + at]
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{found} {expected}");
    }
}

#[test]
fn brightness_multiplies_every_value() {
    let bright = Jitter {
        brightness: 1.25,
        ..PLAIN
    };
    let expected: Vec<f32> = PIXELS.iter().map(|value| 1.25 * value).collect();
    assert_close(&changed(bright, &PIXELS), &expected, 1e-6);
    // What would be brighter than white is white.
    let twice = Jitter {
        brightness: 2.0,
        ..PLAIN
    };
    assert_eq!(changed(twice, &[0.75, 0.25, 0.5]), [1.0, 0.5, 1.0]);
}

#[test]
fn contrast_pulls_away_from_the_mean_grey() {
    let strong = Jitter {
        contrast: 1.3,
        ..PLAIN
    };
    let mean = (0..4).map(|at| grey(&PIXELS, at)).sum::<f32>() / 4.0;
    let expected: Vec<f32> = PIXELS.iter().map(|v| mean + 1.3 * (v - mean)).collect();
    assert_close(&changed(strong, &PIXELS), &expected, 1e-6);
    // Without contrast everything is the mean grey.
    let none = Jitter {
        contrast: 0.0,
        ..PLAIN
    };
    assert_close(&changed(none, &PIXELS), &[mean; 12], 1e-6);
}

#[test]
fn saturation_pulls_away_from_each_pixels_own_grey() {
    let pale = Jitter {
        saturation: 0.6,
        ..PLAIN
    };
    let expected: Vec<f32> = (0..12)
        .map(|i| grey(&PIXELS, i % 4) + 0.6 * (PIXELS[i] - grey(&PIXELS, i % 4)))
        .collect();
    assert_close(&changed(pale, &PIXELS), &expected, 1e-6);
}

#[test]
fn the_three_together_are_those_of_torchvision() {
    // adjust_saturation(adjust_contrast(adjust_brightness(x, 0.9), 1.2), 0.7); its grey has 0.2989 of red instead of 0.299.
    let expected = [
        0.422397, 0.227294, 0.319305, 0.521160, 0.271197, 0.529694, 0.394905, 0.369960, 0.346797,
        0.454094, 0.281505, 0.256560,
    ];
    let jitter = Jitter {
        brightness: 0.9,
        contrast: 1.2,
        saturation: 0.7,
        hue: 0.0,
    };
    assert_close(&changed(jitter, &PIXELS), &expected, 1e-4);
}

#[test]
fn no_turn_and_a_full_turn_of_the_hue_leave_the_colours() {
    for hue in [0.0, 1.0, -1.0] {
        let turned = Jitter { hue, ..PLAIN };
        assert_close(&changed(turned, &PIXELS), &PIXELS, 1e-6);
    }
    // Half a turn twice is a full one, and half a turn is the opposite colour.
    let half = Jitter { hue: 0.5, ..PLAIN };
    let opposite = changed(half, &PIXELS);
    for i in 0..12 {
        let grey = grey(&PIXELS, i % 4);
        assert!((opposite[i] + PIXELS[i] - 2.0 * grey).abs() < 1e-6);
    }
    assert_close(&changed(half, &opposite), &PIXELS, 1e-6);
}

#[test]
fn a_positive_turn_goes_from_red_towards_green() {
    let third = Jitter {
        hue: 1.0 / 3.0,
        ..PLAIN
    };
    let [red, green, blue]: [f32; 3] = changed(third, &[0.6, 0.4, 0.4]).try_into().unwrap();
    assert!(green > red && green > blue, "{red} {green} {blue}");
    let back = Jitter {
        hue: -1.0 / 3.0,
        ..PLAIN
    };
    let [red, green, blue]: [f32; 3] = changed(back, &[0.6, 0.4, 0.4]).try_into().unwrap();
    assert!(blue > red && blue > green, "{red} {green} {blue}");
}

proptest! {
    #[test]
    fn grey_stays_grey_when_saturation_and_hue_change(
        value in 0.0f32..=1.0, saturation in 0.0f64..4.0, hue in -0.5f64..0.5,
    ) {
        let jitter = Jitter { saturation, hue, ..PLAIN };
        assert_close(&changed(jitter, &[value; 3]), &[value; 3], 2e-6);
    }

    #[test]
    fn a_turn_of_the_hue_keeps_the_grey(
        colour in prop::array::uniform3(0.4f32..0.6), hue in -0.5f64..0.5,
    ) {
        let turned = changed(Jitter { hue, ..PLAIN }, &colour);
        prop_assert!((grey(&turned, 0) - grey(&colour, 0)).abs() < 1e-6);
    }

    #[test]
    fn values_stay_between_black_and_white(
        config in prop::array::uniform4(0.0f32..4.0), channels in prop::sample::select(vec![1usize, 3]),
        count in 1usize..100, number: u64,
    ) {
        let [brightness, contrast, saturation, hue] = config;
        let config = AugmentConfig { brightness, contrast, saturation, hue: hue / 8.0, ..Default::default() };
        let mut pixels: Vec<f32> = (0..channels * count).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
        apply(&config, shape(channels, count), &mut pixels, &mut rng::seeded(&[number]));
        prop_assert!(pixels.iter().all(|value| (0.0..=1.0).contains(value)));
    }
}

#[test]
fn factors_are_drawn_uniformly_from_the_ranges_that_the_config_promises() {
    let config = AugmentConfig {
        brightness: 0.4,
        contrast: 1.5,
        hue: 0.1,
        ..Default::default()
    };
    let draws: Vec<Jitter> = (0..4000)
        .map(|number| Jitter::draw(&config, &mut rng::seeded(&[number])).unwrap())
        .collect();
    let check = |name: &str, value: fn(&Jitter) -> f64, low: f64, high: f64| {
        let values = draws.iter().map(value);
        assert!(values.clone().all(|v| (low..=high).contains(&v)), "{name}");
        // Over 4000 draws the mean has a standard deviation of 0.5 % of the range, the lowest quarter one of 27.
        let mean = values.sum::<f64>() / 4000.0;
        let middle = (low + high) / 2.0;
        assert!((mean - middle).abs() < 0.02 * (high - low), "{name} {mean}");
        let below = draws.iter().filter(|d| value(d) < low + (high - low) / 4.0);
        let below = below.count();
        assert!((870..1130).contains(&below), "{name} {below}");
    };
    check("brightness", |d| d.brightness, 0.6, 1.4);
    // Never below 0, which would turn the picture into its negative.
    check("contrast", |d| d.contrast, 0.0, 2.5);
    check("hue", |d| d.hue, -0.1, 0.1);
    assert!(draws.iter().all(|d| d.saturation == 1.0));
}

#[test]
fn strengths_of_zero_change_no_bit_and_draw_nothing() {
    use rand::Rng as _;
    let (mut rng, mut untouched) = (rng::seeded(&[3]), rng::seeded(&[3]));
    assert_eq!(Jitter::draw(&AugmentConfig::default(), &mut rng), None);
    let flips = AugmentConfig {
        flip: 1e-9,
        ..Default::default()
    };
    let mut pixels = PIXELS;
    apply(&flips, shape(3, 4), &mut pixels, &mut rng);
    assert_eq!(pixels.map(f32::to_bits), PIXELS.map(f32::to_bits));
    // The flip's own number.
    untouched.next_u64();
    assert_eq!(rng.next_u64(), untouched.next_u64());
}

#[test]
fn grey_samples_have_brightness_and_contrast() {
    let jitter = Jitter {
        brightness: 0.8,
        contrast: 0.5,
        saturation: 3.0,
        hue: 0.3,
    };
    let mut pixels = [0.2, 0.6, 1.0];
    jitter.apply(shape(1, 3), &mut pixels);
    // Times 0.8: 0.16, 0.48, 0.8 of mean 0.48; half of the distance from it.
    assert_close(&pixels, &[0.32, 0.48, 0.64], 1e-6);
}
