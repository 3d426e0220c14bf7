//! ALTO, hOCR, TSV, and what holds for every format.

use kiln::ocr::formats::{FORMATS, Sheet, alto, hocr, tsv};
use proptest::prelude::*;
use roxmltree::Node;

use crate::pages::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_page_of_any_text_is_well_formed_xml(lines in odd_words()) {
        let sheets = [sheet(page(&lines)), sheet(page(&lines))];
        let words: usize = lines.iter().map(Vec::len).sum();
        let text = alto(&sheets);
        let document = parse(&text);
        prop_assert_eq!(all(&document, "Page").len(), 2);
        prop_assert_eq!(all(&document, "String").len(), 2 * words);
        let text = hocr(&sheets);
        let document = parse(&text);
        prop_assert_eq!(of_class(&document, "ocr_page").len(), 2);
        prop_assert_eq!(of_class(&document, "ocrx_word").len(), 2 * words);
    }

    #[test]
    fn a_row_of_the_table_has_twelve_columns_whatever_the_text(lines in odd_words()) {
        let words: usize = lines.iter().map(Vec::len).sum();
        let text = tsv(&[sheet(page(&lines))]);
        let rows: Vec<&str> = text.split_terminator('\n').collect();
        let block = if lines.is_empty() { 0 } else { 2 };
        prop_assert_eq!(rows.len(), 1 + 1 + block + lines.len() + words);
        for row in rows {
            prop_assert_eq!(row.split('\t').count(), 12, "{}", row);
        }
    }
}

#[test]
fn text_is_kept_as_it_is_in_xml() {
    let odd = page(&[vec!["A<B&\"C'".into()]]);
    let text = alto(&[sheet(odd.clone())]);
    let document = parse(&text);
    assert_eq!(
        all(&document, "String")[0].attribute("CONTENT"),
        Some("A<B&\"C'")
    );
    assert_eq!(
        all(&document, "fileName")[0].text(),
        Some("a <strange> & \"quoted\" name; with all.png")
    );
    let text = hocr(&[sheet(odd)]);
    let document = parse(&text);
    let letters: String = of_class(&document, "ocrx_word")[0]
        .descendants()
        .filter(|node| node.is_text())
        .map(|node| node.text().unwrap())
        .collect();
    assert_eq!(letters, "A<B&\"C'");
}

#[test]
fn hocr_has_its_boxes_inside_each_other_and_its_capabilities() {
    let text = hocr(&[sheet(two_lines())]);
    let document = parse(&text);
    let bbox = |node: Node| -> Vec<u32> {
        let title = node.attribute("title").unwrap();
        let part = title
            .split("; ")
            .find_map(|part| part.strip_prefix("bbox "));
        let numbers = part.unwrap().split(' ').map(|part| part.parse().unwrap());
        numbers.collect()
    };
    let classes = [
        "ocr_page",
        "ocr_carea",
        "ocr_line",
        "ocrx_word",
        "ocrx_cinfo",
    ];
    for (class, count) in classes.iter().zip([1, 1, 2, 3, 11]) {
        assert_eq!(of_class(&document, class).len(), count, "{class}");
    }
    for class in &classes[1..] {
        for node in of_class(&document, class) {
            let (inner, outer) = (bbox(node), bbox(node.parent().unwrap()));
            assert!(inner[0] >= outer[0] && inner[1] >= outer[1]);
            assert!(inner[2] <= outer[2] && inner[3] <= outer[3]);
        }
    }
    let capabilities = all(&document, "meta").into_iter();
    let mut capabilities =
        capabilities.filter(|meta| meta.attribute("name") == Some("ocr-capabilities"));
    let named = capabilities.next().unwrap().attribute("content").unwrap();
    assert!(classes.iter().all(|class| named.contains(class)), "{named}");
    assert!(
        of_class(&document, "ocrx_word")[0]
            .attribute("title")
            .unwrap()
            .contains("x_wconf 90")
    );
}

#[test]
fn alto_names_the_file_if_all_pages_are_of_one() {
    let text = alto(&[sheet(two_lines()), sheet(page(&[]))]);
    let document = parse(&text);
    let name = all(&document, "fileName")[0].text();
    assert_eq!(name, Some(sheet(page(&[])).image.as_str()));
}

/// The order and number of children by the schema of ALTO 4.4 (alto-4-4.xsd), for what kiln writes of it.
#[test]
fn alto_has_the_elements_of_its_schema_in_their_order() {
    let other = Sheet {
        image: "another.png".into(),
        ..sheet(page(&[]))
    };
    let text = alto(&[sheet(two_lines()), other]);
    let document = parse(&text);
    let names = |node: Node| -> Vec<String> {
        let children = node.children().filter(Node::is_element);
        children
            .map(|child| child.tag_name().name().to_string())
            .collect()
    };
    let root = document.root_element();
    assert_eq!(
        root.tag_name().namespace(),
        Some("http://www.loc.gov/standards/alto/ns-v4#")
    );
    assert_eq!(names(root), ["Description", "Layout"]);
    assert_eq!(
        names(all(&document, "Description")[0]),
        ["MeasurementUnit", "Processing"]
    );
    let blocks = all(&document, "TextBlock");
    assert_eq!(names(blocks[0]), ["TextLine", "TextLine"]);
    assert_eq!(blocks.len(), 1, "none on an empty page");
    assert_eq!(
        names(all(&document, "TextLine")[0]),
        ["String", "SP", "String"]
    );
    let space = all(&document, "SP")[0];
    assert_eq!(number(space, "HPOS"), f64::from(MARGIN + 5 * LETTER.0));
    assert_eq!(number(space, "WIDTH"), f64::from(GAP));
    let glyph = all(&document, "Glyph")[0];
    assert_eq!(glyph.attribute("CONTENT"), Some("H"));
    assert_eq!(names(glyph), ["Variant", "Variant"]);
    for (name, confidence) in [
        ("String", "WC"),
        ("Glyph", "GC"),
        ("Variant", "VC"),
        ("Page", "PC"),
    ] {
        for node in all(&document, name) {
            assert!((0.0..=1.0).contains(&number(node, confidence)), "{name}");
        }
    }
    let mut ids: Vec<&str> = document
        .descendants()
        .filter_map(|node| node.attribute("ID"))
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "every name is given once");
}

#[test]
fn a_word_stands_in_the_table_where_it_stands_on_the_page() {
    let text = tsv(&[sheet(two_lines())]);
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[0].starts_with("level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft"));
    let world = rows.iter().find(|row| row.ends_with("\tWORLD")).unwrap();
    assert_eq!(*world, "5\t1\t1\t1\t1\t2\t175\t40\t100\t30\t90.0000\tWORLD");
}

#[test]
fn every_format_takes_a_page_without_writing_and_no_page_at_all() {
    for format in FORMATS {
        assert!(format.write(&[sheet(page(&[]))], false).is_ok());
        assert!(format.write(&[], true).is_ok());
    }
}
