//! Whether a page has lower case: how much likelier its letters are as mixed text than as capitals and digits.

use super::line_fit::{LineFit, SeenLetter};
use super::sizes::log_likelihood;

/// Parts of mixed text that are lower case, capitals, digits and marks.
const MIXED: [f32; 4] = [0.80, 0.10, 0.07, 0.03];
/// Parts of a page of capitals that are capitals and digits.
const CAPITALS: [f32; 4] = [0.0, 0.75, 0.25, 0.0];
/// Numbers of characters of each group.
const SIZES: [f32; 4] = [26.0, 26.0, 10.0, 20.0];
/// No letter says more than this: the network may be wrong about one.
const MOST: f32 = 3.0;
/// How much the whole page must say: mixed text is the rarer kind on pages like the course's.
const LEAST: f32 = 3.0;

/// Whether the letters of a page are rather mixed text than capitals and digits. `lines` are its letters with where they stand.
pub fn says_mixed(lines: &[(LineFit, &[SeenLetter])]) -> bool {
    let letters = lines
        .iter()
        .flat_map(|(fit, letters)| letters.iter().map(move |letter| (fit, letter)));
    let sum: f32 = letters
        .map(|(fit, letter)| {
            let mixed = chance(fit, letter, MIXED).ln();
            let capitals = chance(fit, letter, CAPITALS).ln();
            (mixed - capitals).clamp(-MOST, MOST)
        })
        .sum();
    sum > LEAST
}

/// How likely a letter's form and place are on a page with these parts of each group.
fn chance(fit: &LineFit, letter: &SeenLetter, parts: [f32; 4]) -> f32 {
    let (top, foot) = fit.place(letter.x, letter.top, letter.foot);
    let sum: f32 = letter
        .chances
        .iter()
        .map(|&(character, chance)| {
            let group = group(character);
            // The network has seen all characters equally often.
            chance * parts[group] / SIZES[group] * log_likelihood(character, top, foot).exp()
        })
        .sum();
    sum.max(f32::MIN_POSITIVE)
}

fn group(character: char) -> usize {
    match character {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        _ => 3,
    }
}
