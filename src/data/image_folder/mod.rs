//! Folders of images: one folder per class, or a file with the labels.

mod config;
mod disk;
mod folders;
mod found;
mod kept;
pub mod labels;
mod layout;
mod listing;
mod published;
mod reader;
mod refusals;
mod source;
mod unreadable;
mod walk;

pub use config::{Decode, ImageFolderConfig, OnBadImage};
pub use source::ImageFolder;
