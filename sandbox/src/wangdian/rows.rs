//! Sales and goods in the words of Wangdiantong.
//!
//! Names of members are the vendor's. Guesses: which of them an Enterprise row has beside the numbers and lines, and
//! that a sale that was moved is the one state that is not "sent".

use super::Edition;
use crate::clock::local;
use crate::data::{Changes, Data, cid, tid};
use crate::names;
use crate::object::Object;
use crate::sale::{Buyer, GOODS, Sale, SaleLine, sku};

/// Goods of one number; each is a colour or a size of it.
const SPECS: u64 = 5;

type Page = (u64, Vec<String>);

pub(super) fn trades(
    data: &Data,
    changes: &Changes,
    span: (i64, i64),
    page: (u64, u64),
    edition: Edition,
) -> Page {
    let (total, sales) = data.sales(changes, span, page.0, page.1);
    let row = |sale: &Sale| trade(data, changes, sale, edition);
    (total, sales.iter().map(row).collect())
}

pub(super) fn stockouts(
    data: &Data,
    changes: &Changes,
    span: (i64, i64),
    page: (u64, u64),
    edition: Edition,
) -> Page {
    let (total, sales) = data.sales(changes, span, page.0, page.1);
    let row = |sale: &Sale| stockout(data, sale, edition);
    (total, sales.iter().map(row).collect())
}

/// Goods that were changed within a stretch of time; the seeded changes lie evenly in that of the trades.
pub(super) fn goods(data: &Data, span: (i64, i64), page: (u64, u64)) -> Page {
    let count = GOODS / SPECS;
    let step = data.spread_ms / i64::try_from(count).unwrap_or(1).max(1);
    let changed = |n: u64| data.base_ms - data.spread_ms + i64::try_from(n).unwrap_or(0) * step;
    let inside: Vec<u64> = (0..count)
        .filter(|n| (span.0..span.1).contains(&changed(*n)))
        .collect();
    let total = u64::try_from(inside.len()).unwrap_or(0);
    let [skip, take] = [page.0, page.1].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let rows = inside
        .iter()
        .skip(skip)
        .take(take)
        .map(|n| one_goods(*n, changed(*n)));
    (total, rows.collect())
}

/// An id: text here, a number there.
fn id(out: &mut Object, edition: Edition, name: &str, id: u64) {
    match edition {
        Edition::Enterprise => out.text(name, &id.to_string()),
        Edition::Ultimate => out.raw(name, id),
    };
}

/// Ten thousandths; likewise.
fn decimal(out: &mut Object, edition: Edition, name: &str, cents: u64) {
    let written = format!("{}.{:02}00", cents / 100, cents % 100);
    match edition {
        Edition::Enterprise => out.text(name, &written),
        Edition::Ultimate => out.raw(name, written),
    };
}

/// The number of a document; a sale that was moved keeps it.
fn number(prefix: &str, sale: &Sale) -> String {
    format!("{prefix}{:012}", sale.serial)
}

fn shop(out: &mut Object, data: &Data, sale: &Sale) {
    let shop = data.draw_sale(sale) % 12;
    out.text("shop_no", &format!("{shop:04}"))
        .text("shop_name", &format!("{}专营店", names::city(data.seed, shop)));
}

fn warehouse(out: &mut Object, data: &Data, sale: &Sale) {
    let n = data.draw_sale(sale) % 3;
    out.text("warehouse_no", &format!("{:03}", n + 1)).text(
        "warehouse_name",
        ["杭州一号仓", "华南仓（二）", "退货\"暂存\"仓"][usize::try_from(n).unwrap_or(0)],
    );
}

fn goods_of(out: &mut Object, line: &SaleLine) {
    out.text("spec_no", &sku(line.goods))
        .text("goods_no", &format!("K{:05}", line.goods / SPECS))
        .text("goods_name", names::goods(line.goods / SPECS))
        .text("spec_name", "白色;均码");
}

fn sum(lines: &[SaleLine]) -> u64 {
    lines.iter().map(|line| line.cents * line.quantity).sum()
}

fn trade(data: &Data, changes: &Changes, sale: &Sale, edition: Edition) -> String {
    let (h, who, made) = (data.draw_sale(sale), sale.customer(), local(sale.ms));
    let lines = data.lines(sale);
    let detail = |(n, line): (u64, &SaleLine)| {
        let mut out = Object::new();
        // A number that a double cannot hold.
        id(
            &mut out,
            edition,
            "rec_id",
            9_007_199_254_740_993 + sale.serial * 4 + n,
        );
        out.text("src_tid", &tid(sale.serial))
            .text("src_oid", &format!("{}{n:02}", tid(sale.serial)));
        goods_of(&mut out, line);
        decimal(&mut out, edition, "num", line.quantity * 100);
        decimal(&mut out, edition, "price", line.cents);
        decimal(&mut out, edition, "share_amount", line.cents * line.quantity);
        out.end()
    };
    let details: Vec<String> = (1..).zip(&lines).map(detail).collect();
    let mut out = Object::new();
    id(
        &mut out,
        edition,
        "trade_id",
        2_800_000_000_000_000_000 + sale.serial,
    );
    out.text("trade_no", &number("JY", sale))
        .text("src_tids", &tid(sale.serial))
        .raw("trade_status", if sale.is_moved { 55 } else { 95 });
    shop(&mut out, data, sale);
    warehouse(&mut out, data, sale);
    match sale.buyer {
        Buyer::Known(customer) => {
            out.text("customer_no", &cid(customer))
                .text("buyer_nick", &data.nick(changes, customer));
        }
        Buyer::Unknown(_) => {
            out.text("customer_no", "");
        }
    }
    out.text("receiver_name", "李**")
        .text(
            "receiver_area",
            &format!("浙江省 {}市 某某区", names::city(data.seed, who)),
        )
        .text("receiver_zip", &format!("{:06}", (h >> 40) % 900_000))
        .text("cs_remark", names::remark(h >> 32));
    // One edition tells the time of the order in milliseconds, as text.
    match edition {
        Edition::Enterprise => out.text("trade_time", &made),
        Edition::Ultimate => out.text("trade_time", &sale.ms.to_string()),
    };
    out.text("pay_time", &made).text("modified", &made);
    decimal(&mut out, edition, "paid", sum(&lines));
    decimal(&mut out, edition, "post_amount", 0);
    let list = match edition {
        Edition::Enterprise => "goods_list",
        Edition::Ultimate => "detail_list",
    };
    out.list(list, &details).end()
}

fn stockout(data: &Data, sale: &Sale, edition: Edition) -> String {
    let h = data.draw_sale(sale);
    let lines = data.lines(sale);
    let detail = |(n, line): (u64, &SaleLine)| {
        let mut out = Object::new();
        id(&mut out, edition, "rec_id", 80_000_000 + sale.serial * 4 + n);
        goods_of(&mut out, line);
        let count = match edition {
            Edition::Enterprise => "num",
            Edition::Ultimate => "goods_count",
        };
        decimal(&mut out, edition, count, line.quantity * 100);
        decimal(&mut out, edition, "sell_price", line.cents);
        decimal(&mut out, edition, "share_amount", line.cents * line.quantity);
        out.text("batch_no", &format!("{:04}", line.batch)).end()
    };
    let details: Vec<String> = (1..).zip(&lines).map(detail).collect();
    let mut out = Object::new();
    id(
        &mut out,
        edition,
        "stockout_id",
        2_700_000_000_000_000_000 + sale.serial,
    );
    match edition {
        Edition::Enterprise => out
            .text("stockout_no", &number("CK", sale))
            .text("order_no", &number("JY", sale))
            .text("src_order_no", &number("JY", sale))
            .text("src_tids", &tid(sale.serial)),
        Edition::Ultimate => out
            .text("order_no", &number("CK", sale))
            .text("src_order_no", &number("JY", sale))
            .text("trade_no", &number("JY", sale))
            .text("src_trade_no", &tid(sale.serial)),
    };
    shop(&mut out, data, sale);
    warehouse(&mut out, data, sale);
    out.raw("status", if edition == Edition::Enterprise { 95 } else { 110 })
        .text("consign_time", &local(sale.ms))
        .text("modified", &local(sale.ms))
        .text("logistics_name", "顺丰速运")
        .text("logistics_no", &format!("SF{:013}", h % 10_000_000_000));
    let count = lines.iter().map(|line| line.quantity * 100).sum();
    decimal(&mut out, edition, "goods_count", count);
    decimal(&mut out, edition, "goods_total_amount", sum(&lines));
    out.list("details_list", &details).end()
}

fn one_goods(n: u64, ms: i64) -> String {
    let spec = |k: u64| {
        let code = sku(n * SPECS + k);
        let mut out = Object::new();
        out.text(
            "spec_id",
            &(2_720_000_000_000_000_000 + n * SPECS + k).to_string(),
        )
        .text("spec_no", &code)
        .text("spec_name", &format!("规格{}", k + 1))
        .text("barcode", &format!("00{:011}", n * SPECS + k))
        .text("retail_price", &format!("{}.5000", 10 + (n * 7 + k) % 900))
        .raw("deleted", "0")
        .end()
    };
    let specs: Vec<String> = (0..SPECS).map(spec).collect();
    Object::new()
        .text("goods_id", &(2_710_000_000_000_000_000 + n).to_string())
        .text("goods_no", &format!("K{n:05}"))
        .text("goods_name", names::goods(n))
        .text("unit_name", "件")
        .text("modified", &local(ms))
        .raw("deleted", "0")
        .list("spec_list", &specs)
        .end()
}
