//! `kiln train --profile`: prints where the time of an epoch went.

use std::time::Duration;

use crate::cli::terminal::output;
use crate::config::Backend;
use crate::diagnostics::bench::peak_gflops;
use crate::models::Work;
use crate::training::{EpochProfile, Phase, Profile};

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting for batches",
        Phase::Uploading => "batches to the device",
        Phase::Frozen => "frozen layers",
        Phase::Passes => "forward and backward pass",
        Phase::Exchange => "exchange of gradients",
        Phase::Update => "optimizer",
        Phase::Metrics => "metrics and display",
        Phase::Validation => "validation",
    }
}

/// Prints the mean of the epochs, apart from the first, in which files are read for the first time.
pub fn print(profile: &Profile, work: Work, backend: Backend) {
    let epochs = profile.epochs();
    let Some((first, later)) = epochs.split_first() else {
        output::note("profile: no epoch was completed");
        return;
    };
    let later = if later.is_empty() {
        std::slice::from_ref(first)
    } else {
        later
    };
    let mean = |of: &dyn Fn(&EpochProfile) -> Duration| {
        later.iter().map(of).sum::<Duration>().as_secs_f64() / later.len() as f64
    };
    let whole = mean(&|epoch| epoch.whole);
    let title = format!(
        "{:26}  seconds         first epoch",
        "where an epoch's time goes"
    );
    let mut lines = vec![title];
    let mut line = |name: &str, of: &dyn Fn(&EpochProfile) -> Duration| {
        let (seconds, at_first) = (mean(of), of(first).as_secs_f64());
        if seconds + at_first > 0.0 {
            let share = 100.0 * seconds / whole;
            lines.push(format!(
                "{name:26}  {seconds:7.3}  {share:4.1} %  {at_first:10.3}"
            ));
        }
    };
    for phase in Phase::ALL {
        line(name(phase), &|epoch| epoch.of(phase));
    }
    line("everything else", &EpochProfile::rest);
    line("in all", &|epoch| epoch.whole);
    let steps = |epoch: &EpochProfile| -> Duration {
        let all = Phase::ALL.into_iter().filter(|phase| phase.is_step());
        all.map(|phase| epoch.of(phase)).sum()
    };
    let bare = mean(&steps);
    lines.push(format!(
        "an epoch with its validation takes {:.2} times its bare steps ({bare:.3} s)",
        whole / bare
    ));
    lines.extend(speed_of_passes(later, work, backend));
    output::note(&lines.join("\n"));
}

/// How fast the passes are beside a product of matrices; not where frozen layers are computed apart.
fn speed_of_passes(epochs: &[EpochProfile], work: Work, backend: Backend) -> Option<String> {
    if epochs
        .iter()
        .any(|epoch| !epoch.of(Phase::Frozen).is_zero())
    {
        return None;
    }
    let seconds: Duration = epochs.iter().map(|epoch| epoch.of(Phase::Passes)).sum();
    let samples: usize = epochs.iter().map(|epoch| epoch.samples).sum();
    let operations = 2.0 * (work.forward + work.backward) as f64 * samples as f64;
    let reached = operations / seconds.as_secs_f64() / 1e9;
    let peak = peak_gflops(backend).ok()?;
    Some(format!(
        "forward and backward pass: {reached:.0} GFLOP/s; a product of matrices of 1024x1024 reaches {peak:.0} here"
    ))
}
