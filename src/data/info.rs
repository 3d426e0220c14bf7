//! Counts and statistics of a data set, as a table or a contact sheet of samples, for `kiln data info`.
//!
//! Statistics are computed on the plain rendering (draw 0) of the training split.

use std::fmt::Write as _;

use image::{Rgb, RgbImage};
use rayon::prelude::*;
use serde::Serialize;

use super::{DataError, DataSource, Split, untrained};
use crate::error::{counted, printable};
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Longest bar of the table, in characters.
const BAR: usize = 40;
/// Maximum number of classes on a sample sheet; further ones are omitted.
pub const SHEET_CLASSES: usize = 64;
/// Maximum rows in one block; more are laid out in two blocks side by side.
const SHEET_ROWS: usize = 20;
/// Smallest side of a sample on the sheet in pixels; smaller samples are enlarged by a whole factor.
const SHEET_TILE: usize = 32;
/// Space between samples in pixels.
const GAP: usize = 2;
/// Maximum characters of a class name on the sheet.
const NAME_LENGTH: usize = 12;

/// Contents of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataInfo {
    /// Shape of every sample.
    pub shape: ImageShape,
    /// Class names in the order of their labels.
    pub classes: Vec<String>,
    /// Training, validation and test.
    pub splits: Vec<SplitInfo>,
    /// What opening found out about the files, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The split that the statistics describe: training, or the first that has samples.
    pub statistics_of: Split,
    /// Mean of its values in [0, 1], one per channel.
    pub mean: Vec<f64>,
    /// Their standard deviation (divided by the number of values, not by one less), one per channel.
    pub standard_deviation: Vec<f64>,
}

/// One split of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitInfo {
    /// Which split.
    pub split: Split,
    /// Number of samples.
    pub samples: usize,
    /// Number of samples of each class.
    pub per_class: Vec<usize>,
}

/// The first split that has samples: training, where there is any.
pub fn first_split(source: &dyn DataSource) -> Result<Split, DataError> {
    Split::ALL
        .into_iter()
        .find(|&split| source.len(split) > 0)
        .ok_or_else(|| {
            DataError::Empty(
                "no sample of the data can be read; `kiln data info CONFIG --files` says why"
                    .into(),
            )
        })
}

/// Counts all splits and reads the whole training split (or the first that has samples). Errors: no samples at all, or
/// one that can't be read.
pub fn summarize(source: &dyn DataSource, monitor: &Monitor) -> Result<DataInfo, DataError> {
    let statistics_of = first_split(source)?;
    let (mean, standard_deviation) = statistics(source, statistics_of, monitor)?;
    let splits = Split::ALL.map(|split| {
        let samples = source.len(split);
        let mut per_class = vec![0; source.classes().len()];
        for index in 0..samples {
            per_class[source.label(split, index)] += 1;
        }
        SplitInfo {
            split,
            samples,
            per_class,
        }
    });
    Ok(DataInfo {
        shape: source.shape(),
        classes: source.classes().to_vec(),
        splits: splits.into(),
        notes: untrained::notes(source),
        statistics_of,
        mean,
        standard_deviation,
    })
}

/// Mean and standard deviation of a split, by channel.
fn statistics(
    source: &dyn DataSource,
    split: Split,
    monitor: &Monitor,
) -> Result<(Vec<f64>, Vec<f64>), DataError> {
    let shape = source.shape();
    let samples = source.len(split);
    let stage = monitor.stage("reading samples", Some(samples));
    // Sums per sample first, then in order, so that the result does not depend on the number of threads.
    let sums: Vec<Vec<(f64, f64)>> = (0..samples)
        .into_par_iter()
        .map_init(
            || vec![0.0f32; shape.values()],
            |values, index| {
                source.read(split, index, 0, values)?;
                stage.advance(1)?;
                let channels = values.chunks_exact(shape.height * shape.width);
                Ok(channels.map(sum_and_squares).collect())
            },
        )
        .collect::<Result<_, DataError>>()?;
    let count = (samples * shape.height * shape.width) as f64;
    let by_channel = (0..shape.channels).map(|channel| {
        let (sum, squares) = sums
            .iter()
            .map(|sample| sample[channel])
            .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let mean = sum / count;
        // Rounding may leave a tiny negative variance when all values are equal.
        (mean, (squares / count - mean * mean).max(0.0).sqrt())
    });
    Ok(by_channel.unzip())
}

fn sum_and_squares(values: &[f32]) -> (f64, f64) {
    values.iter().fold((0.0, 0.0), |(sum, squares), &value| {
        let value = f64::from(value);
        (sum + value, squares + value * value)
    })
}

/// A table for the terminal: totals, statistics, and one line per class with a bar for its number of samples.
pub fn format(info: &DataInfo) -> String {
    let shape = info.shape;
    let mut text = format!(
        "{}, samples of {} x {} x {} (channels x height x width)\n",
        counted(info.classes.len(), "class", "classes"),
        shape.channels,
        shape.height,
        shape.width
    );
    for note in &info.notes {
        text += &format!("{}\n", printable(note));
    }
    let list = |values: &[f64]| {
        let values: Vec<String> = values.iter().map(|v| format!("{v:.4}")).collect();
        values.join(", ")
    };
    // Writing to a String can't fail.
    let _ = writeln!(
        text,
        "{} values: mean {}, standard deviation {}\n",
        info.statistics_of.name(),
        list(&info.mean),
        list(&info.standard_deviation)
    );
    let classes: Vec<String> = info.classes.iter().map(printable).collect();
    let name_width = classes
        .iter()
        .map(|class| class.chars().count())
        .chain(["samples".len()])
        .max()
        .unwrap_or_default();
    let line = |name: &str, cells: &[String], bar: &str| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>8}")).collect();
        let line = format!("{name:<name_width$}{cells}  {bar}");
        format!("{}\n", line.trim_end())
    };
    let cells = |value: &dyn Fn(&SplitInfo) -> String| -> Vec<String> {
        info.splits.iter().map(value).collect()
    };
    text += &line("class", &cells(&|s| s.split.name().into()), "");
    let totals: Vec<usize> = (0..info.classes.len())
        .map(|class| info.splits.iter().map(|s| s.per_class[class]).sum())
        .collect();
    let largest = totals.iter().copied().max().unwrap_or_default().max(1);
    for (class, (name, &total)) in classes.iter().zip(&totals).enumerate() {
        // A class with any samples has a bar.
        let bar = "#".repeat((total * BAR).div_ceil(largest));
        text += &line(name, &cells(&|s| s.per_class[class].to_string()), &bar);
    }
    text += &line("samples", &cells(&|s| s.samples.to_string()), "");
    text
}

/// Fills in the values of the sample with this index.
pub type ReadSample<'a> = &'a dyn Fn(usize, &mut [f32]) -> Result<(), DataError>;

/// A sample sheet: one row per class with its name and `columns_per_class` samples, spread evenly over the class's
/// samples in the split. `read` fills in a sample by its index: [`DataSource::read`] for samples as they are,
/// [`super::loader::Loader::sample`] for samples as training sees them.
///
/// More than 20 classes are laid out in two blocks side by side; only the first [`SHEET_CLASSES`] are shown. Errors: an empty
/// split, or a sample that can't be read.
pub fn grid(
    source: &dyn DataSource,
    split: Split,
    columns_per_class: usize,
    read: ReadSample<'_>,
) -> Result<RgbImage, DataError> {
    if source.len(split) == 0 {
        return Err(DataError::Empty(format!(
            "the {} split has no samples to show",
            split.name()
        )));
    }
    let classes = source.classes();
    let classes = &classes[..classes.len().min(SHEET_CLASSES)];
    let layout = Layout::new(source.shape(), classes, columns_per_class);
    let mut members = vec![Vec::new(); source.classes().len()];
    for index in 0..source.len(split) {
        members[source.label(split, index)].push(index);
    }
    let mut sheet = RgbImage::from_pixel(layout.width, layout.height, PAPER);
    let mut values = vec![0.0; source.shape().values()];
    for (class, name) in classes.iter().enumerate() {
        let (left, top) = layout.row(class);
        let text_top = top + (layout.tile_height.saturating_sub(font::HEIGHT)) / 2;
        font::draw(&mut sheet, name, NAME_LENGTH, left, text_top);
        let shown = columns_per_class.min(members[class].len());
        for column in 0..shown {
            let index = members[class][column * members[class].len() / shown];
            read(index, &mut values)?;
            let x = left + layout.name_width + column * (layout.tile_width + GAP);
            layout.draw(&mut sheet, &values, x, top);
        }
    }
    Ok(sheet)
}

/// A light blue-grey, distinct from paper and ink, so that the samples' edges are visible.
const PAPER: Rgb<u8> = Rgb([214, 222, 230]);

/// Where things are on the sheet, in pixels.
struct Layout {
    shape: ImageShape,
    scale: usize,
    tile_width: usize,
    tile_height: usize,
    name_width: usize,
    block_width: usize,
    rows: usize,
    width: u32,
    height: u32,
}

impl Layout {
    fn new(shape: ImageShape, classes: &[String], columns: usize) -> Self {
        let scale = SHEET_TILE.div_ceil(shape.height.min(shape.width).max(1));
        let (tile_width, tile_height) = (shape.width * scale, shape.height * scale);
        let letters = classes.iter().map(|c| c.chars().count().min(NAME_LENGTH));
        let name_width = letters.max().unwrap_or_default() * font::ADVANCE + 2 * GAP;
        let block_width = name_width + columns * (tile_width + GAP) + 2 * GAP;
        let blocks = if classes.len() > SHEET_ROWS { 2 } else { 1 };
        let rows = classes.len().div_ceil(blocks).max(1);
        Self {
            shape,
            scale,
            tile_width,
            tile_height,
            name_width,
            block_width,
            rows,
            width: (blocks * block_width + GAP) as u32,
            height: (rows * (tile_height + GAP) + GAP) as u32,
        }
    }

    /// Left and top of a class's row.
    fn row(&self, class: usize) -> (usize, usize) {
        let (block, row) = (class / self.rows, class % self.rows);
        (
            GAP + block * self.block_width,
            GAP + row * (self.tile_height + GAP),
        )
    }

    fn draw(&self, sheet: &mut RgbImage, values: &[f32], left: usize, top: usize) {
        let plane = self.shape.height * self.shape.width;
        for y in 0..self.tile_height {
            for x in 0..self.tile_width {
                let at = y / self.scale * self.shape.width + x / self.scale;
                let value = |channel: usize| {
                    let channel = channel.min(self.shape.channels - 1);
                    (values[channel * plane + at].clamp(0.0, 1.0) * 255.0).round() as u8
                };
                let pixel = Rgb([value(0), value(1), value(2)]);
                sheet.put_pixel((left + x) as u32, (top + y) as u32, pixel);
            }
        }
    }
}

/// Capitals and digits of 5x7 dots, drawn at twice that size.
mod font {
    use image::{Rgb, RgbImage};

    const DOT: usize = 2;
    const INK: Rgb<u8> = Rgb([20, 40, 80]);
    /// Height of a line in pixels.
    pub const HEIGHT: usize = 7 * DOT;
    /// From one character to the next in pixels.
    pub const ADVANCE: usize = 6 * DOT;
    /// Seven rows of five dots, top to bottom, for A..Z and 0..9; 16 is the left dot, 1 the right one.
    const LETTERS: [[u8; 7]; 26] = [
        [14, 17, 17, 31, 17, 17, 17],
        [30, 17, 17, 30, 17, 17, 30],
        [14, 17, 16, 16, 16, 17, 14],
        [30, 17, 17, 17, 17, 17, 30],
        [31, 16, 16, 30, 16, 16, 31],
        [31, 16, 16, 30, 16, 16, 16],
        [14, 17, 16, 19, 17, 17, 14],
        [17, 17, 17, 31, 17, 17, 17],
        [14, 4, 4, 4, 4, 4, 14],
        [7, 2, 2, 2, 2, 18, 12],
        [17, 18, 20, 24, 20, 18, 17],
        [16, 16, 16, 16, 16, 16, 31],
        [17, 27, 21, 21, 17, 17, 17],
        [17, 25, 25, 21, 19, 19, 17],
        [14, 17, 17, 17, 17, 17, 14],
        [30, 17, 17, 30, 16, 16, 16],
        [14, 17, 17, 17, 21, 18, 13],
        [30, 17, 17, 30, 20, 18, 17],
        [15, 16, 16, 14, 1, 1, 30],
        [31, 4, 4, 4, 4, 4, 4],
        [17, 17, 17, 17, 17, 17, 14],
        [17, 17, 17, 17, 17, 10, 4],
        [17, 17, 17, 21, 21, 27, 17],
        [17, 17, 10, 4, 10, 17, 17],
        [17, 17, 10, 4, 4, 4, 4],
        [31, 1, 2, 4, 8, 16, 31],
    ];
    const DIGITS: [[u8; 7]; 10] = [
        [14, 17, 19, 21, 25, 17, 14],
        [4, 12, 4, 4, 4, 4, 14],
        [14, 17, 1, 6, 8, 16, 31],
        [30, 1, 1, 14, 1, 1, 30],
        [2, 6, 10, 18, 31, 2, 2],
        [31, 16, 30, 1, 1, 17, 14],
        [14, 16, 16, 30, 17, 17, 14],
        [31, 1, 2, 4, 4, 8, 8],
        [14, 17, 17, 14, 17, 17, 14],
        [14, 17, 17, 15, 1, 1, 14],
    ];
    /// For any other character: a line at the foot.
    const OTHER: [u8; 7] = [0, 0, 0, 0, 0, 0, 31];

    fn dots(character: char) -> [u8; 7] {
        let character = character.to_ascii_uppercase();
        let at = |first: char| character as usize - first as usize;
        match character {
            'A'..='Z' => LETTERS[at('A')],
            '0'..='9' => DIGITS[at('0')],
            ' ' => [0; 7],
            '-' => [0, 0, 0, 14, 0, 0, 0],
            '.' => [0, 0, 0, 0, 0, 0, 4],
            _ => OTHER,
        }
    }

    /// Draws at most `length` characters; anything outside the image is clipped.
    pub fn draw(image: &mut RgbImage, text: &str, length: usize, left: usize, top: usize) {
        for (place, character) in text.chars().take(length).enumerate() {
            for (row, bits) in dots(character).into_iter().enumerate() {
                for column in (0..5).filter(|column| bits & (16 >> column) != 0) {
                    for pixel in 0..DOT * DOT {
                        let x = left + place * ADVANCE + column * DOT + pixel % DOT;
                        let y = top + row * DOT + pixel / DOT;
                        if let Some(target) = image.get_pixel_mut_checked(x as u32, y as u32) {
                            *target = INK;
                        }
                    }
                }
            }
        }
    }
}
