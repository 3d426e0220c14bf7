//! Patterns of parameter names, as in `init.except`.

use kiln::config::RenamePattern;
use kiln::models::parameters;
use proptest::prelude::*;

/// The definition: a star is any text, every other character is itself.
fn matches_naively(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| matches_naively(rest, &name[skip..])),
        Some((letter, rest)) => name
            .split_first()
            .is_some_and(|(first, others)| first == letter && matches_naively(rest, others)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_star_stands_for_any_characters(pattern in "[ab.*é]{0,8}", name in "[ab.é]{0,10}") {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            parameters::matches(&pattern, &name),
            matches_naively(&letters(&pattern), &letters(&name))
        );
    }

    #[test]
    fn stars_capture_what_a_pattern_leaves_open(pattern in "[ab.*é]{0,8}", name in "[ab.é]{0,10}") {
        if let Some(captures) = parameters::captures(&pattern, &name) {
            let mut parts = pattern.split('*');
            let first = parts.next().unwrap().to_string();
            let whole = parts.zip(&captures).fold(first, |text, (part, capture)| text + capture + part);
            prop_assert_eq!(&whole, &name);
            prop_assert_eq!(captures.len(), pattern.matches('*').count());
            // Renaming to the same pattern changes nothing.
            let same = RenamePattern { from: pattern.clone(), to: pattern };
            prop_assert_eq!(same.apply(&name), Some(name));
        }
    }

    #[test]
    fn a_name_matches_itself_and_the_pattern_that_it_was_made_from(
        parts in proptest::collection::vec("[a-c.]{0,3}", 1..5),
        between in proptest::collection::vec("[a-c.]{0,3}", 4),
    ) {
        let pattern = parts.join("*");
        let mut name = String::new();
        for (part, filling) in parts.iter().zip(&between) {
            name = name + part + filling;
        }
        let last = &between[parts.len() - 1];
        let name = name.strip_suffix(last.as_str()).unwrap();
        prop_assert!(parameters::matches(&pattern, name), "{} {}", pattern, name);
        prop_assert!(parameters::matches(name, name));
    }
}
