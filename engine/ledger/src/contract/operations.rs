//! What a service remembers: messages to people, and the texts of schemes.

use flow::op::AuditNote;

use crate::service::notices::{CauseRow, Delivery, NewNotice, NoticeFilter};
use crate::service::revisions::{NewRevision, Which};
use crate::{Ledger, StoreError};

fn told(channel: &str, title: &str) -> NewNotice {
    NewNotice {
        channel: channel.into(),
        rule: "failed".into(),
        subject: "customers".into(),
        cause: "failed".into(),
        kind: "problem".into(),
        title: title.into(),
        body: "方案失败".into(),
    }
}

pub(super) fn notices(open: &dyn Fn() -> Ledger) {
    let mut ledger = open();
    let reader = ledger.reader();
    let titles = |channel: &str, limit| -> Vec<String> {
        let rows = reader.due_notices(channel, 2_000, limit).expect("a question");
        rows.into_iter().map(|row| row.notice.title).collect()
    };
    let cause = CauseRow {
        rule: "failed".into(),
        subject: "customers".into(),
        cause: "failed".into(),
        since: 1_000,
        told: 1_000,
        seen: 1,
        untold: 0,
        digests: 0,
        escalated: false,
        recovered: None,
    };
    let tell = |ledger: &mut Ledger, notices: &[NewNotice], causes: &[CauseRow], now| {
        ledger.tell_notices(notices, causes, &[], now).expect("told");
    };
    tell(
        &mut ledger,
        &[told("ops", "a"), told("boss", "b")],
        std::slice::from_ref(&cause),
        1_000,
    );
    assert_eq!(titles("ops", 10), ["a"]);
    assert_eq!(titles("boss", 10), ["b"]);
    assert_eq!(reader.due_channels(2_000).expect("a question"), ["boss", "ops"]);
    assert!(reader.due_channels(999).expect("a question").is_empty());
    assert_eq!(reader.next_notice().expect("a question"), Some(1_000));
    let id = |title: &str| {
        let rows = reader.notices(&NoticeFilter::default()).expect("a question");
        rows.iter()
            .find(|row| row.notice.title == title)
            .expect("told")
            .id
    };
    let deliver = |ledger: &mut Ledger, title: &str, delivery: Delivery, answer: &str| {
        ledger
            .notice_delivered(id(title), &delivery, answer, 1_500)
            .expect("noted");
    };
    deliver(&mut ledger, "a", Delivery::Later(3_000), "130101 send too fast");
    assert_eq!(titles("ops", 10), Vec::<String>::new());
    assert_eq!(reader.due_channels(2_000).expect("a question"), ["boss"]);
    deliver(&mut ledger, "b", Delivery::Sent, "0 ok");
    // What has an end keeps it.
    deliver(&mut ledger, "b", Delivery::Failed, "late");
    deliver(&mut ledger, "a", Delivery::Failed, "130101 send too fast");
    assert_eq!(reader.next_notice().expect("a question"), None);
    let states: Vec<(String, u32, Option<String>)> = reader
        .notices(&NoticeFilter::default())
        .expect("a question")
        .into_iter()
        .map(|row| (row.state, row.tries, row.answer))
        .collect();
    let of = |state: &str, tries, answer: &str| (state.to_owned(), tries, Some(answer.to_owned()));
    assert_eq!(
        states,
        [of("sent", 1, "0 ok"), of("failed", 2, "130101 send too fast")]
    );
    let failed = NoticeFilter {
        state: Some("failed".into()),
        ..NoticeFilter::default()
    };
    assert_eq!(reader.notices(&failed).expect("a question").len(), 1);

    // What a silent channel is not told is counted.
    tell(&mut ledger, &[told("ops", "c")], &[], 1_400);
    deliver(&mut ledger, "c", Delivery::Muted, "muted");
    assert!(titles("ops", 10).is_empty());
    let unsaid = |channel, since| reader.unsaid_notices(channel, since).expect("a question");
    assert_eq!(
        (unsaid("ops", 1_500), unsaid("ops", 1_501), unsaid("boss", 0)),
        (1, 0, 0)
    );

    // A cause is one row, however often it is told.
    assert_eq!(
        reader.notice_causes().expect("a question"),
        std::slice::from_ref(&cause)
    );
    let later = CauseRow {
        told: 9_000,
        seen: 5,
        untold: 2,
        digests: 1,
        escalated: true,
        recovered: Some(9_500),
        ..cause
    };
    tell(&mut ledger, &[], std::slice::from_ref(&later), 9_500);
    assert_eq!(reader.notice_causes().expect("a question"), [later]);
    let key = ("failed".to_owned(), "customers".to_owned(), "failed".to_owned());
    ledger.tell_notices(&[], &[], &[key], 9_600).expect("told");
    assert_eq!(reader.notice_causes().expect("a question"), []);

    // The outbox is bounded, the newest stay.
    let many: Vec<NewNotice> = (0..1_005).map(|nth| told("ops", &format!("n{nth}"))).collect();
    tell(&mut ledger, &many, &[], 1_800);
    let waiting = titles("ops", 5_000);
    assert_eq!((waiting.len(), waiting[0].as_str()), (1_000, "n5"));
    // What waits is kept, however old.
    assert_eq!(ledger.prune_notices(1_600).expect("pruned"), 3);
    assert_eq!(ledger.prune_notices(10_000).expect("pruned"), 5);
    assert_eq!(titles("ops", 5_000).len(), 1_000);
}

pub(super) fn revisions(open: &dyn Fn() -> Ledger) {
    let mut ledger = open();
    let reader = ledger.reader();
    let new = |scheme: &str, hash: &str| NewRevision {
        scheme: scheme.into(),
        hash: hash.into(),
        who: String::new(),
        message: String::new(),
        text: format!("scheme: {scheme} # {hash}"),
    };
    let mut keep = |scheme: &str, hash: &str| -> Result<(u32, bool), StoreError> {
        Ok(ledger.keep_revisions(&[new(scheme, hash)], 7)?[0])
    };
    assert_eq!(keep("a", "h1").expect("kept"), (1, true));
    assert_eq!(
        keep("a", "h1").expect("kept"),
        (1, false),
        "it is in force already"
    );
    assert_eq!(keep("a", "h2").expect("kept"), (2, true));
    assert_eq!(keep("b", "h1").expect("kept"), (1, true));
    assert_eq!(
        keep("a", "h1").expect("kept"),
        (3, true),
        "back to the first is a new one"
    );
    let found = |scheme: &str, which| {
        let row = reader.revision(scheme, which).expect("a question");
        row.map(|row| (row.seq, row.text))
    };
    assert_eq!(found("a", Which::Newest), Some((3, "scheme: a # h1".into())));
    assert_eq!(found("a", Which::Seq(2)), Some((2, "scheme: a # h2".into())));
    assert_eq!(found("a", Which::Hash("h1")), Some((3, "scheme: a # h1".into())));
    assert_eq!(found("a", Which::Seq(4)), None);
    assert_eq!(found("c", Which::Newest), None);
    let listed = reader.revisions("a", 2).expect("a question");
    let short: Vec<(u32, &str, &str)> = listed
        .iter()
        .map(|row| (row.seq, row.hash.as_str(), row.text.as_str()))
        .collect();
    assert_eq!(short, [(3, "h1", ""), (2, "h2", "")]);
    assert_eq!(reader.revisions("a", 0).expect("a question").len(), 3);
    // A person's word is one of its own, and what stood there before is kept first.
    let note = AuditNote {
        who: "li".into(),
        action: "deploy".into(),
        scheme: Some("a".into()),
        record: None,
        what: "4".into(),
        reason: "because".into(),
    };
    let deployed = NewRevision {
        who: "li".into(),
        message: "because".into(),
        ..new("a", "h4")
    };
    let seq = ledger
        .deploy_revision(Some(&new("a", "h3")), &deployed, &note, 8)
        .expect("deployed");
    assert_eq!(seq, 5);
    let again = ledger
        .deploy_revision(Some(&new("a", "h4")), &deployed, &note, 9)
        .expect("deployed");
    assert_eq!(again, 6, "the same text by another word");
    let listed = reader.revisions("a", 3).expect("a question");
    let short: Vec<(u32, &str, &str)> = listed
        .iter()
        .map(|row| (row.seq, row.hash.as_str(), row.who.as_str()))
        .collect();
    assert_eq!(short, [(6, "h4", "li"), (5, "h4", "li"), (4, "h3", "")]);
    let notes = reader
        .audit(&crate::read::AuditFilter::default())
        .expect("a question");
    assert_eq!(notes.len(), 2);
}
