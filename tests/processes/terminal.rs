//! A terminal that a test opens, types into, reads, and closes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::watched::wait_until;

/// What the dashboard begins with: the alternate screen (xterm).
pub const DASHBOARD: &str = "\x1b[?1049h";

/// A terminal of 120 x 40 characters.
pub struct Terminal {
    keyboard: Option<File>,
    shown: Arc<Mutex<Vec<u8>>>,
    is_closed: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    slave: Option<OwnedFd>,
}

impl Terminal {
    pub fn open() -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: 40,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).unwrap();
        let keyboard = File::from(master);
        let screen = keyboard.try_clone().unwrap();
        let (shown, is_closed) = (Arc::default(), Arc::default());
        let (text, closed) = (Arc::clone(&shown), Arc::clone(&is_closed));
        let reader = std::thread::spawn(move || read(screen, &text, &closed));
        Self {
            keyboard: Some(keyboard),
            shown,
            is_closed,
            reader: Some(reader),
            slave: Some(slave),
        }
    }

    /// Starts a command in a session of its own, on this terminal; standard error too unless it is given.
    pub fn spawn(&mut self, mut command: Command, errors: Option<File>) -> Child {
        let slave = self.slave.take().expect("one command a terminal");
        let stream = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(stream()).stdout(stream());
        match errors {
            Some(file) => command.stderr(file),
            None => command.stderr(stream()),
        };
        let terminal = slave.as_raw_fd();
        // SAFETY: both are system calls, which may be made between fork and exec; the descriptor is open there.
        unsafe {
            command.pre_exec(move || {
                if libc::setsid() < 0 || libc::ioctl(terminal, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        // The terminal closes for the command when this end does: no descriptor of it stays here.
        command.spawn().unwrap()
    }

    pub fn type_line(&mut self, line: &str) {
        let keyboard = self.keyboard.as_mut().expect("an open terminal");
        keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Everything that was shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    pub fn wait_for(&self, text: &str) {
        wait_until(text, || self.shown().contains(text));
    }

    /// Closes the terminal, as a window is closed or a connection is lost.
    pub fn close(&mut self) {
        self.is_closed.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.keyboard = None;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.close();
    }
}

/// Collects what is shown until the terminal is closed.
fn read(mut screen: File, shown: &Mutex<Vec<u8>>, is_closed: &AtomicBool) {
    let wait = Timespec {
        tv_sec: 0,
        tv_nsec: 20_000_000,
    };
    let mut block = [0; 4096];
    while !is_closed.load(Ordering::Relaxed) {
        let mut watched = [PollFd::from_borrowed_fd(screen.as_fd(), PollFlags::IN)];
        if poll(&mut watched, Some(&wait)).is_ok_and(|ready| ready == 0) {
            continue;
        }
        match screen.read(&mut block) {
            Ok(count @ 1..) => shown.lock().unwrap().extend(&block[..count]),
            // Nobody has the terminal open, as yet or any more.
            _ => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    }
}
