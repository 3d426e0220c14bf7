//! Context: reads the tokens of a page by looking at their letters together.
//!
//! A token is a word, a number or a mixture (`token_grammar`); the page's other tokens help to say which. Words are made of
//! letters as a word list has them (`word_list`, `ngram`); lines may be `sequences`; `decoder` searches a [`Lattice`] for the best reading.

mod decoder;
mod lattice;
mod ngram;
mod packed;
mod scowl;
mod sequences;
mod source;
mod text_grammar;
mod token_grammar;
mod tokens;
mod word_list;

pub use decoder::{Decoded, decode};
pub use lattice::{Lattice, Span};
pub use ngram::{BOUNDARY, History, Ngram, SYMBOLS};
pub use sequences::read_lines;
pub use source::Context;
pub use text_grammar::TextGrammar;
pub use token_grammar::{
    AnyGrammar, Grammar, GrammarState, MixtureGrammar, NumberGrammar, TokenKind, WordGrammar,
};
pub use tokens::{Token, TokenPlace, TokenReading, read};
pub use word_list::WordList;
