//! `kiln train`

mod arguments;
mod launch;
mod note;
mod profile;
mod ranks;
mod results;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use arguments::Args;
use arguments::overrides;

use crate::cli::failure::{Failure, UsageError, VerbResult};
use crate::cli::terminal::progress::{PlainLines, weights_line};
use crate::cli::terminal::signals::Interruption;
use crate::cli::terminal::{output, stages};
use crate::cli::threads;
use crate::config::{self, Backend, Experiment};
use crate::diagnostics;
use crate::diagnostics::dry_run::DryRun;
use crate::error::{counted, printable};
use crate::parallel::{self, Group};
use crate::progress::Monitor;
use crate::report::format::{duration, size};
use crate::report::table::Table;
use crate::run_dir::RunDir;
use crate::training::{self, Profile, Resumption, TrainError};

/// What to train.
enum Job {
    /// An experiment, and where it was described.
    New(Box<Experiment>, Described),
    Resumed(Box<Resumption>),
}

impl Job {
    fn backend(&self) -> Backend {
        match self {
            Job::New(experiment, _) => experiment.backend,
            Job::Resumed(resumption) => resumption.experiment.backend,
        }
    }
}

/// Where an experiment was described.
struct Described {
    config: PathBuf,
    /// Whether `--init-from` names the weights to start from.
    has_init_from: bool,
}

impl Described {
    /// An error with the name of the file or flag that it is about.
    fn explain(&self, error: TrainError) -> TrainError {
        let error = error.in_config(&self.config);
        if self.has_init_from {
            error.with_weights_of("--init-from")
        } else {
            error
        }
    }
}

pub fn run(args: Args) -> VerbResult {
    let group = ranks::join()?;
    let done = train(args, &group);
    group.leave();
    done
}

/// Trains, as one of the processes of a group; or starts these.
fn train(args: Args, group: &Arc<dyn Group>) -> VerbResult {
    let begun = ranks::agreed(&**group, begin(&args, group))?;
    let Some((job, interruption, lines)) = begun else {
        return launch::launch(&args);
    };
    let monitor = if group.writes() {
        stages::monitor(&interruption)
    } else {
        Monitor::default().with_cancel(interruption.cancel().clone())
    };
    if args.dry_run {
        return dry_run(job, args.run_dir.as_deref(), &monitor);
    }
    let options = training::Options {
        run_dir: args.run_dir,
        dashboard: group.writes() && args.renderer.wants_dashboard()?,
        monitor,
        observer: lines,
        group: group.clone(),
        profile: args.profile.then(Profile::default),
    };
    let profile = options.profile.clone().filter(|_| group.writes());
    let backend = job.backend();
    let outcome = match job {
        Job::New(experiment, described) => {
            training::run(*experiment, options).map_err(|error| described.explain(error))
        }
        Job::Resumed(resumption) => training::resume(*resumption, options),
    };
    note::ended();
    match outcome {
        Ok(outcome) => {
            let concluded = results::conclude(&outcome);
            if let Some(profile) = profile {
                profile::print(&profile, outcome.work, backend);
            }
            concluded
        }
        Err(TrainError::Killed) => {
            output::note(
                "\r\nkilled from the dashboard; completed epochs are in the run directory",
            );
            Err(Failure::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}

/// A job, what signals interrupt, and its lines.
type Begun = (Job, Interruption, Arc<PlainLines>);

/// Checks the arguments and begins to listen for signals; `None` if this process is to start others that train.
fn begin(args: &Args, group: &Arc<dyn Group>) -> Result<Option<Begun>, Failure> {
    let threads = parallel::threads(&**group);
    if ranks::wanted(args, &**group)? {
        return Ok(None);
    }
    threads::require(threads)?;
    args.renderer.wants_dashboard()?;
    let job = job(args, &**group)?;
    let interruption = Interruption::default();
    let lines = if group.writes() {
        note::began();
        let folder = Box::new(note::folder);
        PlainLines::telling(&interruption, folder)
    } else {
        PlainLines::new(&interruption)
    };
    let lines = Arc::new(lines);
    let stopped = lines.clone();
    interruption.listen(move || stopped.stopping())?;
    if let Some(threads) = threads {
        let each = counted(threads, "thread each", "threads each");
        output::note(&format!("ranks  {} processes, {each}", group.size()));
    }
    Ok(Some((job, interruption, lines)))
}

/// What the arguments ask for; notes overrides and skipped checkpoints.
fn job(args: &Args, group: &dyn Group) -> Result<Job, Failure> {
    let mut overrides = overrides(args);
    let note = |overrides: &[String]| {
        for assignment in overrides {
            output::note(&format!("override  {}", printable(assignment)));
        }
    };
    let noted = overrides.clone();
    overrides.extend(ranks::setting(args, group));
    // Clap requires a config unless --resume is given.
    let config = args.config.as_deref().unwrap_or(Path::new(""));
    let Some(target) = &args.resume else {
        let mut experiment = config::load(config, &overrides)?;
        experiment.schema = None;
        note(&noted);
        let described = Described {
            config: config.into(),
            has_init_from: args.init_from.is_some(),
        };
        return Ok(Job::New(Box::new(experiment), described));
    };
    if args.config.is_some() {
        let problem = format!(
            "--resume: uses the run's own config; remove {}",
            config.display()
        );
        return Err(UsageError(problem).into());
    }
    let resumption = match (args.dry_run, group.writes()) {
        (true, _) => Resumption::inspect(target, &overrides)?,
        (false, true) => Resumption::open(target, &overrides)?,
        (false, false) => Resumption::follow(target, &overrides)?,
    };
    note(&noted);
    for damaged in &resumption.damaged {
        output::note(&format!("skipped  {damaged}"));
    }
    output::note(&resume_line(&resumption));
    Ok(Job::Resumed(Box::new(resumption)))
}

/// From where a run is resumed.
fn resume_line(resumption: &Resumption) -> String {
    let run = resumption.run_dir.path().display();
    let epochs = resumption.experiment.training.epochs;
    let Some(checkpoint) = &resumption.checkpoint else {
        return format!("resume  {run}: no completed epoch; starts at epoch 1 of {epochs}");
    };
    let (done, header) = (checkpoint.epoch(), &checkpoint.header);
    let mut line = format!("resume  {run}: {done} of {epochs} epochs are done");
    let kiln = env!("CARGO_PKG_VERSION");
    if header.kiln != kiln {
        line += &format!(
            "; trained with kiln {}, this is {kiln}: results may differ",
            header.kiln
        );
    }
    line
}

fn dry_run(job: Job, run_dir: Option<&Path>, monitor: &Monitor) -> VerbResult {
    let prepared = match job {
        Job::New(experiment, described) => {
            RunDir::could_create(run_dir)?;
            training::prepare(*experiment, monitor).map_err(|error| described.explain(error))?
        }
        Job::Resumed(resumption) => training::prepare_resumed(&resumption, monitor)?,
    };
    let samples = prepared.samples;
    if let Some((path, taken)) = &prepared.weights {
        output::note(&weights_line(path, taken));
    }
    for warning in &prepared.warnings {
        output::note(&format!("warning: {warning}"));
    }
    let found = diagnostics::dry_run(&prepared)?;
    output::emit(&parameter_table(&found))?;
    let memory = match found.memory.peak {
        0 => String::new(),
        peak => format!(
            "              about {} (peak during this dry run, including the data and one batch)\n",
            size(peak)
        ),
    };
    Ok(output::emit(&format!(
        "\nsamples       {} train, {} valid, {} test\nparameters    {} trainable\nsteps         {} per epoch\n\
         initial loss  {:.4} (one batch forward and backward)\nmemory        {} for weights, gradients and optimizer\n{memory}\
         epoch time    about {}\nnothing was written\n",
        samples.train,
        samples.valid,
        samples.test,
        prepared.parameters,
        found.steps,
        found.loss,
        size(found.memory.training),
        duration(found.epoch)
    ))?)
}

fn parameter_table(found: &DryRun) -> String {
    let mut table = Table::new(["parameter", "shape", "values", ""]).with_words([0, 1, 3]);
    for parameter in &found.parameters {
        let note = if parameter.trainable {
            ""
        } else {
            "not trained"
        };
        table.push([
            parameter.name.clone(),
            format!("{:?}", parameter.shape),
            parameter.values().to_string(),
            note.to_string(),
        ]);
    }
    table.text()
}
