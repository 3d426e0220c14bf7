//! Several runs together: made by a sweep or found in folders, ranked and compared.
//!
//! [`search_space`] holds the values of a sweep and their combinations, [`plan`] checks all of them, [`sweep`] is the folder,
//! [`record`] its `sweep.json`, [`execute`] trains its runs, [`workers`] do so in several processes on any number of machines, [`leaderboard`] ranks them and [`findings`] puts the result into
//! sentences. [`runs`] reads run directories in any state, [`listing`] lists them, [`compare`] puts them side by side, [`defaults`] tells chosen settings
//! from defaults, and [`ranking_metric`] is the metric by which runs are ranked.

pub mod compare;
pub mod defaults;
mod error;
pub mod execute;
pub mod findings;
pub mod leaderboard;
pub mod listing;
pub mod plan;
pub mod ranking_metric;
pub mod record;
pub mod runs;
pub mod search_space;
pub mod sweep;
pub mod workers;

pub use error::SweepError;
