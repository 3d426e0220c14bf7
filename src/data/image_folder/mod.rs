//! Folders of images, one folder per class: PNG and JPEG files.

mod config;
mod disk;
mod kept;
mod listing;
mod source;

pub use config::ImageFolderConfig;
pub use source::ImageFolder;
