//! Leaving a group that MPICH 4.0 has formed.
//!
//! Its `MPI_Finalize` may wait for ever when messages go over TCP by UCX: a process that has closed its connections waits for the others
//! in a barrier of the launcher, and no longer answers one that is still closing its own. (Found in MPICH 4.0.2 with UCX 1.13, in one of ten
//! programs of two processes that enter it 0.1 s apart.) So processes leave by that barrier alone, in the protocol of MPICH's
//! launchers (PMI 1: a line each way over a socket that the process was started with).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};

/// The variable with the number of that socket.
const SOCKET: &str = "PMI_FD";

/// How the library's version begins that needs this.
const VERSION: &str = "MPICH Version:\t4.0";

/// Waits until all processes are here, and tells the launcher that this one ends. `false` if that is to be left to MPI.
pub fn leave() -> bool {
    let is_concerned = mpi::environment::library_version().is_ok_and(|is| is.starts_with(VERSION));
    let socket = std::env::var(SOCKET).ok();
    let Some(socket) = socket.and_then(|number| number.parse::<RawFd>().ok()) else {
        return false;
    };
    is_concerned && say_goodbye(socket).is_ok()
}

fn say_goodbye(socket: RawFd) -> io::Result<()> {
    // Not closed at the end: the launcher takes that for the end of the process.
    // SAFETY: by PMI's definition the number is that of an open socket, and nothing else uses it while no function of MPI runs.
    #[allow(unsafe_code)]
    let socket = ManuallyDrop::new(unsafe { File::from_raw_fd(socket) });
    let mut answers = BufReader::new(&*socket);
    for (line, answer) in [("barrier_in", "barrier_out"), ("finalize", "finalize_ack")] {
        (&*socket).write_all(format!("cmd={line}\n").as_bytes())?;
        let mut said = String::new();
        answers.read_line(&mut said)?;
        if !said.starts_with(&format!("cmd={answer}")) {
            return Err(io::Error::other(said));
        }
    }
    Ok(())
}
