//! The innermost loop of the weights' gradient: tiles of sums in registers, over pairs of positions.

use super::lanes::Lanes;
use super::rounding::Pair;
use crate::kernels::memory::array;
use crate::kernels::simd::PANEL;

/// Values of every position times its gradients, added to sums.
pub struct Products<'a> {
    /// For each pair of positions, `taps` pairs of values ...
    pub input: &'a [Pair],
    /// ... this many from one to the next.
    pub input_step: usize,
    /// For each pair of positions, pairs of gradients ...
    pub gradient: &'a [Pair],
    /// ... this many from one to the next.
    pub gradient_step: usize,
    /// Pairs of positions.
    pub count: usize,
    pub taps: usize,
    /// In whole panels.
    pub channels: usize,
    /// Index of the first tap in a panel of the sums ...
    pub first_tap: usize,
    /// ... which has so many.
    pub depth: usize,
    /// `[panel][depth][16 channels]`
    pub sums: &'a mut [f32],
}

impl Products<'_> {
    #[inline(always)]
    pub fn run<L: Lanes>(&mut self) {
        if self.count == 0 {
            return;
        }
        let last = self.count - 1;
        assert!(self.input.len() >= last * self.input_step + self.taps);
        assert!(self.gradient.len() >= last * self.gradient_step + self.channels);
        assert!(self.channels.is_multiple_of(PANEL));
        assert!(self.first_tap + self.taps <= self.depth);
        assert_eq!(self.sums.len(), self.channels * self.depth);
        let panels = self.channels / PANEL;
        for panel in (0..panels).step_by(2) {
            if panel + 1 < panels {
                self.panels::<L, 2>(panel);
            } else {
                self.panels::<L, 1>(panel);
            }
        }
    }

    #[inline(always)]
    fn panels<L: Lanes, const V: usize>(&mut self, panel: usize) {
        let mut tap = 0;
        while tap < self.taps {
            tap += match self.taps - tap {
                12.. => self.tile::<L, 12, V>(panel, tap),
                8.. => self.tile::<L, 8, V>(panel, tap),
                4.. => self.tile::<L, 4, V>(panel, tap),
                _ => self.tile::<L, 1, V>(panel, tap),
            };
        }
    }

    /// `J` taps times `V` panels of channels; returns `J`.
    #[inline(always)]
    #[allow(unsafe_code, clippy::needless_range_loop)] // Constant ranges over arrays, which become registers.
    fn tile<L: Lanes, const J: usize, const V: usize>(
        &mut self,
        panel: usize,
        tap: usize,
    ) -> usize {
        let place =
            |j: usize, v: usize| ((panel + v) * self.depth + self.first_tap + tap + j) * PANEL;
        // SAFETY: `run` has seen that every pair of positions has all taps and channels, and that there are sums for them; the processor has
        // the instructions of `L`, which `dispatch` has asked for.
        unsafe {
            let to = self.sums.as_mut_ptr();
            let mut sums: [[L::Sums; V]; J] = array(|j| array(|v| L::sums(to.add(place(j, v)))));
            let mut at = self.input.as_ptr().add(tap);
            let mut gradient = self.gradient.as_ptr().add(panel * PANEL);
            for index in 0..self.count {
                let slopes: [L::Pairs; V] = array(|v| L::pairs(gradient.add(v * PANEL)));
                for j in 0..J {
                    let value = L::pair(*at.add(j));
                    for v in 0..V {
                        sums[j][v] = L::dot(sums[j][v], value, slopes[v]);
                    }
                }
                if index + 1 < self.count {
                    at = at.add(self.input_step);
                    gradient = gradient.add(self.gradient_step);
                }
            }
            for j in 0..J {
                for v in 0..V {
                    L::store(sums[j][v], to.add(place(j, v)));
                }
            }
        }
        J
    }
}
