//! The ERP protocol: who is believed, what is refused and how, what is stored.

use std::path::Path;
use std::sync::Arc;

use app::service::{Service, Setting, TURN};
use app::{Opening, Places, SecretTable, SystemClock, Workspace};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use dsl::Lang;
use http_body_util::BodyExt;
use server::{Settings, State};
use tower::ServiceExt;

const PUSH: &str = "/erp/syncdata/open/objdata/asyncpush";
const TOKEN: &str = "canary-push-token";
const ERP_TOKEN: &str = "canary-erp-token";

const OBJECT: &str = "\
object: erpSalesOrderObj
name: {zh: 销售订单, en: Sales order}
id: number
fields:
  number: {type: text, required: true, max: 20}
  amount: {type: decimal}
  status: {type: choice, of: [open, cancelled]}
details:
  erpSalesOrderProductObj:
    id: line
    fields: {line: {type: text}, price: {type: decimal}}
void: {field: status, value: cancelled}
serve: {connection: crm, rows: orders, receive: orders}
";

/// More is required than what a cancellation says.
const PAYMENT: &str = "\
object: erpPaymentObj
id: no
fields:
  no: {type: text, required: true}
  amount: {type: decimal, required: true}
";

/// What is read of our ERP goes on into the CRM: the policy that mappings are of.
const TO_CRM: &str = "\
scheme: to-crm
source: {connection: crm, api: asyncpush, options: {objectApiName: erpSalesOrderObj, dataCenterId: elsewhere}, key: no}
target:
  connection: crm
  api: create
  options: {object: SalesOrderObj}
  request: {object_data: {name: <<no>>}}
  key: name
  on_unknown: hold
schedule: on_push
";

/// A service with these schemes, and nothing simulated: nobody is called.
pub(crate) struct Desk {
    pub(crate) service: Arc<Service>,
    router: Router,
    /// A token that may read.
    reader: String,
    _dir: tempfile::TempDir,
}

pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

fn scheme(name: &str, connection: &str, object: &str, more: &str, key: &str) -> String {
    format!(
        "scheme: {name}\nsource: {{connection: {connection}, api: asyncpush, options: {{objectApiName: {object}{more}}}, key: {key}}}\ntarget: none\nschedule: on_push\n"
    )
}

impl Desk {
    pub(crate) async fn open() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["schemes", "objects"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        let params = |more: &str| {
            format!(
                "    connector: fxiaoke\n    params: {{app_id: FSAID_1, app_secret: \"${{env:SECRET}}\", code: \"${{env:SECRET}}\", user_id: \"1000\", push_token: \"${{env:PUSH}}\", erp_token: \"${{env:ERP}}\"{more}}}\n"
            )
        };
        let connections = [
            "connections:\n  crm:\n".to_owned(),
            params(", tenant_id: \"81\", data_center: c1"),
            "  east:\n".to_owned(),
            params(", tenant_id: \"82\", data_center: e1"),
            "  west:\n".to_owned(),
            params(", tenant_id: \"82\", data_center: w1"),
        ];
        std::fs::write(at("connections.yaml"), connections.concat()).unwrap();
        std::fs::write(at("objects/order.yaml"), OBJECT).unwrap();
        let read = OBJECT
            .replace("erpSalesOrderObj", "erpReadObj")
            .replace(", receive: orders", "");
        std::fs::write(at("objects/read.yaml"), read).unwrap();
        std::fs::write(at("objects/payment.yaml"), PAYMENT).unwrap();
        for (name, connection, object, more, key) in [
            ("orders", "crm", "erpSalesOrderObj", "", "masterFieldVal.number"),
            ("payments", "crm", "erpPaymentObj", "", "masterFieldVal.no"),
            ("raw", "crm", "erpRawObj", "", "no"),
            ("raw-too", "crm", "erpRawObj", "", "no"),
            ("xml", "crm", "erpXmlObj", "", "Order.no"),
            ("east", "east", "erpRawObj", ", dataCenterId: e1", "no"),
            ("west", "west", "erpRawObj", ", dataCenterId: w1", "no"),
        ] {
            let text = scheme(name, connection, object, more, key);
            std::fs::write(at(&format!("schemes/{name}.yaml")), text).unwrap();
        }
        std::fs::write(at("schemes/to-crm.yaml"), TO_CRM).unwrap();
        let service = Service::open(setting(dir.path())).await.unwrap();
        for (id, member) in service.loaded().fleet.iter() {
            assert!(member.trouble().is_none(), "{id}: {:?}", member.trouble());
        }
        service.begin().await.unwrap();
        let scopes = server::access::Scopes::of(server::access::Scope::Read);
        let reader = crate::house::add_token(&service, scopes, None, service.now_ms()).await;
        let state = State::new(Arc::clone(&service), Settings::default()).unwrap();
        Desk {
            router: server::router(state),
            service,
            reader,
            _dir: dir,
        }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Said {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept-language", "en");
        for (name, value) in headers {
            request = request.header(
                *name,
                axum::http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        for secret in [TOKEN, ERP_TOKEN, "canary-secret"] {
            assert!(!text.contains(secret), "{text}");
        }
        Said {
            status: parts.status.as_u16(),
            text,
        }
    }

    /// A push with these headers laid over the right ones; an empty one is left out.
    async fn push(&self, over: &[(&str, &str)], body: &[u8]) -> Said {
        let right = [
            ("token", TOKEN),
            ("tenantId", "81"),
            ("dataCenterId", "c1"),
            ("objectApiName", "erpSalesOrderObj"),
            ("version", "v1"),
            ("operationType", "1"),
            ("id", "04270002"),
            ("content-type", "application/json"),
        ];
        let kept = right
            .iter()
            .filter(|(name, _)| !over.iter().any(|(known, _)| known == name));
        let headers: Vec<(&str, &str)> = kept
            .chain(over)
            .filter(|(_, value)| !value.is_empty())
            .copied()
            .collect();
        self.send("POST", PUSH, &headers, body).await
    }

    /// How many pushes each scheme ever got.
    fn pushes(&self) -> Vec<(String, usize)> {
        let rows = self.service.loaded().engine.reader().pushes(None, 1_000).unwrap();
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for row in rows {
            *counts.entry(row.scheme).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    /// The rows of a scheme, once it has taken what waits.
    pub(crate) async fn rows(&self, scheme: &str) -> Vec<serde_json::Value> {
        self.run(scheme, flow::Stages::All).await
    }

    async fn run(&self, scheme: &str, stages: flow::Stages) -> Vec<serde_json::Value> {
        crate::house::run_once(&self.service, scheme, stages, self.service.now_ms()).await;
        let loaded = self.service.loaded();
        let reader = loaded.engine.reader();
        let filter = ledger::read::RecordFilter {
            scheme: Some(scheme.to_owned()),
            limit: 500,
            ..Default::default()
        };
        let records = reader.list_records(&filter).unwrap();
        let sources = records.iter().rev().map(|row| {
            let life = reader.show_record_by_id(row.record).unwrap().unwrap();
            serde_json::from_slice(&life.source).unwrap()
        });
        sources.collect()
    }
}

fn setting(dir: &Path) -> Setting {
    let (around, data) = (dir.join("schemes"), dir.join("data"));
    let folder = around.clone();
    let load = move || {
        let places = Places {
            data_dir: Some(data.clone()),
            ..Places::default()
        };
        let env = [("SECRET", "canary-secret"), ("PUSH", TOKEN), ("ERP", ERP_TOKEN)];
        let secrets = SecretTable {
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            secret: Default::default(),
        };
        Workspace::load(&around, places, None, Box::new(secrets))
    };
    Setting {
        folder,
        load: Box::new(load),
        clock: Arc::new(SystemClock::default()),
        lang: Lang::En,
        opening: Opening::default(),
        places: flow::timetable::Places::default(),
        turn: TURN,
        read_only: false,
    }
}

const ORDER: &str = r#"{"objAPIName":"erpSalesOrderObj","masterFieldVal":{"number":"04270002","amount":"100.50"},"detailFieldVals":{"erpSalesOrderProductObj":[{"line":"1","price":"100"}]}}"#;
const ORDER_XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><data><objAPIName>erpSalesOrderObj</objAPIName><masterFieldVal><number>04270003</number><amount>100.50</amount></masterFieldVal><detailFieldVals><erpSalesOrderProductObj><line>1</line></erpSalesOrderProductObj></detailFieldVals></data>";

/// What is wrong, the status, the code, and a word of the sentence.
#[tokio::test]
async fn what_is_refused_is_told_and_not_stored() {
    let desk = Desk::open().await;
    let other = ORDER.replace("number", "numbr");
    let large = vec![b' '; (1 << 20) + 1];
    let doctype = b"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
    let gbk = b"{\"objAPIName\":\"erpSalesOrderObj\",\"masterFieldVal\":{\"number\":\"\xbf\xcd\"}}";
    let order = ORDER.as_bytes();
    type Over<'a> = &'a [(&'a str, &'a str)];
    let rows: [(Over<'_>, &[u8], u16, &str, &str); 29] = [
        (&[("token", "")], order, 401, "E6102", "`token` is missing"),
        (&[("tenantId", "")], order, 401, "E6102", "`tenantId` is missing"),
        (&[("token", "wrong")], order, 401, "E6101", "not believed"),
        (&[("token", ERP_TOKEN)], order, 401, "E6101", "not believed"),
        (&[("tenantId", "80")], order, 401, "E6101", "not believed"),
        (
            &[("objectApiName", "")],
            order,
            200,
            "E6102",
            "`objectApiName` is missing",
        ),
        (&[("version", "")], order, 200, "E6102", "`version` is missing"),
        (&[("version", "v2")], order, 200, "E6105", "`v2`"),
        (&[("operationType", "9")], order, 200, "E6106", "`9`"),
        (
            &[("dataCenterId", "c2")],
            order,
            200,
            "E6104",
            "the data centres are: c1",
        ),
        (
            &[("tenantId", "82"), ("dataCenterId", "")],
            order,
            200,
            "E6103",
            "e1 w1",
        ),
        (
            &[("objectApiName", "erpSalesOrdrObj")],
            order,
            200,
            "E6107",
            "erpSalesOrderObj",
        ),
        (
            &[("tenantId", "82"), ("dataCenterId", "e1")],
            order,
            200,
            "E6107",
            "erpRawObj",
        ),
        (&[], other.as_bytes(), 200, "E6110", "did you mean number?"),
        (&[], b"{\"number\":\"1\"}", 200, "E6109", "`number` is not known"),
        (&[], b"[]", 200, "E6109", "no map"),
        (&[], b"some text", 200, "E6109", "neither JSON nor XML"),
        (
            &[("objectApiName", "erpRawObj")],
            order,
            200,
            "E6109",
            "another object",
        ),
        (
            &[],
            b"{\"objAPIName\":\"erpSalesOrderObj\",\"masterFieldVal\":{\"number\":\"1\",\"amount\":\"1e3\"}}",
            200,
            "E6110",
            "without exponent",
        ),
        (
            &[("content-type", "application/xml")],
            doctype,
            200,
            "E6108",
            "document type",
        ),
        (
            &[("content-type", "text/plain")],
            doctype,
            200,
            "E6108",
            "document type",
        ),
        (
            &[("content-type", "application/xml")],
            b"<a><b></a>",
            200,
            "E6108",
            "well formed",
        ),
        (
            &[("id", ""), ("content-type", "application/xml")],
            doctype,
            200,
            "E6108",
            "document type",
        ),
        (&[], gbk, 200, "E6108", "charset"),
        (
            &[("content-type", "application/json; charset=klingon")],
            order,
            200,
            "E6108",
            "klingon",
        ),
        (&[], &large, 413, "E6006", "1048576"),
        (
            &[("id", ""), ("objectApiName", "erpRawObj")],
            b"7",
            200,
            "E6108",
            "a list of maps",
        ),
        (
            &[("id", ""), ("objectApiName", "erpRawObj")],
            b"[1]",
            200,
            "E6108",
            "a list of maps",
        ),
        (
            &[
                ("id", ""),
                ("objectApiName", "erpRawObj"),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            b"a=1",
            200,
            "E6108",
            "form",
        ),
    ];
    for (over, body, status, code, word) in &rows {
        let said = desk.push(over, body).await;
        let told = format!("{over:?}: {} {}", said.status, said.text);
        assert_eq!(said.status, *status, "{told}");
        assert_eq!(said.json()["errCode"], *code, "{told}");
        assert!(said.json()["errMsg"].as_str().unwrap().contains(word), "{told}");
        assert_eq!(said.json().as_object().unwrap().len(), 2, "{told}");
    }
    assert_eq!(desk.pushes(), [], "nothing was written");
    // What was refused leaves its number, by its code.
    let mut told = std::collections::BTreeMap::<&str, u64>::new();
    for (_, _, status, code, _) in &rows {
        let why = match *status {
            200 => Some(*code),
            401 => Some("verify"),
            _ => None,
        };
        *told.entry(why.unwrap_or_default()).or_default() += 1;
    }
    told.remove("");
    desk.service.inbox().write_counts(0).await.unwrap();
    let counted = desk.service.loaded().engine.reader().refused(100).unwrap();
    let counted: std::collections::BTreeMap<&str, u64> =
        counted.iter().map(|row| (row.why.as_str(), row.count)).collect();
    assert_eq!(counted, told);
    let said = desk.send("GET", PUSH, &[], b"").await;
    assert_eq!(
        (said.status, said.json()["errCode"].as_str()),
        (405, Some("E6004"))
    );
    let chinese = [("token", "wrong"), ("tenantId", "81"), ("accept-language", "zh")];
    let said = desk.send("POST", PUSH, &chinese[..2], b"").await;
    assert_eq!(said.status, 401);
}

#[tokio::test]
async fn what_is_stored_is_answered_and_a_repetition_changes_nothing() {
    let desk = Desk::open().await;
    let well = serde_json::json!({"errCode": "s106240000", "errMsg": "success"});
    let gbk = "application/json; charset=GBK";
    let raw = [("id", ""), ("objectApiName", "erpRawObj")];
    let xml = [
        ("id", ""),
        ("objectApiName", "erpXmlObj"),
        ("content-type", "text/xml"),
    ];
    for _ in 0..2 {
        for said in [
            desk.push(&[], ORDER.as_bytes()).await,
            // One data centre: it may be left out, and it is the same push.
            desk.push(&[("dataCenterId", "")], ORDER.as_bytes()).await,
            desk.push(
                &[("id", "04270003"), ("content-type", "application/xml")],
                ORDER_XML.as_bytes(),
            )
            .await,
            desk.push(
                &[("id", "客户"), ("content-type", gbk)],
                b"{\"objAPIName\":\"erpSalesOrderObj\",\"masterFieldVal\":{\"number\":\"\xbf\xcd\xbb\xa7\"}}",
            )
            .await,
            desk.push(&raw, r#"{"no":"1","name":"张三"}"#.as_bytes()).await,
            desk.push(&raw, br#"[{"no":"2"},{"no":"3"}]"#).await,
            desk.push(
                &xml,
                "<Order><no>7</no><line>a</line><line>b</line></Order>".as_bytes(),
            )
            .await,
            desk.push(
                &[
                    ("tenantId", "82"),
                    ("dataCenterId", "w1"),
                    ("id", ""),
                    ("objectApiName", "erpRawObj"),
                ],
                br#"{"no":"1"}"#,
            )
            .await,
        ] {
            assert_eq!((said.status, said.json()), (200, well.clone()), "{}", said.text);
        }
    }
    // Both schemes that take an object have it; nobody of another tenant or data centre has.
    let counts: Vec<(String, usize)> = [("orders", 3), ("raw", 2), ("raw-too", 2), ("west", 1), ("xml", 1)]
        .map(|(name, count)| (name.to_owned(), count))
        .to_vec();
    assert_eq!(desk.pushes(), counts);
    let orders = desk.rows("orders").await;
    assert_eq!(orders.len(), 3);
    assert_eq!(
        orders[0],
        serde_json::from_str::<serde_json::Value>(ORDER).unwrap()
    );
    assert_eq!(
        orders[1]["detailFieldVals"]["erpSalesOrderProductObj"][0]["line"],
        "1"
    );
    assert_eq!(orders[2]["masterFieldVal"]["number"], "客户");
    assert_eq!(desk.rows("raw").await.len(), 3);
    let of_xml = desk.rows("xml").await;
    assert_eq!(of_xml[0]["Order"]["line"], serde_json::json!(["a", "b"]));
    assert!(
        of_xml[0]["text"]
            .as_str()
            .unwrap()
            .starts_with("<Order><no>7</no>"),
        "{of_xml:?}"
    );
}

impl Desk {
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self._dir.path().join(name), text).unwrap();
    }
}

/// A push is acknowledged when every scheme that takes it has it: where one cannot receive now, it is to come again.
#[tokio::test]
async fn nobody_who_takes_a_push_is_left_out() {
    let desk = Desk::open().await;
    let raw = [("id", ""), ("objectApiName", "erpRawObj")];
    let misspelt = [("objectApiName", "erpRawObjj")];
    let text = scheme("raw-too", "crm", "erpRawObj", "", "no");
    for shut in [
        format!("{text}enabled: false\n"),
        "scheme: raw-too\nsource: [".to_owned(),
    ] {
        desk.write("schemes/raw-too.yaml", &shut);
        desk.service.reload().await.unwrap();
        let said = desk.push(&raw, br#"{"no":"1"}"#).await;
        assert_eq!(
            (said.status, said.json()["errCode"].as_str()),
            (503, Some("E6031")),
            "{}",
            said.text
        );
        assert_eq!(desk.pushes(), [], "nobody has it");
        // What it does not take is stored, and what nobody takes is told to be so.
        let said = desk.push(&misspelt, br#"{"no":"1"}"#).await;
        assert_eq!(
            (said.status, said.json()["errCode"].as_str()),
            (200, Some("E6107")),
            "{}",
            said.text
        );
    }
    let said = desk.push(&[], ORDER.as_bytes()).await;
    assert_eq!(said.status, 200, "{}", said.text);
    desk.write("schemes/raw-too.yaml", &text);
    desk.service.reload().await.unwrap();
    let said = desk.push(&raw, br#"{"no":"1"}"#).await;
    assert_eq!(said.status, 200, "{}", said.text);
    let all = ["orders", "raw", "raw-too"].map(|name| (name.to_owned(), 1));
    assert_eq!(desk.pushes(), all);
}

/// The last push again is a repetition, and what an earlier one said is news.
#[tokio::test]
async fn what_goes_back_is_taken() {
    let desk = Desk::open().await;
    let other = ORDER.replace("100.50", "7");
    let (made, voided) = ([("operationType", "1")], [("operationType", "3")]);
    for (over, body, pushes) in [
        (&made, ORDER, 1),
        (&made, ORDER, 1),
        (&made, &other, 2),
        (&made, ORDER, 3),
        (&made, ORDER, 3),
        (&voided, ORDER, 4),
        (&voided, ORDER, 4),
        (&made, ORDER, 5),
    ] {
        let said = desk.push(over, body.as_bytes()).await;
        assert_eq!(
            (said.status, said.json()["errCode"].as_str()),
            (200, Some("s106240000")),
            "{}",
            said.text
        );
        assert_eq!(desk.pushes(), [("orders".to_owned(), pushes)], "{over:?} {body}");
    }
}

/// What was cancelled is told by its id; the rest of it need not be said.
#[tokio::test]
async fn a_cancellation_needs_its_id_alone() {
    let desk = Desk::open().await;
    let body = br#"{"objAPIName":"erpPaymentObj","masterFieldVal":{"no":"1"}}"#;
    for (operation, code) in [("1", "E6110"), ("2", "E6110"), ("3", "s106240000")] {
        let over = [
            ("objectApiName", "erpPaymentObj"),
            ("operationType", operation),
            ("id", "1"),
        ];
        let said = desk.push(&over, body).await;
        assert_eq!(said.json()["errCode"], code, "{operation}: {}", said.text);
    }
    assert_eq!(desk.rows("payments").await.len(), 1);
    let filter = ledger::read::RecordFilter {
        scheme: Some("payments".to_owned()),
        limit: 9,
        ..Default::default()
    };
    let records = desk
        .service
        .loaded()
        .engine
        .reader()
        .list_records(&filter)
        .unwrap();
    assert!(!format!("{:?}", records[0]).contains("E6110"), "{records:?}");
}

/// What a scheme asks of a row is not asked of what has no fields: it would be dead, and the document stay valid.
#[tokio::test]
async fn a_cancellation_by_its_id_is_newer_than_what_was_there() {
    let desk = Desk::open().await;
    let text = scheme("orders", "crm", "erpSalesOrderObj", "", "masterFieldVal.number");
    let more = "newest_by: masterFieldVal.amount, keep: {field: masterFieldVal.amount, neq: '77'}, derive: {total: <<masterFieldVal.amount>>}, key:";
    desk.write("schemes/orders.yaml", &text.replace("key:", more));
    desk.service.reload().await.unwrap();
    let ask = "queryMasterById?objAPIName=erpSalesOrderObj&dataId=20";
    for (body, amount, status) in [
        (Some(order("20", "5")), "5", None),
        (None, "5", Some("cancelled")),
        (Some(order("20", "4")), "5", Some("cancelled")),
        (Some(order("20", "6")), "6", None),
        // Declared void with content that the scheme refuses.
        (Some(order("20", "77")), "6", Some("cancelled")),
    ] {
        let void = [("id", "20"), ("operationType", "3")];
        let said = match &body {
            Some(body) if body.contains("77") => desk.push(&void, body.as_bytes()).await,
            Some(body) => desk.push(&[("id", "20")], body.as_bytes()).await,
            None => desk.push(&void, b"").await,
        };
        assert_eq!(said.json()["errCode"], "s106240000", "{body:?}: {}", said.text);
        for staged in [false, true] {
            if staged {
                assert_eq!(desk.rows("orders").await.len(), 1, "{body:?}");
            }
            let one = desk.erp("GET", ask, "").await;
            let master = &one.json()["data"]["masterFieldVal"];
            assert_eq!(
                (master["amount"].as_str(), master["status"].as_str()),
                (Some(amount), status),
                "{body:?} {staged}: {}",
                one.text
            );
        }
    }
    // What was never accepted is not there, cancelled or not.
    let void = [("id", "21"), ("operationType", "3")];
    let said = desk.push(&void, order("21", "77").as_bytes()).await;
    assert_eq!(said.json()["errCode"], "s106240000", "{}", said.text);
    for _ in ["waits", "staged"] {
        let ask = "queryMasterById?objAPIName=erpSalesOrderObj&dataId=21";
        let said = desk.erp("GET", ask, "").await;
        assert_eq!(said.json()["code"], "E6113", "{}", said.text);
        desk.rows("orders").await;
    }
}

/// A push whose header `id` is another one than that of its body would cancel, or change, what it does not mean.
#[tokio::test]
async fn header_and_body_of_a_push_mean_the_same_document() {
    let desk = Desk::open().await;
    let body = ORDER.replace("04270002", "N-3");
    for operation in ["", "1", "2", "3"] {
        let over = [("id", "N-77"), ("operationType", operation)];
        let said = desk.push(&over, body.as_bytes()).await;
        assert_eq!(
            (said.status, said.json()["errCode"].as_str()),
            (200, Some("E6118"))
        );
        let told = said.json()["errMsg"].as_str().unwrap().to_owned();
        assert!(
            told.contains("the header id is `N-77`, but `masterFieldVal.number` is `N-3`"),
            "{told}"
        );
    }
    let xml = ORDER_XML.replace("04270003", "N-3");
    let said = desk
        .push(&[("id", "N-77"), ("content-type", "text/xml")], xml.as_bytes())
        .await;
    assert_eq!(said.json()["errCode"], "E6118", "{}", said.text);
    // A number is its digits.
    let number = ORDER.replace("\"04270002\"", "42");
    let said = desk.push(&[("id", "42")], number.as_bytes()).await;
    assert_eq!(said.json()["errCode"], "s106240000", "{}", said.text);
    assert_eq!(desk.pushes(), [("orders".to_owned(), 1)]);

    // At the scheme's own address nobody holds it against the object before it is stored: it is dead, and cancels nothing.
    let doors = desk.service.loaded().engine.reader().doors().unwrap();
    let door = doors.iter().find(|(scheme, _)| scheme == "orders").unwrap();
    let headers = [
        ("token", TOKEN),
        ("objectApiName", "erpSalesOrderObj"),
        ("id", "N-77"),
        ("operationType", "3"),
    ];
    let path = format!("/receive/{}", door.1);
    let said = desk.send("POST", &path, &headers, body.as_bytes()).await;
    assert_eq!(said.status, 200, "{}", said.text);
    desk.rows("orders").await;
    let filter = ledger::read::RecordFilter {
        scheme: Some("orders".to_owned()),
        limit: 9,
        ..Default::default()
    };
    let records = desk
        .service
        .loaded()
        .engine
        .reader()
        .list_records(&filter)
        .unwrap();
    let told = format!("{records:?}");
    assert!(told.contains("E6118") && told.contains("N-77"), "{told}");

    // Where the sender's id is a number of its own, as in the vendor's example, the object says so.
    desk.write(
        "objects/order.yaml",
        &OBJECT.replace("id: number\n", "id: number\npush_id: any\n"),
    );
    desk.service.reload().await.unwrap();
    let said = desk.push(&[("id", "111")], ORDER.as_bytes()).await;
    assert_eq!(said.json()["errCode"], "s106240000", "{}", said.text);
    let voids = [("id", "111"), ("operationType", "3")];
    for (body, code, word) in [
        ("", "E6109", "masterFieldVal.number"),
        (
            r#"{"objAPIName":"erpSalesOrderObj","masterFieldVal":{}}"#,
            "E6110",
            "`masterFieldVal.number` is required",
        ),
        (
            r#"{"objAPIName":"erpSalesOrderObj","masterFieldVal":{"number":"04270002"}}"#,
            "s106240000",
            "success",
        ),
    ] {
        let said = desk.push(&voids, body.as_bytes()).await;
        assert_eq!(said.json()["errCode"], code, "{body}: {}", said.text);
        assert!(said.text.contains(word), "{body}: {}", said.text);
    }
}

/// What is cancelled must be named: by the header where the object is declared, else by the scheme's key.
#[tokio::test]
async fn a_push_says_something_and_a_cancellation_says_of_what() {
    let desk = Desk::open().await;
    let (raw, xml) = (
        ("objectApiName", "erpRawObj"),
        ("content-type", "application/xml"),
    );
    let bare = r#"{"objAPIName":"erpSalesOrderObj","masterFieldVal":{}}"#;
    let undeclared = r#"{"objAPIName":"erpRawObj","masterFieldVal":{"number":"1"}}"#;
    type Over<'a> = &'a [(&'a str, &'a str)];
    let rows: [(Over<'_>, &str, &str, &str); 21] = [
        // Nothing at all.
        (&[], "", "E6109", "the body is empty"),
        (&[("id", "")], "", "E6108", "the body is empty"),
        (
            &[("id", ""), ("operationType", "3")],
            "",
            "E6108",
            "the body is empty",
        ),
        (&[("id", ""), raw], " \r\n", "E6108", "the body is empty"),
        (
            &[("id", ""), raw, ("content-type", "text/plain")],
            "",
            "E6108",
            "the body is empty",
        ),
        (
            &[("id", ""), raw, ("content-type", "")],
            "",
            "E6108",
            "the body is empty",
        ),
        (&[("id", ""), raw], "{}", "E6108", "the body is empty"),
        (&[("id", ""), raw], "[]", "E6108", "the body is empty"),
        (&[("id", ""), raw], "[{}]", "E6108", "the body is empty"),
        // A cancellation without a key.
        (
            &[("id", ""), raw, ("operationType", "3")],
            r#"{"x":1}"#,
            "E6108",
            "does not say of which document",
        ),
        (
            &[("id", ""), raw, ("operationType", "3")],
            r#"[{"no":"1"},{"x":1}]"#,
            "E6108",
            "does not say",
        ),
        (
            &[("id", ""), raw, ("operationType", "3")],
            "hello",
            "E6108",
            "does not say",
        ),
        (
            &[("id", ""), raw, xml, ("operationType", "3")],
            "<o><no>1</no></o>",
            "E6108",
            "does not say",
        ),
        (
            &[raw, ("id", "1"), ("operationType", "3")],
            "",
            "E6109",
            "is not declared here",
        ),
        (
            &[raw, ("id", "1"), ("operationType", "3")],
            undeclared,
            "E6109",
            "is not declared here",
        ),
        // Named.
        (
            &[("id", ""), raw, ("operationType", "3")],
            r#"{"no":"1"}"#,
            "s106240000",
            "",
        ),
        (&[("id", ""), raw], r#"{"x":1}"#, "s106240000", ""),
        (&[("id", "7"), ("operationType", "3")], "", "s106240000", ""),
        (
            &[("id", "8"), ("operationType", "3"), ("content-type", "")],
            "",
            "s106240000",
            "",
        ),
        (&[("id", "9"), ("operationType", "3")], bare, "s106240000", ""),
        (
            &[("id", "10"), ("operationType", "2")],
            bare,
            "E6110",
            "`masterFieldVal.number` is required",
        ),
    ];
    for (over, body, code, word) in rows {
        let said = desk.push(over, body.as_bytes()).await;
        assert_eq!(
            (said.status, said.json()["errCode"].as_str()),
            (200, Some(code)),
            "{over:?} {body}: {}",
            said.text
        );
        assert!(said.text.contains(word), "{over:?} {body}: {}", said.text);
    }
    let counts = [("orders", 3), ("raw", 2), ("raw-too", 2)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(desk.pushes(), counts);
    let rows = desk.rows("orders").await;
    let numbers: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["masterFieldVal"]["number"].as_str())
        .collect();
    assert_eq!(numbers, ["7", "8", "9"]);
}

/// Two lines with one id, a list of one in XML, and a document whose root is called as the text beside it is.
#[tokio::test]
async fn lines_lists_and_roots() {
    let desk = Desk::open().await;
    let twice = ORDER.replace("}]}}", r#"},{"line":1}]}}"#);
    let said = desk.push(&[], twice.as_bytes()).await;
    assert_eq!(said.json()["errCode"], "E6110", "{}", said.text);
    for path in ["create", "update"] {
        let said = desk.erp("POST", path, &twice).await;
        assert_eq!(said.json()["code"], "E6110", "{}", said.text);
        assert!(said.text.contains("each line has its own line"), "{}", said.text);
    }
    assert_eq!(desk.pushes(), []);
    let with_list = OBJECT.replace("  amount:", "  tags: {type: list}\n  amount:");
    desk.write("objects/order.yaml", &with_list);
    desk.service.reload().await.unwrap();
    let xml = ORDER_XML
        .replace("<amount>", "<tags>a</tags><amount>")
        .replace("data>", "text>");
    let said = desk
        .push(
            &[("id", "04270003"), ("content-type", "text/xml")],
            xml.as_bytes(),
        )
        .await;
    assert_eq!(said.json()["errCode"], "s106240000", "{}", said.text);
    let headers = [("token", ERP_TOKEN), ("content-type", "text/xml")];
    let other = xml.replace("04270003", "04270004");
    let said = desk
        .send("POST", "/erp/crm/create", &headers, other.as_bytes())
        .await;
    assert!(said.text.contains("<code>0</code>"), "{}", said.text);
    for row in desk.rows("orders").await {
        assert_eq!(row["masterFieldVal"]["tags"], serde_json::json!(["a"]), "{row}");
    }
    // What is written anew is still a row of XML: what a scheme goes through is a list.
    let text = scheme("raw", "crm", "erpRawObj", "", "masterFieldVal.number").replace(
        "key:",
        "derive: {nos: {$each: masterFieldVal.tags.tag, $do: <<$line.no>>}}, key:",
    );
    desk.write("schemes/raw.yaml", &text);
    desk.service.reload().await.unwrap();
    let xml = xml
        .replace("erpSalesOrderObj", "erpRawObj")
        .replace("<tags>a</tags>", "<tags><tag><no>1</no></tag></tags>");
    let over = [
        ("id", "04270003"),
        ("objectApiName", "erpRawObj"),
        ("content-type", "text/xml"),
    ];
    let said = desk.push(&over, xml.as_bytes()).await;
    assert_eq!(said.json()["errCode"], "s106240000", "{}", said.text);
    let rows = desk.rows("raw").await;
    assert_eq!(rows[0]["nos"], serde_json::json!(["1"]), "{rows:?}");
    let raw = [
        ("id", ""),
        ("objectApiName", "erpXmlObj"),
        ("content-type", "text/xml"),
    ];
    let said = desk.push(&raw, b"<text><no>7</no></text>").await;
    assert_eq!(said.status, 200, "{}", said.text);
}

/// A file of an object that is in error stops what names it, and nothing else.
#[tokio::test]
async fn an_object_in_error_is_told_and_stops_nothing_else() {
    let desk = Desk::open().await;
    let raw = [("id", ""), ("objectApiName", "erpRawObj")];
    for (text, word, pushed) in [
        ("object: erpSalesOrderObj\nid: [".to_owned(), "", (503, "E6115")),
        (
            OBJECT.replace("receive: orders", "receive: ordrs"),
            "there is no such scheme",
            (200, "s106240000"),
        ),
        (
            OBJECT.replace("connection: crm", "connection: crmm"),
            "no such connection",
            (200, "s106240000"),
        ),
    ] {
        desk.write("objects/order.yaml", &text);
        desk.service.reload().await.unwrap();
        for said in [
            desk.erp("POST", "create", &order("1", "1")).await,
            desk.erp("GET", "queryMasterById?objAPIName=erpSalesOrderObj&dataId=1", "")
                .await,
        ] {
            assert_eq!(
                (said.status, said.json()["code"].as_str()),
                (503, Some("E6115")),
                "{}",
                said.text
            );
            assert!(said.text.contains(word), "{}", said.text);
        }
        let said = desk.push(&[], ORDER.as_bytes()).await;
        assert_eq!(
            (said.status, said.json()["errCode"].as_str()),
            (pushed.0, Some(pushed.1)),
            "{}",
            said.text
        );
        let said = desk.push(&raw, br#"{"no":"1"}"#).await;
        assert_eq!(said.status, 200, "{}", said.text);
    }
    // Nor does it keep a service from starting.
    desk.write("objects/order.yaml", "object: erpSalesOrderObj\nid: [");
    let mut again = setting(desk._dir.path());
    let load = std::mem::replace(&mut again.load, Box::new(|| unreachable!()));
    let workspace = load().unwrap();
    let troubles: Vec<_> = workspace.object_troubles().keys().collect();
    assert_eq!(troubles, ["erpSalesOrderObj"]);
    let loaded = desk.service.reload().await.unwrap();
    assert_eq!(loaded.broken, 2, "the schemes that name it");
    // Who looks at the objects sees it there.
    let bearer = format!("Bearer {}", desk.reader);
    let said = desk
        .send("GET", "/api/v1/objects", &[("authorization", &bearer)], b"")
        .await;
    assert_eq!(said.status, 200, "{}", said.text);
    let listed = said.json()["items"].clone();
    let troubles = listed.as_array().unwrap().iter().map(|one| {
        let text = |name: &str| one[name].as_str().map(str::to_owned);
        (
            text("object").unwrap(),
            text("id"),
            one["trouble"]["code"].as_str().map(str::to_owned),
        )
    });
    let told: Vec<_> = troubles.collect();
    let fine = |name: &str, id: &str| (name.to_owned(), Some(id.to_owned()), None);
    assert_eq!(told[0], fine("erpPaymentObj", "no"), "{}", said.text);
    assert_eq!((told[2].0.as_str(), &told[2].1), ("erpSalesOrderObj", &None));
    assert!(told[2].2.is_some(), "{}", said.text);
}

const ERP: &str = "/erp/crm";

impl Desk {
    async fn erp(&self, method: &str, path: &str, body: &str) -> Said {
        let headers = [("token", ERP_TOKEN), ("content-type", "application/json")];
        self.send(method, &format!("{ERP}/{path}"), &headers, body.as_bytes())
            .await
    }

    /// What became visible in a stretch.
    async fn batch(&self, start: i64, end: i64, more: &str) -> serde_json::Value {
        let path =
            format!("queryMasterBatch?objAPIName=erpSalesOrderObj&startTime={start}&endTime={end}{more}");
        let said = self.erp("GET", &path, "").await;
        assert_eq!(said.json()["code"], "0", "{}", said.text);
        said.json()["data"].clone()
    }
}

fn order(number: &str, amount: &str) -> String {
    format!(
        r#"{{"objAPIName":"erpSalesOrderObj","masterFieldVal":{{"number":"{number}","amount":"{amount}"}},"detailFieldVals":{{"erpSalesOrderProductObj":[{{"line":"a","price":"1"}},{{"price":2}}]}}}}"#
    )
}

#[tokio::test]
async fn we_are_the_erp() {
    let desk = Desk::open().await;
    let created = desk.erp("POST", "create", &order("1", "10.50")).await;
    let want = serde_json::json!({
        "code": "0", "message": "success",
        "data": {"masterDataId": "1", "detailDataIds": {"erpSalesOrderProductObj": ["a", "1-2"]}},
    });
    assert_eq!((created.status, created.json()), (200, want.clone()));
    // The same again is the same answer, and nothing more.
    assert_eq!(
        desk.erp("POST", "create", &order("1", "10.50")).await.json(),
        want
    );
    assert_eq!(desk.pushes(), [("orders".to_owned(), 1)]);
    // To and fro and back: three states, each of them taken.
    for amount in ["11", "10.50", "10.50", "11"] {
        assert_eq!(
            desk.erp("POST", "update", &order("1", amount)).await.json(),
            want,
            "{amount}"
        );
    }
    assert_eq!(desk.pushes(), [("orders".to_owned(), 4)]);
    // The create again, late: it is answered and puts no old state over a new one. Another of the same id is refused.
    assert_eq!(
        desk.erp("POST", "create", &order("1", "10.50")).await.json(),
        want
    );
    for _ in 0..2 {
        let said = desk.erp("POST", "create", &order("1", "99")).await;
        assert_eq!(
            (said.status, said.json()["code"].as_str()),
            (200, Some("E6114")),
            "{}",
            said.text
        );
        assert_eq!(desk.pushes(), [("orders".to_owned(), 4)]);
        desk.rows("orders").await;
    }
    let xml = [("token", ERP_TOKEN), ("content-type", "application/xml")];
    let said = desk
        .send("POST", "/erp/crm/create", &xml, ORDER_XML.as_bytes())
        .await;
    assert!(
        said.text.ends_with("<response><code>0</code><message>success</message><data><masterDataId>04270003</masterDataId><detailDataIds><erpSalesOrderProductObj>1</erpSalesOrderProductObj></detailDataIds></data></response>"),
        "{}",
        said.text
    );

    // What was written is there to be read once the scheme has taken it.
    let start = desk.service.now_ms() - 60_000;
    let rows = desk.rows("orders").await;
    assert_eq!(rows.len(), 2);
    let end = desk.service.now_ms() + 60_000;
    let page = desk.batch(start, end, "&limit=1").await;
    assert_eq!(page["totalNum"], 2, "{page}");
    assert_eq!(page["dataList"].as_array().map(Vec::len), Some(1));
    let all = desk.batch(start, end, "").await;
    assert_eq!(all["dataList"][0]["masterFieldVal"]["amount"], "11", "{all}");
    let bare = desk.batch(start, end, "&includeDetail=false&offset=1").await;
    assert_eq!(
        bare["dataList"][0]["detailFieldVals"],
        serde_json::json!({}),
        "{bare}"
    );
    // However many rows a stretch has, all of them can be reached.
    let behind = desk.batch(start, end, "&offset=3000000").await;
    assert_eq!(
        (&behind["totalNum"], &behind["dataList"]),
        (&2.into(), &serde_json::json!([]))
    );
    // What changes now is in no stretch that was answered, though it ended a minute ahead.
    let changed = desk.erp("POST", "update", &order("1", "12")).await;
    assert_eq!(changed.json()["code"], "0");
    desk.rows("orders").await;
    assert_eq!(desk.batch(start, end, "").await["totalNum"], 2);
    // Whoever goes on a millisecond behind the end meets it as well as whoever goes on at the end.
    for from in [end, end + 1] {
        let next = desk.batch(from, end + 1, "").await;
        assert_eq!(next["totalNum"], 1, "{next}");
        assert_eq!(next["dataList"][0]["masterFieldVal"]["amount"], "12", "{next}");
    }
    let one = desk
        .erp("GET", "queryMasterById?objAPIName=erpSalesOrderObj&dataId=1", "")
        .await;
    assert_eq!(
        one.json()["data"]["masterFieldVal"]["amount"],
        "12",
        "{}",
        one.text
    );
}

/// What was acknowledged is there for who asks at once, and what was cancelled keeps its content and says so.
#[tokio::test]
async fn what_was_acknowledged_is_answered_at_once() {
    let desk = Desk::open().await;
    let void = [("operationType", "3"), ("id", "20")];
    let by_its_key =
        r#"{"objAPIName":"erpSalesOrderObj","masterFieldVal":{"number":"20"},"detailFieldVals":{}}"#;
    let whole = order("20", "3");
    let ask = "queryMasterById?objAPIName=erpSalesOrderObj&dataId=20";
    // What is done, and what is read before it is staged and after: amount and status.
    for (does, body, amount, status) in [
        ("create", order("20", "1"), "1", None),
        ("update", order("20", "2"), "2", None),
        ("void", by_its_key.to_owned(), "2", Some("cancelled")),
        ("void", by_its_key.to_owned(), "2", Some("cancelled")),
        ("void", whole, "3", Some("cancelled")),
        ("update", order("20", "4"), "4", None),
    ] {
        let code = match does {
            "void" => desk.push(&void, body.as_bytes()).await.json()["errCode"].clone(),
            _ => desk.erp("POST", does, &body).await.json()["code"].clone(),
        };
        assert!(code == "0" || code == "s106240000", "{does} {body}: {code}");
        for staged in [false, true] {
            if staged {
                desk.rows("orders").await;
            }
            let one = desk.erp("GET", ask, "").await;
            let master = &one.json()["data"]["masterFieldVal"];
            let told = format!("{does} {staged}: {}", one.text);
            assert_eq!(
                (master["amount"].as_str(), master["status"].as_str()),
                (Some(amount), status),
                "{told}"
            );
            assert_eq!(
                one.json()["data"]["detailFieldVals"],
                serde_json::from_str::<serde_json::Value>(&order("20", "1")).unwrap()["detailFieldVals"],
                "{told}"
            );
        }
        let now = desk.service.now_ms();
        let page = desk.batch(now - 60_000, now, "").await;
        let last = page["dataList"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["masterFieldVal"]["status"].as_str(), status, "{page}");
    }
    // Several that wait: the newest content, and that it was cancelled since.
    let said = desk.erp("POST", "update", &order("20", "5")).await;
    assert_eq!(said.json()["code"], "0");
    desk.push(&void, by_its_key.as_bytes()).await;
    let one = desk.erp("GET", ask, "").await.json();
    let master = &one["data"]["masterFieldVal"];
    assert_eq!(
        (&master["amount"], &master["status"]),
        (&"5".into(), &"cancelled".into()),
        "{one}"
    );
    // What was cancelled is created once more, and once: the same as it was the first time.
    desk.rows("orders").await;
    for staged in [false, true] {
        let made = desk.erp("POST", "create", &order("20", "1")).await;
        assert_eq!(made.json()["code"], "0", "{}", made.text);
        let other = desk.erp("POST", "create", &order("20", "6")).await;
        assert_eq!(other.json()["code"], "E6114", "{}", other.text);
        if staged {
            desk.rows("orders").await;
        }
        let one = desk.erp("GET", ask, "").await.json();
        let master = &one["data"]["masterFieldVal"];
        assert_eq!(
            (&master["amount"], &master["status"]),
            (&"1".into(), &serde_json::Value::Null),
            "{one}"
        );
    }
    // What nobody ever sent.
    let said = desk
        .erp("GET", "queryMasterById?objAPIName=erpSalesOrderObj&dataId=21", "")
        .await;
    assert_eq!(said.json()["code"], "E6113", "{}", said.text);
}

/// Whatever told that it was cancelled: it is created once more, and once.
#[tokio::test]
async fn what_was_cancelled_somehow_is_created_once_more() {
    let desk = Desk::open().await;
    let key = "masterFieldVal.number, void: {field: masterFieldVal.status, eq: cancelled}";
    let orders = scheme("orders", "crm", "erpSalesOrderObj", "", key);
    desk.write("schemes/orders.yaml", &orders);
    let read = scheme("raw", "crm", "erpRawObj", "", "masterFieldVal.number");
    desk.write("schemes/raw.yaml", &read);
    desk.write("objects/order.yaml", &OBJECT.replace("rows: orders", "rows: raw"));
    desk.service.reload().await.unwrap();
    let made = async |body: &str| desk.erp("POST", "create", body).await.json()["code"].clone();
    let count = |scheme: &str| {
        desk.pushes()
            .into_iter()
            .find(|(name, _)| name == scheme)
            .map(|one| one.1)
    };
    for (nth, (how, takes)) in [
        ("its status", true),
        ("its status", false),
        ("no header", true),
        ("as it is read", true),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("4{nth}");
        let (first, other) = (order(&id, "1"), order(&id, "2"));
        assert_eq!(made(&first).await, "0", "{how}");
        desk.rows("orders").await;
        assert_eq!(made(&other).await, "E6114", "{how}");
        let cancelled = first.replace("\"amount\"", "\"status\":\"cancelled\",\"amount\"");
        let void = [("operationType", "3"), ("id", "")];
        let said = match how {
            "its status" => desk.erp("POST", "update", &cancelled).await,
            "no header" => desk.push(&void, first.as_bytes()).await,
            _ => {
                let over = [void[0], void[1], ("objectApiName", "erpRawObj")];
                desk.push(&over, first.as_bytes()).await
            }
        };
        assert_eq!(said.status, 200, "{how}: {}", said.text);
        if takes {
            desk.rows("orders").await;
            desk.rows("raw").await;
        }
        // What comes in the same millisecond is not known to be later.
        let read = desk.service.now_ms();
        while desk.service.now_ms() <= read {
            tokio::task::yield_now().await;
        }
        let before = count("orders").unwrap();
        for staged in [false, true] {
            assert_eq!(made(&first).await, "0", "{how} {staged}");
            assert_eq!(count("orders"), Some(before + 1), "{how} {staged}");
            assert_eq!(made(&other).await, "E6114", "{how} {staged}");
            desk.rows("orders").await;
        }
    }
}

#[tokio::test]
async fn what_is_wrong_at_our_erp_is_told() {
    let desk = Desk::open().await;
    let query = "queryMasterBatch?objAPIName=erpSalesOrderObj";
    let far = desk.service.now_ms() + 3_600_000;
    let future = format!("{query}&startTime=0&endTime={far}");
    let unknown = order("9", "1");
    let read_only = unknown.replace("erpSalesOrderObj", "erpReadObj");
    let without = r#"{"objAPIName":"erpSalesOrderObj","masterFieldVal":{"amount":"1"}}"#;
    let other = r#"{"objAPIName":"erpSalesOrder","masterFieldVal":{}}"#;
    let with = |more: &str| format!("{query}{more}");
    for (method, path, body, status, code, word) in [
        (
            "POST",
            "update".to_owned(),
            unknown.as_str(),
            200,
            "E6113",
            "the id `9`",
        ),
        (
            "POST",
            "create".to_owned(),
            without,
            200,
            "E6110",
            "`masterFieldVal.number` is required",
        ),
        (
            "POST",
            "create".to_owned(),
            other,
            200,
            "E6107",
            "erpSalesOrderObj",
        ),
        (
            "POST",
            "create".to_owned(),
            &read_only,
            200,
            "E6112",
            "no create/update here",
        ),
        ("POST", "create".to_owned(), "[]", 200, "E6109", "no map"),
        (
            "POST",
            "create".to_owned(),
            "{\n  \"a\":1,}",
            200,
            "E6109",
            "JSON, line 2, column 9",
        ),
        ("GET", "create".to_owned(), "", 405, "E6004", "GET"),
        ("POST", "remove".to_owned(), "", 404, "E6003", "remove"),
        (
            "GET",
            query.to_owned(),
            "",
            200,
            "E6111",
            "`startTime` is wrong: it is missing",
        ),
        (
            "GET",
            with("&startTime=yesterday&endTime=1"),
            "",
            200,
            "E6111",
            "whole number",
        ),
        (
            "GET",
            with("&startTime=2&endTime=1"),
            "",
            200,
            "E6111",
            "later than endTime",
        ),
        ("GET", future, "", 200, "E6111", "15 minutes ahead"),
        (
            "GET",
            with("&startTime=0&endTime=1&limit=1001"),
            "",
            200,
            "E6111",
            "1 to 1000",
        ),
        (
            "GET",
            with("&startTime=0&endTime=1&offset=-1"),
            "",
            200,
            "E6111",
            "`offset`",
        ),
        (
            "GET",
            with("&startTime=0&endTime=1&includeDetail=1"),
            "",
            200,
            "E6111",
            "true or false",
        ),
        (
            "GET",
            "queryMasterBatch?objAPIName=BD_Customer".to_owned(),
            "",
            200,
            "E6107",
            "BD_Customer",
        ),
        (
            "GET",
            "queryMasterById?objAPIName=erpSalesOrderObj&dataId=7".to_owned(),
            "",
            200,
            "E6113",
            "`7`",
        ),
    ] {
        let said = desk.erp(method, &path, body).await;
        let told = format!("{method} {path}: {} {}", said.status, said.text);
        assert_eq!(said.status, status, "{told}");
        assert_eq!(said.json()["code"], code, "{told}");
        assert!(said.json()["message"].as_str().unwrap().contains(word), "{told}");
    }
    // Another token, another connection, none at all.
    let said = desk.erp("POST", "create", &read_only).await;
    assert!(
        said.text.contains("the objects here are: erpSalesOrderObj\""),
        "those with this call: {}",
        said.text
    );
    for (path, code, word) in [
        (PUSH, "E6102", "asyncpush needs token, tenantId, objectApiName"),
        (
            "/erp/syncdata/open/mapping/query",
            "E6102",
            "a mapping function needs token and tenantId",
        ),
    ] {
        let said = desk.send("POST", path, &[], b"{}").await;
        assert_eq!((said.status, said.json()["errCode"].as_str()), (401, Some(code)));
        assert!(said.text.contains(word), "{}", said.text);
    }
    let said = desk.send("POST", "/erp/crm/create", &[], b"{}").await;
    assert!(
        said.text.contains("needs the header token") && !said.text.contains("asyncpush"),
        "{}",
        said.text
    );
    for (path, token, code) in [
        ("/erp/crm/create", TOKEN, "E6101"),
        ("/erp/none/create", ERP_TOKEN, "E6101"),
        ("/erp/east/create", "", "E6102"),
    ] {
        let said = desk.send("POST", path, &[("token", token)], b"{}").await;
        assert_eq!(
            (said.status, said.json()["code"].as_str()),
            (401, Some(code)),
            "{path}"
        );
    }
    let said = desk
        .send(
            "POST",
            "/erp/east/create",
            &[("token", ERP_TOKEN)],
            order("1", "1").as_bytes(),
        )
        .await;
    assert_eq!(
        said.json()["code"],
        "E6107",
        "each connection has its own objects"
    );
    assert_eq!(desk.pushes(), [], "nothing was written");
    let said = desk
        .send(
            "POST",
            "/erp/crm/create",
            &[("token", "x"), ("content-type", "text/xml")],
            b"<a/>",
        )
        .await;
    assert!(
        said.text.contains("<response><code>E6101</code><message>"),
        "{}",
        said.text
    );
}

/// What is known of an object is known of the rows of a scheme that takes it; what does not fit is a dead record, also
/// at a scheme's own address, where nobody held it against the object.
#[tokio::test]
async fn schemes_are_held_against_the_object() {
    let desk = Desk::open().await;
    let dir = desk._dir.path();
    let text = scheme("typo", "crm", "erpSalesOrderObj", "", "masterFieldVal.numbr");
    std::fs::write(dir.join("schemes/typo.yaml"), text).unwrap();
    let object = OBJECT.replace("rows: orders, receive: orders", "rows: raw, receive: order");
    std::fs::write(
        dir.join("objects/other.yaml"),
        object.replace("erpSalesOrderObj", "other"),
    )
    .unwrap();
    let report = app::check::check(&[dir.join("schemes"), dir.join("objects")], &Places::default()).unwrap();
    let told: Vec<String> = report
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .map(|one| {
            format!(
                "{}:{} {} {}",
                one.file.name.rsplit('/').next().unwrap(),
                one.position().0,
                one.entry.code,
                one.message(Lang::En)
            )
        })
        .collect();
    let has = |part: &str| assert!(told.iter().any(|line| line.contains(part)), "{part}: {told:#?}");
    has("other.yaml:13 E1607 `rows: raw` cannot be used: its key must be number / masterFieldVal.number");
    has("other.yaml:13 E1607 `receive: order` cannot be used: there is no such scheme");
    has("typo.yaml:2");
    assert_eq!(told.len(), 3, "{told:#?}");

    let doors = desk.service.loaded().engine.reader().doors().unwrap();
    let door = doors
        .iter()
        .find(|(scheme, _)| scheme == "orders")
        .map(|(_, door)| format!("/receive/{door}"))
        .unwrap();
    let headers = [
        ("token", TOKEN),
        ("objectApiName", "erpSalesOrderObj"),
        ("id", "1"),
        ("content-type", "application/json"),
    ];
    let wrong = ORDER.replace("100.50", "1e3");
    let said = desk.send("POST", &door, &headers, wrong.as_bytes()).await;
    assert_eq!(said.status, 200, "{}", said.text);
    let rows = desk.rows("orders").await;
    assert_eq!(rows.len(), 1);
    let filter = ledger::read::RecordFilter {
        scheme: Some("orders".to_owned()),
        limit: 9,
        ..Default::default()
    };
    let records = desk
        .service
        .loaded()
        .engine
        .reader()
        .list_records(&filter)
        .unwrap();
    let told = format!("{:?}", records[0]);
    assert!(
        told.contains("E6110") && told.contains("without exponent"),
        "{told}"
    );
}

/// What the page of an object shows is what is answered.
#[tokio::test]
async fn the_page_of_an_object_can_be_typed() {
    let desk = Desk::open().await;
    let loaded = desk.service.loaded();
    let object = Arc::clone(loaded.engine.workspace.objects().get("erpSalesOrderObj").unwrap());
    let calls = app::objects::page::calls(&object, &loaded.engine.workspace, "http://erp.example.com/");
    let names: Vec<&str> = calls.iter().map(|call| call.name).collect();
    let all = [
        "create",
        "create, XML",
        "update",
        "update, XML",
        "queryMasterBatch",
        "queryMasterById",
        "asyncpush",
        "asyncpush, XML",
    ];
    assert_eq!(names, all);
    for call in calls {
        let headers: Vec<(&str, &str)> = call
            .headers
            .iter()
            .map(|(name, value)| {
                let value = match value.as_str() {
                    "$ERP_TOKEN" => ERP_TOKEN,
                    "$PUSH_TOKEN" => TOKEN,
                    value => value,
                };
                (name.as_str(), value)
            })
            .collect();
        let body = call
            .body
            .as_ref()
            .map(app::objects::page::sent)
            .unwrap_or_default();
        let path = call.url.strip_prefix("http://erp.example.com").unwrap();
        let said = desk.send(call.method, path, &headers, body.as_bytes()).await;
        if let Some(xml) = call.answer.as_text() {
            assert_eq!((said.status, said.text.as_str()), (200, xml), "{}", call.curl());
            continue;
        }
        let want: serde_json::Value = serde_json::from_str(&dsl::json::to_string(&call.answer)).unwrap();
        match call.name {
            // The stretch of the example lies in the past.
            "queryMasterBatch" => assert_eq!(said.json()["data"]["totalNum"], 0, "{}", said.text),
            _ => assert_eq!((said.status, said.json()), (200, want), "{}", call.curl()),
        }
        if call.name == "update" {
            desk.rows("orders").await;
        }
        assert!(!call.curl().contains("canary"), "{}", call.curl());
    }
    // What is not served, what no scheme takes and what it would find no key in is not shown.
    let raw = "object: erpRawObj\nid: no\nfields: {no: {type: text, required: true}}\n";
    desk.write("objects/raw.yaml", raw);
    desk.write("objects/nobody.yaml", &raw.replace("erpRawObj", "erpNobodyObj"));
    desk.service.reload().await.unwrap();
    let loaded = desk.service.loaded();
    let workspace = &loaded.engine.workspace;
    for (object, want) in [
        ("erpReadObj", &["queryMasterBatch", "queryMasterById"][..]),
        ("erpPaymentObj", &["asyncpush", "asyncpush, XML"]),
        // Of two tenants.
        (
            "erpRawObj",
            &[
                "asyncpush, non-standard",
                "asyncpush, non-standard",
                "asyncpush, non-standard",
            ],
        ),
        ("erpNobodyObj", &[]),
    ] {
        let declared = workspace.objects().get(object).unwrap();
        let calls = app::objects::page::calls(declared, workspace, "http://erp.example.com/");
        let names: Vec<&str> = calls.iter().map(|call| call.name).collect();
        assert_eq!(names, want, "{object}");
    }
}

/// The mapping functions: who may ask, what is refused, and that the same again changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_created_updated_and_asked_for() {
    let desk = Desk::open().await;
    let ask = async |function: &str, over: &[(&str, &str)], body: &str| {
        let right = [("token", TOKEN), ("tenantId", "81"), ("dataCenterId", "c1")];
        let kept = right
            .iter()
            .filter(|(name, _)| !over.iter().any(|(known, _)| known == name));
        let headers: Vec<(&str, &str)> = kept.chain(over).copied().collect();
        desk.send(
            "POST",
            &format!("/erp/syncdata/open/{function}"),
            &headers,
            body.as_bytes(),
        )
        .await
    };
    let objects = r#""sourceObjectApiName": "erpSalesOrderObj", "destObjectApiName": "SalesOrderObj""#;
    let create = |dest: &str| {
        format!(
            r#"{{"ployDetailId": "to-crm", {objects}, "sourceDataId": "111", "destDataId": "{dest}", "sourceDataName": "04270002"}}"#
        )
    };
    let code = |said: &Said| said.json()["errCode"].as_str().unwrap_or_default().to_owned();
    for (function, over, body, status, want) in [
        ("mapping/create", vec![], create("d1"), 200, "s106240000"),
        ("mapping/create", vec![], create("d1"), 200, "s106240000"),
        ("mapping/create", vec![], create("d2"), 200, "E6130"),
        ("mapping/update", vec![], create("d2"), 200, "s106240000"),
        ("mapping/create", vec![], "{".to_owned(), 200, "E6108"),
        ("mapping/create", vec![], create("").replace("111", ""), 200, "E6136"),
        ("mapping/create", vec![("token", "wrong")], create("d1"), 401, "E6101"),
        ("mapping/create", vec![("dataCenterId", "c9")], create("d1"), 200, "E6104"),
        // A policy of another tenant is not there.
        ("mapping/create", vec![("tenantId", "82"), ("dataCenterId", "e1")], create("d1"), 200, "E6132"),
        (
            "fieldmapping/create",
            vec![],
            r#"{"channel": "STANDARD_CHANNEL", "dataType": "employee", "fsDataId": "1000", "erpDataId": "E1"}"#.to_owned(),
            200,
            "s106240000",
        ),
        (
            "fieldmapping/create",
            vec![],
            r#"{"channel": "ELSEWHERE", "dataType": "employee", "fsDataId": "1000", "erpDataId": "E1"}"#.to_owned(),
            200,
            "E6142",
        ),
    ] {
        let said = ask(function, &over, &body).await;
        assert_eq!((said.status, code(&said).as_str()), (status, want), "{function} {body}: {}", said.text);
    }
    let said = ask(
        "mapping/query",
        &[],
        &format!(r#"{{{objects}, "sourceDataIds": ["111", "112"]}}"#),
    )
    .await;
    let told = said.json();
    assert_eq!(told["errCode"], "s106240000");
    assert_eq!(told["data"]["111"]["destDataId"], "d2");
    assert_eq!(told["data"]["111"]["sourceTenantId"], "81");
    assert!(told["data"].get("112").is_none(), "{told}");
    let reader = desk.service.loaded().engine.reader().clone();
    let fields = reader.field_mappings(&ledger::service::fields::FieldFilter {
        limit: 9,
        ..Default::default()
    });
    // Where the body names no data centre, it is that of the headers.
    assert_eq!(fields.unwrap()[0].place.data_center, "c1");
    // The charset that is declared is that of the body.
    let gbk = create("d2").replace("04270002", "GBK");
    let (before, behind) = gbk.split_once("GBK").unwrap();
    let gbk = [before.as_bytes(), b"\xbf\xcd\xbb\xa7", behind.as_bytes()].concat();
    let headers = |kind| [("token", TOKEN), ("tenantId", "81"), ("content-type", kind)];
    let path = "/erp/syncdata/open/mapping/update";
    let said = desk
        .send("POST", path, &headers("application/json; charset=gbk"), &gbk)
        .await;
    assert_eq!(code(&said), "s106240000", "{}", said.text);
    let said = ask(
        "mapping/query",
        &[],
        &format!(r#"{{{objects}, "sourceDataId": "111"}}"#),
    )
    .await;
    assert_eq!(
        said.json()["data"]["111"]["sourceDataName"],
        "客户",
        "{}",
        said.text
    );
    for (kind, body, words) in [
        (
            "application/json",
            &gbk[..],
            &["not valid utf-8 from byte", "charset=gbk"][..],
        ),
        (
            "application/xml",
            b"<a/>",
            &["the body is XML", "JSON is taken here, and nothing else"],
        ),
        ("application/json", b"", &["the body is empty"]),
        (
            "application/json",
            b"[\n1,\n{\"a\":1,\"a\":2}]",
            &["line 3, column ", "the name \"a\" appears twice"],
        ),
        (
            "application/x-www-form-urlencoded",
            b"a=1",
            &["Content-Type is application/x-www-form-urlencoded"],
        ),
    ] {
        let said = desk.send("POST", path, &headers(kind), body).await;
        assert_eq!(
            (said.status, code(&said).as_str()),
            (200, "E6108"),
            "{}",
            said.text
        );
        for word in words {
            assert!(
                said.json()["errMsg"].as_str().unwrap().contains(word),
                "{kind}: {}",
                said.text
            );
        }
        assert!(
            !said.text.contains("DOCTYPE") && !said.text.contains("answer"),
            "{}",
            said.text
        );
    }
    // A data centre that nobody has configured, or that of another tenant.
    let field = |centre: &str| {
        format!(
            r#"{{"dataCenterId": "{centre}", "channel": "OA", "dataType": "unit", "fsDataId": "1", "erpDataId": "E1"}}"#
        )
    };
    for (centre, want) in [
        ("c9", "E6104"),
        ("e1", "E6104"),
        ("c1", "s106240000"),
        (" ", "s106240000"),
    ] {
        let said = ask("fieldmapping/create", &[], &field(centre)).await;
        assert_eq!(
            (said.status, code(&said).as_str()),
            (200, want),
            "{centre}: {}",
            said.text
        );
    }
    let said = ask(
        "fieldmapping/create",
        &[("tenantId", "82"), ("dataCenterId", "e1")],
        &field("w2"),
    )
    .await;
    assert!(
        said.text.contains("the data centres are: e1 w1; did you mean"),
        "{}",
        said.text
    );
    let filter = ledger::service::fields::FieldFilter {
        data_type: Some("unit".to_owned()),
        limit: 9,
        ..Default::default()
    };
    assert_eq!(reader.field_mappings(&filter).unwrap().len(), 1);
    let got = desk
        .send(
            "GET",
            "/erp/syncdata/open/mapping/query",
            &[("token", TOKEN), ("tenantId", "81")],
            b"",
        )
        .await;
    assert_eq!(got.status, 405);
}

/// A pair of objects that two policies have, and a record of which nobody knows whether it was written.
#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_nobody_can_tell_is_refused() {
    let desk = Desk::open().await;
    let own = TO_CRM.replace(", dataCenterId: elsewhere", "");
    desk.write(
        "schemes/to-crm.yaml",
        &own.replace("key: no", "key: masterFieldVal.number")
            .replace("<<no>>", "<<masterFieldVal.number>>"),
    );
    desk.service.reload().await.unwrap();
    // The service itself runs nothing of it: what is done here is done once.
    desk.service
        .pause("to-crm", "tester", "run by hand")
        .await
        .unwrap();
    let headers = [
        ("token", TOKEN),
        ("tenantId", "81"),
        ("content-type", "application/json"),
    ];
    let ask = async |function: &str| {
        let body = r#"{"sourceObjectApiName": "erpSalesOrderObj", "destObjectApiName": "SalesOrderObj", "sourceDataId": "04270002", "destDataId": "d1"}"#;
        let path = format!("/erp/syncdata/open/mapping/{function}");
        desk.send("POST", &path, &headers, body.as_bytes()).await
    };
    let said = desk.push(&[], ORDER.as_bytes()).await;
    assert_eq!(said.status, 200, "{}", said.text);
    // It is read and not sent; then it may have been written by whoever worked with a copy.
    assert_eq!(desk.run("to-crm", flow::Stages::Fetch).await.len(), 1);
    let now = desk.service.now_ms();
    let doubt = flow::op::LedgerOp::Suspect {
        scheme: "to-crm".to_owned(),
        kind: flow::op::SuspectKind::Restored,
        until: now,
        ask_after: now,
        now,
    };
    let engine = desk.service.loaded();
    let doubted = engine
        .engine
        .with_ledger(move |ledger| ledger.apply(&[doubt], &ledger::Blobs::new()));
    assert_eq!(doubted.await.unwrap().unwrap(), [flow::op::LedgerReply::Count(1)]);
    let said = ask("create").await;
    assert_eq!(
        (said.status, said.json()["errCode"].as_str()),
        (200, Some("E6138")),
        "{}",
        said.text
    );
    assert!(
        said.text.contains("04270002") && said.text.contains("unknown"),
        "{}",
        said.text
    );
    // Which of two is meant has to be said.
    desk.write(
        "schemes/again.yaml",
        &TO_CRM.replace("scheme: to-crm", "scheme: again"),
    );
    desk.service.reload().await.unwrap();
    for function in ["create", "update"] {
        let said = ask(function).await;
        assert_eq!(
            (said.status, said.json()["errCode"].as_str()),
            (200, Some("E6134")),
            "{}",
            said.text
        );
        assert!(
            said.text.contains("again") && said.text.contains("to-crm"),
            "{}",
            said.text
        );
    }
    let filter = ledger::read::RecordFilter {
        scheme: Some("to-crm".to_owned()),
        limit: 9,
        ..Default::default()
    };
    let records = engine.engine.reader().list_records(&filter).unwrap();
    assert_eq!(records[0].target_id, None, "nothing was written");
}

/// A void of what was never made is stored for the scheme, and is no document for anybody who asks.
#[tokio::test]
async fn what_was_never_made_is_not_there_because_it_was_cancelled() {
    let desk = Desk::open().await;
    let needs_more = OBJECT.replace(
        "amount: {type: decimal}",
        "amount: {type: decimal, required: true}",
    );
    desk.write("objects/order.yaml", &needs_more);
    desk.service.reload().await.unwrap();
    let begun = desk.service.now_ms();
    let void = [("operationType", "3"), ("id", "88")];
    let ask = "queryMasterById?objAPIName=erpSalesOrderObj&dataId=88";
    let said = desk.push(&void, b"").await;
    assert_eq!(said.json()["errCode"], "s106240000", "{}", said.text);
    for staged in [false, true] {
        if staged {
            assert_eq!(desk.rows("orders").await.len(), 1);
        }
        let said = desk.erp("GET", ask, "").await;
        assert_eq!(said.json()["code"], "E6113", "{staged} {}", said.text);
        let said = desk.erp("POST", "update", &order("88", "1")).await;
        assert_eq!(said.json()["code"], "E6113", "{staged} {}", said.text);
    }
    assert_eq!(desk.batch(begun, desk.service.now_ms(), "").await["totalNum"], 0);
    // Once it is made it is there, and so is its cancellation.
    let said = desk.erp("POST", "create", &order("88", "1")).await;
    assert_eq!(said.json()["code"], "0", "{}", said.text);
    for (staged, status) in [(false, None), (true, None), (true, Some("cancelled"))] {
        if status.is_some() {
            desk.push(&void, b"").await;
        }
        if staged {
            desk.rows("orders").await;
        }
        let said = desk.erp("GET", ask, "").await.json();
        let master = &said["data"]["masterFieldVal"];
        assert_eq!(
            (master["amount"].as_str(), master["status"].as_str()),
            (Some("1"), status),
            "{said}"
        );
    }
    let page = desk.batch(begun, desk.service.now_ms(), "").await;
    assert_eq!(page["dataList"][0]["masterFieldVal"]["amount"], "1", "{page}");
}

/// A path that is slightly wrong is told in the form of those beside it.
#[tokio::test]
async fn unknown_paths_are_told_in_the_form_of_the_protocol() {
    let desk = Desk::open().await;
    for (method, path, code, message) in [
        (
            "POST",
            "/erp/syncdata/open/objdata/asyncpushx",
            "errCode",
            "errMsg",
        ),
        ("POST", "/erp/syncdata/open/mapping/delete", "errCode", "errMsg"),
        ("GET", "/erp/syncdata/open/objdata/a/b", "errCode", "errMsg"),
        ("GET", "/erp/crm/queryMaster", "code", "message"),
        ("GET", "/erp/crm", "code", "message"),
        ("GET", "/erp/crm/a/b", "code", "message"),
    ] {
        let said = desk.send(method, path, &[], b"").await;
        let told = said.json();
        assert_eq!(
            (said.status, told[code].as_str()),
            (404, Some("E6003")),
            "{path}: {told}"
        );
        assert!(
            told[message].as_str().is_some_and(|text| !text.is_empty()),
            "{told}"
        );
    }
    let said = desk.send("GET", "/erpx", &[], b"").await;
    assert_eq!(said.json()["code"], "E6003", "{}", said.text);
    assert!(said.json()["title"].is_string(), "{}", said.text);
}

/// Whichever counted, the other was meant by somebody.
#[tokio::test]
async fn a_header_says_one_thing() {
    let desk = Desk::open().await;
    for (name, one, other, status) in [
        ("token", TOKEN, "another", 401),
        ("tenantId", "81", "82", 401),
        ("dataCenterId", "c1", "e1", 200),
        ("objectApiName", "erpSalesOrderObj", "erpRawObj", 200),
        ("version", "v1", "v2", 200),
        ("operationType", "1", "3", 200),
        ("id", "04270002", "04270003", 200),
    ] {
        let said = desk.push(&[(name, one), (name, other)], ORDER.as_bytes()).await;
        assert_eq!(
            (said.status, said.json()["errCode"].as_str()),
            (status, Some("E6119")),
            "{name}: {}",
            said.text
        );
        assert!(said.text.contains(name), "{}", said.text);
    }
    let twice = [("token", ERP_TOKEN), ("token", "another")];
    let said = desk.send("GET", "/erp/crm/queryMasterById", &twice, b"").await;
    assert_eq!((said.status, said.json()["code"].as_str()), (401, Some("E6119")));
    assert!(desk.pushes().is_empty());
    // Twice the same is a proxy's.
    let said = desk
        .push(&[("version", "v1"), ("version", " v1")], ORDER.as_bytes())
        .await;
    assert_eq!(said.json()["errCode"], "s106240000", "{}", said.text);
}

/// Clients say of a body that it is a form unless told otherwise; of nothing that says nothing.
#[tokio::test]
async fn a_void_without_a_body_has_whatever_type() {
    let desk = Desk::open().await;
    for (id, kind) in [
        ("1", "application/x-www-form-urlencoded"),
        ("2", "application/json"),
        ("3", "application/xml"),
        ("4", "multipart/form-data; boundary=x"),
    ] {
        let over = [("operationType", "3"), ("id", id), ("content-type", kind)];
        for body in ["", " \r\n"] {
            let said = desk.push(&over, body.as_bytes()).await;
            assert_eq!(said.json()["errCode"], "s106240000", "{kind}: {}", said.text);
        }
    }
    assert_eq!(desk.pushes(), [("orders".to_owned(), 4)]);
    let form = [
        ("operationType", "3"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let said = desk.push(&form, b"number=1").await;
    assert_eq!(said.json()["errCode"], "E6108", "{}", said.text);
    let said = desk.push(&form[1..], b"").await;
    assert_ne!(said.json()["errCode"], "s106240000", "{}", said.text);
}
