//! `origin.json`: where a run was started, so that its data is found by a command that is given in another folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::data_root;
use crate::files;

/// The name of the file, beside the run's config.
pub(super) const ORIGIN_FILE: &str = "origin.json";

/// Where a run was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The folder that was the current one: the first weights may be there. Absolute.
    pub folder: PathBuf,
    /// The folder that relative paths of the data started from. Absolute.
    pub data: PathBuf,
}

impl Origin {
    /// Here and now; `None` if the current folder is gone, or if it can't be written as text.
    pub fn here() -> Option<Self> {
        let origin = Self {
            folder: std::env::current_dir().ok()?,
            data: std::path::absolute(data_root()).ok()?,
        };
        let is_text = origin.folder.to_str().is_some() && origin.data.to_str().is_some();
        is_text.then_some(origin)
    }

    /// That of the run which a config belongs to; `None` if it belongs to none, or to one of an older kiln.
    pub fn beside(config: &Path) -> Option<Self> {
        let path = files::folder_of(config).join(ORIGIN_FILE);
        serde_json::from_str(&files::read_regular_text(&path).ok()?).ok()
    }
}
