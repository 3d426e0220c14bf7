//! `kiln ocr --form`: a row per page.

use std::path::{Path, PathBuf};

use crate::cli::destinations;
use crate::cli::failure::{Failure, UsageError, VerbResult};
use crate::cli::loading;
use crate::cli::paging::PageArgs;
use crate::cli::terminal::output;
use crate::cli::terminal::stages::listening_monitor;
use crate::document::PageImage;
use crate::files;
use crate::inference::Classifier;
use crate::ocr::forms::{self, Form, FormRow};
use crate::ocr::{ReadOptions, Unreadable};

/// What to read, and where to.
pub struct FormRequest<'a> {
    pub form: &'a Path,
    pub images: &'a [PathBuf],
    pub pages: &'a PageArgs,
    pub classifier: Classifier,
    pub options: ReadOptions,
    /// JSON instead of CSV.
    pub json: bool,
    pub output: Option<&'a Path>,
}

/// Reads the boxes of a form on every image.
pub fn run(request: &FormRequest) -> VerbResult {
    let form = Form::open(request.form)?;
    let (inputs, several) = request.pages.list(request.images)?;
    let is_read =
        |path: &Path| path == request.form || inputs.iter().any(|input| input.path() == path);
    if let Some(path) = request.output.filter(|path| is_read(path)) {
        let problem = format!(
            "--output {}: is read by this command; use another name",
            path.display()
        );
        return Err(UsageError(problem).into());
    }
    request
        .output
        .map_or(Ok(()), destinations::require_folder)?;
    let mut rows: Vec<FormRow> = Vec::new();
    let mut failed = 0;
    let monitor = listening_monitor()?;
    loading::each(
        &inputs,
        request.pages.reads(),
        monitor.cancel(),
        |index, loaded| {
            let name = inputs[index].name();
            let read = |page| read_row(request, &form, &name, page);
            match loaded.map_err(Failure::from).and_then(read) {
                Ok(row) => rows.push(row),
                Err(error) if !several => return Err(error),
                Err(error) => {
                    output::note(&format!("error: {error}"));
                    failed += 1;
                }
            }
            Ok(())
        },
    )?;
    if !rows.is_empty() {
        let bytes = if request.json {
            forms::to_json(&rows)?
        } else {
            forms::to_csv(&form, &rows).map_err(|error| Failure::failed(error.to_string()))?
        };
        match request.output {
            Some(path) => files::write(path, &bytes)?,
            None => output::emit_bytes(&bytes)?,
        }
    }
    loading::all_were_read(failed, &inputs)
}

/// Reads the boxes of a form on one page, and tells what is unusual about the page.
fn read_row(
    request: &FormRequest,
    form: &Form,
    name: &str,
    page: PageImage,
) -> Result<FormRow, Failure> {
    for note in &page.notes {
        output::note(&format!("{name}: {note}"));
    }
    let photo = page.photo.into_rgb8();
    let (classifier, options) = (&request.classifier, &request.options);
    let row = forms::read_form(form, name.to_string(), &photo, classifier, options)
        .map_err(|error| UsageError(format!("{name}: {error}")))?;
    note_unreadable(&row);
    Ok(row)
}

/// Tells of boxes whose marks were read so unsurely that they are left out.
fn note_unreadable(row: &FormRow) {
    for field in &row.fields {
        if let Some(reason @ Unreadable::Unsure(_)) = field.unreadable {
            output::note(&format!(
                "{}: field {:?}: no writing that kiln can read: {reason}",
                row.image, field.name
            ));
        }
    }
}
