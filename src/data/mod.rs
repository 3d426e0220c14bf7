//! Data sets of labelled images in three splits, one module per source, and the loader that makes batches of them.
//!
//! Images are `f32` in [0, 1], channel by channel, row by row (`[channels, height, width]`). For characters, paper is 1 and ink
//! is 0. A new source needs a module and a line in the list below; `docs/adding-a-data-source.md` shows how.

pub mod arrays;
pub mod augment;
pub mod cifar;
pub mod class_folders;
mod config;
pub mod convert;
mod disk_cache;
pub mod exclude;
pub mod formats;
pub mod glyphs;
pub mod image_folder;
pub mod info;
pub mod junk;
pub mod loader;
pub mod mix;
pub mod nist26;
pub mod nist36;
pub mod parquet_images;
mod source;
pub mod split_rule;
mod subset;
pub mod unipen;
mod untrained;

pub use crate::fitting::{self, Fit, NormalizeConfig, RandomCropConfig, View};
pub use arrays::{CsvConfig, IdxConfig, MatConfig, NpzConfig};
pub use augment::AugmentConfig;
pub use cifar::{Cifar10Config, Cifar100Config, cifar10, cifar100};
pub use config::{found_at, open, open_in, root_for};
pub use glyphs::GlyphsConfig;
pub use image_folder::{Decode, ImageFolderConfig, OnBadImage};
pub use junk::JunkConfig;
pub use mix::MixConfig;
pub use nist26::Nist26Config;
pub use nist36::Nist36Config;
pub use parquet_images::ParquetConfig;
pub use source::{
    BadSample, ClassOrder, CommonConfig, DataError, DataSource, ListedSource, MemorySource,
    NOT_FOUND_ADVICE, PassedOver, Reason, SourceConfig, Split, count_passed_over, data_root,
    from_quantized, listed_passed_over, passed_over_line, quantize, source_problems,
};
pub use split_rule::{NumberConfig, ShareConfig, SplitRule};
pub use subset::Subset;
pub use unipen::UnipenConfig;
pub use untrained::notes;

source::sources! {
    /// Synthetic hand-printed characters; needs no files.
    Glyphs(glyphs::GlyphsConfig) = "glyphs",
    /// Capital letters and digits (36 classes) from CMU 16-720's `nist36_{train,valid,test}.mat`.
    Nist36(nist36::Nist36Config) = "nist36",
    /// Capital letters (26 classes) from `nist26_valid.mat`, mostly for testing.
    Nist26(nist26::Nist26Config) = "nist26",
    /// CIFAR-10, binary version or pickles.
    Cifar10(cifar::cifar10::Cifar10Config) = "cifar10",
    /// CIFAR-100, binary version or pickles, by its fine or coarse classes.
    Cifar100(cifar::cifar100::Cifar100Config) = "cifar100",
    /// IDX files: MNIST, Fashion-MNIST, EMNIST.
    Idx(arrays::idx::IdxConfig) = "idx",
    /// NumPy's files: an .npz, or a folder of .npy files.
    Npz(arrays::NpzConfig) = "npz",
    /// Tables of pixels: CSV, an image and its label per line.
    Csv(arrays::CsvConfig) = "csv",
    /// MATLAB's files with arrays of any names: SVHN, EMNIST.
    Mat(arrays::MatConfig) = "mat",
    /// Parquet files of images, as the Hugging Face hub has them.
    Parquet(parquet_images::ParquetConfig) = "parquet",
    /// Pen strokes from UNIPEN, redrawn with a different pen every epoch.
    Unipen(unipen::UnipenConfig) = "unipen",
    /// Folders of images, one folder per class.
    ImageFolder(image_folder::ImageFolderConfig) = "image_folder",
    /// Synthetic non-character ink: a single reject class, for use in a mix.
    Junk(junk::JunkConfig) = "junk",
    /// A mix of several sources: training samples from all, validation and test from the first or those in `evaluate`.
    Mix(mix::MixConfig<DataConfig>) = "mix",
}
