//! `engine map fields`: what the values of fields are called on the other side.

use app::mapping;
use app::{AppError, Clock, SystemClock};
use dsl::Value;
use ledger::service::fields::{FieldFilter, FieldPair, FieldPlace, FieldRow, SetField};
use ledger::service::mapping::{MadeBy, Manner};

use super::Done;
use super::args::{
    FieldsExportArgs, FieldsImportArgs, FieldsListArgs, FieldsRmArgs, FieldsSetArgs, Global, LedgerArgs,
    MapFieldsCommand,
};
use super::env::Environment;
use super::export::Failed;
use super::json::object;
use super::ledgers;
use super::map::{contents, import_by, save, told};
use super::objects::workspace;
use super::out::Out;
use super::remote::Remote;
use super::table::{Table, one_line};
use super::time;
use super::token::{noted, taken};

/// Entries read at once for a file.
const PAGE: u32 = 5_000;

/// `engine map fields …`
pub(crate) fn fields(
    command: MapFieldsCommand,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    match command {
        MapFieldsCommand::List(args) => list(&args, global, out, environment),
        MapFieldsCommand::Set(args) => set(&args, global, out, environment),
        MapFieldsCommand::Rm(args) => rm(&args, global, out, environment),
        MapFieldsCommand::Import(args) => import(&args, global, out, environment),
        MapFieldsCommand::Export(args) => export(&args, global, out, environment),
    }
}

/// The server that is meant.
fn remote(
    ledger: &LedgerArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Result<Option<Remote>, AppError> {
    Remote::meant(&[("--sandbox", ledger.is_simulated())], global, out, environment)
}

fn list(args: &FieldsListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let most = args.limit.saturating_add(1);
    let all = match remote(&args.ledger, global, out, environment)? {
        Some(remote) => remote.fields(args, most)?,
        None => ledgers::open(&args.ledger, global, environment)?.field_mappings(&FieldFilter {
            data_center: args.data_center.clone(),
            channel: args.channel.clone(),
            data_type: args.data_type.clone(),
            id: args.id.clone(),
            after: 0,
            limit: most,
        })?,
    };
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let (shown, more) = (&all[..all.len().min(limit)], all.len() > limit);
    if out.json {
        let fields: Vec<Value> = shown.iter().map(document).collect();
        out.document(&object! {
            "schema" => "engine.map-fields/1",
            "fields" => fields,
            "more" => more,
        });
        return Ok(0);
    }
    if shown.is_empty() {
        out.say("map-fields-none", &[]);
        return Ok(0);
    }
    let heads = [
        "column-type",
        "column-channel",
        "column-data-center",
        "column-fs",
        "column-erp",
        "column-made-by",
        "column-changed",
    ];
    let mut table = Table::new(heads.iter().map(|key| out.text(key, &[])).collect());
    let named = |id: &str, name: &str| one_line(format!("{id} {name}").trim_end());
    for row in shown {
        let (place, pair) = (&row.place, &row.pair);
        table.row(vec![
            one_line(&place.data_type),
            place.channel.clone(),
            one_line(&place.data_center),
            named(&pair.fs_id, &pair.fs_name),
            named(&pair.erp_id, &pair.erp_name),
            row.by.word().to_owned(),
            time::shown(row.changed),
        ]);
    }
    out.table(&table);
    if more {
        out.note("map-more", &[("limit", args.limit.to_string())]);
    }
    Ok(0)
}

fn document(row: &FieldRow) -> Value {
    object! {
        "data_center" => row.place.data_center,
        "channel" => row.place.channel,
        "data_type" => row.place.data_type,
        "fs_id" => row.pair.fs_id,
        "erp_id" => row.pair.erp_id,
        "fs_name" => row.pair.fs_name,
        "erp_name" => row.pair.erp_name,
        "made_by" => row.by.word(),
        "created" => time::rfc3339(row.created),
        "changed" => time::rfc3339(row.changed),
    }
}

fn set(args: &FieldsSetArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let of = &args.of;
    let place: FieldPlace = mapping::new_field_place(&of.data_center, &of.channel, &of.data_type)?;
    let pair: FieldPair = mapping::field_pair(
        (&args.fs_id, args.fs_name.as_deref().unwrap_or_default()),
        (&args.erp_id, args.erp_name.as_deref().unwrap_or_default()),
    )?;
    match remote(&of.ledger, global, out, environment)? {
        Some(remote) => remote.set_field(&place, &pair)?,
        None => {
            let known = workspace(global, environment)?.data_centers();
            mapping::known_data_center(&place.data_center, &known)?;
            let wanted = SetField {
                place,
                pair,
                manner: Manner::Put,
                by: MadeBy::Cli,
            };
            let mut ledger = taken(&of.ledger, global, environment)?;
            mapping::set_field(&mut ledger, &wanted, SystemClock::default().now_ms())?;
        }
    }
    told("set", &args.fs_id, Some(&args.erp_id), out);
    Ok(0)
}

fn rm(args: &FieldsRmArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let of = &args.of;
    let place = mapping::field_place(&of.data_center, &of.channel, &of.data_type)?;
    match remote(&of.ledger, global, out, environment)? {
        Some(remote) => remote.remove_field(&place, &args.fs_id)?,
        None => {
            let mut ledger = taken(&of.ledger, global, environment)?;
            if !ledger.remove_field(&place, &args.fs_id)? {
                return Err(mapping::no_field(&args.fs_id));
            }
            let what = format!("{} {} -", place.data_type, args.fs_id);
            let now = SystemClock::default().now_ms();
            noted(&mut ledger, "map_fields", what, "cli", environment, now)?;
        }
    }
    told("rm", &args.fs_id, None, out);
    Ok(0)
}

fn import(args: &FieldsImportArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let text = contents(&args.file)?;
    let how = (args.dry_run, args.yes);
    if let Some(remote) = remote(&args.ledger, global, out, environment)? {
        let ask = |dry_run: bool| {
            let query = [("dry_run", dry_run.to_string())];
            remote.import("/mappings/fields/import", &query, &text)
        };
        return import_by(ask, how, out, environment);
    }
    let lines = mapping::read_fields(&text, &workspace(global, environment)?.data_centers())?;
    let mut ledger = taken(&args.ledger, global, environment)?;
    let now = SystemClock::default().now_ms();
    let ask = |dry_run: bool| mapping::import(&mut ledger, lines.clone(), dry_run, now)?;
    import_by(ask, how, out, environment)
}

fn export(args: &FieldsExportArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if let Some(remote) = remote(&args.ledger, global, out, environment)? {
        let text = remote.csv("/mappings/fields/export", &[])?;
        return save(args.out.as_deref(), out, &mut |to| {
            Ok(to.write_all(text.as_bytes())?)
        });
    }
    let reader = ledgers::open(&args.ledger, global, environment)?;
    save(args.out.as_deref(), out, &mut |to| {
        let mut filter = FieldFilter {
            limit: PAGE,
            ..FieldFilter::default()
        };
        let mut rows: Vec<FieldRow> = Vec::new();
        // The table is bounded, and so is what is held of it.
        loop {
            let page = reader
                .field_mappings(&filter)
                .map_err(|error| Failed::Ledger(error.into()))?;
            match page.last() {
                Some(last) => filter.after = last.id,
                None => break,
            }
            rows.extend(page);
        }
        Ok(to.write_all(mapping::field_csv(&rows).as_bytes())?)
    })
}
