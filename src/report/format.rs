//! Numbers as text for people: metrics, percentages, durations, dates.

use std::time::SystemTime;

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::metrics::{self, Metric, Unit};

/// The text of a cell without a value.
pub const ABSENT: &str = "–";
/// Keeps a number and its unit on one line.
pub(crate) const NO_BREAK_SPACE: char = '\u{a0}';
/// Bytes of the units of sizes.
const MEGABYTE: f64 = 1e6;
const KILOBYTE: f64 = 1e3;

/// Decimals of a percentage and of decibels.
const DECIMALS: usize = 2;

/// What a metric of this name counts; a plain number for names that this version does not know.
fn unit(metric: &str) -> Unit {
    metrics::find(metric).map_or(Unit::Plain, |metric| metric.unit)
}

/// Whether a metric of this name is a fraction of 1.
pub(crate) fn is_fraction(metric: &str) -> bool {
    unit(metric) == Unit::Fraction
}

/// A metric's name as a heading: `Top-5 accuracy`.
pub fn metric_title(metric: &str) -> String {
    metrics::find(metric).map_or_else(|| metric.replace('_', " "), |known| known.title.into())
}

/// A metric's name within a sentence: `top-5 accuracy`, `PSNR`.
pub fn metric_name(metric: &str) -> String {
    metrics::find(metric).map_or_else(|| metric.replace('_', " "), Metric::name_in_text)
}

/// A metric's value for a reader: `97.35 %`, `23.41 dB`, otherwise three or so significant digits.
pub fn metric_value(metric: &str, value: f64) -> String {
    if !value.is_finite() {
        return "not finite".into();
    }
    match unit(metric) {
        Unit::Fraction => percent(value, DECIMALS),
        Unit::Decibels => format!("{value:.DECIMALS$}\u{a0}dB"),
        Unit::Plain => number(value),
    }
}

/// A fraction of 1 as a percentage; the space before the sign does not break.
pub fn percent(fraction: f64, decimals: usize) -> String {
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

/// A duration as people read it: `4.2 s`, `45 s`, `3 min 05 s`, `2 h 07 min`.
pub fn duration(duration: std::time::Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A time as `2026-11-25 14:05` in UTC; a dash if it is outside the calendar.
pub fn date(time: SystemTime) -> String {
    const MINUTES: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day] [hour]:[minute]");
    // Not `OffsetDateTime::from`, which panics on times that a file may well claim.
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok();
    since
        .and_then(|since| Duration::try_from(since).ok())
        .and_then(|since| OffsetDateTime::UNIX_EPOCH.checked_add(since))
        .and_then(|time| time.format(MINUTES).ok())
        .unwrap_or_else(|| ABSENT.into())
}

/// A number of bytes in decimal units, as servers and vendors count: `12.3 kB`, `170.5 MB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes < MEGABYTE => format!("{:.1} kB", bytes / KILOBYTE),
        bytes => format!("{:.1} MB", bytes / MEGABYTE),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // As `date -u -d @SECONDS` has them: around leap days, and the ends of years and centuries.
        for (seconds, expected) in [
            (0, "1970-01-01 00:00"),
            (951_782_399, "2000-02-28 23:59"),
            (951_782_400, "2000-02-29 00:00"),
            (1_709_251_199, "2024-02-29 23:59"),
            (1_709_251_200, "2024-03-01 00:00"),
            (1_798_761_599, "2026-12-31 23:59"),
            (4_107_542_400, "2100-03-01 00:00"),
        ] {
            let time = UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            assert_eq!(date(time), expected);
        }
    }
}
