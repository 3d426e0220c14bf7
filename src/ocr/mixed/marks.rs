//! Puts small marks back: dots onto the letters that they belong to, full stops, commas and quotation marks between the letters of
//! their word.

use super::line_fit::LineFit;
use crate::segmentation::{Candidate, LineBox, Rect, SmallMark, WordBox};

/// Where a line's marks may be, in x-heights from the baseline: top of the highest, foot of the lowest.
const REACH: (f32, f32) = (-2.7, 1.2);
/// Usual middle of writing, in x-heights from the baseline: a mark belongs to the line whose middle is nearest.
const MIDDLE: f32 = -0.6;
/// How far beyond its letters a line's marks may be, in x-heights.
const BESIDE: f32 = 1.2;
/// A mark above or below a letter is part of it if the paper between them is no higher than this, in x-heights ...
const MAX_DOT_GAP: f32 = 1.0;
/// ... and the letter no wider than this.
const MAX_DOTTED_WIDTH: f32 = 0.9;
/// Two marks above each other are one (: ;) if the paper between them is no higher than this, two high ones beside each other (") if it
/// is no wider than this, in x-heights.
const MAX_PAIR_GAP: (f32, f32) = (1.1, 0.6);
/// The foot of a quotation mark is above this.
const QUOTATION_FOOT: f32 = -0.8;
/// Greatest gap between a word and a mark of it, in x-heights.
const MAX_WORD_GAP: f32 = 0.9;

/// The lines with the marks that are near them; `fits` are by line. `None` for a fit leaves a line as it is.
pub fn with_marks(
    lines: &[LineBox],
    small: &[SmallMark],
    fits: &[Option<LineFit>],
) -> Vec<LineBox> {
    let mut by_line: Vec<Vec<SmallMark>> = vec![Vec::new(); lines.len()];
    for mark in small {
        if let Some(line) = line_of(mark, lines, fits) {
            by_line[line].push(mark.clone());
        }
    }
    let lines = lines.iter().zip(fits).zip(by_line);
    lines
        .map(|((line, fit), marks)| match fit {
            Some(fit) => marked(line, marks, fit),
            None => line.clone(),
        })
        .collect()
}

/// The line that a mark belongs to.
fn line_of(mark: &SmallMark, lines: &[LineBox], fits: &[Option<LineFit>]) -> Option<usize> {
    let middle = |rect: Rect| rect.x as f32 + rect.width as f32 / 2.0;
    let distance = |line: &LineBox, fit: &LineFit| {
        let (left, right) = sides(line)?;
        let x = middle(mark.viewed);
        let beside = BESIDE * fit.x_height;
        let (top, foot) = place(mark, fit);
        let near = x >= left - beside && x <= right + beside && top >= REACH.0 && foot <= REACH.1;
        near.then_some(((top + foot) / 2.0 - MIDDLE).abs())
    };
    let near = lines
        .iter()
        .zip(fits)
        .enumerate()
        .filter_map(|(number, (line, fit))| Some((distance(line, fit.as_ref()?)?, number)));
    near.min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, number)| number)
}

/// First and last column of a line's letters.
fn sides(line: &LineBox) -> Option<(f32, f32)> {
    let letters = line.words.iter().flat_map(|word| &word.candidates.list);
    letters.fold(None, |sides, letter| {
        let (left, right) = columns(letter.viewed);
        let (least, most) = sides.unwrap_or((left, right));
        Some((f32::min(least, left), f32::max(most, right)))
    })
}

fn columns(rect: Rect) -> (f32, f32) {
    (rect.x as f32, (rect.x + rect.width) as f32)
}

/// Top and foot of a mark in x-heights from the baseline.
fn place(mark: &SmallMark, fit: &LineFit) -> (f32, f32) {
    let rect = mark.viewed;
    let x = rect.x as f32 + rect.width as f32 / 2.0;
    fit.place(x, rect.y as f32, (rect.y + rect.height) as f32)
}

/// A line with its marks.
fn marked(line: &LineBox, marks: Vec<SmallMark>, fit: &LineFit) -> LineBox {
    let mut words = line.words.clone();
    let free: Vec<SmallMark> = marks
        .into_iter()
        .filter(|mark| !dot(&mut words, mark, fit))
        .collect();
    for mark in paired(free, fit) {
        insert(&mut words, &mark, fit);
    }
    LineBox {
        bounds: line.bounds,
        words,
    }
}

/// Adds a mark to the letter that it is above or below; `false` if there is none. A mark inside a letter's box is dropped: it is ink that
/// ran, or a speck.
fn dot(words: &mut [WordBox], mark: &SmallMark, fit: &LineFit) -> bool {
    let x = mark.viewed.x as f32 + mark.viewed.width as f32 / 2.0;
    let slack = 0.15 * fit.x_height;
    let under = |one: &Candidate| {
        let (left, right) = columns(one.viewed);
        one.whole && x >= left - slack && x <= right + slack
    };
    let candidates = || words.iter().flat_map(|word| &word.candidates.list);
    let Some(letter) = candidates().find(|one| under(one)).map(|one| one.viewed) else {
        return false;
    };
    let (top, foot) = (
        mark.viewed.y as f32,
        (mark.viewed.y + mark.viewed.height) as f32,
    );
    let gap = (letter.y as f32 - foot).max(top - (letter.y + letter.height) as f32);
    if gap < 0.0 {
        return true;
    }
    let belongs =
        gap <= MAX_DOT_GAP * fit.x_height && letter.width as f32 <= MAX_DOTTED_WIDTH * fit.x_height;
    if !belongs {
        return false;
    }
    let same = words.iter_mut().flat_map(|word| &mut word.candidates.list);
    for one in same.filter(|one| one.viewed == letter) {
        one.letter = one.letter.with(&mark.letter);
        one.viewed = one.viewed.union(mark.viewed);
        one.breadth = one.viewed.width as f32 / one.viewed.height as f32;
    }
    true
}

/// Marks from left to right; those that are parts of one are one.
fn paired(mut marks: Vec<SmallMark>, fit: &LineFit) -> Vec<SmallMark> {
    marks.sort_by_key(|mark| (mark.viewed.x, mark.viewed.y));
    let mut paired: Vec<SmallMark> = Vec::new();
    for mark in marks {
        match paired.last_mut() {
            Some(last) if are_one(last, &mark, fit) => {
                last.letter = last.letter.with(&mark.letter);
                last.viewed = last.viewed.union(mark.viewed);
            }
            _ => paired.push(mark),
        }
    }
    paired
}

fn are_one(a: &SmallMark, b: &SmallMark, fit: &LineFit) -> bool {
    let (a_columns, b_columns) = (columns(a.viewed), columns(b.viewed));
    let gap = a_columns.0.max(b_columns.0) - a_columns.1.min(b_columns.1);
    let rows = |rect: Rect| (rect.y as f32, (rect.y + rect.height) as f32);
    let (a_rows, b_rows) = (rows(a.viewed), rows(b.viewed));
    let between = a_rows.0.max(b_rows.0) - a_rows.1.min(b_rows.1);
    let (stack, beside) = MAX_PAIR_GAP;
    if gap <= 0.2 * fit.x_height && between > 0.0 {
        return between <= stack * fit.x_height;
    }
    let high = |mark: &SmallMark| place(mark, fit).1 <= QUOTATION_FOOT;
    gap <= beside * fit.x_height && between < 0.0 && high(a) && high(b)
}

/// Puts a mark between the letters of the nearest word, or makes it a word.
fn insert(words: &mut Vec<WordBox>, mark: &SmallMark, fit: &LineFit) {
    let (left, right) = columns(mark.viewed);
    let x = (left + right) / 2.0;
    let gap = |word: &WordBox| {
        let whole = word.candidates.list.iter().filter(|one| one.whole);
        let gaps = whole.map(|one| {
            let (first, end) = columns(one.viewed);
            (first - right).max(left - end)
        });
        gaps.fold(f32::INFINITY, f32::min)
    };
    let nearest = words.iter_mut().map(|word| (gap(word), word));
    let nearest = nearest.min_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((gap, word)) if gap <= MAX_WORD_GAP * fit.x_height => {
            let before = word.candidates.list.iter();
            let before = before.filter(|one| one.whole && columns(one.viewed).1 <= x);
            let at = before.map(|one| one.end).max().unwrap_or(0);
            for one in &mut word.candidates.list {
                one.start += usize::from(one.start >= at);
                one.end += usize::from(one.end > at);
            }
            word.candidates.pieces += 1;
            word.candidates.list.push(alone(mark, at));
            word.candidates.list.sort_by_key(|one| one.start);
        }
        _ => {
            let at = words.partition_point(|word| {
                let first = word.candidates.list.first();
                first.is_some_and(|one| columns(one.viewed).0 < x)
            });
            let mut word = WordBox {
                bounds: mark.letter.bounds,
                letters: vec![mark.letter.clone()],
                candidates: Default::default(),
            };
            word.candidates.pieces = 1;
            word.candidates.list.push(alone(mark, 0));
            words.insert(at, word);
        }
    }
}

/// A mark as a candidate of its own.
fn alone(mark: &SmallMark, at: usize) -> Candidate {
    Candidate {
        start: at,
        end: at + 1,
        letter: mark.letter.clone(),
        cuts: 0.0,
        cut_ink: 0.0,
        touching: false,
        joins: 0,
        join_gap: 0.0,
        whole: true,
        breadth: mark.viewed.width as f32 / mark.viewed.height as f32,
        viewed: mark.viewed,
    }
}
