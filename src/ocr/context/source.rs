//! Where context comes from: no list, the shipped word list, or the user's.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::ngram::Ngram;
use super::word_list::WordList;
use crate::error::FileError;

/// What a letter's neighbours may say about it.
#[derive(Debug, Clone, Default)]
pub enum Context {
    /// Nothing: each letter is read by its form alone.
    Off,
    /// What English words say.
    #[default]
    English,
    /// What the words of another list say.
    Words(Arc<Ngram>),
}

impl Context {
    /// Reads a word list from a file.
    ///
    /// # Errors
    /// [`FileError`]: the file can't be read, or is not a word list.
    pub fn open(path: &Path) -> Result<Context, FileError> {
        let words = WordList::open(path)?;
        Ok(Context::Words(Arc::new(Ngram::of(&words))))
    }

    /// The n-gram of the words, `None` without context; the shipped one is built on first use.
    pub fn ngram(&self) -> Option<&Ngram> {
        static ENGLISH: OnceLock<Ngram> = OnceLock::new();
        match self {
            Context::Off => None,
            Context::English => Some(ENGLISH.get_or_init(|| Ngram::of(&WordList::english()))),
            Context::Words(ngram) => Some(ngram),
        }
    }
}
