//! The `engine` command: arguments in, text or JSON and an exit code out. Everything it does is done in `app`.

mod cli;

use std::process::ExitCode;

/// Takes a fifth less processor time than the system's, and half as much memory again: for who has the memory.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
