//! `kiln sweep`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::terminal::ctrl_c::on_ctrl_c;
use crate::cli::terminal::output;
use crate::cli::terminal::progress::PlainLines;
use crate::config::experiment::Backend;
use crate::report::format::duration;
use crate::sweeps::leaderboard::Leaderboard;
use crate::sweeps::plan::Plan;
use crate::sweeps::ranking_metric::plain;
use crate::sweeps::search_space::{Axis, Draw};
use crate::sweeps::sweep::{Record, Sweep, TrialStatus};
use crate::sweeps::trials::{self, End, Stopper, TrialEnd, Watcher};
use crate::training::{self, Observer};

/// Train one run for each combination of some settings, and rank them.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln sweep configs/nist36_mlp.json --grid optimizer.lr=2e-2,2e-3,2e-4
  kiln sweep configs/glyphs_mlp.json --grid model.hidden=[64],[256],[64,64] --grid optimizer.lr=1e-4..1e-1 --random 20
  kiln sweep --resume sweeps/nist36_mlp-1

A value of --grid is JSON, or else a text; commas in brackets or quotes belong to it. LOW..HIGH is a range to draw from,
together with --random: whole numbers if both ends are, evenly on a logarithmic scale if both ends are above zero.

Every combination is checked before the first run starts. The folder sweeps/<name>-<n>/ gets a run directory for each,
leaderboard.csv and sweep.html. Ctrl-C finishes the batch, saves and exits with 130; the same command with --dir, or
--resume, goes on: runs that are done are kept, the one that was broken off goes on after its last epoch.")]
pub struct Args {
    /// Config file
    #[arg(required_unless_present = "resume", requires = "grids")]
    config: Option<PathBuf>,
    /// A key of the config and the values that it is to take; several of these span a grid
    #[arg(long = "grid", value_name = "PATH=V1,V2,...")]
    grids: Vec<String>,
    /// Draw N distinct combinations instead of taking all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), requires = "grids")]
    random: Option<u32>,
    /// Seed of these draws [default: 1]; a run's own seed is the config's key `seed`
    #[arg(long, requires = "random")]
    seed: Option<u64>,
    /// Override one key of the config for all runs
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Engine to compute with, instead of the config's
    #[arg(long)]
    backend: Option<Backend>,
    /// Folder of the sweep; goes on if this sweep has made it [default: sweeps/<name>-<n>]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Go on with the sweep in this folder, with its own config and grid
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "grids", "random", "overrides", "backend", "dir"])]
    resume: Option<PathBuf>,
    /// Print only the best K runs
    #[arg(long, value_name = "K", conflicts_with = "json")]
    top: Option<usize>,
    /// Check everything and list the runs; write nothing
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Outcome {
    let mut sweep = match &args.resume {
        Some(dir) => Sweep::open(dir)?,
        None => {
            let plan = plan(&args)?;
            if args.dry_run {
                return Ok(output::emit(&listing(&plan.record))?);
            }
            plan.start(args.dir.as_deref())?
        }
    };
    output::note(&opening(&sweep));
    let stopper = Stopper::default();
    let stopped = stopper.clone();
    on_ctrl_c(move || {
        output::note("stopping after this batch; once more leaves at once");
        stopped.stop("Ctrl-C");
    })?;
    let end = trials::carry_out(&mut sweep, &stopper, &Lines)?;
    if end == End::Interrupted {
        let (program, dir) = (output::program(), sweep.dir.display());
        output::note(&format!(
            "interrupted; to go on:\n  {program} sweep --resume {dir}"
        ));
        return Err(Failure::Interrupted);
    }
    conclude(&Leaderboard::of(&sweep), &args)
}

/// The sweep that is asked for. Data, device and initial weights are looked at as well, each once.
fn plan(args: &Args) -> Result<Plan, Failure> {
    let axes = args.grids.iter().map(|grid| Axis::parse(grid));
    let axes = axes.collect::<Result<Vec<_>, _>>()?;
    let mut overrides = args.overrides.clone();
    if let Some(backend) = args.backend {
        overrides.push(format!("backend={}", backend.name()));
    }
    let draw = args.random.map(|count| Draw {
        count: count as usize,
        seed: args.seed.unwrap_or(1),
    });
    // Clap asks for a config unless --resume is there.
    let config = args.config.as_deref().unwrap_or(Path::new(""));
    let plan = Plan::new(config, &overrides, axes, draw)?;
    let mut seen = Vec::new();
    for experiment in &plan.experiments {
        let needed = (experiment.backend, &experiment.data, &experiment.init);
        if !seen.contains(&needed) {
            seen.push(needed);
            training::prepare(experiment.clone())?;
        }
    }
    Ok(plan)
}

fn listing(record: &Record) -> String {
    let mut text = String::new();
    for trial in &record.trials {
        text += &format!("{}\n", record.values(trial));
    }
    text + &format!("{} runs; nothing was written\n", record.trials.len())
}

fn opening(sweep: &Sweep) -> String {
    let record = &sweep.record;
    let done = record
        .trials
        .iter()
        .filter(|trial| matches!(trial.status, TrialStatus::Finished | TrialStatus::Diverged));
    let done = match done.count() {
        0 => String::new(),
        done => format!(", {done} of them done"),
    };
    format!(
        "sweep {}: {} runs of {}{done}",
        sweep.dir.display(),
        record.trials.len(),
        record.config_file.display()
    )
}

/// Says what came out. That every run failed is a failure.
fn conclude(board: &Leaderboard, args: &Args) -> Outcome {
    match args.json {
        true => output::json(&board.json())?,
        false => {
            let table = board.table().top(args.top.unwrap_or(usize::MAX));
            let findings = board.findings().join("\n");
            output::emit(&format!("{findings}\n\n{}", plain(&table.text())))?;
        }
    }
    let dir = board.dir.display();
    if board.ranked().next().is_none() {
        let first = board.rows.iter().find_map(|row| row.error.as_deref());
        let first = first.unwrap_or("without a word");
        return Err(Failure::failed(format!(
            "all {} runs failed; the first: {first}",
            board.rows.len()
        )));
    }
    output::note(&format!(
        "\nnext:\n  look at {dir}/sweep.html: all curves over each other\n  {} runs list {dir}",
        output::program()
    ));
    Ok(())
}

/// A line when a run begins and one when it ends; the run's own lines stand in between, indented.
struct Lines;

impl Watcher for Lines {
    fn begins(&self, number: usize, of: usize, values: &str) {
        output::note(&format!("\nrun {number}/{of}  {values}"));
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(PlainLines::indented())
    }

    fn ended(&self, number: usize, of: usize, end: &TrialEnd) {
        let trial = end.trial;
        let took = duration(end.took);
        let placed = end.board.ranked().find(|(row, _)| row.run == trial.run);
        let what = match (placed, &trial.error) {
            (Some((row, value)), _) => {
                let yardstick = &end.board.yardstick;
                let best = match row.place {
                    Some(1) => "  best so far",
                    _ => "",
                };
                let (shown, name) = (plain(&yardstick.shown(value)), yardstick.name());
                format!("validation {name} {shown}  ({took}){best}")
            }
            (None, Some(error)) => format!("{}: {error}  ({took})", trial.status.name()),
            (None, None) => format!("{}  ({took})", trial.status.name()),
        };
        output::note(&format!("run {number}/{of}  {what}"));
    }
}
