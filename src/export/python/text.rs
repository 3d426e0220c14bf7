//! Values as Python writes them.

use std::fmt::{Debug, Display};

/// A text in quotes. JSON's escapes mean the same in Python.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A tuple: `(3, 224, 224)`, `(0.5,)`.
pub fn tuple<T: Debug>(values: &[T]) -> String {
    match values {
        [value] => format!("({value:?},)"),
        values => {
            let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            format!("({})", values.join(", "))
        }
    }
}

/// One number where both sides are the same, else a tuple.
pub fn pair([rows, columns]: [usize; 2]) -> String {
    if rows == columns {
        rows.to_string()
    } else {
        tuple(&[rows, columns])
    }
}

/// The arguments of a call, of which those with defaults may be left out.
#[derive(Debug, Default)]
pub struct Arguments {
    written: Vec<String>,
}

impl Arguments {
    /// Starts with arguments by position.
    pub fn new<T: Display>(arguments: impl IntoIterator<Item = T>) -> Self {
        let written = arguments.into_iter();
        Self {
            written: written.map(|argument| argument.to_string()).collect(),
        }
    }

    /// Adds an argument by name if it has not its default.
    pub fn named<T: PartialEq>(
        mut self,
        name: &str,
        value: T,
        default: T,
        text: impl FnOnce(T) -> String,
    ) -> Self {
        if value != default {
            self.written.push(format!("{name}={}", text(value)));
        }
        self
    }

    /// Adds `name=True` or `name=False` if it is not the default.
    pub fn flag(self, name: &str, value: bool, default: bool) -> Self {
        let text = |value| if value { "True" } else { "False" }.to_string();
        self.named(name, value, default, text)
    }

    /// The call of a function.
    pub fn call(self, function: &str) -> String {
        format!("{function}({})", self.written.join(", "))
    }
}
