//! One statement over one connection, and how far it came.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use jiff::tz::TimeZone;
use transport::{Reason, SendError, Stage};

use crate::answer::{self, Refused};
use crate::cell::Cell;
use crate::session::{Bounds, Refusal, Session, Trouble};
use crate::statement::{Bind, Read, Shape, Slot, Step, Write};

/// How far a write came. Only a COMMIT that has gone out may have had an effect.
#[derive(Debug)]
pub(crate) struct Progress(Mutex<Stage>);

impl Default for Progress {
    fn default() -> Self {
        Progress(Mutex::new(Stage::NotSent))
    }
}

impl Progress {
    /// Whether anything may have been executed for good.
    pub(crate) fn stage(&self) -> Stage {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = stage;
    }
}

/// What an exchange came to: an answer, and whether the connection may be used again.
pub(crate) struct Done {
    pub(crate) answer: String,
    pub(crate) is_clean: bool,
}

/// Reads a page.
pub(crate) async fn read(
    session: &mut Session,
    read: &Read,
    zone: &TimeZone,
    bytes: usize,
) -> Result<Done, SendError> {
    let bounds = Bounds {
        rows: read.limit.saturating_add(1),
        bytes,
    };
    match session.query(&read.sql, &read.binds, bounds).await {
        Ok(rows) => Ok(Done {
            answer: answer::rows(read, rows, zone).unwrap_or_else(|refused| refused.text()),
            is_clean: true,
        }),
        Err(Trouble::Refused(refusal)) => Ok(Done {
            answer: Refused::new(&refusal, "statement").text(),
            is_clean: true,
        }),
        // Of a read it does not matter how far it came.
        Err(Trouble::Broken(detail)) => Err(failed(Stage::Lost, Reason::Broken, detail)),
        Err(Trouble::TooLarge(detail)) => Err(failed(Stage::Lost, Reason::TooLarge, detail)),
    }
}

/// Writes: everything or nothing.
pub(crate) async fn write(
    session: &mut Session,
    write: &Write,
    ready: &Mutex<HashSet<String>>,
    progress: &Progress,
) -> Result<Done, SendError> {
    if let Some(refused) = prepare(session, write, ready).await? {
        return Ok(refused);
    }
    session.begin().await.or_else(|trouble| gone(progress, trouble))?;
    let mut ids = Ids::default();
    for step in &write.steps {
        match perform(session, step, &mut ids).await {
            Ok(()) => {}
            Err(Trouble::Refused(refusal)) => {
                let refused = Refused::new(&refusal, "statement").of(step.of.as_deref());
                return taken_back(session, refused).await;
            }
            Err(other) => return gone(progress, other),
        }
    }
    // From here on nobody but the database knows.
    progress.set(Stage::Lost);
    match session.commit().await {
        Ok(()) => Ok(Done {
            answer: answer::written(&ids.over(&write.ids)),
            is_clean: true,
        }),
        // The refusal of a COMMIT is its answer: the transaction is no more.
        Err(Trouble::Refused(refusal)) => taken_back(session, Refused::new(&refusal, "commit")).await,
        Err(other) => gone(progress, other),
    }
}

/// The ids that the database has made so far, by document.
#[derive(Default)]
struct Ids(BTreeMap<usize, Bind>);

impl Ids {
    fn fill(&self, slots: &[Slot]) -> Result<Vec<Bind>, Trouble> {
        let filled = slots.iter().map(|slot| match slot {
            Slot::Bind(bind) => Some(bind.clone()),
            Slot::Made(nth) => self.0.get(nth).cloned(),
        });
        let filled: Option<Vec<Bind>> = filled.collect();
        filled.ok_or_else(|| not_made("an id that nobody has made"))
    }

    /// The ids of all documents.
    fn over(&self, ids: &[String]) -> Vec<String> {
        let made = |nth: usize| match self.0.get(&nth) {
            Some(Bind::Number(text) | Bind::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let ids = ids.iter().enumerate();
        ids.map(|(nth, id)| made(nth).unwrap_or_else(|| id.clone()))
            .collect()
    }
}

fn not_made(message: &str) -> Trouble {
    Trouble::Refused(Refusal {
        code: "generated".to_owned(),
        message: message.to_owned(),
    })
}

async fn perform(session: &mut Session, step: &Step, ids: &mut Ids) -> Result<(), Trouble> {
    const ONE: Bounds = Bounds {
        rows: 1,
        bytes: 1 << 16,
    };
    let binds = ids.fill(&step.binds)?;
    if let Some(nth) = step.made {
        let found = session.query(&step.sql, &binds, ONE).await?;
        let id = match found.rows.into_iter().flatten().next() {
            Some(Cell::Number(digits)) => Bind::Number(digits),
            Some(Cell::Text(text)) => Bind::Text(text),
            _ => return Err(not_made("the table makes no id for a new row")),
        };
        ids.0.insert(nth, id);
        return Ok(());
    }
    let Some(words) = &step.none else {
        return session.execute(&step.sql, &binds).await;
    };
    match session.query(&step.sql, &binds, ONE).await?.rows.is_empty() {
        true => Ok(()),
        false => Err(Trouble::Refused(Refusal {
            code: step.code.clone().unwrap_or_else(|| "guard".to_owned()),
            message: words.clone(),
        })),
    }
}

/// Sees to it that the table of notes is there, once for each database: creating a table ends a transaction in some
/// systems, so it comes before.
async fn prepare(
    session: &mut Session,
    write: &Write,
    ready: &Mutex<HashSet<String>>,
) -> Result<Option<Done>, SendError> {
    let known = || ready.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if known().contains(&write.probe) {
        return Ok(None);
    }
    let bounds = Bounds {
        rows: 1,
        bytes: 1 << 16,
    };
    let broken = |detail| failed(Stage::NotSent, Reason::Broken, detail);
    for probe in [true, false] {
        let trouble = match session.query(&write.probe, &[], bounds).await {
            Ok(_) => {
                known().insert(write.probe.clone());
                return Ok(None);
            }
            Err(trouble) => trouble,
        };
        let refusal = match trouble {
            Trouble::Refused(refusal) if probe => match session.execute(&write.make, &[]).await {
                Ok(()) => continue,
                // Somebody else may have been faster.
                Err(Trouble::Refused(_)) if session.query(&write.probe, &[], bounds).await.is_ok() => {
                    continue;
                }
                Err(Trouble::Refused(why)) => Refusal {
                    code: why.code,
                    message: format!("{}; {}; {}", refusal.message, why.message, write.make),
                },
                Err(Trouble::Broken(detail) | Trouble::TooLarge(detail)) => return Err(broken(detail)),
            },
            Trouble::Refused(refusal) => refusal,
            Trouble::Broken(detail) | Trouble::TooLarge(detail) => return Err(broken(detail)),
        };
        return Ok(Some(Done {
            answer: Refused::new(&refusal, "statement").of(Some("notes")).text(),
            is_clean: true,
        }));
    }
    Ok(None)
}

/// A refused transaction leaves nothing behind; a connection that does not say so is thrown away.
async fn taken_back(session: &mut Session, refused: Refused) -> Result<Done, SendError> {
    let is_clean = session.roll_back().await.is_ok();
    Ok(Done {
        answer: refused.text(),
        is_clean,
    })
}

fn gone<T>(progress: &Progress, trouble: Trouble) -> Result<T, SendError> {
    let (reason, detail) = match trouble {
        Trouble::Broken(detail) => (Reason::Broken, detail),
        Trouble::TooLarge(detail) => (Reason::TooLarge, detail),
        Trouble::Refused(refusal) => (Reason::Broken, refusal.message),
    };
    Err(failed(progress.stage(), reason, detail))
}

pub(crate) fn failed(stage: Stage, reason: Reason, detail: impl Into<String>) -> SendError {
    SendError {
        stage,
        reason,
        detail: detail.into(),
        partial: None,
    }
}

impl Read {
    /// Whether its rows have names.
    pub(crate) fn is_named(&self) -> bool {
        self.rows == Shape::Maps
    }
}
