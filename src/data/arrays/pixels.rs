//! The images of an array, brought into the order and the range of samples.

use super::layout::{self, Expected, Layout};
use super::range::{self, Found, Range, Wanted};
use crate::data::formats::array::{Array, Values};
use crate::data::quantize;
use crate::shape::ImageShape;

/// Images one after the other, each `[channels, height, width]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// In 255 steps.
    Bytes(Vec<u8>),
    /// In 65,535 steps, as [`quantize`] makes them.
    Words(Vec<u16>),
}

/// Images, and how they were understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// The images.
    pub pixels: Pixels,
    /// The range of the file's values, found or given.
    pub found: Found,
    /// The array's size, layout and range in words.
    pub about: String,
}

/// The images of an array. With `inverts`, black becomes white; `place` says in words where the value with an index is.
///
/// # Errors
/// The array has another size, or values that are not of the wanted range; one problem without the name of the file or the array.
pub fn images(
    array: Array,
    expected: &Expected,
    wanted: &Wanted,
    inverts: bool,
    place: &dyn Fn(usize) -> String,
) -> Result<Images, String> {
    let (layout, order) = layout::find(&array, expected)?;
    let found = range::find(&array.values, wanted, place)?;
    let range = found.range;
    let about = format!("{} ({order}), values {}", array.size(), range.in_words());
    let pixels = match (array.values, range) {
        (Values::Bytes(values), Range::Byte) => {
            let mut bytes = gathered(values, &layout, expected.shape, |value| value);
            if inverts {
                bytes.iter_mut().for_each(|value| *value = !*value);
            }
            Pixels::Bytes(bytes)
        }
        (values, range) => {
            let [black, white] = range.ends();
            let step = |value: f64| {
                let value = (value - black) / (white - black);
                quantize(if inverts { 1.0 - value } else { value } as f32)
            };
            let shape = expected.shape;
            Pixels::Words(match values {
                Values::Bytes(values) => gathered(values, &layout, shape, |v| step(v.into())),
                Values::Integers(values) => gathered(values, &layout, shape, |v| step(v.into())),
                Values::Floats(values) => gathered(values, &layout, shape, |v| step(v.into())),
                Values::Texts(_) => Vec::new(),
            })
        }
    };
    Ok(Images {
        pixels,
        found,
        about,
    })
}

/// All pixels in the order of samples, each through `convert`.
fn gathered<T: Copy, U>(
    values: Vec<T>,
    layout: &Layout,
    shape: ImageShape,
    convert: impl Fn(T) -> U,
) -> Vec<U> {
    let Layout {
        images,
        image,
        channel,
        row,
        column,
    } = *layout;
    let mut pixels = Vec::with_capacity(values.len());
    for start in (0..images).map(|index| index * image) {
        for start in (0..shape.channels).map(|index| start + index * channel) {
            for start in (0..shape.height).map(|index| start + index * row) {
                let places = (0..shape.width).map(|index| start + index * column);
                pixels.extend(places.map(|place| convert(values[place])));
            }
        }
    }
    pixels
}
