//! An allocator that ends the program with one line when there is no memory left.
//!
//! Rust aborts in that case, with a line that names no cause, and nearly every allocation of this program and its crates counts on
//! memory being there.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{c_int, c_long};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// An allocator whose requests succeed, or end the program with exit code 1.
pub struct OrExit<A>(pub A);

// SAFETY: all requests are passed on to an allocator with their arguments, and its answers are returned.
unsafe impl<A: GlobalAlloc> GlobalAlloc for OrExit<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        or_exit(unsafe { self.0.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { self.0.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        or_exit(unsafe { self.0.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's.
        or_exit(unsafe { self.0.realloc(pointer, layout, size) }, size)
    }
}

/// Keeps freed memory for a minute, not for a second: a training step uses that of the step before again, and pages that the
/// kernel clears for every step take a seventh of its time.
pub fn keep_freed_memory() {
    /// `mi_option_purge_delay` of mimalloc 3's `mi_option_t`.
    const PURGE_DELAY: c_int = 15;
    const MILLISECONDS: c_long = 60_000;
    unsafe extern "C" {
        fn mi_option_set(option: c_int, value: c_long);
    }
    // SAFETY: mimalloc's function for this purpose, which any thread may call at any time.
    unsafe { mi_option_set(PURGE_DELAY, MILLISECONDS) };
}

fn or_exit(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null() {
        exit(size);
    }
    pointer
}

/// Bytes of a megabyte.
const MEGABYTE: f64 = 1e6;

/// Ends the program. Nothing here allocates, and nothing that might is run: neither the standard library's clean-up nor that of C.
#[cold]
fn exit(size: usize) -> ! {
    static IS_ENDING: AtomicBool = AtomicBool::new(false);
    // One line, whatever other threads ask for meanwhile.
    while IS_ENDING.swap(true, Ordering::Relaxed) {
        std::thread::sleep(Duration::MAX);
    }
    kiln::training::restore_terminal();
    let mut line = Line::default();
    // A line that is too long is cut.
    let _ = write!(
        line,
        "error: out of memory: cannot allocate {size} more bytes"
    );
    let _ = match getrlimit(Resource::As).current {
        Some(limit) => {
            let limit = limit as f64 / MEGABYTE;
            writeln!(
                line,
                "; the limit of this process is {limit:.0} MB: raise it (ulimit -v), or use smaller batches"
            )
        }
        None => writeln!(line, "; free some memory, or use smaller batches"),
    };
    let _ = rustix::io::write(rustix::stdio::stderr(), &line.bytes[..line.length]);
    // SAFETY: a system call that takes a number and does not return.
    unsafe { libc::_exit(1) }
}

/// Longest line in bytes.
const MAX_LINE: usize = 240;

/// A line of text that is not on the heap.
struct Line {
    bytes: [u8; MAX_LINE],
    length: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            bytes: [0; MAX_LINE],
            length: 0,
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let place = self.bytes.get_mut(self.length..end);
        place
            .ok_or(std::fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
