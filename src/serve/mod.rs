//! `kiln serve`: runs, pages and images in a browser, and the same for programs.
//!
//! [`serve`] listens at an address until it is cancelled. A request passes `net` (connections and their limits), `guard` (who may ask, and
//! how much) and `api` or `pages`; `work` does what takes long on threads of its own, behind bounded queues; `catalog` finds runs and sweeps
//! by their names. Nothing is written.

mod api;
mod catalog;
mod error;
mod guard;
mod limits;
mod net;
mod options;
mod pages;
mod problem;
mod router;
mod site;
mod work;

pub use api::openapi;
pub use error::ServeError;
pub use net::serve;
pub use options::{MIN_TOKEN, ServeOptions};
