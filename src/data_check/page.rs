//! Findings as a page with the images, for a browser.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use maud::{Markup, html};

use super::error::CheckError;
use super::findings::{Findings, Likeness, Suspect};
use super::grey;
use super::samples::Sample;
use super::text;
use crate::data::{DataError, DataSource, Split};
use crate::error::counted;
use crate::progress::{Monitor, Stage};
use crate::report;
use crate::shape::ImageShape;

/// Maximum findings of a kind that are shown.
const SHOWN: usize = 60;

/// Longest side of an image on the page; smaller ones are stored as they are.
const SIDE: usize = 128;

/// Quality of photographs on the page, of 100: fit to be looked at. Small images are stored without loss.
const QUALITY: u8 = 80;

/// Sides up to which images are stored without loss.
const LOSSLESS_SIDE: usize = 64;

/// Maximum images of a group of exact copies.
const COPIES: usize = 6;

/// The page. Images are read from the source that the findings are of.
///
/// # Errors
/// An image can't be read any more, or the work is cancelled.
pub fn page(
    title: &str,
    findings: &Findings,
    source: &dyn DataSource,
    monitor: &Monitor,
) -> Result<String, CheckError> {
    let page = Page {
        source,
        stage: monitor.stage("drawing the page", None),
    };
    let body = html! {
        (cards(findings))
        @for note in &findings.notes { p.note { (note) } }
        (unreadable(findings))
        (page.taken(findings)?)
        (page.duplicates(findings)?)
        (page.suspects(findings)?)
        (classes(findings))
        (page.unusual(findings)?)
    };
    Ok(report::page(title, body))
}

/// The counts.
fn cards(findings: &Findings) -> Markup {
    let splits = Split::ALL
        .iter()
        .zip(findings.samples)
        .filter(|(_, count)| *count > 0);
    let splits: Vec<String> = splits
        .map(|(split, count)| format!("{count} {}", split.name()))
        .collect();
    html! {
        p.note { (splits.join(", ")) " samples; " (counted(findings.classes.len(), "class", "classes")) "." }
        dl.cards {
            @for (title, lines) in text::sections(findings) {
                div.card { dt { (capital(&title)) } dd { (lines.len()) } }
            }
        }
    }
}

fn unreadable(findings: &Findings) -> Markup {
    let rows = findings.unreadable.iter().take(SHOWN);
    let rows = rows.map(|u| (u.sample.name.clone(), u.problem.clone()));
    table(
        "Unreadable",
        ["Sample", "Problem"],
        rows.collect(),
        findings.unreadable.len(),
    )
}

fn classes(findings: &Findings) -> Markup {
    let all = &findings.classes_in_splits;
    let rows = all.iter().take(SHOWN);
    let rows = rows.map(|count| {
        let number = format!(
            "{} in {} (median {})",
            count.samples,
            count.split.name(),
            count.median
        );
        (count.class.clone(), number)
    });
    table(
        "Classes absent or rare in a split",
        ["Class", "Samples"],
        rows.collect(),
        all.len(),
    )
}

/// A section with a table of two columns; nothing if there are no rows.
fn table(title: &str, header: [&str; 2], rows: Vec<(String, String)>, all: usize) -> Markup {
    html! {
        @if !rows.is_empty() {
            section {
                h2 { (title) }
                (of_all(rows.len(), all))
                figure {
                    table {
                        thead { tr { th { (header[0]) } th.words { (header[1]) } } }
                        tbody { @for (name, value) in rows { tr { th scope="row" { (name) } td.words.lines { (value) } } } }
                    }
                }
            }
        }
    }
}

/// A line that says how many are shown, if not all are.
fn of_all(shown: usize, all: usize) -> Markup {
    html! {
        @if shown < all { p.note { "The first " (shown) " of " (all) "; " code { "--json" } " has all." } }
    }
}

/// What the sections with images share.
struct Page<'a> {
    source: &'a dyn DataSource,
    stage: Stage,
}

impl Page<'_> {
    fn taken(&self, findings: &Findings) -> Result<Markup, CheckError> {
        let mut parts = Vec::new();
        for taken in findings.taken.iter().take(SHOWN) {
            let mut rows = Vec::new();
            for (class, samples) in [&taken.class, &taken.other]
                .into_iter()
                .zip(&taken.examples)
            {
                let tiles = samples.iter().map(|sample| self.tile(&[sample], html! {}));
                rows.push((class, tiles.collect::<Result<Vec<_>, _>>()?));
            }
            parts.push(html! {
                h3 { (capital(&text::taken_in_words(taken))) }
                @for (class, tiles) in rows {
                    p.note { "Labelled " b { (class) } }
                    div.tiles.small { @for tile in tiles { (tile) } }
                }
            });
        }
        Ok(section(
            "Confused classes",
            "Classes that the model mostly predicts as another class, or pairs of classes that it can't separate.",
            findings.taken.len(),
            parts,
        ))
    }

    fn duplicates(&self, findings: &Findings) -> Result<Markup, CheckError> {
        let mut tiles = Vec::new();
        for duplicate in findings.duplicates.iter().take(SHOWN) {
            let samples: Vec<&Sample> = duplicate.samples.iter().take(COPIES).collect();
            let more = duplicate.samples.len() - samples.len();
            let likeness = match duplicate.likeness {
                Likeness::Exact => "exact".to_string(),
                Likeness::Near => format!("near, correlation {:.3}", duplicate.correlation),
            };
            tiles.push(self.tile(
                &samples,
                html! {
                    @if duplicate.different_classes { div.wrong { "different classes" } }
                    @if duplicate.across_splits { div.wrong { "across splits" } }
                    div.note { (likeness) @if more > 0 { ", and " (more) " more" } }
                },
            )?);
        }
        let tiles = html! { div.tiles.pairs-of-images { @for tile in tiles { (tile) } } };
        Ok(section(
            "Duplicates",
            "Images that occur more than once. If copies are in training and in test, the test result is too optimistic (data leakage).",
            findings.duplicates.len(),
            if findings.duplicates.is_empty() {
                Vec::new()
            } else {
                vec![tiles]
            },
        ))
    }

    fn suspects(&self, findings: &Findings) -> Result<Markup, CheckError> {
        let Some(labels) = &findings.labels else {
            return Ok(html! {});
        };
        let about = format!(
            "Checked by {}, which agrees with {} of {} labels. Each image shows the probability of the predicted class, then that of its label.",
            labels.model,
            report::percent(labels.agreement, 1),
            labels.checked
        );
        let more = "The model gives them another class, but is not sure enough to say that the label is wrong.";
        Ok(html! {
            (section("Probably wrong labels", &about, labels.suspects.len(), self.labelled(&labels.suspects)?))
            (section("Doubtful labels", more, labels.doubtful.len(), self.labelled(&labels.doubtful)?))
        })
    }

    /// Samples with the class that they look like.
    fn labelled(&self, suspects: &[Suspect]) -> Result<Vec<Markup>, CheckError> {
        let mut tiles = Vec::new();
        for suspect in suspects.iter().take(SHOWN) {
            tiles.push(self.tile(
                &[&suspect.sample],
                html! {
                    div { "looks like " b.wrong { (suspect.suggested) } }
                    div.note {
                        (report::percent(suspect.probability_of_suggested, 1)) " against "
                        (report::percent(suspect.probability, 1))
                    }
                },
            )?);
        }
        let grid = html! { div.tiles { @for tile in &tiles { (tile) } } };
        Ok((!tiles.is_empty()).then_some(grid).into_iter().collect())
    }

    fn unusual(&self, findings: &Findings) -> Result<Markup, CheckError> {
        let mut tiles = Vec::new();
        for unusual in findings.unusual.iter().take(SHOWN) {
            let words = text::unusual_in_words(unusual);
            tiles.push(self.tile(&[&unusual.sample], html! { div.note { (words) } })?);
        }
        let tiles = html! { div.tiles { @for tile in tiles { (tile) } } };
        Ok(section(
            "Images unlike their class",
            "Far from the median of their class in brightness or size, or in a different colour mode.",
            findings.unusual.len(),
            if findings.unusual.is_empty() {
                Vec::new()
            } else {
                vec![tiles]
            },
        ))
    }

    /// Images side by side with their classes and names, and something about them.
    fn tile(&self, samples: &[&Sample], about: Markup) -> Result<Markup, CheckError> {
        let mut images = Vec::new();
        for sample in samples {
            images.push((sample, self.address(sample)?));
        }
        Ok(html! {
            figure.tile {
                div.side-by-side {
                    @for (sample, address) in images {
                        div {
                            @match address {
                                Some(address) => { img src=(address) alt=(sample.name); }
                                None => { div.blank.note { "no image" } }
                            }
                            b { (sample.class) }
                            div.note.name { (sample.name) }
                        }
                    }
                }
                (about)
            }
        })
    }

    /// The image of a sample as the address of an `img`.
    fn address(&self, sample: &Sample) -> Result<Option<String>, CheckError> {
        self.stage.advance(1)?;
        let shape = self.source.shape();
        let mut values = vec![0.0; shape.values()];
        match self.source.read(sample.split, sample.index, 0, &mut values) {
            Ok(()) => Ok(encoded(&values, shape)),
            Err(DataError::Cancelled(cancelled)) => Err(cancelled.into()),
            // It was read before; a page without one image is better than none.
            Err(_) => Ok(None),
        }
    }
}

/// A section with its parts; nothing if there are none.
fn section(title: &str, about: &str, all: usize, parts: Vec<Markup>) -> Markup {
    html! {
        @if !parts.is_empty() {
            section {
                h2 { (title) }
                p.note { (about) }
                (of_all(all.min(SHOWN), all))
                @for part in parts { (part) }
            }
        }
    }
}

/// A sample as a `data:` address: PNG if it is small, JPEG otherwise.
fn encoded(values: &[f32], shape: ImageShape) -> Option<String> {
    let longest = shape.height.max(shape.width);
    if longest <= LOSSLESS_SIDE {
        let file = report::mistakes::png(shape, values)?;
        return Some(format!("data:image/png;base64,{}", STANDARD.encode(file)));
    }
    let scaled = |side: usize| (side * SIDE.min(longest) / longest).max(1);
    let (height, width) = (scaled(shape.height), scaled(shape.width));
    let planes = grey::resized(values, shape, height, width);
    let area = height * width;
    let (colors, kind) = match shape.channels {
        3 => (3, ExtendedColorType::Rgb8),
        _ => (1, ExtendedColorType::L8),
    };
    let bytes: Vec<u8> = (0..area)
        .flat_map(|at| (0..colors).map(move |color| color * area + at))
        .map(|at| (planes[at].clamp(0.0, 1.0) * 255.0).round() as u8)
        .collect();
    let mut file = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut file, QUALITY);
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    encoder.write_image(&bytes, width, height, kind).ok()?;
    Some(format!(
        "data:image/jpeg;base64,{}",
        STANDARD.encode(file.into_inner())
    ))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}
