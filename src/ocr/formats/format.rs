//! What every file format says about itself.

use std::path::Path;

use super::sheet::Sheet;

/// A file format for pages.
#[derive(Debug)]
pub struct Format {
    /// The name that users give it by.
    pub name: &'static str,
    /// What it holds, in one line.
    pub description: &'static str,
    /// The extensions of its files; the first is the one that kiln gives them.
    pub extensions: &'static [&'static str],
    /// Whether its files are binary, and not for a terminal.
    pub is_binary: bool,
    /// Whether it shows the image, so that sheets need their [`picture`](Sheet::picture).
    pub shows_image: bool,
    /// Whether its files hold the scores of the pages.
    pub holds_scores: bool,
    /// Writes the content of a file.
    pub(super) write: fn(&[Sheet], bool) -> serde_json::Result<Vec<u8>>,
}

impl Format {
    /// Whether a file's name has one of the format's extensions.
    pub fn has_name(&self, path: &Path) -> bool {
        let extension = path.extension().unwrap_or_default();
        self.extensions
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    }

    /// A file with all sheets. `several` says whether there may be more than one: then texts have headings and JSON is a list.
    ///
    /// # Errors
    /// [`serde_json::Error`]: the content can't be written as JSON.
    pub fn write(&self, sheets: &[Sheet], several: bool) -> serde_json::Result<Vec<u8>> {
        (self.write)(sheets, several)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}
