//! `kiln data words`

use std::path::PathBuf;

use crate::cli::failure::VerbResult;
use crate::cli::terminal::output;
use crate::error::FileError;
use crate::files;
use crate::ocr::context::WordList;

/// Build kiln's bundled word list from the SCOWL lists
#[derive(clap::Args)]
#[command(
    after_help = "Example (Debian's scowl package installs the lists there):
  kiln data words /usr/share/dict/scowl artifacts/ocr/words.txt.gz"
)]
pub struct Args {
    /// Folder with the SCOWL lists (english-words.10 and so on)
    folder: PathBuf,
    /// Output file: the list as kiln ships it (artifacts/ocr/WORDS.md)
    out: PathBuf,
}

pub fn run(args: Args) -> VerbResult {
    let words = WordList::from_scowl(&args.folder)?;
    let packed = words
        .to_packed()
        .map_err(|error| FileError::write(&args.out, error))?;
    files::write(&args.out, &packed)?;
    let (count, bytes) = (words.len(), packed.len());
    output::note(&format!("{count} words, {bytes} bytes"));
    Ok(output::emit(&format!("{}\n", args.out.display()))?)
}
