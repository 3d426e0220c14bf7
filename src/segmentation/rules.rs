//! Printed rules, squares and underlines -> bare paper, so that letters which stand on them are pieces of their own.
//!
//! Comes in: the mask of the ink, and where ink hangs together over a long way. Goes out: the mask without the thin straight
//! lines in it. A line is followed from column to column (or from row to row) while the ink across it is thin; strokes that
//! cross it, and bars that lie on it and are darker, stay. Ink that reaches less far is not looked at.

use super::geometry::Area;
use super::plane::Plane;
use super::statistics::median;

/// A piece of ink is looked at if it reaches over this part of the page's longer side: few words, no letter.
pub(super) const LONG_PIECE: f32 = 0.1;
/// Shortest line, as a part of the page's longer side ...
const SHORTEST: f32 = 0.08;
/// ... and in its own widths: a letter's stroke is 6 to 15 pens long, a line under a word more than 40.
const SLENDERNESS: f32 = 40.0;
/// Widest line in pixels of the working copy, which is at most 1600 pixels long: 1 mm of a sheet of paper.
const WIDEST: usize = 8;
/// Steepest line, in pixels across a pixel along: 15 degrees.
const STEEPEST: f32 = 0.27;
/// The next piece of a line lies where the line leads, give or take so many pixels.
const REACH: f32 = 1.6;
/// A line may be covered by letters for this part of the page's longer side ...
const LONGEST_GAP: f32 = 0.05;
/// ... and must be seen for this part of its own length.
const LEAST_SEEN: f32 = 0.4;
/// Points at its end that say where a line leads, and the fewest that do.
const MEMORY: usize = 48;
const LEAST_MEMORY: usize = 12;
/// Ink across a line belongs to the line if it is at most so much wider than its median, in widths and in pixels ...
const MORE_WIDTH: (f32, f32) = (1.3, 1.0);
/// ... and at most so much darker: a pen's bar on a printed rule is not.
const MORE_INK: f32 = 1.35;
/// Where two lines cross, their blur adds up over so many pixels beyond their width, and to so much.
const AROUND_CROSSING: f32 = 4.0;
const MORE_INK_AT_CROSSING: f32 = 1.8;
/// So many lines in one direction are a pattern, whose shorter pieces are known by their look ...
const SEVERAL: usize = 3;
/// ... if they are no darker than this part of the writing (pen lines under words look like the letters' own strokes), ...
const PALE: f32 = 0.7;
/// ... which is what this part of the ink is paler than ...
const WRITING_SHARE: f32 = 0.97;
/// ... and if they are at least so many widths long.
const LEAST_PIECE: f32 = 3.0;

/// Takes the lines out of the mask, within the area over which ink hangs together.
pub(super) fn remove_rules(mask: &mut [bool], ink: &Plane, area: &Area) {
    let page: &[bool] = mask;
    let writing = writing_ink(page, ink, area);
    let [across, down] = [true, false].map(|along_rows| {
        let strip = Strip {
            mask: page,
            ink,
            area,
            along_rows,
            writing,
        };
        let lines = strip.lines();
        let pixels: Vec<usize> = lines
            .iter()
            .flat_map(|line| strip.pixels_of(line))
            .collect();
        (lines, pixels)
    });
    let crossed = crossings(page, ink, &across.0, &down.0);
    for at in across.1.into_iter().chain(down.1).chain(crossed) {
        mask[at] = false;
    }
}

/// How dark the writing is.
fn writing_ink(mask: &[bool], ink: &Plane, area: &Area) -> f32 {
    let mut values: Vec<f32> = (area.top..area.bottom)
        .flat_map(|y| y * ink.width + area.left..y * ink.width + area.right)
        .filter(|&at| mask[at])
        .map(|at| ink.values[at])
        .collect();
    let place = (WRITING_SHARE * values.len() as f32) as usize;
    match place < values.len() {
        true => *values.select_nth_unstable_by(place, f32::total_cmp).1,
        false => 0.0,
    }
}

/// What is left where two lines cross, which is darker and has no side that is thin.
fn crossings(mask: &[bool], ink: &Plane, across: &[Line], down: &[Line]) -> Vec<usize> {
    let mut pixels = Vec::new();
    for row in across {
        for column in down {
            let Some((x, y)) = meeting(row, column) else {
                continue;
            };
            let reach = row.width.max(column.width) + AROUND_CROSSING;
            let from = |middle: f32| (middle - reach).max(0.0) as usize;
            let to = |middle: f32, limit: usize| ((middle + reach).max(0.0) as usize).min(limit);
            let darkest = MORE_INK_AT_CROSSING * row.ink.max(column.ink);
            for py in from(y)..to(y, ink.height) {
                for px in from(x)..to(x, ink.width) {
                    let at = py * ink.width + px;
                    let on = |line: &Line, along: usize, across: usize| {
                        line.at(along as f32).is_some_and(|middle| {
                            (across as f32 + 0.5 - middle).abs() <= line.width / 2.0 + 1.0
                        })
                    };
                    if mask[at]
                        && ink.values[at] <= darkest
                        && (on(row, px, py) || on(column, py, px))
                    {
                        pixels.push(at);
                    }
                }
            }
        }
    }
    pixels
}

/// Column and row in which a line along the rows meets one along the columns.
fn meeting(row: &Line, column: &Line) -> Option<(f32, f32)> {
    let middle = &column.crossings[column.crossings.len() / 2];
    let mut x = middle.middle();
    let mut y = row.at(x)?;
    // Neither is steep: every turn brings the point nearer by a factor of more than ten.
    for _ in 0..3 {
        x = column.at(y)?;
        y = row.at(x)?;
    }
    Some((x, y))
}

/// A line that was followed: where it was seen, and its median width and darkness.
struct Line {
    crossings: Vec<Crossing>,
    width: f32,
    ink: f32,
}

impl Line {
    fn length(&self) -> f32 {
        let last = self.crossings[self.crossings.len() - 1];
        (last.along - self.crossings[0].along + 1) as f32
    }

    /// Its middle at a place along it, between the places where it was seen; `None` beyond its ends.
    fn at(&self, along: f32) -> Option<f32> {
        let next = self
            .crossings
            .partition_point(|crossing| (crossing.along as f32) < along);
        let end = self.crossings.get(next)?;
        let Some(start) = next.checked_sub(1).map(|i| self.crossings[i]) else {
            return (end.along as f32 - along <= 1.0).then(|| end.middle());
        };
        let part = (along - start.along as f32) / (end.along - start.along) as f32;
        Some(start.middle() + part * (end.middle() - start.middle()))
    }

    /// A line by its length alone.
    fn is_certain(&self, longer: f32) -> bool {
        let (first, last) = (self.crossings[0], self.crossings[self.crossings.len() - 1]);
        let length = self.length();
        length >= SHORTEST * longer
            && length >= SLENDERNESS * self.width
            && self.crossings.len() as f32 >= LEAST_SEEN * length
            && (last.middle() - first.middle()).abs() <= STEEPEST * length
    }

    /// A piece of a line like those that were found.
    fn is_like(&self, width: f32, ink: f32) -> bool {
        self.length() >= LEAST_PIECE * self.width
            && self.width <= MORE_WIDTH.0 * width + MORE_WIDTH.1
            && self.ink <= MORE_INK * ink
    }
}

/// The ink across a line at one place: from `first` to before `end`, both counted across.
#[derive(Debug, Clone, Copy)]
struct Crossing {
    along: usize,
    first: usize,
    end: usize,
}

impl Crossing {
    fn middle(&self) -> f32 {
        (self.first + self.end) as f32 / 2.0
    }

    fn width(&self) -> f32 {
        (self.end - self.first) as f32
    }
}

/// An area of the page, seen along its rows or along its columns.
struct Strip<'a> {
    mask: &'a [bool],
    ink: &'a Plane,
    area: &'a Area,
    along_rows: bool,
    /// How dark the writing is.
    writing: f32,
}

impl Strip<'_> {
    /// The lines in this direction; where there are several, also the short pieces that look like them.
    fn lines(&self) -> Vec<Line> {
        let longer = self.ink.width.max(self.ink.height) as f32;
        let (lines, pieces): (Vec<Line>, Vec<Line>) = self
            .followed(longer)
            .into_iter()
            .map(|crossings| self.measured(crossings))
            .partition(|line| line.is_certain(longer));
        let typical = |value: fn(&Line) -> f32| {
            let mut values: Vec<f32> = lines.iter().map(value).collect();
            median(&mut values).unwrap_or(0.0)
        };
        let (width, ink) = (typical(|line| line.width), typical(|line| line.ink));
        if lines.len() < SEVERAL || ink > PALE * self.writing {
            return lines;
        }
        let alike = pieces.into_iter().filter(|piece| piece.is_like(width, ink));
        lines.into_iter().chain(alike).collect()
    }

    /// All that is thin and goes straight on, of any length.
    fn followed(&self, longer: f32) -> Vec<Vec<Crossing>> {
        let (mut open, mut all): (Vec<Vec<Crossing>>, Vec<Vec<Crossing>>) =
            (Vec::new(), Vec::new());
        for along in self.spans().0 {
            let (going, ended): (Vec<_>, Vec<_>) = open.into_iter().partition(|line| {
                let gap = along - line[line.len() - 1].along;
                gap as f32 <= (LONGEST_GAP * longer).min(line.len() as f32)
            });
            open = going;
            all.extend(ended);
            self.follow(along, &mut open);
        }
        all.extend(open);
        all
    }

    fn measured(&self, crossings: Vec<Crossing>) -> Line {
        let of = |value: &dyn Fn(&Crossing) -> f32| {
            let mut values: Vec<f32> = crossings.iter().map(value).collect();
            median(&mut values).unwrap_or(0.0)
        };
        let (width, ink) = (
            of(&Crossing::width),
            of(&|crossing: &Crossing| self.darkest(crossing)),
        );
        Line {
            crossings,
            width,
            ink,
        }
    }

    /// Adds the thin ink at one place to the lines that lead there, and begins new ones.
    fn follow(&self, along: usize, open: &mut Vec<Vec<Crossing>>) {
        let expected: Vec<f32> = open.iter().map(|line| leads_to(line, along)).collect();
        for crossing in self.thin_ink(along) {
            let nearest = (0..expected.len())
                .filter(|&i| open[i][open[i].len() - 1].along < along)
                .map(|i| ((expected[i] - crossing.middle()).abs(), i))
                .filter(|(distance, _)| *distance <= REACH)
                .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            match nearest {
                Some((_, line)) => open[line].push(crossing),
                None => open.push(vec![crossing]),
            }
        }
    }

    /// The pixels of a line; those of darker or thicker ink on it are left out.
    fn pixels_of(&self, line: &Line) -> Vec<usize> {
        line.crossings
            .iter()
            .filter(|crossing| crossing.width() <= MORE_WIDTH.0 * line.width + MORE_WIDTH.1)
            .filter(|crossing| self.darkest(crossing) <= MORE_INK * line.ink)
            .flat_map(|crossing| {
                (crossing.first..crossing.end).map(|across| self.index(crossing.along, across))
            })
            .collect()
    }

    fn darkest(&self, crossing: &Crossing) -> f32 {
        (crossing.first..crossing.end)
            .map(|across| self.ink.values[self.index(crossing.along, across)])
            .fold(0.0, f32::max)
    }

    /// Stretches of ink across that are no wider than a line may be.
    fn thin_ink(&self, along: usize) -> Vec<Crossing> {
        let (_, across) = self.spans();
        let mut found = Vec::new();
        let mut first = None;
        for at in across.clone().chain([across.end]) {
            let inked = across.contains(&at) && self.mask[self.index(along, at)];
            match (first, inked) {
                (None, true) => first = Some(at),
                (Some(start), false) => {
                    first = None;
                    if at - start <= WIDEST {
                        found.push(Crossing {
                            along,
                            first: start,
                            end: at,
                        });
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Places along and across the lines.
    fn spans(&self) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let columns = self.area.left..self.area.right;
        let rows = self.area.top..self.area.bottom;
        match self.along_rows {
            true => (columns, rows),
            false => (rows, columns),
        }
    }

    fn index(&self, along: usize, across: usize) -> usize {
        match self.along_rows {
            true => across * self.ink.width + along,
            false => along * self.ink.width + across,
        }
    }
}

/// Where a line is expected: straight on through its last points (least squares).
fn leads_to(line: &[Crossing], along: usize) -> f32 {
    let last = &line[line.len().saturating_sub(MEMORY)..];
    let count = last.len() as f32;
    let end = last[last.len() - 1];
    if last.len() < LEAST_MEMORY {
        return end.middle();
    }
    let x = |crossing: &Crossing| crossing.along as f32 - end.along as f32;
    let mean_x = last.iter().map(x).sum::<f32>() / count;
    let mean_y = last.iter().map(Crossing::middle).sum::<f32>() / count;
    let (mut xy, mut xx) = (0.0, 0.0);
    for crossing in last {
        let dx = x(crossing) - mean_x;
        xy += dx * (crossing.middle() - mean_y);
        xx += dx * dx;
    }
    let slope = (xy / xx.max(f32::EPSILON)).clamp(-STEEPEST, STEEPEST);
    mean_y + slope * ((along - end.along) as f32 - mean_x)
}
