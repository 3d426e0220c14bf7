//! The run directory: the folder that a run creates and that the other subcommands read; its `config.json` can be used as a config
//! unchanged.
//!
//! ```text
//! runs/<name>-<n>/
//!   config.json         the resolved experiment; can be trained again as it is
//!   origin.json         where it was started, so that its data is found from elsewhere
//!   metrics.jsonl       one line per epoch
//!   timing.jsonl        seconds and samples per second per epoch (kept apart: times differ between reruns)
//!   checkpoints/        the full training state after the best, the last and the second to last epoch
//!   model.safetensors   the final weights
//!   summary.json        the results
//!   report.html         the same as a page
//!   run.lock            held by the process that trains, then removed
//! ```

mod create;
mod data;
mod error;
mod layout;
mod origin;
mod summary;

pub use create::{new_folder, numbered_folder};
pub use data::open_data;
pub use error::RunDirError;
pub use layout::RunDir;
pub use origin::Origin;
pub use summary::{Samples, Status, Summary};
