//! File formats that sources share.

pub mod array;
pub mod idx;
pub mod lines;
pub mod mat;
pub mod numbers;
pub mod packed;
pub mod pickle;
