//! Mappings as other systems set them: the shipped schemes, a real ledger file, the platform's calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::mapping::{self, Caller, Importing, Policies};
use app::{AppError, Places, Workspace};
use dsl::{Lang, Value, json};
use ledger::read::MappedFrom;
use ledger::service::mapping::{EntryFilter, Manner};
use ledger::{Ledger, OpenOptions, Writer};

const WHO: Caller<'static> = Caller {
    who: "crm",
    tenant: "t1",
};

/// The shipped schemes, one for a pair of objects.
fn workspace() -> Workspace {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemes");
    let folder = tempfile::tempdir().expect("a folder");
    let schemes = folder.path().join("schemes");
    std::fs::create_dir(&schemes).expect("our own folder");
    let files = std::fs::read_dir(&shipped).expect("the shipped schemes");
    for file in files.map(|file| file.expect("a readable folder").path()) {
        let name = file.file_name().expect("a file").to_owned();
        let is_second = ["huke-to-k3-orgs.yaml", "huke-to-k3-contacts.yaml"]
            .iter()
            .any(|other| name == *other);
        if file.is_file() && !is_second {
            std::fs::copy(&file, schemes.join(name)).expect("our own folder");
        }
    }
    for beside in ["connections.yaml", "objects"] {
        copied(&shipped.join("..").join(beside), &folder.path().join(beside));
    }
    let places = Places {
        env: None,
        connections: None,
        data_dir: None,
        ..Places::default()
    };
    Workspace::load(&schemes, places, None, Box::new(connector::NoSecrets)).expect("the shipped schemes")
}

fn copied(from: &Path, to: &Path) {
    if from.is_file() {
        std::fs::copy(from, to).expect("our own folder");
        return;
    }
    std::fs::create_dir(to).expect("our own folder");
    for file in std::fs::read_dir(from).expect("a readable folder") {
        let file = file.expect("a readable folder");
        copied(&file.path(), &to.join(file.file_name()));
    }
}

fn body(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// `s106240000` or the code of the refusal.
fn code(result: &Result<Option<Value>, AppError>) -> String {
    let answer = mapping::answer(result, Lang::En);
    let message = answer.get("errMsg").and_then(Value::as_text).unwrap_or_default();
    assert!(!message.is_empty() && !message.contains('{'), "{message}");
    answer
        .get("errCode")
        .and_then(Value::as_text)
        .unwrap_or_default()
        .to_owned()
}

struct Desk {
    ledger: Ledger,
    workspace: Workspace,
    now: i64,
}

impl Desk {
    fn policies(&self) -> &Policies {
        self.workspace.policies()
    }

    fn call(&mut self, function: &str, text: &str) -> Result<Option<Value>, AppError> {
        self.now += 1;
        let body = body(text);
        let policies = self.workspace.policies();
        let set = match function {
            "create" => mapping::create(policies, &body, WHO)?,
            "update" => mapping::update(policies, &body, WHO)?,
            "field" => {
                let set = mapping::create_field(&body, "dc")?;
                return mapping::set_field(&mut self.ledger, &set, self.now).map(|()| None);
            }
            _ => return mapping::query(&self.ledger.reader(), policies, &body, WHO).map(Some),
        };
        mapping::set(&mut self.ledger, &set, self.now).map(|()| None)
    }
}

fn desk(dir: &Path) -> Desk {
    Desk {
        ledger: Ledger::open(dir, OpenOptions::new("dev")).expect("a ledger"),
        workspace: workspace(),
        now: 1_700_000_000_000,
    }
}

#[test]
fn policies_are_called_by_the_objects_of_their_options() {
    let workspace = workspace();
    let pairs: BTreeMap<&str, (&str, &str, usize)> = workspace
        .policies()
        .all()
        .iter()
        .map(|one| {
            (
                one.scheme.as_str(),
                (
                    one.source_object.as_str(),
                    one.dest_object.as_str(),
                    one.key_fields,
                ),
            )
        })
        .collect();
    assert_eq!(pairs["huke-to-k3"], ("search_trades", "BD_Customer", 1));
    assert_eq!(pairs["k3-to-fx-accounts"].0, "BD_Customer");
    assert_eq!(pairs["k3-to-fx-accounts"].1, "AccountObj");
    // Stores only: it has no documents.
    assert!(!pairs.contains_key("fx-accounts"), "{pairs:?}");
}

#[test]
fn the_calls_of_the_platform() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut desk = desk(dir.path());
    let objects = r#""sourceObjectApiName": "search_trades", "destObjectApiName": "BD_Customer""#;
    let long = "x".repeat(501);
    let many = vec!["\"1\""; 501].join(",");
    let table: &[(&str, String, &str)] = &[
        (
            "create",
            format!(r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": "a", "destDataId": "1", "sourceDataName": "客户", "destDataName": "Customer", "remark": "by hand"}}"#),
            "s106240000",
        ),
        // The same again; an id may be a number.
        (
            "create",
            format!(r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": "a", "destDataId": 1}}"#),
            "s106240000",
        ),
        ("create", format!(r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": "a", "destDataId": "2"}}"#), "E6130"),
        ("create", format!(r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": "b", "destDataId": "1"}}"#), "E6137"),
        ("update", format!(r#"{{{objects}, "sourceDataId": "b", "destDataId": "3"}}"#), "E6131"),
        ("update", format!(r#"{{{objects}, "sourceDataId": "a", "destDataId": "3"}}"#), "s106240000"),
        ("create", format!(r#"{{"ployDetailId": "nobody", {objects}, "sourceDataId": "a", "destDataId": "1"}}"#), "E6132"),
        ("create", r#"{"ployDetailId": "huke-to-k3", "sourceObjectApiName": "search_trades", "destObjectApiName": "Other", "sourceDataId": "a", "destDataId": "1"}"#.to_owned(), "E6133"),
        ("update", r#"{"sourceObjectApiName": "x", "destObjectApiName": "y", "sourceDataId": "a", "destDataId": "1"}"#.to_owned(), "E6132"),
        ("create", format!(r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": "a"}}"#), "E6136"),
        ("create", format!(r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": "", "destDataId": "1"}}"#), "E6136"),
        ("create", format!(r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": "{long}", "destDataId": "1"}}"#), "E6136"),
        ("create", format!(r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": ["a"], "destDataId": "1"}}"#), "E6136"),
        ("create", format!(r#"{{"ployDetailID": "huke-to-k3", {objects}, "sourceDataId": "a", "destDataId": "1"}}"#), "E6136"),
        ("create", "[]".to_owned(), "E6136"),
        ("query", format!(r#"{{{objects}, "sourceDataIds": ["a", "zz"]}}"#), "s106240000"),
        ("query", format!(r#"{{{objects}, "sourceDataIds": [{many}]}}"#), "E6135"),
        ("query", format!(r#"{{{objects}}}"#), "E6136"),
        ("field", r#"{"channel": "OA", "dataType": "employee", "fsDataId": "7", "erpDataId": "E7", "fsDataName": "张三"}"#.to_owned(), "s106240000"),
        ("field", r#"{"channel": "OA", "dataType": "employee", "fsDataId": "7", "erpDataId": "E7", "fsDataName": "张三"}"#.to_owned(), "s106240000"),
        ("field", r#"{"channel": "OA", "dataType": "employee", "fsDataId": "7", "erpDataId": "E8"}"#.to_owned(), "E6143"),
        ("field", r#"{"channel": "OA", "dataType": "employee", "fsDataId": "8", "erpDataId": "E7"}"#.to_owned(), "E6143"),
        ("field", r#"{"channel": "ERP", "dataType": "employee", "fsDataId": "8", "erpDataId": "E8"}"#.to_owned(), "E6142"),
        ("field", r#"{"channel": "OA", "fsDataId": "8", "erpDataId": "E8"}"#.to_owned(), "E6136"),
        ("field", r#"{"channel": "OA", "dataType": "emploee", "fsDataId": "8", "erpDataId": "E8"}"#.to_owned(), "E6149"),
        ("field", r#"{"channel": "OA", "dataType": "AccountObj.industry", "fsDataId": "8", "erpDataId": "E8"}"#.to_owned(), "s106240000"),
        ("field", r#"{"channel": "OA", "dataType": "AccountObj.", "fsDataId": "8", "erpDataId": "E8"}"#.to_owned(), "E6149"),
    ];
    for (function, text, want) in table {
        let got = desk.call(function, text);
        assert_eq!(code(&got), *want, "{function} {text}: {got:?}");
    }
    let typo = r#"{"channel": "OA", "dataType": "emploee", "fsDataId": "8", "erpDataId": "E8"}"#;
    let help = match desk.call("field", typo) {
        Err(app::AppError::Denied(failure)) => failure.help(Lang::En).unwrap_or_default(),
        other => panic!("{other:?}"),
    };
    assert!(help.contains("did you mean employee?"), "{help}");
    // What is stored under another type, by an older version, can still be named to be removed.
    app::mapping::field_place("", "OA", "emploee").expect("a place");
    app::mapping::read_fields(
        b"data_center,channel,data_type,fs_id,erp_id,fs_name,erp_name\n,OA,emploee,1,2,,\n",
        &[],
    )
    .expect_err("refused");
    // All that is missing is told at once, with what is needed.
    for (function, body, want) in [
        (
            "create",
            "{}",
            "it lacks sourceObjectApiName destObjectApiName sourceDataId destDataId; this call needs sourceObjectApiName",
        ),
        (
            "update",
            r#"{"sourceObjectApiName": "a", "destObjectApiName": " ", "sourceDataId": 7}"#,
            "it lacks destObjectApiName destDataId; this call needs",
        ),
        (
            "query",
            r#"{"destObjectApiName": "b"}"#,
            "it lacks sourceObjectApiName sourceDataIds; this call",
        ),
        (
            "field",
            r#"{"channel": null}"#,
            "it lacks channel dataType fsDataId erpDataId; this call needs",
        ),
    ] {
        let told = desk.call(function, body).expect_err("refused").message(Lang::En);
        assert!(told.contains(want), "{function}: {told}");
    }
    // The platform's names, and an id that nobody knows is left out.
    let told = desk
        .call(
            "query",
            &format!(r#"{{{objects}, "sourceDataIds": ["a", "zz"]}}"#),
        )
        .expect("known")
        .expect("told");
    let told = told.as_map().expect("by id");
    assert_eq!(told.keys().collect::<Vec<_>>(), ["a"]);
    for (name, want) in [
        ("isCreated", Value::Bool(true)),
        ("destDataId", "3".into()),
        ("sourceDataName", "客户".into()),
        ("destDataName", "Customer".into()),
        ("lastSyncStatus", Value::from(0)),
        ("status", Value::from(1)),
        ("sourceTenantId", "t1".into()),
        ("destTenantId", "t1".into()),
        ("lastSyncDataId", Value::Null),
    ] {
        assert_eq!(told["a"].get(name), Some(&want), "{name}");
    }
    assert!(told["a"].get("id").is_some() && told["a"].get("updateTime").is_some());
}

#[test]
fn files_come_back_as_they_went() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut desk = desk(dir.path());
    let text = "\u{feff}policy,source_object,dest_object,source_id,dest_id,source_name,dest_name,remark\r\n\
                huke-to-k3,search_trades,BD_Customer,00123,=1,\"客户, 一\",,\r\n\
                huke-to-k3,,,b,2,,,x\r\n";
    let lines = mapping::read_data(desk.policies(), text.as_bytes(), "li", false).expect("a file");
    assert_eq!(lines.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
    assert!(lines.iter().all(|(_, set)| set.manner == Manner::Put));
    let tried = mapping::import(&mut desk.ledger, lines.clone(), true, 5).expect("the store");
    assert_eq!(tried.expect("no refusal").made, 2);
    let filter = EntryFilter {
        limit: 9,
        ..EntryFilter::default()
    };
    assert!(
        desk.ledger
            .reader()
            .mapping_entries(&filter)
            .expect("a question")
            .is_empty()
    );
    for (made, same) in [(2, 0), (0, 2)] {
        let done = mapping::import(&mut desk.ledger, lines.clone(), false, 5).expect("the store");
        let done = done.expect("no refusal");
        assert_eq!((done.lines, done.made, done.same), (2, made, same));
    }
    let entries = desk.ledger.reader().mapping_entries(&filter).expect("a question");
    let out = mapping::data_csv(desk.policies(), &entries);
    // A spreadsheet calculates nothing, and the file is taken back as it was.
    assert!(out.contains(",'=1,"), "{out}");
    let again = mapping::read_data(desk.policies(), out.as_bytes(), "li", false).expect("a file");
    let done = mapping::import(&mut desk.ledger, again.clone(), false, 6).expect("the store");
    assert_eq!(done.expect("no refusal").same, 2);

    let head = "policy,source_object,dest_object,source_id,dest_id,source_name,dest_name,remark\n";
    for (text, line) in [
        (String::new(), 1),
        ("policy,other\n".to_owned(), 1),
        (format!("{head}huke-to-k3,,,c,4,,,\nnobody,,,d,5,,,\n"), 3),
        (format!("{head}huke-to-k3,,,c\n"), 2),
        (format!("{head}huke-to-k3,,,c,,,,\n"), 2),
    ] {
        let error = mapping::read_data(desk.policies(), text.as_bytes(), "li", false).expect_err(&text);
        assert_eq!(error.code(), Some("E6147"), "{text}");
        assert!(
            error.message(Lang::En).contains(&format!("line {line}:")),
            "{error}"
        );
    }
    let gbk = [head.as_bytes(), b"huke-to-k3,,,\xbf\xcd,4,,,\n"].concat();
    let error = mapping::read_data(desk.policies(), &gbk, "li", false).expect_err("not UTF-8");
    assert!(error.message(Lang::Zh).contains("第 2 行"), "{error}");
    // All that is wrong is told at once, to a bound.
    let wrong = format!("{head}{}", "nobody,,,c,4,,,\n".repeat(12));
    let error = mapping::read_data(desk.policies(), wrong.as_bytes(), "li", false).expect_err("nobody");
    let said = error.message(Lang::En);
    assert!(
        said.starts_with("line 2: ") && said.contains("; line 11: "),
        "{said}"
    );
    assert!(
        !said.contains("line 12") && said.ends_with("; and 2 lines more"),
        "{said}"
    );
    // One line that is refused, and none is taken.
    let text = format!("{head}huke-to-k3,,,c,4,,,\nhuke-to-k3,,,d,4,,,\n");
    let lines = mapping::read_data(desk.policies(), text.as_bytes(), "li", false).expect("a file");
    let refused = mapping::import(&mut desk.ledger, lines.clone(), false, 7).expect("the store");
    assert_eq!(refused.expect_err("a double").code(), Some("E6147"));
    assert_eq!(
        desk.ledger
            .reader()
            .mapping_entries(&filter)
            .expect("a question")
            .len(),
        2
    );

    let text = "data_center,channel,data_type,fs_id,erp_id,fs_name,erp_name\n,OA,unit,1,PCS,个,\n";
    let lines = mapping::read_fields(text.as_bytes(), &[]).expect("a file");
    let done = mapping::import(&mut desk.ledger, lines.clone(), false, 5).expect("the store");
    assert_eq!(done.expect("no refusal").made, 1);
    let centres = ["east".to_owned(), "west".to_owned()];
    let elsewhere = text.replacen("\n,OA", "\nwset,OA", 1);
    assert_ne!(elsewhere, text);
    let refused = mapping::read_fields(elsewhere.as_bytes(), &centres).expect_err("no data centre");
    let told = refused.message(Lang::En);
    assert!(told.contains("there is no data centre `wset`"), "{told}");
    let refused = mapping::known_data_center("wset", &centres).expect_err("no data centre");
    assert_eq!(refused.code(), Some("E6104"));
    let help = refused.help(Lang::En).expect("a help");
    assert!(
        help.contains("east west") && help.contains("did you mean west?"),
        "{help}"
    );
    for (name, known) in [("west", &centres[..]), ("", &centres), ("anything", &[])] {
        mapping::known_data_center(name, known).expect("known, any, or nothing to be held against");
    }
    let error = mapping::read_fields(text.replace("OA", "ERP").as_bytes(), &[]).expect_err("no channel");
    assert_eq!(error.code(), Some("E6147"));
}

/// A file is tried and set a part at a time: others write between two parts, and one that breaks off is imported again.
#[test]
fn an_import_lets_others_write() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut desk = desk(dir.path());
    let count = 2 * mapping::PART + 1;
    // The last line gets the document that the first one gives up.
    let text = |first: &str, last: &str| {
        let mut text = "policy,source_id,dest_id\n".to_owned();
        for nth in 0..count {
            let id = match nth {
                0 => first.to_owned(),
                nth if nth + 1 == count => last.to_owned(),
                nth => format!("d{nth}"),
            };
            writeln!(text, "huke-to-k3,s{nth},{id}").expect("a text");
        }
        text
    };
    let read = |desk: &Desk, text: &str| {
        mapping::read_data(desk.policies(), text.as_bytes(), "li", false).expect("a file")
    };
    let other = |desk: &mut Desk, dest: &str| {
        let text = format!(
            r#"{{"ployDetailId": "huke-to-k3", "sourceObjectApiName": "search_trades", "destObjectApiName": "BD_Customer", "sourceDataId": "other", "destDataId": "{dest}"}}"#
        );
        desk.call("create", &text).expect("it is free");
    };
    let lines = read(&desk, &text("x", "y"));
    let mut importing = Importing::new(lines.clone(), false).expect("no contradiction");
    let mut steps = 1;
    while importing
        .step(&mut desk.ledger, 5)
        .expect("the store")
        .expect("no refusal")
    {
        steps += 1;
        if steps == 5 {
            // Tried, and the first part is set.
            other(&mut desk, "y");
        }
        if steps == 6 {
            break;
        }
    }
    assert_eq!(steps, 6, "three parts are tried, then set");
    let refused = importing
        .step(&mut desk.ledger, 5)
        .expect("the store")
        .expect_err("it is taken");
    let told = refused.message(Lang::En);
    assert!(told.contains(&format!("line {}:", count + 1)), "{told}");
    assert!(
        told.contains(&format!("the lines up to {} are imported", count)),
        "{told}"
    );
    // Mended and imported again, the rest is set.
    let lines = read(&desk, &text("x", "z"));
    let done = mapping::import(&mut desk.ledger, lines, false, 6).expect("the store");
    let done = done.expect("no refusal");
    assert_eq!((done.made, done.changed, done.same), (1, 0, count as u64 - 1));
    // What an earlier part gives up is free for a later one, also while both are only tried.
    let lines = read(&desk, &text("w", "x"));
    let done = mapping::import(&mut desk.ledger, lines, false, 7).expect("the store");
    assert_eq!(done.expect("no refusal").changed, 2);
    // Two lines that contradict each other, however far apart.
    for (text, line) in [(text("d1", "v"), 3), (text("v", "d7"), count + 1)] {
        let refused = Importing::new(read(&desk, &text), true)
            .err()
            .expect("a contradiction");
        assert!(
            refused.message(Lang::En).contains(&format!("line {line}:")),
            "{refused}"
        );
    }
}

/// A line that became impossible since it was tried takes nothing of its part with it: what is said to be imported is.
#[test]
fn a_part_is_set_whole_or_not_at_all() {
    let count = mapping::PART + 3;
    for (taken, before) in [(5, 0), (mapping::PART + 1, mapping::PART)] {
        let dir = tempfile::tempdir().expect("a folder");
        let mut desk = desk(dir.path());
        let mut text = "policy,source_id,dest_id\n".to_owned();
        for nth in 0..count {
            writeln!(text, "huke-to-k3,s{nth},d{nth}").expect("a text");
        }
        let lines = mapping::read_data(desk.policies(), text.as_bytes(), "li", false).expect("a file");
        let mut importing = Importing::new(lines, false).expect("no contradiction");
        // Two parts are tried, and those before the line are set.
        for _ in 0..2 + before / mapping::PART {
            let more = importing.step(&mut desk.ledger, 5).expect("the store");
            assert!(more.expect("no refusal"));
        }
        let text = format!(
            r#"{{"ployDetailId": "huke-to-k3", "sourceObjectApiName": "search_trades", "destObjectApiName": "BD_Customer", "sourceDataId": "other", "destDataId": "d{taken}"}}"#
        );
        desk.call("create", &text).expect("it is free");
        let refused = importing.step(&mut desk.ledger, 5).expect("the store");
        let told = refused.expect_err("it is taken").message(Lang::En);
        assert!(told.contains(&format!("line {}:", taken + 2)), "{told}");
        let says_so = told.contains(&format!("the lines up to {} are imported", before + 1));
        assert_eq!(says_so, before > 0, "{told}");
        let filter = EntryFilter {
            limit: 9_999,
            ..EntryFilter::default()
        };
        let set = desk.ledger.reader().mapping_entries(&filter).expect("a question");
        assert_eq!(set.len(), before + 1, "{taken}");
    }
}

/// A scheme had another target, and other kinds of documents: each mapping comes back where it was.
#[test]
fn places_come_back_as_they_went() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut desk = desk(dir.path());
    let text = "policy,source_id,dest_id,connection,form\n\
                huke-to-k3,a,1,,\nhuke-to-k3,a,2,k3,BD_Supplier\nhuke-to-k3,a,1,huke,x\n";
    let lines = mapping::read_data(desk.policies(), text.as_bytes(), "li", false).expect("a file");
    let done = mapping::import(&mut desk.ledger, lines, false, 5).expect("the store");
    assert_eq!(done.expect("no refusal").made, 3);
    let filter = EntryFilter {
        limit: 9,
        ..EntryFilter::default()
    };
    let entries = desk.ledger.reader().mapping_entries(&filter).expect("a question");
    let out = mapping::data_csv(desk.policies(), &entries);
    let again = mapping::read_data(desk.policies(), out.as_bytes(), "li", false).expect("a file");
    let places: BTreeSet<_> = again.iter().map(|(_, set)| (&set.at, &set.id)).collect();
    let before: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| Some((&entry.at, entry.target_id.as_ref()?)))
        .collect();
    assert_eq!(places, before, "{out}");
    assert_eq!(places.len(), 3);
    let done = mapping::import(&mut desk.ledger, again.clone(), false, 6).expect("the store");
    assert_eq!(done.expect("no refusal").same, 3);
    for (line, want) in [
        ("huke-to-k3,a,1,,BD_Customer", "where `form` is"),
        ("huke-to-k3,a,1,hukee,x", "did you mean huke?"),
    ] {
        let text = format!("policy,source_id,dest_id,connection,form\n{line}\n");
        let error = mapping::read_data(desk.policies(), text.as_bytes(), "li", false).expect_err(line);
        assert!(error.message(Lang::En).contains(want), "{error}");
    }
}

/// 64 callers at once over few ids: no id has two documents, no document two ids, and every success stands in the
/// history, in the order in which it happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_calls_at_once() {
    const CALLERS: u64 = 64;
    const CALLS: u64 = 160;
    const IDS: u64 = 7;
    let dir = tempfile::tempdir().expect("a folder");
    let desk = desk(dir.path());
    let workspace = Arc::new(desk.workspace);
    let writer = Writer::spawn(desk.ledger).expect("a writer");
    let changes = Arc::new(AtomicU64::new(0));
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let (writer, workspace, changes) = (writer.clone(), Arc::clone(&workspace), Arc::clone(&changes));
        callers.push(tokio::spawn(async move {
            let mut seed = 0x9e37_79b9_u64.wrapping_mul(caller + 1);
            for _ in 0..CALLS {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let (source, dest, kind) = ((seed >> 33) % IDS, (seed >> 41) % (2 * IDS), (seed >> 51) % 3);
                let objects = r#""sourceObjectApiName": "search_trades", "destObjectApiName": "BD_Customer""#;
                if kind == 2 {
                    let text = format!(r#"{{{objects}, "sourceDataIds": ["s{source}"]}}"#);
                    let told = mapping::query(&writer.reader(), workspace.policies(), &body(&text), WHO);
                    told.expect("a question");
                    continue;
                }
                let text = format!(
                    r#"{{"ployDetailId": "huke-to-k3", {objects}, "sourceDataId": "s{source}", "destDataId": "d{dest}"}}"#
                );
                let wanted = match kind {
                    0 => mapping::create(workspace.policies(), &body(&text), WHO),
                    _ => mapping::update(workspace.policies(), &body(&text), WHO),
                };
                let wanted = wanted.expect("a call");
                let before = changes.load(Ordering::Relaxed);
                let done = writer
                    .with_ledger(move |ledger| {
                        let known = ledger.reader().mapped("huke-to-k3", MappedFrom::Source, &[format!("s{source}")]);
                        let known = known.expect("a question")[0].newest.clone();
                        let done = mapping::set(ledger, &wanted, i64::try_from(before).expect("few"));
                        (known.as_deref() != Some(wanted.id.as_str()), done)
                    })
                    .await
                    .expect("the writer");
                match done {
                    (is_new, Ok(())) => {
                        changes.fetch_add(u64::from(is_new), Ordering::Relaxed);
                    }
                    (_, Err(error)) => {
                        let expected = ["E6130", "E6131", "E6137"].contains(&error.code().unwrap_or_default());
                        assert!(expected, "{error}");
                    }
                }
            }
        }));
    }
    for caller in callers {
        caller.await.expect("a caller");
    }
    let reader = writer.reader();
    let entries = reader
        .mapping_entries(&EntryFilter {
            limit: 1_000,
            ..EntryFilter::default()
        })
        .expect("a question");
    assert_eq!(u64::try_from(entries.len()).expect("few"), IDS, "{entries:?}");
    assert!(reader.doubles(None, 10).expect("a question").is_empty());
    let mut noted = 0;
    for entry in &entries {
        let history = reader
            .mapping_history(&entry.at.scheme, &entry.at.key, 100_000)
            .expect("a question");
        assert!(history[0].before.is_none(), "{:?}", history[0]);
        for pair in history.windows(2) {
            assert_eq!(pair[0].after, pair[1].before, "a success is missing between");
        }
        assert_eq!(
            history.last().and_then(|last| last.after.clone()),
            entry.target_id
        );
        noted += u64::try_from(history.len()).expect("few");
    }
    assert_eq!(
        noted,
        changes.load(Ordering::Relaxed),
        "each success is noted once"
    );
}

/// A full table takes no more, and says so.
#[test]
fn a_full_table_is_told() {
    use ledger::service::fields::{FieldRuling, MOST_ENTRIES};
    let body = r#"{"channel": "OA", "dataType": "employee", "fsDataId": "7", "erpDataId": "E7"}"#;
    let set = mapping::create_field(&json::parse(body.as_bytes()).expect("JSON"), "").expect("a value");
    let refused = mapping::judged_field(&set, &FieldRuling::Full);
    let answer = mapping::answer(&refused.map(|()| None), Lang::En);
    assert_eq!(answer.get("errCode").and_then(Value::as_text), Some("E6146"));
    let told = answer.get("errMsg").and_then(Value::as_text).unwrap_or_default();
    assert!(told.contains(&MOST_ENTRIES.to_string()), "{told}");
}
