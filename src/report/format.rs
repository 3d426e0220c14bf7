//! Numbers as text for people: metrics, percentages, durations, dates.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::metrics::{self, Metric, Unit};

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

/// A time as `2026-11-25 14:05` in UTC.
pub(crate) fn date(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, minutes) = (seconds / 86_400, seconds % 86_400 / 60);
    // From days since 1970 to the calendar (Hinnant 2014, "chrono-compatible low-level date algorithms"): years that
    // begin in March, in eras of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!(
        "{year}-{month:02}-{day:02} {:02}:{:02}",
        minutes / 60,
        minutes % 60
    )
}

#[cfg(test)]
mod tests {
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
