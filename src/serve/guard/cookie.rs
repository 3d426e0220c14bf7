//! The cookie of a browser that has shown the secret.

use axum::http::{HeaderMap, header};

/// The value of the cookie of this name in a request's headers.
pub fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value)
        .next()
}
