//! Segments a photograph: runs all stages, and turns their results into boxes that own their ink.

use image::RgbImage;
use rayon::prelude::*;

use super::boxes::{Candidate, Candidates, LetterBox, LineBox, Measures, Segmentation, WordBox};
use super::debug::pictures::{StagePicture, stage_pictures};
use super::geometry::Rect;
use super::layout::LineOfWords;
use super::letters::glyphs::Glyph;
use super::letters::oversegmentation::{self, PieceRun, Pieces};
use super::stages::Stages;
use crate::timings::Stopwatch;

/// Cuts a photograph into lines, words and letters. Never fails: a page without writing has no lines.
///
/// The photograph must be upright (lines within 14 degrees of level), with dark ink on lighter paper; a darker desk around the
/// sheet is ignored.
pub fn segment(photo: &RgbImage) -> Segmentation {
    run(photo).0
}

/// [`segment`] with an image of every stage, for debugging: grey, sheet, background, ink, binary, components, letters, lines,
/// crops. A photograph without pixels has none.
pub fn segment_with_pictures(photo: &RgbImage) -> (Segmentation, Vec<StagePicture>) {
    let (segmentation, stages) = run(photo);
    let pictures = stages.as_ref().map(stage_pictures).unwrap_or_default();
    (segmentation, pictures)
}

fn run(photo: &RgbImage) -> (Segmentation, Option<Stages>) {
    let (width, height) = photo.dimensions();
    let mut page = Segmentation {
        width,
        height,
        measures: Measures::default(),
        lines: Vec::new(),
        marks: Vec::new(),
        timings: Vec::new(),
    };
    let mut watch = Stopwatch::start();
    let stages = Stages::run(photo, &mut watch);
    if let Some(stages) = &stages {
        let builder = Builder::new(stages, width, height);
        page.lines = builder.lines();
        page.marks = stages
            .glyphs
            .marks
            .iter()
            .map(|mark| builder.rect(mark))
            .collect();
        if !page.lines.is_empty() {
            page.measures = builder.measures();
        }
    }
    watch.lap("boxes");
    page.timings = watch.laps().to_vec();
    (page, stages)
}

/// Turns the results of the stages, in pixels of the working copy, into owned boxes in pixels of the photograph.
struct Builder<'a> {
    stages: &'a Stages,
    /// Pixels of the photograph per working pixel, across and down.
    scale: (f32, f32),
    width: u32,
    height: u32,
}

impl<'a> Builder<'a> {
    fn new(stages: &'a Stages, width: u32, height: u32) -> Self {
        let grey = &stages.flat.grey;
        let scale = (
            width as f32 / grey.width as f32,
            height as f32 / grey.height as f32,
        );
        Self {
            stages,
            scale,
            width,
            height,
        }
    }

    fn measures(&self) -> Measures {
        Measures {
            stroke_width: self.stages.stroke_width * self.scale.0,
            letter_height: self.stages.letter_height * self.scale.1,
        }
    }

    fn lines(&self) -> Vec<LineBox> {
        let line = |line: &LineOfWords| {
            let words: Vec<WordBox> = line
                .par_iter()
                .filter_map(|letters| self.word(letters))
                .collect();
            let bounds = words.iter().map(|word| word.bounds).reduce(Rect::union)?;
            Some(LineBox { bounds, words })
        };
        self.stages.layout.iter().filter_map(line).collect()
    }

    /// A word from the indices of its letters.
    fn word(&self, indices: &[usize]) -> Option<WordBox> {
        let letters: Vec<LetterBox> = indices
            .iter()
            .map(|&index| self.letter(&self.stages.glyphs.letters[index]))
            .collect();
        let bounds = letters
            .iter()
            .map(|letter| letter.bounds)
            .reduce(Rect::union)?;
        Some(WordBox {
            bounds,
            letters,
            candidates: self.candidates(indices),
        })
    }

    fn candidates(&self, indices: &[usize]) -> Candidates {
        let pieces: Vec<&Pieces> = indices.iter().map(|&i| &self.stages.pieces[i]).collect();
        let candidate = |run: PieceRun| Candidate {
            start: run.start,
            end: run.end,
            letter: self.letter(&run.glyph),
            cuts: run.cuts,
            cut_ink: run.cut_ink,
            touching: run.touching,
            joins: run.joins,
            whole: run.whole,
        };
        Candidates {
            pieces: pieces.iter().map(|pieces| pieces.list.len()).sum(),
            list: oversegmentation::runs(&pieces, self.stages.letter_height)
                .into_par_iter()
                .map(candidate)
                .collect(),
        }
    }

    fn letter(&self, glyph: &Glyph) -> LetterBox {
        LetterBox {
            bounds: self.rect(glyph),
            ink: self.stages.ink_of(glyph),
        }
    }

    fn rect(&self, glyph: &Glyph) -> Rect {
        glyph.bounds.to_rect(self.scale, self.width, self.height)
    }
}
