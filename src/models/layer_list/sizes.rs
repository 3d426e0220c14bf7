//! Sizes of what windows leave of maps, as PyTorch computes them.

use super::form::{NamedPadding, Padding, Side};
use super::node::{ConvNode, MapShape, PoolNode};

/// Largest number of values that one layer may give for one image: 1 GiB.
const MAX_LAYER_VALUES: usize = 1 << 28;

/// Values between the first and the last tap of a dilated kernel, both included; `None` if it is beyond `usize`.
fn extent(kernel: usize, dilation: usize) -> Option<usize> {
    kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)
}

/// A border in numbers: `[above and below, left and right]`.
pub fn padding(
    padding: Padding,
    kernel: [usize; 2],
    dilation: [usize; 2],
) -> Result<[usize; 2], String> {
    match padding {
        Padding::Equal(padding) => Ok([padding; 2]),
        Padding::Sides(sides) => Ok(sides),
        Padding::Named(NamedPadding::Same) => {
            let mut sides = [0; 2];
            for axis in 0..2 {
                let inner = kernel[axis]
                    .saturating_sub(1)
                    .saturating_mul(dilation[axis]);
                if !inner.is_multiple_of(2) {
                    return Err(format!(
                        "padding \"same\" needs an odd kernel size, not {}",
                        pair(kernel)
                    ));
                }
                sides[axis] = inner / 2;
            }
            Ok(sides)
        }
    }
}

/// `3` or `3x5`.
pub fn pair([rows, columns]: [usize; 2]) -> String {
    if rows == columns {
        rows.to_string()
    } else {
        format!("{rows}x{columns}")
    }
}

/// What a convolution makes of maps of `[height, width]`.
pub fn convolved(node: &ConvNode, sides: [usize; 2]) -> Result<MapShape, String> {
    let mut output = [0; 2];
    for axis in 0..2 {
        output[axis] = extent(node.kernel[axis], node.dilation[axis])
            .and_then(|extent| {
                let room = sides[axis].checked_add(node.padding[axis].checked_mul(2)?)?;
                Some(room.checked_sub(extent)? / node.stride[axis] + 1)
            })
            .ok_or_else(|| {
                let dilated = match node.dilation {
                    [1, 1] => String::new(),
                    dilation => format!(" with a dilation of {}", pair(dilation)),
                };
                too_large(
                    "kernel",
                    &format!("{}{dilated}", pair(node.kernel)),
                    node.padding,
                    sides,
                )
            })?;
    }
    maps(node.outputs, output)
}

fn too_large(what: &str, kernel: &str, padding: [usize; 2], sides: [usize; 2]) -> String {
    let padded = match padding {
        [0, 0] => String::new(),
        padding => format!(" with a padding of {}", pair(padding)),
    };
    format!(
        "a {what} of {kernel} does not fit its input of {}x{}{padded}",
        sides[0], sides[1]
    )
}

/// The windows of a pool; without a stride, they stand side by side.
pub fn windows(
    kernel: Side,
    stride: Option<Side>,
    border: Padding,
    ceil_mode: bool,
) -> Result<PoolNode, String> {
    let sides = kernel.sides();
    Ok(PoolNode {
        kernel: sides,
        stride: stride.unwrap_or(kernel).sides(),
        padding: padding(border, sides, [1, 1])?,
        ceil_mode,
    })
}

/// What a pool makes of maps. With ceil mode, the last window must begin inside the maps or in the padding before them.
pub fn pooled(node: &PoolNode, channels: usize, sides: [usize; 2]) -> Result<MapShape, String> {
    let mut output = [0; 2];
    for axis in 0..2 {
        let (kernel, stride, padding) = (node.kernel[axis], node.stride[axis], node.padding[axis]);
        if padding > kernel / 2 {
            return Err(format!(
                "a padding of {} is more than half the window of {}",
                pair(node.padding),
                pair(node.kernel)
            ));
        }
        let room = (sides[axis] + 2 * padding)
            .checked_sub(kernel)
            .ok_or_else(|| too_large("window", &pair(node.kernel), node.padding, sides))?;
        output[axis] = if node.ceil_mode {
            let windows = room.div_ceil(stride) + 1;
            if (windows - 1) * stride >= sides[axis] + padding {
                windows - 1
            } else {
                windows
            }
        } else {
            room / stride + 1
        };
    }
    maps(channels, output)
}

/// Maps within the limit.
pub fn maps(channels: usize, [height, width]: [usize; 2]) -> Result<MapShape, String> {
    limited(MapShape::Maps {
        channels,
        height,
        width,
    })
}

/// A shape within the limit.
pub fn limited(shape: MapShape) -> Result<MapShape, String> {
    match shape.checked_values() {
        Some(values) if values <= MAX_LAYER_VALUES => Ok(shape),
        _ => Err(format!(
            "its output of {shape} has more than {MAX_LAYER_VALUES} values per image"
        )),
    }
}
