//! The sheet of first-layer weights.

use kiln::report::{Filters, pictures::sheet};
use kiln::shape::ImageShape;

#[test]
fn a_sheet_draws_each_unit_from_black_to_white() {
    let filters = Filters {
        when: "before training",
        units: 9,
        shape: ImageShape::new(1, 1, 30),
        values: (0..270).map(|i| (i % 30) as f32 - 7.0).collect(),
    };
    let picture = image::load_from_memory(&sheet(&filters).unwrap()).unwrap();
    let picture = picture.into_luma8();
    // Eight units in a row, three white pixels between them, and one below.
    assert_eq!(picture.dimensions(), (8 * 33 - 3, 2 * 4 - 3));
    let at = |x, y| picture.get_pixel(x, y).0[0];
    assert_eq!(
        [at(0, 0), at(29, 0), at(30, 0), at(33, 0)],
        [0, 255, 255, 0]
    );
    assert_eq!([at(0, 4), at(29, 4), at(33, 4)], [0, 255, 255]);
    for broken in [
        Filters {
            units: 0,
            ..filters.clone()
        },
        Filters {
            units: 8,
            ..filters.clone()
        },
        Filters {
            shape: ImageShape::new(1, 0, 30),
            ..filters.clone()
        },
    ] {
        assert_eq!(sheet(&broken), None);
    }
    let flat = Filters {
        values: vec![3.0; 270],
        ..filters
    };
    assert!(sheet(&flat).is_some());
}
