//! `kiln completions`

use clap::Command;
use clap_complete::Shell;

use crate::cli::failure::VerbResult;
use crate::cli::terminal::output;

/// Print the completions of a shell.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln completions bash > ~/.local/share/bash-completion/completions/kiln
  kiln completions zsh > ~/.zfunc/_kiln      with fpath+=~/.zfunc before compinit in ~/.zshrc
  kiln completions fish > ~/.config/fish/completions/kiln.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints them; `program` is the whole command line.
pub fn run(args: Args, mut program: Command) -> VerbResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "kiln", &mut script);
    Ok(output::emit_bytes(&script)?)
}
