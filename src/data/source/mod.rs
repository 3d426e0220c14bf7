//! Common parts of all data sources: its traits, its error, the splits, and the common config keys.

mod class_order;
mod common;
mod config;
mod data_source;
mod error;
mod list;
mod memory;
mod passed_over;
mod place;
mod root;
mod split;
mod split_names;

pub use class_order::ClassOrder;
pub use common::{CommonConfig, is_false};
pub use config::{ListedSource, SourceConfig, source_problems};
pub use data_source::DataSource;
pub use error::{DataError, NOT_FOUND_ADVICE};
pub(super) use list::sources;
pub(super) use memory::{MEGABYTE, MEMORY_MB};
pub use memory::{MemorySource, from_quantized, quantize};
pub(super) use passed_over::bad_images;
pub use passed_over::{
    BadSample, PassedOver, Reason, count as count_passed_over, line as passed_over_line,
    listed as listed_passed_over,
};
pub(super) use place::{folder_at, folder_watched, refuse_archive};
pub use root::data_root;
pub use split::Split;
pub(super) use split_names::split_named;
