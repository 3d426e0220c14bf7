//! Patterns for names that are known one by one.

use crate::config::RenamePattern;

/// As few patterns as rename each tensor of the file, in order.
pub fn patterns(pairs: &[(String, String)]) -> Vec<RenamePattern> {
    let mut found: Vec<RenamePattern> = Vec::new();
    for (from, to) in pairs {
        let now = found.iter().find_map(|pattern| pattern.apply(from));
        if now.as_ref().unwrap_or(from) != to {
            found.push(pattern(from, to, pairs));
        }
    }
    found
}

/// The widest pattern that renames a tensor and no other wrongly: `a.*` for all below `a`, or else the name itself.
fn pattern(from: &str, to: &str, pairs: &[(String, String)]) -> RenamePattern {
    let (from_parts, to_parts): (Vec<&str>, Vec<&str>) =
        (from.split('.').collect(), to.split('.').collect());
    let common = from_parts.iter().rev().zip(to_parts.iter().rev());
    let common = common.take_while(|(a, b)| a == b).count();
    for kept in (1..=common).rev() {
        let star = |parts: &[&str]| {
            let mut parts = parts[..parts.len() - kept].to_vec();
            parts.push("*");
            parts.join(".")
        };
        let pattern = RenamePattern {
            from: star(&from_parts),
            to: star(&to_parts),
        };
        let mut all = pairs.iter();
        if all.all(|(from, to)| pattern.apply(from).is_none_or(|renamed| renamed == *to)) {
            return pattern;
        }
    }
    RenamePattern {
        from: from.to_string(),
        to: to.to_string(),
    }
}
