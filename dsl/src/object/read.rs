//! An object file becomes an [`Object`]; all problems of a file are found at once.

use std::ops::Range;
use std::sync::Arc;

use super::{Detail, Field, Object, PushId, Serve, Type, VoidMark, keys};
use crate::catalogue::object as words;
use crate::diagnostic::{Diagnostic, SourceFile, did_you_mean};
use crate::facts::Text2;
use crate::json;
use crate::path::Path;
use crate::value::Value;
use crate::yaml::{self, Node};

/// Reads an object file; there is no object where something is wrong.
pub fn read_object(file: &Arc<SourceFile>) -> (Option<Object>, Vec<Diagnostic>) {
    let reading = yaml::read_all(file);
    let Some(root) = reading.node else {
        return (None, reading.problems);
    };
    let mut reader = Reader {
        file,
        diags: reading.problems,
    };
    crate::keys::walk(&root, &keys::OBJECT, file, &mut reader.diags);
    let object = reader.object(&root);
    let mut diags = reader.diags;
    diags.sort_by_key(|one| one.span.start);
    let good = !diags.iter().any(Diagnostic::is_error);
    (object.filter(|_| good), diags)
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    diags: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn object(&mut self, root: &Node) -> Option<Object> {
        let name = member(root, "object")?.to_owned();
        let fields = self.fields(root);
        let id = member(root, "id")?.to_owned();
        self.names_a_field(root, "id", &fields);
        self.names_a_field(root, "label", &fields);
        if let (Some(pair), false) = (
            root.get("id"),
            fields.iter().any(|field| field.name == id && field.required),
        ) && fields.iter().any(|field| field.name == id)
        {
            self.report(&words::ID_REQUIRED, pair.value.span.clone(), &id);
        }
        let of_id = fields.iter().find(|field| field.name == id);
        if let (Some(pair), Some(field)) = (root.get("id"), of_id)
            && !matches!(field.ty, Type::Text(_) | Type::Int | Type::Ms)
        {
            self.report(&words::ID_TYPE, pair.value.span.clone(), &id);
        }
        let details = root.get("details").and_then(|pair| pair.value.map());
        let details = details.into_iter().flatten().map(|pair| {
            let fields = self.fields(&pair.value);
            self.names_a_field(&pair.value, "id", &fields);
            Detail {
                name: pair.key.clone(),
                label: label(&pair.value, "label", &pair.key),
                id: member(&pair.value, "id").map(str::to_owned),
                required: flag(&pair.value, "required"),
                fields,
                open: flag(&pair.value, "open"),
            }
        });
        let details = details.collect();
        let void = self.void(root, &fields);
        Some(Object {
            void,
            label: label(root, "name", &name),
            push_id: match member(root, "push_id") {
                Some("any") => PushId::Any,
                Some(_) | None => PushId::Same,
            },
            shown: member(root, "label").unwrap_or(&id).to_owned(),
            serve: self.serve(root),
            open: flag(root, "open"),
            name,
            id,
            fields,
            details,
        })
    }

    fn fields(&mut self, node: &Node) -> Vec<Field> {
        let written = node.get("fields").and_then(|pair| pair.value.map());
        let mut fields = Vec::new();
        for pair in written.into_iter().flatten() {
            let node = &pair.value;
            let Some(word) = member(node, "type") else {
                continue;
            };
            let of: Vec<String> = node
                .get("of")
                .and_then(|pair| pair.value.list())
                .unwrap_or_default()
                .iter()
                .filter_map(|one| crate::keys::text(one).map(str::to_owned))
                .collect();
            let max = member(node, "max").and_then(|text| text.parse().ok());
            // What says something about another type is not as it was meant.
            for (key, of_type) in [("of", "choice"), ("max", "text")] {
                if let Some(pair) = node.get(key).filter(|_| word != of_type) {
                    let problem = Diagnostic::new(&words::OF_ANOTHER_TYPE, self.file, pair.key_span.clone())
                        .with("key", key)
                        .with("type", of_type);
                    self.diags.push(problem);
                }
            }
            let ty = match word {
                "text" => Type::Text(max),
                "int" => Type::Int,
                "decimal" => Type::Decimal,
                "bool" => Type::Bool,
                "date" => Type::Date,
                "datetime" => Type::Datetime,
                "ms" => Type::Ms,
                "choice" if of.is_empty() => {
                    self.report(&words::NO_CHOICES, pair.key_span.clone(), &pair.key);
                    continue;
                }
                "choice" => Type::Choice(of),
                "list" => Type::List,
                "map" => Type::Map,
                // The walk has complained.
                _ => continue,
            };
            let from = node.get("from").and_then(|pair| {
                let text = crate::keys::text(&pair.value)?;
                match Path::parse(text) {
                    Ok(path) => Some(path),
                    Err(_) => {
                        self.report(&words::NO_PATH, pair.value.span.clone(), text);
                        None
                    }
                }
            });
            fields.push(Field {
                name: pair.key.clone(),
                label: label(node, "label", &pair.key),
                ty,
                required: flag(node, "required"),
                sensitive: flag(node, "sensitive"),
                from,
            });
        }
        fields
    }

    fn names_a_field(&mut self, node: &Node, key: &str, fields: &[Field]) {
        let Some(pair) = node.get(key) else { return };
        let Some(name) = crate::keys::text(&pair.value) else {
            return;
        };
        if !fields.iter().any(|field| field.name == name) {
            let near = did_you_mean(name, fields.iter().map(|field| field.name.as_str()));
            let problem = Diagnostic::new(&words::NO_FIELD, self.file, pair.value.span.clone())
                .with("key", key)
                .with("name", name)
                .similar(near);
            self.diags.push(problem);
        }
    }

    fn void(&mut self, root: &Node, fields: &[Field]) -> Option<VoidMark> {
        let node = &root.get("void")?.value;
        self.names_a_field(node, "field", fields);
        let pair = node.get("value")?;
        let text = crate::keys::text(&pair.value)?;
        let field = fields
            .iter()
            .find(|field| Some(field.name.as_str()) == member(node, "field"))?;
        let value = match field.ty {
            Type::Bool | Type::Int | Type::Decimal | Type::Ms => json::parse(text.as_bytes()).ok(),
            _ => None,
        };
        let value = value.unwrap_or_else(|| Value::from(text));
        if let Err(found) = field.fits(&value) {
            let problem = Diagnostic::new(&words::VOID_VALUE, self.file, pair.value.span.clone())
                .with("why_zh", found.zh)
                .with("why_en", found.en);
            self.diags.push(problem);
        }
        Some(VoidMark {
            field: field.name.clone(),
            value,
        })
    }

    fn serve(&mut self, root: &Node) -> Option<Serve> {
        let pair = root.get("serve")?;
        let node = &pair.value;
        let text = |key: &str| member(node, key).map(str::to_owned);
        let (rows, receive) = (text("rows"), text("receive"));
        if node.map().is_some() && rows.is_none() && receive.is_none() {
            self.report(&words::SERVES_NOTHING, pair.key_span.clone(), "serve");
        }
        Some(Serve {
            connection: text("connection")?,
            rows,
            receive,
        })
    }

    fn report(&mut self, entry: &'static crate::catalogue::Entry, span: Range<usize>, name: &str) {
        self.diags
            .push(Diagnostic::new(entry, self.file, span).with("name", name));
    }
}

fn member<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    crate::keys::text(&node.get(key)?.value)
}

fn flag(node: &Node, key: &str) -> bool {
    member(node, key) == Some("true")
}

/// A text, or one for each language.
fn label(node: &Node, key: &str, name: &str) -> Text2 {
    let written = node.get(key).map(|pair| &pair.value);
    let of = |lang: &str| {
        let text = written.and_then(|node| member(node, lang).or_else(|| crate::keys::text(node)));
        text.unwrap_or(name).to_owned()
    };
    Text2 {
        zh: of("zh"),
        en: of("en"),
    }
}
