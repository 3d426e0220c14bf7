//! The folder that relative data paths start from.

use std::path::PathBuf;

/// `KILN_DATA`, else the current folder.
pub fn data_root() -> PathBuf {
    std::env::var_os("KILN_DATA").map_or_else(|| PathBuf::from("."), PathBuf::from)
}
