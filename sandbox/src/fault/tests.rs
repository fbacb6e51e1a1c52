use super::*;

fn plan(text: &str) -> FaultPlan {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The calls that are struck; call n comes `n * every_ms` after the plan was given.
fn struck(text: &str, calls: u64, every_ms: i64) -> Vec<u64> {
    let mut faults = Faults::default();
    faults.add(plan(text), 0).unwrap();
    (1..=calls)
        .filter(|n| {
            let now = i64::try_from(*n).unwrap() * every_ms;
            faults.strike("kingdee", "BatchSave", now).is_some()
        })
        .collect()
}

#[test]
fn which_calls() {
    let cases: &[(&str, &[u64])] = &[
        (r#"{"endpoint":"BatchSave","nth":3,"kind":"drop_after"}"#, &[3]),
        (
            r#"{"endpoint":"batchsave","nth":2,"times":2,"kind":"http_519"}"#,
            &[2, 3],
        ),
        (
            r#"{"endpoint":"kingdee","times":2,"kind":"msg_code_14"}"#,
            &[1, 2],
        ),
        (r#"{"endpoint":"*","kind":"http_500_after"}"#, &[1, 2, 3, 4, 5]),
        (r#"{"endpoint":"huke","kind":"delay"}"#, &[]),
        (
            r#"{"endpoint":"*","per_mille":1000,"kind":"delay"}"#,
            &[1, 2, 3, 4, 5],
        ),
        (
            r#"{"endpoint":"*","per_mille":1000,"times":2,"kind":"delay"}"#,
            &[1, 2],
        ),
        (r#"{"endpoint":"*","per_mille":0,"kind":"delay"}"#, &[]),
        // A call every 100 ms: an outage from 200 to 400.
        (
            r#"{"endpoint":"*","from_ms":200,"until_ms":400,"kind":"drop_before"}"#,
            &[2, 3],
        ),
        (
            r#"{"endpoint":"*","from_ms":200,"nth":2,"kind":"drop_before"}"#,
            &[3],
        ),
        (r#"{"endpoint":"*","above_per_s":3,"kind":"too_many"}"#, &[4, 5]),
        (
            r#"{"endpoint":"*","above_per_s":0,"until_ms":250,"kind":"too_many"}"#,
            &[1, 2],
        ),
    ];
    for (plan, want) in cases {
        assert_eq!(&struck(plan, 5, 100), want, "{plan}");
    }
    let half = struck(
        r#"{"endpoint":"*","per_mille":500,"seed":3,"kind":"delay"}"#,
        1000,
        1,
    )
    .len();
    assert!((400..600).contains(&half), "{half}");
}

#[test]
fn a_rate_lets_so_many_through_in_any_second() {
    let refused = struck(r#"{"endpoint":"*","above_per_s":10,"kind":"too_many"}"#, 200, 10);
    // 200 calls in two seconds, the last at 2000 ms.
    assert_eq!(refused.len(), 200 - 20, "{refused:?}");
}

#[test]
fn kinds_are_drawn_by_weight_and_again_the_same() {
    let draw = |text: &str| -> Vec<FaultKind> {
        let mut faults = Faults::default();
        faults.add(plan(text), 0).unwrap();
        (0..1000)
            .filter_map(|_| faults.strike("kingdee", "BatchSave", 0).map(|fault| fault.kind))
            .collect()
    };
    let text = r#"{"endpoint":"*","seed":5,"per_mille":300,"kinds":{"drop_after":3,"delay":1,"hang":0}}"#;
    let kinds = draw(text);
    let share = |kind| kinds.iter().filter(|k| **k == kind).count();
    assert!((250..350).contains(&kinds.len()), "{}", kinds.len());
    assert!((2..5).contains(&(share(FaultKind::DropAfter) / share(FaultKind::Delay))));
    assert_eq!(share(FaultKind::Hang), 0);
    assert_eq!(kinds, draw(text));
    assert_ne!(kinds, draw(&text.replace("\"seed\":5", "\"seed\":6")));
    let even = draw(r#"{"endpoint":"*","kinds":["drop_after","delay"]}"#);
    assert_eq!(even.len(), 1000);
    assert!((400..600).contains(&even.iter().filter(|k| **k == FaultKind::Delay).count()));
}

#[test]
fn the_plan_is_strict() {
    for (bad, why) in [
        (r#"{"endpoint":"*","kind":"explode"}"#, "unknown variant"),
        (r#"{"endpoint":"*","kind":"delay","nht":1}"#, "unknown field"),
        (r#"{"endpoint":"*"}"#, "`kind`"),
        (r#"{"endpoint":"*","kind":"delay","kinds":["hang"]}"#, "`kind`"),
        (r#"{"endpoint":"*","kinds":[]}"#, "name at least one"),
        (r#"{"endpoint":"*","kinds":{"explode":1}}"#, "explode"),
        (r#"{"endpoint":"*","kinds":{"delay":0}}"#, "weights"),
        (r#"{"endpoint":"BatchSafe","kind":"delay"}"#, "BatchSafe"),
        (r#"{"endpoint":"*","kind":"delay","nth":0}"#, "nth"),
        (
            r#"{"endpoint":"*","kind":"delay","nth":1,"per_mille":5}"#,
            "per_mille",
        ),
        (r#"{"endpoint":"*","kind":"delay","per_mille":1001}"#, "per_mille"),
        (
            r#"{"endpoint":"*","kind":"delay","from_ms":5,"until_ms":5}"#,
            "until_ms",
        ),
        (r#"{"endpoint":"*","kind":"drop_after","delay_ms":5}"#, "delay_ms"),
        (r#"{"endpoint":"*","kind":"delay","mib":5}"#, "mib"),
        (r#"{"endpoint":"*","kind":"gzip_bomb","mib":0}"#, "mib"),
        (
            r#"{"endpoint":"*","kind":"redirect","location":"http://a b/"}"#,
            "location",
        ),
        (r#"{"endpoint":"*","kind":"redirect","status":200}"#, "status"),
        (r#"{"endpoint":"*","kind":"delay","delay_ms":600001}"#, "delay_ms"),
    ] {
        let said = match serde_json::from_str::<FaultPlan>(bad) {
            Ok(plan) => plan.check().expect_err(bad).to_string(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(why), "{bad}: {said}");
    }
}

#[test]
fn every_word_is_found_and_no_key_is_invented() {
    let whole = FaultPlan {
        delay_ms: Some(1),
        retry_after_s: Some(1),
        commit: Some(true),
        skew_ms: Some(1),
        status: Some(500),
        location: Some("x".to_owned()),
        mib: Some(1),
        depth: Some(1),
        rows: Some(vec![0]),
        value: Some("x".to_owned()),
        total_by: Some(1),
        inserts: Some(1),
        updates: Some(1),
        deletes: Some(1),
        ..FaultPlan::default()
    };
    let json = serde_json::to_value(&whole).unwrap();
    for row in TABLE {
        assert_eq!(FaultKind::find(row.word), Some(row.kind));
        assert_eq!(serde_json::to_value(row.kind).unwrap(), row.word);
        for key in row.keys {
            assert!(
                json.get(*key).is_some(),
                "{} reads {key}, which is no key of a plan",
                row.word
            );
        }
    }
}
