//! The one image of a page, in its own pixels.

use std::io::Cursor;
use std::sync::Arc;

use hayro::hayro_interpret::font::GlyphRun;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps, SoftMask,
};
use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::dict::keys::{D, DECODE};
use hayro::hayro_syntax::object::{Object, Stream};
use hayro::kurbo::BezPath;
use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, GrayImage, ImageDecoder, RgbImage};

/// Takes the last image that a page draws.
#[derive(Default)]
pub(super) struct Scan {
    /// Its pixels as stored; `None` if it has transparent ones, or can't be decoded.
    pub image: Option<DynamicImage>,
    /// Its bytes, if they are a JPEG file that shows the same.
    pub jpeg: Option<Arc<Vec<u8>>>,
}

impl<'a> Device<'a> for Scan {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'a>, _: DrawProps<'a>, _: &DrawMode) {}

    fn draw_image(&mut self, image: Image<'a, '_>, _: ImageDrawProps<'a>) {
        let Image::Raster(raster) = image else {
            return;
        };
        raster.with_rgba(
            |data, opacity| {
                if opacity.is_none() {
                    self.image = pixels(data);
                }
            },
            None,
        );
        self.jpeg = jpeg(raster.stream());
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

fn pixels(data: ImageData) -> Option<DynamicImage> {
    match data {
        ImageData::Rgb(rgb) => {
            RgbImage::from_raw(rgb.width, rgb.height, rgb.data).map(DynamicImage::from)
        }
        ImageData::Luma(grey) => {
            GrayImage::from_raw(grey.width, grey.height, grey.data).map(DynamicImage::from)
        }
    }
}

/// The bytes of an image that are a JPEG which any program shows as the PDF does: grey or YCbCr, without an orientation of its own, and
/// without a table that changes its values.
fn jpeg(stream: &Stream<'_>) -> Option<Arc<Vec<u8>>> {
    let is_changed = [DECODE, D]
        .iter()
        .any(|key| stream.dict().get::<Object<'_>>(key).is_some());
    if *stream.filters() != [Filter::DctDecode] || is_changed {
        return None;
    }
    let bytes = stream.raw_data();
    let mut decoder = JpegDecoder::new(Cursor::new(&bytes)).ok()?;
    let is_plain = matches!(decoder.color_type(), ColorType::L8 | ColorType::Rgb8)
        && decoder.orientation().ok()? == Orientation::NoTransforms;
    is_plain.then(|| Arc::new(bytes.into_owned()))
}
