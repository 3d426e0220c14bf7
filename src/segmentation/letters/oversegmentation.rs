//! Cuts wide letters into pieces, and lists which neighbouring pieces may be one letter.
//!
//! Only a reader can say whether a wide letter is an M or two letters that touch, and whether two narrow ones are an I and an L
//! or a broken U. So wide letters are cut at every seam through little ink, and the candidates of a word are the runs of pieces that
//! may be letters, each letter as it was found among them.

use std::collections::HashMap;

use super::components::{Component, Components};
use super::glyphs::Glyph;
use super::seams::{Seam, seams, strokes_crossed};
use super::split::{Split, Splits};
use crate::progress::CancelToken;
use crate::segmentation::geometry::Area;

/// Least width of a letter that is cut into pieces, in its own heights ...
const MIN_RELATIVE_WIDTH: f32 = 0.95;
/// ... and in letter heights of the page.
const MIN_WIDTH: f32 = 0.9;
/// Least width of a part of ink that was split already, in letter heights: its letters are known to touch.
const MIN_WIDTH_TOUCHING: f32 = 0.6;
/// Most ink that a candidate seam may cross, in stroke widths: a stroke at an angle, or where two run together.
const MAX_INK: f32 = 2.3;
/// The same of a seam that crosses one stroke alone: two letters may lie along each other, as V and E do where their arms meet.
const MAX_INK_ALONG: f32 = 3.5;
/// What such a seam counts as, in stroke widths of ink.
const INK_ALONG: f32 = 1.2;
/// Most seams per letter height of a letter's width.
const MAX_SEAMS: f32 = 8.0;
/// Rows in which seams are searched, as parts of the height: letters touch at the foot, in the middle or at the top, and only one
/// seam goes through each pixel of a row.
const ROWS: [f32; 3] = [0.2, 0.5, 0.8];
/// Minimum distance of a seam from the letter's sides, in letter heights: an I is no narrower with its pen.
const MARGIN: f32 = 0.12;
/// Minimum ink of a piece, in parts of a stroke as high as the letters: two seams with less ink between them are one.
const MIN_INK: f32 = 0.2;
/// Greatest width of a run of pieces that was not found as one letter, in letter heights: 99 % of the W among NIST36's training
/// letters are no wider.
const MAX_RUN_WIDTH: f32 = 2.0;
/// Greatest gap between letters that are joined to one, in letter heights: strokes of an H or a D that don't touch ...
const MAX_JOIN_GAP: f32 = 0.4;
/// ... of which this is a broken stroke's; wider gaps cost more ...
const BROKEN: f32 = 0.15;
/// ... greatest width of what they make ...
const MAX_JOIN_WIDTH: f32 = 1.4;
/// ... and its greatest height ...
const MAX_JOIN_HEIGHT: f32 = 1.5;
/// ... and one of them must be narrower than this, in letter heights, as few letters are ...
const JOIN_NARROW: f32 = 0.55;
/// ... or lower than this.
const JOIN_LOW: f32 = 0.6;
/// Maximum number of letters joined into one.
const MAX_JOINED: usize = 3;

/// A letter's pieces from left to right; one if it can't be cut.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::segmentation) struct Pieces {
    pub list: Vec<Glyph>,
    /// Ink that each seam between them crosses, in stroke widths; one fewer than there are pieces.
    pub inks: Vec<f32>,
    /// Labels of the connected components this letter's ink belonged to before splitting.
    origins: Vec<u32>,
    /// Ink that the seam on its left crosses, in stroke widths, where the letter was split off.
    left_seam: Option<f32>,
}

/// Neighbouring pieces that may be one letter; see [`Candidate`](crate::segmentation::Candidate).
pub(in crate::segmentation) struct PieceRun {
    pub start: usize,
    pub end: usize,
    pub glyph: Glyph,
    pub cuts: f32,
    pub cut_ink: f32,
    pub touching: bool,
    pub joins: usize,
    pub join_gap: f32,
    pub whole: bool,
}

/// Cuts every wide letter into pieces, and returns them by letter. Pieces get labels of their own, which are added to their
/// letters' parts. Once it is cancelled, no more are cut.
pub(in crate::segmentation) fn cut_wide(
    components: &mut Components,
    letters: &mut [Glyph],
    splits: &Splits,
    (letter_height, stroke_width): (f32, f32),
    cancel: &CancelToken,
) -> Vec<Pieces> {
    let mut cut_one = |letter: &mut Glyph| {
        let origin = |label: &u32| splits.get(label).map_or(*label, |split| split.origin);
        let origins: Vec<u32> = letter.parts.iter().map(origin).collect();
        let split_off = letter.parts.iter().filter_map(|label| splits.get(label));
        let left_seam = split_off
            .map(|split| split.ink / stroke_width)
            .reduce(f32::max);
        let is_part = origins.iter().any(|&origin| {
            let is_of_it = |split: &Split| split.origin == origin;
            splits.values().any(is_of_it)
        });
        let (width, height) = (letter.bounds.width() as f32, letter.bounds.height() as f32);
        let is_wide = if is_part {
            width > MIN_WIDTH_TOUCHING * letter_height
        } else {
            width > MIN_RELATIVE_WIDTH * height && width > MIN_WIDTH * letter_height
        };
        let seams = if is_wide && !cancel.is_cancelled() {
            candidate_seams(components, letter, letter_height, stroke_width)
        } else {
            Vec::new()
        };
        let (inks, seams): (Vec<f32>, Vec<Seam>) = seams.into_iter().unzip();
        Pieces {
            list: cut(components, letter, &seams),
            inks,
            origins,
            left_seam,
        }
    };
    letters.iter_mut().map(&mut cut_one).collect()
}

/// The cheapest seams of a letter that leave enough ink on either side, from left to right, each with the ink that it crosses, in
/// stroke widths.
fn candidate_seams(
    components: &Components,
    letter: &Glyph,
    letter_height: f32,
    stroke_width: f32,
) -> Vec<(f32, Seam)> {
    let mask = mask(components, letter);
    let (width, height) = (letter.bounds.width(), letter.bounds.height());
    let margin = (MARGIN * letter_height) as usize;
    let least_ink = ((MIN_INK * letter_height * stroke_width) as usize).max(1);
    let most = (MAX_SEAMS * width as f32 / letter_height).ceil() as usize;
    let rows = ROWS.map(|part| (part * height as f32) as usize);
    let mut all: Vec<Seam> = rows
        .into_iter()
        .flat_map(|row| seams(&mask, width, margin, row))
        .filter(|seam| {
            let ink = seam.ink / stroke_width;
            ink <= MAX_INK || (ink <= MAX_INK_ALONG && strokes_crossed(&mask, width, seam) == 1)
        })
        .collect();
    all.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let mut taken: Vec<Seam> = Vec::new();
    for seam in all {
        if taken.len() == most {
            break;
        }
        let at = taken.partition_point(|other| is_left_of(other, &seam));
        let (before, after) = (at.checked_sub(1).map(|at| &taken[at]), taken.get(at));
        if before.is_none_or(|before| is_left_of(before, &seam))
            && after.is_none_or(|after| is_left_of(&seam, after))
            && ink_between(&mask, width, before, Some(&seam)) >= least_ink
            && ink_between(&mask, width, Some(&seam), after) >= least_ink
        {
            taken.insert(at, seam);
        }
    }
    let cost = |seam: &Seam| match seam.ink / stroke_width {
        ink if ink <= MAX_INK => ink,
        // Where two letters lie along each other, they touch once.
        _ => INK_ALONG,
    };
    taken.into_iter().map(|seam| (cost(&seam), seam)).collect()
}

/// Whether one seam is nowhere right of another.
fn is_left_of(seam: &Seam, other: &Seam) -> bool {
    seam.columns.iter().zip(&other.columns).all(|(a, b)| a <= b)
}

/// Whether each pixel of a letter's box is its ink, row by row.
fn mask(components: &Components, letter: &Glyph) -> Vec<bool> {
    let area = &letter.bounds;
    (area.top..area.bottom)
        .flat_map(|y| &components.labels[y * components.width..][area.left..area.right])
        .map(|label| letter.parts.contains(label))
        .collect()
}

/// Pixels of ink between two seams; `None` is the side of the box.
fn ink_between(mask: &[bool], width: usize, left: Option<&Seam>, right: Option<&Seam>) -> usize {
    mask.chunks(width)
        .enumerate()
        .map(|(y, row)| {
            let from = left.map_or(0, |seam| seam.columns[y]);
            let to = right.map_or(width, |seam| seam.columns[y]);
            row.get(from..to)
                .map_or(0, |part| part.iter().filter(|&&ink| ink).count())
        })
        .sum()
}

/// Cuts a letter at seams from left to right; every piece has ink.
fn cut(components: &mut Components, letter: &mut Glyph, seams: &[Seam]) -> Vec<Glyph> {
    if seams.is_empty() {
        return vec![letter.clone()];
    }
    let area = letter.bounds;
    let mut pieces: Vec<Option<Glyph>> = vec![None; seams.len() + 1];
    // The new label of each old label's part in each piece; the first part keeps the old label.
    let mut labels: HashMap<(u32, usize), u32> = HashMap::new();
    let mut kept: HashMap<u32, usize> = HashMap::new();
    for y in area.top..area.bottom {
        for x in area.left..area.right {
            let at = y * components.width + x;
            let old = components.labels[at];
            if !letter.parts.contains(&old) {
                continue;
            }
            let row = y - area.top;
            let piece = seams.partition_point(|seam| seam.columns[row] <= x - area.left);
            let keeps = *kept.entry(old).or_insert(piece) == piece;
            let new = if keeps {
                old
            } else {
                *labels
                    .entry((old, piece))
                    .or_insert_with(|| add_like(components, old))
            };
            grow(&mut pieces[piece], Area::pixel(x, y), new);
            components.labels[at] = new;
        }
    }
    let list: Vec<Glyph> = pieces.into_iter().flatten().map(sorted).collect();
    letter.parts = list.iter().flat_map(|piece| piece.parts.clone()).collect();
    letter.parts.sort_unstable();
    list
}

/// A new label for a part of an old component.
fn add_like(components: &mut Components, old: u32) -> u32 {
    let label = components.list.len() as u32 + 1;
    let like = components.list[old as usize - 1].clone();
    components.list.push(Component { label, ..like });
    label
}

/// Adds a pixel with its label to a piece.
fn grow(piece: &mut Option<Glyph>, pixel: Area, label: u32) {
    match piece {
        None => {
            *piece = Some(Glyph {
                bounds: pixel,
                parts: vec![label],
            });
        }
        Some(piece) => {
            piece.bounds = piece.bounds.union(&pixel);
            if !piece.parts.contains(&label) {
                piece.parts.push(label);
            }
        }
    }
}

fn sorted(mut letter: Glyph) -> Glyph {
    letter.parts.sort_unstable();
    letter
}

/// Several pieces as one; `None` without pieces.
fn joined<'a>(pieces: impl Iterator<Item = &'a Glyph>) -> Option<Glyph> {
    pieces
        .cloned()
        .reduce(|a, b| Glyph {
            bounds: a.bounds.union(&b.bounds),
            parts: [a.parts, b.parts].concat(),
        })
        .map(sorted)
}

/// The runs of a word's pieces that may be letters, in ascending order of their first piece. `letters` are the pieces of each letter
/// of the word; those after the first are left out once it is cancelled.
pub(in crate::segmentation) fn runs(
    letters: &[&Pieces],
    letter_height: f32,
    cancel: &CancelToken,
) -> Vec<PieceRun> {
    let mut runs = Vec::new();
    let mut first = 0;
    for group in letters.chunk_by(|a, b| are_connected(a, b)) {
        let connected = Connected::of(group);
        runs.extend(connected.runs(first, letter_height, cancel));
        first += connected.list.len();
    }
    first = 0;
    for (index, pieces) in letters.iter().enumerate() {
        for count in 2..=MAX_JOINED.min(letters.len() - index) {
            let Some(run) = join(&letters[index..index + count], first, letter_height) else {
                break;
            };
            runs.extend(run);
        }
        first += pieces.list.len();
    }
    runs.sort_by_key(|run| (run.start, run.end));
    runs
}

/// Whether two neighbours were split from the same connected ink.
fn are_connected(left: &Pieces, right: &Pieces) -> bool {
    let of_both = |origin: &u32| left.origins.contains(origin);
    right.left_seam.is_some() && right.origins.iter().any(of_both)
}

/// Neighbouring letters of the same connected ink, as one row of pieces.
struct Connected<'a> {
    list: Vec<&'a Glyph>,
    /// Ink that each seam between them crosses, in stroke widths.
    inks: Vec<f32>,
    /// First piece of each letter and the one after its last.
    letters: Vec<(usize, usize)>,
}

impl<'a> Connected<'a> {
    fn of(group: &[&'a Pieces]) -> Connected<'a> {
        let mut connected = Connected {
            list: Vec::new(),
            inks: Vec::new(),
            letters: Vec::new(),
        };
        for pieces in group {
            let first = connected.list.len();
            if first > 0 {
                connected.inks.extend(pieces.left_seam);
            }
            connected.inks.extend(&pieces.inks);
            connected.list.extend(&pieces.list);
            connected.letters.push((first, connected.list.len()));
        }
        connected
    }

    /// All runs that are no wider than a letter, and the letters as they were found.
    fn runs(&self, first: usize, letter_height: f32, cancel: &CancelToken) -> Vec<PieceRun> {
        let count = self.list.len();
        let starts = (0..count).take_while(|_| !cancel.is_cancelled());
        let ends = starts.flat_map(|start| (start + 1..=count).map(move |end| (start, end)));
        ends.filter_map(|(start, end)| {
            let glyph = joined(self.list[start..end].iter().copied())?;
            let whole = self.letters.contains(&(start, end));
            let seams = [start.checked_sub(1), Some(end - 1)];
            let inks = seams.into_iter().flatten();
            let inks: Vec<f32> = inks
                .filter_map(|seam| self.inks.get(seam).copied())
                .collect();
            let run = PieceRun {
                start: first + start,
                end: first + end,
                cuts: inks.len() as f32 / 2.0,
                cut_ink: inks.iter().map(|ink| ink * ink).sum::<f32>() / 2.0,
                touching: self.letters.len() > 1,
                joins: 0,
                join_gap: 0.0,
                whole,
                glyph,
            };
            let narrow = run.glyph.bounds.width() as f32 <= MAX_RUN_WIDTH * letter_height;
            (whole || narrow).then_some(run)
        })
        .collect()
    }
}

/// Neighbouring letters joined to one: `None` where more letters can't help either, `Some(None)` where only more may.
fn join(letters: &[&Pieces], first: usize, letter_height: f32) -> Option<Option<PieceRun>> {
    if letters
        .windows(2)
        .any(|pair| are_connected(pair[0], pair[1]))
    {
        return None;
    }
    let wholes: Vec<Glyph> = letters
        .iter()
        .filter_map(|pieces| joined(pieces.list.iter()))
        .collect();
    let glyph = joined(wholes.iter())?;
    let gaps = wholes.windows(2).map(|pair| {
        let gap = pair[1].bounds.left.saturating_sub(pair[0].bounds.right);
        gap as f32 / letter_height
    });
    let near = gaps.clone().all(|gap| gap <= MAX_JOIN_GAP);
    let join_gap = gaps.map(|gap| (gap - BROKEN).max(0.0)).sum();
    let height = (glyph.bounds.height() as f32).max(letter_height);
    let small = glyph.bounds.width() as f32 <= MAX_JOIN_WIDTH * height
        && glyph.bounds.height() as f32 <= MAX_JOIN_HEIGHT * letter_height;
    if !near || !small {
        return None;
    }
    let part_like = |whole: &Glyph| {
        (whole.bounds.width() as f32) < JOIN_NARROW * letter_height
            || (whole.bounds.height() as f32) < JOIN_LOW * letter_height
    };
    let count: usize = letters.iter().map(|pieces| pieces.list.len()).sum();
    Some(wholes.iter().any(part_like).then(|| PieceRun {
        start: first,
        end: first + count,
        cuts: 0.0,
        cut_ink: 0.0,
        touching: false,
        joins: letters.len() - 1,
        join_gap,
        whole: false,
        glyph,
    }))
}
