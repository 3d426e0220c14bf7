//! Images on white paper, in 8 bits.

use image::{DynamicImage, GrayImage, Rgb, RgbImage};

/// The image in 8 bits, its transparent parts on white: grey files stay grey.
pub(super) fn on_white(image: DynamicImage) -> DynamicImage {
    let has_alpha = image.color().has_alpha();
    match (image.color().has_color(), has_alpha) {
        (false, false) => DynamicImage::ImageLuma8(image.into_luma8()),
        (true, false) => DynamicImage::ImageRgb8(image.into_rgb8()),
        (false, true) => {
            let source = image.into_luma_alpha8();
            DynamicImage::ImageLuma8(GrayImage::from_fn(
                source.width(),
                source.height(),
                |x, y| {
                    let [grey, alpha] = source.get_pixel(x, y).0;
                    image::Luma([over_white(grey, alpha)])
                },
            ))
        }
        (true, true) => {
            let source = image.into_rgba8();
            DynamicImage::ImageRgb8(RgbImage::from_fn(
                source.width(),
                source.height(),
                |x, y| {
                    let [red, green, blue, alpha] = source.get_pixel(x, y).0;
                    Rgb([red, green, blue].map(|value| over_white(value, alpha)))
                },
            ))
        }
    }
}

/// `value` at opacity `alpha` over 255, rounded.
pub(super) fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
