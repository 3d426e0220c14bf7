//! The characters that can be drawn.

/// Number of capitals and digits: A to Z, then 0 to 9.
pub const CLASSES: usize = 36;

/// The punctuation marks and symbols that can be drawn.
pub const PUNCTUATION: &str = ".,:;!?'\"()-+/#&@%$*=";

/// `A`..`Z`, then `0`..`9`: the class order of NIST36.
pub fn alphanumeric_classes() -> Vec<String> {
    capitals_and_digits().map(String::from).collect()
}

/// All characters that can be drawn: A to Z, 0 to 9, a to z, [`PUNCTUATION`]. A character's class is its place in this order.
pub fn characters() -> impl Iterator<Item = char> {
    capitals_and_digits()
        .chain('a'..='z')
        .chain(PUNCTUATION.chars())
}

/// The class of a character: its place among [`characters`].
pub fn class_of(character: char) -> Option<usize> {
    characters().position(|known| known == character)
}

fn capitals_and_digits() -> impl Iterator<Item = char> {
    ('A'..='Z').chain('0'..='9')
}
