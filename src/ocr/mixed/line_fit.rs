//! The baseline of each line of writing, and the x-height: what makes a page's tops and feet most likely.

use super::sizes::log_likelihood;

/// X-heights that are tried, as parts of the page's letter height: from all capitals to all small letters ...
const X_HEIGHTS: (f32, f32) = (0.4, 1.3);
/// ... in this many steps of equal ratio.
const STEPS: usize = 20;
/// Baselines that are tried: this far above and below the median foot, in x-heights, in steps of a tenth.
const BASE_REACH: i32 = 8;
const BASE_STEP: f32 = 0.1;
/// Steepest baseline, in rows per column.
const MAX_SLOPE: f32 = 0.3;
/// Least number of letters that a slope is taken from.
const MIN_LETTERS: usize = 5;
/// Spread (natural logarithm) of the lines' x-heights around the page's.
const LINE_SPREAD: f32 = 0.15;

/// A letter of a line as the network sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenLetter {
    /// Column of its middle in pixels.
    pub x: f32,
    /// Row of its top, without half of the pen, in pixels.
    pub top: f32,
    /// Row of its foot, without half of the pen.
    pub foot: f32,
    /// What it may be, each with its probability by form.
    pub chances: Vec<(char, f32)>,
}

/// Where a line of writing stands, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineFit {
    /// Rows per column.
    pub slope: f32,
    /// Row of the baseline at column 0.
    pub base: f32,
    /// Height of an x.
    pub x_height: f32,
}

impl LineFit {
    /// Top and foot of a box in x-heights from the baseline; y counts downwards.
    pub fn place(&self, x: f32, top: f32, foot: f32) -> (f32, f32) {
        let base = self.base + self.slope * x;
        ((top - base) / self.x_height, (foot - base) / self.x_height)
    }

    /// Logarithm of how likely the letters' tops and feet are, each summed over what it may be.
    pub fn log_likelihood(&self, letters: &[SeenLetter]) -> f32 {
        let one = |letter: &SeenLetter| {
            let (top, foot) = self.place(letter.x, letter.top, letter.foot);
            let sum: f32 = letter
                .chances
                .iter()
                .map(|&(character, chance)| chance * log_likelihood(character, top, foot).exp())
                .sum();
            // The densities are per x-height: in pixels they fall with its square.
            sum.max(f32::MIN_POSITIVE).ln() - 2.0 * self.x_height.ln()
        };
        letters.iter().map(one).sum()
    }
}

/// Fits the lines of a page together: one x-height that most lines share, and each line's own baseline. `None` for a line
/// without letters. `letter_height` is the page's, in pixels.
pub fn fit_lines(lines: &[Vec<SeenLetter>], letter_height: f32) -> Vec<Option<LineFit>> {
    let ratio = X_HEIGHTS.1 / X_HEIGHTS.0;
    let heights: Vec<f32> = (0..STEPS)
        .map(|step| {
            let share = step as f32 / (STEPS - 1) as f32;
            letter_height * X_HEIGHTS.0 * ratio.powf(share)
        })
        .collect();
    // By line and height: the best baseline and its likelihood.
    let fits: Vec<Option<Vec<(LineFit, f32)>>> = lines
        .iter()
        .map(|letters| {
            let slope = slope(letters);
            let fit = |&x_height: &f32| best_base(letters, slope, x_height);
            heights.iter().map(fit).collect()
        })
        .collect();
    let total = |step: usize| -> f32 { fits.iter().flatten().map(|fits| fits[step].1).sum() };
    let page = (0..STEPS).max_by(|&a, &b| total(a).total_cmp(&total(b)));
    let page = page.map_or(letter_height, |step| heights[step]);
    let off = |x_height: f32| {
        let deviation = (x_height / page).ln() / LINE_SPREAD;
        -deviation * deviation / 2.0
    };
    fits.into_iter()
        .map(|fits| {
            let score = |fit: &(LineFit, f32)| fit.1 + off(fit.0.x_height);
            let best = fits?
                .into_iter()
                .max_by(|a, b| score(a).total_cmp(&score(b)));
            best.map(|(fit, _)| fit)
        })
        .collect()
}

/// The most likely baseline for an x-height; `None` without letters.
fn best_base(letters: &[SeenLetter], slope: f32, x_height: f32) -> Option<(LineFit, f32)> {
    let middle = median(letters.iter().map(|letter| letter.foot - slope * letter.x))?;
    let tried = (-BASE_REACH..=BASE_REACH).map(|step| {
        let fit = LineFit {
            slope,
            base: middle + step as f32 * BASE_STEP * x_height,
            x_height,
        };
        (fit, fit.log_likelihood(letters))
    });
    tried.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Slope of the feet: the median over all pairs of letters (Theil and Sen), 0 for few letters.
fn slope(letters: &[SeenLetter]) -> f32 {
    if letters.len() < MIN_LETTERS {
        return 0.0;
    }
    let pairs = letters.iter().enumerate().flat_map(|(index, a)| {
        let others = letters[index + 1..].iter();
        others.filter_map(|b| {
            let apart = b.x - a.x;
            (apart != 0.0).then(|| (b.foot - a.foot) / apart)
        })
    });
    median(pairs).map_or(0.0, |slope| slope.clamp(-MAX_SLOPE, MAX_SLOPE))
}

/// The middle value; `None` without any.
fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}
