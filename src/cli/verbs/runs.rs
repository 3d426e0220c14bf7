//! `kiln runs`

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::cli::destinations;
use crate::cli::failure::VerbResult;
use crate::cli::terminal::output;
use crate::config::difference::shown;
use crate::error::FileError;
use crate::files;
use crate::metrics::EpochRecord;
use crate::report::format::{date, duration, metric_name, metric_value, number};
use crate::report::table::{ABSENT, Table};
use crate::run_dir::{RunDir, RunDirError};
use crate::sweeps::compare::Comparison;
use crate::sweeps::defaults;
use crate::sweeps::listing::{RunEntry, named_value, ranking_value, sort_by_valid};
use crate::sweeps::runs::{self, RunRecord, State};

/// Searched when no folder is given.
const DEFAULT_FOLDERS: [&str; 2] = ["runs", "sweeps"];
/// About how many epochs of a run are shown; of longer runs, every n-th.
const SHOWN_EPOCHS: usize = 20;

/// List, show and compare runs.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln runs list --sort valid")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List runs, one per line: settings, status, results
    #[command(after_help = "Example:
  kiln runs list --sort valid
  kiln runs list sweeps/nist36_mlp-1")]
    List {
        /// Runs, or folders with runs or sweeps in them [default: runs sweeps]
        folders: Vec<PathBuf>,
        /// Sort order
        #[arg(long, value_enum, default_value_t = Order::Time)]
        sort: Order,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one run: its settings that are not defaults, its epochs, its files
    #[command(after_help = "Example:
  kiln runs show runs/glyphs_mlp-1")]
    Show {
        /// Run directory
        run: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare runs: their metrics, and the settings in which they differ
    #[command(after_help = "Example:
  kiln runs compare runs/glyphs_mlp-1 runs/glyphs_mlp-2 --html compared.html")]
    Compare {
        /// Run directories
        #[arg(required = true, num_args = 2.., value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Write an HTML page with all curves in one chart
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Order {
    /// Newest first
    Time,
    /// Best on the validation split first
    Valid,
}

pub fn run(args: Args) -> VerbResult {
    match args.verb {
        Verb::List {
            folders,
            sort,
            json,
        } => list(&folders, sort, json),
        Verb::Show { run, json } => show(&run, json),
        Verb::Compare { runs, html, json } => compare(&runs, html.as_deref(), json),
    }
}

fn list(folders: &[PathBuf], sort: Order, as_json: bool) -> VerbResult {
    let mut found: Vec<RunRecord> = Vec::new();
    for folder in folders {
        found.extend(runs::find(folder)?);
    }
    if folders.is_empty() {
        for folder in DEFAULT_FOLDERS.map(Path::new) {
            if folder.is_dir() {
                found.extend(runs::find(folder)?);
            }
        }
    }
    match sort {
        Order::Time => found.sort_by_key(|run| std::cmp::Reverse(run.written)),
        Order::Valid => sort_by_valid(&mut found, |run| run),
    }
    if as_json {
        let runs: Vec<Value> = found.iter().map(|run| RunEntry::of(run).json()).collect();
        return Ok(output::json(&runs)?);
    }
    if found.is_empty() {
        output::note("no runs found; kiln train creates them in runs/");
        return Ok(());
    }
    let mut table = Table::new([
        "run",
        "model",
        "data",
        "seed",
        "status",
        "epochs",
        "best",
        "validation",
        "test",
        "written (UTC)",
    ])
    .with_words([0, 1, 2, 4]);
    for run in &found {
        table.push(line(run));
    }
    output::emit(&table.text())?;
    for run in &found {
        if let State::Damaged(problem) = &run.state {
            output::note(&format!("damaged: {problem}"));
        }
    }
    Ok(())
}

fn line(run: &RunRecord) -> [String; 10] {
    let or_absent = |value: Option<String>| value.unwrap_or_else(|| ABSENT.into());
    let text = |pointer: &str| or_absent(run.setting(pointer).map(String::from));
    let valid = ranking_value(run);
    let test = valid.as_ref().and_then(|(ranking, _)| {
        let value = ranking.value(run.test()?)?;
        Some(named_value(ranking, value))
    });
    [
        run.path.display().to_string(),
        text("/model/kind"),
        text("/data/kind"),
        or_absent(run.config.get("seed").map(shown)),
        run.state.name().into(),
        run.epochs.len().to_string(),
        or_absent(run.best_epoch().map(|epoch| epoch.to_string())),
        or_absent(valid.map(|(ranking, value)| named_value(&ranking, value))),
        or_absent(test),
        or_absent(run.written.map(date)),
    ]
}

/// Reads a run in any state; a folder that is not a run is wrong usage.
fn open(path: &Path) -> Result<RunRecord, RunDirError> {
    if runs::is_run(path) {
        Ok(RunRecord::read(path))
    } else {
        Err(RunDirError::no_run(path))
    }
}

fn show(path: &Path, as_json: bool) -> VerbResult {
    let run = open(path)?;
    let chosen = defaults::chosen(&run.config);
    let files = file_names(path)?;
    if as_json {
        let mut value = RunEntry::of(&run).json();
        let settings: Map<String, Value> = chosen.into_iter().map(|s| (s.path, s.value)).collect();
        value["settings"] = json!(settings);
        value["history"] = json!(run.epochs);
        value["files"] = json!(files);
        return Ok(output::json(&value)?);
    }
    let mut text = String::new();
    let mut summary =
        Table::new(["run".to_string(), run.path.display().to_string()]).with_words([0, 1]);
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            summary.push([name.to_string(), value]);
        }
    };
    row("status", Some(run.state.name().into()));
    if let State::Damaged(problem) = &run.state {
        row("problem", Some(problem.clone()));
    }
    let seconds = run.seconds.map(std::time::Duration::from_secs_f64);
    row("duration", seconds.map(duration));
    row("written (UTC)", run.written.map(date));
    row(
        "parameters",
        run.summary.as_ref().map(|s| s.parameters.to_string()),
    );
    row(
        "kept",
        run.best_epoch()
            .map(|best| format!("epoch {best} of {}", run.epochs.len())),
    );
    for (part, metrics) in [("validation", run.valid()), ("test", run.test())] {
        for (metric, value) in metrics.into_iter().flatten() {
            let name = format!("{part} {}", metric_name(metric));
            row(&name, Some(metric_value(metric, *value)));
        }
    }
    text += &summary.text();
    if !chosen.is_empty() {
        let mut settings = Table::new(["settings other than defaults", ""]).with_words([0, 1]);
        for setting in &chosen {
            settings.push([setting.path.clone(), shown(&setting.value)]);
        }
        text += &format!("\n{}", settings.text());
    }
    if !run.epochs.is_empty() {
        text += &format!("\n{}", history(&run).text());
    }
    text += &format!("\nfiles\n{}\n", files.join("\n"));
    Ok(output::emit(&text)?)
}

/// The epochs of a run: all, or every n-th with the best and the last.
fn history(run: &RunRecord) -> Table {
    let columns: Vec<(&str, &String)> = run
        .epochs
        .first()
        .map(|first| {
            let train = first.train.keys().map(|metric| ("train", metric));
            train
                .chain(first.valid.keys().map(|metric| ("valid", metric)))
                .collect()
        })
        .unwrap_or_default();
    let mut header = vec!["epoch".to_string(), "lr".to_string()];
    header.extend(
        columns
            .iter()
            .map(|(part, metric)| format!("{part} {metric}")),
    );
    let mut table = Table::new(header).with_words([]);
    let every = run.epochs.len().div_ceil(SHOWN_EPOCHS).max(1);
    let (best, last) = (
        run.best_epoch(),
        run.epochs.last().map(|record| record.epoch),
    );
    let is_shown = |record: &&EpochRecord| {
        record.epoch.saturating_sub(1).is_multiple_of(every)
            || Some(record.epoch) == best
            || Some(record.epoch) == last
    };
    for record in run.epochs.iter().filter(is_shown) {
        let mark = if Some(record.epoch) == best {
            "best "
        } else {
            ""
        };
        let mut cells = vec![
            format!("{mark}{}", record.epoch),
            number(record.learning_rate),
        ];
        cells.extend(columns.iter().map(|(part, metric)| {
            let metrics = if *part == "train" {
                &record.train
            } else {
                &record.valid
            };
            let value = metrics.get(*metric);
            value.map_or_else(|| ABSENT.into(), |value| metric_value(metric, *value))
        }));
        table.push(cells);
    }
    table
}

/// The entries of a run's folder; folders end in a slash.
fn file_names(path: &Path) -> Result<Vec<String>, FileError> {
    let error = |source| FileError::io(path, source);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(error)? {
        let entry = entry.map_err(error)?;
        let slash = if entry.path().is_dir() { "/" } else { "" };
        names.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names)
}

fn compare(paths: &[PathBuf], html: Option<&Path>, as_json: bool) -> VerbResult {
    if let Some(file) = html {
        destinations::require_folder(file)?;
    }
    let runs = paths.iter().map(|path| open(path));
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    let comparison = Comparison::of(runs);
    if let Some(file) = html {
        let of_runs: Vec<PathBuf> = paths.iter().flat_map(|path| RunDir::files(path)).collect();
        destinations::refuse_overwrite([file], of_runs.iter().map(PathBuf::as_path))?;
        files::write(file, comparison.page().as_bytes())?;
    }
    if as_json {
        output::json(&comparison.json())?;
    } else {
        output::emit(&comparison.text())?;
    }
    if let Some(file) = html {
        output::note(&format!("open {}", file.display()));
    }
    Ok(())
}
