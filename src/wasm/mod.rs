//! The reader for JavaScript, in WebAssembly: the bytes of a file become the JSON of `kiln ocr --json`.
//!
//! `npm` holds what is written in JavaScript: the package `kiln-reader`, whose worker calls this module, and a page for those without a
//! server. `.ci/wasm` puts them together; `docs/wasm.md` says how they are used and built.

mod answer;
mod math;
mod options;
mod panics;
mod reader;

pub use answer::Answer;
pub use reader::Reader;
