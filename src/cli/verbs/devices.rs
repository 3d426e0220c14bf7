//! `kiln devices`

use crate::cli::failure::VerbResult;
use crate::cli::terminal::output;
use crate::device::{self, Adapter, BackendDevices};
use crate::report::table::{ABSENT, Table};

/// Bytes of a gibibyte.
const GIB: f64 = (1u64 << 30) as f64;

/// List the backends and the devices behind them.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln devices --json
  kiln train configs/nist36_cnn.json --backend vulkan --device 1

--backend and --device choose one, as do the keys `backend` and `device` of a config.")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> VerbResult {
    let backends = device::list();
    if args.json {
        output::json(&backends)?;
        return Ok(());
    }
    Ok(output::emit(&text(&backends))?)
}

/// A table of devices, and below it why the other backends have none.
fn text(backends: &[BackendDevices]) -> String {
    let header = ["backend", "device", "name", "interface", "driver", "memory"];
    let mut table = Table::new(header).with_words([0, 2, 3, 4]);
    for backend in backends {
        for device in &backend.devices {
            table.push(row(backend, device));
        }
    }
    let missing = backends.iter().filter(|backend| !backend.available);
    let missing: String = missing
        .map(|backend| format!("{}\n", backend.detail))
        .collect();
    if missing.is_empty() {
        table.text()
    } else {
        format!("{}\n{missing}", table.text())
    }
}

fn row(backend: &BackendDevices, device: &Adapter) -> [String; 6] {
    let or_absent = |text: &Option<String>| text.clone().unwrap_or_else(|| ABSENT.to_string());
    let memory = device
        .memory_bytes
        .map(|bytes| format!("{:.1} GiB", bytes as f64 / GIB));
    [
        backend.backend.name().to_string(),
        device.index.to_string(),
        device.name.clone(),
        or_absent(&device.interface),
        or_absent(&device.driver),
        or_absent(&memory),
    ]
}
