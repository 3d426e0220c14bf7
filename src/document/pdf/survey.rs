//! What a page draws, found without drawing it: how much, and whether it is a single scan.

use std::panic::{AssertUnwindSafe, resume_unwind};

use hayro::hayro_interpret::font::GlyphRun;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};
use hayro::kurbo::{Affine, BezPath, Rect};
use image::metadata::Orientation;

use super::claims;
use crate::panics::catch_panic;
use crate::photo::MAX_WORKING_BYTES;

/// Most objects that a page may draw. A dense map has some hundred thousand.
const MAX_DRAWN: usize = 2_000_000;
/// Most images that a page may draw.
const MAX_IMAGES: usize = 10_000;
/// Bytes that a pixel of an image takes: decoded, with its opacity, and as the renderer holds it.
const IMAGE_BYTES: u64 = 3 + 1 + 4;
/// Most pixels of all images of a page together: what takes about ten seconds to decode.
const MAX_PIXELS: u64 = 1_000_000_000;
/// How far, relative to the page, an image may end from the page's edge to be taken for the page.
const MARGIN: f64 = 0.02;

/// What a page draws.
#[derive(Default)]
pub(super) struct Survey {
    /// Visible objects.
    drawn: usize,
    /// All calls, also for clips and groups.
    calls: usize,
    images: usize,
    /// Pixels of all images.
    pixels: u64,
    /// Bytes that the images take until the page is rendered.
    held: u64,
    /// Placement of the last image.
    placed: Option<Placed>,
    /// Why the page is refused.
    refusal: Option<String>,
}

/// An image on a page.
#[derive(Debug, Clone, Copy)]
struct Placed {
    /// From its pixels to those of the rendered page.
    transform: Affine,
    width: u32,
    height: u32,
    /// Whether it is a stencil, for ink of any colour.
    is_stencil: bool,
}

/// What is to be done with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing is on it.
    Empty,
    /// One image fills it, and is to be turned so.
    Scan(Orientation),
    /// Anything else.
    Drawing,
}

impl Survey {
    /// Lets a page be drawn on a survey.
    ///
    /// # Errors
    /// The page draws more than kiln renders, or the crate that reads it panics.
    pub fn of(draw: impl FnOnce(&mut Self)) -> Result<Self, String> {
        let mut survey = Self::default();
        // The interpreter can only be left by unwinding.
        let outcome = catch_panic(AssertUnwindSafe(|| draw(&mut survey)));
        match (survey.refusal.take(), outcome) {
            (Some(refusal), _) => Err(refusal),
            (None, Some(())) => Ok(survey),
            (None, None) => Err(super::render::FAILED.into()),
        }
    }

    /// What is on a page of `width` x `height` pixels.
    pub fn content(&self, width: f64, height: f64) -> Content {
        if self.drawn == 0 {
            return Content::Empty;
        }
        let alone = self.placed.filter(|_| self.drawn == 1);
        let turn = alone.and_then(|placed| placed.fills(width, height));
        turn.map_or(Content::Drawing, Content::Scan)
    }

    fn refuse(&mut self, why: String) -> ! {
        self.refusal = Some(why);
        // Without the panic hook.
        resume_unwind(Box::new(()));
    }

    /// Counts a call; anything but a clip or a group `is_seen`.
    fn count(&mut self, is_seen: bool) {
        self.calls += 1;
        self.drawn += usize::from(is_seen);
        if self.calls > MAX_DRAWN {
            self.refuse(format!(
                "the page draws more than {MAX_DRAWN} objects; convert it to an image with another program"
            ));
        }
    }

    fn image(&mut self, placed: Placed, pixels: u64) {
        self.images += 1;
        self.pixels = self.pixels.saturating_add(pixels);
        let shown = placed.transform.determinant().abs()
            * f64::from(placed.width)
            * f64::from(placed.height);
        // Reduced images are held at the size at which they are shown.
        self.held = self.held.saturating_add(4 * pixels.min(shown as u64));
        let needed = IMAGE_BYTES.saturating_mul(pixels).max(self.held);
        if needed > MAX_WORKING_BYTES {
            self.refuse(format!(
                "an image of {}x{} pixels on the page needs {} MB; the limit is {} MB; save the file with a smaller image",
                placed.width,
                placed.height,
                needed / 1_000_000,
                MAX_WORKING_BYTES / 1_000_000
            ));
        }
        if self.images > MAX_IMAGES || self.pixels > MAX_PIXELS {
            self.refuse(format!(
                "the page draws {} images of {} megapixels in all, more than kiln renders; convert it to an image with \
                 another program",
                self.images,
                self.pixels / 1_000_000
            ));
        }
        self.placed = Some(placed);
    }
}

impl Placed {
    /// How the image must be turned, if it covers the page and nothing of it is cut off.
    fn fills(&self, width: f64, height: f64) -> Option<Orientation> {
        if self.is_stencil {
            return None;
        }
        let whole = Rect::new(0.0, 0.0, f64::from(self.width), f64::from(self.height));
        let shown = self.transform.transform_rect_bbox(whole);
        let is_near = |a: f64, b: f64, side: f64| (a - b).abs() <= MARGIN * side;
        let fills = is_near(shown.x0, 0.0, width)
            && is_near(shown.x1, width, width)
            && is_near(shown.y0, 0.0, height)
            && is_near(shown.y1, height, height);
        let [a, b, c, d, _, _] = self.transform.as_coeffs();
        // Straight, but for rounding.
        let is_none = |value: f64, beside: f64| value.abs() < 1e-3 * beside.abs();
        let turn = if is_none(b, a) && is_none(c, d) {
            match (a > 0.0, d > 0.0) {
                (true, true) => Orientation::NoTransforms,
                (false, false) => Orientation::Rotate180,
                (false, true) => Orientation::FlipHorizontal,
                (true, false) => Orientation::FlipVertical,
            }
        } else if is_none(a, b) && is_none(d, c) {
            // A row of the image goes down (b > 0) or up; a column to the right (c > 0) or left.
            match (b > 0.0, c > 0.0) {
                (true, false) => Orientation::Rotate90,
                (false, true) => Orientation::Rotate270,
                (true, true) => Orientation::Rotate90FlipH,
                (false, false) => Orientation::Rotate270FlipH,
            }
        } else {
            return None;
        };
        fills.then_some(turn)
    }
}

impl<'a> Device<'a> for Survey {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.count(true);
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.count(false);
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.count(false);
    }

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'a>, _: DrawProps<'a>, mode: &DrawMode) {
        // Over a scan lies the text that a program has read.
        self.count(!matches!(mode, DrawMode::Invisible));
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.count(true);
        let (width, height) = (image.width(), image.height());
        let (stream, is_stencil) = match &image {
            Image::Stencil(stencil) => (stencil.stream(), true),
            Image::Raster(raster) => (raster.stream(), false),
        };
        let pixels = claims::pixels(stream, width, height);
        let placed = Placed {
            transform: props.transform,
            width,
            height,
            is_stencil,
        };
        self.image(placed, pixels);
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}
