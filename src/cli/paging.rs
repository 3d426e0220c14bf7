//! Files of several pages among the inputs.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::failure::{Failure, UsageError};
use super::inputs::{self, Input, PageOf, Reads, Source};
use super::loading::content;
use crate::document::{self, DEFAULT_DPI, Document, PageSelection, START_BYTES};
use crate::error::FileError;

/// Most pages of a file that are read in one run: more than any book has.
const MAX_PAGES: usize = 10_000;

/// Which pages are read.
#[derive(clap::Args)]
pub struct PageArgs {
    /// Pages of PDF and TIFF files to read, such as 1,3-5 or 8- [default: all]
    #[arg(long, value_name = "PAGES")]
    pages: Option<PageSelection>,
    /// Resolution, in dots per inch, at which PDF pages are rendered that are not a single scanned image
    #[arg(long, value_name = "N", default_value_t = DEFAULT_DPI, value_parser = clap::value_parser!(u16).range(40..=2400))]
    dpi: u16,
}

impl PageArgs {
    /// What is read.
    pub fn reads(&self) -> Reads {
        Reads::Pages { dpi: self.dpi }
    }

    /// All pages of the files of the arguments, and whether there may be several.
    pub fn list(&self, arguments: &[PathBuf]) -> Result<(Vec<Input>, bool), Failure> {
        let (files, several) = inputs::list(arguments, self.reads())?;
        let mut inputs = Vec::new();
        for file in files {
            inputs.extend(self.pages_of(file)?);
        }
        let several = several || inputs.len() > 1;
        Ok((inputs, several))
    }

    /// The chosen pages of a file; the file itself, if it has one page or can't be opened: then reading it says why.
    fn pages_of(&self, input: Input) -> Result<Vec<Input>, Failure> {
        let (input, count) = match input.source() {
            Source::File(path) => {
                let mut start = Vec::new();
                let opened = std::fs::File::open(path);
                let read = opened.and_then(|file| {
                    let length = START_BYTES as u64;
                    file.take(length).read_to_end(&mut start)
                });
                if read.is_err() || !document::may_have_pages(&start) {
                    (input, Some(1))
                } else {
                    let bytes =
                        content(input.source()).map_err(|error| FileError::io(path, error))?;
                    let count = count(Arc::new(bytes), &input);
                    (input, count)
                }
            }
            Source::Standard => {
                let bytes = content(&Source::Standard);
                let bytes = bytes.map_err(|error| FileError::io(input.path(), error))?;
                let bytes = Arc::new(bytes);
                let count = count(bytes.clone(), &input);
                (input.with_content(bytes), count)
            }
        };
        let Some(count) = count else {
            return Ok(vec![input]);
        };
        let chosen = self.choose(&input, count)?;
        if count == 1 {
            return Ok(vec![input]);
        }
        let page = |number| input.with_page(PageOf { number, count });
        Ok(chosen.into_iter().map(page).collect())
    }

    /// The numbers of the chosen pages.
    fn choose(&self, input: &Input, count: usize) -> Result<Vec<usize>, UsageError> {
        let chosen = match &self.pages {
            None => Ok((1..=count).collect::<Vec<usize>>()),
            Some(selection) => selection.choose(count),
        };
        let chosen = chosen.map_err(|page| {
            let has = if count == 1 {
                "1 page".into()
            } else {
                format!("{count} pages")
            };
            UsageError(format!(
                "--pages: there is no page {page} in {}, which has {has}",
                input.name()
            ))
        })?;
        if chosen.len() > MAX_PAGES {
            return Err(UsageError(format!(
                "{}: has {count} pages; at most {MAX_PAGES} are read in one run; choose some, as in --pages 1-{MAX_PAGES}",
                input.name()
            )));
        }
        Ok(chosen)
    }
}

/// The number of pages; `None` if the file can't be opened.
fn count(bytes: Arc<Vec<u8>>, input: &Input) -> Option<usize> {
    let document = Document::new(bytes, input.path()).ok()?;
    Some(document.pages())
}
