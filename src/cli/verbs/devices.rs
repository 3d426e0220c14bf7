//! `kiln devices`

use crate::cli::failure::Outcome;
use crate::cli::terminal::output;
use crate::device;

/// List the backends and the devices behind them.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln devices --json")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Outcome {
    let devices = device::list();
    if args.json {
        output::json(&devices)?;
        return Ok(());
    }
    let lines: String = devices
        .iter()
        .map(|device| {
            let mark = if device.available { "yes" } else { "no " };
            format!("{:<8} {mark}  {}\n", device.backend.name(), device.detail)
        })
        .collect();
    Ok(output::emit(&lines)?)
}
