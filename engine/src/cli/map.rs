//! `engine map`: which source record became which document, as people see and set it.

use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::Path;

use app::mapping::{self, Imported, Policies};
use app::{AppError, Clock, SystemClock};
use dsl::Value;
use ledger::service::mapping::{
    EntryFilter, Flaw, MadeBy, Manner, MappingChange, MappingEntry, MappingKey, MappingNames, MappingRuling,
    SetMapping,
};

use super::Done;
use super::args::{
    Global, MapExportArgs, MapGetArgs, MapImportArgs, MapListArgs, MapRmArgs, MapSetArgs, SchemesFolderArgs,
};
use super::ask::confirmed;
use super::env::Environment;
use super::export;
use super::json::object;
use super::language::written;
use super::ledgers;
use super::out::Out;
use super::remote::Remote;
use super::run::{self, grouped};
use super::schemes::is_folder;
use super::table::{Table, one_line};
use super::time;
use super::token::taken;

/// Largest file that is imported: a hundred thousand lines of usual length are a third of it.
const MOST_BYTES: u64 = 64 << 20;
/// Mappings read at once for a file.
const PAGE: u32 = 5_000;
/// Changes shown of one mapping, the newest.
const MOST_CHANGES: u32 = 1_000;

/// A mapping as it is shown, wherever it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) scheme: String,
    pub(crate) source_object: Option<String>,
    pub(crate) dest_object: Option<String>,
    pub(crate) source_id: String,
    pub(crate) source_name: String,
    pub(crate) dest_id: Option<String>,
    pub(crate) dest_name: Option<String>,
    pub(crate) number: Option<String>,
    pub(crate) connection: String,
    pub(crate) form: String,
    pub(crate) record: Option<i64>,
    pub(crate) master_id: Option<String>,
    pub(crate) remark: Option<String>,
    pub(crate) made_by: String,
    pub(crate) created: i64,
    pub(crate) changed: i64,
    pub(crate) flaw: Option<String>,
}

impl Shown {
    fn of(entry: &MappingEntry, flaw: Option<Flaw>, policies: &Policies) -> Shown {
        let mut policies = policies.all().iter();
        let policy = policies.find(|one| one.scheme == entry.at.scheme);
        Shown {
            scheme: entry.at.scheme.clone(),
            source_object: policy.map(|one| one.source_object.clone()),
            dest_object: policy.map(|one| one.dest_object.clone()),
            source_id: mapping::shown_key(&entry.at.key),
            source_name: entry.label.clone(),
            dest_id: entry.target_id.clone(),
            dest_name: entry.dest_name.clone(),
            number: entry.number.clone(),
            connection: entry.at.target.clone(),
            form: entry.at.form.clone(),
            record: entry.record.map(|record| record.0),
            master_id: entry.master.clone(),
            remark: entry.remark.clone(),
            made_by: entry.by.word().to_owned(),
            created: entry.created,
            changed: entry.changed,
            flaw: flaw.map(|flaw| flaw.word().to_owned()),
        }
    }

    fn document(&self) -> Value {
        object! {
            "scheme" => self.scheme,
            "source_object" => self.source_object,
            "dest_object" => self.dest_object,
            "source_id" => self.source_id,
            "source_name" => self.source_name,
            "dest_id" => self.dest_id,
            "dest_name" => self.dest_name,
            "number" => self.number,
            "connection" => self.connection,
            "form" => self.form,
            "record" => self.record,
            "master_id" => self.master_id,
            "remark" => self.remark,
            "made_by" => self.made_by,
            "created" => time::rfc3339(self.created),
            "changed" => time::rfc3339(self.changed),
            "flaw" => self.flaw,
        }
    }
}

/// Flags that only mean something on this machine.
fn local(folder: &SchemesFolderArgs) -> [(&'static str, bool); 1] {
    [("--sandbox", folder.ledger.is_simulated())]
}

/// What mappings call the schemes of the folder.
fn policies(
    folder: &SchemesFolderArgs,
    global: &Global,
    environment: &Environment,
) -> Result<Policies, AppError> {
    is_folder(&folder.schemes)?;
    let workspace = run::seen(&folder.schemes, global, environment)?;
    Ok(workspace.policies().clone())
}

/// `engine map list`
pub(crate) fn list(args: MapListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let all = match Remote::meant(&local(&args.folder), global, out, environment)? {
        Some(remote) => remote.mappings(&args)?,
        None => found(&args, global, environment)?,
    };
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let (shown, more) = (&all[..all.len().min(limit)], all.len() > limit);
    if out.json {
        let mappings: Vec<Value> = shown.iter().map(Shown::document).collect();
        out.document(&object! {
            "schema" => "engine.map-list/1",
            "mappings" => mappings,
            "more" => more,
        });
        return Ok(0);
    }
    if shown.is_empty() {
        out.say("map-none", &[]);
        return Ok(0);
    }
    out.table(&table(shown, out, args.orphans || args.doubles));
    if more {
        out.note("map-more", &[("limit", args.limit.to_string())]);
    }
    Ok(0)
}

fn table(shown: &[Shown], out: &Out, flawed: bool) -> Table {
    let mut heads = vec![
        "column-scheme",
        "column-objects",
        "column-source-id",
        "column-dest-id",
        "column-made-by",
        "column-changed",
    ];
    if flawed {
        heads.push("column-flaw");
    }
    let mut table = Table::new(heads.iter().map(|key| out.text(key, &[])).collect());
    let named = |id: &str, name: &str| match name {
        "" => one_line(id),
        name => format!("{} {}", one_line(id), one_line(name)),
    };
    for one in shown {
        let objects = match (&one.source_object, &one.dest_object) {
            (Some(source), Some(dest)) => format!("{source} → {dest}"),
            _ => format!("→ {} {}", one.connection, one.form),
        };
        let dest = one.dest_id.as_deref().unwrap_or("-");
        let name = one
            .dest_name
            .as_deref()
            .or(one.number.as_deref())
            .unwrap_or_default();
        let mut cells = vec![
            one_line(&one.scheme),
            one_line(&objects),
            named(&one.source_id, &one.source_name),
            named(dest, name),
            one.made_by.clone(),
            time::shown(one.changed),
        ];
        if let Some(flaw) = one.flaw.as_ref().filter(|_| flawed) {
            cells.push(out.text(&format!("flaw-{}", flaw.replace('_', "-")), &[]));
        }
        table.row(cells);
    }
    table
}

fn found(args: &MapListArgs, global: &Global, environment: &Environment) -> Result<Vec<Shown>, AppError> {
    let policies = policies(&args.folder, global, environment)?;
    let reader = ledgers::open(&args.folder.ledger, global, environment)?;
    let scheme = match &args.scheme {
        Some(name) => match policies.named(name) {
            Ok(policy) => Some(policy.scheme.clone()),
            // A scheme that is no longer there may still have mappings.
            Err(error) => match ledgers::known(&reader, Some(name)) {
                Ok(()) => Some(name.clone()),
                Err(_) => return Err(error),
            },
        },
        None => None,
    };
    let most = args.limit.saturating_add(1);
    if args.orphans || args.doubles {
        let flawed = match args.orphans {
            true => reader.orphans(scheme.as_deref(), most)?,
            false => reader.doubles(scheme.as_deref(), most)?,
        };
        let shown = flawed.iter();
        return Ok(shown
            .map(|(flaw, entry)| Shown::of(entry, Some(*flaw), &policies))
            .collect());
    }
    let has = |asked: &Option<String>, own: &str| asked.as_deref().is_none_or(|asked| asked == own);
    let meant: Vec<&mapping::Policy> = policies
        .all()
        .iter()
        .filter(|one| scheme.as_deref().is_none_or(|scheme| scheme == one.scheme))
        .filter(|one| has(&args.source_object, &one.source_object))
        .filter(|one| has(&args.dest_object, &one.dest_object))
        .collect();
    let by_objects = args.source_object.is_some() || args.dest_object.is_some();
    if by_objects && meant.is_empty() {
        return Ok(Vec::new());
    }
    let mut schemes: Vec<String> = match by_objects {
        true => meant.iter().map(|one| one.scheme.clone()).collect(),
        false => scheme.into_iter().collect(),
    };
    schemes.sort();
    let key = match (&args.source_id, meant.first()) {
        (Some(text), Some(policy)) => Some(policy.stored_key(text)?),
        (Some(text), None) => Some(dsl::json::to_string(&Value::List(vec![text.as_str().into()]))),
        (None, _) => None,
    };
    let entries = reader.mapping_entries(&EntryFilter {
        schemes,
        key,
        target_id: args.dest_id.clone(),
        form: None,
        after: 0,
        limit: most,
    })?;
    Ok(entries
        .iter()
        .map(|entry| Shown::of(entry, None, &policies))
        .collect())
}

/// `engine map get`
pub(crate) fn get(args: MapGetArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if let Some(remote) = Remote::meant(&local(&args.folder), global, out, environment)? {
        let (one, changes) = remote.mapping(&args)?;
        show(&one, &changes, out);
        return Ok(0);
    }
    let policies = policies(&args.folder, global, environment)?;
    let policy = policies.named(&args.scheme)?;
    let at = policy.key(&args.source_id)?;
    let reader = ledgers::open(&args.folder.ledger, global, environment)?;
    let known = reader.mappings_of_keys(&at.scheme, (&at.target, &at.form), std::slice::from_ref(&at.key))?;
    let entry = known.first().filter(|entry| entry.id > 0);
    let Some(entry) = entry else {
        return Err(mapping::judged(&at, "", &MappingRuling::Missing)
            .err()
            .unwrap_or_else(|| AppError::bug("a missing mapping is refused")));
    };
    let changes = reader.mapping_history(&at.scheme, &at.key, MOST_CHANGES)?;
    show(&Shown::of(entry, None, &policies), &changes, out);
    Ok(0)
}

fn show(one: &Shown, changes: &[MappingChange], out: &Out) {
    if out.json {
        let history: Vec<Value> = changes
            .iter()
            .map(|change| {
                object! {
                    "at" => time::rfc3339(change.at),
                    "by" => change.by.word(),
                    "who" => change.who,
                    "before" => change.before,
                    "after" => change.after,
                }
            })
            .collect();
        out.document(&object! {
            "schema" => "engine.map-get/1",
            "mapping" => one.document(),
            "history" => history,
        });
        return;
    }
    out.table(&table(std::slice::from_ref(one), out, false));
    for (key, text) in [
        ("map-remark", &one.remark),
        ("map-master", &one.master_id),
        ("map-number", &one.number),
    ] {
        if let Some(text) = text {
            out.say_in(key, &[("text", one_line(text))]);
        }
    }
    if one.record.is_none() {
        out.say_in("map-no-record", &[]);
    }
    for change in changes {
        let text = |id: &Option<String>| id.as_deref().map_or_else(|| "-".to_owned(), one_line);
        out.say_in(
            "map-change",
            &[
                ("at", time::shown(change.at)),
                ("by", change.by.word().to_owned()),
                ("who", one_line(&change.who)),
                ("before", text(&change.before)),
                ("after", text(&change.after)),
            ],
        );
    }
}

/// `engine map set`
pub(crate) fn set(args: MapSetArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if let Some(remote) = Remote::meant(&local(&args.of.folder), global, out, environment)? {
        remote.set_mapping(&args)?;
        told("set", &args.of.source_id, Some(&args.dest_id), out);
        return Ok(0);
    }
    let policies = policies(&args.of.folder, global, environment)?;
    let wanted = SetMapping {
        at: policies.named(&args.of.scheme)?.key(&args.of.source_id)?,
        id: mapping::id("DEST_ID", &args.dest_id)?,
        names: MappingNames {
            source: mapping::name("--source-name", args.source_name.as_deref())?,
            dest: mapping::name("--dest-name", args.dest_name.as_deref())?,
            master: mapping::name("--master-id", args.master_id.as_deref())?,
            remark: mapping::name("--remark", args.remark.as_deref())?,
        },
        manner: Manner::Put,
        seen: args.expected.clone().map(Some),
        allow_double: args.allow_double,
        may_move: false,
        by: MadeBy::Cli,
        who: environment.person(),
    };
    let mut ledger = taken(&args.of.folder.ledger, global, environment)?;
    mapping::set(&mut ledger, &wanted, SystemClock::default().now_ms())?;
    told("set", &args.of.source_id, Some(&args.dest_id), out);
    Ok(0)
}

/// `engine map rm`
pub(crate) fn rm(args: MapRmArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if let Some(remote) = Remote::meant(&local(&args.of.folder), global, out, environment)? {
        remote.remove_mapping(&args)?;
        told("rm", &args.of.source_id, None, out);
        return Ok(0);
    }
    let policies = policies(&args.of.folder, global, environment)?;
    let at: MappingKey = policies.named(&args.of.scheme)?.key(&args.of.source_id)?;
    let mut ledger = taken(&args.of.folder.ledger, global, environment)?;
    let seen = args.expected.clone().map(Some);
    let by = (MadeBy::Cli, environment.person());
    let now = SystemClock::default().now_ms();
    let ruling = ledger.remove_mapping(&at, seen.as_ref(), (by.0, &by.1), now)?;
    mapping::judged(&at, "", &ruling)?;
    told("rm", &args.of.source_id, None, out);
    Ok(0)
}

/// What was done.
pub(crate) fn told(action: &str, source_id: &str, dest_id: Option<&str>, out: &Out) {
    if out.json {
        out.document(&object! {
            "schema" => "engine.map-change/1",
            "action" => action,
            "source_id" => source_id,
            "dest_id" => dest_id,
        });
        return;
    }
    let source = one_line(source_id);
    match dest_id {
        Some(dest) => out.say("map-set", &[("source", source), ("dest", one_line(dest))]),
        None => out.say("map-gone", &[("source", source)]),
    }
}

/// `engine map import`
pub(crate) fn import(args: MapImportArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let text = contents(&args.file)?;
    let remote = Remote::meant(&local(&args.folder), global, out, environment)?;
    let double = ("allow_double", args.allow_double.to_string());
    if let Some(remote) = remote {
        let ask = |dry_run: bool| {
            let query = [("dry_run", dry_run.to_string()), double.clone()];
            remote.import("/mappings/data/import", &query, &text)
        };
        return import_by(ask, (args.dry_run, args.yes), out, environment);
    }
    let policies = policies(&args.folder, global, environment)?;
    let lines = mapping::read_data(&policies, &text, &environment.person(), args.allow_double)?;
    let mut ledger = taken(&args.folder.ledger, global, environment)?;
    let now = SystemClock::default().now_ms();
    let ask = |dry_run: bool| mapping::import(&mut ledger, lines.clone(), dry_run, now)?;
    import_by(ask, (args.dry_run, args.yes), out, environment)
}

/// Says what an import would come to, asks, and does it.
pub(crate) fn import_by(
    mut ask: impl FnMut(bool) -> Result<Imported, AppError>,
    (dry_run, yes): (bool, bool),
    out: &Out,
    environment: &Environment,
) -> Done {
    let planned = ask(true)?;
    let shown = |done: &Imported, dry_run: bool| {
        if out.json {
            out.document(&object! {
                "schema" => "engine.map-import/1",
                "lines" => done.lines,
                "made" => done.made,
                "changed" => done.changed,
                "same" => done.same,
                "dry_run" => dry_run,
            });
            return;
        }
        let key = if dry_run {
            "map-import-plan"
        } else {
            "map-imported"
        };
        let facts = [
            ("lines", grouped(done.lines)),
            ("made", grouped(done.made)),
            ("changed", grouped(done.changed)),
            ("same", grouped(done.same)),
        ];
        out.say(key, &facts);
    };
    if dry_run {
        shown(&planned, true);
        return Ok(0);
    }
    if !out.json {
        shown(&planned, true);
    }
    if planned.made + planned.changed > 0 && !confirmed(out, environment, yes)? {
        return Ok(0);
    }
    shown(&ask(false)?, false);
    Ok(0)
}

/// A file that is imported.
pub(crate) fn contents(path: &Path) -> Result<Vec<u8>, AppError> {
    let failed = |error: std::io::Error| AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST_BYTES) {
        true => Ok(bytes),
        false => Err(AppError::wrong_use(
            format!("{} 超过 64 MiB;分成几个文件", path.display()),
            format!(
                "{} is larger than 64 MiB; make several files of it",
                path.display()
            ),
        )),
    }
}

/// `engine map export`
pub(crate) fn export(args: MapExportArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if let Some(remote) = Remote::meant(&local(&args.folder), global, out, environment)? {
        let query: Vec<(&str, String)> = args.scheme.iter().map(|id| ("scheme", id.clone())).collect();
        let text = remote.csv("/mappings/data/export", &query)?;
        return save(args.out.as_deref(), out, &mut |to| {
            Ok(to.write_all(text.as_bytes())?)
        });
    }
    let policies = policies(&args.folder, global, environment)?;
    let reader = ledgers::open(&args.folder.ledger, global, environment)?;
    ledgers::known(&reader, args.scheme.as_deref())?;
    save(args.out.as_deref(), out, &mut |to| {
        let mut filter = EntryFilter {
            schemes: args.scheme.clone().into_iter().collect(),
            limit: PAGE,
            ..EntryFilter::default()
        };
        loop {
            let is_first = filter.after == 0;
            let entries = reader
                .mapping_entries(&filter)
                .map_err(|error| export::Failed::Ledger(error.into()))?;
            let text = mapping::data_csv(&policies, &entries);
            let from = if is_first {
                0
            } else {
                text.find('\n').map_or(0, |at| at + 1)
            };
            to.write_all(&text.as_bytes()[from..])?;
            match entries.last() {
                Some(last) => filter.after = last.id,
                None => return Ok(()),
            }
        }
    })
}

/// Writes a text into a file or to stdout.
pub(crate) fn save(
    path: Option<&Path>,
    out: &Out,
    write: &mut dyn FnMut(&mut dyn Write) -> Result<(), export::Failed>,
) -> Done {
    match path {
        Some(path) => {
            export::into_file(path, write)?;
            let file = path.display().to_string();
            if out.json {
                out.document(&object! {"schema" => "engine.map-export/1", "file" => file});
            } else {
                out.note("map-saved", &[("file", file)]);
            }
        }
        None if out.json => {
            return Err(AppError::wrong_use(
                "导出的是 CSV:加 --out 文件,或不写 --json",
                "what is exported is CSV: add --out FILE, or leave out --json",
            ));
        }
        None => {
            let mut to = BufWriter::new(std::io::stdout().lock());
            let done = write(&mut to).and_then(|()| Ok(to.flush()?));
            match done {
                Ok(()) => {}
                Err(export::Failed::Ledger(error)) => return Err(error),
                // The reader of the pipe went away; there is nobody to tell.
                Err(export::Failed::Out(error)) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(export::Failed::Out(error)) => return Err(written(Path::new("stdout"), &error)),
            }
        }
    }
    Ok(0)
}
