//! What is measured and shown while a run trains: metrics, their final values, and the renderer.

pub mod final_values;
pub mod metrics;
pub mod renderer;
pub mod terminal;
