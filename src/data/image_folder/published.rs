//! Folders of images as their authors publish them, without class folders.

use std::path::Path;

use crate::error::FileError;

/// The first and the last image of Oxford's 17 flowers.
const FLOWERS17: [&str; 2] = ["image_0001.jpg", "image_1360.jpg"];

/// Refuses Flowers-17 as it is published, in whose names the class is not, with the command that sorts it.
pub fn validate_sorted(folder: &Path) -> Result<(), FileError> {
    let has_flowers = |folder: &Path| FLOWERS17.iter().all(|name| folder.join(name).is_file());
    if has_flowers(folder) || has_flowers(&folder.join("jpg")) {
        let problem = "this is Flowers-17 as it is published, without folders of classes";
        let advice = format!(
            "sort it with `kiln data fetch flowers17 --from {}`, with datasplits.mat in that folder, and name the folder that it makes",
            shell_words::quote(&folder.to_string_lossy())
        );
        return Err(FileError::new(folder, problem).advise(advice));
    }
    Ok(())
}
