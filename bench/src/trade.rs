//! The reference record: a trade of about 880 bytes of JSON with one to four lines, made from its number.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Customers that trades belong to.
pub const CUSTOMERS: u64 = 5_000;

const FAMILY: &[&str] = &["赵", "钱", "孙", "李", "周", "吴", "欧阳", "司马"];
const GIVEN: &[&str] = &["小明", "丽华", "建国", "雨桐", "浩然", "芳"];
const PLACES: &[(&str, &str)] = &[
    ("浙江省", "杭州市"),
    ("浙江省", "宁波市"),
    ("广东省", "深圳市"),
    ("江苏省", "苏州市"),
    ("四川省", "成都市"),
];
const STREETS: &[&str] = &["人民路", "解放大道", "科技园南区", "滨江大道"];
const STATES: &[&str] = &[
    "WAIT_BUYER_PAY",
    "WAIT_SELLER_SEND",
    "TRADE_FINISHED",
    "TRADE_CLOSED",
];
const GOODS: &[&str] = &[
    "纯棉T恤 男款",
    "运动水杯 750ml",
    "无线鼠标 静音版",
    "瑜伽垫 加厚\\\"10mm\\\"",
];
const MEMOS: &[&str] = &[
    "",
    "急件,请优先发货",
    "送礼用\\n请不要放小票",
    "周末送货\\n电话联系\\n勿放门卫",
];

/// A trade as JSON.
pub fn trade(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 17) % n
    };
    macro_rules! pick {
        ($from:expr) => {
            $from[usize::try_from(below($from.len() as u64)).unwrap_or(0)]
        };
    }
    let (province, city) = pick!(PLACES);
    let shop = 1_001 + below(24);
    let (mut lines, mut total) = (String::new(), 0);
    for line in 0..=below(4) {
        let (num, cents) = (1 + below(5), 100 + below(30_000));
        total += num * cents;
        let comma = if line > 0 { "," } else { "" };
        write!(
            lines,
            "{comma}{{\"oid\":{},\"skuCode\":\"SKU{:06}\",\"title\":\"{}\",\"num\":{num},\"price\":\"{}\",\"discount\":\"0.00\",\
             \"refund\":{}}}",
            number * 10 + line,
            below(20_000),
            pick!(GOODS),
            money(cents),
            below(20) == 0,
        )
        .expect("a String takes everything");
    }
    let mut out = String::with_capacity(1_200);
    write!(
        out,
        "{{\"tid\":\"T2026{number:012}\",\"status\":\"{}\",\"buyerNick\":\"{}{}_{}\",\"receiverName\":\"{}{}\",\
         \"receiverMobile\":\"138{:08}\",\"receiverState\":\"{province}\",\"receiverCity\":\"{city}\",\
         \"receiverAddress\":\"{}{}号{}单元\",\"payment\":\"{}\",\"postFee\":\"{}\",\"discountFee\":\"{}\",\
         \"payTime\":{},\"modified\":\"2026-03-{:02} {:02}:{:02}:00\",\"shopId\":{shop},\"shopNick\":\"旗舰店{shop}号\",\
         \"cid\":{},\"sellerMemo\":\"{}\",\"invoice\":{},\"hasRefund\":{},\"weight\":{}.{},\"tags\":[\"vip\",\"老客\"],\
         \"orders\":[{lines}]}}",
        pick!(STATES),
        pick!(FAMILY),
        pick!(GIVEN),
        below(9_999),
        pick!(FAMILY),
        pick!(GIVEN),
        below(100_000_000),
        pick!(STREETS),
        1 + below(900),
        1 + below(20),
        money(total),
        money(below(3) * 600),
        money(below(total.min(5_000))),
        1_767_196_800_000 + number * 37_123 % 31_000_000_000,
        1 + below(28),
        below(24),
        below(60),
        below(CUSTOMERS),
        pick!(MEMOS),
        if below(3) == 0 { "null" } else { "{\"type\":1,\"title\":\"某某科技有限公司\"}" },
        below(2) == 0,
        below(9),
        1 + below(9),
    )
    .expect("a String takes everything");
    out
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// What the target calls each customer.
pub fn customers() -> HashMap<String, String> {
    (0..CUSTOMERS)
        .map(|cid| {
            (
                cid.to_string(),
                format!("CUST-{:06}-{cid}", cid * 7_919 % 1_000_000),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_is_json_of_the_size_it_says() {
        let bytes: usize = (0..1_000).map(|n| trade(n).len()).sum();
        assert!((800_000..960_000).contains(&bytes), "{bytes}");
        for n in 0..1_000 {
            let value: serde_json::Value = serde_json::from_str(&trade(n)).expect("JSON");
            assert_eq!(value.as_object().map(serde_json::Map::len), Some(22));
            let lines = value["orders"].as_array().map_or(0, Vec::len);
            assert!((1..=4).contains(&lines));
        }
        assert_eq!(trade(7), trade(7));
    }
}
