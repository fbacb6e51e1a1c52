//! The description of the API, OpenAPI 3.1, made from the table of operations and the types of their handlers.

use axum::http::Method;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required};

use crate::access::SESSION_COOKIE;
use crate::api;
use crate::operation::{Operation, Schemas, named};
use crate::problem::{PROBLEM_JSON, ProblemBody};
use crate::router::ROOT;

/// The file, as it is checked in.
pub fn text() -> String {
    // Texts and numbers only: this cannot fail.
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The description.
pub fn document() -> OpenApi {
    let mut schemas: Schemas = Vec::new();
    named::<ProblemBody>(&mut schemas);
    let mut paths = PathsBuilder::new();
    for operation in api::operations() {
        let method = method(&operation.method);
        let path = format!("{ROOT}{}", operation.path);
        let built = describe(&operation);
        schemas.extend(operation.schemas);
        paths = paths.path(path, PathItem::new(method, built));
    }
    let mut components = ComponentsBuilder::new();
    schemas.sort_by(|(one, _), (other, _)| one.cmp(other));
    schemas.dedup_by(|(one, _), (other, _)| one == other);
    for (name, schema) in schemas {
        components = components.schema(name, schema);
    }
    let components = components
        .security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE))),
        );
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("engine")
                .version("1")
                .description(Some(ABOUT)),
        )
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

const ABOUT: &str = "\
Times are RFC 3339. A list gives `next` while there is more: send it as `cursor`, with the same filters. Refusals are \
`application/problem+json`, in Chinese or English by `Accept-Language`; `engine explain CODE` tells more about a code. \
A write may carry `Idempotency-Key`: within 24 hours the same request with the same key is carried out once. A change \
of a scheme carries `If-Match`. `x-scope` names the scope that an operation needs: `operate` and `edit` include `read`, \
`admin` includes all.";

fn method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn describe(operation: &Operation) -> utoipa::openapi::path::Operation {
    let mut built = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .tag(operation.path.split('/').nth(1).unwrap_or_default());
    for name in names(operation.path) {
        built = built.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(path_schema(name))),
        );
    }
    for parameter in &operation.parameters {
        built = built.parameter(parameter.clone());
    }
    if operation.matches {
        built = built.parameter(header("If-Match", true, "The ETag of what was read"));
    }
    if operation.takes_key() {
        built = built.parameter(header(
            "Idempotency-Key",
            false,
            "Carried out once however often it is sent",
        ));
    }
    if let Some(body) = &operation.body {
        let schema = body.schema.clone().unwrap_or_else(text_schema);
        built = built.request_body(Some(
            RequestBodyBuilder::new()
                .content(
                    body.content_type,
                    ContentBuilder::new().schema(Some(schema)).build(),
                )
                .required(Some(if body.required {
                    Required::True
                } else {
                    Required::False
                }))
                .build(),
        ));
    }
    for give in &operation.gives {
        let mut response = ResponseBuilder::new().description(meaning(give.status));
        if let Some(content_type) = give.content_type {
            let schema = give.schema.clone().unwrap_or_else(text_schema);
            response = response.content(content_type, ContentBuilder::new().schema(Some(schema)).build());
        }
        for name in give.headers {
            response = response.header(*name, HeaderBuilder::new().schema(Some(text_schema())).build());
        }
        built = built.response(give.status.to_string(), response);
    }
    if let Some(scope) = operation.scope {
        built = built
            .response("401", problem("Nobody that is known"))
            .response("403", problem("Not allowed"))
            .security(SecurityRequirement::new("token", Vec::<String>::new()))
            .security(SecurityRequirement::new("session", Vec::<String>::new()));
        let mut extensions = utoipa::openapi::extensions::Extensions::default();
        extensions.insert("x-scope".to_owned(), scope.word().into());
        built = built.extensions(Some(extensions));
    }
    built.response("default", problem("Refused")).build()
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// Schemes, connections, connectors and users are named; everything else has a number.
fn path_schema(name: &str) -> RefOr<Schema> {
    match name {
        "scheme" | "connection" | "connector" | "user" | "channel" => text_schema(),
        _ => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .into(),
    }
}

fn text_schema() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).into()
}

fn header(name: &str, required: bool, about: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(if required { Required::True } else { Required::False })
        .description(Some(about))
        .schema(Some(text_schema()))
        .build()
}

fn problem(about: &str) -> Response {
    let schema = RefOr::<Schema>::Ref(Ref::from_schema_name("Problem"));
    ResponseBuilder::new()
        .description(about)
        .content(PROBLEM_JSON, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

fn meaning(status: u16) -> &'static str {
    match status {
        201 => "Made",
        202 => "Taken on",
        204 => "Done",
        _ => "The answer",
    }
}
