//! Signals that ask the program to end: Ctrl-C, a request to terminate, and the end of the terminal.
//!
//! The first one cancels the work. Work that saves something then ends as soon as that is saved; any other has a moment to clean
//! up. A second Ctrl-C or request to terminate ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use super::output;
use crate::cli::failure::Failure;
use crate::progress::CancelToken;
use crate::training;

/// How long work that saves nothing has to end by itself. People wait a second; what takes longer than this is one step of
/// another crate (decoding a huge image, a network's answer), which can't be cancelled.
const GRACE: Duration = Duration::from_millis(700);

/// What shells add to a signal's number for the exit code.
const SIGNALLED: u8 = 128;

/// The number of Ctrl-C's signal.
const INTERRUPT: u8 = 2;

/// The first signal that arrived; 0 if none did. Signals are the process's, and so is the exit code that is made of this.
static FIRST: AtomicU8 = AtomicU8::new(0);

/// The exit code of a program that was asked to end: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP. A run that was killed
/// from the dashboard ends as with Ctrl-C.
pub fn exit_code() -> u8 {
    match FIRST.load(Ordering::Relaxed) {
        0 => SIGNALLED + INTERRUPT,
        signal => SIGNALLED + signal,
    }
}

/// Hands every such signal to a function, from now on; once in a program.
pub fn each(mut take: impl FnMut(u8) + Send + 'static) -> Result<(), Failure> {
    system::each(move |signal| {
        remember(signal);
        take(signal);
    })
}

/// Whether a signal has asked the program to end.
pub fn has_arrived() -> bool {
    FIRST.load(Ordering::Relaxed) != 0
}

/// Keeps the first signal for the exit code.
fn remember(signal: u8) {
    let _ = FIRST.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
}

/// Work that signals cancel.
#[derive(Clone, Default)]
pub struct Interruption {
    cancel: CancelToken,
    saves: Arc<AtomicBool>,
}

impl Interruption {
    /// Listens for signals from now on; once in a program. `saving` is called on the first one if there is something to save.
    pub fn listen(&self, saving: impl Fn() + Send + 'static) -> Result<(), Failure> {
        system::listen(Listener {
            interruption: self.clone(),
            saving: Box::new(saving),
            requests: 0,
        })
    }

    /// What the signals cancel.
    pub fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// From now on the work has something to save, and is waited for.
    pub fn saves(&self) {
        self.saves.store(true, Ordering::Relaxed);
    }
}

struct Listener {
    interruption: Interruption,
    saving: Box<dyn Fn() + Send>,
    /// How often the user asked.
    requests: usize,
}

impl Listener {
    /// Takes a signal. `closes` if it comes of a terminal that closes: that may send it several times, without anybody's
    /// impatience.
    fn take(&mut self, signal: u8, closes: bool) {
        remember(signal);
        self.requests += usize::from(!closes);
        if self.requests > 1 {
            leave();
        }
        let interruption = &self.interruption;
        if interruption.cancel.is_cancelled() {
            return;
        }
        let saves = || interruption.saves.load(Ordering::Relaxed);
        interruption.cancel.cancel();
        if saves() {
            (self.saving)();
        } else {
            std::thread::sleep(GRACE);
            // Training may have begun in this very moment.
            if !saves() {
                output::note("\ninterrupted");
                leave();
            }
        }
    }
}

fn leave() -> ! {
    training::restore_terminal();
    std::process::exit(i32::from(exit_code()))
}

#[cfg(unix)]
mod system {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use super::Listener;
    use crate::cli::failure::Failure;
    use crate::error::io_problem;

    /// Starts a thread that waits for signals.
    pub fn listen(mut listener: Listener) -> Result<(), Failure> {
        each(move |signal| listener.take(signal, i32::from(signal) == SIGHUP))
    }

    /// Starts a thread that hands over signals. SIGHUP stays ignored if it was from the start: that is what `nohup` asks for.
    pub fn each(mut take: impl FnMut(u8) + Send + 'static) -> Result<(), Failure> {
        let mut wanted = vec![SIGINT, SIGTERM];
        #[cfg(all(feature = "mpi", target_os = "linux"))]
        let ignores_hangup = at_start::ignores_hangup();
        #[cfg(not(all(feature = "mpi", target_os = "linux")))]
        let ignores_hangup = is_ignored(SIGHUP);
        if !ignores_hangup {
            wanted.push(SIGHUP);
        }
        let listened = Signals::new(wanted).and_then(|mut signals| {
            let thread = std::thread::Builder::new().name("signals".into());
            thread.spawn(move || {
                for signal in signals.forever() {
                    take(u8::try_from(signal).unwrap_or(0));
                }
            })
        });
        match listened {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::failed(format!(
                "cannot start the thread that waits for Ctrl-C: {}",
                io_problem(&error)
            ))),
        }
    }

    /// Whether the process was started with this signal ignored.
    #[allow(unsafe_code)] // No crate asks for a signal's action without setting one.
    fn is_ignored(signal: i32) -> bool {
        // SAFETY: all zeroes are a valid `sigaction`, which is plain data. Without a new action, the call only writes the present
        // one to the pointer, which is valid for it.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0
                && action.sa_sigaction == libc::SIG_IGN
        }
    }

    /// UCX, on which MPI libraries stand, takes SIGHUP for itself when it is loaded. What the process was started with is asked before
    /// libraries are initialised.
    #[cfg(all(feature = "mpi", target_os = "linux"))]
    #[allow(unsafe_code)] // Nothing else runs as early.
    mod at_start {
        use std::sync::atomic::{AtomicBool, Ordering};

        use super::{SIGHUP, is_ignored};

        static IGNORES_HANGUP: AtomicBool = AtomicBool::new(false);

        extern "C" fn ask() {
            IGNORES_HANGUP.store(is_ignored(SIGHUP), Ordering::Relaxed);
        }

        // SAFETY: the section holds functions that the loader calls before the constructors of libraries; this one calls `sigaction` and
        // sets a flag.
        #[used]
        #[unsafe(link_section = ".preinit_array")]
        static ASK: extern "C" fn() = ask;

        /// Whether the process was started with SIGHUP ignored; it is again then.
        pub fn ignores_hangup() -> bool {
            // Keeps the function in the program.
            let ask = std::hint::black_box(ASK);
            if ask as usize == 0 || !IGNORES_HANGUP.load(Ordering::Relaxed) {
                return false;
            }
            // SAFETY: ignores the signal again.
            unsafe { libc::signal(SIGHUP, libc::SIG_IGN) };
            true
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::{INTERRUPT, Listener};
    use crate::cli::failure::Failure;

    /// Starts a thread that waits for Ctrl-C.
    pub fn listen(mut listener: Listener) -> Result<(), Failure> {
        each(move |signal| listener.take(signal, false))
    }

    /// Hands over Ctrl-C.
    pub fn each(mut take: impl FnMut(u8) + Send + 'static) -> Result<(), Failure> {
        ctrlc::set_handler(move || take(INTERRUPT))
            .map_err(|error| Failure::failed(format!("cannot handle Ctrl-C: {error}")))
    }
}
