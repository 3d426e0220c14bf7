//! Random pages: text, handwriting, pen, paper, lighting and camera from one seed.
//!
//! These resemble pages that people photograph; each kind of difficulty occurs alone and combined with others.

use super::options::{PURPOSE, PageOptions, Scene, Surface};
use crate::rng::{self, Rng, uniform};

/// Seed component of this generator.
const VARY: u64 = u64::MAX - 4;

/// A page to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Varied {
    /// Lines of words.
    pub text: String,
    /// How it is drawn.
    pub options: PageOptions,
}

/// Ranges of what varies; lengths as in [`PageOptions`] and [`Scene`].
mod range {
    pub const LETTER_HEIGHT: (f32, f32) = (30.0, 100.0);
    /// Pen width in letter heights: a fine liner to a marker.
    pub const PEN: (f32, f32) = (0.06, 0.13);
    pub const MIN_PEN: f32 = 2.0;
    pub const SLANT: (f32, f32) = (-0.15, 0.25);
    pub const VARIATION: (f32, f32) = (0.6, 1.2);
    pub const LIGHT: (f32, f32) = (0.0, 0.5);
    pub const NOISE: (f32, f32) = (0.0, 8.0);
    pub const PENCIL: (f32, f32) = (0.3, 0.6);
    pub const SHADOW: (f32, f32) = (0.2, 0.55);
    pub const DESK: (f32, f32) = (0.05, 0.35);
    pub const TURN: (f32, f32) = (-4.0, 4.0);
    pub const PERSPECTIVE: (f32, f32) = (0.03, 0.2);
    pub const GHOSTS: (f32, f32) = (0.05, 0.2);
    pub const WORD_TILT: (f32, f32) = (1.5, 4.0);
    pub const LINES: (u32, u32) = (2, 6);
    pub const WORDS: (u32, u32) = (1, 4);
    pub const RANDOM_LETTERS: (u32, u32) = (2, 8);
}

/// Probabilities of optional features.
mod share {
    pub const RULED: f32 = 0.15;
    pub const SQUARED: f32 = 0.15;
    pub const WHITEBOARD: f32 = 0.12;
    pub const PENCIL: f32 = 0.25;
    pub const SHADOW: f32 = 0.25;
    pub const DESK: f32 = 0.3;
    pub const TURN: f32 = 0.4;
    pub const PERSPECTIVE: f32 = 0.25;
    pub const GHOSTS: f32 = 0.6;
    pub const WORD_TILT: f32 = 0.2;
    /// Words that are in no list, and of those the ones of digits alone.
    pub const RANDOM_WORDS: f32 = 0.35;
    pub const NUMBERS: f32 = 0.4;
}

/// Words that cover every letter, short and long, some of them names.
const WORDS: &str = "\
A ABOVE AGAIN ALWAYS AMBER ANSWER APRIL ARROW AUTUMN BADGE BAKER BAND BERLIN BICYCLE BIRD BLANKET BOX BRIDGE BUTTON CABLE \
CANDLE CARPET CHALK CITY CLAY CLOUD COFFEE COPPER CRAZY CUP DANCE DECEMBER DESK DINNER DOOR DOZEN DRAGON EAGLE EARLY EIGHT \
ENGINE EQUAL EVENING EXTRA FABRIC FERRY FIELD FIVE FLOWER FOREST FOX FRIDAY GARDEN GLAZE GOLD GRAVITY GREEN GUITAR HABIT \
HARBOUR HELLO HILL HORIZON HOUSE ICE IN INDEX ISLAND IVORY JACKET JAZZ JOIN JUNE JUNGLE KEEP KETTLE KEY KILN KITCHEN KNOT \
LABEL LADDER LETTER LIGHT LIZARD LUNCH MAGNET MAPLE MARKET METAL MILK MIXTURE MONDAY MUSIC NEEDLE NIGHT NOTE NUMBER OCEAN \
OF OLIVE ORANGE OVEN OXYGEN PAPER PARIS PENCIL PIANO POTTERY PUZZLE QUARTZ QUEEN QUICK QUIET RABBIT RAIN READ RIVER ROCKET \
SAND SCHOOL SHADOW SIX SPRING SQUARE STONE SUMMER TABLE THE TICKET TO TRAVEL TUESDAY UNCLE UNDER UPPER VALLEY VELVET VIOLIN \
VOLUME WALNUT WAVE WINDOW WINTER WIZARD WORLD YARD YELLOW YESTERDAY ZEBRA ZERO ZIGZAG ZOO";

/// The page of a seed.
pub fn varied(seed: u64) -> Varied {
    let mut rng = rng::seeded(&[PURPOSE, seed, VARY]);
    let text = text(&mut rng);
    let letter_height = log_between(range::LETTER_HEIGHT, &mut rng);
    let pen = letter_height * between(range::PEN, &mut rng);
    let options = PageOptions {
        seed,
        letter_height,
        pen: Some(pen.max(range::MIN_PEN)),
        size: None,
        variation: between(range::VARIATION, &mut rng),
        slant: between(range::SLANT, &mut rng),
        light: between(range::LIGHT, &mut rng),
        noise: between(range::NOISE, &mut rng),
        lower_case: false,
        scene: scene(&mut rng),
    };
    Varied { text, options }
}

fn scene(rng: &mut Rng) -> Scene {
    let (ruled, squared) = (share::RULED, share::RULED + share::SQUARED);
    let surface = match uniform(rng) {
        at if at < ruled => Surface::Ruled,
        at if at < squared => Surface::Squared,
        at if at < squared + share::WHITEBOARD => Surface::Whiteboard,
        _ => Surface::Plain,
    };
    let board = surface == Surface::Whiteboard;
    let mut sometimes = |share: f32, range: (f32, f32), never: f32| {
        let value = between(range, rng);
        if uniform(rng) < share { value } else { never }
    };
    let ghosts = sometimes(share::GHOSTS, range::GHOSTS, 0.0);
    let pencil = sometimes(share::PENCIL, range::PENCIL, 1.0);
    Scene {
        surface,
        // Nobody writes on a board in pencil, and paper keeps what was written.
        ink: if board { 1.0 } else { pencil },
        ghosts: if board { ghosts } else { 0.0 },
        shadow: sometimes(share::SHADOW, range::SHADOW, 0.0),
        desk: sometimes(share::DESK, range::DESK, 0.0),
        turn: sometimes(share::TURN, range::TURN, 0.0),
        perspective: sometimes(share::PERSPECTIVE, range::PERSPECTIVE, 0.0),
        word_tilt: sometimes(share::WORD_TILT, range::WORD_TILT, 0.0),
    }
}

fn text(rng: &mut Rng) -> String {
    let lines: Vec<String> = (0..count(range::LINES, rng))
        .map(|_| {
            let words: Vec<String> = (0..count(range::WORDS, rng)).map(|_| word(rng)).collect();
            words.join(" ")
        })
        .collect();
    lines.join("\n")
}

/// A word of the list, a number, or letters and digits that make no word.
fn word(rng: &mut Rng) -> String {
    if uniform(rng) >= share::RANDOM_WORDS {
        let all = WORDS.split(' ').count() as u32;
        let chosen = count((0, all - 1), rng) as usize;
        return WORDS.split(' ').nth(chosen).unwrap_or_default().to_string();
    }
    let characters = if uniform(rng) < share::NUMBERS {
        "0123456789"
    } else {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    };
    let pick = |rng: &mut Rng| {
        let at = count((0, characters.len() as u32 - 1), rng) as usize;
        char::from(characters.as_bytes()[at])
    };
    (0..count(range::RANDOM_LETTERS, rng))
        .map(|_| pick(rng))
        .collect()
}

/// An integer from the range, both ends included.
fn count((least, most): (u32, u32), rng: &mut Rng) -> u32 {
    (least + (uniform(rng) * (most - least + 1) as f32) as u32).min(most)
}

fn between((low, high): (f32, f32), rng: &mut Rng) -> f32 {
    low + (high - low) * uniform(rng)
}

/// Log-uniform: as many small as large values.
fn log_between((low, high): (f32, f32), rng: &mut Rng) -> f32 {
    (low.ln() + (high / low).ln() * uniform(rng)).exp()
}
