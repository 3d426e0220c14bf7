//! `kiln model export`

use std::path::Path;

use crate::cli::destinations;
use crate::cli::failure::VerbResult;
use crate::cli::open;
use crate::cli::terminal::output;
use crate::export::{self, GraphOptions};

pub fn run(run: &Path, out: &Path, options: GraphOptions) -> VerbResult {
    let outputs = export::outputs(out, options)?;
    let model = open::model(run, None)?;
    let files = outputs.iter().map(|path| path.as_path());
    destinations::refuse_overwrite(files, [model.file.as_path()])?;
    export::export(&model.for_image_files()?, out, options)?;
    let lines = outputs.iter().map(|path| format!("{}\n", path.display()));
    Ok(output::emit(&lines.collect::<String>())?)
}
