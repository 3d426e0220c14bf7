//! Probably wrong labels, against cleanlab by the authors of confident learning.

use kiln::data_check::confident_issues;
use serde::Deserialize;

/// What `make_issues.py` wrote.
#[derive(Deserialize)]
struct Reference {
    probabilities: Vec<Vec<f32>>,
    labels: Vec<usize>,
    issues: Vec<usize>,
}

#[test]
fn the_issues_and_their_order_are_those_of_cleanlab() {
    let reference: Reference = serde_json::from_str(include_str!("issues.json")).unwrap();
    let found = confident_issues(&reference.probabilities, &reference.labels);
    let samples: Vec<usize> = found.iter().map(|issue| issue.sample).collect();
    assert!(samples.len() > 10, "{samples:?}");
    assert_eq!(samples, reference.issues);
    for issue in found {
        let row = &reference.probabilities[issue.sample];
        let margin = row[reference.labels[issue.sample]] - row[issue.suggested];
        assert_eq!(issue.margin, margin);
    }
}
