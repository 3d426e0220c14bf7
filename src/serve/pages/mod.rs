//! The pages: made here, without scripts for what does not change while one looks.

mod assets;
mod classify;
mod compare;
mod layout;
mod login;
mod mistakes;
mod read;
mod run;
mod runs;

pub use assets::asset;
pub use classify::classify;
pub use compare::{compare, sweep};
pub use layout::problem;
pub use login::{log_in, login, to_login};
pub use mistakes::mistakes;
pub use read::read;
pub use run::{run, run_live};
pub use runs::runs;
