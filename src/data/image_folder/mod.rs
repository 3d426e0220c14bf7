//! Folders of images: one folder per class, or a file with the labels.

mod config;
mod folders;
mod found;
pub mod labels;
mod layout;
mod listing;
mod refusals;
mod source;
mod unreadable;
mod walk;

pub use config::{ImageFolderConfig, OnBadImage};
pub use source::ImageFolder;
