//! `/tokens`, `/users`, `/login`: who may use the server.

use std::time::Duration;

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, Method, StatusCode};
use dsl::catalogue::server;
use flow::ids::Ms;
use ledger::service::access::{NewToken, TokenRow, UserRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{self, Known, Password, SESSION_COOKIE, Scope, Scopes};
use crate::call::Call;
use crate::document::list;
use crate::operation::{Created, Empty, EmptyWith, Json, JsonWith, Operation};
use crate::problem::Problem;
use crate::router::{cookie, too_many};
use crate::time;

/// Longest name of a token or a user, in characters.
const LONGEST_NAME: usize = 100;
/// Longest life of a token, in days.
const LONGEST_LIFE: u32 = 3_650;
/// Schemes that one token can be limited to.
const MOST_SCHEMES: usize = 1_000;
/// How long a request waits for its password to be looked at: the time of some thirty others.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const DAY: Ms = 86_400_000;

pub(super) fn operations() -> Vec<Operation> {
    let admin = |op: Operation| op.needs(Scope::Admin);
    vec![
        admin(Operation::new(
            Method::GET,
            "/tokens",
            "listTokens",
            "Tokens, oldest first; never their texts",
            tokens,
        )),
        admin(Operation::new(
            Method::POST,
            "/tokens",
            "createToken",
            "Makes a token and shows it once",
            create,
        ))
        .shown_once(),
        admin(Operation::new(
            Method::DELETE,
            "/tokens/{token}",
            "revokeToken",
            "Revokes a token for good",
            revoke,
        )),
        admin(Operation::new(
            Method::GET,
            "/users",
            "listUsers",
            "Users by name",
            users,
        )),
        admin(Operation::new(
            Method::POST,
            "/users",
            "addUser",
            "Adds a user",
            add,
        )),
        admin(Operation::new(
            Method::PATCH,
            "/users/{user}",
            "changeUser",
            "Sets a password, scopes or both",
            change,
        )),
        admin(Operation::new(
            Method::DELETE,
            "/users/{user}",
            "removeUser",
            "Removes a user",
            remove,
        )),
        Operation::new(Method::POST, "/login", "login", "Begins a session", login).for_anybody(),
        Operation::new(Method::POST, "/logout", "logout", "Ends the session", logout)
            .needs(Scope::Read)
            .by_scheme(),
        Operation::new(
            Method::GET,
            "/me",
            "showMe",
            "Who the caller is and what they may do",
            me,
        )
        .by_scheme(),
    ]
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Scope)]
enum ScopeWord {
    Read,
    Operate,
    Edit,
    Admin,
}

/// The scopes of a list; none at all is refused.
fn scopes_of(words: &[ScopeWord]) -> Result<Scopes, Problem> {
    let words: Vec<&str> = words
        .iter()
        .map(|word| match word {
            ScopeWord::Read => Scope::Read.word(),
            ScopeWord::Operate => Scope::Operate.word(),
            ScopeWord::Edit => Scope::Edit.word(),
            ScopeWord::Admin => Scope::Admin.word(),
        })
        .collect();
    Scopes::parse(&words.join(",")).map_err(|_| Problem::malformed("scopes"))
}

fn words(scopes: &str) -> Vec<String> {
    scopes.split(',').map(str::to_owned).collect()
}

fn name_of(name: &str) -> Result<&str, Problem> {
    let length = name.chars().count();
    let is_good = (1..=LONGEST_NAME).contains(&length)
        && !name.chars().any(|c| c.is_control() || c == '/')
        && name.trim() == name;
    if is_good {
        Ok(name)
    } else {
        Err(Problem::malformed("name"))
    }
}

/// A token; its text is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenDoc {
    /// Its number.
    id: i64,
    /// What people call it.
    name: String,
    /// What it allows.
    scopes: Vec<String>,
    /// The schemes it is limited to; null = all.
    schemes: Option<Vec<String>>,
    /// Who made it.
    by: String,
    #[schema(format = DateTime)]
    created: String,
    /// From when on it is refused.
    #[schema(format = DateTime)]
    expires: Option<String>,
    /// About when it was last used.
    #[schema(format = DateTime)]
    used: Option<String>,
    #[schema(format = DateTime)]
    revoked: Option<String>,
}

impl From<TokenRow> for TokenDoc {
    fn from(row: TokenRow) -> Self {
        TokenDoc {
            id: row.id,
            name: row.name,
            scopes: words(&row.scopes),
            schemes: row.schemes,
            by: row.by,
            created: time::text(row.created),
            expires: row.expires.map(time::text),
            used: row.used.map(time::text),
            revoked: row.revoked.map(time::text),
        }
    }
}

list! {
    /// Tokens.
    TokenList, TokenDoc
}

async fn tokens(call: Call, (): (), (): ()) -> Result<Json<TokenList>, Problem> {
    let rows = call.ask(|reader| Ok(reader.tokens()?)).await?;
    Ok(Json(TokenList::whole(
        rows.into_iter().map(TokenDoc::from).collect(),
    )))
}

/// What a token is made of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTokenDoc {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it allows.
    #[schema(min_items = 1)]
    scopes: Vec<ScopeWord>,
    /// The schemes it is limited to; left out = all.
    schemes: Option<Vec<String>>,
    /// After how many days it is refused; left out = 90.
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u32>,
}

/// A token and its text, which is not shown again.
#[derive(Debug, Serialize, ToSchema)]
struct TokenMade {
    id: i64,
    /// The text: `Authorization: Bearer …`.
    token: String,
    #[schema(format = DateTime)]
    expires: String,
}

async fn create(call: Call, (): (), Json(new): Json<NewTokenDoc>) -> Result<Created<TokenMade>, Problem> {
    let scopes = scopes_of(&new.scopes)?;
    let name = name_of(&new.name)?.to_owned();
    if !scopes.within(call.who.scopes) {
        return Err(Problem::new(StatusCode::FORBIDDEN, &server::NOT_ALLOWED).with("scope", scopes));
    }
    let days = new.days.unwrap_or(90);
    if !(1..=LONGEST_LIFE).contains(&days) {
        return Err(Problem::malformed(format!("days: 1-{LONGEST_LIFE}")));
    }
    if let Some(schemes) = &new.schemes
        && (schemes.is_empty()
            || schemes.len() > MOST_SCHEMES
            || schemes
                .iter()
                .any(|scheme| scheme.is_empty() || scheme.contains('\n')))
    {
        return Err(Problem::malformed("schemes"));
    }
    let expires = call.now + Ms::from(days) * DAY;
    let (text, hash) = access::new_token()?;
    let row = NewToken {
        name: name.clone(),
        hash,
        scopes: scopes.to_string(),
        schemes: new.schemes,
        by: call.who.name(),
        expires: Some(expires),
    };
    let now = call.now;
    let note = ("token", format!("create {name}"), scopes.to_string());
    let id = call
        .write(Some(note), move |ledger| ledger.add_token(&row, now))
        .await?
        .ok_or_else(|| Problem::conflict("tokens"))?;
    reread(&call).await?;
    Ok(Created(
        TokenMade {
            id,
            token: text,
            expires: time::text(expires),
        },
        format!("/api/v1/tokens/{id}"),
    ))
}

async fn reread(call: &Call) -> Result<(), Problem> {
    let state = call.state.clone();
    call.think(move || state.read_tokens()).await
}

async fn revoke(call: Call, (): (), (): ()) -> Result<Empty, Problem> {
    let (id, now) = (call.number("token")?, call.now);
    let known = call
        .ask(move |reader| Ok(reader.tokens()?.into_iter().any(|row| row.id == id)))
        .await?;
    if !known {
        return Err(Problem::not_found(format!("token {id}")));
    }
    let note = ("token", format!("revoke {id}"), "revoke".to_owned());
    call.write(Some(note), move |ledger| ledger.revoke_token(id, now))
        .await?;
    let state = call.state.clone();
    call.think(move || {
        state.forget_token(id);
        Ok(())
    })
    .await?;
    Ok(Empty)
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserDoc {
    name: String,
    scopes: Vec<String>,
    #[schema(format = DateTime)]
    created: String,
    /// When the password or the scopes were last changed.
    #[schema(format = DateTime)]
    changed: String,
    /// The last login.
    #[schema(format = DateTime)]
    login: Option<String>,
}

impl From<UserRow> for UserDoc {
    fn from(row: UserRow) -> Self {
        UserDoc {
            name: row.name,
            scopes: words(&row.scopes),
            created: time::text(row.created),
            changed: time::text(row.changed),
            login: row.login.map(time::text),
        }
    }
}

list! {
    /// Users.
    UserList, UserDoc
}

async fn users(call: Call, (): (), (): ()) -> Result<Json<UserList>, Problem> {
    let rows = call.ask(|reader| Ok(reader.users()?)).await?;
    Ok(Json(UserList::whole(
        rows.into_iter().map(UserDoc::from).collect(),
    )))
}

/// A new user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// At least 8 characters.
    #[schema(min_length = 8, max_length = 1024)]
    password: String,
    #[schema(min_items = 1)]
    scopes: Vec<ScopeWord>,
}

async fn add(call: Call, (): (), Json(new): Json<NewUser>) -> Result<Created<UserDoc>, Problem> {
    let scopes = scopes_of(&new.scopes)?;
    let name = name_of(&new.name)?.to_owned();
    let hash = hashed(&call, new.password).await?;
    let now = call.now;
    let (of, words) = (name.clone(), scopes.to_string());
    let note = ("user", format!("add {name}"), scopes.to_string());
    let taken = Problem::conflict(format!("user {}", name.escape_debug()));
    let known = name.clone();
    if call.ask(move |reader| Ok(reader.user(&known)?)).await?.is_some() {
        return Err(taken);
    }
    if !call
        .write(Some(note), move |ledger| ledger.add_user(&of, &hash, &words, now))
        .await?
    {
        return Err(taken);
    }
    let location = format!("/api/v1/users/{}", escaped(&name));
    let at = time::text(now);
    let user = UserDoc {
        name,
        scopes: words_of(scopes),
        created: at.clone(),
        changed: at,
        login: None,
    };
    Ok(Created(user, location))
}

fn words_of(scopes: Scopes) -> Vec<String> {
    scopes.words().into_iter().map(str::to_owned).collect()
}

/// A name as part of an address.
fn escaped(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

async fn hashed(call: &Call, password: String) -> Result<String, Problem> {
    let places = call.state.passwords();
    places
        .work(LONGEST_WAIT, move || access::hash_password(&password))
        .await?
        .ok_or_else(busy)
}

fn busy() -> Problem {
    too_many("passwords", LONGEST_WAIT)
}

/// What is changed of a user; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    #[schema(min_length = 8, max_length = 1024)]
    password: Option<String>,
    #[schema(min_items = 1)]
    scopes: Option<Vec<ScopeWord>>,
}

async fn change(call: Call, (): (), Json(change): Json<UserChange>) -> Result<Empty, Problem> {
    if change.password.is_none() && change.scopes.is_none() {
        return Err(Problem::malformed("password, scopes"));
    }
    let name = call.param("user").to_owned();
    let scopes = change.scopes.as_deref().map(scopes_of).transpose()?;
    let known = name.clone();
    if call.ask(move |reader| Ok(reader.user(&known)?)).await?.is_none() {
        return Err(Problem::not_found(format!("user {}", name.escape_debug())));
    }
    let password = match change.password {
        Some(password) => Some(hashed(&call, password).await?),
        None => None,
    };
    let now = call.now;
    let what: Vec<&str> = [
        password.as_ref().map(|_| "password"),
        scopes.as_ref().map(|_| "scopes"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let note = ("user", format!("change {name}"), what.join(", "));
    let (of, words) = (name.clone(), scopes.map(|scopes| scopes.to_string()));
    call.write(Some(note), move |ledger| {
        ledger.change_user(&of, password.as_deref(), words.as_deref(), now)
    })
    .await?;
    // Whoever had the old password, or more scopes, is out.
    call.state.logins().end_all(&name);
    Ok(Empty)
}

async fn remove(call: Call, (): (), (): ()) -> Result<Empty, Problem> {
    let name = call.param("user").to_owned();
    let of = name.clone();
    let known = name.clone();
    if call.ask(move |reader| Ok(reader.user(&known)?)).await?.is_none() {
        return Err(Problem::not_found(format!("user {}", name.escape_debug())));
    }
    let note = ("user", format!("rm {name}"), "rm".to_owned());
    call.write(Some(note), move |ledger| ledger.remove_user(&of))
        .await?;
    call.state.logins().end_all(&name);
    Ok(Empty)
}

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: String,
}

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The name of the user, or of the token.
    name: String,
    /// `token` or `user`.
    kind: String,
    /// What they may do.
    scopes: Vec<String>,
    /// The schemes they are limited to; null = all.
    schemes: Option<Vec<String>>,
}

async fn login(call: Call, (): (), Json(given): Json<Credentials>) -> Result<JsonWith<Me>, Problem> {
    let logins = call.state.logins();
    let name: String = given.name.chars().take(LONGEST_NAME + 1).collect();
    if let Some(wait) = logins.wait(&name, call.now) {
        return Err(too_many("logins", Duration::from_millis(wait.unsigned_abs())));
    }
    let (of, reader, state, now) = (name.clone(), call.state.reader(), call.state.clone(), call.now);
    let look = move || {
        // Others may have guessed while this one waited.
        if let Some(wait) = state.logins().wait(&of, now) {
            return Ok(Err(wait));
        }
        // Counted first: guesses that are looked at at the same time are counted, too.
        state.logins().mistake(&of, now);
        let row = reader.user(&of)?;
        let password = match &row {
            Some(row) => Password::Of(row.password.clone()),
            None => Password::OfNobody,
        };
        let is_right = password.is(&given.password)?;
        Ok(Ok((row, is_right)))
    };
    let looked = call.state.passwords().work(LONGEST_WAIT, look).await?;
    let (row, is_right) = looked
        .ok_or_else(busy)?
        .map_err(|wait| too_many("logins", Duration::from_millis(wait.unsigned_abs())))?;
    let refused = || Problem::new(StatusCode::UNAUTHORIZED, &server::LOGIN_REFUSED);
    let row = row.filter(|_| is_right).ok_or_else(|| {
        tracing::warn!(peer = call.peer, "a login was refused");
        refused()
    })?;
    logins.right(&name);
    let scopes = Scopes::parse(&row.scopes).map_err(|_| refused())?;
    let secret = logins.begin(&name, scopes, call.now)?;
    // Whoever changes or removes a user ends the sessions that there are: one that begins at that moment is none of
    // them, so the user is looked at once more.
    let of = name.clone();
    let again = call.ask(move |reader| Ok(reader.user(&of)?)).await;
    let is_same = |again: &UserRow| {
        (again.changed, &again.password, &again.scopes) == (row.changed, &row.password, &row.scopes)
    };
    if !matches!(&again, Ok(Some(again)) if is_same(again)) {
        logins.end(&secret);
        return Err(again.err().unwrap_or_else(refused));
    }
    let now = call.now;
    call.write(None, move |ledger| ledger.user_logged_in(&name, now))
        .await?;
    let me = Me {
        name: row.name,
        kind: "user".to_owned(),
        scopes: words_of(scopes),
        schemes: None,
    };
    Ok(JsonWith(me, SET_COOKIE, session_cookie(&call, &secret, None)?))
}

fn session_cookie(call: &Call, secret: &str, age: Option<u32>) -> Result<HeaderValue, Problem> {
    let secure = if call.state.settings().is_tls {
        "; Secure"
    } else {
        ""
    };
    let age = age.map(|age| format!("; Max-Age={age}")).unwrap_or_default();
    let text = format!("{SESSION_COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict{age}{secure}");
    HeaderValue::from_str(&text).map_err(Problem::bug)
}

async fn logout(call: Call, (): (), (): ()) -> Result<EmptyWith, Problem> {
    if let Some(secret) = cookie(&call.headers) {
        call.state.logins().end(secret);
    }
    Ok(EmptyWith(SET_COOKIE, session_cookie(&call, "", Some(0))?))
}

async fn me(call: Call, (): (), (): ()) -> Result<Json<Me>, Problem> {
    let (kind, name) = match &call.who.known {
        Known::Token(_, name) => ("token", name),
        Known::User(name) => ("user", name),
    };
    Ok(Json(Me {
        name: name.clone(),
        kind: kind.to_owned(),
        scopes: words_of(call.who.scopes),
        schemes: call.who.schemes.clone(),
    }))
}
