//! Which dimension of an array is which: images, channels, rows and columns, found by their lengths.

use crate::data::formats::array::{Array, size};
use crate::error::counted;
use crate::shape::ImageShape;

/// What a dimension counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Images,
    Channels,
    Rows,
    Columns,
    /// All pixels of an image in a row.
    Flat,
}

use Axis::{Channels, Columns, Flat, Images, Rows};

/// The orders that are tried, the usual ones first: those of Keras and PyTorch, then those of MATLAB.
const ORDERS: [&[Axis]; 8] = [
    &[Images, Rows, Columns],
    &[Images, Rows, Columns, Channels],
    &[Images, Channels, Rows, Columns],
    &[Images, Flat],
    &[Rows, Columns, Images],
    &[Rows, Columns, Channels, Images],
    &[Channels, Rows, Columns, Images],
    &[Flat, Images],
];

/// How the pixels of an image that is stored in a row follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlatOrder {
    /// Channel by channel, row by row.
    Rows,
    /// Channel by channel, column by column, as MATLAB stores a matrix.
    Columns,
    /// Row by row, the channels of a pixel side by side.
    Interleaved,
}

/// What is known of the images before the array is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The shape of an image.
    pub shape: ImageShape,
    /// Number of images, which is that of the labels.
    pub images: usize,
    /// The order of the pixels of an image in a row.
    pub flat: FlatOrder,
    /// Whether rows and columns are exchanged.
    pub is_transposed: bool,
}

/// Where the pixels are: the distance, in values, from one image, channel, row or column to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Number of images.
    pub images: usize,
    /// From an image to the next.
    pub image: usize,
    /// From a channel to the next.
    pub channel: usize,
    /// From a row to the next.
    pub row: usize,
    /// From a column to the next.
    pub column: usize,
}

/// Finds the layout of an array, and says it in words: `images x rows x columns`.
///
/// # Errors
/// No order of its dimensions fits; the message says what the array has and what was expected.
pub fn find(array: &Array, expected: &Expected) -> Result<(Layout, String), String> {
    let order = ORDERS.iter().find(|order| fits(array, order, expected));
    let Some(order) = order else {
        return Err(misfit(array, expected));
    };
    let mut layout = distances(array, order, expected);
    if expected.is_transposed {
        std::mem::swap(&mut layout.row, &mut layout.column);
    }
    Ok((layout, in_words(order, expected)))
}

fn fits(array: &Array, order: &[Axis], expected: &Expected) -> bool {
    let shape = expected.shape;
    let length = |axis: Axis| match axis {
        Images => expected.images,
        Channels => shape.channels,
        // A transposed image has the rows of the sample as its columns.
        Rows if expected.is_transposed => shape.width,
        Columns if expected.is_transposed => shape.height,
        Rows => shape.height,
        Columns => shape.width,
        Flat => shape.values(),
    };
    let has_channels = order.contains(&Channels) || order.contains(&Flat);
    (has_channels || shape.channels == 1)
        && order.len() == array.dimensions.len()
        && order
            .iter()
            .zip(&array.dimensions)
            .all(|(&axis, &found)| length(axis) == found)
}

fn distances(array: &Array, order: &[Axis], expected: &Expected) -> Layout {
    let shape = expected.shape;
    let strides = array.strides();
    let stride = |wanted: Axis| {
        let place = order.iter().position(|&axis| axis == wanted);
        place.and_then(|place| strides.get(place).copied())
    };
    let images = expected.images;
    let image = stride(Images).unwrap_or(0);
    let (height, width) = if expected.is_transposed {
        (shape.width, shape.height)
    } else {
        (shape.height, shape.width)
    };
    match (stride(Flat), expected.flat) {
        (Some(step), FlatOrder::Rows) => Layout {
            images,
            image,
            channel: step * height * width,
            row: step * width,
            column: step,
        },
        (Some(step), FlatOrder::Columns) => Layout {
            images,
            image,
            channel: step * height * width,
            row: step,
            column: step * height,
        },
        (Some(step), FlatOrder::Interleaved) => Layout {
            images,
            image,
            channel: step,
            row: step * width * shape.channels,
            column: step * shape.channels,
        },
        (None, _) => Layout {
            images,
            image,
            channel: stride(Channels).unwrap_or(0),
            row: stride(Rows).unwrap_or(0),
            column: stride(Columns).unwrap_or(0),
        },
    }
}

fn in_words(order: &[Axis], expected: &Expected) -> String {
    let word = |axis: &Axis| match (axis, expected.flat) {
        (Images, _) => "images",
        (Channels, _) => "channels",
        (Rows, _) => "rows",
        (Columns, _) => "columns",
        (Flat, FlatOrder::Rows) => "pixels row by row",
        (Flat, FlatOrder::Columns) => "pixels column by column",
        (Flat, FlatOrder::Interleaved) => "pixels row by row, channels side by side",
    };
    let words: Vec<&str> = order.iter().map(word).collect();
    let transposed = if expected.is_transposed {
        ", transposed"
    } else {
        ""
    };
    format!("{}{transposed}", words.join(" x "))
}

/// Why nothing fits, and what to change.
fn misfit(array: &Array, expected: &Expected) -> String {
    let Expected { shape, images, .. } = *expected;
    let found = array.size();
    let of_others = |count: &usize| {
        let fitting = Expected {
            images: *count,
            ..*expected
        };
        ORDERS.iter().any(|order| fits(array, order, &fitting))
    };
    if let Some(count) = array.dimensions.iter().find(|count| of_others(count)) {
        let (count, images) = (
            counted(*count, "image", "images"),
            counted(images, "label", "labels"),
        );
        return format!("has {count} ({found}), but {images}");
    }
    let guess = guessed(array, images).map_or_else(String::new, |guess| {
        format!(
            "; set data.channels to {}, data.height to {} and data.width to {}, if that is what it has",
            guess.channels, guess.height, guess.width
        )
    });
    format!(
        "is {found}; expected {} of {} (data.channels x data.height x data.width) in one of the usual orders{guess}",
        counted(images, "image", "images"),
        size(&shape.dims())
    )
}

/// The shape that would fit, if the images are square and as many as the labels.
fn guessed(array: &Array, images: usize) -> Option<ImageShape> {
    let mut others = array.dimensions.clone();
    let place = others.iter().position(|&length| length == images)?;
    others.remove(place);
    let whole = |pixels: usize| {
        let side = pixels.isqrt();
        (side * side == pixels).then_some(side)
    };
    match *others.as_slice() {
        [pixels] => whole(pixels)
            .map(|side| (1, side, side))
            .or_else(|| whole(pixels / 3).map(|side| (3, side, side))),
        [height, width] => Some((1, height, width)),
        [height, width, channels @ (1 | 3)] | [channels @ (1 | 3), height, width] => {
            Some((channels, height, width))
        }
        _ => None,
    }
    .map(|(channels, height, width)| ImageShape::new(channels, height, width))
}
