//! Parquet files of encoded images, as the Hugging Face hub has them.

mod config;
mod files;
mod pool;
mod reading;
mod source;
mod table;

pub use config::ParquetConfig;
