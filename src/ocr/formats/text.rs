//! Plain text.

use super::format::Format;
use super::sheet::Sheet;

/// Plain text, one line per line of writing.
pub static TEXT: Format = Format {
    name: "text",
    description: "Plain text, one line per line of the page",
    extensions: &["txt"],
    is_binary: false,
    shows_image: false,
    holds_scores: false,
    write: |sheets, several| Ok(texts(sheets, several, |_| String::new()).into_bytes()),
};

/// The text of all sheets; several get a heading each. `after` gives what follows a sheet's text.
pub fn texts(sheets: &[Sheet], several: bool, after: impl Fn(&Sheet) -> String) -> String {
    let one = |sheet: &Sheet| {
        let heading = if several {
            format!("== {}\n", sheet.name())
        } else {
            String::new()
        };
        let lines = sheet.page.lines.iter();
        let text: String = lines.map(|line| format!("{}\n", line.text)).collect();
        format!("{heading}{text}{}", after(sheet))
    };
    sheets.iter().map(one).collect()
}
