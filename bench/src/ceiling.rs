//! The mapping as a person would write it for this one record: typed rows, amounts as integers, text straight out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::mapping::Mapping;
use crate::trade;

/// What is read of a trade; texts are borrowed where they have no escapes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trade<'r> {
    #[serde(borrow)]
    tid: Cow<'r, str>,
    #[serde(borrow)]
    status: Cow<'r, str>,
    #[serde(borrow)]
    buyer_nick: Cow<'r, str>,
    #[serde(borrow)]
    receiver_name: Cow<'r, str>,
    #[serde(borrow)]
    receiver_mobile: Cow<'r, str>,
    #[serde(borrow)]
    receiver_state: Cow<'r, str>,
    #[serde(borrow)]
    receiver_city: Cow<'r, str>,
    #[serde(borrow)]
    receiver_address: Cow<'r, str>,
    #[serde(borrow)]
    payment: Cow<'r, str>,
    #[serde(borrow)]
    post_fee: Cow<'r, str>,
    #[serde(borrow)]
    discount_fee: Cow<'r, str>,
    pay_time: i64,
    shop_id: i64,
    #[serde(borrow)]
    shop_nick: Cow<'r, str>,
    cid: u64,
    #[serde(borrow)]
    seller_memo: Cow<'r, str>,
    #[serde(borrow)]
    orders: Vec<Line<'r>>,
}

impl Trade<'_> {
    /// What it is known by.
    pub fn key(&self) -> &str {
        &self.tid
    }
}

/// What is read of a line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'r> {
    #[serde(borrow)]
    sku_code: Cow<'r, str>,
    #[serde(borrow)]
    title: Cow<'r, str>,
    num: i64,
    #[serde(borrow)]
    price: Cow<'r, str>,
}

/// The mapping.
pub struct Ceiling {
    customers: HashMap<u64, String>,
}

impl Ceiling {
    /// Knows the customers.
    pub fn new() -> Self {
        let customers = trade::customers();
        Ceiling {
            customers: customers
                .into_iter()
                .map(|(cid, id)| (cid.parse().expect("a number"), id))
                .collect(),
        }
    }

    /// The document of a trade.
    ///
    /// # Panics
    /// Never: what is written goes into a text.
    pub fn document(&self, row: &Trade<'_>) -> String {
        let mut out = String::with_capacity(1_024);
        out.push_str("{\"FBillNo\":");
        text(&[&row.tid], &mut out);
        for (name, value) in [
            ("FBuyer", &row.buyer_nick),
            ("FReceiver", &row.receiver_name),
            ("FPhone", &row.receiver_mobile),
            ("FPost", &row.post_fee),
        ] {
            member(name, &mut out);
            text(&[value], &mut out);
        }
        write!(out, ",\"FShopId\":\"{}\",\"FAddress\":", row.shop_id).expect("a String takes everything");
        text(
            &[&row.receiver_state, &row.receiver_city, &row.receiver_address],
            &mut out,
        );
        member("FRemark", &mut out);
        text(&["HUKE-", &row.tid, "/", &row.shop_nick], &mut out);
        member("FStatus", &mut out);
        out.push_str(match row.status.as_ref() {
            "TRADE_FINISHED" => "\"C\"",
            "WAIT_SELLER_SEND" => "\"A\"",
            _ => "\"B\"",
        });
        member("FDate", &mut out);
        shanghai(row.pay_time, &mut out);
        member("FAmount", &mut out);
        amount(
            cents(&row.payment) + cents(&row.post_fee) - cents(&row.discount_fee),
            &mut out,
        );
        member("FMemo", &mut out);
        if row.seller_memo.contains('\n') {
            text(&[&row.seller_memo.replace('\n', " ")], &mut out);
        } else {
            text(&[&row.seller_memo], &mut out);
        }
        member("FCustId", &mut out);
        text(
            &[self.customers.get(&row.cid).map_or("", String::as_str)],
            &mut out,
        );
        out.push_str(",\"FEntity\":[");
        for (index, line) in row.orders.iter().enumerate() {
            out.push_str(if index > 0 {
                ",{\"FMaterialId\":"
            } else {
                "{\"FMaterialId\":"
            });
            text(&[&line.sku_code], &mut out);
            member("FName", &mut out);
            text(&[&line.title], &mut out);
            write!(out, ",\"FQty\":{},\"FAmount\":", line.num).expect("a String takes everything");
            amount(cents(&line.price) * line.num, &mut out);
            out.push('}');
        }
        out.push_str("]}");
        out
    }
}

impl Default for Ceiling {
    fn default() -> Self {
        Ceiling::new()
    }
}

impl Mapping for Ceiling {
    type Row<'r> = Trade<'r>;
    type Out = String;

    fn name(&self) -> &'static str {
        "by hand (ceiling)"
    }

    fn parse<'r>(&self, json: &'r str) -> Trade<'r> {
        serde_json::from_str(json).expect("a trade")
    }

    fn map(&mut self, page: Vec<Trade<'_>>) -> Vec<String> {
        page.iter().map(|row| self.document(row)).collect()
    }

    fn print(&self, document: &String, to: &mut Vec<u8>) {
        to.extend_from_slice(document.as_bytes());
    }
}

fn member(name: &str, out: &mut String) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
}

/// A JSON text of these parts; stretches without escapes are copied whole.
fn text(parts: &[&str], out: &mut String) {
    out.push('"');
    for part in parts {
        let mut from = 0;
        for (at, byte) in part.bytes().enumerate() {
            let escape = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                _ => continue,
            };
            out.push_str(&part[from..at]);
            out.push_str(escape);
            from = at + 1;
        }
        out.push_str(&part[from..]);
    }
    out.push('"');
}

/// Hundredths of an amount that is written with two digits behind the point.
fn cents(amount: &str) -> i64 {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, "0"));
    whole.parse::<i64>().unwrap_or(0) * 100 + part.parse::<i64>().unwrap_or(0)
}

fn amount(cents: i64, out: &mut String) {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.abs();
    write!(out, "{sign}{}.{:02}", cents / 100, cents % 100).expect("a String takes everything");
}

/// A quoted date and time of Shanghai, which has been eight hours ahead all year round since 1991.
fn shanghai(ms: i64, out: &mut String) {
    let seconds = ms.div_euclid(1_000) + 8 * 3_600;
    let (days, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years that begin in March put the leap day last.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    write!(
        out,
        "\"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}\""
    )
    .expect("a String takes everything");
}
