//! Letters -> pieces: what a letter falls into where it may be cut, and which neighbouring pieces may be one letter.
//!
//! Only a reader can say whether a wide letter is an M or two letters that touch, and whether two narrow ones are an I and
//! an L or a broken U. Wide letters are cut at every seam through little ink; the [`Candidates`] of a word are the runs of
//! pieces that may be letters, each letter as it was found among them.

use std::collections::HashMap;

use super::components::{Component, Components};
use super::geometry::Area;
use super::letters::Letter;
use super::split::{Seam, Tears, seams};

/// A letter may be several if it is wider than this part of its height ...
const WIDE: f32 = 0.95;
/// ... and than this, in letter heights.
const WIDE_FOR_THE_PAGE: f32 = 0.9;
/// The same for a part of what was cut already: its letters are known to touch.
const WIDE_AND_TORN: f32 = 0.6;
/// Ink that a candidate seam may cross, in stroke widths: a stroke at an angle, or where two run together.
const MOST_INK: f32 = 2.3;
/// Most seams, for each letter height that a letter is wide.
const MOST_SEAMS: f32 = 8.0;
/// Where seams are looked for, as parts of the height: letters touch at the foot, in the middle or at the top, and through one
/// place on a row goes one seam only.
const ROWS: [f32; 3] = [0.2, 0.5, 0.8];
/// Least distance of a seam from the letter's sides, in letter heights: an I is no narrower with its pen.
const MARGIN: f32 = 0.12;
/// Least ink of a piece, in parts of a stroke as high as the letters: seams with less between them are one.
const LEAST_INK: f32 = 0.2;
/// A run of pieces is no wider than this, in letter heights, unless it was found as one letter: in NIST36's training letters
/// 99 of 100 W are no wider.
const WIDEST_RUN: f32 = 2.0;
/// Pieces of different letters are joined if the gap between them is at most this wide, in letter heights: a broken
/// stroke, no space between letters ...
const JOIN_GAP: f32 = 0.15;
/// ... if what they make is at most this wide and high ...
const JOIN_WIDEST: f32 = 1.2;
const JOIN_HIGHEST: f32 = 1.5;
/// ... and if one of them is narrower or lower than most letters are.
const JOIN_NARROW: f32 = 0.55;
const JOIN_LOW: f32 = 0.6;
/// Most pieces of different letters that are joined.
const MOST_JOINED: usize = 3;

/// A letter's pieces from left to right; one if it can't be cut.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pieces {
    pub list: Vec<Letter>,
    /// Ink that each seam between them crosses, in stroke widths; one less than pieces.
    pub inks: Vec<f32>,
    /// The pieces of connected ink that it was part of.
    origins: Vec<u32>,
    /// The ink of the seam on its left where it was cut off, in stroke widths.
    torn: Option<f32>,
}

/// A run of pieces that may be a letter.
pub(super) struct Run {
    /// Its first piece, and the one after its last.
    pub start: usize,
    pub end: usize,
    pub letter: Letter,
    /// Its sides that are seams, a half each.
    pub cuts: f32,
    /// Half the squares of the ink that those cross, in stroke widths.
    pub ink: f32,
    /// Its ink is too wide for one letter: cuts are to be expected.
    pub torn: bool,
    /// Gaps between letters that it bridges.
    pub joins: usize,
    /// It is a letter as it was found.
    pub whole: bool,
}

/// Cuts every wide letter. The pieces get labels of their own, which their letters take over.
pub(super) fn cut_wide(
    components: &mut Components,
    letters: &mut [Letter],
    tears: &Tears,
    letter_height: f32,
    stroke_width: f32,
) -> Vec<Pieces> {
    let mut cut_one = |letter: &mut Letter| {
        let origin = |label: &u32| tears.get(label).map_or(*label, |(whole, _)| *whole);
        let origins: Vec<u32> = letter.parts.iter().map(origin).collect();
        let cut_off = letter.parts.iter().filter_map(|label| tears.get(label));
        let torn = cut_off.map(|(_, ink)| ink / stroke_width).reduce(f32::max);
        let is_part = origins.iter().any(|&whole| {
            let is_of_it = |tear: &(u32, f32)| tear.0 == whole;
            tears.values().any(is_of_it)
        });
        let (width, height) = (letter.bounds.width() as f32, letter.bounds.height() as f32);
        let wide = match is_part {
            true => width > WIDE_AND_TORN * letter_height,
            false => width > WIDE * height && width > WIDE_FOR_THE_PAGE * letter_height,
        };
        let seams = match wide {
            true => candidate_seams(components, letter, letter_height, stroke_width),
            false => Vec::new(),
        };
        Pieces {
            list: cut(components, letter, &seams),
            inks: seams.iter().map(|seam| seam.ink / stroke_width).collect(),
            origins,
            torn,
        }
    };
    letters.iter_mut().map(&mut cut_one).collect()
}

/// The cheapest seams of a letter that leave enough on either side, from left to right.
fn candidate_seams(
    components: &Components,
    letter: &Letter,
    letter_height: f32,
    stroke_width: f32,
) -> Vec<Seam> {
    let mask = mask(components, letter);
    let (width, height) = (letter.bounds.width(), letter.bounds.height());
    let margin = (MARGIN * letter_height) as usize;
    let least_ink = ((LEAST_INK * letter_height * stroke_width) as usize).max(1);
    let most = (MOST_SEAMS * width as f32 / letter_height).ceil() as usize;
    let rows = ROWS.map(|part| (part * height as f32) as usize);
    let mut all: Vec<Seam> = rows
        .into_iter()
        .flat_map(|row| seams(&mask, width, margin, row))
        .filter(|seam| seam.ink <= MOST_INK * stroke_width)
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
    taken
}

/// Whether one seam is nowhere on the right of another.
fn is_left_of(seam: &Seam, other: &Seam) -> bool {
    seam.columns.iter().zip(&other.columns).all(|(a, b)| a <= b)
}

/// Where a letter has ink inside its box.
fn mask(components: &Components, letter: &Letter) -> Vec<bool> {
    let area = &letter.bounds;
    (area.top..area.bottom)
        .flat_map(|y| &components.labels[y * components.width..][area.left..area.right])
        .map(|label| letter.parts.contains(label))
        .collect()
}

/// Pixels of ink between two seams; without one, from the side.
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

/// Cuts a letter at seams from left to right; each piece has ink.
fn cut(components: &mut Components, letter: &mut Letter, seams: &[Seam]) -> Vec<Letter> {
    if seams.is_empty() {
        return vec![letter.clone()];
    }
    let area = letter.bounds;
    let mut pieces: Vec<Option<Letter>> = vec![None; seams.len() + 1];
    // The label of each old label's part in each piece; the first one keeps the old label.
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
            let new = match keeps {
                true => old,
                false => *labels
                    .entry((old, piece))
                    .or_insert_with(|| add_like(components, old)),
            };
            grow(&mut pieces[piece], Area::pixel(x, y), new);
            components.labels[at] = new;
        }
    }
    let list: Vec<Letter> = pieces.into_iter().flatten().map(sorted).collect();
    letter.parts = list.iter().flat_map(|piece| piece.parts.clone()).collect();
    letter.parts.sort_unstable();
    list
}

/// A new label for a part of an old piece.
fn add_like(components: &mut Components, old: u32) -> u32 {
    let label = components.list.len() as u32 + 1;
    let like = components.list[old as usize - 1].clone();
    components.list.push(Component { label, ..like });
    label
}

/// Adds a pixel with its label to a piece.
fn grow(piece: &mut Option<Letter>, pixel: Area, label: u32) {
    match piece {
        None => {
            *piece = Some(Letter {
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

fn sorted(mut letter: Letter) -> Letter {
    letter.parts.sort_unstable();
    letter
}

/// One ink from several.
fn joined<'a>(pieces: impl Iterator<Item = &'a Letter>) -> Option<Letter> {
    pieces
        .cloned()
        .reduce(|a, b| Letter {
            bounds: a.bounds.union(&b.bounds),
            parts: [a.parts, b.parts].concat(),
        })
        .map(sorted)
}

/// The runs of a word's pieces that may be letters, in ascending order of their first piece; `letters` are the pieces of
/// each letter of the word.
pub(super) fn runs(letters: &[&Pieces], letter_height: f32) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut first = 0;
    for group in letters.chunk_by(|a, b| hang_together(a, b)) {
        let connected = Connected::of(group);
        runs.extend(connected.runs(first, letter_height));
        first += connected.list.len();
    }
    first = 0;
    for (index, pieces) in letters.iter().enumerate() {
        for count in 2..=MOST_JOINED.min(letters.len() - index) {
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

/// Whether two neighbours were cut from the same ink.
fn hang_together(left: &Pieces, right: &Pieces) -> bool {
    let of_both = |origin: &u32| left.origins.contains(origin);
    right.torn.is_some() && right.origins.iter().any(of_both)
}

/// Letters that hang together, as one row of pieces.
struct Connected<'a> {
    list: Vec<&'a Letter>,
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
                connected.inks.extend(pieces.torn);
            }
            connected.inks.extend(&pieces.inks);
            connected.list.extend(&pieces.list);
            connected.letters.push((first, connected.list.len()));
        }
        connected
    }

    /// All runs that are no wider than a letter, and the letters as they were found.
    fn runs(&self, first: usize, letter_height: f32) -> Vec<Run> {
        let count = self.list.len();
        let ends = (0..count).flat_map(|start| (start + 1..=count).map(move |end| (start, end)));
        ends.filter_map(|(start, end)| {
            let letter = joined(self.list[start..end].iter().copied())?;
            let whole = self.letters.contains(&(start, end));
            let seams = [start.checked_sub(1), Some(end - 1)];
            let inks = seams.into_iter().flatten();
            let inks: Vec<f32> = inks
                .filter_map(|seam| self.inks.get(seam).copied())
                .collect();
            let run = Run {
                start: first + start,
                end: first + end,
                cuts: inks.len() as f32 / 2.0,
                ink: inks.iter().map(|ink| ink * ink).sum::<f32>() / 2.0,
                torn: self.letters.len() > 1,
                joins: 0,
                whole,
                letter,
            };
            let narrow = run.letter.bounds.width() as f32 <= WIDEST_RUN * letter_height;
            (whole || narrow).then_some(run)
        })
        .collect()
    }
}

/// Whole neighbouring letters as one: `None` where no more letters would help, `Some(None)` where only more would.
fn join(letters: &[&Pieces], first: usize, letter_height: f32) -> Option<Option<Run>> {
    if letters
        .windows(2)
        .any(|pair| hang_together(pair[0], pair[1]))
    {
        return None;
    }
    let wholes: Vec<Letter> = letters
        .iter()
        .filter_map(|pieces| joined(pieces.list.iter()))
        .collect();
    let letter = joined(wholes.iter())?;
    let near = wholes.windows(2).all(|pair| {
        let gap = pair[1].bounds.left.saturating_sub(pair[0].bounds.right);
        gap as f32 <= JOIN_GAP * letter_height
    });
    let small = letter.bounds.width() as f32 <= JOIN_WIDEST * letter_height
        && letter.bounds.height() as f32 <= JOIN_HIGHEST * letter_height;
    if !near || !small {
        return None;
    }
    let part_like = |whole: &Letter| {
        (whole.bounds.width() as f32) < JOIN_NARROW * letter_height
            || (whole.bounds.height() as f32) < JOIN_LOW * letter_height
    };
    let count: usize = letters.iter().map(|pieces| pieces.list.len()).sum();
    Some(wholes.iter().any(part_like).then(|| Run {
        start: first,
        end: first + count,
        cuts: 0.0,
        ink: 0.0,
        torn: false,
        joins: letters.len() - 1,
        whole: false,
        letter,
    }))
}
