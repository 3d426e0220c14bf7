//! What the reader searches: spans over a token's pieces, with the characters that each may be.

/// A run of a token's pieces that may be one letter.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The first piece.
    pub start: usize,
    /// The piece after the last; larger than `start`.
    pub end: usize,
    /// How much it looks like one letter, whichever: a natural logarithm.
    pub score: f32,
    /// The characters that it may be, each with its score (a natural logarithm).
    pub guesses: Vec<(char, f32)>,
    /// The score of not being a letter at all; `None` where it must be one.
    pub not_a_letter: Option<f32>,
}

/// A token's pieces and the spans over them. Every path from the first piece to the last is a way of reading it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lattice {
    /// Number of pieces.
    pub pieces: usize,
    /// In ascending order of `start`.
    pub spans: Vec<Span>,
}
