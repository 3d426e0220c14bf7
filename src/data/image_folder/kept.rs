//! The content of an image file as it is kept in memory and on the disk, from which every reading of a sample is made.

use crate::data::disk_cache::StoredImage;
use crate::fitting::Photo;
use crate::shape::ImageShape;

/// The content of a file, reduced to what samples need of it.
#[derive(Debug)]
pub(super) enum Kept {
    /// The sample itself, `[channels, height, width]`.
    Ready(Box<[u8]>),
    /// A photograph to crop.
    Photo(Photo),
}

impl Kept {
    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Kept::Ready(bytes) => bytes.len(),
            Kept::Photo(photo) => photo.bytes.len(),
        }
    }

    /// As it is stored on the disk.
    pub fn into_stored(self, shape: ImageShape) -> StoredImage {
        match self {
            Kept::Ready(bytes) => StoredImage {
                width: shape.width,
                height: shape.height,
                channels: shape.channels,
                bytes,
            },
            Kept::Photo(photo) => StoredImage {
                width: photo.width,
                height: photo.height,
                channels: photo.channels,
                bytes: photo.bytes,
            },
        }
    }

    /// What was stored as a photograph.
    pub fn photo(stored: StoredImage) -> Self {
        Kept::Photo(Photo {
            width: stored.width,
            height: stored.height,
            channels: stored.channels,
            bytes: stored.bytes,
        })
    }

    /// What was stored as a finished sample.
    pub fn ready(stored: StoredImage) -> Self {
        Kept::Ready(stored.bytes)
    }
}
