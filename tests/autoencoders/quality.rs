//! PSNR and SSIM, next to scikit-image's.

use kiln::metrics::psnr::{MAX_PSNR, psnr};
use kiln::metrics::ssim::ssim;
use kiln::shape::ImageShape;

/// `0.5 + 0.5 cos(0.1 i)`, and the same with `0.1 sin(0.7 i)` on top, within [0, 1].
fn pair(count: usize) -> (Vec<f32>, Vec<f32>) {
    let of = |i: usize| (0.1 * i as f64).cos() * 0.5 + 0.5;
    let original = (0..count).map(|i| of(i) as f32).collect();
    let found = (0..count).map(|i| {
        let value = f64::from(of(i) as f32) + 0.1 * (0.7 * i as f64).sin();
        value.clamp(0.0, 1.0) as f32
    });
    (original, found.collect())
}

#[test]
fn psnr_and_ssim_are_those_of_scikit_image() {
    // scikit-image 0.26: peak_signal_noise_ratio(data_range=a.max() - a.min()) and structural_similarity(
    // gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=..., channel_axis=0), whose window is 11x11
    // as well, and whose mean leaves out the five pixels next to the border: all positions inside the image.
    for (shape, decibels, similarity) in [
        ([1, 16, 20], 23.706_560_4, 0.982_692_212_8),
        ([3, 13, 12], 23.651_049_5, 0.983_178_606_0),
        ([1, 11, 11], 23.652_127_2, 0.975_151_108_8),
        ([1, 32, 32], 23.645_890_7, 0.950_838_479_1),
    ] {
        let (original, found) = pair(shape.iter().product());
        let ratio = psnr(&original, &found).unwrap();
        assert!((ratio - decibels).abs() < 1e-4, "{shape:?}: {ratio}");
        let value = ssim(&original, &found, shape.into()).unwrap();
        assert!((value - similarity).abs() < 1e-6, "{shape:?}: {value}");
    }
    // An image with a range of 0.3.
    let (original, found) = pair(320);
    let original: Vec<f32> = original.iter().map(|v| v * 0.3 + 0.2).collect();
    let found: Vec<f32> = found.iter().map(|v| v * 0.3 + 0.25).collect();
    assert!((psnr(&original, &found).unwrap() - 14.939_468).abs() < 1e-4);
    let value = ssim(&original, &found, ImageShape::new(1, 16, 20)).unwrap();
    assert!((value - 0.974_816_5).abs() < 1e-6, "{value}");
}

#[test]
fn psnr_by_hand() {
    // Range 1, mean squared error 0.01.
    assert!((psnr(&[0.0, 1.0], &[0.1, 0.9]).unwrap() - 20.0).abs() < 1e-5);
    // Range 0.5, mean squared error 0.005: 20 log10(0.5) - 10 log10(0.005).
    let expected = 20.0 * 0.5f64.log10() - 10.0 * 0.005f64.log10();
    assert!((psnr(&[0.0, 0.5], &[0.1, 0.5]).unwrap() - expected).abs() < 1e-5);
    assert_eq!(psnr(&[0.3, 0.7], &[0.3, 0.7]), Some(MAX_PSNR));
    assert_eq!(psnr(&[0.3, 0.7], &[0.3, 0.700_000_1]), Some(MAX_PSNR));
    assert_eq!(psnr(&[0.3], &[0.3, 0.7]), None);
    assert_eq!(psnr(&[], &[]), None);
}

#[test]
fn the_range_of_a_flat_image_is_one() {
    let flat = vec![0.25; 144];
    let (_, found) = pair(144);
    // scikit-image with data_range=1.
    assert!((psnr(&flat, &found).unwrap() - 6.966_927_5).abs() < 1e-4);
    let value = ssim(&flat, &found, ImageShape::new(1, 12, 12)).unwrap();
    assert!((value - 0.005_484_533).abs() < 1e-6, "{value}");
    assert_eq!(psnr(&flat, &flat), Some(MAX_PSNR));
    assert_eq!(ssim(&flat, &flat, ImageShape::new(1, 12, 12)), Some(1.0));
}

#[test]
fn nan_is_not_a_perfect_image() {
    let broken = [f32::NAN, 0.5];
    assert!(psnr(&[0.0, 1.0], &broken).unwrap().is_nan());
    assert!(
        ssim(&[0.5; 121], &[f32::NAN; 121], ImageShape::new(1, 11, 11))
            .unwrap()
            .is_nan()
    );
}

#[test]
fn images_smaller_than_the_window_have_no_ssim() {
    assert_eq!(
        ssim(&[0.0; 110], &[0.0; 110], ImageShape::new(1, 10, 11)),
        None
    );
    assert_eq!(
        ssim(&[0.0; 110], &[0.0; 110], ImageShape::new(1, 11, 10)),
        None
    );
    assert_eq!(
        ssim(&[0.0; 121], &[0.0; 120], ImageShape::new(1, 11, 11)),
        None
    );
    assert_eq!(ssim(&[], &[], ImageShape::new(0, 11, 11)), None);
}
