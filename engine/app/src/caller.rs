//! One credential at work: session, limits, signing, sending, judging.
//!
//! A session is renewed by one task at a time. A read that meets a lost session is repeated once with a new one; a
//! write never is here: what happens to it is the flow's decision, made from the classification alone. Connections that
//! call one system as one user share session and limits, because that system counts them together.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connector::{Call, Class, Connection, HttpAnswer, HttpRequest, Judged, Session};
use dsl::diagnostic::Failure;
use flow::ids::Ms;
use tokio::sync::Mutex;
use transport::{AllowList, Client, Gate, Pass, SendError, Stage};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::AppError;
use crate::kept::Kept;
use crate::settings;

/// One connection, ready to be called.
pub(crate) struct Caller {
    /// The connection.
    pub(crate) connection: Arc<Connection>,
    client: Arc<Client>,
    allow: AllowList,
    credential: Arc<Credential>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
}

/// What all connections with one credential have in common.
struct Credential {
    gate: Gate,
    session: Mutex<Held>,
    /// Where the session is kept when it must outlive the process.
    kept: Option<Arc<Kept>>,
}

#[derive(Default)]
struct Held {
    session: Option<Arc<Session>>,
    /// The last one that the other system no longer knew.
    lost: Option<Arc<Session>>,
    /// A new one that could not be saved; nothing is called with it.
    unsaved: Option<Arc<Session>>,
    /// Grows with each renewal, so that two tasks that saw the same lost session renew it once.
    generation: u64,
    /// Why there was no session a moment ago, and when: the call that was to follow need not find out once more.
    failed: Option<(Ms, Box<Ended>)>,
}

/// How long [`Held::failed`] is taken for true: a claim is durable long before.
const JUST_NOW: Ms = 10_000;
/// Characters of a gateway's words that are told.
const SAID: usize = 200;

/// How a call ended.
pub(crate) enum Ended {
    /// A whole answer and its judgement.
    Answered {
        /// The answer.
        answer: HttpAnswer,
        /// The judgement.
        judged: Judged,
    },
    /// No whole answer.
    Broken(SendError),
    /// The request could not be built: nothing was sent.
    Unbuilt(Failure),
    /// Logging in was refused: the call itself was not sent.
    NoSession(Failure),
    /// Only a gateway answered the login, in these words: the call itself was not sent.
    Away(String),
}

/// Whether a call may be repeated without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Reads.
    None,
    /// Writes.
    Writes,
}

impl Credential {
    fn new(gate: Gate, kept: Option<Arc<Kept>>) -> Self {
        Credential {
            gate,
            kept,
            session: Mutex::new(Held::default()),
        }
    }

    /// What an answer says about how often one may call.
    fn learn(&self, judged: &Judged) {
        if judged.class != Class::Throttled {
            return self.gate.let_through();
        }
        self.gate.refused();
        if let Some(wait) = judged.wait_ms {
            self.gate
                .hold(Duration::from_millis(u64::try_from(wait).unwrap_or(0)));
        }
    }
}

/// New sessions for one call, before it goes out with the one there is.
const LOGINS: u32 = 2;

impl Caller {
    /// A caller for one connection; sessions that must outlive the process are kept in `dir`. `all` are those of the
    /// command, some of which may use the same credential.
    pub(crate) fn new(
        connection: Arc<Connection>,
        all: &[Arc<Connection>],
        client: Arc<Client>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        dir: &Path,
    ) -> Result<Self, AppError> {
        let others = all
            .iter()
            .filter(|other| !Arc::ptr_eq(other, &connection) && other.is_same_credential(&connection));
        let sharing = std::iter::once(&connection).chain(others).map(Arc::as_ref);
        let gate = Gate::new(settings::limiter(sharing, 100));
        let kept = Kept::new(dir, &connection)?.map(Arc::new);
        Ok(Caller {
            allow: settings::allow_list(&connection)?,
            connection,
            client,
            credential: Arc::new(Credential::new(gate, kept)),
            clock,
            entropy,
        })
    }

    /// A caller for another connection with the same credential.
    pub(crate) fn beside(&self, connection: Arc<Connection>) -> Result<Self, AppError> {
        Ok(Caller {
            allow: settings::allow_list(&connection)?,
            connection,
            credential: Arc::clone(&self.credential),
            client: Arc::clone(&self.client),
            clock: Arc::clone(&self.clock),
            entropy: Entropy::default(),
        })
    }

    /// The same credential at a part of its rate, with a session of its own.
    pub(crate) fn at_share(&self, percent: u8) -> Result<Self, AppError> {
        let gate = Gate::new(settings::limiter([self.connection.as_ref()], percent));
        Ok(Caller {
            connection: Arc::clone(&self.connection),
            client: Arc::clone(&self.client),
            allow: settings::allow_list(&self.connection)?,
            credential: Arc::new(Credential::new(gate, self.credential.kept.clone())),
            clock: Arc::clone(&self.clock),
            entropy: Entropy::default(),
        })
    }

    /// Takes this connection's secrets, and those its session brought, out of a text.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.connection.redact(text)
    }

    /// Makes one call. `rows` is how many documents it carries.
    pub(crate) async fn call(&self, call: &Call<'_>, rows: usize, effect: Effect) -> Ended {
        let prepared = match self.connection.prepare(call) {
            Ok(prepared) => prepared,
            Err(failure) => return Ended::Unbuilt(failure),
        };
        let mut renewed = false;
        let mut logins = 0;
        loop {
            let (session, generation) = match self.session().await {
                Ok(held) => held,
                Err(ended) => return *ended,
            };
            // The wait comes first: a signature says when it was made, and a session may end meanwhile.
            let pass = self.credential.gate.enter().await;
            // A session that is over as soon as it is made, or before its turn comes, is tried with all the same.
            if logins < LOGINS && !self.is_current(session.as_ref(), generation) {
                logins += 1;
                pass.give_back();
                continue;
            }
            let request = match self.connection.sign(
                &prepared,
                session.as_deref(),
                self.clock.now_ms(),
                self.entropy.draw(),
            ) {
                Ok(request) => request,
                Err(failure) => {
                    pass.give_back();
                    return Ended::Unbuilt(failure);
                }
            };
            let answer = match self.send(pass, request, effect).await {
                Ok(answer) => answer,
                Err(error) => return Ended::Broken(error),
            };
            self.keep_cookies(generation, &answer).await;
            let judged = self.connection.judge_call(call, rows, &answer);
            self.credential.learn(&judged);
            if judged.class == Class::Auth {
                self.drop_session(generation).await;
                if effect == Effect::None && !renewed {
                    renewed = true;
                    continue;
                }
            }
            return Ended::Answered { answer, judged };
        }
    }

    /// Waits until a call could go out at once: there is a session, and the limits have room. What keeps it from being so
    /// is told by the call itself.
    pub(crate) async fn ready(&self) {
        match self.session().await {
            Ok(_) => self.credential.gate.ready().await,
            Err(ended) => {
                let now = self.clock.now_ms();
                self.credential.session.lock().await.failed = Some((now, ended));
            }
        }
    }

    /// Sees to it that there is a session.
    pub(crate) async fn log_in(&self) -> Result<(), Box<Ended>> {
        self.session().await.map(|_| ())
    }

    /// The session, made when there is none.
    async fn session(&self) -> Result<(Option<Arc<Session>>, u64), Box<Ended>> {
        if !self.connection.needs_login() {
            return Ok((None, 0));
        }
        let mut held = self.credential.session.lock().await;
        let now = self.clock.now_ms();
        if let Some(session) = &held.session
            && !session.is_over(now)
        {
            return Ok((Some(Arc::clone(session)), held.generation));
        }
        if let Some((at, ended)) = held.failed.take()
            && now - at < JUST_NOW
        {
            return Err(ended);
        }
        let unbuilt = |failure| Box::new(Ended::Unbuilt(failure));
        let renewal = match &self.credential.kept {
            Some(kept) => Some(kept.renew().await.map_err(unbuilt)?),
            None => None,
        };
        let mut before = None;
        if let Some(renewal) = &renewal {
            // One that the disk refused is the only one the other system knows: it is saved before anything else.
            if let Some(unsaved) = &held.unsaved {
                renewal.save(unsaved).map_err(unbuilt)?;
                held.unsaved = None;
            }
            before = renewal.load().map_err(unbuilt)?.map(Arc::new);
            for secret in before.iter().flat_map(|kept| kept.secrets()) {
                self.connection.redactor().add(secret);
            }
            // Somebody else renewed it meanwhile, or an earlier command did.
            if let Some(kept) = before.as_ref().filter(|kept| !kept.is_over(now))
                && held.lost.as_ref() != Some(kept)
            {
                return Ok((Some(self.take(&mut held, kept)), held.generation));
            }
            renewal.rehearse().map_err(unbuilt)?;
        }
        let pass = self.credential.gate.enter().await;
        let now = self.clock.now_ms();
        let login = self.connection.login(before.as_deref(), now, self.entropy.draw());
        let Some(request) = login.map_err(unbuilt)? else {
            pass.give_back();
            return Ok((None, 0));
        };
        // Whatever became of the login, the call itself was not sent.
        let answer = self.send(pass, request, Effect::None).await.map_err(|error| {
            Box::new(Ended::Broken(SendError {
                stage: Stage::NotSent,
                ..error
            }))
        })?;
        if let Some(judged) = self.connection.login_throttled(&answer) {
            self.credential.learn(&judged);
            return Err(Box::new(Ended::Answered { answer, judged }));
        }
        if flow::is_gateway(answer.status) {
            let said = self.redact(self.connection.readable(&answer).trim());
            let said: String = said.chars().take(SAID).collect();
            return Err(Box::new(Ended::Away(format!("HTTP {}: {said}", answer.status))));
        }
        self.credential.gate.let_through();
        let session = self
            .connection
            .login_answer(&answer, self.clock.now_ms())
            .map_err(|failure| Box::new(Ended::NoSession(failure)))?;
        let session = Arc::new(session);
        for secret in session.secrets() {
            self.connection.redactor().add(secret);
        }
        if let Some(renewal) = &renewal
            && let Err(failure) = renewal.save(&session)
        {
            held.unsaved = Some(session);
            return Err(unbuilt(failure));
        }
        Ok((Some(self.take(&mut held, &session)), held.generation))
    }

    /// From now on calls go out with this session.
    fn take(&self, held: &mut Held, session: &Arc<Session>) -> Arc<Session> {
        for secret in session.secrets() {
            self.connection.redactor().add(secret);
        }
        held.session = Some(Arc::clone(session));
        held.generation += 1;
        Arc::clone(session)
    }

    /// Whether a session is still the one to call with. One that is being renewed is not; its lock is not waited for,
    /// because the login may wait for the place that the asker holds.
    fn is_current(&self, session: Option<&Arc<Session>>, generation: u64) -> bool {
        let Some(session) = session else { return true };
        let Ok(held) = self.credential.session.try_lock() else {
            return false;
        };
        held.session.is_some() && held.generation == generation && !session.is_over(self.clock.now_ms())
    }

    async fn drop_session(&self, generation: u64) {
        let mut held = self.credential.session.lock().await;
        if held.generation == generation {
            held.lost = held.session.take();
        }
    }

    async fn keep_cookies(&self, generation: u64, answer: &HttpAnswer) {
        let mut held = self.credential.session.lock().await;
        if held.generation == generation
            && let Some(session) = &held.session
        {
            let mut changed = Session::clone(session);
            if self.connection.keep_cookies(&mut changed, answer) {
                for secret in changed.secrets() {
                    self.connection.redactor().add(secret);
                }
                held.session = Some(Arc::new(changed));
            }
        }
    }

    async fn send(
        &self,
        pass: Pass<'_>,
        request: HttpRequest,
        effect: Effect,
    ) -> Result<HttpAnswer, SendError> {
        let _until_answered = pass;
        let sent = self
            .client
            .send(transport::Request {
                method: &request.method,
                url: &request.url,
                headers: &request.headers,
                body: request.body,
                timeouts: settings::timeouts(&self.connection, request.timeout_ms, effect),
                read_cap: usize::try_from(request.read_cap).unwrap_or(usize::MAX),
                gzip: true,
                allow: &self.allow,
            })
            .await?;
        Ok(HttpAnswer {
            status: sent.status,
            headers: sent.headers,
            body: sent.body,
        })
    }
}

/// Whether an error proves that nothing was sent.
pub(crate) fn not_sent(error: &SendError) -> bool {
    match error.stage {
        Stage::NotSent => true,
        Stage::Lost => false,
    }
}

#[cfg(test)]
mod tests;
