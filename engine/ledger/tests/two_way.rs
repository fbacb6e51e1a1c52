//! Two schemes that carry the same documents in opposite directions, over the real ledger: rule by rule, and over random
//! edits with answers that are lost, late or refused and processes that die behind their claims.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use flow::decision::{Content, Decided, Decision, Ruling};
use flow::ids::{AttemptId, Blob, Ms, RecordId, RunId};
use flow::op::{
    ClaimRow, Counts, Cursor, EMPTY, Facet, LedgerOp, LedgerReply, OnSeen, Paired, Picked, Reason,
    RecordState, Resolution, RunStatus, Settlement, SightingOutcome, StagedRow, SuspectKind, Trigger,
    Unknown, WriteAction,
};
use flow::window::Interval;
use ledger::read::{MappedFrom, RecordFilter, RecordRow};
use ledger::service::mapping::{MadeBy, Manner, MappingKey, MappingNames, SetMapping};
use ledger::two_way::{Conflict, NamedBy, TwoWay};
use ledger::{Blobs, Ledger, Reader};

const MINUTE: Ms = 60_000;
/// What both directions carry.
const BOTH: [&str; 3] = ["name", "phone", "city"];
/// What B fills in by itself, and only the way from B to A carries.
const LEVEL: &str = "level";

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// The scheme `t`.
    AtoB,
    /// The scheme `s`.
    BtoA,
}

impl Way {
    const ALL: [Way; 2] = [Way::AtoB, Way::BtoA];

    fn scheme(self) -> &'static str {
        match self {
            Way::AtoB => "t",
            Way::BtoA => "s",
        }
    }

    fn back(self) -> Way {
        match self {
            Way::AtoB => Way::BtoA,
            Way::BtoA => Way::AtoB,
        }
    }

    fn source(self) -> usize {
        match self {
            Way::AtoB => 0,
            Way::BtoA => 1,
        }
    }

    fn target(self) -> usize {
        1 - self.source()
    }

    fn reads(self) -> Vec<&'static str> {
        let mut fields = BOTH.to_vec();
        if self == Way::BtoA {
            fields.push(LEVEL);
        }
        fields
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Doc {
    number: String,
    fields: BTreeMap<String, String>,
    /// When it was last changed, by a count that grows.
    changed: i64,
}

impl Doc {
    fn says(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

/// Documents by id.
#[derive(Debug, Default)]
struct System {
    docs: BTreeMap<String, Doc>,
    made: u32,
    /// Calls of the engine that changed something, by the number of the document.
    writes: Vec<String>,
}

/// A write that is on its way.
#[derive(Debug, Clone)]
struct Write {
    id: Option<String>,
    number: String,
    fields: BTreeMap<String, String>,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fine,
    Refused,
    NotSent,
    LostBefore,
    LostAfter,
    Late,
    DiedBefore,
    DiedAfter,
}

struct World {
    ledger: Ledger,
    reader: Reader,
    systems: [System; 2],
    /// Executed before the engine asks, and after others may have read.
    late: Vec<(usize, Write)>,
    named_by: NamedBy,
    ranked: bool,
    /// A writes cities in lower case, B in upper case.
    cased: bool,
    /// Only one of the schemes is there.
    alone: bool,
    /// The step that documents have before them when they are written.
    step: Option<String>,
    now: Ms,
    clock: i64,
    weather: Vec<Weather>,
}

fn hash(text: &str) -> u64 {
    if text.is_empty() {
        return EMPTY;
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn key(text: &str) -> String {
    format!("[\"{text}\"]")
}

fn plain(key: &str) -> &str {
    key.trim_start_matches("[\"").trim_end_matches("\"]")
}

fn facets<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Facet> {
    let facet = |(field, value): (&str, &str)| Facet {
        field: field.to_owned(),
        hash: hash(value),
    };
    fields.into_iter().map(facet).collect()
}

impl World {
    fn new(named_by: NamedBy, conflict: Conflict) -> World {
        let ledger = Ledger::in_memory().expect("a ledger");
        let mut world = World {
            reader: ledger.reader(),
            ledger,
            systems: Default::default(),
            late: Vec::new(),
            named_by,
            ranked: false,
            cased: false,
            alone: false,
            step: None,
            now: 1_700_000_000_000,
            clock: 0,
            weather: Vec::new(),
        };
        let rules = world.rules(conflict);
        for _ in 0..2 {
            world.pair(&rules);
        }
        world
    }

    fn pair(&mut self, [t, s]: &[TwoWay; 2]) {
        self.ledger.pair(("t", t), ("s", s)).expect("a pair");
    }

    fn rules(&self, conflict: Conflict) -> [TwoWay; 2] {
        let named_by = self.named_by;
        let other = match conflict {
            Conflict::SourceWins => Conflict::TargetWins,
            Conflict::TargetWins => Conflict::SourceWins,
            same => same,
        };
        let direction = |way: Way, conflict| TwoWay {
            partner: way.back().scheme().to_owned(),
            named_by,
            id_is_key: named_by == NamedBy::Id,
            conflict,
            filled: match way {
                Way::AtoB => Vec::new(),
                Way::BtoA => vec![LEVEL.to_owned()],
            },
            target: ["A", "B"][way.target()].to_owned(),
            form: Some(String::new()),
        };
        [direction(Way::AtoB, conflict), direction(Way::BtoA, other)]
    }

    fn apply(&mut self, ops: &[LedgerOp], blobs: &Blobs) -> Vec<LedgerReply> {
        self.now += 1;
        self.ledger.apply(ops, blobs).expect("ledger work")
    }

    /// A person makes a document.
    fn make(&mut self, system: usize, number: &str, name: &str) -> String {
        let fields = BTreeMap::from([("name".to_owned(), name.to_owned())]);
        let number = number.to_owned();
        self.execute(
            system,
            &Write {
                id: None,
                number,
                fields,
            },
        )
    }

    /// A person edits one.
    fn edit(&mut self, system: usize, number: &str, field: &str, value: &str) {
        let id = self.id_of(system, number).expect("a document");
        let fields = BTreeMap::from([(field.to_owned(), value.to_owned())]);
        let write = Write {
            id: Some(id),
            number: number.to_owned(),
            fields,
        };
        self.execute(system, &write);
    }

    fn id_of(&self, system: usize, number: &str) -> Option<String> {
        let mut docs = self.systems[system].docs.iter();
        docs.find(|(_, doc)| doc.number == number)
            .map(|(id, _)| id.clone())
    }

    fn says(&self, system: usize, number: &str, field: &str) -> &str {
        let docs = &self.systems[system].docs;
        let doc = docs
            .values()
            .find(|doc| doc.number == number)
            .expect("a document");
        doc.says(field)
    }

    fn execute(&mut self, system: usize, write: &Write) -> String {
        self.clock += 1;
        let at = &mut self.systems[system];
        let id = write.id.clone().unwrap_or_else(|| {
            at.made += 1;
            // No id of one system is one of the other, and none is a number.
            format!("{}{}", ["a", "b"][system], at.made)
        });
        let is_new = write.id.is_none();
        let doc = at.docs.entry(id.clone()).or_default();
        doc.number.clone_from(&write.number);
        doc.changed = self.clock;
        if is_new && system == 1 {
            doc.fields.insert(LEVEL.to_owned(), "C".to_owned());
        }
        doc.fields.extend(write.fields.clone());
        if let (true, Some(city)) = (self.cased, doc.fields.get_mut("city")) {
            *city = [str::to_lowercase, str::to_uppercase][system](city);
        }
        id
    }

    /// Everything that a source has, as rows.
    fn fetch(&mut self, way: Way) -> (RunId, Vec<(SightingOutcome, u64)>) {
        let scheme = way.scheme().to_owned();
        let begun = self.apply(
            &[LedgerOp::BeginRun {
                scheme: scheme.clone(),
                revision: "r".to_owned(),
                trigger: Trigger::Manual,
                now: self.now,
            }],
            &Blobs::new(),
        );
        let LedgerReply::RunBegun { run, .. } = begun[0] else {
            panic!("{begun:?}");
        };
        let opened = self.apply(
            &[LedgerOp::OpenWindow {
                run,
                scheme: scheme.clone(),
                asked: Interval::new(self.now - MINUTE, self.now).expect("an interval"),
                cursor: Cursor::Live,
            }],
            &Blobs::new(),
        );
        let LedgerReply::WindowOpened(window) = opened[0] else {
            panic!("{opened:?}");
        };
        let mut blobs = Blobs::new();
        let mut rows = Vec::new();
        for ((id, doc), nth) in self.systems[way.source()].docs.iter().zip(0..) {
            blobs.insert(Blob(nth), id.clone().into_bytes());
            let reads = way.reads();
            let said: Vec<(&str, &str)> = reads.iter().map(|field| (*field, doc.says(field))).collect();
            rows.push(StagedRow {
                key: key(match self.named_by {
                    NamedBy::Id => id,
                    NamedBy::Key => &doc.number,
                }),
                label: doc.number.clone(),
                version: format!("{said:?}"),
                rank: self.ranked.then_some(doc.changed),
                source: Blob(nth),
                filtered: None,
                invalid: None,
                void: false,
                indexed: Vec::new(),
                paired: (!self.alone).then(|| Paired {
                    own_id: Some(id.clone()),
                    facets: facets(said),
                }),
            });
        }
        let staged = self.apply(
            &[LedgerOp::StagePage {
                run,
                window,
                scheme,
                page: 1,
                rows,
                total: None,
                fingerprint: 0,
                on_seen: OnSeen::UpdateIfChanged,
                store_only: false,
                close: Some(None),
                now: self.now,
            }],
            &blobs,
        );
        let LedgerReply::Staged { outcomes, .. } = &staged[0] else {
            panic!("{staged:?}");
        };
        let named = SightingOutcome::ALL.into_iter().zip(*outcomes);
        (run, named.filter(|(_, n)| *n > 0).collect())
    }

    fn end(&mut self, run: RunId) -> Counts {
        let ended = self.apply(
            &[LedgerOp::EndRun {
                run,
                status: RunStatus::Ok,
                reason: None,
                now: self.now,
            }],
            &Blobs::new(),
        );
        match &ended[0] {
            LedgerReply::RunEnded(counts) => {
                assert!(counts.add_up(), "{counts:?}");
                *counts
            }
            other => panic!("{other:?}"),
        }
    }

    /// A run that writes, but whose documents have a further call to come. Gives the records that wait for it.
    fn write_first_calls(&mut self, way: Way) -> Vec<RecordId> {
        self.now += 5 * MINUTE;
        let (run, _) = self.fetch(way);
        self.step = Some("check".to_owned());
        let picked = self.pick(way);
        for one in &picked {
            self.send(way, run, one);
        }
        self.step = None;
        self.end(run);
        picked.into_iter().map(|one| one.record).collect()
    }

    /// The further call of a record is accepted.
    fn write_further_call(&mut self, way: Way) {
        let (run, _) = self.fetch(way);
        for picked in self.pick(way) {
            let claim = LedgerOp::Claim {
                run,
                target: ["A", "B"][way.target()].to_owned(),
                rows: vec![ClaimRow {
                    record: picked.record,
                    version: picked.version.clone(),
                    action: WriteAction::Update,
                    step: picked.step.clone(),
                    form: String::new(),
                    tkey: String::new(),
                    payload: Blob(0),
                    wrote: Vec::new(),
                }],
                resolve_after: self.now + MINUTE,
                now: self.now,
            };
            let payload: Blobs = [(Blob(0), b"{}".to_vec())].into_iter().collect();
            let LedgerReply::Claimed {
                attempt: Some(attempt),
                ..
            } = self.apply(&[claim], &payload).remove(0)
            else {
                panic!("not claimed");
            };
            let done = Settlement::Done {
                id: None,
                number: None,
                lines: None,
            };
            self.settle(attempt, picked.record, done);
        }
        self.end(run);
    }

    fn settle(&mut self, attempt: AttemptId, record: RecordId, settlement: Settlement) {
        let settle = LedgerOp::Settle {
            attempt,
            outcome: "ok".to_owned(),
            http_status: None,
            excerpt: None,
            vendor_trace: None,
            rows: vec![(record, settlement)],
            now: self.now,
        };
        self.apply(&[settle], &Blobs::new());
    }

    fn pick(&mut self, way: Way) -> Vec<Picked> {
        let op = LedgerOp::Pick {
            scheme: way.scheme().to_owned(),
            now: self.now,
            after: None,
            limit: 500,
        };
        match self.apply(&[op], &Blobs::new()).remove(0) {
            LedgerReply::Picked { records, .. } => records,
            other => panic!("{other:?}"),
        }
    }

    /// One run: it asks about what is unknown, reads, lets the partner read, and writes. False = it died.
    fn run(&mut self, way: Way) -> (bool, Counts) {
        self.now += 5 * MINUTE;
        let (run, _) = self.fetch(way);
        self.resolve(way);
        let (partners, _) = self.fetch(way.back());
        self.end(partners);
        // What is lost is asked about in the next run; what came free meanwhile is written in this one.
        for _ in 0..3 {
            for picked in self.pick(way) {
                if !self.send(way, run, &picked) {
                    return (false, Counts::default());
                }
            }
        }
        (true, self.end(run))
    }

    fn send(&mut self, way: Way, run: RunId, picked: &Picked) -> bool {
        let source = self.reader.sources(&[picked.record]).expect("a row").remove(0);
        let id = String::from_utf8(source.source).expect("an id");
        let doc = self.systems[way.source()].docs[&id].clone();
        let fields: BTreeMap<String, String> = way
            .reads()
            .into_iter()
            .map(|field| (field.to_owned(), doc.says(field).to_owned()))
            .collect();
        let wrote = facets(
            fields
                .iter()
                .map(|(field, value)| (field.as_str(), value.as_str())),
        );
        let wrote = if self.alone { Vec::new() } else { wrote };
        let action = match source.target_id {
            Some(_) => WriteAction::Update,
            None => WriteAction::Create,
        };
        let claim = LedgerOp::Claim {
            run,
            target: ["A", "B"][way.target()].to_owned(),
            rows: vec![ClaimRow {
                record: picked.record,
                version: picked.version.clone(),
                action,
                step: None,
                form: String::new(),
                tkey: key(&doc.number),
                payload: Blob(0),
                wrote,
            }],
            resolve_after: self.now + MINUTE,
            now: self.now,
        };
        let payload: Blobs = [(Blob(0), b"{}".to_vec())].into_iter().collect();
        let attempt = match self.apply(&[claim], &payload).remove(0) {
            LedgerReply::Claimed {
                attempt: Some(attempt),
                ..
            } => attempt,
            // It has met somebody, and is picked again.
            LedgerReply::Claimed { attempt: None, .. } => return true,
            other => panic!("{other:?}"),
        };
        let write = Write {
            id: source.target_id,
            number: doc.number,
            fields,
        };
        let weather = self.weather.pop().unwrap_or(Weather::Fine);
        self.call(way, (picked.record, attempt), write, weather)
    }

    fn call(
        &mut self,
        way: Way,
        (record, attempt): (RecordId, AttemptId),
        write: Write,
        weather: Weather,
    ) -> bool {
        let to = way.target();
        // A number is unique, whoever made the document.
        let taken = write.id.is_none() && self.id_of(to, &write.number).is_some();
        let executed = !taken && matches!(weather, Weather::Fine | Weather::LostAfter | Weather::DiedAfter);
        let made = executed.then(|| {
            self.systems[to].writes.push(write.number.clone());
            self.execute(to, &write)
        });
        let why = || Reason::new("E4000", "weather");
        let settlement = match weather {
            Weather::DiedBefore | Weather::DiedAfter => return false,
            Weather::LostBefore | Weather::LostAfter | Weather::Late => {
                if weather == Weather::Late && !taken {
                    self.late.push((to, write));
                }
                Settlement::Unknown {
                    resolve_after: self.now + MINUTE,
                    reason: why(),
                }
            }
            Weather::NotSent => Settlement::Retry {
                not_before: self.now + 1,
                spend: false,
                reason: why(),
            },
            Weather::Refused => Settlement::Dead(why()),
            Weather::Fine if taken => Settlement::Dead(Reason::new("E4000", "taken")),
            Weather::Fine => match self.step.clone() {
                Some(next) => Settlement::Stepped {
                    id: made,
                    number: None,
                    lines: None,
                    next,
                },
                None => Settlement::Done {
                    id: made,
                    number: None,
                    lines: None,
                },
            },
        };
        self.settle(attempt, record, settlement);
        true
    }

    /// What was on its way arrives before the end of the quiet period, and then the target is asked.
    fn resolve(&mut self, way: Way) {
        let (mine, other) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|(to, _)| *to == way.target());
        self.late = other;
        for (to, write) in mine {
            if write.id.is_some() || self.id_of(to, &write.number).is_none() {
                self.systems[to].writes.push(write.number.clone());
                self.execute(to, &write);
            }
        }
        let op = LedgerOp::PickUnknown {
            scheme: way.scheme().to_owned(),
            now: self.now + 2 * MINUTE,
            limit: 500,
        };
        let LedgerReply::Unknowns { records, .. } = self.apply(&[op], &Blobs::new()).remove(0) else {
            panic!("no unknowns");
        };
        for Unknown {
            record, action, tkey, ..
        } in records
        {
            let found = self.id_of(way.target(), plain(&tkey));
            let resolution = match (action, found) {
                (WriteAction::Create, Some(id)) => Resolution::Done {
                    id: Some(id),
                    number: None,
                },
                _ => Resolution::Resend,
            };
            let op = LedgerOp::Resolve {
                rows: vec![(record, resolution)],
                now: self.now,
            };
            self.apply(&[op], &Blobs::new());
        }
    }

    fn records(&self, way: Way) -> Vec<RecordRow> {
        let filter = RecordFilter {
            scheme: Some(way.scheme().to_owned()),
            ..RecordFilter::default()
        };
        self.reader.list_records(&filter).expect("records")
    }

    fn record(&self, way: Way, number: &str) -> RecordRow {
        let mut records = self.records(way).into_iter();
        records.find(|record| record.label == number).expect("a record")
    }

    fn state(&self, way: Way, number: &str) -> (RecordState, String) {
        let record = self.record(way, number);
        (
            record.state,
            record.reason.map(|why| why.code).unwrap_or_default(),
        )
    }

    fn decide(&mut self, way: Way, number: &str, decision: Decision) {
        let record = self.record(way, number);
        let op = LedgerOp::Decide {
            rows: vec![Decided {
                record: record.record,
                state: record.state,
                version: record.version,
                attempt: record.attempt,
                decision,
            }],
            who: "li".to_owned(),
            reason: "asked the customer".to_owned(),
            now: self.now,
        };
        match &self.apply(&[op], &Blobs::new())[0] {
            LedgerReply::Decided(rulings) => {
                assert!(matches!(rulings[..], [Ruling::Moved(_)]), "{rulings:?}");
            }
            other => panic!("{other:?}"),
        }
    }

    fn notes(&self, way: Way, number: &str) -> Vec<String> {
        let record = self.record(way, number).record;
        let notes = self.reader.two_way_notes(record).expect("notes");
        notes
            .into_iter()
            .map(|note| format!("{} {} {}", note.what, note.scheme, note.fields.join(",")))
            .collect()
    }

    /// How many calls changed something, in A and in B.
    fn writes(&self) -> [usize; 2] {
        [self.systems[0].writes.len(), self.systems[1].writes.len()]
    }

    fn both(&mut self) {
        for way in Way::ALL {
            self.run(way);
        }
    }
}

const NAMES: [NamedBy; 2] = [NamedBy::Id, NamedBy::Key];

/// An account that is in both systems, as a person made it in A.
fn synced(named_by: NamedBy, conflict: Conflict) -> World {
    let mut world = World::new(named_by, conflict);
    world.make(0, "K1", "云杉");
    world.both();
    assert_eq!(world.writes(), [0, 1], "made once in B, never written back");
    world
}

#[test]
fn what_was_written_does_not_come_back() {
    for named_by in NAMES {
        let mut world = synced(named_by, Conflict::Hold);
        for _ in 0..3 {
            world.both();
        }
        assert_eq!(world.writes(), [0, 1]);
        assert_eq!(world.state(Way::BtoA, "K1").0, RecordState::Done);
        assert_eq!(world.notes(Way::BtoA, "K1"), ["echo t "]);
        // An edit goes over once, either way.
        world.edit(1, "K1", "phone", "139");
        world.both();
        world.both();
        assert_eq!((world.says(0, "K1", "phone"), world.writes()), ("139", [1, 1]));
        world.edit(0, "K1", "phone", "138");
        world.both();
        world.both();
        assert_eq!((world.says(1, "K1", "phone"), world.writes()), ("138", [1, 2]));
        assert_eq!(world.systems[0].docs.len(), 1);
        assert_eq!(world.systems[1].docs.len(), 1);
    }
}

#[test]
fn an_echo_is_counted_as_unchanged() {
    let mut world = World::new(NamedBy::Id, Conflict::Hold);
    world.make(0, "K1", "云杉");
    world.run(Way::AtoB);
    let (run, outcomes) = world.fetch(Way::BtoA);
    assert_eq!(outcomes, [(SightingOutcome::Unchanged, 1)]);
    let counts = world.end(run);
    assert_eq!((counts.fetched, counts.skipped, counts.unchanged), (1, 1, 1));
}

/// The value is the one that the scheme carried over before the partner wrote another one.
#[test]
fn setting_a_value_back_is_an_edit() {
    for (named_by, ranked) in [(NamedBy::Id, false), (NamedBy::Key, false), (NamedBy::Id, true)] {
        let mut world = synced(named_by, Conflict::Hold);
        world.ranked = ranked;
        world.edit(1, "K1", "phone", "1");
        world.both();
        world.edit(0, "K1", "phone", "2");
        world.run(Way::AtoB);
        assert_eq!(world.says(1, "K1", "phone"), "2");
        // B never told the other scheme of 2: it reads 1 twice.
        world.edit(1, "K1", "phone", "1");
        world.both();
        assert_eq!(world.says(0, "K1", "phone"), "1", "{named_by:?} {ranked}");
        world.both();
        assert_eq!(world.writes(), [2, 2]);
    }
}

/// A copy of the source that lags behind tells an old row once more; its time says that it is old.
#[test]
fn an_old_row_is_no_edit() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.ranked = true;
    world.edit(1, "K1", "phone", "1");
    world.both();
    let before = world.systems[1].docs.clone();
    world.edit(0, "K1", "phone", "2");
    world.run(Way::AtoB);
    let now = std::mem::replace(&mut world.systems[1].docs, before);
    let (run, outcomes) = world.fetch(Way::BtoA);
    assert_eq!(outcomes, [(SightingOutcome::Unchanged, 1)]);
    world.end(run);
    world.systems[1].docs = now;
    world.both();
    assert_eq!(
        (world.says(0, "K1", "phone"), world.says(1, "K1", "phone")),
        ("2", "2")
    );
    assert_eq!(world.writes(), [1, 2]);
}

/// A default is filled in when B makes the document; what somebody sets it to later is an edit.
#[test]
fn what_the_other_system_fills_in_is_no_news() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    assert_eq!(
        (world.says(1, "K1", LEVEL), world.says(0, "K1", LEVEL)),
        ("C", "")
    );
    world.edit(1, "K1", LEVEL, "A");
    world.both();
    assert_eq!(world.says(0, "K1", LEVEL), "A");
    world.edit(1, "K1", LEVEL, "C");
    world.both();
    assert_eq!(world.says(0, "K1", LEVEL), "C");
}

/// Before the other scheme has read what was made, somebody edits it there.
#[test]
fn an_edit_before_the_first_reading_is_news() {
    for named_by in NAMES {
        let mut world = World::new(named_by, Conflict::Hold);
        world.make(0, "K1", "云杉");
        world.run(Way::AtoB);
        world.edit(1, "K1", "city", "杭州");
        world.both();
        assert_eq!(world.says(0, "K1", "city"), "杭州");
        assert_eq!(world.systems[0].docs.len(), 1);
    }
}

/// While it is not known whether a document was made, a row without partner may be that document.
#[test]
fn a_create_in_doubt_makes_rows_wait() {
    for (named_by, weather) in NAMES
        .into_iter()
        .flat_map(|named| [(named, Weather::LostAfter), (named, Weather::DiedAfter)])
    {
        let mut world = World::new(named_by, Conflict::Hold);
        world.make(0, "K1", "云杉");
        world.weather = vec![weather];
        world.run(Way::AtoB);
        // B has it, and nobody knows.
        let (run, outcomes) = world.fetch(Way::BtoA);
        assert_eq!(outcomes, [(SightingOutcome::New, 1)]);
        assert_eq!(world.pick(Way::BtoA), []);
        assert_eq!(
            world.state(Way::BtoA, "K1"),
            (RecordState::Pending, "E5042".to_owned())
        );
        world.end(run);
        world.both();
        world.both();
        assert_eq!(world.writes(), [0, 1], "{named_by:?} {weather:?}");
        assert_eq!((world.systems[0].docs.len(), world.systems[1].docs.len()), (1, 1));
        assert_eq!(world.state(Way::BtoA, "K1").0, RecordState::Done);
    }
}

/// Of a write in doubt nobody knows whose value a row holds: it is judged when that is known, and not before. And what
/// somebody wrote meanwhile is not buried by sending it again.
#[test]
fn an_update_in_doubt_makes_its_row_wait() {
    for weather in [
        Weather::LostBefore,
        Weather::LostAfter,
        Weather::DiedBefore,
        Weather::DiedAfter,
    ] {
        for (conflict, city) in [(Conflict::SourceWins, ""), (Conflict::Hold, "杭州")] {
            let mut world = synced(NamedBy::Id, conflict);
            world.edit(0, "K1", "phone", "2");
            world.weather = vec![weather];
            world.run(Way::AtoB);
            world.edit(1, "K1", "city", "杭州");
            world.run(Way::BtoA);
            assert_eq!(
                world.state(Way::BtoA, "K1"),
                (RecordState::Pending, "E5042".to_owned()),
                "{weather:?}"
            );
            world.both();
            world.both();
            let held = conflict == Conflict::Hold;
            for way in Way::ALL {
                assert_eq!(world.state(way, "K1").0 == RecordState::Held, held, "{weather:?}");
            }
            assert_eq!(world.says(1, "K1", "city"), city, "{weather:?}");
            assert_eq!(world.says(0, "K1", "phone"), "2", "{weather:?}");
            if held {
                world.decide(Way::BtoA, "K1", Decision::Retry(Content::Latest));
                world.both();
                world.both();
            }
            settled(&world, "decided");
        }
    }
}

#[test]
fn a_refused_write_leaves_nothing_behind() {
    let mut world = synced(NamedBy::Id, Conflict::SourceWins);
    world.edit(0, "K1", "phone", "2");
    world.weather = vec![Weather::Refused];
    world.run(Way::AtoB);
    assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Dead);
    // The same value by hand is an edit, and not what was refused.
    world.edit(1, "K1", "phone", "2");
    let (run, outcomes) = world.fetch(Way::BtoA);
    assert_eq!(outcomes, [(SightingOutcome::Changed, 1)]);
    world.end(run);
}

#[test]
fn notes_are_given_up_with_the_rest() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    assert_eq!(world.notes(Way::BtoA, "K1").len(), 1);
    let now = world.now;
    world.ledger.prune(now - 3_600_000, now).expect("pruned");
    assert_eq!(world.notes(Way::BtoA, "K1").len(), 1);
    world.ledger.prune(now + 1, now + 1).expect("pruned");
    assert_eq!(world.notes(Way::BtoA, "K1").len(), 0);
    // What the rules need is kept.
    world.both();
    assert_eq!(world.writes(), [0, 1]);
}

fn edited_on_both_sides(conflict: Conflict) -> World {
    let mut world = synced(NamedBy::Id, conflict);
    world.edit(0, "K1", "phone", "a");
    world.edit(1, "K1", "phone", "b");
    world
}

#[test]
fn a_conflict_is_held_on_both_sides_until_somebody_decides() {
    for (chosen, want) in [(Way::AtoB, "a"), (Way::BtoA, "b")] {
        for first in Way::ALL {
            let mut world = edited_on_both_sides(Conflict::Hold);
            world.run(first);
            world.run(first.back());
            assert_eq!(world.writes(), [0, 1], "nothing of it is written");
            for way in Way::ALL {
                let held = (RecordState::Held, "E5043".to_owned());
                assert_eq!(world.state(way, "K1"), held);
            }
            world.decide(chosen, "K1", Decision::Retry(Content::Latest));
            assert_eq!(
                world.state(chosen.back(), "K1"),
                (RecordState::Skipped, "E5044".to_owned())
            );
            world.run(first);
            world.run(first.back());
            world.both();
            assert_eq!(
                (world.says(0, "K1", "phone"), world.says(1, "K1", "phone")),
                (want, want)
            );
            assert_eq!(world.writes().iter().sum::<usize>(), 2);
            let lost = world.record(chosen.back(), "K1").record;
            let notes = world.reader.two_way_notes(lost).expect("notes");
            let lost: Vec<_> = notes.iter().filter(|note| note.what == "lost").collect();
            assert!(
                matches!(&lost[..], [one] if one.row.is_some()),
                "the row that lost is kept: {notes:?}"
            );
        }
    }
}

#[test]
fn a_policy_decides_whoever_runs_first() {
    for (conflict, want) in [
        (Conflict::SourceWins, "a"),
        (Conflict::TargetWins, "b"),
        // B was edited last.
        (Conflict::NewestWins, "b"),
    ] {
        for first in Way::ALL {
            let mut world = synced(NamedBy::Id, conflict);
            world.ranked = true;
            world.edit(0, "K1", "phone", "a");
            world.edit(1, "K1", "phone", "b");
            world.run(first);
            world.run(first.back());
            world.both();
            let said = (world.says(0, "K1", "phone"), world.says(1, "K1", "phone"));
            assert_eq!(said, (want, want), "{conflict:?} {first:?}");
            assert_eq!(world.writes().iter().sum::<usize>(), 2, "{conflict:?} {first:?}");
        }
    }
}

#[test]
fn without_a_time_nobody_is_the_newest() {
    let mut world = edited_on_both_sides(Conflict::NewestWins);
    world.both();
    for way in Way::ALL {
        assert_eq!(world.state(way, "K1").0, RecordState::Held);
    }
}

/// A change that the other system refused has not arrived: what comes from there does not bury it.
#[test]
fn a_refused_change_is_a_conflict_too() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.edit(0, "K1", "phone", "2");
    world.weather = vec![Weather::Refused];
    world.run(Way::AtoB);
    world.edit(1, "K1", "city", "杭州");
    world.run(Way::BtoA);
    assert_eq!(
        world.state(Way::BtoA, "K1"),
        (RecordState::Held, "E5043".to_owned())
    );
    assert_eq!(world.says(0, "K1", "phone"), "2");
}

/// The same number is given to a new document on both sides: they are one, and were changed on both.
#[test]
fn what_is_made_on_both_sides_under_one_key_is_a_conflict() {
    for (conflict, want) in [(Conflict::SourceWins, "云杉"), (Conflict::TargetWins, "清荷")] {
        for first in Way::ALL {
            let mut world = World::new(NamedBy::Key, conflict);
            world.make(0, "K1", "云杉");
            world.make(1, "K1", "清荷");
            world.run(first);
            world.run(first.back());
            world.both();
            world.both();
            let said = (world.says(0, "K1", "name"), world.says(1, "K1", "name"));
            assert_eq!(said, (want, want), "{conflict:?} {first:?}");
            assert_eq!(world.writes().iter().sum::<usize>(), 1, "{conflict:?} {first:?}");
        }
    }
}

/// Somebody says that a document of B is that of a second document of A.
#[test]
fn a_doubled_document_is_held() {
    let mut world = World::new(NamedBy::Id, Conflict::Hold);
    let id = world.make(1, "K1", "云杉");
    world.run(Way::BtoA);
    let second = world.make(0, "K2", "云杉");
    world.read(Way::AtoB);
    world.map(Way::AtoB, &second, &id);
    world.edit(1, "K1", "phone", "1");
    world.run(Way::BtoA);
    assert_eq!(
        world.state(Way::BtoA, "K1"),
        (RecordState::Held, "E5045".to_owned())
    );
}

/// What the other side wrote while a further call was to come is newer than the document before it.
#[test]
fn a_step_that_ends_late_forgets_nothing() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.edit(0, "K1", "phone", "1");
    assert_eq!(world.write_first_calls(Way::AtoB).len(), 1);
    world.edit(1, "K1", "phone", "2");
    world.run(Way::BtoA);
    assert_eq!(world.says(0, "K1", "phone"), "2");
    world.write_further_call(Way::AtoB);
    world.edit(1, "K1", "phone", "3");
    world.both();
    world.both();
    assert_eq!(
        (world.says(0, "K1", "phone"), world.says(1, "K1", "phone")),
        ("3", "3")
    );
    assert_eq!(world.writes(), [2, 2]);
}

/// The winner of a conflict was refused, and somebody skipped it: what the other side writes from then on comes back as
/// an echo.
#[test]
fn who_won_and_was_skipped_has_not_won() {
    let mut world = edited_on_both_sides(Conflict::Hold);
    world.both();
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::Latest));
    world.weather = vec![Weather::Refused];
    world.run(Way::AtoB);
    assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Dead);
    world.decide(Way::AtoB, "K1", Decision::Skip);
    world.edit(1, "K1", "phone", "c");
    world.run(Way::BtoA);
    assert_eq!(world.says(0, "K1", "phone"), "c");
    let before = world.writes();
    world.both();
    world.both();
    assert_eq!(world.writes(), before, "nothing is written back");
    assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Done);
}

/// Each system writes a city in its own way: that is not carried to and fro for ever.
#[test]
fn two_ways_of_writing_a_value_are_told_of() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.cased = true;
    world.edit(0, "K1", "city", "hangzhou");
    for _ in 0..10 {
        world.both();
    }
    assert_eq!(
        world.state(Way::BtoA, "K1"),
        (RecordState::Held, "E5046".to_owned())
    );
    let why = world.record(Way::BtoA, "K1").reason.expect("a reason");
    assert!(why.text.starts_with("city "), "{why:?}");
    assert!(world.writes().iter().sum::<usize>() < 8, "{:?}", world.writes());
    // Who lets it go has it written once more, and is asked again where that was no help.
    world.cased = false;
    world.decide(Way::BtoA, "K1", Decision::Retry(Content::Latest));
    world.both();
    world.both();
    assert_eq!(
        (world.says(0, "K1", "city"), world.says(1, "K1", "city")),
        ("HANGZHOU", "HANGZHOU")
    );
    settled(&world, "let go");
}

/// The pair is taken away while a run is about to write by its rules.
#[test]
fn without_its_pair_nothing_is_written() {
    let mut world = World::new(NamedBy::Id, Conflict::Hold);
    world.make(0, "K1", "云杉");
    let (run, _) = world.fetch(Way::AtoB);
    let picked = world.pick(Way::AtoB);
    world.ledger.unpair("s").expect("two schemes");
    for one in &picked {
        world.send(Way::AtoB, run, one);
    }
    world.end(run);
    assert_eq!((picked.len(), world.writes()), (1, [0, 0]));
    assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Pending);
}

/// One of two schemes has carried documents before the other was made: they are not news.
#[test]
fn what_was_written_before_they_were_a_pair_is_not_written_back() {
    for named_by in NAMES {
        let mut world = World::new(named_by, Conflict::Hold);
        let rules = world.rules(Conflict::Hold);
        world.ledger.unpair("t").expect("one scheme");
        world.alone = true;
        for number in ["K1", "K2"] {
            world.make(0, number, "云杉");
        }
        let (run, _) = world.fetch(Way::AtoB);
        for picked in world.pick(Way::AtoB) {
            world.send(Way::AtoB, run, &picked);
        }
        world.end(run);
        // B cuts names.
        let id = world.id_of(1, "K2").expect("made");
        world.systems[1]
            .docs
            .get_mut(&id)
            .expect("made")
            .fields
            .insert("name".to_owned(), "云".to_owned());
        world.alone = false;
        world.pair(&rules);
        // One of them has an edit on its way.
        world.edit(0, "K1", "phone", "1");
        world.both();
        world.both();
        assert_eq!(world.writes(), [0, 3], "{named_by:?}");
        world.edit(1, "K2", "phone", "2");
        world.both();
        world.both();
        assert_eq!(world.says(0, "K2", "phone"), "2");
        assert_eq!(world.writes(), [1, 3], "{named_by:?}");
        // Apart for a while: what was written before that is not remembered as if nothing had happened.
        world.ledger.unpair("t").expect("apart");
        world.pair(&rules);
        world.both();
        assert_eq!(world.writes(), [1, 3], "{named_by:?}");
    }
}

/// A person wants a refused document sent as it was, and has not seen that the other side was edited.
#[test]
fn a_document_as_it_was_stored_buries_no_edit() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.edit(0, "K1", "phone", "1");
    world.weather = vec![Weather::Refused];
    world.run(Way::AtoB);
    let attempt = world.record(Way::AtoB, "K1").attempt.expect("an attempt");
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::AsStored(attempt)));
    world.edit(1, "K1", "phone", "2");
    world.run(Way::AtoB);
    assert_eq!(world.says(1, "K1", "phone"), "2");
    for way in Way::ALL {
        assert_eq!(world.state(way, "K1"), (RecordState::Held, "E5043".to_owned()));
    }
}

/// Somebody decides a conflict by what was there to be seen; the other side was edited once more since.
#[test]
fn a_decision_does_not_bury_what_came_after() {
    let mut world = edited_on_both_sides(Conflict::Hold);
    world.both();
    world.edit(1, "K1", "city", "杭州");
    world.both();
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::Latest));
    world.both();
    assert_eq!(world.says(1, "K1", "city"), "杭州");
    for way in Way::ALL {
        assert_eq!(world.state(way, "K1"), (RecordState::Held, "E5043".to_owned()));
    }
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::Latest));
    world.both();
    world.both();
    settled(&world, "decided");
}

#[test]
fn rows_that_lost_are_kept_as_long_as_the_scheme_says() {
    let mut world = edited_on_both_sides(Conflict::SourceWins);
    world.both();
    let lost = world.record(Way::BtoA, "K1").record;
    let rows = |world: &World| {
        let notes = world.reader.two_way_notes(lost).expect("notes");
        notes.iter().filter(|note| note.row.is_some()).count()
    };
    world.ledger.set_retention("s", Some(MINUTE)).expect("a rule");
    assert_eq!(rows(&world), 1);
    let now = world.now + 2 * MINUTE;
    world.ledger.prune(1, now).expect("pruned");
    assert_eq!(rows(&world), 0);
    assert!(
        !world.notes(Way::BtoA, "K1").is_empty(),
        "what was decided is kept"
    );
}

impl World {
    /// A person says which document a record is.
    fn map(&mut self, way: Way, record: &str, id: &str) {
        let set = SetMapping {
            at: MappingKey {
                scheme: way.scheme().to_owned(),
                key: key(record),
                target: ["A", "B"][way.target()].to_owned(),
                form: String::new(),
            },
            id: id.to_owned(),
            names: MappingNames::default(),
            manner: Manner::Put,
            seen: None,
            allow_double: true,
            may_move: false,
            by: MadeBy::Import,
            who: "li".to_owned(),
        };
        let now = self.now;
        let rulings = self.ledger.set_mappings(&[set], now).expect("a mapping");
        assert!(rulings[0].is_done(), "{rulings:?}");
    }

    /// How the row of a document is named.
    fn name(&self, id: &str, number: &str) -> String {
        match self.named_by {
            NamedBy::Id => id.to_owned(),
            NamedBy::Key => number.to_owned(),
        }
    }

    /// Reads, and ends the run.
    fn read(&mut self, way: Way) {
        let (run, _) = self.fetch(way);
        self.end(run);
    }

    fn resolve_as(&mut self, way: Way, number: &str, resolution: Resolution) {
        let record = self.record(way, number).record;
        let op = LedgerOp::Resolve {
            rows: vec![(record, resolution)],
            now: self.now,
        };
        assert_eq!(self.apply(&[op], &Blobs::new()), [LedgerReply::Count(1)]);
    }

    /// The ledger has forgotten what was written since its copy was taken.
    fn restored(&mut self) {
        for way in Way::ALL {
            let op = LedgerOp::Suspect {
                scheme: way.scheme().to_owned(),
                kind: SuspectKind::Restored,
                until: self.now + 60 * MINUTE,
                ask_after: self.now,
                now: self.now,
            };
            self.apply(&[op], &Blobs::new());
        }
    }

    fn waits(&self, way: Way, number: &str) -> bool {
        self.state(way, number) == (RecordState::Pending, "E5042".to_owned())
    }
}

/// Accounts are on both sides, and somebody says which is which, before anything was read, and before the other scheme
/// has read anything.
#[test]
fn what_was_mapped_ahead_is_not_made_again() {
    for named_by in NAMES {
        let mut world = World::new(named_by, Conflict::Hold);
        let a = world.make(0, "N1", "云杉");
        let b = world.make(1, "M1", "清荷");
        let record = world.name(&a, "N1");
        world.map(Way::AtoB, &record, &b);
        world.read(Way::BtoA);
        match named_by {
            NamedBy::Id => {
                assert!(world.pick(Way::BtoA)[0].has_target);
                assert_eq!(world.record(Way::BtoA, "M1").target_id, Some(a));
            }
            // By which id A knows it is told by the row of A alone.
            NamedBy::Key => {
                assert_eq!(world.pick(Way::BtoA), []);
                assert!(world.waits(Way::BtoA, "M1"));
            }
        }
        // The other scheme has read, and written nothing.
        let mut world = World::new(named_by, Conflict::Hold);
        let a = world.make(0, "N1", "云杉");
        let b = world.make(1, "M1", "清荷");
        let record = world.name(&a, "N1");
        world.map(Way::AtoB, &record, &b);
        world.read(Way::AtoB);
        world.read(Way::BtoA);
        assert_eq!(world.pick(Way::BtoA), []);
        for (way, number) in [(Way::AtoB, "N1"), (Way::BtoA, "M1")] {
            let held = (RecordState::Held, "E5043".to_owned());
            assert_eq!(world.state(way, number), held, "{named_by:?}");
        }
        world.decide(Way::BtoA, "M1", Decision::Retry(Content::Latest));
        let picked = world.pick(Way::BtoA);
        assert!(picked[0].has_target, "{named_by:?}");
        assert_eq!(world.record(Way::BtoA, "M1").target_id, Some(a));
    }
}

/// What came back takes what was said of it before its row came.
#[test]
fn an_echo_takes_its_mapping() {
    for right in [true, false] {
        let mut world = World::new(NamedBy::Id, Conflict::Hold);
        let a = world.make(0, "K1", "云杉");
        world.run(Way::AtoB);
        let b = world.id_of(1, "K1").expect("made");
        world.map(Way::BtoA, &b, if right { &a } else { "a9" });
        world.read(Way::BtoA);
        world.pick(Way::BtoA);
        let (state, code) = world.state(Way::BtoA, "K1");
        let orphans = world.reader.orphans(Some("s"), 9).expect("a question");
        assert_eq!(orphans, []);
        if right {
            assert_eq!(state, RecordState::Done);
        } else {
            // It is not the document that the other scheme made it of.
            assert_eq!((state, code.as_str()), (RecordState::Held, "E5045"));
        }
    }
}

/// Whoever is served the rows gets those that came back, too, and what they say later.
#[test]
fn an_echo_is_served() {
    let mut world = World::new(NamedBy::Id, Conflict::Hold);
    let now = world.now;
    world.ledger.serve("s", now).expect("served");
    world.make(0, "K1", "云杉");
    world.both();
    world
        .ledger
        .close_stretch("s", 0, world.now + 1, world.now)
        .expect("closed");
    let fed = |world: &World| world.reader.feed("s", 0, Ms::MAX, 0, 9).expect("a page").total;
    assert_eq!(fed(&world), 1);
    world.edit(0, "K1", "phone", "2");
    world.both();
    assert_eq!(fed(&world), 2);
}

/// What the other scheme made of a document is mapped both ways.
#[test]
fn an_echo_is_mapped() {
    for named_by in NAMES {
        let world = synced(named_by, Conflict::Hold);
        let (a, b) = (
            world.id_of(0, "K1").expect("there"),
            world.id_of(1, "K1").expect("there"),
        );
        let row = key(&world.name(&b, "K1"));
        let found = world
            .reader
            .mapped("s", MappedFrom::Document, std::slice::from_ref(&a));
        assert_eq!(found.expect("a question")[0].newest.as_ref(), Some(&row));
        let known = world.reader.mappings_of_keys("s", ("A", ""), &[row]);
        assert_eq!(known.expect("a question")[0].target_id, Some(a));
    }
}

/// The mapping of a record is put right: its document is another one, which nobody has compared yet, and what was taken
/// for it belongs to nobody that is known.
#[test]
fn a_document_that_was_linked_wrongly_is_let_go() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    let a = world.id_of(0, "K1").expect("there");
    let b = world.make(1, "M2", "清荷");
    world.map(Way::AtoB, &a, &b);
    assert_eq!(
        world.state(Way::BtoA, "K1"),
        (RecordState::Held, "E5045".to_owned())
    );
    world.edit(1, "K1", "phone", "1");
    world.both();
    assert_eq!(
        (world.says(0, "K1", "name"), world.says(0, "K1", "phone")),
        ("云杉", "")
    );
    for (way, number) in [(Way::AtoB, "K1"), (Way::BtoA, "M2")] {
        assert_eq!(world.state(way, number), (RecordState::Held, "E5043".to_owned()));
    }
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::Latest));
    world.both();
    world.both();
    assert_eq!(world.systems[1].docs[&b].says("name"), "云杉");
    assert_eq!(world.says(0, "K1", "phone"), "");
    assert_eq!(world.systems[0].docs.len(), 1);
}

/// Both have written since the copy was taken, and the target does not find the row's document by this scheme's key.
#[test]
fn a_restored_ledger_makes_nothing_that_the_other_scheme_made() {
    for named_by in NAMES {
        let mut world = World::new(named_by, Conflict::Hold);
        world.restored();
        world.make(0, "N1", "云杉");
        let b = world.make(1, "M1", "云杉");
        world.read(Way::AtoB);
        world.read(Way::BtoA);
        world.resolve_as(Way::BtoA, "M1", Resolution::Resend);
        assert_eq!(world.pick(Way::BtoA), [], "{named_by:?}");
        assert!(world.waits(Way::BtoA, "M1"));
        // It is known whose it is.
        let known = Resolution::Known { id: b, number: None };
        world.resolve_as(Way::AtoB, "N1", known);
        world.now += 2 * MINUTE;
        world.pick(Way::BtoA);
        assert_eq!(
            world.record(Way::BtoA, "M1").target_id,
            world.id_of(0, "N1"),
            "{named_by:?}"
        );
        assert!(world.pick(Way::BtoA).iter().all(|picked| picked.has_target));
        // What was really made on both sides since is made on the other one, and neither waits for the other.
        world.make(0, "N2", "银杏");
        world.make(1, "M2", "香樟");
        world.read(Way::AtoB);
        world.read(Way::BtoA);
        world.resolve_as(Way::AtoB, "N2", Resolution::Resend);
        world.resolve_as(Way::BtoA, "M2", Resolution::Resend);
        for way in Way::ALL {
            let fresh = world.pick(way).into_iter().filter(|picked| !picked.has_target);
            assert_eq!(fresh.count(), 1, "{named_by:?} {way:?}");
        }
    }
}

/// The first send of a document came to its end late, when the second had been refused.
#[test]
fn a_refused_create_that_may_be_there_makes_rows_wait() {
    for skipped in [false, true] {
        let lost = || {
            let mut world = World::new(NamedBy::Id, Conflict::Hold);
            world.make(0, "K1", "云杉");
            world.weather = vec![Weather::LostBefore];
            world.run(Way::AtoB);
            world.weather = vec![Weather::Refused];
            world.run(Way::AtoB);
            assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Dead);
            if skipped {
                world.decide(Way::AtoB, "K1", Decision::Skip);
            }
            world
        };
        let mut world = lost();
        let b = world.make(1, "K1", "云杉");
        world.read(Way::BtoA);
        assert_eq!(world.pick(Way::BtoA), [], "skipped {skipped}");
        assert!(world.waits(Way::BtoA, "K1"));
        world.now += 2 * MINUTE;
        match skipped {
            true => {
                let a = world.id_of(0, "K1").expect("a document");
                world.map(Way::AtoB, &a, &b);
            }
            false => world.decide(Way::AtoB, "K1", Decision::DoneAs { id: b, number: None }),
        }
        assert!(world.pick(Way::BtoA).iter().all(|picked| picked.has_target));
        assert_eq!(world.record(Way::BtoA, "K1").target_id, world.id_of(0, "K1"));
        // Somebody says that it is not there, and that nothing is to come of it.
        if !skipped {
            let mut world = lost();
            world.decide(Way::AtoB, "K1", Decision::NotThere);
            world.decide(Way::AtoB, "K1", Decision::Skip);
            world.make(1, "K9", "清荷");
            world.read(Way::BtoA);
            assert_eq!(world.pick(Way::BtoA).len(), 1);
        }
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).expect("small")).expect("small")
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// What both sides must agree on in the end, and how they got there.
fn settled(world: &World, what: &str) {
    let [a, b] = &world.systems;
    let numbers = |system: &System| -> Vec<String> {
        let mut numbers: Vec<String> = system.docs.values().map(|doc| doc.number.clone()).collect();
        numbers.sort();
        numbers
    };
    assert_eq!(numbers(a), numbers(b), "{what}: as many documents");
    let unique: BTreeSet<String> = numbers(a).into_iter().collect();
    assert_eq!(unique.len(), a.docs.len(), "{what}: none twice");
    for number in unique {
        for field in BOTH {
            assert_eq!(
                world.says(0, &number, field),
                world.says(1, &number, field),
                "{what}: {field} of {number}"
            );
        }
    }
}

/// One world of random edits. Edits of a round are on one side of a document, unless it is one with conflicts.
fn play(seed: u64, faults: bool, conflicts: bool) {
    let mut random = Random(seed);
    let named_by = random.pick(&NAMES);
    let conflict = random.pick(&Conflict::ALL);
    let mut world = World::new(named_by, conflict);
    world.ranked = conflict == Conflict::NewestWins || random.below(2) == 0;
    let what = format!("seed {seed} {named_by:?} {conflict:?} ranked {}", world.ranked);
    let (mut made, mut effective) = (0, [0, 0]);
    // What a person wrote last, where only one side was edited.
    let mut wanted: BTreeMap<(String, String), String> = BTreeMap::new();
    for _ in 0..12 {
        let mut numbers: Vec<String> = world.systems[0]
            .docs
            .values()
            .map(|doc| doc.number.clone())
            .collect();
        numbers.retain(|number| world.id_of(1, number).is_some());
        for _ in 0..random.below(3) {
            made += 1;
            let (side, number) = (random.below(2), format!("K{made}"));
            world.make(side, &number, &format!("n{made}"));
            effective[1 - side] += 1;
        }
        for number in numbers {
            let sides: &[usize] = match random.below(6) {
                0 | 1 => &[0],
                2 | 3 => &[1],
                4 if conflicts => &[0, 1],
                _ => &[],
            };
            for side in sides {
                let before = world.systems[*side].docs[&world.id_of(*side, &number).expect("there")].clone();
                for _ in 0..=random.below(2) {
                    let (field, value) = (random.pick(&BOTH), random.below(3));
                    let value = if value == 0 {
                        String::new()
                    } else {
                        value.to_string()
                    };
                    world.edit(*side, &number, field, &value);
                    if sides.len() == 1 {
                        wanted.insert((number.clone(), field.to_owned()), value);
                    } else {
                        wanted.remove(&(number.clone(), field.to_owned()));
                    }
                }
                let after = &world.systems[*side].docs[&world.id_of(*side, &number).expect("there")];
                effective[1 - *side] += usize::from(before.fields != after.fields && differs(&before, after));
            }
        }
        let first = random.pick(&Way::ALL);
        if faults {
            let weathers = [
                Weather::Fine,
                Weather::NotSent,
                Weather::LostBefore,
                Weather::LostAfter,
                Weather::Late,
                Weather::DiedBefore,
                Weather::DiedAfter,
            ];
            for _ in 0..random.below(4) {
                world.weather.push(random.pick(&weathers));
            }
        }
        world.run(first);
        world.run(first.back());
        if !faults && !conflicts {
            settled(&world, &what);
        }
    }
    world.weather.clear();
    for _ in 0..4 {
        world.both();
        for way in Way::ALL {
            for record in world.records(way) {
                let held = record.state == RecordState::Held
                    && record.reason.as_ref().is_some_and(|why| why.code == "E5043");
                // The other side may have lost to an earlier one of these decisions.
                if held && world.record(way, &record.label).state == RecordState::Held {
                    world.decide(way, &record.label, Decision::Retry(Content::Latest));
                }
            }
        }
    }
    world.both();
    settled(&world, &what);
    for way in Way::ALL {
        for record in world.records(way) {
            let over = matches!(record.state, RecordState::Done | RecordState::Skipped);
            assert!(over, "{what}: {record:?}");
        }
    }
    if !conflicts && !faults {
        for ((number, field), value) in &wanted {
            assert_eq!(world.says(0, number, field), value, "{what}: {field} of {number}");
        }
        assert_eq!(
            world.writes(),
            effective,
            "{what}: a write for an edit, and no other"
        );
    }
    // The dust has settled: nothing moves any more.
    let before = world.writes();
    world.both();
    world.both();
    assert_eq!(world.writes(), before, "{what}: an echo");
}

fn differs(one: &Doc, other: &Doc) -> bool {
    BOTH.iter().any(|field| one.says(field) != other.says(field))
}

const SEEDS: u64 = 25;

#[test]
fn every_edit_arrives_once_and_none_comes_back() {
    (0..SEEDS).for_each(|seed| play(seed, false, false));
}

#[test]
fn conflicts_are_settled_one_way() {
    (0..SEEDS).for_each(|seed| play(seed, false, true));
}

#[test]
fn lost_answers_and_dead_processes_double_nothing_and_lose_nothing() {
    (0..SEEDS).for_each(|seed| play(seed, true, false));
}

#[test]
fn everything_at_once() {
    (0..SEEDS).for_each(|seed| play(seed, true, true));
}
