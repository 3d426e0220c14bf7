//! Seams: paths from top to bottom through as little ink as possible, along which touching letters are cut.

/// Cost of a sideways step, in pixels of ink: of equal seams, the straighter one is taken.
const SIDEWAYS: f32 = 0.05;

/// A path from the top row to the bottom row: all pixels of row `y` left of `columns[y]` are on its left.
pub(in crate::segmentation) struct Seam {
    pub columns: Vec<usize>,
    /// Ink that it crosses, in pixels.
    pub ink: f32,
    /// Ink and sideways steps, in pixels of ink.
    pub cost: f32,
}

/// The cheapest seam through each column of row `at` that stays `margin` pixels away from both sides, from left to right. Seams
/// don't cross each other.
pub(in crate::segmentation) fn seams(
    mask: &[bool],
    width: usize,
    margin: usize,
    at: usize,
) -> Vec<Seam> {
    let height = mask.len() / width;
    let (first, end) = (margin.max(1), width.saturating_sub(margin));
    if first >= end || at >= height {
        return Vec::new();
    }
    let row = |y: usize| &mask[y * width..(y + 1) * width];
    let from_top = Paths::of((0..=at).map(row), first..end);
    let from_bottom = Paths::of((at..height).rev().map(row), first..end);
    (first..end)
        .map(|column| {
            let mut columns = from_top.back_from(column);
            columns.reverse();
            columns.extend(from_bottom.back_from(column).into_iter().skip(1));
            let here = f32::from(mask[at * width + column]);
            let cost = from_top.costs[column - first] + from_bottom.costs[column - first] - here;
            let ink = ink_crossed(mask, width, &columns);
            Seam { columns, ink, cost }
        })
        .collect()
}

/// Ink under a path, in pixels; a diagonal step is longer and crosses more.
fn ink_crossed(mask: &[bool], width: usize, columns: &[usize]) -> f32 {
    let pixels = columns
        .iter()
        .enumerate()
        .filter(|&(y, &x)| mask[y * width + x]);
    pixels
        .map(|(y, &x)| {
            if y > 0 && columns[y - 1] != x {
                std::f32::consts::SQRT_2
            } else {
                1.0
            }
        })
        .sum()
}

/// Number of strokes that a seam crosses; the two sides of an O are two.
pub(in crate::segmentation) fn strokes_crossed(mask: &[bool], width: usize, seam: &Seam) -> usize {
    let is_ink = |y: &usize| mask[y * width + seam.columns[*y]];
    let rows: Vec<usize> = (0..seam.columns.len()).collect();
    let strokes = rows.chunk_by(|a, b| is_ink(a) == is_ink(b));
    strokes.filter(|stroke| is_ink(&stroke[0])).count()
}

/// The cheapest paths from the first of some rows to each column of the last (dynamic programming).
struct Paths {
    first: usize,
    /// Cost in pixels of ink, by column of the last row.
    costs: Vec<f32>,
    /// For each row after the first, by column: the column in the row before.
    steps: Vec<Vec<usize>>,
}

impl Paths {
    /// `rows` are neighbours in this order; paths stay inside `columns`.
    fn of<'a>(rows: impl Iterator<Item = &'a [bool]>, columns: std::ops::Range<usize>) -> Paths {
        let mut paths = Paths {
            first: columns.start,
            costs: vec![0.0; columns.len()],
            steps: Vec::new(),
        };
        for (y, row) in rows.enumerate() {
            let row = &row[columns.clone()];
            if y == 0 {
                paths.costs = row.iter().map(|&ink| f32::from(ink)).collect();
                continue;
            }
            let before = &paths.costs;
            let best = |x: usize| {
                let ink = f32::from(row[x]);
                let straight = (before[x] + ink, x);
                let aside = ink * std::f32::consts::SQRT_2 + SIDEWAYS;
                let left = x.checked_sub(1).map(|x| (before[x] + aside, x));
                let right = Some(x + 1).filter(|&x| x < before.len());
                let right = right.map(|x| (before[x] + aside, x));
                [left, right]
                    .into_iter()
                    .flatten()
                    .fold(
                        straight,
                        |best, path| if path.0 < best.0 { path } else { best },
                    )
            };
            let (costs, steps) = (0..row.len()).map(best).unzip();
            paths.costs = costs;
            paths.steps.push(steps);
        }
        paths
    }

    /// The columns from the last row back to the first.
    fn back_from(&self, column: usize) -> Vec<usize> {
        let mut at = column - self.first;
        let mut columns = vec![column];
        for steps in self.steps.iter().rev() {
            at = steps[at];
            columns.push(at + self.first);
        }
        columns
    }
}
