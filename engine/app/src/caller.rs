//! One credential at work: session, limits, signing, sending, judging.
//!
//! A session is renewed by one task at a time. A read that meets a lost session is repeated once with a new one; a
//! write never is here: what happens to it is the flow's decision, made from the classification alone. Connections that
//! call one system as one user share session and limits, because that system counts them together.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use connector::{
    Call, Class, Connection, Guard, HttpAnswer, HttpRequest, Judged, LOGIN_CALLS_MAX, LoggingIn, Session,
    Task, Until,
};
use dsl::catalogue::auth::LOGIN_REFUSED;
use dsl::diagnostic::Failure;
use flow::ids::Ms;
use tokio::sync::Mutex;
use tracing::Instrument as _;
use tracing::field::Empty;
use transport::{AllowList, Client, SendError, Stage};

mod door;

use crate::TRACED;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::AppError;
use crate::kept::Kept;
use crate::meter;
use crate::own_pace::OwnPace;
use crate::paces::{Lane, Paces, Turn};
use crate::settings;
use crate::tape::{Played, Tape};

use door::Door;

/// One connection, ready to be called.
pub(crate) struct Caller {
    /// The connection.
    pub(crate) connection: Arc<Connection>,
    client: Arc<Client>,
    allow: AllowList,
    credential: Arc<Credential>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    /// Where the system is a database, and how it is reached.
    door: Option<Door>,
    /// Where calls are taken down, or answered from.
    tape: Option<Arc<Tape>>,
    /// The scheme's own pace, where it has one and this one calls for it.
    own: Option<Arc<OwnPace>>,
}

/// What all connections with one credential have in common.
struct Credential {
    paces: Paces,
    budget: Arc<Budget>,
    session: Mutex<Held>,
    /// The token for writes, and the generation of the session it belongs to.
    guard: Mutex<Option<(Arc<Guard>, u64)>>,
    /// Where the session is kept when it must outlive the process.
    kept: Option<Arc<Kept>>,
    /// What the other system made of it when it was last used in this process; `None` = it was not.
    accepted: std::sync::Mutex<Option<Result<(), Refusal>>>,
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
    /// Nothing may be called for now: hours, calls a day, or a pause that the vendor has spoken. Nothing was sent.
    Closed(Failure),
}

/// Whether a call may be repeated without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Reads.
    None,
    /// Writes.
    Writes,
}

/// How the other system refused credentials.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// A login.
    Login(Failure),
    /// A call, in these words.
    Call(String),
}

impl Credential {
    fn new(paces: Paces, budget: Arc<Budget>, kept: Option<Arc<Kept>>) -> Self {
        Credential {
            paces,
            budget,
            kept,
            session: Mutex::new(Held::default()),
            guard: Mutex::new(None),
            accepted: std::sync::Mutex::new(None),
        }
    }

    /// Whether the other system takes it, by how a call of one of its connections ended. Most ends say nothing about it.
    fn judge(&self, connection: &Connection, ended: &Ended) {
        let accepted = match ended {
            Ended::Answered { judged, .. } => match judged.class {
                Class::Ok | Class::Rows | Class::Rejected => Ok(()),
                Class::Auth => Err(Refusal::Call(connection.redact(&judged.message))),
                _ => return,
            },
            // A login whose answer cannot be read, as a gateway's page, says nothing about it either.
            Ended::NoSession(failure) if failure.code() == LOGIN_REFUSED.code => {
                Err(Refusal::Login(failure.clone()))
            }
            _ => return,
        };
        *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepted);
    }

    /// What an answer says about how often one may call.
    fn learn(&self, lane: Lane<'_>, connection: &Connection, judged: &mut Judged, now: Ms) {
        let until = judged.until.map(|until| match until {
            Until::Midnight => connection.midnight(now),
            Until::At(at_ms) => at_ms,
        });
        if let Some(until) = until.filter(|until| *until > now) {
            if judged.class == Class::QuotaStop {
                self.budget.close(until, now, &judged.message);
                judged.message = format!("{} (→ {})", judged.message, connection.clock(until));
            }
            let wait = (until - now).min(PATIENCE);
            judged.wait_ms = Some(judged.wait_ms.map_or(wait, |told| told.max(wait)));
        }
        if judged.class != Class::Throttled {
            return self.paces.let_through(lane, connection);
        }
        let pause = judged.wait_ms.and_then(|wait| u64::try_from(wait).ok());
        self.paces
            .refused(lane, connection, pause.map(Duration::from_millis));
    }
}

/// The longest pause that a run waits for; a longer one ends it.
const PATIENCE: Ms = 3_600_000;

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
        let paces = Paces::new(sharing, 100);
        let kept = Kept::new(dir, &connection)?.map(Arc::new);
        let budget = Arc::new(Budget::new(dir, &connection));
        Ok(Caller {
            allow: settings::allow_list(&connection)?,
            door: Door::of(&connection, None, &client)?,
            connection,
            client,
            credential: Arc::new(Credential::new(paces, budget, kept)),
            clock,
            entropy,
            tape: None,
            own: None,
        })
    }

    /// From now on calls are taken down, or answered, by a tape. To be said before anybody calls.
    pub(crate) fn put_in(&mut self, tape: &Arc<Tape>) {
        self.tape = Some(Arc::clone(tape));
    }

    /// The tape, where there is one.
    pub(crate) fn tape(&self) -> Option<&Arc<Tape>> {
        self.tape.as_ref()
    }

    /// The same caller, its calls counted together with those of the same application among the others. To be said
    /// before anybody calls.
    pub(crate) fn counted_with<'a>(mut self, others: impl IntoIterator<Item = &'a Arc<Caller>>) -> Self {
        let application = self.connection.application();
        let mut others = others.into_iter();
        let same =
            others.find(|other| application.is_some() && other.connection.application() == application);
        if let (Some(other), Some(own)) = (same, Arc::get_mut(&mut self.credential)) {
            own.paces.join(&other.credential.paces);
        }
        self
    }

    /// A caller for another connection with the same credential.
    pub(crate) fn beside(&self, connection: Arc<Connection>) -> Result<Self, AppError> {
        Ok(Caller {
            allow: settings::allow_list(&connection)?,
            door: Door::of(&connection, self.door.as_ref(), &self.client)?,
            connection,
            credential: Arc::clone(&self.credential),
            client: Arc::clone(&self.client),
            clock: Arc::clone(&self.clock),
            entropy: Entropy::default(),
            tape: self.tape.clone(),
            own: self.own.clone(),
        })
    }

    /// The same caller by another way out.
    pub(crate) fn by(mut self, client: Arc<Client>) -> Self {
        if let Some(door) = &mut self.door {
            door.trusting(&client);
        }
        self.client = client;
        self
    }

    /// A caller that keeps to the pace of a scheme, too.
    pub(crate) fn at_own_pace(&self, own: Arc<OwnPace>) -> Result<Self, AppError> {
        let mut bound = self.beside(Arc::clone(&self.connection))?;
        bound.own = Some(own);
        Ok(bound)
    }

    /// The same caller for a pass whose records are stored for good: files that were read may be moved away.
    pub(crate) fn for_good(mut self) -> Self {
        if let Some(door) = &mut self.door {
            door.may_move();
        }
        self
    }

    /// The same credential at a part of its rate, with a session of its own.
    pub(crate) fn at_share(&self, percent: u8) -> Result<Self, AppError> {
        let mut paces = Paces::new([self.connection.as_ref()], percent);
        paces.share_logins(&self.credential.paces);
        let (budget, kept) = (Arc::clone(&self.credential.budget), self.credential.kept.clone());
        Ok(Caller {
            door: Door::of(&self.connection, self.door.as_ref(), &self.client)?,
            connection: Arc::clone(&self.connection),
            client: Arc::clone(&self.client),
            allow: settings::allow_list(&self.connection)?,
            credential: Arc::new(Credential::new(paces, budget, kept)),
            clock: Arc::clone(&self.clock),
            entropy: Entropy::default(),
            tape: self.tape.clone(),
            own: self.own.clone(),
        })
    }

    /// Whether the system is a database, which is logged into when it is connected to.
    pub(crate) fn is_database(&self) -> bool {
        self.door.is_some()
    }

    /// What the other system made of the credentials when they were last used here.
    pub(crate) fn accepted(&self) -> Option<Result<(), Refusal>> {
        let accepted = &self.credential.accepted;
        accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes this connection's secrets, and those its session brought, out of a text.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.connection.redact(text)
    }

    /// Makes one call, and waits for the task that it starts, where it does. `rows` is how many documents it carries.
    pub(crate) async fn call(&self, call: &Call<'_>, rows: usize, effect: Effect) -> Ended {
        let sent = self.clock.now_ms();
        match self.submit(call, rows, effect).await {
            Ok(task) => {
                let until = sent.saturating_add(task.timeout_ms);
                self.follow(&task, call, rows, until).await
            }
            Err(ended) => *ended,
        }
    }

    /// Makes one call: gives the task that it starts, or how it ended where it starts none.
    pub(crate) async fn submit(
        &self,
        call: &Call<'_>,
        rows: usize,
        effect: Effect,
    ) -> Result<Task, Box<Ended>> {
        let ended = self.once(call, rows, effect).await;
        let task = match &ended {
            Ended::Answered { answer, .. } => self.connection.task(call.operation, call.options, answer),
            _ => None,
        };
        task.ok_or_else(|| Box::new(ended))
    }

    /// Asks how far a task is until it is over. One that takes longer than it may is lost: the target may still do it.
    pub(crate) async fn follow(&self, task: &Task, call: &Call<'_>, rows: usize, until: Ms) -> Ended {
        let poll = Call::new(&task.poll, &task.options, call.now_ms);
        let every = task.every_ms.max(1);
        let mut pause = every;
        while self.clock.now_ms() < until {
            let next = self.clock.now_ms().saturating_add(pause);
            tokio::time::sleep(self.clock.until(next)).await;
            // A question that fails or is refused says nothing about the task; the next one may know.
            let asked = self.once(&poll, 0, Effect::None).await;
            // A login that is refused each second would lock the account.
            pause = match &asked {
                Ended::NoSession(_) | Ended::Away(_) => every.max(flow::PROBE_EVERY),
                _ => every,
            };
            if let Ended::Answered { answer, judged } = asked
                && matches!(judged.class, Class::Ok | Class::Rows)
                && let Some(answer) = self.connection.task_result(call.operation, &answer)
            {
                let judged = self.connection.judge_call(call, rows, &answer);
                return Ended::Answered { answer, judged };
            }
        }
        Ended::Broken(SendError {
            stage: Stage::Lost,
            reason: transport::Reason::TotalTimeout,
            detail: format!("the task {} was not over within {} ms", task.id, task.timeout_ms),
            partial: None,
        })
    }

    /// One call; by way of the tape, where there is one.
    async fn once(&self, call: &Call<'_>, rows: usize, effect: Effect) -> Ended {
        let Some(tape) = &self.tape else {
            return self.real(call, rows, effect).await;
        };
        let prepared = match self.connection.prepare(call) {
            Ok(prepared) => prepared,
            Err(failure) => return Ended::Unbuilt(failure),
        };
        match tape.play(&self.connection.name, call.operation, &prepared) {
            Some(Played::Answer(answer)) => {
                let judged = self.connection.judge_call(call, rows, &answer);
                Ended::Answered { answer, judged }
            }
            Some(Played::Broken(error)) => Ended::Broken(error),
            Some(Played::Unknown(failure)) => Ended::Closed(failure),
            None => {
                let ended = self.real(call, rows, effect).await;
                tape.take(&self.connection, call, &prepared, &ended);
                ended
            }
        }
    }

    /// A call of the other system itself.
    async fn real(&self, call: &Call<'_>, rows: usize, effect: Effect) -> Ended {
        let ended = self.made(call, rows, effect).await;
        self.credential.judge(&self.connection, &ended);
        ended
    }

    async fn made(&self, call: &Call<'_>, rows: usize, effect: Effect) -> Ended {
        let prepared = match self.connection.prepare(call) {
            Ok(prepared) => prepared,
            Err(failure) => return Ended::Unbuilt(failure),
        };
        let lane = Lane::Call(call.operation);
        let mut renewed = false;
        let mut logins = 0;
        loop {
            let (session, generation) = match self.session().await {
                Ok(held) => held,
                Err(ended) => return *ended,
            };
            let mut guard = None;
            let mut signed_with = session.clone();
            if self.connection.needs_guard(call.operation) {
                match self.guarded(session.as_deref(), generation).await {
                    Ok((session, fetched)) => {
                        signed_with = Some(Arc::new(session));
                        guard = Some(fetched);
                    }
                    Err(ended) => return *ended,
                }
            }
            // The wait comes first: a signature says when it was made, and a session may end meanwhile.
            let own = self.own.as_deref().map(OwnPace::gate);
            let turn = self.credential.paces.enter(own, lane, &self.connection).await;
            // A session that is over as soon as it is made, or before its turn comes, is tried with all the same.
            if logins < LOGINS && !self.is_current(session.as_ref(), generation) {
                logins += 1;
                turn.give_back();
                continue;
            }
            let request = match self.connection.sign(
                &prepared,
                signed_with.as_deref(),
                self.clock.now_ms(),
                call.attempt.unwrap_or_else(|| self.entropy.draw()),
            ) {
                Ok(request) => request,
                Err(failure) => {
                    turn.give_back();
                    return Ended::Unbuilt(failure);
                }
            };
            let now = self.clock.now_ms();
            let own = self
                .own
                .as_ref()
                .map_or(Ok(()), |own| own.take(&self.connection, now));
            if let Err(failure) = own.and_then(|()| self.credential.budget.take(&self.connection, now)) {
                turn.give_back();
                return Ended::Closed(failure);
            }
            let answer = match self.send(turn, request, effect).await {
                Ok(answer) => answer,
                Err(error) => return Ended::Broken(error),
            };
            self.keep_cookies(generation, &answer).await;
            let mut judged = self.connection.judge_call(call, rows, &answer);
            let now = self.clock.now_ms();
            self.credential.learn(lane, &self.connection, &mut judged, now);
            if judged.class == Class::Auth
                && let Some(guard) = guard.filter(|_| self.connection.is_guard_refused(&answer))
            {
                self.drop_guard(&guard).await;
            } else if judged.class == Class::Auth {
                self.drop_session(generation).await;
                if effect == Effect::None && !renewed {
                    renewed = true;
                    continue;
                }
            }
            return Ended::Answered { answer, judged };
        }
    }

    /// Waits until a call of any of these operations could go out at once: there is a session, and the limits have room.
    /// What keeps it from being so is told by the call itself.
    pub(crate) async fn ready(&self, apis: &[&str]) {
        if self.tape.as_ref().is_some_and(|tape| tape.is_playing()) {
            return;
        }
        let there = match self.session().await {
            Ok((session, generation)) if self.connection.has_guard() => {
                self.guarded(session.as_deref(), generation).await.map(drop)
            }
            Ok(_) => Ok(()),
            Err(ended) => Err(ended),
        };
        match there {
            Ok(()) => {
                if let Some(own) = &self.own {
                    own.gate().ready().await;
                }
                self.credential.paces.ready(apis, &self.connection).await;
            }
            Err(ended) => {
                let now = self.clock.now_ms();
                self.credential.session.lock().await.failed = Some((now, ended));
            }
        }
    }

    /// Sees to it that there is a session.
    pub(crate) async fn log_in(&self) -> Result<(), Box<Ended>> {
        if let Some(door) = &self.door {
            return door.knock(&self.connection).await;
        }
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
                let kept = self.connection.to_be_kept(unsaved);
                renewal.save(&kept).map_err(unbuilt)?;
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
        let mut under_way = self.connection.begin_login(before.as_deref(), now);
        for _ in 0..LOGIN_CALLS_MAX {
            if !self.connection.login_goes_on(&under_way) {
                break;
            }
            let turn = self
                .credential
                .paces
                .enter(None, Lane::Login, &self.connection)
                .await;
            let now = self.clock.now_ms();
            let request = self
                .connection
                .login_request(&under_way, now, self.entropy.draw());
            let Some(request) = request.map_err(unbuilt)? else {
                turn.give_back();
                break;
            };
            let answer = self.early(turn, request, Some(&under_way)).await?;
            self.connection
                .login_answer(&mut under_way, &answer, self.clock.now_ms())
                .map_err(|failure| Box::new(Ended::NoSession(failure)))?;
        }
        let session = Arc::new(under_way.into_session());
        for secret in session.secrets() {
            self.connection.redactor().add(secret);
        }
        if let Some(renewal) = &renewal
            && let Err(failure) = renewal.save(&self.connection.to_be_kept(&session))
        {
            held.unsaved = Some(session);
            return Err(unbuilt(failure));
        }
        Ok((Some(self.take(&mut held, &session)), held.generation))
    }

    /// Makes a call that comes before the one that was asked for. Whatever becomes of it, that one was not sent.
    async fn early(
        &self,
        turn: Turn<'_>,
        request: HttpRequest,
        under_way: Option<&LoggingIn>,
    ) -> Result<HttpAnswer, Box<Ended>> {
        if let Err(failure) = self.credential.budget.take(&self.connection, self.clock.now_ms()) {
            turn.give_back();
            return Err(Box::new(Ended::Closed(failure)));
        }
        let answer = self.send(turn, request, Effect::None).await.map_err(|error| {
            Box::new(Ended::Broken(SendError {
                stage: Stage::NotSent,
                ..error
            }))
        })?;
        if let Some(mut judged) = self.connection.login_throttled(under_way, &answer) {
            let now = self.clock.now_ms();
            self.credential
                .learn(Lane::Login, &self.connection, &mut judged, now);
            return Err(Box::new(Ended::Answered { answer, judged }));
        }
        if flow::is_gateway(answer.status) {
            let said = self.redact(self.connection.readable(&answer).trim());
            let said: String = said.chars().take(SAID).collect();
            return Err(Box::new(Ended::Away(format!("HTTP {}: {said}", answer.status))));
        }
        self.credential.paces.let_through(Lane::Login, &self.connection);
        Ok(answer)
    }

    /// The session with a token for writes, which is fetched when there is none. Both belong together: another session
    /// is another token.
    async fn guarded(
        &self,
        session: Option<&Session>,
        generation: u64,
    ) -> Result<(Session, Arc<Guard>), Box<Ended>> {
        let mut held = self.credential.guard.lock().await;
        let bare = Session::default();
        let session = session.unwrap_or(&bare);
        if let Some((guard, _)) = held.as_ref().filter(|(_, of)| *of == generation) {
            return Ok((session.guarded(Arc::clone(guard)), Arc::clone(guard)));
        }
        let turn = self
            .credential
            .paces
            .enter(None, Lane::Login, &self.connection)
            .await;
        let unbuilt = |failure| Box::new(Ended::Unbuilt(failure));
        let request = self
            .connection
            .guard_request(Some(session), self.clock.now_ms(), self.entropy.draw());
        let Some(request) = request.map_err(unbuilt)? else {
            turn.give_back();
            return Err(unbuilt(dsl::diagnostic::Failure::new(
                &dsl::catalogue::auth::LOGIN_ANSWER,
            )));
        };
        let answer = self.early(turn, request, None).await?;
        let guard = self
            .connection
            .guard_answer(&answer)
            .map_err(|failure| Box::new(Ended::NoSession(failure)))?;
        for secret in guard.secrets() {
            self.connection.redactor().add(secret);
        }
        let guard = Arc::new(guard);
        *held = Some((Arc::clone(&guard), generation));
        Ok((session.guarded(Arc::clone(&guard)), guard))
    }

    /// The token for writes was refused: the next write fetches another.
    async fn drop_guard(&self, refused: &Arc<Guard>) {
        let mut held = self.credential.guard.lock().await;
        if held
            .as_ref()
            .is_some_and(|(guard, _)| Arc::ptr_eq(guard, refused))
        {
            *held = None;
        }
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
        turn: Turn<'_>,
        request: HttpRequest,
        effect: Effect,
    ) -> Result<HttpAnswer, SendError> {
        let _until_answered = turn;
        let began = self.clock.now_ms();
        let span = tracing::info_span!(
            target: TRACED,
            "request",
            otel.kind = "client",
            connection = self.connection.name,
            effect = ?effect,
            outcome = Empty,
        );
        let ended = self.sent(request, effect).instrument(span.clone()).await;
        let outcome = meter::note(&self.connection.name, &ended, self.clock.now_ms() - began);
        span.record("outcome", outcome);
        ended
    }

    async fn sent(&self, request: HttpRequest, effect: Effect) -> Result<HttpAnswer, SendError> {
        if let Some(door) = &self.door {
            return door.send(&self.connection, request, effect).await;
        }
        let sent = self
            .client
            .send(transport::Request {
                method: &request.method,
                url: &request.url,
                headers: &request.headers,
                body: request.body,
                timeouts: settings::timeouts(&self.connection, request.timeout_ms, effect),
                read_cap: usize::try_from(request.read_cap).unwrap_or(usize::MAX),
                gzip: self.connection.connector.transport().gzip,
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
pub(crate) mod tests;
