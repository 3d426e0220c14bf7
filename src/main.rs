//! The binary: everything but the allocator is in the library's [`kiln::cli`].

#![recursion_limit = "256"]

#[cfg(unix)]
mod memory;

/// A training step allocates megabytes for every layer and gives them back. The system's allocator returns them to the
/// kernel each time, and a tenth of the step goes into clearing the pages again.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: memory::OrExit<mimalloc::MiMalloc> = memory::OrExit(mimalloc::MiMalloc);
#[cfg(not(unix))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    #[cfg(unix)]
    memory::keep_freed_memory();
    kiln::cli::main()
}
