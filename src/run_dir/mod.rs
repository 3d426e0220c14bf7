//! The run directory: the folder that a run leaves behind, and the unit that every other verb takes.
//!
//! ```text
//! runs/<name>-<n>/
//!   config.json         the resolved experiment; runs again as it stands
//!   metrics.jsonl       one line per epoch
//!   timing.jsonl        seconds and samples per second per epoch (kept apart: times differ between reruns)
//!   checkpoints/        all that going on needs, after the best, the last and the last but one epoch
//!   model.safetensors   the weights that the run hands on
//!   summary.json        what came out
//!   report.html         the same to look at
//!   run.lock            held by the process that trains
//! ```

mod create;
mod error;
mod layout;
mod summary;

pub use create::{new_folder, numbered_folder};
pub use error::RunDirError;
pub use layout::RunDir;
pub use summary::{Samples, Status, Summary};
