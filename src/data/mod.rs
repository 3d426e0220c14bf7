//! Data sets: labelled images in three splits, each source a file or folder here, and the loader that makes batches of them.
//!
//! Images are `f32` in [0, 1], channel by channel, row by row (`[channels, height, width]`). For characters, paper is 1 and ink
//! is 0. A source needs its module and its line in the list below; `docs/adding-a-data-source.md` shows how.

pub mod augment;
pub mod cifar10;
mod config;
pub mod fitting;
pub mod formats;
pub mod glyphs;
pub mod image_folder;
pub mod info;
pub mod junk;
pub mod loader;
pub mod mix;
pub mod nist26;
pub mod nist36;
mod source;
pub mod split_rule;
pub mod unipen;

pub use augment::AugmentConfig;
pub use cifar10::Cifar10Config;
pub use config::{open, open_in};
pub use fitting::{Fit, RandomCropConfig, View};
pub use glyphs::GlyphsConfig;
pub use image_folder::ImageFolderConfig;
pub use junk::JunkConfig;
pub use mix::MixConfig;
pub use nist26::Nist26Config;
pub use nist36::Nist36Config;
pub use source::{
    CommonConfig, DataError, DataSource, ListedSource, MemorySource, NOT_FOUND_ADVICE,
    NormalizeConfig, SourceConfig, Split, data_root, quantize, source_problems,
};
pub use split_rule::{NumberConfig, ShareConfig, SplitRule};
pub use unipen::UnipenConfig;

source::sources! {
    /// Capitals and digits that kiln draws itself; needs no files.
    Glyphs(glyphs::GlyphsConfig) = "glyphs",
    /// Capitals and digits in `nist36_{train,valid,test}.mat` of CMU 16-720.
    Nist36(nist36::Nist36Config) = "nist36",
    /// Capitals from NIST in `nist26_valid.mat`, mostly for testing.
    Nist26(nist26::Nist26Config) = "nist26",
    /// The binary batches of CIFAR-10.
    Cifar10(cifar10::Cifar10Config) = "cifar10",
    /// Pen strokes of UNIPEN, drawn with a new pen in every epoch.
    Unipen(unipen::UnipenConfig) = "unipen",
    /// Your own images, in a folder per class.
    ImageFolder(image_folder::ImageFolderConfig) = "image_folder",
    /// Ink that is not a character, made from pen strokes: one class, for use in a mix.
    Junk(junk::JunkConfig) = "junk",
    /// Several sources: training samples of all of them, validation and test samples of the first.
    Mix(mix::MixConfig<DataConfig>) = "mix",
}
