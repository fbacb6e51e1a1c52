use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{batch, control, customer, k3, k3_raw, login, query, sandbox};

fn status(answer: &Value) -> &Value {
    &answer["Result"]["ResponseStatus"]
}

/// The refusals of an answer by place: field and message.
fn refused(answer: &Value) -> Vec<(u64, String)> {
    let errors = status(answer)["Errors"].as_array().unwrap();
    errors
        .iter()
        .map(|e| {
            (
                e["DIndex"].as_u64().unwrap(),
                e["Message"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn accepted(answer: &Value) -> BTreeSet<u64> {
    status(answer)["SuccessEntitys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["DIndex"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_batch_is_judged_row_by_row() {
    let at = sandbox(|c| c.refuse = 3).await;
    let s = login(&at).await;
    let without = |name: &str| {
        let mut c = customer("9", "乙");
        c.as_object_mut().unwrap().remove(name);
        c
    };
    let with = |name: &str, value: Value| {
        let mut c = customer("9", "乙");
        c[name] = value;
        c
    };
    let models = [
        customer("00123", "甲"),
        without("FName"),
        with("FName", json!("  ")),
        with("FNumber", json!("")),
        without("FCreateOrgId"),
        with("FUseOrgId", json!("100")),
        with("FCreateOrgId", json!({"FNumber": "999"})),
        customer("00123", "重复"),
        with("FCUSTID", json!(42)),
        customer("R000001", "丙"),
        customer("R000002", "丙"),
        json!("not an object"),
        customer("123", "与 00123 不同"),
    ];
    let answer = k3(&at, "BatchSave", &s, batch(&models)).await;
    assert_eq!(accepted(&answer), BTreeSet::from([0, 12]), "{answer}");
    assert_eq!(
        (&status(&answer)["IsSuccess"], &status(&answer)["MsgCode"]),
        (&json!(false), &json!(9))
    );
    let refused = refused(&answer);
    let want = [
        (1, "必填"),
        (2, "必填"),
        (3, "必填"),
        (4, "必填"),
        (5, "格式"),
        (6, "不存在"),
        (7, "已存在"),
        (8, "不存在"),
        (9, "分组"),
        (10, "敏感词"),
        (11, "JSON"),
    ];
    assert_eq!(refused.len(), want.len(), "{refused:?}");
    for ((place, message), (want_place, words)) in refused.iter().zip(want) {
        assert!(
            *place == want_place && message.contains(words),
            "{place} {message}: {words}"
        );
    }
    let journal = at.journal();
    let executed: Vec<(u64, &str, &str)> = journal
        .iter()
        .map(|e| (e.seq, e.action.as_str(), e.number.as_str()))
        .collect();
    assert_eq!(executed, [(1, "create", "00123"), (2, "create", "123")]);
}

#[tokio::test]
async fn create_update_and_query_by_key() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let name = "老王's \"店\"🍊 ";
    let created = k3(&at, "BatchSave", &s, batch(&[customer("00123", name)])).await;
    let id = status(&created)["SuccessEntitys"][0]["Id"].as_u64().unwrap();
    let keys = "FCUSTID,FNumber,FName,FDocumentStatus,FCreateOrgId.FNumber";
    let filter =
        "(FCreateOrgId.FNumber='100' AND FNumber='00123') OR (FCreateOrgId.FNumber='100' AND FNumber='no')";
    assert_eq!(
        query(&at, &s, keys, filter).await,
        json!([[id, "00123", name, "C", "100"]])
    );
    // Update: only what is sent changes.
    let update = json!({"FCUSTID": id, "FDescription": "6912345678901234567"});
    let body = json!({"parameters": ["BD_Customer", json!({"Model": update}).to_string()]});
    let updated = k3(&at, "Save", &s, body).await;
    assert_eq!(
        (&updated["Result"]["Id"], &updated["Result"]["Number"]),
        (&json!(id), &json!("00123"))
    );
    let rows = query(
        &at,
        &s,
        "FName,FDescription,FDocumentStatus",
        &format!("FCUSTID={id}"),
    )
    .await;
    assert_eq!(rows, json!([[name, "6912345678901234567", "C"]]));
    let renamed = k3(
        &at,
        "Save",
        &s,
        json!({"formid": "BD_Customer", "data": {"Model": {"FCUSTID": id.to_string(), "FNumber": "00124"}}}),
    )
    .await;
    assert_eq!(status(&renamed)["IsSuccess"], true);
    assert_eq!(query(&at, &s, "FCUSTID", "FNumber='00123'").await, json!([]));
    assert_eq!(query(&at, &s, "FCUSTID", "FNumber='00124'").await, json!([[id]]));
    let actions: Vec<String> = at.journal().into_iter().map(|e| e.action).collect();
    assert_eq!(actions, ["create", "update", "update"]);
}

#[tokio::test]
async fn numbers_are_unique_per_organisation_and_the_rule_can_be_switched_off() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let mut elsewhere = customer("1", "甲");
    elsewhere["FCreateOrgId"] = json!({"FNumber": "101"});
    let first = k3(&at, "BatchSave", &s, batch(&[customer("1", "甲"), elsewhere])).await;
    assert_eq!(accepted(&first).len(), 2);
    let again = k3(&at, "BatchSave", &s, batch(&[customer("1", "甲")])).await;
    assert_eq!((accepted(&again).len(), refused(&again).len()), (0, 1));
    control(&at, "POST", "clock", json!({"unique_numbers": false})).await;
    let double = k3(&at, "BatchSave", &s, batch(&[customer("1", "甲")])).await;
    assert_eq!(accepted(&double).len(), 1);
    assert_eq!(
        query(&at, &s, "FCUSTID", "FNumber='1'")
            .await
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn without_a_number_every_save_makes_another_document() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let mut nameless = customer("", "甲");
    nameless.as_object_mut().unwrap().remove("FNumber");
    for _ in 0..2 {
        let answer = k3(&at, "BatchSave", &s, batch(&[nameless.clone()])).await;
        assert_eq!(accepted(&answer).len(), 1, "{answer}");
    }
    let numbers: BTreeSet<String> = at.journal().into_iter().map(|e| e.number).collect();
    assert_eq!(numbers.len(), 2);
}

#[tokio::test]
async fn a_repeated_package_is_refused_only_when_the_request_says_so() {
    let at = sandbox(|c| c.repeat_ms = 60_000).await;
    let s = login(&at).await;
    let created = k3(&at, "BatchSave", &s, batch(&[customer("1", "甲")])).await;
    let id = status(&created)["SuccessEntitys"][0]["Id"].clone();
    let save = |repeat: Value| {
        let model = json!([{"FCUSTID": id, "FName": "乙"}]);
        json!({"formid": "BD_Customer", "data": {"ValidateRepeatJson": repeat, "Model": model}})
    };
    for (switch, accepted_again) in [(json!(false), true), (json!("true"), false), (json!(true), false)] {
        assert_eq!(
            accepted(&k3(&at, "BatchSave", &s, save(switch.clone())).await).len(),
            1,
            "first {switch}"
        );
        let second = k3(&at, "BatchSave", &s, save(switch.clone())).await;
        assert_eq!(accepted(&second).len() == 1, accepted_again, "{switch}: {second}");
    }
    at.advance_ms(60_001);
    assert_eq!(
        accepted(&k3(&at, "BatchSave", &s, save(json!(true))).await).len(),
        1,
        "forgotten by then"
    );
}

#[tokio::test]
async fn base_data_is_checked_on_request() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let mut grouped = customer("1", "甲");
    grouped["FGroup"] = json!({"FNumber": "NOPE"});
    let save = |verify: &str| json!({"formid": "BD_Customer", "data": {"IsVerifyBaseDataField": verify, "Model": [grouped]}});
    assert!(
        refused(&k3(&at, "BatchSave", &s, save("true")).await)[0]
            .1
            .contains("分组")
    );
    assert_eq!(accepted(&k3(&at, "BatchSave", &s, save("false")).await).len(), 1);
}

#[tokio::test]
async fn query_limits() {
    let at = sandbox(|c| c.query_max = 20).await;
    let s = login(&at).await;
    let models: Vec<Value> = (0..50).map(|n| customer(&format!("{n:03}"), "甲")).collect();
    assert_eq!(
        accepted(&k3(&at, "BatchSave", &s, batch(&models)).await).len(),
        50
    );
    // StartRow, Limit, TopRowCount -> first row and count.
    let cases = [
        (json!(0), json!(10), json!(0), Some("000"), 10),
        (json!("45"), json!("10"), json!(0), Some("045"), 5),
        (json!(50), json!(10), json!(0), None, 0),
        (json!(0), json!(100), json!(0), Some("000"), 20), // more than the server gives
        (json!(0), json!(0), json!(0), Some("000"), 20),
        (json!(10), json!(10), json!(15), Some("010"), 5), // an absolute end row
        (json!(10), json!(10), json!(10), None, 0),
        (json!(20), json!(10), json!(10), None, 0),
    ];
    for (start, limit, top, first, count) in cases {
        let data = json!({"FormId": "BD_Customer", "FieldKeys": "FNumber", "StartRow": start, "Limit": limit, "TopRowCount": top, "OrderString": "FNumber ASC"});
        let rows = k3(&at, "ExecuteBillQuery", &s, json!({"data": data.clone()})).await;
        assert_eq!(rows.as_array().unwrap().len(), count, "{data}");
        assert_eq!(rows[0][0].as_str(), first, "{data}");
    }
    let data = json!({"FormId": "BD_Customer", "FieldKeys": "FNumber, FName", "OrderString": "FNumber desc", "Limit": 1});
    assert_eq!(
        k3(&at, "ExecuteBillQuery", &s, json!({"data": data})).await,
        json!([["049", "甲"]])
    );
    assert_eq!(
        k3(&at, "BillQuery", &s, json!({"data": data})).await,
        json!([{"FNumber": "049", "FName": "甲"}])
    );
}

#[tokio::test]
async fn a_query_that_cannot_be_answered_is_an_error_inside_two_lists() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let field = |keys: &str, filter: Value| json!({"FormId": "BD_Customer", "FieldKeys": keys, "FilterString": filter});
    let cases = [
        field("FNumber", json!("FNumber = 'x")),
        field("FNumber", json!("FNumber='x'; DROP TABLE T_BD_CUSTOMER")),
        field("FNumber", json!("FNoSuchField='x'")),
        field("FNumber,FNoSuchField", json!("")),
        field("", json!("")),
        json!({"FormId": "BD_CUSTOMER", "FieldKeys": "FNumber"}),
        json!({"FormId": "BD_Customer", "FieldKeys": "FNumber", "StartRow": -1}),
        field(
            "FNumber",
            json!([{"FieldName": "FNumber", "Compare": "like", "Value": "x"}]),
        ),
    ];
    for data in cases {
        let answer = k3(&at, "ExecuteBillQuery", &s, json!({"data": data.clone()})).await;
        let status = &answer[0][0]["Result"]["ResponseStatus"];
        assert_eq!(status["IsSuccess"], false, "{data}: {answer}");
        assert!(!status["Errors"][0]["Message"].as_str().unwrap().is_empty());
    }
    let conditions = json!([
        {"Left": "(", "FieldName": "FNumber", "Compare": "=", "Value": "it's", "Right": "", "Logic": "1"},
        {"Left": "", "FieldName": "FName", "Compare": "<>", "Value": "x", "Right": ")", "Logic": "0"},
    ]);
    assert_eq!(
        k3(
            &at,
            "ExecuteBillQuery",
            &s,
            json!({"data": field("FNumber", conditions)})
        )
        .await,
        json!([])
    );
}

#[tokio::test]
async fn hostile_texts_are_stored_and_found_as_they_are() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    for (n, text) in [
        "x' OR '1'='1",
        "'; DROP TABLE T --",
        "{{buyerCid}}",
        "%",
        "_",
        "\\",
        "\"",
        " 前后空格 ",
    ]
    .iter()
    .enumerate()
    {
        let number = format!("{text}{n}");
        let saved = k3(&at, "BatchSave", &s, batch(&[customer(&number, text)])).await;
        assert_eq!(accepted(&saved).len(), 1, "{text}: {saved}");
        let filter = format!("FNumber='{}'", number.replace('\'', "''"));
        assert_eq!(
            query(&at, &s, "FNumber,FName", &filter).await,
            json!([[number, text]])
        );
    }
}

#[tokio::test]
async fn steps_follow_the_document_status() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let draft = k3(
        &at,
        "Save",
        &s,
        json!({"formid": "BD_Customer", "data": {"Model": customer("1", "甲")}}),
    )
    .await;
    let id = draft["Result"]["Id"].to_string();
    let ids = json!({"formid": "BD_Customer", "data": {"Ids": id}});
    let numbers = json!({"formid": "BD_Customer", "data": {"Numbers": ["1", "2"]}});
    assert_eq!(
        accepted(&k3(&at, "Submit", &s, ids.clone()).await),
        BTreeSet::from([0])
    );
    let audit = k3(&at, "Audit", &s, numbers).await;
    assert_eq!((accepted(&audit), refused(&audit)[0].0), (BTreeSet::from([0]), 1));
    assert_eq!(
        refused(&k3(&at, "Delete", &s, ids.clone()).await).len(),
        1,
        "audited documents stay"
    );
    let view = k3(
        &at,
        "View",
        &s,
        json!({"formid": "BD_Customer", "data": {"Number": "1"}}),
    )
    .await;
    assert_eq!(view["Result"]["Result"]["DocumentStatus"], "C");
    assert_eq!(
        view["Result"]["Result"]["Name"],
        json!([{"Key": 2052, "Value": "甲"}])
    );
    assert_eq!(accepted(&k3(&at, "UnAudit", &s, ids.clone()).await).len(), 1);
    assert_eq!(accepted(&k3(&at, "Delete", &s, ids).await).len(), 1);
    assert_eq!(query(&at, &s, "FNumber", "").await, json!([]));
    let actions: Vec<String> = at.journal().into_iter().map(|e| e.action).collect();
    assert_eq!(actions, ["create", "submit", "audit", "unaudit", "delete"]);
}

#[tokio::test]
async fn what_is_no_call_at_all() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let array = k3_raw(&at, "BatchSave", &s, "[1]").await.unwrap();
    assert_eq!(array.status, 500);
    assert!(array.text().contains("Additional text found in JSON string"));
    let unknown = k3_raw(&at, "GroupSave", &s, "{}").await.unwrap();
    assert!(unknown.text().starts_with("response_error:"));
    let huge = "x".repeat(9 << 20);
    let answer = k3_raw(&at, "BatchSave", &s, &huge).await;
    assert!(answer.is_none_or(|a| a.status == 413));
    for data in [
        json!({}),
        json!({"Model": []}),
        json!({"Model": {}}),
        json!("{"),
        Value::Null,
    ] {
        let answer = k3(
            &at,
            "BatchSave",
            &s,
            json!({"formid": "BD_Customer", "data": data}),
        )
        .await;
        assert_eq!(status(&answer)["IsSuccess"], false, "{data}");
    }
    assert_eq!(at.journal(), []);
}

/// Lines have ids of their own: a save with them changes lines, one without adds lines, and what happens to lines that
/// are not sent is said by `IsDeleteEntry`.
#[tokio::test]
async fn lines_of_a_document() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let save = async |lines: Value, id: Option<u64>, delete: Option<bool>| -> Value {
        let mut model = json!({"FBillNo": "A1"});
        if !lines.is_null() {
            model["FSaleOrderEntry"] = lines;
        }
        if let Some(id) = id {
            model["FID"] = json!(id);
        }
        let mut data = json!({
            "Model": [model],
            "NeedReturnFields": ["FBillNo", "FSaleOrderEntry.FEntryID", "FSaleOrderEntry.FQty"],
        });
        if let Some(delete) = delete {
            data["IsDeleteEntry"] = json!(delete);
        }
        k3(
            &at,
            "BatchSave",
            &s,
            json!({"formid": "SAL_SaleOrder", "data": data}),
        )
        .await
    };
    let told = |answer: &Value| -> Vec<(u64, Value)> {
        let list = answer["Result"]["NeedReturnData"][0]["FSaleOrderEntry"].as_array();
        list.into_iter()
            .flatten()
            .map(|line| (line["FEntryID"].as_u64().unwrap(), line["FQty"].clone()))
            .collect()
    };
    let made = save(json!([{"FQty": 1}, {"FQty": 2}]), None, None).await;
    let id = status(&made)["SuccessEntitys"][0]["Id"].as_u64().unwrap();
    assert_eq!(made["Result"]["NeedReturnData"][0]["FBillNo"], "A1");
    let [(a, _), (b, _)] = told(&made)[..] else {
        panic!("{made}")
    };
    assert_ne!(a, b);
    // One changed, one added; the one that is not sent stays only if the call says so.
    let lines = json!([{"FEntryID": b, "FQty": 5}, {"FQty": 3}]);
    let kept = told(&save(lines.clone(), Some(id), Some(false)).await);
    let c = kept[2].0;
    assert_eq!(kept, [(a, json!(1)), (b, json!(5)), (c, json!(3))]);
    // Sent again without an id a line is there twice: nothing tells it is the same.
    let again = told(&save(lines, Some(id), Some(false)).await);
    assert_eq!(again.len(), 4);
    let fewer = told(&save(json!([{"FEntryID": a.to_string()}]), Some(id), None).await);
    assert_eq!(fewer, [(a, json!(1))]);
    // Lines that are not in the call at all are not touched; one that is gone cannot be named.
    assert_eq!(told(&save(Value::Null, Some(id), None).await), [(a, json!(1))]);
    let gone = save(json!([{"FEntryID": b}]), Some(id), None).await;
    assert!(refused(&gone)[0].1.contains("分录内码"), "{gone}");
}

/// An audited order makes a delivery, each time a new one; one that is not audited, or has no rule, makes nothing.
#[tokio::test]
async fn a_push_makes_the_document_that_follows() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let order = json!({"FBillNo": "SO1", "FSaleOrgId": {"FNumber": "100"}});
    let data = json!({"formid": "SAL_SaleOrder", "data": {"Model": [order]}});
    let saved = k3(&at, "BatchSave", &s, data).await;
    let id = status(&saved)["SuccessEntitys"][0]["Id"].to_string();
    let named = |more: Value| {
        let mut data = json!({"Ids": id});
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"formid": "SAL_SaleOrder", "data": data})
    };
    let rule = json!({"RuleId": "SAL_SaleOrder-SAL_OUTSTOCK"});
    let early = k3(&at, "Push", &s, named(rule.clone())).await;
    assert!(refused(&early)[0].1.contains("没有审核"), "{early}");
    for step in ["Submit", "Audit"] {
        let done = k3(&at, step, &s, named(json!({}))).await;
        assert_eq!(accepted(&done), BTreeSet::from([0]), "{done}");
    }
    let without = k3(&at, "Push", &s, named(json!({}))).await;
    assert_eq!(
        without["Result"]["ConvertResponseStatus"][0]["IsSuccess"],
        json!(false),
        "{without}"
    );
    let by_default = json!({"IsEnableDefaultRule": "true", "TargetFormId": "SAL_OUTSTOCK"});
    let mut made = BTreeSet::new();
    for how in [rule, by_default] {
        let pushed = k3(&at, "Push", &s, named(how)).await;
        assert_eq!(accepted(&pushed), BTreeSet::from([0]), "{pushed}");
        made.insert(status(&pushed)["SuccessEntitys"][0]["Id"].to_string());
    }
    assert_eq!(made.len(), 2);
}

/// Base data that is audited is given to other organisations: one copy each, under the same number and master.
#[tokio::test]
async fn base_data_is_allocated_to_organisations() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let saved = k3(
        &at,
        "Save",
        &s,
        json!({"formid": "BD_Customer", "data": {"Model": customer("A", "甲")}}),
    )
    .await;
    let id = saved["Result"]["Id"].as_u64().unwrap();
    let allocate = |orgs: &str| json!({"formid": "BD_Customer", "data": {"PkIds": id.to_string(), "TOrgIds": orgs, "IsAutoSubmitAndAudit": "true"}});
    let early = k3(&at, "Allocate", &s, allocate("100016")).await;
    assert!(refused(&early)[0].1.contains("没有审核"), "{early}");
    for step in ["Submit", "Audit"] {
        k3(
            &at,
            step,
            &s,
            json!({"formid": "BD_Customer", "data": {"Ids": id}}),
        )
        .await;
    }
    // What cannot be: an organisation that is not there, none, a bill, a document that is not there.
    let unknown = k3(&at, "Allocate", &s, allocate("100016,7")).await;
    assert!(refused(&unknown)[0].1.contains("7 的目标组织不存在"), "{unknown}");
    let none = k3(&at, "Allocate", &s, allocate("")).await;
    assert!(refused(&none)[0].1.contains("不能为空"), "{none}");
    let bill = json!({"formid": "SAL_SaleOrder", "data": {"PkIds": id, "TOrgIds": "100016"}});
    let bill = k3(&at, "Allocate", &s, bill).await;
    assert!(refused(&bill)[0].1.contains("不是可以分配"), "{bill}");
    let gone = json!({"formid": "BD_Customer", "data": {"PkIds": "42", "TOrgIds": "100016"}});
    let gone = k3(&at, "Allocate", &s, gone).await;
    assert!(refused(&gone)[0].1.contains("不存在"), "{gone}");
    let headers = vec![
        ("content-type", "text/plain".to_owned()),
        ("kdservice-sessionid", s.clone()),
    ];
    let body = allocate("100016").to_string();
    let plain = super::send(
        &at,
        "POST",
        &super::k3_path("Allocate"),
        &headers,
        body.as_bytes(),
    )
    .await;
    assert!(plain.unwrap().text().starts_with("response_error:"));
    let copies = "FCUSTID,FNumber,FMASTERID,FCreateOrgId.FNumber,FUseOrgId,FUseOrgId.FNumber,FDocumentStatus";
    let master = format!("FMASTERID={id}");
    let own = json!([id, "A", id, "100", 1, "100", "C"]);
    assert_eq!(
        query(&at, &s, copies, &master).await,
        json!([own]),
        "nothing was made yet"
    );
    let made = k3(&at, "Allocate", &s, allocate("100016")).await;
    assert_eq!(
        (accepted(&made), &status(&made)["SuccessEntitys"][0]["Id"]),
        (BTreeSet::from([0]), &json!(id))
    );
    // Who has it already is passed over; when all have it, that is refused.
    k3(&at, "Allocate", &s, allocate("100016,100017")).await;
    let again = k3(&at, "Allocate", &s, allocate("100016,100017")).await;
    assert!(refused(&again)[0].1.contains("已经分配"), "{again}");
    let rows = query(&at, &s, copies, &master).await;
    let of = |at: usize| &rows[at].as_array().unwrap()[1..];
    assert_eq!(rows[0], own);
    assert_eq!(
        of(1),
        json!(["A", id, "100", 100_016, "101", "C"])
            .as_array()
            .unwrap()
            .as_slice()
    );
    assert_eq!(
        of(2),
        json!(["A", id, "100", 100_017, "102", "C"])
            .as_array()
            .unwrap()
            .as_slice()
    );
    // A copy is not given on, and the original can still be changed.
    let copy = json!({"formid": "BD_Customer", "data": {"PkIds": rows[1][0], "TOrgIds": "100017"}});
    let copy = k3(&at, "Allocate", &s, copy).await;
    assert!(refused(&copy)[0].1.contains("不是由创建组织"), "{copy}");
    let update =
        json!({"formid": "BD_Customer", "data": {"Model": {"FCUSTID": id, "FNumber": "A", "FName": "乙"}}});
    assert_eq!(status(&k3(&at, "Save", &s, update).await)["IsSuccess"], true);
}

/// The fields of a form are told list by list; a form that is not there is refused.
#[tokio::test]
async fn a_form_tells_its_fields() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let asked = |form: &str| json!({"data": {"FormId": form}});
    let told = k3(&at, "QueryBusinessInfo", &s, asked("SAL_OUTSTOCK")).await;
    let info = &told["Result"]["NeedReturnData"];
    assert_eq!(info["PkFieldName"], "FID", "{told}");
    let keys = |entry: usize| -> BTreeSet<String> {
        let fields = info["Entrys"][entry]["Fields"].as_array().unwrap().iter();
        fields
            .map(|field| field["Key"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(
        keys(0).contains("FBillNo") && keys(0).contains("FStockOrgId"),
        "{told}"
    );
    assert!(
        keys(1).contains("FRealQty") && !keys(0).contains("FRealQty"),
        "{told}"
    );
    let none = k3(&at, "QueryBusinessInfo", &s, asked("SAL_None")).await;
    assert_eq!(status(&none)["MsgCode"], json!(5), "{none}");
}
