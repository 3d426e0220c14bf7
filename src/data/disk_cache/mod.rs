//! A cache on the disk: decoded images for later runs, and what is known about a folder of images.
//!
//! Everything here can be made again. An image is known by the name, size and time of change of its file and by the settings that
//! decide its values; it is read only if its checksum matches. Entries appear whole or not at all, so that processes can share a
//! cache without waiting for each other. `docs/data.md` describes it for users.

mod cache;
mod checked;
mod entry;
mod layout;
mod listings;
mod removal;
mod space;
mod stamp;
mod tally;

pub use cache::{DiskCache, ImageCache};
pub use checked::CheckedImages;
pub use entry::StoredImage;
pub use layout::is_cache;
pub use listings::{EntryKind, FolderListings, list};
pub use stamp::Stamp;
