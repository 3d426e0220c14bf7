//! Folders to be drawn, and the table's rows.

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};

use crate::formats;

/// A folder that a test fills.
pub struct Folder(pub PathBuf);

impl Folder {
    fn place(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// A small PNG, whatever its name.
    pub fn image(&self, name: &str) {
        let shade = name
            .bytes()
            .fold(7u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        let image = RgbImage::from_fn(4, 4, |x, y| Rgb([shade, (40 * x) as u8, (40 * y) as u8]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        fs::write(self.place(name), bytes.into_inner()).unwrap();
    }

    /// `count` images `0.png`, `1.png`, ... in each of the folders.
    pub fn images(&self, folders: &[&str], count: usize) {
        for folder in folders {
            (0..count).for_each(|number| self.image(&format!("{folder}/{number}.png")));
        }
    }

    pub fn text(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.place(name), content).unwrap();
    }

    pub fn folder(&self, name: &str) {
        fs::create_dir_all(self.0.join(name)).unwrap();
    }

    /// A copy of an image of Pillow.
    pub fn pillow(&self, file: &str, name: &str) {
        fs::copy(formats::folder().join(file), self.place(name)).unwrap();
    }

    #[cfg(unix)]
    pub fn link(&self, target: &str, name: &str) {
        std::os::unix::fs::symlink(target, self.place(name)).unwrap();
    }
}

/// What comes of a folder.
pub enum Expect {
    /// It is used: classes, samples per split, and all that is told, each in a line with these words.
    Used(&'static [&'static str], [usize; 3], &'static [&'static str]),
    /// It is refused with this code and a line with these words.
    Refused(i32, &'static [&'static str]),
}

/// A row of the table.
pub struct Case {
    pub name: &'static str,
    /// Keys of `data`, as JSON without braces.
    pub keys: &'static str,
    pub make: fn(&Folder),
    pub expect: Expect,
}

/// The config of a folder, with further keys.
pub fn config(folder: &Path, keys: &str) -> String {
    let comma = if keys.is_empty() { "" } else { ", " };
    let folder = serde_json::to_string(folder).unwrap();
    format!(
        r#"{{"data": {{"kind": "image_folder", "folder": {folder}, "height": 8, "width": 8, "channels": 3,
            "split": {{"by": "share", "valid": 0.25, "test": 0.25, "stratify": true}}{comma}{keys}}},
            "model": {{"kind": "mlp", "hidden": [4]}}, "training": {{"epochs": 1, "batch_size": 4}}}}"#
    )
}
