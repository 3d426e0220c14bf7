//! Means and squared deviations per channel, of parts and of the whole.

/// Mean and sum of squared deviations per channel of some positions.
pub(super) struct Moments {
    /// Number of positions.
    pub count: f64,
    pub mean: Vec<f64>,
    pub squares: Vec<f64>,
}

impl Moments {
    /// Those of all parts, put together in order (Chan, Golub and LeVeque 1983).
    pub(super) fn together(channels: usize, parts: &[Self]) -> Self {
        let mut whole = Self {
            count: 0.0,
            mean: vec![0.0; channels],
            squares: vec![0.0; channels],
        };
        for part in parts.iter().filter(|part| part.count > 0.0) {
            let before = whole.count;
            let both = before + part.count;
            for channel in 0..channels {
                let delta = part.mean[channel] - whole.mean[channel];
                whole.mean[channel] += delta * part.count / both;
                whole.squares[channel] +=
                    part.squares[channel] + delta * delta * before * part.count / both;
            }
            whole.count = both;
        }
        whole
    }

    /// The biased variance per channel.
    pub(super) fn variance(&self) -> Vec<f64> {
        let squares = self.squares.iter();
        squares.map(|squares| squares / self.count).collect()
    }
}
