//! Where characters stand in their line: top and foot of each, in x-heights above (negative) and below the baseline.

/// Where a character's top and foot are expected, in x-heights; y counts downwards from the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Mean of the top.
    pub top: f32,
    /// Standard deviation of the top.
    pub top_spread: f32,
    /// Mean of the foot.
    pub foot: f32,
    /// Standard deviation of the foot.
    pub foot_spread: f32,
}

/// Top, its spread, foot, its spread: medians and half the distances between the 16th and 84th percentiles of UNIPEN's categories 1c
/// and 1d (training writers), as `benches/letter_sizes.py` prints them.
const MEASURED: [(char, [f32; 4]); 46] = [
    ('a', [-0.96, 0.22, 0.00, 0.16]),
    ('b', [-1.82, 0.33, 0.00, 0.20]),
    ('c', [-1.00, 0.20, 0.00, 0.13]),
    ('d', [-1.91, 0.35, 0.02, 0.17]),
    ('e', [-1.00, 0.19, -0.01, 0.15]),
    ('f', [-1.94, 0.37, 0.22, 0.64]),
    ('g', [-1.00, 0.29, 1.18, 0.55]),
    ('h', [-1.94, 0.33, 0.01, 0.19]),
    ('i', [-1.52, 0.41, -0.03, 0.16]),
    ('j', [-1.62, 0.44, 0.91, 0.55]),
    ('k', [-1.82, 0.37, 0.02, 0.18]),
    ('l', [-1.89, 0.32, -0.03, 0.17]),
    ('m', [-0.95, 0.22, 0.03, 0.15]),
    ('n', [-0.95, 0.19, 0.02, 0.15]),
    ('o', [-0.93, 0.20, -0.01, 0.16]),
    ('p', [-1.03, 0.26, 0.96, 0.43]),
    ('q', [-1.06, 0.26, 1.09, 0.52]),
    ('r', [-1.03, 0.20, -0.02, 0.16]),
    ('s', [-1.06, 0.23, 0.03, 0.17]),
    ('t', [-1.77, 0.35, -0.01, 0.18]),
    ('u', [-0.96, 0.20, 0.00, 0.17]),
    ('v', [-1.04, 0.21, 0.02, 0.15]),
    ('w', [-1.02, 0.20, -0.01, 0.16]),
    ('x', [-1.08, 0.22, 0.04, 0.19]),
    ('y', [-1.00, 0.27, 1.08, 0.56]),
    ('z', [-1.03, 0.23, 0.08, 0.38]),
    ('.', [-0.30, 0.28, -0.15, 0.29]),
    (',', [-0.19, 0.34, 0.61, 0.46]),
    (':', [-1.36, 0.27, -0.25, 0.28]),
    (';', [-1.29, 0.43, 0.53, 0.60]),
    ('!', [-2.21, 0.44, 0.03, 0.34]),
    ('?', [-2.05, 0.32, -0.01, 0.34]),
    ('\'', [-1.91, 0.45, -1.32, 0.43]),
    ('"', [-2.03, 0.47, -1.36, 0.47]),
    ('(', [-1.95, 0.45, 0.11, 0.32]),
    (')', [-2.07, 0.40, 0.14, 0.33]),
    ('-', [-0.83, 0.26, -0.72, 0.26]),
    ('+', [-1.36, 0.34, -0.16, 0.34]),
    ('/', [-1.76, 0.48, 0.14, 0.34]),
    ('#', [-1.78, 0.37, -0.21, 0.35]),
    ('&', [-2.00, 0.50, 0.00, 0.53]),
    ('@', [-1.75, 0.39, 0.04, 0.34]),
    ('%', [-1.91, 0.40, 0.04, 0.33]),
    ('$', [-2.15, 0.48, 0.06, 0.46]),
    ('*', [-1.54, 0.34, -0.22, 0.40]),
    ('=', [-1.10, 0.27, -0.49, 0.26]),
];

/// Capitals: as tall as b, d, h and l in the same hands (their category has no baseline).
const CAPITAL: [f32; 4] = [-1.90, 0.33, 0.0, 0.17];
/// Capitals that may go below the line.
const LOW_CAPITAL: [f32; 4] = [-1.90, 0.33, 0.1, 0.35];
/// Digits: a little lower than capitals.
const DIGIT: [f32; 4] = [-1.80, 0.35, 0.0, 0.20];

/// Worst log likelihood: a letter that stands where it should not is rare, but not impossible.
const WORST: f32 = -5.0;
/// Spreads are counted relative to this one, the usual one of a letter's edge.
const USUAL_SPREAD: f32 = 0.2;

/// Where a character is expected; `None` for a character without a place.
pub fn place_of(character: char) -> Option<Place> {
    let [top, top_spread, foot, foot_spread] = match character {
        'J' | 'Q' => LOW_CAPITAL,
        'A'..='Z' => CAPITAL,
        '0'..='9' => DIGIT,
        other => MEASURED.iter().find(|(known, _)| *known == other)?.1,
    };
    Some(Place {
        top,
        top_spread,
        foot,
        foot_spread,
    })
}

/// Logarithm of how likely a character's top and foot are here (normal distributions), relative to a letter exactly in its place; 0
/// for a character without a place.
pub fn log_likelihood(character: char, top: f32, foot: f32) -> f32 {
    let Some(place) = place_of(character) else {
        return 0.0;
    };
    let off = |at: f32, mean: f32, spread: f32| {
        let deviation = (at - mean) / spread;
        -deviation * deviation / 2.0 - (spread / USUAL_SPREAD).ln()
    };
    let top = off(top, place.top, place.top_spread);
    let foot = off(foot, place.foot, place.foot_spread);
    (top + foot).max(WORST)
}
