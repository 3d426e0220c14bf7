//! A problem of one process becomes known to all.

use super::group::{Group, Moment};

/// Why a rank can't go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankProblem {
    /// The rank.
    pub rank: usize,
    /// A code of the caller's, not 0.
    pub code: u8,
    /// In one line.
    pub message: String,
}

/// The problems of all ranks, in their order; `mine` is this one's code and message, if it has one. Every rank asks at the same moment,
/// and is told the same.
pub fn problems(group: &dyn Group, moment: Moment, mine: Option<(u8, String)>) -> Vec<RankProblem> {
    let bytes = match mine {
        None => Vec::new(),
        Some((code, message)) => [&[code], message.as_bytes()].concat(),
    };
    let all = group.gather(moment, &bytes).into_iter().enumerate();
    let found = all.filter_map(|(rank, bytes)| {
        let (&code, message) = bytes.split_first()?;
        let message = String::from_utf8_lossy(message).into_owned();
        Some(RankProblem {
            rank,
            code,
            message,
        })
    });
    found.collect()
}
