//! Overlays and pictures of the stages.

use std::collections::HashSet;

use kiln::segmentation::{Label, View, overlay, segment, segment_with_pictures};

use crate::drawn::*;

#[test]
fn the_overlay_draws_boxes_and_the_letters_that_were_read() {
    let drawn = sample_page();
    let page = segment(&drawn.page);
    let bounds = page.lines[0].words[0].letters[0].bounds;
    let label = |text: &str| Label {
        bounds,
        text: text.into(),
        confidence: 0.9,
    };
    let plain = overlay(&drawn.page, &page, &[]);
    assert!(plain != drawn.page);
    // The letter's own ink is still to be seen.
    assert_eq!(
        plain.get_pixel(bounds.x + 3, bounds.y + 30),
        drawn.page.get_pixel(bounds.x + 3, bounds.y + 30)
    );
    let pictures: HashSet<Vec<u8>> = ('A'..='Z')
        .chain('0'..='9')
        .map(|letter| overlay(&drawn.page, &page, &[label(&letter.to_string())]).into_raw())
        .collect();
    assert_eq!(pictures.len(), 36, "two letters look alike");
}

#[test]
fn the_stages_come_in_order_and_in_one_size() {
    let (_, stages) = segment_with_pictures(&sample_page().page, View::default());
    let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
    let expected = [
        "grey",
        "sheet",
        "background",
        "ink",
        "binary",
        "components",
        "letters",
        "lines",
        "crops",
    ];
    assert_eq!(names, expected);
    assert!(
        stages[..8]
            .iter()
            .all(|stage| stage.picture.dimensions() == stages[0].picture.dimensions())
    );
}
