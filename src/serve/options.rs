//! What `kiln serve` is asked for.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::error::ServeError;
use crate::inference::plan::ComputePrecision;

/// Least length of a token in characters where others can reach the server: 16 random letters and digits are 80 bits and more.
pub const MIN_TOKEN: usize = 16;
/// Most characters of a token: it is a part of a header.
const MAX_TOKEN: usize = 512;

/// What is served, and where.
#[derive(Clone)]
pub struct ServeOptions {
    /// Runs, sweeps, or folders of them.
    pub folders: Vec<PathBuf>,
    /// The address to listen at.
    pub bind: SocketAddr,
    /// What clients must know.
    pub token: Option<String>,
    /// The run or model file that classifies, and reads if it can.
    pub model: Option<PathBuf>,
    /// In which precision every model answers.
    pub precision: ComputePrecision,
    /// Requests that wait for the reader, and as many for the classifier.
    pub queue: usize,
}

impl fmt::Debug for ServeOptions {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("folders", &self.folders)
            .field("bind", &self.bind)
            .field("has_token", &self.token.is_some())
            .field("model", &self.model)
            .field("precision", &self.precision)
            .field("queue", &self.queue)
            .finish()
    }
}

impl ServeOptions {
    /// Refuses what would let others in, or can't be a token.
    ///
    /// # Errors
    /// [`ServeError::Usage`]
    pub fn validate(&self) -> Result<(), ServeError> {
        let is_local = self.bind.ip().is_loopback();
        let usage = |problem: String| Err(ServeError::Usage(problem));
        match &self.token {
            None if !is_local => usage(format!(
                "--bind {}: others can reach this address; choose a secret of at least {MIN_TOKEN} characters with --token, or use \
                 127.0.0.1",
                self.bind
            )),
            Some(token) if !is_local && token.chars().count() < MIN_TOKEN => usage(format!(
                "--token or KILN_TOKEN: too short for an address that others can reach; use at least {MIN_TOKEN} characters"
            )),
            Some(token)
                if token.is_empty()
                    || token.len() > MAX_TOKEN
                    || !token.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                usage(format!(
                    "--token or KILN_TOKEN: must be 1 to {MAX_TOKEN} ASCII characters without spaces"
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_in_what_is_printed_for_debugging() {
        let options = ServeOptions {
            folders: Vec::new(),
            bind: ([127, 0, 0, 1], 0).into(),
            token: Some("open-sesame".into()),
            model: None,
            precision: ComputePrecision::F32,
            queue: 1,
        };
        assert!(!format!("{options:?}").contains("sesame"));
    }
}
