//! The data sets that can be fetched.
//!
//! Sets are plain values, so that a mirror, or a test, can use other URLs and checksums.

mod images;
mod list;
mod mnist;
mod set;
mod weights;

pub use set::{DataSet, Layout, RemoteFile, Sum};
