//! Compiles the word list that kiln ships from the lists of SCOWL (Spell Checker Oriented Word Lists).

use std::path::Path;

use super::word_list::WordList;
use crate::error::FileError;

/// SCOWL's sizes that the shipped list is made of, and the weight of a word of each. Size 10 is the most common words and 50 what
/// most dictionaries have; in running text a word of one size is several times as frequent as one of the next.
const SIZES: [(u32, u32); 5] = [(10, 32), (20, 12), (35, 4), (40, 2), (50, 1)];
/// A quarter of running text is these dozen words, the rarest of them about a hundredth of it ...
const EVERYWHERE: &str = "THE OF AND TO A IN IS I IT THAT YOU FOR";
/// The weight of each.
const EVERYWHERE_WEIGHT: u32 = 6000;
/// ... and another fifth is these, each some thousandths. SCOWL's sizes don't separate them from a thousand others.
const FREQUENT: &str = "HE WAS ON ARE AS WITH HIS THEY AT BE THIS HAVE FROM OR ONE HAD BY BUT NOT WHAT ALL WERE WE WHEN YOUR CAN AN \
    SHE WHICH DO THEIR IF WILL MY HER ME NO SO UP OUT THEM THEN HAS WOULD THERE WHO HOW GO ABOUT";
/// The weight of each.
const FREQUENT_WEIGHT: u32 = 1200;

/// SCOWL's lists that are used: words, and names of people and places.
const LISTS: [&str; 6] = [
    "english-words",
    "american-words",
    "english-contractions",
    "english-upper",
    "english-proper-names",
    "american-proper-names",
];

impl WordList {
    /// Compiles the list that kiln ships from a folder of SCOWL's lists (`english-words.10` and so on; Debian's package `scowl`
    /// puts them into `/usr/share/dict/scowl`). A word has the weight of its smallest size.
    ///
    /// # Errors
    /// [`FileError`]: a list can't be read, or there is none.
    pub fn from_scowl(folder: &Path) -> Result<WordList, FileError> {
        let mut list = WordList::default();
        for (size, weight) in SIZES {
            for name in LISTS {
                let path = folder.join(format!("{name}.{size}"));
                // Not every list comes in every size.
                if name != LISTS[0] && !path.exists() {
                    continue;
                }
                let bytes = std::fs::read(&path).map_err(|source| {
                    FileError::named(&path, source)
                        .advise("use a folder with the SCOWL lists, such as /usr/share/dict/scowl")
                })?;
                // Some releases are in Latin-1: words with letters beyond ASCII are dropped in any case.
                let text = String::from_utf8_lossy(&bytes);
                let is_word =
                    |word: &&str| word.is_ascii() && !is_possessive(word) && !is_initial(word);
                for word in text.lines().filter(is_word) {
                    list.add(word, weight);
                }
            }
        }
        for (words, weight) in [(EVERYWHERE, EVERYWHERE_WEIGHT), (FREQUENT, FREQUENT_WEIGHT)] {
            for word in words.split_whitespace() {
                list.add(word, weight);
            }
        }
        Ok(list)
    }
}

/// SCOWL lists ABILITY'S beside ABILITY: that would teach that most words end in S. (IT'S and LET'S are in its lists of
/// contractions as well, but without the apostrophe ITS and LETS are words anyway.)
fn is_possessive(word: &str) -> bool {
    word.ends_with("'s")
}

/// Dictionaries list every letter as a word; in running text B alone is rarer than 8 alone.
fn is_initial(word: &str) -> bool {
    let letters = word.trim_end_matches('\'');
    letters.len() == 1 && !["a", "i"].contains(&letters.to_ascii_lowercase().as_str())
}
