//! What a user may rely on about context: word lists, probabilities of letters, and how tokens are read.

#[path = "../common/mod.rs"]
mod common;
mod decoder;
mod tokens;
mod words;
