//! The secret that clients must know.

use sha2::{Digest, Sha256};

use crate::files::hexadecimal;

/// Mixed into what a browser keeps, so that the cookie doesn't hold the secret itself.
const COOKIE_SALT: &[u8] = b"kiln serve cookie\0";

/// The secret that clients must know. Only its hashes are kept, and they are what is compared: how long that takes says nothing about the
/// secret.
#[derive(Debug, Clone)]
pub struct Token {
    of_header: [u8; 32],
    cookie: String,
}

impl Token {
    /// A secret.
    pub fn new(secret: &str) -> Self {
        let salted = Sha256::new_with_prefix(COOKIE_SALT).chain_update(secret.as_bytes());
        Self {
            of_header: Sha256::digest(secret.as_bytes()).into(),
            cookie: hexadecimal(&salted.finalize()),
        }
    }

    /// Whether this is the secret.
    pub fn is(&self, secret: &str) -> bool {
        let found: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        found == self.of_header
    }

    /// What a browser keeps once it has shown the secret.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Whether a browser has shown the secret before.
    pub fn is_cookie(&self, value: &str) -> bool {
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
        digest(value) == digest(&self.cookie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_itself_and_by_its_cookie_and_the_cookie_does_not_hold_it() {
        let token = Token::new("open sesame");
        assert!(token.is("open sesame") && !token.is("open sesam") && !token.is(""));
        assert!(token.is_cookie(token.cookie()) && !token.is_cookie("open sesame"));
        assert!(!token.is(token.cookie()) && !token.cookie().contains("sesame"));
    }
}
