//! Segmentation: a photograph of hand-printed block capitals -> lines -> words -> letter boxes -> small square crops.
//!
//! Comes in: an upright RGB image in memory. Goes out: a [`Segmentation`], boxes in pixels of that image in reading order,
//! from which [`Segmentation::crop`] draws each letter like the images that a recogniser learned from. One file a stage, in
//! the order in which a page goes through them: `flatten` (paper and light), `binarize` (ink or not), `components` (pieces
//! and measures), `letters` (writing or not, parts of one letter), `split` (letters that touch), `layout` (lines and words),
//! `pieces` (what else may be a letter), `crops`; `overlay` and `stages` draw what was found.
//!
//! Every rule is relative to the page's own measures: light, noise, width of the pen, height of the letters. It knows no
//! network and no files, reads no letter and doesn't turn pages that stand on their side.

mod binarize;
mod canvas;
mod components;
mod crops;
mod flatten;
mod geometry;
mod layout;
mod letters;
mod overlay;
mod pieces;
mod plane;
mod rules;
mod split;
mod stages;
mod statistics;

use image::RgbImage;

use crate::timings::{Lap, Stopwatch};

pub use crops::Crop;
pub use geometry::Rect;
pub use overlay::{Label, overlay};

/// What a page measures, in pixels of the photograph; 0 on an empty page.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Measures {
    /// Width of the pen's stroke.
    pub stroke_width: f32,
    /// Median height of the letters, each weighted by its ink.
    pub letter_height: f32,
}

/// A letter's box.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LetterBox {
    /// The box around its ink.
    pub bounds: Rect,
    #[serde(skip)]
    letter: letters::Letter,
}

/// Letters without a space between them.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Word {
    /// The box around its letters.
    pub bounds: Rect,
    /// From left to right; at least one.
    pub letters: Vec<LetterBox>,
}

/// A line of writing.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TextLine {
    /// The box around its words.
    pub bounds: Rect,
    /// From left to right; at least one.
    pub words: Vec<Word>,
}

/// A page cut into lines, words and letters, with what crops and pictures of the stages need.
#[derive(Debug, Clone)]
pub struct Segmentation {
    /// Columns of the photograph.
    pub width: u32,
    /// Rows of the photograph.
    pub height: u32,
    /// The page's own measures.
    pub measures: Measures,
    /// From top to bottom; none on an empty page.
    pub lines: Vec<TextLine>,
    /// Marks too small for a letter (full stops, specks of that size), in no particular order.
    pub marks: Vec<Rect>,
    /// How long each stage took.
    pub timings: Vec<Lap>,
    /// `None` for a picture without pixels.
    work: Option<Box<Work>>,
}

/// A stretch of a word that may be one letter.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its first piece, and the one after its last.
    pub start: usize,
    /// See `start`.
    pub end: usize,
    /// Its box and ink.
    pub letter: LetterBox,
    /// Cuts through ink at its sides, a half each: those of a whole reading add up to its number of cuts.
    pub cuts: f32,
    /// Half the squares of the ink that those cuts cross, in stroke widths: where two letters touch it's one stroke, and two
    /// are the sides of an O.
    pub ink: f32,
    /// It's part of a piece of ink that is too wide for one letter: cuts are to be expected.
    pub torn: bool,
    /// Gaps between letters that it bridges.
    pub joins: usize,
    /// It is one of the word's `letters`.
    pub whole: bool,
}

/// All that may be letters in a word: its ink lies in pieces from left to right, and a way of reading the word is a row of
/// candidates that covers each piece once. The word's own letters are one.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// Number of pieces.
    pub pieces: usize,
    /// In ascending order of `start`.
    pub list: Vec<Candidate>,
}

/// The results of the stages, in pixels of the working copy.
#[derive(Debug, Clone)]
struct Work {
    flat: flatten::FlatPage,
    binary: binarize::BinaryPage,
    components: components::Components,
    letters: letters::Letters,
    layout: Vec<layout::LineOfWords>,
    /// By letter.
    pieces: Vec<pieces::Pieces>,
    stroke_width: f32,
    letter_height: f32,
}

/// Cuts a photograph into lines, words and letters. Never fails: a page without writing has no lines.
///
/// The photograph must be upright (lines within 14 degrees of level), dark ink on lighter paper; a darker desk around the
/// sheet is left out.
pub fn segment(photo: &RgbImage) -> Segmentation {
    let (width, height) = photo.dimensions();
    let mut page = Segmentation {
        width,
        height,
        measures: Measures::default(),
        lines: Vec::new(),
        marks: Vec::new(),
        timings: Vec::new(),
        work: None,
    };
    let mut watch = Stopwatch::start();
    if let Some(work) = work(photo, &mut watch) {
        page.take(work);
    }
    watch.lap("boxes");
    page.timings = watch.laps().to_vec();
    page
}

/// All stages on the working copy.
fn work(photo: &RgbImage, watch: &mut Stopwatch) -> Option<Work> {
    let flat = flatten::flatten(photo)?;
    watch.lap("flatten");
    let binary = binarize::binarize(&flat);
    watch.lap("binarize");
    let mut components = components::Components::of(&binary, &flat.sheet);
    let letter_height = components.letter_height().unwrap_or(0.0);
    watch.lap("components");
    let mut kept = letters::writing(&components, letter_height);
    let stroke_width = components::stroke_width(&components, &kept).unwrap_or(0.0);
    letters::drop_dark_corners(&components, &mut kept, stroke_width);
    let tears = split::split_wide(&mut components, &mut kept, letter_height, stroke_width);
    let mut letters = letters::join_parts(&components, &kept, letter_height);
    watch.lap("letters");
    let layout = layout::lay_out(&letters.letters, letter_height);
    watch.lap("layout");
    let all = &mut letters.letters;
    let pieces = pieces::cut_wide(&mut components, all, &tears, letter_height, stroke_width);
    watch.lap("pieces");
    Some(Work {
        flat,
        binary,
        components,
        letters,
        layout,
        pieces,
        stroke_width,
        letter_height,
    })
}

impl Work {
    /// Pixels of a photograph of this size a working pixel, across and down.
    fn scale(&self, width: u32, height: u32) -> (f32, f32) {
        let grey = &self.flat.grey;
        (
            width as f32 / grey.width as f32,
            height as f32 / grey.height as f32,
        )
    }
}

impl Segmentation {
    /// Fills in the public boxes from the stages' results.
    fn take(&mut self, work: Work) {
        let scale = work.scale(self.width, self.height);
        let rect = |letter: &letters::Letter| letter.bounds.to_rect(scale, self.width, self.height);
        let word = |indices: &Vec<usize>| {
            let letters: Vec<LetterBox> = indices
                .iter()
                .map(|&index| &work.letters.letters[index])
                .map(|letter| LetterBox {
                    bounds: rect(letter),
                    letter: letter.clone(),
                })
                .collect();
            let bounds = letters
                .iter()
                .map(|letter| letter.bounds)
                .reduce(Rect::union)?;
            Some(Word { bounds, letters })
        };
        self.lines = work
            .layout
            .iter()
            .filter_map(|line| {
                let words: Vec<Word> = line.iter().filter_map(word).collect();
                let bounds = words.iter().map(|word| word.bounds).reduce(Rect::union)?;
                Some(TextLine { bounds, words })
            })
            .collect();
        self.marks = work.letters.marks.iter().map(rect).collect();
        if !self.lines.is_empty() {
            self.measures = Measures {
                stroke_width: work.stroke_width * scale.0,
                letter_height: work.letter_height * scale.1,
            };
        }
        self.work = Some(Box::new(work));
    }

    /// What may be letters, by line and word as in [`lines`](Self::lines).
    pub fn candidates(&self) -> Vec<Vec<Candidates>> {
        let Some(work) = &self.work else {
            return Vec::new();
        };
        let word = |indices: &Vec<usize>| self.candidates_of(work, indices);
        let line = |line: &layout::LineOfWords| line.iter().map(word).collect();
        work.layout.iter().map(line).collect()
    }

    fn candidates_of(&self, work: &Work, letters: &[usize]) -> Candidates {
        let pieces: Vec<&pieces::Pieces> = letters.iter().map(|&i| &work.pieces[i]).collect();
        let scale = work.scale(self.width, self.height);
        let candidate = |run: pieces::Run| Candidate {
            start: run.start,
            end: run.end,
            letter: LetterBox {
                bounds: run.letter.bounds.to_rect(scale, self.width, self.height),
                letter: run.letter,
            },
            cuts: run.cuts,
            ink: run.ink,
            torn: run.torn,
            joins: run.joins,
            whole: run.whole,
        };
        Candidates {
            pieces: pieces.iter().map(|pieces| pieces.list.len()).sum(),
            list: pieces::runs(&pieces, work.letter_height)
                .into_iter()
                .map(candidate)
                .collect(),
        }
    }

    /// Draws a letter of this page as a recogniser wants it: `size` x `size`, only its own ink, centred, its longer side
    /// 25 of 32 parts, its pen about 2.75 of 32 parts.
    pub fn crop(&self, letter: &LetterBox, size: usize) -> Crop {
        match &self.work {
            Some(work) if size > 0 => crops::crop(
                &work.binary,
                &work.components,
                &letter.letter,
                work.stroke_width,
                size,
            ),
            _ => Crop {
                size,
                pixels: vec![1.0; size * size],
            },
        }
    }

    /// A picture of every stage with its name, in order: grey, sheet, background, ink, binary, components, letters, lines,
    /// crops. They are drawn when asked for; an image without pixels has none.
    pub fn stages(&self) -> Vec<(&'static str, RgbImage)> {
        stages::stages(self)
    }
}
