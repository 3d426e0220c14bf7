//! What a check finds. Every list is sorted, the most suspicious first.

use serde::Serialize;

use super::samples::Sample;
use crate::data::Split;

/// What was found in a data set.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Findings {
    /// Number of samples of each split that were looked at, in the order of [`Split::ALL`].
    pub samples: [usize; 3],
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Samples that can't be read.
    pub unreadable: Vec<Unreadable>,
    /// Images that occur more than once: with different classes first, then across splits, then by likeness.
    pub duplicates: Vec<Duplicate>,
    /// Confused classes, the largest fraction of samples first.
    pub taken: Vec<Taken>,
    /// Samples whose label is probably wrong, and how that was found; `None` if labels were not checked.
    pub labels: Option<LabelCheck>,
    /// Classes of which a split has few images or none.
    pub classes_in_splits: Vec<ClassCount>,
    /// Images that are unlike the others of their class.
    pub unusual: Vec<Unusual>,
    /// What was not looked at, and why; and what the data says about itself.
    pub notes: Vec<String>,
}

/// A sample that can't be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unreadable {
    /// Which.
    pub sample: Sample,
    /// Why.
    pub problem: String,
}

/// How alike the images of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// All pixels are equal.
    Exact,
    /// The same picture: re-saved, cropped a little, brightened.
    Near,
}

/// Images that are one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duplicate {
    /// How alike.
    pub likeness: Likeness,
    /// Correlation of the aligned images, 0 to 1; of exact copies 1.
    pub correlation: f64,
    /// Whether they are in different splits.
    pub across_splits: bool,
    /// Whether they have different classes.
    pub different_classes: bool,
    /// The samples: two, or more of exact copies.
    pub samples: Vec<Sample>,
}

/// What is wrong with the number of a class's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CountProblem {
    /// There are none.
    Absent,
    /// There are few.
    Rare,
}

/// A class of which a split has few samples or none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassCount {
    /// The class.
    pub class: String,
    /// The split.
    pub split: Split,
    /// What is wrong.
    pub problem: CountProblem,
    /// Its samples in the split.
    pub samples: usize,
    /// The median of the split's classes.
    pub median: usize,
}

/// A property in which an image differs from its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// Every pixel has the same value.
    Blank,
    /// Mean brightness.
    Brightness,
    /// Number of pixels of the file.
    Size,
    /// Width by height of the file.
    Aspect,
    /// Colour type of the file.
    Mode,
    /// Grey pixels among images in colour.
    Colour,
}

/// An image that is unlike the others of its class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unusual {
    /// Which.
    pub sample: Sample,
    /// In what.
    pub property: Property,
    /// What it has.
    pub found: String,
    /// What its class has.
    pub usual: String,
    /// Deviations from the median of the class, in robust standard deviations; of properties that are not numbers the fraction
    /// of the class that has the usual one, times 10.
    pub score: f64,
}

/// How labels were checked, and the suspects.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelCheck {
    /// By which model.
    pub model: String,
    /// Number of samples that were checked.
    pub checked: usize,
    /// Fraction of them to which the model gives the class that they have.
    pub agreement: f64,
    /// Samples whose label is probably wrong.
    pub suspects: Vec<Suspect>,
    /// Further samples to which the model gives another class: mistakes of the model among them.
    pub doubtful: Vec<Suspect>,
}

/// A sample whose label is probably wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suspect {
    /// Which.
    pub sample: Sample,
    /// The class that it probably has.
    pub suggested: String,
    /// The probability that the model gives to its label.
    pub probability: f64,
    /// The probability that the model gives to the suggested class.
    pub probability_of_suggested: f64,
}

/// How two classes are confused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confused {
    /// The class is taken for the other.
    OneWay,
    /// The model can't tell them apart.
    BothWays,
}

/// A class that a model takes for another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Taken {
    /// The class.
    pub class: String,
    /// The class that it is taken for.
    pub other: String,
    /// How.
    pub confused: Confused,
    /// One way: samples of the class. Both ways: samples of the two that are given to one of them.
    pub samples: usize,
    /// How many of these are given to the wrong one of the two.
    pub wrong: usize,
    /// Some samples of the class, and some of the other.
    pub examples: [Vec<Sample>; 2],
}
