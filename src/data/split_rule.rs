//! Dividing a set without predefined splits into training, validation and test, by the names of its samples.
//!
//! The split of a sample depends on its name alone: not on the other samples, their order or the machine, so adding files to a
//! folder never moves a sample from one split to another. With `stratify`, it depends on the names in its class.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Split;
use super::source::is_false;
use crate::error::Problem;
use crate::rng;

/// How a set without predefined splits is divided into training, validation and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum SplitRule {
    /// A fixed pseudo-random fraction, decided by a hash of the sample's name: the same on every machine.
    Share(ShareConfig),
    /// By the number in the sample's name, modulo `divisor`.
    Number(NumberConfig),
}

impl Default for SplitRule {
    fn default() -> Self {
        SplitRule::Share(ShareConfig::default())
    }
}

/// A division by fractions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShareConfig {
    /// Fraction of the samples used for validation.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub valid: f64,
    /// Fraction of the samples used for testing.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub test: f64,
    /// Divide each class by these fractions, rounded to whole samples. Without it, the fractions hold only on average, but
    /// adding samples never moves another one to a different split.
    #[serde(skip_serializing_if = "is_false")]
    pub stratify: bool,
}

impl Default for ShareConfig {
    fn default() -> Self {
        Self {
            valid: 0.1,
            test: 0.1,
            stratify: false,
        }
    }
}

/// A division by number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NumberConfig {
    /// The sample's number is taken modulo this.
    #[schemars(range(min = 2, max = 1000))]
    pub divisor: u64,
    /// The remainder of the samples used for validation; null for none.
    pub valid: Option<u64>,
    /// The remainder of the samples used for testing.
    pub test: u64,
}

impl Default for NumberConfig {
    fn default() -> Self {
        Self {
            divisor: 5,
            valid: Some(1),
            test: 0,
        }
    }
}

impl SplitRule {
    /// A contradiction between the rule's keys; `path` is that of its section, such as `data.split`.
    pub fn problem(&self, path: &str) -> Option<Problem> {
        match self {
            SplitRule::Share(share) if share.valid + share.test > 1.0 => Some(Problem::new(
                path,
                format!(
                    "valid ({}) + test ({}) must not exceed 1",
                    share.valid, share.test
                ),
            )),
            SplitRule::Share(_) => None,
            SplitRule::Number(number) => number.problem(path),
        }
    }
}

impl NumberConfig {
    fn problem(&self, path: &str) -> Option<Problem> {
        let divisor = self.divisor;
        let remainders = [("valid", self.valid), ("test", Some(self.test))];
        let beyond = remainders.into_iter().find_map(|(name, remainder)| {
            Some((name, remainder.filter(|&found| found >= divisor)?))
        });
        let (name, problem) = match beyond {
            Some((name, found)) => (
                name,
                format!("found {found}; must be less than divisor ({divisor})"),
            ),
            None if self.valid == Some(self.test) => (
                "valid",
                format!("found {}; must differ from {path}.test", self.test),
            ),
            None => return None,
        };
        Some(Problem::new(format!("{path}.{name}"), problem))
    }
}

/// The splits of all samples of a set, in order; each comes with its name and its label.
///
/// With `stratify`, the samples of each class are sorted by the hash of their names; the first go to validation, the next to
/// testing, the rest to training. Without it, each sample is on its own: see [`assign`].
pub fn divide(rule: &SplitRule, samples: &[(String, usize)]) -> Vec<Split> {
    match rule {
        SplitRule::Share(shares) if shares.stratify => stratified(shares, samples),
        _ => samples.iter().map(|(name, _)| assign(rule, name)).collect(),
    }
}

/// [`divide`] for training samples of a set of which some splits have samples of their own: those get no others.
pub fn divide_rest(rule: &SplitRule, samples: &[(String, usize)], has: [bool; 3]) -> Vec<Split> {
    let [_, has_valid, has_test] = has;
    let rule = match rule {
        SplitRule::Share(shares) => {
            let open = |share: f64, is_taken: bool| if is_taken { 0.0 } else { share };
            SplitRule::Share(ShareConfig {
                valid: open(shares.valid, has_valid),
                test: open(shares.test, has_test),
                ..shares.clone()
            })
        }
        SplitRule::Number(_) => rule.clone(),
    };
    let mut splits = divide(&rule, samples);
    for split in &mut splits {
        let is_taken = [false, has_valid, has_test][split.index()];
        if is_taken {
            *split = Split::Train;
        }
    }
    splits
}

fn stratified(shares: &ShareConfig, samples: &[(String, usize)]) -> Vec<Split> {
    let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, (_, label)) in samples.iter().enumerate() {
        classes.entry(*label).or_default().push(index);
    }
    let mut splits = vec![Split::Train; samples.len()];
    for mut members in classes.into_values() {
        // By name where two hashes are equal, so that the order of the samples does not matter.
        members.sort_by_cached_key(|&index| (name_bits(&samples[index].0), &samples[index].0));
        let part = |share: f64| (share * members.len() as f64).round() as usize;
        let (valid, test) = (part(shares.valid), part(shares.test));
        let held_out = [Split::Valid].repeat(valid).into_iter();
        let held_out = held_out.chain([Split::Test].repeat(test));
        for (index, split) in members.into_iter().zip(held_out) {
            splits[index] = split;
        }
    }
    splits
}

/// The split that `rule`, unless it stratifies, gives to the sample called `name`.
///
/// - `Share`: the name's hash, as a number that is uniform in [0, 1), falls below `valid`, below `valid + test`, or
///   above both (training). Fractions that add up to more than 1 leave nothing for training and truncate `test`.
/// - `Number`: the last run of decimal digits in the name (`image_0420` is 420; any length), modulo `divisor`. A name
///   without digits is numbered by its hash. A remainder used for both goes to testing; without `valid`, none goes to
///   validation.
pub fn assign(rule: &SplitRule, name: &str) -> Split {
    match rule {
        SplitRule::Share(shares) => by_share(shares, name),
        SplitRule::Number(numbers) => by_number(numbers, name),
    }
}

fn by_share(shares: &ShareConfig, name: &str) -> Split {
    // 53 bits: what an f64 holds exactly.
    let position = (name_bits(name) >> 11) as f64 / (1u64 << 53) as f64;
    if position < shares.valid {
        Split::Valid
    } else if position < shares.valid + shares.test {
        Split::Test
    } else {
        Split::Train
    }
}

fn by_number(numbers: &NumberConfig, name: &str) -> Split {
    // The config's range starts at 2; a config built in code must not divide by zero either.
    let divisor = numbers.divisor.max(1);
    let remainder = last_number_modulo(name, divisor).unwrap_or_else(|| name_bits(name) % divisor);
    if remainder == numbers.test {
        Split::Test
    } else if numbers.valid == Some(remainder) {
        Split::Valid
    } else {
        Split::Train
    }
}

/// FNV-1a alone leaves the high bits of short names nearly constant; the finaliser spreads them.
fn name_bits(name: &str) -> u64 {
    rng::mix(&[rng::hash_name(name)])
}

/// The last run of digits in `name`, modulo `divisor`; reduced digit by digit, so that no length overflows.
fn last_number_modulo(name: &str, divisor: u64) -> Option<u64> {
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let head = name.get(..end)?;
    let start = head
        .rfind(|c: char| !c.is_ascii_digit())
        .and_then(|at| Some(at + head.get(at..)?.chars().next()?.len_utf8()))
        .unwrap_or(0);
    let remainder = head.get(start..)?.bytes().fold(0u128, |value, digit| {
        (value * 10 + u128::from(digit - b'0')) % u128::from(divisor)
    });
    u64::try_from(remainder).ok()
}
