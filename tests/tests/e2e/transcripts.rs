//! What every command says, kept as files in both languages: text, `--json`, wrong use and refused input.
//!
//! What differs from run to run (times, addresses, spans, hashes) is replaced by its name. `UPDATE_EXPECT=1` rewrites the
//! files; what changed is read like any other change.

use std::collections::BTreeSet;

use regex::Regex;
use tests::e2e::{FEEDER, MAIN, Run, World, engine, repository};

/// Lines of one answer that are kept: what follows is of the same kind.
const MOST_LINES: usize = 60;
/// Characters of one line that are kept: no line for people is longer, and scripts within JSON are.
const MOST_CHARACTERS: usize = 2_000;

/// Organisation that the simulated target does not know.
const WRONG: &str = "FCreateOrgId: {FNumber: \"103\"}";
const RIGHT: &str = "FCreateOrgId: {FNumber: \"100\"}";

/// The commands of one file, as they are typed.
struct Script<'a> {
    world: &'a World,
    masks: Vec<(Regex, &'static str)>,
    text: String,
}

impl<'a> Script<'a> {
    fn new(world: &'a World) -> Self {
        let masks = [
            (r"eng_[A-Za-z0-9_-]{20,}", "<token>"),
            (r"https?://127\.0\.0\.1:\d+", "http://<address>"),
            (r"127\.0\.0\.1:\d+", "<address>"),
            (
                r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?[+-]\d\d:\d\d|Z)?",
                "<time>",
            ),
            (r"\b1[5-9]\d{11}\b", "<ms>"),
            (r"\b\d+(m\d\ds|h\d\dm)\b", "<span>"),
            (r"\b\d+(\.\d+)?(ms|s|m|min)\b", "<span>"),
            (r#""([a-z_]*(_ms|bytes|pid))": \d+"#, "\"$1\": <n>"),
            (r"[0-9,]+ (?P<w>bytes|字节)", "<n> $w"),
            (r"\b[0-9a-f]{12,}\b", "<hash>"),
            (r"(?P<w>version|版本) [0-9a-f]{4}\b", "$w <hash>"),
            (
                r#"(engine |"version": "|version = ")\d+\.\d+\.\d+"#,
                "$1<version>",
            ),
            (r"(process|进程) \d+", "$1 <n>"),
        ];
        Script {
            world,
            masks: masks
                .into_iter()
                .map(|(pattern, name)| (Regex::new(pattern).expect("our own"), name))
                .collect(),
            text: String::new(),
        }
    }

    /// A command without anything on stdin.
    fn say(&mut self, words: &str) -> &mut Self {
        self.read(words, "")
    }

    /// A command that reads.
    fn read(&mut self, words: &str, stdin: &str) -> &mut Self {
        let list: Vec<&str> = words.split(' ').collect();
        let command = self.world.command(&list).stdin(stdin);
        self.told(words, command)
    }

    fn told(&mut self, words: &str, command: Run) -> &mut Self {
        let ran = command.finish();
        let code = ran
            .code
            .map_or_else(|| "signal".to_owned(), |code| code.to_string());
        self.add(words, &format!("{}{}", ran.stdout, ran.stderr), &code);
        self
    }

    fn add(&mut self, words: &str, said: &str, code: &str) {
        let folder = self.world.path("").display().to_string();
        let said = said.replace(folder.trim_end_matches('/'), "<folder>");
        let program = std::fs::canonicalize(engine()).expect("it is built");
        let said = said.replace(&program.display().to_string(), "<engine>");
        let mut said = shortened(&self.masked(&said));
        let lines = said.lines().count();
        if lines > MOST_LINES {
            let kept: Vec<&str> = said.lines().take(MOST_LINES).collect();
            said = format!("{}\n… {} more lines", kept.join("\n"), lines - MOST_LINES);
        }
        let words = self.masked(words);
        let end = match code {
            "0" => String::new(),
            code => format!("(exit {code})\n"),
        };
        self.text
            .push_str(&format!("$ engine {words}\n{}\n{end}\n", said.trim_end()));
    }

    /// Without what differs from run to run, and without the padding that depends on its width.
    fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (pattern, name) in &self.masks {
            text = pattern.replace_all(&text, *name).into_owned();
        }
        let padding = Regex::new(r"(\S) {2,}").expect("our own");
        let lines = text
            .lines()
            .map(|line| padding.replace_all(line.trim_end(), "$1  ").into_owned());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// With every line cut that goes on for pages.
fn shortened(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.char_indices().nth(MOST_CHARACTERS) {
            Some((cut, _)) => format!("{} …", &line[..cut]),
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Compares with the file of each language.
fn in_both(name: &str, prepare: impl Fn(&mut World), commands: impl Fn(&mut Script<'_>)) {
    for lang in ["zh", "en"] {
        let mut world = World::small();
        world.set("USER", "li");
        prepare(&mut world);
        world.set("ENGINE_LANG", lang);
        let mut script = Script::new(&world);
        commands(&mut script);
        let secrets = ["SANDBOX_K3_SECRET", "SANDBOX_HUKE_SECRET"];
        for secret in secrets.iter().filter_map(|name| world.variable(name)) {
            assert!(!script.text.contains(&secret), "a secret is told");
        }
        super::operations::golden(
            &format!("{name}.{lang}.txt"),
            &format!("{}\n", script.text.trim_end()),
        );
    }
}

/// Three records that were refused.
fn with_dead(world: &mut World) {
    world.feed();
    world.edit(MAIN, RIGHT, WRONG);
    world.run(&["--limit", "3"], 1);
}

#[test]
fn run() {
    let prepare = |world: &mut World| {
        world.write(
            "schemes/broken.yaml",
            "scheme: broken\nsource: {conection: huke}\n",
        );
        world.write(
            "schemes/slip.yaml",
            "scheme: slip\nsource:\n    conection: huke\n    api: search_customers\n    window: none\n    key: cid\ntarget: none\nschedule: {every: 30m}\n",
        );
    };
    in_both("run", prepare, |script| {
        script
            .say(&format!("run {FEEDER}"))
            .say(&format!("run {MAIN} --limit 3 --json"))
            .say(&format!("run {MAIN}"))
            .say(&format!("dry-run {MAIN} --limit 1"))
            .say(&format!("dry-run {MAIN} --limit 1 --json"))
            .say("dry-run schemes/broken.yaml")
            .say("dry-run --limt 1")
            .say("run schemes/broken.yaml")
            .say("run schemes/nothing.yaml --json")
            .say("run schemes --limti 3");
    });
}

#[test]
fn rows() {
    in_both("rows", with_dead, |script| {
        let dead = script
            .world
            .engine(&["rows", "list", "--state", "dead", "--json"])
            .json();
        let key = |nth: usize| -> String {
            let key = dead["rows"][nth]["key"][0].as_str().map(str::to_owned);
            key.expect("a key of one text")
        };
        let (first, second, third) = (key(0), key(1), key(2));
        script
            .say("rows list --state dead")
            .say("rows list --state dead --limit 1 --json")
            .say("rows list --state deat")
            .say("rows list --lmit 3")
            .say(&format!("rows show {first} --scheme huke-to-k3"))
            .say(&format!("rows show {first} --scheme huke-to-k3 --json"))
            .say("rows show nobody")
            .say("rows show")
            .say("rows export --state dead --csv")
            .say("rows export --state dead --json")
            .say("rows export --state deat")
            .say("retry --scheme huke-to-k3 --dry-run")
            .say("retry --scheme huke-to-k3 --dry-run --json")
            .say("retry --scheme huke-to-k3")
            .say(&format!("retry --scheme huke-to-k3 --key {third} --yes"))
            .say("retry --state done")
            .say(&format!("rows skip {first} --scheme huke-to-k3"))
            .say(&format!("rows skip {first} --scheme huke-to-k3 --reason tried"))
            .say(&format!(
                "rows skip {first} --scheme huke-to-k3 --reason tried --json"
            ))
            .say(&format!("rows hold {third} --scheme huke-to-k3 --reason asked"))
            .say(&format!(
                "rows hold {second} --scheme huke-to-k3 --reason asked --json"
            ))
            .say(&format!(
                "rows resolve {second} --scheme huke-to-k3 --reason seen"
            ))
            .say(&format!(
                "rows resolve {second} --scheme huke-to-k3 --done-as 100001 --reason seen"
            ))
            .say(&format!(
                "rows resolve {second} --scheme huke-to-k3 --done-as 100001 --reason seen --json"
            ))
            .say("audit list")
            .say("audit list --limit 1 --json")
            .say("audit list --action nothing");
    });
}

#[test]
fn runs() {
    in_both("runs", with_dead, |script| {
        script
            .say("runs list")
            .say("runs list --scheme huke-to-k3 --json")
            .say("runs list --status finished")
            .say("runs show 2")
            .say("runs show 2 --json")
            .say("runs show 99")
            .say("runs show two")
            .say("runs cancel 2")
            .say("runs cancel 2 --json")
            .say("runs cancel 2 --server 127.0.0.1:8080")
            .say("status")
            .say("status --json")
            .say("status --scheme huke-to-k4")
            .say("replay schemes/huke-to-k3.yaml --from 2020-01-01T00:00:00Z --to 2020-01-01T12:00:00Z --dry-run")
            .say("replay schemes/huke-to-k3.yaml --from 2020-01-01T00:00:00Z --to 2020-01-01T12:00:00Z --dry-run --json")
            .say("replay schemes/huke-to-k3.yaml --from tomorrow --to now");
    });
}

#[test]
fn upkeep() {
    in_both(
        "upkeep",
        |world| world.feed(),
        |script| {
            script
                .say("verify")
                .say("verify --json")
                .say("verify --fix")
                .say("backup --to copy.db")
                .say("backup --to copy.db --json")
                .say("backup --to")
                .say("restore copy.db --reason disk")
                .say("restore nothing.db --reason disk --yes --json")
                .say("restore copy.db --reason disk --yes")
                .say("migrate --check")
                .say("migrate --json")
                .say("migrate --rollback --reason trial --yes")
                .say("adopt schemes/huke-to-k3.yaml --reason moved")
                .say("adopt schemes/nothing.yaml --reason moved --yes --json")
                .say("adopt schemes/huke-to-k3.yaml --reason moved --yes")
                .say("diff schemes/huke-to-k3.yaml")
                .say("diff schemes/huke-to-k3.yaml --json")
                .say("diff schemes/nothing.yaml");
            // Its findings are about the machine: that it looks, and at what, is told.
            let looked = script.world.engine(&["doctor", "--json"]).json();
            let names: Vec<&str> = looked["checks"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(|check| check["name"].as_str())
                .collect();
            script.add("doctor --json", &names.join("\n"), "0");
            let looked = script.world.engine(&["doctor"]);
            let lines = looked.stdout.lines().count();
            assert!(lines >= names.len(), "{looked}");
            script
                .say("doctor --nothing")
                .say("top")
                .say("top --json")
                .say("tap huke-to-k3 --limit 1 --duration 1s")
                .say("tap huke-to-k3 --limit 1 --duration 1s --json")
                .say("tap huke-to-k3 --limit 0")
                .say("tap huke-to-k4");
        },
    );
}

#[test]
fn access() {
    in_both(
        "access",
        |_| {},
        |script| {
            script
                .say("token list")
                .say("token create reader --scope read")
                .say("token create writer --scope operate --json")
                .say("token create other --scope reed")
                .say("token create other --expires soon")
                .say("token list")
                .say("token list --json")
                .say("token list --nothing")
                .say("token revoke 1")
                .say("token revoke 2 --json")
                .say("token revoke 9")
                .say("user list")
                .read("user add li --scope read", "a long enough password\n")
                .read("user add wu --json", "a long enough password\n")
                .read("user add li", "a long enough password\n")
                .read("user add he", "short\n")
                .say("user add")
                .say("user list")
                .say("user list --json")
                .say("user list --nothing")
                .read("user passwd li", "another long password\n")
                .read("user passwd li --json", "another long password\n")
                .read("user passwd he", "another long password\n")
                .say("user rm li")
                .say("user rm wu --json")
                .say("user rm li");
        },
    );
}

#[test]
fn objects() {
    let prepare = |world: &mut World| {
        std::fs::remove_dir_all(world.path("schemes")).expect("a folder of this test");
        for (name, text) in [
            (
                "connections.yaml",
                "connections:\n  crm:\n    connector: fxiaoke\n    params: {app_id: a, app_secret: \"${env:FX}\", code: \"${env:FX}\", user_id: \"1\", tenant_id: \"81\", data_center: c1, erp_token: \"${env:FX}\"}\n",
            ),
            (
                "schemes/orders.yaml",
                "scheme: orders\nsource: {connection: crm, api: asyncpush, options: {objectApiName: erpSalesOrderObj}, key: masterFieldVal.number}\ntarget: none\nschedule: on_push\n",
            ),
            (
                "objects/order.yaml",
                "object: erpSalesOrderObj\nname: {zh: 销售订单, en: Sales order}\nid: number\nfields:\n  number: {type: text, required: true, max: 20, label: {zh: 订单编号, en: Number}}\n  status: {type: choice, of: [open, cancelled]}\n  phone: {type: text, sensitive: true}\ndetails:\n  erpSalesOrderProductObj: {id: line, fields: {line: {type: text}, price: {type: decimal}}}\nserve: {connection: crm, rows: orders, receive: orders}\n",
            ),
        ] {
            world.write(name, text);
        }
        world.set("FX", "a-secret-of-the-platform");
    };
    in_both("objects", prepare, |script| {
        script
            .say("check objects schemes connections.yaml")
            .say("object list")
            .say("object list --json")
            .say("object list --nothing")
            .say("object show erpSalesOrderObj --base-url https://erp.example.com")
            .say("object show erpSalesOrderObj --json")
            .say("object show erpSalesOrdrObj");
    });
}

#[test]
fn mappings() {
    let prepare = |world: &mut World| {
        let head = "policy,source_object,dest_object,source_id,dest_id,source_name,dest_name,remark";
        world.write(
            "map.csv",
            &format!("{head}\nhuke-to-k3,,,B000009,100009,甲,乙,\n"),
        );
        world.write("bad.csv", &format!("{head}\nno-such,,,B000009,100009,,,\n"));
        world.write(
            "staff.csv",
            "data_center,channel,data_type,fs_id,erp_id,fs_name,erp_name\n,OA,department,10,D10,销售部,\n",
        );
    };
    in_both("mappings", prepare, |script| {
        for words in [
            "map list --scheme huke-to-k3",
            "map set B000001 100001 --scheme huke-to-k3 --remark imported",
            "map set B000001 100001 --scheme huke-to-k3 --json",
            "map set B000001 100001 --scheme huke-to-k",
            "map set B000001",
            "map list --scheme huke-to-k3",
            "map list --scheme huke-to-k3 --json",
            "map list --orphans",
            "map list --nothing",
            "map get B000001 --scheme huke-to-k3",
            "map get B000001 --scheme huke-to-k3 --json",
            "map get B000001",
            "map export",
            "map export --json",
            "map export --nothing",
            "map import map.csv --dry-run",
            "map import map.csv --yes --json",
            "map import bad.csv --yes",
            "map import no-such.csv",
            "map rm B000009 --scheme huke-to-k3",
            "map rm B000001 --scheme huke-to-k3 --json",
            "map rm B000001",
            "map fields set 1001 E01 --type employee --channel ERP_K3CLOUD --fs-name 张三",
            "map fields set 1002 E02 --type employee --channel ERP_K3CLOUD --json",
            "map fields set 1003 E03 --type employee --channel ERP",
            "map fields set 1003",
            "map fields list",
            "map fields list --json",
            "map fields list --nothing",
            "map fields export",
            "map fields export --json",
            "map fields export --nothing",
            "map fields import staff.csv --dry-run",
            "map fields import staff.csv --yes --json",
            "map fields import no-such.csv",
            "map fields rm 1001 --type employee --channel ERP_K3CLOUD",
            "map fields rm 1002 --type employee --channel ERP_K3CLOUD --json",
            "map fields rm",
        ] {
            script.say(words);
        }
    });
}

#[test]
fn pushes() {
    let prepare = |world: &mut World| {
        world.write(
            "connections.yaml",
            "connections:\n  shop:\n    connector: http\n    params: {server: \"https://shop.example.com/\", webhook_secret: \"${env:SHOP_PUSH}\"}\n",
        );
        std::fs::remove_dir_all(world.path("schemes")).expect("a folder of this test");
        world.write(
            "schemes/orders.yaml",
            "scheme: orders\nsource: {connection: shop, api: webhook_signed, key: id, label: name}\ntarget: none\npublish: {fields: [id, name], filter: [id]}\nschedule: on_push\n",
        );
        world.set("SHOP_PUSH", "push-secret");
    };
    in_both("pushes", prepare, |script| {
        let url = script.world.engine(&["receive", "url", "schemes/orders.yaml"]);
        url.expect(0);
        let door = url
            .stdout
            .trim()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        assert!(door.len() >= 12, "{url}");
        script
            .say("receive url schemes/orders.yaml")
            .say("receive url schemes/orders.yaml --json")
            .say("receive url orders")
            .say("receive url nothing")
            .say("receive url schemes/nothing.yaml")
            .say("run schemes/orders.yaml")
            .say("dry-run schemes/orders.yaml")
            .say("receive url")
            .say("receive list")
            .say("receive list --json")
            .say("receive list --scheme nothing")
            .say("receive list --limit x")
            .say("publish usage")
            .say("publish usage --json")
            .say("publish usage --since yesterday")
            .say("publish usage --nothing");
    });
}

#[test]
fn notify() {
    let prepare = |world: &mut World| {
        world.write(
            "notify.yaml",
            "channels:\n  hook: {kind: webhook, url: \"${env:HOOK}\", sign: \"${env:HOOK_SIGN}\"}\n",
        );
        world.feed();
    };
    in_both("notify", prepare, |script| {
        script
            .say("notify list")
            .say("notify list --json")
            .say("notify list --state gone")
            .say("notify test hook")
            .say("notify test hook --json")
            .say("notify test hok")
            .say("notify test")
            .say("notify mute hook --until 2h")
            .say("notify mute hook --until 2h --json")
            .say("notify list --json")
            .say("notify mute hook --until now")
            .say("notify mute hok --until 2h")
            .say("notify mute hook --until 2040-01-01T00:00:00Z");
    });
}

#[test]
fn brought_over() {
    let prepare = |world: &mut World| {
        let example = |name: &str| {
            let path = tests::e2e::repository().join("tests/corpus/qeasy").join(name);
            std::fs::read_to_string(path).expect("an example")
        };
        world.write("old/customers.json", &example("01-huke-to-k3-customer.json"));
        world.write("old/broken.json", "{\"source\": {\"api\": \"a\",}}");
    };
    in_both("import", prepare, |script| {
        script
            .say("import qeasy old/customers.json --out new --report report.md")
            .say("import qeasy old/customers.json --out new --json")
            .say("import qeasy old/customers.json --out other --json")
            .say("import qeasy old/broken.json --out new")
            .say("import qeasy nothing.json --out new")
            .say("import qeasy old/customers.json");
    });
}

#[test]
fn authoring() {
    let prepare = |world: &mut World| {
        world.write(
            "schemes/broken.yaml",
            "scheme: broken\nsource: {conection: huke}\n",
        );
        world.write(
            "schemes/slip.yaml",
            "scheme: slip\nsource:\n    conection: huke\n    api: search_customers\n    window: none\n    key: cid\ntarget: none\nschedule: {every: 30m}\n",
        );
    };
    in_both("authoring", prepare, |script| {
        script
            .say("check schemes/huke-to-k3.yaml")
            .say("check schemes/broken.yaml")
            .say("check schemes/broken.yaml --json")
            .say("check nothing")
            .say("check")
            .say("check schemes/slip.yaml --fix --dry-run")
            .say("check schemes/slip.yaml --fix --json")
            .say("fmt schemes/slip.yaml --check")
            .say("fmt schemes/slip.yaml")
            .say("fmt schemes/slip.yaml schemes/broken.yaml --check --json")
            .say("fmt nothing")
            .say("init --list")
            .say("init --list --json")
            .say("init beginning --template database-to-api")
            .say("init beginning --template nothing")
            .say("test schemes/huke-customers.yaml")
            .say("test schemes/huke-customers.yaml --json")
            .say("test nothing")
            .say("test schemes --fiter x")
            .say("init made --from-connector netease-huke --to-connector kingdee-k3cloud")
            .say("init other --from-connector netease-huke --json")
            .say("init made --from-connector netease-huke")
            .say("init made --from-connector netease-huk")
            .say("sample huke openapi/trade/searchTrades --rows 1 --out sample.json")
            .say("sample huke openapi/trade/searchTrade")
            .say("sample huke openapi/trade/searchTrade --json")
            .say("sample huke")
            .say("connection add mine --connector netease-huke")
            .say("connection add yours --connector netease-huke --json")
            .say("connection add mine --connector netease-huke")
            .say("connection add mine")
            .say("connection list")
            .say("connection list --json")
            .say("connection list --env nowhere")
            .say("connection test k3")
            .say("connection test k3 --json")
            .say("connection test k9")
            .say("connection test")
            .say("connectors list")
            .say("connectors list --json")
            .say("connectors list x")
            .say("connectors show jushuitan")
            .say("connectors show http --json")
            .say("connectors show nothing")
            .say("connectors check")
            .say("connectors check nothing --json");
    });
}

#[test]
fn language() {
    in_both(
        "language",
        |_| {},
        |script| {
            script
                .say("expr 1.10+1")
                .say("expr 1.10+1 --json")
                .say("expr REPLCE(1)")
                .say("expr 1 --tz Mars/Olympus")
                .say("functions REPLACE")
                .say("functions REPLACE --json")
                .say("functions REPLCE")
                .say("explain E1301")
                .say("explain E1301 --json")
                .say("explain E0000")
                .say("explain")
                .say("schema status")
                .say("schema version --json")
                .say("schema nothing")
                .say("completion fish --json")
                .say("completion fish")
                .say("completion nothing")
                .say("version")
                .say("version --json")
                .say("version --nothing")
                .say("rnu")
                .say("sandbox --listen nowhere")
                .say("sandbox --listen 192.0.2.1:1 --json");
        },
    );
}

/// A service from its start to its end, on a pipe as under a service manager.
#[test]
fn serve() {
    in_both(
        "serve",
        // What is looked up is there: both schemes end as they would in any other order.
        |world| world.feed(),
        |script| {
            let mut serving = script.world.serve(&[]);
            serving.wait_for("run.ended", "huke-to-k3");
            serving.wait_for_any("run.ended", "huke-customers");
            let server = format!("http://{}", serving.address());
            script.say(&format!("status --server {server}"));
            script.say(&format!(
                "status --server {server} --token-file token --json --scheme huke-customers"
            ));
            serving.signal("TERM");
            let (code, said) = serving.end_and_say();
            // The log is for programs and has its own tests.
            let words: Vec<String> = said.into_iter().filter(|line| !line.starts_with('{')).collect();
            let code = code.map_or_else(|| "signal".to_owned(), |code| code.to_string());
            script.add("serve --ndjson --listen 127.0.0.1:0", &words.join("\n"), &code);
            script
                .say("serve --schemes nothing --json")
                .say("serve --listen nowhere")
                .say("serve --no-api --tls-cert cert.pem")
                .say("service install --print --account engine --json")
                .say("service install --user")
                .say("service uninstall --user")
                .say("service uninstall --user --json")
                .say("service uninstall --user --name ../x")
                .say("logs --level info --scheme nothing")
                .say("logs --json --scheme nothing")
                .say("logs --level loud");
        },
    );
}

/// The commands there are, by their words; those that only group others are left out.
fn commands(path: &[String], found: &mut BTreeSet<String>) {
    let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
    words.push("--help");
    let help = std::process::Command::new(engine())
        .args(&words)
        .env_clear()
        .env("ENGINE_LANG", "en")
        .output()
        .expect("it starts");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names: Vec<String> = below
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        found.insert(path.join(" "));
    }
    for name in names {
        let mut path = path.to_vec();
        path.push(name);
        commands(&path, found);
    }
}

#[test]
fn every_command_has_its_transcript() {
    let mut all = BTreeSet::new();
    commands(&[], &mut all);
    assert!(all.len() > 40 && all.contains("rows resolve"), "{all:#?}");
    let folder = repository().join("tests/corpus/cli");
    for lang in ["zh", "en"] {
        let mut text = String::new();
        for entry in std::fs::read_dir(&folder).expect("it is there") {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            if name.ends_with(&format!(".{lang}.txt")) {
                text.push_str(&std::fs::read_to_string(&path).expect("a text"));
            }
        }
        // Each answer with the line it was asked by.
        let told: Vec<&str> = text.split("$ engine ").collect();
        let mut missing = Vec::new();
        for command in &all {
            let own = |said: &&&str| {
                let rest = said.strip_prefix(command.as_str());
                rest.is_some_and(|rest| rest.starts_with([' ', '\n']))
            };
            let of_command: Vec<&&str> = told.iter().filter(own).collect();
            let first = |said: &&&str| said.lines().next().unwrap_or_default().to_owned();
            if of_command.is_empty() {
                missing.push(format!("{command}: none"));
            }
            if !of_command.iter().any(|said| first(said).contains("--json")) {
                missing.push(format!("{command}: --json"));
            }
            if !of_command.iter().any(|said| said.contains("\n(exit 2)")) {
                missing.push(format!("{command}: wrong use or refused input"));
            }
        }
        assert!(missing.is_empty(), "{lang}: {missing:#?}");
    }
}
