//! Rows of values, to be rounded.

/// Rows of `width` values, `step` apart; the last one may end after its values.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub values: &'a [f32],
    pub step: usize,
    pub width: usize,
}

impl<'a> Rows<'a> {
    pub fn each(self) -> impl Iterator<Item = &'a [f32]> {
        assert!(self.width <= self.step);
        let rows = self.values.chunks(self.step.max(1));
        rows.map(move |row| &row[..self.width])
    }

    /// Neighbours, the second of which may be missing.
    pub fn pairs(self) -> impl Iterator<Item = (&'a [f32], Option<&'a [f32]>)> {
        assert!(self.width <= self.step);
        let pairs = self.values.chunks((2 * self.step).max(1));
        pairs.map(move |rows| {
            let second = rows.get(self.step..self.step + self.width);
            (&rows[..self.width], second)
        })
    }
}
