//! From ink to letters, and to all that may be letters.

pub(super) mod components;
pub(super) mod glyphs;
pub(super) mod oversegmentation;
mod seams;
pub(super) mod specks;
pub(super) mod split;
