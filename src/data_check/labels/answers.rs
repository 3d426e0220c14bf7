//! The probabilities that a model gives.

/// The probabilities that a model gives to samples from which it has not learned.
pub struct Answers {
    /// The model, in words.
    pub model: String,
    /// The place of each sample in the list of all.
    pub places: Vec<usize>,
    /// Its probabilities, by class.
    pub rows: Vec<Vec<f32>>,
    /// What was not checked, and why.
    pub note: Option<String>,
}
