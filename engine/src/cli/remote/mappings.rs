//! Mappings of a server.

use app::AppError;
use app::mapping::{self, Imported};
use dsl::Value;
use ledger::service::fields::{FieldPair, FieldPlace, FieldRow};
use ledger::service::mapping::{MadeBy, MappingChange, MappingKey, MappingRuling};

use super::{Doc, Remote};
use crate::cli::args::{FieldsListArgs, MapGetArgs, MapListArgs, MapRmArgs, MapSetArgs};
use crate::cli::json::object;
use crate::cli::map::Shown;

impl Remote {
    /// Mappings, one more than were asked for where there are more.
    pub(crate) fn mappings(&self, args: &MapListArgs) -> Result<Vec<Shown>, AppError> {
        let most = usize::try_from(args.limit)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let scheme = args.scheme.iter().map(|id| ("scheme", id.clone()));
        if args.orphans || args.doubles {
            let query: Vec<(&str, String)> = scheme.collect();
            let body = self.get("/mappings/data/flaws", &query)?;
            let mut shown = Vec::new();
            for item in self.doc(&body).list("items")? {
                let item = self.doc(item);
                let flaw = item.text("flaw")?;
                if (flaw == "double") == args.doubles {
                    let found = documents(&item.doc("mapping")?)?;
                    shown.extend(found.into_iter().map(|one| Shown {
                        flaw: Some(flaw.clone()),
                        ..one
                    }));
                }
            }
            shown.truncate(most);
            return Ok(shown);
        }
        if args.scheme.is_none() || args.source_object.is_some() || args.dest_object.is_some() {
            return Err(AppError::wrong_use(
                "通过服务列出映射时,用 --scheme 指出方案",
                "a server lists the mappings of one scheme: name it with --scheme",
            ));
        }
        let ids = [("key", &args.source_id), ("target_id", &args.dest_id)];
        let ids = ids.into_iter().filter_map(|(name, id)| Some((name, id.clone()?)));
        let query: Vec<(&str, String)> = scheme.chain(ids).collect();
        let (items, _) = self.list("/mappings/data", &query, most)?;
        let mut shown = Vec::new();
        for item in &items {
            shown.extend(documents(&self.doc(item))?);
        }
        shown.truncate(most);
        Ok(shown)
    }

    /// One mapping and its history.
    pub(crate) fn mapping(&self, args: &MapGetArgs) -> Result<(Shown, Vec<MappingChange>), AppError> {
        let found = self.found(args)?.ok_or_else(|| missing(&args.source_id))?;
        let query = [
            ("scheme", args.scheme.clone()),
            ("source_id", args.source_id.clone()),
        ];
        let body = self.get("/mappings/data/history", &query)?;
        let items = self.doc(&body).list("items")?.to_vec();
        let changes = items.iter().map(|item| {
            let doc = self.doc(item);
            Ok(MappingChange {
                id: doc.number("id")?,
                at: doc.at("at")?,
                by: MadeBy::of(&doc.text("by")?),
                who: doc.text("who")?,
                before: doc.text_or_none("before")?,
                after: doc.text_or_none("after")?,
            })
        });
        Ok((found, changes.collect::<Result<_, AppError>>()?))
    }

    fn found(&self, args: &MapGetArgs) -> Result<Option<Shown>, AppError> {
        let query = [
            ("scheme", args.scheme.clone()),
            ("key", args.source_id.clone()),
            ("limit", "1".to_owned()),
        ];
        let body = self.get("/mappings/data", &query)?;
        let doc = self.doc(&body);
        match doc.list("items")?.first() {
            Some(item) => Ok(documents(&self.doc(item))?.into_iter().next()),
            None => Ok(None),
        }
    }

    /// Sets a mapping, new or over the one that is there now.
    pub(crate) fn set_mapping(&self, args: &MapSetArgs) -> Result<(), AppError> {
        let mut body = object! {
            "scheme" => args.of.scheme,
            "source_id" => args.of.source_id,
            "dest_id" => args.dest_id,
            "source_name" => args.source_name,
            "dest_name" => args.dest_name,
            "master_id" => args.master_id,
            "remark" => args.remark,
            "allow_double" => args.allow_double,
        };
        let expected = match &args.expected {
            Some(expected) => Some(expected.clone()),
            None => self.found(&args.of)?.and_then(|one| one.dest_id),
        };
        let method = match expected {
            None => "POST",
            Some(expected) => {
                if let Value::Map(members) = &mut body {
                    members.insert("expected".to_owned(), expected.into());
                }
                "PATCH"
            }
        };
        self.send(method, "/mappings/data", Some(&body)).map(|_| ())
    }

    /// Takes a mapping away.
    pub(crate) fn remove_mapping(&self, args: &MapRmArgs) -> Result<(), AppError> {
        let expected = match &args.expected {
            Some(expected) => Some(expected.clone()),
            None => self.found(&args.of)?.and_then(|one| one.dest_id),
        };
        let expected = expected.ok_or_else(|| missing(&args.of.source_id))?;
        let query = [
            ("scheme", args.of.scheme.clone()),
            ("source_id", args.of.source_id.clone()),
            ("expected", expected),
        ];
        self.ask("DELETE", "/mappings/data", &query, None, None)
            .map(|_| ())
    }

    /// Hands in a file.
    pub(crate) fn import(
        &self,
        path: &str,
        query: &[(&str, String)],
        text: &[u8],
    ) -> Result<Imported, AppError> {
        let body = Some(("text/csv", text.to_vec()));
        let reply = self.ask("POST", path, query, body, None)?;
        let doc = self.doc(&reply.body);
        let count = |name: &str| Ok::<_, AppError>(doc.number(name)?.unsigned_abs());
        Ok(Imported {
            lines: count("lines")?,
            made: count("made")?,
            changed: count("changed")?,
            same: count("same")?,
        })
    }

    /// A table as text.
    pub(crate) fn csv(&self, path: &str, query: &[(&str, String)]) -> Result<String, AppError> {
        match self.get(path, query)? {
            Value::Text(text) => Ok(text),
            _ => Ok(String::new()),
        }
    }

    /// Field mappings.
    pub(crate) fn fields(&self, args: &FieldsListArgs, most: u32) -> Result<Vec<FieldRow>, AppError> {
        let given = [
            ("data_center", &args.data_center),
            ("channel", &args.channel),
            ("data_type", &args.data_type),
            ("id", &args.id),
        ];
        let query: Vec<(&str, String)> = given
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.clone()?)))
            .collect();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (items, _) = self.list("/mappings/fields", &query, most)?;
        items.iter().map(|item| field(&self.doc(item))).collect()
    }

    /// Sets a field mapping that is new.
    pub(crate) fn set_field(&self, place: &FieldPlace, pair: &FieldPair) -> Result<(), AppError> {
        let body = object! {
            "data_center" => place.data_center,
            "channel" => place.channel,
            "data_type" => place.data_type,
            "fs_id" => pair.fs_id,
            "erp_id" => pair.erp_id,
            "fs_name" => pair.fs_name,
            "erp_name" => pair.erp_name,
        };
        self.post("/mappings/fields", Some(&body)).map(|_| ())
    }

    /// Takes a field mapping away.
    pub(crate) fn remove_field(&self, place: &FieldPlace, fs_id: &str) -> Result<(), AppError> {
        let query = [
            ("data_center", place.data_center.clone()),
            ("channel", place.channel.clone()),
            ("data_type", place.data_type.clone()),
            ("fs_id", fs_id.to_owned()),
        ];
        self.ask("DELETE", "/mappings/fields", &query, None, None)
            .map(|_| ())
    }
}

fn missing(source_id: &str) -> AppError {
    let at = MappingKey {
        scheme: String::new(),
        key: source_id.to_owned(),
        target: String::new(),
        form: String::new(),
    };
    mapping::judged(&at, "", &MappingRuling::Missing)
        .err()
        .unwrap_or_else(|| AppError::bug("a missing mapping is refused"))
}

/// The documents of one source record.
fn documents(doc: &Doc<'_>) -> Result<Vec<Shown>, AppError> {
    let key = dsl::json::to_string(&doc.value("key"));
    let mut shown = Vec::new();
    for one in doc.docs("documents")? {
        shown.push(Shown {
            scheme: doc.text("scheme")?,
            source_object: None,
            dest_object: None,
            source_id: mapping::shown_key(&key),
            source_name: doc.text("label")?,
            dest_id: one.text_or_none("id")?,
            dest_name: one.text_or_none("name")?,
            number: one.text_or_none("number")?,
            connection: one.text("connection")?,
            form: one.text("form")?,
            record: doc.number_or_none("record")?,
            master_id: one.text_or_none("master_id")?,
            remark: one.text_or_none("remark")?,
            made_by: one.text("made_by")?,
            created: one.at("created")?,
            changed: one.at("changed")?,
            flaw: None,
        });
    }
    Ok(shown)
}

fn field(doc: &Doc<'_>) -> Result<FieldRow, AppError> {
    Ok(FieldRow {
        id: doc.number("id")?,
        place: FieldPlace {
            data_center: doc.text("data_center")?,
            channel: doc.text("channel")?,
            data_type: doc.text("data_type")?,
        },
        pair: FieldPair {
            fs_id: doc.text("fs_id")?,
            erp_id: doc.text("erp_id")?,
            fs_name: doc.text("fs_name")?,
            erp_name: doc.text("erp_name")?,
        },
        by: MadeBy::of(&doc.text("made_by")?),
        created: doc.at("created")?,
        changed: doc.at("changed")?,
    })
}
