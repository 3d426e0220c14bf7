//! Pictures of a finished run.

/// A picture of the report, for trackers that show pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it is called, such as `mistakes/01 I read as 1`.
    pub name: String,
    /// A PNG file.
    pub png: Vec<u8>,
}

/// Where a PNG file has its width and height, after the signature and the name of the first chunk (W3C PNG, 11.2.1).
const SIZE_AT: usize = 16;

impl Picture {
    /// Width and height in pixels; `None` if it is no PNG file.
    pub fn size(&self) -> Option<(u32, u32)> {
        let number = |at: usize| {
            let bytes = self.png.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        Some((number(SIZE_AT)?, number(SIZE_AT + 4)?))
    }
}
