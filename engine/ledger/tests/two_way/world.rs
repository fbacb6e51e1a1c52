//! Two systems, the schemes between them, and the people who work with them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use flow::decision::{Decided, Decision, Ruling};
use flow::ids::{AttemptId, Blob, Ms, RecordId, RunId};
use flow::op::{
    ClaimRow, Counts, Cursor, EMPTY, Facet, LedgerOp, LedgerReply, OnSeen, Paired, Picked, Reason,
    RecordState, Refusal, Resolution, RunStatus, Settlement, SightingOutcome, StagedRow, SuspectKind,
    Trigger, Unknown, WriteAction,
};
use flow::window::Interval;
use ledger::read::{RecordFilter, RecordRow};
use ledger::service::mapping::{MadeBy, Manner, MappingKey, MappingNames, SetMapping};
use ledger::two_way::{Conflict, NamedBy, TwoWay};
use ledger::{Blobs, Ledger, Reader};

pub(crate) const MINUTE: Ms = 60_000;

/// What both directions carry.
pub(crate) const BOTH: [&str; 3] = ["name", "phone", "city"];

/// What B fills in by itself, and only the way from B to A carries.
pub(crate) const LEVEL: &str = "level";

/// What a row says that means "cancelled".
pub(crate) const CANCELLED: (&str, &str) = ("$void", "yes");

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// The scheme `t`.
    AtoB,
    /// The scheme `s`.
    BtoA,
}

impl Way {
    pub(crate) const ALL: [Way; 2] = [Way::AtoB, Way::BtoA];

    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Way::AtoB => "t",
            Way::BtoA => "s",
        }
    }

    pub(crate) fn back(self) -> Way {
        match self {
            Way::AtoB => Way::BtoA,
            Way::BtoA => Way::AtoB,
        }
    }

    pub(crate) fn source(self) -> usize {
        match self {
            Way::AtoB => 0,
            Way::BtoA => 1,
        }
    }

    pub(crate) fn target(self) -> usize {
        1 - self.source()
    }

    pub(crate) fn reads(self) -> Vec<&'static str> {
        let mut fields = BOTH.to_vec();
        if self == Way::BtoA {
            fields.push(LEVEL);
        }
        fields
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Doc {
    pub(crate) number: String,
    pub(crate) fields: BTreeMap<String, String>,
    /// When it was last changed, by a count that grows.
    pub(crate) changed: i64,
    /// Cancelled.
    pub(crate) void: bool,
}

impl Doc {
    pub(crate) fn says(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

/// Documents by id.
#[derive(Debug, Default)]
pub(crate) struct System {
    pub(crate) docs: BTreeMap<String, Doc>,
    pub(crate) made: u32,
    /// Calls of the engine that changed something, by the number of the document.
    pub(crate) writes: Vec<String>,
}

/// A write that is on its way.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) id: Option<String>,
    pub(crate) number: String,
    pub(crate) fields: BTreeMap<String, String>,
    /// It cancels.
    pub(crate) void: bool,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    Fine,
    Refused,
    NotSent,
    LostBefore,
    LostAfter,
    Late,
    DiedBefore,
    DiedAfter,
}

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) reader: Reader,
    pub(crate) systems: [System; 2],
    /// Executed before the engine asks, and after others may have read.
    pub(crate) late: Vec<(usize, Write)>,
    pub(crate) named_by: NamedBy,
    pub(crate) ranked: bool,
    /// A writes cities in lower case, B in upper case.
    pub(crate) cased: bool,
    /// The systems that show nobody what was cancelled.
    pub(crate) hides: [bool; 2],
    /// Only one of the schemes is there.
    pub(crate) alone: bool,
    /// The step that documents have before them when they are written.
    pub(crate) step: Option<String>,
    pub(crate) now: Ms,
    pub(crate) clock: i64,
    pub(crate) weather: Vec<Weather>,
}

pub(crate) fn hash(text: &str) -> u64 {
    if text.is_empty() {
        return EMPTY;
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn key(text: &str) -> String {
    format!("[\"{text}\"]")
}

pub(crate) fn plain(key: &str) -> &str {
    key.trim_start_matches("[\"").trim_end_matches("\"]")
}

pub(crate) fn facets<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Facet> {
    let facet = |(field, value): (&str, &str)| Facet {
        field: field.to_owned(),
        hash: hash(value),
    };
    fields.into_iter().map(facet).collect()
}

impl World {
    pub(crate) fn new(named_by: NamedBy, conflict: Conflict) -> World {
        let ledger = Ledger::in_memory().expect("a ledger");
        let mut world = World {
            reader: ledger.reader(),
            ledger,
            systems: Default::default(),
            late: Vec::new(),
            named_by,
            ranked: false,
            cased: false,
            hides: [false; 2],
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

    pub(crate) fn pair(&mut self, [t, s]: &[TwoWay; 2]) {
        self.ledger.pair(("t", t), ("s", s)).expect("a pair");
    }

    pub(crate) fn rules(&self, conflict: Conflict) -> [TwoWay; 2] {
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

    pub(crate) fn apply(&mut self, ops: &[LedgerOp], blobs: &Blobs) -> Vec<LedgerReply> {
        self.now += 1;
        self.ledger.apply(ops, blobs).expect("ledger work")
    }

    /// A person makes a document.
    pub(crate) fn make(&mut self, system: usize, number: &str, name: &str) -> String {
        let fields = BTreeMap::from([("name".to_owned(), name.to_owned())]);
        let number = number.to_owned();
        self.execute(
            system,
            &Write {
                id: None,
                number,
                fields,
                void: false,
            },
        )
    }

    /// A person edits one.
    pub(crate) fn edit(&mut self, system: usize, number: &str, field: &str, value: &str) {
        let id = self.id_of(system, number).expect("a document");
        let fields = BTreeMap::from([(field.to_owned(), value.to_owned())]);
        let write = Write {
            id: Some(id),
            number: number.to_owned(),
            fields,
            void: false,
        };
        self.execute(system, &write);
    }

    /// A person cancels one.
    pub(crate) fn cancel(&mut self, system: usize, number: &str) {
        let write = Write {
            id: Some(self.id_of(system, number).expect("a document")),
            number: number.to_owned(),
            fields: BTreeMap::new(),
            void: true,
        };
        self.execute(system, &write);
    }

    pub(crate) fn is_cancelled(&self, system: usize, number: &str) -> bool {
        let id = self.id_of(system, number).expect("a document");
        self.systems[system].docs[&id].void
    }

    pub(crate) fn id_of(&self, system: usize, number: &str) -> Option<String> {
        let mut docs = self.systems[system].docs.iter();
        docs.find(|(_, doc)| doc.number == number)
            .map(|(id, _)| id.clone())
    }

    pub(crate) fn says(&self, system: usize, number: &str, field: &str) -> &str {
        let docs = &self.systems[system].docs;
        let doc = docs
            .values()
            .find(|doc| doc.number == number)
            .expect("a document");
        doc.says(field)
    }

    pub(crate) fn execute(&mut self, system: usize, write: &Write) -> String {
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
        doc.void |= write.void;
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
    pub(crate) fn fetch(&mut self, way: Way) -> (RunId, Vec<(SightingOutcome, u64)>) {
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
        let hides = self.hides[way.source()];
        let shown = |(_, doc): &(&String, &Doc)| !(hides && doc.void);
        for ((id, doc), nth) in self.systems[way.source()].docs.iter().filter(shown).zip(0..) {
            blobs.insert(Blob(nth), id.clone().into_bytes());
            let reads = way.reads();
            let said: Vec<(&str, &str)> = reads.iter().map(|field| (*field, doc.says(field))).collect();
            let told = match doc.void {
                true => vec![CANCELLED],
                false => said.iter().copied().chain([(CANCELLED.0, "")]).collect(),
            };
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
                void: doc.void,
                bare: false,
                indexed: Vec::new(),
                paired: (!self.alone).then(|| Paired {
                    own_id: Some(id.clone()),
                    facets: facets(told),
                }),
                doubt: None,
                from: None,
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
                updates: true,
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

    pub(crate) fn end(&mut self, run: RunId) -> Counts {
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
    pub(crate) fn write_first_calls(&mut self, way: Way) -> Vec<RecordId> {
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
    pub(crate) fn write_further_call(&mut self, way: Way) {
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

    pub(crate) fn settle(&mut self, attempt: AttemptId, record: RecordId, settlement: Settlement) {
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

    pub(crate) fn pick(&mut self, way: Way) -> Vec<Picked> {
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
    pub(crate) fn run(&mut self, way: Way) -> (bool, Counts) {
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

    pub(crate) fn send(&mut self, way: Way, run: RunId, picked: &Picked) -> bool {
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
        let (action, wrote) = match &source.target_id {
            // Nothing is there that could be cancelled.
            None if picked.void => {
                let refuse = LedgerOp::Refuse {
                    rows: vec![(
                        picked.record,
                        picked.version.clone(),
                        Refusal::Skipped(Reason::new("E4000", "never written")),
                    )],
                    now: self.now,
                };
                self.apply(&[refuse], &Blobs::new());
                return true;
            }
            Some(_) if picked.void => (WriteAction::Void, facets([CANCELLED])),
            Some(_) => (WriteAction::Update, wrote),
            None => {
                let is_live = facets([(CANCELLED.0, "")]);
                (WriteAction::Create, wrote.into_iter().chain(is_live).collect())
            }
        };
        let wrote = if self.alone { Vec::new() } else { wrote };
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
            fields: if picked.void { BTreeMap::new() } else { fields },
            void: picked.void,
        };
        let weather = self.weather.pop().unwrap_or(Weather::Fine);
        self.call(way, (picked.record, attempt), write, weather)
    }

    pub(crate) fn call(
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
    pub(crate) fn resolve(&mut self, way: Way) {
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

    pub(crate) fn records(&self, way: Way) -> Vec<RecordRow> {
        let filter = RecordFilter {
            scheme: Some(way.scheme().to_owned()),
            ..RecordFilter::default()
        };
        self.reader.list_records(&filter).expect("records")
    }

    pub(crate) fn record(&self, way: Way, number: &str) -> RecordRow {
        let mut records = self.records(way).into_iter();
        records.find(|record| record.label == number).expect("a record")
    }

    pub(crate) fn state(&self, way: Way, number: &str) -> (RecordState, String) {
        let record = self.record(way, number);
        (
            record.state,
            record.reason.map(|why| why.code).unwrap_or_default(),
        )
    }

    pub(crate) fn decide(&mut self, way: Way, number: &str, decision: Decision) {
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

    pub(crate) fn notes(&self, way: Way, number: &str) -> Vec<String> {
        let record = self.record(way, number).record;
        let notes = self.reader.two_way_notes(record).expect("notes");
        notes
            .into_iter()
            .map(|note| format!("{} {} {}", note.what, note.scheme, note.fields.join(",")))
            .collect()
    }

    /// How many calls changed something, in A and in B.
    pub(crate) fn writes(&self) -> [usize; 2] {
        [self.systems[0].writes.len(), self.systems[1].writes.len()]
    }

    pub(crate) fn both(&mut self) {
        for way in Way::ALL {
            self.run(way);
        }
    }
}

pub(crate) const NAMES: [NamedBy; 2] = [NamedBy::Id, NamedBy::Key];

/// An account that is in both systems, as a person made it in A.
pub(crate) fn synced(named_by: NamedBy, conflict: Conflict) -> World {
    let mut world = World::new(named_by, conflict);
    world.make(0, "K1", "云杉");
    world.both();
    assert_eq!(world.writes(), [0, 1], "made once in B, never written back");
    world
}

impl World {
    /// A person says which document a record is.
    pub(crate) fn map(&mut self, way: Way, record: &str, id: &str) {
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
    pub(crate) fn name(&self, id: &str, number: &str) -> String {
        match self.named_by {
            NamedBy::Id => id.to_owned(),
            NamedBy::Key => number.to_owned(),
        }
    }

    /// Reads, and ends the run.
    pub(crate) fn read(&mut self, way: Way) {
        let (run, _) = self.fetch(way);
        self.end(run);
    }

    pub(crate) fn resolve_as(&mut self, way: Way, number: &str, resolution: Resolution) {
        let record = self.record(way, number).record;
        let op = LedgerOp::Resolve {
            rows: vec![(record, resolution)],
            now: self.now,
        };
        assert_eq!(self.apply(&[op], &Blobs::new()), [LedgerReply::Count(1)]);
    }

    /// The ledger has forgotten what was written since its copy was taken.
    pub(crate) fn restored(&mut self) {
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

    pub(crate) fn waits(&self, way: Way, number: &str) -> bool {
        self.state(way, number) == (RecordState::Pending, "E5042".to_owned())
    }
}

/// What both sides must agree on in the end, and how they got there.
pub(crate) fn settled(world: &World, what: &str) {
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
        if a.docs[&world.id_of(0, &number).expect("there")].void {
            assert!(world.is_cancelled(1, &number), "{what}: {number} is cancelled");
            continue;
        }
        assert!(
            !world.is_cancelled(1, &number),
            "{what}: {number} is not cancelled"
        );
        for field in BOTH {
            assert_eq!(
                world.says(0, &number, field),
                world.says(1, &number, field),
                "{what}: {field} of {number}"
            );
        }
    }
}

/// Whether two say something else of what both directions carry.
pub(crate) fn differs(one: &Doc, other: &Doc) -> bool {
    BOTH.iter().any(|field| one.says(field) != other.says(field))
}
