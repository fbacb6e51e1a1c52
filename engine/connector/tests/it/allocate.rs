//! Base data that is allocated to organisations: what is sent, and what tells that all of them have it.

use std::sync::Arc;

use connector::{Connection, Found};
use dsl::{Map, Value};

use crate::common::{TWO, connections_of, json, secrets};

fn k3() -> Arc<Connection> {
    let known = secrets(&[
        ("env", "K3_APP", "240001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"),
        ("secret", "k3", "s"),
        ("secret", "k3_password", "s"),
    ]);
    Arc::new(
        connections_of(TWO)
            .resolve("k3", "default", &known)
            .expect("a good connection"),
    )
}

fn options(orgs: &str) -> Map {
    match json(&format!(r#"{{"FormId":"BD_Customer","TOrgIds":"{orgs}"}}"#)) {
        Value::Map(map) => map,
        _ => unreachable!("a map was written"),
    }
}

/// What the rows of an answer say about the documents 7 and 8; columns are FMASTERID and FUseOrgId.
fn found(orgs: &str, rows: &str) -> [Found; 2] {
    let k3 = k3();
    let ids = ["7".to_owned(), "8".to_owned()];
    let keys = ids.clone().map(|id| vec![id]);
    let ask = k3
        .ask("allocate", &options(orgs), &[], &keys, Some(&ids), 0)
        .unwrap()
        .expect("it can");
    let [call] = ask.calls.as_slice() else {
        panic!("one call")
    };
    assert_eq!(call.operation, "bill_query");
    let fields: Vec<(&str, &str)> = call
        .fields
        .iter()
        .map(|(name, field)| (name.as_str(), field.as_str()))
        .collect();
    assert_eq!(fields, [("id", "FMASTERID"), ("org", "FUseOrgId")]);
    let Value::List(rows) = json(rows) else {
        unreachable!("a list was written")
    };
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let Value::List(cells) = row else {
                unreachable!("rows are lists")
            };
            let names = ["id", "org"].map(str::to_owned).into_iter();
            Value::Map(names.zip(cells.iter().cloned()).collect())
        })
        .collect();
    let found = k3.ask_rows(&ask, &rows);
    found.try_into().expect("one for each document")
}

#[test]
fn every_organisation_must_have_its_copy() {
    let one = |id: &str| Found::One {
        id: Some(id.to_owned()),
        number: None,
    };
    let orgs = "100016, 100017";
    // The document itself is a row as well.
    assert_eq!(
        found(orgs, "[[7,1],[7,100016],[7,100017],[8,1]]"),
        [one("7"), Found::None],
        "all of them, none of them"
    );
    assert_eq!(
        found(orgs, "[[7,1],[7,100017],[8,100017],[8,1],[8,100016],[8,5]]"),
        [Found::Many, one("8")],
        "a part waits for a person; what others did says nothing"
    );
    // What does not show the document, or no organisation, proves nothing.
    assert_eq!(found(orgs, "[[8,1]]"), [Found::Many, Found::None]);
    assert_eq!(
        found(orgs, "[[7,null],[7,1],[8,null]]"),
        [Found::Many, Found::Many]
    );
}
