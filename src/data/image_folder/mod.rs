//! Folders of images, one folder per class: PNG and JPEG files.

mod config;
mod listing;
mod published;
mod source;

pub use config::ImageFolderConfig;
pub use source::ImageFolder;
