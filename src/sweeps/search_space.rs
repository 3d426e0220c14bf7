//! What a sweep varies: one axis for each `--grid`, and the combinations that they span.
//!
//! A value is JSON, or else a string, as with `--set`; commas within brackets or quotes belong to the value. A single `LOW..HIGH` of
//! two numbers is a range, from which values can only be sampled: integers if both ends are written as such; uniformly on a
//! logarithmic scale if both ends are above zero, else uniformly. Whether a key exists and accepts a value is checked by the config.

use std::collections::BTreeSet;

use rand::Rng as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::SweepError;
use crate::rng::{self, Rng};

/// A larger grid is more likely a typing error: at a minute a run, this many take most of a day.
pub const MAX_RUNS: usize = 1000;
/// Mixed into the seed of the samples, so that they are independent of a run's own.
const SAMPLING_STREAM: u64 = 0x5eed_5eed;
/// Attempts per combination to be sampled: finding all of `n` equally likely ones takes about `n ln n`.
const MAX_ATTEMPTS: usize = 100;
/// Significant digits of a number sampled from a range: enough to tell runs apart, few enough to be read and typed. Rounding
/// also hides that logarithms differ in the last bit between platforms.
const DIGITS: i32 = 3;

/// One key of the config and the values that it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Dotted path of the key.
    pub path: String,
    /// Its values.
    #[serde(flatten)]
    pub choices: Choices,
}

/// The values of an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choices {
    /// These, in this order.
    Values(Vec<Value>),
    /// Any number between two ends; values must be sampled.
    Range(Range),
}

/// The numbers from one end to the other, both included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Integers only.
    pub whole: bool,
}

/// How combinations are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// How many.
    pub count: usize,
    /// The same seed gives the same combinations.
    pub seed: u64,
}

/// One value for each axis, in order.
pub type Combination = Vec<Value>;

impl Axis {
    /// Reads `path=value,value,...` or `path=low..high`.
    pub fn parse(typed: &str) -> Result<Self, SweepError> {
        let refuse = |message: String| SweepError::Grid {
            typed: typed.chars().take(80).collect(),
            message,
        };
        let (path, texts) = typed.split_once('=').ok_or_else(|| {
            refuse("expected path=value,value, such as optimizer.lr=1e-2,1e-3".into())
        })?;
        let path = path.trim();
        if path.split('.').any(str::is_empty) {
            return Err(refuse(format!(
                "`{path}` is not a dotted path such as optimizer.lr"
            )));
        }
        let pieces = split(texts).map_err(refuse)?;
        let choices = match range(&pieces).map_err(refuse)? {
            Some(range) => Choices::Range(range),
            None => Choices::Values(pieces.iter().map(|piece| value(piece)).collect()),
        };
        if let Choices::Values(values) = &choices
            && let Some(value) = duplicate(values)
        {
            return Err(refuse(format!("duplicate value {value}")));
        }
        Ok(Self {
            path: path.to_string(),
            choices,
        })
    }

    /// The axis as an argument of `--grid`.
    pub fn typed(&self) -> String {
        let choices = match &self.choices {
            Choices::Values(values) => {
                let texts: Vec<String> = values.iter().map(Value::to_string).collect();
                texts.join(",")
            }
            Choices::Range(range) if range.whole => format!("{:.0}..{:.0}", range.low, range.high),
            Choices::Range(range) => format!("{:?}..{:?}", range.low, range.high),
        };
        format!("{}={choices}", self.path)
    }

    fn pick(&self, rng: &mut Rng) -> Value {
        match &self.choices {
            Choices::Values(values) => {
                let index = (share(rng) * values.len() as f64) as usize;
                values.get(index).cloned().unwrap_or(Value::Null)
            }
            Choices::Range(range) => range.pick(rng),
        }
    }

    /// The number of values, if it is finite.
    fn len(&self) -> Option<usize> {
        match &self.choices {
            Choices::Values(values) => Some(values.len()),
            Choices::Range(range) if range.whole => Some((range.high - range.low) as usize + 1),
            Choices::Range(_) => None,
        }
    }
}

impl Range {
    fn pick(&self, rng: &mut Rng) -> Value {
        // Half a step on either side, so that the ends are as likely as the integers between them.
        let side = if self.whole { 0.5 } else { 0.0 };
        let (low, high) = (self.low - side, self.high + side);
        let share = share(rng);
        let drawn = if low > 0.0 {
            (low.ln() + share * (high / low).ln()).exp()
        } else {
            low + share * (high - low)
        };
        if self.whole {
            return Value::from(drawn.round().clamp(self.low, self.high) as i64);
        }
        Value::from(rounded(drawn).clamp(self.low, self.high))
    }
}

/// A uniform number in [0, 1).
fn share(rng: &mut Rng) -> f64 {
    const STEP: f64 = 1.0 / (1u64 << 53) as f64;
    (rng.next_u64() >> 11) as f64 * STEP
}

/// A number with [`DIGITS`] significant digits.
fn rounded(value: f64) -> f64 {
    // Through its decimal text: dividing by powers of ten would give 0.30000000000000004.
    let text = format!("{value:.*e}", (DIGITS - 1) as usize);
    text.parse().unwrap_or(value)
}

/// Cuts a list at its commas, except inside brackets or quotes.
pub fn split(list: &str) -> Result<Vec<&str>, String> {
    let mut pieces = Vec::new();
    let (mut from, mut depth, mut quoted, mut escaped) = (0, 0usize, false, false);
    for (at, letter) in list.char_indices() {
        if quoted {
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            '"' => quoted = true,
            '[' | '{' => depth += 1,
            ']' | '}' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| format!("unexpected `{letter}`"))?;
            }
            ',' if depth == 0 => {
                pieces.push(list[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    if quoted || depth > 0 {
        let what = if quoted { "quote" } else { "bracket" };
        return Err(format!("unclosed {what}"));
    }
    pieces.push(list[from..].trim());
    if pieces.iter().any(|piece| piece.is_empty()) {
        return Err("empty value; write an empty string as \"\"".into());
    }
    Ok(pieces)
}

/// A value as `--set` reads it.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()))
}

/// The range, if the only piece is one.
fn range(pieces: &[&str]) -> Result<Option<Range>, String> {
    let ends = |piece: &str| {
        let (low, high) = piece.split_once("..")?;
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
        let is_integer = |text: &str| text.trim().parse::<i32>().is_ok();
        let whole = is_integer(low) && is_integer(high);
        let (low, high) = (number(low)?, number(high)?);
        Some(Range { low, high, whole })
    };
    let Some(found) = pieces.iter().find_map(|piece| ends(piece)) else {
        return Ok(None);
    };
    if pieces.len() > 1 {
        return Err("a range cannot be combined with other values".into());
    }
    if found.low < found.high {
        Ok(Some(found))
    } else {
        Err("the range's lower bound must be less than its upper bound".into())
    }
}

fn duplicate(values: &[Value]) -> Option<&Value> {
    let is_duplicate =
        |(index, value): (usize, &Value)| values[..index].iter().any(|v| same(v, value));
    let index = values.iter().enumerate().position(is_duplicate)?;
    values.get(index)
}

/// Whether two values mean the same to a config: 1 and 1.0 do.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Rejects axes that contradict each other or a `--set`.
pub fn validate(axes: &[Axis], set: &[String]) -> Result<(), SweepError> {
    let mut seen = BTreeSet::new();
    for axis in axes {
        let refuse = |message: &str| SweepError::Grid {
            typed: axis.typed(),
            message: message.into(),
        };
        if !seen.insert(&axis.path) {
            return Err(refuse("key is given in two --grid options"));
        }
        let set_path = |set: &String| set.split('=').next().map(|path| path.trim() == axis.path);
        if set.iter().any(|set| set_path(set) == Some(true)) {
            return Err(refuse("key is also given with --set"));
        }
    }
    Ok(())
}

/// Every combination; the last axis changes fastest.
pub fn grid(axes: &[Axis]) -> Result<Vec<Combination>, SweepError> {
    let mut combinations: Vec<Combination> = vec![Vec::new()];
    for axis in axes {
        let Choices::Values(values) = &axis.choices else {
            return Err(SweepError::Grid {
                typed: axis.typed(),
                message: "a range needs --random N, the number of combinations to sample".into(),
            });
        };
        if combinations.len().saturating_mul(values.len()) > MAX_RUNS {
            let counts = axes.iter().map(|axis| axis.len().unwrap_or(1));
            let count = counts.fold(1, usize::saturating_mul);
            return Err(SweepError::TooMany {
                count,
                max: MAX_RUNS,
            });
        }
        let longer = |first: &Combination| {
            let first = first.clone();
            let with =
                move |value: &Value| [first.as_slice(), std::slice::from_ref(value)].concat();
            values.iter().map(with).collect::<Vec<_>>()
        };
        combinations = combinations.iter().flat_map(longer).collect();
    }
    Ok(combinations)
}

/// Distinct combinations, sampled at random.
pub fn sample(axes: &[Axis], sampling: Sampling) -> Result<Vec<Combination>, SweepError> {
    if sampling.count > MAX_RUNS {
        return Err(SweepError::TooMany {
            count: sampling.count,
            max: MAX_RUNS,
        });
    }
    let of_axes = axes
        .iter()
        .try_fold(1usize, |product, axis| product.checked_mul(axis.len()?));
    let mut rng = rng::seeded(&[sampling.seed, SAMPLING_STREAM]);
    let mut sampled: Vec<Combination> = Vec::new();
    if of_axes.is_none_or(|there| there >= sampling.count) {
        for _ in 0..sampling.count.saturating_mul(MAX_ATTEMPTS) {
            if sampled.len() == sampling.count {
                break;
            }
            let combination = axes.iter().map(|axis| axis.pick(&mut rng)).collect();
            if !sampled.contains(&combination) {
                sampled.push(combination);
            }
        }
    }
    if sampled.len() < sampling.count {
        return Err(SweepError::TooFew {
            asked: sampling.count,
            available: of_axes.unwrap_or(sampled.len()),
        });
    }
    Ok(sampled)
}
