//! `kiln gradcheck`

use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use crate::cli::failure::{Failure, VerbResult};
use crate::cli::operators::Operators;
use crate::cli::terminal::output;
use crate::cli::terminal::progress::LINE_INTERVAL;
use crate::config::{self, Experiment};
use crate::diagnostics::gradcheck::{self, Options, Progress, Report, Subject};
use crate::report::table::Table;

/// Check the gradients of a config's model and loss against finite differences, in 64-bit floats.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln gradcheck configs/nist36_cnn.json
  kiln gradcheck configs/nist36_mlp.json --samples 200 --json
  kiln gradcheck configs/flowers17_resnet18.json --set data.height=64 --set data.width=64 --set model.classes=3 \\
      --set model.width=4 --batch 2 --samples 4 --complete 4

Every trainable tensor is checked: all entries of tensors with up to 64 (--complete), a seeded sample of 32 (--samples) of larger
ones. Time grows with their number, and with the size of images and network. The images are
synthetic, so no data is needed; weights are initialized at random and shifted slightly, so that no ReLU is at its kink. The
error of an entry is |a - n| / max(|a|, |n|, floor), with a from autodiff and n from the loss at two points; the floor is a
thousandth of the loss. A wrong entry is checked again on either side and with other steps, as the first may have crossed the kink
of a ReLU or a max pool. Exit code 1 if an error exceeds the tolerance.")]
pub struct Args {
    /// Config files
    #[arg(required = true, value_name = "CONFIG")]
    configs: Vec<PathBuf>,
    /// Override one key of the configs
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Number of elements to check in each large tensor
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    samples: u32,
    /// Size up to which all entries of a tensor are checked
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    complete: u32,
    /// Number of synthetic images
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: u32,
    /// Maximum relative error
    #[arg(long, value_name = "ERROR", default_value_t = 1e-5, value_parser = tolerance, allow_negative_numbers = true)]
    tolerance: f64,
    /// Operators to check: kiln's kernels, with which it trains, or Burn's
    #[arg(long, value_enum, default_value_t = Operators::Kiln)]
    operators: Operators,
    /// Print JSON, one line per config
    #[arg(long)]
    json: bool,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        _ => Err("must be a number between 0 and 1, such as 1e-5".into()),
    }
}

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    config: &'a str,
    model: &'static str,
    operators: &'static str,
    batch: u32,
    passed: bool,
    #[serde(flatten)]
    report: &'a Report,
}

pub fn run(args: Args) -> VerbResult {
    let _operators = args.operators.choose();
    let mut problems = Vec::new();
    for path in &args.configs {
        let experiment = config::load(path, &args.overrides)?;
        note_ignored(&experiment);
        let report = check(&args, &experiment)?;
        if args.json {
            output::json_line(&Line {
                config: &experiment.name,
                model: experiment.model.kind(),
                operators: operators(&args),
                batch: args.batch,
                passed: report.passed(),
                report: &report,
            })?;
        } else {
            output::emit(&text(&experiment, &args, &report))?;
        }
        problems.extend(problem(&experiment.name, &report));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::failed(problems.join("\n")))
    }
}

fn operators(args: &Args) -> &'static str {
    match args.operators {
        Operators::Kiln => "kiln",
        Operators::Burn => "burn",
    }
}

/// Notes what the check ignores of the config.
fn note_ignored(experiment: &Experiment) {
    let name = &experiment.name;
    let dropout = experiment.model.dropout();
    if dropout > 0.0 {
        output::note(&format!("{name}: checked without its dropout of {dropout}"));
    }
    if experiment.parameters.iter().any(|group| group.frozen) {
        output::note(&format!("{name}: frozen parameters are checked as well"));
    }
}

fn check(args: &Args, experiment: &Experiment) -> Result<Report, Failure> {
    let subject = Subject::new(experiment, args.batch as usize)?;
    let options = Options {
        complete: args.complete as usize,
        samples: args.samples as usize,
        tolerance: args.tolerance,
        seed: experiment.seed,
    };
    let mut last_line = Instant::now();
    let watch = |progress: Progress| {
        if last_line.elapsed() >= LINE_INTERVAL {
            last_line = Instant::now();
            let Progress {
                tensor,
                done,
                total,
            } = progress;
            let name = &experiment.name;
            output::note(&format!("{name}: {done}/{total} entries, at {tensor}"));
        }
    };
    Ok(gradcheck::check(
        &subject,
        options,
        Subject::gradients,
        watch,
    )?)
}

/// A table with a line per tensor, and a summary.
fn text(experiment: &Experiment, args: &Args, report: &Report) -> String {
    let header = [
        "tensor",
        "shape",
        "checked",
        "rechecked",
        "largest gradient",
        "worst error",
        "at",
    ];
    let mut table = Table::new(header).with_words([0, 1, 6]);
    for tensor in &report.tensors {
        table.push([
            tensor.name.clone(),
            format!("{:?}", tensor.shape),
            tensor.checked.to_string(),
            tensor.retried.to_string(),
            format!("{:.1e}", tensor.largest),
            format!("{:.1e}", tensor.worst.error),
            format!("{:?}", tensor.worst.at),
        ]);
    }
    let mut lines = vec![format!(
        "{}: {}, {} operators, {} images, loss {:.6}\n{}",
        experiment.name,
        experiment.model.kind(),
        operators(args),
        args.batch,
        report.loss,
        table.text().trim_end()
    )];
    let vanishing: Vec<&str> = report
        .vanishing()
        .map(|tensor| tensor.name.as_str())
        .collect();
    if !vanishing.is_empty() {
        lines.push(format!(
            "all gradients below {:.1e}: {}",
            report.visible(),
            vanishing.join(", ")
        ));
    }
    if let Some(worst) = report.worst() {
        lines.push(format!(
            "worst error {:.1e} in {} {:?}; {} of {} entries of {} tensors checked, {} rechecked",
            worst.worst.error,
            worst.name,
            worst.worst.at,
            report.checked(),
            report.values(),
            report.tensors.len(),
            report.retried()
        ));
    }
    lines.join("\n") + "\n"
}

/// One line about a check that failed.
fn problem(name: &str, report: &Report) -> Option<String> {
    let failed = report.failed().count();
    let worst = report.worst().filter(|_| failed > 0)?;
    let others = match failed {
        1 => String::new(),
        2 => "; 1 other tensor is wrong as well".into(),
        more => format!("; {} other tensors are wrong as well", more - 1),
    };
    let entry = &worst.worst;
    Some(format!(
        "{name}: the gradient of {} is off by {:.1e} at {:?}, more than {:e}: autodiff gives {:.9e}, finite differences {:.9e}{others}",
        worst.name, entry.error, entry.at, report.tolerance, entry.gradient, entry.difference
    ))
}
