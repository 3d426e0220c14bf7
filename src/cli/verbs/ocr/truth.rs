//! `--expect`: the file, the folder or the files beside the images that say what is written there.

use std::path::{Path, PathBuf};

use crate::cli::failure::{Failure, UsageError};
use crate::cli::inputs::Input;
use crate::error::FileError;
use crate::files;
use crate::ocr::expect;

/// The word for "a `.txt` beside each image", or what `kiln data page` has written there.
pub const BESIDE: &str = "beside";

/// What the files of single images end in; the first that is there counts.
const ENDINGS: [&str; 2] = ["txt", "json"];

/// What is written on an image, and the file that says so.
pub struct Truth {
    pub file: PathBuf,
    pub lines: Vec<String>,
}

/// The truth of each image. A missing one is an error: rates over some of the pages would look like those of all.
pub fn find(expect: &Path, inputs: &[Input]) -> Result<Vec<Truth>, Failure> {
    if expect.as_os_str() == BESIDE {
        return inputs
            .iter()
            .map(|input| match input {
                Input::File(path) => own(path, input),
                Input::Standard => Err(UsageError(
                    "--expect beside: nothing lies beside standard input; name a file".into(),
                )
                .into()),
            })
            .collect();
    }
    if expect.is_dir() {
        // With an ending, so that one is not taken for it in `page.2`.
        let named = |input: &Input| {
            let mut name = input.stem().into_os_string();
            name.push(".png");
            expect.join(name)
        };
        return inputs
            .iter()
            .map(|input| own(&named(input), input))
            .collect();
    }
    let truth = files::read_text(expect).map_err(|error| {
        FileError::io(expect, error).advise(format!(
            "--expect takes a text or JSON file, a folder of .txt files, or the word {BESIDE}"
        ))
    })?;
    let of = |input: &Input| truth_in(&truth, expect, input);
    inputs.iter().map(of).collect()
}

/// The lines of an image's own file, which is named as `image` is but for the ending.
fn own(image: &Path, input: &Input) -> Result<Truth, Failure> {
    let candidates = ENDINGS.map(|ending| image.with_extension(ending));
    let there = candidates.iter().find(|path| path.exists());
    let file = there.unwrap_or(&candidates[0]);
    let truth = files::read_text(file).map_err(|error| {
        UsageError(format!(
            "{}: {error}; --expect needs it for {}",
            file.display(),
            input.name()
        ))
    })?;
    match file == &candidates[0] {
        true => Ok(Truth {
            lines: expect::text_lines(&truth),
            file: file.clone(),
        }),
        false => truth_in(&truth, file, input),
    }
}

fn truth_in(truth: &str, file: &Path, input: &Input) -> Result<Truth, Failure> {
    let lines = expect::lines(truth, &input.file_name())
        .map_err(|problem| UsageError(format!("{}: {problem}", file.display())))?;
    Ok(Truth {
        lines,
        file: file.to_path_buf(),
    })
}
