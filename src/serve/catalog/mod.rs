//! Runs and sweeps in the folders that were named, each under a name of its own. A name in a request is compared with these; no path is ever
//! made of it.

mod find;
mod progress;

pub use find::{Catalog, Named};
pub use progress::{Progress, progress, state_name};
