//! Pages in lower and upper case with punctuation: where letters stand in their line tells c from C, and whether a page is one.

mod case;
mod evidence;
mod line_fit;
mod marks;
mod model;
mod places;
mod sizes;

pub use case::Case;
pub use evidence::says_mixed;
pub use line_fit::{LineFit, SeenLetter, fit_lines};
pub use marks::with_marks;
pub use model::MixedModel;
pub use places::{add_places, seen_letters};
pub use sizes::{Place, log_likelihood, place_of};
