//! Any source as files that every program reads: `kiln data convert`.

mod common;
mod folders;
mod parquet;

pub use common::Written;
pub use folders::to_folders;
pub use parquet::to_parquet;
