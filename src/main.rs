//! The binary: everything is in the library's [`kiln::cli`].

#![recursion_limit = "256"]

fn main() -> std::process::ExitCode {
    kiln::cli::main()
}
