//! What separates the columns of a table of text.

/// The separators, the likeliest last.
const SEPARATORS: [u8; 3] = [b'\t', b';', b','];

/// The separator that a line has most of, outside of quotes: a tab, a semicolon, or a comma if there are as many; `None` if it has none.
pub fn of(line: &str) -> Option<u8> {
    let count = |separator: u8| {
        let outside = line.split('"').step_by(2);
        outside
            .map(|part| part.bytes().filter(|&byte| byte == separator).count())
            .sum::<usize>()
    };
    let (most, separator) = SEPARATORS
        .map(|separator| (count(separator), separator))
        .into_iter()
        .max_by_key(|(count, _)| *count)?;
    (most > 0).then_some(separator)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_most_frequent_separator_outside_of_quotes_counts() {
        for (line, expected) in [
            ("a,b", Some(b',')),
            ("a;b", Some(b';')),
            ("a\tb,c\td", Some(b'\t')),
            ("\"a;b;c\",d", Some(b',')),
            ("a;b,c", Some(b',')),
            ("1 2 3", None),
            ("", None),
        ] {
            assert_eq!(super::of(line), expected, "{line:?}");
        }
    }
}
