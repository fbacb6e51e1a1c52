//! The running engine that is asked instead of the data directory.

use std::path::PathBuf;

use clap::Args;

/// Which server, and who asks it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RemoteArgs {
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) server_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunsCancelArgs {
    #[arg(value_name = "RUN")]
    pub(crate) run: i64,
}
