//! Images without transparent parts, in 8 bits.

use image::{DynamicImage, GrayImage, Rgb, RgbImage};

/// The image in 8 bits, its transparent parts on a ground: grey files stay grey.
pub(super) fn on_ground(image: DynamicImage) -> DynamicImage {
    let has_alpha = image.color().has_alpha();
    match (image.color().has_color(), has_alpha) {
        (false, false) => DynamicImage::ImageLuma8(image.into_luma8()),
        (true, false) => DynamicImage::ImageRgb8(image.into_rgb8()),
        (false, true) => {
            let source = image.into_luma_alpha8();
            let ground = ground(source.pixels().map(|pixel| (pixel.0[0], pixel.0[1])));
            DynamicImage::ImageLuma8(GrayImage::from_fn(
                source.width(),
                source.height(),
                |x, y| {
                    let [grey, alpha] = source.get_pixel(x, y).0;
                    image::Luma([over(ground, grey, alpha)])
                },
            ))
        }
        (true, true) => {
            let source = image.into_rgba8();
            let ground = ground(source.pixels().map(|pixel| {
                let [red, green, blue, alpha] = pixel.0;
                (red.min(green).min(blue), alpha)
            }));
            DynamicImage::ImageRgb8(RgbImage::from_fn(
                source.width(),
                source.height(),
                |x, y| {
                    let [red, green, blue, alpha] = source.get_pixel(x, y).0;
                    Rgb([red, green, blue].map(|value| over(ground, value, alpha)))
                },
            ))
        }
    }
}

/// An image whose opaque part is smaller than this is ink without its ground.
const MAX_INK_PART: f32 = 0.5;
/// Ink lighter than this, on the mean, was meant for a dark ground.
const LIGHT_INK: f32 = 170.0;

/// What transparent parts lie on: white, or black where light ink alone is opaque, which would be invisible on white. `pixels` are
/// brightness and opacity.
fn ground(pixels: impl Iterator<Item = (u8, u8)>) -> u8 {
    let (mut count, mut opaque, mut light) = (0.0f64, 0.0, 0.0);
    for (value, alpha) in pixels {
        let alpha = f64::from(alpha) / 255.0;
        count += 1.0;
        opaque += alpha;
        light += alpha * f64::from(value);
    }
    let is_ink = opaque > 0.0 && opaque < f64::from(MAX_INK_PART) * count;
    if is_ink && light > f64::from(LIGHT_INK) * opaque {
        0
    } else {
        255
    }
}

/// `value` at opacity `alpha` over the ground, rounded.
fn over(ground: u8, value: u8, alpha: u8) -> u8 {
    let (ground, value, alpha) = (u32::from(ground), u32::from(value), u32::from(alpha));
    ((value * alpha + ground * (255 - alpha) + 127) / 255) as u8
}

/// `value` at opacity `alpha` over white, rounded.
pub(super) fn over_white(value: u8, alpha: u8) -> u8 {
    over(255, value, alpha)
}
