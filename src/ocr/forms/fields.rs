//! Reads the boxes of a form on one page.

use image::RgbImage;
use image::imageops::crop_imm;
use serde::Serialize;

use super::definition::{Field, Form};
use crate::inference::Classifier;
use crate::ocr::options::ReadOptions;
use crate::ocr::reader::{Reading, read_with};
use crate::ocr::unreadable::{ReadError, Unreadable};

/// What is written in a box.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldText {
    /// The name of the field.
    pub name: String,
    /// Its lines, joined by spaces; empty for a box without text that kiln can read.
    pub text: String,
    /// Mean confidence of its letters, in [0, 1]; 0 for a box without text.
    pub confidence: f32,
    /// Why nothing was read; `None` if there is text.
    #[serde(skip)]
    pub unreadable: Option<Unreadable>,
}

/// What is written on one page of a form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormRow {
    /// The name of the image.
    pub image: String,
    /// In the form's order.
    pub fields: Vec<FieldText>,
}

/// Reads the boxes of a form on an upright page; a field's alphabet takes the place of the options'.
///
/// # Errors
/// [`ReadError`]: a box is outside of the page, the model knows none of a field's characters, or the device failed.
pub fn read_form(
    form: &Form,
    image: String,
    photo: &RgbImage,
    classifier: &Classifier,
    options: &ReadOptions,
) -> Result<FormRow, ReadError> {
    let mut fields = Vec::new();
    for field in &form.fields {
        let [left, top, width, height] = in_pixels(field, form, photo).ok_or_else(|| {
            ReadError::Unsuitable(format!(
                "field {:?}: its box is outside of the page, which has {}x{} pixels",
                field.name,
                photo.width(),
                photo.height()
            ))
        })?;
        let part = crop_imm(photo, left, top, width, height).to_image();
        let options = ReadOptions {
            alphabet: field.alphabet.clone(),
            ..options.clone()
        };
        let Reading {
            page, unreadable, ..
        } = read_with(&part, classifier, &options)?;
        fields.push(FieldText {
            name: field.name.clone(),
            text: page.text_lines().join(" "),
            confidence: page.confidence(),
            unreadable,
        });
    }
    Ok(FormRow { image, fields })
}

/// A field's box in pixels of the photograph, cut at its edges; `None` if nothing of it is on the page.
fn in_pixels(field: &Field, form: &Form, photo: &RgbImage) -> Option<[u32; 4]> {
    let (width, height) = photo.dimensions();
    let (form_width, form_height) = form.size.unwrap_or((width, height));
    let across = width as f32 / form_width as f32;
    let down = height as f32 / form_height as f32;
    let [left, top, box_width, box_height] = field.bounds;
    // Casts saturate.
    let first = |at: f32, scale: f32| (at * scale).round() as u32;
    let (x, y) = (first(left, across), first(top, down));
    let right = first(left + box_width, across).min(width);
    let bottom = first(top + box_height, down).min(height);
    (x < right && y < bottom).then(|| [x, y, right - x, bottom - y])
}
