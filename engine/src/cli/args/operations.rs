//! The arguments of commands for whoever operates the engine.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::LedgerArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    Set(SecretNameArgs),
    List,
    Rm(SecretNameArgs),
    Rotate(SecretRotateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SecretNameArgs {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct SecretRotateArgs {
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    Test(NotifyTestArgs),
    List(NotifyListArgs),
    Mute(NotifyMuteArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NotifyMuteArgs {
    #[arg(value_name = "CHANNEL")]
    pub(crate) channel: String,
    #[arg(long, value_name = "TIME")]
    pub(crate) until: String,
}

#[derive(Debug, Args)]
pub(crate) struct NotifyTestArgs {
    #[arg(value_name = "CHANNEL")]
    pub(crate) channel: String,
}

#[derive(Debug, Args)]
pub(crate) struct NotifyListArgs {
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,
    #[arg(long, value_parser = ["waiting", "sent", "failed", "dropped"])]
    pub(crate) state: Option<String>,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemesCommand {
    List(SchemesFolderArgs),
    Show(SchemesShowArgs),
    Pause(SchemesPauseArgs),
    Resume(SchemesPauseArgs),
    Revisions(SchemesRevisionsArgs),
    Deploy(SchemesDeployArgs),
    Rollback(SchemesRollbackArgs),
}

/// The folder of the schemes, and their ledger.
#[derive(Debug, Clone, Args)]
pub(crate) struct SchemesFolderArgs {
    #[arg(long, default_value = "schemes", value_name = "DIR")]
    pub(crate) schemes: PathBuf,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SchemesShowArgs {
    #[arg(value_name = "ID")]
    pub(crate) scheme: String,
    #[command(flatten)]
    pub(crate) folder: SchemesFolderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SchemesPauseArgs {
    #[arg(value_name = "ID")]
    pub(crate) scheme: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) folder: SchemesFolderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SchemesRevisionsArgs {
    #[arg(value_name = "ID")]
    pub(crate) scheme: String,
    #[arg(long, value_name = "N", conflicts_with = "diff")]
    pub(crate) show: Option<u32>,
    #[arg(long, value_name = "A..B")]
    pub(crate) diff: Option<String>,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

/// Putting a text in force.
#[derive(Debug, Args)]
pub(crate) struct SchemesForceArgs {
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) message: String,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) folder: SchemesFolderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SchemesDeployArgs {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) force: SchemesForceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SchemesRollbackArgs {
    #[arg(value_name = "ID")]
    pub(crate) scheme: String,
    #[arg(long, value_name = "N")]
    pub(crate) to: u32,
    #[command(flatten)]
    pub(crate) force: SchemesForceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    #[arg(long, short)]
    pub(crate) follow: bool,
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[arg(long)]
    pub(crate) run: Option<i64>,
    #[arg(long, value_parser = ["error", "warn", "info", "debug", "trace"])]
    pub(crate) level: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub(crate) grep: Option<String>,
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub(crate) limit: u32,
    #[arg(long)]
    pub(crate) ndjson: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Show(ConfigShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigShowArgs {
    #[arg(long)]
    pub(crate) origin: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    Install(ServiceInstallArgs),
    Uninstall(ServicePlaceArgs),
}

/// Which unit is meant.
#[derive(Debug, Args)]
pub(crate) struct ServicePlaceArgs {
    #[arg(long)]
    pub(crate) user: bool,
    #[arg(long, default_value = "engine", value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct ServiceInstallArgs {
    #[arg(long)]
    pub(crate) print: bool,
    #[arg(long, default_value = "schemes", value_name = "DIR")]
    pub(crate) schemes: PathBuf,
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: ServicePlaceArgs,
}
