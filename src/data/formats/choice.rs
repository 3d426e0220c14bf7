//! One name of several that may mean the same: two columns of labels, two arrays of images.

/// What there is to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<'a> {
    /// No name.
    None,
    /// One, and those that are not taken.
    One(&'a str, Vec<&'a str>),
    /// Several, of which none is better than the others; in words: `"class" and "target"`.
    Several(String),
}

/// The only name, or of several the one called `best`, in any case.
pub fn choose<'a>(names: impl IntoIterator<Item = &'a str>, best: &str) -> Choice<'a> {
    let names: Vec<&str> = names.into_iter().collect();
    let place = match names.len() {
        0 => return Choice::None,
        1 => Some(0),
        _ => names
            .iter()
            .position(|name| name.trim().eq_ignore_ascii_case(best)),
    };
    match place {
        None => Choice::Several(quoted(&names)),
        Some(place) => {
            let mut others = names.clone();
            let taken = others.remove(place);
            Choice::One(taken, others)
        }
    }
}

/// Names in a sentence: `"a", "b" and "c"`.
pub fn quoted(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("{:?}", name.as_ref()))
        .collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_taken_or_the_best_of_several_and_no_other() {
        assert_eq!(choose([], "label"), Choice::None);
        assert_eq!(choose(["y"], "label"), Choice::One("y", Vec::new()));
        let with_best = choose(["class", "Label", "y"], "label");
        assert_eq!(with_best, Choice::One("Label", vec!["class", "y"]));
        let equal = choose(["class", "target", "y"], "label");
        assert_eq!(
            equal,
            Choice::Several("\"class\", \"target\" and \"y\"".into())
        );
    }
}
