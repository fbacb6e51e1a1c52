//! The classification as a table over the whole product of its enums, and the rule it must obey, stated apart from it.

use flow::classify::{Class, Delivery, Fate, Manner, OnUnknown, Proof, Verdict, fate, manner};

const VERDICTS: [Verdict; 5] = [
    Verdict::Accepted,
    Verdict::Rejected,
    Verdict::Exists,
    Verdict::Half,
    Verdict::Absent,
];

/// Every delivery with the word of its line in the table.
const DELIVERIES: [(&str, Delivery); 14] = [
    ("not_sent", Delivery::NotSent),
    ("withheld", Delivery::Withheld),
    ("lost", Delivery::Lost),
    ("ok", Delivery::Answered(Class::Ok)),
    ("rows", Delivery::Answered(Class::Rows)),
    ("rejected", Delivery::Answered(Class::Rejected)),
    (
        "auth+replay",
        Delivery::Answered(Class::Auth { replay_write: true }),
    ),
    ("auth", Delivery::Answered(Class::Auth { replay_write: false })),
    ("throttled", Delivery::Answered(Class::Throttled)),
    ("transient", Delivery::Answered(Class::Transient)),
    ("quota_stop", Delivery::Answered(Class::QuotaStop)),
    ("config_error", Delivery::Answered(Class::ConfigError)),
    ("fault", Delivery::Answered(Class::Fault)),
    ("no_match", Delivery::Answered(Class::NoMatch)),
];

/// The line of a delivery. No wildcard: a new class does not compile until it has a line above and below.
fn line(delivery: Delivery) -> usize {
    match delivery {
        Delivery::NotSent => 0,
        Delivery::Withheld => 1,
        Delivery::Lost => 2,
        Delivery::Answered(class) => match class {
            Class::Ok => 3,
            Class::Rows => 4,
            Class::Rejected => 5,
            Class::Auth { replay_write: true } => 6,
            Class::Auth { replay_write: false } => 7,
            Class::Throttled => 8,
            Class::Transient => 9,
            Class::QuotaStop => 10,
            Class::ConfigError => 11,
            Class::Fault => 12,
            Class::NoMatch => 13,
        },
    }
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Done => "done",
        Fate::GoOn => "go_on",
        Fate::Dead => "dead",
        Fate::Again => "again",
        Fate::Stop => "stop",
        Fate::Halve => "halve",
        Fate::AskNow => "ask_now",
        Fate::AskLater => "ask_later",
    }
}

const TABLE: &str = "
              accepted   rejected   exists     half       absent
not_sent      again      again      again      again      again
withheld      stop       stop       stop       stop       stop
lost          ask_later  ask_later  ask_later  ask_later  ask_later
ok            done       dead       ask_now    go_on      ask_later
rows          done       dead       ask_now    go_on      ask_later
rejected      done       dead       ask_now    go_on      halve
auth+replay   again      again      again      again      again
auth          ask_now    ask_now    ask_now    ask_now    ask_now
throttled     again      again      again      again      again
transient     again      again      again      again      again
quota_stop    stop       stop       stop       stop       stop
config_error  stop       stop       stop       stop       stop
fault         ask_later  ask_later  ask_later  ask_later  ask_later
no_match      ask_later  ask_later  ask_later  ask_later  ask_later
";

#[test]
fn every_fate_is_a_row_of_the_table() {
    let rows: Vec<Vec<&str>> = TABLE
        .lines()
        .filter(|line| !line.is_empty())
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), DELIVERIES.len());
    for (n, (name, delivery)) in DELIVERIES.into_iter().enumerate() {
        assert_eq!(line(delivery), n, "{name} stands on its own line");
        assert_eq!(rows[n][0], name);
        for (column, verdict) in VERDICTS.into_iter().enumerate() {
            let got = word(fate(delivery, verdict));
            assert_eq!(got, rows[n][column + 1], "{name}, {verdict:?}");
        }
    }
}

/// The rule in one sentence each, written without looking at the function: a send may be repeated only with proof that
/// nothing happened, a record ends only when an answer names it, and everything else is asked about.
#[test]
fn nothing_in_doubt_is_sent_again_or_ended() {
    for (name, delivery) in DELIVERIES {
        for verdict in VERDICTS {
            let proves_nothing_happened = match delivery {
                Delivery::NotSent | Delivery::Withheld => true,
                Delivery::Answered(
                    Class::Throttled
                    | Class::Transient
                    | Class::QuotaStop
                    | Class::ConfigError
                    | Class::Auth { replay_write: true },
                ) => true,
                // Refused as a whole, and this row is not named as an exception.
                Delivery::Answered(Class::Rejected) => verdict == Verdict::Absent,
                Delivery::Lost
                | Delivery::Answered(
                    Class::Ok
                    | Class::Rows
                    | Class::Auth { replay_write: false }
                    | Class::Fault
                    | Class::NoMatch,
                ) => false,
            };
            let judges_rows = matches!(
                delivery,
                Delivery::Answered(Class::Ok | Class::Rows | Class::Rejected)
            );
            let got = fate(delivery, verdict);
            let sends_again = matches!(got, Fate::Again | Fate::Stop | Fate::Halve);
            assert_eq!(
                sends_again, proves_nothing_happened,
                "{name}, {verdict:?}: {got:?}"
            );
            // A document that is half done is settled as well: it goes on with what is missing.
            let ends = matches!(got, Fate::Done | Fate::Dead | Fate::GoOn);
            let named =
                judges_rows && matches!(verdict, Verdict::Accepted | Verdict::Rejected | Verdict::Half);
            assert_eq!(ends, named, "{name}, {verdict:?}: {got:?}");
        }
    }
}

#[test]
fn every_manner_is_a_row_of_the_table() {
    const TABLE: &str = "
                 by_proof  hold  resend
upsert           resend    hold  resend
idempotency_key  resend    hold  resend
unique_key       ask_1     hold  resend
query            ask_2     hold  resend
none             hold      hold  resend
";
    let proofs = [
        Proof::Upsert,
        Proof::IdempotencyKey,
        Proof::UniqueKey,
        Proof::Query,
        Proof::None,
    ];
    let choices = [OnUnknown::ByProof, OnUnknown::Hold, OnUnknown::Resend];
    // No wildcard: a new variant does not compile until it has a row and a column.
    let row = |proof| match proof {
        Proof::Upsert => 0,
        Proof::IdempotencyKey => 1,
        Proof::UniqueKey => 2,
        Proof::Query => 3,
        Proof::None => 4,
    };
    let column = |choice| match choice {
        OnUnknown::ByProof => 0,
        OnUnknown::Hold => 1,
        OnUnknown::Resend => 2,
    };
    let rows: Vec<Vec<&str>> = TABLE
        .lines()
        .filter(|line| !line.is_empty())
        .skip(1)
        .map(|line| line.split_whitespace().skip(1).collect())
        .collect();
    for proof in proofs {
        for choice in choices {
            let got = match manner(proof, choice) {
                Manner::Resend => "resend".to_owned(),
                Manner::Hold => "hold".to_owned(),
                Manner::Ask { negatives } => format!("ask_{negatives}"),
            };
            assert_eq!(got, rows[row(proof)][column(choice)], "{proof:?}, {choice:?}");
        }
    }
}
