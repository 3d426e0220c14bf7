//! Rows of a form as CSV and JSON.

use super::definition::Form;
use super::fields::FormRow;

/// One line per page under a line of the fields' names (RFC 4180; UTF-8). The first column is the image.
///
/// # Errors
/// Memory ended.
pub fn to_csv(form: &Form, rows: &[FormRow]) -> std::io::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let names = form.fields.iter().map(|field| field.name.as_str());
    table.write_record(std::iter::once("image").chain(names))?;
    for row in rows {
        let texts = row.fields.iter().map(|field| field.text.as_str());
        table.write_record(std::iter::once(row.image.as_str()).chain(texts))?;
    }
    table.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// A list with an object per page: its image, and text and confidence of each field.
///
/// # Errors
/// None that text can cause.
pub fn to_json(rows: &[FormRow]) -> serde_json::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(rows)?;
    json.push(b'\n');
    Ok(json)
}
