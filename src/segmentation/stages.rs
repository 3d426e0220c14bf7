//! All stages of the segmentation in their order, and what each of them yields.

use image::RgbImage;

use super::ink::Ink;
use super::layout::{self, LineOfWords};
use super::letters::components::{self, Components};
use super::letters::glyphs::{self, Glyph, Glyphs};
use super::letters::oversegmentation::{self, Pieces};
use super::letters::split;
use super::page::binarize::{self, BinaryPage};
use super::page::flatten::{self, FlatPage};
use crate::timings::Stopwatch;

/// The results of the stages, in pixels of the working copy.
#[derive(Debug, Clone)]
pub(super) struct Stages {
    pub flat: FlatPage,
    pub binary: BinaryPage,
    pub components: Components,
    pub glyphs: Glyphs,
    pub layout: Vec<LineOfWords>,
    /// By letter.
    pub pieces: Vec<Pieces>,
    pub stroke_width: f32,
    pub letter_height: f32,
}

impl Stages {
    /// Runs all stages on a working copy of the photograph; `None` for a photograph without pixels.
    pub fn run(photo: &RgbImage, watch: &mut Stopwatch) -> Option<Stages> {
        let flat = flatten::flatten(photo)?;
        watch.lap("flatten");
        let binary = binarize::binarize(&flat);
        watch.lap("binarize");
        let mut components = Components::of(&binary, &flat.sheet);
        let letter_height = components.letter_height().unwrap_or(0.0);
        watch.lap("components");
        let mut kept = glyphs::writing(&components, letter_height);
        let stroke_width = components::stroke_width(&components, &kept).unwrap_or(0.0);
        glyphs::drop_dark_corners(&components, &mut kept, stroke_width);
        let splits = split::split_wide(&mut components, &mut kept, letter_height, stroke_width);
        let mut glyphs = glyphs::join_parts(&components, &kept, letter_height);
        watch.lap("letters");
        let layout = layout::lay_out(&glyphs.letters, letter_height);
        watch.lap("layout");
        let pieces = oversegmentation::cut_wide(
            &mut components,
            &mut glyphs.letters,
            &splits,
            letter_height,
            stroke_width,
        );
        watch.lap("pieces");
        Some(Stages {
            flat,
            binary,
            components,
            glyphs,
            layout,
            pieces,
            stroke_width,
            letter_height,
        })
    }

    /// A letter's own ink.
    pub fn ink_of(&self, glyph: &Glyph) -> Ink {
        Ink::of(&self.binary, &self.components, glyph, self.stroke_width)
    }
}
