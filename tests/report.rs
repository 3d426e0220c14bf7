//! What a user may rely on about the report: it is one self-contained page, and no name or number breaks it.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{assert_self_contained, assert_well_formed};
use kiln::metrics::classification::Confusion;
use kiln::metrics::{EpochRecord, Metrics};
use kiln::report::{Mistake, ReportData, mistakes, render};
use kiln::shape::ImageShape;

/// Names with every character that is special in HTML.
const NASTY: [&str; 3] = ["<b>&", "\"'/>", "</title><script>alert(1)</script>"];

fn metrics(pairs: &[(&str, f64)]) -> Metrics {
    let owned = pairs.iter().map(|(name, value)| (name.to_string(), *value));
    owned.collect()
}

fn epoch(epoch: usize, loss: f64, accuracy: f64) -> EpochRecord {
    EpochRecord {
        epoch,
        learning_rate: 0.001,
        train: metrics(&[("loss", loss), ("accuracy", accuracy)]),
        valid: metrics(&[("loss", loss * 1.1), ("accuracy", accuracy * 0.9)]),
    }
}

fn epochs(count: usize) -> Vec<EpochRecord> {
    (1..=count)
        .map(|e| epoch(e, 3.0 / e as f64, 1.0 - 0.9 / e as f64))
        .collect()
}

fn mistake(truth: &str, predicted: &str, confidence: f32) -> Mistake {
    Mistake {
        shape: ImageShape::new(1, 4, 4),
        pixels: vec![0.5; 16],
        truth: truth.into(),
        predicted: predicted.into(),
        confidence,
    }
}

fn confusion(names: &[&str]) -> Confusion {
    let mut confusion = Confusion::new(names.iter().map(|name| name.to_string()).collect());
    for truth in 0..names.len() {
        for _ in 0..9 {
            confusion.add(truth, truth).expect("in range");
        }
        confusion
            .add(truth, (truth + 1) % names.len())
            .expect("in range");
    }
    confusion
}

fn bare<'a>(epochs: &'a [EpochRecord]) -> ReportData<'a> {
    ReportData {
        title: "letters",
        headline: Vec::new(),
        epochs,
        best_epoch: 1,
        confusion: None,
        mistakes: &[],
        reconstructions: &[],
        network: None,
        filters: &[],
        config_json: "",
        environment: Vec::new(),
    }
}

/// The `points` or circle positions of everything drawn in a colour.
fn drawn(page: &str, color: &str) -> Vec<String> {
    page.lines()
        .filter(|line| line.contains(color))
        .filter(|line| line.starts_with("<polyline") || line.starts_with("<circle"))
        .map(String::from)
        .collect()
}

#[test]
fn a_full_report_is_well_formed_and_self_contained() {
    let (epochs, confusion) = (epochs(40), confusion(&["A", "B", "C", "D"]));
    let mistakes = [mistake("A", "B", 0.9), mistake("B", "A", 0.99)];
    let data = ReportData {
        headline: vec![("Test accuracy".into(), "90.00 %".into())],
        confusion: Some(&confusion),
        mistakes: &mistakes,
        config_json: r#"{"seed":7,"data":{"kind":"glyphs"}}"#,
        environment: vec![("kiln".into(), "0.1.0".into())],
        best_epoch: 31,
        ..bare(&epochs)
    };
    let page = render(&data);
    assert_well_formed(&page);
    assert_self_contained(&page);
    for part in [
        "90.00 %",
        "epoch 31",
        "Confusion matrix",
        "Learning rate",
        "Worst mistakes",
        "\n  &quot;seed&quot;: 7",
        "0.1.0",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page, render(&data), "the same data, the same page");
}

#[test]
fn names_that_look_like_html_stay_text() {
    let epochs: Vec<EpochRecord> = vec![EpochRecord {
        train: metrics(&[(NASTY[0], 1.0), (NASTY[2], 2.0)]),
        ..epoch(1, 1.0, 0.5)
    }];
    let confusion = confusion(&NASTY);
    let page = render(&ReportData {
        title: NASTY[2],
        headline: vec![(NASTY[0].into(), NASTY[1].into())],
        confusion: Some(&confusion),
        mistakes: &[mistake(NASTY[0], NASTY[1], 0.5)],
        config_json: NASTY[2],
        environment: vec![(NASTY[1].into(), NASTY[0].into())],
        ..bare(&epochs)
    });
    assert_well_formed(&page);
    assert!(page.contains("&lt;b&gt;&amp;"));
    // The tile's own.
    assert_eq!(page.matches("<b>").count(), 1);
    assert!(!page.contains("<script"));
}

#[test]
fn an_empty_report_is_still_a_page() {
    let page = render(&bare(&[]));
    assert_well_formed(&page);
    assert!(page.contains("<h1>letters</h1>"));
    for section in ["Learning curves", "Confusion matrix", "Worst mistakes"] {
        assert!(!page.contains(section), "{section}");
    }
    let empty = Confusion::new(vec!["A".into()]);
    let page = render(&ReportData {
        confusion: Some(&empty),
        ..bare(&[])
    });
    assert!(!page.contains("Confusion matrix"));
}

#[test]
fn a_single_epoch_is_drawn_as_dots() {
    let epochs = epochs(1);
    let page = render(&bare(&epochs));
    assert_well_formed(&page);
    // Loss, accuracy and learning rate of training; loss and accuracy of validation.
    assert_eq!(drawn(&page, "#1F6FD1").len(), 3);
    assert_eq!(drawn(&page, "#D95F0E").len(), 2);
    assert!(drawn(&page, "#1F6FD1")[0].starts_with("<circle"));
}

#[test]
fn a_loss_that_is_not_finite_leaves_a_gap() {
    let mut epochs = epochs(60);
    for (at, value) in [(20, f64::NAN), (40, f64::INFINITY)] {
        epochs[at].train.insert("loss".into(), value);
    }
    let page = render(&bare(&epochs));
    assert_well_formed(&page);
    // Three pieces of the loss, one of the accuracy, one of the learning rate.
    assert_eq!(drawn(&page, "#1F6FD1").len(), 5);
    assert!(page.contains("not finite"));
    for broken in ["NaN", "inf,", ",inf"] {
        assert!(!page.contains(broken), "{broken}");
    }
}

#[test]
fn a_run_with_only_nan_losses_has_a_note_instead_of_a_chart() {
    let epochs = [epoch(1, f64::NAN, 0.1), epoch(2, f64::NAN, 0.1)];
    let page = render(&bare(&epochs));
    assert_well_formed(&page);
    assert!(page.contains("No finite values to plot."));
}

#[test]
fn values_of_every_size_and_sign_give_a_chart_inside_its_frame() {
    let cases: [&[f64]; 7] = [
        &[0.0, 0.0, 0.0],
        &[1e-300, 1e300, 1.0],
        &[-5.0, -4.0, 3.0],
        &[f64::MAX, f64::MIN, 0.0],
        &[7.0, 7.0],
        &[1e-7, 1.1e-7, 1.2e-7],
        &[1000.0, 1.0, 0.1, 0.01, 0.001],
    ];
    for values in cases {
        let epochs: Vec<EpochRecord> = values
            .iter()
            .zip(1..)
            .map(|(&value, number)| epoch(number, value, 0.5))
            .collect();
        let page = render(&bare(&epochs));
        assert_well_formed(&page);
        let curves = drawn(&page, "#1F6FD1");
        assert!(!curves.is_empty(), "{values:?}");
        for line in curves.iter().filter(|line| line.starts_with("<circle")) {
            let vertical = line.split("cy=\"").nth(1).and_then(|r| r.split('"').next());
            let vertical: i64 = vertical.and_then(|v| v.parse().ok()).expect("a number");
            assert!((0..=270 * 4).contains(&vertical), "{values:?}: {line}");
        }
    }
}

#[test]
fn a_loss_that_falls_by_decades_gets_a_logarithmic_axis() {
    let falling: Vec<EpochRecord> = (0..30)
        .map(|e| epoch(e + 1, 3.0 * 0.8f64.powi(e as i32), 0.5))
        .collect();
    let page = render(&bare(&falling));
    let labelled = |page: &str, label: &str| page.lines().any(|line| line == label);
    for label in ["0.01", "0.1", "1"] {
        assert!(labelled(&page, label), "{label}");
    }
    let flat: Vec<EpochRecord> = (1..=30)
        .map(|e| epoch(e, 3.0 - 0.05 * e as f64, 0.5))
        .collect();
    let page = render(&bare(&flat));
    assert!(labelled(&page, "2") && labelled(&page, "2.5"));
    assert!(!labelled(&page, "0.01"));
}

#[test]
fn a_mistake_becomes_a_png_with_its_pixels() {
    let grey = mistakes::png(ImageShape::new(1, 1, 3), &[0.0, 0.5, 2.0]).expect("three pixels");
    let picture = image::load_from_memory(&grey).expect("a PNG").to_rgb8();
    assert_eq!(picture.dimensions(), (3, 1));
    assert_eq!(picture.into_raw(), [0, 0, 0, 128, 128, 128, 255, 255, 255]);

    // Planes of red, green, blue for two pixels above each other.
    let planes = [1.0, 0.0, 0.0, 1.0, 0.2, 0.2];
    let colour = mistakes::png(ImageShape::new(3, 2, 1), &planes).expect("two pixels");
    let picture = image::load_from_memory(&colour).expect("a PNG").to_rgb8();
    assert_eq!(picture.dimensions(), (1, 2));
    assert_eq!(picture.into_raw(), [255, 0, 51, 0, 255, 51]);
}

#[test]
fn the_page_holds_the_picture_itself() {
    let mistakes = [mistake("A", "B", 0.75)];
    let page = render(&ReportData {
        mistakes: &mistakes,
        ..bare(&[])
    });
    let start = page.find("base64,").expect("a picture") + "base64,".len();
    let text = page[start..].split('"').next().expect("quotes");
    let file = STANDARD.decode(text).expect("base64");
    let picture = image::load_from_memory(&file).expect("a PNG").to_luma8();
    assert_eq!(picture.dimensions(), (4, 4));
    assert!(picture.into_raw().iter().all(|&value| value == 128));
    assert!(page.contains("75.0\u{a0}%"));
}

#[test]
fn the_most_confident_mistakes_come_first_and_a_page_has_room_for_48() {
    let mut many: Vec<Mistake> = (0..60)
        .map(|i| mistake(&format!("class{i:02}"), "other", i as f32 / 60.0))
        .collect();
    many[30].confidence = f32::NAN;
    let page = render(&ReportData {
        mistakes: &many,
        ..bare(&[])
    });
    assert_well_formed(&page);
    assert_eq!(page.matches("<img").count(), 48);
    let at = |name: &str| page.find(&format!("<b>{name}</b>"));
    assert!(at("class59") < at("class58"));
    assert_eq!(at("class30"), None);
    assert_eq!(at("class05"), None);
    assert!(page.contains("48 of 60"));
}

#[test]
fn pixels_that_do_not_match_their_shape_only_lose_the_picture() {
    for shape in [[1, 4, 5], [0, 4, 4], [3, 0, 0], [usize::MAX, 2, 2]] {
        let mistakes = [Mistake {
            shape: ImageShape::from(shape),
            ..mistake("A", "B", f32::NAN)
        }];
        let page = render(&ReportData {
            mistakes: &mistakes,
            ..bare(&[])
        });
        assert_well_formed(&page);
        assert!(page.contains("no image"), "{shape:?}");
    }
}

#[test]
fn the_weakest_classes_are_marked_and_a_perfect_matrix_marks_none() {
    let names = ["A", "B", "C", "D", "E"];
    let mut perfect = Confusion::new(names.map(String::from).to_vec());
    for label in 0..5 {
        perfect.add(label, label).expect("in range");
    }
    let page_of = |confusion: &Confusion| {
        render(&ReportData {
            confusion: Some(confusion),
            ..bare(&[])
        })
    };
    let page = page_of(&perfect);
    assert_well_formed(&page);
    assert_eq!(page.matches("class=\"worst\"").count(), 0);
    assert!(!page.contains("Most frequent mistakes"));

    perfect.add(1, 2).expect("in range");
    let page = page_of(&perfect);
    assert_eq!(page.matches("class=\"worst\"").count(), 2);
    assert!(page.contains("B predicted as C: 1 of 2 (50.0\u{a0}%)"));
}

#[test]
fn a_thousand_classes_with_long_names_still_give_a_page() {
    let names: Vec<String> = (0..1000)
        .map(|i| format!("a class with a rather long name {i}"))
        .collect();
    let mut confusion = Confusion::new(names);
    for label in 0..1000 {
        confusion.add(label, label * 7 % 1000).expect("in range");
    }
    let page = render(&ReportData {
        confusion: Some(&confusion),
        ..bare(&[])
    });
    assert_well_formed(&page);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}
