//! What a user may rely on when fetching data sets: a fetch ends with a complete set that opens, or with one clear line and nothing at
//! the set's place; what has been downloaded is not requested again. Servers are on 127.0.0.1, made here.

mod archives;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod list;
mod local;
mod mirrors;
mod sets;
mod support;
mod usage;
mod wrong_files;
