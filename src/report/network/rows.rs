//! The layers of a network as the rows of a table.

use serde::Serialize;

use super::words::{kind, settings};
use crate::models::layer_list::{Node, multiply_adds, trainable_values};
use crate::report::table::Table;

/// Columns of words: name, kind, settings and output.
const WORDS: [usize; 4] = [0, 1, 2, 3];

/// Spaces before the name of a layer for each layer that it is in.
const INDENT: &str = "  ";

/// A layer. Layers that hold others come before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerRow {
    /// What the names of its parameters begin with.
    pub name: String,
    /// As in a config.
    pub kind: &'static str,
    /// What its shapes don't tell, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub settings: String,
    /// How many layers it is in.
    pub depth: usize,
    /// Shape of its output, without the batch.
    pub output: Vec<usize>,
    /// Number of its own values that training may change.
    pub parameters: usize,
    /// Multiply-adds of its own for one image.
    pub multiply_adds: usize,
}

/// All layers, in order.
pub fn layer_rows(nodes: &[Node]) -> Vec<LayerRow> {
    let mut rows = Vec::new();
    add_rows(nodes, 0, &mut rows);
    rows
}

fn add_rows(nodes: &[Node], depth: usize, rows: &mut Vec<LayerRow>) {
    for node in nodes {
        rows.push(LayerRow {
            name: node.name.clone(),
            kind: kind(&node.operation),
            settings: settings(node),
            depth,
            output: node.output.dims(),
            parameters: trainable_values(&node.operation),
            multiply_adds: multiply_adds(node),
        });
        for list in node.operation.inner() {
            add_rows(list, depth + 1, rows);
        }
    }
}

/// The rows as a table, with their sums at the end.
pub fn layer_table(rows: &[LayerRow]) -> Table {
    let header = [
        "layer",
        "kind",
        "settings",
        "output",
        "parameters",
        "multiply-adds",
    ];
    let mut table = Table::new(header).with_words(WORDS);
    // Nothing instead of 0, so that the layers with weights stand out.
    let count = |count: usize| match count {
        0 => String::new(),
        count => count.to_string(),
    };
    for row in rows {
        let output: Vec<String> = row.output.iter().map(usize::to_string).collect();
        table.push([
            format!("{}{}", INDENT.repeat(row.depth), row.name),
            row.kind.to_string(),
            row.settings.clone(),
            output.join("x"),
            count(row.parameters),
            count(row.multiply_adds),
        ]);
    }
    let sum = |of: fn(&LayerRow) -> usize| rows.iter().map(of).sum::<usize>().to_string();
    table.push([
        "sum".to_string(),
        String::new(),
        String::new(),
        String::new(),
        sum(|row| row.parameters),
        sum(|row| row.multiply_adds),
    ]);
    table
}
