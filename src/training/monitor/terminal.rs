//! The modes of the terminal, before and during the dashboard.

use std::sync::OnceLock;

#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

#[cfg(unix)]
static BEFORE: OnceLock<Termios> = OnceLock::new();
#[cfg(not(unix))]
static BEFORE: OnceLock<()> = OnceLock::new();

/// Leaves the alternate screen, stops mouse reports, shows the cursor (xterm control sequences).
pub const LEAVE_DASHBOARD: &[u8] =
    b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?25h";

/// Remembers the modes before the dashboard changes them.
pub fn remember() {
    #[cfg(unix)]
    if let Ok(modes) = tcgetattr(std::io::stdin()) {
        let _ = BEFORE.set(modes);
    }
    #[cfg(not(unix))]
    let _ = BEFORE.set(());
}

/// Makes Ctrl-C a signal again if the terminal is in raw mode; true once that is done.
pub fn ctrl_c_in_raw_mode() -> bool {
    #[cfg(unix)]
    {
        let Ok(mut modes) = tcgetattr(std::io::stdin()) else {
            return true;
        };
        if modes.local_modes.contains(LocalModes::ICANON) {
            return false;
        }
        modes.local_modes.insert(LocalModes::ISIG);
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &modes);
    }
    true
}

/// Restores the modes from before the dashboard, for a process that exits at once; true if there was one, and
/// [`LEAVE_DASHBOARD`] is to be written to standard output.
pub fn restore() -> bool {
    #[cfg(unix)]
    if let Some(modes) = BEFORE.get() {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, modes);
        return true;
    }
    false
}
