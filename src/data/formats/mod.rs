//! File formats that sources share.

pub mod array;
mod arrays_file;
pub mod choice;
pub mod idx;
pub mod lines;
pub mod mat;
pub mod npy;
pub mod npz;
pub mod numbers;
pub mod packed;
pub mod parquet;
pub mod pickle;
pub mod separator;
pub mod table;
mod unread;

pub use arrays_file::ArraysFile;
pub use unread::Unread;
