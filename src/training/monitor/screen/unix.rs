//! A pseudoterminal between the dashboard and the user's terminal.
//!
//! Burn's dashboard draws on standard output and reads keys from standard input. It aborts the process when these fail, spins when
//! they end, and is stopped by the shell when it reads in the background. Here both are a pseudoterminal of this process, which
//! never fails, and a thread carries what is drawn to the user's terminal, and keys back, for as long as that is there and ours.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, fcntl_dupfd_cloexec, read, write};
use rustix::pipe::pipe;
use rustix::process::getpgrp;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stderr, stdin, stdout};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, Winsize, isatty, tcgetattr, tcgetpgrp,
    tcgetwinsize, tcsetattr, tcsetwinsize,
};

/// Leaves the alternate screen, stops mouse reports, shows the cursor (xterm control sequences).
const LEAVE_DASHBOARD: &[u8] =
    b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?25h";

/// The dashboard shows it again when it ends, but perhaps after the last byte is carried.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h";

/// How often the carrier looks whether the terminal is still ours, in nanoseconds. The dashboard draws as often.
const TICK: i64 = 100_000_000;

/// Bytes that are carried at once; a frame of a large terminal has some 50,000.
const BLOCK: usize = 1 << 16;

/// The value of a special code that is switched off (`_POSIX_VDISABLE`).
const DISABLED: u8 = if cfg!(any(target_os = "linux", target_os = "android")) {
    0
} else {
    0xff
};

/// Lowest number of a duplicated descriptor: above the standard streams.
const FIRST_FREE: i32 = 3;

/// What became of the user's terminal.
mod state {
    /// It shows the dashboard.
    pub const SHOWN: u8 = 0;
    /// Another process is in its foreground.
    pub const BACKGROUND: u8 = 1;
    /// It has been closed.
    pub const CLOSED: u8 = 2;
}

/// The terminal that shows a dashboard, for a program that ends at once.
static SHOWN: Mutex<Option<Arc<Terminal>>> = Mutex::new(None);

/// The user's terminal.
struct Terminal {
    input: OwnedFd,
    output: OwnedFd,
    /// Standard error, if that is a terminal.
    errors: Option<OwnedFd>,
    /// The modes before the dashboard.
    modes: Termios,
    state: AtomicU8,
}

/// A screen for the dashboard: standard input and output for as long as it is open.
pub struct Screen {
    terminal: Arc<Terminal>,
    carrier: Mutex<Option<Carrier>>,
}

struct Carrier {
    /// Closed when all is carried.
    carried: Receiver<()>,
    /// Dropped to end the carrying, the rest of it included.
    stop: OwnedFd,
}

impl Screen {
    /// Opens a screen on the terminal of standard input and output.
    ///
    /// # Errors
    /// They are not a terminal, or there is no pseudoterminal or thread to be had.
    pub fn open() -> std::io::Result<Self> {
        let duplicate = |stream: BorrowedFd| fcntl_dupfd_cloexec(stream, FIRST_FREE);
        let errors = isatty(stderr()).then(|| duplicate(stderr()));
        let terminal = Arc::new(Terminal {
            modes: tcgetattr(stdin())?,
            input: duplicate(stdin())?,
            output: duplicate(stdout())?,
            errors: errors.transpose()?,
            state: AtomicU8::new(state::SHOWN),
        });
        let (master, slave) = pseudoterminal(tcgetwinsize(&terminal.output)?)?;
        let (stopped, stop) = pipe()?;
        let shown = terminal.clone();
        let (carrying, carried) = channel::<()>();
        std::thread::Builder::new()
            .name("screen".into())
            .spawn(move || {
                shown.carry(&master, &stopped);
                drop(carrying);
                discard(&master);
            })?;
        let screen = Self {
            terminal,
            carrier: Mutex::new(Some(Carrier { carried, stop })),
        };
        screen.terminal.begin(&slave)?;
        *lock(&SHOWN) = Some(screen.terminal.clone());
        Ok(screen)
    }

    /// Whether the terminal was closed, or given to another process.
    pub fn is_lost(&self) -> bool {
        self.terminal.state.load(Ordering::Relaxed) != state::SHOWN
    }

    /// Gives the terminal back; once is enough.
    pub fn close(&self) {
        let Some(Carrier { carried, stop }) = lock(&self.carrier).take() else {
            return;
        };
        drop(stop);
        // Returns when the carrier drops its end.
        let _ = carried.recv();
        lock(&SHOWN).take();
        self.terminal.end();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

/// Gives the terminal back, in a program that ends at once. Does nothing without a dashboard.
pub fn restore() {
    let Ok(shown) = SHOWN.try_lock() else {
        return;
    };
    let Some(terminal) = shown.as_ref() else {
        return;
    };
    if terminal.is_ours() {
        let _ = write_all(&terminal.output, LEAVE_DASHBOARD);
        let _ = tcsetattr(&terminal.input, OptionalActions::Now, &terminal.modes);
    }
    // For a last message: nobody carries what is written to the screen any more.
    if let Some(errors) = &terminal.errors {
        let _ = dup2_stderr(errors);
    }
}

impl Terminal {
    /// Makes `screen` the standard streams, and sets the terminal so that keys arrive as they are typed.
    fn begin(&self, screen: &OwnedFd) -> std::io::Result<()> {
        let mut raw = self.modes.clone();
        raw.make_raw();
        // Ctrl-C stays a signal, but Ctrl-Z must not stop the process with the dashboard on the screen.
        raw.local_modes.insert(LocalModes::ISIG);
        raw.special_codes[SpecialCodeIndex::VSUSP] = DISABLED;
        tcsetattr(&self.input, OptionalActions::Now, &raw)?;
        dup2_stdin(screen)?;
        dup2_stdout(screen)?;
        if self.errors.is_some() {
            dup2_stderr(screen)?;
        }
        Ok(())
    }

    /// Puts the terminal back as it was; the standard streams go nowhere if it is closed, since other crates panic when they can't
    /// be written.
    fn end(&self) {
        if self.is_ours() {
            let _ = write_all(&self.output, SHOW_CURSOR);
            let _ = tcsetattr(&self.input, OptionalActions::Now, &self.modes);
        }
        let nowhere = match self.state.load(Ordering::Relaxed) {
            state::CLOSED => rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()).ok(),
            _ => None,
        };
        let _ = dup2_stdin(nowhere.as_ref().unwrap_or(&self.input));
        let _ = dup2_stdout(nowhere.as_ref().unwrap_or(&self.output));
        if let Some(errors) = &self.errors {
            let _ = dup2_stderr(nowhere.as_ref().unwrap_or(errors));
        }
    }

    /// Whether this process is in the foreground of the terminal. A process in the background that reads it, or sets its modes, is
    /// stopped.
    fn is_ours(&self) -> bool {
        tcgetpgrp(&self.input).is_ok_and(|foreground| foreground == getpgrp())
    }

    /// Carries bytes between the screen and the terminal until `stopped` ends, and then those that are left.
    fn carry(&self, screen: &OwnedFd, stopped: &OwnedFd) {
        let tick = Timespec {
            tv_sec: 0,
            tv_nsec: TICK,
        };
        let mut block = vec![0; BLOCK];
        loop {
            let is_shown = self.state.load(Ordering::Relaxed) == state::SHOWN;
            let mut watched = vec![
                PollFd::new(screen, PollFlags::IN),
                PollFd::new(stopped, PollFlags::IN),
            ];
            if is_shown {
                watched.push(PollFd::new(&self.input, PollFlags::IN));
            }
            match poll(&mut watched, Some(&tick)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
            let ready: Vec<PollFlags> = watched.iter().map(PollFd::revents).collect();
            if is_shown && !self.is_ours() {
                self.lose();
                continue;
            }
            if ready[0].contains(PollFlags::IN) {
                let Ok(count) = read(screen, &mut block) else {
                    return;
                };
                if is_shown && write_all(&self.output, &block[..count]).is_err() {
                    self.lose();
                }
            } else if !ready[1].is_empty() {
                return;
            }
            if ready.get(2).is_some_and(|ready| !ready.is_empty()) {
                match read(&self.input, &mut block) {
                    Ok(count @ 1..) if write_all(screen, &block[..count]).is_ok() => {}
                    Err(Errno::INTR) => {}
                    _ => self.lose(),
                }
            }
            self.follow_size(screen);
        }
    }

    /// Notes that the terminal is not ours any more. With another process in its foreground it is still there, and that process
    /// should not have to write over the dashboard.
    fn lose(&self) {
        let state = match tcgetpgrp(&self.input) {
            Ok(_) => state::BACKGROUND,
            Err(_) => state::CLOSED,
        };
        let may_write = !self.modes.local_modes.contains(LocalModes::TOSTOP);
        if state == state::BACKGROUND && may_write {
            let _ = write_all(&self.output, LEAVE_DASHBOARD);
        }
        self.state.store(state, Ordering::Relaxed);
    }

    /// Gives the screen the size of the terminal.
    fn follow_size(&self, screen: &OwnedFd) {
        if let (Ok(now), Ok(before)) = (tcgetwinsize(&self.output), tcgetwinsize(screen))
            && (now.ws_row, now.ws_col) != (before.ws_row, before.ws_col)
        {
            let _ = tcsetwinsize(screen, now);
        }
    }
}

/// Both ends of a pseudoterminal of this size: that of the carrier, and the terminal itself.
fn pseudoterminal(size: Winsize) -> std::io::Result<(OwnedFd, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
    tcsetwinsize(&slave, size)?;
    Ok((master, slave))
}

/// Reads until nobody can write any more. A thread of the dashboard that still ends (it is not waited for when the run is killed)
/// writes until the standard streams are replaced, and aborts the process if it can't.
fn discard(screen: &OwnedFd) {
    let mut block = [0; 256];
    while matches!(read(screen, &mut block), Ok(1..) | Err(Errno::INTR)) {}
}

fn write_all(to: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(to, bytes) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
