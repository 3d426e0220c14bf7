//! Writing images with labels as Parquet, in the form that the datasets library of Hugging Face reads: a structure of bytes and path, an
//! integer, and the names of the classes in the footer.
//!
//! Pages are plain and not compressed: the images are.

use std::io::{self, Write};

use serde_json::json;

/// Rows of a row group, and bytes of its images after which the next one begins.
const GROUP_ROWS: usize = 1000;
const GROUP_BYTES: usize = 64 << 20;

const MARK: &[u8; 4] = b"PAR1";

// Types of Thrift's compact protocol.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

// Enumerations of `parquet.thrift`.
const INT64: i64 = 2;
const BYTE_ARRAY: i64 = 6;
const OPTIONAL: i64 = 1;
const UTF8: i64 = 0;
const PLAIN: i64 = 0;
const RLE: i64 = 3;

/// A leaf column: its path, its type, and how many levels may be null.
struct Leaf {
    path: &'static [&'static str],
    physical: i64,
    depth: u8,
}

const LEAVES: [Leaf; 3] = [
    Leaf {
        path: &["image", "bytes"],
        physical: BYTE_ARRAY,
        depth: 2,
    },
    Leaf {
        path: &["image", "path"],
        physical: BYTE_ARRAY,
        depth: 2,
    },
    Leaf {
        path: &["label"],
        physical: INT64,
        depth: 1,
    },
];

/// A row: an encoded image, the name of a file for it, and its label.
#[derive(Debug, Clone)]
pub struct ImageRow {
    /// The bytes of a file.
    pub image: Vec<u8>,
    /// Its name.
    pub path: String,
    /// Index of its class.
    pub label: usize,
}

/// A page that is written: where it starts, and its bytes with the header.
struct Written {
    start: u64,
    bytes: u64,
}

/// Writes rows; [`finish`](Self::finish) completes the file.
pub struct ImageWriter<W> {
    file: W,
    written: u64,
    waiting: Vec<ImageRow>,
    waiting_bytes: usize,
    /// Rows and pages of each row group.
    groups: Vec<(usize, Vec<Written>)>,
}

impl<W: Write> ImageWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// It can't be written.
    pub fn new(mut file: W) -> io::Result<Self> {
        file.write_all(MARK)?;
        Ok(Self {
            file,
            written: MARK.len() as u64,
            waiting: Vec::new(),
            waiting_bytes: 0,
            groups: Vec::new(),
        })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn push(&mut self, row: ImageRow) -> io::Result<()> {
        self.waiting_bytes += row.image.len();
        self.waiting.push(row);
        if self.waiting.len() >= GROUP_ROWS || self.waiting_bytes >= GROUP_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left, and the footer with the names of the classes.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn finish(mut self, classes: &[String]) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.flush()?;
        }
        let footer = footer(&self.groups, classes);
        self.file.write_all(&footer)?;
        self.file.write_all(&(footer.len() as u32).to_le_bytes())?;
        self.file.write_all(MARK)?;
        self.file.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let mut pages = Vec::new();
        for (place, leaf) in LEAVES.iter().enumerate() {
            let mut page = levels(rows.len(), leaf.depth);
            for row in &rows {
                match place {
                    0 => bytes(&row.image, &mut page),
                    1 => bytes(row.path.as_bytes(), &mut page),
                    _ => page.extend((row.label as i64).to_le_bytes()),
                }
            }
            let header = page_header(page.len(), rows.len());
            self.file.write_all(&header)?;
            self.file.write_all(&page)?;
            let bytes = (header.len() + page.len()) as u64;
            pages.push(Written {
                start: self.written,
                bytes,
            });
            self.written += bytes;
        }
        self.groups.push((rows.len(), pages));
        Ok(())
    }
}

/// All values are there: one run of the highest level.
fn levels(rows: usize, depth: u8) -> Vec<u8> {
    let mut run = Thrift::default();
    run.unsigned((rows as u64) << 1);
    run.bytes.push(depth);
    let mut levels = (run.bytes.len() as u32).to_le_bytes().to_vec();
    levels.extend(run.bytes);
    levels
}

fn bytes(value: &[u8], page: &mut Vec<u8>) {
    page.extend((value.len() as u32).to_le_bytes());
    page.extend(value);
}

fn page_header(size: usize, rows: usize) -> Vec<u8> {
    let mut header = Thrift::default();
    header.structure(|header| {
        header.number(1, I32, 0);
        header.number(2, I32, size as i64);
        header.number(3, I32, size as i64);
        header.inner(5, |page| {
            page.number(1, I32, rows as i64);
            page.number(2, I32, PLAIN);
            page.number(3, I32, RLE);
            page.number(4, I32, RLE);
        });
    });
    header.bytes
}

fn footer(groups: &[(usize, Vec<Written>)], classes: &[String]) -> Vec<u8> {
    let features = json!({
        "image": {"_type": "Image"},
        "label": {"names": classes, "_type": "ClassLabel"},
    });
    let description = json!({"info": {"features": features}}).to_string();
    let rows: usize = groups.iter().map(|(rows, _)| rows).sum();
    let mut footer = Thrift::default();
    footer.structure(|footer| {
        footer.number(1, I32, 1);
        footer.list(2, STRUCT, 5);
        footer.structure(|root| {
            root.text(4, "schema");
            root.number(5, I32, 2);
        });
        footer.structure(|image| {
            image.number(3, I32, OPTIONAL);
            image.text(4, "image");
            image.number(5, I32, 2);
        });
        for leaf in &LEAVES {
            footer.structure(|element| {
                element.number(1, I32, leaf.physical);
                element.number(3, I32, OPTIONAL);
                element.text(4, leaf.path.last().unwrap_or(&""));
                if leaf.path.last() == Some(&"path") {
                    element.number(6, I32, UTF8);
                }
            });
        }
        footer.number(3, I64, rows as i64);
        footer.list(4, STRUCT, groups.len());
        for (rows, pages) in groups {
            footer.structure(|group| row_group(group, *rows, pages));
        }
        footer.list(5, STRUCT, 1);
        footer.structure(|text| {
            text.text(1, "huggingface");
            text.text(2, &description);
        });
        footer.text(6, concat!("kiln ", env!("CARGO_PKG_VERSION")));
    });
    footer.bytes
}

fn row_group(group: &mut Thrift, rows: usize, pages: &[Written]) {
    group.list(1, STRUCT, pages.len());
    for (leaf, page) in LEAVES.iter().zip(pages) {
        group.structure(|chunk| {
            chunk.number(2, I64, page.start as i64);
            chunk.inner(3, |data| {
                data.number(1, I32, leaf.physical);
                data.list(2, I32, 2);
                data.signed(PLAIN);
                data.signed(RLE);
                data.list(3, BINARY, leaf.path.len());
                for name in leaf.path {
                    data.raw(name.as_bytes());
                }
                data.number(4, I32, 0);
                data.number(5, I64, rows as i64);
                data.number(6, I64, page.bytes as i64);
                data.number(7, I64, page.bytes as i64);
                data.number(9, I64, page.start as i64);
            });
        });
    }
    let size: u64 = pages.iter().map(|page| page.bytes).sum();
    group.number(2, I64, size as i64);
    group.number(3, I64, rows as i64);
}

/// Writes Thrift's compact protocol.
#[derive(Default)]
struct Thrift {
    bytes: Vec<u8>,
    /// Number of the last field of the structure that is being written.
    last: i16,
}

impl Thrift {
    fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn signed(&mut self, value: i64) {
        self.unsigned(((value << 1) ^ (value >> 63)) as u64);
    }

    fn raw(&mut self, value: &[u8]) {
        self.unsigned(value.len() as u64);
        self.bytes.extend(value);
    }

    /// The head of a field; fields come in the order of their numbers, which differ by less than 16.
    fn field(&mut self, id: i16, kind: u8) {
        self.bytes.push(((id - self.last) as u8) << 4 | kind);
        self.last = id;
    }

    fn number(&mut self, id: i16, kind: u8, value: i64) {
        self.field(id, kind);
        self.signed(value);
    }

    fn text(&mut self, id: i16, value: &str) {
        self.field(id, BINARY);
        self.raw(value.as_bytes());
    }

    /// The head of a list, whose items follow.
    fn list(&mut self, id: i16, kind: u8, length: usize) {
        self.field(id, LIST);
        if length < 15 {
            self.bytes.push((length as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            self.unsigned(length as u64);
        }
    }

    fn structure(&mut self, fields: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.last, 0);
        fields(self);
        self.bytes.push(0);
        self.last = outer;
    }

    fn inner(&mut self, id: i16, fields: impl FnOnce(&mut Self)) {
        self.field(id, STRUCT);
        self.structure(fields);
    }
}
