//! Puts letters into lines and words, in reading order.
//!
//! Columns are found before lines (`columns`). Lines need not be level or parallel, and words need not follow their line: one slope is
//! found for the page and for each column, letters that are close together make runs, and runs are chained to lines. Spaces between
//! words come from the page's own gaps.

use super::columns::{self, RunBox};
use super::letters::glyphs::Glyph;
use super::slope::{level_row, slope_of};
use super::statistics::two_classes;

/// Greatest gap before a letter that continues a run, in letter heights.
const MAX_RUN_GAP: f32 = 0.7;
/// Greatest distance of its middle above or below the run's last letter, in letter heights.
const MAX_RUN_STEP: f32 = 0.45;
/// Greatest overlap with the run's last letter, in letter heights.
const MAX_RUN_OVERLAP: f32 = 0.5;
/// Greatest distance of a run above or below the line that it continues, in letter heights.
const MAX_LINE_STEP: f32 = 0.65;
/// Letters at a line's end that its height is taken from.
const LINE_MEMORY: usize = 3;
/// A page has spaces if the mean wide gap is at least this many times the mean narrow one ...
const MIN_GAP_CONTRAST: f32 = 1.9;
/// ... and the mean wide gap is at least this wide, in letter heights.
const MIN_MEAN_SPACE: f32 = 0.9;
/// Narrowest space between two words, in letter heights.
const MIN_SPACE: f32 = 0.75;
/// Narrower spaces count where the two kinds of gap are clearly apart: most gaps are inside words, the narrowest space is at least
/// this many times the widest gap inside words ...
const CLEAR_GAP_CONTRAST: f32 = 1.5;
/// ... and at least this wide, in letter heights.
const MIN_CLEAR_SPACE: f32 = 0.5;

/// Wider gaps are between fields or columns, in letter heights.
const FIELD_GAP: f32 = 2.5;

/// Words of a line, each the indices of its letters from left to right.
pub(super) type LineOfWords = Vec<Vec<usize>>;

/// Orders the letters: columns from left to right, lines from top to bottom, words and letters from left to right.
pub(super) fn lay_out(letters: &[Glyph], letter_height: f32) -> Vec<LineOfWords> {
    let all: Vec<usize> = (0..letters.len()).collect();
    let slope = slope_of(letters, &all, letter_height);
    let runs = runs(letters, all, letter_height, slope);
    let lines = lines(letters, runs, letter_height, slope);
    let widest = widest_letter_gap(letters, &lines, letter_height);
    lines
        .into_iter()
        .map(|line| words(letters, line, widest))
        .collect()
}

/// Chains the runs of each block of the page to lines; each column has a slope of its own.
fn lines(
    letters: &[Glyph],
    page_runs: Vec<Vec<usize>>,
    letter_height: f32,
    slope: f32,
) -> Vec<Vec<usize>> {
    let boxes: Vec<RunBox> = page_runs
        .iter()
        .map(|run| run_box(letters, run, slope))
        .collect();
    let blocks = columns::blocks(&boxes, letter_height);
    let [_, _, ..] = blocks.as_slice() else {
        return chain(letters, page_runs, letter_height, slope);
    };
    let mut all = Vec::new();
    for block in blocks {
        let own: Vec<Vec<usize>> = block.runs.iter().map(|&i| page_runs[i].clone()).collect();
        all.extend(if block.is_column {
            let column = own.concat();
            let slope = slope_of(letters, &column, letter_height);
            let own = runs(letters, column, letter_height, slope);
            chain(letters, own, letter_height, slope)
        } else {
            chain(letters, own, letter_height, slope)
        });
    }
    all
}

/// Where a run is on the levelled page.
fn run_box(letters: &[Glyph], run: &[usize], slope: f32) -> RunBox {
    let column = |x: usize, letter: &Glyph| x as f32 + slope * letter.bounds.centre().1;
    let sides = run.iter().map(|&i| &letters[i]);
    let left = sides.clone().map(|one| column(one.bounds.left, one));
    let right = sides.clone().map(|one| column(one.bounds.right, one));
    RunBox {
        left: left.fold(f32::MAX, f32::min),
        right: right.fold(f32::MIN, f32::max),
        row: sides.map(|one| level_row(one, slope)).sum::<f32>() / run.len() as f32,
        letters: run.len(),
    }
}

/// Chains runs to lines, from top to bottom: each run, from left to right, continues the nearest line or starts a new one.
///
/// A run is near if it is where the line's last letters lead (lines that bend), or level with the line's last run as a whole or with
/// its beginning (words that are tilted one by one, about their middle or about the point on the line where they begin).
fn chain(
    letters: &[Glyph],
    runs: Vec<Vec<usize>>,
    letter_height: f32,
    slope: f32,
) -> Vec<Vec<usize>> {
    let row = |i: usize| level_row(&letters[i], slope);
    let mean = |of: &[usize]| of.iter().map(|&i| row(i)).sum::<f32>() / of.len() as f32;
    // Each line, with the mean rows of its last run and of that run's beginning.
    let mut lines: Vec<(Vec<usize>, [f32; 2])> = Vec::new();
    for run in runs {
        let begin = mean(&run[..run.len().min(LINE_MEMORY)]);
        let here = [mean(&run), begin];
        let distance = |line: &Vec<usize>, last_run: [f32; 2]| {
            let end = &line[line.len().saturating_sub(LINE_MEMORY)..];
            let beside = (here[0] - last_run[0])
                .abs()
                .min((begin - last_run[1]).abs());
            beside.min((begin - mean(end)).abs())
        };
        let follows = |line: &Vec<usize>| {
            line.last().is_none_or(|&last| {
                let overlap = overlap(&letters[last], &letters[run[0]]);
                overlap <= MAX_RUN_OVERLAP * letter_height
            })
        };
        let nearest = lines
            .iter_mut()
            .filter(|(line, _)| follows(line))
            .map(|line| (distance(&line.0, line.1), line))
            .filter(|(distance, _)| *distance <= MAX_LINE_STEP * letter_height)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, (line, last_run))) => {
                line.extend(run);
                *last_run = here;
            }
            None => lines.push((run, here)),
        }
    }
    let mut lines: Vec<Vec<usize>> = lines.into_iter().map(|(line, _)| line).collect();
    lines.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    lines
}

/// Letters of `order` that are close together and level with each other, in the order of their first letters: words and parts of words.
fn runs(
    letters: &[Glyph],
    mut order: Vec<usize>,
    letter_height: f32,
    slope: f32,
) -> Vec<Vec<usize>> {
    order.sort_by(|&a, &b| {
        let x = |i: usize| letters[i].bounds.centre().0;
        x(a).total_cmp(&x(b)).then(a.cmp(&b))
    });
    let row = |i: usize| level_row(&letters[i], slope);
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for letter in order {
        let step = |run: &Vec<usize>| {
            let last = run[run.len() - 1];
            let near = gap(letters, last, letter) <= MAX_RUN_GAP * letter_height
                && overlap(&letters[last], &letters[letter]) <= MAX_RUN_OVERLAP * letter_height;
            let step = (row(letter) - row(last)).abs();
            (near && step <= MAX_RUN_STEP * letter_height).then_some(step)
        };
        let nearest = runs
            .iter_mut()
            .filter_map(|run| Some((step(run)?, run)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, run)) => run.push(letter),
            None => runs.push(vec![letter]),
        }
    }
    runs
}

/// Columns by which the second begins before the first ends.
fn overlap(first: &Glyph, second: &Glyph) -> f32 {
    first.bounds.right.saturating_sub(second.bounds.left) as f32
}

/// Columns between two neighbours of a line; 0 where they overlap.
fn gap(letters: &[Glyph], left: usize, right: usize) -> f32 {
    letters[right]
        .bounds
        .left
        .saturating_sub(letters[left].bounds.right) as f32
}

/// The widest gap that is still inside a word, in working pixels; infinite on a page without spaces.
///
/// Gaps between fields and columns are wider than spaces; beside them, letters and spaces would look alike.
fn widest_letter_gap(letters: &[Glyph], lines: &[Vec<usize>], letter_height: f32) -> f32 {
    let all: Vec<f32> = lines
        .iter()
        .flat_map(|line| line.windows(2))
        .map(|pair| gap(letters, pair[0], pair[1]))
        .collect();
    let inner: Vec<f32> = all
        .iter()
        .copied()
        .filter(|&gap| gap <= FIELD_GAP * letter_height)
        .collect();
    let widest = widest_of(&inner, letter_height);
    if widest.is_finite() || inner.len() == all.len() {
        widest
    } else {
        widest_of(&all, letter_height)
    }
}

/// The end of the narrower of two kinds of gaps; infinite where they are of one kind.
fn widest_of(gaps: &[f32], letter_height: f32) -> f32 {
    match two_classes(gaps) {
        Some(classes)
            if classes.upper >= MIN_GAP_CONTRAST * classes.lower
                && classes.upper >= MIN_MEAN_SPACE * letter_height =>
        {
            let midpoint = (classes.lower + classes.upper) / 2.0;
            midpoint.max(MIN_SPACE * letter_height)
        }
        Some(classes)
            if classes.upper >= MIN_GAP_CONTRAST * classes.lower
                && classes.lower_share >= 0.5
                && classes.upper_start >= CLEAR_GAP_CONTRAST * classes.lower_end
                && classes.upper_start >= MIN_CLEAR_SPACE * letter_height =>
        {
            (classes.lower_end + classes.upper_start) / 2.0
        }
        _ => f32::INFINITY,
    }
}

/// Cuts a line at gaps above `widest`.
fn words(letters: &[Glyph], line: Vec<usize>, widest: f32) -> LineOfWords {
    let mut words: LineOfWords = Vec::new();
    for letter in line {
        match words.last_mut() {
            Some(word)
                if word
                    .last()
                    .is_none_or(|&last| gap(letters, last, letter) <= widest) =>
            {
                word.push(letter);
            }
            _ => words.push(vec![letter]),
        }
    }
    words
}
