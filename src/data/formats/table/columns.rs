//! Which column of a table holds the labels, and which hold no pixels.

use crate::data::formats::choice::{Choice, choose, quoted};
use crate::error::counted;

/// Most columns.
const MAX_COLUMNS: usize = 4 << 20;

/// Which column has the labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelColumn {
    /// By its name.
    Name(String),
    /// By its index, from 0.
    Index(usize),
    /// Found by its name; else the only one that is not called like the others, or the first, if there is one column more than pixels.
    Auto,
}

/// Usual names of the column of labels; the first is taken before the others.
const LABEL_NAMES: [&str; 6] = ["label", "labels", "class", "target", "y", "category"];

/// Usual names of columns that say which image a row is. pandas writes its index under no name, and reads that as `Unnamed: 0`.
const ID_NAMES: [&str; 9] = [
    "",
    "id",
    "index",
    "idx",
    "image_id",
    "imageid",
    "filename",
    "file",
    "unnamed: 0",
];

/// What programs write for a missing value, in lower case.
const MISSING: [&str; 6] = ["", "na", "n/a", "null", "none", "?"];

/// Fewest columns of a table whose first line may count them: 0, 1, 2, ... as pandas writes without names.
const MIN_COUNTED: usize = 10;

/// Most columns too many that are taken for other things than pixels.
const MAX_SURPLUS: usize = 4;

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Label,
    Pixel,
    /// Neither: which image it is, or another label.
    Other,
}

/// What is known of the columns before a table is read.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedColumns<'a> {
    /// Which has the labels.
    pub label: &'a LabelColumn,
    /// Numbers in a row besides the label.
    pub pixels: usize,
    /// The columns of another table of the set: one without names has the same, if it has as many.
    pub as_in: Option<&'a Columns>,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// What each is.
    pub(super) roles: Vec<Role>,
    /// Which were the labels and which are not used, in words; empty if there are only pixels.
    pub(super) about: String,
    /// Whether the labels are in the first column for want of anything that says where they are.
    pub(super) is_guess: bool,
    names: Option<Vec<String>>,
}

/// Where the labels are.
struct LabelAt {
    index: usize,
    /// Whether nothing says so.
    is_guess: bool,
}

impl LabelAt {
    fn sure(index: usize) -> Self {
        Self {
            index,
            is_guess: false,
        }
    }
}

/// Whether the first line of a table names its columns.
pub(super) fn are_names(cells: &[String]) -> bool {
    is_counted(cells) || cells.iter().any(|cell| is_name(cell, cells))
}

/// Whether cells count from 0, behind an empty one or not.
fn is_counted(cells: &[String]) -> bool {
    let counted = match cells {
        [first, rest @ ..] if first.is_empty() => rest,
        all => all,
    };
    let mut numbers = counted.iter().enumerate();
    counted.len() >= MIN_COUNTED && numbers.all(|(number, cell)| *cell == number.to_string())
}

/// Whether a cell of the first line is the name of a column: no number and no mark of a missing value. A single one may be a label.
fn is_name(cell: &str, cells: &[String]) -> bool {
    let is_text = |cell: &String| {
        cell.parse::<f64>().is_err() && !MISSING.contains(&cell.to_lowercase().as_str())
    };
    is_one_of(cell, &LABEL_NAMES) || cells.iter().filter(|cell| is_text(cell)).count() > 1
}

fn is_one_of(name: &str, known: &[&str]) -> bool {
    known.iter().any(|known| name.eq_ignore_ascii_case(known))
}

impl Columns {
    /// Tells the columns of a table apart.
    ///
    /// # Errors
    /// Too many columns; no column of labels, or several that are as likely; columns of which it is not clear what they are.
    pub(super) fn find(
        names: Option<&[String]>,
        cells: usize,
        expected: &ExpectedColumns,
    ) -> Result<Self, String> {
        if cells > MAX_COLUMNS {
            return Err(format!(
                "has {cells} columns; at most {MAX_COLUMNS} are read"
            ));
        }
        let names = names.map(|names| matching(names, cells)).transpose()?;
        let same = expected.as_in.filter(|same| same.roles.len() == cells);
        if let (None, Some(same)) = (names, same) {
            return Ok(Self {
                names: None,
                is_guess: false,
                ..same.clone()
            });
        }
        let pixels = expected.pixels;
        let label = label_column(names, cells, expected.label, pixels)?;
        let is_guess = label.as_ref().is_some_and(|label| label.is_guess);
        let label = label.map(|label| label.index);
        let others = no_pixels(names, cells, label, pixels)?;
        let role = |index: usize| match label {
            Some(label) if index == label => Role::Label,
            _ if others.contains(&index) => Role::Other,
            _ => Role::Pixel,
        };
        let mut columns = Self {
            roles: (0..cells).map(role).collect(),
            about: String::new(),
            is_guess,
            names: names.map(<[String]>::to_vec),
        };
        let labels = label.map(|index| format!("labels in {}", columns.called(index)));
        let names: Vec<&str> = others.iter().map(|&index| columns.name(index)).collect();
        let unused = (!names.is_empty()).then(|| {
            let columns = if names.len() == 1 {
                "column"
            } else {
                "columns"
            };
            format!("{columns} {} not used", quoted(&names))
        });
        let about: Vec<String> = labels.into_iter().chain(unused).collect();
        columns.about = about.join("; ");
        Ok(columns)
    }

    /// Columns of pixels.
    pub(super) fn pixels(&self) -> usize {
        let is_pixel = |role: &&Role| **role == Role::Pixel;
        self.roles.iter().filter(is_pixel).count()
    }

    /// Whether there are labels.
    pub(super) fn has_labels(&self) -> bool {
        self.label().is_some()
    }

    /// The index of the last column of pixels.
    pub(super) fn last_pixel(&self) -> Option<usize> {
        self.roles.iter().rposition(|role| *role == Role::Pixel)
    }

    /// The index of the column of labels.
    pub(super) fn label(&self) -> Option<usize> {
        self.roles.iter().position(|role| *role == Role::Label)
    }

    /// A column of pixels by its place among them, for messages.
    pub(super) fn pixel_called(&self, pixel: usize) -> String {
        let mut places = (0..self.roles.len()).filter(|&index| self.roles[index] == Role::Pixel);
        self.called(places.nth(pixel).unwrap_or_default())
    }

    /// `column "label"`, or `column 0` of a table without names.
    pub(super) fn called(&self, index: usize) -> String {
        match &self.names {
            Some(_) => format!("column {:?}", self.name(index)),
            None => format!("column {index}"),
        }
    }

    fn name(&self, index: usize) -> &str {
        let names = self.names.as_deref().unwrap_or_default();
        names.get(index).map_or("", String::as_str)
    }
}

/// The names of the columns, which may have empty ones behind them.
fn matching(names: &[String], cells: usize) -> Result<&[String], String> {
    match names.split_at_checked(cells) {
        Some((names, rest)) if rest.iter().all(String::is_empty) => Ok(names),
        _ => Err(format!(
            "the first line names {}, but the first row has {cells}",
            counted(names.len(), "column", "columns")
        )),
    }
}

/// The columns besides the labels that are called like no pixels, if they are just as many as there are too many.
fn no_pixels(
    names: Option<&[String]>,
    cells: usize,
    label: Option<usize>,
    pixels: usize,
) -> Result<Vec<usize>, String> {
    let others = cells - usize::from(label.is_some());
    let Some(surplus) = others.checked_sub(pixels).filter(|&surplus| surplus > 0) else {
        return Ok(Vec::new());
    };
    if surplus > MAX_SURPLUS {
        // Images of another size, which is told with the size.
        return Ok(Vec::new());
    }
    let named = names.unwrap_or_default().iter().enumerate();
    let found: Vec<usize> = named
        .filter(|(index, name)| {
            Some(*index) != label && (is_one_of(name, &ID_NAMES) || is_one_of(name, &LABEL_NAMES))
        })
        .map(|(index, _)| index)
        .collect();
    if found.len() == surplus {
        return Ok(found);
    }
    let labels = if label.is_some() {
        " besides the labels"
    } else {
        ""
    };
    Err(format!(
        "has {}{labels}; expected {pixels} of pixels (data.channels x data.height x data.width); remove what is no pixel, such as the \
         number of an image, or change these keys",
        counted(others, "column", "columns")
    ))
}

/// The index of the column of labels; `None` if there are only pixels.
fn label_column(
    names: Option<&[String]>,
    cells: usize,
    label: &LabelColumn,
    pixels: usize,
) -> Result<Option<LabelAt>, String> {
    match label {
        _ if cells == pixels => Ok(None),
        LabelColumn::Index(index) if *index < cells => Ok(Some(LabelAt::sure(*index))),
        LabelColumn::Index(index) => Err(format!(
            "has {}, none with the index {index} (data.label)",
            counted(cells, "column", "columns")
        )),
        LabelColumn::Name(name) => match (by_name(names.unwrap_or_default(), name)?, names) {
            (Some(index), _) => Ok(Some(LabelAt::sure(index))),
            (None, Some(names)) if is_bare(names, pixels) => Ok(None),
            (None, Some(_)) => Err(format!("has no column {name:?} (data.label)")),
            (None, None) => Err(format!(
                "has no names of columns, so none is called {name:?}; set data.label to an index from 0"
            )),
        },
        LabelColumn::Auto => found_label(names.unwrap_or_default(), cells, pixels),
    }
}

/// The index of the column of a name, in any case, if there is one.
///
/// # Errors
/// Several are called so.
fn by_name(names: &[String], wanted: &str) -> Result<Option<usize>, String> {
    let places = names.iter().enumerate();
    let mut places = places.filter(|(_, name)| name.eq_ignore_ascii_case(wanted));
    let first = places.next().map(|(index, _)| index);
    match (first, places.count()) {
        (Some(_), more @ 1..) => Err(format!(
            "has {} columns called {wanted:?}; rename all but one, or set data.label to the index of one, from 0",
            more + 1
        )),
        (index, _) => Ok(index),
    }
}

/// The column of labels of a table for which the config names none.
fn found_label(names: &[String], cells: usize, pixels: usize) -> Result<Option<LabelAt>, String> {
    let alike = || names.iter().filter(|name| is_one_of(name, &LABEL_NAMES));
    match choose(alike().map(String::as_str), LABEL_NAMES[0]) {
        Choice::One(taken, _) => return Ok(by_name(names, taken)?.map(LabelAt::sure)),
        Choice::Several(several) => {
            for name in alike() {
                by_name(names, name)?;
            }
            return Err(format!(
                "labels may be in the columns {several}; set data.label to one of them"
            ));
        }
        Choice::None => {}
    }
    let mut plain: Vec<usize> = (0..cells).collect();
    plain.retain(|&index| {
        names
            .get(index)
            .is_none_or(|name| !is_one_of(name, &ID_NAMES))
    });
    if plain.len() == pixels {
        return Ok(None);
    }
    if plain.len() == pixels + 1 {
        let names: Vec<&String> = plain.iter().filter_map(|&at| names.get(at)).collect();
        let odd = odd_one_out(&names);
        return Ok(Some(LabelAt {
            index: plain[odd.unwrap_or(0)],
            is_guess: odd.is_none(),
        }));
    }
    Err(format!(
        "has {}; expected {pixels} pixels (data.channels x data.height x data.width) and a label; set data.label to the column of labels",
        counted(cells, "column", "columns")
    ))
}

/// Whether there are only pixels and numbers of images, as in Kaggle's test sets.
fn is_bare(names: &[String], pixels: usize) -> bool {
    let ids = names.iter().filter(|name| is_one_of(name, &ID_NAMES));
    names.len() == pixels + ids.count()
}

/// The only column whose name is not a number behind the same word as all others: `digit` among `pixel0`, `pixel1` and so on.
fn odd_one_out(names: &[&String]) -> Option<usize> {
    let word = |name: &&String| {
        name.trim_end_matches(|c: char| c.is_ascii_digit())
            .to_owned()
    };
    let words: Vec<String> = names.iter().map(word).collect();
    // Of three or more, two neighbours are alike.
    let usual = words.windows(2).find(|pair| pair[0] == pair[1])?[0].clone();
    let mut odd = (0..words.len()).filter(|&index| words[index] != usual);
    odd.next().filter(|_| odd.next().is_none())
}
