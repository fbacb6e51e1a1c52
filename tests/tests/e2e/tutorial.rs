//! docs/write-a-connector.md: its files are those of the folder beside it, and they work against a server that was
//! written from the page's four sentences about the system, not from the files.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Digest as _;
use serde_json::{Value, json};
use tests::e2e::{Message, Run, Served, repository};

const FILES: [&str; 3] = [
    "connectors/moon-shop/connector.yaml",
    "connections.yaml",
    "schemes/moon-buyers.yaml",
];

#[test]
fn the_pages_show_the_files_as_they_are() {
    let docs = repository().join("docs");
    for page in ["write-a-connector.md", "write-a-connector.zh.md"] {
        let text = std::fs::read_to_string(docs.join(page)).expect("the page");
        let blocks: Vec<&str> = text
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        let files = FILES.map(|file| {
            std::fs::read_to_string(docs.join("write-a-connector").join(file)).expect("the folder has it")
        });
        assert_eq!(blocks, files, "{page}");
    }
}

/// What Moon Shop remembers: orders, and customers by `ref`.
#[derive(Default)]
struct Moon {
    customers: Vec<(String, Value)>,
    pages: usize,
    /// When the first call came, in milliseconds; the orders were changed in the hours before.
    opened: Option<i64>,
}

const ORDERS: usize = 120;
const SECRET: &str = "moon-secret";

/// The four sentences of the page, as a server.
fn moon(request: &Message, state: &Mutex<Moon>) -> Value {
    let refused = |code: &str, text: &str| json!({"ok": false, "error": {"code": code, "text": text}});
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let digest = md5::Md5::digest(&request.body);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let to_sign = format!("{}\n{}\n{hex}", header("x-moon-time"), request.path());
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(to_sign.as_bytes());
    let sign = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    if header("x-moon-key") != "moon-key" || header("x-moon-sign") != sign {
        return refused("BAD_SIGN", "签名不对");
    }
    let asked = request.json();
    let mut state = state.lock().expect("no test panics in it");
    match request.path() {
        "/api/v1/orders/list" => {
            let from = |cursor: &str| cursor.strip_prefix('c').and_then(|text| text.parse().ok());
            let from: usize = asked["cursor"].as_str().and_then(from).unwrap_or(0);
            let limit = asked["limit"]
                .as_u64()
                .and_then(|limit| usize::try_from(limit).ok());
            let now = header("x-moon-time").parse::<i64>().expect("seconds") * 1000;
            let opened = *state.opened.get_or_insert(now);
            let bound = |name: &str| asked[name].as_i64().expect("milliseconds");
            let inside = |n: &usize| {
                let changed = opened - 60_000 * (60 + i64::try_from(*n).expect("few"));
                (bound("updated_from")..bound("updated_to")).contains(&changed)
            };
            let found: Vec<usize> = (0..ORDERS).filter(inside).collect();
            let to = found.len().min(from + limit.unwrap_or(50));
            let order = |n: usize| json!({"no": format!("{n:05}"), "buyer_no": format!("{:03}", n / 4), "buyer": format!("买家{}", n / 4)});
            state.pages += 1;
            let mut answer = json!({"ok": true, "orders": found[from.min(to)..to].iter().map(|n| order(*n)).collect::<Vec<_>>()});
            if to < found.len() {
                answer["next"] = json!(format!("c{to}"));
            }
            answer
        }
        "/api/v1/customers" => {
            let customers = asked["customers"].as_array().cloned().unwrap_or_default();
            if customers.len() > 20 {
                return refused("TOO_MANY", "最多 20 个");
            }
            let results: Vec<Value> = customers
                .iter()
                .map(|customer| {
                    let key = customer["ref"].as_str().unwrap_or_default().to_owned();
                    let known = state.customers.iter().position(|(known, _)| *known == key);
                    let id = match known {
                        Some(at) => at,
                        None => {
                            state.customers.push((key.clone(), customer.clone()));
                            state.customers.len() - 1
                        }
                    };
                    json!({"ref": key, "id": id, "error": null})
                })
                .collect();
            json!({"ok": true, "results": results})
        }
        _ => refused("NO_SUCH", "没有这个接口"),
    }
}

#[test]
fn the_file_works_against_what_the_vendor_wrote() {
    let state = Arc::new(Mutex::new(Moon::default()));
    let shared = Arc::clone(&state);
    let served = Served::by(move |request| moon(request, &shared));
    let folder = tempfile::tempdir().expect("room for temporary files");
    for file in FILES {
        let from = repository().join("docs/write-a-connector").join(file);
        let to = folder.path().join(file);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("our own folder");
        let text = std::fs::read_to_string(from).expect("the folder has it");
        let server = format!("    params:\n      server: \"http://{}/\"\n", served.addr());
        let text = match file {
            "connections.yaml" => text.replace("    params:\n", &server),
            _ => text,
        };
        std::fs::write(to, text).expect("our own folder");
    }
    let engine = |secret: &str, words: &[&str]| {
        let environment = [
            ("ENGINE_LANG", "en"),
            ("MOON_KEY", "moon-key"),
            ("MOON_SECRET", secret),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Run::new(folder.path(), &environment, words).finish()
    };
    engine(SECRET, &["check", "."])
        .expect(0)
        .says("exactly-once effect");
    engine(SECRET, &["test", "."]).expect(0);
    let refused = engine("moon-secreT", &["run", "schemes/moon-buyers.yaml", "--json"]);
    assert!(refused.stdout.contains("签名不对"), "{refused}");
    for fetched in [ORDERS, 0] {
        let ran = engine(SECRET, &["run", "schemes/moon-buyers.yaml", "--json"]);
        ran.expect(0);
        assert_eq!(ran.json()["runs"][0]["counts"]["fetched"], fetched, "{ran}");
    }
    let state = state.lock().expect("nobody panicked");
    assert_eq!(state.customers.len(), ORDERS / 4, "each buyer once");
    assert!(state.pages > 8, "slices of pages: {}", state.pages);
}
