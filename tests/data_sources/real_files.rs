//! The real course files.

use crate::common::real_data;
use crate::support::{assert_close, counts, per_class, real_nist36, sample, shares, sums};
use kiln::data::DataSource;
use kiln::data::Nist26Config;
use kiln::data::NumberConfig;
use kiln::data::Split;
use kiln::data::SplitRule;
use kiln::data::info;
use kiln::data::nist26;
use kiln::progress::Monitor;

#[test]
#[cfg_attr(not(kiln_data = "nist36"), ignore = "needs nist36 in KILN_DATA")]
fn nist36_has_its_classes_and_counts() {
    let source = real_nist36();
    assert_eq!(
        source.classes().concat(),
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    );
    assert_eq!(counts(source), [10_800, 3_600, 1_800]);
    for (split, count) in Split::ALL.into_iter().zip([300, 100, 50]) {
        assert_eq!(per_class(source, split), vec![count; 36]);
    }
}

#[test]
#[cfg_attr(not(kiln_data = "nist36"), ignore = "needs nist36 in KILN_DATA")]
fn nist36_images_are_upright() {
    let source = real_nist36();
    // numpy: img = row.reshape(32, 32).T; img.sum(1)[[8, 12, 16, 20, 24]], then the same of img.sum(0).
    let expected: [(Split, usize, usize, [f32; 10]); 4] = [
        (
            Split::Train,
            0,
            0,
            [
                19.06275, 20.3451, 9.86275, 21.10588, 23.83529, 15.36078, 20.98824, 24.07059,
                20.11765, 21.82745,
            ],
        ),
        (
            Split::Train,
            10_799,
            35,
            [
                22.4549, 22.23922, 26.78039, 28.93725, 28.76078, 32.0, 24.49412, 24.72549,
                10.59216, 32.0,
            ],
        ),
        (
            Split::Valid,
            1_807,
            18,
            [
                26.7098, 26.86275, 27.76471, 28.36863, 20.5098, 23.69804, 19.48627, 18.6902,
                19.86275, 17.48627,
            ],
        ),
        (
            Split::Test,
            907,
            18,
            [
                28.36078, 28.14902, 26.98039, 28.65882, 23.52549, 26.52549, 24.65098, 27.27451,
                27.21961, 26.92941,
            ],
        ),
    ];
    for (split, index, label, expected) in expected {
        assert_eq!(source.label(split, index), label);
        assert_close(&sums(&sample(source, split, index)), &expected, 1e-4);
    }
    // Pixels of training sample 5000, a Q, times 255.
    let image = sample(source, Split::Train, 5_000);
    let pixels = [(10, 4), (4, 10), (16, 9), (20, 22)].map(|(y, x)| image[y * 32 + x]);
    assert_eq!(pixels, [0.0, 246.0 / 255.0, 1.0, 0.0]);
}

#[test]
#[cfg_attr(not(kiln_data = "nist36"), ignore = "needs nist36 in KILN_DATA")]
fn nist36_statistics_are_those_of_numpy() {
    let source = real_nist36();
    let info = info::summarize(source, &Monitor::default()).unwrap();
    assert_eq!(info.splits[1].samples, 3_600);
    assert!(
        (info.mean[0] - 0.830_259_728_392_224_8).abs() < 1e-8,
        "{:?}",
        info.mean
    );
    let deviation = info.standard_deviation[0];
    assert!(
        (deviation - 0.352_220_442_125_289_3).abs() < 1e-8,
        "{deviation}"
    );
}

#[test]
#[cfg_attr(not(kiln_data = "nist26"), ignore = "needs nist26 in KILN_DATA")]
fn nist26_letters_are_upright_clipped_and_divided() {
    let root = real_data();
    let config = Nist26Config {
        split: shares(0.0, 0.0),
        ..Nist26Config::default()
    };
    let source = nist26::open(&config, &root).unwrap();
    assert_eq!(source.classes().concat(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    assert_eq!(counts(&source), [1_300, 0, 0]);
    assert_eq!(per_class(&source, Split::Train), vec![50; 26]);
    // numpy, after np.clip(data, 0, 1).
    let expected: [(usize, [f32; 10]); 2] = [
        (
            0,
            [
                24.40654, 24.17014, 9.36398, 24.22303, 22.33535, 24.77119, 22.14331, 20.843,
                19.3019, 23.25443,
            ],
        ),
        (
            1_299,
            [
                28.80955, 25.65056, 23.50617, 27.31519, 20.3475, 22.47796, 21.3653, 18.4193,
                18.04501, 26.56363,
            ],
        ),
    ];
    for (index, expected) in expected {
        assert_close(
            &sums(&sample(&source, Split::Train, index)),
            &expected,
            2e-4,
        );
    }
    // The names A0..Z49, hashed by an independent program: 134 below 0.1, 137 more below 0.2.
    let divided = nist26::open(&Nist26Config::default(), &root).unwrap();
    assert_eq!(counts(&divided), [1_029, 134, 137]);
    let numbers = SplitRule::Number(NumberConfig {
        divisor: 5,
        valid: Some(1),
        test: 0,
    });
    let divided = nist26::open(
        &Nist26Config {
            split: numbers,
            ..Nist26Config::default()
        },
        &root,
    )
    .unwrap();
    assert_eq!(counts(&divided), [780, 260, 260]);
}
