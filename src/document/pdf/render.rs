//! A page drawn as an image.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};
use image::{DynamicImage, RgbImage};

use crate::document::page::POINTS_PER_INCH;
use crate::photo::MAX_WORKING_BYTES;

/// What is said about a page that the crate hayro fails on.
pub(super) const FAILED: &str = "the page can't be drawn: it is damaged, or the crate hayro fails on it; convert it with `pdftoppm -r 300 -png in.pdf page`";

/// Longest side of a page in points: 200 inches (ISO 32000-1, annex C.2).
const MAX_POINTS: f32 = 14_400.0;
/// Bytes that a rendered pixel takes: red, green, blue and opacity, and then the image.
const PIXEL_BYTES: f32 = 4.0 + 3.0;
/// Fewest dots per inch that are of any use: letters of 3 mm are 5 pixels high.
const MIN_DPI: f32 = 40.0;

/// The size at which a page is rendered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raster {
    /// Pixels per point.
    pub scale: f32,
    /// Dots per inch, if fewer than asked for.
    pub reduced: Option<f32>,
}

impl Raster {
    /// `dpi` dots per inch, or as many as memory has room for.
    ///
    /// # Errors
    /// The page, of `width` x `height` points, is larger than any page may be.
    pub fn of((width, height): (f32, f32), dpi: u16) -> Result<Self, String> {
        let is_side = |side: f32| side.is_finite() && (0.0..=MAX_POINTS).contains(&side);
        if !is_side(width) || !is_side(height) {
            return Err(format!(
                "the page is {width:.0}x{height:.0} points; a PDF page may have at most {MAX_POINTS:.0} points (5 metres) a side"
            ));
        }
        let asked = f32::from(dpi);
        let room =
            (MAX_WORKING_BYTES as f32 / PIXEL_BYTES / (width * height)).sqrt() * POINTS_PER_INCH;
        // Sides are counted in 16 bits.
        let sides = f32::from(u16::MAX) / width.max(height) * POINTS_PER_INCH;
        let possible = room.min(sides).floor();
        let dpi = asked.min(possible).max(MIN_DPI.min(asked));
        Ok(Self {
            scale: dpi / POINTS_PER_INCH,
            reduced: (dpi < asked).then_some(dpi),
        })
    }
}

/// Draws a page on white; grey if it has no colours.
///
/// # Errors
/// The page has no pixels.
pub(super) fn draw<'a>(
    page: &'a Page<'a>,
    settings: &InterpreterSettings,
    raster: Raster,
) -> Result<DynamicImage, String> {
    let pixmap = PixmapSettings {
        x_scale: raster.scale,
        y_scale: raster.scale,
        bg_color: WHITE,
    };
    let cache = RenderCache::new();
    let drawn = render(page, &cache, settings, &RenderSettings::default(), &pixmap);
    let (width, height) = (u32::from(drawn.width()), u32::from(drawn.height()));
    if width == 0 || height == 0 {
        return Err("the page has no pixels at this resolution; use a larger --dpi".into());
    }
    // Opaque, since it is on white.
    let pixels = drawn.data_as_u8_slice().chunks_exact(4);
    let is_grey = pixels
        .clone()
        .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]);
    let image = if is_grey {
        let grey = pixels.map(|pixel| pixel[0]).collect();
        image::GrayImage::from_raw(width, height, grey).map(DynamicImage::from)
    } else {
        let mut colours = Vec::with_capacity(3 * pixels.len());
        pixels.for_each(|pixel| colours.extend_from_slice(&pixel[..3]));
        RgbImage::from_raw(width, height, colours).map(DynamicImage::from)
    };
    image.ok_or_else(|| FAILED.into())
}
