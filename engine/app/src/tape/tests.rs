use super::*;

fn said(operation: &str, nth: i64) -> Said {
    Said {
        connection: "shop".to_owned(),
        operation: operation.to_owned(),
        request: Value::from(nth),
        outcome: Outcome::Answer {
            status: 200,
            headers: Vec::new(),
            body: Body::Text(format!("{operation} {nth}")),
        },
    }
}

fn player(by: Match) -> Player {
    Player {
        said: vec![said("read", 1), said("read", 2), said("save", 3)],
        looked: Vec::new(),
        by,
        heard: Heard {
            requests: vec![None; 3],
            ..Heard::default()
        },
    }
}

fn answer(played: &Played) -> String {
    match played {
        Played::Answer(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
        Played::Broken(error) => error.detail.clone(),
        Played::Unknown(failure) => failure.code().to_owned(),
    }
}

/// How calls are found, the calls, the answers.
type Row<'a> = (Match, &'a [(&'a str, i64)], &'a [&'a str]);

/// The same request has its own answer; one that changed has the next of its operation; nobody else answers it.
#[test]
fn which_answer_a_call_has() {
    let rows: [Row<'_>; 4] = [
        (
            Match::Request,
            &[("read", 2), ("read", 1), ("save", 3)],
            &["read 2", "read 1", "save 3"],
        ),
        (
            Match::Order,
            &[("read", 2), ("read", 1), ("save", 9)],
            &["read 1", "read 2", "save 3"],
        ),
        (Match::Request, &[("save", 8), ("save", 3)], &["save 3", "E3091"]),
        (Match::Request, &[("find", 1)], &["E3091"]),
    ];
    for (by, calls, want) in rows {
        let mut player = player(by);
        let got: Vec<String> = calls
            .iter()
            .map(|(operation, nth)| answer(&player.play("shop", operation, Value::from(*nth))))
            .collect();
        assert_eq!(got, want, "{calls:?}");
        let unknown = want.iter().filter(|code| code.starts_with('E')).count();
        assert_eq!(player.heard.extra.len(), unknown, "{calls:?}");
        let heard = player.heard.requests.iter().flatten().count();
        assert_eq!(heard + unknown, calls.len(), "{calls:?}");
    }
    let elsewhere = player(Match::Order).play("mall", "read", Value::from(1_i64));
    assert_eq!(answer(&elsewhere), "E3091");
}

#[test]
fn json_within_json_is_compared_as_a_document() {
    let body =
        json::parse(br#"{"parameters":["BD_Customer","{\"Model\":[{\"FName\":\"a\",\"n\":1.10}]}","{odd"]}"#);
    let body = unfolded(body.expect("JSON"));
    assert_eq!(
        json::to_string(&body),
        r#"{"parameters":["BD_Customer",{"$json":{"Model":[{"FName":"a","n":1.10}]}},"{odd"]}"#
    );
    let query = [("a", "1"), ("b", "2"), ("a", "3")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(json::to_string(&pairs(&query)), r#"{"a":["1","3"],"b":"2"}"#);
}
