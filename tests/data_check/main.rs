//! What a user may rely on from `kiln data check` and `data.exclude`.

#[path = "../common/mod.rs"]
mod common;
mod drawn;
mod excluding;
mod issues;
mod planted;
