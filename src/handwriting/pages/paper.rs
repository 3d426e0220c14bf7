//! Lighting of a page, and camera noise.

use image::RgbImage;

use super::options::{PURPOSE, PageOptions, Surface};
use crate::rng::{self, normal, uniform};

/// Seed components of light and noise, and of shadow and glare.
const LIGHT: u64 = u64::MAX;
const SHADOW: u64 = u64::MAX - 2;

/// Half the width of a shadow's soft edge, as a fraction of the image's longer side.
const SHADOW_EDGE: (f32, f32) = (0.004, 0.04);
/// Glare on a whiteboard: its radius as a fraction of the image's longer side, and its strength in the centre.
const GLARE_RADIUS: f32 = 0.16;
const GLARE_STRENGTH: f32 = 0.5;

/// Applies lighting to the image; `colour(x, y)` is the colour in full light.
///
/// The light falls off linearly in a random direction, and by half as much towards the corners, so that the darkest
/// point is `options.light` darker than the brightest. A shadow and a glare come on top.
pub(super) fn light(
    width: u32,
    height: u32,
    options: &PageOptions,
    colour: impl Fn(u32, u32) -> [f32; 3],
) -> RgbImage {
    let mut rng = rng::seeded(&[PURPOSE, options.seed, LIGHT]);
    let angle = std::f32::consts::TAU * uniform(&mut rng);
    let (sin, cos) = angle.sin_cos();
    let most = sin.abs() + cos.abs();
    let effects = Effects::new(width, height, options);
    let mut image = RgbImage::new(width, height);
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let u = 2.0 * (x as f32 + 0.5) / width as f32 - 1.0;
        let v = 2.0 * (y as f32 + 0.5) / height as f32 - 1.0;
        // Both parts are in [0, 1].
        let linear = 0.5 + 0.5 * (u * cos + v * sin) / most;
        let round = (u * u + v * v) / 2.0;
        let shade = 1.0 - options.light * (2.0 * linear + round) / 3.0;
        let shade = shade * effects.shadow(x as f32, y as f32);
        let glare = effects.glare(x as f32, y as f32);
        let noise = match options.noise {
            0.0 => 0.0,
            strength => strength * normal(&mut rng),
        };
        for (value, colour) in pixel.0.iter_mut().zip(colour(x, y)) {
            let lit = colour * shade;
            let lit = lit + glare * (255.0 - lit);
            *value = (lit + noise).round().clamp(0.0, 255.0) as u8;
        }
    }
    image
}

/// A shadow with a straight soft edge, and a glare, both in image pixels.
struct Effects {
    shadow: f32,
    /// Unit vector into the shadow.
    into: (f32, f32),
    /// Where its edge begins along that vector.
    begins: f32,
    /// Width of the soft edge.
    softness: f32,
    glare: f32,
    centre: (f32, f32),
    radius: f32,
}

impl Effects {
    fn new(width: u32, height: u32, options: &PageOptions) -> Effects {
        let mut rng = rng::seeded(&[PURPOSE, options.seed, SHADOW]);
        let (width, height) = (width as f32, height as f32);
        let side = width.max(height);
        let mut between = |low: f32, high: f32| low + (high - low) * uniform(&mut rng);
        let (sin, cos) = between(0.0, std::f32::consts::TAU).sin_cos();
        // The edge passes through a point in the middle half of the image.
        let through = (width * between(0.25, 0.75), height * between(0.25, 0.75));
        let softness = side * between(SHADOW_EDGE.0, SHADOW_EDGE.1);
        let glare = options.scene.surface == Surface::Whiteboard;
        Effects {
            shadow: options.scene.shadow,
            into: (cos, sin),
            begins: cos * through.0 + sin * through.1,
            softness,
            glare: GLARE_STRENGTH * f32::from(glare),
            centre: (width * between(0.0, 1.0), height * between(0.0, 1.0)),
            radius: GLARE_RADIUS * side,
        }
    }

    /// Fraction of the light that remains in the shadow.
    fn shadow(&self, x: f32, y: f32) -> f32 {
        if self.shadow == 0.0 {
            return 1.0;
        }
        let inside = (self.into.0 * x + self.into.1 * y - self.begins) / self.softness;
        1.0 - self.shadow / (1.0 + (-inside).exp())
    }

    /// Blend towards white by the glare.
    fn glare(&self, x: f32, y: f32) -> f32 {
        if self.glare == 0.0 {
            return 0.0;
        }
        let squared = (x - self.centre.0).powi(2) + (y - self.centre.1).powi(2);
        self.glare * (-0.5 * squared / self.radius.powi(2)).exp()
    }
}
