//! Which images an ONNX model takes. Errors are one problem without the file's name.

use super::settings::{MAX_SIDE, Size};
use crate::onnx::{Contents, Port, number_type};
use crate::shape::ImageShape;

/// Numbers of channels that images can be given with.
const CHANNELS: [usize; 2] = [1, 3];

/// Largest fixed batch.
const MAX_BATCH: usize = 1024;

/// Where channels are in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[batch, channels, height, width]`, as PyTorch has it.
    ChannelsFirst,
    /// `[batch, height, width, channels]`, as TensorFlow has it.
    ChannelsLast,
}

/// The numbers of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// 32-bit floats.
    Floats,
    /// Bytes from 0 to 255.
    Bytes,
}

/// The input of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub numbers: Numbers,
    /// Where the channels are.
    pub layout: Layout,
    /// Images of a batch; `None` for any number.
    pub batch: Option<usize>,
    /// One image.
    pub shape: ImageShape,
}

impl Input {
    /// The input that a file describes, its size by `size` where that is open.
    pub fn of(contents: &Contents, size: Option<Size>) -> Result<Self, String> {
        let is_tensor = |port: &Port| {
            contents
                .tensors
                .iter()
                .any(|tensor| tensor.name == port.name)
        };
        let inputs = contents.inputs.iter().filter(|port| !is_tensor(port));
        let port = match inputs.collect::<Vec<_>>().as_slice() {
            [port] => *port,
            [] => return Err("it has no input".into()),
            several => {
                let names: Vec<&str> = several.iter().map(|port| port.name.as_str()).collect();
                return Err(format!(
                    "it takes {} inputs ({}); kiln runs models of one input, a batch of images",
                    several.len(),
                    names.join(", ")
                ));
            }
        };
        let numbers = match port.elements {
            Some(number_type::FLOAT | number_type::FLOAT16 | number_type::DOUBLE) => {
                Numbers::Floats
            }
            Some(number_type::UINT8) => Numbers::Bytes,
            Some(number_type::TEXT) | None => return Err(no_images(port)),
            Some(_) => {
                return Err(format!(
                    "its input {} is of an unsupported type; kiln supports float32 and uint8",
                    port.name
                ));
            }
        };
        let (batch, sides) = match port.dimensions.as_deref() {
            None => (None, [None; 3]),
            Some(&[batch, first, second, third]) => (batch, [first, second, third]),
            Some(_) => return Err(no_images(port)),
        };
        if let Some(batch) = batch.filter(|&batch| batch > MAX_BATCH) {
            return Err(format!(
                "it takes batches of {batch} images; the maximum is {MAX_BATCH}"
            ));
        }
        let (layout, shape) = image(port, sides, size)?;
        Ok(Self {
            name: port.name.clone(),
            numbers,
            layout,
            batch,
            shape,
        })
    }
}

/// A shape as people write it.
pub fn shape_text(port: &Port) -> String {
    match &port.dimensions {
        None => "unknown".into(),
        Some(sides) => {
            let sides = sides.iter().map(|side| match side {
                Some(side) => side.to_string(),
                None => "?".into(),
            });
            format!("[{}]", sides.collect::<Vec<_>>().join(", "))
        }
    }
}

fn no_images(port: &Port) -> String {
    format!(
        "its input {} has the shape {}; kiln runs models of images: [batch, channels, height, width] or [batch, height, width, \
         channels]",
        port.name,
        shape_text(port)
    )
}

/// Layout and shape of an image, from the sides that the file tells and those that the user tells.
fn image(
    port: &Port,
    sides: [Option<usize>; 3],
    size: Option<Size>,
) -> Result<(Layout, ImageShape), String> {
    let told = |at: usize| match size {
        Some(Size::Whole(whole)) => sides[at].or(Some(whole[at])),
        _ => sides[at],
    };
    let is_channels = |at: usize| told(at).is_some_and(|side| CHANNELS.contains(&side));
    let (layout, at) = if is_channels(0) {
        (Layout::ChannelsFirst, [0, 1, 2])
    } else if is_channels(2) {
        (Layout::ChannelsLast, [2, 0, 1])
    } else if told(0).is_none() || told(2).is_none() {
        return Err(format!(
            "its input {} has the shape {}, which does not fix the channels; pass --size 3x224x224 or 224x224x3, in the order of its dimensions",
            port.name,
            shape_text(port)
        ));
    } else {
        return Err(format!(
            "its input {} has the shape {}; kiln passes images of 1 or 3 channels",
            port.name,
            shape_text(port)
        ));
    };
    let wanted = match size {
        None => [None; 3],
        Some(Size::Sides(height, width)) => [None, Some(height), Some(width)],
        Some(Size::Whole(whole)) => at.map(|at| Some(whole[at])),
    };
    let mut shape = [0; 3];
    for ((found, at), wanted) in shape.iter_mut().zip(at).zip(wanted) {
        *found = match (sides[at], wanted) {
            (Some(side), Some(wanted)) if side != wanted => {
                return Err(format!(
                    "its input {} has the shape {}, which --size contradicts; remove --size",
                    port.name,
                    shape_text(port)
                ));
            }
            (Some(side), _) | (None, Some(side)) => side,
            (None, None) => {
                return Err(format!(
                    "its input {} has the shape {}, which does not fix the size; pass --size 224, or --size HEIGHTxWIDTH",
                    port.name,
                    shape_text(port)
                ));
            }
        };
    }
    let [channels, height, width] = shape;
    if height.max(width) > MAX_SIDE {
        return Err(format!(
            "it takes images of {height}x{width} pixels; the maximum is {MAX_SIDE} a side"
        ));
    }
    Ok((layout, ImageShape::new(channels, height, width)))
}
