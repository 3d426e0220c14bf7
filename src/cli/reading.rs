//! The flags that say how a page is read.

use std::path::Path;

use super::choices;
use super::failure::UsageError;
use crate::ocr::{Alphabet, Case, Context, ReadOptions};

/// How a page is read.
#[derive(clap::Args)]
pub struct ReadingArgs {
    /// Language model for ambiguous characters: english, off (shape only), or a word list (a UTF-8 file with one word per
    /// line, optionally followed by its frequency) [default: english]
    #[arg(long, value_name = "off|english|FILE", hide_default_value = true)]
    context: Option<String>,
    /// Which characters may be read: letters, digits, all, or the characters themselves, such as ABC123 [default: all]
    #[arg(long, value_name = "letters|digits|all|CHARACTERS")]
    alphabet: Option<Alphabet>,
    /// Write letters as they are on the page, or all as capitals
    #[arg(long, value_parser = choices::case(), default_value = Case::Keep.name())]
    case: Case,
}

impl ReadingArgs {
    /// The word list, if it is a file.
    pub fn word_list(&self) -> Option<&Path> {
        match self.context.as_deref() {
            None | Some("english" | "off") => None,
            Some(file) => Some(Path::new(file)),
        }
    }

    /// What the flags mean; reads the word list.
    pub fn options(&self) -> Result<ReadOptions, UsageError> {
        let context = match self.context.as_deref() {
            None | Some("english") => Context::English,
            Some("off") => Context::Off,
            Some(file) => Context::open(Path::new(file)).map_err(|error| {
                UsageError(format!(
                    "--context must be off, english or a word-list file: {error}"
                ))
            })?,
        };
        Ok(ReadOptions {
            context,
            alphabet: self.alphabet.clone().unwrap_or_default(),
            case: self.case,
            ..ReadOptions::default()
        })
    }
}
