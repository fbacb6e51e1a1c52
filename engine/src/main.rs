//! The `engine` command: arguments in, text or JSON and an exit code out. Everything it does is done in `app`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
