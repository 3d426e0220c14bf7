//! Metrics and the display of progress while a run trains.

pub mod final_values;
pub mod metrics;
pub mod renderer;
pub mod screen;
pub mod tracked;
