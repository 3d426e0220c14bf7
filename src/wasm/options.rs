//! How a file is read, as JavaScript says it.

use std::sync::Arc;

use serde::Deserialize;

use crate::document::PageSelection;
use crate::files::without_mark;
use crate::ocr::context::{Ngram, WordList};
use crate::ocr::{Alphabet, Case, Context, ReadOptions};

/// What a file is called if it has no name.
const NAME: &str = "image";

/// The keys of the options; each means what the flag of `kiln ocr` of that name does.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Options {
    /// The name of the file, for the JSON and for errors.
    name: Option<String>,
    alphabet: Option<String>,
    case: Option<String>,
    /// `english` or `off`.
    context: Option<String>,
    /// The content of a word list, in place of `context`.
    words: Option<String>,
    pages: Option<String>,
}

impl Options {
    /// Reads the options from JSON. The error is one line.
    pub fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| format!("options: {error}"))
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(NAME)
    }

    /// The numbers of the pages to read, of `count`.
    pub fn pages(&self, count: usize) -> Result<Vec<usize>, String> {
        let Some(pages) = &self.pages else {
            return Ok((1..=count).collect());
        };
        let selection: PageSelection = pages
            .parse()
            .map_err(|problem| format!("options.pages: {problem}"))?;
        selection.choose(count).map_err(|page| {
            let name = self.name();
            format!("options.pages: there is no page {page} in {name}, which has {count}")
        })
    }

    /// How each page is read.
    pub fn reading(&self) -> Result<ReadOptions, String> {
        let alphabet = match &self.alphabet {
            None => Alphabet::default(),
            Some(text) => text
                .parse()
                .map_err(|problem| format!("options.alphabet: {problem}"))?,
        };
        let case = match self.case.as_deref() {
            None => Case::default(),
            Some(name) => Case::ALL
                .into_iter()
                .find(|case| case.name() == name)
                .ok_or_else(|| format!("options.case: found {name:?}; use keep or upper"))?,
        };
        Ok(ReadOptions {
            context: self.context()?,
            alphabet,
            case,
            ..ReadOptions::default()
        })
    }

    fn context(&self) -> Result<Context, String> {
        match (self.context.as_deref(), &self.words) {
            (None | Some("english"), None) => Ok(Context::English),
            (Some("off"), None) => Ok(Context::Off),
            (Some(other), None) => Err(format!(
                "options.context: found {other:?}; use english or off, or pass a list as options.words"
            )),
            (Some(_), Some(_)) => {
                Err("options.words: is in place of options.context; leave one of them out".into())
            }
            (None, Some(words)) => {
                let Ok(words) = without_mark(words).parse::<WordList>();
                if words.is_empty() {
                    return Err(
                        "options.words: contains no words spelled only with A to Z; put one on each line"
                            .into(),
                    );
                }
                Ok(Context::Words(Arc::new(Ngram::of(&words))))
            }
        }
    }
}
