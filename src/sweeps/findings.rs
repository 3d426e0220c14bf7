//! Summarizes the result of a sweep or a comparison in sentences, computed from its numbers.

use serde_json::Value;

use super::leaderboard::{Leaderboard, Row};
use super::ranking_metric::RankingMetric;
use super::record::TrialStatus;
use super::search_space::{Axis, Choices};
use crate::config::difference::shown;

/// Up to this many other runs are named one by one; more are summarized.
const MAX_NAMED: usize = 3;
/// The words for runs whose values are written alike.
const AS_GOOD: &str = "as good";
/// Minimum number of values on an axis for which a best value at its edge means something.
const MIN_FOR_EDGE: usize = 3;

/// The result of a sweep: which run was best and by how much, then what else matters.
pub fn of_sweep(board: &Leaderboard) -> Vec<String> {
    let ranked: Vec<(&Row, f64)> = board.ranked().collect();
    let Some((best, value)) = ranked.first() else {
        let mut findings = vec!["No run has finished.".into()];
        findings.extend(not_ranked(board));
        return findings;
    };
    let ranking = &board.ranking;
    let subject = assignments(&board.axes, best);
    let reached = format!(
        "{}{}",
        reached(ranking, *value),
        best.record
            .best_epoch()
            .map_or_else(String::new, |epoch| format!(" in epoch {epoch}"))
    );
    let named: Vec<(String, f64)> = ranked[1..]
        .iter()
        .map(|(row, value)| (row.values.first().map(shown).unwrap_or_default(), *value))
        .collect();
    let others = match board.axes.len() {
        1 => others(ranking, *value, &named, MAX_NAMED),
        _ => others(ranking, *value, &named, 0),
    };
    let mut findings = vec![verdict(&subject, &reached, others)];
    findings.extend(
        board
            .axes
            .iter()
            .enumerate()
            .filter_map(|(index, axis)| edge(axis, best.values.get(index)?)),
    );
    findings.extend(not_ranked(board));
    findings
}

/// The result of a comparison. `ranked` are names and values, the best first.
pub fn of_runs(ranking: &RankingMetric, ranked: &[(&str, f64)]) -> String {
    let Some(((best, value), rest)) = ranked.split_first() else {
        return "No run has a value to compare.".into();
    };
    let reached = reached(ranking, *value);
    let named: Vec<(String, f64)> = rest
        .iter()
        .map(|(name, value)| (name.to_string(), *value))
        .collect();
    verdict(best, &reached, others(ranking, *value, &named, MAX_NAMED))
}

/// One sentence. No run is called best next to an equal one.
fn verdict(subject: &str, reached: &str, others: Option<String>) -> String {
    match others {
        None => format!("{subject} gave {reached}."),
        Some(others) if others.contains(AS_GOOD) => format!("{subject} gave {reached}; {others}."),
        Some(others) => format!("{subject} was best: {reached}; {others}."),
    }
}

/// `66.3 % validation accuracy`, `a validation loss of 0.25`
fn reached(ranking: &RankingMetric, value: f64) -> String {
    let (name, value) = (ranking.name(), ranking.shown(value));
    if value.ends_with('%') {
        format!("{value} validation {name}")
    } else {
        format!("a validation {name} of {value}")
    }
}

/// The other runs: by name if they are few, else as a group. None if there are no others.
fn others(
    ranking: &RankingMetric,
    best: f64,
    rest: &[(String, f64)],
    max_named: usize,
) -> Option<String> {
    let side = if ranking.higher_is_better() {
        "below"
    } else {
        "above"
    };
    if rest.is_empty() {
        return None;
    }
    if rest.len() > max_named {
        return Some(group(ranking, best, rest, side));
    }
    let (mut equal, mut parts): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for (name, value) in rest {
        match ranking.distance(best, *value) {
            None => equal.push(name),
            // Only the first in full: "0.02 was 8.1 points below and 0.0002 9.0 points".
            Some(distance) if parts.is_empty() => {
                parts.push(format!("{name} was {distance} {side}"));
            }
            Some(distance) => parts.push(format!("{name} {distance}")),
        }
    }
    let mut sentences = Vec::new();
    if !equal.is_empty() {
        let verb = if equal.len() == 1 { "was" } else { "were" };
        sentences.push(format!("{} {verb} {AS_GOOD}", listed(&equal)));
    }
    if !parts.is_empty() {
        sentences.push(listed(&parts));
    }
    Some(sentences.join("; "))
}

fn group(ranking: &RankingMetric, best: f64, rest: &[(String, f64)], side: &str) -> String {
    let count = rest.len();
    let (who, verb) = match count {
        1 => ("the other".to_string(), "was"),
        _ => (format!("the other {count}"), "were"),
    };
    let distance = |at: Option<&(String, f64)>| ranking.distance(best, at?.1);
    match (distance(rest.first()), distance(rest.last())) {
        (_, None) => format!("{who} {verb} {AS_GOOD}"),
        (None, Some(most)) => format!("{who} were {AS_GOOD} or up to {most} {side}"),
        (Some(least), Some(most)) if least == most => format!("{who} {verb} {most} {side}"),
        (Some(least), Some(most)) => {
            // The unit once.
            let least = least.split(' ').next().unwrap_or(&least);
            format!("{who} {verb} {least} to {most} {side}")
        }
    }
}

/// `optimizer.lr = 0.02 with model.hidden = [64]`
fn assignments(axes: &[Axis], row: &Row) -> String {
    let pairs: Vec<String> = axes
        .iter()
        .zip(&row.values)
        .map(|(axis, value)| format!("{} = {}", axis.path, shown(value)))
        .collect();
    match pairs.split_first() {
        Some((first, rest)) if !rest.is_empty() => {
            let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
            format!("{first} with {}", listed(&rest))
        }
        _ => pairs.concat(),
    }
}

/// Whether the best number of an axis is at the edge of those tried: then the optimum may lie beyond.
fn edge(axis: &Axis, best: &Value) -> Option<String> {
    // Seeds have no order.
    if axis.path == "seed" {
        return None;
    }
    let Choices::Values(values) = &axis.choices else {
        return None;
    };
    let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
    if numbers.len() < values.len() || numbers.len() < MIN_FOR_EDGE {
        return None;
    }
    let best = best.as_f64()?;
    let (which, further) = if numbers.iter().all(|&number| best <= number) {
        ("smallest", "smaller")
    } else if numbers.iter().all(|&number| best >= number) {
        ("largest", "larger")
    } else {
        return None;
    };
    Some(format!(
        "The best {} is the {which} that was tried; a {further} one may be better.",
        axis.path
    ))
}

/// The runs without a rank, and why.
fn not_ranked(board: &Leaderboard) -> Option<String> {
    let of = board.rows.len();
    let with = |wanted: &[TrialStatus]| -> Vec<&Row> {
        let rows = board.rows.iter().filter(|row| row.rank.is_none());
        rows.filter(|row| wanted.contains(&row.status)).collect()
    };
    let mut sentences = Vec::new();
    for (statuses, what) in [
        (&[TrialStatus::Diverged][..], "diverged"),
        (&[TrialStatus::Failed][..], "failed"),
    ] {
        let rows = with(statuses);
        let names: Vec<String> = rows
            .iter()
            .take(MAX_NAMED)
            .map(|row| assignments(&board.axes, row))
            .collect();
        if !rows.is_empty() {
            let more = if rows.len() > MAX_NAMED { ", ..." } else { "" };
            sentences.push(format!(
                "{} of {of} runs {what} ({}{more}).",
                rows.len(),
                names.join(", ")
            ));
        }
    }
    let waiting = with(&[
        TrialStatus::Waiting,
        TrialStatus::Running,
        TrialStatus::Interrupted,
    ])
    .len();
    match waiting {
        0 => {}
        1 => sentences.push(format!("1 of {of} runs is not finished.")),
        waiting => sentences.push(format!("{waiting} of {of} runs are not finished.")),
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// `a, b and c`
fn listed(parts: &[impl AsRef<str>]) -> String {
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => parts.concat(),
    }
}
