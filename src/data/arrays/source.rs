//! Images of one shape in memory, one byte or two per value, in three splits.

use super::classes_of_parts;
use super::keys::ArrayKeys;
use super::labels::{Classes, Label};
use super::part::Part;
use super::pixels::Pixels;
use crate::data::split_rule::divide_rest;
use crate::data::{DataError, DataSource, Split, from_quantized};
use crate::shape::ImageShape;

/// Labelled images of one shape in three splits.
#[derive(Debug, Clone)]
pub struct ArraySource {
    shape: ImageShape,
    classes: Vec<String>,
    stored: Vec<Pixels>,
    splits: [Vec<Sample>; 3],
    notes: Vec<String>,
}

/// Where a sample is, and its class.
#[derive(Debug, Clone, Copy)]
struct Sample {
    stored: usize,
    index: usize,
    label: usize,
}

impl ArraySource {
    /// An empty source.
    pub fn new(shape: ImageShape, classes: Vec<String>, notes: Vec<String>) -> Self {
        Self {
            shape,
            classes,
            stored: Vec::new(),
            splits: Default::default(),
            notes,
        }
    }

    /// A source of parts. `classes` are those that a file lists; otherwise they are those of the labels, with the names of
    /// `keys`. `notes` say how the files were understood.
    ///
    /// # Errors
    /// Labels that have no class; classes of validation or test that training lacks, unless they are listed or named; one-hot labels of
    /// several widths. With the file.
    pub fn of_parts(
        keys: &ArrayKeys,
        classes: Option<Classes>,
        parts: Vec<Part>,
        mut notes: Vec<String>,
    ) -> Result<Self, DataError> {
        let classes = match classes {
            Some(classes) => classes,
            None => classes_of_parts::find(keys, &parts)?,
        };
        let parts = of_one_kind(parts);
        if let Some(base) = classes.base().filter(|base| *base != 0) {
            notes.push(format!("labels start at {base}"));
        }
        notes.extend(parts.iter().flat_map(Part::notes));
        let has = Split::ALL.map(|split| parts.iter().any(|part| part.split == split));
        let mut source = Self::new(keys.shape(), classes.names.clone(), notes);
        for part in parts {
            let labels = indices(&classes, &part.labels.labels)
                .map_err(|problem| DataError::format(&part.file, problem))?;
            let splits = if part.split == Split::Train {
                divide_rest(&keys.split, &named(&classes, &labels), has)
            } else {
                vec![part.split; labels.len()]
            };
            source.push(part.images.pixels, splits.into_iter().zip(labels));
        }
        Ok(source)
    }

    /// Appends images, each with its split and its class.
    pub fn push(&mut self, pixels: Pixels, samples: impl Iterator<Item = (Split, usize)>) {
        let stored = self.stored.len();
        self.stored.push(pixels);
        for (index, (split, label)) in samples.enumerate() {
            self.splits[split.index()].push(Sample {
                stored,
                index,
                label,
            });
        }
    }
}

/// Labels are names if some of them are: a table may have `7` and `A`, and another only `7`.
fn of_one_kind(mut parts: Vec<Part>) -> Vec<Part> {
    let is_name = |label: &Label| matches!(label, Label::Name(_));
    let mut labels = parts.iter().flat_map(|part| &part.labels.labels);
    if labels.any(is_name) {
        for label in parts.iter_mut().flat_map(|part| &mut part.labels.labels) {
            *label = Label::Name(label.to_string());
        }
    }
    parts
}

fn indices(classes: &Classes, labels: &[Label]) -> Result<Vec<usize>, String> {
    let index = |label: &Label| {
        let index = classes.index(label);
        index.ok_or_else(|| format!("label {label} has no class"))
    };
    labels.iter().map(index).collect()
}

/// The name of each sample, by which sets are divided: its class and its number in it, from 0.
fn named(classes: &Classes, labels: &[usize]) -> Vec<(String, usize)> {
    let mut seen = vec![0usize; classes.names.len()];
    let name = |&label: &usize| {
        seen[label] += 1;
        let name = format!("{}{}", classes.names[label], seen[label] - 1);
        (name, label)
    };
    labels.iter().map(name).collect()
}

impl DataSource for ArraySource {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        self.splits[split.index()].len()
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.splits[split.index()][index].label
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        _draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let sample = self.splits[split.index()][index];
        let size = self.shape.values();
        let start = sample.index * size;
        match &self.stored[sample.stored] {
            Pixels::Bytes(values) => {
                for (out, &value) in out.iter_mut().zip(&values[start..][..size]) {
                    *out = f32::from(value) / 255.0;
                }
            }
            Pixels::Words(values) => {
                for (out, &value) in out.iter_mut().zip(&values[start..][..size]) {
                    *out = from_quantized(value);
                }
            }
        }
        Ok(())
    }
}
