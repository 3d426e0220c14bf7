//! Ctrl-C: the first press asks the work to stop, the second leaves at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cli::failure::{Failure, INTERRUPTED};
use crate::cli::terminal::output;
use crate::training::terminal;

/// Calls `stop` on the first Ctrl-C; the second restores the terminal and exits.
pub fn on_ctrl_c(stop: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let presses = AtomicUsize::new(0);
    handle(move || {
        if presses.fetch_add(1, Ordering::Relaxed) == 0 {
            stop();
        } else {
            leave();
        }
    })
}

/// Calls `farewell` on the first Ctrl-C and exits.
pub fn leave_on_ctrl_c(farewell: impl Fn() + Send + 'static) -> Result<(), Failure> {
    handle(move || {
        farewell();
        leave();
    })
}

fn handle(handler: impl FnMut() + Send + 'static) -> Result<(), Failure> {
    ctrlc::set_handler(handler)
        .map_err(|error| Failure::failed(format!("cannot handle Ctrl-C: {error}")))
}

fn leave() -> ! {
    if terminal::restore() {
        let _ = output::emit_bytes(terminal::LEAVE_DASHBOARD);
    }
    std::process::exit(i32::from(INTERRUPTED))
}
