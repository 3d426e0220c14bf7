//! `kiln doctor`

use std::path::Path;

use crate::cli::failure::{Failure, VerbResult};
use crate::cli::terminal::output;
use crate::config::Backend;
use crate::data;
use crate::diagnostics::doctor::{self, BackendReport, Diagnosis, TOLERANCE};
use crate::report::table::{ABSENT, Table};

/// Check that the machine, build and current folder are usable.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln doctor
  kiln doctor --json

Every backend that is compiled in computes the layers of kiln's networks, forward and backward, and is compared with Burn's
operators on flex. On flex itself, kiln's kernels are compared. Exit code 1 if there is a problem; each is listed with a fix.")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> VerbResult {
    // Runs are created below it by default.
    let folder = std::env::current_dir().unwrap_or_else(|_| Path::new(".").to_path_buf());
    let mut watch = |backend: Backend| {
        // The first time, a graphics driver compiles every operation.
        if backend.is_asynchronous() {
            let name = backend.name();
            output::note(&format!(
                "{name}: compiling shaders, which may take a minute"
            ));
        }
    };
    let diagnosis = doctor::examine(&data::data_root(), &folder, &mut watch);
    if args.json {
        output::json(&diagnosis)?;
    } else {
        output::emit(&text(&diagnosis))?;
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
        if names.is_empty() {
            "none".to_string()
        } else {
            names.join(", ")
        }
    };
    let access = if diagnosis.folder.writable {
        "writable"
    } else {
        "not writable"
    };
    parts.push(format!(
        "data    {}\n  found    {}\n  missing  {}\nfolder  {} is {access}\n",
        data.root.display(),
        named(true),
        named(false),
        diagnosis.folder.path.display()
    ));
    let count = diagnosis.problems.len();
    parts.push(match count {
        0 => "no problems\n".into(),
        1 => "1 problem\n".into(),
        _ => format!("{count} problems\n"),
    });
    parts.join("\n")
}

fn backend(report: &BackendReport) -> String {
    let name = report.backend.name();
    let Some(device) = &report.device else {
        let why = if report.compiled_in {
            "no device"
        } else {
            "not compiled in"
        };
        return format!("{name}: {why}\n");
    };
    let whose = match report.backend {
        Backend::Flex => "kiln's kernels",
        _ => "Burn's operators",
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
        "{name}: {device}; {whose} compared with Burn's on flex: max difference / max value (tolerance {TOLERANCE:e})\n{table}"
    )
}
