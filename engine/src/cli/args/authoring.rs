//! Arguments of the commands that help an author to begin.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Simulated;

/// `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct ConnectionAddArgs {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[arg(long, value_name = "ID")]
    pub(crate) connector: String,
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) params: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    #[arg(value_name = "PATH", default_value = ".", conflicts_with = "stdin")]
    pub(crate) paths: Vec<PathBuf>,
    #[arg(long)]
    pub(crate) check: bool,
    #[arg(long, conflicts_with = "json")]
    pub(crate) stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
    #[arg(long, value_name = "ID", required_unless_present_any = ["template", "list"])]
    pub(crate) from_connector: Option<String>,
    #[arg(long, value_name = "ID", requires = "from_connector")]
    pub(crate) to_connector: Option<String>,
    #[arg(long, value_name = "API", requires = "from_connector")]
    pub(crate) api: Option<String>,
    #[arg(long, value_name = "NAME", conflicts_with_all = ["from_connector", "list"])]
    pub(crate) template: Option<String>,
    #[arg(long, conflicts_with_all = ["from_connector", "scheme"])]
    pub(crate) list: bool,
    #[arg(long, value_name = "ID")]
    pub(crate) scheme: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    Qeasy(ImportQeasyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportQeasyArgs {
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: String,
    #[arg(value_name = "API")]
    pub(crate) api: String,
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) options: Vec<(String, String)>,
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,
    #[arg(long, value_name = "A..B")]
    pub(crate) window: Option<String>,
    #[arg(long, value_name = "FIELD")]
    pub(crate) window_field: Option<String>,
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) rows: u16,
    #[arg(long = "mask", value_name = "FIELD")]
    pub(crate) mask: Vec<String>,
    #[arg(long, value_name = "FILE|-")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}
