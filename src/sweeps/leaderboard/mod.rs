//! The runs of a sweep, the best first: as a table, as CSV, as JSON and as a page.

mod page;
mod ranking;
mod tables;

pub use ranking::{Leaderboard, Row};
