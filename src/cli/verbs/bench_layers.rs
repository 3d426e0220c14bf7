//! `kiln bench --mode layers`

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::compute::Precision;
use crate::cli::failure::VerbResult;
use crate::cli::terminal::output;
use crate::config::{self, Experiment};
use crate::diagnostics::layers::{self, LayerTimings, MEMORIES, Machine};
use crate::report::table::Table;

/// A line of JSON: one network.
#[derive(Serialize)]
struct Measured<'a> {
    #[serde(flatten)]
    timings: &'a LayerTimings,
    machine: &'a Machine,
}

/// Times the layers of each config's network.
pub fn run(
    configs: &[PathBuf],
    overrides: &[String],
    batch: Option<u32>,
    precision: Precision,
    as_json: bool,
) -> VerbResult {
    // A config that can't be used is refused before anything is measured.
    let experiments = configs.iter().map(|path| config::load(path, overrides));
    let experiments: Vec<Experiment> = experiments.collect::<Result<_, _>>()?;
    let machine = Machine::measured();
    if !as_json {
        output::emit(&described(&machine))?;
    }
    for (path, experiment) in configs.iter().zip(&experiments) {
        let batch = batch.map(|batch| batch as usize);
        let timings = layers::layers(experiment, batch, precision.compute(), &machine);
        let timings = timings.map_err(|error| error.in_config(path))?;
        if as_json {
            output::json_line(&Measured {
                timings: &timings,
                machine: &machine,
            })?;
        } else {
            output::emit(&table(&timings))?;
        }
    }
    Ok(())
}

fn described(machine: &Machine) -> String {
    let mut text = format!(
        "Peak on {} threads, in GFLOP/s: {:.0} in float32",
        machine.threads, machine.f32_gflops
    );
    if let Some(gflops) = machine.bf16_gflops {
        text += &format!(", {gflops:.0} in bfloat16");
    }
    text += "\nBandwidth, in GB/s:";
    for (place, bandwidth) in MEMORIES.iter().zip(&machine.bandwidths) {
        let kilobytes = bandwidth.bytes >> 10;
        text += &format!(
            " {place} {:.0} ({kilobytes} KiB for each thread)",
            bandwidth.gb_per_s
        );
    }
    text + "\n"
}

fn table(timings: &LayerTimings) -> String {
    let header = [
        "layer",
        "what it does",
        "how",
        "MMAC",
        "kB",
        "us",
        "of time",
        "GFLOP/s",
        "GB/s",
        "limit",
        "of limit",
    ];
    let mut table = Table::new(header).with_words([0, 1, 2, 9]);
    for layer in &timings.layers {
        table.push([
            layer.layer.clone(),
            layer.work.clone(),
            layer.algorithm.into(),
            format!("{:.3}", layer.multiply_adds as f64 / 1e6),
            format!("{:.1}", layer.bytes / 1e3),
            format!("{:.2}", layer.us),
            format!("{:.1} %", 100.0 * layer.us / timings.us_per_image),
            format!("{:.0}", layer.gflops),
            format!("{:.1}", layer.gb_per_s),
            layer.limit.into(),
            format!("{:.0} %", 100.0 * layer.share),
        ]);
    }
    format!(
        "\n{} in {}, batch {}, {} threads, {} images at a time; of one image:\n{}",
        timings.workload,
        timings.precision,
        timings.batch,
        timings.threads,
        timings.together,
        table.text()
    )
}
