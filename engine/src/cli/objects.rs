//! `engine object`: the objects that are declared, and for each the interface as it is typed.

use std::path::Path;
use std::sync::Arc;

use app::objects::page::{ObjectCall, calls, sent};
use app::{AppError, Workspace};
use dsl::object::{Field, Object, Type};
use dsl::{Lang, Value};

use super::Done;
use super::args::{Global, ObjectShowArgs};
use super::env::Environment;
use super::json::{object, pretty};
use super::out::Out;
use super::run;
use super::table::{Table, one_line};

/// Where the schemes are.
pub(super) const SCHEMES: &str = "schemes";

/// `engine object list`
pub(crate) fn list(global: &Global, out: &Out, environment: &Environment) -> Done {
    let workspace = workspace(global, environment)?;
    for broken in workspace.objects().broken() {
        if let AppError::Invalid(problems) = &broken.error {
            run::warn(out, problems);
        }
    }
    let known: Vec<&Arc<Object>> = workspace.objects().iter().collect();
    if out.json {
        let objects: Vec<Value> = known.iter().map(|one| summary(one, out.lang)).collect();
        out.document(&object! {"schema" => "engine.object-list/1", "objects" => objects});
        return Ok(0);
    }
    if known.is_empty() {
        out.say("object-none", &[]);
        return Ok(0);
    }
    let head = [
        "object-name",
        "column-name",
        "object-fields",
        "object-details",
        "object-served",
    ];
    let mut table = Table::new(head.iter().map(|key| out.text(key, &[])).collect());
    for one in known {
        let details: Vec<&str> = one.details.iter().map(|detail| detail.name.as_str()).collect();
        table.row(vec![
            one.name.clone(),
            one_line(one.label.get(out.lang)),
            one.fields.len().to_string(),
            details.join(" "),
            served(one),
        ]);
    }
    out.table(&table);
    Ok(0)
}

/// `engine object show OBJECT`
pub(crate) fn show(args: ObjectShowArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let workspace = workspace(global, environment)?;
    if let Some(broken) = workspace.objects().broken_one(&args.object) {
        return Err(broken.error.clone());
    }
    let Some(one) = workspace.objects().get(&args.object) else {
        return Err(unknown(&args.object, &workspace));
    };
    let calls = calls(one, &workspace, &args.base_url);
    if out.json {
        out.document(&document(one, &calls, out.lang));
        return Ok(0);
    }
    out.line(format!("{} ({})", one.name, one_line(one.label.get(out.lang))));
    out.line("");
    out.line("masterFieldVal");
    fields(&one.fields, Some(&one.id), out);
    for detail in &one.details {
        out.line("");
        out.line(format!(
            "detailFieldVals.{} ({})",
            detail.name,
            one_line(detail.label.get(out.lang))
        ));
        fields(&detail.fields, detail.id.as_deref(), out);
    }
    for call in &calls {
        out.line("");
        out.say("object-call", &[("name", call.name.to_owned())]);
        out.line("");
        out.line(call.curl());
        out.line("");
        out.say("object-answer", &[("answer", sent(&call.answer))]);
        // XML stands in the line for the shell, in full.
        if let Some(body) = call.body.as_ref().filter(|body| body.as_text().is_none()) {
            out.say("object-body", &[]);
            out.line(pretty(body));
        }
    }
    match calls.as_slice() {
        [] => out.note("object-no-calls", &[]),
        _ => out.note("object-hint", &[]),
    }
    Ok(0)
}

/// The workspace of the folder one is in.
pub(crate) fn workspace(global: &Global, environment: &Environment) -> Result<Workspace, AppError> {
    let schemes = Path::new(SCHEMES);
    let around = if schemes.is_dir() { schemes } else { Path::new(".") };
    run::seen(around, global, environment)
}

fn unknown(name: &str, workspace: &Workspace) -> AppError {
    let all: Vec<&str> = workspace.objects().iter().map(|one| one.name.as_str()).collect();
    let near = workspace.objects().near(name).join(", ");
    let (near_zh, near_en) = match near.as_str() {
        "" => Default::default(),
        near => (format!(";是否想写 {near}?"), format!("; did you mean {near}?")),
    };
    let all = if all.is_empty() {
        "-".to_owned()
    } else {
        all.join(" ")
    };
    AppError::wrong_use(
        format!("没有声明对象 `{name}`;已有:{all}{near_zh}"),
        format!("the object `{name}` is not declared; there are {all}{near_en}"),
    )
}

/// What of it we are the ERP for.
fn served(one: &Object) -> String {
    let Some(serve) = &one.serve else {
        return "-".to_owned();
    };
    let parts = [("rows", &serve.rows), ("receive", &serve.receive)];
    let schemes = parts.iter().filter_map(|(word, scheme)| {
        let scheme = scheme.as_ref()?;
        Some(format!("{word}={scheme}"))
    });
    std::iter::once(serve.connection.clone())
        .chain(schemes)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A type with what bounds it.
fn shown(ty: &Type) -> String {
    match ty {
        Type::Text(Some(most)) => format!("text({most})"),
        Type::Choice(of) => format!("choice({})", of.join("|")),
        ty => ty.word().to_owned(),
    }
}

fn fields(fields: &[Field], id: Option<&str>, out: &Out) {
    let mut table = Table::default();
    for field in fields {
        let mut marks = Vec::new();
        if id == Some(field.name.as_str()) {
            marks.push(out.text("object-id", &[]));
        }
        if field.required {
            marks.push(out.text("connectors-needed", &[]));
        }
        if field.sensitive {
            marks.push(out.text("object-sensitive", &[]));
        }
        table.row(vec![
            format!("  {}", field.name),
            shown(&field.ty),
            marks.join(" "),
            one_line(field.label.get(out.lang)),
        ]);
    }
    out.table(&table);
}

fn summary(one: &Object, lang: Lang) -> Value {
    let details: Vec<String> = one.details.iter().map(|detail| detail.name.clone()).collect();
    let serve = one.serve.as_ref();
    let serve = serve.map(|serve| {
        object! {
            "connection" => serve.connection.clone(),
            "rows" => serve.rows.clone(),
            "receive" => serve.receive.clone(),
        }
    });
    object! {
        "object" => one.name.clone(),
        "name" => one.label.get(lang),
        "id" => one.id.clone(),
        "fields" => one.fields.len(),
        "details" => details,
        "serve" => serve,
    }
}

fn told(field: &Field, lang: Lang) -> Value {
    let (max, of) = match &field.ty {
        Type::Text(Some(most)) => (Some(*most), Vec::new()),
        Type::Choice(of) => (None, of.clone()),
        _ => (None, Vec::new()),
    };
    object! {
        "name" => field.name.clone(),
        "label" => field.label.get(lang),
        "type" => field.ty.word(),
        "required" => field.required,
        "sensitive" => field.sensitive,
        "max" => max,
        "of" => of,
    }
}

fn document(one: &Object, calls: &[ObjectCall], lang: Lang) -> Value {
    let fields = |fields: &[Field]| {
        fields
            .iter()
            .map(|field| told(field, lang))
            .collect::<Vec<Value>>()
    };
    let details: Vec<Value> = one
        .details
        .iter()
        .map(|detail| {
            object! {
                "name" => detail.name.clone(),
                "label" => detail.label.get(lang),
                "id" => detail.id.clone(),
                "required" => detail.required,
                "open" => detail.open,
                "fields" => fields(&detail.fields),
            }
        })
        .collect();
    let calls: Vec<Value> = calls
        .iter()
        .map(|call| {
            let headers = call
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), Value::from(value.as_str())));
            object! {
                "name" => call.name,
                "method" => call.method,
                "url" => call.url.clone(),
                "headers" => Value::Map(headers.collect()),
                "body" => call.body.clone(),
                "answer" => call.answer.clone(),
                "curl" => call.curl(),
            }
        })
        .collect();
    object! {
        "schema" => "engine.object-show/1",
        "object" => one.name.clone(),
        "name" => one.label.get(lang),
        "id" => one.id.clone(),
        "open" => one.open,
        "fields" => fields(&one.fields),
        "details" => details,
        "calls" => calls,
    }
}
