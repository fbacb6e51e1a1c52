//! The answers of the simulated Kingdee: `Result.ResponseStatus` and what surrounds it.

use serde_json::{Value, json};

use crate::reply::Reply;

/// Message codes of the vendor that are used here.
pub(crate) mod code {
    pub(crate) const OK: u32 = 0;
    pub(crate) const CONTEXT_LOST: u32 = 1;
    pub(crate) const NO_PERMISSION: u32 = 2;
    pub(crate) const NO_FORM: u32 = 5;
    pub(crate) const BAD_PARAMETER: u32 = 8;
    pub(crate) const VALUE_MISSING: u32 = 9;
    pub(crate) const NOT_FOUND: u32 = 10;
    pub(crate) const INVALID: u32 = 11;
    pub(crate) const NOT_OPERABLE: u32 = 12;
    pub(crate) const CONFLICT: u32 = 13;
    pub(crate) const CALL_LIMIT: u32 = 14;
}

/// Why one document was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u32,
    pub(crate) field: Option<String>,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: u32, field: Option<&str>, message: impl Into<String>) -> Self {
        Refusal {
            code,
            field: field.map(str::to_owned),
            message: message.into(),
        }
    }
}

/// A document that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Success {
    pub(crate) id: u64,
    pub(crate) number: String,
    pub(crate) dindex: usize,
}

/// `ResponseStatus` over the documents of a call. `IsSuccess` is false as soon as one was refused
/// unless `partial_is_success`; the vendor does not say which.
pub(crate) fn status(good: &[Success], bad: &[(usize, Refusal)], partial_is_success: bool) -> Value {
    let errors: Vec<Value> = bad
        .iter()
        .map(|(dindex, r)| json!({"FieldName": r.field, "Message": r.message, "DIndex": dindex}))
        .collect();
    let entities: Vec<Value> = good
        .iter()
        .map(|s| json!({"Id": s.id, "Number": s.number, "DIndex": s.dindex}))
        .collect();
    let is_success = bad.is_empty() || (partial_is_success && !good.is_empty());
    let mut status = json!({
        "IsSuccess": is_success,
        "Errors": errors,
        "SuccessEntitys": entities,
        "SuccessMessages": [],
        "MsgCode": bad.first().map_or(code::OK, |(_, r)| r.code),
    });
    if !bad.is_empty() {
        status["ErrorCode"] = json!(500);
    }
    status
}

/// An answer that concerns the whole call.
pub(crate) fn failed(code: u32, message: &str) -> Value {
    let refusal = Refusal::new(code, None, message);
    json!({"Result": {"ResponseStatus": status(&[], &[(0, refusal)], false)}})
}

pub(crate) fn reply(value: &Value) -> Reply {
    Reply::json(value.to_string())
}

/// A query puts the same object into two lists.
pub(crate) fn reply_for(endpoint: &str, value: Value) -> Reply {
    if endpoint == "ExecuteBillQuery" {
        reply(&json!([[value]]))
    } else {
        reply(&value)
    }
}

pub(crate) const SESSION_LOST: &str = "会话信息已丢失，请重新登录";

/// An exception of the server, told as text inside HTTP 200.
pub(crate) fn response_error(message: &str) -> Reply {
    let exception = json!({
        "Message": message,
        "StackTrace": "   在 Kingdee.BOS.ServiceFacade.KDServiceFx.KDSVCHandler.ExecuteService()",
        "InnerExWrapper": null,
    });
    Reply::text(200, format!("response_error:{exception}"))
}
