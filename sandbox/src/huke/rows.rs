//! Sales and customers in the words of Huke.

use crate::data::{Changes, Data, cid, draw, tid, unique_id};
use crate::names;
use crate::object::Object;
use crate::sale::{Buyer, Sale};

/// The trades of a window: their number and one page of them.
pub(crate) fn trades(
    data: &Data,
    changes: &Changes,
    span: (i64, i64),
    page: (u64, u64),
) -> (u64, Vec<String>) {
    let (total, sales) = data.sales(changes, span, page.0, page.1);
    (
        total,
        sales.iter().map(|sale| trade(data, changes, sale)).collect(),
    )
}

fn trade(data: &Data, changes: &Changes, sale: &Sale) -> String {
    let h = data.draw_sale(sale);
    let (tid, ms, who) = (tid(sale.serial), sale.ms, sale.customer());
    let mut out = Object::new();
    out.text("tid", &tid);
    // A number that a double cannot hold.
    out.raw("id", 9_007_199_254_740_993 + sale.serial);
    match sale.buyer {
        Buyer::Known(customer) => {
            out.text("buyerNick", &data.nick(changes, customer));
            out.text("buyerCid", &cid(customer));
        }
        Buyer::Unknown(r) => {
            out.text("buyerNick", &format!("未建档买家{}", r + 1));
            match r % 3 {
                0 => {}
                1 => {
                    out.raw("buyerCid", "null");
                }
                _ => {
                    out.text("buyerCid", "");
                }
            }
        }
    }
    out.text("buyerMobile", &format!("13{}****{:04}", who % 10, h % 10_000));
    let status = if sale.is_moved {
        "TRADE_CHANGED"
    } else {
        "TRADE_FINISHED"
    };
    out.text("status", status);
    out.raw("createTime", ms);
    out.raw("payTime", ms + i64::try_from(h % 1800).unwrap_or(0) * 1000);
    let (yuan, cents) = (h % 5000, (h >> 16) % 100);
    out.text("payment", &format!("{yuan}.{cents:02}"));
    out.text("postFee", "0.00");
    out.text("dealer", &format!("{:04}", (h >> 24) % 40));
    out.text("remark", names::remark(h >> 32));
    let mut receiver = Object::new();
    receiver.text("city", names::city(data.seed, who));
    receiver.text("zip", &format!("{:06}", (h >> 40) % 900_000));
    out.raw("receiver", receiver.end());
    let mut order = Object::new();
    order.text("oid", &format!("{tid}01"));
    order.text("outerId", &format!("{:05}", (h >> 36) % 500));
    order.text("title", names::goods(h >> 44));
    order.raw("quantity", h % 5 + 1);
    // Prices keep their trailing zero as numbers too.
    order.raw("payPrice", format_args!("{yuan}.{cents:02}"));
    order.raw("Price", format_args!("{}.50", yuan + 1));
    out.list("orders", &[order.end()]);
    out.end()
}

/// The customer list: how many there are, and one page of them.
pub(crate) fn customers(data: &Data, changes: &Changes, page: (u64, u64)) -> (u64, Vec<String>) {
    let (total, codes) = data.customer_codes(changes, page.0, page.1);
    let row = |customer: u64| {
        let mut out = Object::new();
        out.text("cid", &cid(customer));
        out.text("唯一ID", &unique_id(customer));
        out.text("nick", &data.nick(changes, customer));
        out.text("city", names::city(data.seed, customer));
        out.raw("level", draw(data.seed, 7, customer) % 5);
        out.end()
    };
    (total, codes.into_iter().map(row).collect())
}
