//! Images that differ from the others of their class in brightness, size, mode or colour.

use std::collections::BTreeMap;

use super::findings::{Property, Unusual};
use super::samples::Sample;
use super::scan::Scanned;

/// Smallest class that says what is usual.
const MIN_CLASS: usize = 8;

/// An image is unusual beyond so many robust standard deviations. Of a normal distribution, one in 1.7 million is.
const DEVIATIONS: f64 = 5.0;

/// The median absolute deviation of a normal distribution times this is its standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// Smallest standard deviations: a class whose images are all alike would make every other one unusual. Of mean values in [0, 1].
const MIN_BRIGHTNESS: f64 = 0.02;

/// The same of the logarithms of sizes and aspects: a tenth.
const MIN_RATIO: f64 = 0.1;

/// A mode is usual if so much of the class has it.
const USUAL_SHARE: f64 = 0.9;

/// Images whose values all lie this close together show nothing.
const BLANK: f32 = 1.0 / 255.0;

/// Turns the fraction of the usual mode into a score beside those of numbers.
const SHARE_SCORE: f64 = 10.0;

type Member<'a> = (&'a Sample, &'a Scanned);

/// Images that are unlike the others of their class, the most unusual first.
pub fn find(samples: &[Sample], scanned: &[Result<Scanned, String>]) -> Vec<Unusual> {
    let mut classes: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
    for (sample, scanned) in samples.iter().zip(scanned) {
        if let Ok(scanned) = scanned {
            let class = classes.entry(sample.label).or_default();
            class.push((sample, scanned));
        }
    }
    let mut found = Vec::new();
    for members in classes.values() {
        found.extend(blank(members));
        if members.len() >= MIN_CLASS {
            found.extend(of_class(members));
        }
    }
    found.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then_with(|| a.sample.name.cmp(&b.sample.name))
    });
    found
}

fn blank(members: &[Member]) -> Vec<Unusual> {
    let blank = members.iter().filter(|(_, scanned)| scanned.range <= BLANK);
    blank
        .map(|(sample, scanned)| Unusual {
            sample: (*sample).clone(),
            property: Property::Blank,
            found: format!("all pixels {:.2}", scanned.brightness),
            usual: "a picture".into(),
            score: SHARE_SCORE,
        })
        .collect()
}

fn of_class(members: &[Member]) -> Vec<Unusual> {
    let size = |scanned: &Scanned| scanned.header.map(|header| header.size);
    let ratio = |(across, down): (u32, u32)| f64::from(across) / f64::from(down.max(1));
    let area = |(across, down): (u32, u32)| f64::from(across) * f64::from(down);
    let words = |(across, down): (u32, u32)| format!("{across}x{down}");
    let mut found = numbers(
        members,
        Property::Brightness,
        MIN_BRIGHTNESS,
        |scanned| Some(f64::from(scanned.brightness)),
        |scanned| format!("mean {:.2}", scanned.brightness),
    );
    found.extend(numbers(
        members,
        Property::Size,
        MIN_RATIO,
        |scanned| size(scanned).map(|size| area(size).max(1.0).ln()),
        |scanned| size(scanned).map_or_else(String::new, words),
    ));
    found.extend(numbers(
        members,
        Property::Aspect,
        MIN_RATIO,
        |scanned| size(scanned).map(|size| ratio(size).max(f64::MIN_POSITIVE).ln()),
        |scanned| size(scanned).map_or_else(String::new, words),
    ));
    found.extend(modes(members, Property::Mode, |scanned| {
        Some(scanned.header?.color_name())
    }));
    found.extend(modes(members, Property::Colour, |scanned| {
        let colour = if scanned.is_grey { "grey" } else { "in colour" };
        Some(colour.to_string())
    }));
    found
}

/// Images whose number is far from the median of the class.
fn numbers(
    members: &[Member],
    property: Property,
    min_deviation: f64,
    number: impl Fn(&Scanned) -> Option<f64>,
    words: impl Fn(&Scanned) -> String,
) -> Vec<Unusual> {
    let mut known: Vec<(f64, &Member)> = members
        .iter()
        .filter_map(|member| Some((number(member.1)?, member)))
        .collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let Some(&(median, usual)) = known.get(known.len() / 2) else {
        return Vec::new();
    };
    let mut off: Vec<f64> = known
        .iter()
        .map(|(value, _)| (value - median).abs())
        .collect();
    off.sort_by(f64::total_cmp);
    let deviation = (off[off.len() / 2] * MAD_TO_DEVIATION).max(min_deviation);
    let usual = words(usual.1);
    known
        .into_iter()
        .map(|(value, member)| ((value - median).abs() / deviation, member))
        .filter(|(score, _)| *score > DEVIATIONS)
        .map(|(score, (sample, scanned))| Unusual {
            sample: (*sample).clone(),
            property,
            found: words(scanned),
            usual: usual.clone(),
            score,
        })
        .collect()
}

/// Images whose mode is another than nearly all of the class have.
fn modes(
    members: &[Member],
    property: Property,
    mode: impl Fn(&Scanned) -> Option<String>,
) -> Vec<Unusual> {
    let known: Vec<(String, &Member)> = members
        .iter()
        .filter_map(|member| Some((mode(member.1)?, member)))
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (mode, _) in &known {
        *counts.entry(mode).or_default() += 1;
    }
    let Some((&usual, &count)) = counts.iter().max_by_key(|(_, count)| **count) else {
        return Vec::new();
    };
    let share = count as f64 / known.len() as f64;
    if share < USUAL_SHARE {
        return Vec::new();
    }
    let others = known.iter().filter(|(mode, _)| mode != usual);
    others
        .map(|(mode, (sample, _))| Unusual {
            sample: (*sample).clone(),
            property,
            found: mode.clone(),
            usual: usual.to_string(),
            score: SHARE_SCORE * share,
        })
        .collect()
}
