//! `--expect`: the file, the folder or the files beside the images that say what is written there.

use std::path::{Path, PathBuf};

use super::inputs::Input;
use crate::cli::output::UsageError;
use crate::ocr::expect;

/// The word for "a `.txt` beside each image".
pub const BESIDE: &str = "beside";

/// The lines of each image. A missing one is an error: rates over some of the pages would look like those of all.
pub fn find(expect: &Path, inputs: &[Input]) -> anyhow::Result<Vec<Vec<String>>> {
    if expect.as_os_str() == BESIDE {
        return inputs
            .iter()
            .map(|input| match input {
                Input::File(path) => text(path.with_extension("txt"), input),
                Input::Standard => Err(UsageError(
                    "--expect beside: nothing lies beside standard input; name a file".into(),
                )
                .into()),
            })
            .collect();
    }
    if expect.is_dir() {
        let file = |input: &Input| {
            let mut name = input.stem().into_os_string();
            name.push(".txt");
            expect.join(name)
        };
        return inputs
            .iter()
            .map(|input| text(file(input), input))
            .collect();
    }
    let truth = std::fs::read_to_string(expect).map_err(|error| {
        anyhow::anyhow!(
            "{}: {error}; --expect takes a text or JSON file, a folder of .txt files, or the word {BESIDE}",
            expect.display()
        )
    })?;
    let lines = |input: &Input| {
        expect::lines(&truth, &input.file_name())
            .map_err(|problem| UsageError(format!("{}: {problem}", expect.display())).into())
    };
    inputs.iter().map(lines).collect()
}

/// The lines of an image's own text file.
fn text(file: PathBuf, input: &Input) -> anyhow::Result<Vec<String>> {
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(expect::text_lines(&text)),
        Err(error) => Err(UsageError(format!(
            "{}: {error}; --expect needs it for {}",
            file.display(),
            input.name()
        ))
        .into()),
    }
}
