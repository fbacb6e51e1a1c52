//! What other systems send by themselves: at which door, whether it is believed, stored before it is answered.
//!
//! Whoever listens (a server, a test) hands in a request as it came and gives the answer back. Promised: an answer that
//! says "stored" is given only after the push is on the disk; the same push again is answered the same way and changes
//! nothing; a door that is not there and a token that is wrong are the same answer after the same work; nothing of what
//! was refused is kept but its number. Left to others: size and time of a request while it arrives, how many may talk at
//! once, and what becomes of the rows ([`crate::Engine::run`] takes them).
//!
//! A push that is sent again is told by the sender's id of what it is about and by its content: the bytes of its body,
//! its rows, whether it is void, and the headers that the scheme reads. The last one about the same thing again is a
//! repetition, for three days from its arrival ([`ledger::service::inbox::REPEATED_FOR`]); what an earlier one said is
//! said anew, because the document went back. So a sender whose repetitions may come behind newer pushes needs something
//! in the body that grows, as a time of change, by which the scheme tells the newest (`newest_by`).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use connector::{Connection, HttpAnswer, Inbound, Pushed, Received, Refusal};
use dsl::json;
use dsl::lookup::Hits;
use dsl::plan::{Plan, PushFacts};
use dsl::tree::eval_value;
use dsl::value::{Map, Value};
use flow::ids::{Blob, Ms, PushId};
use flow::op::{FromRow, LedgerOp, LedgerReply, NewPush, Stored};
use ledger::service::inbox::WaitingPush;
use ledger::service::taking::TakingRow;
use ledger::{Blobs, StoreError, Writer};
use sha2::{Digest as _, Sha256};

use crate::error::AppError;
use crate::run::Engine;
use crate::scope::CallScope;
use crate::store::Store;

/// Rows that may wait in the inbox of a scheme, and bytes: as many as may be open in a scheme that reads.
pub const MOST_ROWS: u64 = flow::HIGH_WATER;
/// Bytes that may wait in the inbox of a scheme.
pub const MOST_BYTES: u64 = 1 << 30;

/// When a sender should come again whose push could not be stored now.
const AGAIN_SECONDS: u32 = 60;

/// How long a push may wait until its scheme is told again: the run that was to take it has failed, or never began.
const TOLD_AGAIN_AFTER: Ms = 120_000;
/// How often schemes are told again at most.
const TOLD_AGAIN_EVERY: Ms = 300_000;

/// A day, for counts by the day.
const DAY: Ms = 86_400_000;

/// What a scheme takes of what is sent to its system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takes {
    connection: String,
    operation: String,
    /// Options of the operation: headers, and what they must say.
    options: BTreeMap<String, String>,
}

/// A scheme that receives.
pub struct Receiver {
    /// Its id.
    pub scheme: String,
    connection: Arc<Connection>,
    takes: Takes,
    options: Map,
    headers: Vec<String>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// The operation's own answer: to a push that is stored, or to one that was believed and not understood.
    Given(HttpAnswer),
    /// Not believed, or no such door.
    Unbelieved,
    /// It cannot be stored now.
    Busy {
        /// When to come again, in seconds.
        seconds: u32,
    },
}

/// What became of a push that was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is on the disk, or was before.
    Stored,
    /// It says that it is new, and something about the same thing is known.
    Taken,
    /// It cannot be stored now.
    Busy {
        /// When to come again, in seconds.
        seconds: u32,
    },
}

/// Told when something waits in the inbox of a scheme.
pub type Arrived = Arc<dyn Fn(&str) + Send + Sync>;

/// The inboxes of a service.
pub struct Inbox {
    writer: Writer,
    doors: RwLock<Arc<Doors>>,
    arrived: Arrived,
    /// Refused since the counts were last written: scheme and reason.
    refused: Mutex<BTreeMap<(String, &'static str), u64>>,
    /// When schemes were last told again.
    told: Mutex<Ms>,
}

/// Why a scheme that has a door is not among those that can receive, and what it takes as far as its files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shut {
    /// Its files are in error. If it has received until now, it goes on to; what it takes waits for it. Else senders are
    /// told to come again.
    Broken(Option<Takes>),
    /// It was put out of use, or nothing is taken at all. Senders are told to come again.
    Out(Option<Takes>),
}

/// Who takes a push.
pub struct Takers {
    /// Those that do.
    pub taking: Vec<Arc<Receiver>>,
    /// All that receive through the operation.
    pub asked: Vec<Arc<Receiver>>,
    /// One that cannot receive now takes it, or may: nobody who stores it now could say that all have it.
    pub is_one_shut: bool,
}

/// The doors of one reading of the files.
#[derive(Default)]
pub(crate) struct Doors {
    /// By the digest of the door: what is compared says nothing about what is close.
    by_door: HashMap<[u8; 32], Door>,
    all: Vec<Arc<Receiver>>,
}

#[derive(Clone)]
enum Door {
    /// It leads here.
    Open(Arc<Receiver>),
    /// It will lead somewhere again; `None` = nobody knows what is taken there.
    Later(Option<Takes>),
}

impl Inbox {
    /// Inboxes over a ledger; nobody receives yet.
    pub fn new(writer: Writer, arrived: Arrived) -> Self {
        Inbox {
            writer,
            doors: RwLock::default(),
            arrived,
            refused: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// From now on these schemes receive, and no others. Each has the door that it had, or a new one.
    pub async fn open(&self, receivers: Vec<Receiver>, now: Ms) -> Result<(), AppError> {
        self.open_but(receivers, |_| None, now).await
    }

    /// The same, where some schemes that have a door cannot receive now; of a door of any other, senders hear what they
    /// hear of one that never was.
    pub async fn open_but(
        &self,
        receivers: Vec<Receiver>,
        shut: impl Fn(&str) -> Option<Shut>,
        now: Ms,
    ) -> Result<(), AppError> {
        let made = self.made(receivers, shut, now).await?;
        self.set(made);
        self.tell_of_all_that_waits()
    }

    /// Doors as [`Inbox::open_but`] opens them; whoever knocks still finds those of before.
    pub(crate) async fn made(
        &self,
        receivers: Vec<Receiver>,
        shut: impl Fn(&str) -> Option<Shut>,
        now: Ms,
    ) -> Result<Doors, AppError> {
        let mut named = Vec::with_capacity(receivers.len());
        for receiver in receivers {
            named.push((receiver, new_door()?));
        }
        let opened = self.writer.with_ledger(move |ledger| {
            let doors = named.into_iter().map(|(receiver, fresh)| {
                let takes = receiver.takes.text();
                let door = ledger.door(&receiver.scheme, &fresh, Some(&takes), now)?;
                Ok((digest(&door), Arc::new(receiver)))
            });
            doors.collect::<Result<Vec<_>, StoreError>>()
        });
        let mut opened: HashMap<[u8; 32], Door> = opened
            .await??
            .into_iter()
            .map(|(door, receiver)| (door, Door::Open(receiver)))
            .collect();
        let before = self.doors();
        for row in self.writer.reader().doors_taking()? {
            let door = digest(&row.door);
            if opened.contains_key(&door) {
                continue;
            }
            let kept = || row.takes.as_deref().and_then(Takes::read);
            let shut = shut(&row.scheme).map(|shut| match (shut, before.by_door.get(&door)) {
                (Shut::Broken(_), Some(Door::Open(until_now))) => Door::Open(Arc::clone(until_now)),
                (Shut::Broken(takes) | Shut::Out(takes), _) => Door::Later(takes.or_else(kept)),
            });
            opened.extend(shut.map(|shut| (door, shut)));
        }
        let receivers = opened.values().filter_map(|door| match door {
            Door::Open(receiver) => Some(Arc::clone(receiver)),
            Door::Later(_) => None,
        });
        let mut all: Vec<_> = receivers.collect();
        all.sort_by(|one, other| one.scheme.cmp(&other.scheme));
        Ok(Doors { all, by_door: opened })
    }

    /// From now on these are the doors.
    pub(crate) fn set(&self, doors: Doors) {
        *self.doors.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(doors);
    }

    /// Tells of what was stored and not taken when the process before this one ended.
    pub(crate) fn tell_of_all_that_waits(&self) -> Result<(), AppError> {
        self.tell_of_what_waits(|_| true)
    }

    /// Tells the schemes in whose inbox something waits that is as old as this.
    fn tell_of_what_waits(&self, is_due: impl Fn(Ms) -> bool) -> Result<(), AppError> {
        let reader = self.writer.reader();
        let known = self.schemes();
        for scheme in reader.inboxes_with_pushes()? {
            let oldest = reader.inbox(&scheme)?.oldest;
            if known.contains(&scheme) && oldest.is_some_and(&is_due) {
                (self.arrived)(&scheme);
            }
        }
        Ok(())
    }

    fn doors(&self) -> Arc<Doors> {
        Arc::clone(&self.doors.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those who receive.
    pub fn receivers(&self) -> Vec<Arc<Receiver>> {
        self.doors().all.clone()
    }

    /// Who takes a push that comes through an operation of these connections. Of connections that cannot be used, none
    /// receives; their schemes are asked for where they may be meant.
    pub fn takers(
        &self,
        operation: &str,
        push: &Inbound,
        is_meant: impl Fn(&str) -> bool,
        may_be_meant: impl Fn(&str) -> bool,
    ) -> Result<Takers, AppError> {
        let doors = self.doors();
        let is_asked =
            |one: &&Arc<Receiver>| one.takes.operation == operation && is_meant(&one.connection.name);
        let asked: Vec<_> = doors.all.iter().filter(is_asked).cloned().collect();
        let mut taking = Vec::new();
        for one in &asked {
            if one.takes(push)? {
                taking.push(Arc::clone(one));
            }
        }
        let is_one_shut = doors.by_door.values().any(|door| match door {
            Door::Open(_) => false,
            Door::Later(None) => true,
            Door::Later(Some(takes)) => {
                let name = &takes.connection;
                takes.operation == operation && (is_meant(name) || may_be_meant(name)) && takes.may_take(push)
            }
        });
        Ok(Takers {
            taking,
            asked,
            is_one_shut,
        })
    }

    /// When a sender should come again whose scheme cannot receive now.
    pub fn again_seconds(&self) -> u32 {
        AGAIN_SECONDS
    }

    /// Counts a push that somebody else refused.
    pub fn count_refusal(&self, why: &'static str) {
        self.refuse("", why);
    }

    /// The schemes that receive.
    pub fn schemes(&self) -> Vec<String> {
        self.doors()
            .all
            .iter()
            .map(|receiver| receiver.scheme.clone())
            .collect()
    }

    /// A push at a door.
    pub async fn push(&self, door: &str, push: &Inbound, now: Ms) -> Result<Answered, AppError> {
        let doors = self.doors();
        let door = digest(door);
        match doors.by_door.get(&door) {
            Some(Door::Open(receiver)) => self.deliver(std::slice::from_ref(receiver), push, now).await,
            Some(Door::Later(_)) => {
                self.refuse("", "later");
                Ok(Answered::Busy {
                    seconds: AGAIN_SECONDS,
                })
            }
            None => {
                // The work of a wrong token, at a door that is there: which one hangs on the door that was tried, so
                // that trying again costs the same again.
                let nth = usize::from(door[0]) << 8 | usize::from(door[1]);
                if let Some(decoy) = doors.all.get(nth % doors.all.len().max(1)) {
                    std::hint::black_box(decoy.connection.receive(decoy.operation(), push, now)?);
                }
                self.refuse("", "door");
                Ok(Answered::Unbelieved)
            }
        }
    }

    /// A push for every scheme among these that takes it: all of them receive through the same operation of the same
    /// system, which judges it once. Either all have it or none.
    pub async fn deliver(
        &self,
        receivers: &[Arc<Receiver>],
        push: &Inbound,
        now: Ms,
    ) -> Result<Answered, AppError> {
        let Some(first) = receivers.first() else {
            return Ok(Answered::Unbelieved);
        };
        let received = first.connection.receive(first.operation(), push, now)?;
        let pushed = match &received {
            Received::Accepted(pushed) => pushed,
            Received::Refused(refusal) => return self.refused(first, *refusal),
        };
        let mut taking = Vec::new();
        for receiver in receivers {
            if receiver.takes(push)? {
                taking.push(Arc::clone(receiver));
            }
        }
        if taking.is_empty() {
            return self.refused(first, Refusal::Form);
        }
        Ok(match self.store(&taking, pushed, push, None, now).await? {
            Kept::Stored | Kept::Taken => {
                Answered::Given(first.connection.reply(first.operation(), &received)?)
            }
            Kept::Busy { seconds } => Answered::Busy { seconds },
        })
    }

    /// Stores a push that was judged in the inbox of every one of these. Either all have it or none, but for those that
    /// have no room: then the sender is to come again, and for the others it is a repetition. What `creates` is stored
    /// only where nothing about the same thing is known, as [`NewPush::creates`] says.
    pub async fn store(
        &self,
        receivers: &[Arc<Receiver>],
        pushed: &Pushed,
        push: &Inbound,
        creates: Option<PushId>,
        now: Ms,
    ) -> Result<Kept, AppError> {
        let (mut ops, mut blobs) = (Vec::new(), Blobs::new());
        for (nth, receiver) in (0_u64..).zip(receivers) {
            let (content, hash) = receiver.content(pushed, push);
            blobs.insert(Blob(nth), content);
            ops.push(LedgerOp::StorePush {
                giver: None,
                scheme: receiver.scheme.clone(),
                push: NewPush {
                    sender: pushed.id.clone().unwrap_or_default(),
                    hash,
                    void: pushed.void,
                    creates,
                    rows: u32::try_from(pushed.rows.len()).unwrap_or(u32::MAX),
                    content: Blob(nth),
                    doubt: None,
                    most_rows: MOST_ROWS,
                    most_bytes: MOST_BYTES,
                },
                now,
            });
        }
        let replies = match self.writer.apply(ops, blobs).await {
            Ok(replies) => replies,
            // The disk is full, or the process is about to end: the sender keeps it.
            Err(
                StoreError::Full { .. }
                | StoreError::QueueFull
                | StoreError::Closed
                | StoreError::Busy { .. }
                | StoreError::Io { .. },
            ) => {
                return Ok(Kept::Busy {
                    seconds: AGAIN_SECONDS,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let (mut full, mut taken) = (false, false);
        for (reply, receiver) in replies.iter().zip(receivers) {
            match reply {
                LedgerReply::Pushed(Stored::New(_)) => (self.arrived)(&receiver.scheme),
                LedgerReply::Pushed(Stored::Repeated(_)) => {}
                LedgerReply::Pushed(Stored::Taken) => taken = true,
                LedgerReply::Pushed(Stored::Full) => {
                    full = true;
                    (self.arrived)(&receiver.scheme);
                    self.refuse(&receiver.scheme, "full");
                }
                other => return Err(AppError::bug(format!("a push answered with {other:?}"))),
            }
        }
        if full {
            // Those who had room have it; for them the next try is a repetition.
            return Ok(Kept::Busy {
                seconds: AGAIN_SECONDS,
            });
        }
        Ok(if taken { Kept::Taken } else { Kept::Stored })
    }

    fn refused(&self, receiver: &Receiver, refusal: Refusal) -> Result<Answered, AppError> {
        self.refuse(&receiver.scheme, refusal.name());
        if refusal == Refusal::Verify {
            return Ok(Answered::Unbelieved);
        }
        let received = Received::Refused(refusal);
        let answer = receiver.connection.reply(receiver.operation(), &received)?;
        Ok(Answered::Given(answer))
    }

    fn refuse(&self, scheme: &str, why: &'static str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry((scheme.to_owned(), why)).or_default() += 1;
    }

    /// Writes the counts of refusals, and tells schemes again of what waits too long; to be called every now and then,
    /// and at the end. What was counted since the last call is lost with the process: a write for every wrong token would
    /// be a way to keep the disk busy.
    pub async fn write_counts(&self, now: Ms) -> Result<(), AppError> {
        let again = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let again = now - *told >= TOLD_AGAIN_EVERY;
            if again {
                *told = now;
            }
            again
        };
        if again {
            self.tell_of_what_waits(|arrived| now - arrived >= TOLD_AGAIN_AFTER)?;
        }
        let counted = std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner));
        if counted.is_empty() {
            return Ok(());
        }
        let rows: Vec<(String, String, u64)> = counted
            .iter()
            .map(|((scheme, why), count)| (scheme.clone(), (*why).to_owned(), *count))
            .collect();
        let day = now - now.rem_euclid(DAY);
        let written = self
            .writer
            .with_ledger(move |ledger| ledger.count_refused(day, &rows))
            .await;
        let written = written.and_then(|done| done);
        if written.is_err() {
            // They are written with the next ones.
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            for (of, count) in counted {
                *refused.entry(of).or_default() += count;
            }
        }
        Ok(written?)
    }
}

impl Takes {
    /// What a scheme takes, where it receives at all.
    pub fn of(plan: &Plan, now: Ms) -> Result<Option<Takes>, AppError> {
        let Some(receive) = plan.source.receive.as_ref().filter(|_| !is_fed(plan)) else {
            return Ok(None);
        };
        let options = options(plan, now)?;
        let options = options
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.to_plain_text()?)));
        Ok(Some(Takes {
            connection: plan.source.connection.clone(),
            operation: receive.operation.clone(),
            options: options.collect(),
        }))
    }

    /// The operation through which it comes.
    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    /// What an option of it must say.
    pub(crate) fn option(&self, name: &str) -> Option<&String> {
        self.options.get(name)
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        let options = self
            .options
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        let members = [
            ("connection".to_owned(), Value::from(self.connection.as_str())),
            ("operation".to_owned(), Value::from(self.operation.as_str())),
            ("options".to_owned(), Value::Map(options.collect())),
        ];
        json::to_string(&Value::Map(Map::from_iter(members)))
    }

    fn read(text: &str) -> Option<Takes> {
        let kept = json::parse(text.as_bytes()).ok()?;
        let options = kept.get("options")?.as_map()?.iter();
        let options = options.map(|(name, value)| Some((name.clone(), value.to_plain_text()?)));
        Some(Takes {
            connection: kept.get("connection")?.to_plain_text()?,
            operation: kept.get("operation")?.to_plain_text()?,
            options: options.collect::<Option<_>>()?,
        })
    }

    /// Whether nothing in a push says that it is not taken: a scheme that can receive asks its connection.
    fn may_take(&self, push: &Inbound) -> bool {
        self.options.iter().all(|(name, wanted)| {
            let mut headers = push.headers.iter();
            headers.any(|(known, value)| known.eq_ignore_ascii_case(name) && value == wanted)
        })
    }
}

/// The options of the operation through which a scheme receives.
fn options(plan: &Plan, now: Ms) -> Result<Map, AppError> {
    let Some(receive) = &plan.source.receive else {
        return Ok(Map::new());
    };
    let scope = CallScope::new(&plan.source.zone, now);
    Ok(match eval_value(&receive.options, &scope, &Hits::new())? {
        Some(Value::Map(options)) => options,
        Some(_) | None => Map::new(),
    })
}

impl Receiver {
    /// The system it receives from.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// The operation.
    pub fn operation(&self) -> &str {
        &self.takes.operation
    }

    /// An option of it.
    pub fn option(&self, name: &str) -> Option<String> {
        self.options.get(name)?.to_plain_text()
    }

    /// Whether it takes this push.
    pub fn takes(&self, push: &Inbound) -> Result<bool, AppError> {
        Ok(self
            .connection
            .takes_push(self.operation(), &self.options, push)?)
    }

    /// By what a push is told from another.
    pub fn hash(&self, pushed: &Pushed, push: &Inbound) -> [u8; 32] {
        self.content(pushed, push).1
    }

    /// What is stored of a push, and the hash that tells it from another.
    fn content(&self, pushed: &Pushed, push: &Inbound) -> (Vec<u8>, [u8; 32]) {
        let headers: Map = self
            .headers
            .iter()
            .filter_map(|name| {
                let found = push
                    .headers
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(name));
                // A scheme that reads a header which holds a secret gets it as others see it.
                let (_, value) = found?;
                Some((name.clone(), Value::from(self.connection.redact(value))))
            })
            .collect();
        let mut stored = Map::from_iter([
            ("rows".to_owned(), Value::List(pushed.rows.clone())),
            ("headers".to_owned(), Value::Map(headers)),
        ]);
        if pushed.xml {
            stored.insert("xml".to_owned(), Value::from(true));
        }
        let content = json::to_string(&Value::Map(stored)).into_bytes();
        let mut hash = Sha256::new();
        hash.update((push.body.len() as u64).to_be_bytes());
        hash.update(&push.body);
        hash.update([u8::from(pushed.void)]);
        hash.update(&content);
        (content, hash.finalize().into())
    }
}

/// Whether another scheme gives its rows: they wait in its inbox, and nobody outside reaches that.
fn is_fed(plan: &Plan) -> bool {
    plan.source.from_scheme.is_some()
}

/// A row that a scheme gives another one, as a push: told from another by who gives it, of which record, and what it says.
pub(crate) fn given(from: &str, key: &str, row: Value) -> (NewPush, Vec<u8>) {
    let content = json::to_string(&Value::Map(Map::from_iter([
        ("rows".to_owned(), Value::List(vec![row])),
        ("headers".to_owned(), Value::Map(Map::new())),
    ])));
    let sender = Value::List(vec![Value::from(from), Value::from(key)]);
    let push = NewPush {
        sender: json::to_string(&sender),
        hash: Sha256::digest(content.as_bytes()).into(),
        void: false,
        creates: None,
        rows: 1,
        content: Blob(0),
        doubt: None,
        // It was written, and nobody can be told to come again: as many wait as there are records.
        most_rows: u64::MAX,
        most_bytes: u64::MAX,
    };
    (push, content.into_bytes())
}

/// A stored row of a scheme, likewise. That it means "cancelled" makes it another one.
fn taken(giver: &str, row: &TakingRow) -> (NewPush, Vec<u8>) {
    // What is not as it was written is a row that says nothing: a dead record, which somebody sees.
    let stored = json::parse(&row.source).unwrap_or(Value::Null);
    let (mut push, content) = given(giver, &row.key, stored);
    if row.void {
        push.void = true;
        let hash = Sha256::new().chain_update(push.hash).chain_update([1]);
        push.hash = hash.finalize().into();
    }
    push.doubt = row.doubt;
    (push, content)
}

/// The row of another scheme that a push is.
pub(crate) fn from_row(push: &WaitingPush) -> Option<FromRow> {
    let sender = json::parse(push.sender.as_bytes()).ok()?;
    let mut parts = sender.as_list()?.iter().map(Value::to_plain_text);
    Some(FromRow {
        scheme: parts.next()??,
        key: parts.next()??,
    })
}

/// Stored rows of another scheme that go into an inbox in one transaction, and bytes, so that the writer is never away
/// for long. One row alone may have more.
const TAKEN_ROWS: u32 = 200;
const TAKEN_BYTES: usize = 8 << 20;

/// Puts stored rows of another scheme into the inbox of the one that takes them, until so many pushes wait there or all
/// were taken: those that are there when it first runs, then each that is new or changed, in that order. A page of them
/// and the place that it reaches are one transaction, so none is lost and none comes twice.
pub(crate) async fn take_stored(store: &Store, plan: &Plan, enough: u64, now: Ms) -> Result<(), AppError> {
    if !plan.source.from_stored {
        return Ok(());
    }
    // It ends: the place grows with each page, up to the end of what there is now or is made meanwhile.
    while store.reader().inbox(&plan.scheme)?.pushes < enough {
        let page = store
            .reader()
            .rows_to_take(&plan.scheme, TAKEN_ROWS, TAKEN_BYTES)?;
        let Some(page) = page else { return Ok(()) };
        let (mut ops, mut blobs) = (Vec::with_capacity(page.rows.len() + 1), Blobs::new());
        for (row, nth) in page.rows.iter().zip(0..) {
            let (mut push, content) = taken(&page.giver, row);
            push.content = Blob(nth);
            blobs.insert(Blob(nth), content);
            ops.push(LedgerOp::StorePush {
                giver: None,
                scheme: plan.scheme.clone(),
                push,
                now,
            });
        }
        ops.push(LedgerOp::MovePlace {
            scheme: plan.scheme.clone(),
            giver: page.giver,
            from: page.from,
            to: page.to,
        });
        store.apply(ops, blobs).await?;
    }
    Ok(())
}

/// The rows of a push, and what else is known of it.
pub(crate) struct Content {
    pub(crate) rows: Vec<Value>,
    /// They came as XML.
    pub(crate) xml: bool,
    pub(crate) facts: PushFacts,
}

/// What was stored of a push. What is not as it was written is a row that says nothing, and becomes a record that says
/// so.
pub(crate) fn content(push: &WaitingPush) -> Content {
    let stored = json::parse(&push.content).unwrap_or(Value::Null);
    let rows = match stored.get("rows") {
        Some(Value::List(rows)) => rows.clone(),
        _ => vec![Value::Map(Map::from_iter([(
            "$push".to_owned(),
            Value::from(push.id.0),
        )]))],
    };
    let headers = stored.get("headers").and_then(Value::as_map);
    let headers = headers.into_iter().flatten().filter_map(|(name, value)| {
        let text = value.to_plain_text()?;
        Some((name.clone(), text))
    });
    Content {
        rows,
        xml: stored.get("xml") == Some(&Value::from(true)),
        facts: PushFacts {
            id: Some(push.sender.clone()).filter(|id| !id.is_empty()),
            void: push.void,
            headers: headers.collect(),
        },
    }
}

impl Engine {
    /// The schemes among these that receive, ready to. Their connections must have been announced.
    pub fn receivers(&self, plans: &[Arc<Plan>]) -> Result<Vec<Receiver>, AppError> {
        let mut receivers = Vec::new();
        for plan in plans {
            let Some(receive) = plan.source.receive.as_ref().filter(|_| !is_fed(plan)) else {
                continue;
            };
            let own = plan.source.own_operation.as_ref().filter(|_| receive.only);
            let caller = self.caller_with(&plan.source.connection, own)?;
            let now = self.now_ms();
            let options = options(plan, now)?;
            receivers.extend(Takes::of(plan, now)?.map(|takes| Receiver {
                scheme: plan.scheme.clone(),
                connection: Arc::clone(&caller.connection),
                takes,
                options,
                headers: receive.headers.clone(),
            }));
        }
        Ok(receivers)
    }

    /// The inboxes of this engine's ledger. `None` for a rehearsal, which receives nothing.
    pub fn inbox(&self, arrived: Arrived) -> Option<Inbox> {
        Some(Inbox::new(self.writer()?, arrived))
    }
}

/// 128 bits that nobody can guess, as 32 hexadecimal digits.
pub fn new_door() -> Result<String, AppError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| AppError::bug(format!("no random bytes: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn digest(door: &str) -> [u8; 32] {
    Sha256::digest(door.as_bytes()).into()
}
