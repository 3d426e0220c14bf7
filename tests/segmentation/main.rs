//! What a user may rely on when a page is cut into lines, words and letters: on pages drawn here, whose letters are known
//! exactly, and on the real pages under KILN_DATA.

#[path = "../common/mod.rs"]
mod common;
mod crops;
mod drawn;
mod pages;
mod pictures;
mod properties;
mod real_pages;
