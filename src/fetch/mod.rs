//! Fetching data sets: downloads, checks and unpacks them into the data folder.
//!
//! Files are downloaded to `<root>/.kiln-fetch/`, where an interrupted download can be resumed, compared with their checksums, and
//! unpacked into a folder there, which is then renamed into place, so that a set's folder is always complete. A file that the user
//! saved in `.kiln-fetch` under its own name is used instead of a download. Progress is reported as [`Event`]s.

pub mod catalogue;
mod checksum;
mod content;
mod download;
mod error;
mod flowers17;
mod headers;
mod part;
mod progress;
mod run;

pub use catalogue::{DataSet, Layout, RemoteFile, Sum};
pub use checksum::{Check, Verdict};
pub use content::{has_some, is_complete};
pub use error::FetchError;
pub use progress::{Event, Patience};
pub use run::{Outcome, STORE, fetch};
