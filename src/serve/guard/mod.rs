//! Who may ask, and how much: hosts, origins and tokens, bodies within limits, and what browsers may do with an answer.

mod body;
mod cookie;
mod headers;
mod origin;
mod streams;
mod token;

pub use body::{Bodies, Content, read_body};
pub use cookie::cookie_of;
pub use headers::harden;
pub use origin::Origins;
pub use streams::Streams;
pub use token::Token;
