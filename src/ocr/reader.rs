//! The reader: finds what may be letters, classifies all of it at once, and takes the most likely reading of each word; looks at the
//! page in other ways where that says more.

use image::RgbImage;

use super::alphabet::Alphabet;
use super::form::Classes;
use super::options::ReadOptions;
use super::orientation;
use super::page::Page;
use super::recognition::Evidence;
use super::unreadable::{self, ReadError, Unreadable};
use crate::inference::Classifier;
use crate::progress::Cancelled;
use crate::segmentation::{CutPage, JUNK, Segmentation, StagePicture, View};
use crate::timings::{Lap, Stopwatch};

/// A turned page is taken if its mean confidence is higher by this than as it is in the file: upright pages gained 0.23 to 0.33 over
/// any other way.
const CLEARER: f32 = 0.12;

/// ... or if it is as sure and has this many times the evidence (see [`MIN_GAIN`]) ...
const MUCH_MORE: f32 = 2.0;

/// ... and if it has at least this part of the letters: of a page on its side, some letters are joined.
const SIMILAR_COUNT: f32 = 0.6;

/// A straightened page, or another way to turn one, is taken if its evidence (the sum of its letters' confidences above chance) is higher by at least this: one letter
/// that is certain ...
const MIN_GAIN: f32 = 1.0;
/// ... and its mean confidence is lower by at most this.
const CONFIDENCE_TOLERANCE: f32 = 0.02;

/// A page with the segmentation that it was read from.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What was read.
    pub page: Page,
    /// Why nothing was read; `None` if there is text.
    pub unreadable: Option<Unreadable>,
    /// Where it was found.
    pub segmentation: Segmentation,
    /// An image of every segmentation stage, if requested.
    pub stage_pictures: Vec<StagePicture>,
    /// How long each stage took.
    pub timings: Vec<Lap>,
}

/// Checks that a model can read: its classes are single characters (and possibly "junk"), its input is square greyscale.
///
/// # Errors
/// [`ReadError::Unsuitable`]: says why the model can't read.
pub fn check(classifier: &Classifier) -> Result<(), ReadError> {
    let card = classifier.card();
    let shape = card.input;
    if shape.channels != 1 || shape.height != shape.width {
        return Err(ReadError::Unsuitable(format!(
            "the model takes {}x{}x{} images (channels, height, width); OCR needs a model with square greyscale input",
            shape.channels, shape.height, shape.width
        )));
    }
    let odd = |class: &&String| class.chars().count() != 1 && *class != JUNK;
    match card.classes.iter().find(odd) {
        None => Ok(()),
        Some(class) => Err(ReadError::Unsuitable(format!(
            "the model has a class {class:?}; OCR needs a model whose classes are single characters, and possibly {JUNK:?}"
        ))),
    }
}

/// Checks that a model knows at least one of the characters that may be read.
///
/// # Errors
/// [`ReadError::Unsuitable`]: it knows none of them.
pub fn check_alphabet(classifier: &Classifier, alphabet: &Alphabet) -> Result<(), ReadError> {
    if Classes::new(&classifier.card().classes, alphabet).is_empty() {
        let problem = "the model knows none of the characters in --alphabet; use other characters, or another model";
        return Err(ReadError::Unsuitable(problem.into()));
    }
    Ok(())
}

/// Checks that two networks can be shown the same images of letters.
fn check_same_input(classifier: &Classifier, mixed: &Classifier) -> Result<(), ReadError> {
    check(mixed)?;
    let [own, other] = [classifier, mixed].map(|one| one.card().input.height);
    if own != other {
        return Err(ReadError::Unsuitable(format!(
            "the model of mixed text takes images of {other}x{other} pixels, the other one of {own}x{own}; use models of one size"
        )));
    }
    Ok(())
}

/// [`read_with`] with the default options: English words, all characters.
pub fn read(photo: &RgbImage, classifier: &Classifier) -> Result<Reading, ReadError> {
    read_with(photo, classifier, &ReadOptions::default())
}

/// Reads a photograph. Where what was read is doubtful, it is tried turned by quarters; dark areas with light writing are inverted,
/// and a sheet in perspective or a page that slants is straightened, if that gives more text.
///
/// # Errors
/// [`ReadError`]: a model can't read letters or knows none of the alphabet, the two take images of different sizes, the device failed, or
/// the reading was cancelled.
pub fn read_with(
    photo: &RgbImage,
    classifier: &Classifier,
    options: &ReadOptions,
) -> Result<Reading, ReadError> {
    check(classifier)?;
    check_alphabet(classifier, &options.alphabet)?;
    if let Some(mixed) = &options.mixed {
        check_same_input(classifier, mixed.classifier())?;
    }
    let views = Views {
        photo,
        classifier,
        options,
    };
    let plain = views.of_either_polarity()?;
    let mut best = match plain.segmentation.straightening {
        None => views.turned_if_doubtful(plain)?,
        Some(straightening) => {
            let view = View {
                straightening: Some(straightening),
                ..plain.segmentation.view
            };
            let straight = views.turned_if_doubtful(views.read(view)?)?;
            let is_taken = says_more(&straight, &plain);
            let best = better(plain, straight, is_taken);
            if is_taken {
                best
            } else {
                views.turned_if_doubtful(best)?
            }
        }
    };
    best.unreadable = unreadable::check_readable(&mut best.page, &best.segmentation);
    Ok(best)
}

/// Whether another reading has clearly more text, as surely: a page that is nearly straight stays as it is.
fn says_more(other: &Reading, before: &Reading) -> bool {
    let gain = other.page.evidence() - before.page.evidence();
    gain >= MIN_GAIN && other.page.confidence() >= before.page.confidence() - CONFIDENCE_TOLERANCE
}

/// Whether a turned page is clearly read better: much surer, or as sure of many more letters.
fn is_clearer(turned: &Page, before: &Page) -> bool {
    let gain = turned.confidence() - before.confidence();
    let says_much_more = turned.evidence() >= MUCH_MORE * before.evidence() + MIN_GAIN;
    let letters = turned.letters().count() as f32;
    letters >= SIMILAR_COUNT * before.letters().count() as f32
        && (gain >= CLEARER || (gain >= 0.0 && says_much_more))
}

/// Readings of one photograph in several views.
struct Views<'a> {
    photo: &'a RgbImage,
    classifier: &'a Classifier,
    options: &'a ReadOptions,
}

impl Views<'_> {
    fn read(&self, view: View) -> Result<Reading, ReadError> {
        self.recognise(Cut::of(self.photo, self.options, view)?)
    }

    /// Reads a page that was cut.
    fn recognise(&self, cut: Cut) -> Result<Reading, ReadError> {
        let Cut {
            mut page,
            mut watch,
        } = cut;
        let segmentation = page.finish();
        self.options.cancel.check()?;
        watch.lap("boxes");
        let stage_pictures = if self.options.stage_pictures {
            page.pictures()
        } else {
            Vec::new()
        };
        let evidence = Evidence::timed(&segmentation, self.classifier, self.options, &mut watch)?;
        let lines = evidence.read(self.options)?;
        watch.lap("text");
        let view = segmentation.view;
        let page = Page {
            width: segmentation.width,
            height: segmentation.height,
            rotated: view.degrees(),
            light_on_dark: view.light_writing,
            lines,
        };
        let timings = watch.laps().to_vec();
        Ok(Reading {
            page,
            unreadable: None,
            segmentation,
            stage_pictures,
            timings,
        })
    }

    /// The photograph as it is, or with its dark areas inverted if that says more.
    fn of_either_polarity(&self) -> Result<Reading, ReadError> {
        let cut = Cut::of(self.photo, self.options, View::default())?;
        if !cut.page.has_light_writing() {
            return self.right_way_up(cut);
        }
        let plain = self.recognise(cut)?;
        let view = View {
            light_writing: true,
            ..View::default()
        };
        let inverted = self.right_way_up(Cut::of(self.photo, self.options, view)?)?;
        let is_doubtful = |one: &Reading| orientation::is_doubtful(&one.page, &one.segmentation);
        if !is_doubtful(&plain) || !is_doubtful(&inverted) {
            return Ok(better(plain, inverted, true));
        }
        // On its side, light writing may say less than the specks around it.
        let plain = self.turned_if_doubtful(plain)?;
        let inverted = self.turned_if_doubtful(inverted)?;
        Ok(better(plain, inverted, true))
    }

    /// The reading of a page as it is, or turned if it clearly is.
    fn right_way_up(&self, mut cut: Cut) -> Result<Reading, ReadError> {
        // A page that slants is straightened first.
        let is_straight = cut.page.straightening().is_none();
        if is_straight && let Some(turned) = self.clearly_turned(&mut cut)? {
            return Ok(turned);
        }
        self.recognise(cut)
    }

    /// The reading of a page that is clearly turned; as it is, its letters are joined in many ways, which takes long to read.
    fn clearly_turned(&self, plain: &mut Cut) -> Result<Option<Reading>, ReadError> {
        let turn = orientation::clear_turn(&plain.page, self.classifier, self.options)?;
        plain.watch.lap("orientation");
        let Some(quarter_turns) = turn else {
            return Ok(None);
        };
        let mut turned = self.read(View {
            quarter_turns,
            ..plain.page.view()
        })?;
        plain.watch.insert(&turned.timings);
        let is_clear = !orientation::is_doubtful(&turned.page, &turned.segmentation);
        Ok(is_clear.then(|| {
            turned.timings = plain.watch.laps().to_vec();
            turned
        }))
    }

    /// A reading, or where it is doubtful, that of an orientation in which the page is much clearer.
    fn turned_if_doubtful(&self, mut best: Reading) -> Result<Reading, ReadError> {
        if !orientation::is_doubtful(&best.page, &best.segmentation) {
            return Ok(best);
        }
        let mut watch = Stopwatch::start();
        let turns = orientation::likely_turns(&best.segmentation, self.classifier, self.options)?;
        watch.lap("orientation");
        best.timings.extend(watch.laps());
        for quarter_turns in turns {
            let turned = self.read(View {
                quarter_turns,
                ..best.segmentation.view
            })?;
            // A page is rather as it is in the file than turned; of two ways to turn it, the one that says more is right.
            let is_clear = if best.segmentation.view.quarter_turns == 0 {
                is_clearer(&turned.page, &best.page)
            } else {
                says_more(&turned, &best)
            };
            best = better(best, turned, is_clear);
            // Most pages that are turned are read in the likeliest way.
            if is_clear && !orientation::is_doubtful(&best.page, &best.segmentation) {
                break;
            }
        }
        Ok(best)
    }
}

/// The second reading if it may be taken and says more, else the first.
fn better(first: Reading, mut second: Reading, may_be_taken: bool) -> Reading {
    if !may_be_taken || second.page.evidence() <= first.page.evidence() {
        let mut kept = first;
        kept.timings.append(&mut second.timings);
        return kept;
    }
    let mut timings = first.timings;
    timings.append(&mut second.timings);
    second.timings = timings;
    second
}

/// A photograph that was cut in one view.
struct Cut {
    page: CutPage,
    watch: Stopwatch,
}

impl Cut {
    fn of(photo: &RgbImage, options: &ReadOptions, view: View) -> Result<Cut, Cancelled> {
        let cancel = &options.cancel;
        cancel.check()?;
        // The words of the context are unpacked meanwhile.
        let (page, _) = rayon::join(
            || CutPage::of(photo, view, cancel),
            || options.context.ngram(),
        );
        cancel.check()?;
        let mut watch = Stopwatch::start();
        watch.insert(page.timings());
        Ok(Cut { page, watch })
    }
}
