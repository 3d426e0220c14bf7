//! The reader with its models.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use super::answer::Answer;
use super::options::Options;
use crate::document::{DEFAULT_DPI, Document};
use crate::inference::Classifier;
use crate::ocr::formats::{JSON, Sheet, TEXT, page_name};
use crate::ocr::{self, MixedModel, ReadOptions};

/// The models that kiln ships, ready to read.
#[wasm_bindgen]
pub struct Reader {
    classifier: Classifier,
    mixed: MixedModel,
}

#[wasm_bindgen]
impl Reader {
    /// Loads the models, which are part of the module.
    ///
    /// # Errors
    /// The models can't be loaded.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Reader, JsError> {
        let device = Device::flex();
        Ok(Self {
            classifier: ocr::shipped_model(&device)?,
            mixed: ocr::shipped_mixed_model(&device)?,
        })
    }

    /// Reads the pages of an image file. `options` is a JSON object; its keys are those of `ReadOptions` in the package's types.
    ///
    /// # Errors
    /// In one line: an option that is not known or not possible, a file that can't be decoded.
    pub fn read(&self, bytes: Vec<u8>, options: &str) -> Result<Answer, JsError> {
        self.answer(bytes, options)
            .map_err(|problem| JsError::new(&problem))
    }
}

impl Reader {
    fn answer(&self, bytes: Vec<u8>, options: &str) -> Result<Answer, String> {
        let options = Options::parse(options)?;
        let name = options.name();
        let reading = ReadOptions {
            mixed: Some(self.mixed.clone()),
            ..options.reading()?
        };
        ocr::check_alphabet(&self.classifier, &reading.alphabet)
            .map_err(|error| error.to_string())?;
        let document = Document::new(Arc::new(bytes), Path::new(name));
        let document = document.map_err(|error| error.to_string())?;
        let count = document.pages();
        let (mut sheets, mut notes) = (Vec::new(), Vec::new());
        for number in options.pages(count)? {
            let sheet = self.page(&document, number, name, &reading, &mut notes)?;
            sheets.push(sheet);
        }
        let several = sheets.len() > 1;
        let write = |format: &ocr::formats::Format| {
            let bytes = format.write(&sheets, several);
            let bytes = bytes.map_err(|error| error.to_string())?;
            String::from_utf8(bytes).map_err(|error| error.to_string())
        };
        Ok(Answer {
            json: write(&JSON)?,
            text: write(&TEXT)?,
            notes,
        })
    }

    /// Reads a page, by its number from 1.
    fn page(
        &self,
        document: &Document,
        number: usize,
        file: &str,
        options: &ReadOptions,
        notes: &mut Vec<String>,
    ) -> Result<Sheet, String> {
        let page_number = (document.pages() > 1).then_some(number);
        let name = page_number.map_or_else(|| file.into(), |number| page_name(file, number));
        let image = document
            .page(number, DEFAULT_DPI, Path::new(&name))
            .map_err(|error| error.to_string())?;
        notes.extend(image.notes.iter().map(|note| format!("{name}: {note}")));
        let photo = image.photo.into_rgb8();
        let reading = ocr::read_with(&photo, &self.classifier, options)
            .map_err(|error| format!("{name}: {error}"))?;
        if let Some(reason) = reading.unreadable {
            notes.push(format!("{name}: no writing that kiln can read: {reason}"));
        }
        Ok(Sheet {
            image: file.into(),
            page_number,
            page: reading.page,
            score: None,
            picture: None,
        })
    }
}
