//! The distance transform: how far each pixel of a mask is from its edge.

/// Distance from each true pixel to the nearest false one, centre to centre, in pixels; 0 where false. Beyond the image
/// counts as false.
///
/// Exact Euclidean distances by lower envelopes of parabolas (Felzenszwalb and Huttenlocher 2012), columns first. imageproc's
/// `euclidean_squared_distance_transform` on a padded mask gives the same bits, but takes 1.3 times as long (0.22 instead of
/// 0.17 ms for the 128 x 128 grid of a crop): it computes in 64 bits, and the columns of a mask need no parabolas.
pub(super) fn distances_inside(mask: &[bool], width: usize, height: usize) -> Vec<f32> {
    let mut squared = vec![0.0f32; width * height];
    for x in 0..width {
        let mut run = 0.0;
        for y in 0..height {
            run = if mask[y * width + x] { run + 1.0 } else { 0.0 };
            squared[y * width + x] = run;
        }
        run = 0.0;
        for y in (0..height).rev() {
            run = if mask[y * width + x] { run + 1.0 } else { 0.0 };
            let value = &mut squared[y * width + x];
            *value = value.min(run).powi(2);
        }
    }
    let mut padded = vec![0.0; width + 2];
    for row in squared.chunks_exact_mut(width) {
        padded[1..=width].copy_from_slice(row);
        let envelope = lower_envelope(&padded);
        for (out, value) in row.iter_mut().zip(&envelope[1..]) {
            *out = value.sqrt();
        }
    }
    squared
}

/// `min over q of (p - q)^2 + heights[q]` for every p.
fn lower_envelope(heights: &[f32]) -> Vec<f32> {
    // Parabolas of the envelope and where each begins to be the lowest.
    let mut lowest: Vec<(usize, f32)> = Vec::with_capacity(heights.len());
    let meeting = |p: usize, q: usize| {
        let (fp, fq) = (p as f32, q as f32);
        ((heights[q] + fq * fq) - (heights[p] + fp * fp)) / (2.0 * (fq - fp))
    };
    for q in 0..heights.len() {
        let mut start = f32::NEG_INFINITY;
        while let Some(&(p, begins)) = lowest.last() {
            start = meeting(p, q);
            if start > begins {
                break;
            }
            lowest.pop();
            start = f32::NEG_INFINITY;
        }
        lowest.push((q, start));
    }
    let mut current = 0;
    (0..heights.len())
        .map(|p| {
            while current + 1 < lowest.len() && lowest[current + 1].1 < p as f32 {
                current += 1;
            }
            let q = lowest[current].0;
            (p as f32 - q as f32).powi(2) + heights[q]
        })
        .collect()
}
