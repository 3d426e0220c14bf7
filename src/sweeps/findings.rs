//! What a study shows, said in sentences that are computed from its figures.

use serde_json::Value;

use super::compare::shown;
use super::leaderboard::{Leaderboard, Row};
use super::ranking_metric::Yardstick;
use super::search_space::{Axis, Choices};
use super::sweep::TrialStatus;

/// As many others are named one by one; more are told as a group.
const MOST_NAMED: usize = 3;
/// What is said of runs whose figures read alike.
const AS_GOOD: &str = "as good";
/// Fewest numbers on an axis for which it means something that the best is the outermost.
const FEWEST_FOR_AN_EDGE: usize = 3;

/// What a sweep shows: which run was best and by how much, then what is to be known besides.
pub fn of_sweep(board: &Leaderboard) -> Vec<String> {
    let ranked: Vec<(&Row, f64)> = board.ranked().collect();
    let Some((best, value)) = ranked.first() else {
        let mut findings = vec!["No run has come to its end.".into()];
        findings.extend(not_ranked(board));
        return findings;
    };
    let yardstick = &board.yardstick;
    let subject = assignments(&board.axes, best);
    let reached = format!(
        "{}{}",
        reached(yardstick, *value),
        best.record
            .best_epoch()
            .map_or_else(String::new, |epoch| format!(" in epoch {epoch}"))
    );
    let named: Vec<(String, f64)> = ranked[1..]
        .iter()
        .map(|(row, value)| (row.values.first().map(shown).unwrap_or_default(), *value))
        .collect();
    let others = match board.axes.len() {
        1 => others(yardstick, *value, &named, MOST_NAMED),
        _ => others(yardstick, *value, &named, 0),
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

/// What a comparison shows. `ranked` are names and values, the best first.
pub fn of_runs(yardstick: &Yardstick, ranked: &[(&str, f64)]) -> String {
    let Some(((best, value), rest)) = ranked.split_first() else {
        return "No run has a figure to compare.".into();
    };
    let reached = reached(yardstick, *value);
    let named: Vec<(String, f64)> = rest
        .iter()
        .map(|(name, value)| (name.to_string(), *value))
        .collect();
    verdict(
        best,
        &reached,
        others(yardstick, *value, &named, MOST_NAMED),
    )
}

/// One sentence. Nobody is called best next to an equal.
fn verdict(subject: &str, reached: &str, others: Option<String>) -> String {
    match others {
        None => format!("{subject} gave {reached}."),
        Some(others) if others.contains(AS_GOOD) => format!("{subject} gave {reached}; {others}."),
        Some(others) => format!("{subject} was best: {reached}; {others}."),
    }
}

/// `66.3 % validation accuracy`, `a validation loss of 0.25`
fn reached(yardstick: &Yardstick, value: f64) -> String {
    let (name, value) = (yardstick.name(), yardstick.shown(value));
    match value.ends_with('%') {
        true => format!("{value} validation {name}"),
        false => format!("a validation {name} of {value}"),
    }
}

/// How the others did: by name if they are few, else as a group. None if there are no others.
fn others(
    yardstick: &Yardstick,
    best: f64,
    rest: &[(String, f64)],
    most_named: usize,
) -> Option<String> {
    let side = match yardstick.more_is_better {
        true => "below",
        false => "above",
    };
    if rest.is_empty() {
        return None;
    }
    if rest.len() > most_named {
        return Some(group(yardstick, best, rest, side));
    }
    let (mut equal, mut parts): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for (name, value) in rest {
        match yardstick.distance(best, *value) {
            None => equal.push(name),
            // The first says it in full: "0.02 stayed 8.1 points below and 0.0002 9.0 points".
            Some(distance) if parts.is_empty() => {
                parts.push(format!("{name} stayed {distance} {side}"));
            }
            Some(distance) => parts.push(format!("{name} {distance}")),
        }
    }
    let mut said = Vec::new();
    if !equal.is_empty() {
        let verb = if equal.len() == 1 { "was" } else { "were" };
        said.push(format!("{} {verb} {AS_GOOD}", listed(&equal)));
    }
    if !parts.is_empty() {
        said.push(listed(&parts));
    }
    Some(said.join("; "))
}

fn group(yardstick: &Yardstick, best: f64, rest: &[(String, f64)], side: &str) -> String {
    let count = rest.len();
    let who = match count {
        1 => "the other".to_string(),
        _ => format!("the other {count}"),
    };
    let distance = |at: Option<&(String, f64)>| yardstick.distance(best, at?.1);
    match (distance(rest.first()), distance(rest.last())) {
        (_, None) if count == 1 => format!("{who} was {AS_GOOD}"),
        (_, None) => format!("{who} were {AS_GOOD}"),
        (None, Some(most)) => format!("{who} were {AS_GOOD} or up to {most} {side}"),
        (Some(least), Some(most)) if least == most => format!("{who} stayed {most} {side}"),
        (Some(least), Some(most)) => {
            // The unit is said once.
            let least = least.split(' ').next().unwrap_or(&least);
            format!("{who} stayed {least} to {most} {side}")
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

/// Whether the best number of an axis is the outermost that was tried: then the best may lie beyond.
fn edge(axis: &Axis, best: &Value) -> Option<String> {
    // A seed has no beyond.
    if axis.path == "seed" {
        return None;
    }
    let Choices::Values(values) = &axis.choices else {
        return None;
    };
    let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
    if numbers.len() < values.len() || numbers.len() < FEWEST_FOR_AN_EDGE {
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
        "The best {} is the {which} that was tried; a {further} one may be better still.",
        axis.path
    ))
}

/// The runs that have no place, and why.
fn not_ranked(board: &Leaderboard) -> Option<String> {
    let of = board.rows.len();
    let with = |wanted: &[TrialStatus]| -> Vec<&Row> {
        let rows = board.rows.iter().filter(|row| row.place.is_none());
        rows.filter(|row| wanted.contains(&row.status)).collect()
    };
    let mut said = Vec::new();
    for (statuses, what) in [
        (&[TrialStatus::Diverged][..], "diverged"),
        (&[TrialStatus::Failed][..], "failed"),
    ] {
        let rows = with(statuses);
        let names: Vec<String> = rows
            .iter()
            .take(MOST_NAMED)
            .map(|row| assignments(&board.axes, row))
            .collect();
        if !rows.is_empty() {
            let more = match rows.len() > MOST_NAMED {
                true => ", ...",
                false => "",
            };
            said.push(format!(
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
        1 => said.push(format!("1 of {of} runs is still to be done.")),
        waiting => said.push(format!("{waiting} of {of} runs are still to be done.")),
    }
    (!said.is_empty()).then(|| said.join(" "))
}

/// `a, b and c`
fn listed(parts: &[impl AsRef<str>]) -> String {
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => parts.concat(),
    }
}
