//! What other systems send, and what others read of it.

use flow::ids::{Blob, PushId};
use flow::op::{Cursor, LedgerOp, LedgerReply, NewPush, OnSeen, Stored};
use flow::window::Interval;

use super::{Desk, SCHEME, row};
use crate::columns::Columns;
use crate::service::inbox::REPEATED_FOR;
use crate::service::publish::PublishedAsk;
use crate::{Blobs, Ledger};

fn push(desk: &mut Desk, sender: &str, content: &str) -> Stored {
    push_below(desk, sender, content, 1_000)
}

fn push_below(desk: &mut Desk, sender: &str, content: &str, most_bytes: u64) -> Stored {
    store(desk, sender, content, most_bytes, (None, false))
}

/// One that says that it is new.
fn create(desk: &mut Desk, sender: &str, content: &str) -> Stored {
    create_behind(desk, sender, content, PushId(0))
}

/// One that says that it is new, of what was cancelled behind a push.
fn create_behind(desk: &mut Desk, sender: &str, content: &str, behind: PushId) -> Stored {
    store(desk, sender, content, 1_000, (Some(behind), false))
}

/// One that says that it was cancelled.
fn void(desk: &mut Desk, sender: &str) -> Stored {
    store(desk, sender, "void", 1_000, (None, true))
}

fn store(
    desk: &mut Desk,
    sender: &str,
    content: &str,
    most_bytes: u64,
    (creates, void): (Option<PushId>, bool),
) -> Stored {
    let mut hash = [0; 32];
    for (at, byte) in content.bytes().enumerate() {
        hash[at % 32] ^= byte.rotate_left(u32::try_from(at % 7).expect("small"));
    }
    let op = LedgerOp::StorePush {
        giver: None,
        scheme: SCHEME.to_owned(),
        push: NewPush {
            sender: sender.to_owned(),
            hash,
            void,
            creates,
            rows: 1,
            content: Blob(7),
            doubt: None,
            most_rows: 4,
            most_bytes,
        },
        now: desk.now,
    };
    let blobs = Blobs::from_iter([(Blob(7), content.as_bytes().to_vec())]);
    match desk.try_one(op, &blobs).expect("a push") {
        LedgerReply::Pushed(stored) => stored,
        other => panic!("{other:?}"),
    }
}

fn waiting(desk: &Desk) -> Vec<(PushId, String)> {
    let (pushes, _) = desk
        .ledger
        .reader()
        .waiting_pushes(SCHEME, 10, 10, 1_000)
        .expect("a question");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    pushes
        .into_iter()
        .map(|push| (push.id, text(push.content)))
        .collect()
}

fn records(desk: &Desk) -> u64 {
    let states = desk.ledger.reader().states(SCHEME).expect("a question");
    states.iter().sum()
}

fn count(desk: &mut Desk) -> u64 {
    let scheme = SCHEME.to_owned();
    match desk.one(LedgerOp::CountPushes { scheme }) {
        LedgerReply::Waiting(waiting) => waiting,
        other => panic!("{other:?}"),
    }
}

fn take(desk: &Desk, pushes: &[PushId]) -> LedgerOp {
    LedgerOp::TakePushes {
        run: desk.run,
        scheme: SCHEME.to_owned(),
        pushes: pushes.to_vec(),
        now: desk.now,
    }
}

pub(super) fn inbox(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.open_window_of(Cursor::Inbox, Interval { from: 0, to: 0 });
    let Stored::New(first) = push(&mut desk, "1", "a") else {
        panic!("it is new")
    };
    let Stored::New(second) = push(&mut desk, "2", "a") else {
        panic!("the same content about another thing is another push")
    };
    let Stored::New(third) = push(&mut desk, "1", "b") else {
        panic!("another content is another push")
    };
    assert_eq!(push(&mut desk, "1", "b"), Stored::Repeated(third));
    assert_eq!(push(&mut desk, "2", "a"), Stored::Repeated(second));
    assert_eq!(count(&mut desk), 3);
    let texts = |desk: &Desk| waiting(desk).into_iter().map(|push| push.1).collect::<Vec<_>>();
    assert_eq!(texts(&desk), ["a", "a", "b"], "in the order of arrival");

    // At most so many rows wait; what is known is still answered.
    assert!(matches!(push(&mut desk, "4", "d"), Stored::New(_)));
    assert_eq!(push(&mut desk, "5", "e"), Stored::Full);
    assert_eq!(push(&mut desk, "2", "a"), Stored::Repeated(second));

    // The page and its pushes are one transaction: a push that does not wait takes back the rows as well.
    let (page, blobs) = desk.page(vec![row(1, "k", "v1")], OnSeen::UpdateIfChanged);
    let taken = [page.clone(), take(&desk, &[first, PushId(99)])];
    desk.ledger.apply(&taken, &blobs).expect_err("no such push");
    assert_eq!(records(&desk), 0);
    assert_eq!(count(&mut desk), 4);
    let taken = [page, take(&desk, &[first, second])];
    desk.ledger.apply(&taken, &blobs).expect("a page");
    assert_eq!(records(&desk), 1);
    assert_eq!(count(&mut desk), 2);
    let again = take(&desk, &[first]);
    desk.try_one(again, &Blobs::new()).expect_err("it is taken once");

    // The last one is known as long as it may come again.
    assert_eq!(push(&mut desk, "1", "b"), Stored::Repeated(third));
    assert_eq!(push(&mut desk, "2", "a"), Stored::Repeated(second));
    desk.now += REPEATED_FOR - 1;
    assert_eq!(desk.ledger.forget_pushes(desk.now).expect("forgets"), 0);
    assert_eq!(push(&mut desk, "2", "a"), Stored::Repeated(second));
    desk.now += 2;
    // That it came again prolongs nothing; what waits is never forgotten.
    assert!(matches!(push(&mut desk, "2", "a"), Stored::New(_)));
    assert_eq!(desk.ledger.forget_pushes(desk.now).expect("forgets"), 2);
    assert_eq!(count(&mut desk), 3);
    assert_eq!(push(&mut desk, "1", "b"), Stored::Repeated(third), "it waits");

    // What says of nothing what it is about is known by what it says.
    let mut desk = Desk::new(open());
    let Stored::New(first) = push(&mut desk, "", "a") else {
        panic!("it is new")
    };
    assert!(matches!(push(&mut desk, "", "b"), Stored::New(_)));
    assert_eq!(push(&mut desk, "", "a"), Stored::Repeated(first));
    desk.open_window_of(Cursor::Inbox, Interval { from: 0, to: 0 });
    let taken = take(&desk, &[first]);
    desk.one(taken);
    desk.now += REPEATED_FOR + 1;
    assert!(matches!(push(&mut desk, "", "a"), Stored::New(_)));

    // What is new can be so once: also behind an update, its repetition is one, and another is none.
    let mut desk = Desk::new(open());
    let Stored::New(first) = create(&mut desk, "1", "a") else {
        panic!("it is new")
    };
    assert_eq!(create(&mut desk, "1", "b"), Stored::Taken);
    assert!(matches!(push(&mut desk, "1", "c"), Stored::New(_)));
    assert_eq!(create(&mut desk, "1", "a"), Stored::Repeated(first));
    assert!(matches!(create(&mut desk, "2", "a"), Stored::New(_)));
    assert_eq!(count(&mut desk), 3);
    // What was cancelled since may be made once more, the same or another; then again once.
    let mut desk = Desk::new(open());
    assert!(matches!(create(&mut desk, "1", "a"), Stored::New(_)));
    assert!(matches!(void(&mut desk, "1"), Stored::New(_)));
    let Stored::New(second) = create(&mut desk, "1", "a") else {
        panic!("it is made once more")
    };
    assert_eq!(create(&mut desk, "1", "a"), Stored::Repeated(second));
    assert_eq!(create(&mut desk, "1", "b"), Stored::Taken);
    // So it is where no push says that it was cancelled: only what came behind the one named counts.
    let mut desk = Desk::new(open());
    assert!(matches!(create(&mut desk, "1", "a"), Stored::New(_)));
    let Stored::New(cancels) = push(&mut desk, "1", "its status says so") else {
        panic!("it is new")
    };
    let repeated = |desk: &Desk, behind| {
        let mut hash = [0; 32];
        hash[0] = b'a';
        let reader = desk.ledger.reader();
        reader
            .is_repeated(SCHEME, "1", &hash, behind, desk.now)
            .expect("a question")
    };
    assert_eq!(
        (repeated(&desk, PushId(0)), repeated(&desk, cancels)),
        (true, false)
    );
    let Stored::New(again) = create_behind(&mut desk, "1", "a", cancels) else {
        panic!("it is made once more")
    };
    assert_eq!(
        create_behind(&mut desk, "1", "a", cancels),
        Stored::Repeated(again)
    );
    assert_eq!(create_behind(&mut desk, "1", "b", cancels), Stored::Taken);
    assert!(repeated(&desk, cancels));
    assert_eq!(create(&mut desk, "1", "a"), Stored::Repeated(again));

    // To and fro between two states, as fast as it goes and slowly; nobody gives up old rows between them.
    for pause in [0, REPEATED_FOR * 2 / 3] {
        let mut desk = Desk::new(open());
        desk.open_window_of(Cursor::Inbox, Interval { from: 0, to: 0 });
        for state in ["a", "b", "a", "b", "a"] {
            let Stored::New(new) = push(&mut desk, "1", state) else {
                panic!("it goes back")
            };
            assert_eq!(push(&mut desk, "1", state), Stored::Repeated(new));
            let taken = take(&desk, &[new]);
            desk.one(taken);
            desk.now += pause;
        }
        let rows = desk.ledger.reader().pushes(Some(SCHEME), 10).expect("a question");
        let told: Vec<_> = rows.iter().rev().map(|row| (row.repeats, row.back)).collect();
        // After four days nothing is known any more of what was said.
        assert_eq!(
            told,
            [
                (1, false),
                (1, false),
                (1, pause == 0),
                (1, pause == 0),
                (1, pause == 0)
            ]
        );
    }

    // Bytes are bounded as well, but one push alone is always taken.
    let mut desk = Desk::new(open());
    assert!(matches!(
        push_below(&mut desk, "", "0123456789", 5),
        Stored::New(_)
    ));
    assert_eq!(push_below(&mut desk, "", "1", 5), Stored::Full);
}

pub(super) fn doors(open: &dyn Fn() -> Ledger) {
    let mut ledger = open();
    assert_eq!(ledger.door("a", "d1", None, 1).expect("a door"), "d1");
    for (takes, want) in [
        (None, None),
        (Some("t"), Some("t")),
        (None, Some("t")),
        (Some("u"), Some("u")),
    ] {
        assert_eq!(
            ledger.door("a", "d2", takes, 2).expect("a door"),
            "d1",
            "it stays"
        );
        let doors = ledger.reader().doors_taking().expect("a question");
        assert_eq!(doors[0].takes.as_deref(), want, "what it took is kept");
    }
    ledger.new_door("a", "d3", 3).expect("a door");
    let doors = ledger.reader().doors().expect("a question");
    assert_eq!(doors, [("a".to_owned(), "d3".to_owned())]);
    for n in [2, 3] {
        ledger
            .count_refused(86_400_000, &[("a".to_owned(), "verify".to_owned(), n)])
            .expect("counted");
    }
    let refused = ledger.reader().refused(9).expect("a question");
    assert_eq!((refused.len(), refused[0].count), (1, 5));
}

pub(super) fn published(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    desk.see("b", "v1");
    desk.ledger.publish(SCHEME, 5).expect("published");
    desk.ledger.publish(SCHEME, 6).expect("twice is once");
    let read = |desk: &Desk, after| {
        let ask = PublishedAsk {
            scheme: SCHEME.to_owned(),
            after,
            limit: 2,
            ..PublishedAsk::default()
        };
        let page = desk.ledger.reader().published_rows(&ask).expect("a question");
        let keys: Vec<String> = page.rows.iter().map(|row| row.key.clone()).collect();
        (keys.join(" "), page.next, page.more)
    };
    let (keys, place, more) = read(&desk, 0);
    assert_eq!((keys.as_str(), more), (r#"["a"] ["b"]"#, true));
    assert_eq!(read(&desk, place), (String::new(), place, false));
    // The same again is no change; another version moves to the end, and so does a new row.
    desk.see("a", "v1");
    desk.see("c", "v1");
    desk.see("b", "v2");
    let (keys, next, _) = read(&desk, place);
    assert_eq!(keys, r#"["c"] ["b"]"#);
    assert_eq!(read(&desk, next).0, "");
    assert_eq!(read(&desk, 0).0, r#"["a"] ["c"]"#, "each row once");

    // By a field that is indexed.
    let columns = Columns::new(["v"]);
    let extract = |row: &[u8]| {
        let text = String::from_utf8_lossy(row);
        let from = text.find("\"v\":\"")? + 5;
        Some(vec![text[from..from + 2].to_owned()])
    };
    desk.ledger
        .ensure_index(SCHEME, &columns, &extract)
        .expect("an index");
    let ask = PublishedAsk {
        scheme: SCHEME.to_owned(),
        limit: 9,
        fields: vec![(columns, vec!["v2".to_owned(), "v9".to_owned()])],
        ..PublishedAsk::default()
    };
    let page = desk.ledger.reader().published_rows(&ask).expect("a question");
    assert_eq!((page.rows.len(), page.more), (1, false));
    assert_eq!(page.next, next, "it looked to the end");
    let ask = PublishedAsk {
        keys: vec![r#"["c"]"#.to_owned()],
        ..ask
    };
    let page = desk.ledger.reader().published_rows(&ask).expect("a question");
    assert!(page.rows.is_empty(), "all conditions hold");

    desk.ledger.unpublish(SCHEME).expect("withdrawn");
    assert_eq!(read(&desk, 0), (String::new(), 0, false));
    desk.ledger.publish(SCHEME, 7).expect("published");
    assert!(read(&desk, 0).1 > next, "no place is given twice");
}
