//! The rank of the true class among the scores of all.

/// How many classes are ranked before the true one: 0 when the label's score is the best. Of equal scores, the lower
/// index comes first (what an argmax that takes the first maximum does), and NaN comes last, so that a broken model
/// does not gain by it. None when `label` is not an index into `scores`.
pub fn rank_of(scores: &[f32], label: usize) -> Option<usize> {
    let own = *scores.get(label)?;
    let before = |(index, &score): (usize, &f32)| match (score.is_nan(), own.is_nan()) {
        (false, false) => score > own || (score == own && index < label),
        (true, true) => index < label,
        (is_nan, _) => !is_nan,
    };
    Some(scores.iter().enumerate().filter(|&s| before(s)).count())
}
