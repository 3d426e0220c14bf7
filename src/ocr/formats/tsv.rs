//! TSV with Tesseract's columns: a row per page, block, paragraph, line and word.

use super::format::Format;
use super::sheet::Sheet;
use crate::segmentation::Rect;

/// The names of the columns.
const HEADER: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n";
/// Confidence of everything but words.
const NO_CONFIDENCE: &str = "-1";

/// Tab-separated values with Tesseract's columns.
pub static TSV: Format = Format {
    name: "tsv",
    description: "TSV with Tesseract's columns",
    extensions: &["tsv"],
    is_binary: false,
    shows_image: false,
    holds_scores: false,
    write: |sheets, _| Ok(tsv(sheets).into_bytes()),
};

/// A table of all sheets: numbers count from 1, boxes are in pixels of the upright image, confidences of words in per cent. A page's
/// lines are one paragraph of one block.
pub fn tsv(sheets: &[Sheet]) -> String {
    let mut out = String::from(HEADER);
    for (sheet, page) in sheets.iter().zip(1..) {
        let whole = Rect {
            x: 0,
            y: 0,
            width: sheet.page.width,
            height: sheet.page.height,
        };
        out += &row([1, page, 0, 0, 0, 0], whole, NO_CONFIDENCE, "");
        let Some(block) = sheet.page.bounds() else {
            continue;
        };
        out += &row([2, page, 1, 0, 0, 0], block, NO_CONFIDENCE, "");
        out += &row([3, page, 1, 1, 0, 0], block, NO_CONFIDENCE, "");
        for (line, number) in sheet.page.lines.iter().zip(1..) {
            out += &row([4, page, 1, 1, number, 0], line.bounds, NO_CONFIDENCE, "");
            for (word, position) in line.words.iter().zip(1..) {
                let confidence = format!("{:.4}", 100.0 * word.confidence);
                let at = [5, page, 1, 1, number, position];
                out += &row(at, word.bounds, &confidence, &word.text);
            }
        }
    }
    out
}

/// A row; `at` holds the level and the numbers of page, block, paragraph, line and word.
fn row(at: [usize; 6], bounds: Rect, confidence: &str, text: &str) -> String {
    let [level, page, block, paragraph, line, word] = at;
    let Rect {
        x,
        y,
        width,
        height,
    } = bounds;
    // The format has no escape for its own separators.
    let text = text.replace(|c: char| c.is_control(), " ");
    format!(
        "{level}\t{page}\t{block}\t{paragraph}\t{line}\t{word}\t{x}\t{y}\t{width}\t{height}\t{confidence}\t{text}\n"
    )
}
