//! The network that reads mixed text.

use std::fmt;
use std::sync::Arc;

use crate::inference::plan::ComputePrecision;
use crate::inference::{Classifier, ModelError};

/// A network of capitals, lower case, digits and marks; pages that the other one doesn't explain are read with it.
#[derive(Clone)]
pub struct MixedModel(Arc<Classifier>);

impl MixedModel {
    /// Wraps a classifier whose classes are single characters (and possibly junk).
    pub fn new(classifier: Classifier) -> Self {
        Self(Arc::new(classifier))
    }

    /// A classifier as such a network, if it knows both cases.
    pub fn of(classifier: &Classifier) -> Option<Self> {
        let classes = &classifier.card().classes;
        let knows = |is_of_case: fn(char) -> bool| {
            let mut classes = classes.iter();
            classes.any(|class| class.len() == 1 && class.chars().all(is_of_case))
        };
        let both = knows(char::is_lowercase) && knows(char::is_uppercase);
        both.then(|| Self::new(classifier.clone()))
    }

    /// The same network with products in another precision.
    ///
    /// # Errors
    /// Those of [`Classifier::with_precision`].
    pub fn with_precision(self, precision: ComputePrecision) -> Result<Self, ModelError> {
        let classifier = Classifier::clone(&self.0);
        classifier.with_precision(precision).map(Self::new)
    }

    /// The classifier.
    pub fn classifier(&self) -> &Classifier {
        &self.0
    }
}

impl fmt::Debug for MixedModel {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let classes = self.0.card().classes.len();
        formatter.debug_tuple("MixedModel").field(&classes).finish()
    }
}
