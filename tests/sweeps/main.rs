//! Making, listing and comparing several runs: `kiln sweep` and `kiln runs`.

#[path = "../common/mod.rs"]
mod common;

mod leaderboard;
mod runs;
mod search_space;
mod support;
mod sweeping;
mod workers;
