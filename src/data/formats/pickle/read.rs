//! What a pickle holds, by the names of its dictionary.

use super::item::{Id, Item, Stored};
use super::machine;
use crate::data::formats::array::{self, Array, Values};
use crate::data::formats::numbers::{self, Kind};

/// What a pickle describes.
#[derive(Debug)]
pub struct Pickle<'a> {
    items: Vec<Item<'a>>,
    root: Id,
}

impl<'a> Pickle<'a> {
    /// Reads a pickle of protocol 0 to 5.
    ///
    /// # Errors
    /// Not a pickle, damaged, or one that calls something unknown; one problem without the file's name.
    pub fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let (items, root) = machine::run(bytes)?;
        Ok(Self { items, root })
    }

    /// The array, or the list of whole numbers, that the dictionary has under a name.
    ///
    /// # Errors
    /// There is no such entry, or it is something else.
    pub fn array(&self, name: &str) -> Result<Array, String> {
        let id = self.entry(name)?;
        let wrong = || format!("{name:?} is neither an array nor a list of numbers");
        match self.items.get(id) {
            Some(Item::List(ids)) => {
                let numbers: Option<Vec<i32>> = ids.iter().map(|&id| self.number(id)).collect();
                Ok(Array {
                    dimensions: vec![ids.len()],
                    is_fortran: false,
                    values: Values::Integers(numbers.ok_or_else(wrong)?),
                })
            }
            Some(Item::Array(Some(stored))) => self
                .stored(stored)
                .map_err(|problem| format!("{name:?} {problem}")),
            _ => Err(wrong()),
        }
    }

    /// The list of strings that the dictionary has under a name.
    ///
    /// # Errors
    /// There is no such entry, or it is something else.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let texts = match self.items.get(self.entry(name)?) {
            Some(Item::List(ids)) => ids
                .iter()
                .map(|&id| match self.items.get(id) {
                    Some(Item::Bytes(text)) => Some(String::from_utf8_lossy(text).into_owned()),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        texts.ok_or_else(|| format!("{name:?} is not a list of strings"))
    }

    fn entry(&self, name: &str) -> Result<Id, String> {
        let Some(Item::Dict(pairs)) = self.items.get(self.root) else {
            return Err("is a pickle, but not of a dictionary".into());
        };
        let is_wanted = |&&(key, _): &&(Id, Id)| matches!(self.items.get(key), Some(Item::Bytes(key)) if **key == *name.as_bytes());
        // As in Python, the last of equal keys.
        let found = pairs.iter().rev().find(is_wanted);
        found
            .map(|&(_, value)| value)
            .ok_or_else(|| format!("has no entry {name:?}"))
    }

    fn number(&self, id: Id) -> Option<i32> {
        match self.items.get(id) {
            Some(Item::Integer(number)) => i32::try_from(*number).ok(),
            _ => None,
        }
    }

    fn stored(&self, stored: &Stored) -> Result<Array, String> {
        let wrong = || "is an array without shape, type or values".to_string();
        let Some(Item::List(shape)) = self.items.get(stored.shape) else {
            return Err(wrong());
        };
        let lengths = shape.iter().map(|&id| {
            let length = self.number(id)?;
            usize::try_from(length).ok()
        });
        let dimensions: Vec<usize> = lengths.collect::<Option<_>>().ok_or_else(wrong)?;
        let Some(Item::Dtype { code, order }) = self.items.get(stored.dtype) else {
            return Err(wrong());
        };
        let kind = Kind::of_numpy(code)
            .ok_or_else(|| format!("has values of the type {code:?}; expected numbers"))?;
        let Some(Item::Bytes(bytes)) = self.items.get(stored.bytes) else {
            return Err(wrong());
        };
        let count = array::count(&dimensions)?;
        if count.checked_mul(kind.width()) != Some(bytes.len()) {
            return Err(format!(
                "has {} bytes for {} values",
                bytes.len(),
                array::size(&dimensions)
            ));
        }
        Ok(Array {
            dimensions,
            is_fortran: stored.is_fortran,
            values: numbers::read(&mut &**bytes, count, kind, *order)?,
        })
    }
}
