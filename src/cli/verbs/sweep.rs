//! `kiln sweep`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::choices;
use crate::cli::compute::ComputeArgs;
use crate::cli::destinations;
use crate::cli::failure::{Failure, VerbResult};
use crate::cli::terminal::progress::PlainLines;
use crate::cli::terminal::signals::Interruption;
use crate::cli::terminal::{output, stages};
use crate::config::LogTarget;
use crate::error::FileError;
use crate::files;
use crate::report::format::duration;
use crate::sweeps::execute::{SweepEnd, SweepObserver, TrialEnd, execute};
use crate::sweeps::findings;
use crate::sweeps::leaderboard::{Leaderboard, Row};
use crate::sweeps::plan::{SweepPlan, preflight};
use crate::sweeps::record::{SweepRecord, TrialStatus};
use crate::sweeps::search_space::{Axis, Sampling};
use crate::sweeps::sweep::Sweep;
use crate::sweeps::workers::{WorkerObserver, slurm, work};
use crate::training::Observer;

/// Train one run for each combination of some settings, and rank them.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("place").args(["dir", "resume"]).multiple(true)))]
#[command(after_help = "Example:
  kiln sweep configs/nist36_mlp.json --grid optimizer.lr=2e-2,2e-3,2e-4
  kiln sweep configs/glyphs_mlp.json --grid model.hidden=[64],[256],[64,64] --grid optimizer.lr=1e-4..1e-1 --random 20
  kiln sweep --resume sweeps/nist36_mlp-1
  kiln sweep configs/nist36_mlp.json --grid optimizer.lr=2e-2,2e-3,2e-4 --dir /shared/lr --worker

A value of --grid is parsed as JSON, or else taken as a string; commas inside brackets or quotes do not separate values.
LOW..HIGH is a range to sample from, with --random: integers if both ends are, sampled log-uniformly if both ends are positive.

Every combination is checked before the first run starts. The folder sweeps/<name>-<n>/ gets a run directory for each,
leaderboard.csv and sweep.html. Ctrl-C finishes the batch, saves and exits with 130; the same command with --dir, or
--resume, resumes the sweep: finished runs are kept, the interrupted one is resumed after its last epoch.")]
pub struct Args {
    /// Config file
    #[arg(required_unless_present = "resume", requires = "grids")]
    config: Option<PathBuf>,
    /// A key of the config and the values to try; repeat --grid to form the Cartesian product
    #[arg(long = "grid", value_name = "PATH=V1,V2,...")]
    grids: Vec<String>,
    /// Sample N distinct combinations instead of running all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), requires = "grids")]
    random: Option<u32>,
    /// Seed of --random [default: 1]; a run's own seed is the config's key `seed`
    #[arg(long, requires = "random")]
    seed: Option<u64>,
    /// Override one key of the config for all runs
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Send the metrics of all runs to tensorboard (files in the run directories) or mlflow=URL as well; may be repeated
    #[arg(long = "log", value_name = "TARGET", value_parser = LogTarget::parse)]
    logs: Vec<LogTarget>,
    /// Folder of the sweep; resumes it if this sweep created it earlier [default: sweeps/<name>-<n>]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Resume the sweep in this folder, with its own config and grid
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "grids", "random", "overrides", "backend", "device", "logs", "dir"])]
    resume: Option<PathBuf>,
    /// Train runs that no other worker has: start this command as often as you like, on any machine that sees the folder
    #[arg(long, requires = "place", conflicts_with = "dry_run")]
    worker: bool,
    /// End the worker after N runs, or when no run is free
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), requires = "worker")]
    max_runs: Option<u32>,
    /// Train nothing: make the sweep's folder, and write the job script of a Slurm array for it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["worker", "dry_run", "top", "json"])]
    slurm: Option<PathBuf>,
    /// Print only the best K runs
    #[arg(long, value_name = "K", conflicts_with = "json")]
    top: Option<usize>,
    /// Check everything and list the runs, without training or writing
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> VerbResult {
    let interruption = Interruption::default();
    interruption.listen(|| output::note(output::STOPPING))?;
    let monitor = stages::monitor(&interruption);
    if let Some(script) = &args.slurm {
        destinations::require_new([script.as_path()])?;
        destinations::require_folder(script)?;
    }
    let mut sweep = match &args.resume {
        Some(dir) if args.worker => Sweep::join(dir)?,
        Some(dir) => Sweep::open(dir)?,
        None => {
            let plan = plan(&args)?;
            preflight(&plan.record, &plan.experiments, &monitor)?;
            if args.dry_run {
                return list(&plan.record, args.json);
            }
            match &args.dir {
                Some(dir) if args.worker => plan.share(dir)?,
                dir => plan.start(dir.as_deref())?,
            }
        }
    };
    if let Some(script) = &args.slurm {
        return write_job(&sweep, script);
    }
    output::note(&opening(&sweep));
    let lines = Lines { interruption };
    let end = if args.worker {
        if args.resume.is_some() {
            // A machine that lacks the data would fail at every run.
            preflight(&sweep.record, &sweep.experiments, &monitor)?;
        }
        let max_runs = args.max_runs.map(|runs| runs as usize);
        work(&mut sweep, max_runs, &monitor, &lines)?
    } else {
        execute(&mut sweep, &monitor, &lines)?
    };
    if end == SweepEnd::Interrupted {
        let dir = sweep.dir.to_string_lossy();
        let dir = output::argument(&dir);
        let mut command = vec!["sweep", "--resume", &dir];
        if args.worker {
            command.push("--worker");
        }
        let command = output::command(&command);
        output::note(&format!("interrupted; to resume:\n  {command}"));
        return Err(Failure::Interrupted);
    }
    conclude(&Leaderboard::of(&sweep), &args)
}

/// The sweep that the arguments describe, checked.
fn plan(args: &Args) -> Result<SweepPlan, Failure> {
    let axes = args.grids.iter().map(|grid| Axis::parse(grid));
    let axes = axes.collect::<Result<Vec<_>, _>>()?;
    let mut overrides = args.overrides.clone();
    overrides.extend(args.compute.overrides());
    overrides.extend(choices::log_override(&args.logs));
    let random = args.random.map(|count| Sampling {
        count: count as usize,
        seed: args.seed.unwrap_or(1),
    });
    // Clap requires a config unless --resume is given.
    let config = args.config.as_deref().unwrap_or(Path::new(""));
    Ok(SweepPlan::new(config, &overrides, axes, random)?)
}

/// Writes the script of a Slurm array for a sweep.
fn write_job(sweep: &Sweep, script: &Path) -> VerbResult {
    let absolute = |path: &Path| {
        let found = path.canonicalize();
        found.map_err(|error| FileError::io(path, error))
    };
    let kiln = std::env::current_exe().map_err(|error| FileError::io("kiln", error))?;
    let job = slurm::job(&sweep.record, &absolute(&sweep.dir)?, &absolute(&kiln)?);
    files::write(script, job.as_bytes())?;
    output::note(&format!(
        "sweep {}: {} runs\nnext:\n  sbatch {}",
        sweep.dir.display(),
        sweep.record.trials.len(),
        output::argument(&script.to_string_lossy())
    ));
    Ok(())
}

/// Prints the runs of a sweep that is not carried out.
fn list(record: &SweepRecord, as_json: bool) -> VerbResult {
    if as_json {
        let runs = record.trials.iter();
        let runs = runs.map(|trial| json!({"run": trial.run, "values": trial.values}));
        let runs: Vec<Value> = runs.collect();
        return Ok(output::json(&json!({"runs": runs}))?);
    }
    let mut text = String::new();
    for trial in &record.trials {
        text += &format!("{}\n", record.values(trial));
    }
    text += &format!("{} runs; nothing was written\n", record.trials.len());
    Ok(output::emit(&text)?)
}

fn opening(sweep: &Sweep) -> String {
    let record = &sweep.record;
    let done = record.trials.iter().filter(|trial| trial.status.is_done());
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

/// Prints the result. If every run failed, so did the sweep.
fn conclude(board: &Leaderboard, args: &Args) -> VerbResult {
    if args.json {
        output::json(&board.json())?;
    } else {
        let table = board.table().top(args.top.unwrap_or(usize::MAX));
        let findings = findings::of_sweep(board).join("\n");
        output::emit(&format!("{findings}\n\n{}", table.text()))?;
    }
    let is_left = |row: &Row| !row.status.is_done() && row.status != TrialStatus::Failed;
    if board.ranked().next().is_none() && !board.rows.iter().any(is_left) {
        let first = board.rows.iter().find_map(|row| row.error.as_deref());
        let first = first.unwrap_or("unknown error");
        return Err(Failure::failed(format!(
            "all {} runs failed; the first: {first}",
            board.rows.len()
        )));
    }
    let dir = board.dir.to_string_lossy();
    output::note(&format!(
        "\nnext:\n  open {dir}/sweep.html: all curves in one chart\n  {}",
        output::command(&["runs", "list", &output::argument(&dir)])
    ));
    Ok(())
}

/// A line when a run starts and one when it ends; the run's own lines between them are indented.
struct Lines {
    interruption: Interruption,
}

impl WorkerObserver for Lines {
    fn waits(&self, runs: usize) {
        let plural = if runs == 1 { "" } else { "s" };
        output::note(&format!("waiting for {runs} run{plural} of other workers"));
    }
}

impl SweepObserver for Lines {
    fn run_starts(&self, number: usize, of: usize, values: &str) {
        output::note(&format!("\nrun {number}/{of}  {values}"));
    }

    fn run_observer(&self) -> Arc<dyn Observer> {
        Arc::new(PlainLines::indented(&self.interruption))
    }

    fn run_ended(&self, number: usize, of: usize, end: &TrialEnd) {
        let trial = end.trial;
        let took = duration(end.elapsed);
        let ranked = end
            .leaderboard
            .ranked()
            .find(|(row, _)| row.run == trial.run);
        let what = match (ranked, &trial.error) {
            (Some((row, value)), _) => {
                let ranking = &end.leaderboard.ranking;
                let best = if row.rank == Some(1) {
                    "  best so far"
                } else {
                    ""
                };
                let (shown, name) = (ranking.shown(value), ranking.name());
                format!("validation {name} {shown}  ({took}){best}")
            }
            (None, Some(error)) => format!("{}: {error}  ({took})", trial.status.name()),
            (None, None) => format!("{}  ({took})", trial.status.name()),
        };
        output::note(&format!("run {number}/{of}  {what}"));
    }
}
