//! What a user, and a stranger, may rely on when `kiln serve` runs.

#[path = "../common/mod.rs"]
mod common;

mod api;
mod clients;
mod folders;
mod limits;
mod pages;
mod runs;
mod strangers;
mod support;
