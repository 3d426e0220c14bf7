//! Systems without pseudoterminals: the dashboard draws on the terminal itself.

/// The terminal, as it is.
pub struct Screen;

impl Screen {
    /// Nothing has to be opened.
    ///
    /// # Errors
    /// Never.
    pub fn open() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// The terminal stays.
    pub fn is_lost(&self) -> bool {
        false
    }

    /// Nothing has to be given back.
    pub fn close(&self) {}
}

/// Nothing has to be given back.
pub fn restore() {}
