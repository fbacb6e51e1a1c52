//! Schemes as a server tells them, their pauses and their texts.

use app::AppError;
use flow::op::{Reason, RecordState};
use flow::timetable::{DueRow, Half, Paused, Tally};
use ledger::read::RunRow;
use ledger::service::revisions::RevisionRow;

use super::{Doc, Remote, escaped, runs};
use crate::cli::json::object;

/// Schemes of one folder that are shown.
const MOST: usize = 10_000;

/// A scheme and how it stands.
pub(crate) struct State {
    pub(crate) id: String,
    pub(crate) file: String,
    /// `enabled`, `draft`, `paused` or `invalid`.
    pub(crate) word: String,
    pub(crate) errors: u64,
    pub(crate) source: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) paused: Option<Paused>,
    /// Its halves that have a rule.
    pub(crate) rows: Vec<DueRow>,
    /// What a run of it carries as its revision.
    pub(crate) hash: Option<String>,
    pub(crate) watermark: Option<i64>,
    /// Stored rows of another scheme that it has not taken.
    pub(crate) rows_behind: Option<u64>,
    pub(crate) last: Option<RunRow>,
    /// Its records, in the order of [`RecordState::ALL`].
    pub(crate) states: [u64; 7],
}

impl Remote {
    /// Schemes by id; of one that is named, that one.
    pub(crate) fn schemes(&self, meant: Option<&str>) -> Result<Vec<State>, AppError> {
        match meant {
            Some(id) => Ok(vec![self.scheme(id)?]),
            None => {
                let (items, _) = self.list("/schemes", &[], MOST)?;
                items.iter().map(|item| state(self.doc(item))).collect()
            }
        }
    }

    /// One scheme.
    pub(crate) fn scheme(&self, id: &str) -> Result<State, AppError> {
        let body = self.get(&path(id), &[])?;
        state(self.doc(&body).doc("scheme")?)
    }

    /// The objects that cannot be used or served, and why, in the language of whoever asks.
    pub(crate) fn object_troubles(&self) -> Result<Vec<(String, Reason)>, AppError> {
        let body = self.get("/objects", &[])?;
        let mut found = Vec::new();
        for object in self.doc(&body).docs("items")? {
            if let Some(why) = object.reason("trouble")? {
                found.push((object.text("object")?, why));
            }
        }
        Ok(found)
    }

    /// Pauses a scheme or has it go on; says whether that changed anything.
    pub(crate) fn pause(&self, id: &str, pause: bool, reason: &str) -> Result<bool, AppError> {
        let was_paused = self.scheme(id)?.paused.is_some();
        let action = if pause { "pause" } else { "resume" };
        let body = object! {"reason" => reason};
        self.post(&format!("{}/actions/{action}", path(id)), Some(&body))?;
        Ok(pause || was_paused)
    }

    /// Texts of a scheme, newest first, without the texts themselves.
    pub(crate) fn revisions(&self, id: &str, limit: u32) -> Result<Vec<RevisionRow>, AppError> {
        let (items, _) = self.list(&format!("{}/revisions", path(id)), &[], limit as usize)?;
        items
            .iter()
            .map(|item| revision(id, self.doc(item), String::new()))
            .collect()
    }

    /// The newest of them. A scheme that never ran has none.
    pub(crate) fn newest(&self, id: &str) -> Result<Option<RevisionRow>, AppError> {
        match self.revisions(id, 1) {
            Ok(rows) => Ok(rows.into_iter().next()),
            Err(AppError::Answered(answer)) if answer.status == 404 => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// One of them, with its text.
    pub(crate) fn revision(&self, id: &str, seq: u32) -> Result<RevisionRow, AppError> {
        let body = self.get(&format!("{}/revisions/{seq}", path(id)), &[])?;
        let doc = self.doc(&body);
        revision(id, doc.doc("revision")?, doc.text("text")?)
    }
}

/// The text of a scheme as a server has it, and its version.
pub(crate) struct Standing {
    pub(crate) text: Option<String>,
    tag: String,
}

impl Remote {
    /// The text of a scheme; `None` = there is no such scheme.
    pub(crate) fn standing(&self, id: &str) -> Result<Option<Standing>, AppError> {
        let reply = match self.get_tagged(&path(id)) {
            Ok(reply) => reply,
            Err(AppError::Answered(answer)) if answer.status == 404 => return Ok(None),
            Err(other) => return Err(other),
        };
        let doc = self.doc(&reply.body);
        Ok(Some(Standing {
            text: doc.text_or_none("text")?,
            tag: reply.tag.clone().ok_or_else(|| doc.odd("etag"))?,
        }))
    }

    /// Puts a text in force, unless another one stands there by now than the one that was seen.
    pub(crate) fn deploy(
        &self,
        id: &str,
        standing: Option<&Standing>,
        text: &str,
        message: &str,
    ) -> Result<(), AppError> {
        let query = [("message", message.to_owned())];
        match standing {
            Some(standing) => self.send_text("PUT", &path(id), &query, text, Some(&standing.tag)),
            None => self.send_text("POST", "/schemes", &query, text, None),
        }
        .map(|_| ())
    }

    /// Puts the text of a revision back.
    pub(crate) fn roll_back(
        &self,
        id: &str,
        standing: Option<&Standing>,
        seq: u32,
        message: &str,
    ) -> Result<(), AppError> {
        let body = object! {"message" => message};
        let path = format!("{}/revisions/{seq}/rollback", path(id));
        let tag = standing.map(|standing| standing.tag.as_str());
        self.post_matched(&path, &body, tag).map(|_| ())
    }
}

fn revision(scheme: &str, doc: Doc<'_>, text: String) -> Result<RevisionRow, AppError> {
    Ok(RevisionRow {
        scheme: scheme.to_owned(),
        seq: doc.count("seq")?,
        hash: doc.text("hash")?,
        at: doc.at("at")?,
        // Null of one that was found in the folder.
        who: doc.text_or_none("who")?.unwrap_or_default(),
        message: doc.text_or_none("message")?.unwrap_or_default(),
        text,
    })
}

fn path(id: &str) -> String {
    format!("/schemes/{}", escaped(id))
}

fn state(doc: Doc<'_>) -> Result<State, AppError> {
    let records = doc.doc("records")?;
    let mut states = [0; 7];
    for (count, state) in states.iter_mut().zip(RecordState::ALL) {
        *count = records.count(state.word())?;
    }
    Ok(State {
        id: doc.text("id")?,
        file: doc.text("file")?,
        word: doc.text("state")?,
        errors: doc.count("errors")?,
        source: doc.text_or_none("source")?,
        target: doc.text_or_none("target")?,
        paused: doc.doc_or_none("paused").map(|one| paused(&one)).transpose()?,
        rows: doc.docs("schedule")?.iter().map(due).collect::<Result<_, _>>()?,
        hash: doc.text_or_none("hash")?,
        watermark: doc.at_or_none("watermark")?,
        rows_behind: doc
            .number_or_none("rows_behind")?
            .map(|rows| u64::try_from(rows).map_err(|_| doc.odd("rows_behind")))
            .transpose()?,
        last: doc.doc_or_none("last").map(runs::run).transpose()?,
        states,
    })
}

fn due(doc: &Doc<'_>) -> Result<DueRow, AppError> {
    let half = doc.text("half")?;
    let halves = [Half::All, Half::Source, Half::Target];
    Ok(DueRow {
        scheme: String::new(),
        half: halves
            .into_iter()
            .find(|known| known.word() == half)
            .ok_or_else(|| doc.odd("half"))?,
        rule: doc.text("rule")?,
        next: doc.at_or_none("due")?,
        started: doc.at_or_none("started")?,
        ended: doc.at_or_none("ended")?,
        tally: Tally {
            starts: doc.count("starts")?,
            overlaps: doc.count("overlaps")?,
            skipped: doc.count("skipped")?,
            late: doc.count("late")?,
            worst: doc.number("worst_late_ms")?,
            ..Tally::default()
        },
    })
}

fn paused(doc: &Doc<'_>) -> Result<Paused, AppError> {
    Ok(Paused {
        since: doc.at("since")?,
        by: doc.text("by")?,
        // Worded by the server.
        reason: Reason::new(doc.text_or_none("code")?.unwrap_or_default(), doc.text("reason")?),
    })
}
