//! The arguments of `engine map`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{LedgerArgs, SchemesFolderArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum MapCommand {
    List(MapListArgs),
    Get(MapGetArgs),
    Set(MapSetArgs),
    Rm(MapRmArgs),
    Import(MapImportArgs),
    Export(MapExportArgs),
    #[command(subcommand)]
    Fields(MapFieldsCommand),
}

#[derive(Debug, Args)]
pub(crate) struct MapListArgs {
    #[arg(long, value_name = "ID")]
    pub(crate) scheme: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub(crate) source_object: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub(crate) dest_object: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) source_id: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) dest_id: Option<String>,
    #[arg(long, conflicts_with = "doubles")]
    pub(crate) orphans: bool,
    #[arg(long)]
    pub(crate) doubles: bool,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) folder: SchemesFolderArgs,
}

/// One mapping.
#[derive(Debug, Args)]
pub(crate) struct MapGetArgs {
    #[arg(value_name = "SOURCE_ID")]
    pub(crate) source_id: String,
    #[arg(long, value_name = "ID")]
    pub(crate) scheme: String,
    #[command(flatten)]
    pub(crate) folder: SchemesFolderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MapSetArgs {
    #[command(flatten)]
    pub(crate) of: MapGetArgs,
    #[arg(value_name = "DEST_ID")]
    pub(crate) dest_id: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) source_name: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub(crate) dest_name: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) master_id: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub(crate) remark: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) expected: Option<String>,
    #[arg(long)]
    pub(crate) allow_double: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MapRmArgs {
    #[command(flatten)]
    pub(crate) of: MapGetArgs,
    #[arg(long, value_name = "ID")]
    pub(crate) expected: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MapImportArgs {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) allow_double: bool,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) folder: SchemesFolderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MapExportArgs {
    #[arg(long, value_name = "ID")]
    pub(crate) scheme: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) folder: SchemesFolderArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MapFieldsCommand {
    List(FieldsListArgs),
    Set(FieldsSetArgs),
    Rm(FieldsRmArgs),
    Import(FieldsImportArgs),
    Export(FieldsExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FieldsListArgs {
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) data_type: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) data_center: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

/// One table of field mappings.
#[derive(Debug, Clone, Args)]
pub(crate) struct FieldsOfArgs {
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) data_type: String,
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: String,
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ID")]
    pub(crate) data_center: String,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FieldsSetArgs {
    #[arg(value_name = "FS_ID")]
    pub(crate) fs_id: String,
    #[arg(value_name = "ERP_ID")]
    pub(crate) erp_id: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) fs_name: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub(crate) erp_name: Option<String>,
    #[command(flatten)]
    pub(crate) of: FieldsOfArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FieldsRmArgs {
    #[arg(value_name = "FS_ID")]
    pub(crate) fs_id: String,
    #[command(flatten)]
    pub(crate) of: FieldsOfArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FieldsImportArgs {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FieldsExportArgs {
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}
