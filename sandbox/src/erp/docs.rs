//! Documents of the ERP: those that were sent to it, rebuilt from the journal at start, and orders and customers made from
//! the seed.
//!
//! The customers are the ERP's own: no other system has them, under no number that another one gives. They are computed
//! when they are asked for; one that was written to is kept like any document that was sent, with what was sent over what
//! the seed says.
//!
//! A document keeps its fields as they were sent; what an update does not name stays, lines too. The same journal gives
//! the same ids of lines.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;
use serde_json::value::RawValue;

use super::form::raw;
use crate::data::{Data, cid, draw};
use crate::journal::RowLine;
use crate::kingdee::store::Fields;
use crate::names;
use crate::object::Object;
use crate::office::text;
use crate::sale::{Buyer, Sale, sku};
use crate::state::World;

/// The objects there are, and the lists of lines of each.
pub(super) const CUSTOMER: &str = "BD_Customer.BillHead";
pub(super) const ORDER: &str = "erpSalesOrderObj";
pub(super) const PRODUCTS: &str = "erpSalesOrderProductObj";
pub(super) const PLANS: &str = "erpPaymentPlanObj";

/// First internal id of a document that was sent; what the seed makes has lower ones.
const FIRST_ID: u64 = 60_000_001;
/// Internal ids of seeded customers begin here.
const FIRST_CUSTOMER: u64 = 40_000_001;
/// What their numbers begin with.
const NUMBER: &str = "KH";
/// For so many customers that the other systems have, the ERP has one of its own.
const OWN_EVERY: u64 = 10;
/// Names and addresses are drawn for customers from here on, far behind those of the other systems.
const OWN_FROM: u64 = 1 << 42;
/// Internal ids of seeded orders begin here.
const FIRST_ORDER: u64 = 50_000_001;
/// Ids of the lines of one document.
const LINES: u64 = 1_000;

/// The lists of lines of an object; `None` when there is no such object.
pub(super) fn details_of(object: &str) -> Option<&'static [&'static str]> {
    match object {
        CUSTOMER => Some(&[]),
        ORDER => Some(&[PRODUCTS, PLANS]),
        _ => None,
    }
}

/// Lists of lines by name.
pub(super) type Lines = BTreeMap<String, Vec<Fields>>;

/// A document as it came.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) master: Fields,
    pub(super) lines: Lines,
}

impl Sent {
    /// Of the members of a body, or of a line of the journal. One line that is not a list is a list of one: XML does not
    /// tell them apart.
    pub(super) fn of(members: &Fields) -> Result<Sent, String> {
        let wrong = |name: &str| format!("{name} 应为对象");
        let object = |raw: Option<&Box<RawValue>>, name: &str| match raw.map(|raw| raw.get()) {
            None | Some("null" | "\"\"") => Ok(Fields::new()),
            Some(text) => serde_json::from_str(text).map_err(|_| wrong(name)),
        };
        let master = object(members.get("masterFieldVal"), "masterFieldVal")?;
        let mut lines = Lines::new();
        for (name, list) in object(members.get("detailFieldVals"), "detailFieldVals")? {
            let one = || serde_json::from_str(list.get()).map(|line: Fields| vec![line]);
            let read: Vec<Fields> = match list.get() {
                "\"\"" => Vec::new(),
                text => serde_json::from_str(text)
                    .or_else(|_| one())
                    .map_err(|_| wrong(&name))?,
            };
            lines.insert(name, read);
        }
        Ok(Sent { master, lines })
    }

    /// As the journal keeps it.
    pub(super) fn content(&self) -> String {
        json!({"masterFieldVal": self.master, "detailFieldVals": self.lines}).to_string()
    }
}

/// A document that was sent, or a customer made from the seed.
#[derive(Debug, Default, Clone)]
pub(crate) struct Doc {
    object: String,
    pub(super) number: String,
    master: Fields,
    lines: Lines,
    pub(super) modified_ms: i64,
    pub(super) version: u64,
    /// Lines that ever had an id.
    counted: u64,
}

impl Doc {
    /// Puts in what was sent, and gives an id to every line that has none.
    fn take(&mut self, id: u64, sent: Sent) {
        self.master.extend(sent.master);
        for (name, lines) in sent.lines {
            let known = self.lines.entry(name).or_default();
            for mut line in lines {
                let told = text(&line, "id");
                let same = known
                    .iter_mut()
                    .find(|known| text(known, "id") == told && !told.is_empty());
                if let Some(known) = same {
                    known.extend(line);
                    continue;
                }
                self.counted += 1;
                line.insert(
                    "id".to_owned(),
                    raw(&json!((id * LINES + self.counted).to_string())),
                );
                known.push(line);
            }
        }
    }

    /// The id of a line.
    pub(super) fn has_line(&self, list: &str, id: &str) -> bool {
        let lines = self.lines.get(list).into_iter().flatten();
        lines.into_iter().any(|line| text(line, "id") == id)
    }

    /// The ids that the lines sent have now, list by list, each with its line.
    pub(super) fn ids<'s>(&self, sent: &'s Sent) -> Vec<(&'s str, Vec<(String, String)>)> {
        let ids = |name: &String, lines: &Vec<Fields>| {
            let known = self.lines.get(name).map_or(&[][..], Vec::as_slice);
            let new = lines.iter().filter(|line| text(line, "id").is_empty()).count();
            // New lines stand at the end, in the order in which they were sent.
            let mut fresh = known.iter().skip(known.len() - new).map(|line| text(line, "id"));
            let each = lines.iter().enumerate().map(|(nth, line)| {
                let told = text(line, "id");
                let id = if told.is_empty() {
                    fresh.next().unwrap_or_default()
                } else {
                    told
                };
                let key = text(line, "number");
                (
                    if key.is_empty() {
                        (nth + 1).to_string()
                    } else {
                        key
                    },
                    id,
                )
            });
            each.collect()
        };
        sent.lines
            .iter()
            .map(|(name, lines)| (name.as_str(), ids(name, lines)))
            .collect()
    }
}

/// The documents that were sent.
#[derive(Debug, Default)]
pub(crate) struct Docs {
    by_id: BTreeMap<u64, Doc>,
}

impl Docs {
    pub(super) fn count(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn next_id(&self) -> u64 {
        let last = self.by_id.last_key_value().map_or(0, |(id, _)| *id);
        (last + 1).max(FIRST_ID)
    }

    /// Does what a row of the journal says, to what was there before without having been sent.
    pub(super) fn apply(&mut self, object: &str, at_ms: i64, row: &RowLine, before: Option<Doc>) {
        let doc = self
            .by_id
            .entry(row.id)
            .or_insert_with(|| before.unwrap_or_default());
        object.clone_into(&mut doc.object);
        row.number.clone_into(&mut doc.number);
        doc.modified_ms = at_ms;
        doc.version = row.version;
        let members: Fields = serde_json::from_str(&row.content).unwrap_or_default();
        doc.take(row.id, Sent::of(&members).unwrap_or_default());
    }
}

/// How many customers the ERP has of its own.
fn own_customers(data: &Data) -> u64 {
    data.customers().div_ceil(OWN_EVERY)
}

fn own_ids(data: &Data) -> std::ops::Range<u64> {
    FIRST_CUSTOMER..FIRST_CUSTOMER + own_customers(data)
}

/// When such a customer was made: within the stretch of the sales.
fn made_ms(data: &Data, id: u64) -> i64 {
    let spread = u64::try_from(data.spread_ms.max(1)).unwrap_or(1);
    let offset = i64::try_from(draw(data.seed, 70, id) % spread).unwrap_or(0);
    data.base_ms - data.spread_ms + offset
}

/// A customer as the seed makes it, whatever was written to it since.
pub(super) fn own(data: &Data, object: &str, id: u64) -> Option<Doc> {
    if object != CUSTOMER || !own_ids(data).contains(&id) {
        return None;
    }
    let nth = id - FIRST_CUSTOMER;
    let who = OWN_FROM + nth;
    let h = draw(data.seed, 71, nth);
    let number = format!("{NUMBER}{:06}", nth + 1);
    let phone = format!("0571-{:08}", h % 100_000_000);
    let address = format!("{}市解放路{}号", names::city(data.seed, who), 1 + nth % 900);
    let fields = [
        ("number", number.clone()),
        ("name", names::nick(data.seed, who)),
        ("phone", phone),
        ("address", address),
        ("remark", names::remark(h >> 32).to_owned()),
    ];
    let field = |(name, text): (&str, String)| (name.to_owned(), raw(&json!(text)));
    Some(Doc {
        object: CUSTOMER.to_owned(),
        number,
        master: fields.into_iter().map(field).collect(),
        modified_ms: made_ms(data, id),
        ..Doc::default()
    })
}

/// A document as it stands.
pub(super) fn get<'w>(world: &'w World, object: &str, id: u64) -> Option<Cow<'w, Doc>> {
    match world.erp.by_id.get(&id) {
        Some(doc) => (doc.object == object).then_some(Cow::Borrowed(doc)),
        None => own(&world.data, object, id).map(Cow::Owned),
    }
}

/// The first document of a number.
pub(super) fn find(world: &World, object: &str, number: &str) -> Option<u64> {
    let nth = number
        .strip_prefix(NUMBER)
        .and_then(|digits| digits.parse::<u64>().ok());
    let own = nth.and_then(|nth| FIRST_CUSTOMER.checked_add(nth)?.checked_sub(1));
    let has_it = |id: &u64| get(world, object, *id).is_some_and(|doc| doc.number == number);
    let same = |(_, doc): &(&u64, &Doc)| doc.object == object && doc.number == number;
    own.filter(has_it)
        .or_else(|| world.erp.by_id.iter().find(same).map(|(id, _)| *id))
}

/// The ids of an object's documents that changed within a stretch of time, in the order of their changes.
pub(super) fn changed(world: &World, object: &str, span: (i64, i64)) -> Vec<u64> {
    let (data, sent) = (&world.data, &world.erp.by_id);
    let own = if object == CUSTOMER { own_ids(data) } else { 0..0 };
    let own = own
        .filter(|id| !sent.contains_key(id))
        .map(|id| (made_ms(data, id), id));
    let sent = sent.iter().filter(|(_, doc)| doc.object == object);
    let mut found: Vec<(i64, u64)> = own
        .chain(sent.map(|(id, doc)| (doc.modified_ms, *id)))
        .filter(|(ms, _)| (span.0..span.1).contains(ms))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, id)| id).collect()
}

/// A document as it is answered.
pub(super) fn shown(id: u64, doc: &Doc, details: bool) -> String {
    let mut master = doc.master.clone();
    master.insert("id".to_owned(), raw(&json!(id.to_string())));
    master.insert("number".to_owned(), raw(&json!(doc.number)));
    let lines = if details { json!(doc.lines) } else { json!({}) };
    row(&doc.object, &json!(master).to_string(), &lines.to_string())
}

fn row(object: &str, master: &str, lines: &str) -> String {
    format!(r#"{{"objAPIName":"{object}","masterFieldVal":{master},"detailFieldVals":{lines}}}"#)
}

fn cents(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The internal id of a seeded order.
fn order_id(sale: &Sale) -> u64 {
    FIRST_ORDER + sale.serial
}

/// Whether a seeded order is the one that is asked for, by id or number.
pub(super) fn is_order(sale: &Sale, asked: &str) -> bool {
    order_id(sale).to_string() == asked || number_of(sale) == asked
}

fn number_of(sale: &Sale) -> String {
    format!("{:010}", sale.serial + 4_270_002)
}

/// Half of the orders that were changed are cancelled, by their serial numbers.
fn status(sale: &Sale) -> &'static str {
    match (sale.is_moved, sale.serial % 2) {
        (false, _) => "normal",
        (true, 0) => "cancelled",
        (true, _) => "changed",
    }
}

/// A seeded order: its lines are the goods of the sale, and it is paid at once or in two parts.
pub(super) fn order(world: &World, sale: &Sale, details: bool) -> String {
    let (id, number) = (order_id(sale), number_of(sale));
    let (mut total, mut goods) = (0, Vec::new());
    for (nth, line) in world.data.lines(sale).iter().enumerate() {
        let sum = line.quantity * line.cents;
        total += sum;
        let mut out = Object::new();
        out.text("id", &format!("{id}{:02}", nth + 1));
        out.text("number", &format!("{number}-{:04}", nth + 1));
        out.text("product_id", &sku(line.goods));
        out.text("quantity", &line.quantity.to_string());
        out.text("product_price", &cents(line.cents));
        out.text("sales_price", &cents(sum));
        goods.push(out.end());
    }
    let parts = if sale.serial.is_multiple_of(3) {
        vec![total / 2, total - total / 2]
    } else {
        vec![total]
    };
    let plan = |(nth, part): (usize, &u64)| {
        let day = i64::try_from(nth).unwrap_or(0) * 30 * crate::state::DAY_MS;
        let mut out = Object::new();
        out.text("id", &format!("{id}{:02}", nth + 51));
        out.text("number", &format!("{number}-P{}", nth + 1));
        out.raw("plan_date", sale.ms + day);
        out.text("amount", &cents(*part));
        out.end()
    };
    let plans: Vec<String> = parts.iter().enumerate().map(plan).collect();
    let mut master = Object::new();
    master.text("id", &id.to_string());
    master.text("number", &number);
    match sale.buyer {
        Buyer::Known(customer) => {
            master.text("order_account_id", &cid(customer));
            master.text("order_account_name", &world.data.nick(&world.changes, customer));
        }
        Buyer::Unknown(_) => {
            master.text("order_account_id", "");
        }
    }
    master.text("order_origin_price", &cents(total));
    master.text("sales_order_discount_price", &cents(total));
    master.text("receiver_phone", &format!("138{:08}", sale.serial % 100_000_000));
    master.text("status", status(sale));
    master.raw("modify_time", sale.ms);
    let mut lines = Object::new();
    if details {
        lines.list(PRODUCTS, &goods).list(PLANS, &plans);
    }
    row(ORDER, &master.end(), &lines.end())
}
