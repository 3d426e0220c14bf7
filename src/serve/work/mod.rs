//! What takes long: reading, classifying and evaluating, each on a thread of its own behind a bounded queue.

mod classify;
mod evaluate;
mod models;
mod places;
mod read;

pub use classify::{Classify, ClassifyRequest, Explain};
pub use evaluate::{Evaluated, Evaluations, Progressing};
pub use models::Models;
pub use places::Places;
pub use read::{Read, ReadRequest};
