//! The flags that say how a page is read, for the verbs that read one.

use std::path::Path;

use super::failure::UsageError;
use crate::ocr::{Alphabet, Context, Options};

/// How a page is read.
#[derive(clap::Args)]
pub struct ReadingArgs {
    /// What settles letters that look alike: english, off (each letter by its form alone), or a word list, a UTF-8 file of
    /// one word a line (and perhaps how often it occurs) [default: english]
    #[arg(long, value_name = "off|english|FILE", hide_default_value = true)]
    context: Option<String>,
    /// Which characters there are: letters, digits, all, or the characters themselves, like ABC123 [default: all]
    #[arg(long, value_name = "letters|digits|all|CHARACTERS")]
    alphabet: Option<String>,
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
    pub fn options(&self) -> Result<Options, UsageError> {
        let alphabet = match &self.alphabet {
            None => Alphabet::All,
            Some(text) => text
                .parse()
                .map_err(|problem| UsageError(format!("--alphabet {text}: {problem}")))?,
        };
        let context = match self.context.as_deref() {
            None | Some("english") => Context::English,
            Some("off") => Context::Off,
            Some(file) => Context::open(Path::new(file)).map_err(|error| {
                UsageError(format!(
                    "--context takes off, english or a word list: {error}"
                ))
            })?,
        };
        Ok(Options {
            context,
            alphabet,
            ..Options::default()
        })
    }
}
