//! The secret that clients must know.

use sha2::{Digest, Sha256};

use crate::files::hexadecimal;

/// The secret that clients must know. Only its hash is kept, and hashes are what is compared: how long that takes says nothing about the
/// secret.
#[derive(Clone)]
pub struct Token {
    of_header: [u8; 32],
    /// What browsers keep: drawn when the server starts, so that it says nothing about the secret.
    session: String,
    cookie_name: String,
}

impl Token {
    /// The secret of a server at this port. Cookies are shared by the ports of a host, so that their names differ.
    pub fn new(secret: &str, port: u16) -> Self {
        Self {
            of_header: Sha256::digest(secret.as_bytes()).into(),
            session: hexadecimal(&rand::random::<[u8; 32]>()),
            cookie_name: format!("kiln_token_{port}"),
        }
    }

    /// What the cookie is called.
    pub fn cookie_name(&self) -> &str {
        &self.cookie_name
    }

    /// Whether this is the secret.
    pub fn is(&self, secret: &str) -> bool {
        let found: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        found == self.of_header
    }

    /// What a browser keeps once it has shown the secret.
    pub fn cookie(&self) -> &str {
        &self.session
    }

    /// Whether a browser has shown the secret before.
    pub fn is_cookie(&self, value: &str) -> bool {
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
        digest(value) == digest(&self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_itself_and_by_its_cookie_and_the_cookie_does_not_hold_it() {
        let token = Token::new("open sesame", 7070);
        assert!(token.is("open sesame") && !token.is("open sesam") && !token.is(""));
        assert!(token.is_cookie(token.cookie()) && !token.is_cookie("open sesame"));
        assert!(!token.is(token.cookie()) && !token.cookie().contains("sesame"));
        // Nothing that could be computed from the secret.
        let other = Token::new("open sesame", 7071);
        assert_ne!(token.cookie(), other.cookie());
        assert_ne!(token.cookie_name(), other.cookie_name());
    }
}
