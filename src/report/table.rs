//! Tables of text: as columns for a terminal and as HTML for a page, with the same content.

use std::collections::BTreeSet;

use maud::{Markup, html};

pub use super::format::ABSENT;
use super::format::NO_BREAK_SPACE;
use crate::error::printable;

/// Spaces between two columns of a terminal.
const GAP: &str = "  ";

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns of words, which are aligned left; numbers are aligned right.
    words: BTreeSet<usize>,
}

impl Table {
    /// A table without rows. The first column is one of words.
    pub fn new(header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            header: header.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
            words: BTreeSet::from([0]),
        }
    }

    /// Declares the columns of words; all others are of numbers.
    pub fn with_words(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.words = columns.into_iter().collect();
        self
    }

    /// Adds a row with a cell for each column.
    pub fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().collect());
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table with its first rows only.
    pub fn top(mut self, rows: usize) -> Self {
        self.rows.truncate(rows);
        self
    }

    /// Columns of text, one line per row; for terminals, so that no-break spaces become plain ones, and codes that a terminal obeys are
    /// shown.
    pub fn text(&self) -> String {
        let lines = std::iter::once(&self.header).chain(&self.rows);
        let shown = |line: &Vec<String>| line.iter().map(printable).collect::<Vec<String>>();
        let lines: Vec<Vec<String>> = lines.map(shown).collect();
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, width))| {
                    if self.words.contains(&column) {
                        format!("{cell:<width$}")
                    } else {
                        format!("{cell:>width$}")
                    }
                })
                .collect();
            text += cells.join(GAP).trim_end();
            text.push('\n');
        }
        text.replace(NO_BREAK_SPACE, " ")
    }

    /// The table as an element; `key` may put something before a row's first cell.
    pub fn html(&self, key: impl Fn(usize) -> Markup) -> Markup {
        let class = |column: usize| self.words.contains(&column).then_some("words");
        html! {
            table {
                thead {
                    tr {
                        @for (column, cell) in self.header.iter().enumerate() {
                            th class=[class(column)] { (cell) }
                        }
                    }
                }
                tbody {
                    @for (index, row) in self.rows.iter().enumerate() {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @if column == 0 {
                                    th.nowrap scope="row" { (key(index)) (cell) }
                                } @else {
                                    td class=[class(column)] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
