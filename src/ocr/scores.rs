//! Scores as text: accuracies and error rates of one page and of all pages, and the commonest confusions.

use crate::metrics::text::{CharacterConfusion, EditScore, TextScore, total};
use crate::report::table::Table;

/// Number of confusions that are listed.
const MAX_CONFUSIONS: usize = 10;

/// A page's score, one line per measure.
pub fn describe(score: &TextScore) -> String {
    let accuracy = |edit: &EditScore| {
        format!(
            "{:.4}  ({} of {} right, {} edits)",
            edit.accuracy,
            edit.length.saturating_sub(edit.distance),
            edit.length,
            edit.distance
        )
    };
    let mut rows = vec![
        (
            "character accuracy without spaces",
            accuracy(&score.characters_without_spaces),
        ),
        (
            "character accuracy with spaces",
            accuracy(&score.characters),
        ),
        (
            "character error rate",
            format!("{:.4}", score.character_error_rate),
        ),
        (
            "word error rate",
            format!(
                "{:.4}  ({} edits in {} words)",
                score.word_error_rate, score.words.distance, score.words.length
            ),
        ),
    ];
    if !score.confusions.is_empty() {
        let shown = score.confusions.iter().take(MAX_CONFUSIONS).map(confusion);
        let more = match score.confusions.len().saturating_sub(MAX_CONFUSIONS) {
            0 => String::new(),
            more => format!(", {more} others"),
        };
        let list: Vec<String> = shown.collect();
        rows.push(("confusions", list.join(", ") + &more));
    }
    rows.iter()
        .map(|(name, value)| format!("{name:<33}  {value}\n"))
        .collect()
}

/// One confusion and how often it happened.
fn confusion(confusion: &CharacterConfusion) -> String {
    let show = |c: char| match c {
        ' ' => "space".to_string(),
        c => c.to_string(),
    };
    let what = match (confusion.truth, confusion.read) {
        (Some(truth), Some(read)) => format!("{} read as {}", show(truth), show(read)),
        (Some(truth), None) => format!("{} missed", show(truth)),
        (None, Some(read)) => format!("{} added", show(read)),
        (None, None) => String::new(),
    };
    format!("{what} ({})", confusion.count)
}

/// The total score of several pages, and a table with a row for each (by the name of its image).
pub fn summary(scores: &[(String, TextScore)]) -> String {
    let all = total(scores.iter().map(|(_, score)| score));
    let mut table = Table::new([
        "page",
        "without spaces",
        "with spaces",
        "char. error rate",
        "word error rate",
        "characters",
        "words",
    ]);
    let heading = format!("all {}", scores.len());
    let pages = scores.iter().map(|(name, score)| (name.as_str(), score));
    for (name, score) in pages.chain([(heading.as_str(), &all)]) {
        table.push([
            name.to_string(),
            format!("{:.4}", score.characters_without_spaces.accuracy),
            format!("{:.4}", score.characters.accuracy),
            format!("{:.4}", score.character_error_rate),
            format!("{:.4}", score.word_error_rate),
            score.characters.length.to_string(),
            score.words.length.to_string(),
        ]);
    }
    format!("== {heading}\n{}\n{}", describe(&all), table.text())
}
