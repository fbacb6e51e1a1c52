//! The command line. Its words stand in `text/*.ftl`, found by the names given here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod access;
mod authoring;
mod mappings;
mod operations;
mod remote;

pub(crate) use access::{
    ListenArgs, TokenCommand, TokenCreateArgs, TokenListArgs, TokenRevokeArgs, UserAddArgs, UserCommand,
    UserListArgs, UserNameArgs,
};
pub(crate) use authoring::{
    ConnectionAddArgs, FmtArgs, ImportCommand, ImportQeasyArgs, InitArgs, SampleArgs,
};
pub(crate) use mappings::*;
pub(crate) use operations::*;
pub(crate) use remote::{RemoteArgs, RunsCancelArgs};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "engine", version, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Global {
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<LangArg>,
    #[arg(long, global = true, value_enum, default_value_t = ColorArg::Auto)]
    pub(crate) color: ColorArg,
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) connections: Option<PathBuf>,
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LangArg {
    Zh,
    En,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorArg {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(RunArgs),
    DryRun(DryRunArgs),
    Serve(ServeArgs),
    Status(StatusArgs),
    Top(TopArgs),
    Tap(TapArgs),
    #[command(visible_alias = "lint", alias = "validate")]
    Check(CheckArgs),
    Fmt(FmtArgs),
    Test(TestArgs),
    Init(InitArgs),
    #[command(subcommand)]
    Import(ImportCommand),
    Sample(SampleArgs),
    #[command(subcommand)]
    Rows(RowsCommand),
    Replay(ReplayArgs),
    Retry(RetryArgs),
    #[command(subcommand)]
    Map(MapCommand),
    #[command(subcommand)]
    Runs(RunsCommand),
    #[command(subcommand)]
    Audit(AuditCommand),
    #[command(subcommand)]
    Receive(ReceiveCommand),
    #[command(subcommand)]
    Publish(PublishCommand),
    #[command(subcommand)]
    Token(TokenCommand),
    #[command(subcommand)]
    User(UserCommand),
    Verify(VerifyArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Migrate(MigrateArgs),
    Adopt(AdoptArgs),
    Diff(DiffArgs),
    Doctor(DoctorArgs),
    Expr(ExprArgs),
    Functions(FunctionsArgs),
    Schema(SchemaArgs),
    Explain(ExplainArgs),
    #[command(subcommand)]
    Connectors(ConnectorsCommand),
    #[command(subcommand)]
    Connection(ConnectionCommand),
    #[command(subcommand)]
    Object(ObjectCommand),
    #[command(subcommand)]
    Secret(SecretCommand),
    #[command(subcommand)]
    Schemes(SchemesCommand),
    #[command(subcommand)]
    Notify(NotifyCommand),
    Logs(LogsArgs),
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(subcommand)]
    Service(ServiceCommand),
    #[cfg(feature = "sandbox")]
    Sandbox(SandboxArgs),
    Completion(CompletionArgs),
    Version,
}

/// The simulators in place of real systems.
#[derive(Debug, Clone, Args)]
pub(crate) struct Simulated {
    #[cfg(feature = "sandbox")]
    #[arg(long)]
    pub(crate) sandbox: bool,
    #[cfg(feature = "sandbox")]
    #[arg(long, requires = "sandbox", default_value_t = 7)]
    pub(crate) seed: u64,
    #[cfg(feature = "sandbox")]
    #[arg(long, requires = "sandbox", default_value_t = 1_200, value_name = "N")]
    pub(crate) trades: usize,
    #[cfg(feature = "sandbox")]
    #[arg(long, requires = "sandbox", default_value_t = 0, value_name = "N")]
    pub(crate) refuse: usize,
    #[cfg(feature = "sandbox")]
    #[arg(long, requires = "sandbox", default_value_t = 0, value_name = "N")]
    pub(crate) invalid: usize,
    #[cfg(feature = "sandbox")]
    #[arg(long, requires = "sandbox", value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
}

impl Simulated {
    /// Whether simulators are asked for; never in a build without them.
    pub(crate) fn is_wanted(&self) -> bool {
        #[cfg(feature = "sandbox")]
        let wanted = self.sandbox;
        #[cfg(not(feature = "sandbox"))]
        let wanted = false;
        wanted
    }
}

/// What is said about the ledger before it is written.
#[derive(Debug, Clone, Args)]
pub(crate) struct OpeningArgs {
    #[arg(long)]
    pub(crate) new_target: bool,
    #[arg(long, value_name = "TIME|now")]
    pub(crate) suspect_until: Option<String>,
}

/// Which records are meant.
#[derive(Debug, Clone, Args)]
pub(crate) struct RecordArgs {
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[arg(long)]
    pub(crate) state: Option<String>,
    #[arg(long)]
    pub(crate) key: Option<String>,
    #[arg(long, value_name = "CODE")]
    pub(crate) error: Option<String>,
    #[arg(long)]
    pub(crate) run: Option<i64>,
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[arg(required = true, value_name = "SCHEME")]
    pub(crate) schemes: Vec<PathBuf>,
    #[arg(long, value_name = "A..B")]
    pub(crate) window: Option<String>,
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<u128>,
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    #[arg(long, value_name = "DURATION")]
    pub(crate) settle_wait: Option<String>,
    #[arg(long, value_enum, default_value_t = StageArg::All)]
    pub(crate) stage: StageArg,
    #[command(flatten)]
    pub(crate) opening: OpeningArgs,
    #[arg(long, conflicts_with = "record")]
    pub(crate) dry_run: bool,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stage", "suspect_until"])]
    pub(crate) record: Option<PathBuf>,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[arg(value_name = "SCHEME")]
    pub(crate) scheme: PathBuf,
    #[arg(long, value_name = "TIME")]
    pub(crate) from: String,
    #[arg(long, value_name = "TIME")]
    pub(crate) to: String,
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<String>,
    #[arg(long)]
    pub(crate) only_missing: bool,
    #[arg(long)]
    pub(crate) again: bool,
    #[arg(long, default_value_t = 50, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) share: u8,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    #[arg(long, value_name = "DURATION")]
    pub(crate) settle_wait: Option<String>,
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StageArg {
    All,
    Fetch,
    Save,
}

#[derive(Debug, Args)]
pub(crate) struct DryRunArgs {
    #[arg(value_name = "SCHEME")]
    pub(crate) scheme: PathBuf,
    #[arg(long, default_value = "5", value_name = "N|all")]
    pub(crate) limit: String,
    #[arg(long, value_name = "A..B")]
    pub(crate) window: Option<String>,
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<u128>,
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    #[arg(long, value_enum, default_value_t = ShowArg::Trace)]
    pub(crate) show: ShowArg,
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowArg {
    Payload,
    Request,
    Trace,
    Diff,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[arg(long)]
    pub(crate) strict: bool,
    #[arg(long)]
    pub(crate) exit_zero: bool,
    #[arg(long)]
    pub(crate) online: bool,
    #[arg(long)]
    pub(crate) fix: bool,
    #[arg(long, requires = "fix")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    #[arg(long)]
    pub(crate) update: bool,
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    #[arg(long)]
    pub(crate) exit_zero: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RowsCommand {
    List(RowsListArgs),
    Show(RowsShowArgs),
    Export(RowsExportArgs),
    Skip(RowsDecideArgs),
    Hold(RowsDecideArgs),
    Resolve(RowsResolveArgs),
}

/// Which ledger is read.
#[derive(Debug, Clone, Args)]
pub(crate) struct LedgerArgs {
    #[cfg(feature = "sandbox")]
    #[arg(long)]
    pub(crate) sandbox: bool,
}

impl From<&Simulated> for LedgerArgs {
    fn from(simulated: &Simulated) -> Self {
        #[cfg(not(feature = "sandbox"))]
        let _ = simulated;
        LedgerArgs {
            #[cfg(feature = "sandbox")]
            sandbox: simulated.sandbox,
        }
    }
}

impl LedgerArgs {
    /// The ledger of the real systems.
    pub(crate) fn real() -> Self {
        LedgerArgs {
            #[cfg(feature = "sandbox")]
            sandbox: false,
        }
    }

    /// The ledger of the simulators.
    pub(crate) fn is_simulated(&self) -> bool {
        #[cfg(feature = "sandbox")]
        return self.sandbox;
        #[cfg(not(feature = "sandbox"))]
        return false;
    }
}

#[derive(Debug, Args)]
pub(crate) struct RowsListArgs {
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RowsShowArgs {
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[arg(long, value_enum, conflicts_with = "curl")]
    pub(crate) show: Option<RowPart>,
    #[arg(long, conflicts_with = "json")]
    pub(crate) curl: bool,
    #[arg(long, requires = "curl", value_name = "DIR")]
    pub(crate) schemes: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Args)]
pub(crate) struct RowsExportArgs {
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) limit: u64,
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    #[arg(long, conflicts_with = "json")]
    pub(crate) bom: bool,
    #[arg(long)]
    pub(crate) payload: bool,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RowsDecideArgs {
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RowsResolveArgs {
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[arg(long, value_name = "ID", conflicts_with = "not_there")]
    pub(crate) done_as: Option<String>,
    #[arg(long, requires = "done_as", value_name = "NUMBER")]
    pub(crate) number: Option<String>,
    #[arg(long)]
    pub(crate) not_there: bool,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    #[arg(long, conflicts_with = "as_stored")]
    pub(crate) latest: bool,
    #[arg(long)]
    pub(crate) as_stored: bool,
    #[arg(long)]
    pub(crate) not_there: bool,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) yes: bool,
    #[arg(long, value_name = "DIR")]
    pub(crate) schemes: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowPart {
    Source,
    Payload,
    Answer,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    List(RunsListArgs),
    Show(RunsShowArgs),
    Cancel(RunsCancelArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunsListArgs {
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[arg(long)]
    pub(crate) status: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RunsShowArgs {
    #[arg(value_name = "RUN")]
    pub(crate) run: i64,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    List(AuditListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AuditListArgs {
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[arg(long, value_parser = ["skip", "hold", "resolve", "retry", "replay", "restore", "rollback", "adopt", "suspect", "fix", "token", "user", "scheme", "run", "cancel", "pause", "resume", "deploy", "revert"])]
    pub(crate) action: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiveCommand {
    Url(ReceiveUrlArgs),
    List(ReceiveListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReceiveUrlArgs {
    #[arg(value_name = "SCHEME")]
    pub(crate) scheme: PathBuf,
    #[arg(long)]
    pub(crate) renew: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiveListArgs {
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PublishCommand {
    Usage(PublishUsageArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PublishUsageArgs {
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[arg(long, conflicts_with = "fix")]
    pub(crate) scheme: Option<String>,
    #[arg(long)]
    pub(crate) fix: bool,
    #[arg(long, requires = "fix", value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[arg(long, requires = "fix")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

/// A decision that is noted, and asked about first.
#[derive(Debug, Clone, Args)]
pub(crate) struct DecisionArgs {
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "TIME|now", default_value = "now")]
    pub(crate) suspect_until: String,
    #[command(flatten)]
    pub(crate) decision: DecisionArgs,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[arg(long, conflicts_with = "rollback")]
    pub(crate) check: bool,
    #[arg(long, requires = "reason")]
    pub(crate) rollback: bool,
    #[arg(long, requires = "rollback", value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[arg(long, requires = "rollback")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    #[arg(value_name = "SCHEME")]
    pub(crate) scheme: PathBuf,
    #[arg(long, value_name = "TIME|now", default_value = "now")]
    pub(crate) until: String,
    #[arg(long)]
    pub(crate) new_target: bool,
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long, conflicts_with_all = ["dry_run", "window", "limit", "settle_wait"])]
    pub(crate) mark_only: bool,
    #[arg(long, value_name = "A..B")]
    pub(crate) window: Option<String>,
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub(crate) examples: u32,
    #[arg(long, value_name = "TIME")]
    pub(crate) settle_wait: Option<String>,
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[arg(value_name = "SCHEME")]
    pub(crate) scheme: PathBuf,
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub(crate) examples: u32,
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[arg(long)]
    pub(crate) online: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExprArgs {
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) row: Option<PathBuf>,
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    #[arg(long, default_value = "Asia/Shanghai", value_name = "ZONE")]
    pub(crate) tz: String,
    #[arg(long = "type")]
    pub(crate) kind: bool,
    #[arg(long)]
    pub(crate) trace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    #[arg(long, default_value = "2s", value_name = "TIME")]
    pub(crate) every: String,
    #[command(flatten)]
    pub(crate) status: StatusArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TapArgs {
    #[arg(value_name = "SCHEME")]
    pub(crate) scheme: String,
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
    #[arg(long, default_value = "10m", value_name = "TIME")]
    pub(crate) duration: String,
    #[arg(long)]
    pub(crate) ndjson: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct StatusArgs {
    #[arg(long, value_name = "ID")]
    pub(crate) scheme: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[arg(long, default_value = "schemes", value_name = "DIR")]
    pub(crate) schemes: PathBuf,
    #[arg(long)]
    pub(crate) watch: bool,
    #[arg(long)]
    pub(crate) read_only: bool,
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) runs: u32,
    #[command(flatten)]
    pub(crate) opening: OpeningArgs,
    #[arg(long)]
    pub(crate) ndjson: bool,
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[derive(Debug, Args)]
pub(crate) struct FunctionsArgs {
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    #[arg(value_enum, default_value_t = SchemaKind::Scheme)]
    pub(crate) kind: SchemaKind,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    Scheme,
    Connector,
    Connections,
    Object,
    Adopt,
    AuditList,
    Backup,
    Check,
    Completion,
    ConnectionAdd,
    ConnectionList,
    ConnectionTest,
    ConnectorsCheck,
    ConnectorsList,
    ConnectorsShow,
    Diff,
    Doctor,
    DryRun,
    Error,
    Explain,
    Expr,
    Fmt,
    Functions,
    Import,
    Init,
    InitList,
    Migrate,
    PublishUsage,
    ReceiveList,
    ReceiveUrl,
    Replay,
    Restore,
    Retry,
    #[value(aliases = ["rows-skip", "rows-hold", "rows-resolve"])]
    #[value(aliases = ["map-set", "map-rm", "map-fields-set", "map-fields-rm"])]
    MapChange,
    #[value(alias = "map-fields-export")]
    MapExport,
    #[value(alias = "map-fields-list")]
    MapFields,
    MapGet,
    #[value(alias = "map-fields-import")]
    MapImport,
    MapList,
    RowsDecide,
    RowsExport,
    RowsList,
    RowsShow,
    Run,
    RunNow,
    RunsList,
    #[value(alias = "runs-cancel")]
    RunsShow,
    Sample,
    Sandbox,
    ConfigShow,
    NotifyList,
    NotifyMute,
    NotifyTest,
    ObjectList,
    ObjectShow,
    SchemesDeploy,
    SchemesDiff,
    SchemesList,
    #[value(alias = "schemes-resume")]
    SchemesPause,
    SchemesRevision,
    SchemesRevisions,
    SchemesShow,
    Service,
    #[value(aliases = ["secret-set", "secret-rm", "secret-rotate"])]
    SecretChange,
    SecretList,
    Status,
    Tap,
    Test,
    TokenCreate,
    TokenList,
    TokenRevoke,
    #[value(aliases = ["user-add", "user-passwd", "user-rm"])]
    UserChange,
    UserList,
    Verify,
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorsCommand {
    List,
    Show(ConnectorsShowArgs),
    Check(ConnectorsCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConnectorsShowArgs {
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectorsCheckArgs {
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ObjectCommand {
    List,
    Show(ObjectShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ObjectShowArgs {
    #[arg(value_name = "OBJECT")]
    pub(crate) object: String,
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) base_url: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    List,
    Add(ConnectionAddArgs),
    Test(ConnectionTestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConnectionTestArgs {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    #[arg(long, default_value = "127.0.0.1:7070", value_name = "ADDRESS")]
    pub(crate) listen: std::net::SocketAddr,
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    #[arg(long, default_value_t = 1_200, value_name = "N")]
    pub(crate) trades: usize,
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) refuse: usize,
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) invalid: usize,
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
