//! The set of characters that may be read.

/// Which characters may be read; all others are impossible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Alphabet {
    /// All characters that the model knows.
    #[default]
    All,
    /// A to Z.
    Letters,
    /// 0 to 9.
    Digits,
    /// These, in ascending order.
    Only(Vec<char>),
}

impl Alphabet {
    /// Whether a character may be read.
    pub fn allows(&self, character: char) -> bool {
        match self {
            Alphabet::All => true,
            Alphabet::Letters => character.is_alphabetic(),
            Alphabet::Digits => character.is_ascii_digit(),
            // Capitals stand for both cases.
            Alphabet::Only(characters) => characters.contains(&character.to_ascii_uppercase()),
        }
    }
}

impl std::str::FromStr for Alphabet {
    type Err = String;

    /// Parses `all`, `letters`, `digits`, or the characters themselves (lower case counts as capitals).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => return Ok(Alphabet::All),
            "letters" => return Ok(Alphabet::Letters),
            "digits" => return Ok(Alphabet::Digits),
            _ => {}
        }
        if let Some(range) = range(text) {
            return Err(format!(
                "ranges such as '{range}' are not known; use letters, digits, all, or the characters themselves, such as ABC123"
            ));
        }
        let mut characters: Vec<char> = text.chars().map(|c| c.to_ascii_uppercase()).collect();
        characters.sort_unstable();
        characters.dedup();
        let odd = characters
            .iter()
            .find(|&&c| !c.is_alphanumeric() && !c.is_ascii_punctuation());
        match (odd, characters.is_empty()) {
            (Some(odd), _) => Err(format!(
                "{odd:?} is not a letter, digit or punctuation mark; use letters, digits, all, or the characters themselves, such as ABC123"
            )),
            (None, true) => Err(
                "contains no characters; use letters, digits, all, or the characters themselves, such as ABC123"
                    .into(),
            ),
            (None, false) => Ok(Alphabet::Only(characters)),
        }
    }
}

/// A part of a text that looks like a range: a `-` between two letters or digits.
fn range(text: &str) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    let found = characters
        .windows(3)
        .find(|part| part[1] == '-' && part[0].is_alphanumeric() && part[2].is_alphanumeric())?;
    Some(found.iter().collect())
}
