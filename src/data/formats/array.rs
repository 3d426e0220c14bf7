//! An array as a NumPy, MATLAB or MNIST file stores it: its dimensions, the order of its values, and the values.

/// Largest number of values in an array: as many as SVHN's training images have, eight times.
pub const MAX_VALUES: u64 = 2 << 30;
/// Largest number of dimensions; NumPy's own limit is 64, and images have four.
pub const MAX_DIMENSIONS: usize = 8;

/// An array of numbers or strings.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length of each dimension; their product is the number of values.
    pub dimensions: Vec<usize>,
    /// Whether the first index varies fastest, as in MATLAB and Fortran; otherwise the last one does, as in C.
    pub is_fortran: bool,
    /// The values in the order of the file.
    pub values: Values,
}

/// The values of an array. Other types of the file become the next larger of these.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Whole numbers from 0 to 255.
    Bytes(Vec<u8>),
    /// Whole numbers.
    Integers(Vec<i32>),
    /// Other numbers.
    Floats(Vec<f32>),
    /// Texts.
    Texts(Vec<String>),
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::Bytes(values) => values.len(),
            Values::Integers(values) => values.len(),
            Values::Floats(values) => values.len(),
            Values::Texts(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One value as a number; `None` for a text, and beyond the end.
    pub fn number(&self, index: usize) -> Option<f64> {
        match self {
            Values::Bytes(values) => values.get(index).map(|&value| value.into()),
            Values::Integers(values) => values.get(index).map(|&value| value.into()),
            Values::Floats(values) => values.get(index).map(|&value| value.into()),
            Values::Texts(_) => None,
        }
    }
}

impl Array {
    /// How far apart the values of two neighbours are, for each dimension.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.dimensions.len()];
        let mut step = 1;
        let mut take = |axis: usize| {
            strides[axis] = step;
            step *= self.dimensions[axis];
        };
        if self.is_fortran {
            (0..self.dimensions.len()).for_each(&mut take);
        } else {
            (0..self.dimensions.len()).rev().for_each(&mut take);
        }
        strides
    }

    /// Says where the value with an index is, by its indices from 0: `value [3, 0, 27]`. For messages after the array is gone.
    pub fn places(&self) -> impl Fn(usize) -> String + use<> {
        let (strides, dimensions) = (self.strides(), self.dimensions.clone());
        move |index| {
            let indices = strides.iter().zip(&dimensions);
            let indices = indices.map(|(stride, length)| index / stride.max(&1) % length.max(&1));
            let indices: Vec<String> = indices.map(|index| index.to_string()).collect();
            format!("value [{}]", indices.join(", "))
        }
    }

    /// The dimensions as text: `60000x28x28`.
    pub fn size(&self) -> String {
        size(&self.dimensions)
    }
}

/// Dimensions as text: `60000x28x28`; a single number has the size `1`.
pub fn size(dimensions: &[usize]) -> String {
    match dimensions {
        [] => "1".into(),
        _ => {
            let lengths: Vec<String> = dimensions.iter().map(usize::to_string).collect();
            lengths.join("x")
        }
    }
}

/// The number of values that an array of these dimensions has.
///
/// # Errors
/// More than [`MAX_DIMENSIONS`] or [`MAX_VALUES`].
pub fn count(dimensions: &[usize]) -> Result<usize, String> {
    if dimensions.len() > MAX_DIMENSIONS {
        return Err(format!(
            "has {} dimensions; at most {MAX_DIMENSIONS} are read",
            dimensions.len()
        ));
    }
    // A dimension of length 0 must not hide one that is too long.
    let checked = dimensions.iter().try_fold(1u64, |product, &length| {
        let product = product.checked_mul((length as u64).max(1))?;
        (product <= MAX_VALUES).then_some(product)
    });
    if checked.is_none() {
        return Err(format!(
            "claims {} values; at most {MAX_VALUES} are read",
            size(dimensions)
        ));
    }
    Ok(dimensions.iter().product())
}
