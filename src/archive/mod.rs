//! Zip and tar archives, unpacked safely: archives are not trusted.
//!
//! Names in an archive never decide where a file goes outside the target folder: an archive with a name that points outside, a link or a
//! device is rejected as a whole, and so is one that unpacks to more than the limits. [`unpack`] takes the wanted files of an archive;
//! [`located`] gives the folder of an archive that stands in place of one, unpacked once.

mod cache;
mod error;
mod format;
mod limits;
mod located;
mod name;
mod output;
mod tar;
mod unpack;
mod zip;

pub use self::zip::repeated_names;
pub use cache::STAMP;
pub use error::{LocateError, UnpackError};
pub use format::{Format, is_archive};
pub use limits::Limits;
pub use located::located;
pub use output::Place;
pub use unpack::unpack;
