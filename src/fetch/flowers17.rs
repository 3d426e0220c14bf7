//! Oxford's 17 category flowers (Nilsback and Zisserman 2006): where each image of the archive belongs.
//!
//! Images are `image_0001.jpg` to `image_1360.jpg`, 80 per class, one class after the other; `trn1`, `val1` and `tst1` of
//! `datasplits.mat` list the numbers of the first split. An image goes to `train/0/image_0002.jpg` and the like, as the
//! course (CMU 16-720) lays them out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::data::DataError;
use crate::data::formats::mat::MatFile;

/// Number of classes.
const CLASSES: u32 = 17;
/// Images of each class.
const PER_CLASS: u32 = 80;
/// A split's folder and its variable in the file of splits.
const SPLITS: [(&str, &str); 3] = [("train", "trn1"), ("val", "val1"), ("test", "tst1")];

/// The folders of the classes, in every split.
pub fn class_folders() -> Vec<PathBuf> {
    SPLITS
        .iter()
        .flat_map(|(split, _)| {
            (0..CLASSES).map(move |class| Path::new(split).join(class.to_string()))
        })
        .collect()
}

/// The first and the last image.
const ENDS: [&str; 2] = ["image_0001.jpg", "image_1360.jpg"];

/// The folder of the images that the archive has in `jpg/`, of the folder where it was unpacked or that one itself.
pub fn images(folder: &Path) -> Option<PathBuf> {
    let has_images = |folder: &PathBuf| ENDS.iter().all(|name| folder.join(name).is_file());
    let mut places = [folder.join("jpg"), folder.to_path_buf()].into_iter();
    places.find(has_images)
}

/// Where each image of the first split belongs, by its name in the archive.
///
/// Errors: not a MATLAB file with the three variables, a number that no image has, or one that is listed twice.
pub fn places(splits: Vec<u8>) -> Result<BTreeMap<String, PathBuf>, String> {
    let problem = |error: DataError| match error {
        DataError::File(error) => error.problem().to_string(),
        other => other.to_string(),
    };
    let file = MatFile::from_bytes(splits, Path::new("")).map_err(problem)?;
    let mut places = BTreeMap::new();
    for (split, variable) in SPLITS {
        let numbers = file.matrix(variable).map_err(problem)?;
        for value in numbers.values {
            // Anything but a whole number in range becomes one that is compared unequal here.
            let number = value as u32;
            if number as f32 != value || number == 0 || number > CLASSES * PER_CLASS {
                return Err(format!(
                    "{variable} lists image {value}; expected 1 to {}",
                    CLASSES * PER_CLASS
                ));
            }
            let name = format!("image_{number:04}.jpg");
            let class = (number - 1) / PER_CLASS;
            let place = Path::new(split).join(class.to_string()).join(&name);
            if places.insert(name, place).is_some() {
                return Err(format!("lists image {number} twice in split 1"));
            }
        }
    }
    Ok(places)
}
