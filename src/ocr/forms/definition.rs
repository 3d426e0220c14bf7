//! The file that describes a form.

use std::path::Path;

use serde::Deserialize;

use crate::error::{FileError, one_line};
use crate::files::{self, without_mark};
use crate::ocr::alphabet::Alphabet;

/// What a form's file is, for error messages.
const EXPECTED: &str = "a form is a JSON file such as {\"size\": [1240, 1754], \"fields\": [{\"name\": \"postcode\", \"box\": [100, 200, \
     400, 80], \"alphabet\": \"digits\"}]}, with boxes as [left, top, width, height] in pixels of a page of that size";

/// A form: named boxes on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Width and height of the page that the boxes are on, in pixels; `None` for that of each image.
    pub size: Option<(u32, u32)>,
    /// At least one; names are unique.
    pub fields: Vec<Field>,
}

/// One box.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name: the head of its column.
    pub name: String,
    /// Left, top, width and height in pixels.
    pub bounds: [f32; 4],
    /// What may be written in it.
    pub alphabet: Alphabet,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormFile {
    #[serde(default)]
    size: Option<[u32; 2]>,
    fields: Vec<FieldEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEntry {
    name: String,
    #[serde(rename = "box")]
    bounds: [f32; 4],
    #[serde(default)]
    alphabet: Option<String>,
}

impl Form {
    /// Reads a form from a JSON file.
    ///
    /// # Errors
    /// [`FileError`] (wrong usage): the file can't be read or is not a form; it names the field.
    pub fn open(path: &Path) -> Result<Form, FileError> {
        let text = files::read_text(path)
            .map_err(|error| FileError::named(path, error).advise(EXPECTED))?;
        Form::parse(&text).map_err(|problem| FileError::new(path, problem).advise(EXPECTED).usage())
    }

    fn parse(text: &str) -> Result<Form, String> {
        let file: FormFile = serde_json::from_str(without_mark(text))
            .map_err(|error| one_line(format!("not a form: {error}")))?;
        if file.fields.is_empty() {
            return Err("has no fields".into());
        }
        if file
            .size
            .is_some_and(|[width, height]| width == 0 || height == 0)
        {
            return Err("size: width and height must be at least 1".into());
        }
        let mut fields: Vec<Field> = Vec::new();
        for entry in file.fields {
            let name = entry.name;
            if name.trim().is_empty() {
                return Err(format!("fields[{}]: the name is empty", fields.len()));
            }
            if fields.iter().any(|known| known.name == name) {
                return Err(format!("two fields are called {name:?}"));
            }
            let [left, top, width, height] = entry.bounds;
            if !(left >= 0.0 && top >= 0.0 && width >= 1.0 && height >= 1.0) {
                return Err(format!(
                    "field {name:?}: the box must begin at 0 or more, and be at least 1 pixel wide and high"
                ));
            }
            let alphabet = entry.alphabet.as_deref().unwrap_or("all");
            let alphabet = alphabet
                .parse()
                .map_err(|problem| format!("field {name:?}: alphabet: {problem}"))?;
            fields.push(Field {
                name,
                bounds: entry.bounds,
                alphabet,
            });
        }
        Ok(Form {
            size: file.size.map(|[width, height]| (width, height)),
            fields,
        })
    }
}
