//! A network as a table of its layers and as a picture of its graph.
//!
//! `words` says what a layer is, `rows` lists all layers. For the picture, `fold` groups layers that belong together and repeats,
//! `figure` measures and places them, and `svg` writes the result.

mod figure;
mod fold;
mod rows;
mod svg;
mod words;

pub use rows::{LayerRow, layer_rows, layer_table};
pub use svg::{drawing, drawing_file, output_text};
