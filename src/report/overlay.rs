//! The page that compares several runs: their curves in one chart, and tables, as one HTML file without scripts and links.
//!
//! The best dozen runs have a colour each, the second half of them dashed; the others are grey in the background.

use maud::{Markup, html};

use super::curves::{ChartOptions, Role, Series, chart, metric_series};
use super::format::{is_fraction, metric_name};
use super::html::{figure, indented, page};
use super::scatter::{Dot, scatter};
use super::style::RUNS;
use super::table::Table;
use crate::metrics::{EpochRecord, LOSS};

/// What the page shows.
#[derive(Debug, Clone)]
pub struct OverlayData<'a> {
    /// The page's heading.
    pub title: &'a str,
    /// What the runs show, in sentences; the first is the most important one.
    pub findings: &'a [String],
    /// The metric by which the runs are ranked.
    pub metric: &'a str,
    /// The runs, the best first.
    pub runs: &'a [OverlayRun<'a>],
    /// Tables, in this order.
    pub sections: &'a [Section],
    /// How the runs were made: name and value, in this order.
    pub made_by: &'a [(String, String)],
    /// The config that the runs share, as JSON; empty if there is none.
    pub config_json: &'a str,
}

/// A run in the charts.
#[derive(Debug, Clone)]
pub struct OverlayRun<'a> {
    /// What it is called in the legend.
    pub label: String,
    /// Its value of the metric, as text.
    pub value: Option<String>,
    /// Its curves; one without epochs is omitted.
    pub epochs: &'a [EpochRecord],
}

/// Tables under a heading.
#[derive(Debug, Clone)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// A sentence below it; may be empty.
    pub note: String,
    /// The tables; several stand side by side.
    pub tables: Vec<Table>,
    /// Charts of the runs, before the tables.
    pub dots: Vec<Dots>,
    /// Whether the rows are the runs, in order: each then gets the colour of its curves.
    pub keyed: bool,
}

/// The metric by a setting.
#[derive(Debug, Clone)]
pub struct Dots {
    /// Path of the setting.
    pub setting: String,
    /// Index of a run, its setting, its value of the metric; the best first.
    pub dots: Vec<(usize, f64, f64)>,
}

/// The page as an HTML document in UTF-8.
pub fn render(data: &OverlayData) -> String {
    page(data.title, body(data))
}

/// What is below the heading of the page.
pub fn body(data: &OverlayData) -> Markup {
    let drawn = data.runs.iter().any(|run| !run.epochs.is_empty());
    html! {
        @for (index, finding) in data.findings.iter().enumerate() {
            p.finding[index == 0] { (finding) }
        }
        @if drawn { (charts(data)) }
        (sections(data))
        (origin(data))
    }
}

/// Which part of an epoch a chart shows.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Train,
    Valid,
}

/// The ranking metric in full width, or like the others where there is no room for that; the losses below it.
fn charts(data: &OverlayData) -> Markup {
    html! {
        section {
            h2 { "Learning curves" }
            (legend(data.runs))
            div.charts {
                div.broad { (overlay(data, data.metric, Part::Valid, true)) }
                div.narrow { (overlay(data, data.metric, Part::Valid, false)) }
                @if data.metric != LOSS.name { (overlay(data, LOSS.name, Part::Valid, false)) }
                (overlay(data, LOSS.name, Part::Train, false))
            }
        }
    }
}

/// One metric of all runs.
fn overlay(data: &OverlayData, metric: &str, part: Part, wide: bool) -> Markup {
    let mut series: Vec<Series> = data
        .runs
        .iter()
        .enumerate()
        .filter_map(|(index, run)| {
            let side = match part {
                Part::Train => Role::Train,
                Part::Valid => Role::Valid,
            };
            let curves = metric_series(run.epochs, metric);
            let curve = curves.into_iter().find(|series| series.role == side)?;
            Some(Series {
                role: role(index),
                ..curve
            })
        })
        .collect();
    // The best is drawn last, over the others.
    series.reverse();
    let options = ChartOptions {
        fraction: is_fraction(metric),
        wide,
        ..ChartOptions::default()
    };
    let part = match part {
        Part::Train => "Training",
        Part::Valid => "Validation",
    };
    let title = format!("{part} {}", metric_name(metric));
    figure(&title, html! {}, chart(&series, options))
}

/// How the run with this index is drawn.
fn role(index: usize) -> Role {
    if index < RUNS.len() {
        Role::Run(index)
    } else {
        Role::Rest
    }
}

/// One dot for each run.
fn by_setting(metric: &str, dots: &Dots) -> Markup {
    let drawn: Vec<Dot> = dots
        .dots
        .iter()
        .map(|&(index, setting, value)| Dot {
            role: role(index),
            setting,
            value,
        })
        .collect();
    let title = format!("Validation {} by {}", metric_name(metric), dots.setting);
    figure(&title, html! {}, scatter(&drawn, is_fraction(metric)))
}

/// Which line is which run, in the order of the runs.
fn legend(runs: &[OverlayRun]) -> Markup {
    let drawn = || {
        runs.iter()
            .enumerate()
            .filter(|(_, r)| !r.epochs.is_empty())
    };
    let others = drawn().filter(|(index, _)| *index >= RUNS.len()).count();
    html! {
        p.runs {
            @for (index, run) in drawn().take_while(|(index, _)| *index < RUNS.len()) {
                span.legend {
                    (key(index)) (run.label)
                    @if let Some(value) = &run.value { " " b { (value) } }
                }
            }
            @if others > 0 {
                span.legend { span.stroke.rest {} (others) " more" }
            }
        }
    }
}

/// Line swatch of a run, for legends and tables.
fn key(index: usize) -> Markup {
    html! {
        @if index < RUNS.len() {
            span class=(format!("stroke run{index}")) {}
        } @else {
            span.stroke.rest {}
        }
    }
}

fn sections(data: &OverlayData) -> Markup {
    let mark = |index: usize, keyed: bool| match data.runs.get(index) {
        Some(run) if keyed && !run.epochs.is_empty() => key(index),
        _ => html! {},
    };
    html! {
        @for section in data.sections {
            section {
                h2 { (section.title) }
                @if !section.note.is_empty() { p.note { (section.note) } }
                div.charts {
                    @for dots in &section.dots { (by_setting(data.metric, dots)) }
                    @for table in &section.tables {
                        figure { (table.html(|index| mark(index, section.keyed))) }
                    }
                }
            }
        }
    }
}

fn origin(data: &OverlayData) -> Markup {
    html! {
        @if !data.made_by.is_empty() {
            section {
                h2 { "Configuration and environment" }
                figure { dl.pairs { @for (name, value) in data.made_by { dt { (name) } dd { (value) } } } }
            }
        }
        @if !data.config_json.is_empty() {
            details.apart { summary { "Config file" } pre { (indented(data.config_json)) } }
        }
    }
}
