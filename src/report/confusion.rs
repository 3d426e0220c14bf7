//! The confusion matrix as a picture: a heat map in SVG, and the table of the most frequent mistakes.
//!
//! The stronger a cell's colour, the larger its fraction of the true class: blue on the diagonal (correct), red elsewhere (wrong).
//! The tooltip of a cell has the count.

use maud::{Markup, html};

use super::format::percent;
use crate::metrics::classification::Confusion;

/// Height and width of a cell in units of the picture.
const CELL: usize = 20;
/// Font size of labels and axis titles.
const FONT: usize = 13;
/// Room for one letter of a label: a bit more than half its height, as in common sans-serif fonts.
const LETTER_WIDTH: usize = 8;
/// Longest label in characters; longer names end in an ellipsis, the tooltip has them in full.
const LONGEST_LABEL: usize = 14;
/// Room between a label and the cells.
const GAP: usize = 6;
/// Room for an axis title.
const TITLE: usize = 22;
/// With more classes than this, labels would be too small to read on a page; then only every n-th is written.
const MOST_LABELS: usize = 60;
/// Largest size of a unit of the picture in CSS pixels, so that few classes do not get huge labels; and smallest width.
const MOST_PIXELS: (f64, f64) = (1.25, 320.0);
/// Opacity of the palest cell with a count: a single mistake must be visible.
const PALEST: f64 = 0.18;

/// The heat map as an SVG element: rows are true classes, columns predicted ones.
pub fn heat_map(confusion: &Confusion) -> Markup {
    let size = confusion.classes().len();
    let labels: Vec<String> = confusion.classes().iter().map(|c| shorten(c)).collect();
    let longest = labels.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let every = size.div_ceil(MOST_LABELS).max(1);
    let upright = longest <= 2;
    // When only every n-th label is written, it can be n times larger.
    let font = FONT * every;
    let label_room = (longest.max(2) * LETTER_WIDTH + GAP) * every;
    let origin = TITLE * every + label_room;
    let (side, end) = (size * CELL, origin + size * CELL + GAP);
    let middle = |index: usize| origin + index * CELL + CELL / 2;
    let axis_middle = origin + side / 2;
    let title_at = TITLE * every * 2 / 3;
    let widest = (end as f64 * MOST_PIXELS.0).max(MOST_PIXELS.1);
    html! {
        svg.heat style=(format!("max-width:{widest:.0}px")) viewBox=(format!("0 0 {end} {end}")) role="img" xmlns="http://www.w3.org/2000/svg"
            aria-label="Confusion matrix: rows are true classes, columns predicted classes" {
            rect.ground x=(origin) y=(origin) width=(side) height=(side) {}
            (cells(confusion, origin))
            g font-size=(font) {
                text x=(axis_middle) y=(title_at) text-anchor="middle" { "predicted" }
                text transform=(format!("translate({title_at} {axis_middle}) rotate(-90)")) text-anchor="middle" {
                    "truth"
                }
                @for (index, label) in labels.iter().enumerate().step_by(every) {
                    text x=(origin - GAP) y=(middle(index)) dy=".35em" text-anchor="end" { (label) }
                    @if upright {
                        text x=(middle(index)) y=(origin - GAP) text-anchor="middle" { (label) }
                    } @else {
                        text dy=".35em" transform=(format!(
                            "translate({} {}) rotate(-90)", middle(index), origin - GAP
                        )) { (label) }
                    }
                }
            }
        }
    }
}

/// The cells with counts, and the lines between all cells.
fn cells(confusion: &Confusion, origin: usize) -> Markup {
    let (classes, counts) = (confusion.classes(), confusion.counts());
    let place = |index: usize| origin + index * CELL;
    let end = place(classes.len());
    html! {
        @for (truth, (class, row)) in classes.iter().zip(counts).enumerate() {
            @let support: u64 = row.iter().sum();
            @for (predicted, (other, &count)) in classes.iter().zip(row).enumerate() {
                @if count > 0 {
                    @let share = count as f64 / support as f64;
                    @let kind = if truth == predicted { "hit" } else { "miss" };
                    rect class=(kind) x=(place(predicted)) y=(place(truth)) width=(CELL) height=(CELL)
                        fill-opacity=(format!("{:.3}", opacity(share, truth == predicted))) {
                        title {
                            (class) " predicted as " (other) ": " (count) " of " (support)
                            " (" (percent(share, 1)) ")"
                        }
                    }
                }
            }
        }
        @for index in 0..=classes.len() {
            line.ruler x1=(origin) x2=(end) y1=(place(index)) y2=(place(index)) {}
            line.ruler y1=(origin) y2=(end) x1=(place(index)) x2=(place(index)) {}
        }
    }
}

/// The `n` most frequent mistakes as a table. None when there are no mistakes.
pub fn most_confused_table(confusion: &Confusion, n: usize) -> Option<Markup> {
    let pairs = confusion.most_confused(n);
    if pairs.is_empty() {
        return None;
    }
    Some(html! {
        table {
            thead {
                tr { th { "Truth → predicted" } th { "Count" } th title="of the samples of the true class" { "Share" } }
            }
            tbody {
                @for pair in pairs {
                    tr {
                        th scope="row" { (pair.truth) " → " (pair.predicted) }
                        td { (pair.count) }
                        td { (percent(pair.share, 1)) }
                    }
                }
            }
        }
    })
}

/// A fraction in (0, 1] -> how opaque its cell is. Of mistakes, the square root is shown: those of 1 % must be visible next to
/// hits of 99 %.
pub(super) fn opacity(share: f64, hit: bool) -> f64 {
    PALEST + (1.0 - PALEST) * if hit { share } else { share.sqrt() }
}

/// A class's name as a label.
fn shorten(name: &str) -> String {
    if name.chars().count() <= LONGEST_LABEL {
        return name.to_string();
    }
    let start: String = name.chars().take(LONGEST_LABEL - 1).collect();
    format!("{start}…")
}
