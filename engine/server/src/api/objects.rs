//! `/objects`: the objects that are declared, and for each the interface as it is typed.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::objects::page::{ObjectCall, calls};
use axum::http::Method;
use axum::http::header::HOST;
use dsl::Lang;
use dsl::object::{Field, Object, Type};
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::Call;
use crate::document::{Raw, ReasonDoc, list, raw_value};
use crate::operation::{Json, Operation};
use crate::problem::Problem;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/objects",
            "listObjects",
            "Objects of other systems that are declared",
            objects,
        ),
        Operation::new(
            Method::GET,
            "/objects/{object}",
            "getObject",
            "The fields of an object, and the calls by which it is pushed, read and written",
            one,
        ),
    ]
}

/// An object that is declared.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObjectSummary)]
pub(crate) struct SummaryDoc {
    /// The other system's name of it.
    object: String,
    /// What people call it.
    name: String,
    /// The field that identifies one; null where its file cannot be read.
    id: Option<String>,
    /// Names of its details.
    details: Vec<String>,
    /// The connection for which we are the ERP.
    connection: Option<String>,
    /// The scheme whose rows are read.
    rows: Option<String>,
    /// The scheme that takes what is written.
    receive: Option<String>,
    /// Why it cannot be used, or not served.
    trouble: Option<ReasonDoc>,
}

list! {
    /// Objects.
    ObjectList, SummaryDoc
}

/// A field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObjectField)]
struct FieldDoc {
    name: String,
    /// What people call it.
    label: String,
    /// `text int decimal bool date datetime ms choice list map`
    #[serde(rename = "type")]
    ty: String,
    required: bool,
    sensitive: bool,
    /// Most characters of a text.
    max: Option<u32>,
    /// The texts of a choice.
    of: Vec<String>,
}

/// One kind of lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObjectDetail)]
struct DetailDoc {
    name: String,
    /// What people call it.
    label: String,
    /// The field that identifies a line.
    id: Option<String>,
    required: bool,
    fields: Vec<FieldDoc>,
}

/// One call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObjectCall)]
struct CallDoc {
    name: String,
    method: String,
    url: String,
    /// A token is `$NAME`.
    headers: BTreeMap<String, String>,
    /// The body, made of the declared fields; that of XML is a text.
    #[schema(value_type = Option<serde_json::Value>)]
    body: Option<Raw>,
    /// What is answered when all is well; XML is a text.
    #[schema(value_type = serde_json::Value)]
    answer: Option<Raw>,
    /// The same as a line for a shell.
    curl: String,
}

/// An object and its interface.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObjectPage)]
struct ObjectDoc {
    /// The other system's name of it.
    object: String,
    /// What people call it.
    name: String,
    /// The field that identifies one.
    id: String,
    fields: Vec<FieldDoc>,
    details: Vec<DetailDoc>,
    calls: Vec<CallDoc>,
}

async fn objects(call: Call, (): (), (): ()) -> Result<Json<ObjectList>, Problem> {
    let loaded = call.state.service().loaded();
    let workspace = &loaded.engine.workspace;
    let (objects, troubles) = (workspace.objects(), workspace.object_troubles());
    let trouble = |name: &str| troubles.get(name).map(|error| trouble(error, call.lang));
    let known = objects.iter().map(|object| {
        let serve = object.serve.as_ref();
        SummaryDoc {
            object: object.name.clone(),
            name: object.label.get(call.lang).to_owned(),
            id: Some(object.id.clone()),
            details: object.details.iter().map(|detail| detail.name.clone()).collect(),
            connection: serve.map(|serve| serve.connection.clone()),
            rows: serve.and_then(|serve| serve.rows.clone()),
            receive: serve.and_then(|serve| serve.receive.clone()),
            trouble: trouble(&object.name),
        }
    });
    let broken = objects.broken().iter().map(|broken| SummaryDoc {
        object: broken.name.clone(),
        name: broken.name.clone(),
        id: None,
        details: Vec::new(),
        connection: None,
        rows: None,
        receive: None,
        trouble: trouble(&broken.name),
    });
    let mut items: Vec<SummaryDoc> = known.chain(broken).collect();
    items.sort_by(|one, other| one.object.cmp(&other.object));
    items.dedup_by(|one, other| one.object == other.object);
    Ok(Json(ObjectList::whole(items)))
}

fn trouble(error: &app::AppError, lang: Lang) -> ReasonDoc {
    let reason = app::objects::reason(error, lang);
    ReasonDoc {
        code: reason.code,
        message: reason.text,
    }
}

async fn one(call: Call, (): (), (): ()) -> Result<Json<ObjectDoc>, Problem> {
    let name = call.param("object").to_owned();
    let workspace = Arc::clone(&call.state.service().loaded().engine.workspace);
    let known = workspace.objects().get(&name).cloned();
    let object = known.ok_or_else(|| Problem::not_found(format!("object {}", name.escape_debug())))?;
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok());
    let scheme = if call.state.settings().is_tls {
        "https"
    } else {
        "http"
    };
    let base = format!("{scheme}://{}", host.unwrap_or("HOST"));
    let lang = call.lang;
    let document = call
        .think(move || {
            let calls = calls(&object, &workspace, &base);
            Ok(document(&object, &calls, lang))
        })
        .await?;
    Ok(Json(document))
}

fn field(field: &Field, lang: Lang) -> FieldDoc {
    FieldDoc {
        name: field.name.clone(),
        label: field.label.get(lang).to_owned(),
        ty: field.ty.word().to_owned(),
        required: field.required,
        sensitive: field.sensitive,
        max: match field.ty {
            Type::Text(most) => most.and_then(|most| u32::try_from(most).ok()),
            _ => None,
        },
        of: match &field.ty {
            Type::Choice(of) => of.clone(),
            _ => Vec::new(),
        },
    }
}

fn document(object: &Object, calls: &[ObjectCall], lang: Lang) -> ObjectDoc {
    let fields = |fields: &[Field]| fields.iter().map(|one| field(one, lang)).collect();
    ObjectDoc {
        object: object.name.clone(),
        name: object.label.get(lang).to_owned(),
        id: object.id.clone(),
        fields: fields(&object.fields),
        details: object
            .details
            .iter()
            .map(|detail| DetailDoc {
                name: detail.name.clone(),
                label: detail.label.get(lang).to_owned(),
                id: detail.id.clone(),
                required: detail.required,
                fields: fields(&detail.fields),
            })
            .collect(),
        calls: calls
            .iter()
            .map(|call| CallDoc {
                name: call.name.to_owned(),
                method: call.method.to_owned(),
                url: call.url.clone(),
                headers: call.headers.iter().cloned().collect(),
                body: call.body.as_ref().and_then(raw_value),
                answer: raw_value(&call.answer),
                curl: call.curl(),
            })
            .collect(),
    }
}
