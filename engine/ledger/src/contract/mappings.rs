//! Mappings that people set, and records that come to them.

use flow::decision::Decision;
use flow::ids::Blob;
use flow::op::{
    ClaimRefused, ClaimRow, LedgerOp, LedgerReply, OnSeen, Reason, RecordState, Resolution, Settlement,
    SightingOutcome, StagedRow, SuspectKind, WriteAction,
};

use super::{Desk, SCHEME, done, row};
use crate::error::reason;
use crate::read::{MappedFrom, MappingFilter};
use crate::service::fields::{FieldFilter, FieldPair, FieldPlace, FieldRuling, FieldSide, SetField};
use crate::service::mapping::{Flaw, MadeBy, Manner, MappingKey, MappingNames, MappingRuling, SetMapping};
use crate::{Blobs, Ledger};

fn at(key: &str) -> MappingKey {
    MappingKey {
        scheme: SCHEME.to_owned(),
        key: format!("[\"{key}\"]"),
        target: "k3".to_owned(),
        form: "BD_Customer".to_owned(),
    }
}

fn wanted(key: &str, id: &str, manner: Manner) -> SetMapping {
    SetMapping {
        at: at(key),
        id: id.to_owned(),
        names: MappingNames::default(),
        manner,
        seen: None,
        allow_double: false,
        may_move: false,
        by: MadeBy::Api,
        who: "li".to_owned(),
    }
}

impl Desk {
    fn map(&mut self, set: &SetMapping) -> MappingRuling {
        let now = self.now;
        let mut rulings = self
            .ledger
            .set_mappings(std::slice::from_ref(set), now)
            .expect("a mapping");
        rulings.pop().expect("one mapping, one ruling")
    }

    fn unmap(&mut self, key: &str) -> MappingRuling {
        let now = self.now;
        self.ledger
            .remove_mapping(&at(key), None, (MadeBy::Cli, "li"), now)
            .expect("a mapping")
    }

    fn mapped_to(&self, key: &str) -> Option<String> {
        let reader = self.ledger.reader();
        let found = reader
            .mapped(SCHEME, MappedFrom::Source, &[key.to_owned()])
            .expect("a question");
        found[0].newest.clone()
    }

    fn history(&self, key: &str) -> Vec<(String, String)> {
        let changes = self
            .ledger
            .reader()
            .mapping_history(SCHEME, &at(key).key, 100)
            .expect("a question");
        let text = |id: Option<String>| id.unwrap_or_else(|| "-".to_owned());
        let changes = changes.into_iter();
        changes
            .map(|change| (text(change.before), text(change.after)))
            .collect()
    }
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

/// A mapping that is there before its record.
pub(super) fn ahead(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    assert_eq!(
        desk.map(&wanted("a", "d1", Manner::Update)),
        MappingRuling::Missing
    );
    assert_eq!(desk.map(&wanted("a", "d1", Manner::Create)), MappingRuling::Made);
    // The same again changes nothing; another document is another matter.
    assert_eq!(desk.map(&wanted("a", "d1", Manner::Create)), MappingRuling::Same);
    assert_eq!(
        desk.map(&wanted("a", "d2", Manner::Create)),
        MappingRuling::Taken { id: "d1".to_owned() }
    );
    let changed = MappingRuling::Changed {
        before: Some("d1".to_owned()),
    };
    assert_eq!(desk.map(&wanted("a", "d2", Manner::Update)), changed);
    assert_eq!(desk.history("a"), pairs(&[("-", "d1"), ("d1", "d2")]));
    let mut seen = wanted("a", "d3", Manner::Put);
    seen.seen = Some(Some("d1".to_owned()));
    let stale = MappingRuling::Stale {
        id: Some("d2".to_owned()),
    };
    assert_eq!(desk.map(&seen), stale);
    assert_eq!(desk.mapped_to("a").as_deref(), Some("d2"));
    let orphans = desk
        .ledger
        .reader()
        .orphans(Some(SCHEME), 10)
        .expect("a question");
    assert_eq!((orphans.len(), orphans[0].0), (1, Flaw::NoRecord));

    // Its record comes, and is an update of that document.
    assert_eq!(desk.see("a", "v1"), SightingOutcome::New);
    assert_eq!(desk.record("a").target_id.as_deref(), Some("d2"));
    assert!(desk.pick()[0].has_target);
    let (attempt, refused) = desk.claim(&[("a", "v1", "a")]);
    assert!(refused.is_empty(), "{refused:?}");
    desk.settle(
        attempt.expect("claimed"),
        "a",
        flow::op::Settlement::Done {
            id: None,
            number: None,
            lines: None,
        },
    );
    assert_eq!(desk.state("a"), RecordState::Done);
    assert_eq!(desk.mapped_to("a").as_deref(), Some("d2"));
    let listed = desk.ledger.reader().list_mappings(&MappingFilter {
        scheme: SCHEME.to_owned(),
        limit: 10,
        ..MappingFilter::default()
    });
    let listed = listed.expect("a question");
    assert_eq!((listed.len(), listed[0].documents.len()), (1, 1));
    assert_eq!(listed[0].documents[0].by, MadeBy::Api);
    assert!(listed[0].documents[0].record.is_some());
    assert!(
        desk.ledger
            .reader()
            .orphans(None, 10)
            .expect("a question")
            .is_empty()
    );
    // It was written: taken away, it would be made a second time.
    assert_eq!(desk.unmap("a"), MappingRuling::Written);
    desk.end();
}

/// Documents of a kind that never has ids are no orphans.
pub(super) fn without_ids(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    for key in ["a", "b"] {
        assert_eq!(desk.see(key, "v1"), SightingOutcome::New);
    }
    desk.pick();
    for key in ["a", "b"] {
        let (attempt, refused) = desk.claim(&[(key, "v1", key)]);
        assert!(refused.is_empty(), "{refused:?}");
        let nameless = flow::op::Settlement::Done {
            id: None,
            number: None,
            lines: None,
        };
        desk.settle(attempt.expect("claimed"), key, nameless);
    }
    let orphans = |desk: &Desk| -> Vec<Flaw> {
        let found = desk.ledger.reader().orphans(None, 10).expect("a question");
        found.iter().map(|(flaw, _)| *flaw).collect()
    };
    assert!(orphans(&desk).is_empty());
    // One that has an id says that the others should have one.
    assert_eq!(desk.map(&wanted("c", "d1", Manner::Create)), MappingRuling::Made);
    assert_eq!(
        orphans(&desk),
        [Flaw::NoRecord, Flaw::NoDestination, Flaw::NoDestination]
    );
    desk.end();
}

/// Mappings that name a document of another system, or of another kind, than the one that is written.
pub(super) fn elsewhere(open: &dyn Fn() -> Ledger) {
    let other = |place: &MappingKey| -> [MappingKey; 2] {
        let (mut system, mut kind) = (place.clone(), place.clone());
        system.target = "k3-test".to_owned();
        kind.form = "BD_Supplier".to_owned();
        [system, kind]
    };
    let held = |desk: &Desk| {
        let record = desk.record("a");
        assert_eq!(record.state, RecordState::Held);
        assert_eq!(record.reason.expect("a reason").code, reason::KEY_CHANGED);
    };
    // One, or several of which none is of this place: nothing is written by their ids, and nothing is made.
    for places in [vec![0], vec![1], vec![0, 1]] {
        let mut desk = Desk::new(open());
        for place in &places {
            let mut set = wanted("a", "9", Manner::Create);
            set.at = other(&at("a"))[*place].clone();
            assert_eq!(desk.map(&set), MappingRuling::Made);
        }
        desk.see("a", "v1");
        assert_eq!(desk.pick()[0].has_target, places.len() == 1);
        let (attempt, refused) = desk.claim(&[("a", "v1", "a")]);
        assert_eq!((attempt, refused.len()), (None, 1), "{places:?}");
        held(&desk);
        desk.end();
    }
    // Among several the one of this place counts, whichever is the newest.
    let mut desk = Desk::new(open());
    assert_eq!(desk.map(&wanted("a", "d1", Manner::Create)), MappingRuling::Made);
    let mut set = wanted("a", "9", Manner::Create);
    set.at = other(&at("a"))[0].clone();
    desk.now += 1;
    assert_eq!(desk.map(&set), MappingRuling::Made);
    desk.see("a", "v1");
    let record = desk.record("a").record;
    let (attempt, refused) = desk.claim(&[("a", "v1", "a")]);
    assert_eq!((attempt, refused), (None, vec![(record, ClaimRefused::Stale)]));
    assert!(desk.pick()[0].has_target);
    assert_eq!(desk.record("a").target_id.as_deref(), Some("d1"));
    assert_eq!(desk.claim(&[("a", "v1", "a")]).1, []);
    desk.end();
    // So it is with one that was set when the row was there, and without a natural key.
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let mut set = wanted("a", "9", Manner::Create);
    set.at = other(&at("a"))[1].clone();
    assert_eq!(desk.map(&set), MappingRuling::Made);
    desk.pick();
    assert_eq!(desk.claim(&[("a", "v1", "")]).1.len(), 1);
    held(&desk);
    desk.end();
    // Taken away, it binds nothing.
    let mut desk = Desk::new(open());
    assert_eq!(desk.map(&set), MappingRuling::Made);
    desk.see("a", "v1");
    let removed = desk.ledger.remove_mapping(&set.at, None, (MadeBy::Cli, "li"), 7);
    assert_eq!(removed.expect("a mapping"), MappingRuling::Removed);
    assert!(!desk.pick()[0].has_target);
    assert_eq!(desk.claim(&[("a", "v1", "a")]).1, []);
    desk.end();
}

/// What a person says while records are on their way.
pub(super) fn on_the_way(open: &dyn Fn() -> Ledger) {
    for (state, free) in [
        (RecordState::Pending, true),
        (RecordState::Sending, false),
        (RecordState::Unknown, false),
        (RecordState::Done, true),
        (RecordState::Dead, true),
        (RecordState::Skipped, true),
        // Nobody proved that its last send was not executed.
        (RecordState::Held, false),
    ] {
        let mut desk = Desk::new(open());
        desk.bring("a", state);
        let ruling = desk.map(&wanted("a", "d1", Manner::Put));
        assert_eq!(ruling.is_done(), free, "{state:?}: {ruling:?}");
        assert_eq!(ruling == MappingRuling::Busy { state }, !free, "{ruling:?}");
        let id = desk.record("a").target_id;
        assert_eq!(id.as_deref() == Some("d1"), free, "{state:?}: {id:?}");
        assert_eq!(desk.state("a"), state, "a mapping changes no state");
        desk.end();
    }

    // Between the pick and the claim: what was made before is not sent, or there would be a second document.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Pending);
    assert!(!desk.pick()[0].has_target);
    assert_eq!(desk.map(&wanted("a", "d1", Manner::Create)), MappingRuling::Made);
    let record = desk.record("a").record;
    // Nor does what was found at the target meanwhile count more.
    let adopt = LedgerOp::Adopt {
        rows: vec![(record, "d9".to_owned(), None)],
        now: desk.now,
    };
    assert_eq!(desk.one(adopt), LedgerReply::Count(0));
    let (attempt, refused) = desk.claim(&[("a", "v1", "a")]);
    assert_eq!((attempt, refused), (None, vec![(record, ClaimRefused::Stale)]));
    assert!(desk.pick()[0].has_target);
    let (attempt, refused) = desk.claim(&[("a", "v1", "a")]);
    assert!(refused.is_empty(), "{refused:?}");
    desk.settle(attempt.expect("claimed"), "a", done("a"));
    // The target named another document than the person had.
    assert_eq!(desk.history("a"), pairs(&[("-", "d1"), ("d1", "id-a")]));
    desk.end();

    // A document that is done becomes another one: noted, and the next version goes there.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Done);
    desk.bring("b", RecordState::Done);
    assert_eq!(
        desk.map(&wanted("a", "id-b", Manner::Update)),
        MappingRuling::Double {
            holder: "[\"b\"]".to_owned()
        }
    );
    let changed = MappingRuling::Changed {
        before: Some("id-a".to_owned()),
    };
    assert_eq!(desk.map(&wanted("a", "d1", Manner::Update)), changed);
    let audit = desk.ledger.reader().audit(&crate::read::AuditFilter {
        limit: 10,
        ..crate::read::AuditFilter::default()
    });
    let audit = audit.expect("a question");
    assert_eq!(
        (audit[0].note.action.as_str(), audit[0].note.what.as_str()),
        ("map", "id-a -> d1")
    );
    desk.see("a", "v2");
    assert!(desk.pick()[0].has_target);
    assert_eq!(desk.record("a").target_id.as_deref(), Some("d1"));
    let mut double = wanted("b", "d1", Manner::Update);
    double.allow_double = true;
    assert!(desk.map(&double).is_done());
    let doubles = desk.ledger.reader().doubles(None, 10).expect("a question");
    assert_eq!(doubles.len(), 2, "{doubles:?}");
    // Back from the document, the newest wins and both are counted.
    let back = desk
        .ledger
        .reader()
        .mapped(SCHEME, MappedFrom::Document, &["d1".to_owned(), "d2".to_owned()])
        .expect("a question");
    assert_eq!((back[0].matches, back[1].matches), (2, 0));
    desk.end();

    // Never written: the mapping may go again, and the record is created.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Pending);
    desk.map(&wanted("a", "d1", Manner::Put));
    assert_eq!(desk.unmap("a"), MappingRuling::Removed);
    assert_eq!(desk.unmap("a"), MappingRuling::Missing);
    assert!(!desk.pick()[0].has_target);
    assert_eq!(desk.history("a"), pairs(&[("-", "d1"), ("d1", "-")]));
    desk.end();

    // Another source id takes the document over, from one without rows only.
    let mut desk = Desk::new(open());
    desk.map(&wanted("old", "d1", Manner::Create));
    let mut moved = wanted("new", "d1", Manner::Create);
    assert!(matches!(desk.map(&moved), MappingRuling::Double { .. }));
    moved.may_move = true;
    assert_eq!(desk.map(&moved), MappingRuling::Made);
    assert_eq!(desk.mapped_to("old"), None);
    assert_eq!(desk.mapped_to("new").as_deref(), Some("d1"));
    desk.bring("b", RecordState::Done);
    let mut taken = wanted("other", "id-b", Manner::Create);
    taken.may_move = true;
    assert!(matches!(desk.map(&taken), MappingRuling::Double { .. }));
    // What a person declares gone is mapped no more.
    desk.bring("c", RecordState::Done);
    desk.see("c", "v2");
    let (attempt, _) = desk.claim(&[("c", "v2", "c")]);
    let gone = flow::op::Settlement::Dead(super::why("gone"));
    desk.settle(attempt.expect("claimed"), "c", gone);
    desk.decide("c", Decision::NotThere);
    assert_eq!(desk.mapped_to("c"), None);
    assert_eq!(desk.history("c"), pairs(&[("id-c", "-")]));
    desk.end();
}

/// Values of fields.
pub(super) fn fields(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let place = FieldPlace {
        data_center: "dc".to_owned(),
        channel: "OA".to_owned(),
        data_type: "employee".to_owned(),
    };
    let set = |fs: &str, erp: &str, manner| SetField {
        place: place.clone(),
        pair: FieldPair {
            fs_id: fs.to_owned(),
            erp_id: erp.to_owned(),
            fs_name: format!("name of {fs}"),
            erp_name: String::new(),
        },
        manner,
        by: MadeBy::Import,
    };
    let all = [
        set("1", "e1", Manner::Create),
        set("1", "e1", Manner::Create),
        set("1", "e2", Manner::Create),
        set("2", "e1", Manner::Create),
        set("2", "e2", Manner::Put),
        set("3", "e3", Manner::Update),
        set("2", "e4", Manner::Update),
    ];
    let rulings = desk.ledger.set_fields(&all, 7).expect("entries");
    assert_eq!(
        rulings,
        [
            FieldRuling::Made,
            FieldRuling::Same,
            FieldRuling::Taken {
                erp_id: "e1".to_owned()
            },
            FieldRuling::Double {
                fs_id: "1".to_owned()
            },
            FieldRuling::Made,
            FieldRuling::Missing,
            FieldRuling::Changed,
        ]
    );
    let tried = desk.ledger.try_fields(&[set("9", "e9", Manner::Put)], 7);
    assert_eq!(tried.expect("entries"), [FieldRuling::Made]);
    let reader = desk.ledger.reader();
    let listed = reader.field_mappings(&FieldFilter {
        limit: 10,
        ..FieldFilter::default()
    });
    assert_eq!(listed.expect("a question").len(), 2, "a try writes nothing");
    let texts = ["2".to_owned(), "9".to_owned(), "1".to_owned()];
    let values = reader.field_values(&place, (FieldSide::FsId, FieldSide::ErpId), &texts);
    assert_eq!(
        values.expect("a question"),
        [(Some("e4".to_owned()), 1), (None, 0), (Some("e1".to_owned()), 1)]
    );
    assert_eq!(
        reader
            .field_places("employee", None, None, 9)
            .expect("a question"),
        std::slice::from_ref(&place)
    );
    assert!(desk.ledger.remove_field(&place, "1").expect("an entry"));
    assert!(!desk.ledger.remove_field(&place, "1").expect("an entry"));
}

/// A document that was voided, where nothing is left of it: the next version becomes a document of its own, and never a
/// second one.
pub(super) fn voided(open: &dyn Fn() -> Ledger) {
    let as_id = |id: &str| Settlement::Done {
        id: Some(id.to_owned()),
        number: None,
        lines: None,
    };
    let cancel = |desk: &mut Desk| {
        let row = StagedRow {
            void: true,
            ..row(0, "a", "w")
        };
        let (op, blobs) = desk.page(vec![row], OnSeen::UpdateIfChanged);
        desk.try_one(op, &blobs).expect("a page");
    };
    let is_voided = |desk: &Desk| {
        let record = desk.record("a").record;
        let found = desk.ledger.reader().sources(&[record]).expect("asked");
        found[0].voided
    };
    // A claim of another kind than a create.
    let claim_as = |desk: &mut Desk, action: WriteAction| {
        let row = desk.record("a");
        let claim = LedgerOp::Claim {
            run: desk.run,
            target: "k3 invalid".into(),
            rows: vec![ClaimRow {
                record: row.record,
                version: row.version,
                action,
                step: None,
                form: "BD_Customer".into(),
                tkey: "[\"A\"]".into(),
                payload: Blob(9),
                wrote: Vec::new(),
            }],
            resolve_after: desk.now,
            now: desk.now,
        };
        let blobs = Blobs::from_iter([(Blob(9), b"{}".to_vec())]);
        let LedgerReply::Claimed { attempt, .. } = desk.try_one(claim, &blobs).expect("a claim") else {
            panic!("not claimed")
        };
        desk.now += 10;
        attempt.expect("claimed")
    };
    // Made as `id-1`.
    let made = || {
        let mut desk = Desk::new(open());
        desk.see("a", "v1");
        let made = desk.claim(&[("a", "v1", "A")]).0.expect("claimed");
        assert!(desk.settle(made, "a", as_id("id-1")));
        assert!(!is_voided(&desk));
        desk
    };
    // Voided as `end` says, and back.
    let void_and_back = |desk: &mut Desk, end: Settlement| {
        cancel(desk);
        assert!(!is_voided(desk), "it is not carried out yet");
        let attempt = claim_as(desk, WriteAction::Void);
        assert!(desk.settle(attempt, "a", end));
        desk.now += 10;
        desk.see("a", "v1");
    };
    let back = |end: Settlement| {
        let mut desk = made();
        void_and_back(&mut desk, end);
        desk
    };
    let carried_out = || back(as_id("id-1"));
    let history = |desk: &Desk| {
        let reader = desk.ledger.reader();
        let changes = reader.mapping_history(SCHEME, "[\"a\"]", 9).expect("asked");
        changes
            .into_iter()
            .map(|change| (change.before, change.after))
            .collect::<Vec<_>>()
    };
    let left = vec![(Some("id-1".to_owned()), None)];

    // Until the claim nothing is given up: a connector that says so updates it.
    let mut desk = carried_out();
    assert!(is_voided(&desk) && desk.pick()[0].has_target);
    assert_eq!(desk.mapped_to("a").as_deref(), Some("id-1"));
    let first = desk.claim(&[("a", "v1", "A")]).0.expect("claimed");
    assert_eq!(desk.record("a").target_id, None);
    assert_eq!((desk.mapped_to("a"), history(&desk)), (None, left.clone()));
    // The process ends here: what may have been made is asked for, as any first create is.
    desk.begin();
    assert_eq!(desk.state("a"), RecordState::Unknown);
    let record = desk.record("a").record;
    let source = desk.ledger.reader().sources(&[record]).expect("asked").remove(0);
    assert!(
        source.behind.is_some_and(|behind| behind < first),
        "the same content before it was voided is another write"
    );
    assert!(desk.resolve("a", Resolution::Resend));
    let again = desk.claim(&[("a", "v1", "A")]).0.expect("claimed");
    assert!(desk.settle(again, "a", as_id("id-2")));
    assert_eq!(desk.mapped_to("a").as_deref(), Some("id-2"));
    assert_eq!(history(&desk), left);
    let told = desk.ledger.reader().mappings(record).expect("asked");
    let told: Vec<_> = told.into_iter().filter_map(|one| one.target_id).collect();
    assert_eq!(told, ["id-2", "id-1"]);
    assert!(!is_voided(&desk));
    desk.end();

    // A lost create that is found is the new one; the old one is not taken for it.
    for (id, state) in [("id-2", RecordState::Done), ("id-1", RecordState::Held)] {
        let mut desk = carried_out();
        desk.claim(&[("a", "v1", "A")]);
        desk.begin();
        desk.resolve(
            "a",
            Resolution::Done {
                id: Some(id.to_owned()),
                number: None,
            },
        );
        let found = desk.record("a");
        assert_eq!(found.state, state, "{id}");
        let code = found.reason.map(|why| why.code);
        assert_eq!(
            code.as_deref(),
            (state == RecordState::Held).then_some(reason::CAME_BACK)
        );
        desk.end();
    }

    // Asked before the create, it is there: whoever brought it back, or made another one, it is updated.
    for id in ["id-1", "id-3"] {
        let mut desk = carried_out();
        let adopt = LedgerOp::Adopt {
            rows: vec![(desk.record("a").record, id.to_owned(), None)],
            now: desk.now,
        };
        assert_eq!(desk.one(adopt), LedgerReply::Count(1));
        assert!(!is_voided(&desk) && desk.pick()[0].has_target, "{id}");
        let claimed = desk.claim(&[("a", "v1", "A")]).0.expect("claimed");
        assert!(desk.settle(claimed, "a", as_id(id)));
        assert_eq!(desk.mapped_to("a").as_deref(), Some(id));
        desk.end();
    }

    // A person names another one.
    let mut desk = carried_out();
    desk.map(&wanted("a", "id-4", Manner::Put));
    assert!(!is_voided(&desk));
    assert_eq!(desk.mapped_to("a").as_deref(), Some("id-4"));
    desk.end();

    // Or the same: it was brought back at the target. What was made in its place before that is not sent.
    for (manner, is_clock_back) in [
        (Manner::Put, false),
        (Manner::Create, false),
        (Manner::Update, true),
    ] {
        let mut desk = carried_out();
        assert!(desk.pick()[0].has_target);
        let now = desk.now;
        desk.now -= if is_clock_back { 5_000 } else { 0 };
        assert_eq!(desk.map(&wanted("a", "id-1", manner)), MappingRuling::Same);
        assert!(!is_voided(&desk), "{manner:?}");
        desk.now = now;
        let record = desk.record("a").record;
        let (attempt, refused) = desk.claim(&[("a", "v1", "A")]);
        assert_eq!((attempt, refused), (None, vec![(record, ClaimRefused::Stale)]));
        assert_eq!(history(&desk), [(None, Some("id-1".to_owned()))]);
        let audit = crate::read::AuditFilter {
            limit: 1,
            ..crate::read::AuditFilter::default()
        };
        let audit = desk.ledger.reader().audit(&audit).expect("a question");
        assert_eq!(audit[0].note.what, "void -> id-1");
        // Said once more it changes nothing.
        assert_eq!(desk.map(&wanted("a", "id-1", manner)), MappingRuling::Same);
        assert_eq!(history(&desk).len(), 1);
        if manner == Manner::Create {
            // Cancelled again before it is sent, it is voided again.
            cancel(&mut desk);
            assert_eq!(desk.state("a"), RecordState::Pending);
            assert!(desk.pick()[0].void);
            let attempt = claim_as(&mut desk, WriteAction::Void);
            assert!(desk.settle(attempt, "a", as_id("id-1")));
            assert!(is_voided(&desk));
            desk.end();
            continue;
        }
        assert!(desk.pick()[0].has_target);
        let update = claim_as(&mut desk, WriteAction::Update);
        assert!(desk.settle(update, "a", as_id("id-1")));
        assert_eq!(desk.mapped_to("a").as_deref(), Some("id-1"));
        desk.end();
    }
    // Before it comes again, too.
    let mut desk = made();
    cancel(&mut desk);
    let attempt = claim_as(&mut desk, WriteAction::Void);
    assert!(desk.settle(attempt, "a", as_id("id-1")));
    assert_eq!(desk.map(&wanted("a", "id-1", Manner::Put)), MappingRuling::Same);
    desk.see("a", "v1");
    assert!(!is_voided(&desk));
    assert_eq!(desk.record("a").target_id.as_deref(), Some("id-1"));
    desk.end();

    // A copy of the ledger does not know whether it came back before: no new one is made before the target was asked.
    let restored = |desk: &mut Desk| {
        let ask_after = desk.now + 9_000;
        assert_eq!(desk.suspect(SuspectKind::Restored, desk.now, ask_after), 0);
        ask_after
    };
    for copied in ["back", "voided", "to be voided", "made"] {
        let mut desk = made();
        let ask_after = match copied {
            "back" => {
                void_and_back(&mut desk, as_id("id-1"));
                restored(&mut desk)
            }
            "voided" => {
                cancel(&mut desk);
                let attempt = claim_as(&mut desk, WriteAction::Void);
                assert!(desk.settle(attempt, "a", as_id("id-1")));
                let ask_after = restored(&mut desk);
                desk.see("a", "v1");
                ask_after
            }
            "to be voided" => {
                cancel(&mut desk);
                let ask_after = restored(&mut desk);
                let attempt = claim_as(&mut desk, WriteAction::Void);
                // The newer version waits, so that no page brings it.
                desk.see("a", "v1");
                assert!(desk.settle(attempt, "a", as_id("id-1")));
                ask_after
            }
            _ => {
                let ask_after = restored(&mut desk);
                void_and_back(&mut desk, as_id("id-1"));
                ask_after
            }
        };
        assert_eq!(desk.state("a"), RecordState::Pending, "{copied}");
        assert!(is_voided(&desk), "{copied}");
        let record = desk.record("a").record;
        let (attempt, refused) = desk.claim(&[("a", "v1", "A")]);
        assert_eq!(
            (attempt, refused),
            (None, vec![(record, ClaimRefused::Stale)]),
            "{copied}"
        );
        assert_eq!(desk.state("a"), RecordState::Unknown, "{copied}");
        // What that life sent last may still be executed.
        assert_eq!(desk.unknown(), (Vec::new(), Some(ask_after), 1), "{copied}");
        desk.now = ask_after;
        let asked = desk.unknown().0.remove(0);
        assert_eq!(
            (asked.action, asked.tkey.as_str(), asked.suspect),
            (WriteAction::Create, "[\"A\"]", Some(SuspectKind::Restored)),
            "{copied}"
        );
        let known = Resolution::Known {
            id: "id-2".to_owned(),
            number: None,
        };
        assert!(desk.resolve("a", known));
        assert!(desk.pick()[0].has_target && !is_voided(&desk), "{copied}");
        let update = claim_as(&mut desk, WriteAction::Update);
        assert!(desk.settle(update, "a", as_id("id-2")));
        assert_eq!(desk.mapped_to("a").as_deref(), Some("id-2"), "{copied}");
        desk.end();
    }
    // Where the old one is written once more, there is nothing to be asked.
    let mut desk = carried_out();
    restored(&mut desk);
    let update = claim_as(&mut desk, WriteAction::Update);
    assert!(desk.settle(update, "a", as_id("id-1")));
    assert_eq!(desk.state("a"), RecordState::Done);
    desk.end();

    // What was refused, or what nobody knows the end of, voided nothing.
    for end in [
        Settlement::Dead(Reason::new("E4000", "no")),
        Settlement::Held(Reason::new("E4013", "lost")),
        Settlement::Unknown {
            resolve_after: 0,
            reason: Reason::new("E4013", "lost"),
        },
    ] {
        let desk = back(end.clone());
        assert!(!is_voided(&desk), "{end:?}");
        assert_eq!(desk.record("a").target_id.as_deref(), Some("id-1"));
    }
}
