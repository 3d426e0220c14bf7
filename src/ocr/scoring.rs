//! How much each kind of evidence counts when a line is read: form, cuts, neighbours. Numbers only.
//!
//! Settled on lines composed of NIST36 validation characters: words of the list, names of no list, random strings and numbers,
//! apart and touching. Photographs showed which kinds of evidence were missing, but not what each counts.

/// How much each kind of evidence counts; the default is what kiln reads with. Scores are natural logarithms.
#[derive(Debug, Clone, PartialEq)]
pub struct Scoring {
    /// What the logarithm of a grammar's chance counts against that of the network's: letters of a word are no independent
    /// evidence, and the network has seen no words.
    pub context: f32,
    /// Share of any letter in the chances of words: names and words of no list stay possible at every letter.
    pub unknown: f32,
    /// Share of tokens that are words, numbers and mixtures, before the page's own are known.
    pub kinds: [f32; 3],
    /// The same of single characters.
    pub single: [f32; 3],
    /// How many tokens those shares count for against the page's own.
    pub habit: f32,
    /// Share of writers' forms that could as well be its partner: O is written as 0 is, and I as 1.
    pub same_form: f32,
    /// The same for S 5, Z 2, B 8, G 6.
    pub similar_form: f32,
    /// What each cut through ink costs ...
    pub cut: f32,
    /// ... where the ink could be one letter; where it's too wide for one, cuts cost this ...
    pub cut_torn: f32,
    /// ... and what it costs more if it crosses a stroke; two strokes cost four times that.
    pub cut_ink: f32,
    /// What joining two separate pieces costs.
    pub join: f32,
    /// How much it counts that a span looks like some letter at all.
    pub letterness: f32,
    /// How much it counts that letters are seldom as broad as two.
    pub breadth: f32,
    /// What it costs to take something for no letter, besides the network's word.
    pub nothing: f32,
}

impl Default for Scoring {
    fn default() -> Self {
        Self {
            context: 0.6,
            unknown: 0.15,
            kinds: [0.80, 0.12, 0.08],
            single: [0.65, 0.30, 0.05],
            habit: 4.0,
            same_form: 0.1,
            similar_form: 0.02,
            cut: 1.0,
            cut_torn: 0.3,
            cut_ink: 0.5,
            join: 2.5,
            letterness: 1.5,
            breadth: 1.0,
            nothing: 4.0,
        }
    }
}
