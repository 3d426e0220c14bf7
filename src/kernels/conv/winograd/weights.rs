//! Transformed kernels, and the gradient of the kernels from that of transformed ones.

use std::mem::MaybeUninit;

use super::planes::ELEMENTS;
use crate::kernels::bf16::Pairs;
use crate::kernels::conv::geometry::Geometry;
use crate::kernels::conv::weights::Matrix;
use crate::kernels::memory::{array, filled, filled_part, room};
use crate::kernels::simd::{PANEL, Real, widest};
use crate::kernels::threads;

/// Values of a kernel.
const TAPS: usize = 9;

/// `G g G'` of every kernel, `[panel][element][channel][16 channels]`: the last ones are those of what is computed.
pub(in crate::kernels) struct Weights<T> {
    values: Vec<T>,
    pairs: Option<Pairs>,
    /// Channels that are summed over.
    pub(super) inputs: usize,
}

impl<T: Real> Weights<T> {
    /// For the forward pass, times `scale` of the output channel.
    pub(in crate::kernels) fn new(g: &Geometry, weight: &[T], scale: Option<&[T]>) -> Self {
        let (kernels, _) = weight.as_chunks::<TAPS>();
        Self::of(g.inputs, g.outputs, g.in_bf16(), |input, output| {
            let kernel = kernels[output * g.inputs + input];
            scale.map_or(kernel, |scale| kernel.map(|value| value * scale[output]))
        })
    }

    /// For the gradient of the input: from output channels to input channels, kernels mirrored.
    pub(in crate::kernels) fn mirrored(g: &Geometry, weight: &[T]) -> Self {
        let (kernels, _) = weight.as_chunks::<TAPS>();
        Self::of(g.outputs, g.inputs, g.in_bf16(), |output, input| {
            let mut kernel = kernels[output * g.inputs + input];
            kernel.reverse();
            kernel
        })
    }

    fn of(
        inputs: usize,
        outputs: usize,
        in_bf16: bool,
        kernel: impl Fn(usize, usize) -> [T; TAPS] + Sync + Send,
    ) -> Self {
        let panel = ELEMENTS * inputs * PANEL;
        let fill = |panel: usize, values: &mut [MaybeUninit<T>]| {
            fill(values, inputs, |input, lane| {
                kernel(input, panel * PANEL + lane)
            });
        };
        let count = outputs / PANEL;
        let pairs = in_bf16.then(|| rounded(count, panel, &fill)).flatten();
        Self {
            values: match pairs {
                None => whole(count, panel, &fill),
                Some(_) => Vec::new(),
            },
            pairs,
            inputs,
        }
    }

    /// Whether products are made in bfloat16.
    pub(super) fn is_rounded(&self) -> bool {
        self.pairs.is_some()
    }

    /// The matrix of an element, from a channel on, which begins a panel.
    pub(super) fn matrix(&self, element: usize, first: usize) -> Matrix<'_, T> {
        let (row, panel) = (PANEL, ELEMENTS * self.inputs * PANEL);
        let first = first / PANEL * panel + element * self.inputs * PANEL;
        Matrix {
            values: self.values.get(first..).unwrap_or_default(),
            row,
            panel,
            pairs: self.pairs.as_ref().map(|pairs| pairs.from(first)),
        }
    }
}

/// Fills a panel with the transformed `kernel(input, lane)`.
fn fill<T: Real>(
    values: &mut [MaybeUninit<T>],
    inputs: usize,
    kernel: impl Fn(usize, usize) -> [T; TAPS],
) {
    widest::<T, _>(
        #[inline(always)]
        || {
            for input in 0..inputs {
                let mut taps = [[T::ZERO; PANEL]; TAPS];
                for lane in 0..PANEL {
                    let kernel = kernel(input, lane);
                    for (lanes, value) in taps.iter_mut().zip(kernel) {
                        lanes[lane] = value;
                    }
                }
                for (element, lanes) in transformed(&taps).iter().enumerate() {
                    let to = (element * inputs + input) * PANEL;
                    values[to..to + PANEL].write_copy_of_slice(lanes);
                }
            }
        },
    );
}

/// Panels of so many values, each filled by `fill(index, values)`.
#[allow(unsafe_code)]
fn whole<T: Real>(
    count: usize,
    panel: usize,
    fill: &(impl Fn(usize, &mut [MaybeUninit<T>]) + Sync + Send),
) -> Vec<T> {
    let mut values = room(count * panel);
    let work = values.len();
    let panels: Vec<_> = values.chunks_mut(panel.max(1)).enumerate().collect();
    threads::for_each(
        work,
        panels,
        || (),
        |(), (index, values)| fill(index, values),
    );
    // SAFETY: every element of every channel has been written, and channels fill whole panels.
    unsafe { filled(values) }
}

/// The same in bfloat16, by way of a panel that stays in the cache.
#[allow(unsafe_code)]
fn rounded<T: Real>(
    count: usize,
    panel: usize,
    fill: &(impl Fn(usize, &mut [MaybeUninit<T>]) + Sync + Send),
) -> Option<Pairs> {
    Pairs::by_parts(
        count,
        panel,
        Vec::new,
        |values: &mut Vec<MaybeUninit<T>>, index, to| {
            values.resize(panel, MaybeUninit::uninit());
            fill(index, values);
            // SAFETY: just written.
            to(T::single(unsafe { filled_part(values) }));
        },
    )
}

type Lanes<T> = [T; PANEL];

#[inline(always)]
fn each<T: Real>(f: impl Fn(usize) -> T) -> Lanes<T> {
    array(f)
}

/// `G g` of a column of a kernel.
#[inline(always)]
fn kernel_line<T: Real>(g: [&Lanes<T>; 3]) -> [Lanes<T>; 4] {
    let half = T::of(0.5);
    [
        *g[0],
        each(|i| (g[0][i] + g[1][i] + g[2][i]) * half),
        each(|i| (g[0][i] - g[1][i] + g[2][i]) * half),
        *g[2],
    ]
}

/// `G g G'`
#[inline(always)]
fn transformed<T: Real>(taps: &[Lanes<T>; TAPS]) -> [Lanes<T>; ELEMENTS] {
    let columns: [[Lanes<T>; 4]; 3] =
        array(|j| kernel_line([&taps[j], &taps[3 + j], &taps[6 + j]]));
    let mut all = [[T::ZERO; PANEL]; ELEMENTS];
    for i in 0..4 {
        let line = kernel_line([&columns[0][i], &columns[1][i], &columns[2][i]]);
        all[4 * i..4 * i + 4].copy_from_slice(&line);
    }
    all
}

/// `G' s` of a column of a transformed kernel.
#[inline(always)]
fn sum_line<T: Real>(s: [&Lanes<T>; 4]) -> [Lanes<T>; 3] {
    let half = T::of(0.5);
    [
        each(|i| s[0][i] + (s[1][i] + s[2][i]) * half),
        each(|i| (s[1][i] - s[2][i]) * half),
        each(|i| s[3][i] + (s[1][i] + s[2][i]) * half),
    ]
}

/// `G' s G`
#[inline(always)]
fn untransformed<T: Real>(s: &[Lanes<T>; ELEMENTS]) -> [Lanes<T>; TAPS] {
    let columns: [[Lanes<T>; 3]; 4] =
        array(|j| sum_line([&s[j], &s[4 + j], &s[8 + j], &s[12 + j]]));
    let mut all = [[T::ZERO; PANEL]; TAPS];
    for i in 0..3 {
        let line = sum_line([
            &columns[0][i],
            &columns[1][i],
            &columns[2][i],
            &columns[3][i],
        ]);
        all[3 * i..3 * i + 3].copy_from_slice(&line);
    }
    all
}

/// The gradient of the kernels, `[outputs, inputs, 3, 3]`, from that of transformed ones, for each element `[panel][input][16
/// outputs]`.
pub(super) fn gradient<T: Real>(g: &Geometry, sums: &[T]) -> Vec<T> {
    let element_values = g.inputs * g.outputs;
    let mut weight = vec![T::ZERO; element_values * TAPS];
    let panels: Vec<(usize, &mut [T])> = weight
        .chunks_mut(PANEL * g.inputs * TAPS)
        .enumerate()
        .collect();
    threads::for_each(
        element_values * TAPS,
        panels,
        || (),
        |(), (panel, kernels)| {
            widest::<T, _>(
                #[inline(always)]
                || {
                    for input in 0..g.inputs {
                        let mut elements = [[T::ZERO; PANEL]; ELEMENTS];
                        for (element, lanes) in elements.iter_mut().enumerate() {
                            let at = element * element_values + (panel * g.inputs + input) * PANEL;
                            lanes.copy_from_slice(&sums[at..at + PANEL]);
                        }
                        for (tap, lanes) in untransformed(&elements).iter().enumerate() {
                            for (lane, &value) in lanes.iter().enumerate() {
                                kernels[(lane * g.inputs + input) * TAPS + tap] = value;
                            }
                        }
                    }
                },
            );
        },
    );
    weight
}
