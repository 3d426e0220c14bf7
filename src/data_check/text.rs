//! Findings as text for a terminal.

use super::findings::{
    Confused, CountProblem, Duplicate, Findings, Likeness, Property, Suspect, Taken, Unusual,
};
use crate::data::Split;
use crate::error::{counted, printable};
use crate::report::percent;

/// Maximum lines of each kind.
const SHOWN: usize = 5;

/// The counts by kind, and the first few of each.
pub fn summary(findings: &Findings) -> String {
    let splits = Split::ALL.iter().zip(findings.samples);
    let splits: Vec<String> = splits
        .map(|(split, count)| format!("{count} {}", split.name()))
        .collect();
    let mut text = format!(
        "{} ({}), {}\n",
        counted(findings.samples.iter().sum(), "sample", "samples"),
        splits.join(", "),
        counted(findings.classes.len(), "class", "classes")
    );
    for note in &findings.notes {
        text += &format!("{}\n", printable(note));
    }
    if let Some(labels) = &findings.labels {
        text += &format!(
            "labels checked by {}: it agrees with {} of {}\n",
            labels.model,
            plain_percent(labels.agreement),
            labels.checked
        );
    }
    for (title, lines) in sections(findings) {
        text += &section(&title, &lines);
    }
    text
}

/// The kinds of findings with their lines, each a title and a line for every finding.
pub fn sections(findings: &Findings) -> Vec<(String, Vec<String>)> {
    let lines = |lines: Vec<String>, title: &str| (title.to_string(), lines);
    let suspects = findings.labels.iter().flat_map(|labels| &labels.suspects);
    let doubtful = findings.labels.iter().flat_map(|labels| &labels.doubtful);
    let unreadable = findings.unreadable.iter();
    let counts = findings.classes_in_splits.iter().map(|count| {
        let split = count.split.name();
        match count.problem {
            CountProblem::Absent => format!("{} is absent in {split}", count.class),
            CountProblem::Rare => format!(
                "{} has {}; the median of the classes is {}",
                count.class,
                counted(
                    count.samples,
                    &format!("{split} sample"),
                    &format!("{split} samples")
                ),
                count.median
            ),
        }
    });
    vec![
        lines(
            unreadable
                .map(|unreadable| format!("{}: {}", unreadable.sample.name, unreadable.problem))
                .collect(),
            "unreadable",
        ),
        lines(
            findings.taken.iter().map(taken_in_words).collect(),
            "confused classes",
        ),
        lines(
            findings.duplicates.iter().map(duplicate_in_words).collect(),
            "duplicates",
        ),
        lines(
            suspects.map(suspect_in_words).collect(),
            "probably wrong labels",
        ),
        lines(doubtful.map(suspect_in_words).collect(), "doubtful labels"),
        lines(counts.collect(), "classes absent or rare in a split"),
        lines(
            findings
                .unusual
                .iter()
                .map(|unusual| format!("{}: {}", unusual.sample.name, unusual_in_words(unusual)))
                .collect(),
            "images unlike their class",
        ),
    ]
}

fn section(title: &str, lines: &[String]) -> String {
    let mut text = format!("\n{title}: {}\n", lines.len());
    for line in lines.iter().take(SHOWN) {
        text += &format!("  {}\n", printable(line));
    }
    if lines.len() > SHOWN {
        text += &format!("  ... and {} more\n", lines.len() - SHOWN);
    }
    text
}

/// A group of duplicates in a line.
pub fn duplicate_in_words(duplicate: &Duplicate) -> String {
    let kind = match duplicate.likeness {
        Likeness::Exact => "exact",
        Likeness::Near => "near",
    };
    let mut about = vec![kind.to_string()];
    if duplicate.different_classes {
        let mut classes: Vec<&str> = duplicate.samples.iter().map(|s| s.class.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        about.push(format!("as {}", classes.join(" and ")));
    }
    if duplicate.across_splits {
        about.push("across splits".into());
    }
    let names: Vec<&str> = duplicate
        .samples
        .iter()
        .take(SHOWN)
        .map(|s| s.name.as_str())
        .collect();
    let more = match duplicate.samples.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more} ({})", names.join(" = "), about.join(", "))
}

/// A suspect in a line.
pub fn suspect_in_words(suspect: &Suspect) -> String {
    format!(
        "{}: labelled {} ({}), looks like {} ({})",
        suspect.sample.name,
        suspect.sample.class,
        plain_percent(suspect.probability),
        suspect.suggested,
        plain_percent(suspect.probability_of_suggested)
    )
}

/// What is unusual about an image.
pub fn unusual_in_words(unusual: &Unusual) -> String {
    let (found, usual) = (&unusual.found, &unusual.usual);
    match unusual.property {
        Property::Blank => format!("blank: {found}"),
        _ => format!(
            "{} {found}; usual in its class: {usual}",
            property(unusual.property)
        ),
    }
}

/// The name of a property.
pub fn property(property: Property) -> &'static str {
    match property {
        Property::Blank => "blank",
        Property::Brightness => "brightness",
        Property::Size => "size",
        Property::Aspect => "proportions",
        Property::Mode => "mode",
        Property::Colour => "colour",
    }
}

/// A class that is taken for another, in a sentence.
pub fn taken_in_words(taken: &Taken) -> String {
    let (class, other) = (&taken.class, &taken.other);
    match taken.confused {
        Confused::OneWay => format!(
            "{class} is taken for {other}: {} of {}",
            taken.wrong, taken.samples
        ),
        Confused::BothWays => format!(
            "{class} and {other} can't be told apart: {} of {} are predicted as the other",
            taken.wrong, taken.samples
        ),
    }
}

/// A percentage with a plain space, for terminals.
fn plain_percent(fraction: f64) -> String {
    percent(fraction, 1).replace('\u{a0}', " ")
}
