//! Whole runs of a few schemes that write to one target, in simulated time: the real [`flow::Job`], the real
//! [`ledger::Ledger`] in memory and the transport's own [`Limiter`], at a target whose manner a trial chooses.
//!
//! Nothing is drawn here: what happens to a call is the manner's word. Everything executed is kept in a journal, with
//! its time, and so is the start of every call. Nothing is judged here either.

use std::collections::BTreeMap;

use flow::classify::{Class, Delivery, OnUnknown, Proof, Verdict};
pub(crate) use flow::ids::Ms;
use flow::ids::{Blob, RecordId};
use flow::op::{LedgerOp, LedgerReply, OnSeen, Reason, Settlement, StagedRow, Trigger, WriteAction};
use flow::window::{CatchUp, First, Interval, Proposal, WindowRule};
use flow::{
    Action, Answer, Event, Found, Job, JobPlan, Page, Paging, ReadFailure, ReadFailureKind, Ready, RowAnswer,
    SourceFacts, Stages, Summary, TargetFacts, Transformed,
};
use ledger::{Blobs, Ledger, Reader};
use transport::{Limiter, Next};

pub(crate) use super::setup::{BEGIN, HOUR, MINUTE, SECOND};

/// Rows of a page.
const PAGE: usize = 500;
/// Far more than any run here needs: a record a call takes about ten steps.
const MAX_STEPS: u32 = 2_000_000;
/// Of the target, and of every call to it.
pub(crate) const QUIET: Ms = MINUTE;
/// See [`QUIET`].
pub(crate) const TIMEOUT: Ms = 30 * SECOND;

/// One document as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Doc {
    /// Its key.
    pub(crate) key: String,
    /// Which version of the row it was made of.
    pub(crate) version: u32,
}

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Documents are written.
    Write,
    /// The target is asked what it has.
    Ask,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Executed and answered.
    Plain,
    /// Nobody accepts the connection.
    NotSent,
    /// Nothing comes back, and nothing is executed.
    Lost,
    /// A gateway answers that the system is not there.
    Gateway,
    /// Too many calls, with a wait that is asked for.
    TooMany(Option<Ms>),
    /// Refused as a whole, and no row is named.
    RefusedWhole,
}

/// How the target behaves: what happens to a call that starts now, and how long it takes.
pub(crate) type Manner<'a> = Box<dyn FnMut(Ms, Kind, &[Doc]) -> (Ms, Fate) + 'a>;

/// A call that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    /// When it started.
    pub(crate) at: Ms,
    /// What it was.
    pub(crate) kind: Kind,
    /// What happened to it.
    pub(crate) fate: Fate,
    /// Documents in it.
    pub(crate) docs: usize,
}

/// A row of a source.
#[derive(Debug, Clone)]
struct Row {
    stamp: Ms,
    doc: Doc,
}

/// See the module.
pub(crate) struct Line<'a> {
    pub(crate) now: Ms,
    /// Documents a call.
    batch: u32,
    ledger: Ledger,
    pub(crate) reader: Reader,
    /// By scheme.
    sources: BTreeMap<String, Vec<Row>>,
    limiter: Limiter,
    manner: Manner<'a>,
    /// What was executed, and when.
    pub(crate) journal: Vec<(Ms, Doc)>,
    documents: BTreeMap<String, u32>,
    /// Every call.
    pub(crate) calls: Vec<Made>,
    /// Settlements that used up one of a record's sends.
    pub(crate) spent: u64,
    blobs: Blobs,
    payloads: BTreeMap<u64, Doc>,
}

impl<'a> Line<'a> {
    /// A target of this manner, with nothing to do.
    pub(crate) fn new(batch: u32, manner: Manner<'a>) -> Result<Self, String> {
        let ledger = Ledger::in_memory().map_err(|e| e.to_string())?;
        Ok(Line {
            now: BEGIN,
            batch,
            reader: ledger.reader(),
            ledger,
            sources: BTreeMap::new(),
            limiter: Limiter::new(&[], 1),
            manner,
            journal: Vec::new(),
            documents: BTreeMap::new(),
            calls: Vec::new(),
            spent: 0,
            blobs: Blobs::new(),
            payloads: BTreeMap::new(),
        })
    }

    /// A row is new at a scheme's source, or changed; it is stamped with this instant.
    pub(crate) fn put(&mut self, scheme: &str, key: &str, version: u32, stamp: Ms) {
        let rows = self.sources.entry(scheme.to_owned()).or_default();
        if version > 1 {
            rows.retain(|row| row.doc.key != key);
        }
        let key = key.to_owned();
        rows.push(Row {
            stamp,
            doc: Doc { key, version },
        });
    }

    /// Records of a scheme by state, in the order of [`flow::op::RecordState::ALL`].
    pub(crate) fn states(&self, scheme: &str) -> Result<[u64; 7], String> {
        self.reader.states(scheme).map_err(|e| e.to_string())
    }

    /// One run of one scheme, to its end.
    pub(crate) fn run(&mut self, scheme: &str) -> Result<Summary, String> {
        let mut job = Job::new(self.plan(scheme));
        let mut event = Event::Start;
        for _ in 0..MAX_STEPS {
            let action = job.step(self.now, event).pop().ok_or("nothing is wanted")?;
            event = match action {
                Action::Ledger(ops) => self.apply(ops)?,
                Action::Fetch { asked, page, .. } => self.fetch(scheme, asked, page),
                Action::Transform(items) => {
                    let records: Vec<RecordId> = items.iter().map(|item| item.record).collect();
                    let docs = self.docs(&records)?;
                    Event::Transformed(
                        items
                            .iter()
                            .zip(docs)
                            .map(|(item, doc)| self.ready(item.has_target, doc))
                            .collect(),
                    )
                }
                Action::Ask { records, .. } => self.ask(&records)?,
                Action::Send { rows, .. } => self.send(&rows)?,
                Action::ReadPartner => Event::PartnerRead(None),
                Action::Sleep { until, .. } => {
                    self.now = self.now.max(until);
                    Event::Woke
                }
                Action::Finish(summary) => return Ok(summary),
                other @ (Action::Note(_) | Action::Group(_) | Action::Await { .. }) => {
                    return Err(format!("not wanted: {other:?}"));
                }
            };
        }
        Err(format!("a run does not end in {MAX_STEPS} steps"))
    }

    fn plan(&self, scheme: &str) -> JobPlan {
        JobPlan {
            scheme: scheme.to_owned(),
            revision: "1".to_owned(),
            trigger: Trigger::Schedule,
            instant: self.now,
            source: SourceFacts {
                window: Some(WindowRule {
                    first: Some(First::At(BEGIN - HOUR)),
                    overlap: 0,
                    settle: 0,
                    max: 24 * HOUR,
                    catch_up: CatchUp::Extend,
                }),
                proposal: Proposal::default(),
                manual: None,
                on_seen: OnSeen::UpdateIfChanged,
                paging: Paging::default(),
                keeps: None,
                sweep: None,
                replay: None,
                versions: None,
                inbox: flow::Inbox::None,
            },
            target: Some(TargetFacts {
                gathers: false,
                asks_updates: false,
                name: "t".to_owned(),
                batch: self.batch,
                proof: Proof::UniqueKey,
                on_unknown: OnUnknown::ByProof,
                timeout: TIMEOUT,
                quiet: QUIET,
                find_before_create: false,
                updates: true,
                voids_again: false,
                stop_at_first_dead: false,
                remembers: 24 * HOUR,
                steps: Vec::new(),
            }),
            limit: None,
            brakes: flow::Brakes::default(),
            retry: flow::Retry::default(),
            settle_wait: QUIET + 30 * SECOND,
            partner: None,
            for_partner: false,
            stages: Stages::All,
        }
    }

    fn apply(&mut self, mut ops: Vec<LedgerOp>) -> Result<Event, String> {
        self.now += 1;
        // As the shell does: a claim is made when the call could go out at once.
        if ops.iter().any(|op| matches!(op, LedgerOp::Claim { .. })) {
            let before = self.now;
            self.wait_for_room()?;
            let waited = self.now - before;
            for op in &mut ops {
                if let LedgerOp::Claim {
                    resolve_after, now, ..
                } = op
                {
                    *resolve_after += waited;
                    *now += waited;
                }
            }
        }
        let replies: Vec<LedgerReply> = self.ledger.apply(&ops, &self.blobs).map_err(|e| e.to_string())?;
        for op in &ops {
            match op {
                LedgerOp::Settle { rows, .. } => {
                    let spends = rows
                        .iter()
                        .filter(|(_, how)| matches!(how, Settlement::Retry { spend: true, .. }));
                    self.spent += u64::try_from(spends.count()).unwrap_or_default();
                }
                LedgerOp::Pick { .. } => {
                    self.blobs = Blobs::new();
                    self.payloads.clear();
                }
                LedgerOp::StagePage { .. } => self.blobs = Blobs::new(),
                _ => {}
            }
        }
        Ok(Event::Ledger(replies))
    }

    fn fetch(&mut self, scheme: &str, asked: Option<Interval>, page: u32) -> Event {
        self.now += 200;
        let rows = self.sources.get(scheme).map_or(&[][..], Vec::as_slice);
        let inside: Vec<&Row> = rows
            .iter()
            .filter(|row| asked.is_none_or(|asked| asked.from <= row.stamp && row.stamp < asked.to))
            .collect();
        let page = usize::try_from(page).unwrap_or(usize::MAX);
        let shown: Vec<Doc> = inside
            .iter()
            .skip((page - 1) * PAGE)
            .take(PAGE)
            .map(|row| row.doc.clone())
            .collect();
        let prints: Vec<u64> = shown
            .iter()
            .map(|doc| print_of(&format!("{} {}", doc.key, doc.version)))
            .collect();
        self.blobs = Blobs::new();
        let rows = shown.iter().zip(0..).map(|(doc, nth)| {
            let text = format!("{} {}", doc.key, doc.version);
            self.blobs.insert(Blob(nth), text.clone().into_bytes());
            StagedRow {
                key: format!("[\"{}\"]", doc.key),
                label: doc.key.clone(),
                version: text,
                rank: None,
                source: Blob(nth),
                filtered: None,
                invalid: None,
                void: false,
                bare: false,
                indexed: Vec::new(),
                paired: None,
                doubt: None,
                from: None,
            }
        });
        Event::Page(Page {
            rows: rows.collect(),
            raw_rows: u64::try_from(prints.len()).unwrap_or_default(),
            more: page * PAGE < inside.len(),
            total: u64::try_from(inside.len()).ok(),
            fingerprint: print_of(&format!("{prints:?}")),
            prints,
            mark: None,
            versions: None,
            pushes: Vec::new(),
        })
    }

    /// The documents of records, from their stored rows.
    fn docs(&self, records: &[RecordId]) -> Result<Vec<Doc>, String> {
        let rows = self.reader.sources(records).map_err(|e| e.to_string())?;
        let by_id: BTreeMap<RecordId, Vec<u8>> =
            rows.into_iter().map(|row| (row.record, row.source)).collect();
        let doc = |record: &RecordId| {
            let text = String::from_utf8_lossy(by_id.get(record)?);
            let (key, version) = text.split_once(' ')?;
            Some(Doc {
                key: key.to_owned(),
                version: version.parse().ok()?,
            })
        };
        records
            .iter()
            .map(|record| doc(record).ok_or_else(|| format!("record {record} has no row")))
            .collect()
    }

    fn ready(&mut self, has_target: bool, doc: Doc) -> Transformed {
        let blob = Blob(u64::try_from(self.payloads.len()).unwrap_or_default());
        let tkey = format!("[\"{}\"]", doc.key);
        self.blobs.insert(blob, doc.key.clone().into_bytes());
        self.payloads.insert(blob.0, doc);
        Transformed::Ready(Ready {
            action: if has_target {
                WriteAction::Update
            } else {
                WriteAction::Create
            },
            group: 0,
            form: String::new(),
            tkey,
            payload: blob,
            wrote: Vec::new(),
            next: None,
            half: None,
        })
    }

    /// Waits until the limits have room.
    fn wait_for_room(&mut self) -> Result<(), String> {
        loop {
            match self.limiter.next_allowed(self.now) {
                Next::Now => return Ok(()),
                Next::At(at) => self.now = at,
                Next::WhenOneEnds => return Err("one call at a time, and one is under way".to_owned()),
            }
        }
    }

    fn call(&mut self, kind: Kind, docs: &[Doc]) -> Result<Fate, String> {
        self.wait_for_room()?;
        self.limiter.start(self.now);
        let (took, fate) = (self.manner)(self.now, kind, docs);
        self.calls.push(Made {
            at: self.now,
            kind,
            fate,
            docs: docs.len(),
        });
        self.now += took;
        self.limiter.end(self.now);
        match fate {
            Fate::TooMany(wait) => {
                self.limiter.refused(self.now);
                if let Some(wait) = wait {
                    self.limiter.hold_until(self.now + wait);
                }
            }
            Fate::Plain | Fate::Gateway | Fate::RefusedWhole => self.limiter.let_through(self.now),
            Fate::NotSent | Fate::Lost => {}
        }
        Ok(fate)
    }

    fn send(&mut self, rows: &[(RecordId, Blob)]) -> Result<Event, String> {
        let docs: Vec<Doc> = rows
            .iter()
            .filter_map(|(_, blob)| self.payloads.get(&blob.0).cloned())
            .collect();
        if docs.len() != rows.len() {
            return Err("a record without a document is sent".to_owned());
        }
        let (delivery, status, wait) = match self.call(Kind::Write, &docs)? {
            Fate::Plain => (Delivery::Answered(Class::Rows), Some(200), None),
            Fate::NotSent => (Delivery::NotSent, None, None),
            Fate::Lost => (Delivery::Lost, None, None),
            Fate::Gateway => (Delivery::Answered(Class::Fault), Some(502), None),
            Fate::TooMany(wait) => (Delivery::Answered(Class::Throttled), Some(429), wait),
            Fate::RefusedWhole => (Delivery::Answered(Class::Rejected), Some(422), None),
        };
        let mut answers = Vec::new();
        if delivery == Delivery::Answered(Class::Rows) {
            for doc in docs {
                self.documents.insert(doc.key.clone(), doc.version);
                answers.push(RowAnswer {
                    verdict: Verdict::Accepted,
                    id: Some(doc.key.clone()),
                    number: None,
                    lines: None,
                    reason: Reason::new("", ""),
                });
                self.journal.push((self.now, doc));
            }
        }
        Ok(Event::Answered(Answer {
            delivery,
            reason: Reason::new("L1", "what the target says"),
            wait,
            http_status: status,
            excerpt: None,
            vendor_trace: None,
            rows: answers,
        }))
    }

    fn ask(&mut self, records: &[RecordId]) -> Result<Event, String> {
        let docs = self.docs(records)?;
        let failed = |kind, wait| {
            Event::ReadFailed(ReadFailure {
                kind,
                wait,
                reason: Reason::new("L2", "what the target says"),
            })
        };
        Ok(match self.call(Kind::Ask, &docs)? {
            Fate::NotSent => failed(ReadFailureKind::Unreachable, None),
            Fate::Lost | Fate::Gateway => failed(ReadFailureKind::Lost, None),
            Fate::RefusedWhole => failed(ReadFailureKind::Fault, None),
            Fate::TooMany(wait) => failed(ReadFailureKind::Wait, wait),
            Fate::Plain => {
                let found = docs.iter().map(|doc| match self.documents.get(&doc.key) {
                    Some(_) => Found::One {
                        id: doc.key.clone(),
                        number: None,
                        next: None,
                    },
                    None => Found::None,
                });
                Event::Asked(found.collect())
            }
        })
    }
}

/// A hash of a text.
fn print_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |print: u64, byte| {
        (print ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
