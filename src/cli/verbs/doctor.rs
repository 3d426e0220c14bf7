//! `kiln doctor`

use std::path::Path;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::terminal::output;
use crate::config::experiment::Backend;
use crate::data;
use crate::diagnostics::doctor::{self, BackendReport, Diagnosis, TOLERANCE};
use crate::report::table::{ABSENT, Table};

/// Look whether this machine, this build and this folder are fit for work.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln doctor
  kiln doctor --json

Every backend that is compiled in computes the layers that kiln's networks are made of, forward and backward; they are held
against Burn's operators on flex. On flex itself these are kiln's kernels. Exit code 1 if something is wrong; each problem
comes with what to do.")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Outcome {
    // Relative to where runs go by default.
    let folder = std::env::current_dir().unwrap_or_else(|_| Path::new(".").to_path_buf());
    let mut watch = |backend: Backend| {
        // The first time, a graphics driver compiles every operation.
        if backend == Backend::Wgpu {
            output::note("wgpu: compiling for the device, which may take a minute");
        }
    };
    let diagnosis = doctor::examine(&data::data_root(), &folder, &mut watch);
    match args.json {
        true => output::json(&diagnosis)?,
        false => output::emit(&text(&diagnosis))?,
    }
    match diagnosis.problems.as_slice() {
        [] => Ok(()),
        problems => Err(Failure::failed(problems.join("\n"))),
    }
}

fn text(diagnosis: &Diagnosis) -> String {
    let versions = &diagnosis.versions;
    let mut parts = vec![format!(
        "kiln {}, burn {}, {}\n",
        versions.kiln, versions.burn, versions.rustc
    )];
    parts.extend(diagnosis.backends.iter().map(backend));
    let data = &diagnosis.data;
    let named = |wanted: bool| {
        let sets = data.sets.iter().filter(|set| set.found == wanted);
        let names: Vec<&str> = sets.map(|set| set.name).collect();
        match names.is_empty() {
            true => "none".to_string(),
            false => names.join(", "),
        }
    };
    let mark = if diagnosis.folder.writable {
        "can"
    } else {
        "can't"
    };
    parts.push(format!(
        "data    {}\n  found    {}\n  missing  {}\nfolder  {} {mark} be written\n",
        data.root.display(),
        named(true),
        named(false),
        diagnosis.folder.path.display()
    ));
    let count = diagnosis.problems.len();
    parts.push(match count {
        0 => "all is well\n".into(),
        1 => "1 problem\n".into(),
        _ => format!("{count} problems\n"),
    });
    parts.join("\n")
}

fn backend(report: &BackendReport) -> String {
    let name = report.backend.name();
    let Some(device) = &report.device else {
        let why = match report.compiled_in {
            true => "no device",
            false => "not compiled in",
        };
        return format!("{name}: {why}\n");
    };
    let whose = match report.backend {
        Backend::Flex => "kiln's kernels",
        Backend::Ndarray | Backend::Wgpu => "Burn's operators",
    };
    let mut table = Table::new(["layer", "forward", "backward", ""]).with_words([0, 3]);
    for line in &report.layers {
        let number = |of: fn(&doctor::Difference) -> f64| {
            let difference = line.difference.as_ref();
            difference.map_or(ABSENT.to_string(), |difference| {
                format!("{:.1e}", of(difference))
            })
        };
        let verdict = if line.passes { "ok" } else { "WRONG" };
        table.push([
            line.layer.to_string(),
            number(|difference| difference.forward),
            number(|difference| difference.backward),
            verdict.to_string(),
        ]);
    }
    let table: String = table
        .text()
        .lines()
        .map(|line| format!("  {}\n", line.trim_end()))
        .collect();
    format!(
        "{name}: {device}; {whose} against Burn's on flex, largest difference relative to the largest value (at most {TOLERANCE:e})\n{table}"
    )
}
