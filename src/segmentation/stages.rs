//! All stages of the segmentation in order, and what each of them yields.

use image::RgbImage;

use super::ink::Ink;
use super::layout::{self, LineOfWords};
use super::letters::components::{self, Components};
use super::letters::glyphs::{self, Glyph, Glyphs};
use super::letters::oversegmentation::{self, Pieces};
use super::letters::specks::specks;
use super::letters::split;
use super::page::binarize::{self, BinaryPage};
use super::page::flatten::{self, FlatPage};
use super::plane::MAX_COPY_PIXELS;
use super::view::View;
use crate::progress::CancelToken;
use crate::timings::Stopwatch;

/// The results of the stages, in pixels of the working copy.
#[derive(Debug, Clone)]
pub(super) struct Stages {
    pub flat: FlatPage,
    pub binary: BinaryPage,
    pub components: Components,
    pub glyphs: Glyphs,
    /// Dots smaller than the marks.
    pub specks: Vec<Glyph>,
    pub layout: Vec<LineOfWords>,
    /// By letter.
    pub pieces: Vec<Pieces>,
    pub stroke_width: f32,
    pub letter_height: f32,
}

/// Letters lower than this are read from a larger copy, in working pixels: of the same picture in several sizes, letters of 12 pixels
/// were read at .65, of 16 at .95, and enlarged three times at .98.
const SMALL_LETTERS: f32 = 30.0;
/// The height that they are brought to, in working pixels.
const COMFORTABLE: f32 = 44.0;
/// A pen thinner than this is read from a larger copy, in working pixels: boxes and letters run together.
const THIN_PEN: f32 = 2.3;
/// The width that it is brought to, in working pixels.
const COMFORTABLE_PEN: f32 = 4.0;
/// Pieces of ink that tell the pen's width are at least this large, in letter heights.
const LARGE: f32 = 0.5;
/// Letters less high than this, in letter heights, are of a smaller print.
const SMALL_PRINT: f32 = 0.42;
/// Letters with ink on at least this part of their box may be bold.
const BOLD: f32 = 0.45;
/// A bold pen is at least this many times as wide as the page's.
const OTHER_PEN: f32 = 1.5;
/// Number of times that a page is enlarged at most: letters hidden by a grid are only measured when it is gone.
const MAX_COPIES: usize = 2;
/// Least height of letters that gain from it, in pixels of the photograph: lower ones are noise.
const LEAST_LETTERS: f32 = 5.0;
/// Greatest enlargement of a photograph: beyond it, only blur gets larger.
const MAX_ENLARGEMENT: f32 = 4.0;
/// Less than this is not worth another copy.
const MIN_ENLARGEMENT: f32 = 1.15;

/// A page in ink and paper, with its connected ink.
struct InkedPage {
    flat: FlatPage,
    binary: BinaryPage,
    components: Components,
    letter_height: f32,
}

impl InkedPage {
    /// `None` for a photograph without pixels.
    fn at(
        photo: &RgbImage,
        view: View,
        side: Option<usize>,
        watch: &mut Stopwatch,
    ) -> Option<InkedPage> {
        let flat = flatten::flatten(photo, view, side)?;
        watch.lap("flatten");
        let binary = binarize::binarize(&flat);
        watch.lap("binarize");
        let components = Components::of(&binary, &flat.sheet);
        let letter_height = components.letter_height().unwrap_or(0.0);
        watch.lap("components");
        Some(InkedPage {
            flat,
            binary,
            components,
            letter_height,
        })
    }

    /// Width of the pen in a photograph that is not reduced, in pixels; infinite where it is: the copy's pixels are as fine as may be.
    fn pen(&self, photo: &RgbImage) -> f32 {
        if photo.width() as usize > self.flat.grey.width {
            return f32::INFINITY;
        }
        let large = self.components.list.iter().filter(|component| {
            component.bounds.longer_side() as f32 >= LARGE * self.letter_height
        });
        let labels: Vec<u32> = large.map(|component| component.label).collect();
        components::stroke_width(&self.components, &labels).unwrap_or(f32::INFINITY)
    }

    /// Longer side of the copy that small letters are read from; `None` where they are large enough, or where more pixels don't help.
    fn larger_side(&self, photo: &RgbImage) -> Option<usize> {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let longer = width.max(height);
        let working = self.flat.grey.width.max(self.flat.grey.height) as f32;
        let in_photo = self.letter_height * longer / working;
        if in_photo < LEAST_LETTERS {
            return None;
        }
        let pen = self.pen(photo);
        let wanted = if self.letter_height < SMALL_LETTERS {
            working * COMFORTABLE / self.letter_height
        } else if pen < THIN_PEN {
            working * COMFORTABLE_PEN / pen
        } else {
            return None;
        };
        let most =
            (MAX_ENLARGEMENT * longer).min(longer * (MAX_COPY_PIXELS / (width * height)).sqrt());
        let side = wanted.min(most);
        (side > MIN_ENLARGEMENT * working).then_some(side as usize)
    }
}

impl Stages {
    /// Runs all stages on a working copy of the photograph, and on a larger one where letters are small; `None` for a photograph
    /// without pixels, or once it is cancelled.
    pub fn run(
        photo: &RgbImage,
        view: View,
        watch: &mut Stopwatch,
        cancel: &CancelToken,
    ) -> Option<Stages> {
        let mut page = InkedPage::at(photo, view, None, watch)?;
        for _ in 0..MAX_COPIES {
            cancel.check().ok()?;
            let Some(side) = page.larger_side(photo) else {
                break;
            };
            page = InkedPage::at(photo, view, Some(side), watch)?;
        }
        cancel.check().ok()?;
        let stages = Stages::of(page, watch, cancel);
        cancel.check().ok().map(|()| stages)
    }

    fn of(page: InkedPage, watch: &mut Stopwatch, cancel: &CancelToken) -> Stages {
        let InkedPage {
            flat,
            binary,
            mut components,
            letter_height,
        } = page;
        let mut kept = glyphs::writing(&components, letter_height);
        let stroke_width = components::stroke_width(&components, &kept).unwrap_or(0.0);
        glyphs::drop_dark_corners(&components, &mut kept, stroke_width);
        let splits = split::split_wide(
            &mut components,
            &mut kept,
            letter_height,
            stroke_width,
            cancel,
        );
        let mut glyphs = glyphs::join_parts(&components, &kept, letter_height);
        let specks = specks(
            &components,
            glyphs.letters.len(),
            letter_height,
            stroke_width,
        );
        watch.lap("letters");
        let layout = layout::lay_out(&glyphs.letters, letter_height);
        watch.lap("layout");
        let pieces = oversegmentation::cut_wide(
            &mut components,
            &mut glyphs.letters,
            &splits,
            (letter_height, stroke_width),
            cancel,
        );
        watch.lap("pieces");
        Stages {
            flat,
            binary,
            components,
            glyphs,
            specks,
            layout,
            pieces,
            stroke_width,
            letter_height,
        }
    }

    /// A letter's own ink. Small print and bold headlines have a pen of their own.
    pub fn ink_of(&self, glyph: &Glyph) -> Ink {
        let height = glyph.bounds.longer_side() as f32;
        let is_small = height < SMALL_PRINT * self.letter_height;
        let area = (glyph.bounds.width() * glyph.bounds.height()) as f32;
        let parts = glyph
            .parts
            .iter()
            .filter_map(|&label| self.components.get(label));
        let ink = parts.map(|part| part.ink).sum::<usize>() as f32;
        let pen = if is_small || ink >= BOLD * area {
            self.own_pen(glyph)
        } else {
            self.stroke_width
        };
        Ink::of(&self.binary, &self.components, glyph, pen)
    }

    /// Width of a letter's pen where it is clearly another than the page's.
    fn own_pen(&self, glyph: &Glyph) -> f32 {
        let usual = self.stroke_width;
        match components::stroke_width(&self.components, &glyph.parts) {
            Some(own) if own < usual || own > OTHER_PEN * usual => own,
            _ => usual,
        }
    }
}
