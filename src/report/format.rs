//! How numbers are written for people: names, rates as percentages, digits that fit the size, durations.

/// Words in a metric's name that tell a fraction of 1, which is shown as a percentage.
const FRACTIONS: [&str; 4] = ["accuracy", "precision", "recall", "f1"];

/// Whether a metric of this name is a fraction of 1.
pub(crate) fn is_fraction(metric: &str) -> bool {
    FRACTIONS.iter().any(|word| metric.contains(word))
}

/// A metric's name for a reader: `top5_accuracy` becomes `Top5 accuracy`.
pub(crate) fn metric_title(metric: &str) -> String {
    // `top5_accuracy` is read as "top-5 accuracy".
    let spaced = match metric.strip_prefix("top") {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => format!("top-{rest}"),
        _ => metric.to_string(),
    }
    .replace('_', " ");
    let mut letters = spaced.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A metric's value for a reader: `97.35 %` for a fraction, otherwise three or so significant digits.
pub(crate) fn metric_value(metric: &str, value: f64) -> String {
    if !value.is_finite() {
        "not finite".into()
    } else if is_fraction(metric) {
        percent(value, 2)
    } else {
        number(value)
    }
}

/// A fraction of 1 as a percentage; the space before the sign does not break.
pub(crate) fn percent(fraction: f64, decimals: usize) -> String {
    format!("{:.decimals$}\u{a0}%", fraction * 100.0)
}

/// A number with about four significant digits; very small and very large ones with an exponent.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".into()
    } else if !(0.001..1e6).contains(&size) {
        format!("{value:.2e}")
    } else {
        let before_point = size.log10().floor();
        let decimals = (3.0 - before_point).clamp(0.0, 6.0) as usize;
        format!("{value:.decimals$}")
    }
}

/// Longest label of a tick in characters; longer numbers get an exponent.
const LONGEST_TICK: usize = 6;

/// A tick's label: the shortest writing of a round number.
pub(super) fn tick(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    // Rounded, because ticks are multiples of a step and carry its binary remainder.
    let decade = value.abs().log10().floor();
    let digits = (value / 10f64.powf(decade) * 1e6).round() / 1e6;
    let scientific = format!("{digits}e{decade}");
    match scientific.parse::<f64>().map(|value| value.to_string()) {
        Ok(plain) if plain.len() <= LONGEST_TICK => plain,
        _ => scientific,
    }
}

/// A duration as people read it: `45 s`, `3 min 05 s`, `2 h 07 min`.
pub(crate) fn duration(duration: std::time::Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}
