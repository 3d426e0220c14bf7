//! One page of a review: a picture and a box to type in for every letter.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::imageops::crop_imm;
use image::{ImageResult, RgbImage};
use maud::{Markup, html};

use crate::files::png_of;
use crate::ocr::page::{Letter, Page};
use crate::segmentation::Rect;

/// Letters below this confidence are marked.
const UNSURE: f32 = 0.8;
/// Paper around a letter, as a part of its longer side.
const MARGIN: f32 = 0.15;

/// The section of a page; `image` is its file name, by which the corrections are saved.
///
/// # Errors
/// A picture can't be encoded.
pub fn section(image: &str, photo: &RgbImage, page: &Page) -> ImageResult<Markup> {
    let mut pictures = Vec::new();
    for letter in page.letters() {
        pictures.push(picture(photo, letter.bounds)?);
    }
    let mut pictures = pictures.into_iter();
    Ok(html! {
        section data-image=(image) {
            h2 { (image) }
            @for line in &page.lines {
                div class="line" {
                    @for word in &line.words {
                        span class="word" {
                            @for letter in &word.letters {
                                (one(letter, &pictures.next().unwrap_or_default()))
                            }
                        }
                    }
                }
            }
        }
    })
}

fn one(letter: &Letter, picture: &str) -> Markup {
    let Rect {
        x,
        y,
        width,
        height,
    } = letter.bounds;
    let class = (letter.confidence < UNSURE).then_some("unsure");
    let others = letter.alternatives.iter();
    let others: String = others
        .map(|guess| format!(", {} {:.0} %", guess.text, 100.0 * guess.confidence))
        .collect();
    let title = format!("{} {:.0} %{others}", letter.text, 100.0 * letter.confidence);
    html! {
        label class="letter" title=(title) {
            img alt="" src=(picture);
            input maxlength="1" autocomplete="off" class=[class] value=(letter.text) data-read=(letter.text)
                data-box=(format!("[{x},{y},{width},{height}]"));
        }
    }
}

/// The letter with a little of its surroundings, as a `data:` address.
fn picture(photo: &RgbImage, bounds: Rect) -> ImageResult<String> {
    let margin = (MARGIN * bounds.width.max(bounds.height) as f32).ceil() as u32;
    let (x, y) = (
        bounds.x.saturating_sub(margin),
        bounds.y.saturating_sub(margin),
    );
    let right = (bounds.x + bounds.width + margin).min(photo.width());
    let bottom = (bounds.y + bounds.height + margin).min(photo.height());
    let part = crop_imm(
        photo,
        x,
        y,
        right.saturating_sub(x),
        bottom.saturating_sub(y),
    );
    let text = STANDARD.encode(png_of(&part.to_image())?);
    Ok(format!("data:image/png;base64,{text}"))
}
