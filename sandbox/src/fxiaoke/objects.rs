//! Documents of the simulated CRM: accounts made from the seed, and whatever was written.
//!
//! A written document keeps its fields as they were sent. A seeded account that was written to is the seeded one with
//! the written fields over it, so that a rename by control still shows where nothing was written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;
use serde_json::value::RawValue;

use super::Whose;
use crate::data::{Data, cid, draw};
use crate::journal::{Action, RowLine};
use crate::kingdee::store::{Fields, scalar};
use crate::names;
use crate::object::Object;
use crate::settings::FxUnique;
use crate::state::World;

pub(super) const ACCOUNT: &str = "AccountObj";
const PRESET: &[&str] = &[
    ACCOUNT,
    "ContactObj",
    "LeadsObj",
    "OpportunityObj",
    "ProductObj",
    "SalesOrderObj",
    "SalesOrderProductObj",
];
/// First internal id of a written document; seeded accounts have lower ones.
const FIRST_ID: u64 = 10_000_000_001;
const FIRST_ACCOUNT: u64 = 1_000_001;
/// Fields that every document has.
const COMMON: &[&str] = &[
    "_id",
    "object_describe_api_name",
    "life_status",
    "create_time",
    "last_modified_time",
];
/// Fields of an account that the seed tells.
const SEEDED: &[&str] = &["name", "account_no", "tel", "address", "owner", "record_type"];
/// Further fields that an account may be given; those of one's own end in `__c`.
const FURTHER: &[&str] = &[
    "remark",
    "email",
    "url",
    "fax",
    "account_level",
    "account_source",
    "account_type",
    "industry_level1",
    "location",
    "country",
    "province",
    "city",
    "district",
    "data_own_department",
];
/// Of this many customers one is known to the CRM under the number that the others know it by.
const SHARED_EVERY: u64 = 10;
const SHARED: u64 = 7;

/// Under which name a document keeps its lists of lines, which no query shows.
pub(super) const DETAILS: &str = "details";

/// Whose object this is; `None` when there is no such object.
pub(super) fn whose(api_name: &str) -> Option<Whose> {
    let is_word = api_name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if PRESET.contains(&api_name) {
        Some(Whose::Preset)
    } else {
        (is_word && api_name.len() > 3 && api_name.ends_with("__c")).then_some(Whose::Custom)
    }
}

/// The field that holds the number of such a document.
pub(super) fn number_field(api_name: &str) -> &'static str {
    match api_name {
        ACCOUNT => "account_no",
        "SalesOrderObj" => "order_no__c",
        "ProductObj" => "product_code",
        _ => "name",
    }
}

/// Whether there can be such a field; only of accounts all are known.
pub(super) fn has_field(api_name: &str, field: &str) -> bool {
    let is_word = !field.is_empty() && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = [COMMON, SEEDED, FURTHER];
    is_word
        && (api_name != ACCOUNT || field.ends_with("__c") || known.iter().any(|list| list.contains(&field)))
}

/// The fields of an object: of accounts all that [`has_field`] takes but those of one's own; of any other what every
/// object has and what was written.
pub(super) fn described(world: &World, api_name: &str) -> BTreeSet<String> {
    let standard = [number_field(api_name), "name"];
    let known: &[&[&str]] = match api_name {
        ACCOUNT => &[COMMON, SEEDED, FURTHER, &standard],
        _ => &[COMMON, &standard],
    };
    let docs = world.fx.objects.by_id.values();
    let written = docs
        .filter(|doc| &*doc.api_name == api_name)
        .flat_map(|doc| doc.fields.keys().filter(|name| *name != DETAILS).cloned());
    let known = known.iter().copied().flatten();
    known.map(|name| (*name).to_owned()).chain(written).collect()
}

/// An internal id as it is told: 24 letters and digits.
pub(super) fn id_text(id: u64) -> String {
    format!("6531{id:020}")
}

pub(super) fn parse_id(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("6531").filter(|digits| digits.len() == 20)?;
    digits.parse().ok()
}

/// What was written of one document.
#[derive(Debug)]
pub(super) struct Doc {
    api_name: Box<str>,
    number: Box<str>,
    fields: Fields,
    created_ms: i64,
    modified_ms: i64,
    version: u64,
    is_invalid: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Objects {
    by_id: BTreeMap<u64, Doc>,
    by_number: HashMap<(Box<str>, Box<str>), Vec<u64>>,
    /// Numbers that the server took itself.
    auto: u64,
}

impl Objects {
    pub(super) fn count(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn next_id(&self) -> u64 {
        let last = self.by_id.last_key_value().map_or(0, |(id, _)| *id);
        (last + 1).max(FIRST_ID)
    }

    pub(super) fn auto_number(&self) -> String {
        format!("AUTO{:06}", self.auto + 1)
    }

    /// Does what a row of the journal says.
    pub(crate) fn apply(&mut self, api_name: &str, at_ms: i64, row: &RowLine) {
        let number: Box<str> = row.number.as_str().into();
        let doc = self.by_id.entry(row.id).or_insert_with(|| Doc {
            api_name: api_name.into(),
            number: "".into(),
            fields: Fields::new(),
            created_ms: at_ms,
            modified_ms: at_ms,
            version: 0,
            is_invalid: false,
        });
        doc.modified_ms = at_ms;
        doc.version = row.version;
        if row.action == Action::Delete {
            doc.is_invalid = true;
        }
        let sent: Fields = serde_json::from_str(&row.content).unwrap_or_default();
        let is_own = |name: &str| !["_id", "dataObjectApiName"].contains(&name);
        doc.fields
            .extend(sent.into_iter().filter(|(name, _)| is_own(name)));
        if doc.number != number {
            let old = std::mem::replace(&mut doc.number, number.clone());
            self.auto += u64::from(number.starts_with("AUTO"));
            if let Some(ids) = self.by_number.get_mut(&(api_name.into(), old)) {
                ids.retain(|id| *id != row.id);
            }
            let ids = self.by_number.entry((api_name.into(), number)).or_default();
            ids.push(row.id);
        }
    }
}

/// A document as it stands.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    world: &'a World,
    api_name: &'a str,
    pub(super) id: u64,
    /// The customer, of a seeded account.
    customer: Option<u64>,
    doc: Option<&'a Doc>,
}

impl<'a> Row<'a> {
    /// All documents of an object that are not invalid, by rising id.
    pub(super) fn all(world: &'a World, api_name: &'a str) -> impl Iterator<Item = Row<'a>> {
        let accounts = if api_name == ACCOUNT {
            world.data.customers()
        } else {
            0
        };
        let seeded = (0..accounts).map(|customer| FIRST_ACCOUNT + customer);
        let written = world.fx.objects.by_id.range(FIRST_ID..).map(|(id, _)| *id);
        seeded
            .chain(written)
            .filter_map(move |id| Row::with_id(world, api_name, id))
    }

    pub(super) fn with_id(world: &'a World, api_name: &'a str, id: u64) -> Option<Row<'a>> {
        let doc = world.fx.objects.by_id.get(&id);
        let customer = id
            .checked_sub(FIRST_ACCOUNT)
            .filter(|customer| api_name == ACCOUNT && *customer < world.data.customers());
        let is_there = match doc {
            Some(doc) => *doc.api_name == *api_name && !doc.is_invalid,
            None => customer.is_some(),
        };
        is_there.then_some(Row {
            world,
            api_name,
            id,
            customer,
            doc,
        })
    }

    /// Those that stand in the way of a document, by the field that is unique.
    pub(super) fn same(
        world: &'a World,
        api_name: &'a str,
        unique: FxUnique,
        fields: &Fields,
    ) -> Option<(&'static str, Row<'a>)> {
        let field = match unique {
            FxUnique::None => return None,
            FxUnique::Name => "name",
            FxUnique::Number => number_field(api_name),
        };
        let wanted = fields.get(field).and_then(|raw| scalar(raw))?;
        let has_it = |row: &Row<'a>| row.scalar(field).as_deref() == Some(&wanted);
        let found = if field == number_field(api_name) {
            let key = (api_name.into(), wanted.as_str().into());
            let written = world.fx.objects.by_number.get(&key).into_iter().flatten();
            let seeded = customer_of(&wanted).map(|customer| FIRST_ACCOUNT + customer);
            let mut ids = written.copied().chain(seeded);
            ids.find_map(|id| Row::with_id(world, api_name, id).filter(has_it))
        } else {
            Row::all(world, api_name).find(has_it)
        };
        found.map(|row| (field, row))
    }

    /// Saved states so far; a seeded account has one that no journal knows.
    pub(super) fn version(&self) -> u64 {
        self.doc.map_or(0, |doc| doc.version)
    }

    pub(super) fn number(&self) -> String {
        match self.doc {
            Some(doc) => doc.number.to_string(),
            None => self.customer.map(account_no).unwrap_or_default(),
        }
    }

    /// A field as JSON; `None` when nothing stands there.
    pub(super) fn field(&self, name: &str) -> Option<Box<RawValue>> {
        let written = self.doc.and_then(|doc| doc.fields.get(name));
        if let Some(raw) = written {
            return (raw.get() != "null").then(|| raw.clone());
        }
        let text = match name {
            "_id" => json!(id_text(self.id)).to_string(),
            "object_describe_api_name" => json!(self.api_name).to_string(),
            "life_status" => r#""normal""#.to_owned(),
            "create_time" => match self.customer {
                Some(customer) => made_ms(&self.world.data, customer).to_string(),
                None => self.doc?.created_ms.to_string(),
            },
            "last_modified_time" => self.modified_ms().to_string(),
            name if name == number_field(self.api_name) && self.customer.is_none() => {
                json!(self.doc?.number).to_string()
            }
            name => seeded(self.world, self.customer?, name)?,
        };
        RawValue::from_string(text).ok()
    }

    pub(super) fn scalar(&self, name: &str) -> Option<String> {
        self.field(name).and_then(|raw| scalar(&raw))
    }

    fn modified_ms(&self) -> i64 {
        let written = self.doc.map_or(i64::MIN, |doc| doc.modified_ms);
        let seeded = self.customer.map_or(i64::MIN, |one| changed_ms(self.world, one));
        written.max(seeded)
    }

    /// As it is answered; all fields unless some are named.
    pub(super) fn json(&self, projection: &[String]) -> String {
        let mut out = Object::new();
        let mut put = |name: &str| {
            if let Some(raw) = self.field(name) {
                out.raw(name, raw.get());
            }
        };
        if !projection.is_empty() {
            put("_id");
            let others = projection.iter().filter(|name| *name != "_id");
            others.for_each(|name| put(name));
            return out.end();
        }
        COMMON.iter().chain(SEEDED).for_each(|name| put(name));
        let is_further = |name: &&String| {
            *name != DETAILS && !COMMON.contains(&name.as_str()) && !SEEDED.contains(&name.as_str())
        };
        let written = self.doc.into_iter().flat_map(|doc| doc.fields.keys());
        written.filter(is_further).for_each(|name| put(name));
        let number = number_field(self.api_name);
        let is_told = SEEDED.contains(&number) || self.doc.is_some_and(|doc| doc.fields.contains_key(number));
        if !is_told {
            put(number);
        }
        out.end()
    }
}

/// The CRM's own number of a customer: leading zeros, and some that the others know as well.
fn account_no(customer: u64) -> String {
    if customer % SHARED_EVERY == SHARED {
        cid(customer)
    } else {
        format!("{:08}", customer + 1)
    }
}

/// The only customer that can have this number.
fn customer_of(number: &str) -> Option<u64> {
    let customer = match number.strip_prefix('B') {
        // As `cid` makes them.
        Some(digits) => digits.parse::<u64>().ok()?.checked_sub(123)?,
        None => number.parse::<u64>().ok()?.checked_sub(1)?,
    };
    (account_no(customer) == number).then_some(customer)
}

/// When a seeded account was made: within the stretch of the sales.
fn made_ms(data: &Data, customer: u64) -> i64 {
    let spread = u64::try_from(data.spread_ms.max(1)).unwrap_or(1);
    let offset = i64::try_from(draw(data.seed, 60, customer) % spread).unwrap_or(0);
    data.base_ms - data.spread_ms + offset
}

/// When control renamed it last, or else when it was made.
fn changed_ms(world: &World, customer: u64) -> i64 {
    let made = made_ms(&world.data, customer);
    if !world.changes.versions.contains_key(&customer) {
        return made;
    }
    let added = world.changes.added.iter();
    let renames = added.filter(|added| added.customer == customer);
    renames.map(|added| added.at_ms).max().unwrap_or(made).max(made)
}

fn seeded(world: &World, customer: u64, name: &str) -> Option<String> {
    let data = &world.data;
    let text = match name {
        "name" => data.nick(&world.changes, customer),
        "account_no" => account_no(customer),
        "tel" => format!("0571-{:08}", draw(data.seed, 63, customer) % 100_000_000),
        "address" => format!(
            "{}市中山路{}号",
            names::city(data.seed, customer),
            1 + customer % 900
        ),
        "record_type" => "default__c".to_owned(),
        "owner" => return Some(r#"["1000"]"#.to_owned()),
        _ => return None,
    };
    Some(json!(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_account_is_found_by_its_number() {
        let numbers: BTreeSet<String> = (0..2000).map(account_no).collect();
        assert_eq!(numbers.len(), 2000);
        for customer in 0..2000 {
            assert_eq!(customer_of(&account_no(customer)), Some(customer));
        }
        for other in [
            "", "0", "00000000", "1", "B", "B000130x", "B000131", "客户", "R000001",
        ] {
            assert_eq!(customer_of(other), None, "{other}");
        }
        assert_eq!(parse_id(&id_text(FIRST_ACCOUNT)), Some(FIRST_ACCOUNT));
        assert_eq!(id_text(FIRST_ID).len(), 24);
        assert_eq!(parse_id("6531"), None);
    }

    #[test]
    fn objects_have_their_own_kind() {
        assert_eq!(whose("AccountObj"), Some(Whose::Preset));
        assert_eq!(whose("object_7aB__c"), Some(Whose::Custom));
        assert_eq!(
            (whose("Nobody"), whose("__c"), whose("a b__c")),
            (None, None, None)
        );
        assert!(has_field("AccountObj", "field_x__c") && has_field("object_1__c", "whatever"));
        assert!(!has_field("AccountObj", "acount_no") && !has_field("object_1__c", "a\"b"));
    }
}
