//! `kiln man`

use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;

use crate::cli::failure::{Failure, VerbResult};
use crate::cli::terminal::output;
use crate::error::FileError;
use crate::files;

/// The section of the manual for programs.
const SECTION: &str = "1";

/// Write the manual pages, or print the first.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln man | man -l -
  kiln man ~/.local/share/man/man1")]
pub struct Args {
    /// Folder for kiln.1 and a page for each command, made if it is missing [default: print kiln.1]
    dir: Option<PathBuf>,
}

/// Writes them; `program` is the whole command line.
pub fn run(args: Args, program: Command) -> VerbResult {
    // `kiln help train` shows what `kiln train --help` does: no page of its own.
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let Some(folder) = args.dir else {
        return Ok(output::emit_bytes(&page(&program)?.1)?);
    };
    std::fs::create_dir_all(&folder).map_err(|source| FileError::create(&folder, source))?;
    let count = write(&program, &folder)?;
    Ok(output::emit(&format!(
        "{count} pages in {}\n",
        folder.display()
    ))?)
}

/// Writes the page of a command and those of its subcommands; returns how many.
fn write(command: &Command, folder: &Path) -> Result<usize, Failure> {
    let (name, text) = page(command)?;
    files::write(&folder.join(name), &text)?;
    let mut count = 1;
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        count += write(subcommand, folder)?;
    }
    Ok(count)
}

/// The file name and the text of a command's page.
fn page(command: &Command) -> Result<(String, Vec<u8>), Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let name = format!("{name}.{SECTION}");
    let mut text = Vec::new();
    let page = Man::new(command.clone()).section(SECTION).manual("kiln");
    match page.render(&mut text) {
        Ok(()) => Ok((name, text)),
        Err(error) => Err(Failure::failed(format!("{name}: {error}"))),
    }
}
