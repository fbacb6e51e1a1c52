//! A request whose caller is known and may do what they ask.

use std::collections::HashMap;
use std::sync::Arc;

use app::AppError;
use axum::http::HeaderMap;
use dsl::Lang;
use flow::ids::Ms;
use flow::op::AuditNote;
use ledger::{Ledger, Reader, StoreError};

use crate::access::{Identity, Known, Scopes};
use crate::problem::Problem;
use crate::state::State;
use app::service::SchemeStatus;

/// A request whose caller is known.
pub(crate) struct Call {
    pub(crate) state: State,
    pub(crate) who: Identity,
    pub(crate) lang: Lang,
    pub(crate) now: Ms,
    pub(crate) path: HashMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: String,
}

impl Call {
    /// Nobody: for what anybody may do.
    pub(crate) fn nobody() -> Identity {
        Identity {
            known: Known::User(String::new()),
            scopes: Scopes::none(),
            schemes: Some(Vec::new()),
        }
    }

    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A number in the path; nothing else can be there.
    pub(crate) fn number(&self, name: &str) -> Result<i64, Problem> {
        let text = self.param(name);
        text.parse()
            .map_err(|_| Problem::not_found(format!("{name} {}", text.escape_debug())))
    }

    /// Asks the ledger, on a thread that may wait.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        let reader = self.state.reader();
        self.think(move || question(&reader)).await
    }

    /// Does what takes its time on a thread of its own.
    pub(crate) async fn think<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => Ok(done?),
            Err(error) => Err(Problem::bug(error)),
        }
    }

    /// Writes what no run touches, and notes who did it.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        note: Option<(&str, String, String)>,
        work: impl FnOnce(&mut Ledger) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let note = note.map(|(action, what, reason)| self.note(action, None, what, &reason));
        self.write_maybe_noted(note, work).await
    }

    /// What is noted of what the caller does.
    pub(crate) fn note(&self, action: &str, scheme: Option<&str>, what: String, reason: &str) -> AuditNote {
        AuditNote {
            who: self.who.name(),
            action: action.to_owned(),
            scheme: scheme.map(str::to_owned),
            record: None,
            what,
            reason: reason.to_owned(),
        }
    }

    /// The same, with a note about a scheme.
    pub(crate) async fn write_noted<T: Send + 'static>(
        &self,
        note: AuditNote,
        work: impl FnOnce(&mut Ledger) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.write_maybe_noted(Some(note), work).await
    }

    async fn write_maybe_noted<T: Send + 'static>(
        &self,
        note: Option<AuditNote>,
        work: impl FnOnce(&mut Ledger) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let now = self.now;
        let done = self.state.with_ledger(move |ledger| {
            let done = work(ledger)?;
            if let Some(note) = note {
                ledger.note(&note, now)?;
            }
            Ok::<T, StoreError>(done)
        });
        Ok(done.await??)
    }

    /// The scheme of the path, if there is one and the caller may know of it.
    pub(crate) async fn scheme(&self) -> Result<SchemeStatus, Problem> {
        let id = self.param("scheme").to_owned();
        self.scheme_called(id).await
    }

    /// The scheme with this id, likewise.
    pub(crate) async fn scheme_called(&self, id: String) -> Result<SchemeStatus, Problem> {
        let service = Arc::clone(self.state.service());
        let is_known = service.loaded().fleet.get(&id).is_some();
        if !is_known || !self.who.sees(&id) {
            return Err(no_scheme(&id));
        }
        self.think(move || service.status_of(&id)).await
    }

    /// Confines a filter to what the caller may know of: who is limited to schemes names one of them.
    pub(crate) fn confine(&self, scheme: Option<&str>) -> Result<(), Problem> {
        match (scheme, &self.who.schemes) {
            (_, None) => Ok(()),
            (Some(scheme), Some(_)) if self.who.sees(scheme) => Ok(()),
            (Some(scheme), Some(_)) => Err(no_scheme(scheme)),
            (None, Some(_)) => Err(Problem::malformed("scheme")),
        }
    }
}

pub(crate) fn no_scheme(id: &str) -> Problem {
    Problem::not_found(format!("scheme {}", id.escape_debug()))
}
