//! What a run gets wrong: the confusion matrix, whose cells open their images, the rates of each class, and the most certain mistakes.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{PageParts, encoded, or_problem};
use crate::data::Split;
use crate::evaluation::Listed;
use crate::metrics::classification::Confusion;
use crate::report::{class_table, percent};
use crate::serve::api::{InPath, blocking, split_of, typed};
use crate::serve::problem::Problem;
use crate::serve::site::Site;
use crate::serve::work::{Evaluated, Progressing};

/// Images of a page.
const SHOWN: usize = 60;
/// Steps of the colour of a cell.
const STEPS: f64 = 10.0;

/// What is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Look {
    split: String,
    truth: Option<String>,
    predicted: Option<String>,
    /// `map`: where the images speak for the predicted class.
    show: Option<String>,
    skip: usize,
}

/// `GET /runs/{id}/mistakes`
pub async fn mistakes(
    State(site): State<Arc<Site>>,
    InPath(id): InPath<String>,
    query: Result<Query<Look>, QueryRejection>,
) -> Response {
    let made = page(site, &id, query).await;
    let title = format!("Mistakes of {id}");
    or_problem(made.map(|body| PageParts {
        title: &title,
        place: "/",
        script: Some("live.js"),
        body,
    }))
}

async fn page(
    site: Arc<Site>,
    id: &str,
    query: Result<Query<Look>, QueryRejection>,
) -> Result<Markup, Problem> {
    let look = typed(query)?;
    let split = match look.split.as_str() {
        "" => Split::Test,
        name => split_of(name)?,
    };
    let id = id.to_string();
    blocking(move || {
        let path = site.catalog.run(&id)?;
        let state = site.evaluations.of(&path, split)?;
        let shown = match &state {
            Progressing::Failed(problem) => html! { p.error role="alert" { (problem.message) } },
            Progressing::Running(done, total) => waiting(*done, *total),
            Progressing::Done(evaluated) => found(&Shown::new(&id, evaluated, &look)?),
        };
        let is_running = matches!(state, Progressing::Running(..));
        Ok(html! {
            p.links { a href=(format!("/runs/{}", encoded(&id))) { "The run" } }
            (splits(split))
            div id="live" data-every=[is_running.then_some(1)] { (shown) }
        })
    })
    .await
}

fn splits(chosen: Split) -> Markup {
    html! {
        form.controls {
            label {
                "Split "
                select name="split" {
                    @for split in Split::ALL { option selected[split == chosen] { (split.name()) } }
                }
            }
            button { "Show" }
        }
    }
}

fn waiting(done: usize, total: usize) -> Markup {
    html! {
        p role="status" {
            @if total == 0 { "Opening the data…" } @else { "Evaluating: " (done) " of " (total) " samples…" }
        }
        @if total > 0 { progress max=(total) value=(done) aria-label="evaluated samples" {} }
    }
}

/// What is shown of an evaluation.
struct Shown<'a> {
    id: String,
    evaluated: &'a Evaluated,
    look: &'a Look,
    cell: Option<(usize, usize)>,
}

impl<'a> Shown<'a> {
    fn new(id: &str, evaluated: &'a Evaluated, look: &'a Look) -> Result<Self, Problem> {
        let classes = evaluated.source.classes();
        let class = |name: &String| {
            let place = classes.iter().position(|class| class == name);
            place.ok_or_else(|| Problem::not_found(format!("there is no class {name:?}")))
        };
        let cell = match (&look.truth, &look.predicted) {
            (Some(truth), Some(predicted)) => Some((class(truth)?, class(predicted)?)),
            _ => None,
        };
        Ok(Self {
            id: encoded(id),
            evaluated,
            look,
            cell,
        })
    }

    fn class(&self, index: usize) -> &str {
        &self.evaluated.source.classes()[index]
    }

    fn split(&self) -> &'static str {
        self.evaluated.split.name()
    }

    /// The address of a cell, or of all mistakes.
    fn address(&self, cell: Option<(usize, usize)>, show: Option<&str>, skip: usize) -> String {
        let mut address = format!("/runs/{}/mistakes?split={}", self.id, self.split());
        if let Some((truth, predicted)) = cell {
            let (truth, predicted) = (encoded(self.class(truth)), encoded(self.class(predicted)));
            address += &format!("&truth={truth}&predicted={predicted}");
        }
        if let Some(show) = show {
            address += &format!("&show={show}");
        }
        if skip > 0 {
            address += &format!("&skip={skip}");
        }
        address + "#images"
    }

    fn picture(&self, one: &Listed, show: &str) -> String {
        let class = encoded(self.class(one.predicted));
        let suffix = match show {
            "map" => format!("?show=map&class={class}"),
            "image" => String::new(),
            show => format!("?show={show}"),
        };
        format!(
            "/api/runs/{}/samples/{}/{}.png{suffix}",
            self.id,
            self.split(),
            one.index
        )
    }
}

fn found(shown: &Shown) -> Markup {
    html! {
        @match &shown.evaluated.listing.confusion {
            Some(confusion) => {
                (matrix(shown, confusion))
                (images(shown))
                (classes(confusion))
            }
            None => (images(shown)),
        }
    }
}

fn matrix(shown: &Shown, confusion: &Confusion) -> Markup {
    let (all, right) = (confusion.total(), confusion.correct());
    let counts = confusion.counts();
    html! {
        section {
            h2 { "Confusion matrix" }
            p.note {
                (all) " samples, " (all - right) " of them wrong. Rows are true classes, columns predicted ones; a cell opens its images."
            }
            @if all > right {
                p.links {
                    @for pair in confusion.most_confused(8) {
                        @let place = |name: &str| confusion.classes().iter().position(|class| class == name).unwrap_or(0);
                        a href=(shown.address(Some((place(&pair.truth), place(&pair.predicted))), None, 0)) {
                            (pair.truth) " as " (pair.predicted) ": " (pair.count)
                        }
                    }
                }
            }
            div.wide.card tabindex="0" role="region" aria-label="Confusion matrix" {
                table.confusion {
                    thead { tr {
                        td {}
                        @for class in confusion.classes() { th scope="col" { (class) } }
                    } }
                    tbody {
                        @for (truth, row) in counts.iter().enumerate() {
                            @let support: u64 = row.iter().sum();
                            tr {
                                th scope="row" { (shown.class(truth)) }
                                @for (predicted, &count) in row.iter().enumerate() {
                                    (cell(shown, (truth, predicted), count, support))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(shown: &Shown, place: (usize, usize), count: u64, support: u64) -> Markup {
    if count == 0 {
        return html! { td {} };
    }
    let share = count as f64 / support.max(1) as f64;
    let is_hit = place.0 == place.1;
    // Of mistakes the root is shown: those of 1 % must be visible beside hits of 99 %.
    let strength = if is_hit { share } else { share.sqrt() };
    let step = (strength * STEPS).ceil().clamp(1.0, STEPS);
    let kind = if is_hit { "hit" } else { "miss" };
    let (truth, predicted) = (shown.class(place.0), shown.class(place.1));
    let label = format!("{truth} predicted as {predicted}: {count} of {support}");
    html! {
        td class=(format!("{kind} step{step}")) {
            a href=(shown.address(Some(place), None, 0)) aria-label=(label) title=(label)
                aria-current=[(shown.cell == Some(place)).then_some("true")] { (count) }
        }
    }
}

fn images(shown: &Shown) -> Markup {
    let listing = &shown.evaluated.listing;
    let is_classifier = listing.confusion.is_some();
    let samples = match shown.cell {
        Some((truth, predicted)) => listing.cell(truth, predicted),
        None => listing.worst(),
    };
    let title = match shown.cell {
        Some((truth, predicted)) => {
            format!(
                "{} predicted as {}",
                shown.class(truth),
                shown.class(predicted)
            )
        }
        None if is_classifier => "Most certain mistakes".into(),
        None => "Originals and reconstructions, worst first".into(),
    };
    let explains = is_classifier && shown.evaluated.classifier.network().backbone().is_some();
    let is_map = explains && shown.look.show.as_deref() == Some("map");
    let skip = shown.look.skip.min(samples.len());
    let show = is_map.then_some("map");
    html! {
        section id="images" {
            h2 { (title) }
            p.links {
                @if shown.cell.is_some() { a href=(shown.address(None, show, 0)) { "All mistakes" } }
                @if explains && !is_map { a href=(shown.address(shown.cell, Some("map"), skip)) { "Show where they speak for the predicted class" } }
                @if is_map { a href=(shown.address(shown.cell, None, skip)) { "Show the images alone" } }
            }
            @if samples.is_empty() { p.note { "None." } }
            ul.tiles {
                @for one in samples.iter().skip(skip).take(SHOWN) { (tile(shown, one, is_classifier, is_map)) }
            }
            p.links {
                @if skip > 0 { a href=(shown.address(shown.cell, show, skip.saturating_sub(SHOWN))) { "Previous" } }
                @if samples.len() > skip + SHOWN { a href=(shown.address(shown.cell, show, skip + SHOWN)) { "Next" } }
                @if samples.len() > SHOWN { span.note { (samples.len().min(skip + 1)) " to " (samples.len().min(skip + SHOWN)) " of " (samples.len()) } }
            }
        }
    }
}

fn tile(shown: &Shown, one: &Listed, is_classifier: bool, is_map: bool) -> Markup {
    let source = &shown.evaluated.source;
    let name = match source.file(shown.evaluated.split, one.index) {
        Some(file) => file.display().to_string(),
        None => source.name(shown.evaluated.split, one.index).into_owned(),
    };
    let (truth, predicted) = (shown.class(one.label), shown.class(one.predicted));
    html! {
        li.card.tile {
            @if is_classifier {
                img loading="lazy" src=(shown.picture(one, if is_map { "map" } else { "image" })) alt=(format!("{truth} predicted as {predicted}"));
                b { (truth) } " → " b.wrong[one.label != one.predicted] { (predicted) }
                div.note { (percent(f64::from(one.value), 1)) }
            } @else {
                img loading="lazy" src=(shown.picture(one, "image")) alt=(format!("original of {truth}"));
                img loading="lazy" src=(shown.picture(one, "reconstruction")) alt=(format!("reconstruction of {truth}"));
                b { (truth) }
                div.note { (format!("{:.1}\u{a0}dB", one.value)) }
            }
            div.note.name { (name) }
        }
    }
}

fn classes(confusion: &Confusion) -> Markup {
    let reports = confusion.per_class();
    html! {
        section {
            h2 { "Classes" }
            div.wide.card tabindex="0" role="region" aria-label="Classes" { (class_table(&reports, None)) }
        }
    }
}
