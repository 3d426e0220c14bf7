//! What is left of a panic: in WebAssembly it ends the instance with a trap that says nothing.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::one_line;

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the text of a panic for [`last_panic`].
#[wasm_bindgen(start)]
pub fn keep_panics() {
    std::panic::set_hook(Box::new(|info| LAST.set(one_line(info))));
}

/// The text of the panic that ended this instance; empty without one, as where memory ran out.
#[wasm_bindgen(js_name = lastPanic)]
pub fn last_panic() -> String {
    LAST.with_borrow(String::clone)
}
