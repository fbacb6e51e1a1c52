//! One credential at work: session, limits, signing, sending, judging.
//!
//! A session is renewed by one task at a time. A read that meets a lost session is repeated once with a new one; a
//! write never is here: what happens to it is the flow's decision, made from the classification alone.

use std::sync::Arc;
use std::time::Duration;

use connector::{Call, Class, Connection, HttpAnswer, HttpRequest, Judged, Session};
use dsl::diagnostic::Failure;
use tokio::sync::Mutex;
use transport::{AllowList, Client, Gate, SendError, Stage};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::AppError;
use crate::settings;

/// One connection, ready to be called.
pub(crate) struct Caller {
    /// The connection.
    pub(crate) connection: Arc<Connection>,
    client: Arc<Client>,
    allow: AllowList,
    gate: Gate,
    session: Mutex<Held>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
}

#[derive(Default)]
struct Held {
    session: Option<Arc<Session>>,
    /// Grows with each renewal, so that two tasks that saw the same lost session renew it once.
    generation: u64,
}

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
}

/// Whether a call may be repeated without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Reads.
    None,
    /// Writes.
    Writes,
}

impl Caller {
    /// A caller for one connection.
    pub(crate) fn new(
        connection: Arc<Connection>,
        client: Arc<Client>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> Result<Self, AppError> {
        let allow = settings::allow_list(&connection)?;
        let gate = Gate::new(settings::limiter(&connection, 100));
        Ok(Caller {
            connection,
            client,
            allow,
            gate,
            session: Mutex::new(Held::default()),
            clock,
            entropy,
        })
    }

    /// The same credential at a part of its rate, with a session of its own.
    pub(crate) fn at_share(&self, percent: u8) -> Result<Self, AppError> {
        Ok(Caller {
            connection: Arc::clone(&self.connection),
            client: Arc::clone(&self.client),
            allow: settings::allow_list(&self.connection)?,
            gate: Gate::new(settings::limiter(&self.connection, percent)),
            session: Mutex::new(Held::default()),
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
        loop {
            let (session, generation) = match self.session().await {
                Ok(held) => held,
                Err(ended) => return *ended,
            };
            let request = match self.connection.sign(
                &prepared,
                session.as_deref(),
                self.clock.now_ms(),
                self.entropy.draw(),
            ) {
                Ok(request) => request,
                Err(failure) => return Ended::Unbuilt(failure),
            };
            let answer = match self.send(request, effect).await {
                Ok(answer) => answer,
                Err(error) => return Ended::Broken(error),
            };
            self.keep_cookies(generation, &answer).await;
            let judged = self.connection.judge(call.operation, call.options, rows, &answer);
            if let Some(wait) = judged.wait_ms
                && matches!(judged.class, Class::Throttled)
            {
                self.gate
                    .hold(Duration::from_millis(u64::try_from(wait).unwrap_or(0)));
            }
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
        if self.session().await.is_ok() {
            self.gate.ready().await;
        }
    }

    /// The session, made when there is none.
    async fn session(&self) -> Result<(Option<Arc<Session>>, u64), Box<Ended>> {
        if !self.connection.needs_login() {
            return Ok((None, 0));
        }
        let mut held = self.session.lock().await;
        if let Some(session) = &held.session
            && !session.is_over(self.clock.now_ms())
        {
            return Ok((Some(Arc::clone(session)), held.generation));
        }
        let unbuilt = |failure| Box::new(Ended::Unbuilt(failure));
        let now = self.clock.now_ms();
        let Some(request) = self.connection.login(now, self.entropy.draw()).map_err(unbuilt)? else {
            return Ok((None, 0));
        };
        // Whatever became of the login, the call itself was not sent.
        let answer = self.send(request, Effect::None).await.map_err(|error| {
            Box::new(Ended::Broken(SendError {
                stage: Stage::NotSent,
                ..error
            }))
        })?;
        let session = self
            .connection
            .login_answer(&answer, self.clock.now_ms())
            .map_err(|failure| Box::new(Ended::NoSession(failure)))?;
        for secret in session.secrets() {
            self.connection.redactor().add(secret);
        }
        let session = Arc::new(session);
        held.session = Some(Arc::clone(&session));
        held.generation += 1;
        Ok((Some(session), held.generation))
    }

    async fn drop_session(&self, generation: u64) {
        let mut held = self.session.lock().await;
        if held.generation == generation {
            held.session = None;
        }
    }

    async fn keep_cookies(&self, generation: u64, answer: &HttpAnswer) {
        let mut held = self.session.lock().await;
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

    async fn send(&self, request: HttpRequest, effect: Effect) -> Result<HttpAnswer, SendError> {
        let _pass = self.gate.enter().await;
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
