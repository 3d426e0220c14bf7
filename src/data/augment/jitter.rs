//! Colour jitter: brightness, contrast, saturation and hue, as one matrix for every pixel.
//!
//! Values stay in [0, 1].
//!
//! Factors are drawn as in torchvision's `ColorJitter`. That clips after each of the four steps, whose order is drawn; here there is one
//! clip at the end, and no order: the steps are linear, preserve a pixel's grey or scale all of them equally, and so give the same result in any
//! order. torchvision turns hues in HSV, where the grey of a colour changes; here they are turned about the grey axis, in the plane of
//! colour differences (as in YIQ), where it stays.

use super::config::AugmentConfig;
use crate::rng::{Rng, uniform};
use crate::shape::ImageShape;
use crate::vectorized::vectorized;

/// Grey of red, green and blue (ITU-R BT.601, section 2.5.1; Pillow's and torchvision's grey).
const GREY: [f64; 3] = [0.299, 0.587, 0.114];

/// Lengths of the colour differences blue - grey and red - grey in the plane in which hues are turned (U and V of PAL; I and
/// Q of NTSC's YIQ are the same plane, turned by 33 degrees).
const DIFFERENCES: [f64; 2] = [0.492, 0.877];

/// Parallel partial sums, in the same order on every machine.
const LANES: usize = 16;

/// The factors drawn for one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jitter {
    /// Factor of every value.
    pub brightness: f64,
    /// Factor of the distance from the image's mean grey.
    pub contrast: f64,
    /// Factor of a pixel's distance from its own grey.
    pub saturation: f64,
    /// Hue shift from red towards green, as a fraction of the circle.
    pub hue: f64,
}

impl Jitter {
    /// Draws the factors; settings that are zero draw no random numbers. `None` if all are zero.
    pub fn draw(config: &AugmentConfig, rng: &mut Rng) -> Option<Self> {
        let strengths = [
            config.brightness,
            config.contrast,
            config.saturation,
            config.hue,
        ];
        if strengths.iter().all(|&strength| strength == 0.0) {
            return None;
        }
        let mut draw = |middle: f64, least: f64, strength: f32| match strength {
            0.0 => middle,
            _ => {
                let strength = f64::from(strength);
                let (low, high) = ((middle - strength).max(least), middle + strength);
                low + (high - low) * f64::from(uniform(rng))
            }
        };
        Some(Self {
            brightness: draw(1.0, 0.0, config.brightness),
            contrast: draw(1.0, 0.0, config.contrast),
            saturation: draw(1.0, 0.0, config.saturation),
            hue: draw(0.0, f64::NEG_INFINITY, config.hue),
        })
    }

    /// Changes one sample in place. Grey samples have brightness and contrast alone; other numbers of channels than 1 and 3
    /// are left unchanged.
    pub fn apply(&self, shape: ImageShape, pixels: &mut [f32]) {
        let plane = shape.height * shape.width;
        match shape.channels {
            1 => {
                let scale = (self.brightness * self.contrast) as f32;
                let offset = self.offset(|| mean(pixels));
                vectorized(
                    #[inline(always)]
                    || {
                        for value in pixels.iter_mut() {
                            *value = (scale * *value + offset).clamp(0.0, 1.0);
                        }
                    },
                );
            }
            3 => {
                let (red, rest) = pixels.split_at_mut(plane);
                let (green, blue) = rest.split_at_mut(plane);
                let grey = || {
                    let means = [mean(red), mean(green), mean(blue)];
                    GREY.iter()
                        .zip(means)
                        .map(|(share, mean)| share * mean)
                        .sum()
                };
                let offset = self.offset(grey);
                let matrix = self.matrix().map(|row| row.map(|value| value as f32));
                mix(&matrix, offset, [red, green, blue]);
            }
            _ => {}
        }
    }

    /// What contrast adds to every value; the mean grey is only asked for where it matters.
    fn offset(&self, grey: impl FnOnce() -> f64) -> f32 {
        match self.contrast {
            1.0 => 0.0,
            contrast => ((1.0 - contrast) * self.brightness * grey()) as f32,
        }
    }

    /// Rows are red, green and blue; the contrast's offset is not included.
    pub fn matrix(&self) -> [[f64; 3]; 3] {
        let [u, v] = DIFFERENCES;
        let [red, green, blue] = GREY;
        // The colour differences of a pixel, and back: a step along either changes no grey.
        let to_u = [-red * u, -green * u, (1.0 - blue) * u];
        let to_v = [(1.0 - red) * v, -green * v, -blue * v];
        let from_u = [0.0, -blue / (green * u), 1.0 / u];
        let from_v = [1.0 / v, -red / (green * v), 0.0];
        let (sine, cosine) = (self.hue * std::f64::consts::TAU).sin_cos();
        let scale = self.brightness * self.contrast;
        let mut matrix = [[0.0; 3]; 3];
        for (to, row) in matrix.iter_mut().enumerate() {
            for (from, cell) in row.iter_mut().enumerate() {
                let grey = GREY[from];
                let colour = f64::from(u8::from(to == from)) - grey;
                // A quarter of a turn: U becomes V, V becomes -U.
                let turned = from_v[to] * to_u[from] - from_u[to] * to_v[from];
                let rotated = cosine * colour + sine * turned;
                *cell = scale * (grey + self.saturation * rotated);
            }
        }
        matrix
    }
}

/// Every pixel times the matrix, plus the offset.
fn mix(matrix: &[[f32; 3]; 3], offset: f32, planes: [&mut [f32]; 3]) {
    let [red, green, blue] = planes;
    vectorized(
        #[inline(always)]
        || {
            for ((red, green), blue) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
                let (r, g, b) = (*red, *green, *blue);
                let row = |[x, y, z]: [f32; 3]| (x * r + y * g + z * b + offset).clamp(0.0, 1.0);
                (*red, *green, *blue) = (row(matrix[0]), row(matrix[1]), row(matrix[2]));
            }
        },
    );
}

/// The mean of the values; 0 for none.
fn mean(values: &[f32]) -> f64 {
    let sum = vectorized(
        #[inline(always)]
        || {
            let mut sums = [0.0f32; LANES];
            let (lanes, rest) = values.as_chunks::<LANES>();
            for lane in lanes {
                for (sum, value) in sums.iter_mut().zip(lane) {
                    *sum += value;
                }
            }
            let sums = sums.iter().chain(rest);
            sums.map(|&value| f64::from(value)).sum::<f64>()
        },
    );
    sum / values.len().max(1) as f64
}
