//! The three splits of a data set.

/// The part of a data set that a sample belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Used to fit the model.
    Train,
    /// Used to select the best epoch.
    Valid,
    /// Used once, for the final evaluation.
    Test,
}

impl Split {
    /// All three, in the order in which they are used.
    pub const ALL: [Split; 3] = [Split::Train, Split::Valid, Split::Test];

    /// Position in [`Split::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// `train`, `valid` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
        }
    }
}
