//! What the simulators are like, and may be told to become while they run.

use serde::{Deserialize, Serialize};

use crate::Config;

/// What a target can do for somebody who does not know whether a write was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing: no unique key, no query (K0).
    None,
    /// It takes the same document twice and keeps one, by its key (K1).
    Upsert,
    /// It remembers a key of the call and answers it again (K2).
    IdempotencyKey,
    /// It can be asked by key and refuses a second one (K3).
    UniqueKey,
    /// It can be asked by key, and keeps two documents of one key (K4).
    Query,
}

/// The word of every level, from the weakest promise to the strongest.
pub const LEVELS: &[&str] = &["none", "query", "unique_key", "idempotency_key", "upsert"];
/// Levels the simulated Kingdee can have: its save changes a document by internal id, and it knows no key of a call.
pub const KINGDEE_LEVELS: &[&str] = &["none", "query", "unique_key"];

/// Which field of a document of the simulated Fxiaoke no other may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FxUnique {
    /// That of its number: `account_no`, `order_no__c`, `product_code`, else `name`.
    Number,
    /// Its `name`.
    Name,
    /// None.
    None,
}

/// The word of each.
pub const FX_UNIQUE: &[&str] = &["number", "name", "none"];

/// How the simulated ERP tells the ids of lines; which of them a real one does is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErpLines {
    /// A list of ids for each list of lines, in its order.
    Place,
    /// By the line's number, for each list of lines.
    Key,
    /// By the line's number alone.
    Flat,
}

/// The word of each.
pub const ERP_LINES: &[&str] = &["place", "key", "flat"];

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settings {
    pub(crate) session_ttl_ms: i64,
    pub(crate) session_max_calls: Option<u64>,
    pub(crate) freshness_ms: i64,
    pub(crate) unique_numbers: bool,
    pub(crate) unique_bills: bool,
    pub(crate) kingdee_query: bool,
    pub(crate) query_max: usize,
    pub(crate) partial_is_success: bool,
    pub(crate) repeat_ms: i64,
    pub(crate) plain: Level,
    pub(crate) idempotency_ms: i64,
    /// `None` is the system's own limit, 0 none at all.
    pub(crate) calls_per_s: Option<u64>,
    pub(crate) calls_per_min: Option<u64>,
    /// `None` is no limit.
    pub(crate) calls_per_day: Option<u64>,
    /// `session_ttl_ms` where it was told, for systems that have a life of their own.
    #[serde(skip)]
    pub(crate) own_ttl_ms: Option<i64>,
    pub(crate) fx_unique: FxUnique,
    pub(crate) erp_lines: ErpLines,
    pub(crate) erp_unique: bool,
    pub(crate) erp_xml: bool,
}

/// New values of settings; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewSettings {
    /// Life of a session or token from its login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ttl_ms: Option<i64>,
    /// A session or token is lost after so many calls; 0 lifts the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_max_calls: Option<u64>,
    /// How far a signed time may be from the sandbox's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness_ms: Option<i64>,
    /// Whether numbers of base data are unique in their organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_numbers: Option<bool>,
    /// Whether numbers of bills are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_bills: Option<bool>,
    /// Most rows of one bill query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_max: Option<usize>,
    /// Whether `IsSuccess` stays true when a part of a batch is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_is_success: Option<bool>,
    /// How long an executed package is refused again under `ValidateRepeatJson`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_ms: Option<i64>,
    /// What the simulated Kingdee can do about doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kingdee: Option<Level>,
    /// What the plain system can do about doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<Level>,
    /// How long the plain system remembers an idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_ms: Option<i64>,
    /// Calls a second of the systems that limit them, in place of their own number; 0 lifts the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_s: Option<u64>,
    /// Calls a minute, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_min: Option<u64>,
    /// Calls a day of the simulated Fxiaoke, until midnight in Beijing; 0 lifts the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_day: Option<u64>,
    /// What is unique at the simulated Fxiaoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fx_unique: Option<FxUnique>,
    /// How the simulated ERP tells the ids of lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erp_lines: Option<ErpLines>,
    /// Whether it refuses a second document of one number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erp_unique: Option<bool>,
    /// Whether it answers queries in XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erp_xml: Option<bool>,
}

impl NewSettings {
    /// Says what is wrong; the text names the setting.
    pub fn check(&self) -> Result<(), String> {
        match self.kingdee {
            Some(Level::Upsert | Level::IdempotencyKey) => {
                Err(format!("kingdee: one of {}", KINGDEE_LEVELS.join(" ")))
            }
            _ => Ok(()),
        }
    }
}

impl Settings {
    pub(crate) fn of(config: &Config) -> Settings {
        Settings {
            session_ttl_ms: config.session_ttl_ms,
            session_max_calls: config.session_max_calls,
            freshness_ms: config.freshness_ms,
            unique_numbers: config.unique_numbers,
            unique_bills: false,
            kingdee_query: true,
            query_max: config.query_max.max(1),
            partial_is_success: config.partial_is_success,
            repeat_ms: config.repeat_ms,
            plain: Level::UniqueKey,
            idempotency_ms: 24 * 3_600_000,
            calls_per_s: None,
            calls_per_min: None,
            calls_per_day: None,
            own_ttl_ms: None,
            fx_unique: FxUnique::Number,
            erp_lines: ErpLines::Place,
            erp_unique: false,
            erp_xml: false,
        }
    }

    /// Takes over what is given and was checked.
    pub(crate) fn take(&mut self, new: &NewSettings) {
        self.session_ttl_ms = new.session_ttl_ms.unwrap_or(self.session_ttl_ms);
        self.own_ttl_ms = new.session_ttl_ms.or(self.own_ttl_ms);
        if let Some(calls) = new.session_max_calls {
            self.session_max_calls = (calls > 0).then_some(calls);
        }
        self.freshness_ms = new.freshness_ms.unwrap_or(self.freshness_ms);
        if let Some(level) = new.kingdee {
            self.kingdee_query = level != Level::None;
            self.unique_numbers = level == Level::UniqueKey;
            self.unique_bills = level == Level::UniqueKey;
        }
        self.unique_numbers = new.unique_numbers.unwrap_or(self.unique_numbers);
        self.unique_bills = new.unique_bills.unwrap_or(self.unique_bills);
        self.query_max = new.query_max.unwrap_or(self.query_max).max(1);
        self.partial_is_success = new.partial_is_success.unwrap_or(self.partial_is_success);
        self.repeat_ms = new.repeat_ms.unwrap_or(self.repeat_ms);
        self.plain = new.plain.unwrap_or(self.plain);
        self.idempotency_ms = new.idempotency_ms.unwrap_or(self.idempotency_ms);
        self.calls_per_s = new.calls_per_s.or(self.calls_per_s);
        self.calls_per_min = new.calls_per_min.or(self.calls_per_min);
        if let Some(calls) = new.calls_per_day {
            self.calls_per_day = (calls > 0).then_some(calls);
        }
        self.fx_unique = new.fx_unique.unwrap_or(self.fx_unique);
        self.erp_lines = new.erp_lines.unwrap_or(self.erp_lines);
        self.erp_unique = new.erp_unique.unwrap_or(self.erp_unique);
        self.erp_xml = new.erp_xml.unwrap_or(self.erp_xml);
    }
}
