//! The characters that can be drawn.

/// Number of characters: A to Z, then 0 to 9.
pub const CLASSES: usize = 36;

/// `A`..`Z`, then `0`..`9`: the class order of NIST36.
pub fn alphanumeric_classes() -> Vec<String> {
    ('A'..='Z').chain('0'..='9').map(String::from).collect()
}
