//! The images of a folder by the names that a file of labels gives them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::data::DataError;
use crate::data::image_folder::walk::Walk;

/// The images of a folder.
pub(super) struct Images {
    folder: PathBuf,
    /// Their paths from the folder on, with `/`, and their places among `paths`.
    by_name: HashMap<String, usize>,
    /// The same without extensions; `None` where several images share one.
    by_stem: HashMap<String, Option<usize>>,
    /// All images, sorted.
    pub paths: Vec<PathBuf>,
}

impl Images {
    /// Finds all images in `folder` and below it.
    ///
    /// # Errors
    /// A folder can't be read.
    pub fn find(walk: &mut Walk, folder: &Path) -> Result<Self, DataError> {
        let level = walk.level(folder)?;
        let paths = walk.images_below(folder, level)?;
        let (mut by_name, mut by_stem) = (HashMap::new(), HashMap::new());
        for (place, path) in paths.iter().enumerate() {
            let name = name_below(path, folder);
            let stem = name_below(&path.with_extension(""), folder);
            let same = by_stem.entry(stem);
            same.and_modify(|other| *other = None)
                .or_insert(Some(place));
            by_name.insert(name, place);
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            by_name,
            by_stem,
            paths,
        })
    }

    /// The image that a row names: relative to the folder or absolute, with `/` or `\`, with its extension or, if only one image
    /// has this name, without. Files outside of the folder count if they exist.
    pub fn get(&self, name: &str) -> Option<PathBuf> {
        let listed = |place: usize| self.paths[place].clone();
        let spellings = [name.to_owned(), name.replace('\\', "/")];
        for spelling in &spellings {
            let below = self.below(spelling);
            let found = self.by_name.get(&below).copied();
            if let Some(place) = found.or_else(|| self.by_stem.get(&below).copied().flatten()) {
                return Some(listed(place));
            }
        }
        let paths = spellings.iter().map(|spelling| self.folder.join(spelling));
        paths.into_iter().find(|path| path.is_file())
    }

    /// A name without the folder, `./` and doubled slashes.
    fn below(&self, name: &str) -> String {
        let path = Path::new(name);
        let path = path.strip_prefix(&self.folder).unwrap_or(path);
        let parts = path
            .components()
            .filter(|part| !matches!(part, std::path::Component::CurDir));
        let parts: Vec<_> = parts
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        parts.join("/")
    }

    /// The folder, from this one on, that holds an image with the same file name as `name`.
    pub fn folder_of(&self, name: &str) -> Option<String> {
        let name = name.replace('\\', "/");
        let wanted = Path::new(&name).file_name()?;
        let path = self
            .paths
            .iter()
            .find(|path| path.file_name() == Some(wanted))?;
        let below = name_below(path.parent()?, &self.folder);
        (!below.is_empty()).then_some(below)
    }
}

fn name_below(path: &Path, folder: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
