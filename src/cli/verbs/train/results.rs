//! What is printed when a run has ended.

use crate::cli::failure::{Failure, OutputError, VerbResult};
use crate::cli::terminal::output;
use crate::error::{counted, printable};
use crate::run_dir::{Status, Summary};
use crate::sweeps::ranking_metric::RankingMetric;
use crate::tracking;
use crate::training;

/// Prints the results and what to do next. The run is saved: a closed terminal must not hide how it ended.
pub fn conclude(outcome: &training::Outcome) -> VerbResult {
    let summary = &outcome.summary;
    let path = &*outcome.run_dir.path().to_string_lossy();
    let printed = print_results(summary, path);
    match summary.status {
        Status::Finished | Status::Failed => {}
        Status::StoppedEarly => output::note("stopped early: validation no longer improved"),
        Status::Interrupted => {
            let command = output::command(&["train", "--resume", &output::argument(path)]);
            let weights = match summary.best_epoch {
                0 => {
                    "before the first epoch was complete; the weights in the run directory are barely trained"
                }
                _ => "the best weights so far are in the run directory",
            };
            output::note(&format!("interrupted; {weights}; to resume:\n  {command}"));
            return Err(Failure::Interrupted);
        }
    }
    let mut next = next_steps(summary, path);
    if tracking::is_unsent(&outcome.run_dir) {
        let command = output::command(&["track", &output::argument(path)]);
        next += &format!("\n  {command}: sends what a server missed");
    }
    output::note(&next);
    Ok(printed?)
}

/// Prints the test result, or that of the validation if there is no test, and the run directory.
fn print_results(summary: &Summary, path: &str) -> Result<(), OutputError> {
    let kept = match summary.best_epoch {
        0 => "weights of an unfinished first epoch".to_string(),
        epoch => format!("weights of epoch {epoch} of {}", summary.epochs),
    };
    let (name, metrics, samples) = match &summary.test {
        Some(test) => ("test", test, summary.samples.test),
        None => ("validation", &summary.valid, summary.samples.valid),
    };
    let ranking = RankingMetric::of(std::iter::once(metrics));
    if let Some(value) = ranking.value(metrics) {
        let (title, value) = (ranking.name(), ranking.shown_in_full(value));
        output::emit(&format!(
            "{name} {title}  {value}  ({samples} samples, {kept})\n"
        ))?;
    }
    output::emit(&format!("run directory  {path}\n"))?;
    if let Some(pair) = summary.most_confused.first() {
        output::note(&format!(
            "most confused: {} predicted as {}: {}",
            printable(&pair.truth),
            printable(&pair.predicted),
            counted(pair.count as usize, "time", "times")
        ));
    }
    Ok(())
}

/// Commands to try next.
fn next_steps(summary: &Summary, path: &str) -> String {
    let run = &*output::argument(path);
    let mut lines = vec![
        "\nnext:".to_string(),
        format!("  open {path}/report.html: curves, confusions, worst mistakes"),
    ];
    let mut add = |arguments: &[&str]| lines.push(format!("  {}", output::command(arguments)));
    match summary.test {
        Some(_) => add(&["eval", run]),
        None => add(&["eval", run, "--split", "valid"]),
    }
    let is_classifier = !summary.per_class.is_empty();
    if is_classifier {
        add(&["predict", run, "IMAGE"]);
    }
    let is_character = |class: &String| matches!(class.as_bytes(), [b'A'..=b'Z' | b'0'..=b'9']);
    if is_classifier && summary.input.channels == 1 && summary.classes.iter().all(is_character) {
        add(&["data", "page", "--text", "HELLO WORLD", "page.png"]);
        add(&["ocr", "page.png", "--model", run]);
    }
    lines.join("\n")
}
