//! Commands: arguments in, `app` called, text or JSON and an exit code out (UX 3).

mod adopt;
mod args;
mod ask;
mod attend;
mod audit;
mod authoring;
mod check;
mod config;
mod connection;
mod connectors;
mod curl;
mod decide;
mod diff;
mod dry_run;
mod ended;
mod env;
mod export;
mod expr;
#[cfg(feature = "sandbox")]
mod faults;
mod fmt;
mod help;
mod import;
mod json;
mod language;
mod ledgers;
mod logs;
mod map;
mod map_fields;
mod meant;
mod notify;
mod objects;
mod out;
mod progress;
mod pushes;
mod remote;
mod replay;
mod retry;
mod rows;
mod run;
mod runs;
mod schemes;
mod secret;
mod serve;
#[cfg_attr(not(feature = "sandbox"), path = "simulators_absent.rs")]
mod simulators;
mod status;
mod table;
mod tap;
mod test;
mod text;
mod time;
mod token;
mod top;
mod unit;
mod upkeep;
mod usage;
mod user;
mod verify;
mod whereabouts;

use std::ffi::OsString;
use std::process::ExitCode;

use app::AppError;
use clap::FromArgMatches;
use clap::error::ErrorKind;
use dsl::Lang;

use args::{
    AuditCommand, Cli, Command, ConfigCommand, ConnectionCommand, ConnectorsCommand, Global, ImportCommand,
    MapCommand, NotifyCommand, ObjectCommand, PublishCommand, ReceiveCommand, RowsCommand, RunsCommand,
    SchemesCommand, SecretCommand, ServiceCommand, TokenCommand, UserCommand,
};
use env::Environment;
use out::Out;

/// What a command ends with.
type Done = Result<u8, AppError>;

/// The program.
pub(crate) fn main() -> ExitCode {
    let environment = Environment::capture();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let lang = env::language(&arguments, &environment);
    // pest's guard against runaway parses is one number for the whole process.
    dsl::expr::limit_parser_calls();
    let parsed = help::command(lang)
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return refused(&error, &arguments, lang, &environment),
    };
    let mut out = Out::new(lang, &cli.global, &environment);
    out.asks_servers = remote::reaches(&cli.command);
    let done = dispatch(cli, &mut out, &environment);
    ExitCode::from(match done {
        Ok(code) => code,
        Err(error) => out.error(&error),
    })
}

/// Help and version are answers; anything else is wrong use.
fn refused(error: &clap::Error, arguments: &[OsString], lang: Lang, environment: &Environment) -> ExitCode {
    let asked = !error.use_stderr();
    if asked || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // A closed pipe is no reason to fail.
        drop(error.print());
        return ExitCode::from(if asked { 0 } else { 2 });
    }
    let json = arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument == "--json");
    let global = Global {
        json,
        ..Global::default()
    };
    let out = Out::new(lang, &global, environment);
    ExitCode::from(out.error(&usage::wrong_use(error, arguments)))
}

fn dispatch(cli: Cli, out: &mut Out, environment: &Environment) -> Done {
    let global = cli.global;
    environment.room()?;
    environment.keep_ms()?;
    ledgers::is_folder(environment.places(&global).data_dir.as_deref())?;
    environment.failpoint()?;
    remote::fits(&cli.command, &global, environment)?;
    match cli.command {
        Command::Run(args) if args.dry_run => {
            let args = dry_run::from_run(args)?;
            dry_run::dry_run(args, &global, out, environment)
        }
        Command::Run(args) => run::run(args, &global, out, environment),
        Command::Status(args) => status::status(args, &global, out, environment),
        Command::Top(args) => top::top(args, &global, out, environment),
        Command::Tap(args) => tap::tap(args, &global, out, environment),
        Command::Serve(args) => serve::serve(args, &global, out, environment),
        Command::Replay(args) => replay::replay(args, &global, out, environment),
        Command::DryRun(args) => dry_run::dry_run(args, &global, out, environment),
        Command::Check(args) => check::check(args, &global, out, environment),
        Command::Fmt(args) => fmt::fmt(args, out),
        Command::Test(args) => test::test(args, &global, out, environment),
        Command::Rows(RowsCommand::List(args)) => rows::list(args, &global, out, environment),
        Command::Rows(RowsCommand::Show(args)) => rows::show(args, &global, out, environment),
        Command::Rows(RowsCommand::Export(args)) => export::export(args, &global, out, environment),
        Command::Rows(RowsCommand::Skip(args)) => decide::skip(args, &global, out, environment),
        Command::Rows(RowsCommand::Hold(args)) => decide::hold(args, &global, out, environment),
        Command::Rows(RowsCommand::Resolve(args)) => decide::resolve(args, &global, out, environment),
        Command::Map(MapCommand::List(args)) => map::list(args, &global, out, environment),
        Command::Map(MapCommand::Get(args)) => map::get(args, &global, out, environment),
        Command::Map(MapCommand::Set(args)) => map::set(args, &global, out, environment),
        Command::Map(MapCommand::Rm(args)) => map::rm(args, &global, out, environment),
        Command::Map(MapCommand::Import(args)) => map::import(args, &global, out, environment),
        Command::Map(MapCommand::Export(args)) => map::export(args, &global, out, environment),
        Command::Map(MapCommand::Fields(command)) => map_fields::fields(command, &global, out, environment),
        Command::Retry(args) => retry::retry(args, &global, out, environment),
        Command::Runs(RunsCommand::List(args)) => runs::list(args, &global, out, environment),
        Command::Runs(RunsCommand::Show(args)) => runs::show(args, &global, out, environment),
        Command::Runs(RunsCommand::Cancel(args)) => runs::cancel(args, &global, out, environment),
        Command::Audit(AuditCommand::List(args)) => audit::list(args, &global, out, environment),
        Command::Receive(ReceiveCommand::Url(args)) => pushes::url(args, &global, out, environment),
        Command::Receive(ReceiveCommand::List(args)) => pushes::list(args, &global, out, environment),
        Command::Publish(PublishCommand::Usage(args)) => pushes::usage(args, &global, out, environment),
        Command::Token(TokenCommand::Create(args)) => token::create(args, &global, out, environment),
        Command::Token(TokenCommand::List(args)) => token::list(args, &global, out, environment),
        Command::Token(TokenCommand::Revoke(args)) => token::revoke(args, &global, out, environment),
        Command::User(UserCommand::Add(args)) => user::add(args, &global, out, environment),
        Command::User(UserCommand::Passwd(args)) => user::passwd(args, &global, out, environment),
        Command::User(UserCommand::List(args)) => user::list(args, &global, out, environment),
        Command::User(UserCommand::Rm(args)) => user::rm(args, &global, out, environment),
        Command::Verify(args) => verify::verify(args, &global, out, environment),
        Command::Backup(args) => upkeep::backup(args, &global, out, environment),
        Command::Restore(args) => upkeep::restore(args, &global, out, environment),
        Command::Migrate(args) => upkeep::migrate(args, &global, out, environment),
        Command::Adopt(args) => adopt::adopt(args, &global, out, environment),
        Command::Diff(args) => diff::diff(args, &global, out, environment),
        Command::Doctor(args) => upkeep::doctor(args, &global, out, environment),
        Command::Expr(args) => expr::expr(args, out, environment),
        Command::Functions(args) => language::functions(args, out),
        Command::Schema(args) => language::schema(args, &global, out, environment),
        Command::Explain(args) => language::explain(args, out),
        Command::Connectors(ConnectorsCommand::List) => connectors::list(&global, out, environment),
        Command::Connectors(ConnectorsCommand::Show(args)) => {
            connectors::show(args, &global, out, environment)
        }
        Command::Connectors(ConnectorsCommand::Check(args)) => {
            connectors::check(args, &global, out, environment)
        }
        Command::Object(ObjectCommand::List) => objects::list(&global, out, environment),
        Command::Object(ObjectCommand::Show(args)) => objects::show(args, &global, out, environment),
        Command::Connection(ConnectionCommand::List) => connection::list(&global, out, environment),
        Command::Connection(ConnectionCommand::Add(args)) => authoring::add(args, &global, out, environment),
        Command::Secret(SecretCommand::Set(args)) => secret::set(args, &global, out, environment),
        Command::Secret(SecretCommand::List) => secret::list(&global, out, environment),
        Command::Secret(SecretCommand::Rm(args)) => secret::rm(args, &global, out, environment),
        Command::Secret(SecretCommand::Rotate(args)) => secret::rotate(args, &global, out, environment),
        Command::Schemes(SchemesCommand::List(args)) => schemes::list(args, &global, out, environment),
        Command::Schemes(SchemesCommand::Show(args)) => schemes::show(args, &global, out, environment),
        Command::Schemes(SchemesCommand::Pause(args)) => {
            schemes::pause(args, true, &global, out, environment)
        }
        Command::Schemes(SchemesCommand::Resume(args)) => {
            schemes::pause(args, false, &global, out, environment)
        }
        Command::Schemes(SchemesCommand::Revisions(args)) => {
            schemes::revisions(args, &global, out, environment)
        }
        Command::Schemes(SchemesCommand::Deploy(args)) => schemes::deploy(args, &global, out, environment),
        Command::Schemes(SchemesCommand::Rollback(args)) => {
            schemes::rollback(args, &global, out, environment)
        }
        Command::Notify(NotifyCommand::Test(args)) => notify::test(args, &global, out, environment),
        Command::Notify(NotifyCommand::Mute(args)) => notify::mute(args, &global, out, environment),
        Command::Notify(NotifyCommand::List(args)) => notify::list(args, &global, out, environment),
        Command::Logs(args) => logs::logs(args, &global, out, environment),
        Command::Config(ConfigCommand::Show(args)) => config::show(args, &global, out, environment),
        Command::Service(ServiceCommand::Install(args)) => unit::install(args, &global, out, environment),
        Command::Service(ServiceCommand::Uninstall(args)) => unit::uninstall(args, out, environment),
        Command::Import(ImportCommand::Qeasy(args)) => import::qeasy(args, &global, out, environment),
        Command::Init(args) => authoring::init(args, &global, out, environment),
        Command::Sample(args) => authoring::sample(args, &global, out, environment),
        Command::Connection(ConnectionCommand::Test(args)) => {
            connection::test(args, &global, out, environment)
        }
        #[cfg(feature = "sandbox")]
        Command::Sandbox(args) => simulators::serve(args, out),
        Command::Completion(args) => language::completion(args, out),
        Command::Version => language::version(out),
    }
}

/// A runtime of one thread: a run is one conversation, the ledger's writer has its own thread.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, AppError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| AppError::bug(format!("no runtime: {error}")))?;
    Ok(runtime.block_on(future))
}
