//! The calls of the platform's mapping functions, with its names in and out.
//!
//! `createSyncDataMapping`, `updateSyncDataMapping`, `getSyncDataMappingBySourceDataId` and `createErpfieldmapping`.
//! Each changes the ledger in one transaction or not at all, and a repeated call changes nothing. Paths and headers are
//! whoever's who serves them.

use dsl::catalogue::{internal, mapping as words};
use dsl::diagnostic::{Failure, Lang};
use dsl::value::{Map, Value};
use flow::ids::Ms;
use flow::op::RecordState;
use ledger::service::fields::SetField;
use ledger::service::mapping::{MadeBy, Manner, MappingEntry, MappingNames, SetMapping};
use ledger::{Ledger, Reader};

use super::policy::needed;
use super::{Policies, bad_field, denied, field_pair, id, judged, judged_field, name, new_field_place};
use crate::error::AppError;

/// The code of every success.
pub const SUCCESS: &str = "s106240000";

/// Source ids of one query: a page of the platform's own lists is a hundred.
pub const MOST_IDS: usize = 500;

/// Who asks: what stands in the history, and the tenant that both ends of an answer belong to.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// By name.
    pub who: &'a str,
    /// The platform's tenant.
    pub tenant: &'a str,
}

/// The platform's form of an answer: `{errCode, errMsg, data?}`.
pub fn answer(result: &Result<Option<Value>, AppError>, lang: Lang) -> Value {
    let (code, message, data) = match result {
        Ok(data) => (SUCCESS, lang.pick("成功", "success").to_owned(), data.clone()),
        Err(error) => {
            let code = error.code().unwrap_or(internal::INTERNAL.code);
            let help = error.help(lang).filter(|help| !help.is_empty());
            let message = match (error.message(lang), help) {
                (message, Some(help)) => {
                    lang.pick(format!("{message}。{help}"), format!("{message}; {help}"))
                }
                (message, None) => message,
            };
            (code, message, None)
        }
    };
    let mut answer = Map::from_iter([
        ("errCode".to_owned(), Value::from(code)),
        ("errMsg".to_owned(), Value::Text(message)),
    ]);
    if let Some(data) = data {
        answer.insert("data".to_owned(), data);
    }
    Value::Map(answer)
}

/// The members of a call, each a text or a number.
struct Members<'b>(&'b Map);

impl<'b> Members<'b> {
    /// The members of a body; what nobody knows is refused, because a misspelt one would be left out. All that is needed
    /// and missing is told at once.
    fn of(body: &'b Value, known: &[&str], needed: &[&str]) -> Result<Self, AppError> {
        let Some(map) = body.as_map() else {
            return Err(bad_field("body", "应为一个对象", "it must be an object"));
        };
        if let Some(name) = map.keys().find(|name| !known.contains(&name.as_str())) {
            let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
            return Err(bad_field(
                &shown,
                &format!("没有这个字段;可用:{}", known.join(" ")),
                &format!("there is no such field; there are {}", known.join(" ")),
            ));
        }
        let is_there = |name: &str| match map.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Text(text)) => !text.trim().is_empty(),
            Some(_) => true,
        };
        let missing: Vec<&str> = needed.iter().copied().filter(|name| !is_there(name)).collect();
        match missing.as_slice() {
            [] => Ok(Members(map)),
            missing => Err(bad_field(
                "body",
                &format!("缺少 {};这个调用需要 {}", missing.join(" "), needed.join(" ")),
                &format!(
                    "it lacks {}; this call needs {}",
                    missing.join(" "),
                    needed.join(" ")
                ),
            )),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>, AppError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value @ (Value::Text(_) | Value::Number(_))) => Ok(value.to_plain_text()),
            Some(_) => Err(bad_field(name, "应为文本或数字", "it must be a text or a number")),
        }
    }

    fn needed(&self, name: &str) -> Result<String, AppError> {
        let text = self.text(name)?;
        needed(name, text.as_deref()).map(str::to_owned)
    }

    fn truth(&self, name: &str) -> Result<bool, AppError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(Value::Text(text)) if text == "true" || text == "false" => Ok(text == "true"),
            Some(_) => Err(bad_field(name, "应为 true 或 false", "it must be true or false")),
        }
    }
}

const CREATE: &[&str] = &[
    "ployDetailId",
    "sourceObjectApiName",
    "destObjectApiName",
    "sourceDataId",
    "destDataId",
    "sourceDataName",
    "destDataName",
    "masterDataId",
    "remark",
    "enableUpdateSourceDataId",
];

const CREATE_NEEDS: &[&str] = &[
    "sourceObjectApiName",
    "destObjectApiName",
    "sourceDataId",
    "destDataId",
];

/// What `createSyncDataMapping` asks for.
pub fn create(policies: &Policies, body: &Value, caller: Caller<'_>) -> Result<SetMapping, AppError> {
    let members = Members::of(body, CREATE, CREATE_NEEDS)?;
    let mut set = wanted(policies, &members, Manner::Create, caller)?;
    set.may_move = members.truth("enableUpdateSourceDataId")?;
    Ok(set)
}

/// What `updateSyncDataMapping` asks for. Names may come with it, as ours.
pub fn update(policies: &Policies, body: &Value, caller: Caller<'_>) -> Result<SetMapping, AppError> {
    wanted(
        policies,
        &Members::of(body, CREATE, CREATE_NEEDS)?,
        Manner::Update,
        caller,
    )
}

fn wanted(
    policies: &Policies,
    members: &Members<'_>,
    manner: Manner,
    caller: Caller<'_>,
) -> Result<SetMapping, AppError> {
    let policy = policies.find(
        members.text("ployDetailId")?.as_deref(),
        members.needed("sourceObjectApiName")?.trim(),
        members.needed("destObjectApiName")?.trim(),
    )?;
    let given = |of: &str| name(of, members.text(of)?.as_deref());
    Ok(SetMapping {
        at: policy.key(&members.needed("sourceDataId")?)?,
        id: id("destDataId", &members.needed("destDataId")?)?,
        names: MappingNames {
            source: given("sourceDataName")?,
            dest: given("destDataName")?,
            master: given("masterDataId")?,
            remark: given("remark")?,
        },
        manner,
        seen: None,
        allow_double: false,
        may_move: false,
        by: MadeBy::Api,
        who: caller.who.to_owned(),
    })
}

/// Sets what a call asks for.
pub fn set(ledger: &mut Ledger, set: &SetMapping, now: Ms) -> Result<(), AppError> {
    let rulings = ledger.set_mappings(std::slice::from_ref(set), now)?;
    rulings
        .first()
        .map_or(Ok(()), |ruling| judged(&set.at, &set.id, ruling))
}

/// `getSyncDataMappingBySourceDataId`: by source id, what is known. An id that nothing is known of is left out.
pub fn query(
    reader: &Reader,
    policies: &Policies,
    body: &Value,
    caller: Caller<'_>,
) -> Result<Value, AppError> {
    const KNOWN: &[&str] = &[
        "ployDetailId",
        "sourceObjectApiName",
        "destObjectApiName",
        "sourceDataIds",
        "sourceDataId",
    ];
    // One id may come alone.
    let ids = match body.get("sourceDataId") {
        Some(_) => "sourceDataId",
        None => "sourceDataIds",
    };
    let members = Members::of(body, KNOWN, &["sourceObjectApiName", "destObjectApiName", ids])?;
    let policy = policies.find(
        members.text("ployDetailId")?.as_deref(),
        members.needed("sourceObjectApiName")?.trim(),
        members.needed("destObjectApiName")?.trim(),
    )?;
    let ids: Vec<String> = match members.0.get("sourceDataIds") {
        Some(Value::List(list)) => {
            if list.len() > MOST_IDS {
                return Err(denied(
                    Failure::new(&words::TOO_MANY)
                        .with("most", MOST_IDS)
                        .with("given", list.len()),
                ));
            }
            let texts = list.iter().map(|one| match one {
                Value::Text(_) | Value::Number(_) => one.to_plain_text(),
                _ => None,
            });
            texts.collect::<Option<_>>().ok_or_else(|| {
                bad_field(
                    "sourceDataIds",
                    "应为文本或数字的列表",
                    "it must be a list of texts or numbers",
                )
            })?
        }
        Some(Value::Text(_) | Value::Number(_)) => vec![members.needed("sourceDataIds")?],
        _ => vec![members.needed("sourceDataId")?],
    };
    let keys: Vec<String> = ids
        .iter()
        .map(|one| policy.stored_key(one))
        .collect::<Result<_, _>>()?;
    let found = reader.mappings_of_keys(&policy.scheme, (&policy.target, &policy.form), &keys)?;
    let mut told = Map::new();
    for (one, key) in ids.into_iter().zip(&keys) {
        if let Some(entry) = found.iter().find(|entry| entry.at.key == *key) {
            told.insert(one, told_of(entry, caller.tenant));
        }
    }
    Ok(Value::Map(told))
}

fn told_of(entry: &MappingEntry, tenant: &str) -> Value {
    let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
    Value::Map(Map::from_iter([
        ("isCreated".to_owned(), Value::Bool(entry.target_id.is_some())),
        ("destDataId".to_owned(), text(&entry.target_id)),
        ("destDataName".to_owned(), text(&entry.dest_name)),
        ("sourceDataName".to_owned(), entry.label.as_str().into()),
        ("updateTime".to_owned(), Value::from(entry.changed)),
        (
            "lastSyncStatus".to_owned(),
            Value::from(last_sync_status(entry.state)),
        ),
        ("destTenantId".to_owned(), tenant.into()),
        ("sourceTenantId".to_owned(), tenant.into()),
        ("id".to_owned(), entry.id.to_string().into()),
        (
            "lastSyncDataId".to_owned(),
            entry
                .record
                .map_or(Value::Null, |record| record.0.to_string().into()),
        ),
        (
            "status".to_owned(),
            Value::from(if entry.target_id.is_some() { 1 } else { 2 }),
        ),
        ("remark".to_owned(), text(&entry.remark)),
    ]))
}

/// 6 stands for a success, as the platform answers; the others are ours.
fn last_sync_status(state: Option<RecordState>) -> i64 {
    match state {
        // Set by a person: there was no sync.
        None => 0,
        Some(RecordState::Pending) => 1,
        Some(RecordState::Sending) => 2,
        Some(RecordState::Unknown) => 3,
        Some(RecordState::Held) => 4,
        Some(RecordState::Dead) => 5,
        Some(RecordState::Done) => 6,
        Some(RecordState::Skipped) => 7,
    }
}

/// What `createErpfieldmapping` asks for. `data_center` is the one of the headers, where the body names none.
pub fn create_field(body: &Value, data_center: &str) -> Result<SetField, AppError> {
    const KNOWN: &[&str] = &[
        "dataCenterId",
        "channel",
        "dataType",
        "fsDataId",
        "erpDataId",
        "fsDataName",
        "erpDataName",
    ];
    let members = Members::of(body, KNOWN, &["channel", "dataType", "fsDataId", "erpDataId"])?;
    let own = members.text("dataCenterId")?;
    let own = own.filter(|own| !own.trim().is_empty());
    let place = new_field_place(
        own.as_deref().unwrap_or(data_center),
        &members.needed("channel")?,
        &members.needed("dataType")?,
    )?;
    let text = |of: &str| Ok::<_, AppError>(members.text(of)?.unwrap_or_default());
    let pair = field_pair(
        (&members.needed("fsDataId")?, &text("fsDataName")?),
        (&members.needed("erpDataId")?, &text("erpDataName")?),
    )?;
    Ok(SetField {
        place,
        pair,
        manner: Manner::Create,
        by: MadeBy::Api,
    })
}

/// Sets an entry that a call asks for.
pub fn set_field(ledger: &mut Ledger, set: &SetField, now: Ms) -> Result<(), AppError> {
    let rulings = ledger.set_fields(std::slice::from_ref(set), now)?;
    rulings.first().map_or(Ok(()), |ruling| judged_field(set, ruling))
}
