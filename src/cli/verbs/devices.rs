//! `kiln devices`

use crate::cli::failure::VerbResult;
use crate::cli::terminal::output;
use crate::device;
use crate::report::table::Table;

/// List the backends and the devices behind them.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln devices --json")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> VerbResult {
    let devices = device::list();
    if args.json {
        output::json(&devices)?;
        return Ok(());
    }
    let mut table = Table::new(["backend", "available", "device"]).with_words([0, 1, 2]);
    for device in devices {
        let available = if device.available { "yes" } else { "no" };
        table.push([
            device.backend.name().to_string(),
            available.to_string(),
            device.detail,
        ]);
    }
    Ok(output::emit(&table.text())?)
}
