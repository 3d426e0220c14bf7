//! The cookie of a browser that has shown the secret.

use axum::http::{HeaderMap, header};

/// Its name.
pub const COOKIE: &str = "kiln_token";

/// The value of the cookie in a request's headers.
pub fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
        .next()
}
