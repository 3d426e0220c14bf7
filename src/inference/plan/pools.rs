//! The windows of pools.

use std::ops::Range;

use crate::kernels::inference::{Reduction, Windows};
use crate::models::layer_list::{Node, Operation, PoolNode};

/// The pool of a layer; `None` if it is none.
pub fn windows(node: &Node) -> Option<Windows> {
    let [channels, height, width] = node.input.maps()?;
    let sides = [height, width];
    let (reduction, axes) = match &node.operation {
        Operation::MaxPool(pool) => (
            Reduction::Largest,
            [0, 1].map(|axis| moving(pool, axis, sides[axis], output(node, axis), false)),
        ),
        Operation::AvgPool {
            pool,
            count_include_pad,
        } => (
            Reduction::Mean,
            [0, 1].map(|axis| {
                moving(
                    pool,
                    axis,
                    sides[axis],
                    output(node, axis),
                    *count_include_pad,
                )
            }),
        ),
        Operation::GlobalMaxPool => (Reduction::Largest, sides.map(|side| adaptive(side, 1))),
        Operation::AdaptiveAvgPool(to) => (
            Reduction::Mean,
            [0, 1].map(|axis| adaptive(sides[axis], to[axis])),
        ),
        _ => return None,
    };
    let [rows, columns] = axes;
    Some(Windows {
        width,
        channels,
        rows: rows.0,
        columns: columns.0,
        reduction,
        divisors: [rows.1, columns.1],
    })
}

/// Windows along an axis, and their divisors.
type Axis = (Vec<Range<usize>>, Vec<usize>);

/// Windows of a layer's output along an axis.
fn output(node: &Node, axis: usize) -> usize {
    node.output
        .maps()
        .map_or(1, |[_, rows, columns]| [rows, columns][axis])
}

/// Windows that move over a side. Positions beyond the padding are never counted, as in PyTorch.
fn moving(pool: &PoolNode, axis: usize, side: usize, count: usize, with_padding: bool) -> Axis {
    let (kernel, stride, padding) = (pool.kernel[axis], pool.stride[axis], pool.padding[axis]);
    let of = |index: usize| {
        let start = index * stride;
        let end = (start + kernel).min(side + 2 * padding);
        let inside = start.saturating_sub(padding)..end.saturating_sub(padding).min(side);
        let divisor = if with_padding {
            end - start
        } else {
            inside.len()
        };
        (inside, divisor)
    };
    (0..count).map(of).unzip()
}

/// As many windows over a side, as in PyTorch.
fn adaptive(side: usize, count: usize) -> Axis {
    let of = |index: usize| {
        let window = index * side / count..((index + 1) * side).div_ceil(count);
        (window.clone(), window.len())
    };
    (0..count).map(of).unzip()
}
