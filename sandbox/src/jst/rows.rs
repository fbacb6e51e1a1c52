//! Sales in the words of Jushuitan: orders, stock-outs, refunds; and the shops they were made in.
//!
//! Names of members are the vendor's as far as public clients read them; `batch_no` in a line, the status words and
//! which amounts are text and which are numbers are guesses.

use crate::clock::local;
use crate::data::{Changes, Data, cid, draw, tid};
use crate::names;
use crate::object::Object;
use crate::sale::{Buyer, Sale, sku};

const SHOPS: u64 = 12;
const FIRST_SHOP: u64 = 10_026_001;
/// One sale of so many is returned.
const REFUND_EVERY: u64 = 9;
/// Versions within a millisecond.
const PLACES: u64 = 1000;
const PLACES_MS: i64 = 1000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Orders,
    Outs,
    Refunds,
}

impl Of {
    /// Where its rows stand in the answer.
    pub(super) fn list(self) -> &'static str {
        match self {
            Of::Orders => "orders",
            Of::Outs | Of::Refunds => "datas",
        }
    }
}

fn shop_of(data: &Data, sale: &Sale) -> u64 {
    FIRST_SHOP + data.draw_sale(sale) % SHOPS
}

pub(super) fn has_shop(id: &str) -> bool {
    let known = |n: u64| (FIRST_SHOP..FIRST_SHOP + SHOPS).contains(&n);
    id.parse().is_ok_and(known)
}

fn shop_name(data: &Data, shop: u64) -> String {
    let kinds = ["旗舰店", "专营店", "\"抖音\"小店", "拼多多店"];
    let kind = usize::try_from(shop % 4).unwrap_or(0);
    format!("{}{}", names::city(data.seed, shop), kinds[kind])
}

/// All shops there are, and one page of them.
pub(super) fn shops(data: &Data, page: (u64, u64)) -> (u64, Vec<String>) {
    let to = SHOPS.min(page.0.saturating_add(page.1));
    let shops = (page.0..to).map(|n| {
        let shop = FIRST_SHOP + n;
        let mut out = Object::new();
        out.raw("shop_id", shop)
            .text("shop_name", &shop_name(data, shop))
            // A code of one's own, with leading zeros.
            .text("shop_code", &format!("{n:04}"))
            .text("shop_site", "淘宝天猫")
            .raw("co_id", 10_026_000)
            .text("created", &local(data.base_ms - data.spread_ms))
            .raw("enabled", "true")
            .end()
    });
    (SHOPS, shops.collect())
}

/// The rows of a window, of one shop unless `shop` is empty: their number and one page.
pub(super) fn page(
    data: &Data,
    changes: &Changes,
    span: (i64, i64),
    page: (u64, u64),
    of: Of,
    shop: &str,
) -> (u64, Vec<String>) {
    let (total, sales) = if of != Of::Refunds && shop.is_empty() {
        data.sales(changes, span, page.0, page.1)
    } else {
        let wanted: Option<u64> = shop.parse().ok();
        data.sales_where(changes, span, page, |sale| {
            let is_of_shop = wanted.is_none_or(|wanted| shop_of(data, sale) == wanted);
            is_of_shop && (of != Of::Refunds || is_returned(sale))
        })
    };
    let rows = sales.iter().map(|sale| row(data, changes, sale, of));
    (total, rows.collect())
}

/// Rows from a version on, in order of it: how many there are, and one page.
pub(super) fn page_since(
    data: &Data,
    changes: &Changes,
    since: i64,
    page: (u64, u64),
    of: Of,
    shop: &str,
) -> (u64, Vec<String>) {
    let wanted: Option<u64> = shop.parse().ok();
    let is_meant = |sale: &Sale| {
        let is_of_shop = wanted.is_none_or(|wanted| shop_of(data, sale) == wanted);
        is_of_shop && (of != Of::Refunds || is_returned(sale)) && ts(sale) >= since
    };
    let span = (ms_of(since), i64::MAX);
    let (total, mut sales) = data.sales_where(changes, span, (0, u64::MAX), is_meant);
    sales.sort_by_key(ts);
    let [skip, take] = [page.0, page.1].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let rows = sales.iter().skip(skip).take(take);
    (total, rows.map(|sale| row(data, changes, sale, of)).collect())
}

/// The version of a row: rises with the time of its last change, and differs between rows of one instant.
fn ts(sale: &Sale) -> i64 {
    let place = i64::try_from(sale.serial % PLACES).unwrap_or(0);
    sale.ms.saturating_mul(PLACES_MS) + place
}

/// The instant of a version.
pub(super) fn ms_of(ts: i64) -> i64 {
    ts / PLACES_MS
}

fn is_returned(sale: &Sale) -> bool {
    sale.serial % REFUND_EVERY == 4
}

fn row(data: &Data, changes: &Changes, sale: &Sale, of: Of) -> String {
    match of {
        Of::Orders => order(data, changes, sale),
        Of::Outs => out(data, sale),
        Of::Refunds => refund(data, sale),
    }
}

/// `12.50`
fn yuan(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Number of the order in this system.
fn o_id(sale: &Sale) -> u64 {
    30_000_000 + sale.serial
}

fn order(data: &Data, changes: &Changes, sale: &Sale) -> String {
    let (h, who, made) = (data.draw_sale(sale), sale.customer(), local(sale.ms));
    let lines = data.lines(sale);
    let mut items = Vec::new();
    for (n, line) in (1..).zip(&lines) {
        items.push(
            Object::new()
                // A number that a double cannot hold.
                .raw("oi_id", 9_007_199_254_740_993 + sale.serial * 4 + n)
                .text("sku_id", &sku(line.goods))
                .text("i_id", &format!("K{:05}", line.goods / 5))
                .text("name", names::goods(line.goods))
                .text("properties_value", "白色;均码")
                .raw("qty", line.quantity)
                .text("price", &yuan(line.cents))
                .text("amount", &yuan(line.cents * line.quantity))
                .raw("is_gift", "false")
                .text("outer_oi_id", &format!("{}{n:02}", tid(sale.serial)))
                .end(),
        );
    }
    let sum: u64 = lines.iter().map(|line| line.cents * line.quantity).sum();
    let mut row = Object::new();
    row.raw("o_id", o_id(sale))
        .text("so_id", &tid(sale.serial))
        .raw("shop_id", shop_of(data, sale))
        .text("shop_name", &shop_name(data, shop_of(data, sale)))
        .text("order_date", &made)
        .text("pay_date", &made)
        .text("modified", &made)
        .raw("ts", ts(sale))
        .text("status", if sale.is_moved { "Delivering" } else { "Sent" });
    match sale.buyer {
        Buyer::Known(customer) => {
            row.text("shop_buyer_id", &cid(customer))
                .text("buyer_nick", &data.nick(changes, customer));
        }
        Buyer::Unknown(_) => {
            row.raw("shop_buyer_id", "null");
        }
    }
    row.text("receiver_name", "张**")
        .text("receiver_mobile", &format!("13{}****{:04}", who % 10, h % 10_000))
        .text("receiver_city", names::city(data.seed, who))
        .text("receiver_zip", &format!("{:06}", (h >> 40) % 900_000))
        .text("remark", names::remark(h >> 32))
        // Amounts of the order are numbers that keep their last zero.
        .raw("pay_amount", yuan(sum))
        .raw("freight", "0.00")
        .text("l_id", &format!("SF{:013}", h % 10_000_000_000))
        .list("items", &items)
        .end()
}

fn out(data: &Data, sale: &Sale) -> String {
    let h = data.draw_sale(sale);
    let mut items = Vec::new();
    for (n, line) in (1..).zip(data.lines(sale)) {
        items.push(
            Object::new()
                .raw("ioi_id", 60_000_000 + sale.serial * 4 + n)
                .text("sku_id", &sku(line.goods))
                .text("name", names::goods(line.goods))
                .raw("qty", line.quantity)
                .raw("sale_price", yuan(line.cents))
                .raw("sale_amount", yuan(line.cents * line.quantity))
                .text("batch_no", &format!("{:04}", line.batch))
                .end(),
        );
    }
    Object::new()
        .raw("io_id", 20_000_000 + sale.serial)
        .raw("o_id", o_id(sale))
        .text("so_id", &tid(sale.serial))
        .raw("shop_id", shop_of(data, sale))
        .text("shop_name", &shop_name(data, shop_of(data, sale)))
        .raw("wms_co_id", 10_026_000 + h % 3)
        .text(
            "warehouse",
            if h.is_multiple_of(3) {
                "杭州一号仓"
            } else {
                "华南仓（二）"
            },
        )
        .text("status", "Confirmed")
        .text("io_date", &local(sale.ms))
        .text("modified", &local(sale.ms))
        .raw("ts", ts(sale))
        .text("logistics_company", "顺丰速运")
        .text("l_id", &format!("SF{:013}", h % 10_000_000_000))
        .list("items", &items)
        .end()
}

fn refund(data: &Data, sale: &Sale) -> String {
    let h = draw(data.seed, 18, sale.serial);
    let mut items = Vec::new();
    // The first line comes back.
    for line in data.lines(sale).iter().take(1) {
        items.push(
            Object::new()
                .raw("asi_id", 70_000_000 + sale.serial)
                .text("sku_id", &sku(line.goods))
                .text("name", names::goods(line.goods))
                .raw("qty", line.quantity)
                .raw("price", yuan(line.cents))
                .raw("amount", yuan(line.cents * line.quantity))
                .text("type", "退货")
                .end(),
        );
    }
    Object::new()
        .raw("as_id", 40_000_000 + sale.serial)
        .text("outer_as_id", &format!("00{}", tid(sale.serial)))
        .raw("o_id", o_id(sale))
        .text("so_id", &tid(sale.serial))
        .raw("shop_id", shop_of(data, sale))
        .text("shop_name", &shop_name(data, shop_of(data, sale)))
        .text(
            "type",
            if h.is_multiple_of(2) {
                "普通退货"
            } else {
                "仅退款"
            },
        )
        .text("status", "Confirmed")
        .text("as_date", &local(sale.ms))
        .text("modified", &local(sale.ms))
        .raw("ts", ts(sale))
        .text("question_type", "七天无理由")
        .text("remark", names::remark(h))
        .list("items", &items)
        .end()
}
