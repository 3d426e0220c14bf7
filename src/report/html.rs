//! The page of a run: its sections in order.
//!
//! maud escapes every text; only the curves' SVG, which plotters has escaped, is inserted as it is.

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::confusion::{heat_map, most_confused_table};
use super::curves::{ChartOptions, Role, Series, chart, learning_rate_series, metric_series};
use super::format::{is_fraction, metric_title, metric_value, number, percent};
use super::mistakes::{MAX_TILES, tiles};
use super::pictures::{filters_section, reconstructions_section};
use super::{ReportData, style};
use crate::metrics::classification::{ClassReport, Confusion};
use crate::metrics::{self, EpochRecord};

/// Rows of the table of most confused pairs: about as high as the heat map beside it.
const MOST_CONFUSED: usize = 15;
/// How many classes are marked as the worst.
const WORST_CLASSES: usize = 3;
/// Minimum rows for which a long table is broken into columns, and the maximum number of columns.
const COLUMN: (usize, usize) = (10, 3);

/// The report as an HTML document in UTF-8.
pub fn render(data: &ReportData) -> String {
    page(
        data.title,
        html! {
            (headline(&data.headline))
            (curves(data.epochs, data.best_epoch))
            @if let Some(confusion) = data.confusion.filter(|matrix| matrix.total() > 0) {
                (confusions(confusion))
                (classes(confusion))
            }
            (mistakes(data))
            @if !data.reconstructions.is_empty() {
                (reconstructions_section(data.reconstructions))
            }
            @if !data.filters.is_empty() { (filters_section(data.filters)) }
            @if let Some(network) = &data.network { (network_section(network)) }
            (settings(data))
        },
    )
}

/// A document with a heading, in the look of a report.
pub fn page(title: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(style::SHEET)) }
            }
            body { main { h1 { (title) } (body) } }
        }
    };
    page.into_string()
}

/// The numbers that a reader looks for first.
fn headline(cards: &[(String, String)]) -> Markup {
    html! {
        @if !cards.is_empty() {
            dl.cards {
                @for (name, value) in cards {
                    div.card { dt { (name) } dd { (value) } }
                }
            }
        }
    }
}

/// A chart for each metric, one for the learning rate, and the numbers behind them: a section of a page. The best epoch is 0 where none
/// is known.
pub fn curves(epochs: &[EpochRecord], best_epoch: usize) -> Markup {
    if epochs.is_empty() {
        return html! {};
    }
    let best = epochs.iter().find(|e| e.epoch == best_epoch);
    html! {
        section {
            h2 { "Learning curves" }
            @if best.is_some() {
                p.note {
                    "The dashed line marks epoch " (best_epoch)
                    ", whose weights were kept; the values are those of that epoch."
                }
            }
            div.charts {
                @for metric in metric_names(epochs) { (metric_figure(epochs, best_epoch, &metric)) }
                (learning_rate_figure(epochs, best_epoch))
            }
            (epoch_table(epochs, best_epoch))
        }
    }
}

/// All metrics' names in the order in which they are shown.
fn metric_names(epochs: &[EpochRecord]) -> Vec<String> {
    let found: BTreeSet<&String> = epochs
        .iter()
        .flat_map(|record| record.train.keys().chain(record.valid.keys()))
        .collect();
    let mut names: Vec<String> = found.into_iter().cloned().collect();
    // Stable: names that the catalogue doesn't have stay in alphabetical order.
    names.sort_by_key(|name| metrics::position(name));
    names
}

/// The chart of one metric with its legend.
fn metric_figure(epochs: &[EpochRecord], best_epoch: usize, metric: &str) -> Markup {
    let series = metric_series(epochs, metric);
    let options = ChartOptions {
        fraction: is_fraction(metric),
        marked_epoch: Some(best_epoch),
        ..ChartOptions::default()
    };
    figure(
        &metric_title(metric),
        legend(&series, metric, best_epoch),
        chart(&series, options),
    )
}

/// The chart of the learning rate; lower than the others.
fn learning_rate_figure(epochs: &[EpochRecord], best_epoch: usize) -> Markup {
    let series = [learning_rate_series(epochs)];
    let options = ChartOptions {
        minor: true,
        marked_epoch: Some(best_epoch),
        ..ChartOptions::default()
    };
    figure("Learning rate", html! {}, chart(&series, options))
}

/// A chart under its caption.
pub(super) fn figure(title: &str, legend: Markup, svg: Option<String>) -> Markup {
    html! {
        figure {
            figcaption { h3 { (title) } (legend) }
            @match svg {
                Some(svg) => div role="img" aria-label=(title) { (PreEscaped(svg)) }
                None => p.note { "No finite values to plot." }
            }
        }
    }
}

/// Which colour is which, with the values at the best epoch, or else at the last.
fn legend(series: &[Series], metric: &str, best_epoch: usize) -> Markup {
    html! {
        @for one in series {
            @let (class, name) = match one.role {
                Role::Train => ("key train", "train"),
                Role::Valid => ("key valid", "validation"),
                Role::Run(_) | Role::Rest => ("key", "run"),
            };
            @let at_best = one.points.iter().find(|(epoch, _)| *epoch == best_epoch);
            span.legend {
                span class=(class) {}
                (name)
                @if let Some((_, value)) = at_best.or(one.points.last()) {
                    " " (metric_value(metric, *value))
                }
            }
        }
    }
}

/// Every epoch's numbers, folded away.
fn epoch_table(epochs: &[EpochRecord], best_epoch: usize) -> Markup {
    let names = metric_names(epochs);
    let cell = |metric: &String, value: Option<&f64>| match value {
        Some(value) => metric_value(metric, *value),
        None => "–".into(),
    };
    html! {
        details.apart {
            summary { "All epochs as numbers" }
            div.wide {
                table {
                    thead {
                        tr {
                            th { "Epoch" }
                            th { "Learning rate" }
                            @for name in &names {
                                th { (metric_title(name)) ", train" }
                                th { (metric_title(name)) ", validation" }
                            }
                        }
                    }
                    tbody {
                        @for record in epochs {
                            tr {
                                th scope="row" {
                                    (record.epoch)
                                    @if record.epoch == best_epoch { " (best)" }
                                }
                                td { (number(record.learning_rate)) }
                                @for name in &names {
                                    td { (cell(name, record.train.get(name))) }
                                    td { (cell(name, record.valid.get(name))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The heat map, and the most frequent mistakes beside it.
fn confusions(confusion: &Confusion) -> Markup {
    let wrong = confusion.total() - confusion.correct();
    html! {
        section {
            h2 { "Confusion matrix" }
            p.note {
                (confusion.total()) " test samples, " (wrong) " of them wrong. Rows are true classes, columns \
                predicted ones. "
                span.nowrap { span.key.hit {} "correct," } " " span.nowrap { span.key.miss {} "wrong;" }
                " colour intensity shows the fraction of the row; hover over a cell for its count."
            }
            div.matrix {
                figure { (heat_map(confusion)) }
                @if let Some(table) = most_confused_table(confusion, MOST_CONFUSED) {
                    figure { figcaption { h3 { "Most frequent mistakes" } } (table) }
                }
            }
        }
    }
}

/// Precision, recall and F1 by class.
fn classes(confusion: &Confusion) -> Markup {
    let reports = confusion.per_class();
    let worst = worst_f1(&reports);
    let columns = (reports.len() / COLUMN.0).clamp(1, COLUMN.1);
    html! {
        section {
            h2 { "Classes" }
            p.note {
                "Macro F1 " (percent(confusion.macro_f1(), 2)) ": the mean over the classes. "
                @if worst.is_some() { "The weakest classes are marked." }
            }
            div.columns {
                @for rows in reports.chunks(reports.len().div_ceil(columns).max(1)) {
                    figure { (class_table(rows, worst)) }
                }
            }
        }
    }
}

/// The F1 at or below which a class is marked; None when no class has a mistake.
fn worst_f1(reports: &[ClassReport]) -> Option<f64> {
    let mut scores: Vec<f64> = reports
        .iter()
        .filter(|report| report.support > 0 && report.f1 < 1.0)
        .map(|report| report.f1)
        .collect();
    scores.sort_by(f64::total_cmp);
    scores.truncate(WORST_CLASSES);
    scores.last().copied()
}

/// Some classes, one row per class.
pub fn class_table(reports: &[ClassReport], worst: Option<f64>) -> Markup {
    let is_worst = |report: &ClassReport| report.support > 0 && Some(report.f1) <= worst;
    html! {
        table {
            thead {
                tr { th { "Class" } th { "Precision" } th { "Recall" } th { "F1" } th { "Support" } }
            }
            tbody {
                @for report in reports {
                    tr.worst[is_worst(report)] {
                        th scope="row" { (report.class) }
                        td { (percent(report.precision, 1)) }
                        td { (percent(report.recall, 1)) }
                        td { (percent(report.f1, 1)) }
                        td { (report.support) }
                    }
                }
            }
        }
    }
}

/// The most confident mistakes as images.
fn mistakes(data: &ReportData) -> Markup {
    let (all, shown) = (data.mistakes.len(), data.mistakes.len().min(MAX_TILES));
    html! {
        @if all > 0 {
            section {
                h2 { "Worst mistakes" }
                p.note {
                    "Truth → prediction, and the probability that the model gave to the wrong class; the most \
                    confident first."
                    @if shown < all { " These are " (shown) " of " (all) "." }
                }
                (tiles(data.mistakes))
            }
        }
    }
}

/// The layers as a graph.
fn network_section(network: &Markup) -> Markup {
    html! {
        section {
            h2 { "Network" }
            p.note {
                "Layers with weights are blue, pooling layers orange; each is labelled with its name and output shape. \
                Repeated blocks are drawn once."
            }
            details.network open { summary { "Layers" } (network) }
        }
    }
}

/// The resolved config and the environment.
fn settings(data: &ReportData) -> Markup {
    let config = indented(data.config_json);
    html! {
        section {
            h2 { "Configuration and environment" }
            @if !config.is_empty() {
                details open { summary { "Resolved configuration" } pre { (config) } }
            }
            @if !data.environment.is_empty() {
                details open {
                    summary { "Environment" }
                    dl.pairs {
                        @for (name, value) in &data.environment { dt { (name) } dd { (value) } }
                    }
                }
            }
        }
    }
}

/// JSON in one line becomes indented. What has lines already stays, because its order of keys is more telling than the
/// alphabet's; so does what is not JSON.
pub(super) fn indented(json: &str) -> String {
    let as_it_is = || json.to_string();
    if json.trim_end().contains('\n') {
        return as_it_is();
    }
    serde_json::from_str::<serde_json::Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| as_it_is())
}
