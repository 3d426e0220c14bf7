//! Pools.
//!
//! Runtimes disagree on what ONNX's `ceil_mode` means for windows over the edge. Here windows that extend over it are written as
//! a border of their own, which leaves nothing to interpret.

use super::builder::{Attributes, Builder, Name};
use super::maps::{flatten, sizes, zero_pad};
use crate::models::layer_list::{MapShape, Node, PoolNode};

/// Height and width of maps; other shapes don't reach a pool.
fn sides(shape: MapShape) -> [usize; 2] {
    match shape {
        MapShape::Maps { height, width, .. } | MapShape::LastMaps { height, width, .. } => {
            [height, width]
        }
        MapShape::Tokens { tokens, .. } => [tokens, 1],
        MapShape::Vector { .. } => [1, 1],
    }
}

/// Rows below and columns to the right that the last windows reach into, the pool's own padding included.
fn behind(node: &Node, pool: &PoolNode) -> [usize; 2] {
    let (input, output) = (sides(node.input), sides(node.output));
    [0, 1].map(|axis| {
        let reach = (output[axis] - 1) * pool.stride[axis] + pool.kernel[axis];
        reach.saturating_sub(pool.padding[axis] + input[axis])
    })
}

fn windows(pool: &PoolNode, before: [usize; 2], behind: [usize; 2]) -> Attributes {
    vec![
        ("kernel_shape", sizes(&pool.kernel)),
        ("pads", sizes(&[before, behind].concat())),
        ("strides", sizes(&pool.stride)),
    ]
}

/// Largest value of each window.
pub fn max_pool(graph: &mut Builder, node: &Node, pool: &PoolNode, input: &str) -> Name {
    let windows = windows(pool, pool.padding, behind(node, pool));
    graph.add(&node.name, "MaxPool", &[input], windows)
}

/// Mean of each window. The padding counts if the pool says so; what a window covers beyond the padding never does.
pub fn avg_pool(
    graph: &mut Builder,
    node: &Node,
    pool: &PoolNode,
    count_include_pad: bool,
    input: &str,
) -> Name {
    let layer = &node.name;
    let behind = behind(node, pool);
    if !count_include_pad || pool.padding == [0, 0] {
        let windows = windows(pool, pool.padding, behind);
        return graph.add(layer, "AveragePool", &[input], windows);
    }
    let [vertical, horizontal] = pool.padding;
    let edges = [vertical, vertical, horizontal, horizontal];
    let padded = zero_pad(graph, layer, edges, input);
    let rest = [0, 1].map(|axis| behind[axis].saturating_sub(pool.padding[axis]));
    graph.add(
        layer,
        "AveragePool",
        &[&padded],
        windows(pool, [0, 0], rest),
    )
}

/// One value for each channel: `kind` is a global pool.
pub fn global_pool(graph: &mut Builder, layer: &str, kind: &'static str, input: &str) -> Name {
    let pooled = graph.add(layer, kind, &[input], Vec::new());
    flatten(graph, layer, &pooled)
}

/// Means of windows, as many as rows and columns. Where they have one size they are a pool, else products with two tables: the
/// mean of a window is the mean over its rows of the means over its columns.
///
/// The error is a problem of the layer.
pub fn adaptive_avg_pool(
    graph: &mut Builder,
    node: &Node,
    output: [usize; 2],
    input: &str,
) -> Result<Name, String> {
    let layer = &node.name;
    let input_sides = sides(node.input);
    if output == [1, 1] {
        return Ok(graph.add(layer, "GlobalAveragePool", &[input], Vec::new()));
    }
    if [0, 1]
        .iter()
        .all(|&axis| input_sides[axis].is_multiple_of(output[axis]))
    {
        let kernel = [0, 1].map(|axis| input_sides[axis] / output[axis]);
        let settings = vec![
            ("kernel_shape", sizes(&kernel)),
            ("strides", sizes(&kernel)),
        ];
        return Ok(graph.add(layer, "AveragePool", &[input], settings));
    }
    let [rows, columns] = [0, 1].map(|axis| input_sides[axis].checked_mul(output[axis]));
    let values = rows.zip(columns).and_then(|(a, b)| a.checked_add(b));
    if !graph.has_room_for(values) {
        return Err(format!(
            "means of {}x{} windows over feature maps of {}x{} would need tables that are too large; use an input size that is a multiple of the output size",
            output[0], output[1], input_sides[0], input_sides[1]
        ));
    }
    let [height, width] = input_sides;
    let columns = means(width, output[1]);
    let columns = graph.floats(&[width, output[1]], &transposed(&columns, width));
    let rows = graph.floats(&[output[0], height], &means(height, output[0]));
    let across = graph.add(layer, "MatMul", &[input, &columns], Vec::new());
    Ok(graph.add(layer, "MatMul", &[&rows, &across], Vec::new()))
}

/// The table `[windows, side]` whose product with the values of a side are the means of its windows: from `floor(i side /
/// windows)` to `ceil((i + 1) side / windows)`, as in PyTorch.
fn means(side: usize, windows: usize) -> Vec<f32> {
    let mut table = vec![0.0; windows * side];
    for (window, row) in table.chunks_exact_mut(side).enumerate() {
        let part = window * side / windows..((window + 1) * side).div_ceil(windows);
        let weight = 1.0 / part.len() as f32;
        row[part].fill(weight);
    }
    table
}

/// A table with rows of `width` values, its rows as columns.
fn transposed(table: &[f32], width: usize) -> Vec<f32> {
    let column = |at| table.iter().skip(at).step_by(width).copied();
    (0..width).flat_map(column).collect()
}
