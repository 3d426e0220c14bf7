//! One run on several processes: what they agree on, and what they add up.
//!
//! Every rank draws the same weights and takes its share of every batch; the gradients are added up, so that all apply the same step and
//! stay equal. Whatever decides how the run goes on (metrics, errors, a stop) is exchanged first, so that all go the same way.

mod agreement;
mod gradients;
mod same;
mod statistics;
mod totals;

pub use agreement::{Stop, agree, agree_or_fail};
pub use gradients::{Contribution, SharedGradients};
pub use same::{same_start, same_weights};
pub use statistics::average_statistics;
pub use totals::totals;
