//! Finds columns of running text before lines are made: what is read down first, and only then across.
//!
//! A gutter is a strip that no word crosses, wider than the spaces between words. It separates columns only where both sides are
//! text of their own: lines that fill their column, or lines that are not level with each other. Fields with their values, tables and
//! rows of single characters have gutters as well, but their lines go on across them.

use super::statistics::median;

/// Columns of the map on which gutters are searched, in letter heights.
const CELL: f32 = 0.1;
/// Narrowest gutter, in letter heights.
const MIN_GUTTER: f32 = 1.4;
/// A gutter is at least this many times the page's own space between words.
const MIN_GUTTER_CONTRAST: f32 = 1.5;
/// Fewest lines of a column.
const MIN_LINES: usize = 3;
/// Fewest letters of a column's lines, on average.
const MIN_LETTERS: f32 = 4.0;
/// Words whose middles are further apart than this are on different lines, in letter heights.
const LINE_STEP: f32 = 0.6;
/// Half the height that a word takes when blank rows are searched, in letter heights: lines that are tilted overlap a little.
const HALF_BAND: f32 = 0.35;
/// Lines of two columns are level with each other if they are on average less than this part of the distance between lines apart;
/// independent lines are a quarter apart.
const MAX_ALIGNED: f32 = 0.18;
/// Running text has on average at least this many words in a line (names of fields have one or two) ...
const MIN_WORDS: f32 = 2.5;
/// ... and half of its lines are at least this part of their column wide, of long lines ...
const MIN_FILLED: f32 = 0.7;
const MIN_LONG_FILLED: f32 = 0.5;
/// ... with at least this many letters on average: three words that are not broken to fill a line.
const LONG_LINE: f32 = 11.0;

/// A word or a part of one, on the levelled page.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunBox {
    pub left: f32,
    pub right: f32,
    /// Mean row of its letters' middles.
    pub row: f32,
    /// Number of its letters.
    pub letters: usize,
}

/// Words that are read before those of the next block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Indices of runs, ascending.
    pub runs: Vec<usize>,
    /// Whether it is one of several columns.
    pub is_column: bool,
}

/// The blocks of a page in reading order; a page without columns is one block.
pub(super) fn blocks(runs: &[RunBox], letter_height: f32) -> Vec<Block> {
    let mut bands = bands(runs, letter_height);
    let mut found = Vec::new();
    split(runs, &mut bands, letter_height, &mut found);
    found
}

/// Appends the blocks of consecutive bands: those above the largest group of columns, the columns, those below.
fn split(runs: &[RunBox], bands: &mut [Vec<usize>], letter_height: f32, found: &mut Vec<Block>) {
    let Some((first, end, columns)) = largest_columns(runs, bands, letter_height) else {
        let mut all = bands.concat();
        if !all.is_empty() {
            all.sort_unstable();
            found.push(Block {
                runs: all,
                is_column: false,
            });
        }
        return;
    };
    split(runs, &mut bands[..first], letter_height, found);
    found.extend(columns.into_iter().map(|mut runs| {
        runs.sort_unstable();
        Block {
            runs,
            is_column: true,
        }
    }));
    split(runs, &mut bands[end..], letter_height, found);
}

/// Runs between blank rows, from top to bottom.
fn bands(runs: &[RunBox], letter_height: f32) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by(|&a, &b| runs[a].row.total_cmp(&runs[b].row).then(a.cmp(&b)));
    let mut bands: Vec<Vec<usize>> = Vec::new();
    let mut last = f32::NEG_INFINITY;
    for index in order {
        let row = runs[index].row;
        match bands.last_mut() {
            Some(band) if row - last <= 2.0 * HALF_BAND * letter_height => band.push(index),
            _ => bands.push(vec![index]),
        }
        last = row;
    }
    bands
}

/// First band, end and columns of the consecutive bands that are columns and hold the most runs.
fn largest_columns(
    runs: &[RunBox],
    bands: &[Vec<usize>],
    letter_height: f32,
) -> Option<(usize, usize, Vec<Vec<usize>>)> {
    let all = bands.iter().flatten().map(|&index| runs[index]);
    let left = all.clone().map(|run| run.left).fold(f32::MAX, f32::min);
    let right = all.map(|run| run.right).fold(f32::MIN, f32::max);
    let cells = ((right - left) / (CELL * letter_height)).max(0.0) as usize + 1;
    let mut best: Option<(usize, usize, usize, Vec<Vec<usize>>)> = None;
    for first in 0..bands.len() {
        let mut taken = vec![false; cells];
        let mut count = 0;
        for end in first + 1..=bands.len() {
            let band = &bands[end - 1];
            count += band.len();
            for run in band.iter().map(|&index| runs[index]) {
                let cell = |x: f32| ((x - left) / (CELL * letter_height)).max(0.0) as usize;
                taken[cell(run.left).min(cells - 1)..=cell(run.right).min(cells - 1)].fill(true);
            }
            // Where columns are not level with each other, a band may be a line of one of them.
            let gutters = gutters(&taken);
            if gutters.is_empty() {
                continue;
            }
            if best.as_ref().is_some_and(|(most, ..)| count <= *most) {
                continue;
            }
            let middles = gutters
                .iter()
                .map(|cell| left + cell * CELL * letter_height)
                .collect::<Vec<f32>>();
            let columns = columns(runs, &bands[first..end], &middles);
            if are_text(runs, &columns, letter_height) {
                best = Some((count, first, end, columns));
            }
        }
    }
    best.map(|(_, first, end, columns)| (first, end, columns))
}

/// Middles of the strips that are wide enough and have something on either side, in cells.
fn gutters(taken: &[bool]) -> Vec<f32> {
    let least = (MIN_GUTTER / CELL) as usize;
    let mut gutters = Vec::new();
    let mut last: Option<usize> = None;
    for (cell, _) in taken.iter().enumerate().filter(|(_, taken)| **taken) {
        if let Some(last) = last.filter(|&last| cell - last > least) {
            gutters.push((last + cell + 1) as f32 / 2.0);
        }
        last = Some(cell);
    }
    gutters
}

/// The runs of the bands between the gutters.
fn columns(runs: &[RunBox], bands: &[Vec<usize>], gutters: &[f32]) -> Vec<Vec<usize>> {
    let mut columns = vec![Vec::new(); gutters.len() + 1];
    for &index in bands.iter().flatten() {
        let middle = (runs[index].left + runs[index].right) / 2.0;
        columns[gutters.partition_point(|&gutter| gutter < middle)].push(index);
    }
    columns
}

/// A line of one column.
struct ColumnLine {
    row: f32,
    left: f32,
    right: f32,
    words: usize,
    letters: usize,
    /// Spaces between its words.
    spaces: Vec<f32>,
}

/// Lines of a column from top to bottom.
fn lines(runs: &[RunBox], column: &[usize], letter_height: f32) -> Vec<ColumnLine> {
    let mut sorted: Vec<RunBox> = column.iter().map(|&index| runs[index]).collect();
    sorted.sort_by(|a, b| a.row.total_cmp(&b.row));
    let mut groups: Vec<Vec<RunBox>> = Vec::new();
    for run in sorted {
        match groups.last_mut() {
            Some(group) if run.row - group[0].row <= LINE_STEP * letter_height => group.push(run),
            _ => groups.push(vec![run]),
        }
    }
    let line = |mut group: Vec<RunBox>| {
        group.sort_by(|a, b| a.left.total_cmp(&b.left));
        let mut spaces: Vec<f32> = Vec::new();
        let mut right = f32::MIN;
        for (index, run) in group.iter().enumerate() {
            if index > 0 {
                spaces.push((run.left - right).max(0.0));
            }
            right = right.max(run.right);
        }
        ColumnLine {
            row: group.iter().map(|run| run.row).sum::<f32>() / group.len() as f32,
            left: group[0].left,
            right,
            words: group.len(),
            letters: group.iter().map(|run| run.letters).sum(),
            spaces,
        }
    };
    groups.into_iter().map(line).collect()
}

/// Whether columns are text of their own, each to be read before the next.
fn are_text(runs: &[RunBox], columns: &[Vec<usize>], letter_height: f32) -> bool {
    let columns: Vec<Vec<ColumnLine>> = columns
        .iter()
        .map(|column| lines(runs, column, letter_height))
        .collect();
    let has_text = |lines: &Vec<ColumnLine>| {
        let letters: usize = lines.iter().map(|line| line.letters).sum();
        lines.len() >= MIN_LINES && letters as f32 >= MIN_LETTERS * lines.len() as f32
    };
    if !columns.iter().all(has_text) {
        return false;
    }
    let spaces = columns.iter().flatten().flat_map(|line| &line.spaces);
    let space = median(&mut spaces.copied().collect::<Vec<f32>>()).unwrap_or(0.0);
    let is_gutter = |pair: &[Vec<ColumnLine>]| {
        let (left, right) = (extent(&pair[0]), extent(&pair[1]));
        let gutter = right.0 - left.1;
        gutter >= MIN_GUTTER_CONTRAST * space
            && gutter <= (left.1 - left.0).min(right.1 - right.0)
            && are_beside(&pair[0], &pair[1])
            && (apart(&pair[0], &pair[1]) > MAX_ALIGNED || pair.iter().all(|side| is_running(side)))
    };
    columns.windows(2).all(is_gutter)
}

/// Whether at least half of the lines of the shorter column are beside the other one.
fn are_beside(first: &[ColumnLine], second: &[ColumnLine]) -> bool {
    let ends = |lines: &[ColumnLine]| (lines[0].row, lines[lines.len() - 1].row);
    let (first, second) = (ends(first), ends(second));
    let shared = first.1.min(second.1) - first.0.max(second.0);
    shared >= 0.5 * (first.1 - first.0).min(second.1 - second.0)
}

/// Leftmost and rightmost column of its lines.
fn extent(lines: &[ColumnLine]) -> (f32, f32) {
    lines
        .iter()
        .fold((f32::MAX, f32::MIN), |(left, right), line| {
            (left.min(line.left), right.max(line.right))
        })
}

/// How far lines of two columns are from being level with each other, in distances between lines: the mean over the lines of the second
/// that are within the height of the first.
fn apart(first: &[ColumnLine], second: &[ColumnLine]) -> f32 {
    let mut steps: Vec<f32> = [first, second]
        .iter()
        .flat_map(|lines| lines.windows(2))
        .map(|pair| pair[1].row - pair[0].row)
        .collect();
    let (Some(pitch), Some(top), Some(bottom)) = (median(&mut steps), first.first(), first.last())
    else {
        return 0.0;
    };
    let offsets: Vec<f32> = second
        .iter()
        .filter(|line| (top.row - pitch / 2.0..=bottom.row + pitch / 2.0).contains(&line.row))
        .map(|line| {
            let distances = first.iter().map(|other| (other.row - line.row).abs());
            distances.fold(f32::MAX, f32::min) / pitch
        })
        .collect();
    if offsets.len() < MIN_LINES {
        return 0.0;
    }
    offsets.iter().sum::<f32>() / offsets.len() as f32
}

/// Whether lines are running text: several words each, and most of them as wide as the column.
fn is_running(lines: &[ColumnLine]) -> bool {
    let words: usize = lines.iter().map(|line| line.words).sum();
    let (left, right) = extent(lines);
    let mut widths: Vec<f32> = lines.iter().map(|line| line.right - line.left).collect();
    let usual = median(&mut widths).unwrap_or(0.0);
    let letters: usize = lines.iter().map(|line| line.letters).sum();
    let filled = if letters as f32 >= LONG_LINE * lines.len() as f32 {
        MIN_LONG_FILLED
    } else {
        MIN_FILLED
    };
    words as f32 >= MIN_WORDS * lines.len() as f32 && usual >= filled * (right - left)
}
