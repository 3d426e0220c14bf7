//! Ink on paper under a lamp: the grey cover of a page comes in, a colour picture as a camera sees it goes out.

use image::RgbImage;

use super::{PURPOSE, PageOptions};
use crate::data::seed::{self, normal, uniform};

/// Colours of paper and of a dark blue-black pen in full light.
const PAPER_COLOUR: [f32; 3] = [250.0, 248.0, 242.0];
const INK_COLOUR: [f32; 3] = [38.0, 40.0, 54.0];

/// What the generator of light and noise is for, apart from the hand's.
const LIGHT: u64 = u64::MAX;

/// Colours the page; `cover` holds `width * height` grey values, paper 1.
///
/// The light falls off linearly in a random direction, and by half as much towards the corners, so that the darkest
/// point is `options.light` darker than the brightest.
pub(super) fn light(cover: &[f32], width: u32, height: u32, options: &PageOptions) -> RgbImage {
    let mut rng = seed::rng(&[PURPOSE, options.seed, LIGHT]);
    let angle = std::f32::consts::TAU * uniform(&mut rng);
    let (sin, cos) = angle.sin_cos();
    let most = sin.abs() + cos.abs();
    let mut image = RgbImage::new(width, height);
    for ((x, y, pixel), &paper) in image.enumerate_pixels_mut().zip(cover) {
        let u = 2.0 * (x as f32 + 0.5) / width as f32 - 1.0;
        let v = 2.0 * (y as f32 + 0.5) / height as f32 - 1.0;
        // Both parts are in [0, 1].
        let linear = 0.5 + 0.5 * (u * cos + v * sin) / most;
        let round = (u * u + v * v) / 2.0;
        let shade = 1.0 - options.light * (2.0 * linear + round) / 3.0;
        let noise = match options.noise {
            0.0 => 0.0,
            strength => strength * normal(&mut rng),
        };
        for ((value, ink), white) in pixel.0.iter_mut().zip(INK_COLOUR).zip(PAPER_COLOUR) {
            let colour = ink + (white - ink) * paper;
            *value = (colour * shade + noise).round().clamp(0.0, 255.0) as u8;
        }
    }
    image
}
