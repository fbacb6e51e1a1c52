//! Every command with `--json` gives one document that its schema accepts, whatever the outcome.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder like a fresh clone: connections, schemes, nothing else.
struct Clone {
    folder: PathBuf,
}

impl Clone {
    fn new(name: &str) -> Clone {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).expect("the folder of an earlier test run can go");
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        std::fs::create_dir_all(folder.join("schemes/samples")).expect("a folder");
        let copy = |name: &str| {
            std::fs::copy(root.join(name), folder.join(name)).expect("a file of the repository");
        };
        copy("connections.yaml");
        for of in ["schemes", "schemes/samples"] {
            for entry in std::fs::read_dir(root.join(of)).expect("the schemes") {
                let entry = entry.expect("an entry");
                if entry.path().is_file() {
                    copy(&format!("{of}/{}", entry.file_name().to_string_lossy()));
                }
            }
        }
        Clone { folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engine"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        let arguments: Vec<&str> = line.split(' ').collect();
        self.command(&arguments).output().expect("the engine starts")
    }

    /// Runs with `--json` in both languages; the document is valid, its first key is its schema, its exit code is told.
    #[track_caller]
    fn check(&self, line: &str, kind: &str, code: i32) -> Value {
        self.check_in("zh", line, kind, code);
        self.check_in("en", line, kind, code)
    }

    #[track_caller]
    fn check_in(&self, lang: &str, line: &str, kind: &str, code: i32) -> Value {
        let output = self.run(&format!("{line} --json --lang {lang}"));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}\n{text}\n{told}");
        assert!(
            text.starts_with(&format!("{{\n  \"schema\": \"engine.{kind}/1\"")),
            "{line}\n{text}"
        );
        let document: Value = serde_json::from_str(&text).expect("one JSON document");
        self.valid(kind, &document, line);
        if let Some(told) = document.get("exit_code") {
            assert_eq!(*told, code, "{line}");
        }
        document
    }

    #[track_caller]
    fn valid(&self, kind: &str, document: &Value, line: &str) {
        let schema = self.run(&format!("schema {kind}"));
        let schema: Value = serde_json::from_slice(&schema.stdout).expect("a schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema is one");
        let problems: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{line}: {problems:#?}\n{document:#}");
    }
}

#[test]
fn of_runs_and_what_they_leave() {
    let clone = Clone::new("documents-runs");
    let scheme = "schemes/huke-to-k3.yaml --sandbox --trades 60";
    let dry = clone.check(&format!("dry-run {scheme} --limit 3"), "dry-run", 0);
    assert_eq!(dry["summary"]["would_write"], 3);
    clone.check(&format!("dry-run {scheme} --detailed-exitcode"), "dry-run", 10);
    let first = clone.run(&format!("run {scheme} --refuse 2 --invalid 1 --json"));
    assert_eq!(first.status.code(), Some(1));
    let first: Value = serde_json::from_slice(&first.stdout).expect("one JSON document");
    clone.valid("run", &first, "the first run");
    let run = &first["runs"][1];
    assert_eq!(run["counts"]["dead"], 3, "{run:#}");
    // What was refused is unchanged and left alone; the row without a key is as bad as before.
    let second = clone.check(&format!("run {scheme} --refuse 2 --invalid 1"), "run", 1);
    let run = &second["runs"][1];
    assert_eq!(
        (&run["calls"], &run["counts"]["dead"]),
        (&0.into(), &1.into()),
        "{run:#}"
    );
    assert_eq!(run["problems"][0]["code"], "E2002", "{run:#}");
    let dead = clone.check("rows list --sandbox --state dead", "rows-list", 0);
    assert_eq!(dead["rows"].as_array().map(Vec::len), Some(3));
    clone.check("rows list --sandbox --limit 1", "rows-list", 0);
    let key = dead["rows"][0]["key"][0].as_str().expect("a key");
    clone.check(&format!("rows show {key} --sandbox"), "rows-show", 0);
    clone.check("rows list --sandbox --state deat", "error", 2);
    clone.check("rows show nobody --sandbox", "error", 2);
    clone.check("rows export --sandbox --payload", "rows-export", 0);
    let refused = format!("{scheme} --refuse 2 --invalid 1").replace("schemes/huke-to-k3.yaml", "");
    clone.check(&format!("retry{refused} --dry-run"), "retry", 1);
    // Once: the second time it is skipped already.
    let skip = format!("rows skip {key} --scheme huke-to-k3 --reason test --sandbox --json");
    let skipped = clone.run(&skip);
    assert_eq!(skipped.status.code(), Some(0), "{skip}");
    let skipped: Value = serde_json::from_slice(&skipped.stdout).expect("one JSON document");
    clone.valid("rows-decide", &skipped, &skip);
    clone.check(
        &format!("rows hold {key} --scheme huke-to-k3 --reason test --sandbox"),
        "error",
        2,
    );
    clone.check("runs list --sandbox", "runs-list", 0);
    clone.check("runs show 2 --sandbox", "runs-show", 0);
    clone.check("runs show 99 --sandbox", "error", 2);
    clone.check("verify --sandbox", "verify", 0);
    clone.check("rows list", "error", 3);
}

#[test]
fn of_files() {
    let clone = Clone::new("documents-files");
    clone.check("check schemes connections.yaml", "check", 0);
    clone.check("test schemes", "test", 0);
    clone.check("test schemes --filter nothing-like-it", "error", 2);
    clone.check("check no-such-folder", "error", 2);
    std::fs::write(clone.folder.join("schemes/broken.yaml"), "schem: x\n").expect("a file");
    let broken = clone.check("check schemes/...", "check", 1);
    assert_eq!(broken["diagnostics"][0]["code"], "E1050");
    clone.check("check schemes --exit-zero", "check", 0);
    clone.check("test schemes", "test", 1);
    clone.check("run schemes/broken.yaml --sandbox", "error", 2);
    let secret = clone.check("run schemes/huke-to-k3.yaml", "error", 3);
    // All that are missing, at once.
    let told = secret["error"]["message"].as_str().unwrap_or_default();
    for reference in ["${env:HUKE_KEY}", "${secret:huke}", "${secret:k3}"] {
        assert!(told.contains(reference), "{told}");
    }
}

#[test]
fn of_connectors_and_connections() {
    let clone = Clone::new("documents-connectors");
    let list = clone.check("connectors list", "connectors-list", 0);
    let list = list["connectors"].as_array().expect("a list");
    let ids: Vec<&str> = list.iter().filter_map(|one| one["id"].as_str()).collect();
    assert!(ids.is_sorted() && ids.contains(&"kingdee-k3cloud"), "{ids:?}");
    for id in &ids {
        let shown = clone.check(&format!("connectors show {id}"), "connectors-show", 0);
        assert_eq!(shown["connector"]["builtin"], true);
        let people = clone.run(&format!("connectors show {id} --lang zh"));
        let people = String::from_utf8(people.stdout).expect("UTF-8");
        assert!(
            people.ends_with(shown["example"].as_str().expect("text")),
            "{people}"
        );
    }
    clone.check("connectors show kingdee", "error", 2);
    clone.check("object list", "object-list", 0);
    clone.check("object show nothing", "error", 2);
    std::fs::create_dir(clone.folder.join("objects")).expect("a folder");
    let object = "object: order\nid: no\nfields: {no: {type: text, required: true}, state: {type: choice, of: [a]}}\ndetails: {lines: {fields: {qty: {type: int}}}}\n";
    std::fs::write(clone.folder.join("objects/order.yaml"), object).expect("a file");
    clone.check("object list", "object-list", 0);
    clone.check("object show order", "object-show", 0);
    let list = clone.check("connection list", "connection-list", 0);
    assert_eq!(
        list["connections"][1]["server"], "https://erp.example.com",
        "{list:#}"
    );
    let list = clone.check("connection list --env test", "connection-list", 0);
    assert_eq!(
        list["connections"][1]["server"], "https://k3-test.example.com",
        "{list:#}"
    );
    clone.check("connection list --env nowhere", "error", 2);
    clone.check("connection test k3", "connection-test", 3);
    clone.check("connection test k3 --sandbox", "connection-test", 0);
    clone.check("connection test nobody", "error", 2);
    clone.check("sample jst order_list --sandbox", "sample", 0);
    clone.check("sample jst order_lst --sandbox", "error", 2);
    // Once a language: the second finds what the first made.
    for (lang, line, schema) in [
        (
            "zh",
            "connection add mine --connector netease-huke",
            "connection-add",
        ),
        (
            "en",
            "connection add yours --connector netease-huke",
            "connection-add",
        ),
        ("zh", "init zh --from-connector netease-huke", "init"),
        (
            "en",
            "init en --from-connector netease-huke --to-connector kingdee-k3cloud",
            "init",
        ),
    ] {
        // What only the author knows is left open, and told.
        let code = i32::from(line.contains("--to-connector kingdee"));
        clone.check_in(lang, line, schema, code);
    }
    clone.check("connection add mine --connector netease-huke", "error", 2);
    clone.check("init zh --from-connector netease-huke", "error", 2);
    for kind in ["connector", "connections"] {
        let schema = clone.run(&format!("schema {kind}"));
        let schema: Value = serde_json::from_slice(&schema.stdout).expect("a schema is JSON");
        jsonschema::validator_for(&schema).expect("a schema is one");
    }
    std::fs::remove_file(clone.folder.join("connections.yaml")).expect("our own file");
    clone.check("connection list", "error", 2);
}

#[test]
fn of_connectors_of_ones_own() {
    let clone = Clone::new("documents-own-connectors");
    // Without a folder of one's own there is nothing to check.
    clone.check("connectors check", "error", 2);
    clone.check("connectors check schemes", "error", 2);
    let builtin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/jushuitan/connector.yaml");
    let text = std::fs::read_to_string(builtin).expect("the repository has it");
    let own = clone.folder.join("connectors/ours");
    std::fs::create_dir_all(&own).expect("a folder");
    let write = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        std::fs::write(own.join("connector.yaml"), changed).expect("a file");
    };
    write("connector: jushuitan", "connector: ours");
    let good = clone.check("connectors check", "connectors-check", 0);
    assert!(good["summary"]["passed"].as_u64() > Some(5), "{good:#}");
    let shown = clone.check("connectors show ours", "connectors-show", 0);
    assert_eq!(shown["connector"]["builtin"], false);
    write("expect: {class: auth", "expect: {class: fault");
    let failed = clone.check("connectors check connectors", "connectors-check", 1);
    assert_eq!(failed["summary"]["failed"], 1, "{failed:#}");
    write("operations:\n", "operatons:\n");
    let misspelt = clone.check("connectors check", "connectors-check", 1);
    let told = &misspelt["diagnostics"][0];
    assert_eq!(told["similar"][0], "operations", "{misspelt:#}");
    assert!(told["line"].as_u64() > Some(1), "{misspelt:#}");
    clone.check("connectors list", "error", 2);
}

#[test]
fn of_who_may_use_the_server() {
    let clone = Clone::new("documents-access");
    let read = |line: &str, text: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        let mut command = clone.command(&arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the engine starts");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(text.as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        (output.status.code(), document)
    };
    clone.check("token list", "error", 3);
    let made = clone.check(
        "token create reader --scope read --for huke-to-k3",
        "token-create",
        0,
    );
    assert!(
        made["token"]
            .as_str()
            .is_some_and(|token| token.starts_with("eng_"))
    );
    clone.check("token create reader --scope reed", "error", 2);
    let listed = clone.check("token list", "token-list", 0);
    assert_eq!(listed["tokens"][0]["schemes"][0], "huke-to-k3");
    clone.check_in("en", "token revoke 1", "token-revoke", 0);
    clone.check("token revoke 1", "error", 2);
    let listed = clone.check("token list", "token-list", 0);
    assert!(listed["tokens"][0]["revoked"].is_string());
    let password = "a long enough password\n";
    for line in ["user add li --json", "user passwd li --json"] {
        let (code, document) = read(line, password);
        assert_eq!(code, Some(0), "{document:#}");
        clone.valid("user-change", &document, line);
    }
    let (code, document) = read("user add li --json", password);
    assert_eq!(code, Some(2), "{document:#}");
    clone.valid("error", &document, "user add li");
    clone.check("user list", "user-list", 0);
    let (code, document) = read("user rm li --json", "");
    assert_eq!(code, Some(0), "{document:#}");
    clone.valid("user-change", &document, "user rm li");
}

#[test]
fn of_the_language() {
    let clone = Clone::new("documents-language");
    clone.check("functions", "functions", 0);
    clone.check("functions replace", "functions", 0);
    clone.check("functions replce", "error", 2);
    clone.check("explain E1301", "explain", 0);
    clone.check("explain E0000", "error", 2);
    let value = clone.check("expr 1.10+1", "expr", 0);
    assert_eq!(value["results"][0]["type"], "number");
    clone.check("expr REPLCE(1)", "expr", 1);
    clone.check("expr <<nothing>>", "expr", 1);
    let value = clone.check("expr 1/0+<<nothing>> --trace", "expr", 1);
    assert_eq!(value["results"][0]["trace"][0]["type"], "decimal(4)");
    assert_eq!(value["results"][0]["trace"][1]["error"]["code"], "E2050");
    clone.check("expr 1 --tz Mars/Olympus", "error", 2);
    clone.check("completion bash", "completion", 0);
    clone.check("version", "version", 0);
    clone.check("rnu", "error", 2);
    clone.check("run --nothing", "error", 2);
    let scheme = clone.run("schema scheme");
    let scheme: Value = serde_json::from_slice(&scheme.stdout).expect("a schema is JSON");
    jsonschema::validator_for(&scheme).expect("the schema of schemes is one");
}

#[test]
fn of_the_sandbox() {
    let clone = Clone::new("documents-sandbox");
    let mut child = clone
        .command(&["sandbox", "--listen", "127.0.0.1:0", "--trades", "20", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the engine starts");
    let mut text = String::new();
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let line = line.expect("UTF-8");
        text.push_str(&line);
        // The document ends with its own brace at the beginning of a line; the sandbox goes on.
        if line == "}" {
            break;
        }
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let document: Value = serde_json::from_str(&text).expect("one JSON document");
    clone.valid("sandbox", &document, "sandbox");
}
