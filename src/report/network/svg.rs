//! The graph of a network as an SVG picture.
//!
//! maud escapes every text. Colours are those of the report's style sheet, which sets those of the reader's scheme.

use maud::{Markup, html};
use plotters::style::RGBColor;

use super::figure::{Accent, BOX_PADDING, Figure, LINE, Label, Mark, RADIUS};
use super::fold::fold;
use crate::models::Task;
use crate::models::layer_list::Node;
use crate::report::format::NO_BREAK_SPACE;
use crate::report::style::{AXIS, CARD, INK, LABEL, PAGE, TRAIN, VALID};
use crate::shape::ImageShape;

/// Room around the picture.
const MARGIN: i32 = 16;
/// Room for the title of a picture in a file of its own.
const TITLE: i32 = 30;
/// Font sizes of a box's title and of everything else.
const FONT: i32 = 13;
const SMALL_FONT: i32 = 11;
/// Characters in a line of a box: common sans-serif fonts have letters a bit more than half as wide as high.
const TITLE_LETTERS: usize = 34;
const SMALL_LETTERS: usize = 40;
/// Width of the stripe at the left of a box, and from there to the text.
const STRIPE: i32 = 4;
const INSET: i32 = 12;
/// Baseline of a line of text below its top.
const BASELINE: i32 = 13;
/// Half width and height of an arrow's head.
const ARROW: (i32, i32) = (4, 7);

/// What a network gives, in words.
pub fn output_text(task: Task, classes: usize, input: ImageShape) -> String {
    match task {
        Task::Classify => format!("{classes} classes"),
        Task::Reconstruct => input.to_string(),
    }
}

/// A picture in a page: the layers between images of `input` and what comes out, in words.
pub fn drawing(nodes: &[Node], input: ImageShape, output: &str) -> Markup {
    picture(nodes, input, output, None)
}

/// A picture as a file of its own, with a title.
pub fn drawing_file(title: &str, nodes: &[Node], input: ImageShape, output: &str) -> String {
    picture(nodes, input, output, Some(title)).into_string() + "\n"
}

fn picture(nodes: &[Node], input: ImageShape, output: &str, title: Option<&str>) -> Markup {
    let figure = Figure::new(
        &fold(nodes),
        Label::line("images", input.to_string()),
        Label::line(output, String::new()),
    );
    let top = MARGIN + title.map_or(0, |_| TITLE);
    let (width, height) = (figure.width + 2 * MARGIN, figure.height + top + MARGIN);
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox=(format!("0 0 {width} {height}"))
            role="img" aria-label="Layers of the network" font-family="system-ui, sans-serif" font-size=(SMALL_FONT) {
            @if let Some(title) = title {
                rect width=(width) height=(height) fill=(hex(CARD)) {}
                text x=(MARGIN) y=(MARGIN + BASELINE) font-size=(FONT) font-weight="600" fill=(hex(INK)) { (title) }
            }
            g transform=(format!("translate({MARGIN} {top})")) {
                // Frames lie below what is in them, lines below boxes.
                @for mark in &figure.marks { @if let Mark::Frame { .. } = mark { (drawn(mark)) } }
                @for mark in &figure.marks { @if let Mark::Line(..) = mark { (drawn(mark)) } }
                @for mark in &figure.marks {
                    @if let Mark::Box { .. } | Mark::Sum(..) = mark { (drawn(mark)) }
                }
            }
        }
    }
}

/// A colour as plotters writes it.
fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn drawn(mark: &Mark) -> Markup {
    match mark {
        Mark::Box { at, size, label } => drawn_box(*at, *size, label),
        Mark::Line(points, is_arrow) => line(points, *is_arrow),
        Mark::Sum(x, y) => {
            let reach = RADIUS / 2;
            let cross = format!(
                "M{} {y}h{}M{x} {}v{}",
                x - reach,
                2 * reach,
                y - reach,
                2 * reach
            );
            html! {
                circle cx=(x) cy=(y) r=(RADIUS) fill=(hex(CARD)) stroke=(hex(LABEL)) {}
                path d=(cross) stroke=(hex(LABEL)) {}
            }
        }
        Mark::Frame { at, size, times } => html! {
            rect x=(at.0) y=(at.1) width=(size.0) height=(size.1) rx="8" fill=(hex(PAGE)) stroke=(hex(AXIS))
                stroke-dasharray="5 4" {}
            text x=(at.0 + size.0 - INSET) y=(at.1 + BASELINE + 3) text-anchor="end" font-size=(FONT) font-weight="600"
                fill=(hex(INK)) { "×" (NO_BREAK_SPACE) (times) }
        },
    }
}

fn line(points: &[(i32, i32)], is_arrow: bool) -> Markup {
    let pairs: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
    let (half, high) = ARROW;
    html! {
        polyline points=(pairs.join(" ")) fill="none" stroke=(hex(LABEL)) {}
        @if let (true, Some((x, y))) = (is_arrow, points.last()) {
            path d=(format!("M{x} {y}l{} {}h{}z", -half, -high, 2 * half)) fill=(hex(LABEL)) {}
        }
    }
}

fn drawn_box((x, y): (i32, i32), (width, height): (i32, i32), label: &Label) -> Markup {
    let stripe = match label.accent {
        Accent::Weights => TRAIN,
        Accent::Pool => VALID,
        Accent::Plain => AXIS,
    };
    let (left, right) = (x + INSET, x + width - INSET);
    let line = |index: i32| y + BOX_PADDING + index * LINE + BASELINE;
    let last = line(label.lines() - 1);
    let title = [&label.title, &label.followers, &label.name, &label.shape];
    let title: Vec<&str> = title
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    let shape_letters = label.shape.chars().count();
    // What stands beside the shape, in the same line.
    let room = |letters: usize| letters.saturating_sub(shape_letters + 2);
    let title_room = if label.lines() == 1 {
        room(TITLE_LETTERS)
    } else {
        TITLE_LETTERS
    };
    html! {
        g {
            title { (title.join(", ")) }
            rect x=(x) y=(y) width=(width) height=(height) rx="4" fill=(hex(CARD)) stroke=(hex(AXIS)) {}
            rect x=(x) y=(y) width=(STRIPE) height=(height) fill=(hex(stripe)) {}
            text x=(left) y=(line(0)) font-size=(FONT) font-weight="600" fill=(hex(INK)) {
                (start_of(&label.title, title_room))
            }
            @if !label.followers.is_empty() {
                text x=(left) y=(line(1)) fill=(hex(INK)) { (start_of(&label.followers, SMALL_LETTERS)) }
            }
            @if !label.name.is_empty() {
                text x=(left) y=(last) fill=(hex(LABEL)) { (end_of(&label.name, room(SMALL_LETTERS))) }
            }
            text x=(right) y=(last) text-anchor="end" fill=(hex(LABEL)) { (label.shape) }
        }
    }
}

/// The text, or its start and an ellipsis where it is longer than `most` characters.
fn start_of(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", start.trim_end_matches([' ', ',']))
}

/// The same with its end: names of layers differ there.
fn end_of(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_string();
    }
    let end: String = text.chars().skip(count + 1 - most.max(1)).collect();
    format!("…{end}")
}
