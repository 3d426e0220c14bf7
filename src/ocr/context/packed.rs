//! A word list in less than half the room of its words: what kiln ships.
//!
//! Gzip of three lines of text: the weights that occur, from the smallest; the words in alphabetical order, of each only what differs
//! from the one before; and for each word which of the weights it has, a digit of base 36. What differs is lower-case letters, which
//! together say how many of the last letters go (`a` none, `b` one, up to `z`, 25), and the capitals that follow.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Number of different weights that a digit can name.
const MAX_WEIGHTS: u32 = 36;
/// Most letters that one lower-case letter drops.
const MAX_DROPPED: usize = 25;

/// Packs a list. Equal lists give equal bytes.
///
/// # Errors
/// The list has more than 36 different weights.
pub fn pack(words: &BTreeMap<String, u32>) -> std::io::Result<Vec<u8>> {
    let mut weights: Vec<u32> = words.values().copied().collect();
    weights.sort_unstable();
    weights.dedup();
    if weights.len() > MAX_WEIGHTS as usize {
        let problem = format!(
            "the list has {} different weights, more than {MAX_WEIGHTS}",
            weights.len()
        );
        return Err(std::io::Error::other(problem));
    }
    let (mut changes, mut digits, mut before) = (String::new(), String::new(), "");
    for (word, weight) in words {
        let pairs = before.bytes().zip(word.bytes());
        let shared = pairs.take_while(|(one, other)| one == other).count();
        let mut dropped = before.len() - shared;
        while dropped > MAX_DROPPED {
            changes.push('z');
            dropped -= MAX_DROPPED;
        }
        changes.push(char::from(b'a' + dropped as u8));
        changes.push_str(&word[shared..]);
        let index = weights.partition_point(|one| one < weight) as u32;
        digits.extend(char::from_digit(index, MAX_WEIGHTS));
        before = word;
    }
    let weights: Vec<String> = weights.iter().map(u32::to_string).collect();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    write!(packed, "{}\n{changes}\n{digits}\n", weights.join(" "))?;
    packed.finish()
}

/// What [`pack`] has packed. Bytes that it did not write give a list that lacks what can't be understood.
pub fn unpack(packed: &[u8]) -> BTreeMap<String, u32> {
    let mut text = String::new();
    let _ = GzDecoder::new(packed).read_to_string(&mut text);
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default();
    let weights: Vec<u32> = line()
        .split(' ')
        .filter_map(|one| one.parse().ok())
        .collect();
    let (changes, digits) = (line(), line());
    let weight = |digit: char| weights.get(digit.to_digit(MAX_WEIGHTS)? as usize).copied();
    // A word ends where letters go again.
    let (mut words, mut word, mut grown) = (Vec::new(), String::new(), false);
    for change in changes.chars() {
        if change.is_ascii_uppercase() {
            word.push(change);
            grown = true;
            continue;
        }
        if std::mem::take(&mut grown) {
            words.push(word.clone());
        }
        let dropped = (change as usize).saturating_sub(usize::from(b'a'));
        word.truncate(word.len().saturating_sub(dropped));
    }
    words.push(word);
    let pairs = words.into_iter().zip(digits.chars());
    pairs
        .filter_map(|(word, digit)| Some((word, weight(digit)?)))
        .collect()
}
