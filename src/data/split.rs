//! Dividing a set that has no splits of its own. A rule and a sample's name come in, a split goes out.
//!
//! The answer depends on nothing else: not on the other samples, their order or the machine, so adding files to a
//! folder never moves a sample from one split to another. It reads no files.

use crate::config::data::{NumberConfig, ShareConfig, SplitRule};

use super::Split;
use crate::rng;

/// The split that `rule` gives to the sample called `name`.
///
/// - `Share`: the name's hash, as a number that is uniform in [0, 1), falls below `valid`, below `valid + test`, or
///   above both (training). Shares that add up to more than 1 leave nothing for training and cut `test` short.
/// - `Number`: the last run of decimal digits in the name (`image_0420` is 420; any length), modulo `divisor`. A name
///   without digits is numbered by its hash. A remainder named for both goes to testing; without `valid`, none goes to
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
