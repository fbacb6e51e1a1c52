//! Expressions that customers have in production: they compile, and give what their authors meant.

mod common;

use common::{Fixed, compiled, printed};

const ROW: &str = r#"{
    "settleAccountName": "现金", "goodsDetail": {"sellCount": "3", "shareFavourableAfterFee": "100.00"},
    "goods_list": {"price": "9.90", "share_post": "1.00", "num": "3", "share_discount": 0.5, "discount": 0},
    "details_list": {"sell_price": "0", "total_amount": "20", "share_post": 1, "goods_count": 7, "tax": 0.13},
    "auditDate": 1679033795123, "estPrice": 0.00, "LAST_SYNC_TIME": 1700000000, "CURRENT_TIME": 1700000360,
    "remark": "请仔细包装", "shop_name": "杭州旗舰店", "isFree": "是", "payPrice": "88.00", "Price": "99.00",
    "wms_co_id": "12926523", "batch_no": "B1", "FOrgId": "200", "price": 2, "qty": 3,
    "details": [{"qty": 1}, {"qty": "2.5"}], "code": "AD0001"
}"#;

const ROWS: &[(&str, &str)] = &[
    (
        "CASE '{{settleAccountName}}' when '支付宝' then 104 else 103 end",
        "103",
    ),
    ("{{goodsDetail.sellCount}}*-1", "-3"),
    (
        "{{goodsDetail.shareFavourableAfterFee}}/{{goodsDetail.sellCount}}",
        "33.333333",
    ),
    (
        "{{goods_list.price}}+( {{goods_list.share_post}}/{{goods_list.num}} )",
        "10.233333",
    ),
    (
        "{{goods_list.share_discount}}+{{goods_list.share_post}}+{{goods_list.discount}}",
        "1.50",
    ),
    (
        "case '{{details_list.sell_price}}' when '0' then 'true' else 'false' end",
        "true",
    ),
    (
        "FROM_UNIXTIME( ( {{auditDate}} / 1000 ) ,'%Y-%m-%d %T' )",
        "2023-03-17 14:16:35",
    ),
    ("case {{estPrice}} when 0 then true else false end", "1"),
    ("({{LAST_SYNC_TIME}}-(3600 * 24))* 1000", "1699913600000"),
    ("{{LAST_SYNC_TIME}}000*1", "1700000000000"),
    ("{{CURRENT_TIME}}000*1", "1700000360000"),
    (
        "round({{details_list.total_amount}}/{{details_list.goods_count}},7)",
        "2.8571429",
    ),
    (
        "case when '{{remark}}'='0' then 'true' when LOCATE('仔细','{{remark}}')>0 then 'true' else 'false' end",
        "true",
    ),
    (
        "case '{{wms_co_id}}' when '12926523' then '230605' else '{{batch_no}}' end",
        "230605",
    ),
    ("case '{{isFree}}' when '是' then 'true' else 'false' end", "true"),
    (
        "case when '{{payPrice}}'>0 then '{{payPrice}}' else '{{Price}}' end",
        "88.00",
    ),
    (
        "({{details_list.total_amount}}+{{details_list.share_post}})/{{details_list.goods_count}}",
        "3.0000",
    ),
    (
        "case when '{{shop_name}}' like '%旗舰%' then 102 when '{{shop_name}}' like '%专卖%' then 101 ELSE 100 end",
        "102",
    ),
    (
        "FROM_UNIXTIME({{LAST_SYNC_TIME}}-600 ,'%Y-%m-%d %H:%i:%s' )",
        "2023-11-15 06:03:20",
    ),
    ("{{details_list.tax}} * 100", "13.00"),
    (
        "case '{{FOrgId}}' when '100' then {{price}}*{{qty}} when '200' then '201' else '{{FOrgId}}' end",
        "201",
    ),
    ("sum({{details.qty}})", "3.5"),
    (
        "CASE LEFT('{{code}}',2) WHEN 'AD' THEN 100 WHEN 'BC' THEN 101 ELSE 103 END",
        "100",
    ),
    (
        "CASE LOCATE('检索','{{remark}}') WHEN 0 THEN '{{Price}}' ELSE '{{payPrice}}' END",
        "99.00",
    ),
    (
        "case _findCollection find FIsKFPeriod from 66da8241-98f4-39f9-8fee-cac02e30e532 where FNumber={{code}} \
         _endFind when true then '{{batch_no}}' else '' end",
        "",
    ),
    (
        "FROM_UNIXTIME(UNIX_TIMESTAMP() - 3600, '%Y-%m-%d %H:%i:%s')",
        "2023-11-15 05:13:20",
    ),
    ("IFNULL({{qty}}, 0) * {{price}}", "6"),
    ("{{price}} * (1 + {{details_list.tax}})", "2.26"),
];

#[test]
fn they_give_what_their_authors_meant() {
    let env = Fixed::new(ROW);
    for (expr, want) in ROWS {
        assert_eq!(printed(expr, &env).as_deref(), Ok(*want), "{expr}");
    }
}

/// Published as working, but broken: each gets an error that says how to write it.
#[test]
fn what_cannot_work_is_refused() {
    let rows = [
        ("round({{{a.b}}/{{a.c}},7)", "E1305"),
        (
            "case when '1'<='70' then '_findCollection find state from x where state in ('301')' then '70' end",
            "E1350",
        ),
        ("a > b ? x : y", "E1312"),
        ("Math.floor(Date.now() / 1000)", "E1311"),
        ("FORMAT_DATE(1700000000 - 7200, 'yyyy-MM-dd')", "E1338"),
        (
            "IFNULL(_findCollection find FID from xxx where FBillNo={{no}}, '0')",
            "E1319",
        ),
        ("sum(10,20,30)", "E1302"),
        ("UUID()", "E1331"),
        ("concat('K', rand())", "E1331"),
        ("IF(last_insert_id() > 0, 1, 0)", "E1331"),
        ("count(*)", "E1332"),
        ("IF(COUNT( * ) > 1, 'a', 'b')", "E1332"),
    ];
    for (expr, code) in rows {
        let errors = compiled(expr).expect_err(expr);
        assert!(
            errors.iter().any(|error| error.entry.code == code),
            "{expr}: {errors:?}"
        );
    }
}

/// A format with another system's letters gives the letters; what they stand for is proposed.
#[test]
fn letters_of_another_system_in_a_format_are_told() {
    let rows = [
        ("DATE_FORMAT(NOW(), 'yyyy-MM-dd')", Some("%Y-%m-%d")),
        (
            "DATE_FORMAT(NOW(), 'yyyy-MM-dd HH:mm:ss.SSS')",
            Some("%Y-%m-%d %H:%i:%s.%f"),
        ),
        ("FROM_UNIXTIME(0, \"YYYYMMDD\")", Some("%Y%m%d")),
        ("STR_TO_DATE('2023年11月', 'yyyy年MM月')", Some("%Y年%m月")),
        ("TIME_FORMAT('10:20', 'HH24:mm')", Some("%H:%i")),
        ("DATE_FORMAT(NOW(), 'yyyy')", Some("%Y")),
        ("DATE_FORMAT(NOW(), '%Y-MM-dd')", None),
        ("DATE_FORMAT(NOW(), 'Summary')", None),
        ("DATE_FORMAT(NOW(), '')", None),
        ("CONCAT(NOW(), 'yyyy-MM-dd')", None),
    ];
    for (expr, format) in rows {
        let compiled = compiled(expr).expect(expr);
        let told = compiled.warnings().iter().find(|one| one.entry.code == "W1306");
        let proposed = told.and_then(|one| one.facts.iter().find(|(name, _)| *name == "format"));
        assert_eq!(proposed.map(|(_, value)| value.as_str()), format, "{expr}");
    }
}
