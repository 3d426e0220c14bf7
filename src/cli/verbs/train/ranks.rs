//! Whether a run has several processes, and this one's group of them.

use std::sync::Arc;

use super::arguments::{Args, overrides};
use super::note;
use crate::cli::failure::{Failure, UsageError};
use crate::cli::terminal::output;
use crate::config;
use crate::parallel::{self, Group, HOW_TO_COMPILE_IN, IS_COMPILED_IN, Moment};
use crate::run_dir::RunDir;
use crate::training::{self, resume};

/// The processes that were started together with this one. All but rank 0 are silent from now on.
pub fn join() -> Result<Arc<dyn Group>, Failure> {
    let end = |problem: &str| {
        training::restore_terminal();
        output::be_silent(false);
        output::note(&format!("error: {problem}"));
        // Whoever started the processes ends the others.
        std::process::exit(1)
    };
    let group = parallel::join(Box::new(end))?;
    output::be_silent(!group.writes());
    Ok(group)
}

/// The result of something that every process does before training: an error of one is an error of all.
pub fn agreed<T>(group: &dyn Group, mine: Result<T, Failure>) -> Result<T, Failure> {
    if group.is_alone() {
        return mine;
    }
    // Any code of a signal does: what a rank is told by one, the others are told as well.
    let told = mine.as_ref().err();
    let told = told.map(|failure| (failure.exit_code(u8::MAX), failure.to_string()));
    let all = parallel::problems(group, Moment::Preparing, told);
    match (mine, all.into_iter().next()) {
        (Ok(mine), None) => Ok(mine),
        (Err(failure), _) => Err(failure),
        (Ok(_), Some(problem)) => Err(Failure::OfAnother(
            format!("rank {}: {}", problem.rank, problem.message),
            problem.code,
        )),
    }
}

/// Whether several processes are wanted, and have not been started yet.
///
/// # Errors
/// They can't be started, or others than those that were.
pub fn wanted(args: &Args, group: &dyn Group) -> Result<bool, UsageError> {
    let is_launched = note::is_launched();
    if !group.is_alone() {
        let is_known = args
            .ranks
            .is_none_or(|ranks| usize::from(ranks) == group.size());
        if !is_known {
            let problem = format!(
                "--ranks {}: {} processes were started; leave it out, or start as many",
                args.ranks.unwrap_or_default(),
                group.size()
            );
            return Err(UsageError(problem));
        }
        let configured = configured(args);
        let fits = args.ranks.is_some() || [1, group.size()].contains(&configured);
        if !fits && args.resume.is_none() {
            let problem = format!(
                "parallel.ranks: found {configured}, but {} processes were started; set that, or start {configured}",
                group.size()
            );
            return Err(UsageError(problem));
        }
        if args.restarts > 0 && !is_launched {
            let problem = "--restarts: only for processes that --ranks starts";
            return Err(UsageError(problem.into()));
        }
        return Ok(false);
    }
    let ranks = args.ranks.map_or_else(|| configured(args), usize::from);
    if ranks < 2 && args.restarts > 0 {
        let problem = "--restarts: only for runs of several processes; add --ranks 2 or more";
        return Err(UsageError(problem.into()));
    }
    if ranks > 1 && !IS_COMPILED_IN {
        let key = if args.ranks.is_some() {
            "--ranks"
        } else {
            "parallel.ranks"
        };
        let problem =
            format!("{key} {ranks}: this kiln is built for one process; {HOW_TO_COMPILE_IN}");
        return Err(UsageError(problem));
    }
    Ok(ranks > 1 && !args.dry_run)
}

/// The number of processes in the config, or in that of the run to resume; 1 if it can't be read, which is found out later.
fn configured(args: &Args) -> usize {
    let experiment = match (&args.config, &args.resume) {
        (Some(config), _) => config::load(config, &overrides(args)).ok(),
        (None, Some(target)) => {
            let (path, _) = resume::parse_target(target);
            let run_dir = RunDir::open(&path).ok();
            run_dir.and_then(|run_dir| run_dir.experiment().ok())
        }
        (None, None) => None,
    };
    experiment.map_or(1, |experiment| experiment.parallel.ranks)
}

/// The setting that `--ranks` or the number of started processes stands for.
pub fn setting(args: &Args, group: &dyn Group) -> Option<String> {
    let ranks = match (args.ranks, group.size()) {
        (Some(ranks), _) => usize::from(ranks),
        (None, 1) => return None,
        (None, started) => started,
    };
    Some(format!("parallel.ranks={ranks}"))
}
