//! Pushes to the real service over real HTTP: who is believed, what is refused and how, what is there afterwards.

use std::io::Write as _;
use std::net::TcpStream;

use tests::e2e::{Serving, World};

const CONNECTIONS: &str = "\
connections:
  shop:
    connector: http
    params: {server: \"https://shop.example.com/\", webhook_secret: \"${env:SHOP_PUSH}\"}
";
const ORDERS: &str = "\
scheme: orders
source: {connection: shop, api: webhook_signed, key: id, label: name}
target: none
publish: {fields: [id, name], filter: [id]}
schedule: on_push
";

/// A service that listens, and the path of its scheme's door.
struct Shop {
    world: World,
    served: Option<Serving>,
    door: String,
}

impl Shop {
    fn open() -> Self {
        let mut world = World::small();
        world.write("connections.yaml", CONNECTIONS);
        std::fs::remove_dir_all(world.path("schemes")).expect("a folder of this test");
        world.write("schemes/orders.yaml", ORDERS);
        world.set("SHOP_PUSH", "密钥");
        let told = world.engine(&["receive", "url", "schemes/orders.yaml"]);
        assert_eq!(told.code, Some(0), "{told}");
        let mut shop = Shop {
            door: told.stdout.trim().to_owned(),
            served: None,
            world,
        };
        shop.start();
        shop
    }

    fn start(&mut self) {
        self.served = Some(self.world.serve(&[]));
    }

    fn served(&self) -> &Serving {
        self.served.as_ref().expect("it runs")
    }

    fn kill(&mut self) {
        let served = self.served.take().expect("it runs");
        served.signal("KILL");
        assert_eq!(served.end(), None, "it ran until then");
    }

    /// Sends a request and gives the status and the body of its answer.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        self.served().request(method, path, headers, body.as_bytes())
    }

    /// A push that is signed as its sender would.
    fn push(&self, body: &str) -> (u16, String) {
        let signature = signature(body);
        self.send(
            "POST",
            &self.door,
            &[("content-type", "application/json"), ("x-signature", &signature)],
            body,
        )
    }

    /// The labels of the rows, once there are so many.
    fn labels(&mut self, wanted: usize) -> Vec<String> {
        let (world, mut labels) = (&self.world, Vec::new());
        let served = self.served.as_mut().expect("it runs");
        served.wait_until("all rows are there", |_| {
            let ran = world.engine(&["rows", "list", "--scheme", "orders", "--json"]);
            if ran.code == Some(0) {
                let rows = ran.json()["rows"].as_array().cloned().unwrap_or_default();
                let label = |row: &serde_json::Value| row["label"].as_str().unwrap_or_default().to_owned();
                labels = rows.iter().map(label).collect();
                labels.sort();
            }
            labels.len() >= wanted
        });
        labels
    }
}

fn signature(body: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice("密钥".as_bytes()).expect("any key will do");
    mac.update(body.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn forged_replayed_oversize_and_wrong() {
    let mut shop = Shop::open();
    let good = r#"{"id":"00123","name":"张三"}"#;
    let stored = (200, r#"{"stored":1}"#.to_owned());
    assert_eq!(shop.push(good), stored);
    assert_eq!(shop.push(good), stored, "the same again is answered the same way");

    let json = ("content-type", "application/json");
    let right = signature(good);
    let wrong = signature("other");
    let no_door = "/receive/00000000000000000000000000000000";
    let door = shop.door.clone();
    let large = format!(r#"{{"id":"{}"}}"#, "x".repeat(1 << 20));
    for (method, path, headers, body, status, code) in [
        // The signature of another body, none, and the right one at another door: one answer.
        (
            "POST",
            door.as_str(),
            vec![json, ("x-signature", wrong.as_str())],
            good,
            401,
            "E6030",
        ),
        ("POST", &door, vec![json], good, 401, "E6030"),
        (
            "POST",
            &door,
            vec![json, ("x-signature", &right)],
            r#"{"id":"00124"}"#,
            401,
            "E6030",
        ),
        (
            "POST",
            no_door,
            vec![json, ("x-signature", &right)],
            good,
            401,
            "E6030",
        ),
        ("PUT", no_door, vec![json], "", 401, "E6030"),
        // Another method is told to who is believed.
        (
            "PUT",
            &door,
            vec![json, ("x-signature", &right)],
            good,
            400,
            "method",
        ),
        ("PUT", &door, vec![json], good, 401, "E6030"),
        ("POST", &door, vec![json], &large, 413, "E6006"),
        ("POST", "/receive/", vec![json], good, 404, "E6003"),
    ] {
        let (got, said) = shop.send(method, path, &headers, body);
        assert_eq!(got, status, "{method} {path}: {said}");
        assert!(said.contains(code), "{method} {path}: {said}");
        assert!(!said.contains("密钥"), "{said}");
    }
    // Both refusals are the same to the byte, but for the id of the request.
    let bare = |said: String| -> serde_json::Value {
        let mut said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        said["request_id"] = "".into();
        said
    };
    let of_token = shop.send("POST", &door, &[json, ("x-signature", &wrong)], good);
    let of_door = shop.send("POST", no_door, &[json, ("x-signature", &wrong)], good);
    assert_eq!((of_token.0, bare(of_token.1)), (of_door.0, bare(of_door.1)));

    assert_eq!(shop.labels(1), ["张三"], "only what was believed is there, once");
    shop.kill();
    let told = shop
        .world
        .engine(&["receive", "list", "--scheme", "orders", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).expect("JSON");
    shop.world.valid("receive-list", &told);
    assert_eq!(told["pushes"][0]["repeats"], 1);
}

#[test]
fn what_was_acknowledged_survives_the_process() {
    let mut shop = Shop::open();
    for nth in 0..20 {
        let body = format!(r#"{{"id":"{nth}","name":"客户 {nth:02}"}}"#);
        assert_eq!(shop.push(&body).0, 200);
    }
    // Some of them are rows by now, the others wait.
    shop.kill();
    shop.start();
    let labels = shop.labels(20);
    let want: Vec<String> = (0..20).map(|nth| format!("客户 {nth:02}")).collect();
    assert_eq!(labels, want, "nobody had to push again");
    shop.kill();
}

/// A sender that promises a body and goes away leaves nothing behind, and others are served meanwhile.
#[test]
fn half_a_push_is_none() {
    let mut shop = Shop::open();
    let mut half = TcpStream::connect(shop.served().address()).expect("it listens");
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{{\"id\":",
        shop.door
    );
    half.write_all(head.as_bytes()).expect("sent");
    assert_eq!(shop.push(r#"{"id":"1","name":"a"}"#).0, 200);
    drop(half);
    assert_eq!(shop.push(r#"{"id":"2","name":"b"}"#).0, 200);
    assert_eq!(shop.labels(2), ["a", "b"]);
    shop.kill();
}

/// What is no failure of the run itself is named in its line all the same: by code, and never by what the record holds.
#[test]
fn the_log_says_why_a_run_is_partial() {
    let mut shop = Shop::open();
    assert_eq!(shop.push(r#"{"name":"某某某"}"#).0, 200);
    let log = shop.world.path(".engine/default/log/engine.log");
    let ended_badly = || {
        let text = std::fs::read_to_string(&log).ok()?;
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines
            .filter(|line| line["message"] == "run ended")
            .find(|line| line["level"] == "warn")
    };
    let served = shop.served.as_mut().expect("it runs");
    served.wait_until("the line is there", |_| ended_badly().is_some());
    let line = ended_badly().expect("a line");
    assert_eq!(line["code"], "E2002", "{line}");
    assert_eq!(
        line["reason"], "engine rows list --scheme orders --state dead",
        "{line}"
    );
    assert_eq!(line["dead"], 1, "{line}");
    assert!(!line.to_string().contains("某某某"), "{line}");
}
