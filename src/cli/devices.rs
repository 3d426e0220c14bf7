//! `kiln devices`

use super::{Outcome, output};
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
    for device in devices {
        let mark = if device.available { "yes" } else { "no " };
        println!("{:<8} {mark}  {}", device.backend.name(), device.detail);
    }
    Ok(())
}
