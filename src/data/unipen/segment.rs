//! One line of the file of strokes, checked.

use serde::Deserialize;

use crate::data::source::Split;
use crate::handwriting::strokes::Polyline;

/// One character as it was recorded.
#[derive(Deserialize)]
pub(super) struct Recorded {
    /// The character.
    #[serde(rename = "c")]
    pub character: String,
    q: String,
    /// The file that it was recorded in.
    #[serde(rename = "src")]
    pub source: String,
    /// The pen's paths, in the file's units.
    #[serde(rename = "s")]
    pub strokes: Vec<Polyline>,
    /// Longer side of its box in x-heights of the same writer.
    #[serde(rename = "l")]
    pub longer: Option<f32>,
    split: Option<String>,
}

impl Recorded {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let line: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if line.strokes.is_empty() || line.strokes.iter().any(Vec::is_empty) {
            return Err("\"s\" has a stroke without points, or no stroke".into());
        }
        let mut coordinates = line.strokes.iter().flatten().flatten();
        if coordinates.any(|value| !value.is_finite()) {
            return Err("\"s\" has a coordinate that is not a finite number".into());
        }
        match line.longer {
            Some(longer) if !(longer.is_finite() && longer >= 0.0) => Err(format!(
                "\"l\" is {longer}; expected a finite number of at least 0, or null"
            )),
            _ => Ok(line),
        }
    }

    /// Whether the contributor verified its label.
    pub fn is_verified(&self) -> Result<bool, String> {
        match self.q.as_str() {
            "OK" => Ok(true),
            "?" => Ok(false),
            other => Err(format!("\"q\" is {other:?}; expected \"OK\" or \"?\"")),
        }
    }

    /// The split that the file gives it; `extra` (writers with other sheets elsewhere) is for training.
    pub fn split(&self) -> Result<Split, String> {
        match self.split.as_deref() {
            Some("train" | "extra") => Ok(Split::Train),
            Some("valid") => Ok(Split::Valid),
            Some("test") => Ok(Split::Test),
            other => Err(format!(
                "\"split\" is {}; expected \"train\", \"extra\", \"valid\" or \"test\", or set data.recorded_split to false",
                other.map_or("missing".into(), |other| format!("{other:?}"))
            )),
        }
    }
}
