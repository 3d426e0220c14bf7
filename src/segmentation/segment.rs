//! Segments a photograph: runs all stages, and turns their results into boxes that own their ink.

use image::RgbImage;
use rayon::prelude::*;

use super::boxes::{
    Candidate, Candidates, Emptiness, LetterBox, LineBox, Measures, Segmentation, SmallMark,
    WordBox,
};
use super::debug::pictures::{StagePicture, stage_pictures};
use super::geometry::Rect;
use super::layout::LineOfWords;
use super::letters::glyphs::{Glyph, MIN_LETTER_HEIGHT};
use super::letters::oversegmentation::{self, PieceRun, Pieces};
use super::slope;
use super::stages::Stages;
use super::straightening::Straightening;
use super::view::View;
use crate::progress::CancelToken;
use crate::timings::{Lap, Stopwatch};

/// Cuts a photograph into lines, words and letters. Never fails: a page without writing has no lines.
///
/// The photograph must be upright (lines within 14 degrees of level), with dark ink on lighter paper; a darker desk around the
/// sheet is ignored. How other photographs can be straightened is in the result.
pub fn segment(photo: &RgbImage) -> Segmentation {
    segment_view(photo, View::default())
}

/// [`segment`] of a turned photograph, or of one with light writing on dark ground. Boxes are in pixels of the photograph as it is.
pub fn segment_view(photo: &RgbImage, view: View) -> Segmentation {
    CutPage::of(photo, view, &CancelToken::default()).finish()
}

/// [`segment_view`] with an image of every stage, for debugging: grey, sheet, background, ink, binary, components, letters, lines,
/// crops. A photograph without pixels has none.
pub fn segment_with_pictures(photo: &RgbImage, view: View) -> (Segmentation, Vec<StagePicture>) {
    let mut page = CutPage::of(photo, view, &CancelToken::default());
    (page.finish(), page.pictures())
}

/// A photograph cut into letters; what else may be letters is not drawn yet, which takes long where much of the ink touches.
#[derive(Debug)]
pub struct CutPage {
    width: u32,
    height: u32,
    view: View,
    stages: Option<Stages>,
    straightening: Option<Straightening>,
    watch: Stopwatch,
    cancel: CancelToken,
}

impl CutPage {
    /// Cuts a photograph in one view. Once it is cancelled, the rest of the page is left out, here and in [`finish`](Self::finish): ask
    /// the token before using what is returned.
    pub fn of(photo: &RgbImage, view: View, cancel: &CancelToken) -> Self {
        let (width, height) = photo.dimensions();
        let mut watch = Stopwatch::start();
        let straight = view
            .straightening
            .map(|straightening| straightening.straighten(photo));
        if straight.is_some() {
            watch.lap("straighten");
        }
        let photo = straight.as_ref().unwrap_or(photo);
        let stages = Stages::run(photo, view, &mut watch, cancel);
        let mut page = Self {
            width,
            height,
            view,
            stages,
            straightening: None,
            watch,
            cancel: cancel.clone(),
        };
        if view.straightening.is_none() && view.quarter_turns == 0 {
            page.straightening = page.builder().and_then(|page| page.straightening());
        }
        page
    }

    fn builder(&self) -> Option<Builder<'_>> {
        let stages = self.stages.as_ref()?;
        let size = (self.width, self.height);
        Some(Builder::new(stages, self.view, size, &self.cancel))
    }

    /// How the photograph is seen.
    pub fn view(&self) -> View {
        self.view
    }

    /// Whether some of its writing is light on dark ground.
    pub fn has_light_writing(&self) -> bool {
        self.stages
            .as_ref()
            .is_some_and(|stages| stages.flat.has_light_writing)
    }

    /// How the photograph is straightened; `None` if it is straight, or was turned or straightened.
    pub fn straightening(&self) -> Option<Straightening> {
        self.straightening
    }

    /// The letters of all lines, in reading order.
    pub fn letters(&self) -> Vec<LetterBox> {
        self.builder()
            .map(|builder| builder.letters())
            .unwrap_or_default()
    }

    /// How long the stages took so far.
    pub fn timings(&self) -> &[Lap] {
        self.watch.laps()
    }

    /// Draws all candidates.
    pub fn finish(&mut self) -> Segmentation {
        // The time since the last stage belongs to others.
        self.watch.insert(&[]);
        let mut page = Segmentation {
            width: self.width,
            height: self.height,
            view: self.view,
            has_light_writing: self.has_light_writing(),
            straightening: self.straightening,
            emptiness: None,
            measures: Measures::default(),
            lines: Vec::new(),
            marks: Vec::new(),
            small: Vec::new(),
            timings: Vec::new(),
        };
        if let Some(builder) = self.builder() {
            page.lines = builder.lines();
            page.marks = builder.marks();
            page.small = builder.small_marks();
            if page.lines.is_empty() {
                page.emptiness = Some(builder.emptiness());
            } else {
                page.measures = builder.measures();
            }
        }
        self.watch.lap("boxes");
        page.timings = self.watch.laps().to_vec();
        page
    }

    /// An image of every stage; a photograph without pixels has none.
    pub fn pictures(&self) -> Vec<StagePicture> {
        self.stages.as_ref().map(stage_pictures).unwrap_or_default()
    }
}

/// Turns the results of the stages, in pixels of the working copy, into owned boxes in pixels of the photograph.
struct Builder<'a> {
    stages: &'a Stages,
    cancel: &'a CancelToken,
    view: View,
    /// Pixels of the turned photograph per working pixel, across and down.
    scale: (f32, f32),
    /// Columns and rows of the turned photograph.
    turned: (u32, u32),
    width: u32,
    height: u32,
}

impl<'a> Builder<'a> {
    fn new(
        stages: &'a Stages,
        view: View,
        (width, height): (u32, u32),
        cancel: &'a CancelToken,
    ) -> Self {
        let grey = &stages.flat.grey;
        let turned = view.size(width, height);
        let scale = (
            turned.0 as f32 / grey.width as f32,
            turned.1 as f32 / grey.height as f32,
        );
        Self {
            stages,
            cancel,
            view,
            scale,
            turned,
            width,
            height,
        }
    }

    fn emptiness(&self) -> Emptiness {
        let height = self.stages.letter_height;
        if self.stages.components.list.is_empty() {
            Emptiness::Blank
        } else if height > 0.0 && height < MIN_LETTER_HEIGHT {
            Emptiness::TooSmall(height * self.scale.1)
        } else {
            Emptiness::NoLetters
        }
    }

    /// Of a photograph that is neither turned nor straightened.
    fn straightening(&self) -> Option<Straightening> {
        let size = (self.width, self.height);
        let sheet = self.stages.flat.sheet.corners.and_then(|corners| {
            let corners = corners.map(|(x, y)| (x * self.scale.0, y * self.scale.1));
            Straightening::of_sheet(corners, size)
        });
        sheet.or_else(|| {
            let letters = &self.stages.glyphs.letters;
            let angle = slope::steep_slant(letters, self.stages.letter_height)?;
            Straightening::of_slant(angle, size)
        })
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

    /// A word from the indices of its letters; `None` once it is cancelled.
    fn word(&self, indices: &[usize]) -> Option<WordBox> {
        self.cancel.check().ok()?;
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
        let breadth = |glyph: &Glyph| {
            let bounds = self.rect(glyph);
            bounds.width as f32 / bounds.height as f32
        };
        let candidate = |run: PieceRun| Candidate {
            start: run.start,
            end: run.end,
            breadth: breadth(&run.glyph),
            viewed: self.rect(&run.glyph),
            letter: self.letter(&run.glyph),
            cuts: run.cuts,
            cut_ink: run.cut_ink,
            touching: run.touching,
            joins: run.joins,
            join_gap: run.join_gap,
            whole: run.whole,
        };
        Candidates {
            pieces: pieces.iter().map(|pieces| pieces.list.len()).sum(),
            list: oversegmentation::runs(&pieces, self.stages.letter_height, self.cancel)
                .into_par_iter()
                .map(candidate)
                .collect(),
        }
    }

    fn letter(&self, glyph: &Glyph) -> LetterBox {
        LetterBox {
            bounds: self.in_photo(self.rect(glyph)),
            ink: self.stages.ink_of(glyph),
        }
    }

    fn letters(&self) -> Vec<LetterBox> {
        let words = self.stages.layout.iter().flatten();
        words
            .flatten()
            .map(|&index| self.letter(&self.stages.glyphs.letters[index]))
            .collect()
    }

    fn marks(&self) -> Vec<Rect> {
        let marks = self.stages.glyphs.marks.iter();
        marks.map(|mark| self.in_photo(self.rect(mark))).collect()
    }

    fn small_marks(&self) -> Vec<SmallMark> {
        let marks = self.stages.glyphs.marks.iter().chain(&self.stages.specks);
        marks.map(|mark| self.small(mark)).collect()
    }

    fn small(&self, mark: &Glyph) -> SmallMark {
        SmallMark {
            letter: self.letter(mark),
            viewed: self.rect(mark),
        }
    }

    /// A letter's box in the turned photograph.
    fn rect(&self, glyph: &Glyph) -> Rect {
        glyph
            .bounds
            .to_rect(self.scale, self.turned.0, self.turned.1)
    }

    /// A box of the turned photograph in the photograph as it is.
    fn in_photo(&self, turned: Rect) -> Rect {
        self.view.to_photo(turned, self.width, self.height)
    }
}
