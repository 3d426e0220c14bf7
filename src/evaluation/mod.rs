//! Evaluation: a model over one split of a data source becomes metrics, a confusion matrix and its worst mistakes.

mod answers;
mod error;
mod evaluate;
mod images;
mod listing;
mod outcome;
mod rivals;

pub use error::EvaluateError;
pub use evaluate::{evaluate, evaluate_watched};
pub use listing::{Listed, Listing};
pub use outcome::Evaluation;
pub use rivals::Rivals;
