//! Reads photographed pages: segmentation finds what may be letters, a classifier and their neighbours decide what they are.
//!
//! [`read`] turns an image and a [`Classifier`](crate::inference::Classifier) of single characters into a [`Page`];
//! [`formats`] turns pages into files, [`truth`] holds the ground truth, and [`scores`] measures how well it was read. `form` scores
//! candidates by their shape, [`context`] by their neighbours, and [`scoring`] says how much each counts.

pub mod alphabet;
pub mod context;
mod form;
pub mod formats;
#[cfg(feature = "app")]
pub mod forms;
pub mod mixed;
mod options;
mod orientation;
pub mod page;
pub mod reader;
mod recognition;
#[cfg(feature = "app")]
pub mod review;
#[cfg(feature = "app")]
pub mod scores;
pub mod scoring;
mod shipped;
mod strays;
pub mod truth;
mod unreadable;

pub use alphabet::Alphabet;
pub use context::Context;
pub use mixed::{Case, MixedModel};
pub use options::ReadOptions;
pub use page::{Guess, Letter, Line, Page, Word};
pub use reader::{Reading, check, check_alphabet, read, read_with};
pub use recognition::Evidence;
pub use shipped::{shipped_mixed_model, shipped_model};
pub use unreadable::{ReadError, Unreadable};
