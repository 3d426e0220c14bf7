//! How much each kind of evidence counts when a page is read: form, cuts, neighbours.
//!
//! Fitted by `benches/fit_scoring.rs` to drawn pages, and to lines composed of NIST36 validation characters (words, names that are in no list,
//! random strings and numbers, letters separate and touching), as they are and as photographs of them; from values that were set by hand
//! on such lines. Of nine numbers that it may change, it took `cut_touching` (0.3 to 0.25) and `breadth` (1 to 0.83). `context`, `letterness`
//! and `not_a_letter` are left as set by hand: they also decide what is dropped from a page. `unknown`, `kinds`, `single` and `prior_tokens` are
//! not fitted: how often people write numbers, and names that are in no list, is no property of drawn text.
//!
//! Wrong characters of 17,307 on the pages of the fit, of 16,913 on others (other seeds and other characters), and on the pages and
//! photographs of other people that are at hand:
//!
//! | numbers | the fit's | others | other people's |
//! |---|---|---|---|
//! | set by hand | 611 | 685 | 64 |
//! | these | 602 | 683 | 63 |
//! | with `unknown` fitted as well (0.067; `join` 3.75, `join_gap` 12) | 570 | 691 | 64 |
//! | all fitted (`context` 0.9, `unknown` 0.037, `same_form` 0.12, `cut` 1.5, `cut_touching` 0.54, `join` 3.75, `letterness` 1.8, `not_a_letter` 6) | 543 | 631 | 73 |
//!
//! A lower `unknown` turns names into words of the list although the network is sure of their letters (tests/context); the last ones read
//! some upright pages in a wrong view, and specks on bare paper.

/// How much each kind of evidence counts; the default is what kiln reads with. Scores are natural logarithms.
#[derive(Debug, Clone, PartialEq)]
pub struct Scoring {
    /// Weight of a grammar's log chance relative to the network's log probability: letters of a word are not independent
    /// evidence, and the network has seen no words.
    pub context: f32,
    /// The same weight of a sequence's rule, which is stricter than words.
    pub sequence: f32,
    /// Fraction of equally likely letters in the chances of words: names and words of no list stay possible at every letter.
    pub unknown: f32,
    /// Prior fraction of tokens that are words, numbers and mixtures.
    pub kinds: [f32; 3],
    /// The same of single characters.
    pub single: [f32; 3],
    /// How many tokens of the page those priors weigh as much as.
    pub prior_tokens: f32,
    /// Fraction of a character's forms that could as well be its partner: O is written like 0, and I like 1.
    pub same_form: f32,
    /// The same for S 5, Z 2, B 8, G 6.
    pub similar_form: f32,
    /// Cost of each cut through ink ...
    pub cut: f32,
    /// ... that could be one letter; in ink that is too wide for one letter, a cut costs this ...
    pub cut_touching: f32,
    /// ... and this more if it crosses one stroke, four times as much if it crosses two.
    pub cut_ink: f32,
    /// Cost of joining two separate letters to one.
    pub join: f32,
    /// Cost of each letter height by which the gap between them is wider than that of a broken stroke.
    pub join_gap: f32,
    /// Weight of the log probability that a span is a letter at all.
    pub letterness: f32,
    /// Weight of the log likelihood of a letter's breadth: few letters are as broad as two.
    pub breadth: f32,
    /// Cost of dropping something that the network takes for junk.
    pub not_a_letter: f32,
}

impl Default for Scoring {
    fn default() -> Self {
        Self {
            context: 0.6,
            sequence: 0.9,
            unknown: 0.15,
            kinds: [0.80, 0.12, 0.08],
            single: [0.65, 0.30, 0.05],
            prior_tokens: 4.0,
            same_form: 0.1,
            similar_form: 0.02,
            cut: 1.0,
            cut_touching: 0.25,
            cut_ink: 0.5,
            join: 2.5,
            join_gap: 8.0,
            letterness: 1.5,
            breadth: 0.833,
            not_a_letter: 4.0,
        }
    }
}
