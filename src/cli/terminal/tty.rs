//! Whether something may be drawn on a standard stream.

use std::io::{IsTerminal, stderr, stdin, stdout};

/// Smallest terminal with room for the dashboard, in columns and rows: below, its charts have no line left.
const DASHBOARD_SIZE: (u16, u16) = (60, 20);

/// Whether a progress bar may be drawn on standard error.
pub fn error_draws() -> bool {
    system::draws(stderr())
}

/// Why the dashboard can't be shown on standard output, or `None` if it can. `NO_COLOR` takes its colours, not the dashboard.
pub fn dashboard_problem() -> Option<&'static str> {
    if !stdout().is_terminal() || !stdin().is_terminal() {
        Some("needs a terminal")
    } else if !system::can_move_cursor() {
        Some("needs a terminal that supports cursor movement, but TERM is empty or dumb")
    } else if !system::draws(stdout()) {
        Some("needs to run in the foreground")
    } else {
        None
    }
}

/// Whether the terminal is large enough for the dashboard. One of unknown size is not.
pub fn has_room_for_dashboard() -> bool {
    let (columns, rows) = DASHBOARD_SIZE;
    system::size().is_some_and(|(width, height)| width >= columns && height >= rows)
}

#[cfg(unix)]
mod system {
    use std::io::IsTerminal;
    use std::os::fd::AsFd;

    use rustix::process::getpgrp;
    use rustix::termios::{tcgetpgrp, tcgetwinsize};

    /// Whether the terminal moves its cursor, as far as its kind says.
    pub fn can_move_cursor() -> bool {
        std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
    }

    /// Whether the stream is a terminal that can draw, with this process in its foreground. A background job that draws spoils
    /// what the user is typing.
    pub fn draws(stream: impl IsTerminal + AsFd) -> bool {
        let is_ours = || tcgetpgrp(&stream).is_ok_and(|foreground| foreground == getpgrp());
        stream.is_terminal() && can_move_cursor() && is_ours()
    }

    /// Columns and rows of standard output's terminal.
    pub fn size() -> Option<(u16, u16)> {
        let size = tcgetwinsize(std::io::stdout()).ok()?;
        Some((size.ws_col, size.ws_row))
    }
}

#[cfg(not(unix))]
mod system {
    use std::io::IsTerminal;

    /// Every console does.
    pub fn can_move_cursor() -> bool {
        true
    }

    /// Whether the stream is a terminal.
    pub fn draws(stream: impl IsTerminal) -> bool {
        stream.is_terminal()
    }

    /// Columns and rows of a usual terminal; the dashboard copes with others.
    pub fn size() -> Option<(u16, u16)> {
        Some((80, 24))
    }
}
