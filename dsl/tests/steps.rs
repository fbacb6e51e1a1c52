//! Steps that write documents of their own, and what is kept after a success.

mod common;

use common::{CUSTOMERS, codes, json, plan, zone};
use dsl::facts::Action;
use dsl::lines::LineIds;
use dsl::lookup::Hits;
use dsl::plan::{Build, RecordCx, StepDone, TargetPlan};
use dsl::testing::run;
use dsl::value::Value;

/// The customer, then a document that names it, then a message without a key; and a column that is kept.
const WITH_STEPS: &str = "  steps:
    - {step: save, api: batchSave}
    - step: contact
      api: batchSave
      options: {FormId: BD_CommonContact}
      request: {FBillNo: C-<<buyerCid>>, FCompany: {FNumber: <<$step.save.number>>}}
    - submit
    - step: told
      when: {field: buyerNick, eq: a}
      api: push
      key: masterFieldVal.no
      request: {masterFieldVal: {no: <<buyerCid>>, of: <<$step.contact.id>>, at: <<$target.id>>}}
      on_unknown: hold
  options: {FormId: BD_Customer}
  on_success: {save: {k3_number: <<$answer.number>>, contact: <<$step.contact.number>>}}
";

fn with_steps(text: &str) -> String {
    let api = "  api: batchSave\n  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}\n";
    assert!(CUSTOMERS.contains(api));
    CUSTOMERS.replace(api, text)
}

fn scheme() -> String {
    with_steps(WITH_STEPS)
        .replace("      key: masterFieldVal.no\n", "      key: no\n")
        .replace("  find: before_create\n", "")
}

fn built(target: &TargetPlan, row: &Value, steps: &[StepDone]) -> String {
    let zone = zone();
    let cx = RecordCx {
        row,
        key: "[\"B1\"]",
        label: "",
        target_id: Some("7"),
        target_number: Some("N7"),
        action: Action::Create,
        line: None,
        now_ms: 0,
        zone: &zone,
        line_ids: LineIds::none(),
        steps,
    };
    match target.build(&cx, &Hits::new(), None).unwrap() {
        Build::Built(built) => dsl::json::to_string(&built.payload),
        Build::Defer(want) => panic!("{want:?}"),
    }
}

#[test]
fn a_step_writes_a_document_of_its_own() {
    let plan = plan(&scheme());
    let target = plan.target.as_ref().unwrap();
    let names: Vec<(&str, bool)> = target
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.document.is_some()))
        .collect();
    assert_eq!(names, [("contact", true), ("submit", false), ("told", true)]);
    assert_eq!(target.first_step.as_deref(), Some("save"));
    assert_eq!(target.connections(), ["k3"]);
    let contact = target.steps[0].document.as_ref().unwrap();
    let key: Vec<String> = contact.key.iter().map(ToString::to_string).collect();
    assert_eq!(key, ["FBillNo"], "the operation's, by the step's own options");
    let row = json(r#"{"buyerCid":"B1","buyerNick":"a"}"#);
    assert_eq!(
        built(contact, &row, &[]),
        r#"{"FBillNo":"C-B1","FCompany":{"FNumber":"N7"}}"#
    );
    let done = StepDone {
        name: "contact".to_owned(),
        id: Some("81".to_owned()),
        number: Some("C-B1".to_owned()),
    };
    let told = target.steps[2].document.as_ref().unwrap();
    assert_eq!(
        built(told, &row, &[done]),
        r#"{"masterFieldVal":{"no":"B1","of":"81","at":"7"}}"#
    );
    // What a step reads of a row makes a new version of it.
    assert!(plan.source.reads.contains(&common::path("buyerCid")));
}

#[test]
fn what_is_kept_after_a_success() {
    let plan = plan(&scheme());
    let target = plan.target.as_ref().unwrap();
    let (row, zone) = (json(r#"{"buyerCid":"B1"}"#), zone());
    let mut cx = RecordCx {
        row: &row,
        key: "[\"B1\"]",
        label: "",
        target_id: Some("7"),
        target_number: None,
        action: Action::Create,
        line: None,
        now_ms: 0,
        zone: &zone,
        line_ids: LineIds::none(),
        steps: &[],
    };
    let kept = |cx: &RecordCx<'_>, answer: &str| {
        let (saved, failed) = target.saved(cx, &json(answer));
        assert_eq!(failed, []);
        dsl::json::to_string(&Value::Map(saved))
    };
    assert_eq!(kept(&cx, r#"{"id":"7","number":"N7"}"#), r#"{"k3_number":"N7"}"#);
    // Nobody heard the answer.
    assert_eq!(kept(&cx, "{}"), "{}");
    let done = [StepDone {
        name: "contact".to_owned(),
        id: None,
        number: Some("C".to_owned()),
    }];
    cx.steps = &done;
    assert_eq!(kept(&cx, "{}"), r#"{"contact":"C"}"#);
}

#[test]
fn the_tests_of_a_scheme_show_documents_of_steps() {
    let text = scheme();
    let expect = "FDescription: \"100482\"}\n";
    assert!(text.contains(expect));
    let with = |steps: &str| text.replace(expect, &format!("{expect}{steps}"));
    let good = with(
        "    steps: {contact: {FBillNo: C-B000123, FCompany: {FNumber: test-number}}}\n    saved: {k3_number: test-number, contact: contact-number}\n",
    );
    let plan = plan(&good);
    let outcome = run(&plan, &plan.tests[0]);
    assert!(outcome.passed, "{:?}", outcome.diff);
    // A step that its condition leaves out, a value that is another, a column that is not kept.
    let bad = with(
        "    steps: {contact: {FBillNo: C-B000124, FCompany: {FNumber: test-number}}, told: {}}\n    saved: {k3_number: x}\n",
    );
    let plan = common::plan(&bad);
    let outcome = run(&plan, &plan.tests[0]);
    let lines: Vec<String> = outcome
        .diff
        .iter()
        .map(|difference| difference.line(dsl::diagnostic::Lang::En))
        .collect();
    assert_eq!(
        lines,
        [
            r#"steps.contact.FBillNo: expected "C-B000124", got "C-B000123""#,
            r#"steps.told: expected {}, got nothing"#,
            r#"saved.k3_number: expected "x", got "test-number""#,
            r#"saved.contact: expected nothing, got "contact-number""#,
        ]
    );
}

#[test]
fn what_is_wrong_with_a_step_is_said_where_it_stands() {
    let text = scheme();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        codes(&text.replace(from, to))
    };
    let only = |found: Vec<String>, code: &str| {
        let codes: Vec<&str> = found.iter().filter_map(|found| found.split(' ').next()).collect();
        assert_eq!(codes, [code], "{found:?}");
    };
    // A step that is not there, one that comes later, and a result that there is not.
    only(with("$step.save.number", "$step.sav.number"), "E1780");
    only(with("$step.save.number", "$step.told.number"), "E1780");
    only(with("$step.save.number", "$step.save.name"), "E1203");
    only(
        with(
            "      request: {FBillNo: C-<<buyerCid>>, FCompany: {FNumber: <<$step.save.number>>}}\n",
            "",
        ),
        "E1781",
    );
    only(
        with("    - submit\n", "    - {api: submit, request: {a: b}}\n"),
        "E1782",
    );
    only(
        with("    - submit\n", "    - {api: submit, connection: k3}\n"),
        "E1782",
    );
    // Without a proof somebody must say what becomes of a lost answer.
    only(with("      on_unknown: hold\n", ""), "E1154");
    // What is chosen for the customer is not chosen for a message that nothing proves.
    let for_the_customer = text.replace("      on_unknown: hold\n", "").replace(
        "  options: {FormId: BD_Customer}\n",
        "  options: {FormId: BD_Customer}\n  on_unknown: resend\n",
    );
    only(codes(&for_the_customer), "E1154");
    // Nor the other way round.
    only(
        with("    - submit\n", "    - {api: submit, on_unknown: hold}\n"),
        "E1782",
    );
    // What is kept.
    only(
        with("k3_number: <<$answer.number>>", "buyerNick: <<$answer.number>>"),
        "E1785",
    );
    only(with("<<$answer.number>>", "<<$answer.body.state>>"), "E1786");
    only(with("<<$answer.number>>", "<<$answer.nmber>>"), "E1203");
    only(
        with("<<$answer.number>>", "{$value: <<buyerNick>>, $sensitive: true}"),
        "E1787",
    );
    // It is read nowhere else.
    only(with("FName: <<buyerNick>>", "FName: <<$answer.number>>"), "E1205");
    only(
        with("FName: <<buyerNick>>", "FName: <<$step.contact.number>>"),
        "E1205",
    );
}

#[test]
fn what_another_scheme_keeps_can_be_got_and_not_asked_for() {
    let find = "_findCollection find 唯一ID from dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756 where cid=<<buyerCid>>";
    assert!(CUSTOMERS.contains(find));
    let got = CUSTOMERS
        .replace(
            find,
            "{$lookup: huke-customers, $by: {cid: <<buyerCid>>}, $get: k3_number}",
        )
        .replace(
            "aliases: {dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756: huke-customers}\n",
            "",
        )
        .replace("唯一ID: \"100482\"}]}", "k3_number: \"100482\"}]}");
    let plan = plan(&got);
    assert!(run(&plan, &plan.tests[0]).passed);
    let by = got.replace(
        "$by: {cid: <<buyerCid>>}, $get: k3_number",
        "$by: {k3_number: <<buyerCid>>}, $get: cid",
    );
    let found = codes(&by);
    assert!(found.iter().any(|found| found.starts_with("E1784 ")), "{found:?}");
}

/// The same scheme, fed by another one.
const FED: &str = "scheme: huke-to-k3
source: {scheme: giver, key: no, derive: {upper: <<name|upper>>}}
target:
  connection: k3
  api: batchSave
  options: {FormId: BD_Customer}
  request: {FCreateOrgId: {FNumber: \"100\"}, FNumber: <<no>>, FName: <<upper>>}
schedule: {after: huke-customers}
";

#[test]
fn rows_of_another_scheme_are_a_source() {
    let plan = plan(FED);
    assert_eq!(plan.source.from_scheme.as_deref(), Some("giver"));
    assert_eq!(plan.source.named(), "giver");
    assert!(plan.source.window.none);
    assert!(plan.source.receive.as_ref().is_some_and(|receive| receive.only));
    let with = |from: &str, to: &str| {
        assert!(FED.contains(from), "{from}");
        codes(&FED.replace(from, to))
    };
    // What the giver says of its rows is known.
    assert_eq!(with("FNumber: <<no>>", "FNumber: <<nmae>>"), ["E1204 7:56"]);
    assert_eq!(
        with("scheme: giver,", "scheme: giver, window: none,"),
        ["E1788 2:25"]
    );
    assert_eq!(with("scheme: giver,", "scheme: nobody,"), ["E1789 2:18"]);
    // Nobody takes rows from itself, however many are between.
    assert_eq!(with("scheme: giver,", "scheme: round,"), ["E1789 2:18"]);
    assert_eq!(with("scheme: giver,", "scheme: huke-to-k3,"), ["E1789 2:18"]);
}

/// Where the other scheme gives nothing by its own word, its stored rows are taken.
#[test]
fn stored_rows_of_another_scheme_are_a_source() {
    let text = FED
        .replace("scheme: giver,", "scheme: huke-customers,")
        .replace("key: no,", "key: cid,")
        .replace("<<no>>", "<<cid>>")
        .replace("<<name|upper>>", "<<唯一ID|upper>>");
    let plan = plan(&text);
    assert_eq!(plan.source.takes_stored(), Some("huke-customers"));
    assert!(!self::plan(FED).source.from_stored);
    // The fields of its rows are known, and what it hides is hidden here: in the row, in what is derived of it, and in
    // the document.
    assert_eq!(codes(&text.replace("key: cid,", "key: cdi,")), ["E1204 2:39"]);
    let texts = |paths: &[dsl::Path]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    let text = text.replace("scheme: huke-customers,", "scheme: hides,");
    let plan = self::plan(&text);
    assert_eq!(texts(&plan.source.hidden), ["唯一ID", "lines.*.price", "upper"]);
    let target = plan.target.expect("a target");
    assert_eq!(texts(&target.sensitive), ["FName"]);
    assert_eq!(
        texts(&target.sensitive_source),
        ["upper", "唯一ID", "lines.*.price"]
    );
    // A list that becomes rows has its fields one level up.
    let plan = self::plan(&text.replace("key: cid,", "explode: lines, key: [cid, $row],"));
    assert!(texts(&plan.source.hidden).contains(&"lines.price".to_owned()));
    // What cannot be read may hide anything.
    assert_eq!(
        codes(&text.replace("scheme: hides,", "scheme: broken,")),
        ["E1789 2:18"]
    );
}

/// A scheme that only stores what another one stores, or gives it, is at home where the rows come from.
#[test]
fn rows_of_another_scheme_are_stored() {
    let stores = "scheme: huke-to-k3\nsource: {scheme: giver, key: no}\ntarget: none\nschedule: {after: huke-customers}\n";
    assert_eq!(plan(stores).source.connection, "huke");
    let stores = stores
        .replace("scheme: giver,", "scheme: huke-customers,")
        .replace("key: no", "key: cid");
    assert_eq!(codes(&stores), ["E1790 2:18"]);
    assert_eq!(
        plan(&stores.replace("huke-customers,", "hides,"))
            .source
            .connection,
        "huke"
    );
}

#[test]
fn a_row_is_given_to_another_scheme() {
    let kept = "contact: <<$step.contact.number>>}}";
    let text = scheme();
    assert!(text.contains(kept));
    let with = |emit: &str| {
        text.replace(
            kept,
            &format!("contact: <<$step.contact.number>>}}, emit: {emit}}}"),
        )
    };
    let good =
        with("{scheme: taker, row: {no: <<buyerCid>>, at: <<$answer.number>>, by: <<$step.contact.id>>}}");
    let plan = plan(&good);
    assert_eq!(
        plan.target.as_ref().unwrap().emit.as_ref().unwrap().scheme,
        "taker"
    );
    let tested = good.replace(
        "FDescription: \"100482\"}\n",
        "FDescription: \"100482\"}\n    emitted: {no: B000123, at: test-number, by: contact-id}\n",
    );
    let plan = common::plan(&tested);
    let outcome = run(&plan, &plan.tests[0]);
    assert!(outcome.passed, "{:?}", outcome.diff);
    for (emit, code) in [
        ("{scheme: units, row: {no: 1}}", "E1789"),
        ("{scheme: huke-to-k3, row: {no: 1}}", "E1789"),
        ("{scheme: taker, row: {no: <<$answer.body.x>>}}", "E1786"),
        (
            "{scheme: taker, row: {no: {$value: <<buyerCid>>, $sensitive: true}}}",
            "E1787",
        ),
        ("{scheme: taker}", "E1103"),
    ] {
        let found = codes(&with(emit));
        assert!(
            matches!(found.as_slice(), [only] if only.starts_with(code)),
            "{emit}: {found:?}"
        );
    }
}

/// What becomes of a lost answer is said for each document by itself.
#[test]
fn each_document_has_its_own_answer_to_a_lost_one() {
    use dsl::plan::OnUnknown;
    let said = |text: &str| {
        let target = plan(text).target.expect("a target");
        let documents: Vec<_> = target.documents().map(|document| document.on_unknown).collect();
        documents
    };
    let text = scheme();
    assert_eq!(said(&text), [None, None, Some(OnUnknown::Hold)]);
    // That of the target does not hold for what is proven otherwise: here the contact.
    let whole = text.replace(
        "  options: {FormId: BD_Customer}\n",
        "  options: {FormId: BD_Customer}\n  on_unknown: resend\n",
    );
    let (resend, hold) = (Some(OnUnknown::Resend), Some(OnUnknown::Hold));
    assert_eq!(said(&whole), [resend, None, hold]);
    let first = text.replace(
        "{step: save, api: batchSave}",
        "{step: save, api: batchSave, on_unknown: resend}",
    );
    assert_eq!(said(&first), [resend, None, hold]);
}

/// A contact for each line.
const LINES: &str = "  steps:
    - {step: save, api: batchSave}
    - step: contact
      api: batchSave
      each: contacts
      line_key: id
      when: {field: $line.left, neq: true}
      options: {FormId: BD_CommonContact}
      request: {FBillNo: <<buyerCid>>-<<$line.id>>, FName: <<contacts.name>>, FSeq: <<$index>>, FCompany: {FNumber: <<$step.save.number>>}}
    - submit
  options: {FormId: BD_Customer}
";

fn with_lines() -> String {
    with_steps(LINES)
        .replace("  find: before_create\n", "")
        .replace("buyerNick: 杭州云杉贸易}\n", "buyerNick: 杭州云杉贸易, contacts: [{id: 7, name: a, left: false}, {id: 9, name: b, left: true}, {id: 8, name: c, left: false}]}\n")
}

fn calls(target: &TargetPlan, row: &Value, made: &[&str], from: (usize, Option<&str>)) -> Vec<String> {
    let zone = zone();
    let cx = RecordCx {
        row,
        key: "[\"B1\"]",
        label: "",
        target_id: Some("7"),
        target_number: Some("N7"),
        action: Action::Step,
        line: None,
        now_ms: 0,
        zone: &zone,
        line_ids: LineIds::none(),
        steps: &[],
    };
    let mut made: Vec<String> = made.iter().map(|&call| call.to_owned()).collect();
    let (mut place, mut behind) = (from.0, from.1.map(str::to_owned));
    made.extend(behind.clone());
    let mut calls = Vec::new();
    loop {
        let is_made = |call: &str| made.iter().any(|known| known == call);
        let next = target.call_from(&cx, place, behind.as_deref(), &is_made);
        let next = next.unwrap();
        let Some(call) = next else { return calls };
        let at = target.step(&call).unwrap();
        (place, behind) = match target.steps[at].each() {
            Some(_) => (at, Some(call.clone())),
            None => (at + 1, None),
        };
        made.push(call.clone());
        calls.push(call);
    }
}

#[test]
fn a_step_is_made_for_each_line() {
    let plan = plan(&with_lines());
    let target = plan.target.as_ref().unwrap();
    let row = |lines: &str| {
        json(&format!(
            r#"{{"buyerCid":"B1","buyerNick":"a","contacts":[{lines}]}}"#
        ))
    };
    let [seven, eight, nine] = [
        r#"{"id":7,"name":"a"}"#,
        r#"{"id":8,"name":"b"}"#,
        r#"{"id":9,"name":"c","left":true}"#,
    ];
    let all = row(&[seven, nine, eight].join(","));
    // The condition is asked of each line.
    let both = [r#"contact/["7"]"#, r#"contact/["8"]"#, "submit"];
    assert_eq!(calls(target, &all, &[], (0, None)), both);
    let contact = target.steps[0].document.as_ref().unwrap();
    let line = target.steps[0]
        .each()
        .unwrap()
        .line(both[1], &all)
        .unwrap()
        .unwrap();
    let zone = zone();
    let cx = RecordCx {
        row: &all,
        key: "[\"B1\"]",
        label: "",
        target_id: Some("7"),
        target_number: Some("N7"),
        action: Action::Create,
        line: Some((line.value, line.index)),
        now_ms: 0,
        zone: &zone,
        line_ids: LineIds::none(),
        steps: &[],
    };
    let Build::Built(built) = contact.build(&cx, &Hits::new(), None).unwrap() else {
        panic!("it waits")
    };
    assert_eq!(
        dsl::json::to_string(&built.payload),
        r#"{"FBillNo":"B1-8","FName":"b","FSeq":3,"FCompany":{"FNumber":"N7"}}"#
    );
    assert_eq!(built.tkey, ["B1-8"]);
    // What is read of a line makes a new version of the row.
    assert!(plan.source.reads.contains(&common::path("contacts.*.name")));
    assert!(plan.source.reads.contains(&common::path("contacts.*.id")));
    assert!(
        plan.source.reads.contains(&common::path("contacts.*.left")),
        "the condition, too"
    );
    // None of a list that is not there.
    for row in [
        r#"{"buyerCid":"B1"}"#,
        r#"{"contacts":null}"#,
        r#"{"contacts":[]}"#,
        r#"{"contacts":""}"#,
    ] {
        assert_eq!(calls(target, &json(row), &[], (0, None)), ["submit"], "{row}");
    }
}

#[test]
fn lines_that_were_made_are_known_again_wherever_they_stand() {
    let plan = plan(&with_lines());
    let target = plan.target.as_ref().unwrap();
    let row = |ids: &[u32]| {
        let lines: Vec<String> = ids
            .iter()
            .map(|id| format!(r#"{{"id":{id},"name":"a"}}"#))
            .collect();
        json(&format!(
            r#"{{"buyerCid":"B1","contacts":[{}]}}"#,
            lines.join(",")
        ))
    };
    let call = |id: u32| format!(r#"contact/["{id}"]"#);
    let ids = |calls: Vec<String>| -> Vec<String> {
        calls
            .iter()
            .map(|call| call.trim_start_matches("contact/").to_owned())
            .collect()
    };
    let kept = {
        // The same step where what is written cannot be changed.
        let mut kept = target.clone();
        let mut document = kept.steps[0].document.as_ref().unwrap().as_ref().clone();
        document.update = None;
        kept.steps[0].document = Some(document.into());
        kept
    };
    let made = [call(1), call(2)];
    let made: Vec<&str> = made.iter().map(String::as_str).collect();
    // A new one is made, and of those that can be changed each is updated.
    let new = row(&[3, 2, 1]);
    assert_eq!(
        ids(calls(target, &new, &made, (0, None))),
        [r#"["3"]"#, r#"["2"]"#, r#"["1"]"#, "submit"]
    );
    assert_eq!(ids(calls(&kept, &new, &made, (0, None))), [r#"["3"]"#, "submit"]);
    // Where the record stands at a line, lines that came before it since are made all the same.
    let (two, now) = (call(2), row(&[3, 1, 2, 4]));
    assert_eq!(
        ids(calls(&kept, &now, &made[..1], (0, Some(&two)))),
        [r#"["3"]"#, r#"["4"]"#, "submit"]
    );
    // One that vanished is left as it is.
    assert_eq!(ids(calls(&kept, &row(&[2]), &made, (0, None))), ["submit"]);
}

#[test]
fn lines_that_cannot_be_told_apart_are_refused_before_anything_is_written() {
    let plan = plan(&with_lines());
    let target = plan.target.as_ref().unwrap();
    let code = |lines: &str| {
        let row = json(&format!(r#"{{"buyerCid":"B1","contacts":{lines}}}"#));
        target
            .check_lines(&row)
            .err()
            .map(|failure| failure.code().to_owned())
    };
    assert_eq!(code(r#"[{"id":1},{"id":"2"}]"#), None);
    for bad in [
        r#"[{"id":1},{"id":"1"}]"#,
        r#"[{"id":1},{"name":"a"}]"#,
        r#"[{"id":""}]"#,
        r#"[{"id":{"a":1}}]"#,
        r#"["a"]"#,
        r#"{"id":1}"#,
    ] {
        assert_eq!(code(bad).as_deref(), Some("E2024"), "{bad}");
    }
    let many = |count: usize| {
        let lines: Vec<String> = (0..count).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        format!("[{}]", lines.join(","))
    };
    assert_eq!(code(&many(dsl::plan::MOST_LINES)), None);
    assert_eq!(code(&many(dsl::plan::MOST_LINES + 1)).as_deref(), Some("E2025"));
}

#[test]
fn what_is_wrong_with_a_step_of_lines_is_said_where_it_stands() {
    let text = with_lines();
    assert_eq!(codes(&text), [] as [&str; 0]);
    for (from, to, code) in [
        ("      line_key: id\n", "", "E1795 21:7"),
        ("      each: contacts\n", "", "E1795 "),
        ("line_key: id", "line_key: $index", "E1795 "),
        ("line_key: id", "line_key: []", "E"),
        ("each: contacts", "each: contacts.*.x", "E1795 "),
        (
            "    - submit\n",
            "    - {api: submit, each: contacts, line_key: id}\n",
            "E1782 ",
        ),
        (
            "{step: save, api: batchSave}",
            "{step: save, api: batchSave, each: contacts, line_key: id}",
            "E1795 ",
        ),
        ("step: contact", "step: contact/[a]", "E1795 "),
        ("<<buyerCid>>-<<$line.id>>", "<<buyerCid>>-<<$index>>", "E1796 "),
        ("<<buyerCid>>-<<$line.id>>", "<<buyerCid>>", "E1796 "),
        ("<<buyerCid>>-<<$line.id>>", "<<contacts.0.id>>", "E1796 "),
        ("<<buyerCid>>-<<$line.id>>", "<<contacts.*.id>>", "E1796 "),
        (
            "  options: {FormId: BD_Customer}\n",
            "  options: {FormId: BD_Customer}\n  on_success: {save: {contact: <<$step.contact.id>>}}\n",
            "E1797 ",
        ),
        (
            "FName: <<contacts.name>>",
            "FName: <<contacts.name>>, FCode: {$value: <<$line.id>>, $sensitive: true}",
            "E1798 ",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let found = codes(&text.replace(from, to));
        assert!(
            found.iter().any(|found| found.starts_with(code)),
            "{to}: {found:?}"
        );
        assert!(found.len() <= 2, "{to}: {found:?}");
    }
}

/// What a `let` is made of is what counts, and it is made once for all lines.
#[test]
fn a_key_of_a_line_that_a_let_makes() {
    let text = with_lines().replace(
        "  options: {FormId: BD_Customer}\n",
        "  options: {FormId: BD_Customer}\n  let: {one: <<buyerCid>>, other: <<$let.one>>}\n",
    );
    assert_eq!(codes(&text), [] as [&str; 0]);
    let found = |key: &str| codes(&text.replace("<<buyerCid>>-<<$line.id>>", key));
    let refused = found("<<$let.other>>");
    assert!(
        refused.len() == 1 && refused[0].starts_with("E1796 "),
        "{refused:?}"
    );
    assert_eq!(found("<<$let.other>>-<<$line.id>>"), [] as [&str; 0]);
}

/// The identity of a line is the name of its call: it is masked nowhere.
#[test]
fn an_identity_of_a_line_that_another_request_hides() {
    let text = with_lines();
    let line = "FCompany: {FNumber: <<$step.save.number>>}}\n    - submit\n";
    let (before, after) = text
        .rsplit_once("  request:\n")
        .expect("the request of the target");
    for read in ["contacts.*.id", "contacts", "contacts.0.id"] {
        let hiding =
            format!("{before}  request:\n    FHidden: {{$value: <<{read}>>, $sensitive: true}}\n{after}");
        let found = codes(&hiding);
        assert!(
            found.iter().any(|code| code.starts_with("E1798 ")),
            "{read}: {found:?}"
        );
    }
    // In another step.
    assert!(text.contains(line), "{text}");
    let more = "FCompany: {FNumber: <<$step.save.number>>}}\n    - step: more\n      api: batchSave\n      options: {FormId: BD_CommonContact}\n      request: {FBillNo: M-<<buyerCid>>, FName: {$value: <<contacts.0.id>>, $sensitive: true}}\n    - submit\n";
    let found = codes(&text.replace(line, more));
    assert!(found.iter().any(|code| code.starts_with("E1798 ")), "{found:?}");
}

#[test]
fn the_tests_of_a_scheme_show_the_documents_of_lines() {
    let text = with_lines();
    let expect = "FDescription: \"100482\"}\n";
    let with = |steps: &str| {
        let plan = common::plan(&text.replace(expect, &format!("{expect}    steps: {{contact: {steps}}}\n")));
        let outcome = run(&plan, &plan.tests[0]);
        let line = |difference: &dsl::testing::Difference| difference.line(dsl::diagnostic::Lang::En);
        outcome.diff.iter().map(line).collect::<Vec<String>>()
    };
    let company = "FCompany: {FNumber: test-number}";
    let one = format!("{{FBillNo: B000123-7, FName: a, FSeq: 1, {company}}}");
    let other = format!("{{FBillNo: B000123-8, FName: c, FSeq: 3, {company}}}");
    assert_eq!(with(&format!("[{one}, {other}]")), [] as [&str; 0]);
    assert_eq!(
        with(&format!("[{one}, {}]", other.replace("FName: c", "FName: d"))),
        [r#"steps.contact.1.FName: expected "d", got "c""#]
    );
    assert_ne!(with(&format!("[{one}]")), [] as [&str; 0]);
}
