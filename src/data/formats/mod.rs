//! File formats that sources share.

pub mod lines;
pub mod mat;
