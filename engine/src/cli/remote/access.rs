//! Tokens, users and connections of a server.

use app::AppError;
use app::trial::{Listed, StepState, Trial, TrialStep};
use dsl::Value;
use dsl::facts::Text2;
use ledger::service::access::{TokenRow, UserRow};

use super::{Doc, Remote, escaped};
use crate::cli::json::{ToJson, object};

/// What a list of these may hold; the ledger takes no more tokens.
const MOST: usize = 10_000;

/// The names of the steps of a trial.
const STEPS: [&str; 6] = ["settings", "dns", "tcp", "tls", "login", "call"];

impl Remote {
    /// Makes a token; its number, its text and from when on it is refused.
    pub(crate) fn make_token(
        &self,
        name: &str,
        scopes: &[&str],
        schemes: Option<&[String]>,
        days: i64,
    ) -> Result<(i64, String, i64), AppError> {
        let mut body = object! {"name" => name, "scopes" => scopes.to_json(), "days" => days};
        if let (Some(schemes), Value::Map(members)) = (schemes, &mut body) {
            members.insert("schemes".to_owned(), schemes.to_json());
        }
        let made = self.post("/tokens", Some(&body))?;
        let doc = self.doc(&made);
        Ok((doc.number("id")?, doc.text("token")?, doc.at("expires")?))
    }

    /// Tokens, oldest first.
    pub(crate) fn tokens(&self) -> Result<Vec<TokenRow>, AppError> {
        let (items, _) = self.list_whole("/tokens")?;
        items.iter().map(|item| token(self.doc(item))).collect()
    }

    /// Revokes a token.
    pub(crate) fn revoke_token(&self, id: i64) -> Result<(), AppError> {
        self.send("DELETE", &format!("/tokens/{id}"), None).map(|_| ())
    }

    /// Adds a user. The password travels to the server, which keeps its hash.
    pub(crate) fn add_user(&self, name: &str, password: &str, scopes: &[&str]) -> Result<(), AppError> {
        let body = object! {"name" => name, "password" => password, "scopes" => scopes.to_json()};
        self.post("/users", Some(&body)).map(|_| ())
    }

    /// Sets a password.
    pub(crate) fn set_password(&self, name: &str, password: &str) -> Result<(), AppError> {
        let body = object! {"password" => password};
        self.send("PATCH", &format!("/users/{}", escaped(name)), Some(&body))
            .map(|_| ())
    }

    /// Removes a user.
    pub(crate) fn remove_user(&self, name: &str) -> Result<(), AppError> {
        self.send("DELETE", &format!("/users/{}", escaped(name)), None)
            .map(|_| ())
    }

    /// Users by name.
    pub(crate) fn users(&self) -> Result<Vec<UserRow>, AppError> {
        let (items, _) = self.list_whole("/users")?;
        items.iter().map(|item| user(self.doc(item))).collect()
    }

    /// The name of its environment, where the token may know it.
    pub(crate) fn environment(&self) -> Result<Option<String>, AppError> {
        match self.get("/system", &[]) {
            Ok(body) => self.doc(&body).text("environment").map(Some),
            Err(AppError::Answered(answer)) if answer.status == 403 => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Its connections.
    pub(crate) fn connections(&self) -> Result<Vec<Listed>, AppError> {
        let (items, _) = self.list_whole("/connections")?;
        items.iter().map(|item| connection(self.doc(item))).collect()
    }

    /// Has a connection tried.
    pub(crate) fn try_connection(&self, name: &str) -> Result<Trial, AppError> {
        let body = self.post(&format!("/connections/{}/test", escaped(name)), None)?;
        let doc = self.doc(&body);
        let steps: Result<Vec<TrialStep>, AppError> = doc.docs("steps")?.into_iter().map(step).collect();
        Ok(Trial {
            connection: doc.text("connection")?,
            connector: doc.text("connector")?,
            environment: self.environment()?.unwrap_or_else(|| "-".to_owned()),
            server: doc.text_or_none("server")?,
            steps: steps?,
        })
    }

    /// A list that comes on one page.
    fn list_whole(&self, path: &str) -> Result<(Vec<Value>, bool), AppError> {
        let body = self.get(path, &[])?;
        let items = self.doc(&body).list("items")?;
        Ok((items.iter().take(MOST).cloned().collect(), items.len() > MOST))
    }
}

fn token(doc: Doc<'_>) -> Result<TokenRow, AppError> {
    Ok(TokenRow {
        id: doc.number("id")?,
        name: doc.text("name")?,
        scopes: doc.texts("scopes")?.join(","),
        schemes: doc
            .doc_or_none("schemes")
            .map(|_| doc.texts("schemes"))
            .transpose()?,
        by: doc.text("by")?,
        created: doc.at("created")?,
        expires: doc.at_or_none("expires")?,
        used: doc.at_or_none("used")?,
        revoked: doc.at_or_none("revoked")?,
    })
}

fn user(doc: Doc<'_>) -> Result<UserRow, AppError> {
    Ok(UserRow {
        name: doc.text("name")?,
        // Never told by a server.
        password: String::new(),
        scopes: doc.texts("scopes")?.join(","),
        created: doc.at("created")?,
        changed: doc.at("changed")?,
        login: doc.at_or_none("login")?,
    })
}

fn connection(doc: Doc<'_>) -> Result<Listed, AppError> {
    let label = doc.text("label")?;
    Ok(Listed {
        name: doc.text("name")?,
        connector: doc.text("connector")?,
        // In the language that was asked for.
        label: Text2 {
            zh: label.clone(),
            en: label,
        },
        environments: doc.texts("environments")?,
        server: doc.text_or_none("server")?,
        sandbox: doc.is("sandbox")?,
        // Which references they are stays with the server.
        missing: doc
            .texts("missing")?
            .into_iter()
            .map(|name| (name, String::new()))
            .collect(),
        absent: doc.texts("absent")?,
    })
}

fn step(doc: Doc<'_>) -> Result<TrialStep, AppError> {
    let (name, state) = (doc.text("name")?, doc.text("state")?);
    let states = [StepState::Ok, StepState::Failed, StepState::NotMade];
    Ok(TrialStep {
        name: STEPS
            .into_iter()
            .find(|known| *known == name)
            .ok_or_else(|| doc.odd("name"))?,
        state: states
            .into_iter()
            .find(|known| known.word() == state)
            .ok_or_else(|| doc.odd("state"))?,
        took_ms: doc.number("took_ms")?,
        code: doc.text_or_none("code")?,
        text: doc.text("text")?,
        help: doc.text_or_none("help")?,
    })
}
