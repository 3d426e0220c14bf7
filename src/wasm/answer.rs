//! What was read of a file, in the forms that JavaScript takes.

use wasm_bindgen::prelude::wasm_bindgen;

/// The pages of a file.
#[wasm_bindgen]
pub struct Answer {
    pub(super) json: String,
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

#[wasm_bindgen]
impl Answer {
    /// What `kiln ocr --json` prints: an object for one page, a list of them for several.
    #[wasm_bindgen(getter)]
    pub fn json(&self) -> String {
        self.json.clone()
    }

    /// What `kiln ocr` prints: a line for each line of a page; several pages have headings.
    #[wasm_bindgen(getter)]
    pub fn text(&self) -> String {
        self.text.clone()
    }

    /// What was left out, and why a page has no text, in a line each.
    #[wasm_bindgen(getter)]
    pub fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}
